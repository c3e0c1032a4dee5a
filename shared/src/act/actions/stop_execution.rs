//! Stops an execution that runs past its deadline, or for a row that was cancelled.
//!
//! There is no inverse: a stopped execution cannot be resumed. Starting the work again is the retry's business.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::time::Instant;
use uuid::Uuid;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::texts;
use crate::decide::{Policy, StopCause};
use crate::domain::{Execution, ExecutionStatus, Language, Process, ProcessId, ProcessStatus};
use crate::gather::error::Error;
use crate::gather::executions;
use crate::gather::session::Session;
use crate::gather::step_functions::Seen;
use crate::gather::table::Table;
use crate::severity::{Severity, severity};
use crate::text;

/// An execution that is to be stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct StopExecution {
    /// The row as it was read: it must not have moved since.
    pub process: Process,
    /// The execution as it was read: it must run still, and in the same attempt.
    pub execution: Execution,
    /// Why.
    pub cause: StopCause,
}

/// How long a stopped execution is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

impl StopExecution {
    /// As the ledger spells it.
    pub const KIND: &'static str = "stop-execution";
}

impl Action for StopExecution {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        self.execution.arn.to_string()
    }

    fn preview(&self) -> (Value, Value) {
        (json!({ "status": self.execution.status }), json!({ "status": "ABORTED", "error": self.cause.error() }))
    }

    fn class(&self) -> Class {
        Class::Stop
    }

    fn terms(&self) -> Option<String> {
        Some(json!({ "cause": self.cause.as_str() }).to_string())
    }

    fn rests_on(&self) -> Value {
        json!({ "row": self.process.version, "redriveCount": self.execution.redrive_count })
    }

    fn attempt_since(&self) -> Option<DateTime<Utc>> {
        Some(self.execution.attempt_started_at())
    }

    fn process(&self) -> Option<ProcessId> {
        Some(self.process.id)
    }

    fn is_users_wish(&self) -> bool {
        self.cause == StopCause::Cancelled
    }

    fn severity(&self, after: Option<&Value>, policy: &Policy, now: DateTime<Utc>) -> Option<(Severity, Severity)> {
        let process = &self.process;
        let status = after.and_then(|after| after["status"].as_str()).and_then(|status| status.parse().ok());
        // DescribeExecution is eventually consistent: whether it helped is not known yet.
        if status == Some(ExecutionStatus::Running) {
            return None;
        }
        let stopped = Execution {
            status: status.unwrap_or(ExecutionStatus::Aborted),
            stopped_at: Some(now),
            stopped_for_deadline: self.cause == StopCause::Deadline,
            ..self.execution.clone()
        };
        // A row that has come to its end keeps it, whatever a person wants by then.
        let is_wanted_so = process.status.is_open() || process.status == ProcessStatus::Cancelled;
        let cancelled = self.cause == StopCause::Cancelled && is_wanted_so;
        let of = |execution| severity(process.status, process, Some(execution), cancelled, policy, now);
        Some((of(&self.execution), of(&stopped)))
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    /// What Step Functions refuses again and again is set aside, and is not why others are not stopped.
    fn counts_failures(_: &str) -> bool {
        true
    }

    fn became() -> Option<&'static str> {
        Some(include_str!("stop_execution/became.sql"))
    }

    /// Recorded first, looked at once more, stopped, and read back until it is over.
    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let before = image(&action.execution);
        let outcome = |result, after, again: bool| Outcome {
            id: planned.id,
            result,
            before: Some(before.clone()),
            after,
            again: again.then_some(action.process.id),
        };
        let table = session.table().await?;
        match begin(session.db, &table, run, planned, action, &before).await? {
            Begun::Recorded => {}
            Begun::Moved => return Ok(outcome(ActionResult::Superseded, None, true)),
            Begun::Busy => return Ok(outcome(ActionResult::Busy, None, false)),
        }
        let (result, seen) = match stop(session, action).await {
            Ok((result, seen)) => (result, Some(seen)),
            Err(error) => (ActionResult::Failed(error.told(session.config.language)), None),
        };
        let after = seen.as_ref().map(|seen| image(&seen.execution));
        // What the ledger knows of the stop must be there when what the stop brought about is decided on.
        entries::close(session.db, planned.id, &result, after.as_ref()).await?;
        if let Some(seen) = &seen {
            executions::remember(session.db, std::slice::from_ref(seen)).await?;
        }
        let again = matches!(result, ActionResult::Applied | ActionResult::Superseded);
        Ok(outcome(result, after, again))
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(text!(
            language,
            ja: "停止した実行は再開できない。必要なら処理を新たに開始する",
            en: "a stopped execution cannot be resumed; start the work again",
        ))
    }

    /// By what became of the execution.
    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        for entry in open {
            let Ok(arn) = entry.target.parse() else { continue };
            let seen = match session.step_functions.describe(&arn, &session.config.result_path).await {
                Err(error) if error.is_execution_gone() => {
                    let result = ActionResult::Failed(error.told(session.config.language));
                    entries::close(session.db, entry.id, &result, None).await?;
                    continue;
                }
                seen => seen?,
            };
            let cause = [StopCause::Deadline, StopCause::Cancelled]
                .into_iter()
                .find(|of| Some(of.as_str()) == entry.cause.as_deref());
            let error = seen.execution.ending.as_ref().and_then(|ending| ending.error.as_deref());
            // What was redriven since was not ended by this stop, whoever ended it.
            let before = entry.before.as_ref().and_then(|before| before["redriveCount"].as_i64()).unwrap_or_default();
            let by_us = cause.is_some_and(|cause| error == Some(cause.error()))
                && i64::from(seen.execution.redrive_count) == before;
            let result = match seen.execution.status {
                ExecutionStatus::Aborted if by_us => ActionResult::Applied,
                status if status.is_over() => ActionResult::Superseded,
                _ => ActionResult::Failed(never_stopped(session.config.language)),
            };
            entries::close(session.db, entry.id, &result, Some(&image(&seen.execution))).await?;
            executions::remember(session.db, &[seen]).await?;
        }
        Ok(Vec::new())
    }
}

