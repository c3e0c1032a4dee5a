//! What people have been told, and who tells them now.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection, PgConnection};

use crate::gather::error::Error;

/// A finding that was told.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Told {
    /// The finding's code.
    pub code: String,
    /// What it was about.
    pub target: String,
    /// When, the last time.
    pub at: DateTime<Utc>,
}

/// The findings with one of these codes that this step has told by itself since then: not those that a person was answered with.
///
/// # Errors
/// [`Error::Database`].
pub async fn told(db: &mut PgConnection, step: &str, since: DateTime<Utc>, codes: &[&str]) -> Result<Vec<Told>, Error> {
    sqlx::query_as(include_str!("told.sql"))
        .bind(step)
        .bind(since)
        .bind(codes)
        .fetch_all(db)
        .await
        .map_err(Error::database("reading what was told"))
}

/// One kind of thing that people may have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whose it is.
    pub step: String,
    /// What it is, as the ledger spells it.
    pub kind: String,
    /// How many there are of it now.
    pub count: usize,
    /// How long nothing more is said of it once it was told.
    pub every: TimeDelta,
    /// The first of it waits for the rest of that time, too, and is told apart from all else: a digest.
    pub is_digest: bool,
}

/// What is to be told now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose it is.
    pub step: String,
    /// What.
    pub kind: String,
    /// How many came since it was told last, and were not.
    pub more: i64,
}

/// What became of it when somebody asked whether it is time.
#[derive(Debug, sqlx::FromRow)]
struct Standing {
    step: String,
    kind: String,
    more: i64,
    is_due: bool,
}

/// Takes it upon this run to tell people what is due: of all containers that ask, one is answered with it, and for its time nobody else is.
/// What is not due is counted. Where anything of a run is due, its message names all of the run, so all of it counts as told. With
/// `waiting`, whatever waits for its time is told as well, whosever it is: what was only counted does not stay untold.
///
/// # Errors
/// [`Error::Database`]; nothing is taken then.
pub async fn claim(db: &mut PgConnection, parts: &[Part], waiting: bool) -> Result<Vec<Due>, Error> {
    claim_of(db, parts, waiting).await.map_err(Error::database("reading what people were told"))
}

async fn claim_of(db: &mut PgConnection, parts: &[Part], waiting: bool) -> Result<Vec<Due>, sqlx::Error> {
    let mut transaction = db.begin().await?;
    // In one order, as they are locked.
    let mut parts: Vec<&Part> = parts.iter().collect();
    parts.sort_by(|a, b| (&a.step, &a.kind).cmp(&(&b.step, &b.kind)));
    let of = |field: fn(&Part) -> &str| parts.iter().map(|part| field(part)).collect::<Vec<_>>();
    let (steps, kinds) = (of(|part| &part.step), of(|part| &part.kind));
    if !parts.is_empty() {
        sqlx::query(
            "INSERT INTO remediation.told (step, kind, every, told_at)
             SELECT p.step, p.kind, make_interval(secs => p.seconds), CASE WHEN p.is_digest THEN now() END
               FROM unnest($1::text[], $2::text[], $3::float8[], $4::boolean[]) AS p (step, kind, seconds, is_digest)
                 ON CONFLICT (step, kind) DO NOTHING",
        )
        .bind(&steps)
        .bind(&kinds)
        .bind(parts.iter().map(|part| part.every.as_seconds_f64()).collect::<Vec<_>>())
        .bind(parts.iter().map(|part| part.is_digest).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
    }
    let standing: Vec<Standing> = sqlx::query_as(include_str!("claim.sql"))
        .bind(&steps)
        .bind(&kinds)
        .bind(waiting)
        .fetch_all(&mut *transaction)
        .await?;
    let own: HashMap<(&str, &str), &Part> =
        parts.iter().map(|part| ((part.step.as_str(), part.kind.as_str()), *part)).collect();
    let part_of = |row: &Standing| own.get(&(row.step.as_str(), row.kind.as_str())).copied();
    let is_digest = |row: &Standing| part_of(row).is_some_and(|part| part.is_digest);
    let any = standing.iter().any(|row| row.is_due && !is_digest(row) && part_of(row).is_some());
    let (due, counted): (Vec<Standing>, Vec<Standing>) =
        standing.into_iter().partition(|row| row.is_due || any && part_of(row).is_some() && !is_digest(row));
    let more = counted.iter().map(|row| part_of(row).map_or(0, |part| i64::try_from(part.count).unwrap_or(i64::MAX)));
    let more: Vec<i64> = due.iter().map(|_| 0).chain(more).collect();
    let rows = || due.iter().chain(&counted);
    if rows().next().is_some() {
        sqlx::query(
            "UPDATE remediation.told t
                SET told_at = CASE WHEN r.is_due THEN now() ELSE t.told_at END,
                    more = CASE WHEN r.is_due THEN 0 ELSE t.more + r.more END
               FROM unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[]) AS r (step, kind, more, is_due)
              WHERE (t.step, t.kind) = (r.step, r.kind)",
        )
        .bind(rows().map(|row| row.step.as_str()).collect::<Vec<_>>())
        .bind(rows().map(|row| row.kind.as_str()).collect::<Vec<_>>())
        .bind(more)
        .bind(due.iter().map(|_| true).chain(counted.iter().map(|_| false)).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(due.into_iter().map(|Standing { step, kind, more, .. }| Due { step, kind, more }).collect())
}

/// Gives back what was taken: the message did not reach people, so the next run tells them.
///
/// # Errors
/// [`Error::Database`].
pub async fn give_back(db: &mut PgConnection, due: &[Due]) -> Result<(), Error> {
    sqlx::query(
        "UPDATE remediation.told t SET told_at = NULL, more = t.more + d.more
           FROM unnest($1::text[], $2::text[], $3::bigint[]) AS d (step, kind, more)
          WHERE (t.step, t.kind) = (d.step, d.kind)",
    )
    .bind(due.iter().map(|due| due.step.as_str()).collect::<Vec<_>>())
    .bind(due.iter().map(|due| due.kind.as_str()).collect::<Vec<_>>())
    .bind(due.iter().map(|due| due.more).collect::<Vec<_>>())
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("writing that people were not told"))
}

/// How many changes of a kind a step would have made.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Observed {
    /// The step.
    pub step: String,
    /// The kind.
    pub kind: String,
    /// To how many targets.
    pub targets: i64,
    /// There were too many plans to look at them all.
    pub there_is_more: bool,
}

/// What would have been done in the last day where nothing may be, by step and kind.
///
/// # Errors
/// [`Error::Database`].
pub async fn observed(db: &mut PgConnection) -> Result<Vec<Observed>, Error> {
    sqlx::query_as(include_str!("observed.sql"))
        .bind(i64::try_from(super::plans::AT_MOST).unwrap_or(i64::MAX))
        .fetch_all(db)
        .await
        .map_err(Error::database("reading what would have been done"))
}
