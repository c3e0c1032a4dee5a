//! What becomes of a progress, as a table.

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::decide::Reason;
use crate::domain::ExecutionStatus::{self, Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
use crate::domain::ProcessId;
use crate::domain::ProcessStatus::{self, Cancelled, Completed, Pending, Processing, Timeout};
use crate::domain::WORDS;

const POLICY: Policy = Policy {
    process_deadline: TimeDelta::seconds(900),
    start_deadline: TimeDelta::seconds(300),
    settle: TimeDelta::seconds(60),
    require_result: false,
    words: &WORDS,
};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(1_795_482_000_000_000_000)
}

fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

/// A row that was accepted 200 s ago and written 100 s ago, and closed then if it is closed.
fn suspect(status: ProcessStatus, progress: i16, highest: Option<i16>, newest: Option<ExecutionStatus>) -> Suspect {
    let process = Process {
        id: ProcessId::from(Uuid::from_u128(1)),
        version: 7,
        status,
        progress,
        has_result: false,
        error_code: None,
        retries: Some(0),
        created_at: ago(200),
        updated_at: ago(100),
        completed_at: (!status.is_open()).then(|| ago(100)),
        deadline: None,
    };
    let newest = newest.map(|status| Execution {
        arn: "arn:aws:states:ap-northeast-1:1:execution:ai:x".parse().unwrap(),
        status,
        redrive_count: 0,
        started_at: ago(199),
        redriven_at: None,
        stopped_at: status.is_over().then(|| ago(50)),
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    });
    Suspect { process, newest, highest }
}

/// What it comes to, in short.
fn short(verdict: Verdict) -> (&'static str, Option<i16>) {
    match verdict {
        Verdict::Sound => ("sound", None),
        Verdict::Left(_) => ("left", None),
        Verdict::Clamp(to) => ("clamped", Some(to)),
        Verdict::Restore(to) => ("restored", Some(to)),
    }
}

#[test]
fn a_progress_is_clamped_first_and_never_falls_within_its_attempt() {
    // (progress, the highest that was seen in this attempt, what it comes to)
    let cases = [
        (0, None, ("sound", None)),
        (100, None, ("sound", None)),
        (50, Some(50), ("sound", None)),
        (80, Some(50), ("sound", None)),
        (101, None, ("clamped", Some(100))),
        (i16::MAX, None, ("clamped", Some(100))),
        (-1, None, ("clamped", Some(0))),
        (i16::MIN, None, ("clamped", Some(0))),
        (30, Some(80), ("restored", Some(80))),
        (99, Some(100), ("restored", Some(100))),
        (-5, Some(0), ("clamped", Some(0))),
        (-5, Some(80), ("restored", Some(80))),
        (250, Some(80), ("clamped", Some(100))),
        (250, Some(100), ("clamped", Some(100))),
    ];
    for (progress, highest, expected) in cases {
        let suspect = suspect(Processing, progress, highest, Some(Running));
        assert_eq!(short(judge(&suspect, &POLICY, now())), expected, "{progress}, {highest:?} before");
    }
}

#[test]
fn an_open_row_is_left_to_the_decision_table_once_its_execution_is_over() {
    // (row, newest execution, whether it is repaired)
    let cases = [
        (Pending, None, true),
        (Pending, Some(Running), true),
        (Processing, None, true),
        (Processing, Some(Running), true),
        (Processing, Some(PendingRedrive), true),
        (Pending, Some(Failed), false),
        (Processing, Some(Succeeded), false),
        (Processing, Some(Failed), false),
        (Processing, Some(TimedOut), false),
        (Processing, Some(Aborted), false),
        (Completed, Some(Succeeded), true),
        (Completed, Some(Failed), true),
        (Completed, None, true),
        (ProcessStatus::Failed, Some(Succeeded), true),
        (ProcessStatus::Failed, Some(Failed), true),
        (ProcessStatus::Failed, Some(Running), true),
        (Timeout, Some(TimedOut), true),
        (Cancelled, Some(Aborted), true),
        (Cancelled, Some(Running), true),
    ];
    for (status, newest, repaired) in cases {
        let suspect = suspect(status, 250, None, newest);
        let expected = if repaired { ("clamped", Some(100)) } else { ("left", None) };
        assert_eq!(short(judge(&suspect, &POLICY, now())), expected, "{status} with {newest:?}");
        // Two days later as well.
        if !status.is_open() {
            let later = now() + TimeDelta::days(2);
            assert_eq!(short(judge(&suspect, &POLICY, later)), expected, "{status} with {newest:?}, later");
        }
    }
}

#[test]
fn what_the_table_stops_or_closes_is_left_and_so_is_a_row_that_may_have_been_reopened() {
    let late = now() + TimeDelta::seconds(800);
    // (row, newest execution, when it is looked at)
    for (status, newest, at) in [(Processing, Some(Running), late), (Processing, None, late), (Pending, None, late)] {
        let verdict = judge(&suspect(status, 250, None, newest), &POLICY, at);
        assert_eq!(short(verdict), ("left", None), "{status} with {newest:?}");
    }
    let mut reopened = suspect(Processing, 250, None, Some(Failed));
    reopened.process.updated_at = ago(10);
    let verdict = judge(&reopened, &POLICY, now());
    assert!(
        matches!(verdict, Verdict::Left(Decision { reason: Reason::Reopened { .. }, .. })),
        "our write would look like the next re-opening: {verdict:?}"
    );
}

#[test]
fn a_closed_row_that_does_not_say_when_it_was_closed_keeps_its_late_success() {
    let mut late = suspect(ProcessStatus::Failed, 250, None, Some(Succeeded));
    late.process.completed_at = None;
    assert_eq!(short(judge(&late, &POLICY, now())), ("left", None));
    let mut agreed = suspect(ProcessStatus::Failed, 250, None, Some(Failed));
    agreed.process.completed_at = None;
    assert_eq!(short(judge(&agreed, &POLICY, now())), ("clamped", Some(100)));
}