fn never_stopped(language: Language) -> String {
    text!(
        language,
        ja: "停止する前に回が終わったため、まだ実行中",
        en: "the run ended before it could stop it; it is still running",
    )
}

async fn stop(session: &Session<'_>, action: &StopExecution) -> Result<(ActionResult, Seen), Error> {
    let (arn, config) = (&action.execution.arn, session.config);
    // One eventually consistent RUNNING proves nothing: look once more, now.
    let fresh = session.step_functions.describe(arn, &config.result_path).await?;
    let attempt = (fresh.execution.redrive_count, fresh.execution.status);
    if attempt != (action.execution.redrive_count, ExecutionStatus::Running) {
        return Ok((ActionResult::Superseded, fresh));
    }
    let cause = texts::stop_cause(config.language, action.cause);
    if let Err(error) = session.step_functions.stop(arn, action.cause.error(), &cause).await {
        // It may have come to its end before the call, or the call may have got through and only its answer not.
        return match session.step_functions.describe(arn, &config.result_path).await {
            Ok(seen) if seen.execution.status.is_over() => Ok((ended(action, &seen), seen)),
            _ => Err(error),
        };
    }
    let deadline = (Instant::now() + PATIENCE).min(session.stop_at);
    let mut pause = Duration::from_millis(50);
    loop {
        let seen = match session.step_functions.describe(arn, &config.result_path).await {
            Ok(seen) => seen,
            Err(error) => {
                let error = error.told(config.language);
                let message = text!(
                    config.language,
                    ja: "StopExecution は受け付けられたが、結果を確認できない: {error}",
                    en: "StopExecution was accepted, but its result cannot be read: {error}",
                );
                return Ok((ActionResult::Unverified(message), fresh));
            }
        };
        if seen.execution.status.is_over() {
            return Ok((ended(action, &seen), seen));
        }
        if Instant::now() + pause > deadline {
            let waited = texts::duration(config.language, TimeDelta::from_std(PATIENCE).unwrap_or_default());
            let message = text!(
                config.language,
                ja: "StopExecution の受け付けから {waited}経っても {arn} は実行中。次回に再確認する",
                en: "{waited} after StopExecution was accepted, {arn} is still running: the next run checks again",
            );
            return Ok((ActionResult::Unverified(message), seen));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Whether it was our call that ended it. If it came to its own end before, that stands; if somebody else stopped it,
/// their word is the one that counts.
fn ended(action: &StopExecution, seen: &Seen) -> ActionResult {
    let error = seen.execution.ending.as_ref().and_then(|ending| ending.error.as_deref());
    let by_us = error == Some(action.cause.error());
    let same = seen.execution.redrive_count == action.execution.redrive_count;
    if seen.execution.status == ExecutionStatus::Aborted && by_us && same {
        ActionResult::Applied
    } else {
        ActionResult::Superseded
    }
}

enum Begun {
    Recorded,
    /// The row is no longer the one that was decided on.
    Moved,
    /// Another run has an action on this execution under way.
    Busy,
}

async fn begin(
    db: &mut PgConnection,
    table: &Table,
    run: &Run,
    planned: &Planned,
    action: &StopExecution,
    before: &Value,
) -> Result<Begun, Error> {
    let (fresh, recorded): (bool, Option<Uuid>) = sqlx::query_as(table.sql(include_str!("stop_execution.sql")))
        .bind(planned.id)
        .bind(run.id)
        .bind(run.step)
        .bind(StopExecution::KIND)
        .bind(action.execution.arn.as_str())
        .bind(action.cause.as_str())
        .bind(before)
        .bind(&planned.reason)
        .bind(action.process.id.as_str())
        .bind(action.process.version)
        .bind(run.alive_until)
        .fetch_one(db)
        .await
        .map_err(Error::database("recording that an execution is to be stopped"))?;
    Ok(match (fresh, recorded) {
        (_, Some(_)) => Begun::Recorded,
        (true, None) => Begun::Busy,
        (false, None) => Begun::Moved,
    })
}

fn image(execution: &Execution) -> Value {
    json!({
        "status": execution.status,
        "redriveCount": execution.redrive_count,
        "startedAt": execution.started_at,
        "stoppedAt": execution.stopped_at,
        "error": execution.ending.as_ref().and_then(|ending| ending.error.clone()),
    })
}
