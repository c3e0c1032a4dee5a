//! A process beside its newest execution, as the database knows them.

use std::collections::HashMap;

use chrono::TimeDelta;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};

use crate::decide::Look;
use crate::domain::{Ending, Execution, ExecutionArn, ExecutionStatus, ParseError, Process, ProcessId, ProcessStatus};
use crate::finding::Finding;
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::processes::odd::{self, Fault, Odd};
use crate::gather::session::{Cursor, Session};
use crate::gather::texts;
use crate::redact;

/// How much of a status is quoted.
const CHARACTERS: usize = 100;

/// A process, and what is known of its newest execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The row.
    pub process: Process,
    /// The execution that speaks for it.
    pub newest: Newest,
    /// Whether what has just changed is to be left alone.
    pub look: Look,
    /// How its execution is known to be its.
    pub link: Link,
}

/// How a row's execution is known to be its.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// By what the execution tells: the list of executions has to be read to know that there is none.
    Told,
    /// The row names none: none was started.
    None,
    /// The row names it.
    Named(
        /// This one.
        ExecutionArn,
    ),
    /// The row names it, and nobody has seen it yet: until it is described it counts as running.
    Unseen,
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
    /// What a sweep's part of everything is measured by.
    pub extent: Option<Extent>,
    /// What is to be told in any case.
    pub findings: Vec<Finding>,
    /// Where the next sweep goes on.
    pub cursor: Option<Cursor>,
    /// Why the sweep is not finished, where it is not.
    pub unfinished: Option<String>,
}

/// How much there is, counted by the database over everything: never over what a run happens to hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Open rows.
    pub open: usize,
    /// Rows that were closed in the last day.
    pub lately_closed: usize,
    /// Executions that are known to run; for those of cancelled rows, all rows that were open within a day.
    pub running: usize,
    /// Open rows that would be closed by all the runs that this sweep takes; 0 where the run at hand has them all.
    pub closings: usize,
    /// Executions that would be stopped by them.
    pub stops: usize,
    /// Rows closed lately that would get another end by them.
    pub corrections: usize,
}

impl Newest {
    /// The execution, where one is known and runs.
    #[must_use]
    pub fn running(&self) -> Option<&Execution> {
        match self {
            Self::Known(Some(execution)) => {
                Some(execution).filter(|execution| execution.status == ExecutionStatus::Running)
            }
            Self::Known(None) | Self::Unknown(_) => None,
        }
    }
}

/// Rows with the newest execution that is known of each; a condition may follow.
pub(crate) const CASES: &str = concat!(include_str!("cases.sql"), include_str!("newest.sql"));

/// The newest execution that is known of a row.
pub(crate) const NEWEST: &str = include_str!("newest.sql");

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
    Error::Refused(texts::no_such_row(config.language, id, &config.table))
}

/// These processes as the database knows them, each with its look.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub(crate) async fn of_processes(
    session: &mut Session<'_>,
    processes: &[(ProcessId, Look)],
) -> Result<Evidence, Error> {
    let table = session.table().await?;
    let AssertSqlSafe(sql) = table.sql(&format!("{CASES} WHERE {{id}} = ANY ($1::{{id type}}[]) ORDER BY {{id}}"));
    let reading = "reading processes";
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(processes.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>())
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database(reading))?;
    let looks: HashMap<ProcessId, Look> = processes.iter().copied().collect();
    let look_of = |id: ProcessId| looks.get(&id).copied().unwrap_or(Look::Sweep);
    let config = session.config;
    let (cases, odd) = cases(&rows, look_of, config);
    let findings = odd::findings(&odd, &config.table, config.language);
    Ok(Evidence { population: rows.len(), cases, findings, ..Evidence::default() })
}

/// The rows of an answer to [`CASES`], row by row: those that can be read, and those that cannot.
pub(crate) fn cases(rows: &[PgRow], look_of: impl Fn(ProcessId) -> Look, config: &Config) -> (Vec<Case>, Vec<Odd>) {
    let (mut cases, mut odd) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match read(row, &look_of, config) {
            Ok(case) => cases.push(case),
            Err(unread) => odd.push(unread),
        }
    }
    (cases, odd)
}

