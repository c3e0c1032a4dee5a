use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::act::action::{Entry, Kind};
use crate::act::actions::change_worker::{ChangeWorker, Purpose};
use crate::act::actions::migrate::Migrate;
use crate::act::actions::resolve_retry::ResolveRetry;
use crate::act::actions::set_goal_status::SetGoalStatus;
use crate::act::actions::set_row_status::ErrorChange;
use crate::act::actions::set_row_status::SetRowStatus;
use crate::act::actions::tell_level::TellLevel;
use crate::act::actions::undo::Undo;
use crate::act::plan::Share;
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

#[test]
fn the_least_mode_counts_and_an_approval_lifts_propose_but_never_observe() {
    use Mode::{Act, Observe, Propose};
    let plain = Facts::default();
    let proposing = control(Control { mode: Some(Propose), ..Control::default() });
    let observing = control(Control { mode: Some(Observe), ..Control::default() });
    let acting = control(Control { mode: Some(Act), ..Control::default() });
    let unhelpful = Facts { did_not_help: true, ..Facts::default() };
    // (asked for, approved, facts, mode then, a limit is told)
    for (asked, approved, facts, mode, told) in [
        (Act, false, &plain, Act, false),
        (Propose, false, &plain, Propose, false),
        (Observe, false, &plain, Observe, false),
        (Act, false, &proposing, Propose, false),
        (Act, false, &observing, Observe, false),
        (Observe, false, &acting, Observe, false),
        (Propose, false, &acting, Propose, false),
        (Propose, true, &plain, Act, false),
        (Act, true, &proposing, Act, false),
        (Act, true, &observing, Observe, false),
        (Observe, true, &plain, Observe, false),
        (Act, false, &unhelpful, Propose, true),
        (Propose, false, &unhelpful, Propose, false),
        (Observe, false, &unhelpful, Observe, false),
        (Act, true, &unhelpful, Act, false),
    ] {
        let guarded = guard(wanted(1), Demand { mode: asked, approved, ..demand(1) }, &LIMITS, facts);
        let applied = usize::from(mode == Act);
        let expected = (mode, applied, 1 - applied, 0, told);
        assert_eq!(outcome(&guarded), expected, "{asked} approved={approved} {facts:?}");
    }
}

#[test]
fn a_step_that_wants_most_of_many_does_nothing_of_it() {
    let wide = control(Control { share: Some(1.0), ..Control::default() });
    let none = control(Control { share: Some(0.0), ..Control::default() });
    let plain = Facts::default();
    // (wanted, of, facts, applied, held)
    for (count, population, facts, applied, held) in [
        (10, 20, &plain, 10, 0),
        (9, 9, &plain, 9, 0),
        (10, 21, &plain, 10, 0),
        (11, 21, &plain, 0, 11),
        (11, 22, &plain, 10, 1),
        (11, 21, &wide, 10, 1),
        (1, 21, &none, 0, 1),
        (1, 20, &none, 1, 0),
    ] {
        let guarded = guard(wanted(count), demand(population), &LIMITS, facts);
        assert_eq!(outcome(&guarded), (Mode::Act, applied, held, 0, held > 0), "{count} of {population}");
    }
    let approved = guard(wanted(8), Demand { approved: true, ..demand(21) }, &LIMITS, &none);
    assert_eq!(outcome(&approved).1, 8, "a person has seen how many they are");
}

