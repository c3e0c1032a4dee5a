//! How long processes took, from their rows: from acceptance to completion, waiting and every attempt included.

use chrono::{DateTime, Utc};
use remediation::gather::error::Error;
use remediation::run::step::Session;
use serde::Serialize;
use sqlx::FromRow;

/// Two windows of the same length, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    pub before: DateTime<Utc>,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// What was completed of one type in one window. Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, FromRow)]
pub struct Stats {
    pub count: i64,
    pub average: f64,
    pub p50: f64,
    pub p95: f64,
    pub min: f64,
    pub max: f64,
    /// How many of them were tried again.
    pub retried: i64,
}

/// A type in both windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Durations {
    /// `None`: all types together.
    pub kind: Option<String>,
    pub now: Option<Stats>,
    pub before: Option<Stats>,
}

#[derive(FromRow)]
struct Row {
    kind: Option<String>,
    present: bool,
    #[sqlx(flatten)]
    stats: Stats,
}

/// Reads both windows; all types together come last.
pub async fn read(session: &mut Session<'_>, windows: Windows) -> Result<Vec<Durations>, Error> {
    let table = session.table().await?;
    let rows: Vec<Row> = sqlx::query_as(table.sql(include_str!("durations.sql")))
        .bind(windows.before)
        .bind(windows.from)
        .bind(windows.to)
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database("measuring how long processes took"))?;
    let mut all: Vec<Durations> = Vec::new();
    for Row { kind, present, stats } in rows {
        if all.last().is_none_or(|last| last.kind != kind) {
            all.push(Durations { kind, now: None, before: None });
        }
        if let Some(last) = all.last_mut() {
            *(if present { &mut last.now } else { &mut last.before }) = Some(stats);
        }
    }
    Ok(all)
}
