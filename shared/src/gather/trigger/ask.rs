//! What schedules and operators send: events of our own, so nothing in them is passed over.

use std::ops::RangeInclusive;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::{Map, Value};

use super::execution::EXECUTION_ARN;
use super::field::Field;
use super::{Ask, Schedule, Scope, TriggerError, span};
use crate::domain::Mode;
use crate::redact;

/// Reads a field, or says how it is wrong.
type Read<T> = fn(&Field<'_>) -> Result<T, TriggerError>;

/// The fields that say what an [`Ask`] is about; one at most.
const SCOPES: [(&str, Read<Scope>); 6] = [
    ("all", all),
    ("processId", |field| field.parsed(UUID).map(Scope::Process)),
    ("executionArn", |field| field.parsed(EXECUTION_ARN).map(Scope::Execution)),
    ("approve", |field| field.parsed(UUID).map(Scope::Approve)),
    ("undo", |field| field.parsed(UUID).map(Scope::Undo)),
    ("report", report),
];
const UUID: &str = "a UUID such as 6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";

/// How far back a report may look: what would have been done is kept for 30 days by default. Seconds.
const REPORTED: RangeInclusive<u32> = 60..=31 * 86_400;

/// The fields that any step takes besides.
const MODE: &str = "mode";
const LIMIT: &str = "limit";
const REASON: &str = "reason";
const BY: &str = "by";
const DEPTH: &str = "depth";

/// `{"schedule": "<name>"}`, with `mode`.
pub(super) fn schedule(schedule: &Value, fields: &Map<String, Value>) -> Result<Schedule, TriggerError> {
    // Somebody who adds a target to a schedule's event wants less than everything, and must not get it all.
    if let Some(name) = fields.keys().find(|name| !["schedule", MODE].contains(&name.as_str())) {
        return Err(TriggerError::Contradiction {
            one: "schedule".to_owned(),
            other: redact::text(name),
            rule: "a schedule covers everything, within the step's limits; only `mode` may go with it",
        });
    }
    let schedule = redact::text(Field::at("schedule", schedule).text()?);
    Ok(Schedule { schedule, mode: optional(fields, MODE, mode)? })
}

/// A rule's own [`Scheduled Event`][1], where its target has no constant input: the schedule is the rule's name.
///
/// [1]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
pub(super) fn scheduled_event(event: &EventBridgeEvent) -> Schedule {
    let rule = event.resources.iter().flatten().find_map(|arn| arn.split_once(":rule/")).map(|(_, name)| name);
    Schedule { schedule: rule.unwrap_or("Scheduled Event").to_owned(), mode: None }
}

/// The operator's event (design, section 7).
pub(super) fn operator(fields: &Map<String, Value>, allowed: &[&str]) -> Result<Ask, TriggerError> {
    if !fields.is_empty() && !fields.keys().any(|name| is_known(name, allowed)) {
        return Err(unknown(&format!("an object with the fields {}", list(fields.keys())), allowed));
    }
    if let Some(name) = fields.keys().find(|name| !is_known(name, allowed)) {
        return Err(TriggerError::UnknownField { name: redact::text(name), fields: known_fields(allowed) });
    }
    let ask = Ask {
        scope: scope(fields)?,
        mode: optional(fields, MODE, mode)?,
        limit: optional(fields, LIMIT, limit)?,
        // It goes to ledger, log, answer and people.
        reason: optional(fields, REASON, |reason| reason.text().map(redact::text))?,
        by: optional(fields, BY, |by| by.text().map(redact::text))?,
        depth: optional(fields, DEPTH, depth)?.unwrap_or(0),
        parameters: fields
            .iter()
            .filter(|(name, _)| !is_common(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    };
    let goes_with_it: &[&str] = match ask.scope {
        // In parts, where that is wanted.
        Scope::Approve(_) => &["approve", MODE, REASON, BY, DEPTH, LIMIT],
        Scope::Undo(_) => &["undo", MODE, REASON, BY, DEPTH],
        Scope::Report(_) => &["report", MODE, REASON, BY, DEPTH],
        Scope::Everything | Scope::All | Scope::Process(_) | Scope::Execution(_) => return Ok(ask),
    };
    match fields.keys().find(|name| !goes_with_it.contains(&name.as_str())) {
        None => Ok(ask),
        Some(other) => Err(TriggerError::Contradiction {
            one: goes_with_it[0].to_owned(),
            other: redact::text(other),
            rule: "a plan is approved, an action undone and a report made exactly as recorded; only `mode`, `reason` and `by` may go with it, and `limit` with `approve`",
        }),
    }
}

fn scope(fields: &Map<String, Value>) -> Result<Scope, TriggerError> {
    let named: Vec<_> = SCOPES.into_iter().filter_map(|(name, read)| Some((name, read, fields.get(name)?))).collect();
    match *named.as_slice() {
        [] => Ok(Scope::Everything),
        [(name, read, value)] => read(&Field::at(name, value)),
        [(one, ..), (other, ..), ..] => Err(TriggerError::Contradiction {
            one: one.to_owned(),
            other: other.to_owned(),
            rule: "an operator's event has at most one of all, processId, executionArn, approve, undo and report",
        }),
    }
}

/// A field that need not be there. `null` is not the same as absent: what somebody wrote is meant, and `null` is a
/// value that went missing on the way (an unset variable, say).
fn optional<T>(
    fields: &Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Field<'_>) -> Result<T, TriggerError>,
) -> Result<Option<T>, TriggerError> {
    fields.get(name).map(|value| read(&Field::at(name, value))).transpose()
}

fn all(field: &Field<'_>) -> Result<Scope, TriggerError> {
    match field.value() {
        Some(Value::Bool(true)) => Ok(Scope::All),
        _ => Err(field.refused("true; leave it out to look at everything and change nothing")),
    }
}

fn report(field: &Field<'_>) -> Result<Scope, TriggerError> {
    let span = field.value().and_then(|value| span::read(value, &REPORTED));
    span.map(Scope::Report).ok_or_else(|| field.refused(span::expected(&REPORTED)))
}

fn mode(field: &Field<'_>) -> Result<Mode, TriggerError> {
    field.parsed("one of observe, propose, act")
}

fn limit(field: &Field<'_>) -> Result<usize, TriggerError> {
    let limit = field.value().and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    limit.filter(|limit| *limit > 0).ok_or_else(|| {
        field.refused("a whole number of actions, 1 or more; to change nothing, send the mode `observe`")
    })
}

fn depth(field: &Field<'_>) -> Result<u8, TriggerError> {
    let depth = field.value().and_then(Value::as_u64).and_then(|depth| u8::try_from(depth).ok());
    depth.filter(|depth| *depth <= Ask::DEEPEST).ok_or_else(|| {
        field.refused("0 (a person), 1 or 2: how many runs led to this one, as set by the step that started it")
    })
}

fn is_common(name: &str) -> bool {
    SCOPES.iter().any(|(scope, _)| *scope == name) || [MODE, LIMIT, REASON, BY, DEPTH].contains(&name)
}

fn is_known(name: &str, allowed: &[&str]) -> bool {
    is_common(name) || allowed.contains(&name)
}

/// The error for an event that is none of the kinds.
pub(super) fn unknown(found: &str, allowed: &[&str]) -> TriggerError {
    TriggerError::Unknown { found: redact::text(found), fields: known_fields(allowed) }
}

fn known_fields(allowed: &[&str]) -> String {
    list(SCOPES.iter().map(|(name, _)| name).chain(&[MODE, LIMIT, REASON, BY, DEPTH]).chain(allowed))
}

/// Names, as many as a message can bear.
fn list<T: AsRef<str>>(names: impl Iterator<Item = T>) -> String {
    const NAMES: usize = 24;
    let names: Vec<String> = names.map(|name| name.as_ref().chars().take(40).collect()).collect();
    let more = if names.len() > NAMES { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(NAMES)].join(", "))
}
