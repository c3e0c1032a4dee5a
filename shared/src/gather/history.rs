//! What happened in an execution, as far as it may be shown: no input, no output, no cause.

use aws_sdk_sfn::types::HistoryEvent;
use chrono::{DateTime, Utc};

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

/// The error and cause of the last failed task (or Lambda, or activity) in a page of an execution's history. The page
/// is read backwards (`reverseOrder`), so that the newest events are on it; their ids tell which one is the last.
#[must_use]
pub fn last_task_failure(events: &[HistoryEvent]) -> Option<(Option<String>, Option<String>)> {
    let failed = events.iter().filter_map(|event| task_failure(event).map(|failure| (event.id(), failure)));
    let (_, (error, cause)) = failed.max_by_key(|(id, _)| *id)?;
    Some((error.map(str::to_owned), cause.map(str::to_owned)))
}

/// The error and cause in an event that says that a task failed, where it has any.
fn task_failure(event: &HistoryEvent) -> Option<(Option<&str>, Option<&str>)> {
    [
        event.task_failed_event_details().map(|task| (task.error(), task.cause())),
        event.task_timed_out_event_details().map(|task| (task.error(), task.cause())),
        event.task_start_failed_event_details().map(|task| (task.error(), task.cause())),
        event.task_submit_failed_event_details().map(|task| (task.error(), task.cause())),
        event.lambda_function_failed_event_details().map(|lambda| (lambda.error(), lambda.cause())),
        event.lambda_function_timed_out_event_details().map(|lambda| (lambda.error(), lambda.cause())),
        event.lambda_function_start_failed_event_details().map(|lambda| (lambda.error(), lambda.cause())),
        event.lambda_function_schedule_failed_event_details().map(|lambda| (lambda.error(), lambda.cause())),
        event.activity_failed_event_details().map(|activity| (activity.error(), activity.cause())),
        event.activity_timed_out_event_details().map(|activity| (activity.error(), activity.cause())),
        event.activity_schedule_failed_event_details().map(|activity| (activity.error(), activity.cause())),
    ]
    .into_iter()
    .flatten()
    .find(|(error, cause)| error.is_some() || cause.is_some())
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::primitives::DateTime as AwsDateTime;
    use aws_sdk_sfn::types::builders::HistoryEventBuilder;
    use aws_sdk_sfn::types::{
        ExecutionFailedEventDetails, HistoryEventType as Type, LambdaFunctionTimedOutEventDetails,
        StateEnteredEventDetails, TaskFailedEventDetails, TaskScheduledEventDetails, TaskTimedOutEventDetails,
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

    fn event(id: i64) -> aws_sdk_sfn::types::builders::HistoryEventBuilder {
        HistoryEvent::builder().id(id).timestamp(aws_sdk_sfn::primitives::DateTime::from_secs(id))
    }

    fn task_failed(id: i64, error: &str) -> HistoryEvent {
        let task = TaskFailedEventDetails::builder().resource_type("lambda").resource("invoke").error(error);
        let task = task.cause(r#"{"errorMessage":"x"}"#).build().unwrap();
        event(id).r#type(Type::TaskFailed).task_failed_event_details(task).build().unwrap()
    }

    #[test]
    fn the_last_failed_task_of_a_history_speaks() {
        let entered = event(9).r#type(Type::FailStateEntered).build().unwrap();
        let page = [entered.clone(), task_failed(7, "AI_ERROR"), task_failed(4, "DATABASE_ERROR")];
        let last = Some((Some("AI_ERROR".to_owned()), Some(r#"{"errorMessage":"x"}"#.to_owned())));
        assert_eq!(last_task_failure(&page), last);
        let forwards: Vec<_> = page.into_iter().rev().collect();
        assert_eq!(last_task_failure(&forwards), last, "whichever way the page is read");
        assert_eq!(last_task_failure(&[entered]), None);
        assert_eq!(last_task_failure(&[]), None);
    }

    #[test]
    fn a_task_that_timed_out_has_failed_in_both_integrations() {
        let task =
            TaskTimedOutEventDetails::builder().resource_type("lambda").resource("invoke").error("States.Timeout");
        let task = event(1).r#type(Type::TaskTimedOut).task_timed_out_event_details(task.build().unwrap());
        let lambda = LambdaFunctionTimedOutEventDetails::builder().error("States.Timeout").build();
        let lambda = event(1).r#type(Type::LambdaFunctionTimedOut).lambda_function_timed_out_event_details(lambda);
        for event in [task, lambda] {
            let last = last_task_failure(&[event.build().unwrap()]);
            assert_eq!(last, Some((Some("States.Timeout".to_owned()), None)));
        }
    }
}
