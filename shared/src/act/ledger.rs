//! The record of what was looked at, wanted and done: `remediation.runs`, `actions`, `plans` and `incidents`.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::act::actions::{Action, ActionResult};
use crate::act::guard::{Control, Facts, TargetFacts};
use crate::act::plan::Planned;
use crate::act::report::Report;
use crate::domain::{Mode, ProcessId};
use crate::gather::error::Error;
use crate::gather::session::Cursor;
use crate::gather::trigger::{AlarmChange, AlarmState};
use crate::stored;

/// One invocation of one step.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its identity; its actions carry it.
    pub id: Uuid,
    /// The step's name.
    pub step: &'static str,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What started it.
    pub trigger: Value,
    /// The operator's reason.
    pub reason: Option<String>,
}

/// What a plan holds of an action: enough to know the same one again when it is planned anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wish {
    /// Its kind.
    pub kind: String,
    /// What it changes.
    pub target: String,
    /// What else a person has to have agreed to ([`Action::terms`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

impl Wish {
    /// Of an action.
    #[must_use]
    pub fn of(action: &Action) -> Self {
        Self { kind: action.kind().to_owned(), target: action.target(), terms: action.terms() }
    }
}

/// After how long an action that was begun and not ended is given up: longer than any Lambda lives.
pub const LONGER_THAN_ANY_LAMBDA: TimeDelta = TimeDelta::minutes(16);

/// Writes the run's record; one that is there already stands (the answer to it was lost with the connection).
///
/// # Errors
/// [`Error::Database`].
pub async fn finish(
    db: &mut PgConnection,
    run: &Run,
    report: &Report,
    applied: usize,
    cursor: Option<&Cursor>,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO remediation.runs (id, step, mode, trigger, reason, started_at, finished_at, summary, applied, findings,
                                       skipped, verification, cursor)
         VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7, $8, $9, $10, $11, $12)
             ON CONFLICT (id) DO NOTHING",
    )
    .bind(run.id)
    .bind(run.step)
    .bind(report.mode.as_str())
    .bind(stored::json(&run.trigger))
    .bind(run.reason.as_deref().map(stored::text))
    .bind(run.started_at)
    .bind(stored::text(&report.summary))
    .bind(i32::try_from(applied).unwrap_or(i32::MAX))
    .bind(stored::json(&json!(report.findings)))
    .bind(stored::json(&json!(report.skipped)))
    .bind(report.verification.as_str())
    .bind(cursor.map(|cursor| json!(cursor)))
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("writing the run's record"))
}

/// Writes the record of a run that ended in an error.
///
/// # Errors
/// [`Error::Database`].
pub async fn fail(db: &mut PgConnection, run: &Run, error: &Error) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO remediation.runs (id, step, trigger, reason, started_at, finished_at, error)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp(), $6)
             ON CONFLICT (id) DO NOTHING",
    )
    .bind(run.id)
    .bind(run.step)
    .bind(stored::json(&run.trigger))
    .bind(run.reason.as_deref().map(stored::text))
    .bind(run.started_at)
    .bind(stored::text(&error.to_string()))
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("writing the run's record"))
}

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

/// Where this step's last sweep stopped.
///
/// # Errors
/// [`Error::Database`].
pub async fn cursor(db: &mut PgConnection, step: &str) -> Result<Cursor, Error> {
    let cursor: Option<Value> = sqlx::query_scalar(
        "SELECT cursor FROM remediation.runs WHERE step = $1 AND cursor IS NOT NULL ORDER BY started_at DESC LIMIT 1",
    )
    .bind(step)
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading where the last run stopped"))?;
    // One of an older build is no harm: the sweep begins anew.
    Ok(cursor.and_then(|cursor| serde_json::from_value(cursor).ok()).unwrap_or_default())
}

