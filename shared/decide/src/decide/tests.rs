//! The decision table of the design, section 5, cell by cell, and what must hold in all of it.

mod words;

use proptest::prelude::*;

use super::cancel::{Cancelling, cancel};
use super::*;
use crate::domain::{DEADLINE_ERROR, Ending, WORDS};

const POLICY: Policy = Policy {
    process_deadline: TimeDelta::seconds(900),
    start_deadline: TimeDelta::seconds(300),
    settle: TimeDelta::seconds(60),
    require_result: false,
    words: &WORDS,
};

/// Seconds after an arbitrary midnight; every time in these tests is one.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_764_000_000 + seconds, 0).unwrap()
}

/// A row accepted at 0 and written last at 10.
fn row(status: ProcessStatus) -> Process {
    Process {
        id: "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c".parse().unwrap(),
        version: 1,
        status,
        progress: 40,
        has_result: status == ProcessStatus::Completed,
        error_code: matches!(status, ProcessStatus::Failed | ProcessStatus::Timeout).then(|| "AI_ERROR".to_owned()),
        retries: Some(0),
        created_at: at(0),
        // An execution is started after its row was accepted, and its first step writes PROCESSING.
        updated_at: at(if status == ProcessStatus::Pending { 0 } else { 10 }),
        completed_at: None,
        deadline: None,
    }
}

/// An execution started at 5; over ones ended at 100 with what such executions end with, and a result where they can.
fn execution(status: ExecutionStatus) -> Execution {
    let ending = |error: &str| Ending { error: Some(error.to_owned()), ..Ending::default() };
    Execution {
        arn: "arn:aws:states:ap-northeast-1:123456789012:execution:ai:6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c-1"
            .parse()
            .unwrap(),
        status,
        redrive_count: 0,
        started_at: at(5),
        redriven_at: None,
        stopped_at: status.is_over().then(|| at(100)),
        ending: match status {
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive | ExecutionStatus::TimedOut => None,
            ExecutionStatus::Succeeded => {
                Some(Ending { result: Some(serde_json::json!({"goal": "…"}).into()), ..Ending::default() })
            }
            ExecutionStatus::Failed => Some(ending("AI_ERROR")),
            ExecutionStatus::Aborted => Some(ending("ManualCancellation")),
        },
        stopped_for_deadline: false,
        says_failed: (status == ExecutionStatus::Succeeded).then_some(false),
    }
}

/// What a decision comes to, in the table's words.
fn word(decision: &Decision) -> String {
    let verdict = match decision.verdict {
        Verdict::Leave => "leave",
        Verdict::Close(Closing::Completed { result: true }) => "completed",
        Verdict::Close(Closing::Completed { result: false }) => "completed, no result",
        Verdict::Close(Closing::Failed) => "failed",
        Verdict::Close(Closing::ResultMissing) => "failed, no result",
        Verdict::Close(Closing::NeverStarted) => "never started",
        Verdict::Close(Closing::TimedOut) => "timed out",
        Verdict::Close(Closing::Cancelled) => "cancelled",
        Verdict::Stop(StopCause::Deadline) => "stop, deadline",
        Verdict::Stop(StopCause::Cancelled) => "stop, cancelled",
        Verdict::Inspect => "inspect",
    };
    if decision.anomaly.is_some() && !verdict.contains("no result") {
        format!("{verdict} + finding")
    } else {
        verdict.to_owned()
    }
}

