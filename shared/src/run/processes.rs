//! What every step reads and wants that puts processes right: rows with their newest executions, and the decision
//! table's verdict on each (design, section 5). The steps differ in which rows they look at.

pub mod cancel;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use tokio::time::Instant;
use uuid::Uuid;

use crate::act::actions::set_row_status::ErrorChange;
use crate::act::actions::{Action, SetRowStatus, StopExecution, stop_execution};
use crate::act::ledger::entries;
use crate::act::ledger::plans::Wish;
use crate::decide::{Closing, Decision, Look, Verdict, decide, overtaken};
use crate::domain::{Ending, Execution, ExecutionArn, ExecutionStatus, Process, ProcessId};
use crate::failure::failure;
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::executions::{self, Listed};
use crate::gather::step_functions::{Seen, StepFunctions};
use crate::gather::table::Table;
use crate::gather::trigger::ExecutionChange;
use crate::run::step::{Cursor, Finding, Plan, Planned, Question, Session, Skipped, Step};
use crate::run::texts;

/// Which rows a sweep looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Open rows, and rows closed in the last day whose execution tells another story.
    OpenOrLatelyClosed,
    /// Open rows whose deadline has passed.
    PastDeadline,
    /// Cancelled rows, however old, of which any execution is known to run.
    CancelledButRunning,
    /// PROCESSING rows that nobody has written for so long.
    Stalled(TimeDelta),
    /// Rows closed as failed in the last day.
    LatelyFailed,
}

/// A step that puts processes right; such steps differ in their manifests and in which rows they look at.
#[derive(Debug, Clone, Copy)]
pub struct ProcessStep {
    /// The step's `manifest.toml`.
    pub manifest: &'static str,
    /// Which rows its sweep looks at. Asked about one process, every step looks at that one.
    pub looks_at: Filter,
}

impl Step for ProcessStep {
    type Evidence = Evidence;

    fn manifest(&self) -> &'static str {
        self.manifest
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        gather(session, question, self.looks_at).await
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan(evidence, config, now)
    }
}

/// A process, and what is known of its newest execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The row.
    pub process: Process,
    /// The execution that speaks for it.
    pub newest: Newest,
    /// Whether what has just changed is to be left alone.
    pub look: Look,
}

/// What is known of a process's newest execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Newest {
    /// It is this one; `None`: it was looked for, and there is none.
    Known(Option<Execution>),
    /// It could not be looked up, for this reason; nothing is decided then.
    Unknown(String),
}

/// What was read.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The processes that were looked at closely.
    pub cases: Vec<Case>,
    /// Processes beside an execution that still runs although a newer one was started: it speaks for nothing any more.
    pub overtaken: Vec<Case>,
    /// How many rows the question was about.
    pub population: usize,
    /// What is to be told in any case.
    pub findings: Vec<Finding>,
    /// Where the next sweep goes on.
    pub cursor: Option<Cursor>,
    /// Why the sweep is not finished, where it is not.
    pub unfinished: Option<String>,
}

/// Rows that one run looks at: some two kilobytes each in memory while they are written, and ten seconds to write all of them.
const ROWS_A_RUN: usize = 100_000;

/// Rows in one answer: PostgreSQL's rows are several times as large as what is kept of them.
const ROWS_A_PAGE: usize = 10_000;

/// An execution may seem to start a little before its row was created: two clocks.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// Rows with the newest execution that is known of each; a condition may follow.
pub(crate) const CASES: &str = concat!(include_str!("processes/cases.sql"), include_str!("processes/newest.sql"));

/// Reads what a question is about, and looks up in Step Functions what the database cannot tell.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`]; [`Error::Aws`] where the question is about one process and cannot be answered
/// without; [`Error::Refused`] for an execution of another state machine.
pub async fn gather(session: &mut Session<'_>, question: &Question, filter: Filter) -> Result<Evidence, Error> {
    match question {
        Question::Change(change) => of_change(session, change).await,
        Question::Execution(arn) => {
            session.step_functions.own(arn)?;
            let seen = session.step_functions.describe(arn, &session.config.result_path).await?;
            let change = ExecutionChange { execution: seen.execution, process: seen.process, event_id: None };
            of_change(session, &change).await
        }
        Question::Process(id) => of_process(session, *id).await,
        Question::Again(processes) => again(session, processes).await,
        Question::Sweep(cursor) => sweep(session, cursor, filter).await,
    }
}

