//! What every step wants that puts processes right: the decision table's verdict on each row and its newest execution (design,
//! section 5). The steps differ in which rows they look at.

pub mod cancel;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

use crate::act::action::Class;
use crate::act::actions::set_row_status::ErrorChange;
use crate::act::actions::set_row_status::SetRowStatus;
use crate::act::actions::stop_execution::StopExecution;
use crate::act::ledger::entries;
use crate::act::ledger::plans::Wish;
use crate::decide::{Closing, Decision, Verdict, decide, ended_at, overtaken};
use crate::domain::{Execution, ExecutionStatus, Process, ProcessId};
use crate::failure::failure;
use crate::finding::{Audience, Often};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::processes;
use crate::gather::processes::case::{Evidence, Extent, Newest};
use crate::gather::processes::sweep::Filter;
use crate::gather::profile::OnCompleted;
use crate::guard::{Share, Shares};
use crate::run::step::{Finding, Kind, Plan, Planned, Question, Session, Skipped, Step};
use crate::run::texts;

/// A step that puts processes right; such steps differ in their manifests and in which rows they look at.
#[derive(Debug, Clone, Copy)]
pub struct ProcessStep {
    /// The step's `manifest.toml`.
    pub manifest: &'static str,
    /// Which rows its sweep looks at. Asked about one process, every step looks at that one.
    pub looks_at: Filter,
}

impl Step for ProcessStep {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = KINDS;

    fn manifest(&self) -> &'static str {
        self.manifest
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        processes::read(session, question, self.looks_at).await
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan(evidence, config, now)
    }
}

/// What the decision table brings about.
pub const KINDS: &[Kind] = &[Kind::of::<SetRowStatus>(), Kind::of::<StopExecution>()];

/// What is to be done about the cases, by the decision table.
#[must_use]
pub fn plan(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan {
        findings: evidence.findings.clone(),
        population: evidence.population,
        shares: evidence.extent.map(shares).unwrap_or_default(),
        cursor: evidence.cursor.clone(),
        unfinished: evidence.unfinished.clone(),
        ..Plan::default()
    };
    for case in &evidence.cases {
        match &case.newest {
            Newest::Known(newest) => {
                let decision = decide(&case.process, newest.as_ref(), case.look, &config.policy, now);
                take_in(&mut plan, &case.process, newest.as_ref(), decision, config, now);
            }
            Newest::Unknown(why) => {
                let why = texts::not_looked_up(config.language, why);
                plan.skipped.push(Skipped::new(case.process.id.to_string(), why));
            }
        }
    }
    for case in &evidence.overtaken {
        if let Newest::Known(Some(execution)) = &case.newest {
            let decision = overtaken(&case.process, execution, case.look, &config.policy, now);
            take_in(&mut plan, &case.process, Some(execution), decision, config, now);
        }
    }
    plan
}

/// What a share is a share of (design, 6.2).
#[must_use]
pub fn shares(extent: Extent) -> Shares {
    let share = |of, wanted| Share { of, wanted };
    Shares::from([
        (Class::Closing, share(extent.open, extent.closings)),
        (Class::Correction, share(extent.lately_closed, extent.corrections)),
        (Class::Stop, share(extent.running, extent.stops)),
    ])
}

/// Makes a decision part of a plan.
fn take_in(
    plan: &mut Plan,
    process: &Process,
    newest: Option<&Execution>,
    decision: Decision,
    config: &Config,
    now: DateTime<Utc>,
) {
    let target = process.id.to_string();
    let reason = texts::reason(config.language, &decision, newest.map(|execution| execution.arn.name()));
    if let Some(anomaly) = decision.anomaly {
        let mut message = texts::anomaly(config.language, anomaly, &reason);
        let evidence = json!({
            "status": process.status,
            "executionArn": newest.map(|execution| &execution.arn),
            "executionStatus": newest.map(|execution| execution.status),
            "saysFailed": newest.and_then(|execution| execution.says_failed),
        });
        let needs_person = decision.needs_person();
        if needs_person {
            message = texts::person_decides(config.language, &message, &target);
        }
        let finding = Finding::new(anomaly.code(), target.as_str(), message, evidence);
        plan.findings.push(if needs_person { finding.told(Audience::People, Often::ONCE_A_DAY) } else { finding });
    }
    match (decision.verdict, newest) {
        (Verdict::Close(Closing::Completed { .. }), _) if config.profile.on_completed == OnCompleted::Tell => {
            let message = texts::completed_by_application(config.language, process.status, &reason);
            let since = ended_at(process, newest, &config.policy, now);
            plan.findings.push(
                Finding::new("not_completed", target, message, json!({ "status": process.status }))
                    .told(Audience::People, Often::Once(since)),
            );
        }
        (Verdict::Close(closing), _) => {
            let action = closing_of(process, newest, closing, config, now);
            plan.actions.push(Planned::new(action, reason));
        }
        (Verdict::Stop(cause), Some(execution)) => {
            let action = StopExecution { process: process.clone(), execution: execution.clone(), cause };
            plan.actions.push(Planned::new(action, reason));
        }
        (Verdict::Leave | Verdict::Inspect | Verdict::Stop(_), _) => plan.skipped.push(Skipped::new(target, reason)),
    }
}

