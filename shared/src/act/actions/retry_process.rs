//! Starts a failed process anew: its row is re-opened, and a new execution gets the input of the old one.
//!
//! A doubled start is a second model call and a wrong write, so everything is arranged around one name. The execution of
//! attempt n is called `<processId>-retry-<n>`; the row is re-opened, that execution registered, and the action recorded in
//! one transaction; only then StartExecution is called, which starts nothing twice under one name. Whatever happens in
//! between, the ledger's open entry says which execution to look for ([`ResolveRetry`]).
//!
//! There is no inverse: a started execution cannot be taken back. It can be cancelled.

pub mod probe;
pub mod texts;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use tokio::time::timeout_at;

use self::probe::{Probe, ProbeState};
use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::actions::resolve_retry::{PutBack, ResolveRetry, lock, owned, put_back};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::rows::{self, is_about_a_row};
use crate::act::texts as common;
use crate::domain::{Execution, ExecutionArn, ExecutionStatus, Language, Process, ProcessId, RETRY_MARK};
use crate::gather::error::Error;
use crate::gather::executions;
use crate::gather::session::Session;
use crate::gather::step_functions::Seen;
use crate::gather::table::Table;
use crate::text;

/// A failed process that is to be tried once more.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryProcess {
    /// The row as it was read: the write compares its version.
    pub process: Process,
    /// Its newest execution, which is over. Its input is what the new one is started with.
    pub basis: Execution,
    /// The number of this attempt; the first one was the application's.
    pub attempt: u32,
    /// Why it may be tried.
    pub cause: RetryCause,
    /// When it is due: it is not started before.
    pub not_before: DateTime<Utc>,
}

/// Why a process may be tried once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryCause {
    /// Its failure may have passed.
    Transient,
    /// Most others fail as well: this one shows whether that has passed. There is one at a time.
    Probe,
}

impl RetryCause {
    /// As the ledger spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Probe => "probe",
        }
    }
}

impl RetryProcess {
    /// The last probe of a day.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn last_probe(db: &mut PgConnection, step: &str) -> Result<Option<Probe>, sqlx::Error> {
        Probe::last(db, Self::KIND, RetryCause::Probe.as_str(), step).await
    }

    /// As the ledger spells it.
    pub const KIND: &'static str = "retry-process";

    /// The execution that this attempt gets.
    #[must_use]
    pub fn execution(&self) -> ExecutionArn {
        self.basis.arn.sibling(&format!("{}{RETRY_MARK}{}", self.process.id, self.attempt))
    }

    /// The number of the attempt of a process that an execution is, where it is one of ours.
    #[must_use]
    pub fn attempt_of(process: ProcessId, arn: &ExecutionArn) -> Option<u32> {
        arn.name().strip_prefix(process.as_str())?.strip_prefix(RETRY_MARK)?.parse().ok()
    }
}

