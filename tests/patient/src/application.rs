use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::StateMachineType;
use chrono::Utc;
use harness::{Aws, Deployment};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::behaviour::Behaviour;
use crate::error::{Error, Result};
use crate::table::{self, Row, Variant};

const NAME: &str = "ai-processing";

/// The application: what its API handlers do, and the workflow behind them.
#[derive(Debug, Clone)]
pub struct Patient {
    sfn: Client,
    pool: PgPool,
    variant: Variant,
    state_machine_arn: String,
}

/// A process that was started.
#[derive(Debug, Clone)]
pub struct Process<Id = Uuid> {
    /// Its row.
    pub id: Id,
    /// Its execution.
    pub execution_arn: String,
}

impl Patient {
    /// The function that does the work.
    pub const WORKER: &str = "ai-generation-worker";

    /// The ARN that the state machine will have.
    #[must_use]
    pub fn state_machine_arn() -> String {
        format!("arn:aws:states:{}:{}:stateMachine:{NAME}", harness::aws::REGION, harness::aws::ACCOUNT)
    }

    /// Deploys functions and state machine to the endpoint. The database has its tables already ([`table::create`]);
    /// `url` is how the functions reach it. `timeout_seconds` is the state machine's own (600 in the application).
    ///
    /// # Errors
    /// The compiler's last words, and what the endpoint answers.
    pub async fn deploy(aws: &Aws, url: &str, pool: &PgPool, variant: Variant, timeout_seconds: u32) -> Result<Self> {
        let function = |name: &str, role: &str| {
            let variables = [("DATABASE_URL", url), ("TABLE_VARIANT", variant.name), ("PATIENT_FUNCTION", role)];
            // What a run of it used is, to the endpoint, what the largest of all its functions has ever used.
            Deployment::new(name, "patient-worker").envs(variables).timeout(300).memory(4096).deploy(aws)
        };
        let (worker, updater) =
            tokio::try_join!(function(Self::WORKER, "generate"), function("update-processing-status", "update-status"))
                .map_err(Error::when("deploy the patient's functions"))?;
        let definition = include_str!("../state-machine.asl.json")
            .replace("${Worker}", &worker)
            .replace("${StatusUpdater}", &updater);
        let mut definition: Value = serde_json::from_str(&definition).map_err(Error::when("read the state machine"))?;
        definition["TimeoutSeconds"] = timeout_seconds.into();
        let sfn = aws.sfn();
        let created = sfn
            .create_state_machine()
            .name(NAME)
            .r#type(StateMachineType::Standard)
            .role_arn(format!("arn:aws:iam::{}:role/{NAME}", harness::aws::ACCOUNT))
            .definition(definition.to_string())
            .send()
            .await
            .map_err(Error::when("create the state machine"))?;
        Ok(Self { sfn, pool: pool.clone(), variant, state_machine_arn: created.state_machine_arn })
    }

    /// The table that it keeps its processes in.
    #[must_use]
    pub fn variant(&self) -> &Variant {
        &self.variant
    }

    /// Its database.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Step Functions, as it sees it.
    #[must_use]
    pub fn sfn(&self) -> &Client {
        &self.sfn
    }

    /// async-processing-handler: accepts a process and starts it.
    ///
    /// # Errors
    /// What PostgreSQL or Step Functions answers.
    pub async fn start(&self, behaviour: &Behaviour) -> Result<Process> {
        let row = Row::pending(Utc::now());
        self.accept(&row).await?;
        self.execute(&row, behaviour).await
    }

    /// The first half of [`Self::start`]: where the second never comes, the process waits for ever.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn accept(&self, row: &Row) -> Result<()> {
        table::insert(&self.pool, &self.variant, std::slice::from_ref(row)).await
    }

    /// The second half of [`Self::start`].
    ///
    /// # Errors
    /// What Step Functions answers.
    pub async fn execute(&self, row: &Row, behaviour: &Behaviour) -> Result<Process> {
        self.execute_as(row, behaviour, &format!("{}-{}", row.id, Utc::now().timestamp_millis())).await
    }

    /// The same with an execution of another name, as somebody starts it from the console, who proposes one that says nothing.
    ///
    /// # Errors
    /// What Step Functions answers.
    pub async fn execute_as(&self, row: &Row, behaviour: &Behaviour, name: &str) -> Result<Process> {
        let input =
            json!({"processId": row.id, "userId": row.user_id, "type": row.kind, "params": {"behaviour": behaviour}});
        let started = self
            .sfn
            .start_execution()
            .state_machine_arn(&self.state_machine_arn)
            .name(name)
            .input(input.to_string())
            .send()
            .await
            .map_err(Error::when(format!("start process {}", row.id)))?;
        Ok(Process { id: row.id, execution_arn: started.execution_arn })
    }

    /// cancel-handler: closes the row and then stops an execution of a name that no execution ever has, which is why the
    /// guide has a chapter about it. Returns what Step Functions said to that; the real one only logs it.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn cancel(&self, id: Uuid) -> Result<Option<Error>> {
        let sql = self.variant.spell(
            "UPDATE {processes} SET status = 'CANCELLED', {updated_at} = now(){utc}, {completed_at} = now(){utc} WHERE id = $1",
        );
        let closed = sqlx::query(AssertSqlSafe(sql)).bind(id).execute(&self.pool).await;
        closed.map_err(Error::when(format!("cancel process {id}")))?;
        let guessed = format!("{}:{id}", self.state_machine_arn.replace(":stateMachine:", ":execution:"));
        let stop = self.sfn.stop_execution().execution_arn(guessed).error("USER_CANCELLED").send().await;
        Ok(stop.err().map(Error::when("stop the execution")))
    }

    /// cancel-handler, where a cancel is a failure with a code of its own: it stops nothing.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn cancel_as_failure(&self, id: Uuid) -> Result<()> {
        let sql = self.variant.spell(
            "UPDATE {processes} SET status = 'FAILED', error = '{\"code\": \"CANCELLED\"}', {updated_at} = now(){utc},
                    {completed_at} = now(){utc}
              WHERE id = $1",
        );
        let closed = sqlx::query(AssertSqlSafe(sql)).bind(id).execute(&self.pool).await;
        closed.map(drop).map_err(Error::when(format!("cancel process {id}")))
    }

    /// The process's row.
    ///
    /// # Errors
    /// What PostgreSQL answers, and where there is none.
    pub async fn row(&self, id: Uuid) -> Result<Row> {
        let row = table::read(&self.pool, &self.variant, id).await?;
        row.ok_or_else(|| Error::new(format!("read process {id}"), "there is no such row"))
    }
}
