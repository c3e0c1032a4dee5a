//! Cancelling a process by hand, its row and its executions together (guide, 5).
//!
//! Executions are listed first; every one that runs is stopped and read until it is over; then the row is written. So no row says
//! CANCELLED beside an execution that is known to run. What starts after the row was written is the sweep's business.

pub mod texts;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    CLOCK_SKEW, Case, Evidence, Filter, LookedUp, Newest, closing_of, list, look_up, no_such_row, of_processes,
    still_running, take_in,
};
use crate::act::actions::{Action, SetRowStatus, StopExecution};
use crate::decide::{Cancelling, Closing, Decision, Look, Reason, StopCause, cancel};
use crate::domain::{Execution, ExecutionStatus, Process, ProcessId};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::run::step::{Finding, Plan, Planned, Question, Session, Skipped};
use crate::run::texts as common;

/// The operator's parameter.
pub const PARAMETER: &str = "cancel";

/// Whether an operator wants a process cancelled.
///
/// # Errors
/// [`Error::Refused`] for anything but `true`.
pub fn is_wanted(parameters: &Map<String, Value>) -> Result<bool, Error> {
    match parameters.get(PARAMETER) {
        None => Ok(false),
        Some(Value::Bool(true)) => Ok(true),
        Some(other) => {
            let found: String = other.to_string().chars().take(100).collect();
            Err(Error::Refused(format!(
                "`{PARAMETER}` is {found}; it must be true, together with `processId` or `executionArn`"
            )))
        }
    }
}

/// Reads a process that is to be cancelled: its row, its newest execution, and every other one that runs.
///
/// # Errors
/// [`Error::Refused`] where no process is named, or it has no row; [`Error::Database`], [`Error::Table`], [`Error::Aws`].
pub async fn gather(session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
    let named: Vec<ProcessId> = match question {
        Question::Process(id) => vec![*id],
        Question::Execution(_) => {
            let of_execution = super::gather(session, question, Filter::CancelledButRunning).await?;
            match of_execution.cases.first() {
                Some(case) => vec![case.process.id],
                None => return Ok(of_execution),
            }
        }
        Question::Again(processes) => processes.iter().map(|(id, _)| *id).collect(),
        Question::Sweep(_) | Question::Change(_) => {
            return Err(Error::Refused(format!(
                "`{PARAMETER}` needs a `processId` or an `executionArn`: processes are cancelled one at a time; to stop everything that still runs for CANCELLED rows, send {{\"all\": true}} without `{PARAMETER}`"
            )));
        }
    };
    let asked: Vec<(ProcessId, Look)> = named.iter().map(|id| (*id, Look::Event)).collect();
    let known = of_processes(session, &asked).await?.cases;
    if let (Question::Process(id), true) = (question, known.is_empty()) {
        return Err(no_such_row(*id, session.config));
    }
    let now = session.now;
    let wanted = known.iter().map(|case| back_to(case, now)).min().unwrap_or(now);
    // Stopping and reading back take their time too.
    let half = Instant::now() + session.stop_at.saturating_duration_since(Instant::now()) / 2;
    let listed = list(session, None, wanted, TimeDelta::zero(), half).await?;

    let mut evidence = of_processes(session, &asked).await?;
    if listed.since > wanted {
        // There may be one that runs; those that are known to run can be stopped all the same.
        for case in evidence.cases.iter_mut().filter(|case| running(&case.newest).is_none()) {
            case.newest = Newest::Unknown(common::not_listed(session.config.language));
        }
    }
    let stop_at = session.stop_at;
    let LookedUp { refused, .. } = look_up(session, &mut evidence.cases, Some(listed.since), None, stop_at).await?;
    if let Some(refused) = refused {
        return Err(refused);
    }
    let table = session.table().await?;
    evidence.overtaken = still_running(session, &table, Filter::OpenOrLatelyClosed).await?;
    evidence.overtaken.retain(|case| named.contains(&case.process.id));
    evidence.overtaken.sort_by_key(|case| running(&case.newest).map(|execution| execution.started_at));
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

fn running(newest: &Newest) -> Option<&Execution> {
    match newest {
        Newest::Known(Some(execution)) => {
            Some(execution).filter(|execution| execution.status == ExecutionStatus::Running)
        }
        Newest::Known(None) | Newest::Unknown(_) => None,
    }
}

/// What is to be done about a process that a person wants cancelled, and for what reason.
#[must_use]
pub fn plan(evidence: &Evidence, reason: Option<&str>, config: &Config, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan { findings: evidence.findings.clone(), population: evidence.population, ..Plan::default() };
    for case in &evidence.cases {
        let process = &case.process;
        let overtaken = evidence.overtaken.iter().filter(|other| other.process.id == process.id);
        let overtaken: Vec<&Execution> = overtaken.filter_map(|other| running(&other.newest)).collect();
        match &case.newest {
            Newest::Known(newest) => cancelled(&mut plan, process, newest.as_ref(), &overtaken, config, now),
            Newest::Unknown(why) => {
                let why = common::not_looked_up(config.language, why);
                plan.skipped.push(Skipped { target: process.id.to_string(), why });
            }
        }
    }
    if let Some(reason) = reason {
        for planned in &mut plan.actions {
            planned.reason = texts::because(config.language, &planned.reason, reason);
        }
    }
    plan
}

fn cancelled(
    plan: &mut Plan,
    process: &Process,
    newest: Option<&Execution>,
    overtaken: &[&Execution],
    config: &Config,
    now: DateTime<Utc>,
) {
    let (language, target) = (config.language, process.id.to_string());
    match cancel(process, newest, !overtaken.is_empty(), &config.policy, now) {
        // The newest one last: its end is what closes the row, should sync be quicker than we are.
        Cancelling::Stop => {
            let newest = newest.filter(|execution| execution.status == ExecutionStatus::Running);
            for execution in overtaken.iter().copied().chain(newest) {
                let action = StopExecution {
                    process: process.clone(),
                    execution: execution.clone(),
                    cause: StopCause::Cancelled,
                };
                let why = texts::cancel_stops(language, execution.arn.name());
                plan.actions.push(Planned::new(Action::StopExecution(action), why));
            }
        }
        Cancelling::Close => {
            let closing = closing_of(process, newest, Closing::Cancelled, config, now);
            let action = SetRowStatus { completed_at: Some(now), cause: "cancelled", ..closing };
            plan.actions.push(Planned::new(Action::SetRowStatus(Box::new(action)), texts::cancel_closes(language)));
        }
        Cancelling::AlreadySo(Decision { reason: Reason::Consistent, .. }) => {
            plan.skipped.push(Skipped { target, why: texts::already_cancelled(language) });
        }
        Cancelling::AlreadySo(decision) => take_in(plan, process, newest, decision, config, now),
        Cancelling::Not(decision) => {
            let why = common::reason(language, &decision, newest.map(|execution| execution.arn.name()));
            plan.findings.push(Finding {
                code: "not_cancelled",
                message: texts::not_cancelled(language, process.status, newest.map(|execution| execution.status), &why),
                target,
                evidence: json!({
                    "status": process.status,
                    "executionArn": newest.map(|execution| &execution.arn),
                    "executionStatus": newest.map(|execution| execution.status),
                }),
            });
            take_in(plan, process, newest, decision, config, now);
        }
    }
}
