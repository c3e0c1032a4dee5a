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
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

use super::{ActionResult, Outcome, Undo};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::indexes::{self, Found, Proposed, State};
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

/// What is kept of the run's time to drop what a build that was ended has left behind.
const TO_CLEAN_UP: Duration = Duration::from_secs(30);

impl CreateIndex {
    /// As the ledger spells it.
    pub const KIND: &'static str = "create-index";

    pub(super) fn preview(&self) -> (Value, Value) {
        (absent(), json!({ "statement": self.statement }))
    }
}

impl DropInvalidIndex {
    /// As the ledger spells it.
    pub const KIND: &'static str = "drop-invalid-index";

    pub(super) fn preview(&self) -> (Value, Value) {
        (json!({ "definition": self.definition, "valid": false }), absent())
    }
}

fn absent() -> Value {
    json!({ "definition": null })
}

fn image(found: &Found, valid: bool) -> Value {
    json!({ "definition": found.definition, "valid": valid, "bytes": found.bytes })
}

impl State {
    fn image(&self) -> Value {
        match self {
            Self::Present(found) => image(found, true),
            Self::Invalid(found) => image(found, false),
            Self::Missing => absent(),
            Self::Building { pid, .. } => json!({ "builder": pid }),
            Self::Taken(definition) => json!({ "definition": definition }),
        }
    }
}

/// Makes an index: looked at once more, recorded first, built, read back; and what a failed build leaves behind is dropped.
///
/// # Errors
/// [`Error::Database`] where the connection is lost or the ledger fails; what PostgreSQL refuses is an outcome.
pub async fn apply(
    session: &mut Session<'_>,
    run: &Run,
    planned: &Planned,
    action: &CreateIndex,
) -> Result<Outcome, Error> {
    let (language, table) = (session.config.language, session.table().await?);
    let outcome = |result, after| Outcome { id: planned.id, result, before: Some(absent()), after, again: None };
    let Some(index) = look(session.db, &table, &action.target).await? else {
        return Ok(outcome(ActionResult::Superseded, None));
    };
    let refused = match &index.state {
        State::Missing if index.statement == action.statement => not_now(session, &table, action).await?,
        State::Missing | State::Present(_) => return Ok(outcome(ActionResult::Superseded, Some(index.state.image()))),
        State::Building { .. } => return Ok(outcome(ActionResult::Busy, None)),
        State::Invalid(_) => Some(texts::left_over_in_the_way(language)),
        State::Taken(definition) => Some(texts::name_taken(language, definition.as_deref())),
    };
    if let Some(why) = refused {
        entries::record_failed(session.db, run, planned, CAUSE, &why).await?;
        return Ok(outcome(ActionResult::Failed(why), None));
    }
    if !begin(session.db, run, planned, &absent(), None).await? {
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
    let after = after.map(|index| index.state.image());
    entries::close_action(session.db, planned.id, &result, after.as_ref()).await?;
    Ok(outcome(result, after))
}

/// Drops what a failed build left behind, if it is still that and nobody builds it. There is no inverse: it served no query.
///
/// The server's own lock keeps a build that is under way: whoever builds holds the lock that dropping waits for.
///
/// # Errors
/// As [`apply`].
pub async fn drop_invalid(
    session: &mut Session<'_>,
    run: &Run,
    planned: &Planned,
    action: &DropInvalidIndex,
) -> Result<Outcome, Error> {
    let table = session.table().await?;
    let (before, _) = action.preview();
    let outcome = |result, after| Outcome { id: planned.id, result, before: Some(before.clone()), after, again: None };
    let index = match look(session.db, &table, &action.target).await? {
        Some(index) if matches!(&index.state, State::Invalid(found) if found.oid == action.oid) => index,
        Some(Proposed { state: State::Building { .. }, .. }) => return Ok(outcome(ActionResult::Busy, None)),
        other => return Ok(outcome(ActionResult::Superseded, other.map(|index| index.state.image()))),
    };
    if !begin(session.db, run, planned, &before, None).await? {
        return Ok(outcome(ActionResult::Busy, None));
    }
    let (result, after) = take_away(session, &table, &index, action.oid, action.care.lock).await?;
    entries::close_action(session.db, planned.id, &result, after.as_ref()).await?;
    Ok(outcome(result, after))
}

/// Takes an index away that was made, if it is still the one that was made.
///
/// # Errors
/// As [`apply`].
pub async fn undo(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Undo) -> Result<Outcome, Error> {
    let (language, table) = (session.config.language, session.table().await?);
    let outcome = |result, before, after| Outcome { id: planned.id, result, before, after, again: None };
    let index = look(session.db, &table, &action.target).await?;
    let made = index.as_ref().and_then(|index| match &index.state {
        // An undo that was ended half-way leaves it INVALID.
        State::Present(found) | State::Invalid(found)
            if found.name == index.name && action.after["definition"] == found.definition =>
        {
            Some((index, found))
        }
        _ => None,
    });
    let Some((index, found)) = made else {
        let now = index.map(|index| index.state.image());
        return Ok(outcome(ActionResult::Failed(texts::another_index(language)), Some(action.after.clone()), now));
    };
    let before = index.state.image();
    if !begin(session.db, run, planned, &before, Some(action.of)).await? {
        return Ok(outcome(ActionResult::Busy, Some(before), None));
    }
    let (result, after) = take_away(session, &table, index, found.oid, UNDO_LOCK).await?;
    close_undo(session.db, planned.id, &result, after.as_ref()).await?;
    Ok(outcome(result, Some(before), after))
}

/// As the ledger keeps why.
const CAUSE: &str = "missing";
/// Of an undo of this kind.
const UNDO_CAUSE: &str = "undo-create-index";
/// How long an undo waits for any one lock or older transaction.
const UNDO_LOCK: Duration = Duration::from_secs(10);

async fn look(db: &mut PgConnection, table: &Table, target: &str) -> Result<Option<Proposed>, Error> {
    Ok(indexes::proposed(db, table).await?.into_iter().find(|index| index.target == target))
}

/// Drops an index, and reads back whether it is gone.
async fn take_away(
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
    Ok((result, after.map(|state| state.image())))
}

fn drop_statement(index: &Proposed) -> String {
    format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index.quoted)
}

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

