//! How a text is looked at. The redaction has no other way, so that a test can count how much it looks at.

/// What stands in the place of what was taken out.
pub const REDACTED: &str = "[redacted]";

/// How many bytes at the start are `of` this kind.
pub(super) fn span(text: &str, of: impl Fn(char) -> bool) -> usize {
    let end = text.find(|c| !of(c)).unwrap_or(text.len());
    count(end + 1);
    end
}

/// How many bytes at the end are `of` this kind.
pub(super) fn span_back(text: &str, of: impl Fn(char) -> bool) -> usize {
    let length = text.len() - text.trim_end_matches(of).len();
    count(length + 1);
    length
}

/// Whether a character may stand within what a sentence tells.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, ')' | ']' | '>' | ',' | ';') && !is_quote(c)
}

/// Where `wanted` is found first.
pub(super) fn find(text: &str, wanted: &str) -> Option<usize> {
    let found = text.find(wanted);
    count(found.map_or(text.len(), |at| at + wanted.len()) + 1);
    found
}

/// Where `wanted` is found last.
pub(super) fn find_back(text: &str, wanted: &str) -> Option<usize> {
    let found = text.rfind(wanted);
    count(text.len() - found.unwrap_or(0) + 1);
    found
}

/// How many bytes at the start are white.
pub(super) fn blank(text: &str) -> usize {
    span(text, char::is_whitespace)
}

pub(super) const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// What a name is made of.
pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// The length of the ARN that a text begins with. Nothing in one is secret, but for people its name is what a story is told by.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
pub(super) fn arn(text: &str) -> Option<usize> {
    let mut at = "arn:".len();
    let mut field = |of: fn(char) -> bool| {
        let length = span(text.get(at..)?, of);
        at += length;
        text[at..].starts_with(':').then(|| at += 1)?;
        Some(length)
    };
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.starts_with("arn:aws") || field(lower)? == 0 || field(lower)? == 0 {
        return None;
    }
    field(lower)?;
    field(|c| c.is_ascii_digit())?;
    let length =
        span(&text[at..], |c| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '_' | '.' | '*' | '-' | '$'));
    // Where it goes on, it is a part of something else.
    let goes_on = text[at + length..].starts_with(['@', '%', '=', '?', '&', '+']);
    (length > 0 && !goes_on).then_some(at + length)
}

/// Says that all of `text` is looked at by other means.
pub(super) fn look(text: &str) {
    count(text.len());
}

#[cfg(not(test))]
const fn count(_: usize) {}

#[cfg(test)]
use counted::count;
#[cfg(test)]
pub(super) use counted::counted;

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static LOOKED_AT: Cell<usize> = const { Cell::new(0) };
    }

    pub fn count(bytes: usize) {
        LOOKED_AT.with(|all| all.set(all.get() + bytes));
    }

    /// How many bytes were looked at meanwhile.
    pub fn counted(work: impl FnOnce()) -> usize {
        let before = LOOKED_AT.with(Cell::get);
        work();
        LOOKED_AT.with(Cell::get) - before
    }
}
