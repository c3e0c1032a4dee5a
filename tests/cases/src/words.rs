//! Values as text, and what a text is held against.

use std::io;

use regex_lite::{Regex, RegexBuilder};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

use crate::case::Expectation;
use crate::failure::Failure;

/// How much of a found value a message shows.
const SHOWN: usize = 600;

/// A regular expression, without regard to case.
pub(crate) fn regex(pattern: &str) -> Result<Regex, Failure> {
    let built = RegexBuilder::new(pattern).case_insensitive(true).build();
    built.map_err(|error| Failure::of(&format!("the regular expression `{pattern}`"), &error))
}

/// Whether a pattern is found in one of the texts.
pub(crate) fn found<'a>(pattern: &str, texts: impl IntoIterator<Item = &'a str>) -> Result<bool, Failure> {
    let regex = regex(pattern)?;
    Ok(texts.into_iter().any(|text| regex.is_match(text)))
}

/// A value as text: a text as it is, all else as JSON with a space after each comma and colon.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => json(value),
    }
}

/// JSON with a space after each comma and colon.
pub(crate) fn json(value: &Value) -> String {
    let mut bytes = Vec::new();
    // Writing a value into memory does not fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, Spaced));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The beginning of a text, for a message.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

/// Whether what was found is as the expectation wants it; what was found, where not.
pub(crate) fn compare(found: &str, wanted: &Expectation) -> Result<Option<String>, Failure> {
    let mut faults = Vec::new();
    if let Some(equals) = &wanted.equals
        && text(equals) != found
        && !equal_numbers(equals, found)
    {
        faults.push(format!("is not {}", text(equals)));
    }
    if let Some(pattern) = &wanted.matches
        && !regex(pattern)?.is_match(found)
    {
        faults.push(format!("does not match /{pattern}/"));
    }
    if let Some(pattern) = &wanted.differs
        && let Some(matched) = regex(pattern)?.find(found)
    {
        faults.push(format!("has `{}` in it", matched.as_str()));
    }
    let number: Option<f64> = found.trim().parse().ok();
    if let Some(least) = wanted.at_least
        && number.is_none_or(|number| number < least)
    {
        faults.push(format!("is not at least {least}"));
    }
    if let Some(most) = wanted.at_most
        && number.is_none_or(|number| number > most)
    {
        faults.push(format!("is not at most {most}"));
    }
    Ok((!faults.is_empty()).then(|| format!("`{}` {}", short(found), faults.join(", and "))))
}

fn equal_numbers(wanted: &Value, found: &str) -> bool {
    wanted
        .as_f64()
        .zip(found.trim().parse::<f64>().ok())
        .is_some_and(|(wanted, found)| wanted.total_cmp(&found).is_eq())
}

/// Commas and colons with a space behind them.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_written_with_spaces() {
        assert_eq!(json(&json!({"a": [1, "x"], "b": null})), r#"{"a": [1, "x"], "b": null}"#);
    }

    #[test]
    fn values_are_compared_as_texts_and_as_numbers() -> Result<(), Failure> {
        let holds = |found: &str, wanted: Value| -> Result<bool, Failure> {
            Ok(compare(found, &serde_json::from_value(wanted)?)?.is_none())
        };
        for (found, wanted, expected) in [
            ("30", json!({"equals": 30}), true),
            ("t", json!({"equals": "t"}), true),
            ("4", json!({"equals": 30}), false),
            ("Failed", json!({"matches": "FAILED|TIMEOUT"}), true),
            ("learn the violin", json!({"differs": "VIOLIN"}), false),
            ("7.5", json!({"atLeast": 5, "atMost": 8}), true),
            ("", json!({"atMost": 8}), false),
        ] {
            assert_eq!(holds(found, wanted.clone())?, expected, "{found} {wanted}");
        }
        Ok(())
    }
}
