//! Why a run was started (design, section 4): what [`decode`] makes of the events that reach a step.

mod alarm;
mod ask;
pub mod decode;
pub mod execution;
pub mod field;
pub mod result_path;
pub mod span;

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::{Both, Execution, ExecutionArn, Language, Mode, ProcessId};
use crate::{redact, text};

/// Why a run was started, and what it was asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// An alarm changed its state.
    Alarm(AlarmChange),
    /// An execution changed its status.
    Execution(Box<ExecutionChange>),
    /// It is time to look.
    Schedule(Schedule),
    /// Somebody asks for it.
    Operator(Ask),
}

/// An alarm's change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmChange {
    /// The alarm's name.
    pub alarm: String,
    /// The alarm's ARN, where the event tells it.
    pub arn: Option<String>,
    /// Its state now.
    pub state: AlarmState,
    /// Its state before; `None` for a new alarm.
    pub previous: Option<AlarmState>,
    /// CloudWatch's words for why.
    pub reason: Option<String>,
    /// When the state changed.
    pub at: DateTime<Utc>,
    /// What holds the alarm's actions back: of a composite alarm `WaitPeriod`, `ExtensionPeriod` or `Alarm`, of any alarm a mute rule, by
    /// its ARN. Observe only.
    pub suppressed_by: Option<String>,
    /// Until when a mute rule holds them back.
    pub held_until: Option<DateTime<Utc>>,
}

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// Within its threshold.
    Ok,
    /// Beyond its threshold.
    Alarm,
    /// Not known.
    InsufficientData,
}

impl AlarmState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Alarm, Self::InsufficientData];

    /// The state as CloudWatch spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl fmt::Display for AlarmState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An execution's change of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionChange {
    /// The execution, as far as the event tells.
    pub execution: Execution,
    /// The process it was started for; `None` where neither its input nor its name says.
    pub process: Option<ProcessId>,
    /// EventBridge's id of the event; a duplicate has the same.
    pub event_id: Option<String>,
    /// A status that nobody knows, in Step Functions' word; the execution's own says no more then than that it is not known to be over.
    pub unknown_status: Option<String>,
}

/// A schedule's call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The schedule's name.
    pub schedule: String,
    /// How far the run may go, where that is less than what is configured.
    pub mode: Option<Mode>,
}

/// What an operator, or another step, asks for (design, section 7).
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// What it is about.
    pub scope: Scope,
    /// How far the run may go, where that is less than what is configured.
    pub mode: Option<Mode>,
    /// At most so many actions; never 0.
    pub limit: Option<usize>,
    /// Why, for the ledger.
    pub reason: Option<String>,
    /// Who asks, for the ledger: the caller's identity is with CloudTrail, which knows the same request.
    pub by: Option<String>,
    /// How many runs led to this one: 0 for a person, one more for each step that starts another (design, 6.11).
    pub depth: u8,
    /// The step's own parameters, by name.
    pub parameters: Map<String, Value>,
}

impl Ask {
    /// A run of this depth starts no other one.
    pub const DEEPEST: u8 = 2;
}

/// What an [`Ask`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// No target was named: look at everything, change nothing.
    Everything,
    /// `{"all": true}`: everything, within the limits.
    All,
    /// `{"processId": "…"}`.
    Process(ProcessId),
    /// `{"executionArn": "…"}`.
    Execution(ExecutionArn),
    /// `{"approve": "<plan id>"}`.
    Approve(Uuid),
    /// `{"undo": "<action id>"}`.
    Undo(Uuid),
    /// `{"report": "7d"}`: what was done in this time, and what would have been.
    Report(TimeDelta),
}

/// An event that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TriggerError {
    /// It is of no kind that any step takes.
    Unknown {
        /// What came instead.
        found: Both,
        /// The fields that an operator's event may have for this step.
        fields: String,
    },

    /// EventBridge's envelope is damaged.
    Envelope(String),

    /// A field that is needed is missing or wrong.
    Field {
        /// Where in the event.
        path: String,
        /// What stands there, shortened.
        found: Both,
        /// What may stand there: in English it completes "it must be …", in Japanese it stands by itself.
        expected: Both,
    },

    /// An operator's event has a field that this step does not know.
    UnknownField {
        /// The field's name.
        name: String,
        /// The fields that it may have for this step.
        fields: String,
    },

    /// Two fields exclude each other.
    Contradiction {
        /// One of them.
        one: String,
        /// The other.
        other: String,
        /// What goes with what.
        rule: Both,
    },
}

