//! Tells people what was wrong, what was done, why, and how to undo it; or doesn't wake them.

use std::cmp::Reverse;
use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_sns::types::MessageAttributeValue;

use crate::act::report::{Done, DoneOutcome, Report};
use crate::act::topic::{bounded, subject};
use crate::domain::Language;
use crate::finding::{Audience, Finding};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::run::texts;

/// Actions, and findings, that one message names; the ledger has them all.
const NAMED: usize = 20;

/// The message attribute by which a subscription's filter policy tells what cannot wait, `at-once`, from what can, `normal`.
const URGENCY: &str = "urgency";

/// Publishes a run's message to `NOTIFY_TOPIC_ARN`, where there is one and there is something to tell.
///
/// A sweep's changes are told in one message. A single process that was put right by its own event wakes nobody; what
/// failed, waits for approval, went over a limit, or is told whenever it is done ([`crate::act::action::Action::is_told`]) does, and so
/// does a finding that is made for people.
///
/// # Errors
/// [`Error::Aws`]: the run itself stands.
pub async fn tell(config: &Config, aws: &SdkConfig, report: &Report, swept: bool, new_plan: bool) -> Result<(), Error> {
    let Some(topic) = &config.notify_topic_arn else { return Ok(()) };
    let Some(urgency) = urgency(report, swept, new_plan) else { return Ok(()) };
    let urgency = MessageAttributeValue::builder().data_type("String").string_value(urgency).build().ok();
    aws_sdk_sns::Client::new(aws)
        .publish()
        .set_message_attributes(urgency.map(|urgency| HashMap::from([(URGENCY.to_owned(), urgency)])))
        .topic_arn(topic)
        .subject(subject(&format!("[{}] {}", report.step, report.mode)))
        .message(bounded(&message(report, config.language)))
        .send()
        .await
        .map(drop)
        .map_err(Error::aws("Publish"))
}

/// How urgent it is to tell people; `None` where there is nothing to tell.
fn urgency(report: &Report, swept: bool, new_plan: bool) -> Option<&'static str> {
    let wakes = new_plan
        || report.actions.iter().any(|done| done.outcome == DoneOutcome::Applied && done.is_told)
        || report.count(DoneOutcome::Failed) > 0
        || swept && report.applied() > 0;
    match report.findings.iter().map(|finding| finding.audience).max().unwrap_or(Audience::Nobody) {
        Audience::Nobody => wakes.then_some("normal"),
        Audience::People => Some("normal"),
        Audience::PeopleAtOnce => Some("at-once"),
    }
}

fn message(report: &Report, language: Language) -> String {
    let mut lines = vec![report.summary.clone(), String::new()];
    lines.extend(report.actions.iter().take(NAMED).map(line));
    if report.actions.len() > NAMED {
        lines.push(texts::more_actions(language, report.actions.len() - NAMED, report.run_id));
    }
    // What cannot wait stands first, and is never cut off; then what is for people.
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| Reverse(finding.audience));
    let at_once = findings.iter().filter(|finding| finding.audience == Audience::PeopleAtOnce).count();
    let named = findings.into_iter().take(at_once + NAMED);
    lines.extend(named.map(|finding| format!("! {} {}: {}", finding.code, finding.target, finding.message)));
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
    let undo = if done.outcome == DoneOutcome::Applied && done.is_undoable {
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

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::act::report::{Tries, Verification};
    use crate::domain::Mode;
    use crate::finding::Often;

    fn report(audiences: &[Audience]) -> Report {
        let finding = |(at, audience): (usize, &Audience)| {
            Finding::new("blocker_left", format!("session {at}"), "others wait", Value::Null)
                .told(*audience, Often::Always)
        };
        Report {
            summary: "looked".to_owned(),
            step: "relieve-database",
            run_id: Uuid::nil(),
            mode: Mode::Act,
            trigger: json!({}),
            findings: audiences.iter().enumerate().map(finding).collect(),
            actions: Vec::new(),
            skipped: Vec::new(),
            verification: Verification::Unverified,
            plan_id: None,
            tries: Tries::default(),
            to_do_it: None,
            report: None,
            omitted: Map::new(),
        }
    }

    #[test]
    fn a_finding_wakes_those_for_whom_it_is_made() {
        use Audience::{Nobody, People, PeopleAtOnce};
        for (audiences, expected) in [
            (vec![], None),
            (vec![Nobody], None),
            (vec![People, Nobody], Some("normal")),
            (vec![Nobody, PeopleAtOnce, People], Some("at-once")),
        ] {
            assert_eq!(urgency(&report(&audiences), false, false), expected, "{audiences:?}");
        }
        assert_eq!(urgency(&report(&[Nobody]), false, true), Some("normal"), "a new plan waits for people");
    }

    #[test]
    fn what_cannot_wait_stands_first_however_much_else_there_is_to_tell() {
        let mut audiences = vec![Audience::Nobody; NAMED];
        audiences.extend([Audience::People, Audience::PeopleAtOnce]);
        let message = message(&report(&audiences), Language::En);
        let named: Vec<&str> = message.lines().filter(|line| line.starts_with("! ")).collect();
        let first = ["! blocker_left session 21: others wait", "! blocker_left session 20: others wait"];
        assert_eq!((&named[..2], named.len()), (&first[..], NAMED + 1));
    }

    #[test]
    fn what_people_are_told_stands_in_the_record_however_much_else_was_found() {
        let mut audiences = vec![Audience::Nobody; 150];
        audiences.push(Audience::People);
        let mut report = report(&audiences);
        report.shorten();
        assert_eq!((report.findings.len(), report.findings[0].target.as_str()), (100, "session 150"));
    }
}