/// An event's own execution, remembered and compared with what is known, in one round trip.
async fn of_change(session: &mut Session<'_>, change: &ExecutionChange) -> Result<Evidence, Error> {
    let config = session.config;
    session.step_functions.own(&change.execution.arn)?;
    let mut seen = Seen { execution: change.execution.clone(), process: change.process };
    if seen.process.is_none() {
        // The event came without its input, and the name tells nothing.
        seen = session.step_functions.describe(&seen.execution.arn, &config.result_path).await?;
    }
    let table = session.table().await?;
    let AssertSqlSafe(cases) = table.sql(CASES);
    let AssertSqlSafe(id) = table.sql("{id}");
    let sql = format!(
        "WITH remembered AS ({})
         SELECT c.*, EXISTS (SELECT FROM remediation.actions a
                              WHERE a.target = $11 AND a.kind = 'stop-execution' AND a.cause = 'deadline'
                                AND a.outcome IN ('applying', 'applied')) AS event_stopped_for_deadline
           FROM ({cases} WHERE {id} = $12) c",
        executions::REMEMBER
    );
    let row = executions::bind(sqlx::query(AssertSqlSafe(sql)), std::slice::from_ref(&seen))
        .bind(seen.execution.arn.as_str())
        .bind(seen.process.map(|id| id.0))
        .fetch_optional(&mut *session.db)
        .await
        .map_err(Error::database("reading the process of an execution"))?;
    let Some(row) = row else {
        let evidence = json!({ "executionArn": seen.execution.arn, "status": seen.execution.status });
        let finding = match seen.process {
            Some(id) => Finding {
                code: "row_missing",
                message: texts::row_missing(config.language, &id.to_string()),
                target: id.to_string(),
                evidence,
            },
            None => Finding {
                code: "process_unknown",
                message: texts::process_unknown(config.language, seen.execution.arn.name()),
                target: seen.execution.arn.to_string(),
                evidence,
            },
        };
        return Ok(Evidence { population: 1, findings: vec![finding], ..Evidence::default() });
    };
    let reading = "reading the process of an execution";
    seen.execution.stopped_for_deadline =
        row.try_get("event_stopped_for_deadline").map_err(Error::database(reading))?;
    let mut case = case(&row, Look::Event).map_err(Error::database(reading))?;
    if let Newest::Known(known) = &mut case.newest {
        *known = Some(newer(known.take(), seen.execution));
    }
    complete(session, &mut case).await?;
    let mut cases = vec![case];
    if list_before_closing(session, &cases).await? {
        let seen = match &cases[0].newest {
            Newest::Known(Some(seen)) => seen.clone(),
            Newest::Known(None) | Newest::Unknown(_) => return Ok(Evidence::default()),
        };
        cases = of_processes(session, &[(cases[0].process.id, Look::Event)]).await?.cases;
        for case in &mut cases {
            if let Newest::Known(known) = &mut case.newest {
                *known = Some(newer(known.take(), seen.clone()));
            }
            complete(session, case).await?;
        }
    }
    Ok(Evidence { population: 1, cases, ..Evidence::default() })
}

/// Reads the list of executions before a row is closed that may have been re-opened: the event of its new execution may be lost
/// or late, and the old one would close a row that is under way. A row that was never retried has no other execution. Says whether
/// it was read; what was known has to be read again then.
async fn list_before_closing(session: &mut Session<'_>, cases: &[Case]) -> Result<bool, Error> {
    let policy = &session.config.policy;
    let started = |case: &Case| match &case.newest {
        Newest::Known(Some(newest)) if case.look == Look::Event && case.process.retries != Some(0) => {
            let closes = decide(&case.process, Some(newest), case.look, policy, session.now).verdict;
            matches!(closes, Verdict::Close(_)).then(|| newest.started_at.max(session.now - TimeDelta::days(1)))
        }
        Newest::Known(_) | Newest::Unknown(_) => None,
    };
    let Some(wanted) = cases.iter().filter_map(started).min() else { return Ok(false) };
    list(session, None, wanted, TimeDelta::zero(), session.stop_at).await?;
    Ok(true)
}

/// Reads the list of executions back to `wanted`.
async fn list(
    session: &mut Session<'_>,
    known: Option<Listed>,
    wanted: DateTime<Utc>,
    overlap: TimeDelta,
    stop_at: Instant,
) -> Result<Listed, Error> {
    let result_path = &session.config.result_path;
    executions::list(session.db, session.step_functions, result_path, known, wanted, overlap, stop_at).await
}

