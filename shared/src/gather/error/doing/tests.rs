#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use super::*;
use crate::gather::error::Error;
use crate::redact;

/// What the product's sources give to `Error::database` and `Error::silence`: a text, or the name of one.
fn given(source: &str) -> Vec<String> {
    let calls = ["Error::database(", "Error::silence("].into_iter().flat_map(|call| source.split(call).skip(1));
    let texts = calls.map(|rest| rest.trim_start().split([')', ',']).next().unwrap().trim());
    let named = |name: &str| {
        let after = [format!("let {name} = \""), format!("const {name}: &str = \"")];
        let text = after.iter().find_map(|start| source.split_once(start.as_str()));
        text.and_then(|(_, rest)| rest.split('"').next()).unwrap_or(name).to_owned()
    };
    texts.map(|text| text.strip_prefix('"').map_or_else(|| named(text), |text| text.replace('"', ""))).collect()
}

#[test]
fn all_that_may_fail_in_the_database_is_told_in_japanese_and_nothing_else_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut folders, mut all) = (vec![root.join("shared/src"), root.join("functions")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.extend((!path.ends_with("tests")).then_some(path));
            } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
                all.extend(given(fs::read_to_string(&path).unwrap().split("\nmod tests {").next().unwrap()));
            }
        }
    }
    all.sort();
    all.dedup();
    assert_eq!(all, JAPANESE.map(|(en, _)| en));
    for (en, ja) in JAPANESE {
        let error = Error::database(en)(sqlx::Error::PoolClosed).told(Language::Ja);
        assert_eq!(redact::text(&error), error);
        assert!(!ja.is_ascii() && told(Language::Ja, en) == ja && told(Language::En, en) == en, "{en}");
    }
}
