//! Takes out what looks like a secret or an address, whatever its name is.

use std::borrow::Cow;

use super::scan::{REDACTED, arn, find, find_back, is_quote, look, span, span_back};

/// How the keys of well-known services begin. <https://docs.github.com/code-security/secret-scanning>
const PREFIXES: [&str; 20] = [
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "npm_",
    "whsec_",
    "hf_",
    "dckr_pat_",
    "shpat_",
    "pplx-",
];

/// What is shorter is no key of any kind.
const SHORTEST: usize = 12;

/// Takes out all of it.
pub(super) fn take_out(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || is_quote(c) || matches!(c, '<' | '>' | '\\');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = span(rest, |c| !ends(c));
        word(&rest[..end], &mut out);
        let next = end + span(&rest[end..], ends);
        out.push_str(&rest[end..next]);
        rest = &rest[next..];
    }
    out
}

/// A word without the user and password of a URL, and without any part of a telling shape.
fn word(word: &str, out: &mut String) {
    let is_address = has_at(word);
    if word.len() < SHORTEST && !is_address {
        return out.push_str(word);
    }
    let mut word = Cow::Borrowed(word);
    // One within another, as many as there are ways to write it.
    for _ in 0..if is_address { 4 } else { 0 } {
        let Some((from, to)) = login(&word) else { break };
        word.to_mut().replace_range(from..to, REDACTED);
    }
    let mut rest = &*word;
    while let Some(at) = find(rest, "arn:aws") {
        // An ARN says what it is, however long the name in it.
        let arn = arn(&rest[at..]);
        let (before, from) = rest.split_at(if arn.is_some() { at } else { at + "arn:".len() });
        parts(before, out);
        let (arn, after) = from.split_at(arn.unwrap_or(0));
        out.push_str(arn);
        rest = after;
    }
    parts(rest, out);
}

fn has_at(text: &str) -> bool {
    look(text);
    text.bytes().any(|byte| matches!(byte, b'@' | b'%'))
}

/// Where the user and password of a word are: `scheme://user:password@host`, `user:password@host`, and in a URL's encoding.
fn login(word: &str) -> Option<(usize, usize)> {
    let scheme = find(word, "://").map(|at| at + "://".len());
    let plain = scheme.map_or_else(|| bare_login(word, ":", "@"), |from| url_login(word, from));
    let encoded = || [("%3A", "%40"), ("%3a", "%40")].into_iter().find_map(|(colon, at)| bare_login(word, colon, at));
    plain.filter(|(from, to)| &word[*from..*to] != REDACTED).or_else(encoded)
}

fn url_login(word: &str, from: usize) -> Option<(usize, usize)> {
    let rest = &word[from..];
    let to = find_back(rest, "@")?;
    let authority = &rest[..span(rest, |c| !matches!(c, '/' | '?' | '#'))];
    let port = authority.split_once(':').map_or("", |(_, port)| port);
    let is_plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !authority.contains('@');
    // A password may hold a slash; and where one URL follows another, nobody can tell where the first one ends.
    (!is_plain || find(rest, "://").is_some()).then_some((from, from + to))
}

fn bare_login(word: &str, colon: &str, at: &str) -> Option<(usize, usize)> {
    let user = find(word, colon)?;
    let host = find_back(word, at)?;
    let from = user - span_back(&word[..user], |c| c.is_ascii_alphanumeric() || "._+~@%-".contains(c));
    // `postgres:17@sha256:…` is an image.
    (user + colon.len() < host && !word[host..].starts_with("@sha256:")).then_some((from, host))
}

/// The parts of a word, or what stands in their place.
fn parts(word: &str, out: &mut String) {
    runs(word, |c| c.is_ascii_alphanumeric() || "+/=_.@%-".contains(c), out, addresses);
}

/// What is `of` this kind goes through `each`; what is between stays.
fn runs(text: &str, of: impl Fn(char) -> bool, out: &mut String, each: impl Fn(&str, &mut String)) {
    let mut rest = text;
    while !rest.is_empty() {
        let (between, from) = rest.split_at(span(rest, |c| !of(c)));
        let (run, after) = from.split_at(span(from, &of));
        out.push_str(between);
        each(run, out);
        rest = after;
    }
}

