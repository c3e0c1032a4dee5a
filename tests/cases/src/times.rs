//! Times that a case writes as so many seconds from now: `@s:-90`, `@ms:-90`, `@iso:-90`.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

/// CloudWatch's way to write a time.
const ISO: &str = "%Y-%m-%dT%H:%M:%S%.3f+0000";

/// Puts times in place of what stands for them, wherever a text is nothing else.
pub(crate) fn resolve(value: &mut Value, now: DateTime<Utc>) {
    match value {
        Value::String(text) => {
            if let Some(time) = time(text, now) {
                *value = time;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| resolve(value, now)),
        Value::Object(fields) => fields.values_mut().for_each(|value| resolve(value, now)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn time(text: &str, now: DateTime<Utc>) -> Option<Value> {
    let (kind, seconds) = text.strip_prefix('@')?.split_once(':')?;
    let at = now + TimeDelta::seconds(seconds.parse().ok()?);
    Some(match kind {
        "s" => epoch(at),
        "ms" => json!(at.timestamp_millis()),
        "iso" => json!(iso(at)),
        _ => return None,
    })
}

/// Epoch seconds with a fraction, to the millisecond.
pub(crate) fn epoch(at: DateTime<Utc>) -> Value {
    json!(seconds(at))
}

/// The same as a number.
#[allow(clippy::cast_precision_loss, reason = "milliseconds of this age fit")]
pub(crate) fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

/// As CloudWatch and Lambda write it.
pub(crate) fn iso(at: DateTime<Utc>) -> String {
    at.format(ISO).to_string()
}

/// What stands in these fields becomes so many seconds longer ago: epoch seconds, milliseconds, or [`iso`]'s text.
pub(crate) fn age(fields: &mut Map<String, Value>, names: &[&str], by: i64) {
    for name in names {
        let Some(value) = fields.get_mut(*name) else { continue };
        let aged = match value {
            Value::String(text) => {
                DateTime::parse_from_str(text, ISO).ok().map(|at| iso(at.to_utc() - TimeDelta::seconds(by)).into())
            }
            // Milliseconds have as many digits as seconds will have in the year 5138.
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(at), _) if at > 100_000_000_000 => Some(json!(at - by * 1000)),
                (Some(at), _) => Some(json!(at - by)),
                #[allow(clippy::cast_precision_loss, reason = "seconds of a case")]
                (None, Some(at)) => Some(json!(at - by as f64)),
                (None, None) => None,
            },
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        if let Some(aged) = aged {
            *value = aged;
        }
    }
}
