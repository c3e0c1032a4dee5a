//! Checks what a permanently failed process works for (guide, 4 step 2): a target or a parent that is gone, a goal that is not ACTIVE
//! although work under it is open.
//!
//! A goal that is COMPLETED while work under it is open contradicts itself, and is set ACTIVE. That it is PAUSED or CANCELLED was a
//! person's decision: it is told, and set ACTIVE only where a person asks for it.

mod plan;
mod texts;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::set_goal_status::SetGoalStatus;
use remediation::domain::{Both, ExecutionStatus, Language, ProcessId};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::goals::cases::{self, Case, Lately, Which};
use remediation::gather::goals::{Catalogue, Goals};
use remediation::gather::processes::case::no_such_row;
use remediation::gather::processes::look_up::task_ending;
use remediation::gather::step_functions::Seen;
use remediation::gather::table::Table;
use remediation::gather::trigger::{ExecutionChange, TriggerError, field};
use remediation::redact;
use remediation::run::step::{Cursor, Kind, Plan, Question, Session, Skipped, Step};
use remediation::run::texts as common;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::plan::{Asked, Evidence, Looked, Swept};

struct RepairGoalStatus;

/// Processes in one answer of a sweep, …
const ROWS_A_PAGE: usize = 1000;
/// … and in one run of it: some five kilobytes each at the most. The next run goes on.
const ROWS_A_RUN: usize = 10_000;

/// The parameter by which a person asks for ACTIVE.
const ACTIVATE: &str = "activate";

impl Step for RepairGoalStatus {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<SetGoalStatus>()];

    const PARAMETERS: &'static [&'static str] = &[ACTIVATE];

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let these = Asked::These { activate: activate(session.parameters, question)? };
        let table = session.table().await?;
        let goals = match Goals::read(session.db, &table).await? {
            Catalogue::There(goals) => goals,
            Catalogue::Absent(missing) => return Ok(Evidence::Absent(missing)),
        };
        let cases = match question {
            Question::Change(change) => return of_change(session, &table, &goals, change).await,
            Question::Execution(arn) => {
                session.step_functions.own(arn, session.config.language)?;
                let seen = session.step_functions.describe(arn, &session.config.result_path).await?;
                let unknown = || Error::Refused(common::process_unknown(session.config.language, arn.name()));
                of_process(session, &table, &goals, seen.process.ok_or_else(unknown)?).await?
            }
            Question::Process(id) => of_process(session, &table, &goals, *id).await?,
            // A process whose goal has moved; or a goal, of a plan that a person approved.
            Question::Again(targets) => {
                let ids: Vec<_> = targets.iter().filter_map(|(id, _)| id.as_str().parse().ok()).collect();
                cases::read(session.db, &table, &goals, Which::Named(&ids)).await?
            }
            Question::Sweep(cursor) => return sweep(session, &table, &goals, cursor.after).await,
        };
        Ok(Evidence::Looked(Box::new(Looked::of(cases, these))))
    }

    fn plan(&self, evidence: &Evidence, config: &Config, _: DateTime<Utc>) -> Plan {
        plan::plan(evidence, config)
    }
}

/// Whatever has failed within a day, from behind this process on: what no event told of, too. A process that was never started has none.
async fn sweep(
    session: &mut Session<'_>,
    table: &Table,
    goals: &Goals,
    from: Option<ProcessId>,
) -> Result<Evidence, Error> {
    let since = session.now - TimeDelta::days(1);
    let (mut cases, mut after, mut more) = (Vec::new(), from, true);
    while more && cases.len() < ROWS_A_RUN && Instant::now() < session.stop_at {
        let page = Lately { since, after, rows: ROWS_A_PAGE };
        let read = cases::read(session.db, table, goals, Which::Failed(page)).await?;
        // One that ends where the rows end has none behind it.
        more = read.len() == ROWS_A_PAGE;
        after = read.last().and_then(|case| case.process).or(after);
        cases.extend(read);
    }
    let extent =
        if more || from.is_some() { Some(cases::extent(session.db, table, goals, since).await?) } else { None };
    let cursor = Cursor { after: after.filter(|_| more), ..Cursor::default() };
    Ok(Evidence::Looked(Box::new(Looked {
        swept: Some(Swept { cursor, extent }),
        ..Looked::of(cases, Asked::Everything)
    })))
}

/// What a person asks for beside the process.
fn activate(parameters: &Map<String, Value>, question: &Question) -> Result<bool, Error> {
    let refused = |found: Both, expected: fn(Language) -> String| {
        Err(Error::Trigger(TriggerError::Field { path: ACTIVATE.to_owned(), found, expected: Both::of(expected) }))
    };
    match (parameters.get(ACTIVATE), question) {
        (None, _) => Ok(false),
        // The second is the same event's second look.
        (Some(Value::Bool(true)), Question::Process(_) | Question::Again(_)) => Ok(true),
        (Some(Value::Bool(true)), Question::Sweep(_) | Question::Execution(_) | Question::Change(_)) => {
            refused(Both::of(texts::without_process), texts::beside_process)
        }
        (Some(other), _) => refused(Both::same(&redact::cut(&other.to_string(), 100)), field::flag),
    }
}

/// One process that somebody asks for.
async fn of_process(
    session: &mut Session<'_>,
    table: &Table,
    goals: &Goals,
    id: ProcessId,
) -> Result<Vec<Case>, Error> {
    let cases = cases::read(session.db, table, goals, Which::Processes(&[id])).await?;
    if cases.is_empty() {
        return Err(no_such_row(id, session.config));
    }
    Ok(cases)
}

/// The process of an execution that has ended, and what that ended with. Nothing is remembered of it: sync-execution-status does that.
async fn of_change(
    session: &mut Session<'_>,
    table: &Table,
    goals: &Goals,
    change: &ExecutionChange,
) -> Result<Evidence, Error> {
    let (language, result_path) = (session.config.language, &session.config.result_path);
    session.step_functions.own(&change.execution.arn, session.config.language)?;
    let mut seen = Seen { execution: change.execution.clone(), process: change.process };
    let tells_why = seen.execution.ending.is_some() || seen.execution.status == ExecutionStatus::TimedOut;
    if seen.process.is_none() || !tells_why {
        seen = match session.step_functions.describe(&seen.execution.arn, result_path).await {
            Err(error) if error.is_execution_gone() => seen,
            described => described?,
        };
    }
    let execution = &mut seen.execution;
    let Some(process) = change.process.or(seen.process) else {
        let why = common::process_unknown(language, execution.arn.name());
        let unknown = Some(Skipped::new(execution.arn.to_string(), why));
        return Ok(Evidence::Looked(Box::new(Looked {
            unknown,
            ..Looked::of(Vec::new(), Asked::Event(seen.execution))
        })));
    };
    let cases = cases::read(session.db, table, goals, Which::Processes(&[process])).await?;
    // Until the row says it, only the history knows what a `Fail` state's own words stand for.
    if cases.iter().any(|case| case.open)
        && execution.status == ExecutionStatus::Failed
        && let Some(ending) = &mut execution.ending
        && let Some(of_task) = task_ending(session.step_functions, &execution.arn, ending).await?
    {
        *ending = of_task;
    }
    let missing = || Skipped::new(process.to_string(), common::row_missing(language, &process.to_string()));
    let unknown = cases.is_empty().then(missing);
    Ok(Evidence::Looked(Box::new(Looked { unknown, ..Looked::of(cases, Asked::Event(seen.execution)) })))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(RepairGoalStatus).await
}
