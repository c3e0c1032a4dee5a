//! Sets a goal ACTIVE that is something else although work under it is still open (guide, 4 step 2).

use serde_json::{Value, json};
use sqlx::{PgConnection, Row};

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::rows::{self, is_about_a_row};
use crate::act::texts;
use crate::domain::{Language, ProcessId};
use crate::gather::error::Error;
use crate::gather::goals::{GoalId, GoalStatus, Goals};
use crate::gather::session::Session;
use crate::gather::table::Table;
use crate::stored;

/// A goal that is to be ACTIVE again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetGoalStatus {
    /// The goal.
    pub goal: GoalId,
    /// Its row's version as it was read: the write compares it.
    pub version: i64,
    /// Its status as it was read: the write compares it.
    pub from: GoalStatus,
    /// The failed process that led to it; it is none of the work that is still open, and is looked at anew where the goal has moved.
    /// `None` where the goal itself was named.
    pub process: Option<ProcessId>,
    /// Why, in a word, for whoever asks the ledger: `open-children`, `asked`.
    pub cause: &'static str,
}

impl SetGoalStatus {
    /// As the ledger spells it.
    pub const KIND: &'static str = "set-goal-status";
}

impl Action for SetGoalStatus {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        self.goal.to_string()
    }

    fn preview(&self) -> (Value, Value) {
        (json!({ "status": self.from.as_str() }), json!({ "status": GoalStatus::Active.as_str() }))
    }

    fn class(&self) -> Class {
        Class::Goal
    }

    fn terms(&self) -> Option<String> {
        Some(json!({ "from": self.from.as_str() }).to_string())
    }

    fn rests_on(&self) -> Value {
        json!({ "row": self.version })
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    fn counts_failures(_: &str) -> bool {
        true
    }

    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let table = session.table().await?;
        apply(session.db, &table, run, planned, action, session.config.language).await
    }

    fn no_undo(_: &str, _: &str, _: Language) -> Option<String> {
        None
    }

    async fn undo(session: &mut Session<'_>, run: &Run, planned: &Planned, entry: &Entry) -> Result<Outcome, Error> {
        let table = session.table().await?;
        undo(session.db, &table, (run, planned, entry), session.config.language).await
    }

    /// It is recorded in the statement in which it is made: none is ever left open.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}

/// Takes a goal's change back, if nobody has written the goal since.
///
/// # Errors
/// As [`apply`].
pub async fn undo(
    db: &mut PgConnection,
    table: &Table,
    of: (&Run, &Planned, &Entry),
    language: Language,
) -> Result<Outcome, Error> {
    let goals = Goals::to_write(db, table).await?;
    let sql = goals.sql(table, include_str!("set_goal_status/undo.sql"));
    rows::undo(db, sql, of, &["status"], language).await
}

/// Writes the goal and its ledger entry in one statement. What it returns was read back in that statement.
///
/// # Errors
/// [`Error::Table`] where the goals, or the grant to write them, are gone; [`Error::Database`].
pub async fn apply(
    db: &mut PgConnection,
    table: &Table,
    run: &Run,
    planned: &Planned,
    action: &SetGoalStatus,
    language: Language,
) -> Result<Outcome, Error> {
    let writing = "writing a goal and its ledger entry";
    let goals = Goals::to_write(db, table).await?;
    let written = sqlx::query(goals.sql(table, include_str!("set_goal_status.sql")))
        .bind(planned.id)
        .bind(action.goal.0)
        .bind(action.version)
        .bind(action.from.as_str())
        .bind(action.process.map(String::from))
        .bind(run.id)
        .bind(run.step)
        .bind(SetGoalStatus::KIND)
        .bind(action.cause)
        .bind(stored::text(&planned.reason))
        .bind(texts::kept_by_table(language))
        .fetch_one(&mut *db)
        .await;
    let row = match written {
        Ok(row) => row,
        // A trigger that raises, or a constraint.
        Err(error) if is_about_a_row(&error) => {
            let why = error.to_string();
            entries::record_failed(db, run, planned, action.cause, &why).await?;
            let result = ActionResult::Failed(texts::table_refuses(language, &why));
            return Ok(Outcome { id: planned.id, result, before: None, after: None, again: None });
        }
        Err(error) => return Err(Error::database(writing)(error)),
    };
    let read = || -> Result<Outcome, sqlx::Error> {
        let (mine, written): (bool, bool) = (row.try_get("mine")?, row.try_get("written")?);
        let result = match (mine, written, row.try_get::<Option<bool>, _>("as_wanted")?) {
            (false, ..) => ActionResult::Busy,
            (true, false, _) if row.try_get("kept")? => ActionResult::Failed(texts::kept_by_table(language)),
            (true, false, _) => ActionResult::Superseded,
            (true, true, Some(true)) => ActionResult::Applied,
            (true, true, _) => ActionResult::Unverified(texts::reads_otherwise(language)),
        };
        let again = action.process.filter(|_| result == ActionResult::Superseded);
        Ok(Outcome { id: planned.id, result, before: row.try_get("before")?, after: row.try_get("after")?, again })
    };
    read().map_err(Error::database(writing))
}
