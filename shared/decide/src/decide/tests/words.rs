//! A success that says that it failed, and a failure that means a cancel.

use super::*;

#[test]
fn a_success_that_says_that_it_failed_is_a_failure_and_a_failure_that_means_a_cancel_is_a_cancel() {
    use ExecutionStatus::{Failed, Running, Succeeded};
    let open = || row(ProcessStatus::Processing);
    let closed = |status, seconds| Process { completed_at: Some(at(seconds)), updated_at: at(seconds), ..row(status) };
    let failed = |seconds| closed(ProcessStatus::Failed, seconds);
    let completed = |seconds| closed(ProcessStatus::Completed, seconds);
    let with_error = || Process { error_code: Some("AI_ERROR".to_owned()), ..row(ProcessStatus::Completed) };
    let unread = || Some(Execution { says_failed: None, ending: None, ..execution(Succeeded) });
    let says_failed = |code: &str| {
        let ending = Some(Ending { error: Some(code.to_owned()), ..Ending::default() });
        Some(Execution { says_failed: Some(true), ending, ..execution(Succeeded) })
    };
    #[rustfmt::skip]
    let cases = [
        ("a success that says that it failed", open(), says_failed("AI_ERROR"), "failed"),
        ("… where the row has a result", Process { has_result: true, ..open() }, says_failed("AI_ERROR"), "failed"),
        ("… with what is not known", open(), Some(Execution { ending: None, ..says_failed("AI_ERROR").unwrap() }), "inspect"),
        ("… that it was cancelled", open(), says_failed("CANCELLED"), "cancelled"),
        ("… of a failed row, late", failed(50), says_failed("AI_ERROR"), "leave"),
        ("… of a cancelled row", row(ProcessStatus::Cancelled), says_failed("AI_ERROR"), "leave"),
        ("… that its workflow completed", completed(99), says_failed("AI_ERROR"), "failed"),
        ("… of which only that is known", completed(99), Some(Execution { ending: None, ..says_failed("AI_ERROR").unwrap() }), "inspect"),
        ("… that keeps no time but its creation", Process { updated_at: at(0), ..row(ProcessStatus::Completed) }, says_failed("AI_ERROR"), "failed"),
        ("… that was completed before its execution began", completed(4), says_failed("AI_ERROR"), "leave + finding"),
        ("… that somebody completed much later", completed(161), says_failed("AI_ERROR"), "leave + finding"),
        ("… at an end that is not known", completed(99), Some(Execution { stopped_at: None, ..says_failed("AI_ERROR").unwrap() }), "leave + finding"),
        ("… that a person completed", Process { error_code: Some(CLOSED_BY_PERSON.to_owned()), ..completed(99) }, says_failed("AI_ERROR"), "leave + finding"),
        ("a completed row with an error", with_error(), Some(execution(Succeeded)), "leave + finding"),
        ("… whose output is not known", with_error(), unread(), "inspect"),
        ("… without an execution", with_error(), None, "leave + finding"),
        ("… beside one that runs", with_error(), Some(execution(Running)), "leave"),
        ("a completed row, and an output that is not known", row(ProcessStatus::Completed), unread(), "leave"),
        ("a success that may have been late, and may have failed", failed(150), unread(), "inspect"),
        ("a failure that means a cancel", open(), Some(Execution { ending: says_failed("USER_CANCELLED").unwrap().ending, ..execution(Failed) }), "cancelled"),
    ];
    for (name, process, newest, expected) in cases {
        let decision = decide(&process, newest.as_ref(), Look::Event, &POLICY, at(800));
        assert_eq!(word(&decision), expected, "{name}: {decision:?}");
    }
    let decision = decide(&completed(99), says_failed("AI_ERROR").as_ref(), Look::Sweep, &POLICY, at(159));
    assert_eq!(decision.reason, Reason::Settling { left: TimeDelta::seconds(1) });
}
