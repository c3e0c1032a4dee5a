//! Drops what a failed build of an index left behind; and what the two kinds of changes of an index have alike.
//!
//! There is no inverse: an INVALID index serves no query.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::actions::create_index::texts;
use crate::act::ledger::entries::{self, Begin};
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::indexes::{self, Found, Proposed, State};
use crate::gather::session::Session;
use crate::gather::table::Table;
use crate::text;

/// An INVALID index of ours that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropInvalidIndex {
    /// `<schema>.<name>`.
    pub target: String,
    /// Which one: another that has come in its place is left alone.
    pub oid: i64,
    /// As `pg_get_indexdef` has it.
    pub definition: String,
    /// How carefully.
    pub care: Care,
}

/// Bounds of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Care {
    /// How long it waits for any one lock or older transaction.
    pub lock: Duration,
    /// A build is not begun while a transaction older than this is open that it would wait for.
    pub transaction: TimeDelta,
    /// A build is not begun with less time than this left to the run.
    pub least: Duration,
}

impl DropInvalidIndex {
    /// As the ledger spells it.
    pub const KIND: &'static str = "drop-invalid-index";
}

impl Action for DropInvalidIndex {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        self.target.clone()
    }

    fn preview(&self) -> (Value, Value) {
        (json!({ "definition": self.definition, "valid": false }), absent())
    }

    fn class(&self) -> Class {
        Class::Index
    }

    fn terms(&self) -> Option<String> {
        Some(self.definition.clone())
    }

    fn is_told() -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    /// If it is still what a failed build left behind, and nobody builds it: the server's own lock keeps a build that is under way, for
    /// whoever builds holds the lock that dropping waits for.
    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let table = session.table().await?;
        let (before, _) = action.preview();
        let outcome =
            |result, after| Outcome { id: planned.id, result, before: Some(before.clone()), after, again: None };
        let index = match look(session.db, &table, &action.target).await? {
            Some(index) if matches!(&index.state, State::Invalid(found) if found.oid == action.oid) => index,
            Some(Proposed { state: State::Building { .. }, .. }) => return Ok(outcome(ActionResult::Busy, None)),
            other => return Ok(outcome(ActionResult::Superseded, other.map(|index| image_of(&index.state)))),
        };
        if !entries::begin(session.db, run, planned, &entry(&before)).await? {
            return Ok(outcome(ActionResult::Busy, None));
        }
        let (result, after) = take_away(session, &table, &index, action.oid, action.care.lock).await?;
        entries::close(session.db, planned.id, &result, after.as_ref()).await?;
        Ok(outcome(result, after))
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(text!(
            language,
            ja: "INVALID なインデックスは検索に使われていなかったため、戻す必要がない",
            en: "no query used the INVALID index, so there is nothing to restore",
        ))
    }

    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        resolve(session, open).await
    }
}

/// Closes what a crash left open of the changes of an index, by looking. A build that goes on without the run that began it is left open.
pub(super) async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
    let (language, table) = (session.config.language, session.table().await?);
    let proposed = indexes::proposed(session.db, &table).await?;
    for entry in open {
        let Some(index) = proposed.iter().find(|index| index.target == entry.target) else { continue };
        let builds = entry.undoes.is_none() && entry.kind != DropInvalidIndex::KIND;
        let result = match (builds, &index.state) {
            (_, State::Building { .. }) => continue,
            (true, State::Present(_)) => ActionResult::Applied,
            (true, _) => ActionResult::Failed(texts::interrupted(language)),
            (false, State::Missing) => ActionResult::Applied,
            (false, State::Present(found)) if found.name != index.name => ActionResult::Applied,
            (false, _) => ActionResult::Failed(texts::still_there(language)),
        };
        entries::close(session.db, entry.id, &result, Some(&image_of(&index.state))).await?;
    }
    Ok(Vec::new())
}

/// What the ledger has of a change of an index before it is made.
pub(super) fn entry(before: &Value) -> Begin<'_> {
    Begin { cause: Some(CAUSE), before: Some(before), takes_over: true, ..Begin::default() }
}

/// As the ledger keeps why.
pub(super) const CAUSE: &str = "missing";

pub(super) fn absent() -> Value {
    json!({ "definition": null })
}

fn image(found: &Found, valid: bool) -> Value {
    json!({ "definition": found.definition, "valid": valid, "bytes": found.bytes })
}

pub(super) fn image_of(state: &State) -> Value {
    match state {
        State::Present(found) => image(found, true),
        State::Invalid(found) => image(found, false),
        State::Missing => absent(),
        State::Building { pid, .. } => json!({ "builder": pid }),
        State::Taken(definition) => json!({ "definition": definition }),
    }
}

pub(super) async fn look(db: &mut PgConnection, table: &Table, target: &str) -> Result<Option<Proposed>, Error> {
    Ok(indexes::proposed(db, table).await?.into_iter().find(|index| index.target == target))
}

/// Drops an index, and reads back whether it is gone.
pub(super) async fn take_away(
    session: &mut Session<'_>,
    table: &Table,
    index: &Proposed,
    oid: i64,
    lock: Duration,
) -> Result<(ActionResult, Option<Value>), Error> {
    let language = session.config.language;
    let done = bounded(session.db, &drop_statement(index), lock, session.stop_at).await?;
    let after = look(session.db, table, &index.target).await?.map(|index| index.state);
    let result = match done {
        Ok(()) if after.as_ref().is_some_and(|state| state.is_without(oid)) => ActionResult::Applied,
        Ok(()) => ActionResult::Failed(texts::still_there(language)),
        Err(error) => ActionResult::Failed(texts::not_dropped(language, &error.to_string())),
    };
    Ok((result, after.map(|state| image_of(&state))))
}

pub(super) fn drop_statement(index: &Proposed) -> String {
    format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index.quoted)
}

/// Runs a statement that may not be in a transaction, which waits `lock` at the most for each lock, and which the server ends at `until`.
pub(super) async fn bounded(
    db: &mut PgConnection,
    statement: &str,
    lock: Duration,
    until: Instant,
) -> Result<Result<(), sqlx::Error>, Error> {
    // 0 would mean no bound at all.
    let limit = until.saturating_duration_since(Instant::now()).as_millis().max(1);
    let bounds = format!("SET lock_timeout = {}; SET statement_timeout = {limit}", lock.as_millis().max(1));
    sqlx::raw_sql(AssertSqlSafe(bounds)).execute(&mut *db).await.map_err(Error::database("bounding a build"))?;
    let done = match sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *db).await {
        Ok(_) => Ok(()),
        Err(error @ sqlx::Error::Database(_)) => Err(error),
        Err(error) => return Err(Error::database("building or dropping an index")(error)),
    };
    sqlx::raw_sql("RESET lock_timeout; RESET statement_timeout")
        .execute(db)
        .await
        .map_err(Error::database("lifting a build's bounds"))?;
    Ok(done)
}
