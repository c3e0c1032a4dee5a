//! Takes secrets, prompts and people's data out of what is shown: pure, and rather too much than too little.
//!
//! What a name gives away (`password`, `accessToken`, `prompt`, `input` …) goes whatever its value looks like; what a value gives
//! away (a JSON web token, an access key, an e-mail address …) goes whatever its name is. A UUID, an ARN and the name of an execution
//! stay: they are what a story is told by.

use serde_json::Value;

/// What stands in the place of what was taken out.
pub const REDACTED: &str = "[redacted]";

/// JSON without what nobody may see. Numbers of tokens stay: they are a model's measure, not its secret.
#[must_use]
pub fn json(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(string) => text(string).into(),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), field(name, value))).collect(),
    }
}

fn field(name: &str, value: &Value) -> Value {
    match (Kind::of(name), value) {
        (None, _) => json(value),
        (Some(_), Value::Null) => Value::Null,
        (Some(Kind::Tokens), Value::Number(_)) => value.clone(),
        (Some(_), _) => REDACTED.into(),
    }
}

/// A text without what nobody may see. Done twice, it is the same.
#[must_use]
pub fn text(text: &str) -> String {
    shapes(&names(text))
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

/// Why a name's value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A credential: one word, or one line.
    Secret,
    /// As a secret, but for a number: how many of a model's tokens there were.
    Tokens,
    /// What a user or a model has written: it may be long, and of many lines.
    Content,
}

impl Kind {
    /// By the name's letters and digits alone: `API_KEY`, `x-api-key` and `apiKey` are the same.
    fn of(name: &str) -> Option<Self> {
        const SECRETS: [&str; 12] = [
            "password",
            "passwd",
            "pwd",
            "passphrase",
            "secret",
            "apikey",
            "accesskey",
            "privatekey",
            "authorization",
            "cookie",
            "credential",
            "パスワード",
        ];
        const CONTENTS: [&str; 11] = [
            "prompt",
            "messages",
            "content",
            "param",
            "input",
            "output",
            "result",
            "body",
            "completion",
            "payload",
            "プロンプト",
        ];
        let name = name.replace(['_', '-'], "").to_lowercase();
        let singular = name.strip_suffix('s').unwrap_or(&name);
        if SECRETS.iter().any(|secret| name.contains(secret)) || name.ends_with("token") {
            Some(Self::Secret)
        } else if name.ends_with("tokens") {
            Some(Self::Tokens)
        } else if CONTENTS.iter().any(|content| name.ends_with(content) || singular.ends_with(content)) {
            Some(Self::Content)
        } else {
            None
        }
    }
}

