//! What the tests of the functions share: a database with the ledger's schema and the application's table, functions that look after
//! it, and the events that reach them.

pub mod scale;

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use harness::{Aws, AwsProxy, Database, Function, FunctionBuilder, Postgres, eventually, paths};
use patient::table::{self, GUIDE, Row, Variant};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// What a test comes to.
pub type Tested<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The state machine that the tests' functions look after, where no other one is named. The sample events speak of it too.
pub const STATE_MACHINE_ARN: &str = "arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing";

/// Where nothing listens: a call that a test does not expect fails at once.
pub const NOWHERE: &str = "http://127.0.0.1:1";

/// How long a test waits for what must come.
pub const BOUND: Duration = Duration::from_secs(30);

/// A database of one test: the application's table, and the ledger as the real `migrate` makes it.
pub struct Bench {
    /// The database.
    pub database: Database,
    /// How the application's table is spelt.
    pub variant: Variant,
}

impl Bench {
    /// With the guide's table.
    ///
    /// # Errors
    /// Those of the harness, and what `migrate` answers.
    pub async fn new(hint: &str) -> Tested<Self> {
        Self::of(hint, GUIDE).await
    }

    /// With another spelling of the table.
    ///
    /// # Errors
    /// Those of the harness, and what `migrate` answers.
    pub async fn of(hint: &str, variant: Variant) -> Tested<Self> {
        Self::on(Postgres::shared().await?, hint, variant).await
    }

    /// On a server of one's own.
    ///
    /// # Errors
    /// Those of the harness, and what `migrate` answers.
    pub async fn on(postgres: &Postgres, hint: &str, variant: Variant) -> Tested<Self> {
        let database = postgres.database(hint).await?;
        table::create(database.pool(), &variant).await?;
        let bench = Self { database, variant };
        bench.function("migrate").start().await?.invoke(&json!({ "all": true })).await?;
        Ok(bench)
    }

    /// A function of the product that looks after [`STATE_MACHINE_ARN`] in this database; texts are in English, and AWS is
    /// [`NOWHERE`].
    #[must_use]
    pub fn function(&self, name: &str) -> FunctionBuilder {
        Function::builder(name)
            .database(&self.database)
            .env("AWS_LAMBDA_FUNCTION_NAME", format!("remediation-{name}"))
            .env("STATE_MACHINE_ARN", STATE_MACHINE_ARN)
            .env("PROCESSING_STATE_TABLE", self.variant.table_name())
            .env("TEXT_LANGUAGE", "en")
            .env("AWS_ENDPOINT_URL", NOWHERE)
    }

    /// Inserts rows.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn insert(&self, rows: &[Row]) -> Tested {
        Ok(table::insert(self.database.pool(), &self.variant, rows).await?)
    }

    /// A row as it is now.
    ///
    /// # Errors
    /// What PostgreSQL answers, and where the row is gone.
    pub async fn row(&self, id: Uuid) -> Tested<Row> {
        Ok(table::read(self.database.pool(), &self.variant, id).await?.ok_or("the row is gone")?)
    }

    /// The application's whole table as it is now, in the order of ids.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn table(&self) -> Tested<Vec<Value>> {
        let relation = self.variant.spell("{processes}");
        self.list(&format!(
            "SELECT to_jsonb(p) || jsonb_build_object('xmin', p.xmin::text) FROM {relation} p ORDER BY id"
        ))
        .await
    }

    /// All actions in the ledger, in order.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn actions(&self) -> Tested<Vec<Value>> {
        self.list("SELECT to_jsonb(a) FROM remediation.actions a ORDER BY created_at, id").await
    }

    /// All runs in the ledger but `migrate`'s, which are in its log; in order.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn runs(&self) -> Tested<Vec<Value>> {
        self.list("SELECT to_jsonb(r) FROM remediation.runs r ORDER BY started_at, id").await
    }

    /// What a query with one JSON column answers.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn list(&self, sql: &str) -> Tested<Vec<Value>> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.database.pool()).await?)
    }

    /// See [`aged`].
    pub async fn aged(&self, minutes: u32) -> Tested {
        Ok(aged(&self.database, minutes).await?)
    }

    /// How many rows are in this status.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn count(&self, status: &str) -> Tested<i64> {
        let sql = self.variant.spell("SELECT count(*) FROM {processes} WHERE status::text = $1");
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(status).fetch_one(self.database.pool()).await?)
    }
}

/// As if everything in the ledger were older by so many minutes.
///
/// # Errors
/// What PostgreSQL answers.
pub async fn aged(database: &Database, minutes: u32) -> harness::Result<()> {
    let by = format!("- interval '{minutes} minutes'");
    let sql = format!(
        "UPDATE remediation.actions SET created_at = created_at {by}, closed_at = closed_at {by};
         UPDATE remediation.incidents SET opened_at = opened_at {by}, closed_at = closed_at {by};
         UPDATE remediation.leases SET created_at = created_at {by}, revert_at = revert_at {by};
         UPDATE remediation.told SET told_at = told_at {by}"
    );
    database.execute(&sql).await
}