async fn begin(
    db: &mut PgConnection,
    run: &Run,
    planned: &Planned,
    before: &Value,
    undo_of: Option<Uuid>,
) -> Result<bool, Error> {
    let recorded: Option<Uuid> = sqlx::query_scalar(include_str!("create_index.sql"))
        .bind(planned.id)
        .bind(run.id)
        .bind(run.step)
        .bind(planned.action.kind())
        .bind(planned.action.target())
        .bind(if undo_of.is_some() { UNDO_CAUSE } else { CAUSE })
        .bind(before)
        .bind(&planned.reason)
        .bind(undo_of)
        .fetch_optional(db)
        .await
        .map_err(Error::database("recording what is to become of an index"))?;
    Ok(recorded.is_some())
}

/// Runs a statement that may not be in a transaction, which waits `lock` at the most for each lock, and which the server ends at `until`.
async fn bounded(
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

/// An undo that came to nothing may be tried again.
async fn close_undo(
    db: &mut PgConnection,
    id: Uuid,
    result: &ActionResult,
    after: Option<&Value>,
) -> Result<(), Error> {
    if *result != ActionResult::Applied {
        sqlx::query("UPDATE remediation.actions SET undo_of = NULL WHERE id = $1")
            .bind(id)
            .execute(&mut *db)
            .await
            .map_err(Error::database("closing an undo"))?;
    }
    entries::close_action(db, id, result, after).await
}

/// Closes the actions of these kinds that a crash left open, by looking at what became of them. A build that goes on without the run
/// that began it is left open.
///
/// # Errors
/// [`Error::Database`].
pub async fn resolve_abandoned(db: &mut PgConnection, proposed: &[Proposed], language: Language) -> Result<(), Error> {
    for kind in [CreateIndex::KIND, DropInvalidIndex::KIND, Undo::KIND] {
        for (id, target, cause) in entries::abandoned(db, kind, entries::LONGER_THAN_ANY_LAMBDA).await? {
            let Some(index) = proposed.iter().find(|index| index.target == target) else { continue };
            let is_undo = kind == Undo::KIND;
            if is_undo && cause.as_deref() != Some(UNDO_CAUSE) {
                continue;
            }
            let result = match (kind, &index.state) {
                (_, State::Building { .. }) => continue,
                (CreateIndex::KIND, State::Present(_)) => ActionResult::Applied,
                (CreateIndex::KIND, _) => ActionResult::Failed(texts::interrupted(language)),
                (_, State::Missing) => ActionResult::Applied,
                (_, State::Present(found)) if found.name != index.name => ActionResult::Applied,
                _ => ActionResult::Failed(texts::still_there(language)),
            };
            let after = index.state.image();
            if is_undo {
                close_undo(db, id, &result, Some(&after)).await?;
            } else {
                entries::close_action(db, id, &result, Some(&after)).await?;
            }
        }
    }
    Ok(())
}
