//! What schedules and operators send: events of our own, so nothing in them is passed over.

use std::ops::RangeInclusive;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::{Map, Value};

use super::execution::execution_arn;
use super::field::{self, Field, uuid};
use super::{Ask, Schedule, Scope, TriggerError, span};
use crate::domain::{Both, IdKind, Language, Mode, Words};
use crate::{redact, text};

/// Reads a field, or says how it is wrong.
type Read<T> = fn(&Field<'_>, &Words) -> Result<T, TriggerError>;

/// The fields that say what an [`Ask`] is about; one at most.
const SCOPES: [(&str, Read<Scope>); 6] = [
    ("all", |field, _| all(field)),
    ("processId", process),
    ("executionArn", |field, _| field.parsed(execution_arn).map(Scope::Execution)),
    ("approve", |field, _| field.parsed(uuid).map(Scope::Approve)),
    ("undo", |field, _| field.parsed(uuid).map(Scope::Undo)),
    ("report", |field, _| report(field)),
];

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
            rule: Both::of(schedule_alone),
        });
    }
    let schedule = redact::text(Field::at("schedule", schedule).text()?);
    Ok(Schedule { schedule, mode: optional(fields, MODE, mode)? })
}

/// The `Scheduled Event` of a [rule][1], or of EventBridge Scheduler, where its target has no constant input: the schedule is the rule's
/// name, or the schedule's with its group.
///
/// [1]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
pub(super) fn scheduled_event(event: &EventBridgeEvent) -> Schedule {
    let of =
        |arn: &'_ String| [":rule/", ":schedule/"].iter().find_map(|kind| Some(arn.split_once(kind)?.1.to_owned()));
    let name = event.resources.iter().flatten().find_map(of);
    Schedule { schedule: name.unwrap_or_else(|| "Scheduled Event".to_owned()), mode: None }
}

/// The operator's event (design, section 7).
pub(super) fn operator(fields: &Map<String, Value>, words: &Words, allowed: &[&str]) -> Result<Ask, TriggerError> {
    if !fields.is_empty() && !fields.keys().any(|name| is_known(name, allowed)) {
        let names = list(fields.keys());
        return Err(unknown(
            |language| text!(language, ja: "フィールドが {names} のオブジェクト", en: "an object with the fields {names}"),
            allowed,
        ));
    }
    if let Some(name) = fields.keys().find(|name| !is_known(name, allowed)) {
        return Err(TriggerError::UnknownField { name: redact::text(name), fields: known_fields(allowed) });
    }
    let ask = Ask {
        scope: scope(fields, words)?,
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
    // A plan is carried out, and an action undone, or it is looked at; nobody who asks for less than the first means it.
    let instead: Option<fn(Language) -> String> = match ask.scope {
        Scope::Approve(_) => Some(mode_of_approval),
        Scope::Undo(_) => Some(mode_of_undo),
        Scope::Report(_) | Scope::Everything | Scope::All | Scope::Process(_) | Scope::Execution(_) => None,
    };
    if let (Some(instead), Some(Mode::Propose)) = (instead, ask.mode) {
        return Err(Field::at(MODE, &fields[MODE]).refused(instead));
    }
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
            rule: Both::of(as_recorded),
        }),
    }
}