/// A moment so many seconds ago, in whole milliseconds as Step Functions' events have it.
#[must_use]
pub fn ago(seconds: i64) -> DateTime<Utc> {
    (Utc::now() - TimeDelta::seconds(seconds)).trunc_subsecs(3)
}

/// A process that was accepted so many seconds ago, and went to PROCESSING a second later.
#[must_use]
pub fn processing(seconds_ago: i64) -> Row {
    Row::pending(ago(seconds_ago)).became("PROCESSING", ago(seconds_ago - 1))
}

/// An execution of [`STATE_MACHINE_ARN`], named as the application names it.
#[must_use]
pub fn execution_arn(process: Uuid, started_at: DateTime<Utc>) -> String {
    arn_of(STATE_MACHINE_ARN, &format!("{process}-{}", started_at.timestamp_millis()))
}

/// The ARN of a state machine's execution of that name.
#[must_use]
pub fn arn_of(state_machine: &str, name: &str) -> String {
    format!("{}:{name}", state_machine.replace(":stateMachine:", ":execution:"))
}

/// Step Functions' event about an execution, as its documentation has it; `detail` is merged over it.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
#[must_use]
pub fn status_event(
    process: Uuid,
    status: &str,
    started_at: DateTime<Utc>,
    stopped_at: Option<DateTime<Utc>>,
    detail: &Value,
) -> Value {
    let arn = execution_arn(process, started_at);
    let mut event = json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "000000000000",
        "time": stopped_at.unwrap_or(started_at),
        "region": "ap-northeast-1",
        "resources": [arn],
        "detail": {
            "executionArn": arn,
            "stateMachineArn": STATE_MACHINE_ARN,
            "name": arn.rsplit(':').next(),
            "status": status,
            "startDate": started_at.timestamp_millis(),
            "stopDate": stopped_at.map(|at| at.timestamp_millis()),
            "input": input(process),
            "inputDetails": { "included": true },
            "output": null,
            "outputDetails": null,
            "error": null,
            "cause": null,
        },
    });
    merge(&mut event["detail"], detail);
    event
}

/// DescribeExecution's answer, as its documentation has it; `more` is merged over it.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html>
#[must_use]
pub fn description(
    process: Uuid,
    status: &str,
    started_at: DateTime<Utc>,
    stopped_at: Option<DateTime<Utc>>,
    more: &Value,
) -> Value {
    let arn = execution_arn(process, started_at);
    let mut answer = json!({
        "executionArn": arn,
        "stateMachineArn": STATE_MACHINE_ARN,
        "name": arn.rsplit(':').next(),
        "status": status,
        "startDate": epoch(started_at),
        "input": input(process),
        "inputDetails": { "included": true },
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
    });
    if let Some(at) = stopped_at {
        answer["stopDate"] = epoch(at);
    }
    merge(&mut answer, more);
    answer
}

/// One item of ListExecutions' answer, as its documentation has it.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionListItem.html>
#[must_use]
pub fn listed(process: Uuid, status: &str, started_at: DateTime<Utc>, stopped_at: Option<DateTime<Utc>>) -> Value {
    let arn = execution_arn(process, started_at);
    let mut item = json!({
        "executionArn": arn,
        "stateMachineArn": STATE_MACHINE_ARN,
        "name": arn.rsplit(':').next(),
        "status": status,
        "startDate": epoch(started_at),
        "redriveCount": 0,
    });
    if let Some(at) = stopped_at {
        item["stopDate"] = epoch(at);
    }
    item
}

/// What the application starts an execution with.
#[must_use]
pub fn input(process: Uuid) -> String {
    json!({ "processId": process, "userId": Uuid::new_v4(), "type": "SUBGOAL_GENERATION", "params": {} }).to_string()
}

/// What an execution ends with when its worker has generated `result`.
#[must_use]
pub fn output(result: &Value) -> String {
    json!({ "generationResult": { "Payload": result } }).to_string()
}

fn epoch(at: DateTime<Utc>) -> Value {
    // Seconds with a fraction, as the JSON protocol has it.
    json!(
        f64::from(i32::try_from(at.timestamp()).unwrap_or(i32::MAX)) + f64::from(at.timestamp_subsec_millis()) / 1000.0
    )
}

/// Sets the fields of `more` in `value`.
pub fn merge(value: &mut Value, more: &Value) {
    if let (Some(fields), Some(more)) = (value.as_object_mut(), more.as_object()) {
        fields.extend(more.clone());
    }
}