/// Which of two speaks for the process, and what is known of it.
fn newer(known: Option<Execution>, seen: Execution) -> Execution {
    match known {
        None => seen,
        Some(known) if known.arn == seen.arn => {
            let tells_more = (known.redrive_count, known.status) == (seen.redrive_count, seen.status)
                && (known.ending.is_none() || seen.ending.as_ref().is_some_and(|ending| ending.result.is_some()));
            if seen.supersedes(&known) || tells_more { seen } else { known }
        }
        Some(known) if seen.speaks_over(&known) => seen,
        Some(known) => known,
    }
}

/// One process that somebody asks for: its executions are listed, whatever is known of them.
async fn of_process(session: &mut Session<'_>, id: ProcessId) -> Result<Evidence, Error> {
    let asked = [(id, Look::Event)];
    let known = of_processes(session, &asked).await?;
    let Some(case) = known.cases.first() else { return Err(no_such_row(id, session.config)) };
    // Sweeps list every execution within minutes. A day of the list is enough to find what was started after the newest
    // that is known; without one, it is read back to the row's creation.
    let wanted = match &case.newest {
        Newest::Known(Some(newest)) => newest.started_at.max(session.now - TimeDelta::days(1)),
        Newest::Known(None) | Newest::Unknown(_) => case.process.created_at - CLOCK_SKEW,
    };
    let listed = list(session, None, wanted, TimeDelta::zero(), session.stop_at).await?;
    let mut evidence = of_processes(session, &asked).await?;
    let stop_at = session.stop_at;
    let LookedUp { refused, .. } = look_up(session, &mut evidence.cases, Some(listed.since), None, stop_at).await?;
    refused.map_or(Ok(evidence), Err)
}

/// A process as the database knows it, without a look at Step Functions; `None` where it has no row.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn known_one(session: &mut Session<'_>, id: ProcessId) -> Result<Option<Case>, Error> {
    Ok(of_processes(session, &[(id, Look::Event)]).await?.cases.pop())
}

/// The error for a process that was named, and has no row.
#[must_use]
pub fn no_such_row(id: ProcessId, config: &Config) -> Error {
    Error::Refused(format!("`processId` {id}: table {} has no such row", config.table))
}

async fn of_processes(session: &mut Session<'_>, processes: &[(ProcessId, Look)]) -> Result<Evidence, Error> {
    let table = session.table().await?;
    let AssertSqlSafe(sql) = table.sql(&format!("{CASES} WHERE {{id}} = ANY ($1) ORDER BY {{id}}"));
    let reading = "reading processes";
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(processes.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database(reading))?;
    let looks: HashMap<ProcessId, Look> = processes.iter().copied().collect();
    let look_of = |id: ProcessId| looks.get(&id).copied().unwrap_or(Look::Sweep);
    let cases = rows
        .iter()
        .map(|row| case(row, look_of(ProcessId(row.try_get("id")?))))
        .collect::<Result<Vec<_>, sqlx::Error>>()
        .map_err(Error::database(reading))?;
    Ok(Evidence { population: cases.len(), cases, ..Evidence::default() })
}

/// Some processes once more. That one of them had no execution when it was looked at before, maybe hours ago and for a plan,
/// proves nothing now.
async fn again(session: &mut Session<'_>, processes: &[(ProcessId, Look)]) -> Result<Evidence, Error> {
    let mut evidence = of_processes(session, processes).await?;
    if list_before_closing(session, &evidence.cases).await? {
        evidence = of_processes(session, processes).await?;
    }
    let (mut since, mut refused) = (None, None);
    let unseen = evidence.cases.iter().filter(|case| is_unseen(case)).map(|case| case.process.created_at).min();
    if let Some(created_at) = unseen {
        match list(session, None, created_at - CLOCK_SKEW, TimeDelta::zero(), session.stop_at).await {
            Ok(listed) => {
                since = Some(listed.since);
                evidence = of_processes(session, processes).await?;
            }
            Err(error) => refused = recoverable(error)?,
        }
    }
    let stop_at = session.stop_at;
    let looked_up = look_up(session, &mut evidence.cases, since, refused, stop_at).await?;
    evidence.findings.extend(looked_up.refused.as_ref().map(unavailable));
    Ok(evidence)
}