impl TriggerError {
    /// What is wrong with the event, for whoever sent it.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        match self {
            Self::Unknown { found, fields } => {
                let found = found.told(language);
                text!(
                    language,
                    ja: "不明なイベント: {found}。受け付けるのは EventBridge の `CloudWatch Alarm State Change`（source は aws.cloudwatch）と `Step Functions Execution Status Change`（source は aws.states）、CloudWatch アラームの Lambda アクション（alarmData）とその SNS 通知（Records[0].Sns）、スケジュール（{{\"schedule\": \"<name>\"}}、またはルールの `Scheduled Event`、source は aws.events）、運用者のイベント（{{}}、または {fields} のいずれか）",
                    en: "unknown event: {found}. A step accepts: EventBridge's `CloudWatch Alarm State Change` (source aws.cloudwatch) and `Step Functions Execution Status Change` (source aws.states); a CloudWatch alarm's Lambda action (alarmData) or its SNS notification (Records[0].Sns); a schedule, {{\"schedule\": \"<name>\"}}, or a rule's own `Scheduled Event` (source aws.events); or an operator's event: {{}}, or any of {fields}",
                )
            }
            Self::Envelope(why) => text!(
                language,
                ja: "EventBridge のイベントの形式が不正: {why}。`source`、`detail-type`、`detail` は必須。`id`、`account`、`region`（文字列）、`time`（ISO 8601）、`resources`（文字列の配列）は任意",
                en: "invalid EventBridge envelope: {why}. It must have `source`, `detail-type` and `detail`, and may have `id`, `account` and `region` (strings), `time` (ISO 8601) and `resources` (a list of strings)",
            ),
            Self::Field { path, found, expected } => {
                let (found, expected) = (found.told(language), expected.told(language));
                text!(language, ja: "`{path}` が不正: {found}。指定できるもの: {expected}", en: "`{path}` is {found}; it must be {expected}")
            }
            Self::UnknownField { name, fields } => text!(
                language,
                ja: "不明なフィールド `{name}`。運用者のイベントに指定できるもの: {fields}",
                en: "unknown field `{name}`: an operator's event may have any of {fields}",
            ),
            Self::Contradiction { one, other, rule } => {
                let rule = rule.told(language);
                text!(language, ja: "`{one}` と `{other}` は同時に指定できない: {rule}", en: "`{one}` and `{other}` exclude each other: {rule}")
            }
        }
    }
}

impl fmt::Display for TriggerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Language::En))
    }
}

impl std::error::Error for TriggerError {}

impl Trigger {
    /// How many runs led to this one ([`Ask::depth`]); 0 for all that no step started.
    #[must_use]
    pub const fn depth(&self) -> u8 {
        match self {
            Self::Operator(ask) => ask.depth,
            Self::Alarm(_) | Self::Execution(_) | Self::Schedule(_) => 0,
        }
    }

    /// Whether a person asks, and no step that starts another.
    #[must_use]
    pub const fn is_by_person(&self) -> bool {
        matches!(self, Self::Operator(ask) if ask.depth == 0)
    }

    /// What the result's `trigger` field and `remediation.runs.trigger` hold: `kind` (`alarm`, `execution`,
    /// `schedule` or `operator`) and what is known of it. What is not known is left out.
    #[must_use]
    pub fn describe(&self) -> Value {
        let described = match self {
            Self::Alarm(change) => json!({
                "kind": "alarm",
                "alarm": change.alarm,
                "alarmArn": change.arn,
                "state": change.state.as_str(),
                "previousState": change.previous.map(AlarmState::as_str),
                "reason": change.reason,
                "at": timestamp(change.at),
                "suppressedBy": change.suppressed_by,
                "heldUntil": change.held_until.map(timestamp),
            }),
            Self::Execution(change) => json!({
                "kind": "execution",
                "executionArn": change.execution.arn,
                "status": change.execution.status,
                "redriveCount": change.execution.redrive_count,
                "processId": change.process,
                "eventId": change.event_id,
            }),
            Self::Schedule(Schedule { schedule, mode }) => {
                json!({ "kind": "schedule", "schedule": schedule, "mode": mode })
            }
            Self::Operator(ask) => json!({
                "kind": "operator",
                "all": (ask.scope == Scope::All).then_some(true),
                "processId": if let Scope::Process(id) = &ask.scope { Some(id) } else { None },
                "executionArn": if let Scope::Execution(arn) = &ask.scope { Some(arn) } else { None },
                "approve": if let Scope::Approve(plan) = &ask.scope { Some(plan) } else { None },
                "undo": if let Scope::Undo(action) = &ask.scope { Some(action) } else { None },
                "report": if let Scope::Report(span) = &ask.scope { Some(span::spelt_out(*span)) } else { None },
                "mode": ask.mode,
                "limit": ask.limit,
                "reason": ask.reason,
                "by": ask.by,
                "depth": (ask.depth > 0).then_some(ask.depth),
                // Whatever somebody wrote there, right or wrong: it is recorded before a step refuses it.
                "parameters": (!ask.parameters.is_empty()).then(|| redact::json(&json!(ask.parameters))),
            }),
        };
        match described {
            Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            other => other,
        }
    }
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
