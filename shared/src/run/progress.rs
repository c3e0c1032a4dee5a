//! Progress that cannot be true (guide: データ整合性問題, 進捗率の異常): out of 0..100, or lower than was seen in the same
//! attempt.
//!
//! The step that repairs it and the one that counts it ask the same [`judge`], so no alarm is raised for what would be
//! skipped. Both read from the database only.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};

use crate::act::actions::set_row_status::{ErrorChange, SetRowStatus};
use crate::act::ledger::facts;
use crate::decide::Look;
use crate::decide::progress::{Suspect, Verdict, judge};
use crate::domain::{Execution, ProcessId};
use crate::gather::error::Error;
use crate::gather::processes::case::{CASES, Case, NEWEST, Newest, case};
use crate::run::processes::KINDS;
use crate::run::step::Session;

/// The step that repairs.
const STEP: &str = "repair-progress";

/// Rows that one look finds; those that it repairs are no longer found by the next.
pub const ROWS_A_LOOK: usize = 10_000;

/// Keeps the highest progress of what is under way, attempt by attempt, for later looks.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn keep(session: &mut Session<'_>) -> Result<(), Error> {
    let table = session.table().await?;
    let sql = include_str!("progress/keep.sql").replace("{newest}", NEWEST);
    sqlx::query(table.sql(&sql))
        .execute(&mut *session.db)
        .await
        .map(drop)
        .map_err(Error::database("keeping the highest progress of each attempt"))
}

/// All rows whose progress cannot be true, in the order of their ids; at most [`ROWS_A_LOOK`].
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn untrue(session: &mut Session<'_>) -> Result<Vec<Suspect>, Error> {
    read(session, include_str!("progress/untrue.sql"), i64::try_from(ROWS_A_LOOK).unwrap_or(i64::MAX)).await
}

/// These rows, whatever their progress.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn of(session: &mut Session<'_>, processes: &[ProcessId]) -> Result<Vec<Suspect>, Error> {
    let ids: Vec<String> = processes.iter().map(ToString::to_string).collect();
    read(session, " WHERE {id} = ANY ($1::{id type}[])", ids).await
}

async fn read<'q, T>(session: &mut Session<'_>, condition: &str, bound: T) -> Result<Vec<Suspect>, Error>
where
    T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'q,
{
    let table = session.table().await?;
    let cases = format!("{}{condition}", CASES);
    let AssertSqlSafe(sql) = table.sql(&include_str!("progress/suspects.sql").replace("{cases}", &cases));
    let reading = "reading progress";
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(bound)
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database(reading))?;
    let config = session.config;
    // An odd row is told where the processes are read, and so is one whose execution nobody knows.
    let readable = rows.iter().filter_map(|row| Some((row, case(row, Look::Sweep, config).ok()?)));
    let suspect = |(row, case): (&PgRow, Case)| match case.newest {
        Newest::Known(newest) => Some(
            row.try_get("highest")
                .map(|highest| Suspect { process: case.process, newest, highest })
                .map_err(Error::database(reading)),
        ),
        Newest::Unknown(_) => None,
    };
    readable.filter_map(suspect).collect()
}

/// The write that repairs a progress, and nothing else of the row.
#[must_use]
pub fn repaired(suspect: &Suspect, progress: i16, cause: &'static str) -> SetRowStatus {
    SetRowStatus {
        process: suspect.process.clone(),
        basis: suspect.newest.clone(),
        status: suspect.process.status,
        progress: Some(progress),
        error: ErrorChange::Keep,
        result: None,
        completed_at: None,
        cause,
    }
}

/// How many rows have a progress that would be repaired now: what was undone by a person is not.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn anomalies(session: &mut Session<'_>) -> Result<usize, Error> {
    let (policy, now) = (session.config.policy, session.now);
    let suspects = untrue(session).await?;
    let wanted: Vec<(String, DateTime<Utc>)> = suspects
        .iter()
        .filter(|suspect| match judge(suspect, &policy, now) {
            Verdict::Clamp(_) | Verdict::Restore(_) => true,
            Verdict::Sound | Verdict::Left(_) => false,
        })
        .map(|suspect| {
            let attempt = suspect.newest.as_ref().map(Execution::attempt_started_at);
            (suspect.process.id.to_string(), attempt.unwrap_or(suspect.process.created_at))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(0);
    }
    let targets: Vec<String> = wanted.iter().map(|(target, _)| target.clone()).collect();
    let facts = facts::facts(session.db, STEP, KINDS, &targets).await?;
    let rests = |(target, attempt): &&(String, DateTime<Utc>)| {
        facts.targets.get(target).and_then(|history| history.undone).is_some_and(|undone| *attempt <= undone)
    };
    Ok(wanted.len() - wanted.iter().filter(rests).count())
}
