//! JSON that is carried as it is written: a number of 23 digits, `1e400` and 140 levels of arrays are the user's, and a parser that makes
//! numbers and trees of them loses or refuses them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::IntErrorKind;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// JSON as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(Box<RawValue>);

impl Raw {
    /// Takes over what is JSON, mended so that PostgreSQL can hold it ([`mended`], with U+FFFD for U+0000); `None` for anything else.
    #[must_use]
    pub fn new(json: &str) -> Option<Self> {
        Self::with(json, "\\ufffd")
    }

    /// What stands at a path of names and indexes in `json`, mended and without U+0000; `None` where there is nothing.
    #[must_use]
    pub fn at(json: &str, path: &[impl AsRef<str>]) -> Option<Self> {
        let json = mended(json, "");
        let mut found: &RawValue = serde_json::from_str(&json).ok()?;
        for step in path {
            found = child(found, step.as_ref())?;
        }
        Some(Self(found.to_owned()))
    }

    fn with(json: &str, nul: &str) -> Option<Self> {
        RawValue::from_string(mended(json, nul).into_owned()).ok().map(Self)
    }

    /// The JSON itself.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.text() == "null"
    }

    /// The same, as PostgreSQL can hold it.
    #[must_use]
    pub fn stored(&self) -> Self {
        Self::new(self.text()).unwrap_or_else(|| self.clone())
    }

    /// As a tree, for people: see [`lenient`].
    #[must_use]
    pub fn value(&self) -> Value {
        lenient(self.text())
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Raw {}

impl From<Value> for Raw {
    fn from(value: Value) -> Self {
        Self(RawValue::from_string(value.to_string()).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

fn child<'a>(of: &'a RawValue, step: &str) -> Option<&'a RawValue> {
    match of.get().as_bytes().first()? {
        b'{' => serde_json::from_str::<HashMap<Cow<'a, str>, &'a RawValue>>(of.get()).ok()?.get(step).copied(),
        b'[' => serde_json::from_str::<Vec<&'a RawValue>>(of.get()).ok()?.get(step.parse::<usize>().ok()?).copied(),
        _ => None,
    }
}

/// JSON as a tree. Numbers that no `f64` holds become texts, and what is too deep for a tree is one text.
#[must_use]
pub fn lenient(json: &str) -> Value {
    serde_json::from_str(json)
        .or_else(|_| {
            serde_json::from_str(&rewritten(json, "\\ufffd", |number| number.parse().is_ok_and(f64::is_finite)))
        })
        .unwrap_or_else(|_| Value::String(json.chars().take(2000).collect()))
}

/// The exponents that PostgreSQL's `numeric` holds in any case.
const EXPONENTS: std::ops::RangeInclusive<i64> = -16_000..=100_000;

/// JSON as PostgreSQL's `jsonb` can hold it: half a surrogate pair becomes U+FFFD, U+0000 what is said for it, and a number whose exponent
/// is beyond every `numeric` a text.
#[must_use]
pub fn mended<'a>(json: &'a str, nul: &str) -> Cow<'a, str> {
    let fits = |number: &str| match number.split_once(['e', 'E']).map(|(_, exponent)| exponent.parse::<i64>()) {
        None => true,
        Some(Ok(exponent)) => EXPONENTS.contains(&exponent),
        Some(Err(error)) => !matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow),
    };
    // Most of it needs nothing.
    if json.contains("\\u") || json.contains(['e', 'E']) { rewritten(json, nul, fits).into() } else { json.into() }
}

fn rewritten(json: &str, nul: &str, fits: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    let mut in_text = false;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || !in_text && (c == '-' || c.is_ascii_digit())) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match rest.as_bytes()[0] {
            b'"' => {
                in_text = !in_text;
                out.push('"');
                1
            }
            b'\\' => escape(rest, nul, &mut out),
            _ => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
                let number = &rest[..end];
                if fits(number) {
                    out.push_str(number);
                } else {
                    out.extend(["\"", number, "\""]);
                }
                end
            }
        };
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

/// Writes the escape at the beginning of `rest`, mended; how long it was.
fn escape(rest: &str, nul: &str, out: &mut String) -> usize {
    let unit = |at: usize| {
        let escape = rest.get(at..at + 6).filter(|escape| escape.starts_with("\\u"))?;
        u16::from_str_radix(&escape[2..], 16).ok()
    };
    let (whole, length) = match (unit(0), unit(6)) {
        (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (&rest[..12], 12),
        (Some(0xD800..=0xDFFF), _) => ("\\ufffd", 6),
        (Some(0), _) => (nul, 6),
        (Some(_), _) => (&rest[..6], 6),
        (None, _) => {
            let length = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
            (&rest[..length], length)
        }
    };
    out.push_str(whole);
    length
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const PATH: [&str; 2] = ["generationResult", "Payload"];

    fn payload(json: &str) -> Option<String> {
        let output = format!(r#"{{"other": "\ud83d", "generationResult": {{"Payload": {json}, "z": 1e999}}}}"#);
        Raw::at(&output, &PATH).map(|raw| raw.text().to_owned())
    }

    #[test]
    fn what_no_tree_can_hold_is_carried_as_it_is() {
        let deep = format!("{}{}", "[".repeat(140), "]".repeat(140));
        for json in ["1e400", "-1E+400", "12345678901234567890123", "0.1000", deep.as_str(), r#"{"a" : [1.0e5, "e"]}"#]
        {
            assert_eq!(payload(json).as_deref(), Some(json));
        }
    }

    #[test]
    fn what_postgresql_cannot_hold_is_mended() {
        for (json, mended) in [
            (r#""run \ud83d""#, r#""run \ufffd""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\uD83D\u0041""#, r#""\ufffd\u0041""#),
            (r#""\\ud83d \\\ud83d""#, r#""\\ud83d \\\ufffd""#),
            (r#"{"a\u0000b": "\u0000"}"#, r#"{"ab": ""}"#),
            (r#"[1e999999, -2.5E-99999, "1e999999"]"#, r#"["1e999999", "-2.5E-99999", "1e999999"]"#),
            (r#""走る \"1e999999\" \n""#, r#""走る \"1e999999\" \n""#),
        ] {
            assert_eq!(payload(json).as_deref(), Some(mended), "{json}");
        }
        assert_eq!(Raw::new(r#""\u0000""#).unwrap().text(), r#""\ufffd""#);
    }

    #[test]
    fn what_is_no_json_is_nothing_and_breaks_nothing() {
        for json in ["", "{", "\"", "\"\\", "\"\\u", "\"\\ud83", "\"\\ud83d", "{\"a\\", "1e", "[1,", "走", "\\走"] {
            assert_eq!(Raw::at(json, &PATH), None, "{json}");
            assert_eq!(Raw::new(json), None, "{json}");
            let _ = lenient(json);
        }
    }

    #[test]
    fn for_people_a_number_that_is_too_large_is_a_text() {
        let huge = format!("1{}", "0".repeat(400));
        assert_eq!(lenient(&format!("{{\"a\": {huge}, \"b\": 2}}")), serde_json::json!({ "a": huge, "b": 2 }));
        assert!(lenient(&"[".repeat(300)).is_string());
    }
}