/// Takes out the values of names: `name=value`, `name: value`, `"name": value`, in JSON that is quoted once more as well.
fn names(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_name(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(name);
        let kept = match named_value(name, after) {
            Some((kept, value)) => {
                out.push_str(&after[..kept]);
                out.push_str(REDACTED);
                kept + value
            }
            None => 0,
        };
        rest = &after[kept..];
    }
    out + rest
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Where the value of a name is that goes: how many bytes after the name stay, and how many go then.
fn named_value(name: &str, after: &str) -> Option<(usize, usize)> {
    if name.eq_ignore_ascii_case("bearer") {
        let gap = blank(after);
        let value = &after[gap..];
        let length = value.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(value.len());
        return (gap > 0 && length > 0).then_some((gap, length));
    }
    let kind = Kind::of(name)?;
    let closing = quote(after).map_or(0, |(length, _)| length);
    let mut at = closing + blank(&after[closing..]);
    let separator = after[at..].chars().next().filter(|c| matches!(c, ':' | '=' | '：' | '＝'))?;
    at += separator.len_utf8();
    if after[at..].starts_with('>') {
        at += 1;
    }
    at += blank(&after[at..]);
    let value = &after[at..];
    if kind == Kind::Tokens && value.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let length = match (quote(value), kind) {
        // JSON says where its values end; a text that is only quoted somewhere does not.
        (Some(opening), _) if closing > 0 => quoted(value, opening),
        (None, _) if closing > 0 => structured(value),
        (_, Kind::Content) => value.len(),
        // What followed a quoted value was looked at, and stays.
        (None, _) if value.starts_with(REDACTED) => REDACTED.len(),
        (Some(opening), Kind::Secret | Kind::Tokens) => quoted(value, opening),
        (None, Kind::Secret | Kind::Tokens) if matches!(separator, '=' | '＝') => {
            value.find(|c: char| c.is_whitespace() || c == '&' || is_quote(c)).unwrap_or(value.len())
        }
        (None, Kind::Secret | Kind::Tokens) => value.find('\n').unwrap_or(value.len()),
    };
    (length > 0).then_some((at, length))
}

fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// A quote at the start, with the backslashes before it: its length, and how many those are.
fn quote(text: &str) -> Option<(usize, usize)> {
    let backslashes = text.len() - text.trim_start_matches('\\').len();
    text[backslashes..].starts_with(is_quote).then_some((backslashes + 1, backslashes))
}

/// The length of a quoted value, its quotes included; all of the text where it is not closed.
fn quoted(text: &str, (length, depth): (usize, usize)) -> usize {
    let mark = text.as_bytes()[length - 1];
    let mut backslashes = 0;
    for (at, byte) in text.bytes().enumerate().skip(length) {
        if byte == b'\\' {
            backslashes += 1;
            continue;
        }
        // Within, a quote has more backslashes than those around it; a pair of them is a backslash itself.
        let closes = if depth == 0 { backslashes % 2 == 0 } else { backslashes <= depth };
        if byte == mark && closes {
            return at + 1;
        }
        backslashes = 0;
    }
    text.len()
}

/// The length of a JSON value that is no string: a number or a word, or all that its brackets hold.
fn structured(text: &str) -> usize {
    if !text.starts_with(['{', '[']) {
        return text.find([',', '}', ']', '\n']).unwrap_or(text.len());
    }
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(c) = text[at..].chars().next() {
        if let Some(opening) = quote(&text[at..]) {
            at += quoted(&text[at..], opening);
            continue;
        }
        at += c.len_utf8();
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Takes out what looks like a secret or an address.
fn shapes(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || is_quote(c) || matches!(c, '<' | '>' | '\\');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(ends).unwrap_or(rest.len());
        out.push_str(&word(&rest[..end]));
        let next = rest[end..].chars().next().map_or(end, |c| end + c.len_utf8());
        out.push_str(&rest[end..next]);
        rest = &rest[next..];
    }
    out
}

/// A word without the user and password of a URL, and without any part of a telling shape.
fn word(word: &str) -> String {
    let (before, rest) = match word.find("://").map(|at| word.split_at(at + 3)) {
        Some((scheme, rest)) => (scheme.to_owned(), rest),
        None => (String::new(), word),
    };
    let login = rest.rfind('@').filter(|_| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let port = authority.split_once(':').map_or("", |(_, port)| port);
        let is_plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !authority.contains('@');
        // A password may hold a slash; and where one URL follows another, nobody can tell where the first one ends.
        !before.is_empty() && (!is_plain || rest.contains("://"))
    });
    let (login, rest) = login.map_or(("", rest), |at| (REDACTED, &rest[at..]));
    let mut out = before + login;
    let mut rest = rest;
    let of_shape = |c: char| c.is_ascii_alphanumeric() || "+/=_.@%-".contains(c);
    while let Some(start) = rest.find(of_shape) {
        let (between, from) = rest.split_at(start);
        let end = from.find(|c| !of_shape(c)).unwrap_or(from.len());
        out.push_str(between);
        out.push_str(&part(&from[..end]));
        rest = &from[end..];
    }
    out + rest
}

/// A part of a word, or what stands in its place.
fn part(part: &str) -> String {
    if is_mail(part) || is_access_key(part) {
        return REDACTED.to_owned();
    }
    // `token.signature`, `name=value`: each of its own.
    let of_key = |c: char| c.is_ascii_alphanumeric() || "+/_-".contains(c);
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some(start) = rest.find(of_key) {
        let (between, from) = rest.split_at(start);
        let end = from.find(|c| !of_key(c)).unwrap_or(from.len());
        out.push_str(between);
        out.push_str(if is_key(&from[..end]) { REDACTED } else { &from[..end] });
        rest = &from[end..];
    }
    out + rest
}

fn is_mail(part: &str) -> bool {
    part.rsplit_once('@').is_some_and(|(local, domain)| {
        local.ends_with(|c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c))
            && domain.trim_matches('.').contains('.')
    })
}

/// An access key's id, anywhere within: it begins with AKIA, or ASIA where it is temporary, and has 20 characters.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
fn is_access_key(part: &str) -> bool {
    let begins = |at: usize| part[at..].starts_with("AKIA") || part[at..].starts_with("ASIA");
    let of_key = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (0..part.len()).any(|at| begins(at) && part.as_bytes()[at..].iter().take_while(|byte| of_key(byte)).count() >= 20)
}

/// Long and without a word in it: base64 of some 24 bytes and more (a part of a JSON web token begins so even when it is short), or a
/// digest in hexadecimal. UUIDs have dashes, and neither they nor an execution's name have letters of both cases.
fn is_key(run: &str) -> bool {
    let has = |of: fn(&u8) -> bool| run.as_bytes().iter().any(of);
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    let token = run.starts_with("eyJ") && run.len() >= 12;
    token || mixed && run.len() >= 32 || run.len() >= 32 && run.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
