//! `{"report": "7d"}`: what was done in this time, and what would have been, by step and kind (design, 6.4).
//!
//! What was wanted and not done (a step observes or only proposes, a limit held it) is looked at once more: has the application, an event or
//! a person done the same since? By this an installation decides which step it lets act.

mod texts;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

use crate::act::actions;
use crate::act::ledger::entries::UNDO;
use crate::act::ledger::plans;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::table::Table;
use crate::redact;

/// So many changes of a step are looked at, the newest first.
const LISTED: i64 = 20_000;

/// So many of what became otherwise are named, of each step and kind.
const EXAMPLES: i64 = 5;

/// What was done in a time, and what would have been.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Since when.
    pub since: DateTime<Utc>,
    /// What would have been done.
    pub would_have_done: Vec<Wanted>,
    /// What was done.
    pub done: Vec<Done>,
}

/// What a step wanted, of one kind, by target.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    /// The step.
    pub step: String,
    /// The kind.
    pub kind: String,
    /// How many targets.
    pub wanted: i64,
    /// The step has done them since: they were approved, or it was allowed to act.
    pub done: i64,
    /// They are now as they would have been made: by the application, an event or a person.
    #[sqlx(rename = "as_wanted")]
    pub turned_out_right: i64,
    /// They have become something else: to do it would have been wrong, or in vain.
    #[sqlx(rename = "otherwise")]
    pub became_otherwise: i64,
    /// They are still as they were.
    #[sqlx(rename = "open")]
    pub still_open: i64,
    /// Nobody can tell, or they stand in a plan of which only a sample is kept.
    #[sqlx(skip)]
    pub not_known: i64,
    /// Some of what became otherwise: target, the status that was wanted, the status now.
    #[sqlx(default)]
    pub examples: Option<Vec<Value>>,
    /// There are older plans in this time which were not looked at: there were too many.
    pub there_is_more: bool,
}

/// What a step did, of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Done {
    /// The step.
    pub step: String,
    /// The kind.
    pub kind: String,
    /// How many were made.
    pub applied: i64,
    /// How many were tried in vain.
    pub failed: i64,
    /// How many of them were taken back.
    pub undone: i64,
}

/// Reads it.
///
/// # Errors
/// [`Error::Database`].
pub async fn read(db: &mut PgConnection, table: &Table, since: DateTime<Utc>) -> Result<Review, Error> {
    const FIRST: usize = 5;
    let (mut judged, mut kinds) = (Vec::new(), Vec::new());
    for (names, sql) in actions::judged() {
        judged.push(sql.replace("{kinds}", &format!("${}", FIRST + kinds.len())));
        kinds.push(names);
    }
    let sql = include_str!("review/wanted.sql").replace("{judged}", &judged.join("\nUNION ALL\n"));
    let mut query = sqlx::query_as(table.sql(&sql))
        .bind(since)
        .bind(LISTED)
        .bind(i64::try_from(plans::AT_MOST).unwrap_or(i64::MAX))
        .bind(i32::try_from(EXAMPLES).unwrap_or(i32::MAX));
    for names in kinds {
        query = query.bind(names);
    }
    let wanted: Vec<Wanted> =
        query.fetch_all(&mut *db).await.map_err(Error::database("reading what would have been done"))?;
    let done = sqlx::query_as(include_str!("review/done.sql"))
        .bind(since)
        .bind(UNDO)
        .fetch_all(db)
        .await
        .map_err(Error::database("reading what was done"))?;
    Ok(Review { since, would_have_done: wanted.into_iter().map(Wanted::complete).collect(), done })
}

impl Wanted {
    fn complete(self) -> Self {
        let known = self.done + self.turned_out_right + self.became_otherwise + self.still_open;
        let examples = self.examples.map(|examples| examples.iter().map(redact::json).collect());
        Self { not_known: self.wanted - known, examples, ..self }
    }
}

impl Review {
    /// It in one sentence.
    #[must_use]
    pub fn summary(&self, span: TimeDelta, language: Language) -> String {
        let wanted = |of: fn(&Wanted) -> i64| self.would_have_done.iter().map(of).sum();
        let done = |of: fn(&Done) -> i64| self.done.iter().map(of).sum();
        let counts = texts::Counts {
            wanted: wanted(|it| it.wanted - it.done),
            right: wanted(|it| it.turned_out_right),
            otherwise: wanted(|it| it.became_otherwise),
            open: wanted(|it| it.still_open),
            not_known: wanted(|it| it.not_known),
            applied: done(|it| it.applied),
            failed: done(|it| it.failed),
            undone: done(|it| it.undone),
        };
        texts::summary(language, span, &counts)
    }
}
