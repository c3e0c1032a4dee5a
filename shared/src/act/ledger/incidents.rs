//! The incidents: an alarm from ALARM to OK, in `remediation.incidents`.

use sqlx::PgConnection;

use crate::gather::error::Error;
use crate::gather::trigger::{AlarmChange, AlarmState};
use crate::stored;

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
