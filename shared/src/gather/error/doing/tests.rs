#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use harness::paths;

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
    let sources = paths::sources().unwrap();
    let product = sources.iter().filter(|(name, _)| !name.ends_with("/tests.rs") && !name.contains("/tests/"));
    let mut all: Vec<String> =
        product.flat_map(|(_, source)| given(source.split("\nmod tests {").next().unwrap())).collect();
    all.sort();
    all.dedup();
    assert_eq!(all, JAPANESE.map(|(en, _)| en));
    for (en, ja) in JAPANESE {
        let error = Error::database(en)(sqlx::Error::PoolClosed).told(Language::Ja);
        assert_eq!(redact::text(&error), error);
        assert!(!ja.is_ascii() && told(Language::Ja, en) == ja && told(Language::En, en) == en, "{en}");
    }
}
