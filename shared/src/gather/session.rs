//! What a run reads with, and what it is asked.

use std::sync::Arc;

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::decide::Look;
use crate::domain::{ExecutionArn, ProcessId};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::executions::Listed;
use crate::gather::step_functions::StepFunctions;
use crate::gather::table::Table;
use crate::gather::trigger::{ExecutionChange, Trigger};

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
    /// The step's own parameters, as the operator's event has them; their names are among `Step::PARAMETERS`.
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
    /// An id as the application's table has it: of another application than the guide's, only its catalogue tells what ids are.
    ///
    /// # Errors
    /// [`Error::Refused`] for what is no id there; [`Error::Table`], [`Error::Database`].
    pub async fn known_id(&mut self, id: ProcessId) -> Result<ProcessId, Error> {
        if !self.config.profile.is_anothers() {
            return Ok(id);
        }
        let language = self.config.language;
        self.table()
            .await?
            .id(id.as_str())
            .map_err(|error| Error::Refused(format!("`processId`: {}", error.told(language))))
    }

    /// The application's table; its catalogue is read once for each container.
    ///
    /// # Errors
    /// [`Error::Table`] where it is missing or unlike, [`Error::Database`].
    pub async fn table(&mut self) -> Result<Arc<Table>, Error> {
        // What this user lacked may have been granted since.
        if let Some(table) = self.table.as_ref().filter(|table| table.is_unhindered()) {
            return Ok(Arc::clone(table));
        }
        self.config.profile_is_right()?;
        let table = Table::of(&self.config.table, &self.config.profile, self.config.language, self.db).await?;
        let table = table.with_results_of(&self.config.result_path);
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
    /// Within the run that read up to here: nothing but the next rows is read.
    #[serde(skip)]
    pub goes_on: bool,
}
