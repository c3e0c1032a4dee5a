//! Makes an index on the application's table without holding up the application, drops what a failed build left behind, and takes a
//! made index away again. Nothing but a plan that a person approved, or a person's undo, does this.
//!
//! `CREATE INDEX CONCURRENTLY` and `DROP INDEX CONCURRENTLY` cannot run in a transaction, so their bounds cannot be set with `SET LOCAL`:
//! this is the one place where the session's own are set, and reset afterwards. Behind RDS Proxy that pins the connection for as long as
//! it lives, which one function, once a week at the most, may cost.
//!
//! The server itself ends a build before the run's time is over (`statement_timeout`), whatever has become of us. A build that was ended
//! leaves an INVALID index behind. It is dropped at once where that is possible; where it is not, the next plan has it.

pub mod texts;

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::actions::drop_index::{
    CAUSE, Care, absent, bounded, drop_statement, entry, image_of, look, resolve, take_away,
};
use crate::act::ledger::entries::{self, Begin};
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::indexes::{self, State};
use crate::gather::session::Session;
use crate::gather::table::Table;

/// An index that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateIndex {
    /// `<schema>.<name>`.
    pub target: String,
    /// The statement that makes it: a person approves exactly this one.
    pub statement: String,
    /// How carefully.
    pub care: Care,
}

/// What is kept of the run's time to drop what a build that was ended has left behind.
const TO_CLEAN_UP: Duration = Duration::from_secs(30);

impl CreateIndex {
    /// As the ledger spells it.
    pub const KIND: &'static str = "create-index";
}

impl Action for CreateIndex {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        self.target.clone()
    }

    fn preview(&self) -> (Value, Value) {
        (absent(), json!({ "statement": self.statement }))
    }

    fn class(&self) -> Class {
        Class::Index
    }

    fn terms(&self) -> Option<String> {
        Some(self.statement.clone())
    }

    fn is_told() -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    /// Looked at once more, recorded first, built, read back; and what a failed build leaves behind is dropped.
    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let (language, table) = (session.config.language, session.table().await?);
        let outcome = |result, after| Outcome { id: planned.id, result, before: Some(absent()), after, again: None };
        let Some(index) = look(session.db, &table, &action.target).await? else {
            return Ok(outcome(ActionResult::Superseded, None));
        };
        let refused = match &index.state {
            State::Missing if index.statement == action.statement => not_now(session, &table, action).await?,
            State::Missing | State::Present(_) => {
                return Ok(outcome(ActionResult::Superseded, Some(image_of(&index.state))));
            }
            State::Building { .. } => return Ok(outcome(ActionResult::Busy, None)),
            State::Invalid(_) => Some(texts::left_over_in_the_way(language)),
            State::Taken(definition) => Some(texts::name_taken(language, definition.as_deref())),
        };
        if let Some(why) = refused {
            entries::record_failed(session.db, run, planned, CAUSE, &why).await?;
            return Ok(outcome(ActionResult::Failed(why), None));
        }
        if !entries::begin(session.db, run, planned, &entry(&absent())).await? {
            return Ok(outcome(ActionResult::Busy, None));
        }
        let until = session.stop_at - TO_CLEAN_UP.min(session.stop_at.saturating_duration_since(Instant::now()) / 4);
        let done = bounded(session.db, &action.statement, action.care.lock, until).await?;
        let after = look(session.db, &table, &action.target).await?;
        let result = match (done, after.as_ref().map(|index| &index.state)) {
            (Ok(()), Some(State::Present(_))) => ActionResult::Applied,
            (Ok(()), _) => ActionResult::Failed(texts::not_there(language)),
            (Err(error), Some(State::Invalid(_))) => {
                let why = said(session.db, &table, language, action, &error).await?;
                let dropped = bounded(session.db, &drop_statement(&index), action.care.lock, session.stop_at).await?;
                ActionResult::Failed(format!("{why}; {}", texts::cleaned_up(language, dropped.is_ok())))
            }
            (Err(error), _) => ActionResult::Failed(said(session.db, &table, language, action, &error).await?),
        };
        let after = match &result {
            ActionResult::Applied => after,
            _ => look(session.db, &table, &action.target).await?,
        };
        let after = after.map(|index| image_of(&index.state));
        entries::close(session.db, planned.id, &result, after.as_ref()).await?;
        Ok(outcome(result, after))
    }

    fn no_undo(_: &str, _: &str, _: Language) -> Option<String> {
        None
    }

    /// Takes the index away, if it is still the one that was made.
    async fn undo(session: &mut Session<'_>, run: &Run, planned: &Planned, undone: &Entry) -> Result<Outcome, Error> {
        let (language, table) = (session.config.language, session.table().await?);
        let outcome = |result, before, after| Outcome { id: planned.id, result, before, after, again: None };
        let index = look(session.db, &table, &undone.target).await?;
        let made = index.as_ref().and_then(|index| match &index.state {
            // An undo that was ended half-way leaves it INVALID.
            State::Present(found) | State::Invalid(found)
                if found.name == index.name
                    && undone.after.as_ref().is_some_and(|made| made["definition"] == found.definition) =>
            {
                Some((index, found))
            }
            _ => None,
        });
        let Some((index, found)) = made else {
            let now = index.map(|index| image_of(&index.state));
            return Ok(outcome(ActionResult::Failed(texts::another_index(language)), undone.after.clone(), now));
        };
        let before = image_of(&index.state);
        if !entries::begin(session.db, run, planned, &Begin { undoes: Some(undone.id), ..entry(&before) }).await? {
            return Ok(outcome(ActionResult::Busy, Some(before), None));
        }
        let (result, after) = take_away(session, &table, index, found.oid, UNDO_LOCK).await?;
        entries::close(session.db, planned.id, &result, after.as_ref()).await?;
        Ok(outcome(result, Some(before), after))
    }

    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        resolve(session, open).await
    }
}

/// How long an undo waits for any one lock or older transaction.
const UNDO_LOCK: Duration = Duration::from_secs(10);

/// Why a build is not begun now, where it is not.
async fn not_now(session: &mut Session<'_>, table: &Table, action: &CreateIndex) -> Result<Option<String>, Error> {
    let language = session.config.language;
    let left = session.stop_at.saturating_duration_since(Instant::now());
    if left < action.care.least {
        return Ok(Some(texts::too_late(language, left)));
    }
    let in_the_way = indexes::in_the_way(session.db, table, action.care.transaction).await?;
    Ok((!in_the_way.is_empty()).then(|| texts::in_the_way(language, &in_the_way)))
}

/// What PostgreSQL refused, and what to do next.
async fn said(
    db: &mut PgConnection,
    table: &Table,
    language: Language,
    action: &CreateIndex,
    error: &sqlx::Error,
) -> Result<String, Error> {
    let code = error.as_database_error().and_then(|error| error.code());
    Ok(match code.as_deref() {
        Some("55P03") => {
            let now = indexes::in_the_way(db, table, TimeDelta::zero()).await?;
            texts::waited(language, action.care.lock, &now)
        }
        Some("57014") => texts::ended_by_the_server(language, &action.statement),
        Some("42501") => texts::not_allowed(language, &error.to_string(), &action.statement),
        _ => texts::refused(language, &error.to_string()),
    })
}