#[test]
fn the_table_says_what_the_design_says() {
    const TABLE: &str = "
                | in time         | past deadline   | SUCCEEDED       | FAILED          | TIMED_OUT       | ABORTED         | PENDING_REDRIVE | none, in time | none, past deadline
    PENDING     | leave           | stop, deadline  | completed       | failed          | timed out       | cancelled       | leave           | leave         | never started
    PROCESSING  | leave           | stop, deadline  | completed       | failed          | timed out       | cancelled       | leave           | leave         | timed out
    COMPLETED   | leave           | leave + finding | leave           | leave + finding | leave + finding | leave + finding | leave           | leave         | leave
    FAILED      | leave           | stop, deadline  | completed       | leave           | leave           | leave           | leave           | leave         | leave
    TIMEOUT     | leave           | stop, deadline  | completed       | leave           | leave           | leave           | leave           | leave         | leave
    CANCELLED   | stop, cancelled | stop, cancelled | leave + finding | leave           | leave           | leave           | leave           | leave         | leave";
    let mut lines = TABLE.lines().skip(1).map(|line| line.split('|').map(str::trim));
    let columns: Vec<&str> = lines.next().unwrap().skip(1).collect();
    let mut cells = 0;
    for mut line in lines {
        let status: ProcessStatus = line.next().unwrap().parse().unwrap();
        for (column, expected) in columns.iter().zip(line) {
            let (newest, now) = match *column {
                "in time" => (Some(execution(ExecutionStatus::Running)), 800),
                "past deadline" => (Some(execution(ExecutionStatus::Running)), 905),
                "none, in time" => (None, 299),
                "none, past deadline" => (None, 900),
                over => (Some(execution(over.parse().unwrap())), 800),
            };
            for look in [Look::Event, Look::Sweep] {
                let decision = decide(&row(status), newest.as_ref(), look, &POLICY, at(now));
                assert_eq!(word(&decision), expected, "{status} × {column}, {look:?}: {decision:?}");
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 6 * 9 * 2);
}

/// A case beside the table: its name, row, execution, policy, look, time, and what is expected.
struct Case(&'static str, Process, Option<Execution>, Policy, Look, i64, &'static str);

#[test]
fn the_rules_below_the_table_hold() {
    use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
    let open = || row(ProcessStatus::Processing);
    let failed = || row(ProcessStatus::Failed);
    let ended = |status| Some(execution(status));
    let unknown = |status| Some(Execution { ending: None, ..execution(status) });
    let silent = || Some(Execution { ending: Some(Ending::default()), ..execution(Succeeded) });
    let written = |process: Process, seconds| Process { updated_at: at(seconds), ..process };
    let closed =
        |process: Process, seconds| Process { completed_at: Some(at(seconds)), updated_at: at(seconds), ..process };
    let strict = Policy { require_result: true, ..POLICY };
    let unread = || Some(Execution { says_failed: None, ending: None, ..execution(Succeeded) });
    let redriven = |status| Some(Execution { redriven_at: Some(at(1000)), redrive_count: 1, ..execution(status) });
    let (event, sweep) = (Look::Event, Look::Sweep);
    #[rustfmt::skip]
    let cases = [
        // Results.
        Case("a success without a result anywhere", open(), silent(), POLICY, event, 800, "completed, no result"),
        Case("… where one is required", open(), silent(), strict, event, 800, "failed, no result"),
        Case("… where the row has it", Process { has_result: true, ..open() }, silent(), strict, event, 800, "completed"),
        Case("a success whose output is not known", open(), unknown(Succeeded), POLICY, event, 800, "inspect"),
        Case("… where the row has the result", Process { has_result: true, ..open() }, unknown(Succeeded), strict, event, 800, "completed"),
        Case("… where the output is not known", Process { has_result: true, ..open() }, unread(), strict, event, 800, "inspect"),
        // Endings.
        Case("a failure whose error is not known", open(), unknown(Failed), POLICY, event, 800, "inspect"),
        Case("a timeout needs no error", open(), unknown(TimedOut), POLICY, event, 800, "timed out"),
        Case("a stop whose error is not known", open(), unknown(Aborted), POLICY, event, 800, "inspect"),
        Case("… for the deadline, says the ledger", open(), Some(Execution { ending: None, stopped_for_deadline: true, ..execution(Aborted) }), POLICY, event, 800, "timed out"),
        Case("… for the deadline, says its error", open(), Some(Execution { ending: Some(Ending { error: Some(DEADLINE_ERROR.to_owned()), ..Ending::default() }), ..execution(Aborted) }), POLICY, event, 800, "timed out"),
        Case("… from the console, without an error", open(), Some(Execution { ending: Some(Ending::default()), ..execution(Aborted) }), POLICY, event, 800, "cancelled"),
        // Deadlines.
        Case("a second before the deadline", open(), ended(Running), POLICY, sweep, 904, "leave"),
        Case("no execution, PROCESSING, past the start deadline only", open(), None, POLICY, sweep, 899, "leave"),
        Case("no execution, re-opened long after its acceptance", written(row(ProcessStatus::Pending), 5000), None, POLICY, event, 5299, "leave"),
        Case("… and past the start deadline from then", written(row(ProcessStatus::Pending), 5000), None, POLICY, event, 5300, "never started"),
        Case("a redriven attempt counts from its redrive", open(), redriven(Running), POLICY, sweep, 1899, "leave"),
        Case("a row that waits since before a redrive, which failed too", written(row(ProcessStatus::Pending), 990), Some(Execution { stopped_at: Some(at(1010)), ..redriven(Failed).unwrap() }), POLICY, event, 1100, "failed"),
        Case("… to its own deadline", open(), redriven(Running), POLICY, sweep, 1900, "stop, deadline"),
        Case("a pending redrive has no deadline", failed(), ended(PendingRedrive), POLICY, sweep, 90_000, "leave"),
        // Late success.
        Case("a late success", closed(failed(), 50), ended(Succeeded), POLICY, event, 800, "completed"),
        Case("… that is not known to have a result", closed(failed(), 50), unknown(Succeeded), POLICY, event, 800, "inspect"),
        Case("… that has no result", closed(failed(), 50), silent(), POLICY, event, 800, "leave + finding"),
        Case("… whose row has the result", Process { has_result: true, ..closed(failed(), 50) }, unknown(Succeeded), POLICY, event, 800, "completed"),
        Case("a success before the row was closed", closed(failed(), 150), ended(Succeeded), POLICY, event, 800, "leave + finding"),
        Case("a success in the moment of closing", closed(failed(), 100), unknown(Succeeded), POLICY, event, 800, "leave + finding"),
        Case("a success at a time that is not known", closed(failed(), 50), Some(Execution { stopped_at: None, ..execution(Succeeded) }), POLICY, event, 800, "leave + finding"),
        Case("a row that a person closed", Process { error_code: Some(CLOSED_BY_PERSON.to_owned()), ..closed(failed(), 50) }, ended(Succeeded), POLICY, event, 800, "leave + finding"),
        // Re-opened rows.
        Case("written after the end", written(open(), 200), ended(Failed), POLICY, event, 499, "leave"),
        Case("… and the old execution speaks after all", written(open(), 200), ended(Failed), POLICY, event, 500, "failed"),
        Case("written in the moment of the end", written(open(), 100), ended(Failed), POLICY, event, 101, "failed"),
        Case("written after an end that is not known", written(open(), 200), Some(Execution { stopped_at: None, ..execution(TimedOut) }), POLICY, event, 499, "leave"),
        Case("re-opened while the old one still ran", written(row(ProcessStatus::Pending), 90), ended(TimedOut), POLICY, event, 389, "leave"),
        Case("… and no new one came", written(row(ProcessStatus::Pending), 90), ended(TimedOut), POLICY, event, 390, "timed out"),
        Case("progress while it ran opens nothing", written(open(), 90), ended(TimedOut), POLICY, event, 101, "timed out"),
        // Settling.
        Case("an end a moment ago, to a sweep", open(), ended(Failed), POLICY, sweep, 159, "leave"),
        Case("… a minute ago", open(), ended(Failed), POLICY, sweep, 160, "failed"),
        Case("… a moment ago, to an event", open(), ended(Failed), POLICY, event, 100, "failed"),
        Case("a cancel a moment ago, to a sweep", closed(row(ProcessStatus::Cancelled), 500), ended(Running), POLICY, sweep, 559, "leave"),
        Case("… a minute ago, though the worker writes on", written(closed(row(ProcessStatus::Cancelled), 500), 555), ended(Running), POLICY, sweep, 560, "stop, cancelled"),
        Case("… a moment ago, to an event", closed(row(ProcessStatus::Cancelled), 500), ended(Running), POLICY, event, 501, "stop, cancelled"),
        Case("progress does not put off the deadline", written(open(), 904), ended(Running), POLICY, sweep, 905, "stop, deadline"),
        Case("a worker's FAILED a moment ago does", written(failed(), 904), ended(Running), POLICY, sweep, 905, "leave"),
        Case("findings settle too", closed(row(ProcessStatus::Completed), 800), ended(Failed), POLICY, sweep, 859, "leave"),
        Case("a redrive a moment ago, though an end is on record", row(ProcessStatus::Cancelled), Some(Execution { stopped_at: Some(at(100)), ..redriven(Running).unwrap() }), POLICY, sweep, 1059, "leave"),
    ];
    for Case(name, process, newest, policy, look, now, expected) in cases {
        let decision = decide(&process, newest.as_ref(), look, &policy, at(now));
        assert_eq!(word(&decision), expected, "{name}: {decision:?}");
    }
}

#[test]
fn a_decision_tells_how_long_it_is_still_left_alone() {
    let decided = |process: &Process, newest: Option<&Execution>, look, now| {
        decide(process, newest, look, &POLICY, at(now)).reason
    };
    let left = TimeDelta::seconds(1);
    let open = row(ProcessStatus::Processing);
    let over = execution(ExecutionStatus::Failed);
    let reopened = Process { updated_at: at(200), ..open.clone() };
    assert_eq!(decided(&open, Some(&execution(ExecutionStatus::Running)), Look::Event, 904), Reason::InTime { left });
    assert_eq!(decided(&open, None, Look::Event, 899), Reason::NotStartedYet { left });
    assert_eq!(decided(&open, Some(&over), Look::Sweep, 159), Reason::Settling { left });
    assert_eq!(decided(&reopened, Some(&over), Look::Event, 499), Reason::Reopened { left });
    let late = TimeDelta::seconds(2);
    assert_eq!(
        decided(&open, Some(&execution(ExecutionStatus::Running)), Look::Event, 907),
        Reason::PastDeadline { over: late }
    );
    assert_eq!(decided(&row(ProcessStatus::Pending), None, Look::Event, 302), Reason::NeverStarted { over: late });
    assert_eq!(decided(&open, None, Look::Event, 902), Reason::ExecutionGone { over: late });
    // What is as it should be has nothing to settle.
    let (completed, succeeded) = (row(ProcessStatus::Completed), execution(ExecutionStatus::Succeeded));
    assert_eq!(decided(&completed, Some(&succeeded), Look::Sweep, 101), Reason::Consistent);
}

#[test]
fn an_overtaken_execution_is_stopped_like_a_newest_one_and_closes_nothing() {
    let asked =
        |status, execution: &Execution, now| word(&overtaken(&row(status), execution, Look::Sweep, &POLICY, at(now)));
    let running = execution(ExecutionStatus::Running);
    assert_eq!(asked(ProcessStatus::Processing, &running, 904), "leave");
    assert_eq!(asked(ProcessStatus::Processing, &running, 905), "stop, deadline");
    assert_eq!(asked(ProcessStatus::Cancelled, &running, 500), "stop, cancelled");
    for status in ExecutionStatus::ALL.into_iter().filter(|status| *status != ExecutionStatus::Running) {
        assert_eq!(asked(ProcessStatus::Processing, &execution(status), 905), "leave", "{status}");
    }
}

/// What becomes of the wish to cancel, in the table's words.
fn wished(cancelling: &Cancelling) -> String {
    match cancelling {
        Cancelling::Stop => "stop".to_owned(),
        Cancelling::Close => "cancel".to_owned(),
        Cancelling::AlreadySo(decision) => format!("so: {}", word(decision)),
        Cancelling::Not(decision) => format!("not: {}", word(decision)),
    }
}

#[test]
fn the_wish_to_cancel_stops_what_runs_then_writes_the_row_and_comes_too_late_for_what_is_over() {
    const TABLE: &str = "
                | in time              | past deadline        | overtaken runs       | SUCCEEDED           | FAILED               | TIMED_OUT            | ABORTED              | PENDING_REDRIVE | none
    PENDING     | stop                 | stop                 | stop                 | not: completed      | not: failed          | not: timed out       | cancel               | not: leave      | cancel
    PROCESSING  | stop                 | stop                 | stop                 | not: completed      | not: failed          | not: timed out       | cancel               | not: leave      | cancel
    COMPLETED   | not: leave           | not: leave + finding | not: leave + finding | not: leave          | not: leave + finding | not: leave + finding | not: leave + finding | not: leave      | not: leave
    FAILED      | stop                 | stop                 | stop                 | not: completed      | not: leave           | not: leave           | not: leave           | not: leave      | not: leave
    TIMEOUT     | stop                 | stop                 | stop                 | not: completed      | not: leave           | not: leave           | not: leave           | not: leave      | not: leave
    CANCELLED   | stop                 | stop                 | stop                 | so: leave + finding | so: leave            | so: leave            | so: leave            | so: leave       | so: leave";
    let mut lines = TABLE.lines().skip(1).map(|line| line.split('|').map(str::trim));
    let columns: Vec<&str> = lines.next().unwrap().skip(1).collect();
    let mut cells = 0;
    for mut line in lines {
        let process = row(line.next().unwrap().parse().unwrap());
        for (column, expected) in columns.iter().zip(line) {
            let (newest, overtaken_runs, now) = match *column {
                "in time" => (Some(execution(ExecutionStatus::Running)), false, 800),
                "past deadline" => (Some(execution(ExecutionStatus::Running)), false, 905),
                "overtaken runs" => (Some(execution(ExecutionStatus::Failed)), true, 800),
                "none" => (None, false, 800),
                over => (Some(execution(over.parse().unwrap())), false, 800),
            };
            let cancelling = cancel(&process, newest.as_ref(), overtaken_runs, &POLICY, at(now));
            assert_eq!(wished(&cancelling), expected, "{} × {column}: {cancelling:?}", process.status);
            cells += 1;
        }
    }
    assert_eq!(cells, 6 * 9);
}

#[test]
fn an_open_row_that_waits_for_a_new_execution_is_cancelled_at_once_unless_the_old_one_succeeded() {
    use ExecutionStatus::{Aborted, Failed, Succeeded, TimedOut};
    let reopened = |status| Process { updated_at: at(200), ..row(status) };
    for status in [ProcessStatus::Pending, ProcessStatus::Processing] {
        for (ended, expected) in
            [(Failed, "cancel"), (TimedOut, "cancel"), (Aborted, "cancel"), (Succeeded, "not: leave")]
        {
            let cancelling = cancel(&reopened(status), Some(&execution(ended)), false, &POLICY, at(201));
            assert_eq!(wished(&cancelling), expected, "{status} × {ended}");
        }
    }
    let for_deadline = Execution { stopped_for_deadline: true, ending: None, ..execution(Aborted) };
    let cancelling = cancel(&row(ProcessStatus::Processing), Some(&for_deadline), false, &POLICY, at(800));
    assert_eq!(wished(&cancelling), "not: timed out", "it was stopped for another reason before");
}

fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..3000).prop_map(at)
}