/// One of them.
pub(crate) fn read(row: &PgRow, look_of: impl Fn(ProcessId) -> Look, config: &Config) -> Result<Case, Odd> {
    let process = row.try_get::<&str, _>("id").ok().and_then(|id| id.parse().ok());
    case(row, process.map_or(Look::Sweep, look_of), config).map_err(|fault| Odd { process, fault })
}

/// A row of [`CASES`].
pub(crate) fn case(row: &PgRow, look: Look, config: &Config) -> Result<Case, Fault> {
    let status: Option<&str> = row.try_get("status").map_err(|error| unreadable(&error))?;
    let Some(status) = status.and_then(|status| status.parse::<ProcessStatus>().ok()) else {
        return Err(Fault::Status(redact::cut(status.unwrap_or("NULL"), CHARACTERS)));
    };
    let odd: String = row.try_get("odd_times").map_err(|error| unreadable(&error))?;
    if !odd.is_empty() {
        return Err(Fault::Time(odd));
    }
    decoded(row, status, look, config).map_err(|error| unreadable(&error))
}

fn unreadable(error: &sqlx::Error) -> Fault {
    Fault::Value(Error::words(error))
}

fn decoded(row: &PgRow, status: ProcessStatus, look: Look, config: &Config) -> Result<Case, sqlx::Error> {
    let error_code: Option<String> = row.try_get("error_code")?;
    let process = Process {
        id: row.try_get::<&str, _>("id")?.parse().map_err(|error: ParseError| sqlx::Error::Decode(error.into()))?,
        version: row.try_get("version")?,
        status: config.policy.words.meaning(status, error_code.as_deref()),
        progress: row.try_get("progress")?,
        has_result: row.try_get("has_result")?,
        error_code,
        retries: row.try_get("retries")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        completed_at: row.try_get("completed_at")?,
        deadline: row.try_get::<Option<i64>, _>("deadline")?.map(TimeDelta::seconds),
    };
    let arn = |column| -> Result<Option<ExecutionArn>, sqlx::Error> {
        let arn = row.try_get::<Option<&str>, _>(column)?.filter(|arn| !arn.is_empty());
        arn.map(|arn| arn.parse().map_err(|error: ParseError| sqlx::Error::Decode(error.into()))).transpose()
    };
    let link = match (row.try_get("is_linked")?, arn("linked_arn")?) {
        (false, _) => Link::Told,
        (true, None) => Link::None,
        (true, Some(arn)) => Link::Named(arn),
    };
    let Some(arn) = arn("execution_arn")? else {
        return Ok(match link {
            Link::Named(arn) => {
                let newest = Newest::Known(Some(unseen(arn, &process)));
                Case { process, newest, look, link: Link::Unseen }
            }
            Link::Told | Link::None | Link::Unseen => Case { process, newest: Newest::Known(None), look, link },
        });
    };
    let status: &str = row.try_get("execution_status")?;
    let Ok(status) = status.parse::<ExecutionStatus>() else {
        let why = texts::status_of_execution_unknown(config.language, arn.name(), status);
        return Ok(Case { process, newest: Newest::Unknown(why), look, link });
    };
    // Neither output nor result is kept: whether a success left a result, only Step Functions can tell. What it failed with is.
    let ending_known: bool = row.try_get("ending_known")?;
    let says_failed: Option<bool> = row.try_get("says_failed")?;
    let ending = if ending_known && (status != ExecutionStatus::Succeeded || says_failed == Some(true)) {
        Some(Ending { error: row.try_get("execution_error")?, cause: row.try_get("execution_cause")?, result: None })
    } else {
        None
    };
    let execution = Execution {
        arn,
        status,
        redrive_count: row.try_get("redrive_count")?,
        started_at: row.try_get("started_at")?,
        redriven_at: row.try_get("redriven_at")?,
        stopped_at: row.try_get("stopped_at")?,
        ending,
        stopped_for_deadline: row.try_get("stopped_for_deadline")?,
        says_failed,
    };
    Ok(Case { process, newest: Newest::Known(Some(execution)), look, link })
}

/// An execution of which only its row tells.
fn unseen(arn: ExecutionArn, process: &Process) -> Execution {
    Execution {
        arn,
        status: ExecutionStatus::Running,
        redrive_count: 0,
        started_at: process.created_at,
        redriven_at: None,
        stopped_at: None,
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    }
}
