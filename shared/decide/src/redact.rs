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
mod statements;
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
        Value::String(string) => within_text(string, depth).into(),
        Value::Array(_) | Value::Object(_) if depth == 0 => REDACTED.into(),
        Value::Array(items) => {
            // `["x-api-key", "…"]`: so are headers told, and entries of a map.
            let named = |at: usize| Kind::of(items.get(at.checked_sub(1)?)?.as_str()?).filter(Kind::is_secret);
            let redacted =
                |(at, item)| named(at).map_or_else(|| within(item, depth - 1), |kind| field(Some(kind), item, depth));
            items.iter().enumerate().map(redacted).collect()
        }
        Value::Object(fields) => {
            let of_pair = pair(fields);
            let redacted = |(name, value): (&String, &Value)| {
                let kind = Kind::of(name).or_else(|| of_pair.filter(|_| is_value(name)));
                (text(name), field(kind, value, depth))
            };
            fields.iter().map(redacted).collect()
        }
    }
}

/// Why the `value` of `{"name": "DB_PASSWORD", "value": …}` goes: so are environments, headers and refused fields told.
fn pair(fields: &Map<String, Value>) -> Option<Kind> {
    let names = ["name", "key", "field", "path", "property", "header", "param"];
    let is_name = |name: &str| names.iter().any(|end| name.to_lowercase().ends_with(end));
    fields.iter().filter(|(name, _)| is_name(name)).find_map(|(_, name)| Kind::of(name.as_str()?))
}

/// Whether a field has the value of a name beside it: `value`, `rejectedValue`, `received`.
fn is_value(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with("value") || matches!(&*name, "val" | "received")
}

/// JSON that is a text within JSON is looked into as JSON: it stays so, and a name in it may be spelt with escapes.
fn within_text(whole: &str, depth: usize) -> String {
    let inner = Some(whole).filter(|whole| depth > 0 && whole.trim_start().starts_with(['{', '[']));
    let Some(value) = inner.and_then(|whole| serde_json::from_str::<Value>(whole).ok()) else { return text(whole) };
    scan::look(whole);
    let redacted = within(&value, depth - 1);
    if redacted == value { whole.to_owned() } else { redacted.to_string() }
}

/// A text that may be JSON as a whole, as the cause of an execution is: it stays what it is.
#[must_use]
pub fn document(text: &str) -> String {
    within_text(text, DEPTH)
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
    const QUOTES: [&str; 4] = ["Failing row contains (", "失敗した行は(", "arameters: $1 = ", "arameter $1 = "];
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
    text = keys(text);
    // Where the row ends nobody can tell: a value may hold anything.
    for begins in QUOTES {
        if let Some(at) = find(&text, begins) {
            let text = text.to_mut();
            text.truncate(at + begins.len());
            text.push_str(REDACTED);
        }
    }
    // Step Functions says in many words what it could not do with a state's input, and quotes it.
    const STATE: &str = "(entered at the event id #";
    if let Some(state) = find(&text, STATE).map(|at| at + STATE.len())
        && let Some(quoted) = statements::of_an_input(&text[state..])
    {
        let text = text.to_mut();
        text.truncate(state + quoted);
        text.push_str(REDACTED);
    }
    statements::options(statements::values(text))
}

/// What PostgreSQL says of a key, `Key (title, user_id)=(…) already exists`: an id or a number stays. Where the values end nobody can tell
/// but by the words behind them.
fn keys(text: Cow<'_, str>) -> Cow<'_, str> {
    const BEGINS: &str = ")=(";
    const BEHIND: [&str; 4] = [") already exists", ") is not present in", ") is still referenced", ") is duplicated"];
    let mut at = 0;
    while let Some(found) = find(&text[at..], BEGINS) {
        at += found + BEGINS.len();
        if at == text.len() {
            break;
        }
        let ids = scan::span(&text[at..], |c| c.is_ascii_hexdigit() || matches!(c, '-' | ',' | ' '));
        let is_id = |id: &str| id.len() == 36 || id.bytes().all(|byte| byte.is_ascii_digit());
        if !text[at + ids..].starts_with(')') || !text[at..at + ids].split(", ").all(is_id) {
            let end = BEHIND.iter().filter_map(|words| scan::find_back(&text[at..], words)).max();
            let end = end.map_or(text.len(), |end| at + end);
            return Cow::Owned(format!("{}{REDACTED}{}", &text[..at], &text[end..]));
        }
        at += ids;
    }
    text
}

#[cfg(test)]
mod tests;
