use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::act::action::Entry;
use crate::act::action::kind::Kind;
use crate::act::actions::change_worker::{ChangeWorker, Purpose};
use crate::act::actions::migrate::Migrate;
use crate::act::actions::resolve_retry::ResolveRetry;
use crate::act::actions::set_goal_status::SetGoalStatus;
use crate::act::actions::set_row_status::ErrorChange;
use crate::act::actions::set_row_status::SetRowStatus;
use crate::act::actions::tell_level::TellLevel;
use crate::act::actions::undo::Undo;
use crate::domain::{Execution, ExecutionStatus, Process, ProcessId, ProcessStatus};
use crate::gather::config::escalation::Level;
use crate::gather::goals::{GoalId, GoalStatus};
use crate::gather::worker::configuration::Configuration;
use crate::gather::worker::seen::Seen;
use crate::gather::worker::setting::Setting;

/// What all actions here are on.
const TARGET: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// `count` actions, all on one target: the reason of each is its place.
fn wanted(count: usize) -> Vec<Planned> {
    let plain = SetGoalStatus {
        goal: GoalId(Uuid::max()),
        version: 1,
        from: GoalStatus::Completed,
        process: None,
        cause: "test",
    };
    (0..count).map(|at| Planned::new(plain.clone(), at.to_string())).collect()
}

fn undo() -> Vec<Planned> {
    let entry = Entry {
        id: Uuid::nil(),
        run_id: Uuid::nil(),
        step: "test-step".into(),
        kind: SetRowStatus::KIND.into(),
        target: TARGET.into(),
        cause: None,
        before: None,
        after: None,
        undoes: None,
    };
    let undo = Undo { entry, kind: Kind::of::<SetRowStatus>() };
    vec![Planned::new(undo, "a person wants it".into())]
}

fn demand(population: usize) -> Demand {
    Demand {
        mode: Mode::Act,
        own: Mode::Act,
        approved: false,
        by_name: false,
        sweeps: true,
        population,
        shares: Shares::default(),
        limit: None,
        done: 0,
        language: Language::En,
    }
}

const LIMITS: Limits = Limits {
    actions_per_run: 10,
    actions_per_hour: 20,
    share_of_candidates: 0.5,
    cooldown_seconds: 60,
    attempts_per_target: 3,
};

/// Mode, how many are done, held and left, and whether a limit is told.
fn outcome(guarded: &Guarded) -> (Mode, usize, usize, usize, bool) {
    let Guarded { mode, apply, hold, over, leave, .. } = guarded;
    (*mode, apply.len(), hold.len(), leave.len(), over.is_some())
}

/// What was done to the one target that these actions have.
fn history(target: TargetFacts) -> Facts {
    Facts { targets: HashMap::from([(TARGET.to_owned(), target)]), ..Facts::default() }
}

/// A person took back, a moment ago, what was done.
fn undone() -> TargetFacts {
    TargetFacts { undone: Some(DateTime::UNIX_EPOCH), ..TargetFacts::default() }
}

fn control(control: Control) -> Facts {
    Facts { control, ..Facts::default() }
}

/// What the ledger's row for the step leaves it counts, and each limit is told by its number.
#[test]
fn a_limit_that_was_reached_is_told_by_its_number() {
    let hour = |count| Facts { actions_last_hour: count, ..Facts::default() };
    let per_run = |count| control(Control { actions_per_run: Some(count), ..Control::default() });
    let per_hour = |count| control(Control { actions_per_hour: Some(count), ..Control::default() });
    let share = |share| control(Control { share: Some(share), ..Control::default() });
    let unhelpful = Facts { did_not_help: true, ..Facts::default() };
    // (wanted, of, record, made, what is told)
    for (count, of, facts, applied, told) in [
        (10, 10, hour(0), 10, None),
        (11, 11, hour(0), 10, Some("10")),
        (1, 1, hour(20), 0, Some("20")),
        (5, 5, per_run(2), 2, Some("2")),
        (15, 15, per_run(100), 15, None),
        (5, 5, per_hour(2), 2, Some("2")),
        (10, 100, share(0.05), 0, Some("5 %")),
        (11, 21, share(1.0), 10, Some("10")),
        (1, 1, unhelpful, 0, Some("did not help")),
    ] {
        let guarded = guard(wanted(count), demand(of), &LIMITS, &facts);
        let case = format!("{count} of {of}, {facts:?}");
        assert_eq!((guarded.apply.len(), guarded.hold.len()), (applied, count - applied), "{case}");
        let over = guarded.over.unwrap_or_default();
        assert_eq!(
            (!over.is_empty(), over.contains(told.unwrap_or_default())),
            (told.is_some(), true),
            "{case}: {over}"
        );
        let first: Vec<&str> = guarded.apply.iter().map(|planned| planned.reason.as_str()).collect();
        let expected: Vec<String> = (0..applied).map(|at| at.to_string()).collect();
        assert_eq!(first, expected, "{case}: in the order in which they are wanted");
    }
}

