//! Writes what is true into a process's row.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::rows::{self, is_about_a_row};
use crate::act::texts;
use crate::decide::Policy;
use crate::domain::{Execution, ExecutionArn, ExecutionStatus, Language, Process, ProcessId, ProcessStatus};
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::table::Table;
use crate::raw::Raw;
use crate::severity::{Severity, is_stopped_by_person, severity};
use crate::{stored, text};

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
    pub result: Option<Raw>,
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

    /// The cause of what a person wants cancelled.
    pub const CANCELLED: &'static str = "cancelled";

    /// What the row says once it is written. Where it has neither a word nor an error for a cancel, a failure is all that it can say.
    fn read_back(&self, image: &Value, policy: &Policy) -> Option<ProcessStatus> {
        let meaning = policy.words.meaning_of(image)?;
        let is_all = policy.words.statuses.cancelled.is_empty() && image["error"].is_null();
        let is_cancel = is_all && self.status == ProcessStatus::Cancelled && meaning == ProcessStatus::Failed;
        Some(if is_cancel { ProcessStatus::Cancelled } else { meaning })
    }
}

impl Action for SetRowStatus {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        self.process.id.to_string()
    }

    fn preview(&self) -> (Value, Value) {
        let before = rows::preview(&self.process);
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

    fn class(&self) -> Class {
        match (self.status == self.process.status, self.process.status.is_open()) {
            (true, _) => Class::Repair,
            (false, true) => Class::Closing,
            (false, false) => Class::Correction,
        }
    }

    /// The values, without times and words: COMPLETED approved is never FAILED written.
    fn terms(&self) -> Option<String> {
        let code = match &self.error {
            ErrorChange::Keep => json!("kept"),
            ErrorChange::Clear => Value::Null,
            ErrorChange::Set(error) => error["code"].clone(),
        };
        Some(
            json!({ "status": self.status, "error": code, "progress": self.progress, "cause": self.cause }).to_string(),
        )
    }

    fn rests_on(&self) -> Value {
        json!({
            "row": self.process.version,
            "execution": self.basis.as_ref().map(|execution| &execution.arn),
            "status": self.basis.as_ref().map(|execution| execution.status),
            "redriveCount": self.basis.as_ref().map(|execution| execution.redrive_count),
        })
    }

    fn attempt_since(&self) -> Option<DateTime<Utc>> {
        Some(self.basis.as_ref().map_or(self.process.created_at, Execution::attempt_started_at))
    }

    fn process(&self) -> Option<ProcessId> {
        Some(self.process.id)
    }

    /// Where the status stays, the row was not broken by its execution's end.
    fn broken_since(&self) -> Option<DateTime<Utc>> {
        let ended = self.basis.as_ref().and_then(|execution| execution.stopped_at);
        ended.filter(|_| self.class() == Class::Closing)
    }

    fn is_users_wish(&self) -> bool {
        self.status == ProcessStatus::Cancelled
    }

    fn severity(&self, after: Option<&Value>, policy: &Policy, now: DateTime<Utc>) -> Option<(Severity, Severity)> {
        if self.class() == Class::Repair {
            return None;
        }
        let (process, newest) = (&self.process, self.basis.as_ref());
        let cancelled = process.status == ProcessStatus::Cancelled
            || self.cause == Self::CANCELLED
            || newest.is_some_and(|newest| is_stopped_by_person(newest, policy.words));
        let of = |status| severity(status, process, newest, cancelled, policy, now);
        Some((of(process.status), of(after.and_then(|image| self.read_back(image, policy)).unwrap_or(self.status))))
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    fn became() -> Option<&'static str> {
        Some(include_str!("set_row_status/became.sql"))
    }

    fn counts_failures(_: &str) -> bool {
        true
    }

    fn batch() -> usize {
        BATCH
    }

    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let mut outcomes = Self::apply_batch(session, run, &[(planned, action)], 1).await?;
        outcomes.pop().ok_or_else(|| {
            Error::said(|language| {
                text!(
                    language,
                    ja: "行を書き込んだが、その結果がない",
                    en: "a row was written without an outcome",
                )
            })
        })
    }

    async fn apply_batch(
        session: &mut Session<'_>,
        run: &Run,
        batch: &[(&Planned, &Self)],
        told: usize,
    ) -> Result<Vec<Outcome>, Error> {
        let table = session.table().await?;
        table.writable()?;
        apply(session.db, &table, run, batch, told, session.config.language).await
    }

    fn no_undo(_: &str, _: &str, _: Language) -> Option<String> {
        None
    }

    async fn undo(session: &mut Session<'_>, run: &Run, planned: &Planned, entry: &Entry) -> Result<Outcome, Error> {
        let table = session.table().await?;
        undo(session.db, &table, (run, planned, entry), session.config.language).await
    }

    /// It is recorded in the statement in which it is made: none is ever left open.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}