/// Everything that is a sweep's business, from where the last one stopped.
async fn sweep(session: &mut Session<'_>, cursor: &Cursor, filter: Filter) -> Result<Evidence, Error> {
    let language = session.config.language;
    let table = session.table().await?;
    let (population, oldest_unknown) = extent(session, &table, filter).await?;
    let mut findings = Vec::new();
    let mut trouble = stop_execution::resolve_abandoned(session).await.map_or_else(recoverable, |()| Ok(None))?;

    // At most half of the time goes into the list, and a quarter is kept for what is to be done about all that was read.
    let quarter = session.stop_at.saturating_duration_since(Instant::now()) / 4;
    let half = session.stop_at - 2 * quarter;
    let wanted = oldest_unknown.map_or(session.now, |created| created - CLOCK_SKEW);
    let overlap = session.config.policy.process_deadline + CLOCK_SKEW;
    let back_to = wanted.min(session.now - overlap);
    let listed = match list(session, cursor.listed.clone(), back_to, overlap, half).await {
        Ok(listed) => Some(listed),
        Err(error) => {
            trouble = trouble.or(recoverable(error)?);
            None
        }
    };

    let (mut cases, more) = candidates(session, &table, filter, cursor.after).await?;
    let after = more.then(|| cases.last().map(|case| case.process.id)).flatten();
    let since = listed.as_ref().map(|listed| listed.since);
    let LookedUp { refused, left } = look_up(session, &mut cases, since, trouble, session.stop_at - quarter).await?;
    findings.extend(refused.as_ref().map(unavailable));
    let overtaken = still_running(session, &table, filter).await?;
    let cursor = Cursor { after, listed: listed.or_else(|| cursor.listed.clone()) };
    let unfinished = match (left, after) {
        (0, None) => None,
        (0, Some(_)) => Some(texts::more_to_look_at(language, cases.len())),
        (left, _) => Some(texts::out_of_time(language, left)),
    };
    Ok(Evidence { cases, overtaken, population, findings, cursor: Some(cursor), unfinished })
}

/// The processes as the database knows them, without a look at Step Functions: for a step that only counts.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn known(session: &mut Session<'_>, filter: Filter) -> Result<Evidence, Error> {
    let table = session.table().await?;
    let (population, _) = extent(session, &table, filter).await?;
    let (cases, _) = candidates(session, &table, filter, None).await?;
    Ok(Evidence { cases, population, ..Evidence::default() })
}

/// Cancelled rows, each beside an execution of it that is known to run, the newest or an overtaken one, without a look at Step
/// Functions: for a step that only counts.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn uncancelled(session: &mut Session<'_>) -> Result<Vec<Case>, Error> {
    let table = session.table().await?;
    let (mut cases, _) = candidates(session, &table, Filter::CancelledButRunning, None).await?;
    cases.extend(still_running(session, &table, Filter::CancelledButRunning).await?);
    Ok(cases)
}

/// What Step Functions refuses stops the looking up, and is told; what needs no look-up goes on.
fn recoverable(error: Error) -> Result<Option<Error>, Error> {
    match error {
        error @ Error::Aws { .. } => Ok(Some(error)),
        error => Err(error),
    }
}

fn unavailable(error: &Error) -> Finding {
    Finding {
        code: "step_functions_unavailable",
        message: error.to_string(),
        target: "Step Functions".to_owned(),
        evidence: json!({ "errorType": error.kind() }),
    }
}

/// How many rows a sweep is about, and since when there is one without a known execution whose execution would be its business.
async fn extent(
    session: &mut Session<'_>,
    table: &Table,
    filter: Filter,
) -> Result<(usize, Option<DateTime<Utc>>), Error> {
    let looked_for = match filter {
        Filter::OpenOrLatelyClosed | Filter::PastDeadline | Filter::Stalled(_) | Filter::LatelyFailed => "{open}",
        Filter::CancelledButRunning => "{cancelled}",
    };
    let sql = include_str!("processes/extent.sql").replace("{looked for}", looked_for);
    let (population, oldest): (i64, Option<DateTime<Utc>>) = sqlx::query_as(table.sql(&sql))
        .bind(session.now - TimeDelta::days(1))
        .fetch_one(&mut *session.db)
        .await
        .map_err(Error::database("counting processes"))?;
    Ok((usize::try_from(population).unwrap_or(0), oldest))
}

