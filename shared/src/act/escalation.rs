//! The incidents that people may have to be told of, and what they were told so far (design, 8: escalate).
//!
//! Incidents that are one, because their alarm flapped, are known by the first of them, their root: with it the clock began, and it is
//! what a person acknowledges. That a level was told is an action in the ledger, so there is no other record of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::act::ledger::incidents::held_back;
use crate::gather::config::escalation::Level;
use crate::gather::error::Error;

/// The ledger's kind of a message to a level. The index that lets it be told once has it, too.
pub const TELL_LEVEL: &str = "tell-level";

/// An incident, as the ledger spells a target.
#[must_use]
pub fn target(root: Uuid) -> String {
    format!("incident {root}")
}

/// A level of an incident, as the ledger spells a target.
#[must_use]
pub fn level_target(root: Uuid, level: Level) -> String {
    format!("{} {}", target(root), level.as_str())
}

/// An incident that is open.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Open {
    /// The one that is open.
    pub id: Uuid,
    /// The first of those that are one incident with it: it may be itself.
    pub root: Uuid,
    /// The alarm's name.
    pub alarm: String,
    /// The alarm's ARN; `None` where an older build has recorded it.
    pub alarm_arn: Option<String>,
    /// When the first of them began.
    pub began_at: DateTime<Utc>,
    /// CloudWatch's words for why.
    pub reason: Option<String>,
    /// What holds the alarm's actions back, as far as events told.
    pub held_back: Option<String>,
    /// Until when; `None`: until an event says otherwise.
    pub held_until: Option<DateTime<Utc>>,
    /// Since when somebody looks after it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// What was tried to tell the levels.
    pub deliveries: Json<BTreeMap<Level, Delivery>>,
}

/// What came of telling a level of an incident.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// When it was told.
    pub told_at: Option<DateTime<Utc>>,
    /// How often that failed.
    pub failed: i32,
    /// When it failed last.
    pub failed_at: Option<DateTime<Utc>>,
    /// A run is about to tell it, or has died over it.
    pub under_way: bool,
}

impl Open {
    /// What holds the alarm's actions back now.
    #[must_use]
    pub fn held_back(&self, now: DateTime<Utc>) -> Option<&str> {
        held_back(self.held_back.as_deref(), self.held_until, now)
    }

    /// What came of telling this level.
    #[must_use]
    pub fn delivery(&self, level: Level) -> Delivery {
        self.deliveries.get(&level).cloned().unwrap_or_default()
    }
}

/// The open incidents of a system, `at_most` so many, and how many there are: those first of which somebody is still to be told, the oldest
/// first.
///
/// # Errors
/// [`Error::Database`].
pub async fn open(db: &mut PgConnection, system: &str, at_most: i64) -> Result<(Vec<Open>, i64), Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        open: Open,
        of: i64,
    }
    let rows: Vec<Row> = sqlx::query_as(include_str!("escalation/open.sql"))
        .bind(system)
        .bind(TELL_LEVEL)
        .bind(at_most)
        .fetch_all(db)
        .await
        .map_err(Error::database("reading the open incidents"))?;
    let of = rows.first().map_or(0, |row| row.of);
    Ok((rows.into_iter().map(|row| row.open).collect(), of))
}

/// An incident that a person names, by its own identity or by that of one which is one with it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Named {
    /// The first of those that are one.
    pub root: Uuid,
    /// The alarm's name.
    pub alarm: String,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it was over; `None` while one of them is open.
    pub over_at: Option<DateTime<Utc>>,
    /// Since when somebody looks after it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who.
    pub acknowledged_by: Option<String>,
}

/// The incident of this identity.
///
/// # Errors
/// [`Error::Database`].
pub async fn named(db: &mut PgConnection, id: Uuid) -> Result<Option<Named>, Error> {
    sqlx::query_as(include_str!("escalation/named.sql"))
        .bind(id)
        .fetch_optional(db)
        .await
        .map_err(Error::database("reading an incident"))
}
