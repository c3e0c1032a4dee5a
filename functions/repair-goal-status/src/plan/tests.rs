#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use chrono::{DateTime, TimeDelta, Utc};
use remediation::domain::{Ending, ProcessId, WORDS};
use remediation::gather::goals::cases::Open;
use uuid::Uuid;

use super::*;

const OPEN: Open = Open { sub_goals: 2, actions: 1, processes: 0 };
const STARTED: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn execution(n: u8, status: ExecutionStatus, error: Option<&str>) -> Execution {
    let name = format!("{}-{n}", id(1));
    Execution {
        arn: format!("arn:aws:states:ap-northeast-1:1:execution:ai:{name}").parse().unwrap(),
        status,
        redrive_count: 0,
        started_at: STARTED + TimeDelta::seconds(n.into()),
        redriven_at: None,
        stopped_at: None,
        ending: Some(Ending { error: error.map(str::to_owned), ..Ending::default() }),
        stopped_for_deadline: false,
        says_failed: None,
    }
}

/// A process that failed for good, and works for a goal.
fn case(status: &str, open: Open) -> Case {
    Case {
        process: Some(ProcessId::from(id(1))),
        open: false,
        completed: false,
        code: Some("VALIDATION_ERROR".into()),
        message: None,
        newest: None,
        target: Some(id(2)),
        found: true,
        orphans: Vec::new(),
        goal: Some(Goal { id: GoalId(id(3)), version: 7, status: status.into(), open }),
    }
}

fn planned(cases: Vec<Case>, asked: Asked) -> Plan {
    plan_of(&Looked::of(cases, asked), &WORDS, Language::En)
}

fn event() -> Asked {
    Asked::Event(execution(1, ExecutionStatus::Failed, Some("VALIDATION_ERROR")))
}

/// The codes of the findings, the actions' causes, and how much is left alone.
fn outcome(plan: &Plan) -> (Vec<&'static str>, Vec<&'static str>, usize) {
    let causes = plan.actions.iter().map(|planned| planned.action.downcast::<SetGoalStatus>().unwrap().cause);
    (plan.findings.iter().map(|finding| finding.code).collect(), causes.collect(), plan.skipped.len())
}

#[test]
fn a_completed_goal_with_open_work_is_a_contradiction_and_any_other_is_a_persons_decision() {
    let none = Open::default();
    let by_process = Open { processes: 1, ..none };
    let (told, acted) = (vec!["goal_inconsistent"], |cause| (vec!["goal_inconsistent"], vec![cause], 0));
    // (the goal's status, what is open, the event, a person, a person who asks for ACTIVE)
    for (status, open, of_event, of_person, of_activate) in [
        ("ACTIVE", OPEN, (vec![], vec![], 1), (vec![], vec![], 1), (vec![], vec![], 1)),
        ("COMPLETED", OPEN, acted("open-children"), acted("open-children"), acted("open-children")),
        ("COMPLETED", by_process, acted("open-children"), acted("open-children"), acted("open-children")),
        ("COMPLETED", none, (vec![], vec![], 1), (vec![], vec![], 1), (vec![], vec![], 1)),
        ("PAUSED", OPEN, (told.clone(), vec![], 0), (told.clone(), vec![], 0), acted("asked")),
        ("PAUSED", none, (vec![], vec![], 1), (vec![], vec![], 1), (vec![], vec![], 1)),
        ("CANCELLED", OPEN, (told.clone(), vec![], 0), (told.clone(), vec![], 0), acted("asked")),
        ("ARCHIVED", OPEN, (told.clone(), vec![], 0), (told.clone(), vec![], 0), acted("asked")),
    ] {
        let asked = [event(), Asked::These { activate: false }, Asked::These { activate: true }, Asked::Everything];
        let expected = [of_event.clone(), of_person, of_activate, of_event];
        for (asked, expected) in asked.into_iter().zip(expected) {
            let plan = planned(vec![case(status, open)], asked);
            assert_eq!(outcome(&plan), expected, "{status} {open:?}");
            assert_eq!(plan.population, 1, "{status} {open:?}");
        }
    }
}

