//! The plan as a table: which rows are written, and what is said of the others.

use remediation::act::actions::set_row_status::SetRowStatus;
use remediation::decide::Look;
use remediation::domain::ExecutionStatus::{self, Failed, Running};
use remediation::domain::ProcessStatus::{self, Completed, Processing};
use remediation::domain::{Execution, Process, ProcessId};
use remediation::gather::processes::case::{self, Case, Link, Newest};
use remediation::run::step::Finding;
use uuid::Uuid;

use super::*;

fn config() -> Config {
    Config::read(|name| match name {
        "DATABASE_URL" => Some("postgres://u:p@h/d".to_owned()),
        "STATE_MACHINE_ARN" => Some("arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai".to_owned()),
        "TEXT_LANGUAGE" => Some("en".to_owned()),
        _ => None,
    })
    .unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(1_795_482_000_000_000_000)
}

fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

fn process(id: u128, status: ProcessStatus, progress: i16) -> Process {
    Process {
        id: ProcessId::from(Uuid::from_u128(id)),
        version: 7,
        status,
        progress,
        has_result: false,
        error_code: None,
        retries: Some(0),
        created_at: ago(500),
        updated_at: ago(400),
        completed_at: (!status.is_open()).then(|| ago(400)),
        deadline: None,
    }
}

fn execution(status: ExecutionStatus) -> Execution {
    Execution {
        arn: "arn:aws:states:ap-northeast-1:123456789012:execution:ai:x".parse().unwrap(),
        status,
        redrive_count: 0,
        started_at: ago(499),
        redriven_at: None,
        stopped_at: status.is_over().then(|| ago(300)),
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    }
}

fn suspect(process: Process, highest: Option<i16>, newest: ExecutionStatus) -> Suspect {
    Suspect { process, highest, newest: Some(execution(newest)) }
}

fn stalled(process: Process, newest: ExecutionStatus) -> Case {
    let mut newest = execution(newest);
    newest.ending = newest.status.is_over().then(Default::default);
    Case { process, newest: Newest::Known(Some(newest)), look: Look::Sweep, link: Link::Told }
}

/// The rows that are written: id, status, progress, cause.
fn writes(plan: &Plan) -> Vec<(u128, ProcessStatus, Option<i16>, &'static str)> {
    let write = |action: &SetRowStatus| {
        (action.process.id.as_str().parse::<Uuid>().unwrap().as_u128(), action.status, action.progress, action.cause)
    };
    plan.actions.iter().map(|planned| write(planned.action.downcast().unwrap())).collect()
}

/// What is left, in the order in which it is told: id, why.
fn left(plan: &Plan) -> Vec<(u128, &str)> {
    let id = |target: &str| target.parse::<Uuid>().unwrap().as_u128();
    plan.skipped.iter().map(|skipped| (id(&skipped.target), skipped.why.as_str())).collect()
}

#[test]
fn closings_come_first_then_repairs_and_the_rest_is_left_with_its_reason() {
    let evidence = Evidence {
        processes: case::Evidence {
            cases: vec![
                stalled(process(1, Processing, 40), Failed),
                stalled(process(2, Processing, 40), Running),
                // Stalled, in time, and broken.
                stalled(process(3, Processing, 250), Running),
                // Over, and broken: it is closed, and looked at again then.
                stalled(process(4, Processing, 250), Failed),
            ],
            population: 40,
            ..case::Evidence::default()
        },
        suspects: vec![
            suspect(process(3, Processing, 250), None, Running),
            suspect(process(4, Processing, 250), None, Failed),
            suspect(process(5, Completed, -5), None, Failed),
            suspect(process(6, Processing, 30), Some(80), Running),
            suspect(process(7, Processing, 90), Some(80), Running),
            suspect(process(8, Processing, 250), None, Failed),
        ],
    };
    let plan = RepairProgress.plan(&evidence, &config(), now());
    assert_eq!(
        writes(&plan),
        [
            (1, ProcessStatus::Failed, None, "failed"),
            (4, ProcessStatus::Failed, None, "failed"),
            (3, Processing, Some(100), "progress-clamped"),
            (5, Completed, Some(0), "progress-clamped"),
            (6, Processing, Some(80), "progress-restored"),
        ]
    );
    let reasons: Vec<&str> = plan.actions[2..].iter().map(|planned| planned.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "progress is above 100: corrected to 100",
            "progress is below 0: corrected to 0",
            "progress fell from 80 to 30 within one attempt: restored to 80",
        ]
    );
    let left = left(&plan);
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(left[0], (2, "execution x is still running, 6 min 41 s before its deadline"));
    assert!(
        left[1].0 == 8 && left[1].1.contains("progress left unchanged") && left[1].1.contains("execution x"),
        "{left:?}"
    );
    assert_eq!((plan.population, plan.unfinished), (40, None));
}

#[test]
fn what_has_fallen_is_left_while_a_new_attempt_may_go_unseen() {
    let message = "ListExecutions: ThrottlingException";
    let unavailable = Finding::new("step_functions_unavailable", "Step Functions", message, Default::default());
    let evidence = Evidence {
        processes: case::Evidence { findings: vec![unavailable], ..case::Evidence::default() },
        suspects: vec![
            suspect(process(1, Processing, 30), Some(80), Running),
            suspect(process(2, Processing, 250), Some(80), Running),
        ],
    };
    let plan = RepairProgress.plan(&evidence, &config(), now());
    assert_eq!(writes(&plan), [(2, Processing, Some(100), "progress-clamped")], "out of range is so in any attempt");
    let left = left(&plan);
    assert!(left.len() == 1 && left[0].0 == 1 && left[0].1.contains("ThrottlingException"), "{left:?}");
}

#[test]
fn rows_that_were_closed_long_ago_are_part_of_what_was_looked_at() {
    let suspects = (1..=3).map(|id| suspect(process(id, Completed, 250), None, Failed)).collect();
    let processes = case::Evidence { population: 1, ..case::Evidence::default() };
    let plan = RepairProgress.plan(&Evidence { processes, suspects }, &config(), now());
    assert_eq!((plan.actions.len(), plan.population, plan.unfinished), (3, 3, None));
}

#[test]
fn more_than_one_look_finds_is_told() {
    let suspects = (1..).map(|id| suspect(process(id, Completed, 250), None, Failed));
    let suspects = suspects.take(progress::ROWS_A_LOOK).collect();
    let plan = RepairProgress.plan(&Evidence { processes: case::Evidence::default(), suspects }, &config(), now());
    assert!(plan.unfinished.is_some_and(|why| why.contains("10000")));
}

#[test]
fn the_manifest_says_when_a_process_is_stalled() {
    assert_eq!(stalled_after().unwrap(), TimeDelta::seconds(300));
}
