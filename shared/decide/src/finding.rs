//! What a step has to say: findings, what it left alone, and measurements.

use serde::Serialize;
use serde_json::Value;

use crate::redact;

/// Something worth telling. Made by [`Finding::new`] only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// For machines: `row_missing`, `result_missing` …
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// What it is about.
    pub target: String,
    /// What was read.
    pub evidence: Value,
}

impl Finding {
    /// A finding. What it says and what was read lose here, before ledger, log, answer and message, what nobody may see.
    #[must_use]
    pub fn new(code: &'static str, target: impl Into<String>, message: impl Into<String>, evidence: Value) -> Self {
        let (message, evidence) = (redact::text(&message.into()), redact::json(&evidence));
        Self { code, message, target: target.into(), evidence }
    }
}

/// Something that was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// What.
    pub target: String,
    /// Why.
    pub why: String,
}

/// A measurement, in CloudWatch's terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name in namespace `Remediation`.
    pub name: &'static str,
    /// CloudWatch's unit: `Count`, `Percent`, `Seconds`, `Milliseconds`.
    pub unit: &'static str,
    /// One value or several.
    pub values: Vec<f64>,
}

impl Metric {
    /// A single value.
    #[must_use]
    pub fn new(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self { name, unit, values: vec![value] }
    }

    /// A count.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    pub fn count(name: &'static str, value: usize) -> Self {
        Self::new(name, "Count", value as f64)
    }
}
