//! The record of runs: `remediation.runs`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::act::report::Report;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Cursor;
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
    /// Until when it can be alive: Lambda's deadline. What it has left open by then is resolved by looking.
    pub alive_until: DateTime<Utc>,
    /// Who asks for it, where somebody says so.
    pub by: Option<String>,
    /// Lambda's id of the request, under which CloudTrail knows the caller.
    pub request_id: String,
}

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
        "WITH ended AS (UPDATE remediation.admissions SET ended_at = clock_timestamp(), actions = $8 WHERE run_id = $1 AND ended_at IS NULL)
         INSERT INTO remediation.runs (id, step, mode, trigger, reason, started_at, finished_at, summary, applied, findings,
                                       skipped, verification, cursor, asked_by, request_id, tried, helped, failed, failed_anew, told)
         VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
             ON CONFLICT (id) DO NOTHING",
    )
    .bind(run.id)
    .bind(run.step)
    .bind(report.mode.as_str())
    .bind(stored::json(&run.trigger))
    .bind(run.reason.as_deref().map(stored::text))
    .bind(run.started_at)
    .bind(stored::text(&report.summary))
    .bind(number(applied))
    .bind(stored::json(&json!(report.findings)))
    .bind(stored::json(&json!(report.skipped)))
    .bind(report.verification.as_str())
    .bind(cursor.map(|cursor| json!(cursor)))
    .bind(run.by.as_deref().map(stored::text))
    .bind(&run.request_id)
    .bind(number(report.tries.tried))
    .bind(number(report.tries.helped))
    .bind(number(report.tries.failed))
    .bind(number(report.tries.failed_anew))
    .bind(report.told)
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("writing the run's record"))
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Writes the record of a run that ended in an error.
///
/// # Errors
/// [`Error::Database`].
pub async fn fail(db: &mut PgConnection, run: &Run, error: &Error, language: Language) -> Result<(), Error> {
    sqlx::query(
        "WITH ended AS (UPDATE remediation.admissions SET ended_at = clock_timestamp() WHERE run_id = $1)
         INSERT INTO remediation.runs (id, step, trigger, reason, started_at, finished_at, error, asked_by, request_id)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp(), $6, $7, $8)
             ON CONFLICT (id) DO NOTHING",
    )
    .bind(run.id)
    .bind(run.step)
    .bind(stored::json(&run.trigger))
    .bind(run.reason.as_deref().map(stored::text))
    .bind(run.started_at)
    .bind(stored::text(&error.told(language)))
    .bind(run.by.as_deref().map(stored::text))
    .bind(&run.request_id)
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("writing the run's record"))
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
