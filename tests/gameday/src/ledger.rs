//! What the product says that it did, `remediation.runs` and `remediation.actions`, and what it would have done, `remediation.wanted`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::outcome::Outcome;

/// An action on a process's row, on one of its executions or on what is broken beside it, taken or only wanted, and what started the
/// run that took or wanted it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Action {
    pub id: Uuid,
    pub step: String,
    pub kind: String,
    pub target: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub outcome: String,
    pub reason: String,
    pub closed_at: Option<DateTime<Utc>>,
    /// When that run began, and what started it.
    pub started_at: DateTime<Utc>,
    pub trigger: Value,
}

/// The actions on these targets and on a process's executions, in the order in which they were begun.
pub async fn actions(pool: &PgPool, process: &str, targets: &[String]) -> Outcome<Vec<Action>> {
    // A run's own record is written last.
    Ok(sqlx::query_as(
        "SELECT a.id, a.step, a.kind, a.target, a.before, a.after, a.outcome, a.reason, a.closed_at, r.started_at, r.trigger
           FROM remediation.actions a
           JOIN remediation.runs r ON r.id = a.run_id
          WHERE a.target = ANY ($2) OR a.target LIKE '%:execution:%:' || $1 || '-%'
          ORDER BY a.created_at, a.closed_at",
    )
    .bind(process)
    .bind(targets)
    .fetch_all(pool)
    .await?)
}

/// What would have been done to these targets and to a process's executions: a step's change once, unless its images differ, in the order
/// in which it was first recorded.
pub async fn wanted(pool: &PgPool, process: &str, targets: &[String]) -> Outcome<Vec<Action>> {
    Ok(sqlx::query_as(
        "SELECT * FROM (
             SELECT DISTINCT ON (w.step, w.kind, w.target, w.before, w.after)
                    w.plan_id AS id, w.step, w.kind, w.target, w.before, w.after, 'wanted' AS outcome, w.why AS reason,
                    w.created_at AS closed_at, r.started_at, r.trigger
               FROM remediation.wanted w
               JOIN remediation.runs r ON r.id = w.run_id
              WHERE w.mode = 'observe' AND (w.target = ANY ($2) OR w.target LIKE '%:execution:%:' || $1 || '-%')
              ORDER BY w.step, w.kind, w.target, w.before, w.after, w.created_at
         ) once
         ORDER BY closed_at",
    )
    .bind(process)
    .bind(targets)
    .fetch_all(pool)
    .await?)
}

/// What would have been done to other rows and executions than these, in words.
pub async fn wanted_of_others(pool: &PgPool, targets: &[String]) -> Outcome<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT step || ' ' || kind || ' ' || target FROM remediation.wanted
          WHERE kind IN ('set-row-status', 'retry-process', 'stop-execution')
            AND NOT EXISTS (SELECT FROM unnest($1) AS broken WHERE strpos(target, broken) > 0)",
    )
    .bind(targets)
    .fetch_all(pool)
    .await?)
}

/// How many runs were started by something that has these fields.
pub async fn runs(pool: &PgPool, trigger: &Value) -> Outcome<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM remediation.runs WHERE trigger @> $1 AND error IS NULL")
        .bind(trigger)
        .fetch_one(pool)
        .await?)
}

/// Whether a finding of this code was told about a process, and by whom.
pub async fn told(pool: &PgPool, process: &str, code: &str) -> Outcome<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT step FROM remediation.runs
          WHERE findings @> jsonb_build_array(jsonb_build_object('code', $2::text, 'target', $1::text))
          ORDER BY started_at LIMIT 1",
    )
    .bind(process)
    .bind(code)
    .fetch_optional(pool)
    .await?)
}

/// What the fence refused last of a process: the row as it was to be.
pub async fn refused(pool: &PgPool, process: &str) -> Outcome<Option<Value>> {
    Ok(sqlx::query_scalar(
        "SELECT attempted FROM remediation.refused_writes WHERE process_id = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(process)
    .fetch_optional(pool)
    .await?)
}

/// How many actions were applied, and the runs that ended in an error.
pub async fn totals(pool: &PgPool) -> Outcome<(i64, Vec<String>)> {
    let applied = sqlx::query_scalar("SELECT count(*) FROM remediation.actions WHERE outcome = 'applied'");
    let failed = sqlx::query_scalar("SELECT step || ': ' || error FROM remediation.runs WHERE error IS NOT NULL");
    Ok((applied.fetch_one(pool).await?, failed.fetch_all(pool).await?))
}

/// What noticed, in words, from what started the run.
pub fn noticed(trigger: &Value) -> String {
    let text = |field: &str| trigger[field].as_str().unwrap_or_default();
    match text("kind") {
        "execution" => format!("Step Functions event {}", text("status")),
        "alarm" => format!("alarm {}", text("alarm")),
        "schedule" => "schedule".to_owned(),
        "operator" => "operator".to_owned(),
        other => format!("unknown trigger {other}"),
    }
}
