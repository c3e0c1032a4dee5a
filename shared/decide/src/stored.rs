//! What PostgreSQL can hold: neither text nor jsonb has U+0000, which models and stack traces do produce. One such
//! character would make a whole batch of rows fail for ever, so it is replaced (U+FFFD) on the way in.

use serde_json::Value;

const REPLACEMENT: &str = "\u{fffd}";

/// A text as PostgreSQL can hold it.
#[must_use]
pub fn text(text: &str) -> String {
    text.replace('\0', REPLACEMENT)
}

/// JSON as PostgreSQL can hold it.
#[must_use]
pub fn json(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(string) => text(string).into(),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (text(name), json(value))).collect(),
    }
}
