//! Takes an earlier change back: its inverse, as a compare-and-set on what that change left behind (design, 6.6).

use serde_json::Value;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    ActionResult, CreateIndex, DropInvalidIndex, EndSession, Fence, Outcome, RetryProcess, SetControl, SetGoalStatus,
    SetRowStatus, StartStep, StopExecution,
};
use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::gather::error::Error;
use crate::gather::goals::Goals;
use crate::gather::table::Table;
use crate::gather::worker::Setting;

/// An action that is to be taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Undo {
    /// The action's identity in the ledger.
    pub of: Uuid,
    /// What kind of change it was.
    pub kind: Undoable,
    /// What it changed.
    pub target: String,
    /// What it found.
    pub before: Value,
    /// What it left behind.
    pub after: Value,
}

/// The kinds of changes that have an inverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undoable {
    /// [`SetRowStatus`].
    RowStatus,
    /// [`SetGoalStatus`].
    GoalStatus,
    /// [`CreateIndex`].
    Index,
    /// [`super::ChangeWorker`]; [`super::change_worker::undo`] takes it back.
    Worker(Setting),
    /// [`SetControl`]; [`super::set_control::undo`] takes it back.
    Control,
}

impl Undoable {
    /// The kind that the ledger spells so; `None` where it has no inverse.
    #[must_use]
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            SetRowStatus::KIND => Some(Self::RowStatus),
            SetGoalStatus::KIND => Some(Self::GoalStatus),
            CreateIndex::KIND => Some(Self::Index),
            SetControl::KIND => Some(Self::Control),
            kind => Setting::of_kind(kind).filter(|setting| setting.is_revertible()).map(Self::Worker),
        }
    }

    /// What must be as it was before, once it is taken back.
    const fn restores(self) -> &'static [&'static str] {
        match self {
            Self::RowStatus => &["status", "progress", "error", "completedAt", "result"],
            Self::GoalStatus => &["status"],
            Self::Index => &["definition"],
            // Its own action reads back what it wrote.
            Self::Worker(_) | Self::Control => &[],
        }
    }
}

impl Undo {
    /// As the ledger spells it.
    pub const KIND: &'static str = "undo";

    /// Reads an action that is to be taken back.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is none, where it changed nothing, or where it has no inverse; [`Error::Database`].
    pub async fn read(db: &mut PgConnection, of: Uuid) -> Result<Self, Error> {
        let row = sqlx::query(
            "SELECT kind, target, outcome, before, after,
                    (SELECT u.id FROM remediation.actions u WHERE u.undo_of = a.id AND u.outcome = 'applied') AS undone_by
               FROM remediation.actions a WHERE id = $1",
        )
        .bind(of)
        .fetch_optional(db)
        .await
        .map_err(Error::database("reading the action to undo"))?
        .ok_or_else(|| {
            Error::Refused(format!("`undo` {of}: the ledger has no such action; see `actions[].id` of a result, or remediation.actions"))
        })?;
        let read = || -> Result<_, sqlx::Error> {
            let (kind, outcome): (String, String) = (row.try_get("kind")?, row.try_get("outcome")?);
            let undone_by: Option<Uuid> = row.try_get("undone_by")?;
            let images: (Option<Value>, Option<Value>) = (row.try_get("before")?, row.try_get("after")?);
            Ok((kind, outcome, undone_by, images, row.try_get::<String, _>("target")?))
        };
        let (kind, outcome, undone_by, images, target) =
            read().map_err(Error::database("reading the action to undo"))?;
        let refused = |why: String| Err(Error::Refused(format!("`undo` {of}: {why}")));
        match (kind.as_str(), Undoable::of(&kind), outcome.as_str(), undone_by, images) {
            (StopExecution::KIND, ..) => {
                refused("a stopped execution cannot be resumed; start the work anew".to_owned())
            }
            (Fence::INSTALL, ..) => refused(
                "the fence is taken away by an event of its own: send {\"fence\": \"remove\"} to migrate".to_owned(),
            ),
            (Fence::REMOVE, ..) => refused(
                "the fence is put back by an event of its own: send {\"fence\": \"install\"} to migrate".to_owned(),
            ),
            (StartStep::KIND, ..) => refused(format!(
                "a run that was started cannot be un-started; take back what it did: see remediation.actions WHERE step = '{}'",
                target.trim_start_matches("step ")
            )),
            (RetryProcess::KIND, ..) => refused(format!(
                "a started execution cannot be un-started; to end it, send stop-cancelled-executions {{\"processId\": \"{target}\", \"cancel\": true}}"
            )),
            (EndSession::CANCEL | EndSession::TERMINATE, ..) => refused(
                "what the session had not committed was rolled back and cannot be brought back; the application may try it again"
                    .to_owned(),
            ),
            (DropInvalidIndex::KIND, ..) => {
                refused("an INVALID index serves no query, so there is nothing worth having back".to_owned())
            }
            (.., Some(by), _) => refused(format!("it was undone already, by action {by}")),
            (_, Some(kind), "applied", None, (Some(before), Some(after))) => {
                Ok(Self { of, kind, target, before, after })
            }
            (_, Some(_), outcome, ..) => refused(format!("it is `{outcome}`: it changed nothing")),
            (kind, None, ..) => refused(format!("an action of kind `{kind}` has no inverse")),
        }
    }
}

/// Takes a change of a row back.
///
/// # Errors
/// [`Error::Database`]; [`Error::Table`] where what was changed is no longer there, or may not be written.
pub async fn apply(
    db: &mut PgConnection,
    table: &Table,
    run: &Run,
    planned: &Planned,
    action: &Undo,
) -> Result<Outcome, Error> {
    let sql = match action.kind {
        Undoable::RowStatus => table.sql(include_str!("undo.sql")),
        Undoable::GoalStatus => Goals::to_write(db, table).await?.sql(table, include_str!("undo_goal_status.sql")),
        Undoable::Index | Undoable::Worker(_) | Undoable::Control => {
            return Err(Error::Refused(format!("`undo` {}: it changed no row", action.of)));
        }
    };
    let written = sqlx::query(sql)
        .bind(action.of)
        .bind(planned.id)
        .bind(run.id)
        .bind(run.step)
        .bind(Undo::KIND)
        .bind(&planned.reason)
        .fetch_optional(db)
        .await
        .map_err(Error::database("undoing an action"))?;
    let images = |row: sqlx::postgres::PgRow| -> Result<(Value, Value), sqlx::Error> {
        Ok((row.try_get("before")?, row.try_get("after")?))
    };
    Ok(match written.map(images).transpose().map_err(Error::database("reading back what was undone"))? {
        Some((before, after)) => {
            let same = action.kind.restores().iter().all(|part| after[part] == action.before[part]);
            let result = if same {
                ActionResult::Applied
            } else {
                ActionResult::Unverified("the row does not read back as it was before".to_owned())
            };
            Outcome { id: planned.id, result, before: Some(before), after: Some(after), again: None }
        }
        None => Outcome {
            id: planned.id,
            result: ActionResult::Failed(
                "the row has changed since, or is being written now: it is left as it is; read it and decide anew"
                    .to_owned(),
            ),
            before: Some(action.after.clone()),
            after: None,
            again: None,
        },
    })
}
