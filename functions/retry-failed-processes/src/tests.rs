//! The plan as a table: what becomes of one failed process, and of many.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use remediation::domain::{DEADLINE_ERROR, Ending, ExecutionStatus, Process, ProcessStatus, WORDS};
use remediation::gather::processes::case::Link;
use uuid::Uuid;

use super::*;

const NOW: i64 = 1_764_000_000;

/// So many seconds before now.
fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

fn config() -> Config {
    Config::read(|name| match name {
        "DATABASE_URL" => Some("postgres://user:password@host:5432/database".to_owned()),
        "STATE_MACHINE_ARN" => Some("arn:aws:states:us-east-1:000000000000:stateMachine:ai".to_owned()),
        "TEXT_LANGUAGE" => Some("en".to_owned()),
        _ => None,
    })
    .unwrap()
}

/// A process whose only execution failed five minutes ago.
fn case(n: u128, code: Option<&str>) -> Case {
    let id = ProcessId::from(Uuid::from_u128(n));
    let process = Process {
        id,
        version: 1,
        status: ProcessStatus::Failed,
        progress: 50,
        has_result: false,
        error_code: code.map(str::to_owned),
        retries: Some(0),
        created_at: ago(400),
        updated_at: ago(300),
        completed_at: Some(ago(300)),
        deadline: None,
    };
    let execution = Execution {
        arn: format!("arn:aws:states:us-east-1:000000000000:execution:ai:{id}-1764000000000").parse().unwrap(),
        status: ExecutionStatus::Failed,
        redrive_count: 0,
        started_at: ago(399),
        redriven_at: None,
        stopped_at: Some(ago(299)),
        ending: Some(Ending { error: Some("ProcessingFailed".to_owned()), ..Ending::default() }),
        stopped_for_deadline: false,
        says_failed: None,
    };
    Case { process, newest: Newest::Known(Some(execution)), look: Look::Sweep, link: Link::Told }
}

/// Changes a case's execution.
fn execution(change: impl Fn(&mut Execution)) -> impl Fn(&mut Case, &mut History) {
    move |case, _| {
        if let Newest::Known(Some(execution)) = &mut case.newest {
            change(execution);
        }
    }
}

fn once() -> History {
    History { executions: 1, ..History::default() }
}

type Change = Box<dyn Fn(&mut Case, &mut History)>;

fn change(change: impl Fn(&mut Case, &mut History) + 'static) -> Change {
    Box::new(change)
}

