//! What happened in an execution, as far as it may be shown: no input, no output, no cause.

use aws_sdk_sfn::types::HistoryEvent;
use chrono::{DateTime, Utc};

use crate::failure::task_failure;

/// The end of an execution's history, or all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// In their order.
    pub events: Vec<Happened>,
    /// There are earlier ones.
    pub more: bool,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// When; `None` where Step Functions told a time that is none.
    pub at: Option<DateTime<Utc>>,
    /// Its type, as Step Functions names it: `TaskStateEntered`, `TaskFailed`, `ExecutionTimedOut` …
    pub kind: String,
    /// The state, or what a task called.
    pub name: Option<String>,
    /// The name of the error that it tells.
    pub error: Option<String>,
}

impl Happened {
    /// What may be shown of an event.
    #[must_use]
    pub fn of(event: &HistoryEvent, at: Option<DateTime<Utc>>) -> Self {
        let name = [
            event.state_entered_event_details().map(|state| state.name()),
            event.state_exited_event_details().map(|state| state.name()),
            event.task_scheduled_event_details().map(|task| task.resource_type()),
            event.lambda_function_scheduled_event_details().map(|lambda| lambda.resource()),
        ];
        let own = [
            event.execution_failed_event_details().and_then(|end| end.error()),
            event.execution_aborted_event_details().and_then(|end| end.error()),
            event.execution_timed_out_event_details().and_then(|end| end.error()),
            event.map_run_failed_event_details().and_then(|run| run.error()),
            event.evaluation_failed_event_details().and_then(|evaluation| evaluation.error()),
        ];
        let of_task = task_failure(event).and_then(|(error, _cause)| error);
        Self {
            at,
            kind: event.r#type().as_str().to_owned(),
            name: name.into_iter().flatten().next().map(str::to_owned),
            error: own.into_iter().flatten().next().or(of_task).map(str::to_owned),
        }
    }

    /// Whether it tells nothing that the events around it do not: a task that was scheduled is started and submitted by itself.
    #[must_use]
    pub fn is_minor(&self) -> bool {
        ["Started", "Submitted"].iter().any(|end| self.kind.ends_with(end)) && self.kind != "ExecutionStarted"
    }

    /// Whether it is the execution's end.
    #[must_use]
    pub fn is_end(&self) -> bool {
        ["ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"].contains(&self.kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::primitives::DateTime as AwsDateTime;
    use aws_sdk_sfn::types::builders::HistoryEventBuilder;
    use aws_sdk_sfn::types::{
        ExecutionFailedEventDetails, HistoryEventType as Type, StateEnteredEventDetails, TaskFailedEventDetails,
        TaskScheduledEventDetails,
    };

    use super::*;

    fn happened(kind: Type, details: impl FnOnce(HistoryEventBuilder) -> HistoryEventBuilder) -> Happened {
        let event = HistoryEvent::builder().timestamp(AwsDateTime::from_secs(1)).r#type(kind).id(7);
        Happened::of(&details(event).build().unwrap(), DateTime::from_timestamp_millis(1000))
    }

    #[test]
    fn an_event_tells_its_state_its_task_and_its_error_and_nothing_else() {
        let entered = StateEnteredEventDetails::builder().name("ExecuteAIGeneration").input("{\"prompt\":\"x\"}");
        let scheduled = TaskScheduledEventDetails::builder().resource_type("lambda").resource("invoke");
        let scheduled = scheduled.region("r").parameters("{\"prompt\":\"x\"}").build().unwrap();
        let failed = TaskFailedEventDetails::builder().resource_type("lambda").resource("invoke");
        let failed = failed.error("AI_ERROR").cause("{\"prompt\":\"x\"}").build().unwrap();
        let ended = ExecutionFailedEventDetails::builder().error("ProcessingFailed").cause("prompt").build();
        for (happened, kind, name, error) in [
            (
                happened(Type::TaskStateEntered, |event| event.state_entered_event_details(entered.build().unwrap())),
                "TaskStateEntered",
                Some("ExecuteAIGeneration"),
                None,
            ),
            (
                happened(Type::TaskScheduled, |event| event.task_scheduled_event_details(scheduled)),
                "TaskScheduled",
                Some("lambda"),
                None,
            ),
            (
                happened(Type::TaskFailed, |event| event.task_failed_event_details(failed)),
                "TaskFailed",
                None,
                Some("AI_ERROR"),
            ),
            (
                happened(Type::ExecutionFailed, |event| event.execution_failed_event_details(ended)),
                "ExecutionFailed",
                None,
                Some("ProcessingFailed"),
            ),
        ] {
            let told = (happened.kind.as_str(), happened.name.as_deref(), happened.error.as_deref());
            assert_eq!(told, (kind, name, error));
            assert!(!format!("{happened:?}").contains("prompt"));
            assert_eq!((happened.is_end(), happened.is_minor()), (kind == "ExecutionFailed", false));
        }
    }

    #[test]
    fn what_a_task_does_by_itself_is_minor() {
        for (kind, minor) in [
            (Type::TaskStarted, true),
            (Type::TaskSubmitted, true),
            (Type::LambdaFunctionStarted, true),
            (Type::ExecutionStarted, false),
            (Type::TaskScheduled, false),
            (Type::ExecutionRedriven, false),
        ] {
            assert_eq!(happened(kind.clone(), |event| event).is_minor(), minor, "{kind}");
        }
    }
}