impl Action for RetryProcess {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        self.process.id.to_string()
    }

    fn preview(&self) -> (Value, Value) {
        let before = rows::preview(&self.process);
        let after = json!({
            "status": "PENDING",
            "progress": 0,
            "error": null,
            "executionArn": self.execution(),
            "attempt": self.attempt,
        });
        (before, after)
    }

    fn class(&self) -> Class {
        Class::Start
    }

    fn terms(&self) -> Option<String> {
        Some(json!({ "attempt": self.attempt }).to_string())
    }

    fn rests_on(&self) -> Value {
        json!({ "row": self.process.version, "execution": self.basis.arn, "redriveCount": self.basis.redrive_count })
    }

    fn attempt_since(&self) -> Option<DateTime<Utc>> {
        Some(self.basis.attempt_started_at())
    }

    fn not_before(&self) -> Option<DateTime<Utc>> {
        Some(self.not_before)
    }

    fn process(&self) -> Option<ProcessId> {
        Some(self.process.id)
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    fn became() -> Option<&'static str> {
        Some(include_str!("retry_process/became.sql"))
    }

    fn counts_failures(_: &str) -> bool {
        true
    }

    /// What Step Functions refuses, or what cannot be known of its answer, is an outcome.
    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let (process, language) = (action.process.id, session.config.language);
        let outcome = |result: ActionResult, images: Option<(Value, Value)>| {
            let again = (result == ActionResult::Superseded).then_some(process);
            let (before, after) = images.unzip();
            Outcome { id: planned.id, result, before, after, again }
        };
        let input = match look(session, action).await? {
            Looked::Over(input) => input,
            Looked::Moved => return Ok(outcome(ActionResult::Superseded, None)),
            Looked::Unknown(why) => return Ok(outcome(ActionResult::Failed(why), None)),
            Looked::Gone(why) => {
                entries::record_failed(session.db, run, planned, action.cause.as_str(), &why).await?;
                return Ok(outcome(ActionResult::Failed(why), None));
            }
        };
        let execution = action.execution();
        let table = session.table().await?;
        table.writable()?;
        let deadline = session.config.policy.process_deadline;
        let (before, after) = match begin(session.db, &table, run, planned, action, &execution, deadline).await {
            Ok(Begun::Recorded(images)) => *images,
            Ok(Begun::Moved) => return Ok(outcome(ActionResult::Superseded, None)),
            Ok(Begun::Kept) => {
                let why = common::kept_by_table(language);
                entries::record_failed(session.db, run, planned, action.cause.as_str(), &why).await?;
                return Ok(outcome(ActionResult::Failed(why), None));
            }
            Ok(Begun::Busy) => return Ok(outcome(ActionResult::Busy, None)),
            Err(error) if is_about_a_row(&error) => {
                let why = common::table_refuses(language, &error.to_string());
                entries::record_failed(session.db, run, planned, action.cause.as_str(), &why).await?;
                return Ok(outcome(ActionResult::Failed(why), None));
            }
            Err(error) => return Err(Error::database("re-opening a row for a retry")(error)),
        };

        let why = match start(session, &execution, &input).await {
            Started::Yes(seen) => {
                // From the event of its end on, everybody asks the ledger whether this was a probe.
                entries::close(session.db, planned.id, &ActionResult::Applied, Some(&after)).await?;
                executions::remember(session.db, &[*owned(seen, process)]).await?;
                return Ok(outcome(ActionResult::Applied, Some((before, after))));
            }
            Started::Unknown(why) => {
                let why = texts::start_unknown(language, execution.name(), &why);
                return Ok(outcome(ActionResult::Unverified(why), Some((before, after))));
            }
            Started::Earlier(seen) => {
                let why = texts::started_earlier(language, execution.name(), seen.execution.status);
                executions::remember(session.db, &[*owned(seen, process)]).await?;
                why
            }
            Started::No(why) => why,
        };
        let back = put_back(session, planned.id, &process.to_string(), &after, &why).await?;
        let why = match back {
            PutBack::Done { .. } => why,
            PutBack::Left => format!("{why} — {}", texts::not_put_back(language)),
            PutBack::Later => format!("{why} — {}", texts::put_back_later(language)),
        };
        Ok(outcome(ActionResult::Failed(why), None))
    }

    fn no_undo(_: &str, target: &str, language: Language) -> Option<String> {
        let event = format!(r#"{{"processId": "{target}", "cancel": true}}"#);
        Some(text!(
            language,
            ja: "開始した実行は取り消せない。終了させるには stop-cancelled-executions に {event} を送る",
            en: "a started execution cannot be taken back; to stop it, send {event} to stop-cancelled-executions",
        ))
    }

    /// Only another change may close it: the row is put back where its execution was never started ([`ResolveRetry`]).
    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        let language = session.config.language;
        let ends = open.iter().filter_map(|entry| Some((entry.id, ResolveRetry::of(entry)?)));
        Ok(ends
            .map(|(id, end)| {
                let reason = texts::left_open(language, end.execution.name());
                Planned::with_id(id, end, reason)
            })
            .collect())
    }
}

/// What a last look at the newest execution showed.
enum Looked {
    /// It is over, as it was decided on; this was its input.
    Over(String),
    /// It is not what was decided on any more.
    Moved,
    /// Its input cannot be had any more, for this reason: a retry is not possible.
    Gone(String),
    /// It could not be looked at now, for this reason. Nothing was tried, so nothing is recorded.
    Unknown(String),
}

/// One look that is eventually consistent proves nothing: look once more, now.
async fn look(session: &mut Session<'_>, action: &RetryProcess) -> Result<Looked, Error> {
    let (basis, config) = (&action.basis, session.config);
    let (seen, input) = match session.step_functions.describe_with_input(&basis.arn, &config.result_path).await {
        Ok(told) => told,
        Err(error) if error.is_execution_gone() => {
            return Ok(Looked::Gone(texts::input_gone(config.language, basis.arn.name())));
        }
        Err(error) => return Ok(Looked::Unknown(error.told(config.language))),
    };
    let attempt = (seen.execution.redrive_count, seen.execution.status);
    if !seen.execution.status.is_over() || attempt != (basis.redrive_count, basis.status) {
        executions::remember(session.db, &[seen]).await?;
        return Ok(Looked::Moved);
    }
    Ok(input.map_or_else(|| Looked::Gone(texts::input_hidden(config.language, basis.arn.name())), Looked::Over))
}

enum Begun {
    /// The row is re-opened: as it was, and as it is.
    Recorded(Box<(Value, Value)>),
    /// The table keeps the row closed, without an error.
    Kept,
    /// The row, or its newest execution, is no longer what was decided on, or the row is being written.
    Moved,
    /// Another run works on this row, or another probe is under way.
    Busy,
}

