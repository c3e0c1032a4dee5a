//! `infra/application.schema.json` against the parser: an editor and the CDK app know what the functions know, and tell it in the same words.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use remediation::domain::WORDS;
use remediation::gather::profile::Profile;
use serde_json::Value;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema() -> Value {
    serde_json::from_str(&read("../infra/application.schema.json")).unwrap()
}

/// What is told of a profile.
fn faults(text: &str) -> Vec<String> {
    Profile::parse(text).err().unwrap_or_default()
}

/// The keys that a section may have, as the parser tells them of one that nobody knows; none where keys are free.
fn known(section: &str) -> Vec<String> {
    let told = faults(&format!("{section}nobodys-key = 1.5"));
    let list =
        told.iter().find_map(|fault| fault.split_once("is no key of a profile: it may be ").map(|(_, list)| list));
    list.into_iter().flat_map(|list| list.split(", ")).map(|key| key.trim_matches('`').to_owned()).collect()
}

/// What a key must be, as the parser tells it of `value`.
fn expected(key: &str, value: &str) -> String {
    let (told, start) = (faults(&format!("{key} = {value}")), format!("`{key}` is "));
    let fault = told.iter().find(|fault| fault.starts_with(&start));
    let fault = fault.unwrap_or_else(|| panic!("`{key}` takes {value}: {told:#?}"));
    fault.split_once(": it must be ").unwrap().1.to_owned()
}

/// The schema of a key, with what it refers to.
fn resolved<'a>(schema: &'a Value, of: &'a Value) -> &'a Value {
    of["$ref"].as_str().map_or(of, |reference| schema.pointer(reference.trim_start_matches('#')).unwrap())
}

/// The keys of a schema, as `status.column`, each with what it refers to.
fn keys(schema: &Value) -> BTreeMap<String, &Value> {
    let mut all = BTreeMap::new();
    for (name, of) in schema["properties"].as_object().unwrap() {
        all.insert(name.clone(), resolved(schema, of));
        for (key, of) in of["properties"].as_object().into_iter().flatten() {
            all.insert(format!("{name}.{key}"), resolved(schema, of));
        }
    }
    all
}

#[test]
fn the_schema_knows_the_keys_that_the_parser_knows() {
    let schema = schema();
    let of = |section: &Value| {
        let keys = section["properties"].as_object().map(|keys| keys.keys().cloned().collect::<Vec<_>>());
        keys.unwrap_or_default()
    };
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    assert!(known("").len() > 10, "{:?}", known(""));
    assert_eq!(sorted(of(&schema)), sorted(known("")));
    for key in known("") {
        let section = &schema["properties"][&key];
        let is_section = expected(&key, "1.5").ends_with("a table");
        assert_eq!(is_section, resolved(&schema, section)["type"].to_string().contains("object"), "{key}");
        if is_section && section["additionalProperties"] == false {
            assert_eq!(sorted(of(section)), sorted(known(&format!("{key}."))), "{key}");
        } else if is_section {
            assert_eq!(
                known(&format!("{key}.")),
                Vec::<String>::new(),
                "the parser does not take every key in `{key}`"
            );
        }
    }
}

#[test]
fn the_schema_says_in_the_parsers_words_what_a_key_must_be() {
    let schema = schema();
    for (key, of) in keys(&schema) {
        let title = of["title"].as_str().unwrap_or_else(|| panic!("`{key}` has no title"));
        // Of what is no text the parser says that first; only then what kind of text it must be.
        let first = if of["type"] == "string" { "a text" } else { title };
        assert_eq!(expected(&key, "1.5"), first, "{key}");
        let unfit = format!("\"{}\"", "x.{y}.z".repeat(10));
        if first != title {
            assert_eq!(expected(&key, &unfit), title, "{key}");
        }
        for choice in of["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert_eq!(faults(&format!("{key} = \"{choice}\"")), Vec::<String>::new(), "{key}");
            assert!(title.contains(&format!("`{choice}`")), "{key}");
        }
    }
}

#[test]
fn the_schemas_defaults_are_the_guides_words() {
    let schema = schema();
    let of = |key: &str| {
        let list = schema.pointer(&format!("/properties/{}/default", key.replace('.', "/properties/")));
        let list: Vec<String> = serde_json::from_value(list.unwrap_or_else(|| panic!("{key}")).clone()).unwrap();
        list
    };
    for (key, words) in [
        ("status.pending", WORDS.statuses.pending),
        ("status.processing", WORDS.statuses.processing),
        ("status.waiting", WORDS.statuses.waiting),
        ("status.completed", WORDS.statuses.completed),
        ("status.failed", WORDS.statuses.failed),
        ("status.timed_out", WORDS.statuses.timed_out),
        ("status.cancelled", WORDS.statuses.cancelled),
        ("status.ignored", WORDS.statuses.ignored),
        ("codes.cancelled", WORDS.cancelled),
        ("codes.transient", WORDS.transient),
        ("codes.permanent", WORDS.permanent),
    ] {
        assert_eq!(of(key), words, "{key}");
    }
}

#[test]
fn every_fault_is_told_in_the_words_that_the_cdk_app_is_tested_with() {
    let table: toml::Table = toml::from_str(&read("tests/profile_faults.toml")).unwrap();
    let text = |of: &toml::Table, key: &str| of.get(key).map_or("", |text| text.as_str().unwrap()).to_owned();
    assert_eq!(faults(table["sound"].as_str().unwrap()), Vec::<String>::new());
    for fault in table["fault"].as_array().unwrap() {
        let fault = fault.as_table().unwrap();
        let (sound, alone) = (text(&table, "sound"), text(fault, "alone"));
        let profile =
            if alone.is_empty() { format!("{}\n{sound}{}", text(fault, "top"), text(fault, "rest")) } else { alone };
        let mut expected: Vec<String> = fault["told"].clone().try_into().unwrap();
        let mut told = faults(&profile);
        expected.sort();
        told.sort();
        assert_eq!(told, expected, "{profile}");
    }
}