/// The rows of a sweep in the order of their ids, and whether there are more of them.
async fn candidates(
    session: &mut Session<'_>,
    table: &Table,
    filter: Filter,
    after: Option<ProcessId>,
) -> Result<(Vec<Case>, bool), Error> {
    let reading = "reading the candidates";
    let condition = match filter {
        Filter::OpenOrLatelyClosed => include_str!("processes/open_or_lately_closed.sql"),
        Filter::PastDeadline => include_str!("processes/past_deadline.sql"),
        Filter::CancelledButRunning => include_str!("processes/cancelled_but_running.sql"),
        Filter::Stalled(_) => include_str!("processes/stalled.sql"),
        Filter::LatelyFailed => include_str!("processes/lately_failed.sql"),
    };
    let AssertSqlSafe(sql) = table.sql(&format!("{CASES}{condition}"));
    let (policy, now) = (&session.config.policy, session.now);
    let mut cases: Vec<Case> = Vec::new();
    loop {
        let page = ROWS_A_PAGE.min(ROWS_A_RUN - cases.len());
        let after = cases.last().map(|case| case.process.id).or(after);
        let query = sqlx::query(AssertSqlSafe(sql.as_str()))
            .bind(after.map_or(Uuid::nil(), |id| id.0))
            .bind(i64::try_from(page).unwrap_or(i64::MAX));
        let query = match filter {
            Filter::OpenOrLatelyClosed | Filter::LatelyFailed => query.bind(now - TimeDelta::days(1)),
            Filter::PastDeadline => query.bind(now - policy.start_deadline).bind(now - policy.process_deadline),
            Filter::CancelledButRunning => query,
            Filter::Stalled(after) => query.bind(now - after),
        };
        let rows = query.fetch_all(&mut *session.db).await.map_err(Error::database(reading))?;
        for row in &rows {
            cases.push(case(row, Look::Sweep).map_err(Error::database(reading))?);
        }
        if rows.len() < page || cases.len() == ROWS_A_RUN {
            break;
        }
    }
    let more = cases.len() == ROWS_A_RUN;
    Ok((cases, more))
}

/// Executions that still run although a newer one of the same process was started, as far as they are a filter's business.
async fn still_running(session: &mut Session<'_>, table: &Table, filter: Filter) -> Result<Vec<Case>, Error> {
    let reading = "reading overtaken executions";
    let condition = match filter {
        Filter::PastDeadline | Filter::Stalled(_) | Filter::LatelyFailed => return Ok(Vec::new()),
        Filter::OpenOrLatelyClosed => "",
        Filter::CancelledButRunning => " AND {status} IN ({cancelled})",
    };
    let overtaken = concat!(include_str!("processes/cases.sql"), include_str!("processes/overtaken.sql"));
    let rows = sqlx::query(table.sql(&format!("{overtaken}{condition}")))
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database(reading))?;
    rows.iter().map(|row| case(row, Look::Sweep)).collect::<Result<_, sqlx::Error>>().map_err(Error::database(reading))
}

/// How far the looking up came. The cases that it did not reach are unknown.
#[derive(Debug, Default)]
struct LookedUp {
    /// What Step Functions refused, if it did.
    refused: Option<Error>,
    /// How many cases there was no time for.
    left: usize,
}

/// Looks up, one by one and paced, what the database cannot tell. `listed_since` says how far back the list of executions
/// was read: only then is "none" known to be none. `refused` is what Step Functions has refused before: it is not asked any
/// more then.
async fn look_up(
    session: &mut Session<'_>,
    cases: &mut [Case],
    listed_since: Option<DateTime<Utc>>,
    refused: Option<Error>,
    stop_at: Instant,
) -> Result<LookedUp, Error> {
    let (config, now) = (session.config, session.now);
    let unlisted = refused.as_ref().map_or_else(|| texts::not_listed(config.language), ToString::to_string);
    for case in cases.iter_mut().filter(|case| is_unseen(case)) {
        if listed_since.is_none_or(|since| since > case.process.created_at - CLOCK_SKEW) {
            case.newest = Newest::Unknown(unlisted.clone());
        }
    }
    if refused.is_some() {
        leave_unknown(cases, config, now, &unlisted);
        return Ok(LookedUp { refused, left: 0 });
    }
    for at in 0..cases.len() {
        if !wants_look_up(&cases[at], config, now) {
            continue;
        }
        if Instant::now() >= stop_at {
            let left = leave_unknown(&mut cases[at..], config, now, &texts::no_time_left(config.language));
            return Ok(LookedUp { refused: None, left });
        }
        if let Err(error) = complete(session, &mut cases[at]).await {
            let refused = recoverable(error)?;
            let why = refused.as_ref().map(ToString::to_string).unwrap_or_default();
            leave_unknown(&mut cases[at..], config, now, &why);
            return Ok(LookedUp { refused, left: 0 });
        }
    }
    Ok(LookedUp::default())
}

/// Whether a row that needs an execution has none that is known: there may be one all the same.
fn is_unseen(case: &Case) -> bool {
    matches!(case.newest, Newest::Known(None)) && case.process.status.is_open()
}

/// Leaves those undecided that still want to be looked up; how many they are.
fn leave_unknown(cases: &mut [Case], config: &Config, now: DateTime<Utc>, why: &str) -> usize {
    let mut left = 0;
    for case in cases.iter_mut().filter(|case| wants_look_up(case, config, now)) {
        case.newest = Newest::Unknown(why.to_owned());
        left += 1;
    }
    left
}

