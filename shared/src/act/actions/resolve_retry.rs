//! Closes a retry that a crash, or an answer that never came, left open: its execution is there, or its row is put back.
//!
//! In the ledger it is the end of the retry's own entry. There is nothing to take back: it only ends what was begun.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::texts;
use crate::domain::{ExecutionArn, Language, ProcessId};
use crate::gather::error::Error;
use crate::gather::executions;
use crate::gather::session::Session;
use crate::gather::step_functions::Seen;
use crate::gather::table::Table;
use crate::{redact, stored, text};

/// A retry that was left open: what became of it is looked up, and the entry closed.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolveRetry {
    /// The process.
    pub process: ProcessId,
    /// The execution that was to be started.
    pub execution: ExecutionArn,
    /// The open entry's images.
    pub before: Value,
    /// What the row was re-opened to.
    pub after: Value,
}

impl ResolveRetry {
    /// As a report spells it.
    pub const KIND: &'static str = "resolve-retry";

    /// The end of a retry's open entry; `None` where it is no such entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        let (before, after) = (entry.before.clone()?, entry.after.clone()?);
        let execution = after["executionArn"].as_str()?.parse().ok()?;
        Some(Self { process: entry.target.parse().ok()?, execution, before, after })
    }
}

impl Action for ResolveRetry {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        self.process.to_string()
    }

    fn preview(&self) -> (Value, Value) {
        (self.after.clone(), self.before.clone())
    }

    fn class(&self) -> Class {
        Class::Repair
    }

    fn is_end(&self) -> bool {
        true
    }

    fn process(&self) -> Option<ProcessId> {
        Some(self.process)
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    async fn apply(session: &mut Session<'_>, _: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let outcome = |result, before: &Value, after: &Value| Outcome {
            id: planned.id,
            result,
            before: Some(before.clone()),
            after: Some(after.clone()),
            again: None,
        };
        let language = session.config.language;
        match session.step_functions.describe(&action.execution, &session.config.result_path).await {
            Ok(seen) => {
                entries::close(session.db, planned.id, &ActionResult::Applied, Some(&action.after)).await?;
                executions::remember(session.db, &[*owned(Box::new(seen), action.process)]).await?;
                Ok(outcome(ActionResult::Applied, &action.before, &action.after))
            }
            Err(error) if error.is_execution_gone() => {
                let why = never_retried(language, action.execution.name());
                let back = put_back(session, planned.id, &action.process.to_string(), &action.after, &why).await?;
                Ok(match back {
                    PutBack::Done { now } if now == action.before => {
                        outcome(ActionResult::Applied, &action.after, &now)
                    }
                    PutBack::Done { now } => {
                        outcome(ActionResult::Unverified(texts::reads_otherwise(language)), &action.after, &now)
                    }
                    PutBack::Left => outcome(ActionResult::Superseded, &action.before, &action.after),
                    PutBack::Later => outcome(ActionResult::Busy, &action.before, &action.after),
                })
            }
            Err(error) => Ok(outcome(ActionResult::Failed(error.told(language)), &action.before, &action.after)),
        }
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(text!(
            language,
            ja: "途中で終わった再試行を確定しただけのため、取り消すものはない",
            en: "it only settled a retry that was left open, so there is nothing to undo",
        ))
    }

    /// It has no entry of its own.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}

fn never_retried(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} は開始されていなかったため、行を元に戻した",
        en: "execution {execution} was never started: the row was restored",
    )
}

/// What became of a row that was re-opened for an execution that was not started.
pub(super) enum PutBack {
    /// It is as it was; this is how it reads now.
    Done { now: Value },
    /// Somebody else has moved it: it stays.
    Left,
    /// Somebody is just writing it: the action stays open for the next look.
    Later,
}

/// Whether every execution is known that began since the row was re-opened, as `after` has it: another one may run for it. Where a new attempt
/// raises `retry_count`, the row itself would tell.
async fn is_listed(session: &mut Session<'_>, table: &Table, after: &Value) -> Result<bool, Error> {
    if table.has("retry_count") {
        return Ok(true);
    }
    let Some(registered_at) = after["registeredAt"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok()) else {
        return Ok(true);
    };
    let (path, stop_at, of) = (&session.config.result_path, session.stop_at, (session.step_functions, table));
    match executions::list(session.db, of, path, None, registered_at, TimeDelta::zero(), stop_at).await {
        Ok(read) => Ok(read.refused.is_none() && read.listed.since <= registered_at),
        Err(Error::Aws { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) async fn put_back(
    session: &mut Session<'_>,
    action: Uuid,
    process: &str,
    after: &Value,
    why: &str,
) -> Result<PutBack, Error> {
    let doing = "putting back a row whose execution was not started";
    let table = session.table().await?;
    if !is_listed(session, &table, after).await? {
        return Ok(PutBack::Later);
    }
    let (db, table) = (&mut *session.db, &table);
    let written = async {
        let mut transaction = db.begin().await?;
        if !lock(&mut transaction, process).await? {
            transaction.rollback().await?;
            return Ok(PutBack::Later);
        }
        let sql = table.sql(include_str!("resolve_retry/put_back.sql"));
        let row =
            sqlx::query(sql).bind(action).bind(stored::text(&redact::text(why))).fetch_one(&mut *transaction).await?;
        let (now, closed): (Option<Value>, bool) = (row.try_get("now")?, row.try_get("closed")?);
        transaction.commit().await?;
        Ok(match (now, closed) {
            (Some(now), _) => PutBack::Done { now },
            (None, true) => PutBack::Left,
            (None, false) => PutBack::Later,
        })
    };
    written.await.map_err(Error::database(doing))
}

/// The lock that everybody holds who writes a process's row, until the transaction ends.
pub(super) async fn lock(db: &mut PgConnection, what: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended('remediation:' || $1, 0))")
        .bind(what)
        .fetch_one(db)
        .await
}

pub(super) fn owned(mut seen: Box<Seen>, process: ProcessId) -> Box<Seen> {
    seen.process = Some(process);
    seen
}
