//! What Lambda is answered with, where the run failed too (design, section 4).
//!
//! The dead-letter queue holds what would be lost otherwise: an event that no run could take. A schedule is not: the next one looks at the
//! same. So a scheduled run that failed is no error to Lambda, which would only try it again and then keep its event. It is counted
//! instead, and an alarm on that count tells people where the sentence stands.

use chrono::Utc;
use lambda_runtime::Diagnostic;
use serde::Serialize;
use serde_json::Value;

use crate::act::report::Report;
use crate::domain::Language;
use crate::finding::{Finding, Metric};
use crate::gather::error::Error;
use crate::gather::trigger::decode::is_schedule;
use crate::run::metrics::embedded_metrics;

/// The metric that counts scheduled runs that failed.
const RUNS_FAILED: &str = "RunsFailed";

/// What a run answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// It came to its end.
    Report(Box<Report>),
    /// A scheduled one failed.
    #[serde(rename_all = "camelCase")]
    Failed {
        /// The sentence that says what to do next.
        summary: String,
        /// The step's name.
        step: String,
        /// As Lambda has it of an error.
        error_type: &'static str,
        /// The sentence again, as Lambda has it.
        error_message: String,
        /// And as every other answer has what is worth telling.
        findings: Vec<Finding>,
    },
}

/// What to answer where a run of this step, which `event` started, has failed: the error, so that Lambda keeps the event, or where there is
/// nothing to keep, that it failed.
///
/// # Errors
/// The error itself.
pub fn failed(step: &str, event: Started, error: &Error, language: Language) -> Result<Answer, Diagnostic> {
    if event == Started::ByEvent {
        return Err(error.diagnostic(language));
    }
    let failed = Metric::count(RUNS_FAILED, 1);
    println!("{}", embedded_metrics(step, &[failed], Utc::now().timestamp_millis()));
    let said = error.told(language);
    let findings = vec![Finding::new("run_failed", step, said.as_str(), Value::Null)];
    Ok(Answer::Failed {
        summary: said.clone(),
        step: step.to_owned(),
        error_type: error.kind(),
        error_message: said,
        findings,
    })
}

/// By what a run was started, as far as it matters to a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// By a schedule: the next one looks anyway.
    BySchedule,
    /// By something that does not come again.
    ByEvent,
}

impl Started {
    /// By what this event says; it may be wrong in everything else.
    #[must_use]
    pub fn of(event: &Value) -> Self {
        if is_schedule(event) { Self::BySchedule } else { Self::ByEvent }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_does_not_come_again_is_an_error_to_lambda() {
        for (event, answered) in [
            (json!({ "schedule": "reconcile-processes" }), true),
            (json!({ "schedule": "reconcile-processes", "mode": "wild" }), true),
            (json!({ "source": "aws.events", "detail-type": "Scheduled Event" }), true),
            (json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event" }), true),
            (json!({ "source": "aws.states", "detail-type": "Step Functions Execution Status Change" }), false),
            (json!({ "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change" }), false),
            (json!({ "detail-type": "Scheduled Event" }), false),
            (json!({ "all": true }), false),
            (json!("schedule"), false),
        ] {
            match failed("any", Started::of(&event), &Error::OutOfTime, Language::En) {
                Ok(Answer::Failed { summary, error_type, error_message, findings, .. }) => {
                    assert!(answered, "{event}");
                    assert_eq!((error_type, &error_message), ("OutOfTime", &Error::OutOfTime.to_string()));
                    assert_eq!((&summary, &findings[0].message), (&error_message, &error_message));
                }
                Ok(Answer::Report(_)) => panic!("{event}"),
                Err(error) => assert!(!answered && error.error_type == "OutOfTime", "{event}: {error:?}"),
            }
        }
    }
}