/// Whether only Step Functions can tell what is to be done.
fn wants_look_up(case: &Case, config: &Config, now: DateTime<Utc>) -> bool {
    let Newest::Known(newest) = &case.newest else { return false };
    let decision = decide(&case.process, newest.as_ref(), case.look, &config.policy, now);
    match (decision.verdict, newest) {
        (Verdict::Inspect, _) => true,
        // It may be over, and the event that said so was lost. The list has told of those that started lately.
        (Verdict::Leave | Verdict::Stop(_), Some(execution)) => {
            !execution.status.is_over() && now - execution.attempt_started_at() > config.policy.process_deadline
        }
        (Verdict::Close(Closing::Failed), Some(execution)) => execution
            .ending
            .as_ref()
            .is_some_and(|ending| !failure(ending.error.as_deref(), ending.cause.as_deref()).certain),
        (Verdict::Close(_), _) | (Verdict::Leave | Verdict::Stop(_), None) => false,
    }
}

/// Describes a case's execution where that is wanted, and reads the last failed task where its own words say nothing.
async fn complete(session: &mut Session<'_>, case: &mut Case) -> Result<(), Error> {
    let (config, now) = (session.config, session.now);
    let verdict = |case: &Case| match &case.newest {
        Newest::Known(newest) => decide(&case.process, newest.as_ref(), case.look, &config.policy, now).verdict,
        Newest::Unknown(_) => Verdict::Leave,
    };
    if !wants_look_up(case, config, now) {
        return Ok(());
    }
    if verdict(case) != Verdict::Close(Closing::Failed)
        && let Newest::Known(Some(execution)) = &mut case.newest
    {
        *execution = described(session, case.process.id, execution).await?;
    }
    if verdict(case) == Verdict::Close(Closing::Failed)
        && let Newest::Known(Some(Execution { arn, ending: Some(ending), .. })) = &mut case.newest
        && let Some(of_task) = task_ending(session.step_functions, arn, ending).await?
        && failure(of_task.error.as_deref(), of_task.cause.as_deref()).certain
    {
        *ending = of_task;
    }
    Ok(())
}

/// An execution as Step Functions tells it now, which is remembered.
async fn described(session: &mut Session<'_>, process: ProcessId, known: &Execution) -> Result<Execution, Error> {
    let config = session.config;
    let seen = match session.step_functions.describe(&known.arn, &config.result_path).await {
        Err(error) if error.is_execution_gone() => {
            Seen { process: Some(process), execution: forgotten(known, &error, config) }
        }
        told => told?,
    };
    executions::remember(session.db, std::slice::from_ref(&seen)).await?;
    Ok(Execution { stopped_for_deadline: known.stopped_for_deadline, ..seen.execution })
}

/// What the last failed task of an execution ended with, where the execution's own words (a `Fail` state's) say nothing; `None`
/// where they do, and where its history is gone.
///
/// # Errors
/// [`Error::Aws`].
pub async fn task_ending(
    step_functions: &StepFunctions,
    arn: &ExecutionArn,
    ending: &Ending,
) -> Result<Option<Ending>, Error> {
    if failure(ending.error.as_deref(), ending.cause.as_deref()).certain {
        return Ok(None);
    }
    let told = match step_functions.last_task_failure(arn).await {
        Err(error) if error.is_execution_gone() => None,
        told => told?,
    };
    Ok(told.map(|(error, cause)| Ending { error, cause, result: None }))
}

/// Reads the list of executions back to where anything may still run, so that the newest execution that is known of a process
/// is its newest.
///
/// # Errors
/// [`Error::Aws`], [`Error::Database`].
pub async fn list_lately(session: &mut Session<'_>) -> Result<(), Error> {
    let since = session.now - session.config.policy.process_deadline - CLOCK_SKEW;
    list(session, None, since, TimeDelta::zero(), session.stop_at).await.map(drop)
}

