//! The entries of `remediation.actions`: one change to one target, recorded before it is made and closed after it.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::act::action::kind::Kind;
use crate::act::action::{ActionResult, Entry, Planned};
use crate::act::ledger::runs::Run;
use crate::act::report::{Done, DoneOutcome};
use crate::domain::{Language, ProcessId};
use crate::gather::error::Error;
use crate::{redact, stored};

/// The ledger's kind of everything that is taken back. Which kind that was, the entry tells that it undoes.
pub const UNDO: &str = "undo";

/// What an entry says beside what the plan does.
#[derive(Debug, Default)]
pub struct Begin<'a> {
    /// Why, in a word, for whoever asks the ledger.
    pub cause: Option<&'a str>,
    /// The target as it was read.
    pub before: Option<&'a Value>,
    /// What is to be, for whoever finds the entry left open.
    pub after: Option<&'a Value>,
    /// What is taken back, where this is an undo: its cause then.
    pub undoes: Option<Uuid>,
    /// What this very run has under way on the target (it lost its connection and began again) is taken over. Where only a look tells what
    /// came of it, it is not.
    pub takes_over: bool,
}

/// Records that an action is about to be made, unless something is under way on its target: then `false`.
///
/// # Errors
/// [`Error::Database`].
pub async fn begin(db: &mut PgConnection, run: &Run, planned: &Planned, begin: &Begin<'_>) -> Result<bool, Error> {
    let cause = begin.undoes.map(|of| of.to_string());
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, before, after, outcome, reason, alive_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'applying', $9, $10)
             ON CONFLICT (target) WHERE outcome = 'applying'
                DO UPDATE SET id = excluded.id, kind = excluded.kind, cause = excluded.cause, before = excluded.before,
                              after = excluded.after, reason = excluded.reason
                WHERE $11 AND actions.run_id = excluded.run_id",
    )
    .bind(planned.id)
    .bind(run.id)
    .bind(run.step)
    .bind(planned.action.kind())
    .bind(planned.action.target())
    .bind(cause.as_deref().or(begin.cause))
    .bind(begin.before.map(stored::json))
    .bind(begin.after.map(stored::json))
    .bind(stored::text(&planned.reason))
    .bind(run.alive_until)
    .bind(begin.takes_over)
    .execute(db)
    .await
    .map(|recorded| recorded.rows_affected() == 1)
    .map_err(Error::database("recording what is about to be done"))
}

/// Records an action in the transaction in which it is made.
///
/// # Errors
/// [`Error::Database`].
pub async fn record(
    db: &mut PgConnection,
    run: &Run,
    planned: &Planned,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, before, after, outcome, reason, closed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'applied', $8, clock_timestamp())",
    )
    .bind(planned.id)
    .bind(run.id)
    .bind(run.step)
    .bind(planned.action.kind())
    .bind(planned.action.target())
    .bind(before.map(stored::json))
    .bind(after.map(stored::json))
    .bind(stored::text(&planned.reason))
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("recording what was done"))
}

/// Closes an action that was recorded before it was tried. What PostgreSQL or AWS said of it loses here what nobody may see. An undo that was applied is from then on the one undo of what it took back; one
/// that came to nothing may be tried again.
///
/// # Errors
/// [`Error::Database`].
pub async fn close(db: &mut PgConnection, id: Uuid, result: &ActionResult, after: Option<&Value>) -> Result<(), Error> {
    let (outcome, why) = match result {
        ActionResult::Applied => ("applied", None),
        ActionResult::Unverified(why) => ("applied", Some(why)),
        ActionResult::Failed(why) => ("failed", Some(why)),
        ActionResult::NotNow(why) => ("superseded", Some(why)),
        ActionResult::Superseded | ActionResult::Busy => ("superseded", None),
    };
    sqlx::query(
        "UPDATE remediation.actions
            SET outcome = $2, after = $3, closed_at = clock_timestamp(), reason = concat_ws(' — ', reason, $4),
                undo_of = CASE WHEN kind = $5 AND $6 THEN cause::uuid END
          WHERE id = $1 AND outcome = 'applying'",
    )
    .bind(id)
    .bind(outcome)
    .bind(after.map(stored::json))
    .bind(why.map(|why| stored::text(&redact::text(why))))
    .bind(UNDO)
    .bind(*result == ActionResult::Applied)
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
    .bind(stored::text(&redact::text(why)))
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("recording what was refused"))
}

/// The entries of these kinds, and the undos of such, that runs have left open which can no longer be alive.
///
/// # Errors
/// [`Error::Database`].
pub async fn abandoned(db: &mut PgConnection, kinds: &[Kind]) -> Result<Vec<Entry>, Error> {
    let names: Vec<&str> = kinds.iter().flat_map(Kind::names).copied().collect();
    sqlx::query_as(include_str!("abandoned.sql"))
        .bind(names)
        .bind(UNDO)
        .fetch_all(db)
        .await
        .map_err(Error::database("reading what was left open"))
}

/// What a run has done so far, for the run itself that begins again.
///
/// # Errors
/// [`Error::Database`].
pub async fn of_run(db: &mut PgConnection, run: Uuid, kinds: &[Kind], language: Language) -> Result<Vec<Done>, Error> {
    type Row = (Uuid, String, String, Option<Value>, Option<Value>, String, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, kind, target, before, after, outcome, reason FROM remediation.actions
          WHERE run_id = $1 AND outcome <> 'applying' ORDER BY created_at, id",
    )
    .bind(run)
    .fetch_all(db)
    .await
    .map_err(Error::database("reading what the run has done already"))?;
    let done = rows.into_iter().filter_map(|(id, kind, target, before, after, outcome, reason)| {
        let of = kinds.iter().find_map(|of| Some((of, of.name(&kind)?)));
        let outcome = match outcome.as_str() {
            "applied" => DoneOutcome::Applied,
            "failed" => DoneOutcome::Failed,
            _ => DoneOutcome::Superseded,
        };
        let (of, kind) = of?;
        let (is_told, is_undoable) = (of.is_told(), of.no_undo(kind, &target, language).is_none());
        // Whose wish it was is not told any more: the run lost its connection, and people hear of it once too often at most.
        let is_users_wish = false;
        Some(Done { id, kind, target, before, after, outcome, reason, is_told, is_users_wish, is_undoable }.redacted())
    });
    Ok(done.collect())
}

/// The processes of some executions.
///
/// # Errors
/// [`Error::Database`].
pub async fn processes_of(db: &mut PgConnection, arns: &[&str]) -> Result<Vec<ProcessId>, Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT process_id FROM remediation.executions WHERE execution_arn = ANY ($1) AND process_id IS NOT NULL",
    )
    .bind(arns)
    .fetch_all(db)
    .await
    .map_err(Error::database("reading the processes of executions"))?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}
