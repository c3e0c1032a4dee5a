//! Writes what is true into a process's row.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};

use super::{Action, ActionResult, Outcome};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::domain::{Execution, Process, ProcessStatus};
use crate::gather::error::Error;
use crate::gather::table::Table;
use crate::stored;

/// A row's new status, with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct SetRowStatus {
    /// The row as it was read: the write compares its version.
    pub process: Process,
    /// The execution that the decision rests on: the write compares that it is still the newest, and its state.
    /// `None`: there was none, and the write compares that.
    pub basis: Option<Execution>,
    /// The status to write.
    pub status: ProcessStatus,
    /// The progress to write; `None` leaves it.
    pub progress: Option<i16>,
    /// The error to write.
    pub error: ErrorChange,
    /// The result to fill in where the row has none.
    pub result: Option<Value>,
    /// When the process ended; `None` leaves it.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why, in a word, for whoever asks the ledger: `SUCCEEDED`, `TIMED_OUT`, `never-started` …
    pub cause: &'static str,
}

/// What becomes of a row's error.
#[derive(Debug, Clone, PartialEq)]
pub enum ErrorChange {
    /// It stays.
    Keep,
    /// It goes.
    Clear,
    /// It is this one.
    Set(Value),
}

/// Rows in one statement: enough to make round trips cheap, few enough that the advisory locks (one each, of the
/// server's default 64 a connection) never crowd out the application's.
pub const BATCH: usize = 500;

impl SetRowStatus {
    /// As the ledger spells it.
    pub const KIND: &'static str = "set-row-status";

    pub(super) fn preview(&self) -> (Value, Value) {
        let before = json!({
            "status": self.process.status,
            "progress": self.process.progress,
            "error": self.process.error_code.as_ref().map(|code| json!({ "code": code })),
        });
        let error = match &self.error {
            ErrorChange::Keep => before["error"].clone(),
            ErrorChange::Clear => Value::Null,
            ErrorChange::Set(error) => error.clone(),
        };
        let after = json!({
            "status": self.status,
            "progress": self.progress.unwrap_or(self.process.progress),
            "error": error,
            "completedAt": self.completed_at.or(self.process.completed_at),
        });
        (before, after)
    }
}

/// Writes a batch of rows and their ledger entries in one statement. What it returns for each, in the batch's order, was
/// read back in that statement, after the table's own triggers; the first `told` of them come with their images, the ledger has all.
///
/// A row that the table refuses (a trigger that raises, a constraint) fails alone: the batch is halved until it is found.
///
/// # Errors
/// [`Error::Database`]: what was not written then is found by the next look.
pub async fn apply(
    db: &mut PgConnection,
    table: &Table,
    run: &Run,
    batch: &[(&Planned, &SetRowStatus)],
    told: usize,
) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut waiting = vec![batch];
    while let Some(batch) = waiting.pop() {
        match (write(db, table, run, batch, told).await, batch) {
            (Ok(written), _) => outcomes.extend(written),
            (Err(error), [(planned, action)]) if is_about_a_row(&error) => {
                let why = error.to_string();
                entries::record_failed(db, run, planned, action.cause, &why).await?;
                let result = ActionResult::Failed(format!("the table refuses it: {why}"));
                outcomes.push(Outcome { id: planned.id, result, before: None, after: None, again: None });
            }
            (Err(error), batch) if is_about_a_row(&error) => {
                let (first, second) = batch.split_at(batch.len() / 2);
                waiting.extend([second, first]);
            }
            (Err(error), _) => return Err(Error::database("writing rows and their ledger entries")(error)),
        }
    }
    Ok(outcomes)
}

/// Whether PostgreSQL refused a value or a row (classes 22 and 23, or a trigger's RAISE), not the statement as such.
pub(super) fn is_about_a_row(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| ["22", "23", "P0"].iter().any(|class| code.starts_with(class)))
}

async fn write(
    db: &mut PgConnection,
    table: &Table,
    run: &Run,
    batch: &[(&Planned, &SetRowStatus)],
    told: usize,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let column = |of: fn(&SetRowStatus) -> Option<&Execution>| batch.iter().map(move |(_, action)| of(action));
    let basis = || column(|action| action.basis.as_ref());
    let rows = sqlx::query(table.sql(include_str!("set_row_status.sql")))
        .bind(batch.iter().map(|(planned, _)| planned.id).collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, action)| action.process.id.0).collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, action)| action.process.version).collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, action)| action.status.as_str()).collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, action)| action.progress).collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, action)| action.error != ErrorChange::Keep).collect::<Vec<_>>())
        .bind(
            batch
                .iter()
                .map(|(_, action)| match &action.error {
                    ErrorChange::Set(error) => Some(stored::json(error)),
                    ErrorChange::Keep | ErrorChange::Clear => None,
                })
                .collect::<Vec<_>>(),
        )
        .bind(batch.iter().map(|(_, action)| action.result.as_ref().map(stored::json)).collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, action)| action.completed_at).collect::<Vec<_>>())
        .bind(basis().map(|basis| basis.map(|basis| basis.arn.as_str())).collect::<Vec<_>>())
        .bind(basis().map(|basis| basis.map(|basis| basis.redrive_count)).collect::<Vec<_>>())
        .bind(basis().map(|basis| basis.map(|basis| basis.status.as_str())).collect::<Vec<_>>())
        .bind(basis().map(|basis| basis.map(|basis| basis.started_at)).collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, action)| action.cause).collect::<Vec<_>>())
        .bind(batch.iter().map(|(planned, _)| stored::text(&planned.reason)).collect::<Vec<_>>())
        .bind(run.id)
        .bind(run.step)
        .bind(SetRowStatus::KIND)
        .bind(i64::try_from(told).unwrap_or(i64::MAX))
        .fetch_all(db)
        .await?;
    rows.iter()
        .zip(batch)
        .map(|(row, (planned, action))| {
            let (mine, written): (bool, bool) = (row.try_get("mine")?, row.try_get("written")?);
            let result = match (mine, written, row.try_get::<Option<bool>, _>("as_wanted")?) {
                (false, ..) => ActionResult::Busy,
                (true, false, _) => ActionResult::Superseded,
                (true, true, Some(true)) => ActionResult::Applied,
                (true, true, _) => ActionResult::Unverified(
                    "the row reads back otherwise than it was written: a trigger of the table may change it".to_owned(),
                ),
            };
            let again = (result == ActionResult::Superseded).then_some(action.process.id);
            Ok(Outcome { id: planned.id, result, before: row.try_get("before")?, after: row.try_get("after")?, again })
        })
        .collect()
}

/// The actions of this kind among some, with their plans.
pub(crate) fn of_this_kind(planned: &[Planned]) -> Vec<(&Planned, &SetRowStatus)> {
    planned
        .iter()
        .filter_map(|planned| match &planned.action {
            Action::SetRowStatus(action) => Some((planned, action.as_ref())),
            _ => None,
        })
        .collect()
}
