//! The guide's application, which has much more that can be broken than others.

use chrono::{DateTime, TimeDelta, Utc};
use patient::profiled::Goes;
use patient::table::{self, MIGRATED, Row};
use patient::{Behaviour, Patient, Process};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::application::{Application, End, Kept, Says};
use crate::events::Execution;
use crate::expected::{COMPLETED, Expected, failed};
use crate::ground::{Ground, tell};
use crate::image::Image;
use crate::mode::Mode;
use crate::outcome::Outcome;
use crate::world::{LAST_RETRY, World};

/// How many processes were closed before today.
const HISTORY: i32 = 10_000;

impl World {
    /// The guide's application, and ten thousand processes that it has had.
    pub async fn of_the_guide(mode: Mode) -> Outcome<Self> {
        let ground = Ground::start().await?;
        let (pool, machine) = (ground.database.pool(), Patient::state_machine_arn());
        table::create(pool, &MIGRATED).await?;
        table::history(pool, &MIGRATED, HISTORY, Utc::now()).await?;
        ground.done(&format!("{HISTORY} closed processes of the last thirty days are in the table"));
        // Of its functions, the patient has only those that the workflow calls.
        let settings =
            [("stateMachineArn", machine.as_str()), ("applicationFunctionNames", "update-processing-status")];
        let patient = async |ground: &Ground| {
            let (pool, url) = (ground.database.pool(), ground.database.url());
            let patient = Patient::deploy(&ground.aws, &url, pool, MIGRATED, 600).await?;
            ground.done("the patient is deployed");
            Ok(patient)
        };
        let began = ground.began;
        let world = ground.deploy(mode, &settings, patient).await?;
        if mode == Mode::Act {
            world.ask_for("migrate", &json!({"fence": "install"})).await?;
            tell(began, "an operator has put up the fence");
        }
        Ok(world)
    }
}

impl Application for Patient {
    async fn begin(&self, goes: Goes) -> Outcome<Process<String>> {
        let Process { id, execution_arn } = match goes {
            Goes::Succeeds => self.start(&Behaviour::LoseLastUpdate).await?,
            Goes::Fails => last_attempt(self, &Behaviour::Fail { code: "AI_ERROR".into(), recorded: false }).await?,
            Goes::Hangs => last_attempt(self, &Behaviour::Hang).await?,
        };
        Ok(Process { id: id.to_string(), execution_arn })
    }

    async fn accept_only(&self) -> Outcome<String> {
        let row = Row::pending(Utc::now());
        self.accept(&row).await?;
        Ok(row.id.to_string())
    }

    async fn leave(&self, started_at: DateTime<Utc>) -> Outcome<(String, Execution)> {
        let row = Row::pending(started_at).became("PROCESSING", started_at + TimeDelta::seconds(2));
        let row = Row { progress: 50, retry_count: LAST_RETRY, ..row };
        self.accept(&row).await?;
        Ok((row.id.to_string(), Execution::of(&row, started_at)))
    }

    async fn read(&self, process: &str) -> Outcome<Kept> {
        Ok(Kept::from(&self.row(process.parse()?).await?))
    }

    fn is_at_work(row: &Kept) -> bool {
        row.image.progress >= Some(50)
    }

    async fn fingerprint(&self, but: &[String]) -> Outcome<(i64, Option<String>)> {
        let sql = self.variant().spell(
            "SELECT count(*), md5(string_agg(p::text, '|' ORDER BY id)) FROM {processes} p WHERE id <> ALL ($1::uuid[])",
        );
        Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(but).fetch_one(self.pool()).await?)
    }

    fn expects(&self, end: End) -> Expected {
        match end {
            End::Succeeded => COMPLETED,
            End::Failed => failed("AI_ERROR"),
            End::TimedOut => failed("TIMEOUT_ERROR"),
            End::NeverStarted => failed("STEP_FUNCTIONS_ERROR"),
            End::Aborted => Expected { status: "CANCELLED", result: false, ..COMPLETED },
        }
    }

    fn says(&self, expected: &Expected) -> Says {
        Says::of_guide(expected)
    }
}

/// Starts a process for the third time, as far as its row says: what becomes of it stays, because nobody tries it again.
pub async fn last_attempt(patient: &Patient, behaviour: &Behaviour) -> Outcome<Process> {
    let row = Row { retry_count: LAST_RETRY, ..Row::pending(Utc::now()) };
    patient.accept(&row).await?;
    Ok(patient.execute(&row, behaviour).await?)
}

impl Says {
    /// What a row of the guide's must say.
    pub fn of_guide(expected: &Expected) -> Self {
        Self {
            status: expected.status.to_owned(),
            error: json!(expected.code),
            result: expected.result,
            ended: !["PENDING", "PROCESSING"].contains(&expected.status),
            progress: (expected.status == "COMPLETED").then_some(100),
            other: Value::Null,
        }
    }
}

impl From<&Row> for Kept {
    fn from(row: &Row) -> Self {
        let image = Image::of_json(&json!({"status": row.status, "progress": row.progress, "error": row.error}));
        // A result may say that the work failed.
        let of_result = row.result.as_ref().filter(|result| result["status"] == "FAILED");
        let code = of_result.and_then(|result| result["error"]["code"].as_str()).map(str::to_owned);
        let says = Says {
            status: row.status.clone(),
            error: json!(image.code),
            result: row.result.is_some(),
            ended: row.completed_at.is_some(),
            progress: image.progress,
            other: Value::Null,
        };
        Self { says, understood: Image { code: image.code.clone().or(code), ..image.clone() }, image, all: json!(row) }
    }
}
