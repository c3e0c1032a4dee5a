//! Other applications than the guide's, each as its profile describes it (`tests/profiles`): its table, its rows, and its state machine.

mod shape;
mod shapes;

use aws_sdk_sfn::Client;
use harness::Aws;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use crate::application::Process;
use crate::error::{Error, Result};

pub use shape::{Keeps, Shape, Words};

/// How an execution goes that its row is told nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// It succeeds at once.
    Succeeds,
    /// It fails at once.
    Fails,
    /// It runs on and on.
    Hangs,
}

/// One of them, deployed.
#[derive(Debug, Clone)]
pub struct Profiled {
    shape: Shape,
    sfn: Client,
    pool: PgPool,
    machine: String,
}

impl Profiled {
    /// Makes its table in the database, and its state machine `machine` on the endpoint.
    ///
    /// # Errors
    /// What PostgreSQL and the endpoint answer.
    pub async fn deploy(aws: &Aws, pool: &PgPool, shape: Shape, machine: &str) -> Result<Self> {
        let made = sqlx::raw_sql(shape.ddl).execute(pool).await;
        made.map_err(Error::when(format!("make the table of {}", shape.name)))?;
        let role = format!("arn:aws:iam::{}:role/{machine}", harness::aws::ACCOUNT);
        let sfn = aws.sfn();
        let create = sfn.create_state_machine().name(machine).role_arn(role).definition(shape.machine).send().await;
        let machine = create.map_err(Error::when("create the state machine"))?.state_machine_arn;
        Ok(Self { shape, sfn, pool: pool.clone(), machine })
    }

    /// Which one it is.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The ARN of its state machine.
    #[must_use]
    pub fn state_machine_arn(&self) -> &str {
        &self.machine
    }

    /// A process with a row of this status, of `age` seconds ago, and an execution that goes so.
    ///
    /// # Errors
    /// What PostgreSQL or Step Functions answers.
    pub async fn start(&self, status: &str, age: f64, goes: Goes) -> Result<Process<String>> {
        let (id, execution_arn, mut input) = self.planned();
        self.insert(&id, status, Some(&execution_arn), age).await?;
        input["wait"] = json!(if goes == Goes::Hangs { 3600 } else { 0 });
        input["fails"] = json!(goes == Goes::Fails);
        let start = self.sfn.start_execution().state_machine_arn(&self.machine).input(input.to_string());
        let started = start.name(execution_arn.rsplit(':').next().unwrap_or_default()).send().await;
        started.map_err(Error::when(format!("start process {id}")))?;
        Ok(Process { id, execution_arn })
    }

    /// A process that there is not yet: its id, its execution's ARN and input.
    #[must_use]
    pub fn planned(&self) -> (String, String, Value) {
        let id = (self.shape.id)();
        let machine = self.machine.replace(":stateMachine:", ":execution:");
        let (arn, input) = (format!("{machine}:{}", (self.shape.called)(&id)), (self.shape.input)(&id));
        (id, arn, input)
    }

    /// A row of this status, of `age` seconds ago.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn insert(&self, id: &str, status: &str, execution: Option<&str>, age: f64) -> Result<()> {
        let insert = sqlx::query(self.shape.insert).bind(id).bind(status).bind(execution).bind(age);
        insert.execute(&self.pool).await.map(drop).map_err(Error::when(format!("insert process {id}")))
    }

    /// What the process's row says ([`Shape::read`]).
    ///
    /// # Errors
    /// What PostgreSQL answers, and where there is none.
    pub async fn row(&self, id: &str) -> Result<Value> {
        let row = sqlx::query_scalar(self.shape.read).bind(id).fetch_one(&self.pool).await;
        row.map_err(Error::when(format!("read process {id}")))
    }

    /// Cancels a process as the application does, which stops nothing.
    ///
    /// # Errors
    /// What PostgreSQL answers, and where the application has no such thing.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        let doing = || format!("cancel process {id}");
        let sql = self.shape.cancel.ok_or_else(|| Error::new(doing(), "its rows cannot say that"))?;
        sqlx::query(sql).bind(id).execute(&self.pool).await.map(drop).map_err(Error::when(doing()))
    }

    /// How many rows there are but those of these processes, and what they come to.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn fingerprint(&self, but: &[String]) -> Result<(i64, Option<String>)> {
        let (table, id) = self.shape.table;
        let sql = format!(
            "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t WHERE {id}::text <> ALL ($1)"
        );
        let read = sqlx::query_as(AssertSqlSafe(sql)).bind(but).fetch_one(&self.pool).await;
        read.map_err(Error::when(format!("read the rows of {}", self.shape.name)))
    }
}
