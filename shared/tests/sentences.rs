//! Every sentence of the product, in both languages: they name the same values, and nobody chooses between the languages but `text!`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use harness::paths;
use remediation::domain::{ExecutionStatus, Language, WORDS};
use remediation::gather::error::Error;
use remediation::gather::parameters::Parameters;
use remediation::gather::trigger::decode::decode;
use remediation::redact;
use serde_json::{Value, json};

/// The one place that reads the setting, the one that defines the macro, and the one that holds both.
const MAY_NAME_A_LANGUAGE: [&str; 3] =
    ["shared/src/gather/config.rs", "shared/decide/src/texts.rs", "shared/decide/src/domain/language.rs"];

/// The product's sources: what tests say is nobody's to read.
fn sources() -> Vec<(String, String)> {
    paths::sources().unwrap().into_iter().filter(|(name, _)| !name.ends_with("/tests.rs")).collect()
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

/// What a told error names: numbers, settings, statements, fields, codes. Words of prose differ between the languages, and so do these few.
fn named(told: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "_:.<>$".contains(c);
    let words = told.split(|c| !word(c)).map(|word| word.trim_matches([':', '.']));
    let name = |word: &&str| {
        let inner = word.get(1..).unwrap_or_default();
        inner.contains(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_:.<>".contains(c))
    };
    words.filter(name).map(str::to_owned).collect()
}

/// What an operator's event is answered with.
fn event(event: Value) -> Error {
    decode(event, &WORDS, &"$.generationResult.Payload".parse().unwrap(), &["cancel"]).map(drop).unwrap_err().into()
}

/// What a step's own parameter is answered with.
fn parameter<T>(read: impl FnOnce(Parameters<'_>) -> Result<T, Error>) -> Error {
    let Value::Object(map) = json!({ "it": [] }) else { unreachable!() };
    read(Parameters(&map)).map(drop).unwrap_err()
}

#[test]
fn every_error_is_told_in_both_languages_and_names_the_same() {
    let alarm = |source: &str, state: &str, at: &str| json!({ "source": source, "alarmData": { "alarmName": "it", "state": { "value": state, "timestamp": at } } });
    let aws = |detail: Value| {
        json!({ "source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail,
                "id": "1", "account": "1", "region": "r", "time": "2026-01-01T00:00:00Z", "resources": [] })
    };
    let arn = "arn:aws:states:eu:1:execution:m:n";
    let mut errors = vec![
        Error::OutOfTime,
        Error::silence("connecting", Duration::from_secs(5)),
        Error::database("storing a plan")(sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into())),
        Error::database("reading the plan")(sqlx::Error::PoolClosed),
        Error::no_answer("DescribeAlarms"),
        parameter(|it| it.flag("it")),
        parameter(|it| it.whole("it", 1..=77)),
        parameter(|it| it.id("it")),
        parameter(|it| it.text("it")),
        parameter(|it| it.span("it", 60..=86_400)),
    ];
    for wrong in [
        json!([1]),
        json!({ "hello": 1 }),
        json!({ "Records": [{}] }),
        json!({ "Records": [{ "Sns": { "Message": "no JSON" } }, {}] }),
        json!({ "Records": [{ "Sns": { "Message": "no JSON" } }] }),
        json!({ "detail-type": "Object Created" }),
        json!({ "source": "aws.s3", "detail-type": "Object Created", "detail": {}, "time": "2026-01-01T00:00:00Z" }),
        json!({ "all": true, "processID": 1 }),
        json!({ "all": false }),
        json!({ "all": true, "processId": "x" }),
        json!({ "processId": "4711" }),
        json!({ "executionArn": "x" }),
        json!({ "approve": null }),
        json!({ "approve": "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c", "mode": "propose" }),
        json!({ "undo": "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c", "mode": "propose" }),
        json!({ "approve": "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c", "cancel": true }),
        json!({ "report": "1y" }),
        json!({ "all": true, "mode": "dare" }),
        json!({ "all": true, "limit": 0 }),
        json!({ "all": true, "depth": 9 }),
        json!({ "all": true, "reason": "" }),
        json!({ "schedule": "daily", "processId": "x" }),
        json!({ "schedule": 1 }),
        alarm("x", "OK", "2026-01-01T00:00:00Z"),
        alarm("aws.cloudwatch", "FINE", "2026-01-01T00:00:00Z"),
        alarm("aws.cloudwatch", "OK", "today"),
        aws(json!({})),
        aws(json!({ "executionArn": arn, "status": "RUNNING", "startDate": "today" })),
        aws(json!({ "executionArn": arn, "status": "RUNNING", "startDate": 1, "redriveCount": -1 })),
        aws(json!({ "executionArn": arn, "status": "RUNNING", "startDate": 1, "input": {} })),
    ] {
        errors.push(event(wrong));
    }
    errors.push(Error::said(|language| "DONE".parse::<ExecutionStatus>().unwrap_err().told(language)));
    for error in errors {
        let (ja, en) = (error.told(Language::Ja), error.told(Language::En));
        assert!(!ja.is_ascii() && en.is_ascii(), "{ja}\n{en}");
        assert_eq!(named(&ja), named(&en), "{ja}\n{en}");
        assert_eq!((redact::text(&ja), redact::text(&en)), (ja, en.clone()), "redaction takes no part of it");
        assert_eq!(error.to_string(), en, "what is logged is English");
    }
}