#[test]
fn what_is_left_alone_is_told_with_its_reason() {
    let tried = |attempts, seconds_since_last| TargetFacts { attempts, seconds_since_last, ..TargetFacts::default() };
    // (what was done to the target, the operator's limit, why it is left alone, it was tried too often)
    for (facts, limit, why, used_up) in [
        (TargetFacts::default(), None, None, false),
        (tried(1, Some(59)), None, Some("1"), false),
        (tried(1, Some(0)), None, Some("1 min"), false),
        (tried(3, Some(3600)), None, Some("3"), true),
        (TargetFacts { undone: undone().undone, ..tried(1, Some(3600)) }, None, Some("undid"), false),
        (TargetFacts::default(), Some(0), Some("0"), false),
    ] {
        let guarded = guard(wanted(1), Demand { limit, ..demand(1) }, &LIMITS, &history(facts.clone()));
        assert_eq!(outcome(&guarded).3, usize::from(why.is_some()), "{facts:?}");
        let said = guarded.leave.first().map(|(_, why)| why.to_lowercase()).unwrap_or_default();
        assert!(said.contains(why.unwrap_or_default()), "{facts:?}: {said}");
        assert_eq!(guarded.used_up, if used_up { vec![TARGET] } else { Vec::new() }, "{facts:?}");
    }
}

/// A row whose progress is put right.
fn repair() -> SetRowStatus {
    let process = Process {
        id: ProcessId::from(Uuid::nil()),
        version: 1,
        status: ProcessStatus::Processing,
        progress: 250,
        has_result: false,
        error_code: None,
        retries: None,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        completed_at: None,
        deadline: None,
    };
    SetRowStatus {
        status: process.status,
        process,
        basis: None,
        progress: Some(100),
        error: ErrorChange::Keep,
        result: None,
        completed_at: None,
        cause: "test",
    }
}

#[test]
fn what_was_undone_rests_as_long_as_its_attempt() {
    let at = |seconds: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
    let arn = "arn:aws:states:us-east-1:1:execution:ai:x";
    let attempt = |started: i64, redriven: Option<i64>| Execution {
        arn: arn.parse().unwrap(),
        status: ExecutionStatus::Failed,
        redrive_count: 0,
        started_at: at(started),
        redriven_at: redriven.map(at),
        stopped_at: None,
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    };
    // (the process began, its execution, what was done to the row was undone, it is left alone)
    for (began, execution, undone, rests) in [
        (50, None, 100, true),
        (100, None, 100, true),
        (101, None, 100, false),
        (50, Some(attempt(60, None)), 100, true),
        (50, Some(attempt(101, None)), 100, false),
        (50, Some(attempt(60, Some(101))), 100, false),
        (50, Some(attempt(60, Some(90))), 100, true),
    ] {
        let mut row = repair();
        (row.process.created_at, row.basis) = (at(began), execution);
        let facts = TargetFacts { undone: Some(at(undone)), ..TargetFacts::default() };
        let facts = Facts { targets: HashMap::from([(row.target(), facts)]), ..Facts::default() };
        let case = format!("{began}, {:?}, undone {undone}", row.basis);
        let guarded = guard(vec![Planned::new(row, "test".into())], demand(1), &LIMITS, &facts);
        let expected = (Mode::Act, usize::from(!rests), 0, usize::from(rests), false);
        assert_eq!(outcome(&guarded), expected, "{case}");
    }
}

#[test]
fn of_a_worker_the_setting_rests_that_was_undone_and_no_other() {
    let seen = Seen { setting: Setting::Memory, latest: Configuration::default(), alias: None, value: Some(512) };
    let purpose = Purpose::Set { cause: "incident", revert_after: None };
    let change = ChangeWorker { seen, target: "function worker".into(), to: Some(1024), purpose };
    for (undone_kind, rests) in [
        ("set-worker-memory", true),
        ("set-worker-timeout", false),
        ("set-reserved-concurrency", false),
        ("redeploy-worker", false),
    ] {
        // It was the last thing that was done to the worker.
        let facts =
            TargetFacts { undone_kinds: HashMap::from([(undone_kind.to_owned(), DateTime::UNIX_EPOCH)]), ..undone() };
        let facts = Facts { targets: HashMap::from([(change.target(), facts)]), ..Facts::default() };
        let guarded = guard(vec![Planned::new(change.clone(), "test".into())], demand(1), &LIMITS, &facts);
        assert_eq!(outcome(&guarded).3, usize::from(rests), "{undone_kind}");
    }
    // Another has been set since: that is no word about this one.
    let facts = TargetFacts {
        undone: None,
        undone_kinds: HashMap::from([("set-worker-memory".to_owned(), DateTime::UNIX_EPOCH)]),
        ..TargetFacts::default()
    };
    let facts = Facts { targets: HashMap::from([(change.target(), facts)]), ..Facts::default() };
    let guarded = guard(vec![Planned::new(change, "test".into())], demand(1), &LIMITS, &facts);
    assert_eq!(outcome(&guarded).3, 1);
}

