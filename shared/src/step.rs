//! What a step is: it looks, and it says what it wants. It changes nothing itself (design, section 3).

use std::sync::Arc;

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use tokio::time::Instant;
use uuid::Uuid;

use crate::actions::Action;
use crate::config::Config;
use crate::decide::Look;
use crate::domain::{ExecutionArn, ProcessId};
use crate::error::Error;
use crate::executions::Listed;
use crate::report::Metric;
use crate::step_functions::StepFunctions;
use crate::table::Table;
use crate::trigger::{AlarmState, ExecutionChange, Trigger};

/// One step of the runbook.
pub trait Step: Send + Sync {
    /// What it reads.
    type Evidence: Send + Sync;

    /// It changes nothing but schema `remediation`: `REMEDIATION_MODE` does not bind it, the event's mode does. A command of
    /// its own may want more than that, and is bound.
    const OWN_SCHEMA_ONLY: bool = false;

    /// The states of an alarm that start it. The other ones only open or close the alarm's incident.
    const ALARM_STATES: &'static [AlarmState] = &[AlarmState::Alarm];

    /// The operator's parameters that it knows beside the common ones.
    const PARAMETERS: &'static [&'static str] = &[];

    /// Those of its parameters that say what is to be done: an event with one of them acts without `all`.
    const COMMANDS: &'static [&'static str] = &[];

    /// Its `manifest.toml`.
    fn manifest(&self) -> &'static str;

    /// Reads what the question is about. Writes nothing but what is known of executions and of progress.
    fn gather(
        &self,
        session: &mut Session<'_>,
        question: &Question,
    ) -> impl Future<Output = Result<Self::Evidence, Error>> + Send;

    /// Says what should be done about it: a pure function.
    fn plan(&self, evidence: &Self::Evidence, config: &Config, now: DateTime<Utc>) -> Plan;

    /// Reads what can still be read where no connection to the database can be had, for the reason `why`: a step that only
    /// reads still answers then, and [`Step::plan`] may want no action (design, 6.8). The run is recorded in the log. By
    /// default the run ends with that reason.
    fn gather_without_database(
        &self,
        _outside: &Outside<'_>,
        _why: &Error,
    ) -> impl Future<Output = Option<Self::Evidence>> + Send {
        async { None }
    }
}

/// What a run may use while the database is down.
#[derive(Debug)]
pub struct Outside<'a> {
    /// The installation's settings.
    pub config: &'a Config,
    /// Step Functions.
    pub step_functions: &'a StepFunctions,
    /// What a client of another service is made from.
    pub aws: &'a SdkConfig,
    /// When this look began.
    pub now: DateTime<Utc>,
}

/// What a run may use.
#[derive(Debug)]
pub struct Session<'a> {
    /// The installation's settings.
    pub config: &'a Config,
    /// The database.
    pub db: &'a mut PgConnection,
    /// Step Functions.
    pub step_functions: &'a StepFunctions,
    /// What a client of another service is made from.
    pub aws: &'a SdkConfig,
    /// What started the run.
    pub trigger: &'a Trigger,
    /// The step's own parameters, as the operator's event has them; their names are among [`Step::PARAMETERS`].
    pub parameters: &'a Map<String, Value>,
    /// Why the operator asks for it, in the operator's words.
    pub reason: Option<&'a str>,
    /// When this look began: nothing that is read later makes a deadline pass that had not passed then.
    pub now: DateTime<Utc>,
    /// When it has to come to its end: some seconds before Lambda's deadline.
    pub stop_at: Instant,
    /// The application's table, once its catalogue was read; kept from event to event.
    pub table: &'a mut Option<Arc<Table>>,
}

impl Session<'_> {
    /// The application's table; its catalogue is read once for each container.
    ///
    /// # Errors
    /// [`Error::Table`] where it is missing or unlike, [`Error::Database`].
    pub async fn table(&mut self) -> Result<Arc<Table>, Error> {
        if let Some(table) = &*self.table {
            return Ok(Arc::clone(table));
        }
        let table = Table::read(&self.config.table, self.db).await?;
        table.require(self.config.timed_out_status)?;
        Ok(Arc::clone(self.table.insert(Arc::new(table))))
    }
}

/// What a step is to look at.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// An execution, of which an event tells.
    Change(Box<ExecutionChange>),
    /// One process.
    Process(ProcessId),
    /// The process of an execution.
    Execution(ExecutionArn),
    /// Everything that is the step's business, from where the last run stopped.
    Sweep(
        /// Where the last run stopped; the beginning for an operator.
        Cursor,
    ),
    /// Some processes, once more: one of ours was stopped, somebody else moved the row, or a plan was approved.
    Again(
        /// Which ones, and whether what has just changed is to be left alone.
        Vec<(ProcessId, Look)>,
    ),
}

/// Where a sweep stopped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Rows up to this one are done; `None`: all are.
    pub after: Option<ProcessId>,
    /// How far the list of executions was read.
    pub listed: Option<Listed>,
}

/// What a step wants, and what it has to tell.
#[derive(Debug, Default)]
pub struct Plan {
    /// The changes that it wants, in this order.
    pub actions: Vec<Planned>,
    /// What is worth telling.
    pub findings: Vec<Finding>,
    /// What it left alone, and why.
    pub skipped: Vec<Skipped>,
    /// How many targets were looked at in all: a change of more than a share of them is suspect.
    pub population: usize,
    /// What it measured.
    pub metrics: Vec<Metric>,
    /// A report of its own, for the step that makes one.
    pub report: Option<Value>,
    /// Where the next run goes on, after a sweep.
    pub cursor: Option<Cursor>,
    /// Why the work is not finished, where it is not.
    pub unfinished: Option<String>,
}

/// An action that a step wants, with the one sentence that says why.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its identity in the ledger.
    pub id: Uuid,
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason: String,
}

impl Planned {
    /// An action with an identity of its own.
    #[must_use]
    pub fn new(action: Action, reason: String) -> Self {
        Self { id: Uuid::now_v7(), action, reason }
    }
}

/// Something worth telling.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// For machines: `row_missing`, `result_missing` …
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// What it is about.
    pub target: String,
    /// What was read.
    pub evidence: Value,
}

/// Something that was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// What.
    pub target: String,
    /// Why.
    pub why: String,
}
