//! Takes secrets, prompts and people's data out of what is shown: pure, and rather too much than too little.
//!
//! What a name gives away (`password`, `accessToken`, `prompt`, `input` …) goes whatever its value looks like; what a value gives
//! away (a JSON web token, an access key, an e-mail address …) goes whatever its name is. A UUID, an ARN and the name of an execution
//! stay: they are what a story is told by.
//!
//! A text is what an application or an attacker wrote, so the work is linear in its length whatever it holds: what was looked at ahead
//! is either taken out or bounded by the next thing that is looked at. All looking goes through [`scan`], where a test counts it.

mod extent;
mod names;
mod scan;
mod shapes;
mod values;

use std::borrow::Cow;

use serde_json::{Map, Value};

use names::Kind;
pub use scan::REDACTED;
use scan::find;

/// How deep JSON is looked into: as deep as `serde_json` reads it. What is deeper goes.
const DEPTH: usize = 128;

/// How often a text is looked at again: as deep as what is hidden in one another can be, with some to spare.
const AGAIN: usize = 3;

/// JSON (an image, an evidence) without what nobody may see. Numbers of tokens stay: they are a model's measure, not its secret.
#[must_use]
pub fn json(value: &Value) -> Value {
    within(value, DEPTH)
}

fn within(value: &Value, depth: usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(string) => text(string).into(),
        Value::Array(_) | Value::Object(_) if depth == 0 => REDACTED.into(),
        Value::Array(items) => items.iter().map(|item| within(item, depth - 1)).collect(),
        Value::Object(fields) => {
            let of_pair = pair(fields);
            let redacted = |(name, value): (&String, &Value)| {
                let kind = Kind::of(name).or_else(|| of_pair.filter(|_| name.eq_ignore_ascii_case("value")));
                (text(name), field(kind, value, depth))
            };
            fields.iter().map(redacted).collect()
        }
    }
}

/// Why the `value` of `{"name": "DB_PASSWORD", "value": …}` goes: so are environments, headers and refused fields told.
fn pair(fields: &Map<String, Value>) -> Option<Kind> {
    let names = ["name", "Name", "key", "Key", "field"];
    names.iter().find_map(|name| Kind::of(fields.get(*name)?.as_str()?))
}

fn field(kind: Option<Kind>, value: &Value, depth: usize) -> Value {
    match (kind, value) {
        (None, _) => within(value, depth - 1),
        // Neither tells anything.
        (Some(_), Value::Null | Value::Bool(_)) => value.clone(),
        (Some(Kind::Tokens), Value::Number(_)) => value.clone(),
        (Some(_), _) => REDACTED.into(),
    }
}

/// A text without what nobody may see: at most four times as long. Done twice, it is the same.
#[must_use]
pub fn text(text: &str) -> String {
    let once = |text: &str| shapes::take_out(&values::take_out(&blocks(text)));
    let mut redacted = once(text);
    if redacted == text {
        return redacted;
    }
    // What is gone may have been a part of another name, or of a tag.
    for _ in 0..AGAIN {
        let again = once(&redacted);
        if again == redacted {
            break;
        }
        redacted = again;
    }
    redacted
}

/// A text without what nobody may see, of at most so many characters.
#[must_use]
pub fn cut(whole: &str, characters: usize) -> String {
    let redacted = text(whole);
    match redacted.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &redacted[..end]),
        None => redacted,
    }
}

/// Takes out what says itself where it begins: keys and certificates in PEM, and the row or the values that PostgreSQL quotes where it refuses
/// a statement.
fn blocks(text: &str) -> Cow<'_, str> {
    const KEY: &str = "-----BEGIN ";
    const QUOTES: [&str; 2] = ["Failing row contains (", "arameters: $1 = "];
    let mut text = Cow::Borrowed(text);
    if let Some(first) = find(&text, KEY) {
        let (mut out, mut rest) = (text[..first].to_owned(), &text[first..]);
        loop {
            let end = find(rest, "-----END ").map_or(rest.len(), |end| end + "-----END ".len());
            rest = &rest[end..];
            rest = &rest[scan::span(rest, |c| c.is_ascii_uppercase() || matches!(c, ' ' | '-'))..];
            out.push_str(REDACTED);
            let Some(next) = find(rest, KEY) else { break };
            out.push_str(&rest[..next]);
            rest = &rest[next..];
        }
        out.push_str(rest);
        text = Cow::Owned(out);
    }
    // Where the row ends nobody can tell: a value may hold anything.
    for begins in QUOTES {
        if let Some(at) = find(&text, begins) {
            let text = text.to_mut();
            text.truncate(at + begins.len());
            text.push_str(REDACTED);
        }
    }
    text
}

#[cfg(test)]
mod tests;
