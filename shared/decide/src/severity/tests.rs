//! What the decision table wants makes it less bad, and anything else that could be written does not.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::decide::{Closing, Look, StopCause, Verdict, decide};
use crate::domain::{DEADLINE_ERROR, Ending, WORDS};

const STATUSES: [ProcessStatus; 6] = [
    ProcessStatus::Pending,
    ProcessStatus::Processing,
    ProcessStatus::Completed,
    ProcessStatus::Failed,
    ProcessStatus::Timeout,
    ProcessStatus::Cancelled,
];

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_764_000_000 + seconds, 0).unwrap()
}

fn policy(require_result: bool) -> Policy {
    Policy {
        process_deadline: TimeDelta::seconds(900),
        start_deadline: TimeDelta::seconds(300),
        settle: TimeDelta::seconds(60),
        require_result,
        words: &WORDS,
    }
}

prop_compose! {
    fn rows()(
        status in proptest::sample::select(STATUSES.to_vec()),
        (created, updated, completed) in (-2000..1000_i64, 0..1500_i64, proptest::option::of(0..2000_i64)),
        has_result in any::<bool>(),
    ) -> Process {
        Process {
            id: "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c".parse().unwrap(),
            version: 1,
            status,
            progress: 40,
            has_result,
            error_code: None,
            retries: Some(0),
            created_at: at(created),
            updated_at: at(created + updated),
            completed_at: completed.map(|completed| at(created + completed)),
            deadline: None,
        }
    }
}

prop_compose! {
    fn executions()(
        status in proptest::sample::select(ExecutionStatus::ALL.to_vec()),
        (started, redriven, took) in (-2000..1000_i64, proptest::option::of(0..500_i64), 0..1500_i64),
        (result, error) in (any::<bool>(), proptest::sample::select(vec![None, Some(DEADLINE_ERROR), Some("AI_ERROR"), Some("CANCELLED")])),
        (known, stopped_for_deadline, failed) in any::<(bool, bool, Option<bool>)>(),
    ) -> Execution {
        let ending = Ending {
            error: error.map(str::to_owned),
            cause: None,
            result: (result && status == ExecutionStatus::Succeeded).then(|| serde_json::json!({}).into()),
        };
        Execution {
            arn: "arn:aws:states:ap-northeast-1:123456789012:execution:ai:x".parse().unwrap(),
            status,
            redrive_count: i32::from(redriven.is_some()),
            started_at: at(started),
            redriven_at: redriven.map(|redriven| at(started + redriven)),
            stopped_at: status.is_over().then(|| at(started + took)),
            ending: (status.is_over() && known).then_some(ending),
            stopped_for_deadline: stopped_for_deadline && status == ExecutionStatus::Aborted,
            says_failed: failed.filter(|_| known && status == ExecutionStatus::Succeeded),
        }
    }
}