/// What a closing writes into the row.
fn closing_of(
    process: &Process,
    newest: Option<&Execution>,
    closing: Closing,
    config: &Config,
    now: DateTime<Utc>,
) -> SetRowStatus {
    use crate::domain::ProcessStatus::{Cancelled, Completed, Failed};
    let ending = newest.and_then(|execution| execution.ending.as_ref());
    let words = ending.map_or((None, None), |ending| (ending.error.as_deref(), ending.cause.as_deref()));
    let error = |code: &str, message: String, cause: Option<String>| {
        ErrorChange::Set(json!({
            "code": code,
            "message": message,
            "cause": cause,
            "source": "remediation",
            "executionArn": newest.map(|execution| &execution.arn),
            "timestamp": now,
        }))
    };
    let own = |code: &str| {
        error(
            code,
            texts::error_message(config.language, closing).unwrap_or_default(),
            failure(words.0, words.1, config.policy.words).cause,
        )
    };
    let of_failure = || {
        let failure = failure(words.0, words.1, config.policy.words);
        let message = Some(failure.message).filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| texts::failed_without_words(config.language));
        error(&failure.code, message, failure.cause)
    };
    let (status, error, cause) = match closing {
        Closing::Completed { .. } => (Completed, ErrorChange::Clear, "succeeded"),
        Closing::Failed => (Failed, of_failure(), "failed"),
        Closing::ResultMissing => (Failed, own("RESULT_MISSING"), "result-missing"),
        Closing::NeverStarted => (Failed, own("STEP_FUNCTIONS_ERROR"), "never-started"),
        Closing::TimedOut => (config.timed_out_status, own("TIMEOUT_ERROR"), "timed-out"),
        // What a failure means by its code, its error tells: who cancelled it, and why.
        Closing::Cancelled if newest.is_some_and(|execution| execution.outcome() == ExecutionStatus::Failed) => {
            (Cancelled, of_failure(), "aborted")
        }
        // Where it has no word of its own, its code tells it from a failure.
        Closing::Cancelled if config.policy.words.statuses.cancelled.is_empty() => {
            (Cancelled, own(config.policy.words.cancelled.first().unwrap_or(&"CANCELLED")), "aborted")
        }
        Closing::Cancelled => (Cancelled, ErrorChange::Keep, "aborted"),
    };
    let completed = status == Completed;
    SetRowStatus {
        process: process.clone(),
        basis: newest.cloned(),
        status,
        progress: completed.then_some(100),
        error,
        result: if completed && !process.has_result { ending.and_then(|ending| ending.result.clone()) } else { None },
        completed_at: Some(ended_at(process, newest, &config.policy, now)),
        cause,
    }
}

/// The processes that some actions of an approved plan are about.
///
/// # Errors
/// [`Error::Database`].
pub(crate) async fn of_targets(db: &mut PgConnection, wishes: &[Wish]) -> Result<Vec<ProcessId>, Error> {
    let mut processes: HashSet<ProcessId> = wishes.iter().filter_map(|wish| wish.target.parse().ok()).collect();
    let arns: Vec<&str> =
        wishes.iter().map(|wish| wish.target.as_str()).filter(|target| target.starts_with("arn:")).collect();
    if !arns.is_empty() {
        processes.extend(entries::processes_of(db, &arns).await?);
    }
    Ok(processes.into_iter().collect())
}
