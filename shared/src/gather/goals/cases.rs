//! Processes with the goals that they work for, and what hangs in the air around them.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::domain::{Ending, Execution, ParseError, ProcessId};
use crate::gather::error::Error;
use crate::gather::goals::{GoalId, GoalStatus, Goals};
use crate::gather::table::Table;

/// A process, and the goal that it works for; or a goal alone, where one was named.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The process; `None` where the goal itself was named.
    pub process: Option<ProcessId>,
    /// Whether its row is still open.
    pub open: bool,
    /// Whether its row is COMPLETED.
    pub completed: bool,
    /// The code of the row's error.
    pub code: Option<String>,
    /// The message of the row's error.
    pub message: Option<String>,
    /// The newest execution that is known of it.
    pub newest: Option<Execution>,
    /// The goal, sub-goal or action that it works for.
    pub target: Option<Uuid>,
    /// Whether that is there.
    pub found: bool,
    /// What hangs in the air around it.
    pub orphans: Vec<Orphan>,
    /// The goal above it.
    pub goal: Option<Goal>,
}

/// A row whose parent is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Orphan {
    /// What it is.
    pub kind: OrphanKind,
    /// Its id.
    pub id: Uuid,
    /// The parent that it names.
    pub missing: Uuid,
}

/// What can lose its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrphanKind {
    /// A sub-goal whose goal is gone.
    SubGoal,
    /// An action whose sub-goal is gone.
    Action,
}

/// A goal, and what is open under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Its identity.
    pub id: GoalId,
    /// Its row's version (`xmin`).
    pub version: i64,
    /// What it says.
    pub status: GoalStatus,
    /// What is open; not counted for a goal that is ACTIVE.
    pub open: Open,
}

/// How much is open under a goal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// Sub-goals that are not over.
    pub sub_goals: i64,
    /// Actions that are not over.
    pub actions: i64,
    /// PENDING and PROCESSING processes that work for it, or for something under it.
    pub processes: i64,
}

impl Open {
    /// Whether anything is.
    #[must_use]
    pub const fn any(self) -> bool {
        self.sub_goals + self.actions + self.processes > 0
    }
}

/// Which processes and goals are looked at.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// These processes.
    Processes(&'a [ProcessId]),
    /// What bears one of these ids, a process or a goal.
    Named(&'a [Uuid]),
    /// Processes that have a target and failed lately.
    Failed(Lately),
}

/// A page of the processes that failed lately, in the order of their ids.
#[derive(Debug, Clone, Copy)]
pub struct Lately {
    /// Since when.
    pub since: DateTime<Utc>,
    /// From behind this one on.
    pub after: Option<ProcessId>,
    /// How many at the most.
    pub rows: usize,
}

/// How many goals there are behind all processes that have failed since then, and how many of them are COMPLETED with open work: what the
/// share is counted by where one run does not see them all (design, 6.2).
///
/// # Errors
/// [`Error::Database`].
pub async fn extent(
    db: &mut PgConnection,
    table: &Table,
    goals: &Goals,
    since: DateTime<Utc>,
) -> Result<(usize, usize), Error> {
    let sql = goals.sql(table, include_str!("extent.sql"));
    let (of, wanted): (i64, i64) =
        sqlx::query_as(sql).bind(since).fetch_one(db).await.map_err(Error::database("counting goals"))?;
    Ok((usize::try_from(of).unwrap_or_default(), usize::try_from(wanted).unwrap_or_default()))
}

/// Reads processes with what they work for, in one query.
///
/// # Errors
/// [`Error::Database`].
pub async fn read(db: &mut PgConnection, table: &Table, goals: &Goals, which: Which<'_>) -> Result<Vec<Case>, Error> {
    let condition = match which {
        Which::Processes(_) | Which::Named(_) => "{id} = ANY ($1::{id type}[])",
        Which::Failed(_) => {
            "{is failed} AND coalesce({completed_at}, {updated_at}) > $1 AND {target_id} IS NOT NULL
               AND {id} > $3::{id type} ORDER BY {id} LIMIT $4"
        }
    };
    let sql = goals.sql(table, &include_str!("cases.sql").replace("{which}", condition));
    let query = match which {
        Which::Processes(ids) => {
            sqlx::query(sql).bind(ids.iter().map(ProcessId::as_str).collect::<Vec<_>>()).bind(Vec::<Uuid>::new())
        }
        Which::Named(ids) => {
            sqlx::query(sql).bind(ids.iter().map(Uuid::to_string).collect::<Vec<_>>()).bind(ids.to_vec())
        }
        Which::Failed(Lately { since, after, rows }) => sqlx::query(sql)
            .bind(since)
            .bind(Vec::<Uuid>::new())
            .bind(after.map_or_else(|| table.before_all_ids().to_owned(), String::from))
            .bind(i64::try_from(rows).unwrap_or(i64::MAX)),
    };
    let reading = "reading goals and what works for them";
    let rows = query.fetch_all(db).await.map_err(Error::database(reading))?;
    rows.iter().map(case).collect::<Result<_, _>>().map_err(Error::database(reading))
}

fn case(row: &PgRow) -> Result<Case, sqlx::Error> {
    let goal = match row.try_get::<Option<Uuid>, _>("goal")? {
        None => None,
        Some(id) => Some(Goal {
            id: GoalId(id),
            version: row.try_get("version")?,
            status: row.try_get::<&str, _>("status")?.into(),
            open: Open {
                sub_goals: row.try_get("open_sub_goals")?,
                actions: row.try_get("open_actions")?,
                processes: row.try_get("open_processes")?,
            },
        }),
    };
    let orphans: Value = row.try_get("orphans")?;
    let orphans = serde_json::from_value(orphans)
        .map_err(|source| sqlx::Error::ColumnDecode { index: "orphans".to_owned(), source: Box::new(source) })?;
    Ok(Case {
        process: row.try_get::<Option<Uuid>, _>("id")?.map(ProcessId::from),
        // A row whose status is NULL says nothing.
        open: row.try_get::<Option<bool>, _>("open")?.unwrap_or(false),
        completed: row.try_get::<Option<bool>, _>("completed")?.unwrap_or(false),
        code: row.try_get("code")?,
        message: row.try_get("message")?,
        newest: newest(row)?,
        target: row.try_get("target")?,
        found: row.try_get("found")?,
        orphans,
        goal,
    })
}

fn newest(row: &PgRow) -> Result<Option<Execution>, sqlx::Error> {
    fn parsed<T: FromStr<Err = ParseError>>(row: &PgRow, column: &str) -> Result<T, sqlx::Error> {
        let unreadable =
            |source: ParseError| sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) };
        row.try_get::<&str, _>(column)?.parse().map_err(unreadable)
    }
    if row.try_get::<Option<&str>, _>("execution_arn")?.is_none() {
        return Ok(None);
    }
    Ok(Some(Execution {
        arn: parsed(row, "execution_arn")?,
        status: parsed(row, "execution_status")?,
        redrive_count: row.try_get("redrive_count")?,
        started_at: row.try_get("started_at")?,
        redriven_at: None,
        stopped_at: None,
        ending: Some(Ending { error: row.try_get("execution_error")?, ..Ending::default() }),
        stopped_for_deadline: false,
        says_failed: row.try_get("says_failed")?,
    }))
}
