//! Progress that cannot be true (guide: データ整合性問題, 進捗率の異常): out of 0..100, or lower than was seen in the same
//! attempt.
//!
//! The step that repairs it and the one that counts it ask the same [`judge`], so no alarm is raised for what would be
//! skipped. Both read from the database only.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Row};

use crate::act::actions::SetRowStatus;
use crate::act::actions::set_row_status::ErrorChange;
use crate::act::ledger::facts;
use crate::decide::{self, Decision, Look, Policy, decide};
use crate::domain::{Execution, Process, ProcessId};
use crate::gather::error::Error;
use crate::run::processes::{self, Case, Newest};
use crate::run::step::Session;

/// The step that repairs.
const STEP: &str = "repair-progress";

/// Rows that one look finds; those that it repairs are no longer found by the next.
pub const ROWS_A_LOOK: usize = 10_000;

/// A row whose progress is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// The row.
    pub process: Process,
    /// The newest execution that is known of it.
    pub newest: Option<Execution>,
    /// The highest progress that was seen of it in its present attempt, where it is under way.
    pub highest: Option<i16>,
}

/// What is to become of a progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays: it may be true.
    Sound,
    /// It stays: the row is the decision table's, which says this of it.
    Left(Decision),
    /// It is brought back into 0..100.
    Clamp(i16),
    /// It is brought back to the highest that was seen.
    Restore(i16),
}

/// Keeps the highest progress of what is under way, attempt by attempt, for later looks.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn keep(session: &mut Session<'_>) -> Result<(), Error> {
    let table = session.table().await?;
    let sql = include_str!("progress/keep.sql").replace("{newest}", include_str!("processes/newest.sql"));
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
    let ids: Vec<uuid::Uuid> = processes.iter().map(|id| id.0).collect();
    read(session, " WHERE {id} = ANY ($1)", ids).await
}

async fn read<'q, T>(session: &mut Session<'_>, condition: &str, bound: T) -> Result<Vec<Suspect>, Error>
where
    T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'q,
{
    let table = session.table().await?;
    let cases = format!("{}{condition}", processes::CASES);
    let AssertSqlSafe(sql) = table.sql(&include_str!("progress/suspects.sql").replace("{cases}", &cases));
    let reading = "reading progress";
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(bound)
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database(reading))?;
    let suspect = |row| {
        let Case { process, newest, .. } = processes::case(row, Look::Sweep)?;
        let newest = match newest {
            Newest::Known(newest) => newest,
            Newest::Unknown(_) => None,
        };
        Ok(Suspect { process, newest, highest: row.try_get("highest")? })
    };
    rows.iter().map(suspect).collect::<Result<_, sqlx::Error>>().map_err(Error::database(reading))
}

/// Decides about a progress.
#[must_use]
pub fn judge(suspect: &Suspect, policy: &Policy, now: DateTime<Utc>) -> Verdict {
    let Suspect { process, newest, highest } = suspect;
    let clamped = process.progress.clamp(0, 100);
    let wanted = highest.map_or(clamped, |highest| highest.max(clamped));
    if wanted == process.progress {
        return Verdict::Sound;
    }
    match the_tables(process, newest.as_ref(), policy, now) {
        Some(decision) => Verdict::Left(decision),
        None if wanted == clamped => Verdict::Clamp(wanted),
        None => Verdict::Restore(wanted),
    }
}

/// What the decision table says of a row that is its own. Our write sets `updated_at`: an open row whose execution is over would
/// look re-opened by it, and be closed later than it could be; a closed row that does not say when it was closed would seem to
/// have been closed just now, and a late success to have come before.
fn the_tables(process: &Process, newest: Option<&Execution>, policy: &Policy, now: DateTime<Utc>) -> Option<Decision> {
    // As an event sees it: what the table only leaves to settle is its own as well.
    let decision = decide(process, newest, Look::Event, policy, now);
    let acts = decision.verdict != decide::Verdict::Leave;
    let over = newest.is_some_and(|execution| execution.status.is_over());
    let its_own = if process.status.is_open() { acts || over } else { acts && process.completed_at.is_none() };
    its_own.then_some(decision)
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
    let targets: Vec<String> = suspects
        .iter()
        .filter(|suspect| match judge(suspect, &policy, now) {
            Verdict::Clamp(_) | Verdict::Restore(_) => true,
            Verdict::Sound | Verdict::Left(_) => false,
        })
        .map(|suspect| suspect.process.id.to_string())
        .collect();
    if targets.is_empty() {
        return Ok(0);
    }
    let facts = facts::facts(session.db, STEP, &targets).await?;
    let undone = |target: &&String| facts.targets.get(*target).is_some_and(|history| history.undone);
    Ok(targets.len() - targets.iter().filter(undone).count())
}

#[cfg(test)]
mod tests;
