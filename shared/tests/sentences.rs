//! Every sentence of the product, in both languages: they name the same values, and nobody chooses between the languages but `text!`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use remediation::redact;

/// The one place that reads the setting, and the one that defines the macro.
const MAY_NAME_A_LANGUAGE: [&str; 2] = ["shared/src/gather/config.rs", "shared/decide/src/texts.rs"];

/// The product's sources: what tests say is nobody's to read.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders = vec![root.join("shared/decide/src"), root.join("shared/src")];
    folders.extend(fs::read_dir(root.join("functions")).unwrap().map(|entry| entry.unwrap().path().join("src")));
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs")
                && path.file_name().is_some_and(|it| it != "tests.rs")
            {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

/// A text in quotes at the beginning, as it is written, and what follows it.
fn literal(source: &str) -> Option<(&str, &str)> {
    let inner = source.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((&inner[..end], &inner[end + 1..]))
}

/// The two texts of a sentence, from behind `text!`.
fn sentence(source: &str) -> Option<(&str, &str)> {
    let (language, rest) = source.strip_prefix('(')?.split_once("ja:")?;
    let (ja, rest) = literal(rest)?;
    let (en, rest) = literal(rest.strip_prefix(',')?.trim_start().strip_prefix("en:")?)?;
    let rest = rest.trim_start();
    let ends = rest.strip_prefix(',').unwrap_or(rest).trim_start().starts_with(')');
    (ends && !language.contains(['"', ';'])).then_some((ja, en))
}

/// The values that a text names, and how they are shown. A pair of words is called `ja` and `en`, and is one value.
fn values(text: &str) -> BTreeSet<String> {
    let text = text.replace("{{", "").replace("}}", "");
    let named = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
    named.map(|(value, _)| if ["ja", "en"].contains(&value) { "word".to_owned() } else { value.to_owned() }).collect()
}

/// A text as it is said: with a word for each of its values.
fn said(text: &str) -> String {
    let text = text.replace("\\\"", "\"").replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    let said = parts.fold(first, |said, part| said + "seven" + part.split_once('}').map_or(part, |(_, rest)| rest));
    said.replace('\u{1}', "{").replace('\u{2}', "}")
}

/// How many sentences a file has, and what is wrong with them.
fn check(name: &str, source: &str) -> (usize, Vec<String>) {
    let (mut count, mut faults) = (0, Vec::new());
    let line_of = |at: usize| source[..at].matches('\n').count() + 1;
    let is_comment =
        |at: usize| source[..at].lines().next_back().is_some_and(|line| line.trim_start().starts_with("//"));
    for (at, call) in source.match_indices("text!").filter(|(at, _)| !is_comment(*at)) {
        count += 1;
        match sentence(&source[at + call.len()..]).map(|(ja, en)| (values(ja), values(en))) {
            None => faults.push(format!("{name}:{}: no text!(language, ja: \"…\", en: \"…\")", line_of(at))),
            Some((ja, en)) if ja != en => {
                faults.push(format!("{name}:{}: the Japanese names {ja:?}, the English {en:?}", line_of(at)));
            }
            Some(_) => {}
        }
        let (ja, en) = sentence(&source[at + call.len()..]).unwrap_or_default();
        let taken = [ja, en].map(said).into_iter().filter(|said| redact::text(said) != *said);
        faults.extend(taken.map(|said| format!("{name}:{}: redaction takes a part of: {said}", line_of(at))));
    }
    if !MAY_NAME_A_LANGUAGE.contains(&name) {
        let product = source.split("#[cfg(test)]").next().unwrap_or_default();
        let chosen = product.match_indices("Language::Ja");
        faults.extend(chosen.map(|(at, _)| format!("{name}:{}: use text! to choose a language", line_of(at))));
    }
    (count, faults)
}

#[test]
fn both_languages_name_the_same_values_in_every_sentence() {
    let checked: Vec<_> = sources().iter().map(|(name, source)| check(name, source)).collect();
    let faults: Vec<_> = checked.iter().flat_map(|(_, faults)| faults.clone()).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let count: usize = checked.iter().map(|(count, _)| count).sum();
    assert!(count > 300, "only {count} sentences were found");
}

#[test]
fn a_sentence_that_names_another_value_or_cannot_be_read_is_found() {
    for (source, fault) in [
        (r#"text!(language, ja: "{a} 件", en: "{a} of them")"#, None),
        (r#"text!(self.language(), ja: "\"{a}\" {{b}}", en: "{a}, {{c}}",)"#, None),
        (r#"text!(language, ja: "{count} {ja}", en: "{count} {en}")"#, None),
        ("// what text! does\n", None),
        (r#"text!(language, ja: "{a} 件", en: "{b} of them")"#, Some("x.rs:1: the Japanese names {\"a\"}")),
        (r#"text!(language, ja: "{a:.0}", en: "{a:.1}")"#, Some("x.rs:1: the Japanese")),
        (r#"text!(language, ja: "a", en: "a {b}")"#, Some("x.rs:1: the Japanese names {}")),
        ("\n\ntext!(language, JA, EN)", Some("x.rs:3: no text!")),
        (r#"text!(language, ja: "{a}", en: "the password is {a}")"#, Some("x.rs:1: redaction takes")),
        (r#"text!(language, en: "a", ja: "a")"#, Some("x.rs:1: no text!")),
        (r#"text!(language, ja: "a", en: format!("a"))"#, Some("x.rs:1: no text!")),
        ("match language {\n Language::Ja => 1 }", Some("x.rs:2: use text!")),
        ("#[cfg(test)]\nmod tests { Language::Ja }", None),
    ] {
        let (_, faults) = check("x.rs", source);
        assert_eq!(faults.len(), usize::from(fault.is_some()), "{source}: {faults:?}");
        assert!(fault.is_none_or(|fault| faults[0].starts_with(fault)), "{source}: {faults:?}");
    }
}