fn scope(fields: &Map<String, Value>, words: &Words) -> Result<Scope, TriggerError> {
    let named: Vec<_> = SCOPES.into_iter().filter_map(|(name, read)| Some((name, read, fields.get(name)?))).collect();
    match *named.as_slice() {
        [] => Ok(Scope::Everything),
        [(name, read, value)] => read(&Field::at(name, value), words),
        [(one, ..), (other, ..), ..] => {
            Err(TriggerError::Contradiction { one: one.to_owned(), other: other.to_owned(), rule: Both::of(one_scope) })
        }
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

/// An id as the application's are.
fn process(field: &Field<'_>, words: &Words) -> Result<Scope, TriggerError> {
    let id = match field.value() {
        Some(Value::String(id)) => words.owner.ids.read(id).ok(),
        Some(Value::Number(id)) => words.owner.ids.read(&id.to_string()).ok(),
        _ => None,
    };
    id.map(Scope::Process).ok_or_else(|| {
        field.refused(|language| match words.owner.ids {
            IdKind::Uuid => uuid(language),
            IdKind::Integer | IdKind::Text => {
                text!(language, ja: "処理 ID（1〜80 バイト）", en: "the id of a process, of 1 to 80 bytes")
            }
        })
    })
}

fn all(field: &Field<'_>) -> Result<Scope, TriggerError> {
    match field.value() {
        Some(Value::Bool(true)) => Ok(Scope::All),
        _ => Err(field.refused(
            |language| text!(language, ja: "true。省略すると全体を確認するだけで何も変更しない", en: "true; leave it out to look at everything and change nothing"),
        )),
    }
}

fn report(field: &Field<'_>) -> Result<Scope, TriggerError> {
    let span = field.value().and_then(|value| span::read(value, &REPORTED));
    span.map(Scope::Report).ok_or_else(|| field.refused(|language| span::expected(language, &REPORTED)))
}

fn mode(field: &Field<'_>) -> Result<Mode, TriggerError> {
    field.parsed(field::mode)
}

fn limit(field: &Field<'_>) -> Result<usize, TriggerError> {
    let limit = field.value().and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    limit.filter(|limit| *limit > 0).ok_or_else(|| {
        field.refused(|language| text!(language, ja: "1 以上の整数。何も変更しない場合はモード `observe` を送る", en: "a whole number of actions, 1 or more; to change nothing, send the mode `observe`"))
    })
}

fn depth(field: &Field<'_>) -> Result<u8, TriggerError> {
    let depth = field.value().and_then(Value::as_u64).and_then(|depth| u8::try_from(depth).ok());
    depth.filter(|depth| *depth <= Ask::DEEPEST).ok_or_else(|| {
        field.refused(|language| text!(language, ja: "0（人）、1、2 のいずれか。起動元のステップが設定する、この回に至るまでの回数", en: "0 (a person), 1 or 2: how many runs led to this one, as set by the step that started it"))
    })
}

fn is_common(name: &str) -> bool {
    SCOPES.iter().any(|(scope, _)| *scope == name) || [MODE, LIMIT, REASON, BY, DEPTH].contains(&name)
}

fn is_known(name: &str, allowed: &[&str]) -> bool {
    is_common(name) || allowed.contains(&name)
}

/// The error for an event that is none of the kinds.
pub(super) fn unknown(found: impl Fn(Language) -> String, allowed: &[&str]) -> TriggerError {
    TriggerError::Unknown { found: Both::of(|language| redact::text(&found(language))), fields: known_fields(allowed) }
}

fn schedule_alone(language: Language) -> String {
    text!(
        language,
        ja: "スケジュールはステップの上限内で全体を対象とする。併用できるのは `mode` のみ",
        en: "a schedule covers everything, within the step's limits; only `mode` may go with it",
    )
}

fn one_scope(language: Language) -> String {
    text!(
        language,
        ja: "運用者のイベントに指定できるのは all、processId、executionArn、approve、undo、report のうち 1 つだけ",
        en: "an operator's event has at most one of all, processId, executionArn, approve, undo and report",
    )
}

fn mode_of_approval(language: Language) -> String {
    text!(
        language,
        ja: "`approve` と併用する場合は省略（承認は計画の実行を意味する）、または確認だけなら \"observe\"",
        en: "left out with `approve`, which carries the plan out, or \"observe\" for a look",
    )
}

fn mode_of_undo(language: Language) -> String {
    text!(
        language,
        ja: "`undo` と併用する場合は省略（運用者の判断であり、承認は要らない）、または確認だけなら \"observe\"",
        en: "left out with `undo`, which a person has decided on already, or \"observe\" for a look",
    )
}

fn as_recorded(language: Language) -> String {
    text!(
        language,
        ja: "計画の承認、操作の取り消し、レポートは記録どおりに行う。併用できるのは `mode`、`reason`、`by`、`approve` の場合は `limit` も",
        en: "a plan is approved, an action undone and a report made exactly as recorded; only `mode`, `reason` and `by` may go with it, and `limit` with `approve`",
    )
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
