//! What a folder says: its `case.json`, and its two files of SQL.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// A folder as it is read.
#[derive(Debug)]
pub(crate) struct Case {
    pub said: Said,
    /// `setup.sql`.
    pub setup: Option<String>,
    /// `table.sql`.
    pub table: Option<String>,
}

/// `case.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    /// The requirement, in a sentence.
    pub must: String,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default)]
    pub aws: Map<String, Value>,
    #[serde(default)]
    pub pooler: bool,
    #[serde(default)]
    pub needs: Vec<String>,
    pub steps: Vec<Step>,
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// One step; which of the README's table it is, is told by the fields that are there.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Step {
    #[serde(rename = "fn")]
    pub function: Option<String>,
    pub event: Value,
    pub container: Option<String>,
    pub deadline: Option<f64>,
    pub url: Option<String>,
    pub env: BTreeMap<String, String>,
    pub may_fail: bool,
    pub sql: Option<String>,
    pub user: Option<String>,
    pub db: Option<String>,
    pub aws: Option<Map<String, Value>>,
    pub advance: Option<i64>,
    pub repeat: Option<u32>,
    #[serde(rename = "do")]
    pub steps: Vec<Step>,
    pub expect: Vec<Expectation>,
}

/// One expectation; what is looked at is told by the fields that are there.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Expectation {
    pub why: Option<String>,
    pub sql: Option<String>,
    pub user: Option<String>,
    pub db: Option<String>,
    pub answer: Option<i64>,
    pub is: Option<String>,
    pub path: Option<String>,
    pub count: bool,
    #[serde(rename = "where")]
    pub filter: Option<Value>,
    pub told: Option<String>,
    pub mentioned: Option<String>,
    pub answers: Option<Vec<i64>>,
    pub calls: Option<String>,
    pub execution: Option<String>,
    pub status: Option<String>,
    pub lambda: Option<String>,
    pub field: Option<String>,
    pub metric: Option<String>,
    #[serde(rename = "fn")]
    pub function: Option<String>,
    pub or_missing: bool,
    pub alarm: Option<String>,
    pub threshold: Option<f64>,
    pub fires: Option<bool>,
    pub memory: Option<String>,
    pub bytes: Option<i64>,
    pub alive: Option<String>,
    pub ledger: Option<Vec<String>>,
    pub any: Option<Vec<Expectation>>,
    pub all: Option<Vec<Expectation>>,
    pub not: Option<Box<Expectation>>,
    pub equals: Option<Value>,
    pub matches: Option<String>,
    pub differs: Option<String>,
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
}

impl Case {
    /// Reads a folder; `fill` puts the database's name and port into its text.
    pub fn read(folder: &Path, fill: impl Fn(&str) -> String) -> Result<Self, Failure> {
        let path = folder.join("case.json");
        let text = fs::read_to_string(&path).map_err(|error| Failure::of(&path.display(), &error))?;
        let said = serde_json::from_str(&fill(&text)).map_err(|error| Failure::of(&path.display(), &error))?;
        let sql = |name: &str| fs::read_to_string(folder.join(name)).ok().map(|text| fill(&text));
        Ok(Self { said, setup: sql("setup.sql"), table: sql("table.sql") })
    }
}
