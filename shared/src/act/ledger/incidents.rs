//! The incidents: an alarm from ALARM to OK, in `remediation.incidents`.
//!
//! An alarm is known by its whole ARN, and an incident is one of the system that is looked after. What an older build has recorded has
//! neither: there the alarm's whole name has to do.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::gather::alarms::AlarmArn;
use crate::gather::error::Error;
use crate::gather::trigger::{AlarmChange, AlarmState};
use crate::stored;

/// An incident that is open.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Incident {
    /// Its identity.
    pub id: Uuid,
    /// The alarm's name.
    pub alarm: String,
    /// When the alarm went into ALARM.
    pub opened_at: DateTime<Utc>,
    /// What holds the alarm's actions back, as far as events told.
    pub held_back: Option<String>,
    /// Until when; `None`: until an event says otherwise.
    pub held_until: Option<DateTime<Utc>>,
}

impl Incident {
    /// What holds the alarm's actions back now.
    #[must_use]
    pub fn held_back(&self, now: DateTime<Utc>) -> Option<&str> {
        held_back(self.held_back.as_deref(), self.held_until, now)
    }
}

/// What holds an alarm's actions back now, where it does so until then, or until an event says otherwise.
pub(crate) fn held_back(by: Option<&str>, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<&str> {
    by.filter(|_| until.is_none_or(|until| until > now))
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The alarm was OK.
    Ok,
    /// There is no such alarm any more.
    Gone,
    /// It had no data for longer than it judges by.
    Silent,
}

impl Ended {
    /// As the table spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Gone => "gone",
            Self::Silent => "silent",
        }
    }
}

/// An alarm that is in ALARM again within this time after it was OK, gone or silent has flapped: that is one incident, whose clock goes on.
pub const FLAPS_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// An incident `i` of the alarm of the name $1 and the ARN $2, in the system $3.
const OF_THE_ALARM: &str = "i.alarm = $1 AND coalesce(i.alarm_arn, $2) = $2 AND coalesce(i.system, $3) = $3";

/// The open incident of an alarm.
///
/// # Errors
/// [`Error::Database`].
pub async fn open_incident(db: &mut PgConnection, alarm: &AlarmArn, system: &str) -> Result<Option<Incident>, Error> {
    sqlx::query_as(AssertSqlSafe(format!(
        "SELECT id, alarm, opened_at, held_back, held_until FROM remediation.incidents i
          WHERE {OF_THE_ALARM} AND closed_at IS NULL ORDER BY opened_at LIMIT 1"
    )))
    .bind(&alarm.name)
    .bind(&alarm.arn)
    .bind(system)
    .fetch_optional(db)
    .await
    .map_err(Error::database("looking for an open incident"))
}

/// When the alarm's last incident ended, if that was because the alarm was OK.
///
/// # Errors
/// [`Error::Database`].
pub async fn ok_since(db: &mut PgConnection, alarm: &AlarmArn, system: &str) -> Result<Option<DateTime<Utc>>, Error> {
    let last: Option<(DateTime<Utc>, Option<String>)> = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT closed_at, ended FROM remediation.incidents i
          WHERE {OF_THE_ALARM} AND closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT 1"
    )))
    .bind(&alarm.name)
    .bind(&alarm.arn)
    .bind(system)
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading since when it has been quiet"))?;
    // An older build closed incidents for nothing else.
    let ok = |ended: &Option<String>| ended.as_deref().is_none_or(|ended| ended == Ended::Ok.as_str());
    Ok(last.filter(|(_, ended)| ok(ended)).map(|(at, _)| at))
}

/// Closes an incident of whose end no event told; not before it was opened.
///
/// # Errors
/// [`Error::Database`].
pub async fn close(db: &mut PgConnection, incident: Uuid, ended: Ended, at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(
        "UPDATE remediation.incidents SET closed_at = greatest(opened_at, $2), ended = $3
          WHERE id = $1 AND closed_at IS NULL",
    )
    .bind(incident)
    .bind(at)
    .bind(ended.as_str())
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("closing an incident"))
}

/// Opens an incident when its alarm goes off, and closes it when the alarm is OK.
///
/// # Errors
/// [`Error::Database`].
pub async fn incident(
    db: &mut PgConnection,
    change: &AlarmChange,
    alarm: &AlarmArn,
    system: &str,
) -> Result<(), Error> {
    let sql = match change.state {
        AlarmState::Alarm => {
            // Unless it is over already: events come twice and in any order. What holds an open one back may have changed.
            format!(
                "WITH known AS (
                    UPDATE remediation.incidents i SET alarm_arn = $2, system = $3, held_back = $6, held_until = $7
                     WHERE {OF_THE_ALARM} AND closed_at IS NULL AND opened_at <= $5 RETURNING 1)
                 INSERT INTO remediation.incidents (alarm, alarm_arn, system, reason, opened_at, held_back, held_until, continues)
                 SELECT $1, $2, $3, $4, $5, $6, $7,
                        (SELECT coalesce(i.continues, i.id) FROM remediation.incidents i
                          WHERE {OF_THE_ALARM} AND i.closed_at > $5 - $8 ORDER BY i.closed_at DESC LIMIT 1)
                  WHERE NOT EXISTS (SELECT FROM known)
                    AND NOT EXISTS (SELECT FROM remediation.incidents i
                                     WHERE {OF_THE_ALARM} AND (closed_at IS NULL OR closed_at >= $5))
                     ON CONFLICT DO NOTHING"
            )
        }
        AlarmState::Ok => {
            // Where its beginning has not arrived yet, its end is kept, so that the beginning opens nothing then.
            format!(
                "WITH closed AS (
                    UPDATE remediation.incidents i SET closed_at = $5, reason = coalesce(reason, $4), ended = 'ok'
                     WHERE {OF_THE_ALARM} AND closed_at IS NULL AND opened_at <= $5 RETURNING 1)
                 INSERT INTO remediation.incidents (alarm, alarm_arn, system, reason, opened_at, closed_at, ended)
                 SELECT $1, $2, $3, $4, $5, $5, 'ok'
                  WHERE $6 AND NOT EXISTS (SELECT FROM closed)
                    AND NOT EXISTS (SELECT FROM remediation.incidents i
                                     WHERE {OF_THE_ALARM} AND (closed_at IS NULL OR closed_at >= $5))"
            )
        }
        AlarmState::InsufficientData => return Ok(()),
    };
    let query = sqlx::query(AssertSqlSafe(sql)).bind(&alarm.name).bind(&alarm.arn).bind(system);
    let query = query.bind(change.reason.as_deref().map(stored::text)).bind(change.at);
    let query = match change.state {
        AlarmState::Ok => query.bind(change.previous == Some(AlarmState::Alarm)),
        AlarmState::Alarm | AlarmState::InsufficientData => {
            query.bind(change.suppressed_by.as_deref().map(stored::text)).bind(change.held_until).bind(FLAPS_WITHIN)
        }
    };
    query.execute(db).await.map(drop).map_err(Error::database("recording the incident"))
}
