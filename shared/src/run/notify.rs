//! Tells people what was wrong, what was done, why, and how to undo it; or doesn't wake them.

use aws_config::SdkConfig;

use crate::act::report::{Done, DoneOutcome, Report};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::run::topic::{bounded, subject};
use crate::run::worker_step::TOLD_ONCE;

/// Actions that one message names; the ledger has them all.
const NAMED: usize = 20;

/// Findings that somebody has to hear of although nothing was done about them.
const TOLD: &[&str] = &[
    "application_left",
    "attempts_exhausted",
    "blocker_left",
    "contested",
    "dominant_cause_for_people",
    "may_not_signal",
    "no_dominant_cause",
    "permanent_failure",
    "prepared_transaction",
    "regression",
    "step_unknown",
];

/// Publishes a run's message to `NOTIFY_TOPIC_ARN`, where there is one and there is something to tell.
///
/// A sweep's changes are told in one message. A single process that was put right by its own event wakes nobody; what
/// failed, waits for approval, went over a limit, or is told whenever it is done ([`crate::act::actions::Action::is_told`]) does.
///
/// # Errors
/// [`Error::Aws`]: the run itself stands.
pub async fn tell(config: &Config, aws: &SdkConfig, report: &Report, swept: bool, new_plan: bool) -> Result<(), Error> {
    let Some(topic) = &config.notify_topic_arn else { return Ok(()) };
    let wakes = new_plan
        || report.actions.iter().any(|done| done.outcome == DoneOutcome::Applied && done.is_told)
        || report.count(DoneOutcome::Failed) > 0
        || swept && report.applied() > 0
        || report.findings.iter().any(|finding| TOLD.contains(&finding.code) || TOLD_ONCE.contains(&finding.code));
    if !wakes {
        return Ok(());
    }
    aws_sdk_sns::Client::new(aws)
        .publish()
        .topic_arn(topic)
        .subject(subject(&format!("[{}] {}", report.step, report.mode)))
        .message(bounded(&message(report)))
        .send()
        .await
        .map(drop)
        .map_err(Error::aws("Publish"))
}

fn message(report: &Report) -> String {
    let mut lines = vec![report.summary.clone(), String::new()];
    lines.extend(report.actions.iter().take(NAMED).map(line));
    if report.actions.len() > NAMED {
        lines.push(format!(
            "… {} more: SELECT * FROM remediation.actions WHERE run_id = '{}'",
            report.actions.len() - NAMED,
            report.run_id
        ));
    }
    lines.extend(
        report
            .findings
            .iter()
            .take(NAMED)
            .map(|finding| format!("! {} {}: {}", finding.code, finding.target, finding.message)),
    );
    if let Some(plan) = report.plan_id {
        lines.push(format!("→ {}: {{\"approve\": \"{plan}\"}}", report.step));
    }
    lines.join("\n")
}

fn line(done: &Done) -> String {
    // A row's status; of anything else, the whole image, which is small then.
    let status = |image: &Option<serde_json::Value>| match image {
        None => "-".to_owned(),
        Some(image) => {
            image["status"].as_str().map_or_else(|| image.to_string().chars().take(200).collect(), str::to_owned)
        }
    };
    let outcome = match done.outcome {
        DoneOutcome::Applied => "✓",
        DoneOutcome::Failed => "✗",
        DoneOutcome::Superseded => "–",
        DoneOutcome::Proposed | DoneOutcome::Planned => "?",
    };
    let undo = if done.outcome == DoneOutcome::Applied && crate::act::actions::Undoable::of(done.kind).is_some() {
        format!(" (undo: {{\"undo\": \"{}\"}})", done.id)
    } else {
        String::new()
    };
    format!(
        "{outcome} {} {}: {} → {}: {}{undo}",
        done.kind,
        done.target,
        status(&done.before),
        status(&done.after),
        done.reason
    )
}
