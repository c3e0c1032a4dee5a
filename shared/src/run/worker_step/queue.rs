//! The steps that change the worker are one queue (design, 6.3): a look sees what any of them has under way.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::Language;
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::run::worker_step::texts;

/// A change of the worker that is being made.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UnderWay {
    /// The step that makes it.
    pub step: String,
    /// The action's kind.
    pub kind: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl UnderWay {
    /// For people.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        texts::queued(language, &self.step, &self.kind, self.created_at)
    }
}

/// What is under way on the worker, by whichever of its names: an installation may have been told of an alias since.
///
/// # Errors
/// [`Error::Database`].
pub(super) async fn under_way(db: &mut PgConnection, config: &Config) -> Result<Option<UnderWay>, Error> {
    sqlx::query_as(
        "SELECT step, kind, created_at FROM remediation.actions
          WHERE outcome = 'applying' AND (target = $1 OR starts_with(target, $1 || ':'))
          ORDER BY created_at LIMIT 1",
    )
    .bind(format!("function {}", config.worker()?))
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading what is under way on the worker"))
}