/// Takes a row's change back, if nobody has written the row since.
///
/// # Errors
/// [`Error::Database`].
pub async fn undo(
    db: &mut PgConnection,
    table: &Table,
    of: (&Run, &Planned, &Entry),
    language: Language,
) -> Result<Outcome, Error> {
    let sql = table.sql(include_str!("set_row_status/undo.sql"));
    rows::undo(db, sql, of, &["status", "progress", "error", "completedAt", "result"], language).await
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
    language: Language,
) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut waiting = vec![batch];
    while let Some(batch) = waiting.pop() {
        match (write(db, table, run, batch, told, language).await, batch) {
            (Ok(written), _) => outcomes.extend(written),
            (Err(error), [(planned, action)]) if is_about_a_row(&error) => {
                let why = error.to_string();
                entries::record_failed(db, run, planned, action.cause, &why).await?;
                let result = ActionResult::Failed(texts::table_refuses(language, &why));
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

/// One row of the statement's `wanted`.
#[derive(Serialize)]
struct Wanted<'a> {
    action: Uuid,
    id: ProcessId,
    version: i64,
    /// `None`: it stays, by whatever word the row says it.
    status: Option<&'static str>,
    progress: Option<i16>,
    sets_error: bool,
    error: Option<Value>,
    result: Option<Raw>,
    completed_at: Option<DateTime<Utc>>,
    execution_arn: Option<&'a ExecutionArn>,
    redrive_count: Option<i32>,
    execution_status: Option<ExecutionStatus>,
    execution_started_at: Option<DateTime<Utc>>,
    cause: &'a str,
    reason: String,
}

impl<'a> Wanted<'a> {
    fn of(planned: &Planned, action: &'a SetRowStatus, table: &Table) -> Self {
        let basis = action.basis.as_ref();
        Self {
            action: planned.id,
            id: action.process.id,
            version: action.process.version,
            status: (action.status != action.process.status).then(|| table.words().statuses.written(action.status)),
            progress: action.progress,
            sets_error: action.error != ErrorChange::Keep,
            error: match &action.error {
                ErrorChange::Set(error) => Some(stored::json(&table.shaped(error))),
                ErrorChange::Keep | ErrorChange::Clear => None,
            },
            result: action.result.as_ref().filter(|_| table.has("result")).map(Raw::stored),
            completed_at: action.completed_at,
            execution_arn: basis.map(|basis| &basis.arn),
            redrive_count: basis.map(|basis| basis.redrive_count),
            execution_status: basis.map(|basis| basis.status),
            execution_started_at: basis.map(|basis| basis.started_at),
            cause: action.cause,
            reason: stored::text(&planned.reason),
        }
    }
}

async fn write(
    db: &mut PgConnection,
    table: &Table,
    run: &Run,
    batch: &[(&Planned, &SetRowStatus)],
    told: usize,
    language: Language,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let wanted: Vec<Wanted<'_>> = batch.iter().map(|(planned, action)| Wanted::of(planned, action, table)).collect();
    let rows = sqlx::query(table.sql(include_str!("set_row_status.sql")))
        .bind(Json(wanted))
        .bind(run.id)
        .bind(run.step)
        .bind(SetRowStatus::KIND)
        .bind(i64::try_from(told).unwrap_or(i64::MAX))
        .bind(texts::kept_by_table(language))
        .fetch_all(&mut *db)
        .await?;
    let mut outcomes = rows
        .iter()
        .zip(batch)
        .map(|(row, (planned, action))| {
            let (mine, written): (bool, bool) = (row.try_get("mine")?, row.try_get("written")?);
            if row.try_get("kept")? {
                let (before, result) =
                    (rows::image(row, "before")?, ActionResult::Failed(texts::kept_by_table(language)));
                return Ok(Outcome { id: planned.id, result, before, after: None, again: None });
            }
            let result = match (mine, written, row.try_get::<Option<bool>, _>("as_wanted")?) {
                (false, ..) => ActionResult::Busy,
                (true, false, _) => ActionResult::Superseded,
                (true, true, Some(true)) => ActionResult::Applied,
                (true, true, _) => ActionResult::Unverified(texts::reads_otherwise(language)),
            };
            let again = (result == ActionResult::Superseded).then_some(action.process.id);
            Ok(Outcome {
                id: planned.id,
                result,
                before: rows::image(row, "before")?,
                after: rows::image(row, "after")?,
                again,
            })
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    if table.has_row_security() {
        hidden_by_policy(db, table, batch, &mut outcomes, language).await?;
    }
    Ok(outcomes)
}

/// Tells rows that a policy of row level security lets be read and not be written from those that somebody else has moved: without a
/// policy for UPDATE a row cannot even be locked, and no error says so.
async fn hidden_by_policy(
    db: &mut PgConnection,
    table: &Table,
    batch: &[(&Planned, &SetRowStatus)],
    outcomes: &mut [Outcome],
    language: Language,
) -> Result<(), sqlx::Error> {
    let unwritten =
        batch.iter().zip(outcomes.iter_mut()).filter(|(_, outcome)| outcome.result == ActionResult::Superseded);
    let unwritten: Vec<_> = unwritten.map(|((_, action), outcome)| (action.process.id.to_string(), outcome)).collect();
    if unwritten.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = unwritten.iter().map(|(id, _)| id.clone()).collect();
    let seen: Vec<String> =
        sqlx::query_scalar(table.sql("SELECT {id text} FROM {rows} p WHERE {id} = ANY ($1::{id type}[])"))
            .bind(&ids)
            .fetch_all(&mut *db)
            .await?;
    // Not SKIP LOCKED: a row that somebody is writing is not hidden. Then nothing is said of any.
    let lock = "SELECT {id text} FROM {rows} p WHERE {id} = ANY ($1::{id type}[]) FOR NO KEY UPDATE OF p NOWAIT";
    let Ok(writable) = sqlx::query_scalar::<_, String>(table.sql(lock)).bind(&ids).fetch_all(&mut *db).await else {
        return Ok(());
    };
    let mut kept = Vec::new();
    for (id, outcome) in unwritten {
        if seen.contains(&id) && !writable.contains(&id) {
            kept.push(outcome.id);
            (outcome.result, outcome.again) = (ActionResult::Failed(texts::kept_by_policy(language)), None);
        }
    }
    let sql = "UPDATE remediation.actions SET outcome = 'failed', reason = concat_ws(' — ', reason, $2::text) WHERE id = ANY ($1)";
    sqlx::query(sql).bind(kept).bind(texts::kept_by_policy(language)).execute(db).await.map(drop)
}
