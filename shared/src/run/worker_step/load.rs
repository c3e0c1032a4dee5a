//! What the worker had to do, and what more of it costs.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::gather::error::Error;
use crate::gather::table::Table;

/// How far back the worker's load is counted.
const WEEK: TimeDelta = TimeDelta::days(7);

/// What the worker had to do in the last seven days.
#[derive(Debug, Clone, Copy, PartialEq, sqlx::FromRow)]
pub struct Load {
    /// Processes that ended.
    pub ended: i64,
    /// How long they took on average, from creation to end: longer than the worker itself.
    pub average_seconds: Option<f64>,
    /// Those of them that ran out of time.
    pub timed_out: i64,
}

impl Load {
    /// For the operator.
    #[must_use]
    pub fn image(&self) -> Value {
        json!({
            "days": WEEK.num_days(),
            "ended": self.ended,
            "averageSeconds": self.average_seconds,
            "timedOut": self.timed_out,
        })
    }
}

/// What `seconds` of a week cost in a month of 30 days with so much memory.
///
/// Lambda is billed by memory × duration: <https://aws.amazon.com/lambda/pricing/>.
#[must_use]
pub fn usd_a_month(megabytes: u32, seconds_a_week: f64, usd_per_gb_second: f64) -> f64 {
    f64::from(megabytes) / 1024.0 * seconds_a_week * usd_per_gb_second * 30.0 / 7.0
}

/// Counts for no longer than a few seconds: a price is worth no more. `None` where that is not enough.
///
/// # Errors
/// [`Error::Database`] where the connection is lost.
pub(crate) async fn load(db: &mut PgConnection, table: &Table, now: DateTime<Utc>) -> Result<Option<Load>, Error> {
    let counting = "counting what the worker had to do";
    let mut transaction = db.begin().await.map_err(Error::database(counting))?;
    sqlx::raw_sql("SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = 5000")
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(counting))?;
    let counted = sqlx::query_as(table.sql(include_str!("load.sql")))
        .bind(now - WEEK)
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::database(counting));
    transaction.rollback().await.map_err(Error::database(counting))?;
    match counted {
        Ok(load) => Ok(Some(load)),
        Err(error) if error.is_connection_lost() => Err(error),
        Err(_) => Ok(None),
    }
}
