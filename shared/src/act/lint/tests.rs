use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::act::action::Entry;
use crate::act::actions::change_worker::{ChangeWorker, Purpose};
use crate::act::actions::migrate::Migrate;
use crate::act::actions::set_goal_status::SetGoalStatus;
use crate::act::actions::set_row_status::{ErrorChange, SetRowStatus};
use crate::act::actions::stop_execution::StopExecution;
use crate::decide::StopCause;
use crate::domain::{Execution, ExecutionStatus, Process, ProcessId, ProcessStatus};
use crate::gather::goals::{GoalId, GoalStatus};
use crate::gather::worker::configuration::Configuration;
use crate::gather::worker::seen::Seen;
use crate::gather::worker::setting::Setting;

const KINDS: &[Kind] =
    &[Kind::of::<SetRowStatus>(), Kind::of::<StopExecution>(), Kind::of::<SetGoalStatus>(), Kind::of::<ChangeWorker>()];

fn process(number: u128) -> Process {
    Process {
        id: ProcessId::from(Uuid::from_u128(number)),
        version: 1,
        status: ProcessStatus::Processing,
        progress: 50,
        has_result: false,
        error_code: Some("AI_ERROR".into()),
        retries: None,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        completed_at: None,
        deadline: None,
    }
}

fn execution(number: u128) -> Execution {
    Execution {
        arn: format!("arn:aws:states:us-east-1:1:execution:ai:{number}").parse().unwrap(),
        status: ExecutionStatus::Running,
        redrive_count: 0,
        started_at: DateTime::UNIX_EPOCH,
        redriven_at: None,
        stopped_at: None,
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    }
}

/// A row that is written on its execution.
fn row(number: u128, status: ProcessStatus, progress: Option<i16>, error: ErrorChange) -> SetRowStatus {
    let (process, basis) = (process(number), Some(execution(number)));
    SetRowStatus { process, basis, status, progress, error, result: None, completed_at: None, cause: "test" }
}

fn close(number: u128) -> Planned {
    plan(row(number, ProcessStatus::Failed, None, ErrorChange::Keep))
}

fn repair(number: u128) -> Planned {
    plan(row(number, ProcessStatus::Processing, Some(80), ErrorChange::Keep))
}

fn stop(number: u128) -> Planned {
    plan(StopExecution { process: process(number), execution: execution(number), cause: StopCause::Deadline })
}

fn goal(number: u128, from: &str) -> Planned {
    let goal = GoalId(Uuid::from_u128(number));
    plan(SetGoalStatus { goal, version: 1, from: GoalStatus::from(from), process: None, cause: "test" })
}

fn worker(setting: Setting, from: u32, to: u32, purpose: Purpose) -> Planned {
    let mut latest = Configuration::default();
    (latest.timeout_seconds, latest.memory_mb) = (Some(from), Some(512));
    let seen = Seen { setting, latest, alias: None, value: Some(from) };
    plan(ChangeWorker { seen, target: "function worker".into(), to: Some(to), purpose })
}

fn for_a_day() -> Purpose {
    Purpose::Set { cause: "asked", revert_after: Some(TimeDelta::days(1)) }
}

/// What takes back the entry of this number.
fn undo(number: u128, kind: &str, undoes: Option<u128>) -> Planned {
    let image = Some(json!({ "status": "FAILED" }));
    let entry = Entry {
        id: Uuid::from_u128(number),
        run_id: Uuid::nil(),
        step: "test-step".into(),
        kind: kind.into(),
        target: "x".into(),
        cause: None,
        before: image.clone(),
        after: image,
        undoes: undoes.map(Uuid::from_u128),
    };
    plan(Undo { entry, kind: Kind::of::<SetRowStatus>() })
}

