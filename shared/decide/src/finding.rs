//! What a step has to say: findings, what it left alone, and measurements.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::redact;

/// Something worth telling. Made by [`Finding::new`] only.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// For machines: `row_missing`, `result_missing` …
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// What it is about.
    pub target: String,
    /// What was read.
    pub evidence: Value,
    /// Who is told.
    #[serde(skip_serializing_if = "Audience::is_nobody")]
    pub audience: Audience,
    /// How often they are told.
    #[serde(skip)]
    pub often: Often,
}

impl Finding {
    /// A finding for whoever reads the answer or the ledger: nobody is told. What it says and what was read lose here, before ledger, log,
    /// answer and message, what nobody may see.
    #[must_use]
    pub fn new(code: &'static str, target: impl Into<String>, message: impl Into<String>, evidence: Value) -> Self {
        let (audience, often) = (Audience::Nobody, Often::Always);
        let (message, evidence) = (redact::text(&message.into()), redact::json(&evidence));
        Self { code, message, target: target.into(), evidence, audience, often }
    }

    /// Says who is told of it, and how often.
    #[must_use]
    pub fn told(self, audience: Audience, often: Often) -> Self {
        Self { audience, often, ..self }
    }
}

/// Who is told of a finding, beside whoever reads the answer or the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// It wakes nobody.
    Nobody,
    /// It needs a person, during the day.
    People,
    /// It needs a person now: the message goes out as urgent, and names it however much else there is to tell.
    PeopleAtOnce,
}

impl Audience {
    fn is_nobody(&self) -> bool {
        *self == Self::Nobody
    }
}

/// How often the same finding, by code and target, is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    /// By every run that makes it.
    Always,
    /// Once of what happened then: what was told before it was told of something earlier.
    Once(DateTime<Utc>),
    /// Not again within this.
    OnceIn(TimeDelta),
}

impl Often {
    /// Not again within a day.
    pub const ONCE_A_DAY: Self = Self::OnceIn(TimeDelta::days(1));

    /// What was told after this moment is not told again; `None` where it is told always.
    #[must_use]
    pub fn since(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Always => None,
            Self::Once(happened) => Some(happened),
            Self::OnceIn(span) => Some(now - span),
        }
    }
}

/// Something that was left alone. Made by [`Skipped::new`] only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// What.
    pub target: String,
    /// Why.
    pub why: String,
}

impl Skipped {
    /// What was left alone, and why: without what nobody may see, as a [`Finding`]'s message.
    #[must_use]
    pub fn new(target: impl Into<String>, why: impl AsRef<str>) -> Self {
        Self { target: target.into(), why: redact::text(why.as_ref()) }
    }
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
