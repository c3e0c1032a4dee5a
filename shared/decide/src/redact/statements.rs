//! Takes out what stands in the words of others without a name before it: what Step Functions quotes of a state's input, the values of an
//! INSERT, the password of a command line.

use std::borrow::Cow;

use super::scan::{REDACTED, blank, find, is_quote, look, span};

/// Words of Step Functions behind which a value of the input stands, and words that may follow all the same: `could not be found in the
/// input`, `The value for the field`.
const LEADS: [&str; 4] = ["found", "value", "argument", "error:"];
const FOLLOWS: [&str; 9] = ["in", "for", "of", "at", "is", "must", "was", "does", "could"];

/// Words that name what they quote: a state, a field, a path.
const NAMES: [&str; 7] = ["state", "field", "parameter", "variable", "function", "JSONPath", "path"];

/// Where, in what Step Functions says of a state, the first thing may stand that is of its input.
pub(super) fn of_an_input(text: &str) -> Option<usize> {
    look(text);
    let (mut at, mut last) = (0, "");
    for word in text.split_inclusive(char::is_whitespace) {
        let start = at;
        at += word.len();
        let word = word.trim_end();
        let bare = word.trim_start_matches('(');
        let is_quoted = bare.starts_with(is_quote);
        if is_quoted && !(NAMES.contains(&last) && is_path(bare)) && !is_path_alone(bare) {
            return Some(start + word.len() - bare.len());
        }
        if let Some(brace) = bare.find('{') {
            return Some(start + word.len() - bare.len() + brace);
        }
        let follows = bare.trim_end_matches(|c: char| c.is_ascii_punctuation());
        if !bare.is_empty() && !is_quoted && LEADS.contains(&last) && !FOLLOWS.contains(&follows) {
            return Some(start);
        }
        if !word.is_empty() {
            last = word;
        }
    }
    None
}

/// `'$.a.b'`, `'reason.$':`: one word that is quoted, and holds no value.
fn is_path(word: &str) -> bool {
    let inner = word.trim_end_matches([':', ',', '.', ')']);
    let quote = inner.chars().next().filter(|_| inner.len() > 2);
    let inner = quote.and_then(|quote| inner[1..].strip_suffix(quote));
    inner.is_some_and(|inner| {
        inner.chars().all(|c| c.is_alphanumeric() || matches!(c, '$' | '.' | '_' | '-' | '[' | ']' | '*' | '@'))
    })
}

fn is_path_alone(word: &str) -> bool {
    is_path(word) && word[1..].starts_with('$')
}

/// Takes out the values of an INSERT: `VALUES ('a', 2), ('b', 3)`. Placeholders stay, and numbers where nothing else is there.
pub(super) fn values(text: Cow<'_, str>) -> Cow<'_, str> {
    let Some(first) = first_of(&text, &["VALUES", "values", "Values"]) else { return text };
    let (mut out, mut rest) = (text[..first].to_owned(), &text[first..]);
    loop {
        let word = "VALUES".len();
        let mut at = word;
        loop {
            let open = at + blank(&rest[at..]);
            let Some(list) = rest[open..].strip_prefix('(') else { break };
            let (length, is_telling) = list_of_values(list);
            out.push_str(&rest[if at == word { 0 } else { at }..open]);
            out.push('(');
            out.push_str(if is_telling { REDACTED } else { &list[..length] });
            at = open + 1 + length;
            if !rest[at..].starts_with(')') {
                break;
            }
            out.push(')');
            at += 1;
            let comma = blank(&rest[at..]);
            if !rest[at + comma..].starts_with(',') {
                break;
            }
            out.push_str(&rest[at..=at + comma]);
            at += comma + 1;
        }
        if at == word {
            out.push_str(&rest[..word]);
        }
        rest = &rest[at..];
        let Some(next) = first_of(rest, &["VALUES", "values", "Values"]) else { break };
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(out + rest)
}

fn first_of(text: &str, words: &[&str]) -> Option<usize> {
    let found = text.bytes().enumerate().find_map(|(at, byte)| {
        let is_first = matches!(byte, b'V' | b'v') && words.iter().any(|word| text[at..].starts_with(word));
        is_first.then_some(at)
    });
    look(&text[..found.unwrap_or(text.len())]);
    found
}

/// How long a list is up to its closing bracket, and whether it holds a text.
fn list_of_values(list: &str) -> (usize, bool) {
    let (mut depth, mut within, mut is_telling) = (0_usize, None, false);
    let end = list.char_indices().find_map(|(at, c)| {
        match (within, c) {
            (Some(quote), c) if c == quote => within = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => (within, is_telling) = (Some(c), true),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => return Some(at),
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
        None
    });
    let end = end.unwrap_or(list.len());
    look(&list[..end]);
    (end, is_telling)
}

/// Commands that take a password by `-p`.
const COMMANDS: [&str; 5] = ["mysql", "mysqldump", "mysqladmin", "mariadb", "sshpass"];

/// Takes out the password of a command line: `mysql -u app -phunter2`, `sshpass -p hunter2`.
pub(super) fn options(text: Cow<'_, str>) -> Cow<'_, str> {
    if find(&text, " -p").is_none() {
        return text;
    }
    look(&text);
    let (mut out, mut is_command, mut is_password) = (String::with_capacity(text.len()), false, false);
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let bare = &bare[..span(bare, |c| !matches!(c, '"' | '\\' | ';'))];
        let password = match bare.strip_prefix("-p") {
            _ if std::mem::take(&mut is_password) && !bare.starts_with('-') => Some(0),
            Some("") if is_command => {
                is_password = true;
                None
            }
            Some(glued) if is_command && glued != REDACTED => Some("-p".len()),
            _ => None,
        };
        match password.filter(|at| *at < bare.len()) {
            Some(at) => {
                out.push_str(&word[..at]);
                out.push_str(REDACTED);
                out.push_str(&word[bare.len()..]);
            }
            None => out.push_str(word),
        }
        let name = bare.rsplit(['/', '\'', '`', ':', '=']).next().unwrap_or(bare);
        let ends = word.ends_with('\n') || bare.len() < word.trim_end().len() || matches!(bare, "|" | "&&" | "||");
        is_command = (is_command || COMMANDS.contains(&name)) && !ends;
        is_password &= is_command;
    }
    Cow::Owned(out)
}
