//! What happened in an execution, as far as it may be shown: no input, no output, no cause.

use std::collections::BTreeMap;

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

/// The error and cause of the failed task (or Lambda, or activity) that led to an execution's end, from a page of its history. The page is
/// read backwards (`reverseOrder`), so that the newest events are on it; their ids tell their order.
///
/// That is the last failed task that was not tried again with success. Where it failed in a state that a `Catch` had led to, the handler
/// itself failed: then the failure that was caught speaks.
#[must_use]
pub fn leading_failure(events: &[HistoryEvent]) -> Option<(Option<String>, Option<String>)> {
    let page = Page { by_id: events.iter().map(|event| (event.id(), event)).collect() };
    let mut failed = page.failure(i64::MAX)?;
    while let Some(caught) = page.caught_before(failed).and_then(|until| page.failure(until)) {
        failed = caught;
    }
    let (error, cause) = task_failure(failed)?;
    Some((error.map(str::to_owned), cause.map(str::to_owned)))
}

/// Events by their ids. Each names the event that it followed, which is of the same branch.
struct Page<'a> {
    by_id: BTreeMap<i64, &'a HistoryEvent>,
}

impl<'a> Page<'a> {
    /// The last failure up to an event that was not tried again with success.
    fn failure(&self, until: i64) -> Option<&'a HistoryEvent> {
        let failed = |event: &&HistoryEvent| task_failure(event).is_some() && !self.is_made_good(event);
        self.by_id.range(..=until).rev().map(|(_, event)| *event).find(failed)
    }

    /// Whether the state, or one that it is a part of, has succeeded later: a retrier had tried it again.
    fn is_made_good(&self, failed: &HistoryEvent) -> bool {
        let states = self.states(failed);
        let later = self.by_id.range(failed.id() + 1..).map(|(_, event)| *event);
        later
            .filter(|event| event.r#type().as_str().ends_with("Succeeded"))
            .any(|event| self.states(event).first().is_some_and(|state| states.contains(state)))
    }

    /// The states that an event is in, by the ids of their entries, the innermost first. One that was entered before the page begins
    /// is known by the event that is missing.
    fn states(&self, of: &HistoryEvent) -> Vec<i64> {
        let (mut states, mut left, mut at) = (Vec::new(), 0, of.previous_event_id());
        while let Some(event) = self.by_id.get(&at).filter(|event| event.previous_event_id() < at) {
            let kind = event.r#type().as_str();
            match (kind.ends_with("StateExited"), kind.ends_with("StateEntered"), left) {
                (true, ..) => left += 1,
                (false, true, 0) => states.push(at),
                (false, true, _) => left -= 1,
                (false, false, _) => {}
            }
            at = event.previous_event_id();
        }
        if at > 0 && left == 0 {
            states.push(at);
        }
        states
    }

    /// Where a state that a failure is in was entered by a `Catch`: the event that was caught.
    fn caught_before(&self, failed: &HistoryEvent) -> Option<i64> {
        self.states(failed).into_iter().find_map(|entered| {
            let exited = self.by_id.get(&self.by_id.get(&entered)?.previous_event_id())?;
            let last = self.by_id.get(&exited.previous_event_id())?;
            let is_failure = ["Failed", "TimedOut"].iter().any(|end| last.r#type().as_str().ends_with(end));
            (exited.r#type().as_str().ends_with("StateExited") && is_failure).then(|| last.id())
        })
    }
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

    /// Events in their order, each `(id, the event before it, type)`; a task that fails tells `E<id>`.
    fn page(events: &[(i64, i64, Type)]) -> Vec<HistoryEvent> {
        let told = |(id, previous, kind): &(i64, i64, Type)| {
            let task = TaskFailedEventDetails::builder().resource_type("lambda").resource("invoke");
            let task = (*kind == Type::TaskFailed).then(|| task.error(format!("E{id}")).build().unwrap());
            let event = event(*id).previous_event_id(*previous).r#type(kind.clone());
            event.set_task_failed_event_details(task).build().unwrap()
        };
        events.iter().map(told).collect()
    }

    fn leading(events: &[HistoryEvent]) -> Option<String> {
        leading_failure(events).and_then(|(error, _cause)| error)
    }

    #[test]
    fn the_last_failed_task_of_a_history_speaks() {
        let entered = event(9).r#type(Type::FailStateEntered).build().unwrap();
        let page = [entered.clone(), task_failed(7, "AI_ERROR"), task_failed(4, "DATABASE_ERROR")];
        let last = Some((Some("AI_ERROR".to_owned()), Some(r#"{"errorMessage":"x"}"#.to_owned())));
        assert_eq!(leading_failure(&page), last);
        let forwards: Vec<_> = page.into_iter().rev().collect();
        assert_eq!(leading_failure(&forwards), last, "whichever way the page is read");
        assert_eq!(leading_failure(&[entered]), None);
        assert_eq!(leading_failure(&[]), None);
    }

    #[test]
    fn only_the_failure_that_led_to_the_end_speaks() {
        use Type::{
            ExecutionFailed, FailStateEntered, ParallelStateEntered, ParallelStateExited, ParallelStateFailed,
            ParallelStateStarted, ParallelStateSucceeded, PassStateEntered, PassStateExited, TaskFailed, TaskScheduled,
            TaskStateEntered, TaskStateExited, TaskSucceeded,
        };
        let retried_well = [
            (2, 1, TaskStateEntered),
            (3, 2, TaskScheduled),
            (4, 3, TaskFailed),
            (5, 4, TaskScheduled),
            (6, 5, TaskSucceeded),
            (7, 6, TaskStateExited),
        ];
        let and_then = |more: &[(i64, i64, Type)]| page(&[&retried_well[..], more].concat());
        let parallel = |last: &[(i64, i64, Type)]| {
            let began = [
                (2, 1, ParallelStateEntered),
                (3, 2, ParallelStateStarted),
                (4, 3, TaskStateEntered),
                (5, 3, TaskStateEntered),
                (6, 4, TaskFailed),
                (7, 6, ParallelStateFailed),
            ];
            page(&[&began[..], last].concat())
        };
        for (why, events, expected) in [
            (
                "what was tried again with success is not blamed",
                and_then(&[(8, 7, PassStateEntered), (9, 8, ExecutionFailed)]),
                None,
            ),
            (
                "the one after it is",
                and_then(&[
                    (8, 7, TaskStateEntered),
                    (9, 8, TaskScheduled),
                    (10, 9, TaskFailed),
                    (11, 10, ExecutionFailed),
                ]),
                Some("E10"),
            ),
            (
                "of several tries, the last",
                page(&[(2, 1, TaskStateEntered), (3, 2, TaskFailed), (4, 3, TaskFailed), (5, 4, ExecutionFailed)]),
                Some("E4"),
            ),
            (
                "a handler that succeeds makes nothing good",
                page(&[
                    (2, 1, TaskStateEntered),
                    (3, 2, TaskFailed),
                    (4, 3, TaskStateExited),
                    (5, 4, TaskStateEntered),
                    (6, 5, TaskSucceeded),
                    (7, 6, TaskStateExited),
                    (8, 7, FailStateEntered),
                    (9, 8, ExecutionFailed),
                ]),
                Some("E3"),
            ),
            (
                "a handler that fails in itself hides nothing",
                page(&[
                    (2, 1, TaskStateEntered),
                    (3, 2, TaskFailed),
                    (4, 3, TaskStateExited),
                    (5, 4, PassStateEntered),
                    (6, 5, ExecutionFailed),
                ]),
                Some("E3"),
            ),
            (
                "nor does one whose task fails",
                page(&[
                    (2, 1, TaskStateEntered),
                    (3, 2, TaskFailed),
                    (4, 3, TaskStateExited),
                    (5, 4, TaskStateEntered),
                    (6, 5, TaskScheduled),
                    (7, 6, TaskFailed),
                    (8, 7, ExecutionFailed),
                ]),
                Some("E3"),
            ),
            (
                "what fails after a handler that did its work fails by itself",
                page(&[
                    (2, 1, TaskStateEntered),
                    (3, 2, TaskFailed),
                    (4, 3, TaskStateExited),
                    (5, 4, PassStateEntered),
                    (6, 5, PassStateExited),
                    (7, 6, TaskStateEntered),
                    (8, 7, TaskFailed),
                    (9, 8, ExecutionFailed),
                ]),
                Some("E8"),
            ),
            ("a branch's failure is its state's", parallel(&[(8, 7, ExecutionFailed)]), Some("E6")),
            (
                "a state that was tried again as a whole makes its branches good",
                parallel(&[
                    (8, 7, ParallelStateStarted),
                    (9, 8, TaskStateEntered),
                    (10, 9, TaskSucceeded),
                    (11, 10, TaskStateExited),
                    (12, 11, ParallelStateSucceeded),
                    (13, 12, ParallelStateExited),
                    (14, 13, PassStateEntered),
                    (15, 14, ExecutionFailed),
                ]),
                None,
            ),
        ] {
            assert_eq!(leading(&events).as_deref(), expected, "{why}");
        }
        // The page begins within the state.
        assert_eq!(leading(&and_then(&[(8, 7, ExecutionFailed)])[1..]), None, "made good, wherever it began");
    }

    #[test]
    fn a_history_whose_events_follow_themselves_is_read_to_an_end() {
        assert_eq!(leading(&page(&[(3, 3, Type::TaskFailed), (4, 9, Type::TaskFailed)])).as_deref(), Some("E4"));
    }

    #[test]
    fn a_task_that_timed_out_has_failed_in_both_integrations() {
        let task =
            TaskTimedOutEventDetails::builder().resource_type("lambda").resource("invoke").error("States.Timeout");
        let task = event(1).r#type(Type::TaskTimedOut).task_timed_out_event_details(task.build().unwrap());
        let lambda = LambdaFunctionTimedOutEventDetails::builder().error("States.Timeout").build();
        let lambda = event(1).r#type(Type::LambdaFunctionTimedOut).lambda_function_timed_out_event_details(lambda);
        for event in [task, lambda] {
            let last = leading_failure(&[event.build().unwrap()]);
            assert_eq!(last, Some((Some("States.Timeout".to_owned()), None)));
        }
    }
}