/// An endpoint of AWS that only answers what a test scripts; everything else fails.
///
/// # Errors
/// Where no port can be listened to.
pub async fn scripted() -> Tested<AwsProxy> {
    Ok(AwsProxy::start(NOWHERE).await?)
}

/// A state machine on the endpoint, and its executions.
pub struct Machine {
    /// Its ARN.
    pub arn: String,
    aws: &'static Aws,
}

impl Machine {
    /// On the shared endpoint: waits for as many seconds as its input says, then ends as its input says, as the application's own does
    /// (`Succeed` with the worker's answer, `Fail` with a code).
    ///
    /// # Errors
    /// What the endpoint answers.
    pub async fn new(name: &str) -> Tested<Self> {
        let aws = Aws::shared().await?;
        let definition = json!({
            "StartAt": "Wait",
            "States": {
                "Wait": { "Type": "Wait", "SecondsPath": "$.wait", "Next": "End" },
                "End": {
                    "Type": "Choice",
                    "Choices": [{ "Variable": "$.fails", "BooleanEquals": true, "Next": "Fail" }],
                    "Default": "Succeed",
                },
                "Fail": { "Type": "Fail", "Error": "AI_ERROR", "Cause": "the model did not answer" },
                "Succeed": {
                    "Type": "Pass",
                    "Result": { "generationResult": { "Payload": { "goals": ["走る"] } } },
                    "End": true,
                },
            },
        });
        let name = format!("{name}-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let create = aws.sfn().create_state_machine().name(name).role_arn("arn:aws:iam::000000000000:role/test");
        let arn = create.definition(definition.to_string()).send().await?.state_machine_arn;
        Ok(Self { arn, aws })
    }

    /// Starts an execution for a process as the application does; it runs on.
    ///
    /// # Errors
    /// What the endpoint answers.
    pub async fn start(&self, process: Uuid) -> Tested<String> {
        self.run(process, 3600, false).await
    }

    /// Starts an execution that ends at once, and waits for its end.
    ///
    /// # Errors
    /// What the endpoint answers.
    pub async fn end(&self, process: Uuid, fails: bool) -> Tested<String> {
        let arn = self.run(process, 0, fails).await?;
        eventually(BOUND, format!("{arn} to end"), || async {
            (self.status(&arn).await.ok()? != "RUNNING").then_some(())
        })
        .await?;
        Ok(arn)
    }

    async fn run(&self, process: Uuid, wait: u32, fails: bool) -> Tested<String> {
        let input = json!({ "processId": process, "wait": wait, "fails": fails }).to_string();
        let start = self.aws.sfn().start_execution().state_machine_arn(&self.arn).input(input);
        let name = format!("{process}-{}", Utc::now().timestamp_millis());
        Ok(start.name(name).send().await?.execution_arn)
    }

    /// Stops an execution with this error.
    ///
    /// # Errors
    /// What the endpoint answers.
    pub async fn stop(&self, execution: &str, error: &str) -> Tested {
        self.aws.sfn().stop_execution().execution_arn(execution).error(error).send().await?;
        Ok(())
    }

    /// An execution's status.
    ///
    /// # Errors
    /// What the endpoint answers.
    pub async fn status(&self, execution: &str) -> Tested<String> {
        Ok(self.aws.sfn().describe_execution().execution_arn(execution).send().await?.status.as_str().to_owned())
    }

    /// A proxy in front of the endpoint.
    ///
    /// # Errors
    /// Where no port can be listened to.
    pub async fn proxy(&self) -> Tested<AwsProxy> {
        Ok(AwsProxy::start(&self.aws.endpoint()).await?)
    }
}

/// The codes of a result's findings.
#[must_use]
pub fn findings(result: &Value) -> Vec<&str> {
    texts(&result["findings"], "code")
}

/// A field of every entry of a list, where it is a text.
#[must_use]
pub fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|entry| entry[field].as_str()).collect()
}

/// A sample event of a function.
///
/// # Errors
/// Where there is none of that name.
pub fn sample(function: &str, name: &str) -> Tested<Value> {
    let path = paths::workspace().join(format!("functions/{function}/events/{name}.json"));
    let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

/// A line that a function has logged; it may reach us a little after the answer.
///
/// # Errors
/// Where it does not come.
pub async fn logged(function: &Function, what: impl Fn(&str) -> bool) -> Tested<String> {
    let line =
        eventually(BOUND, "a line in the log", || async { function.lines().into_iter().rev().find(|line| what(line)) });
    Ok(line.await?)
}

/// The metrics of a function's only run: its line in the embedded metric format.
///
/// # Errors
/// Where there is none.
pub async fn metrics(function: &Function) -> Tested<Value> {
    Ok(serde_json::from_str(&logged(function, |line| line.contains("\"_aws\"")).await?)?)
}
