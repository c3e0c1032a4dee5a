//! Which closings wait for a list, and which do not.

use chrono::DateTime;

use super::*;
use crate::decide::{Closing, StopCause};
use crate::domain::{ExecutionStatus, ProcessStatus};

const CLOSE: Verdict = Verdict::Close(Closing::Failed);

fn row(retries: Option<i32>) -> Process {
    let at = DateTime::UNIX_EPOCH;
    Process {
        id: "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c".parse().unwrap(),
        version: 1,
        status: ProcessStatus::Processing,
        progress: 0,
        has_result: false,
        error_code: None,
        retries,
        created_at: at,
        updated_at: at,
        completed_at: None,
        deadline: None,
    }
}

fn execution(name: &str, status: ExecutionStatus, redrive_count: i32) -> Execution {
    Execution {
        arn: format!("arn:aws:states:us-east-1:1:execution:ai:{name}").parse().unwrap(),
        status,
        redrive_count,
        started_at: DateTime::UNIX_EPOCH,
        redriven_at: None,
        stopped_at: None,
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    }
}

#[test]
fn what_closes_nothing_waits_for_no_list() {
    let failed = execution("a", ExecutionStatus::Failed, 0);
    for verdict in [Verdict::Leave, Verdict::Inspect, Verdict::Stop(StopCause::Deadline)] {
        assert!(!lists_first(&row(None), Some(&failed), Look::Event, verdict, None), "{verdict:?}");
    }
}

#[test]
fn a_row_is_listed_before_it_is_closed_unless_it_was_promised_to_have_had_no_other_execution() {
    let failed = execution("a", ExecutionStatus::Failed, 0);
    for look in [Look::Event, Look::Sweep] {
        for (retries, lists) in [(None, true), (Some(0), false), (Some(1), true)] {
            assert_eq!(lists_first(&row(retries), Some(&failed), look, CLOSE, None), lists, "{retries:?} {look:?}");
        }
        assert!(lists_first(&row(Some(0)), None, look, CLOSE, None), "none is known: there may be one");
        assert!(!lists_first(&row(Some(0)), None, look, CLOSE, Some(&Begun::of(&row(Some(0)), None))));
    }
}

#[test]
fn an_end_that_became_known_after_the_list_was_begun_is_listed_after_once_more() {
    let failed = execution("a", ExecutionStatus::Failed, 0);
    let again = |newest: &Execution, known: &Execution| {
        let begun = Begun::of(&row(None), Some(known));
        [Look::Event, Look::Sweep].map(|look| lists_first(&row(None), Some(newest), look, CLOSE, Some(&begun)))
    };
    assert_eq!(again(&failed, &failed), [false, false]);
    // It ran then; it was redriven and ended since; another one speaks now.
    for status in [ExecutionStatus::Running, ExecutionStatus::PendingRedrive] {
        assert_eq!(again(&failed, &execution("a", status, 0)), [true, false]);
    }
    assert_eq!(again(&execution("a", ExecutionStatus::Failed, 1), &failed), [true, false]);
    assert_eq!(again(&execution("b", ExecutionStatus::Failed, 0), &failed), [true, false]);
}

#[test]
fn a_row_that_has_moved_since_the_list_was_begun_is_listed_once_more() {
    let failed = execution("a", ExecutionStatus::Failed, 0);
    let begun = Begun::of(&row(None), Some(&failed));
    for (version, retries, lists) in [(1, None, false), (2, None, true), (2, Some(1), true), (2, Some(0), false)] {
        let moved = Process { version, ..row(retries) };
        assert_eq!(
            lists_first(&moved, Some(&failed), Look::Event, CLOSE, Some(&begun)),
            lists,
            "{version} {retries:?}"
        );
        assert!(!lists_first(&moved, Some(&failed), Look::Sweep, CLOSE, Some(&begun)), "it had settled");
    }
}
