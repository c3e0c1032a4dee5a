//! Steps that an installation cannot have: its profile rules them out, or nobody says which function they are about.

use serde_json::json;

use crate::finding::Finding;
use crate::gather::config::{Config, WORKER_FUNCTION_NAME};
use crate::run::texts;

/// The steps that change the worker.
const OF_THE_WORKER: [&str; 5] = [
    "extend-worker-timeout",
    "provision-worker-concurrency",
    "raise-worker-memory",
    "redeploy-worker",
    "throttle-worker",
];

/// What is told of a step that is off; `None` where it is not.
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
    let worker = OF_THE_WORKER.iter().filter(|_| config.worker_function.is_none());
    let worker = worker.map(|step| (*step, WORKER_FUNCTION_NAME));
    config.profile.steps_off().into_iter().chain(worker).map(told).collect()
}
