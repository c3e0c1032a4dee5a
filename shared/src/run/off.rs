//! Steps that the application's profile rules out.

use serde_json::json;

use crate::finding::Finding;
use crate::gather::config::Config;
use crate::run::texts;

/// What is told of a step that the profile cannot serve; `None` where it can.
#[must_use]
pub fn step_off(config: &Config, step: &str) -> Option<Finding> {
    steps_off(config).into_iter().find(|finding| finding.target == step)
}

/// What is told of all of them.
#[must_use]
pub fn steps_off(config: &Config) -> Vec<Finding> {
    let told = |(step, key): (&str, &str)| {
        Finding::new("step_off", step, texts::step_off(config.language, step, key), json!({ "key": key }))
    };
    config.profile.steps_off().into_iter().map(told).collect()
}