/// Reads what the limits are counted by: the step's control, its actions of the last hour, and what was done to these targets.
///
/// # Errors
/// [`Error::Database`]; without an answer nothing is done.
pub async fn facts(db: &mut PgConnection, step: &str, targets: &[String]) -> Result<Facts, Error> {
    type Row = (Option<String>, Option<i32>, Option<i32>, Option<f64>, i64, Option<bool>, Value);
    let (mode, per_run, per_hour, share, last_hour, unhelpful, targets): Row =
        sqlx::query_as(include_str!("ledger/facts.sql"))
            .bind(step)
            .bind(targets)
            .fetch_one(db)
            .await
            .map_err(Error::database("reading the limits"))?;
    let count = |limit: Option<i32>| limit.and_then(|limit| usize::try_from(limit).ok());
    let mode = mode.map(|mode| mode.parse::<Mode>()).transpose().map_err(|error| Error::Refused(error.to_string()))?;
    let targets = serde_json::from_value::<std::collections::HashMap<String, TargetFacts>>(targets)
        .map_err(|error| Error::Refused(format!("the ledger's history of the targets cannot be read: {error}")))?;
    Ok(Facts {
        control: Control { mode, actions_per_run: count(per_run), actions_per_hour: count(per_hour), share },
        did_not_help: unhelpful.unwrap_or(false),
        actions_last_hour: usize::try_from(last_hour).unwrap_or(usize::MAX),
        targets,
    })
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

/// The step's own parameters of the run that stored a plan: approving it means the same wish.
///
/// # Errors
/// [`Error::Database`].
pub async fn parameters(db: &mut PgConnection, plan: Uuid) -> Result<Map<String, Value>, Error> {
    let parameters: Option<Value> = sqlx::query_scalar(
        "SELECT r.trigger -> 'parameters' FROM remediation.plans p JOIN remediation.runs r ON r.id = p.run_id
          WHERE p.id = $1",
    )
    .bind(plan)
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading what a plan was asked for with"))?
    .flatten();
    Ok(parameters.and_then(|parameters| parameters.as_object().cloned()).unwrap_or_default())
}

/// Stores what a step wants and may not do by itself; a plan of the last day that already waits for the same actions, and was asked for
/// with the same parameters, is enough. Returns the plan's identity and whether it is new.
///
/// # Errors
/// [`Error::Database`].
pub async fn propose(db: &mut PgConnection, run: &Run, wanted: &[Planned], why: &str) -> Result<(Uuid, bool), Error> {
    let mut actions: Vec<Value> = wanted.iter().map(|planned| json!(Wish::of(&planned.action))).collect();
    actions.sort_by_key(Value::to_string);
    let waiting: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM remediation.plans
          WHERE step = $1 AND approved_at IS NULL AND actions = $2 AND created_at > now() - interval '1 day'
            AND $3 = coalesce((SELECT r.trigger -> 'parameters' FROM remediation.runs r WHERE r.id = run_id), '{}')
          ORDER BY created_at DESC LIMIT 1",
    )
    .bind(run.step)
    .bind(Value::from(actions.clone()))
    .bind(run.trigger.get("parameters").map_or_else(|| json!({}), stored::json))
    .fetch_optional(&mut *db)
    .await
    .map_err(Error::database("reading the plans that wait"))?;
    if let Some(id) = waiting {
        return Ok((id, false));
    }
    let id = Uuid::now_v7();
    sqlx::query("INSERT INTO remediation.plans (id, run_id, step, actions, reason) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(run.id)
        .bind(run.step)
        .bind(Value::from(actions))
        .bind(why)
        .execute(db)
        .await
        .map_err(Error::database("storing a plan"))?;
    Ok((id, true))
}

/// Takes a plan for approval: its actions. A plan is taken once, by one run; that run may begin anew on
/// another connection. Where the step only observes, by `mode` or by its control, the plan is read and waits on.
///
/// # Errors
/// [`Error::Refused`] where there is none, or it was approved already; [`Error::Database`].
pub async fn approve(db: &mut PgConnection, run: &Run, plan: Uuid, mode: Mode) -> Result<Vec<Wish>, Error> {
    let reading = "reading the plan";
    let actions: Option<Value> = sqlx::query_scalar(
        "UPDATE remediation.plans
            SET approved_at = CASE WHEN acts THEN now() END, approved_by = CASE WHEN acts THEN $3 END
           FROM (SELECT $4 AND NOT EXISTS (
                        SELECT FROM remediation.controls WHERE step = $2 AND mode = 'observe') AS acts) may
          WHERE id = $1 AND step = $2 AND (approved_at IS NULL OR approved_by = $3) RETURNING actions",
    )
    .bind(plan)
    .bind(run.step)
    .bind(run.id)
    .bind(mode != Mode::Observe)
    .fetch_optional(&mut *db)
    .await
    .map_err(Error::database(reading))?;
    let Some(actions) = actions else {
        let found: Option<(String, Option<DateTime<Utc>>)> =
            sqlx::query_as("SELECT step, approved_at FROM remediation.plans WHERE id = $1")
                .bind(plan)
                .fetch_optional(db)
                .await
                .map_err(Error::database(reading))?;
        return Err(Error::Refused(match found {
            Some((step, _)) if step != run.step => format!("`approve` {plan}: the plan is {step}'s; send it there"),
            Some((_, Some(at))) => format!("`approve` {plan}: the plan was approved already, at {at}"),
            _ => format!(
                "`approve` {plan}: there is no such plan; see the `proposed` entries of a result, or remediation.plans"
            ),
        }));
    };
    serde_json::from_value(actions)
        .map_err(|error| Error::Refused(format!("`approve` {plan}: the stored plan cannot be read: {error}")))
}

/// What needs a person is not told again by itself within this: a little more than the day for which it is looked at.
pub const TOLD_FOR: TimeDelta = TimeDelta::hours(25);

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

/// The findings with one of these codes that this step has told by itself since then: not those that an operator was answered with.
///
/// # Errors
/// [`Error::Database`].
pub async fn told(db: &mut PgConnection, step: &str, since: DateTime<Utc>, codes: &[&str]) -> Result<Vec<Told>, Error> {
    sqlx::query_as(include_str!("ledger/told.sql"))
        .bind(step)
        .bind(since)
        .bind(codes)
        .fetch_all(db)
        .await
        .map_err(Error::database("reading what was told"))
}

/// The name of the open incident of an alarm, by the end of its name: installations put a prefix before it.
///
/// # Errors
/// [`Error::Database`].
pub async fn open_incident(db: &mut PgConnection, alarm: &str) -> Result<Option<String>, Error> {
    sqlx::query_scalar(
        "SELECT alarm FROM remediation.incidents WHERE closed_at IS NULL AND right(alarm, length($1)) = $1
          ORDER BY opened_at LIMIT 1",
    )
    .bind(alarm)
    .fetch_optional(db)
    .await
    .map_err(Error::database("looking for an open incident"))
}

/// Opens an incident when its alarm goes off, and closes it when the alarm is OK.
///
/// # Errors
/// [`Error::Database`].
pub async fn incident(db: &mut PgConnection, change: &AlarmChange) -> Result<(), Error> {
    let sql = match change.state {
        AlarmState::Alarm => {
            // Unless it is over already: events come twice and in any order.
            "INSERT INTO remediation.incidents (alarm, reason, opened_at)
             SELECT $1, $2, $3
              WHERE NOT EXISTS (SELECT FROM remediation.incidents WHERE alarm = $1 AND closed_at >= $3)
             ON CONFLICT (alarm) WHERE closed_at IS NULL DO NOTHING"
        }
        AlarmState::Ok => {
            // Where its beginning has not arrived yet, its end is kept, so that the beginning opens nothing then.
            "WITH closed AS (
                UPDATE remediation.incidents SET closed_at = $3, reason = coalesce(reason, $2)
                 WHERE alarm = $1 AND closed_at IS NULL AND opened_at <= $3 RETURNING 1)
             INSERT INTO remediation.incidents (alarm, reason, opened_at, closed_at)
             SELECT $1, $2, $3, $3
              WHERE $4 AND NOT EXISTS (SELECT FROM closed)
                AND NOT EXISTS (SELECT FROM remediation.incidents WHERE alarm = $1 AND closed_at >= $3)
                AND NOT EXISTS (SELECT FROM remediation.incidents WHERE alarm = $1 AND closed_at IS NULL)"
        }
        AlarmState::InsufficientData => return Ok(()),
    };
    let query = sqlx::query(sql).bind(&change.alarm).bind(change.reason.as_deref().map(stored::text)).bind(change.at);
    let query = match change.state {
        AlarmState::Ok => query.bind(change.previous == Some(AlarmState::Alarm)),
        AlarmState::Alarm | AlarmState::InsufficientData => query,
    };
    query.execute(db).await.map(drop).map_err(Error::database("recording the incident"))
}