/// What a closing writes.
fn written(closing: Closing) -> ProcessStatus {
    match closing {
        Closing::Completed { .. } => ProcessStatus::Completed,
        Closing::Failed | Closing::ResultMissing | Closing::NeverStarted => ProcessStatus::Failed,
        Closing::TimedOut => ProcessStatus::Timeout,
        Closing::Cancelled => ProcessStatus::Cancelled,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_the_table_wants_makes_it_less_bad(
        row in rows(),
        newest in proptest::option::of(executions()),
        (now, strict) in (0..3000_i64, any::<bool>()),
    ) {
        let (policy, now) = (policy(strict), at(now));
        let wish = row.status == ProcessStatus::Cancelled || newest.as_ref().is_some_and(|execution| is_stopped_by_person(execution, &WORDS));
        let before = severity(row.status, &row, newest.as_ref(), wish, &policy, now);
        let after = match decide(&row, newest.as_ref(), Look::Event, &policy, now).verdict {
            Verdict::Close(closing) => severity(written(closing), &row, newest.as_ref(), wish, &policy, now),
            Verdict::Stop(cause) => {
                let mut stopped = newest.clone().unwrap();
                stopped.status = ExecutionStatus::Aborted;
                stopped.stopped_at = Some(now);
                stopped.stopped_for_deadline = cause == StopCause::Deadline;
                severity(row.status, &row, Some(&stopped), wish, &policy, now)
            }
            Verdict::Leave | Verdict::Inspect => return Ok(()),
        };
        prop_assert!(after < before, "{before:?} became {after:?}: {row:#?} {newest:#?}");
    }
}

/// An open row, past every deadline, and an execution that ended so.
fn over(status: Option<ExecutionStatus>) -> (Process, Option<Execution>) {
    let row = Process {
        id: "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c".parse().unwrap(),
        version: 1,
        status: ProcessStatus::Processing,
        progress: 40,
        has_result: false,
        error_code: None,
        retries: Some(0),
        created_at: at(0),
        updated_at: at(10),
        completed_at: None,
        deadline: None,
    };
    let newest = status.map(|status| Execution {
        arn: "arn:aws:states:ap-northeast-1:123456789012:execution:ai:x".parse().unwrap(),
        status,
        redrive_count: 0,
        started_at: at(5),
        redriven_at: None,
        stopped_at: status.is_over().then(|| at(100)),
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    });
    (row, newest)
}

#[test]
fn of_all_that_could_be_written_only_what_is_true_makes_it_less_bad() {
    use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
    // (how the execution ended, what may be written)
    for (execution, right) in [
        (None, vec![ProcessStatus::Failed, ProcessStatus::Timeout]),
        (Some(Succeeded), vec![ProcessStatus::Completed]),
        (Some(Failed), vec![ProcessStatus::Failed, ProcessStatus::Timeout]),
        (Some(TimedOut), vec![ProcessStatus::Failed, ProcessStatus::Timeout]),
        (Some(Aborted), vec![ProcessStatus::Cancelled]),
        (Some(Running), vec![]),
        (Some(PendingRedrive), vec![]),
    ] {
        let (row, newest) = over(execution);
        let wish = newest.as_ref().is_some_and(|execution| is_stopped_by_person(execution, &WORDS));
        let of = |status| severity(status, &row, newest.as_ref(), wish, &policy(false), at(2000));
        let less: Vec<ProcessStatus> =
            STATUSES.into_iter().filter(|status| of(*status) < of(ProcessStatus::Processing)).collect();
        assert_eq!(less, right, "{execution:?}");
    }
}

#[test]
fn what_succeeded_and_says_that_it_failed_is_told_as_failed_and_as_cancelled_where_it_says_that() {
    for (code, right) in [
        ("AI_ERROR", vec![ProcessStatus::Failed, ProcessStatus::Timeout]),
        ("CANCELLED", vec![ProcessStatus::Cancelled]),
    ] {
        for status in [ExecutionStatus::Succeeded, ExecutionStatus::Failed] {
            let (row, newest) = over(Some(status));
            let ending = Some(Ending { error: Some(code.to_owned()), ..Ending::default() });
            let newest = Execution { says_failed: Some(true), ending, ..newest.unwrap() };
            let wish = is_stopped_by_person(&newest, &WORDS);
            let of = |status| severity(status, &row, Some(&newest), wish, &policy(false), at(2000));
            let less: Vec<ProcessStatus> =
                STATUSES.into_iter().filter(|status| of(*status) < of(ProcessStatus::Processing)).collect();
            assert_eq!(less, right, "{code}, {status}");
        }
    }
}

#[test]
fn to_stop_what_runs_in_time_makes_it_worse_and_what_is_late_or_unwanted_less_bad() {
    let (row, newest) = over(Some(ExecutionStatus::Running));
    let stopped = Execution {
        status: ExecutionStatus::Aborted,
        stopped_at: Some(at(100)),
        stopped_for_deadline: true,
        ..newest.clone().unwrap()
    };
    for (now, wish, less) in [(800, false, false), (905, false, true), (800, true, true)] {
        let of = |newest| severity(row.status, &row, newest, wish, &policy(false), at(now));
        assert_eq!(of(Some(&stopped)) < of(newest.as_ref()), less, "at {now}, cancelled: {wish}");
    }
}

#[test]
fn what_was_redriven_is_late_by_its_redrive() {
    let (row, newest) = over(Some(ExecutionStatus::Running));
    let redriven = Execution { redriven_at: Some(at(800)), redrive_count: 1, ..newest.unwrap() };
    for (now, expected) in [(1699, Severity::Sound), (1700, Severity::Wrong)] {
        assert_eq!(severity(row.status, &row, Some(&redriven), false, &policy(false), at(now)), expected, "at {now}");
    }
}
