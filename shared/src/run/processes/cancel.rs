//! Cancelling a process by hand, its row and its executions together (guide, 5).
//!
//! Executions are listed first; every one that runs is stopped and read until it is over; then the row is written. So no row says
//! CANCELLED beside an execution that is known to run. What starts after the row was written is the sweep's business.

pub mod texts;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{closing_of, take_in};
use crate::act::actions::set_row_status::SetRowStatus;
use crate::act::actions::stop_execution::StopExecution;
use crate::decide::cancel::{Cancelling, cancel};
use crate::decide::{Closing, Decision, Reason, StopCause};
use crate::domain::{Execution, ExecutionStatus, Process};
use crate::gather::config::Config;
use crate::gather::processes::case::{Evidence, Newest};
use crate::run::step::{Finding, Plan, Planned, Skipped};
use crate::run::texts as common;

/// What is to be done about a process that a person wants cancelled, and for what reason.
#[must_use]
pub fn plan(evidence: &Evidence, reason: Option<&str>, config: &Config, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan { findings: evidence.findings.clone(), population: evidence.population, ..Plan::default() };
    for case in &evidence.cases {
        let process = &case.process;
        let overtaken = evidence.overtaken.iter().filter(|other| other.process.id == process.id);
        let overtaken: Vec<&Execution> = overtaken.filter_map(|other| other.newest.running()).collect();
        match &case.newest {
            Newest::Known(newest) => cancelled(&mut plan, process, newest.as_ref(), &overtaken, config, now),
            Newest::Unknown(why) => {
                let why = common::not_looked_up(config.language, why);
                plan.skipped.push(Skipped::new(process.id.to_string(), why));
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
                plan.actions.push(Planned::new(action, why));
            }
        }
        Cancelling::Close => {
            let closing = closing_of(process, newest, Closing::Cancelled, config, now);
            let action = SetRowStatus { completed_at: Some(now), cause: SetRowStatus::CANCELLED, ..closing };
            plan.actions.push(Planned::new(action, texts::cancel_closes(language)));
        }
        Cancelling::AlreadySo(Decision { reason: Reason::Consistent, .. }) => {
            plan.skipped.push(Skipped::new(target, texts::already_cancelled(language)));
        }
        Cancelling::AlreadySo(decision) => take_in(plan, process, newest, decision, config, now),
        Cancelling::Not(decision) => {
            let why = common::reason(language, &decision, newest.map(|execution| execution.arn.name()));
            let status = newest.map(|execution| execution.status);
            let message = texts::not_cancelled(language, process.status, status, &why);
            let evidence = json!({
                "status": process.status,
                "executionArn": newest.map(|execution| &execution.arn),
                "executionStatus": status,
            });
            plan.findings.push(Finding::new("not_cancelled", target, message, evidence));
            take_in(plan, process, newest, decision, config, now);
        }
    }
}
