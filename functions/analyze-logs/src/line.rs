//! What may be shown of a log line. Of JSON, only the fields that are known to be safe; of anything else, what is left of it once
//! secrets and prompts are taken out.

use crate::texts;
use remediation::domain::{Language, Words};
use remediation::gather::logs::Line;
use remediation::gather::logs::said::Said;
use remediation::redact;
use serde_json::{Map, Value};

/// Characters of a message; more than that is a document.
const MESSAGE: usize = 300;
/// Characters of a word: a level, a status, a code.
const WORD: usize = 64;

/// The sentence of a line, and its safe fields.
pub fn told(line: &Line, words: &Words, language: Language) -> (String, Value) {
    let said = Said::of(line, words);
    let Some(own) = said.own() else {
        return (redact::cut(line.message.trim(), MESSAGE), Value::Null);
    };
    let mut safe = Map::new();
    safe.extend(said.level_word().map(|level| ("level".to_owned(), redact::cut(level, WORD).into())));
    for name in ["type", "status", "progress", "duration"] {
        safe.extend(said.field(name, is_scalar).map(|value| (name.to_owned(), shown(value, WORD))));
    }
    let message = said.field("message", is_scalar).map(|value| shown(value, MESSAGE));
    let message = message.or_else(|| said.message().map(|text| redact::cut(text, MESSAGE).into()));
    safe.extend(message.map(|message| ("message".to_owned(), message)));
    let mut error = Map::new();
    error.extend(said.code(words).map(|code| ("code".to_owned(), redact::cut(&code, WORD).into())));
    error.extend(said.error().map(|text| ("message".to_owned(), redact::cut(text, MESSAGE).into())));
    if !error.is_empty() {
        safe.insert("error".to_owned(), error.into());
    }
    let says = ["level", "message", "error", "status"].iter().any(|name| safe.contains_key(*name));
    if !says {
        let names: Vec<&str> = own.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).take(10).collect();
        return (texts::only_names(language, &redact::cut(&names.join(", "), MESSAGE)), Value::Object(safe));
    }
    (sentence(&safe), Value::Object(safe))
}

/// `ERROR message [AI_ERROR: what it says] (type, status, 50 %, 1200 ms)`.
fn sentence(safe: &Map<String, Value>) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let part = |name: &str| safe.get(name).map(word);
    let mut parts: Vec<String> = [part("level"), part("message")].into_iter().flatten().collect();
    if let Some(error) = safe.get("error") {
        let error: Vec<String> = ["code", "message"].iter().filter_map(|name| error.get(name).map(word)).collect();
        parts.push(format!("[{}]", error.join(": ")));
    }
    let units = [("type", ""), ("status", ""), ("progress", " %"), ("duration", " ms")];
    let rest: Vec<String> = units.iter().filter_map(|(name, unit)| Some(part(name)? + unit)).collect();
    if !rest.is_empty() {
        parts.push(format!("({})", rest.join(", ")));
    }
    parts.join(" ")
}

fn is_scalar(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

fn shown(value: &Value, length: usize) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| redact::cut(text, length).into())
}