/// Whether a sweep's list reached back to where anything may still run.
#[must_use]
pub fn is_listed_lately(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> bool {
    let listed = evidence.cursor.as_ref().and_then(|cursor| cursor.listed.as_ref());
    listed.is_some_and(|listed| listed.until >= now && listed.since <= now - config.policy.process_deadline)
}

/// Asks Step Functions what the executions of some closed rows ended with: their own words, and the last failed task's where
/// those say nothing. What it refuses leaves the rest unknown, and comes back to be told.
///
/// # Errors
/// [`Error::Database`].
pub async fn look_up_endings(
    session: &mut Session<'_>,
    cases: &mut [Case],
    wanted: impl Fn(&Case) -> bool,
    stop_at: Instant,
) -> Result<Option<Finding>, Error> {
    let mut trouble: Option<(String, Option<Finding>)> = None;
    for case in cases.iter_mut().filter(|case| wanted(case)) {
        if trouble.is_none() && Instant::now() >= stop_at {
            trouble = Some((texts::no_time_left(session.config.language), None));
        }
        if trouble.is_none()
            && let Err(error) = learn_ending(session, case).await
            && let Some(refused) = recoverable(error)?
        {
            trouble = Some((refused.to_string(), Some(unavailable(&refused))));
        }
        if let Some((why, _)) = &trouble {
            case.newest = Newest::Unknown(why.clone());
        }
    }
    Ok(trouble.and_then(|(_, finding)| finding))
}

async fn learn_ending(session: &mut Session<'_>, case: &mut Case) -> Result<(), Error> {
    let id = case.process.id;
    let Newest::Known(Some(execution)) = &mut case.newest else { return Ok(()) };
    if execution.ending.is_none() {
        *execution = described(session, id, execution).await?;
    }
    if execution.status == ExecutionStatus::Failed
        && let Some(ending) = &mut execution.ending
        && let Some(of_task) = task_ending(session.step_functions, &execution.arn, ending).await?
    {
        *ending = of_task;
    }
    Ok(())
}

/// An execution that Step Functions no longer knows (after 90 days, or gone with its state machine) is over. How it ended nobody
/// can tell any more: one that was still running, as far as is known, ran out of its time.
fn forgotten(known: &Execution, error: &Error, config: &Config) -> Execution {
    let deadline = known.attempt_started_at() + config.policy.process_deadline;
    Execution {
        status: if known.status.is_over() { known.status } else { ExecutionStatus::TimedOut },
        stopped_at: known.stopped_at.or(Some(deadline)),
        ending: Some(Ending { cause: Some(error.to_string()), ..Ending::default() }),
        ..known.clone()
    }
}

pub(crate) fn case(row: &PgRow, look: Look) -> Result<Case, sqlx::Error> {
    let unreadable = |column: &str| {
        let index = column.to_owned();
        move |source: crate::domain::ParseError| sqlx::Error::ColumnDecode { index, source: Box::new(source) }
    };
    let process = Process {
        id: ProcessId(row.try_get("id")?),
        version: row.try_get("version")?,
        status: row.try_get::<&str, _>("status")?.parse().map_err(unreadable("status"))?,
        progress: row.try_get("progress")?,
        has_result: row.try_get("has_result")?,
        error_code: row.try_get("error_code")?,
        retries: row.try_get("retries")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        completed_at: row.try_get("completed_at")?,
    };
    let arn: Option<&str> = row.try_get("execution_arn")?;
    let Some(arn) = arn else {
        return Ok(Case { process, newest: Newest::Known(None), look });
    };
    let status: ExecutionStatus =
        row.try_get::<&str, _>("execution_status")?.parse().map_err(unreadable("execution_status"))?;
    // Neither output nor result is kept: whether a success left a result, only Step Functions can tell.
    let ending_known: bool = row.try_get("ending_known")?;
    let ending = if ending_known && status != ExecutionStatus::Succeeded {
        Some(Ending { error: row.try_get("execution_error")?, cause: row.try_get("execution_cause")?, result: None })
    } else {
        None
    };
    let execution = Execution {
        arn: arn.parse().map_err(unreadable("execution_arn"))?,
        status,
        redrive_count: row.try_get("redrive_count")?,
        started_at: row.try_get("started_at")?,
        redriven_at: row.try_get("redriven_at")?,
        stopped_at: row.try_get("stopped_at")?,
        ending,
        stopped_for_deadline: row.try_get("stopped_for_deadline")?,
    };
    Ok(Case { process, newest: Newest::Known(Some(execution)), look })
}

/// What is to be done about the cases, by the decision table.
#[must_use]
pub fn plan(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan {
        findings: evidence.findings.clone(),
        population: evidence.population,
        cursor: evidence.cursor.clone(),
        unfinished: evidence.unfinished.clone(),
        ..Plan::default()
    };
    for case in &evidence.cases {
        match &case.newest {
            Newest::Known(newest) => {
                let decision = decide(&case.process, newest.as_ref(), case.look, &config.policy, now);
                take_in(&mut plan, &case.process, newest.as_ref(), decision, config, now);
            }
            Newest::Unknown(why) => {
                let why = texts::not_looked_up(config.language, why);
                plan.skipped.push(Skipped { target: case.process.id.to_string(), why });
            }
        }
    }
    for case in &evidence.overtaken {
        if let Newest::Known(Some(execution)) = &case.newest {
            let decision = overtaken(&case.process, execution, case.look, &config.policy, now);
            take_in(&mut plan, &case.process, Some(execution), decision, config, now);
        }
    }
    plan
}

/// Makes a decision part of a plan.
fn take_in(
    plan: &mut Plan,
    process: &Process,
    newest: Option<&Execution>,
    decision: Decision,
    config: &Config,
    now: DateTime<Utc>,
) {
    let target = process.id.to_string();
    let reason = texts::reason(config.language, &decision, newest.map(|execution| execution.arn.name()));
    if let Some(anomaly) = decision.anomaly {
        plan.findings.push(Finding {
            code: anomaly.code(),
            message: texts::anomaly(config.language, anomaly, &reason),
            target: target.clone(),
            evidence: json!({
                "status": process.status,
                "executionArn": newest.map(|execution| &execution.arn),
                "executionStatus": newest.map(|execution| execution.status),
            }),
        });
    }
    match (decision.verdict, newest) {
        (Verdict::Close(closing), _) => {
            let action = closing_of(process, newest, closing, config, now);
            plan.actions.push(Planned::new(Action::SetRowStatus(Box::new(action)), reason));
        }
        (Verdict::Stop(cause), Some(execution)) => {
            let action = StopExecution { process: process.clone(), execution: execution.clone(), cause };
            plan.actions.push(Planned::new(Action::StopExecution(action), reason));
        }
        (Verdict::Leave | Verdict::Inspect | Verdict::Stop(_), _) => plan.skipped.push(Skipped { target, why: reason }),
    }
}

/// What a closing writes into the row.
fn closing_of(
    process: &Process,
    newest: Option<&Execution>,
    closing: Closing,
    config: &Config,
    now: DateTime<Utc>,
) -> SetRowStatus {
    use crate::domain::ProcessStatus::{Cancelled, Completed, Failed};
    let ending = newest.and_then(|execution| execution.ending.as_ref());
    let words = ending.map_or((None, None), |ending| (ending.error.as_deref(), ending.cause.as_deref()));
    let error = |code: &str, message: String, cause: Option<String>| {
        ErrorChange::Set(json!({
            "code": code,
            "message": message,
            "cause": cause,
            "source": "remediation",
            "executionArn": newest.map(|execution| &execution.arn),
            "timestamp": now,
        }))
    };
    let own = |code: &str| {
        error(code, texts::error_message(config.language, closing).unwrap_or_default(), failure(words.0, words.1).cause)
    };
    let (status, error, cause) = match closing {
        Closing::Completed { .. } => (Completed, ErrorChange::Clear, "succeeded"),
        Closing::Failed => {
            let failure = failure(words.0, words.1);
            let message = Some(failure.message).filter(|message| !message.is_empty());
            let message = message.unwrap_or_else(|| texts::failed_without_words(config.language));
            (Failed, error(&failure.code, message, failure.cause), "failed")
        }
        Closing::ResultMissing => (Failed, own("RESULT_MISSING"), "result-missing"),
        Closing::NeverStarted => (Failed, own("STEP_FUNCTIONS_ERROR"), "never-started"),
        Closing::TimedOut => (config.timed_out_status, own("TIMEOUT_ERROR"), "timed-out"),
        Closing::Cancelled => (Cancelled, ErrorChange::Keep, "aborted"),
    };
    let completed = status == Completed;
    SetRowStatus {
        process: process.clone(),
        basis: newest.cloned(),
        status,
        progress: completed.then_some(100),
        error,
        result: if completed && !process.has_result { ending.and_then(|ending| ending.result.clone()) } else { None },
        completed_at: newest.and_then(|execution| execution.stopped_at).or(Some(now)),
        cause,
    }
}

/// The processes that some actions of an approved plan are about.
///
/// # Errors
/// [`Error::Database`].
pub(crate) async fn of_targets(db: &mut PgConnection, wishes: &[Wish]) -> Result<Vec<ProcessId>, Error> {
    let mut processes: HashSet<ProcessId> = wishes.iter().filter_map(|wish| wish.target.parse().ok()).collect();
    let arns: Vec<&str> =
        wishes.iter().map(|wish| wish.target.as_str()).filter(|target| target.starts_with("arn:")).collect();
    if !arns.is_empty() {
        processes.extend(entries::processes_of(db, &arns).await?);
    }
    Ok(processes.into_iter().collect())
}
