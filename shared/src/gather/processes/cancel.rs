//! What is read of a process that a person wants cancelled (guide, 5): its row, and every execution of it that runs.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::decide::Look;
use crate::domain::{Language, ProcessId};
use crate::gather::error::Error;
use crate::gather::processes::case::{Case, Evidence, Newest, no_such_row, of_processes};
use crate::gather::processes::list::{CLOCK_SKEW, Lists};
use crate::gather::processes::look_up::{Ask, LookedUp, look_up};
use crate::gather::processes::sweep::{Filter, still_running};
use crate::gather::session::{Question, Session};
use crate::gather::texts;

/// The operator's parameter.
pub const PARAMETER: &str = "cancel";

/// Whether an operator wants a process cancelled.
///
/// # Errors
/// [`Error::Refused`] for anything but `true`.
pub fn is_wanted(parameters: &Map<String, Value>, language: Language) -> Result<bool, Error> {
    match parameters.get(PARAMETER) {
        None => Ok(false),
        Some(Value::Bool(true)) => Ok(true),
        Some(other) => {
            let found: String = other.to_string().chars().take(100).collect();
            Err(Error::Refused(texts::cancel_is_true(language, PARAMETER, &found)))
        }
    }
}

/// Reads a process that is to be cancelled: its row, its newest execution, and every other one that runs.
///
/// # Errors
/// [`Error::Refused`] where no process is named, or it has no row; [`Error::Database`], [`Error::Table`], [`Error::Aws`].
pub async fn read(session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
    let named: Vec<ProcessId> = match question {
        Question::Process(id) => vec![*id],
        Question::Execution(_) => {
            let of_execution = super::read(session, question, Filter::CancelledButRunning).await?;
            match of_execution.cases.first() {
                Some(case) => vec![case.process.id],
                None => return Ok(of_execution),
            }
        }
        Question::Again(processes) => processes.iter().map(|(id, _)| *id).collect(),
        Question::Sweep(_) | Question::Change(_) => {
            return Err(Error::Refused(texts::cancel_needs_process(session.config.language, PARAMETER)));
        }
    };
    let asked: Vec<(ProcessId, Look)> = named.iter().map(|id| (*id, Look::Event)).collect();
    let looked = of_processes(session, &asked).await?;
    match question {
        // One that cannot be read is told as that.
        Question::Process(_) if looked.cases.is_empty() && !looked.findings.is_empty() => return Ok(looked),
        Question::Process(id) if looked.cases.is_empty() => return Err(no_such_row(*id, session.config)),
        _ => {}
    }
    let known = looked.cases;
    let now = session.now;
    let wanted = known.iter().map(|case| back_to(case, now)).min().unwrap_or(now);
    // Stopping and reading back take their time too.
    let half = Instant::now() + session.stop_at.saturating_duration_since(Instant::now()) / 2;
    let mut lists = Lists::default();
    let listed = lists.read(session, &known, wanted, half).await?;
    let mut evidence = loop {
        let mut evidence = of_processes(session, &asked).await?;
        if listed.since > wanted {
            // There may be one that runs; those that are known to run can be stopped all the same.
            for case in evidence.cases.iter_mut().filter(|case| case.newest.running().is_none()) {
                case.newest = Newest::Unknown(texts::not_listed(session.config.language));
            }
        }
        let stop_at = session.stop_at;
        let looked_up =
            look_up(session, &mut evidence.cases, Ask { since: Some(listed.since), ..Ask::until(stop_at) }).await?;
        let LookedUp { refused, findings, .. } = looked_up;
        evidence.findings.extend(findings);
        if let Some(refused) = refused {
            return Err(refused);
        }
        // What has ended since the list was begun may have been followed by another one.
        if !lists.read_before_closing(session, &mut evidence.cases).await? {
            break evidence;
        }
    };
    let table = session.table().await?;
    evidence.overtaken = still_running(session, &table, Filter::OpenOrLatelyClosed).await?;
    evidence.overtaken.retain(|case| named.contains(&case.process.id));
    evidence.overtaken.sort_by_key(|case| case.newest.running().map(|execution| execution.started_at));
    Ok(evidence)
}

/// How far back the list is read: executions of a process are as old as its row at the most. Sweeps list every execution within
/// minutes, so where some are known a day is enough to find the rest.
fn back_to(case: &Case, now: DateTime<Utc>) -> DateTime<Utc> {
    let created = case.process.created_at - CLOCK_SKEW;
    match &case.newest {
        Newest::Known(Some(_)) => created.max(now - TimeDelta::days(1)),
        Newest::Known(None) | Newest::Unknown(_) => created,
    }
}
