//! Check 2: the executions that run.

use std::time::Duration;

use crate::texts;
use chrono::{DateTime, Utc};
use remediation::domain::Language;
use remediation::gather::config::Config;
use remediation::gather::step_functions::{Page, StepFunctions};
use serde_json::json;

use crate::check::{Check, Look};
use crate::state::warning_if;

/// The script's own number.
const AT_MOST: i32 = 10;

/// Asks for the newest ten.
pub async fn look(step_functions: &StepFunctions, limit: Duration, language: Language) -> Look<Page> {
    let looking = async { step_functions.running(AT_MOST).await.map_err(|error| error.told(language)) };
    Look::within(limit, language, looking).await
}

/// A warning where one runs past the deadline.
pub fn judge(look: &Look<Page>, config: &Config, now: DateTime<Utc>) -> Check {
    let (language, deadline) = (config.language, config.policy.process_deadline);
    Check::of("step-functions", look, language, |page, check| {
        let runs: Vec<(&str, i64)> = page
            .executions
            .iter()
            .map(|seen| {
                let seconds = (now - seen.execution.attempt_started_at()).num_seconds().max(0);
                (seen.execution.arn.name(), seconds)
            })
            .collect();
        let late = runs.iter().filter(|(_, seconds)| *seconds > deadline.num_seconds()).count();
        let more = page.next.is_some();
        Check {
            state: warning_if(late > 0),
            sentence: texts::executions_running(language, runs.len(), more, late, deadline.num_seconds()),
            details: runs.iter().map(|(name, seconds)| texts::execution_runs(language, name, *seconds)).collect(),
            data: json!({
                "running": runs.iter().map(|(name, seconds)| json!({ "name": name, "seconds": seconds })).collect::<Vec<_>>(),
                "more": more,
                "pastDeadline": late,
            }),
            ..check
        }
    })
}