fn any_process() -> impl Strategy<Value = Process> {
    let error = prop_oneof![Just(None), Just(Some("AI_ERROR".to_owned())), Just(Some(CLOSED_BY_PERSON.to_owned()))];
    let status = proptest::sample::select(ProcessStatus::ALL.as_slice());
    (status, any::<bool>(), error, any_time(), any_time(), proptest::option::of(any_time())).prop_map(
        |(status, has_result, error_code, created_at, updated_at, completed_at)| Process {
            has_result,
            error_code,
            created_at,
            updated_at,
            completed_at,
            ..row(status)
        },
    )
}

fn any_execution() -> impl Strategy<Value = Execution> {
    let status = proptest::sample::select(ExecutionStatus::ALL.as_slice());
    let times = (any_time(), proptest::option::of(any_time()), proptest::option::of(any_time()));
    (status, 0..3_i32, times, 0..3_u8, any::<(bool, Option<bool>)>()).prop_map(
        |(status, redrive_count, (started_at, redriven_at, stopped_at), ending, (stopped_for_deadline, failed))| {
            Execution {
                redrive_count,
                started_at,
                redriven_at,
                stopped_at,
                ending: match ending {
                    0 => None,
                    1 => Some(Ending::default()),
                    _ => execution(status).ending,
                },
                stopped_for_deadline,
                // Whoever knows what a success ended with has read its output.
                says_failed: failed.or((ending > 0).then_some(false)).filter(|_| status == ExecutionStatus::Succeeded),
                ..execution(status)
            }
        },
    )
}

