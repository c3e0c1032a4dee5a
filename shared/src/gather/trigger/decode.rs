//! The one decoder of every event that reaches a step (design, section 4).
//!
//! AWS's events grow, so fields that are not needed are not looked at; what is needed must be there and be right.
//! The operator's events are ours, so every field that is not known is refused by its name.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::Value;

use super::result_path::ResultPath;
use super::{Trigger, TriggerError, alarm, ask, execution};
use crate::domain::Words;
use crate::{redact, text};

/// Reads an event of any kind that a step takes.
///
/// `words` are the application's, `result_path` says where an execution's output has the result; `allowed` are the names of the step's own
/// parameters (such as `cancel`), anything else in an operator's event is refused by name.
///
/// # Errors
/// Where the event is of no kind that is known, lacks what is needed, or contradicts itself; the message names the
/// field and what it may be.
pub fn decode(
    event: Value,
    words: &Words,
    result_path: &ResultPath,
    allowed: &[&str],
) -> Result<Trigger, TriggerError> {
    let Some(fields) = event.as_object() else {
        return Err(ask::unknown(
            |language| text!(language, ja: "JSON オブジェクトではない", en: "not a JSON object"),
            allowed,
        ));
    };
    if fields.contains_key("detail-type") {
        return from_event_bridge(event, words, result_path, allowed);
    }
    if fields.contains_key("alarmData") {
        return alarm::from_lambda_action(&event).map(Trigger::Alarm);
    }
    if let Some(records) = fields.get("Records") {
        return match records.pointer("/0/Sns") {
            Some(_) => alarm::from_sns(records).map(Trigger::Alarm),
            None => Err(ask::unknown(
                |language| text!(language, ja: "`Records` が SNS のものではない", en: "`Records` that are not from SNS"),
                allowed,
            )),
        };
    }
    if let Some(schedule) = fields.get("schedule") {
        return ask::schedule(schedule, fields).map(Trigger::Schedule);
    }
    ask::operator(fields, words, allowed).map(Trigger::Operator)
}

/// What a rule on a schedule, and EventBridge Scheduler, send where their target has no input of its own.
const SCHEDULED: &str = "Scheduled Event";
const SCHEDULERS: [&str; 2] = ["aws.events", "aws.scheduler"];

/// Whether a schedule has sent it, right or wrong.
#[must_use]
pub fn is_schedule(event: &Value) -> bool {
    match event.get("detail-type") {
        Some(kind) => kind == SCHEDULED && event["source"].as_str().is_some_and(|source| SCHEDULERS.contains(&source)),
        None => event.get("schedule").is_some(),
    }
}

fn from_event_bridge(
    event: Value,
    words: &Words,
    result_path: &ResultPath,
    allowed: &[&str],
) -> Result<Trigger, TriggerError> {
    let event: EventBridgeEvent =
        serde_json::from_value(event).map_err(|error| TriggerError::Envelope(redact::text(&error.to_string())))?;
    match (event.source.as_str(), event.detail_type.as_str()) {
        ("aws.cloudwatch", "CloudWatch Alarm State Change") => alarm::from_event_bridge(&event).map(Trigger::Alarm),
        ("aws.states", "Step Functions Execution Status Change") => {
            execution::from_event_bridge(event, words, result_path).map(|change| Trigger::Execution(Box::new(change)))
        }
        (source, SCHEDULED) if SCHEDULERS.contains(&source) => Ok(Trigger::Schedule(ask::scheduled_event(&event))),
        (source, detail_type) => Err(ask::unknown(
            |language| text!(language, ja: "EventBridge の `{detail_type}`（source は `{source}`）", en: "EventBridge's `{detail_type}` from `{source}`"),
            allowed,
        )),
    }
}