#[test]
fn one_failed_process_is_tried_again_told_or_left() {
    use ExecutionStatus::{Aborted, PendingRedrive, Running, Succeeded, TimedOut};
    let retry = |attempts, throttled| Judgement::Retry { attempts, throttled };
    let leave = Judgement::Leave;
    let cases: Vec<(&str, Change, Judgement)> = vec![
        ("a transient failure", change(|_, _| {}), retry(1, false)),
        ("throttled", change(|case, _| case.process.error_code = Some("AI_THROTTLING".into())), retry(1, true)),
        (
            "bad input",
            change(|case, _| case.process.error_code = Some("VALIDATION_ERROR".into())),
            Judgement::Permanent,
        ),
        (
            "a message tells",
            change(|_, history| history.message = Some("ValidationException".into())),
            Judgement::Permanent,
        ),
        ("TIMEOUT, too", change(|case, _| case.process.status = ProcessStatus::Timeout), retry(1, false)),
        ("no code", change(|case, _| case.process.error_code = None), Judgement::Permanent),
        (
            "no code, and the execution tells",
            change(|case, history| {
                case.process.error_code = None;
                execution(|it| it.ending.as_mut().unwrap().error = Some("ThrottlingException".into()))(case, history);
            }),
            retry(1, true),
        ),
        (
            "no code, and the execution timed out",
            change(|case, history| {
                case.process.error_code = None;
                execution(|it| (it.status, it.ending) = (TimedOut, None))(case, history);
            }),
            retry(1, false),
        ),
        // The row alone.
        (
            "COMPLETED",
            change(|case, _| case.process.status = ProcessStatus::Completed),
            leave(Left::NotFailed(ProcessStatus::Completed)),
        ),
        (
            "PENDING: the user's own retry",
            change(|case, _| case.process.status = ProcessStatus::Pending),
            leave(Left::NotFailed(ProcessStatus::Pending)),
        ),
        (
            "closed by a person",
            change(|case, _| case.process.error_code = Some("MANUAL_INTERVENTION".into())),
            leave(Left::ClosedByPerson),
        ),
        ("with a result", change(|case, _| case.process.has_result = true), leave(Left::HasResult)),
        ("asked anew", change(|_, history| history.superseded = true), leave(Left::Superseded)),
        ("under way", change(|_, history| history.busy = true), leave(Left::Busy)),
        ("taken back by a person", change(|_, history| history.undone = true), leave(Left::Undone)),
        // Its execution.
        ("running", change(execution(|it| (it.status, it.stopped_at) = (Running, None))), leave(Left::Running)),
        ("to be redriven", change(execution(|it| it.status = PendingRedrive)), leave(Left::Running)),
        ("succeeded", change(execution(|it| it.status = Succeeded)), leave(Left::Succeeded)),
        ("stopped by a person", change(execution(|it| it.status = Aborted)), leave(Left::StoppedByPerson)),
        (
            "stopped by us",
            change(execution(|it| (it.status, it.ending, it.stopped_for_deadline) = (Aborted, None, true))),
            retry(1, false),
        ),
        (
            "stopped by a person a moment before us, as its error tells",
            change(execution(|it| {
                (it.status, it.stopped_for_deadline) = (Aborted, true);
                it.ending.as_mut().unwrap().error = Some("ManualCancellation".into());
            })),
            leave(Left::StoppedByPerson),
        ),
        (
            "stopped by us, as its error tells",
            change(execution(|it| {
                it.status = Aborted;
                it.ending.as_mut().unwrap().error = Some(DEADLINE_ERROR.into());
            })),
            retry(1, false),
        ),
        ("no execution", change(|case, _| case.newest = Newest::Known(None)), leave(Left::NoExecution)),
        (
            "no execution, and permanent",
            change(|case, _| {
                case.newest = Newest::Known(None);
                case.process.error_code = Some("STEP_FUNCTIONS_ERROR".into());
            }),
            Judgement::Permanent,
        ),
        (
            "not looked up",
            change(|case, _| case.newest = Newest::Unknown("throttled".into())),
            leave(Left::NotLookedUp("throttled".into())),
        ),
        // A moment ago.
        (
            "the row changed just now",
            change(|case, _| case.process.completed_at = Some(ago(59))),
            leave(Left::Settling(TimeDelta::seconds(1))),
        ),
        ("it has settled", change(|case, _| case.process.completed_at = Some(ago(60))), retry(1, false)),
        (
            "its execution ended just now",
            change(execution(|it| it.stopped_at = Some(ago(20)))),
            leave(Left::Settling(TimeDelta::seconds(40))),
        ),
        (
            "a person does not wait for it to settle",
            change(|case, _| {
                case.process.completed_at = Some(ago(1));
                case.look = Look::Event;
            }),
            retry(1, false),
        ),
        // Attempts, by whichever record knows of the most.
        ("tried twice, says the row", change(|case, _| case.process.retries = Some(1)), retry(2, false)),
        ("tried twice, says the ledger", change(|_, history| history.retries = 1), retry(2, false)),
        ("tried twice, say its executions", change(|_, history| history.executions = 2), retry(2, false)),
        (
            "tried twice, says its execution's name",
            change(execution(|it| {
                it.arn = it.arn.sibling(&format!("{}-retry-2", WORDS.owner.of_name(&it.arn).unwrap()))
            })),
            retry(2, false),
        ),
        (
            "tried twice, say all of them",
            change(|case, history| {
                (history.executions, history.retries, case.process.retries) = (2, 1, Some(1));
            }),
            retry(2, false),
        ),
        ("no retry_count", change(|case, _| case.process.retries = None), retry(1, false)),
        ("thrice", change(|case, _| case.process.retries = Some(2)), Judgement::Exhausted { attempts: 3 }),
        ("thrice, says the ledger", change(|_, history| history.retries = 2), Judgement::Exhausted { attempts: 3 }),
        ("five times", change(|_, history| history.executions = 5), Judgement::Exhausted { attempts: 5 }),
        ("a count that is none", change(|case, _| case.process.retries = Some(-1)), retry(1, false)),
        ("refused thrice", change(|_, history| history.tried_today = 3), leave(Left::TriedToday(3))),
    ];
    let (policy, config) = (Policy::parse(include_str!("../manifest.toml")).unwrap(), config());
    for (name, change, expected) in cases {
        let (mut case, mut history) = (case(1, Some("AI_ERROR")), once());
        change(&mut case, &mut history);
        assert_eq!(judge(&case, &history, &policy, 3, &config.policy, now()), expected, "{name}");
    }
}

