//! What a check is: something that was looked at within a time limit, and what there is to say about it.

use std::time::Duration;

use remediation::domain::Language;
use remediation::run::step::Finding;
use remediation::run::step::Metric;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::state::CheckState;
use crate::texts;

/// What was read, or why it could not be.
pub struct Look<T> {
    pub found: Result<T, String>,
    pub took: Duration,
}

impl<T> Look<T> {
    pub fn new(started: Instant, found: Result<T, String>) -> Self {
        Self { found, took: started.elapsed() }
    }

    /// What comes of looking within a time limit.
    pub async fn within(limit: Duration, language: Language, looking: impl Future<Output = Result<T, String>>) -> Self {
        let started = Instant::now();
        let found = timeout(limit, looking).await;
        Self::new(started, found.unwrap_or_else(|_| Err(texts::check_too_slow(language, limit))))
    }
}

/// One of them, judged.
pub struct Check {
    pub name: &'static str,
    pub state: CheckState,
    /// What there is to say, in one sentence.
    pub sentence: String,
    /// More of it, for people: a line each.
    pub details: Vec<String>,
    /// The same for machines.
    pub data: Value,
    /// Only what was measured: missing data is never a good value.
    pub metrics: Vec<Metric>,
    /// What a step answers.
    pub findings: Vec<Finding>,
    pub took: Duration,
}

impl Check {
    /// A check that found something; `judge` fills in what.
    pub fn of<T>(name: &'static str, look: &Look<T>, language: Language, judge: impl FnOnce(&T, Self) -> Self) -> Self {
        let empty = Self {
            name,
            state: CheckState::Ok,
            sentence: String::new(),
            details: Vec::new(),
            data: Value::Null,
            metrics: Vec::new(),
            findings: Vec::new(),
            took: look.took,
        };
        match &look.found {
            Ok(found) => judge(found, empty),
            Err(why) => Self { state: CheckState::Failed, sentence: texts::check_not_made(language, why), ..empty },
        }
    }

    /// One that lacks what a setting would name.
    pub fn off(name: &'static str, language: Language, setting: &str) -> Self {
        let off = Look { found: Ok(()), took: Duration::ZERO };
        let sentence = texts::check_off(language, setting);
        Self::of(name, &off, language, |(), check| Self { state: CheckState::Off, sentence, ..check })
    }

    /// As it stands in the report.
    pub fn json(&self) -> Value {
        json!({
            "check": self.name,
            "state": self.state,
            "sentence": self.sentence,
            "milliseconds": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "data": self.data,
        })
    }

    /// The finding of a check that failed.
    pub fn failed(&self) -> Option<Finding> {
        let finding = || Finding::new("check_failed", self.name, self.sentence.as_str(), self.data.clone());
        (self.state == CheckState::Failed).then(finding)
    }
}
