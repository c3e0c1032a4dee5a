//! Takes out the values of names: `name=value`, `name: value`, `"name": value`, `<name>value</name>`, `name is value`,
//! `--name value`; in JSON that is quoted once more as well, and in a URL.

mod said;

use super::extent::{
    Quote, begins_with_name, below, block, has_no_value, is_failure, is_placeholder, item, line, quote, quoted,
    structured, word,
};
use super::names::{Kind, PARTICLES, TOLD_IN_JAPANESE};
use super::scan::{REDACTED, arn, blank, find, is_name, is_of_word, is_quote, span};

/// Takes out the values of all names that give them away.
pub(super) fn take_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    let mut last = Name::default();
    loop {
        let start = at + span(&text[at..], |c| !is_name(c));
        if start == text.len() {
            return out + &text[copied..];
        }
        let name = Name::new(text, at, start, &last);
        at = name.end;
        if name.text == "arn"
            && let Some(length) = arn(&text[name.end - name.text.len()..])
        {
            at += length - name.text.len();
        } else if let Some((kept, length)) = name.value() {
            out.push_str(&text[copied..name.end + kept]);
            out.push_str(REDACTED);
            at += kept + length;
            copied = at;
        }
        last = name;
    }
}

/// A word that may be a name.
#[derive(Default)]
struct Name<'a> {
    text: &'a str,
    /// The word before, where nothing but a blank is between: `API key`.
    first_half: Option<&'a str>,
    /// All that follows.
    after: &'a str,
    /// Where a tag was opened for it.
    tag: Option<Tag<'a>>,
    /// Where it ends in the whole text.
    end: usize,
    /// How far it is indented, where it is the first of its line.
    indent: Option<usize>,
}

/// What `<`, or what stands for it, was opened for.
#[derive(Clone, Copy)]
struct Tag<'a> {
    /// Its name with its prefix: `wsse:Password`.
    name: &'a str,
    /// What ends it: `>`, or what stands for it.
    end: &'static str,
    is_prefixed: bool,
}

/// Where a value begins after its name, and how long it is.
type Place = Option<(usize, usize)>;

