//! Executions, as [Step Functions' status events][1] tell of them.
//!
//! [1]: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::Value;

use super::field::Field;
use super::result_path::ResultPath;
use super::{ExecutionChange, TriggerError};
use crate::domain::{Ending, Execution, ExecutionArn, ExecutionStatus, Language, Words};
use crate::{redact, text};

/// EventBridge's `Step Functions Execution Status Change`; only executions of STANDARD state machines send it.
pub(super) fn from_event_bridge(
    event: EventBridgeEvent,
    words: &Words,
    result_path: &ResultPath,
) -> Result<ExecutionChange, TriggerError> {
    let detail = Field::at("detail", &event.detail);
    let arn: ExecutionArn = detail.field("executionArn").parsed(execution_arn)?;
    let told = detail.field("status").text()?;
    // AWS adds one now and then: sending the event again would not help.
    let (status, unknown_status) = match told.parse() {
        Ok(status) => (status, None),
        Err(_) => (ExecutionStatus::Running, Some(redact::cut(told, 100))),
    };
    let (ending, says_failed) = ending(&detail, status, words, result_path)?;
    let execution = Execution {
        status,
        redrive_count: detail.field("redriveCount").optional(count)?.unwrap_or(0),
        started_at: detail.field("startDate").epoch_millis()?,
        redriven_at: detail.field("redriveDate").optional(Field::epoch_millis)?,
        stopped_at: detail.field("stopDate").optional(Field::epoch_millis)?,
        ending,
        stopped_for_deadline: false,
        says_failed,
        arn,
    };
    let input = detail.field("input").optional_text()?;
    Ok(ExecutionChange {
        process: words.owner.of(&execution.arn, input.as_deref()),
        execution,
        event_id: event.id,
        unknown_status,
    })
}

/// What an `executionArn` must be.
pub(super) fn execution_arn(language: Language) -> String {
    text!(
        language,
        ja: "STANDARD ステートマシンの実行の ARN、arn:aws:states:<region>:<account>:execution:<state machine>:<name>",
        en: "the ARN of an execution of a STANDARD state machine, arn:aws:states:<region>:<account>:execution:<state machine>:<name>",
    )
}

/// What an execution that succeeded ended with, and whether its output says that it failed.
#[must_use]
pub fn of_success(output: &str, words: &Words, result_path: &ResultPath) -> (Ending, bool) {
    match words.failed_output.ending(output) {
        Some(failed) => (failed, true),
        None => (Ending { result: result_path.result(output), ..Ending::default() }, false),
    }
}

/// What the execution ended with, and of a success whether it says that it failed, where the event tells it. `None` sends the reader to DescribeExecution:
///
/// - a success without its output, which is left out over 248 KB;
/// - any other end without error and cause, and a stop without an error. AWS's examples show these fields absent, others `null`, while
///   DescribeExecution may know both; one call is cheaper than a wrong code in the row, or a stop of ours that is
///   taken for a cancellation.
fn ending(
    detail: &Field<'_>,
    status: ExecutionStatus,
    words: &Words,
    result_path: &ResultPath,
) -> Result<(Option<Ending>, Option<bool>), TriggerError> {
    match status {
        ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Ok((None, None)),
        ExecutionStatus::Succeeded => {
            let output = detail.field("output").optional_text()?;
            Ok(output.map_or((None, None), |output| {
                let (ending, says_failed) = of_success(&output, words, result_path);
                (Some(ending), Some(says_failed))
            }))
        }
        ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => {
            let error = detail.field("error").optional_text()?;
            let cause = detail.field("cause").optional_text()?;
            // Who stopped it, only the error tells.
            let tells = error.is_some() || cause.is_some() && status != ExecutionStatus::Aborted;
            Ok((tells.then_some(Ending { error, cause, result: None }), None))
        }
    }
}

fn count(field: &Field<'_>) -> Result<i32, TriggerError> {
    let count = field.value().and_then(Value::as_i64).and_then(|count| i32::try_from(count).ok());
    count
        .filter(|count| *count >= 0)
        .ok_or_else(|| field.refused(|language| text!(language, ja: "0 以上の整数", en: "a count, 0 or more")))
}