#[test]
fn a_part_is_a_part_of_everything_and_never_of_a_page() {
    // (wanted here, looked at, how many there are, how many all runs want, applied)
    for (count, population, of, everywhere, applied) in [
        // What was closed in the last day does not dilute the open rows.
        (10, 10_000, 21, 0, 10),
        (11, 10_000, 21, 0, 0),
        // The last page of many is small, and as wrong as the first.
        (5, 5, 150_000, 150_000, 0),
        (5, 5, 150_000, 75_000, 5),
        (5, 5, 150_000, 75_001, 0),
        (9, 10_000, 20, 20, 9),
        // More than were counted: nobody had looked before.
        (40, 40, 0, 0, 0),
        (9, 9, 0, 0, 9),
    ] {
        let share = Share { of, wanted: everywhere };
        let shares = Shares::from([(wanted(1)[0].action.class(), share)]);
        let guarded = guard(wanted(count), Demand { shares, ..demand(population) }, &LIMITS, &Facts::default());
        assert_eq!(guarded.apply.len(), applied, "{count} of {population}; {everywhere} of {of}");
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
fn the_share_says_nothing_of_rows_that_stay_what_they_are() {
    // (repairs, other changes, of, applied, held)
    for (right, other, population, applied, held) in
        [(9, 0, 30, 9, 0), (30, 0, 30, 10, 20), (5, 11, 22, 10, 6), (1, 12, 22, 0, 13)]
    {
        let repairs = (0..right).map(|_| Planned::new(repair(), "test".into()));
        let all = repairs.chain(wanted(other)).collect();
        let guarded = guard(all, demand(population), &LIMITS, &Facts::default());
        assert_eq!(outcome(&guarded), (Mode::Act, applied, held, 0, held > 0), "{right} and {other} of {population}");
    }
}

#[test]
fn what_is_beyond_a_run_or_an_hour_is_held_and_what_is_beyond_the_ask_is_left() {
    let hour = |count| Facts { actions_last_hour: count, ..Facts::default() };
    let per_run = |count| control(Control { actions_per_run: Some(count), ..Control::default() });
    let per_hour = |count| control(Control { actions_per_hour: Some(count), ..Control::default() });
    // (wanted, done before, asked for at most, facts, applied, held, left, what is told)
    for (count, done, limit, facts, applied, held, left, told) in [
        (10, 0, None, hour(0), 10, 0, 0, None),
        (11, 0, None, hour(0), 10, 1, 0, Some("10")),
        (5, 7, None, hour(7), 3, 2, 0, Some("10")),
        (5, 12, None, hour(0), 0, 5, 0, Some("10")),
        (10, 0, None, hour(15), 5, 5, 0, Some("20")),
        (1, 0, None, hour(20), 0, 1, 0, Some("20")),
        (1, 0, None, hour(25), 0, 1, 0, Some("20")),
        // What sweeps that overlap this one have made or may make is a part of the run's limit.
        (10, 0, None, Facts { beside: 7, ..Facts::default() }, 3, 0, 7, None),
        (8, 2, None, Facts { beside: 9, ..Facts::default() }, 0, 0, 8, None),
        // Alone, it would reach the limit, too.
        (11, 0, None, Facts { beside: 7, ..Facts::default() }, 3, 8, 0, Some("10")),
        (5, 0, None, per_run(2), 2, 3, 0, Some("2")),
        (5, 0, None, per_run(0), 0, 5, 0, Some("0")),
        (15, 0, None, per_run(100), 15, 0, 0, None),
        (5, 0, None, per_hour(2), 2, 3, 0, Some("2")),
        (5, 0, Some(2), hour(0), 2, 0, 3, None),
        (5, 1, Some(2), hour(1), 1, 0, 4, None),
        (5, 2, Some(2), hour(2), 0, 0, 5, None),
        (2, 0, Some(2), hour(0), 2, 0, 0, None),
        (12, 0, Some(50), hour(0), 10, 2, 0, Some("10")),
        (12, 0, Some(3), hour(18), 2, 10, 0, Some("20")),
    ] {
        let demand = Demand { done, limit, ..demand(0) };
        let case = format!("{count} after {done}, at most {limit:?}, {facts:?}");
        let guarded = guard(wanted(count), demand, &LIMITS, &facts);
        assert_eq!(outcome(&guarded), (Mode::Act, applied, held, left, told.is_some()), "{case}");
        let over = guarded.over.unwrap_or_default();
        assert!(over.contains(told.unwrap_or_default()), "{case}: {over}");
        let first: Vec<&str> = guarded.apply.iter().map(|planned| planned.reason.as_str()).collect();
        let expected: Vec<String> = (0..applied).map(|at| at.to_string()).collect();
        assert_eq!(first, expected, "{case}: in the order in which they are wanted");
    }
}

#[test]
fn a_target_rests_after_an_action_and_has_so_many_attempts_and_an_undo_is_respected() {
    let tried = |attempts, seconds_since_last| TargetFacts { attempts, seconds_since_last, ..TargetFacts::default() };
    // (history, why it is left alone)
    for (facts, left) in [
        (TargetFacts::default(), None),
        (tried(1, Some(60)), None),
        (tried(1, Some(59)), Some("1")),
        (tried(1, Some(0)), Some("1 min")),
        (tried(2, Some(3600)), None),
        (tried(3, Some(3600)), Some("3")),
        (tried(4, Some(90_000)), Some("4")),
        (TargetFacts { undone: undone().undone, ..tried(1, Some(3600)) }, Some("undid")),
    ] {
        let guarded = guard(wanted(1), demand(1), &LIMITS, &history(facts.clone()));
        let expected = (Mode::Act, usize::from(left.is_none()), 0, usize::from(left.is_some()), false);
        assert_eq!(outcome(&guarded), expected, "{facts:?}");
        let why = guarded.leave.first().map(|(_, why)| why.to_lowercase()).unwrap_or_default();
        assert!(why.contains(left.unwrap_or_default()), "{facts:?}: {why}");

        let approved = guard(wanted(1), Demand { approved: true, ..demand(1) }, &LIMITS, &history(facts.clone()));
        assert_eq!(outcome(&approved).1, 1, "a person has decided: {facts:?}");
    }
    let no_rest = Limits { cooldown_seconds: 0, ..LIMITS };
    assert_eq!(outcome(&guard(wanted(1), demand(1), &no_rest, &history(tried(1, Some(0))))).1, 1);
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
fn a_persons_own_command_is_not_held_up_by_a_persons_undo_and_by_everything_else_it_is() {
    let tried = |attempts, seconds| TargetFacts { attempts, seconds_since_last: Some(seconds), ..undone() };
    // (history, a person names it, it is left alone)
    for (facts, by_name, left) in [
        (tried(1, 3600), false, true),
        (tried(1, 3600), true, false),
        (tried(3, 3600), true, true),
        (tried(1, 59), true, true),
    ] {
        let case = format!("{facts:?} by name: {by_name}");
        let guarded = guard(wanted(1), Demand { by_name, ..demand(1) }, &LIMITS, &history(facts));
        assert_eq!(outcome(&guarded).3, usize::from(left), "{case}");
    }
    let proposing = Demand { by_name: true, mode: Mode::Propose, ..demand(1) };
    assert_eq!(outcome(&guard(wanted(1), proposing, &LIMITS, &Facts::default())).2, 1, "no mode is lifted by it");
}

#[test]
fn what_is_left_for_the_limit_that_was_asked_for_is_told_apart() {
    for (count, limit, limited) in [(5, Some(2), true), (2, Some(2), false), (5, None, false), (12, Some(11), false)] {
        let guarded = guard(wanted(count), Demand { limit, ..demand(0) }, &LIMITS, &Facts::default());
        assert_eq!(guarded.limited, limited, "{count}, at most {limit:?}");
    }
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
fn what_is_left_alone_does_not_count_against_the_limits() {
    let guarded = guard(wanted(30), demand(30), &LIMITS, &history(undone()));
    assert_eq!(outcome(&guarded), (Mode::Act, 0, 0, 30, false));
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
