//! Reads what an event must have, and says where and how it has not.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::TriggerError;
use crate::domain::{Both, Language};
use crate::{redact, text};

/// A place in an event, with what stands there.
pub(super) struct Field<'a> {
    path: String,
    value: Option<&'a Value>,
}

impl<'a> Field<'a> {
    /// What stands at `path`; further fields are named from there. The event itself has no path.
    pub(super) fn at(path: impl Into<String>, value: &'a Value) -> Self {
        Self { path: path.into(), value: Some(value) }
    }

    /// A field of this object.
    pub(super) fn field(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, value: self.value.and_then(|value| value.get(name)) }
    }

    /// The error that this place is not as it must be.
    pub(super) fn refused(&self, expected: impl Fn(Language) -> String) -> TriggerError {
        let missing = |language| text!(language, ja: "指定がない", en: "missing");
        let found = self.value.map_or_else(|| Both::of(missing), |value| Both::same(&shown(value)));
        TriggerError::Field { path: self.path.clone(), found, expected: Both::of(expected) }
    }

    /// What stands here; `None` where nothing does, `null` included.
    pub(super) fn value(&self) -> Option<&'a Value> {
        self.value.filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub(super) fn text(&self) -> Result<&'a str, TriggerError> {
        let text = self.value.and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| self.refused(not_empty))
    }

    /// A text, where there is one.
    pub(super) fn optional_text(&self) -> Result<Option<String>, TriggerError> {
        match self.value() {
            None => Ok(None),
            Some(Value::String(text)) => Ok((!text.is_empty()).then(|| text.clone())),
            Some(_) => {
                Err(self.refused(|language| text!(language, ja: "文字列（または省略）", en: "a string, or left out")))
            }
        }
    }

    /// A text that reads as a `T`.
    pub(super) fn parsed<T: FromStr>(&self, expected: impl Fn(Language) -> String) -> Result<T, TriggerError> {
        let parsed = self.value.and_then(Value::as_str).and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| self.refused(expected))
    }

    /// A point in time as CloudWatch writes it, `2024-01-01T00:00:00.000+0000`, or as RFC 3339 does.
    pub(super) fn time(&self) -> Result<DateTime<Utc>, TriggerError> {
        let read = |text: &str| {
            DateTime::parse_from_rfc3339(text)
                .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
                .ok()
        };
        let time = self.value.and_then(Value::as_str).and_then(read);
        time.map(|time| time.to_utc()).ok_or_else(|| self.refused(|language| text!(language, ja: "2024-01-01T00:00:00.000+0000 のような時刻", en: "a time such as 2024-01-01T00:00:00.000+0000")))
    }

    /// A point in time as Step Functions' events have it: milliseconds since 1970.
    pub(super) fn epoch_millis(&self) -> Result<DateTime<Utc>, TriggerError> {
        let time = self.value.and_then(Value::as_i64).and_then(DateTime::from_timestamp_millis);
        time.ok_or_else(|| self.refused(|language| text!(language, ja: "1970-01-01 からのミリ秒", en: "a time in milliseconds since 1970-01-01")))
    }

    /// What `read` makes of this place, where there is anything.
    pub(super) fn optional<T>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, TriggerError>,
    ) -> Result<Option<T>, TriggerError> {
        self.value().map(|_| read(self)).transpose()
    }
}

/// What a text may be.
pub(crate) fn not_empty(language: Language) -> String {
    text!(language, ja: "空でない文字列", en: "a string that is not empty")
}

/// What an identity may be.
pub(crate) fn uuid(language: Language) -> String {
    text!(language, ja: "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c のような UUID", en: "a UUID such as 6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c")
}

/// What a mode may be.
#[must_use]
pub fn mode(language: Language) -> String {
    text!(language, ja: "observe、propose、act のいずれか", en: "one of observe, propose, act")
}

/// What a flag may be.
#[must_use]
pub fn flag(language: Language) -> String {
    text!(language, ja: "true（または省略）", en: "true, or left out")
}

/// As much of a value as an error message can bear, and may show.
fn shown(value: &Value) -> String {
    const CHARACTERS: usize = 100;
    redact::cut(&value.to_string(), CHARACTERS)
}
