//! What people have been told.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::gather::error::Error;

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

/// The findings with one of these codes that this step has told by itself since then: not those that a person was answered with.
///
/// # Errors
/// [`Error::Database`].
pub async fn told(db: &mut PgConnection, step: &str, since: DateTime<Utc>, codes: &[&str]) -> Result<Vec<Told>, Error> {
    sqlx::query_as(include_str!("told.sql"))
        .bind(step)
        .bind(since)
        .bind(codes)
        .fetch_all(db)
        .await
        .map_err(Error::database("reading what was told"))
}