fn plan(action: impl Action) -> Planned {
    Planned::new(action, "test".into())
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_a_sound_plan_has_nothing() {
    use Wrong::{AlreadySo, Foreign, StopBehindClosing, Twice, UndoOfUndo};
    let same = || plan(row(1, ProcessStatus::Processing, None, ErrorChange::Keep));
    let cleared = || plan(row(1, ProcessStatus::Processing, None, ErrorChange::Clear));
    let without_execution =
        || plan(SetRowStatus { basis: None, ..row(1, ProcessStatus::Failed, None, ErrorChange::Keep) });
    let migrate = || plan(Migrate { from: 1, to: 2 });
    let revert = Purpose::Revert(Uuid::nil());
    type Case<'a> = (&'a str, Vec<Planned>, &'a [(usize, Wrong)]);
    let cases: Vec<Case<'_>> = vec![
        ("nothing is wanted", vec![], &[]),
        ("rows and executions of others", vec![close(1), stop(2), repair(3), goal(4, "PAUSED")], &[]),
        ("a kind that the step does not make", vec![close(1), migrate()], &[(1, Foreign)]),
        ("that, and twice", vec![migrate(), migrate()], &[(0, Foreign), (1, Foreign), (1, Twice)]),
        ("the same row twice", vec![close(1), close(2), repair(1)], &[(2, Twice)]),
        ("and once more", vec![close(1), close(1), close(1)], &[(1, Twice), (2, Twice)]),
        ("a row and a goal of one id", vec![close(1), goal(1, "PAUSED")], &[]),
        (
            "two settings of one worker",
            vec![worker(Setting::Timeout, 300, 600, for_a_day()), worker(Setting::Memory, 512, 1024, for_a_day())],
            &[],
        ),
        ("first it is stopped", vec![stop(1), close(1)], &[]),
        ("it is stopped behind its closing", vec![close(1), close(2), stop(1)], &[(2, StopBehindClosing)]),
        ("the closing rests on no execution", vec![without_execution(), stop(1)], &[]),
        ("a row that stays open is stopped later", vec![repair(1), stop(1)], &[]),
        ("a row that is so", vec![close(2), same()], &[(1, AlreadySo)]),
        ("its error is another", vec![cleared()], &[]),
        ("a goal that is so", vec![goal(1, "ACTIVE")], &[(0, AlreadySo)]),
        ("a setting that is so", vec![worker(Setting::Timeout, 300, 300, for_a_day())], &[(0, AlreadySo)]),
        ("a lease ends whatever is there", vec![worker(Setting::Timeout, 300, 300, revert)], &[]),
        ("an undo to the same value", vec![undo(1, "set-row-status", None)], &[]),
        (
            "two changes of one target are taken back",
            vec![undo(2, "set-row-status", None), undo(1, "set-row-status", None)],
            &[],
        ),
        (
            "one change is taken back twice",
            vec![undo(1, "set-row-status", None), undo(1, "set-row-status", None)],
            &[(1, Twice)],
        ),
        (
            "an undo of an undo",
            vec![undo(1, "undo", None), undo(2, "set-row-status", Some(1))],
            &[(0, UndoOfUndo), (1, UndoOfUndo)],
        ),
    ];
    for (case, wanted, wrong) in cases {
        assert_eq!(lint(&wanted, KINDS), wrong, "{case}");
    }
}

#[test]
fn a_kind_of_which_a_step_has_some_names_is_foreign_by_the_others() {
    let kinds = [Kind::of::<ChangeWorker>().only(&["set-worker-timeout", "revert-worker"])];
    let wanted = [
        worker(Setting::Timeout, 300, 600, for_a_day()),
        worker(Setting::Memory, 512, 1024, for_a_day()),
        worker(Setting::Timeout, 600, 300, Purpose::Revert(Uuid::nil())),
        undo(1, "set-worker-timeout", None),
    ];
    assert_eq!(lint(&wanted, &kinds), [(1, Wrong::Foreign)]);
}

#[test]
fn all_but_what_is_already_so_is_a_fault_of_the_plan() {
    for (wrong, severity) in [
        (Wrong::Foreign, Severity::Fault),
        (Wrong::Twice, Severity::Fault),
        (Wrong::StopBehindClosing, Severity::Fault),
        (Wrong::AlreadySo, Severity::Warning),
        (Wrong::UndoOfUndo, Severity::Fault),
    ] {
        assert_eq!(wrong.severity(), severity, "{wrong:?}");
    }
}

/// What a step may want of one process, in a sound order.
fn of_one(number: u128, what: u8) -> Vec<Planned> {
    match what {
        0 => vec![close(number)],
        1 => vec![stop(number)],
        2 => vec![stop(number), close(number)],
        3 => vec![repair(number), stop(number)],
        _ => vec![repair(number), goal(number, "COMPLETED")],
    }
}

proptest! {
    #[test]
    fn a_plan_in_which_every_process_comes_once_is_sound(wanted in prop::collection::btree_map(0u128..500, 0u8..5, 0..80)) {
        let wanted: Vec<Planned> = wanted.into_iter().flat_map(|(number, what)| of_one(number, what)).collect();
        prop_assert_eq!(lint(&wanted, KINDS), []);
    }

    #[test]
    fn whatever_comes_a_second_time_is_a_fault_and_nothing_else_is(
        wanted in prop::collection::btree_map(0u128..500, 0u8..5, 1..40),
        again in any::<prop::sample::Index>(),
    ) {
        let mut wanted: Vec<Planned> = wanted.into_iter().flat_map(|(number, what)| of_one(number, what)).collect();
        let (last, again) = (wanted.len(), again.get(&wanted).clone());
        wanted.push(again);
        let wrong = lint(&wanted, KINDS);
        prop_assert!(wrong.contains(&(last, Wrong::Twice)), "{:?}", wrong);
        prop_assert!(wrong.iter().all(|(at, _)| *at == last), "{:?}", wrong);
    }
}
