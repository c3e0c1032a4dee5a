//! How far a value goes.

use super::names::Kind;
use super::scan::{blank, find, is_name, is_quote, span, span_back};

/// Whether there is nothing to hide: a measure, or a word that says so.
pub(super) fn has_no_value(kind: Kind, value: &str) -> bool {
    let words = ["null", "true", "false", "undefined", "None", "nil", "YES", "NO"];
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([',', ';', '}', ']', ')', '&', '<', '\n']);
    kind == Kind::Tokens && value.starts_with(|c: char| c.is_ascii_digit())
        || words.iter().any(|word| value.strip_prefix(word).is_some_and(ends))
}

/// In a statement, what stands for a value that is elsewhere: `$1`, `?`, and `…` where we left it out.
pub(super) fn is_placeholder(value: &str) -> bool {
    let rest = match value.strip_prefix('$') {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => {
            &number[span(number, |c| c.is_ascii_digit())..]
        }
        _ => match value.strip_prefix(['?', '…']) {
            Some(rest) => rest,
            None => return false,
        },
    };
    rest.is_empty()
        || rest.starts_with(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ')'))
        || rest.starts_with("::")
}

/// What a Lambda function returned of its own failure is no content: `Returned payload: {"errorMessage": …`.
pub(super) fn is_failure(value: &str) -> bool {
    let Some(fields) = value.strip_prefix('{') else { return false };
    let name = &fields[blank(fields)..];
    let name = &name[quote(name).map_or(0, |quote| quote.length)..];
    name.starts_with("errorMessage") || name.starts_with("errorType")
}

/// Whether the next name begins here: `STATUS=`, `status: `.
pub(super) fn begins_with_name(text: &str) -> bool {
    let length = span(text, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let (name, rest) = text.split_at(length);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (rest.starts_with(": ")
            || rest.starts_with(":\n")
            || rest.starts_with('=') && !name.contains(|c: char| c.is_lowercase()))
}

/// Up to a blank, a quote, or what comes next in a URL's query.
pub(super) fn word(value: &str) -> usize {
    let mut at = 0;
    loop {
        at += span(&value[at..], |c| !c.is_whitespace() && c != '&' && !is_quote(c));
        let Some(next) = value[at..].strip_prefix('&') else { return at };
        let name = span(next, |c| is_name(c) || matches!(c, '.' | '[' | ']' | '%'));
        if name > 0 && next[name..].starts_with('=') {
            return at;
        }
        at += 1 + name;
    }
}

pub(super) fn line(value: &str) -> usize {
    span(value, |c| c != '\n')
}

/// A value in a list of them, which may hold blanks: `Server=db;Password=a b;Timeout=30`.
pub(super) fn item(value: &str) -> Option<usize> {
    let length = span(value, |c| !matches!(c, ';' | '=' | '&' | '\n') && !is_quote(c));
    // Base64 may end in `=`.
    let length = length + span(&value[length..], |c| c == '=');
    let next = value[length..].strip_prefix(';')?;
    let next = &next[blank(next)..];
    let key = span(next, |c| is_name(c) || c == ' ');
    let is_list = next.is_empty() || next.starts_with(is_quote) || key > 0 && next[key..].starts_with('=');
    is_list.then_some(length)
}

/// A value of several lines in YAML, which are indented.
pub(super) fn block(value: &str) -> Option<usize> {
    let rest = value.strip_prefix(['|', '>'])?;
    let mut at = value.len() - rest.len() + span(rest, |c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '\r'));
    let mut indent = None;
    while let Some(below) = value[at..].strip_prefix('\n') {
        let white = span(below, |c| matches!(c, ' ' | '\t' | '\r'));
        if !below[white..].is_empty()
            && !below[white..].starts_with('\n')
            && white < *indent.get_or_insert(white.max(1))
        {
            break;
        }
        at += 1 + line(below);
    }
    indent.is_some().then_some(at)
}

/// What is below a name in YAML, by its indentation: a text of several lines, a list, a map. `first` is how far the value's first line is
/// indented, where it does not stand beside the name.
pub(super) fn below(value: &str, indent: usize, first: Option<usize>) -> usize {
    let is_list = value.starts_with("- ") && first.is_some();
    let mut at = line(value);
    while let Some(below) = value[at..].strip_prefix('\n') {
        let white = span(below, |c| matches!(c, ' ' | '\t' | '\r'));
        let is_item = is_list && white == indent && below[white..].starts_with("- ");
        if white <= indent && !is_item || below[white..].is_empty() {
            break;
        }
        at += 1 + white + line(&below[white..]);
    }
    at
}

/// A quote at the start.
pub(super) struct Quote {
    /// How long it is, with the backslashes before it.
    pub(super) length: usize,
    backslashes: usize,
    pub(super) mark: &'static str,
}

pub(super) fn quote(text: &str) -> Option<Quote> {
    let marks =
        ["\"", "'", "`", "u0022", "u0027", "%22", "%27", "%2522", "%2527", "&quot;", "&apos;", "&#34;", "&#39;"];
    let backslashes = span(text, |c| c == '\\');
    let mark = marks.into_iter().find(|mark| text[backslashes..].starts_with(mark))?;
    let is_escape = mark.starts_with('u');
    (!is_escape || backslashes > 0).then_some(Quote { length: backslashes + mark.len(), backslashes, mark })
}

/// The length of a quoted value, its quotes included; all of the text where it is not closed.
pub(super) fn quoted(text: &str, opening: &Quote) -> usize {
    let mut at = opening.length;
    while let Some(found) = find(&text[at..], opening.mark) {
        let before = &text[at..at + found];
        let backslashes = span_back(before, |c| c == '\\');
        let closes = match (opening.mark.as_bytes()[0], opening.backslashes) {
            (b'%', _) => !before.ends_with("%5C") && !before.ends_with("%5c"),
            (b'&', _) => true,
            (b'u', depth) => (1..=depth).contains(&backslashes),
            // Within, a quote has more backslashes than those around it; a pair of them is a backslash itself.
            (_, 0) => backslashes % 2 == 0,
            (_, depth) => backslashes <= depth,
        };
        at += found + opening.mark.len();
        // In SQL and YAML, two of them are one.
        if closes && opening.mark == "'" && opening.backslashes == 0 && text[at..].starts_with('\'') && found > 0 {
            at += 1;
        } else if closes {
            return at;
        }
    }
    text.len()
}

/// The length of a JSON value that is no string: a number or a word, or all that its brackets hold.
pub(super) fn structured(text: &str) -> usize {
    if !text.starts_with(['{', '[']) {
        return span(text, |c| !matches!(c, ',' | '}' | ']' | '\n'));
    }
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        at += span(&text[at..], |c| !matches!(c, '{' | '[' | '}' | ']' | '\\') && !is_quote(c));
        let rest = &text[at..];
        match rest.bytes().next() {
            None => return text.len(),
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') => depth -= 1,
            Some(_) => {
                at += quote(rest).map_or_else(|| span(rest, |c| c == '\\'), |opening| quoted(rest, &opening));
                continue;
            }
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
}