impl<'a> Name<'a> {
    /// The name that begins at `start`, where nothing from `from` on belongs to what was before it.
    fn new(whole: &'a str, from: usize, start: usize, last: &Self) -> Self {
        let between = &whole[from..start];
        let until = end_of_name(whole, start);
        let text = &whole[start..until];
        // Where a quote or a bracket is escaped by its number, the number is no part of the name: `\u0022pass`, `%22pass`.
        let number = if between.ends_with('\\') && text.starts_with("u00") {
            5
        } else if between.ends_with('%') {
            2
        } else {
            0
        };
        let opening = match number {
            5 if text.starts_with("u003c") => Some("\\u003e"),
            5 if text.starts_with("u003C") => Some("\\u003E"),
            2 if text.starts_with("3C") => Some("%3E"),
            2 if text.starts_with("3c") => Some("%3e"),
            _ if between == ";" && last.text == "lt" => Some("&gt;"),
            _ if between.ends_with('<') => Some(">"),
            _ => None,
        };
        let text = text.get(number..).unwrap_or(text);
        let tag = match last.tag {
            Some(Tag { name: prefix, end, is_prefixed: false }) if matches!(between, ":" | ".") && from == last.end => {
                Some(Tag { name: &whole[last.end - prefix.len()..until], end, is_prefixed: true })
            }
            _ => opening.map(|end| Tag { name: text, end, is_prefixed: false }),
        };
        let before = between.rfind('\n').map(|at| &between[at + 1..]).or((from == 0).then_some(between));
        let indent =
            before.filter(|before| before.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'-'))).map(str::len);
        Self {
            text,
            first_half: (between == " ").then_some(last.text),
            after: &whole[until..],
            tag,
            end: until,
            indent,
        }
    }

    fn kind(&self) -> Option<Kind> {
        let second_half =
            || ["key", "keys", "word", "phrase", "code", "by"].iter().any(|half| self.text.eq_ignore_ascii_case(half));
        let joined = |first: &str| Kind::of(&format!("{first}{}", self.text));
        Kind::of(self.text).or_else(|| self.first_half.filter(|_| second_half()).and_then(joined))
    }

    /// Where the value is that goes.
    fn value(&self) -> Place {
        if self.is_plain() {
            return None;
        }
        let ways = [
            Self::scheme,
            Self::enclosed,
            Self::assigned,
            Self::paired,
            Self::beside,
            Self::said,
            Self::said_in_japanese,
        ];
        ways.iter().find_map(|way| way(self).filter(|(_, length)| *length > 0))
    }

    /// What follows cannot lead to a value: so it is with nearly all words.
    fn is_plain(&self) -> bool {
        let next = self.after[blank(self.after)..].bytes().next();
        let leads = next.is_some_and(|byte| match byte {
            b':' | b'=' | b'%' | b'"' | b'\'' | b'`' | b'\\' | b'&' | b'(' | b')' | b'>' | b'[' | b'-' => true,
            // `is`, `was`, `are`; `, value`.
            b'i' | b'I' | b'w' | b'W' | b'a' | b'A' | b',' | b'v' | b'V' => true,
            // `%20`, `+`; `()`; `<x>`.
            b'+' | b']' | b'<' => true,
            byte => !byte.is_ascii(),
        });
        let leads = leads || self.told_word().is_some();
        let takes_any = self.text.starts_with('-') || matches!(self.text.len(), 5 | 6) || !self.text.is_ascii();
        !leads && !takes_any && self.tag.is_none()
    }

    /// `Bearer x`, and `Basic x` where that is more than a word: `Basic authentication` is none.
    fn scheme(&self) -> Place {
        let is = |scheme: &str| self.text.eq_ignore_ascii_case(scheme);
        if !is("bearer") && !is("basic") {
            return None;
        }
        let gap = blank(self.after);
        let gap = gap.max(encoded_blank(self.after));
        let value = &self.after[gap..];
        if gap == 0 {
            return None;
        }
        if value.starts_with(REDACTED) {
            return Some((gap, REDACTED.len()));
        }
        if is("bearer") {
            return Some((gap, span(value, |c| !c.is_whitespace() && !is_quote(c))));
        }
        let length = span(value, |c| c.is_ascii_alphanumeric() || "+/-_=".contains(c));
        let rest = value[..length].get(1..)?;
        let is_word =
            rest.bytes().all(|b| b.is_ascii_lowercase()) || value[..length].bytes().all(|b| b.is_ascii_uppercase());
        (length >= 4 && !is_word).then_some((gap, length))
    }

    /// `<name>value</name>`, `<name a="b">value</name>`, also where `<` and `>` are escaped.
    fn enclosed(&self) -> Place {
        let Tag { name, end, .. } = self.tag.filter(|tag| !tag.name.is_empty())?;
        let gap = blank(self.after);
        let attribute = &self.after[gap..];
        let attribute = &attribute[span(attribute, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'))..];
        let at = match self.after[gap..].strip_prefix(end) {
            Some(_) => gap + end.len(),
            // Attributes go with it: they may hold what looks like the end of the tag.
            None if gap > 0 && attribute.starts_with('=') => 0,
            None => return None,
        };
        let value = &self.after[at..];
        // A page's body holds more than a text, and mostly an error's number.
        self.kind().filter(|kind| !has_no_value(*kind, value) && self.text != "body")?;
        // `<user>:<password>@<host>` only says where they stand.
        if value.starts_with("@<") {
            return None;
        }
        let mut to = 0;
        while let Some(found) = find(&value[to..], name) {
            let (before, rest) = value.split_at(to + found);
            let close = CLOSING.iter().find_map(|close| before.strip_suffix(close));
            if let Some(before) = close.filter(|_| !rest[name.len()..].starts_with(is_name)) {
                return Some((at, before.len()));
            }
            to += found + name.len();
        }
        Some((at, value.len()))
    }

    /// `name=value`, `name: value`, `"name": value`.
    fn assigned(&self) -> Place {
        let closing = quote(self.after).map_or(0, |quote| quote.length);
        // `user[password]=`, `db["password"] =`, `getPassword() =`.
        let bracket = ["]", "%5D", "%5d", "()"].iter().find(|bracket| self.after[closing..].starts_with(**bracket));
        let mut at = closing + bracket.map_or(0, |bracket| bracket.len());
        at += blank(&self.after[at..]);
        at += encoded_blank(&self.after[at..]);
        let separator = separator(&self.after[at..])?;
        at += separator.len();
        at += encoded_blank(&self.after[at..]);
        at += span(&self.after[at..], |c| matches!(c, '=' | '>'));
        let gap = blank(&self.after[at..]);
        let value = &self.after[at + gap..];
        let kind = self.kind()?;
        // In a sentence of ours, names are quoted so: "`result`: it must be …".
        let is_field = closing > 0 && !(kind == Kind::Content && self.after.starts_with('`'));
        let is_equal = matches!(separator, "=" | "＝");
        let is_flag = is_equal && ["true ", "false ", "null "].iter().any(|flag| value.starts_with(flag));
        if closing > 0 && !is_field || is_flag || has_no_value(kind, value) {
            return None;
        }
        // A sentence of ours again: "the row has a result: the work was done".
        if !is_field && self.text == "result" && self.first_half == Some("a") {
            return None;
        }
        // What stands on the next line may be the next name: this one has no value.
        let lead = self.after[at..at + gap].rsplit_once('\n').map(|(_, lead)| lead.len());
        let is_below = separator == ":" && self.indent.is_some_and(|indent| lead.is_some_and(|lead| lead > indent));
        if !is_field && !is_below && lead.is_some() && begins_with_name(value) {
            return None;
        }
        at += gap;
        if is_equal && is_placeholder(value) || !is_field && kind == Kind::Content && is_failure(value) {
            return None;
        }
        let length = match (quote(value), kind) {
            // JSON says where its values end; a text that is only quoted somewhere does not.
            (Some(opening), _) if is_field => quoted(value, &opening),
            (None, _) if is_field && !separator.starts_with('%') => structured(value),
            (_, Kind::Content) if !separator.starts_with('%') => value.len(),
            // What followed a value was looked at, and stays.
            (None, _) if value.starts_with(REDACTED) => REDACTED.len(),
            (None, _) if separator.starts_with('%') => word(value),
            (Some(opening), _) => quoted(value, &opening),
            (None, Kind::Header) if !is_below => line(value),
            (None, _) if value.starts_with(['{', '[']) && is_equal => {
                let brackets = structured(value);
                brackets + word(&value[brackets..])
            }
            (None, _) if value.starts_with(['{', '[']) => {
                let brackets = structured(value);
                brackets + line(&value[brackets..])
            }
            (None, _) if is_equal => item(value).unwrap_or_else(|| word(value)),
            (None, _) => block(value).unwrap_or_else(|| match self.indent.filter(|_| separator == ":") {
                Some(indent) => below(value, indent, lead),
                None => line(value),
            }),
        };
        Some((at, length))
    }

    /// The value of what has this name: `"name": "password", "value": "x"`, `<add key="password" value="x"/>`, `<entry key="password">x<`,
    /// `name: password` and `value: x` on the next line.
    fn paired(&self) -> Place {
        let closing = quote(self.after).map_or(0, |quote| quote.length);
        if closing > 0 && self.after[closing..].starts_with('>') {
            let value = &self.after[closing + 1..];
            self.kind()?;
            return Some((closing + 1, span(value, |c| c != '<')));
        }
        let mut at = closing + blank(&self.after[closing..]);
        let is_line = self.after[..at].contains('\n');
        let is_list = self.after[at..].starts_with(',');
        if closing == 0 && !is_line && !is_list {
            return None;
        }
        at += usize::from(is_list);
        at += blank(&self.after[at..]);
        let opening = quote(&self.after[at..]);
        let start = at;
        at += opening.as_ref().map_or(0, |quote| quote.length);
        if !self.after[at..].get(..5).is_some_and(|name| name.eq_ignore_ascii_case("value")) {
            // `["x-api-key", "x"]`.
            let opening = opening.filter(|_| is_list && closing > 0)?;
            self.kind().filter(Kind::is_secret)?;
            return Some((start, quoted(&self.after[start..], &opening)));
        }
        at += 5;
        at += quote(&self.after[at..]).map_or(0, |quote| quote.length);
        at += blank(&self.after[at..]);
        at += separator(&self.after[at..])?.len();
        at += blank(&self.after[at..]);
        let value = &self.after[at..];
        self.kind().filter(|kind| !has_no_value(*kind, value))?;
        Some((at, quote(value).map_or_else(|| structured(value), |opening| quoted(value, &opening))))
    }

    /// `password 'x'`, `setPassword("x")`, `--password x`, and what Step Functions says of an input: `could not be found in the
    /// input '{…}'`.
    fn beside(&self) -> Place {
        let gap = if self.after.starts_with('(') { 1 } else { blank(self.after) };
        let is_option = self.text.starts_with('-') && self.after.starts_with(' ');
        let value = &self.after[gap..];
        let opening = quote(value).filter(|quote| matches!(quote.mark, "\"" | "'" | "`"));
        if opening.is_none() && !is_option {
            let (at, _) = self.told_word()?;
            self.kind().filter(|kind| matches!(kind, Kind::Secret | Kind::Token))?;
            return Some((at, span(&self.after[at..], is_of_word)));
        }
        if gap == 0 {
            return None;
        }
        if is_option && matches!(self.text, "-u" | "--user") {
            // `curl -u user:password`.
            let login = span(value, |c| !c.is_whitespace());
            return value[..login].contains(':').then_some((gap, login));
        }
        let kind = self.kind()?;
        let length = match (opening, kind) {
            // A parser's word for what it did not expect.
            (Some(_), Kind::Token | Kind::Tokens) if !is_option => return None,
            // A sentence of ours: DATABASE_SECRET_ARN `…` must be the ARN of a secret.
            (Some(Quote { mark: "`", .. }), _) if kind != Kind::Secret || self.text.ends_with("_ARN") => return None,
            (Some(opening), Kind::Content) if value[opening.length..].starts_with(['{', '[']) => {
                opening.length + structured(&value[opening.length..])
            }
            (Some(opening), _) => quoted(value, &opening),
            (None, Kind::Content) => return None,
            (None, _) if value.starts_with('-') || has_no_value(kind, value) => return None,
            (None, _) if value.starts_with(REDACTED) => REDACTED.len(),
            (None, _) => span(value, |c| !c.is_whitespace()),
        };
        Some((gap, length))
    }
}

/// What ends a tag of XML.
const CLOSING: [&str; 9] =
    ["</", "<\\/", "&lt;/", "\\u003c/", "\\u003c\\/", "\\u003C/", "\\u003C\\/", "%3C%2F", "%3c%2f"];

/// Where a name ends. A Japanese sentence has no blanks: what is told of a secret there ends with the particle after it.
fn end_of_name(whole: &str, start: usize) -> usize {
    let mut end = start;
    loop {
        end += span(&whole[end..], |c| is_name(c) && !PARTICLES.contains(&c));
        let Some(particle) = whole[end..].chars().next().filter(|c| PARTICLES.contains(c)) else { return end };
        let is_told = TOLD_IN_JAPANESE.iter().any(|told| whole[start..end].ends_with(told));
        end += particle.len_utf8();
        if is_told {
            return end;
        }
    }
}

/// A blank in the encoding of a form.
fn encoded_blank(text: &str) -> usize {
    ["%20", "+"].iter().find(|blank| text.starts_with(**blank)).map_or(0, |blank| blank.len())
}

/// What stands between a name and its value.
fn separator(text: &str) -> Option<&'static str> {
    let separators = [
        ":", "=", "：", "＝", "->", "→", "%3A", "%3a", "%3D", "%3d", "%253A", "%253D", "\\u003d", "\\u003a", "&#61;",
        "&#58;",
    ];
    // `secret::of` is a path.
    separators.into_iter().find(|separator| text.starts_with(separator)).filter(|_| !text.starts_with("::"))
}
