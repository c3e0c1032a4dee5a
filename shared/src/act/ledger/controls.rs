//! What an installation allows a step: `remediation.controls`. Its row `*` is the red button, which binds every step (design, 6.1).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use crate::domain::Mode;
use crate::gather::error::Error;
use crate::text;

/// The row that binds every step.
pub const EVERYWHERE: &str = "*";

/// A row, as PostgreSQL makes JSON of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Row {
    /// The step, or [`EVERYWHERE`].
    pub step: String,
    /// What it allows.
    #[serde(flatten)]
    pub allows: Allowance,
    /// Who set it: a person's name, or the user of the database.
    pub changed_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// What a row allows; what it says nothing of is as the manifest has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct Allowance {
    /// The most that the step may do.
    pub mode: Option<Mode>,
    /// Actions in one run.
    pub actions_per_run: Option<u32>,
    /// Actions in an hour.
    pub actions_per_hour: Option<u32>,
    /// The share of candidates.
    pub share: Option<f64>,
}

/// What is in force for a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Control {
    /// The most that it may do: the least of its row and the red button.
    pub mode: Option<Mode>,
    /// Instead of the manifest's.
    pub actions_per_run: Option<usize>,
    /// Instead of the manifest's.
    pub actions_per_hour: Option<usize>,
    /// Instead of the manifest's share of candidates.
    pub share: Option<f64>,
    /// Which row it is that lowers the mode.
    pub bound: Option<Bound>,
}

/// A row that lowers the mode: who wants that, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The step that it is about; `None`: every step.
    pub step: Option<String>,
    /// The most that it leaves.
    pub mode: Mode,
    /// Who.
    pub by: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

impl Row {
    /// How it lowers the mode, where it does.
    #[must_use]
    pub fn bound(&self) -> Option<Bound> {
        let mode = self.allows.mode.filter(|mode| *mode < Mode::Act)?;
        Some(Bound {
            step: (self.step != EVERYWHERE).then(|| self.step.clone()),
            mode,
            by: self.changed_by.clone(),
            since: self.updated_at,
            reason: self.reason.clone(),
        })
    }
}

impl Control {
    /// What the step's own row and the red button come to, where they are there.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        let own = rows.iter().find(|row| row.step != EVERYWHERE).map(|row| row.allows.clone()).unwrap_or_default();
        let count = |limit: Option<u32>| limit.and_then(|limit| usize::try_from(limit).ok());
        Self {
            mode: rows.iter().filter_map(|row| row.allows.mode).min(),
            actions_per_run: count(own.actions_per_run),
            actions_per_hour: count(own.actions_per_hour),
            share: own.share,
            // Where both leave as little, the red button is the one to know of.
            bound: rows.iter().filter_map(Row::bound).min_by_key(|bound| (bound.mode, bound.step.is_some())),
        }
    }

    /// The same, from the rows as PostgreSQL makes JSON of them.
    ///
    /// # Errors
    /// [`Error::Said`] where a row cannot be read: what is not understood allows nothing.
    pub fn read(rows: Value) -> Result<Self, Error> {
        serde_json::from_value(rows).map(|rows: Vec<Row>| Self::of(&rows)).map_err(unreadable)
    }
}

/// A row of the controls that cannot be read.
pub fn unreadable(error: serde_json::Error) -> Error {
    Error::said(|language| {
        text!(
            language,
            ja: "remediation.controls を読めない: {error}",
            en: "remediation.controls cannot be read: {error}",
        )
    })
}

/// What is in force for a step now: two rows by their key.
///
/// # Errors
/// [`Error::Database`]; without an answer nothing is done.
pub async fn in_force(db: &mut PgConnection, step: &str) -> Result<Control, Error> {
    let rows: Value = sqlx::query_scalar(
        "SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM remediation.controls c WHERE c.step IN ($1, '*')",
    )
    .bind(step)
    .fetch_one(db)
    .await
    .map_err(Error::database("reading what is allowed"))?;
    Control::read(rows)
}

/// All rows, the red button first.
///
/// # Errors
/// [`Error::Database`].
pub async fn all(db: &mut PgConnection) -> Result<Vec<Row>, Error> {
    let rows: Value = sqlx::query_scalar(
        "SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c.step <> '*', c.step), '[]') FROM remediation.controls c",
    )
    .fetch_one(db)
    .await
    .map_err(Error::database("reading what is allowed"))?;
    serde_json::from_value(rows).map_err(unreadable)
}

/// A change of a control, as `remediation.controls_history` has it.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The step, or [`EVERYWHERE`].
    pub step: String,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// Who.
    pub changed_by: Option<String>,
    /// As which user of the database.
    pub database_user: String,
    /// Why.
    pub reason: Option<String>,
    /// The row before.
    pub before: Option<Value>,
    /// The row after.
    pub after: Option<Value>,
}

/// The latest changes, the newest first.
///
/// # Errors
/// [`Error::Database`].
pub async fn history(db: &mut PgConnection, at_most: i64) -> Result<Vec<Change>, Error> {
    sqlx::query_as(
        "SELECT step, changed_at, changed_by, database_user, reason, before, after
           FROM remediation.controls_history ORDER BY changed_at DESC, id DESC LIMIT $1",
    )
    .bind(at_most)
    .fetch_all(db)
    .await
    .map_err(Error::database("reading the history of the controls"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(step: &str, mode: Option<&str>) -> Value {
        json!({ "step": step, "mode": mode, "actions_per_run": if step == EVERYWHERE { 1 } else { 7 }, "actions_per_hour": null,
                "share": 0.25, "reason": "why", "changed_by": "a person", "updated_at": "2026-11-24T01:00:00.123456+00:00" })
    }

    #[test]
    fn the_least_mode_binds_and_the_limits_are_the_steps_own() {
        // (everywhere, the step, mode then, who binds)
        for (everywhere, own, mode, binds) in [
            (None, None, None, None),
            (Some("observe"), Some("act"), Some(Mode::Observe), Some(None)),
            (Some("act"), Some("propose"), Some(Mode::Propose), Some(Some("own"))),
            (Some("propose"), Some("observe"), Some(Mode::Observe), Some(Some("own"))),
            (Some("observe"), Some("observe"), Some(Mode::Observe), Some(None)),
            (Some("act"), Some("act"), Some(Mode::Act), None),
            (Some("observe"), None, Some(Mode::Observe), Some(None)),
        ] {
            let control = Control::read(json!([row("own", own), row(EVERYWHERE, everywhere)])).unwrap();
            let bound = control.bound.as_ref().map(|bound| bound.step.as_deref());
            assert_eq!((control.mode, bound), (mode, binds), "{everywhere:?} {own:?}");
            assert_eq!((control.actions_per_run, control.actions_per_hour, control.share), (Some(7), None, Some(0.25)));
        }
        let button = Control::read(json!([row(EVERYWHERE, Some("observe"))])).unwrap();
        assert_eq!((button.actions_per_run, button.share), (None, None), "the red button has no limits");
        let bound = button.bound.unwrap();
        assert_eq!((bound.by.as_deref(), bound.reason.as_deref()), (Some("a person"), Some("why")));
        assert_eq!(Control::read(json!([])).unwrap(), Control::default());
    }

    #[test]
    fn what_is_not_understood_allows_nothing() {
        let error = Control::read(json!([row(EVERYWHERE, Some("stop"))])).unwrap_err().to_string();
        assert!(error.contains("remediation.controls cannot be read"), "{error}");
    }
}