async fn begin(
    db: &mut PgConnection,
    table: &Table,
    run: &Run,
    planned: &Planned,
    action: &RetryProcess,
    execution: &ExecutionArn,
    deadline: TimeDelta,
) -> Result<Begun, sqlx::Error> {
    let mut transaction = db.begin().await?;
    let begun = reopen(&mut transaction, table, run, planned, action, execution, deadline).await;
    // At once: a transaction that is only dropped keeps its locks until the connection is used again.
    match begun {
        Ok(Begun::Recorded(_)) => transaction.commit().await?,
        Ok(Begun::Moved | Begun::Kept | Begun::Busy) | Err(_) => transaction.rollback().await?,
    }
    begun
}

async fn reopen(
    db: &mut PgConnection,
    table: &Table,
    run: &Run,
    planned: &Planned,
    action: &RetryProcess,
    execution: &ExecutionArn,
    deadline: TimeDelta,
) -> Result<Begun, sqlx::Error> {
    let basis = &action.basis;
    // The lock comes before the statement that looks, so that this sees what the lock's last holder left.
    if !lock(db, &action.process.id.to_string()).await? {
        return Ok(Begun::Busy);
    }
    if action.cause == RetryCause::Probe {
        if !lock(db, "probe").await? {
            return Ok(Begun::Busy);
        }
        let last = RetryProcess::last_probe(db, run.step).await?;
        if last.is_some_and(|last| last.state(deadline, Utc::now()) == ProbeState::UnderWay) {
            return Ok(Begun::Busy);
        }
    }
    let sql = table.sql(include_str!("retry_process.sql"));
    let images = sqlx::query(sql)
        .bind(planned.id)
        .bind(run.id)
        .bind(run.step)
        .bind(RetryProcess::KIND)
        .bind(action.process.id.as_str())
        .bind(action.process.version)
        .bind(basis.arn.as_str())
        .bind(basis.redrive_count)
        .bind(basis.status.as_str())
        .bind(basis.started_at)
        .bind(execution.as_str())
        .bind(i32::try_from(action.attempt).unwrap_or(i32::MAX))
        .bind(action.cause.as_str())
        .bind(&planned.reason)
        .bind(run.alive_until)
        .fetch_optional(db)
        .await?;
    let Some(images) = images else { return Ok(Begun::Moved) };
    if !images.try_get("reopened")? {
        return Ok(Begun::Kept);
    }
    let image = |column| rows::image(&images, column).map(Option::unwrap_or_default);
    Ok(Begun::Recorded(Box::new((image("before")?, image("after")?))))
}

/// What came of StartExecution.
enum Started {
    /// It was started, by this call or by the one before whose answer was lost.
    Yes(Box<Seen>),
    /// An execution of this name had been started before, and is over.
    Earlier(Box<Seen>),
    /// It was not, for this reason.
    No(String),
    /// It may have been.
    Unknown(String),
}

async fn start(session: &Session<'_>, execution: &ExecutionArn, input: &str) -> Started {
    let language = session.config.language;
    let no_time = || common::no_time_left(language);
    let ask = || timeout_at(session.stop_at, session.step_functions.start(execution, input));
    let Ok(mut answer) = ask().await else { return Started::Unknown(no_time()) };
    // Without an answer it may run. While it does, the same question has the same answer.
    let unanswered = answer.as_ref().is_err_and(|error| !error.is_refusal());
    if unanswered {
        let Ok(again) = ask().await else { return Started::Unknown(no_time()) };
        answer = again;
    }
    let error = match answer {
        Ok(started_at) => return Started::Yes(Box::new(running(execution, started_at))),
        Err(error) => error,
    };
    let describe = session.step_functions.describe(execution, &session.config.result_path);
    match timeout_at(session.stop_at, describe).await {
        Ok(Ok(seen)) if !unanswered && error.is_execution_already_there() && seen.execution.status.is_over() => {
            Started::Earlier(Box::new(seen))
        }
        Ok(Ok(seen)) => Started::Yes(Box::new(seen)),
        // That it is not there a moment after it may have been started proves nothing: a later look does.
        Ok(Err(_)) | Err(_) if unanswered || error.is_execution_already_there() => {
            Started::Unknown(error.told(language))
        }
        Ok(Err(_)) | Err(_) => Started::No(error.told(language)),
    }
}

fn running(arn: &ExecutionArn, started_at: DateTime<Utc>) -> Seen {
    let execution = Execution {
        arn: arn.clone(),
        status: ExecutionStatus::Running,
        redrive_count: 0,
        started_at,
        redriven_at: None,
        stopped_at: None,
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    };
    Seen { execution, process: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_of_ours_has_its_attempt_in_its_name() {
        let id = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";
        for (name, attempt) in [
            (format!("{id}-retry-2"), Some(2)),
            (format!("{id}-retry-12"), Some(12)),
            (format!("{id}-retry-"), None),
            (format!("{id}-1764000000000"), None),
            ("nightly-retry-2".to_owned(), None),
        ] {
            let arn = format!("arn:aws:states:us-east-1:1:execution:ai:{name}").parse().unwrap();
            assert_eq!(RetryProcess::attempt_of(id.parse().unwrap(), &arn), attempt, "{name}");
        }
    }
}