#[test]
fn what_is_told_of_a_persons_goal_is_the_event_that_sets_it_active() {
    let plan = planned(vec![case("PAUSED", OPEN)], event());
    let finding = &plan.findings[0];
    let event = json!({ "processId": id(1), "activate": true });
    assert_eq!((&finding.target, &finding.evidence["toDoIt"]), (&id(3).to_string(), &event));
    assert!(finding.message.contains(&event.to_string()), "{}", finding.message);
    assert_eq!(finding.evidence["open"], json!({ "subGoals": 2, "actions": 1, "processes": 0 }));
}

#[test]
fn a_goal_that_was_named_itself_was_approved_by_a_person() {
    for (status, cause) in [("COMPLETED", "open-children"), ("PAUSED", "asked"), ("CANCELLED", "asked")] {
        let named = Case { process: None, ..case(status, OPEN) };
        let plan = planned(vec![named], Asked::These { activate: false });
        assert_eq!(outcome(&plan), (vec!["goal_inconsistent"], vec![cause], 0), "{status}");
    }
}

#[test]
fn many_processes_of_one_goal_are_one_finding_and_one_action() {
    let other = Case { process: Some(ProcessId::from(id(9))), target: Some(id(4)), ..case("COMPLETED", OPEN) };
    let plan = planned(vec![other, case("COMPLETED", OPEN)], Asked::Everything);
    assert_eq!(outcome(&plan), (vec!["goal_inconsistent"], vec!["open-children"], 0));
    assert_eq!((plan.population, &plan.findings[0].evidence["processIds"]), (1, &json!([id(1), id(9)])));
}

#[test]
fn what_hangs_in_the_air_is_told_once() {
    let orphan = Orphan { kind: OrphanKind::SubGoal, id: id(2), missing: id(8) };
    let homeless = |process| Case {
        process: Some(ProcessId::from(id(process))),
        goal: None,
        orphans: vec![orphan.clone()],
        ..case("ACTIVE", OPEN)
    };
    let plan = planned(vec![homeless(1), homeless(5)], Asked::Everything);
    assert_eq!(outcome(&plan), (vec!["orphan"], vec![], 0));
    assert_eq!(
        (&plan.findings[0].target, &plan.findings[0].evidence["table"]),
        (&id(2).to_string(), &json!("sub_goals"))
    );

    let gone = Case { found: false, orphans: Vec::new(), ..homeless(1) };
    let plan = planned(vec![gone], event());
    assert_eq!((outcome(&plan), &plan.findings[0].target), ((vec!["target_gone"], vec![], 0), &id(1).to_string()));

    // A target that names no parent at all has lost none.
    let alone = Case { orphans: Vec::new(), ..homeless(1) };
    assert_eq!(outcome(&planned(vec![alone], event())), (vec![], vec![], 1));
    let aimless = Case { target: None, found: false, goal: None, ..case("ACTIVE", OPEN) };
    assert_eq!(outcome(&planned(vec![aimless], event())), (vec![], vec![], 1));
}

