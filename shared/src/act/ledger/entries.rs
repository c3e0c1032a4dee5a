//! The entries of `remediation.actions`: one change to one target, recorded before it is made and closed after it.

use chrono::TimeDelta;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::act::actions::ActionResult;
use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::domain::ProcessId;
use crate::gather::error::Error;
use crate::stored;

/// After how long an action that was begun and not ended is given up: longer than any Lambda lives.
pub const LONGER_THAN_ANY_LAMBDA: TimeDelta = TimeDelta::minutes(16);

/// The processes of some executions.
///
/// # Errors
/// [`Error::Database`].
pub async fn processes_of(db: &mut PgConnection, arns: &[&str]) -> Result<Vec<ProcessId>, Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT process_id FROM remediation.executions WHERE execution_arn = ANY ($1) AND process_id IS NOT NULL",
    )
    .bind(arns)
    .fetch_all(db)
    .await
    .map_err(Error::database("reading the processes of executions"))?;
    Ok(ids.into_iter().map(ProcessId).collect())
}

/// Closes an action that was recorded before it was tried.
///
/// # Errors
/// [`Error::Database`].
pub async fn close_action(
    db: &mut PgConnection,
    id: Uuid,
    result: &ActionResult,
    after: Option<&Value>,
) -> Result<(), Error> {
    let (outcome, why) = match result {
        ActionResult::Applied => ("applied", None),
        ActionResult::Unverified(why) => ("applied", Some(why)),
        ActionResult::Failed(why) => ("failed", Some(why)),
        ActionResult::NotNow(why) => ("superseded", Some(why)),
        ActionResult::Superseded | ActionResult::Busy => ("superseded", None),
    };
    sqlx::query(
        "UPDATE remediation.actions
            SET outcome = $2, after = $3, closed_at = clock_timestamp(), reason = concat_ws(' — ', reason, $4)
          WHERE id = $1 AND outcome = 'applying'",
    )
    .bind(id)
    .bind(outcome)
    .bind(after.map(stored::json))
    .bind(why.map(|why| stored::text(why)))
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("closing a ledger entry"))
}

/// Records an action that was tried and refused, where its own entry went with what was refused.
///
/// # Errors
/// [`Error::Database`].
pub async fn record_failed(
    db: &mut PgConnection,
    run: &Run,
    planned: &Planned,
    cause: &str,
    why: &str,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, outcome, reason, closed_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'failed', concat_ws(' — ', $7::text, $8::text), clock_timestamp())
             ON CONFLICT (id) DO NOTHING",
    )
    .bind(planned.id)
    .bind(run.id)
    .bind(run.step)
    .bind(planned.action.kind())
    .bind(planned.action.target())
    .bind(cause)
    .bind(stored::text(&planned.reason))
    .bind(stored::text(why))
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("recording what was refused"))
}

/// Actions of a kind that a crash left open, with their targets and causes: those begun longer than `age` ago.
///
/// # Errors
/// [`Error::Database`].
pub async fn abandoned(
    db: &mut PgConnection,
    kind: &str,
    age: TimeDelta,
) -> Result<Vec<(Uuid, String, Option<String>)>, Error> {
    sqlx::query_as(
        "SELECT id, target, cause FROM remediation.actions
          WHERE outcome = 'applying' AND kind = $1 AND created_at < now() - make_interval(secs => $2)",
    )
    .bind(kind)
    .bind(age.as_seconds_f64())
    .fetch_all(db)
    .await
    .map_err(Error::database("reading what was left open"))
}
