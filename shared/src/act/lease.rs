//! Leases: changes of the worker that are reverted when their time is over (design, 6.10).
//!
//! A lease is open until it has ended or a person has confirmed it. Of one setting of one target at most one is open, and it remembers
//! what people had configured, however often the setting was changed since.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::gather::error::Error;
use crate::gather::worker::setting::Setting;

/// How long a change stays where nobody says otherwise.
pub const REVERT_AFTER: TimeDelta = TimeDelta::hours(24);

/// So often putting a change back may fail within a day; then a person is asked to look.
pub const FAILURES: i64 = 3;

/// What `revertAfter` may be, in seconds: from 5 minutes to 30 days.
pub const REVERT_AFTER_BOUNDS: std::ops::RangeInclusive<u32> = 300..=30 * 86_400;

/// A lease as it is recorded.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Lease {
    /// The action that made the change.
    pub action_id: Uuid,
    /// The step that made it.
    pub step: String,
    /// The action's kind.
    pub kind: String,
    /// What was changed.
    pub target: String,
    /// The setting as people had configured it.
    pub before: Value,
    /// The setting as it was changed.
    pub after: Value,
    /// When it is reverted.
    pub revert_at: DateTime<Utc>,
    /// When a person confirmed it.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub ended: Option<String>,
    /// How often putting it back has failed within a day.
    pub failures: i64,
}

/// A lease with all its columns.
const COLUMNS: &str = "l.*, (SELECT count(*) FROM remediation.actions a
                              WHERE a.kind = 'revert-worker' AND a.cause = l.action_id::text AND a.outcome = 'failed'
                                AND a.target = l.target AND a.created_at > now() - interval '1 day') AS failures";

/// How a lease ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The setting was reverted.
    Reverted,
    /// A person took the change back.
    Undone,
    /// Somebody has changed the setting since.
    Changed,
    /// The change came to nothing.
    Failed,
}

impl End {
    /// As the table spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reverted => "reverted",
            Self::Undone => "undone",
            Self::Changed => "changed",
            Self::Failed => "failed",
        }
    }
}

impl Lease {
    /// What was changed; `None` where this build does not know the kind.
    #[must_use]
    pub fn setting(&self) -> Option<Setting> {
        Setting::of_kind(&self.kind)
    }
}

/// The open leases of a step, the oldest first.
///
/// # Errors
/// [`Error::Database`].
pub async fn open(db: &mut PgConnection, step: &str) -> Result<Vec<Lease>, Error> {
    sqlx::query_as(AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM remediation.leases l
          WHERE l.step = $1 AND l.ended_at IS NULL AND l.confirmed_at IS NULL ORDER BY l.created_at"
    )))
    .bind(step)
    .fetch_all(db)
    .await
    .map_err(Error::database("reading the open leases"))
}

/// The lease of an action; `None` where it has none.
///
/// # Errors
/// [`Error::Database`].
pub async fn of_action(db: &mut PgConnection, action: Uuid) -> Result<Option<Lease>, Error> {
    sqlx::query_as(AssertSqlSafe(format!("SELECT {COLUMNS} FROM remediation.leases l WHERE l.action_id = $1")))
        .bind(action)
        .fetch_optional(db)
        .await
        .map_err(Error::database("reading a lease"))
}

/// A lease that is to be made.
#[derive(Debug)]
pub struct NewLease<'a> {
    /// The action that makes the change.
    pub action_id: Uuid,
    /// The step that makes it.
    pub step: &'a str,
    /// The action's kind.
    pub kind: &'a str,
    /// What is changed.
    pub target: &'a str,
    /// The setting as it is now.
    pub before: &'a Value,
    /// The setting as it will be.
    pub after: &'a Value,
    /// How long it stays.
    pub revert_after: TimeDelta,
}

/// Makes a lease, in the transaction that records its action. An open one of the same setting ends. What that would have been put back to
/// is what this one is put back to, where the setting is still as that one left it; where somebody has deployed another value meanwhile,
/// it is theirs, and nobody inherits from a lease that it has ended.
///
/// # Errors
/// [`Error::Database`].
pub async fn make(transaction: &mut PgConnection, lease: &NewLease<'_>) -> Result<(), Error> {
    let making = "making a lease";
    let open: Option<(Uuid, Value, bool)> = sqlx::query_as(
        "UPDATE remediation.leases
            SET ended = CASE WHEN after = $3 THEN 'superseded' ELSE 'changed' END, ended_at = clock_timestamp()
          WHERE kind = $1 AND target = $2 AND ended_at IS NULL AND confirmed_at IS NULL
      RETURNING action_id, before, after = $3",
    )
    .bind(lease.kind)
    .bind(lease.target)
    .bind(lease.before)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(Error::database(making))?;
    let (supersedes, before) = open.filter(|(.., in_force)| *in_force).map(|(of, before, _)| (of, before)).unzip();
    sqlx::query(
        "INSERT INTO remediation.leases (action_id, step, kind, target, before, after, revert_at, supersedes)
         VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7), $8)",
    )
    .bind(lease.action_id)
    .bind(lease.step)
    .bind(lease.kind)
    .bind(lease.target)
    .bind(before.as_ref().unwrap_or(lease.before))
    .bind(lease.after)
    .bind(lease.revert_after.as_seconds_f64())
    .bind(supersedes)
    .execute(transaction)
    .await
    .map(drop)
    .map_err(Error::database(making))
}

/// Ends a lease, whether it was confirmed or not; false where it has ended already, and stays as it is. Where its change is not, or no longer, in force by
/// itself (it failed, or a person took it back), the lease that it took the place of is open again.
///
/// # Errors
/// [`Error::Database`].
pub async fn end(transaction: &mut PgConnection, action: Uuid, end: End) -> Result<bool, Error> {
    let ending = "ending a lease";
    let supersedes: Option<Option<Uuid>> = sqlx::query_scalar(
        "UPDATE remediation.leases SET ended = $2, ended_at = clock_timestamp()
          WHERE action_id = $1 AND ended_at IS NULL RETURNING supersedes",
    )
    .bind(action)
    .bind(end.as_str())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(Error::database(ending))?;
    let Some(supersedes) = supersedes else { return Ok(false) };
    if let (End::Failed | End::Undone, Some(earlier)) = (end, supersedes) {
        sqlx::query(
            "UPDATE remediation.leases SET ended = NULL, ended_at = NULL WHERE action_id = $1 AND ended = 'superseded'",
        )
        .bind(earlier)
        .execute(transaction)
        .await
        .map_err(Error::database(ending))?;
    }
    Ok(true)
}

/// Confirms an open lease: it will not be reverted. Returns whether it was open.
///
/// # Errors
/// [`Error::Database`].
pub async fn confirm(transaction: &mut PgConnection, action: Uuid, by: Uuid) -> Result<bool, Error> {
    sqlx::query(
        "UPDATE remediation.leases SET confirmed_at = clock_timestamp(), confirmed_by = $2
          WHERE action_id = $1 AND ended_at IS NULL AND confirmed_at IS NULL",
    )
    .bind(action)
    .bind(by)
    .execute(transaction)
    .await
    .map(|done| done.rows_affected() == 1)
    .map_err(Error::database("confirming a lease"))
}