#[test]
fn step_functions_is_asked_only_for_what_decides_and_is_not_known() {
    use ExecutionStatus::{Aborted, Running, TimedOut};
    let cases: Vec<(&str, Change, bool)> = vec![
        ("the row's code has the word", change(|_, _| {}), false),
        ("no code, and a Fail state's own words", change(|case, _| case.process.error_code = None), true),
        (
            "no code, nothing known",
            change(|case, history| {
                case.process.error_code = None;
                execution(|it| it.ending = None)(case, history);
            }),
            true,
        ),
        (
            "a code for anything, and an error that passes",
            change(|case, history| {
                case.process.error_code = Some("STEP_FUNCTIONS_ERROR".into());
                execution(|it| it.ending.as_mut().unwrap().error = Some("Lambda.ServiceException".into()))(
                    case, history,
                );
            }),
            false,
        ),
        (
            "none of its business",
            change(|case, history| (case.process.error_code, history.superseded) = (None, true)),
            false,
        ),
        ("stopped, who knows by whom", change(execution(|it| (it.status, it.ending) = (Aborted, None))), true),
        (
            "stopped by us",
            change(execution(|it| (it.status, it.ending, it.stopped_for_deadline) = (Aborted, None, true))),
            false,
        ),
        ("timed out", change(execution(|it| (it.status, it.ending) = (TimedOut, None))), false),
        ("running", change(execution(|it| (it.status, it.ending) = (Running, None))), false),
        ("no execution", change(|case, _| case.newest = Newest::Known(None)), false),
    ];
    for (name, change, expected) in cases {
        let (mut case, mut history) = (case(1, Some("AI_ERROR")), once());
        change(&mut case, &mut history);
        assert_eq!(wants_ending(&case, &history, &WORDS), expected, "{name}");
    }
}

/// Many failed processes while the breaker is closed.
fn evidence(cases: Vec<Case>) -> Evidence {
    let histories = cases.iter().map(|case| (case.process.id, once())).collect();
    Evidence {
        processes: case::Evidence { population: cases.len(), cases, ..case::Evidence::default() },
        listed: true,
        histories,
        closed: Closed { all: 100, transient: 5 },
        probe: None,
        policy: Policy::parse(include_str!("../manifest.toml")).unwrap(),
        tries_a_day: 3,
        wait_until: now() + TimeDelta::seconds(100),
    }
}

fn crowd(count: u128) -> Vec<Case> {
    (0..count).map(|n| case(n, Some("AI_ERROR"))).collect()
}

fn retries(plan: &Plan) -> Vec<&RetryProcess> {
    plan.actions.iter().filter_map(|planned| planned.action.downcast()).collect()
}

#[test]
fn a_crowd_is_spread_from_now_on_and_tried_in_the_order_in_which_it_is_due() {
    let evidence = evidence(crowd(40));
    let plan = plan(&evidence, &config(), now());
    let due: Vec<_> = retries(&plan).iter().map(|retry| retry.not_before).collect();
    assert_eq!(due.len(), 40);
    assert!(due.is_sorted());
    assert!(due.iter().all(|due| (now()..=now() + TimeDelta::seconds(1)).contains(due)), "{due:?}");
    assert!(retries(&plan).iter().all(|retry| retry.attempt == 2 && retry.cause == RetryCause::Transient));
    assert!(due[39] - due[0] > TimeDelta::milliseconds(500), "it is spread");
    let reason = "AI_ERROR may be temporary: attempt 2 of 3, after execution ";
    assert!(plan.actions.iter().all(|planned| planned.reason.starts_with(reason)), "{}", plan.actions[0].reason);
}

#[test]
fn one_process_by_hand_waits_from_its_failure_on() {
    let mut cases = crowd(1);
    cases[0].look = Look::Event;
    let plan = plan(&evidence(cases), &config(), now());
    assert!(retries(&plan)[0].not_before <= ago(299), "it is due since long");
}

#[test]
fn what_is_due_after_the_runs_end_is_left_for_the_next_one() {
    let mut evidence = evidence(crowd(1));
    evidence.wait_until = ago(1);
    let plan = plan(&evidence, &config(), now());
    assert!(plan.actions.is_empty());
    assert!(plan.skipped[0].why.contains("left to the next run"), "{:?}", plan.skipped);
}

#[test]
fn nothing_is_tried_while_a_newer_execution_may_be_there_unseen() {
    let evidence = Evidence { listed: false, ..evidence(crowd(3)) };
    let plan = plan(&evidence, &config(), now());
    assert!(plan.actions.is_empty());
    assert!(
        plan.skipped.iter().all(|left| left.why.contains("a newer one may have been started")),
        "{:?}",
        plan.skipped
    );
}