#[test]
fn what_was_begun_is_ended_whatever_the_limits_say_if_anything_may_be_done() {
    let process = ProcessId::from(Uuid::nil());
    let execution = "arn:aws:states:us-east-1:1:execution:ai:x-retry-2".parse().unwrap();
    let end = ResolveRetry { process, execution, before: Value::Null, after: Value::Null };
    let wanted = || {
        let mut wanted = wanted(1);
        wanted.push(Planned::new(end.clone(), "left open".into()));
        wanted
    };
    let tried = TargetFacts { attempts: 9, seconds_since_last: Some(0), ..undone() };
    let facts =
        Facts { actions_last_hour: 20, targets: HashMap::from([(process.to_string(), tried)]), ..Facts::default() };
    let guarded = guard(wanted(), demand(2), &LIMITS, &facts);
    assert_eq!(outcome(&guarded), (Mode::Act, 1, 1, 0, true));
    assert!(guarded.apply[0].action.is_end());
    for mode in [Mode::Propose, Mode::Observe] {
        let guarded = guard(wanted(), Demand { mode, ..demand(2) }, &LIMITS, &facts);
        assert_eq!(outcome(&guarded), (mode, 0, 2, 0, false));
    }
}

#[test]
fn an_undo_needs_no_approval_and_no_history_hinders_it() {
    let worst =
        Facts { did_not_help: true, ..history(TargetFacts { attempts: 9, seconds_since_last: Some(0), ..undone() }) };
    for mode in [Mode::Act, Mode::Propose] {
        let guarded = guard(undo(), Demand { mode, ..demand(0) }, &LIMITS, &worst);
        assert_eq!(outcome(&guarded), (Mode::Act, 1, 0, 0, false), "{mode}");
    }
    let observed = guard(undo(), Demand { mode: Mode::Observe, ..demand(0) }, &LIMITS, &worst);
    assert_eq!(outcome(&observed), (Mode::Observe, 0, 1, 0, false));
    let nothing = guard(Vec::new(), Demand { mode: Mode::Propose, ..demand(0) }, &LIMITS, &Facts::default());
    assert_eq!(outcome(&nothing).0, Mode::Propose, "nothing wanted is no undo");
}

#[test]
fn our_own_record_is_bound_by_what_is_asked_for_and_by_nothing_else() {
    let own = || vec![Planned::new(Migrate { from: 0, to: 1 }, "own".into())];
    let worst = Facts {
        control: Control { mode: Some(Mode::Observe), actions_per_run: Some(0), ..Control::default() },
        did_not_help: true,
        beside: 99,
        actions_last_hour: 20,
        targets: HashMap::from([(
            "schema remediation".to_owned(),
            TargetFacts { attempts: 9, ..TargetFacts::default() },
        )]),
    };
    let observing = Demand { mode: Mode::Observe, ..demand(0) };
    for demand in [observing.clone(), demand(0)] {
        assert_eq!(outcome(&guard(own(), demand.clone(), &LIMITS, &worst)), (Mode::Act, 1, 0, 0, false));
        let helpless = Facts { did_not_help: true, ..Facts::default() };
        assert_eq!(outcome(&guard(own(), demand, &LIMITS, &helpless)), (Mode::Act, 1, 0, 0, false));
    }
    for mode in [Mode::Observe, Mode::Propose] {
        let asked = Demand { own: mode, mode, ..demand(0) };
        assert_eq!(outcome(&guard(own(), asked, &LIMITS, &worst)), (mode, 0, 1, 0, false));
    }
    // Beside it, what is no record of ours is bound as ever.
    let guarded = guard(own().into_iter().chain(wanted(2)).collect(), observing, &LIMITS, &worst);
    assert_eq!((guarded.mode, guarded.apply.len(), guarded.hold.len()), (Mode::Observe, 1, 2));
    let guarded = guard(wanted(2).into_iter().chain(own()).collect(), demand(2), &LIMITS, &Facts::default());
    assert_eq!(outcome(&guarded), (Mode::Act, 3, 0, 0, false));
    assert_eq!(guarded.apply[0].reason, "own", "it comes first");
}

#[test]
fn a_step_that_reaches_nobody_goes_on_trying_and_any_other_one_that_does_not_help_asks() {
    let unhelpful = Facts { did_not_help: true, ..Facts::default() };
    let message = || {
        let (root, alarm, message) = (Uuid::max(), "alarm".to_owned(), "text".to_owned());
        Planned::new(TellLevel { root, alarm, level: Level::L1, topic: None, message }, "test".into())
    };
    for (wanted, mode) in [
        (vec![message()], Mode::Act),
        (wanted(1), Mode::Propose),
        (wanted(1).into_iter().chain([message()]).collect(), Mode::Propose),
    ] {
        assert_eq!(guard(wanted, demand(1), &LIMITS, &unhelpful).mode, mode);
    }
}
