//! The query protocol: a form asks, XML answers. <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use super::wire::{decoded, is_time};

/// A form as JSON: `A.member.1.B=x` is `{"A": [{"B": "x"}]}`.
pub(super) fn read(form: &str) -> Value {
    let mut whole = Value::Object(Map::new());
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name);
        let keys: Vec<&str> = name.split('.').filter(|key| !matches!(*key, "member" | "entry")).collect();
        put(&mut whole, &keys, decoded(&value.replace('+', " ")));
    }
    whole
}

fn put(place: &mut Value, keys: &[&str], value: String) {
    let Some((key, rest)) = keys.split_first() else {
        *place = value.into();
        return;
    };
    match key.parse::<usize>() {
        Ok(number) if number > 0 => {
            if !place.is_array() {
                *place = json!([]);
            }
            if let Some(entries) = place.as_array_mut() {
                if entries.len() < number {
                    entries.resize(number, Value::Null);
                }
                put(&mut entries[number - 1], rest, value);
            }
        }
        _ => {
            if !place.is_object() {
                *place = json!({});
            }
            put(&mut place[*key], rest, value);
        }
    }
}

/// An answer as XML.
pub(super) fn write(call: &str, answer: &Value) -> String {
    let mut xml = String::new();
    element(&mut xml, &format!("{call}Result"), answer);
    format!(
        "<{call}Response>{xml}<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{call}Response>",
        uuid::Uuid::nil()
    )
}

fn element(xml: &mut String, name: &str, value: &Value) {
    let mut inner = String::new();
    match value {
        Value::Null => return,
        Value::Object(fields) => fields.iter().for_each(|(name, value)| element(&mut inner, name, value)),
        Value::Array(entries) => entries.iter().for_each(|entry| match is_time(name) {
            true => element(&mut inner, "member", &time(entry).into()),
            false => element(&mut inner, "member", entry),
        }),
        Value::Number(_) if is_time(name) => inner = time(value),
        Value::String(text) => inner = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        Value::Bool(_) | Value::Number(_) => inner = value.to_string(),
    }
    xml.push_str(&format!("<{name}>{inner}</{name}>"));
}

fn time(value: &Value) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
    let at = value.as_f64().and_then(|at| DateTime::from_timestamp_millis((at * 1000.0) as i64));
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_and_an_answer_written() {
        let asked = read("Action=DescribeAlarms&AlarmNames.member.1=a%20b&AlarmNames.member.2=c&X.Y=1+2");
        assert_eq!(asked, json!({"Action": "DescribeAlarms", "AlarmNames": ["a b", "c"], "X": {"Y": "1 2"}}));
        let answer = write("Do", &json!({"Names": ["<"], "StartTimestamp": 1.5}));
        assert!(answer.contains("<Names><member>&lt;</member></Names>"), "{answer}");
        assert!(answer.contains("<StartTimestamp>1970-01-01T00:00:01.500Z</StartTimestamp>"), "{answer}");
    }
}