#[test]
fn only_a_permanent_failure_starts_the_step() {
    use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
    // (the row is open, its code, how the execution ended, its error, whether that is permanent)
    for (open, code, status, error, permanent) in [
        (false, Some("VALIDATION_ERROR"), Failed, Some("ProcessingFailed"), true),
        (false, Some("AI_ERROR"), Failed, Some("ProcessingFailed"), false),
        (false, Some("STEP_FUNCTIONS_ERROR"), Failed, Some("Lambda.ServiceException"), false),
        (false, Some("STEP_FUNCTIONS_ERROR"), Failed, Some("States.Runtime"), true),
        (false, Some("TIMEOUT_ERROR"), TimedOut, None, false),
        (false, Some("MANUAL_INTERVENTION"), Aborted, Some("ManualCancellation"), true),
        (false, None, Aborted, Some("USER_CANCELLED"), true),
        // What is not in the row yet, the event tells.
        (true, None, Failed, Some("VALIDATION_ERROR"), true),
        (true, None, Failed, Some("AI_ERROR"), false),
        (true, None, Failed, Some("ThrottlingException"), false),
        (true, None, Failed, Some("ProcessingFailed"), true),
        (true, None, Failed, None, true),
        (true, None, TimedOut, None, false),
        (true, None, Aborted, Some("RemediationTimeout"), false),
        (true, None, Aborted, Some("ManualCancellation"), true),
        // An open row may still have the error of an earlier attempt.
        (true, Some("AI_ERROR"), Failed, Some("VALIDATION_ERROR"), true),
        (false, Some("VALIDATION_ERROR"), Running, None, false),
        (false, Some("VALIDATION_ERROR"), Succeeded, None, false),
        (false, Some("VALIDATION_ERROR"), PendingRedrive, None, false),
    ] {
        let case = Case { open, code: code.map(str::to_owned), ..case("COMPLETED", OPEN) };
        let plan = planned(vec![case], Asked::Event(execution(1, status, error)));
        let expected = (usize::from(permanent), usize::from(!permanent));
        let words = format!("open={open} {code:?} {status} {error:?}");
        assert_eq!((plan.actions.len(), plan.skipped.len()), expected, "{words}");
    }
}

#[test]
fn an_event_that_was_overtaken_is_left() {
    let failed = || Asked::Event(execution(1, ExecutionStatus::Failed, Some("VALIDATION_ERROR")));
    let redriven = Execution { redrive_count: 1, ..execution(1, ExecutionStatus::Running, None) };
    let same = execution(1, ExecutionStatus::Running, None);
    let earlier = execution(0, ExecutionStatus::Running, None);
    // (the newest execution that is known, whether it speaks instead)
    for (newest, overtaken) in
        [(execution(2, ExecutionStatus::Running, None), true), (redriven, true), (same, false), (earlier, false)]
    {
        let words = format!("{newest:?}");
        let case = Case { open: true, newest: Some(newest), ..case("COMPLETED", OPEN) };
        assert_eq!(planned(vec![case], failed()).actions.is_empty(), overtaken, "{words}");
    }
    let completed = Case { completed: true, ..case("COMPLETED", OPEN) };
    assert_eq!(outcome(&planned(vec![completed], failed())), (vec![], vec![], 1));
}

#[test]
fn a_sweep_is_about_what_failed_for_good_and_a_person_about_whatever_is_asked() {
    let of =
        |code: &str, newest: Option<Execution>| Case { code: Some(code.to_owned()), newest, ..case("COMPLETED", OPEN) };
    let running = || Some(execution(1, ExecutionStatus::Running, None));
    let throttled = || Some(execution(1, ExecutionStatus::Failed, Some("Lambda.TooManyRequestsException")));
    for (case, permanent) in [
        (of("VALIDATION_ERROR", None), true),
        (of("AI_ERROR", None), false),
        (of("STEP_FUNCTIONS_ERROR", throttled()), false),
        // The worker has written FAILED, and its task is tried again.
        (of("VALIDATION_ERROR", running()), false),
    ] {
        let plan = planned(vec![case.clone()], Asked::Everything);
        let swept = usize::from(permanent);
        assert_eq!((plan.actions.len(), plan.population, plan.skipped.len()), (swept, swept, 0), "{case:?}");
        assert_eq!(planned(vec![case.clone()], Asked::These { activate: false }).actions.len(), 1, "{case:?}");
    }
}

#[test]
fn an_installation_without_goals_is_told_so() {
    let config = Config::read(|name| match name {
        "DATABASE_URL" => Some("postgres://h/d".to_owned()),
        "STATE_MACHINE_ARN" => Some("arn:aws:states:ap-northeast-1:1:stateMachine:ai".to_owned()),
        _ => None,
    })
    .unwrap();
    let plan = plan(&Evidence::Absent(vec!["public.goals".to_owned()]), &config);
    assert_eq!(outcome(&plan), (vec!["goals_absent"], vec![], 0));
    assert!(plan.findings[0].message.contains("public.goals"));
}