/// E-mail addresses: `taro@example.com`, `taro%40example.com`.
fn addresses(part: &str, out: &mut String) {
    if !has_at(part) {
        return keys(part, out);
    }
    let (mut from, mut at) = (0, 0);
    loop {
        at += span(&part[at..], |c| c != '@' && c != '%');
        let mark = if part[at..].starts_with("%40") { 3 } else { 1 };
        if at == part.len() {
            break;
        }
        let is_mark = mark == 3 || part[at..].starts_with('@');
        let local = span_back(&part[from..at], |c| c.is_ascii_alphanumeric() || "._+-".contains(c));
        let domain = span(&part[at + mark..], |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        let domain = domain_of(&part[at + mark..at + mark + domain]);
        if is_mark && local > 0 && domain > 0 {
            keys(&part[from..at - local], out);
            out.push_str(REDACTED);
            from = at + mark + domain;
            at = from;
        } else {
            at += mark;
        }
    }
    keys(&part[from..], out);
}

/// The length of the domain at the start: it ends in a name, so that `1.2.3` is a version.
fn domain_of(text: &str) -> usize {
    let (mut at, mut length) = (0, 0);
    for label in text.split('.') {
        if at > 0 && label.len() >= 2 && label.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            length = at + label.len();
        }
        at += label.len() + 1;
    }
    length
}

/// Access keys, with what they are joined to, and what is between them.
fn keys(part: &str, out: &mut String) {
    if part.len() < SHORTEST {
        return out.push_str(part);
    }
    let joins = |c: char| c.is_ascii_alphanumeric() || "+_.-".contains(c);
    let (mut from, mut at) = (0, 0);
    while at < part.len() {
        let start = at + span(&part[at..], |c| !joins(c));
        at = start + span(&part[start..], joins);
        if has_access_key(&part[start..at]) {
            long_words(&part[from..start], out);
            out.push_str(REDACTED);
            from = at;
        }
    }
    long_words(&part[from..], out);
}

/// `token.signature`, `name=value`: each of its own.
fn long_words(part: &str, out: &mut String) {
    runs(
        part,
        |c| c.is_ascii_alphanumeric() || "+/_-".contains(c),
        out,
        |run, out| {
            // A slash at an end is a path's, or a tag's.
            let key = run.trim_matches('/');
            out.push_str(&if is_key(key) { run.replace(key, REDACTED) } else { run.to_owned() });
        },
    );
}

/// An access key's id, anywhere within: it begins with AKIA, or ASIA where it is temporary, and has 20 characters.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
fn has_access_key(part: &str) -> bool {
    if part.len() < 20 {
        return false;
    }
    look(part);
    let of_key = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_key =
        |bytes: &[u8]| [b"AKIA", b"ASIA"].iter().any(|begin| bytes.starts_with(*begin)) && bytes.iter().all(of_key);
    part.as_bytes().windows(20).any(is_key)
}

/// Long and without a word in it: base64 of some 24 bytes and more (a part of a JSON web token begins so even when it is short), or a
/// digest in hexadecimal. UUIDs have dashes, and neither they nor an execution's name have letters of both cases.
fn is_key(run: &str) -> bool {
    if run.len() < SHORTEST {
        return false;
    }
    look(run);
    let has = |of: fn(&u8) -> bool| run.as_bytes().iter().any(of);
    let has_digit = has(u8::is_ascii_digit);
    let mixed = || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has_digit;
    let long = run.len() >= 32;
    run.starts_with("eyJ")
        || run.len() >= 20 && has_digit && PREFIXES.iter().any(|prefix| run.starts_with(prefix))
        || long && run.bytes().all(|byte| byte.is_ascii_hexdigit())
        || long && mixed() && !is_of_a_stack(run) && !is_of_words(run)
}

/// The name of what a CDK stack has made: the construct's path, 8 digits of its digest, and what `CloudFormation` adds:
/// `Api-WorkerFunction8F3B2C1D-kX9AbCdEf12Z`.
fn is_of_a_stack(name: &str) -> bool {
    let Some((logical, added)) = name.rsplit_once('-') else { return false };
    let digest = logical.len().checked_sub(8).and_then(|at| logical.get(at..));
    (8..=14).contains(&added.len())
        && added.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && digest
            .is_some_and(|digest| digest.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)))
        && !logical.contains(['+', '='])
}

/// At least half of it are words, of four small letters and more: so is `UpdateStatusToProcessing2`, and next to no key.
fn is_of_words(run: &str) -> bool {
    let words = run.split(|c: char| !c.is_ascii_lowercase()).filter(|word| word.len() >= 4);
    words.map(str::len).sum::<usize>() * 2 >= run.len()
}
