//! Alarms, in the three ways that CloudWatch tells of them.
//!
//! Only the alarm's name and states are read. What it measures (`configuration`) and its `reasonData` differ between
//! metric, metric math, anomaly and composite alarms, and no step needs them.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::field::Field;
use super::{AlarmChange, AlarmState, TriggerError};
use crate::{redact, text};

/// EventBridge's [`CloudWatch Alarm State Change`][1].
///
/// [1]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
pub(super) fn from_event_bridge(event: &EventBridgeEvent) -> Result<AlarmChange, TriggerError> {
    let arn = event.resources.as_deref().and_then(|resources| resources.first()).cloned();
    change(&Field::at("detail", &event.detail), arn)
}

/// The [payload of an alarm's Lambda action][1].
///
/// [1]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
pub(super) fn from_lambda_action(event: &Value) -> Result<AlarmChange, TriggerError> {
    let event = Field::at("", event);
    if event.field("source").text()? != "aws.cloudwatch" {
        return Err(event.field("source").refused(|_| "aws.cloudwatch".to_owned()));
    }
    change(&event.field("alarmData"), event.field("alarmArn").optional_text()?)
}

fn change(alarm: &Field<'_>, arn: Option<String>) -> Result<AlarmChange, TriggerError> {
    let state = alarm.field("state");
    let (muted_by, held_until) = muted(alarm)?;
    Ok(AlarmChange {
        alarm: alarm.field("alarmName").text()?.to_owned(),
        arn,
        state: alarm_state(&state.field("value"))?,
        previous: alarm.field("previousState").field("value").optional(alarm_state)?,
        reason: reason(&state.field("reason"))?,
        at: state.field("timestamp").time()?,
        suppressed_by: state.field("actionsSuppressedBy").optional_text()?.or(muted_by),
        held_until,
    })
}

/// The [mute rule][1] that holds the alarm's actions back, and until when. What it says of itself may grow: that it is there is enough.
///
/// [1]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html
fn muted(alarm: &Field<'_>) -> Result<(Option<String>, Option<DateTime<Utc>>), TriggerError> {
    let places = [alarm.field("muteDetail"), alarm.field("state").field("muteDetail")];
    let Some(mute) = places.into_iter().find(|place| place.value().is_some()) else { return Ok((None, None)) };
    let by = mute.field("mutedByArn").optional_text().ok().flatten().unwrap_or_else(|| "muteDetail".to_owned());
    Ok((Some(by), mute.field("muteWindowEnd").time().ok()))
}

/// An alarm's [notification][1] as Lambda gets it from SNS: JSON in the message. A composite alarm whose actions are
/// suppressed sends none, so nothing here says so.
///
/// [1]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
pub(super) fn from_sns(records: &Value) -> Result<AlarmChange, TriggerError> {
    // A notification has one message (Amazon SNS FAQs, Reliability). Of several, all but one would be lost here.
    let [record] = records.as_array().map_or(&[][..], Vec::as_slice) else {
        return Err(Field::at("Records", records).refused(|language| text!(language, ja: "レコード 1 件だけの配列（SNS は 1 件ずつ配信する）", en: "a list of exactly one record: SNS delivers one at a time")));
    };
    // `SnsEvent` of `aws_lambda_events` is not used: it refuses records without signature and unsubscribe address,
    // which test events leave out and nobody needs.
    let text = Field::at("Records[0]", record).field("Sns").field("Message");
    let message: Value = serde_json::from_str(text.text()?)
        .map_err(|_| text.refused(|language| text!(language, ja: "CloudWatch アラームの通知の JSON", en: "the JSON of a CloudWatch alarm's notification")))?;
    let message = Field::at("Records[0].Sns.Message", &message);
    Ok(AlarmChange {
        alarm: message.field("AlarmName").text()?.to_owned(),
        arn: message.field("AlarmArn").optional_text()?,
        state: alarm_state(&message.field("NewStateValue"))?,
        previous: message.field("OldStateValue").optional(alarm_state)?,
        reason: reason(&message.field("NewStateReason"))?,
        at: message.field("StateChangeTime").time()?,
        suppressed_by: None,
        held_until: None,
    })
}

/// CloudWatch's words, or those of whoever set the state by hand: they go to ledger, log, answer and people.
fn reason(field: &Field<'_>) -> Result<Option<String>, TriggerError> {
    Ok(field.optional_text()?.as_deref().map(redact::text))
}

fn alarm_state(field: &Field<'_>) -> Result<AlarmState, TriggerError> {
    let found = field.value().and_then(Value::as_str);
    AlarmState::ALL
        .into_iter()
        .find(|state| Some(state.as_str()) == found)
        .ok_or_else(|| field.refused(|language| text!(language, ja: "OK、ALARM、INSUFFICIENT_DATA のいずれか", en: "one of OK, ALARM, INSUFFICIENT_DATA")))
}