fn any_look() -> impl Strategy<Value = Look> {
    prop_oneof![Just(Look::Event), Just(Look::Sweep)]
}

fn any_policy() -> impl Strategy<Value = Policy> {
    any::<bool>().prop_map(|require_result| Policy { require_result, ..POLICY })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_row_is_closed_only_beside_an_execution_that_is_over(
        process in any_process(), newest in proptest::option::of(any_execution()), look in any_look(), policy in any_policy(), now in any_time(),
    ) {
        if let Verdict::Close(closing) = decide(&process, newest.as_ref(), look, &policy, now).verdict {
            let ended = newest.as_ref().map(Execution::outcome);
            prop_assert!(ended.is_none_or(ExecutionStatus::is_over));
            let fits = match closing {
                Closing::Completed { .. } | Closing::ResultMissing => ended == Some(ExecutionStatus::Succeeded),
                Closing::Failed => ended == Some(ExecutionStatus::Failed),
                Closing::NeverStarted => ended.is_none(),
                Closing::TimedOut => matches!(ended, None | Some(ExecutionStatus::TimedOut | ExecutionStatus::Aborted)),
                Closing::Cancelled => ended == Some(ExecutionStatus::Aborted),
            };
            prop_assert!(fits, "{closing:?} × {ended:?}");
        }
    }

    #[test]
    fn a_completed_or_cancelled_row_is_never_written_unless_its_success_says_that_it_failed(
        process in any_process(), newest in proptest::option::of(any_execution()), look in any_look(), policy in any_policy(), now in any_time(),
    ) {
        let decision = decide(&process, newest.as_ref(), look, &policy, now);
        let says_failed = newest.is_some_and(|newest| newest.says_failed == Some(true));
        match (process.status, decision.verdict) {
            (ProcessStatus::Completed, Verdict::Close(Closing::Failed)) => prop_assert!(says_failed, "{decision:?}"),
            (ProcessStatus::Completed, verdict) => {
                prop_assert!(matches!(verdict, Verdict::Leave | Verdict::Inspect), "{decision:?}");
            }
            (ProcessStatus::Cancelled, verdict) => prop_assert!(!matches!(verdict, Verdict::Close(_)), "{decision:?}"),
            (_, _) => {}
        }
    }

    #[test]
    fn only_what_runs_is_stopped_and_only_what_is_over_is_inspected(
        process in any_process(), newest in proptest::option::of(any_execution()), look in any_look(), policy in any_policy(), now in any_time(),
    ) {
        match (decide(&process, newest.as_ref(), look, &policy, now).verdict, newest) {
            (Verdict::Stop(cause), Some(newest)) => {
                prop_assert_eq!(newest.status, ExecutionStatus::Running);
                let due = match cause {
                    StopCause::Cancelled => process.status == ProcessStatus::Cancelled,
                    StopCause::Deadline => now >= newest.attempt_started_at() + policy.process_deadline,
                };
                prop_assert!(due);
            }
            // To inspect what is known would be asked for ever.
            (Verdict::Inspect, Some(newest)) => prop_assert!(newest.status.is_over() && newest.ending.is_none()),
            (verdict @ (Verdict::Stop(_) | Verdict::Inspect), None) => prop_assert!(false, "{verdict:?} of nothing"),
            (Verdict::Leave | Verdict::Close(_), _) => {}
        }
    }

    #[test]
    fn what_is_to_be_done_stays_to_be_done(
        process in any_process(), newest in proptest::option::of(any_execution()), look in any_look(), policy in any_policy(),
        now in any_time(), later in 0_i64..5000,
    ) {
        let first = decide(&process, newest.as_ref(), look, &policy, now);
        if first.verdict != Verdict::Leave || first.anomaly.is_some() {
            let second = decide(&process, newest.as_ref(), look, &policy, now + TimeDelta::seconds(later));
            prop_assert_eq!((first.verdict, first.anomaly), (second.verdict, second.anomaly));
        }
    }

    #[test]
    fn a_sweep_leaves_more_than_an_event_and_never_decides_otherwise(
        process in any_process(), newest in proptest::option::of(any_execution()), policy in any_policy(), now in any_time(),
    ) {
        let event = decide(&process, newest.as_ref(), Look::Event, &policy, now);
        let sweep = decide(&process, newest.as_ref(), Look::Sweep, &policy, now);
        prop_assert!(sweep == event || matches!(sweep.reason, Reason::Settling { .. }), "{event:?}, {sweep:?}");
    }

    #[test]
    fn an_open_row_does_not_stay_open(process in any_process(), newest in proptest::option::of(any_execution()), policy in any_policy()) {
        let verdict = decide(&process, newest.as_ref(), Look::Sweep, &policy, at(10_000)).verdict;
        let redrives = newest.is_some_and(|newest| newest.status == ExecutionStatus::PendingRedrive);
        prop_assert!(!process.status.is_open() || redrives || verdict != Verdict::Leave);
    }

    #[test]
    fn a_wish_never_cancels_what_runs_or_succeeded_and_never_leaves_what_runs_for_an_open_row(
        process in any_process(), newest in proptest::option::of(any_execution()), overtaken_runs in any::<bool>(),
        policy in any_policy(), now in any_time(),
    ) {
        let status = newest.as_ref().map(Execution::outcome);
        let runs = overtaken_runs || status == Some(ExecutionStatus::Running);
        match cancel(&process, newest.as_ref(), overtaken_runs, &policy, now) {
            Cancelling::Stop => prop_assert!(runs && process.status != ProcessStatus::Completed),
            Cancelling::Close => {
                let over = status.is_none_or(|status| status.is_over() && status != ExecutionStatus::Succeeded);
                prop_assert!(!runs && process.status.is_open() && over);
            }
            Cancelling::AlreadySo(decision) => {
                prop_assert!(!runs && process.status == ProcessStatus::Cancelled);
                prop_assert_eq!(decision.verdict, Verdict::Leave);
            }
            Cancelling::Not(decision) => {
                prop_assert!(!runs || process.status == ProcessStatus::Completed);
                prop_assert!(!matches!(decision.verdict, Verdict::Stop(_) | Verdict::Close(Closing::Cancelled)));
            }
        }
    }

    #[test]
    fn what_is_newer_is_a_strict_order(a in any_execution(), b in any_execution(), c in any_execution()) {
        prop_assert!(!a.supersedes(&a));
        prop_assert!(!(a.supersedes(&b) && b.supersedes(&a)));
        prop_assert!(!(a.supersedes(&b) && b.supersedes(&c)) || a.supersedes(&c));
        // An old event changes nothing: a running one never takes back an end, nor an earlier attempt a later one.
        if b.status.is_over() && a.status == ExecutionStatus::Running {
            prop_assert_eq!(a.supersedes(&b), a.redrive_count > b.redrive_count);
        }
        prop_assert!(a.redrive_count >= b.redrive_count || !a.supersedes(&b));
    }
}