#[test]
fn while_most_of_them_fail_one_is_tried_and_the_others_wait() {
    let failed = |seconds| Some(ProbeState::Failed { at: ago(seconds) });
    // (the last probe, by hand, how many are tried, why the others are not)
    for (probe, by_hand, tried, why) in [
        (None, false, 1, "waiting for the result of the probe"),
        (Some(ProbeState::UnderWay), false, 0, "waiting for the result of the probe"),
        (Some(ProbeState::UnderWay), true, 0, "waiting for the result of the probe"),
        (failed(10), false, 0, "waiting 4 min 50 s more"),
        (failed(10), true, 1, ""),
        (failed(300), false, 1, "waiting for the result of the probe"),
    ] {
        let mut cases = crowd(if by_hand { 1 } else { 5 });
        cases.iter_mut().for_each(|case| case.look = if by_hand { Look::Event } else { Look::Sweep });
        let evidence = Evidence { closed: Closed { all: 10, transient: 5 }, probe, ..evidence(cases) };
        let plan = plan(&evidence, &config(), now());
        let retries = retries(&plan);
        assert_eq!(retries.len(), tried, "{probe:?} {by_hand}");
        assert!(retries.iter().all(|retry| retry.cause == RetryCause::Probe), "{probe:?}");
        assert!(plan.actions.iter().all(|planned| planned.reason.starts_with("50 % of recently closed processes")));
        assert!(plan.skipped.iter().all(|left| left.why.contains(why)), "{probe:?} {by_hand}: {:?}", plan.skipped);
    }
}

#[test]
fn what_needs_a_person_is_told_once_of_each_failure() {
    let mut exhausted = case(2, Some("AI_ERROR"));
    exhausted.process.retries = Some(2);
    let cases = vec![case(1, Some("VALIDATION_ERROR")), exhausted];
    let codes = |plan: &Plan| plan.findings.iter().map(|finding| finding.code).collect::<Vec<_>>();

    let first = plan(&evidence(cases), &config(), now());
    assert_eq!(codes(&first), ["permanent_failure", "attempts_exhausted"]);
    assert!(first.actions.is_empty() && first.skipped.is_empty());
    assert_eq!(first.findings[1].evidence["attempts"], 3);
    let told = first.findings.iter().map(|finding| (finding.audience, finding.often));
    // What is wrong with a user's own input, the user is told by the application.
    let audiences = [Audience::Nobody, Audience::People];
    assert!(told.eq(audiences.map(|audience| (audience, Often::Once(ago(300))))), "{:?}", first.findings);
}

proptest! {
    /// Whatever was read: nothing is wanted twice, and never more than one probe, or a probe beside others.
    #[test]
    fn every_process_is_tried_told_or_left_once(
        codes in prop::collection::vec(prop::sample::select(vec!["AI_ERROR", "AI_THROTTLING", "VALIDATION_ERROR"]), 0..30),
        retried in prop::collection::vec(0..4_i32, 30),
        transient in 0..100_i64,
        probe in prop::sample::select(vec![
            None,
            Some(ProbeState::UnderWay),
            Some(ProbeState::Failed { at: ago(10) }),
            Some(ProbeState::Failed { at: ago(400) }),
        ]),
    ) {
        let mut cases: Vec<Case> = codes.iter().zip(0..).map(|(code, n)| case(n, Some(code))).collect();
        cases.iter_mut().zip(retried).for_each(|(case, retried)| case.process.retries = Some(retried));
        let count = cases.len();
        let evidence = Evidence { closed: Closed { all: 100, transient }, probe, ..evidence(cases) };
        let plan = plan(&evidence, &config(), now());
        let mut targets: Vec<String> = plan.actions.iter().map(|planned| planned.action.target()).collect();
        targets.extend(plan.findings.iter().map(|finding| finding.target.clone()));
        targets.extend(plan.skipped.iter().map(|left| left.target.clone()));
        targets.sort();
        targets.dedup();
        prop_assert_eq!(targets.len(), count);
        prop_assert_eq!(plan.actions.len() + plan.findings.len() + plan.skipped.len(), count);
        let probes = retries(&plan).iter().filter(|retry| retry.cause == RetryCause::Probe).count();
        prop_assert!(probes == 0 || plan.actions.len() == 1);
        prop_assert!(transient <= 5 || probes == plan.actions.len());
        prop_assert!(retries(&plan).iter().all(|retry| retry.attempt <= 3));
    }
}
