//! Puts the fence on the application's table, and takes it away again (design, 6.9): a trigger that keeps closed rows closed.
//!
//! Nothing but an operator's event does this. It is the one thing of ours that an application's table ever bears.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::domain::{Language, Refused};
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::sessions;
use crate::gather::table::Table;
use crate::text;

/// What is to become of the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is to stand, as this build makes it.
    Install,
    /// It is to go.
    Remove,
}

/// How the fence was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Absent,
    /// It stands on this table, as this build makes it.
    Installed,
    /// There is one of another build, on another table, or switched off.
    Outdated,
}

/// A change of the fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// What to do.
    pub change: Change,
    /// The application's table, `<schema>.<table>`.
    pub table: String,
    /// What was there when it was decided on.
    pub found: State,
}

/// How long the application's writes may have to wait behind us for their table.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '3s'";

impl Change {
    const fn wanted(self) -> State {
        match self {
            Self::Install => State::Installed,
            Self::Remove => State::Absent,
        }
    }
}

impl State {
    /// As images spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Installed => "installed",
            Self::Outdated => "outdated",
        }
    }

    /// Reads the catalogue. Without a table that a fence can stand on, one that is there is outdated.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn read(db: &mut PgConnection, table: Option<&Table>) -> Result<Self, Error> {
        let current: Option<bool> = sqlx::query_scalar(include_str!("fence_state.sql"))
            .bind(table.map(Table::relation))
            .bind(table.and_then(|table| definition(table).ok()))
            .fetch_optional(db)
            .await
            .map_err(Error::database("looking for the fence"))?;
        Ok(match current {
            None => Self::Absent,
            Some(true) => Self::Installed,
            Some(false) => Self::Outdated,
        })
    }

    fn image(self) -> Value {
        json!({ "fence": self.as_str() })
    }
}

impl Fence {
    /// As the ledger spells it.
    pub const INSTALL: &'static str = "install-fence";
    /// As the ledger spells it.
    pub const REMOVE: &'static str = "remove-fence";

    /// What is to be done to the fence; `None` where it is so already.
    ///
    /// # Errors
    /// [`Error::Table`] where it cannot stand on this table.
    pub fn missing(change: Change, found: State, name: String, table: Option<&Table>) -> Result<Option<Self>, Error> {
        if let (Change::Install, Some(table)) = (change, table) {
            definition(table)?;
        }
        Ok((found != change.wanted()).then_some(Self { change, table: name, found }))
    }
}

impl Action for Fence {
    fn kind(&self) -> &'static str {
        match self.change {
            Change::Install => Self::INSTALL,
            Change::Remove => Self::REMOVE,
        }
    }

    fn target(&self) -> String {
        format!("fence of {}", self.table)
    }

    fn preview(&self) -> (Value, Value) {
        (self.found.image(), self.change.wanted().image())
    }

    fn class(&self) -> Class {
        Class::Fence
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::INSTALL, Self::REMOVE]
    }

    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let table = session.table().await;
        apply(session.db, table, run, planned, action, session.config.language).await
    }

    fn no_undo(kind: &str, _: &str, language: Language) -> Option<String> {
        let event = if kind == Self::INSTALL { r#"{"fence": "remove"}"# } else { r#"{"fence": "install"}"# };
        Some(text!(
            language,
            ja: "フェンスは専用のイベントで元に戻す: migrate に {event} を送る",
            en: "the fence is undone by its own event: send {event} to migrate",
        ))
    }

    /// It is recorded in the transaction in which it is made: none is ever left open.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}

/// What another application's table lacks for a fence, by the key of its profile.
fn lacking(table: &Table) -> Option<&'static str> {
    let profile = table.profile();
    [
        ("progress", table.has("progress")),
        ("attempts", table.has("retry_count")),
        ("times.finished", table.has("completed_at")),
        ("times.updated", table.has("updated_at")),
        ("error.column", table.is_jsonb("error")),
        ("result.column", table.is_jsonb("result")),
        ("status.column", profile.columns.status_key.is_none()),
        ("where", profile.filter.is_empty()),
    ]
    .into_iter()
    .find(|(_, serves)| !serves)
    .map(|(key, _)| key)
}

/// The statements that make the fence.
fn definition(table: &Table) -> Result<String, Error> {
    if table.profile().is_anothers()
        && let Some(key) = lacking(table)
    {
        return Err(Error::Table(text!(
            table.language(),
            ja: "フェンスを設置しない: アプリケーションのプロファイルの `{key}` では、遅れた書き込みを見分けられない。必要なのは進捗、試行回数、更新・終了時刻、JSON のエラーと結果、専用のステータス列、`where` のない表",
            en: "the fence is not installed: with the profile's `{key}` as it is, a late write cannot be told from another. It needs progress, attempts, times of change and end, a JSON error and result, a status column of its own, and no `where`",
        )));
    }
    if !table.has("retry_count") {
        let relation = table.relation();
        return Err(Error::Table(text!(
            table.language(),
            ja: "テーブル {relation} に列 `retry_count`（または \"retryCount\"）がない。再試行と遅れた書き込みを区別できないため、フェンスを設置しない",
            en: "table {relation} has no column `retry_count` (or \"retryCount\"): the fence could not tell a retry from a late write, so it is not installed",
        )));
    }
    let refused = match table.words().fence {
        Refused::Keep => "OLD",
        Refused::Skip => "NULL",
    };
    let AssertSqlSafe(sql) = table.sql(&include_str!("fence.sql").replace("{refused}", refused));
    Ok(sql)
}

/// Makes the change and its ledger entry in one transaction. Two of them at once wait for each other.
///
/// # Errors
/// [`Error::Refused`] where the table is locked for too long or a right is missing, [`Error::Table`], [`Error::Database`]; nothing
/// is left behind then.
pub async fn apply(
    db: &mut PgConnection,
    table: Result<Arc<Table>, Error>,
    run: &Run,
    planned: &Planned,
    action: &Fence,
    language: Language,
) -> Result<Outcome, Error> {
    let table = match action.change {
        Change::Install => Some(table?),
        // Whatever has become of the table, its fence can go.
        Change::Remove => table.ok(),
    };
    let mut transaction = db.begin().await.map_err(Error::database("changing the fence"))?;
    let done = match change(&mut transaction, table.as_deref(), run, planned, action).await {
        Ok(done) if done.result == ActionResult::Applied => {
            transaction.commit().await.map_err(Error::database("changing the fence"))?;
            return Ok(done);
        }
        done => done,
    };
    transaction.rollback().await.map_err(Error::database("leaving the fence as it is"))?;
    match done {
        Err(Trouble::Locked) => {
            let (name, relation) =
                (&action.table, table.map_or_else(|| action.table.clone(), |table| table.relation()));
            Err(Error::Refused(text!(
                language,
                ja: "`fence`: テーブル {name} が 3 秒間ロックされたままのため、変更しなかった。再試行する。ロックの保持者: SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = '{relation}'::regclass)",
                en: "`fence`: table {name} stayed locked by somebody else for 3 s, so nothing was changed: try again; who holds it: SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = '{relation}'::regclass)",
            )))
        }
        Err(Trouble::Forbidden(why)) => {
            let user = sessions::current_user(db).await?;
            let relation = table.map_or_else(|| action.table.clone(), |table| table.relation());
            Err(Error::Refused(text!(
                language,
                ja: "`fence`: {why}。変更しなかった。GRANT TRIGGER ON {relation} TO {user}",
                en: "`fence`: {why}, so nothing was changed: GRANT TRIGGER ON {relation} TO {user}",
            )))
        }
        Err(Trouble::Other(error)) => Err(error),
        Ok(done) => Ok(done),
    }
}

/// Why the database did not do it.
enum Trouble {
    Locked,
    Forbidden(String),
    Other(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(|error| error.code()).as_deref() {
            Some("55P03") => Self::Locked,
            Some("42501") => Self::Forbidden(error.to_string()),
            _ => Self::Other(Error::database("changing the fence")(error)),
        }
    }
}

async fn change(
    db: &mut PgConnection,
    table: Option<&Table>,
    run: &Run,
    planned: &Planned,
    action: &Fence,
) -> Result<Outcome, Trouble> {
    sqlx::raw_sql(LOCK_TIMEOUT).execute(&mut *db).await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('remediation:fence', 0))").execute(&mut *db).await?;
    let wanted = action.change.wanted();
    let before = State::read(db, table).await?;
    let outcome = |result, after: State| Outcome {
        id: planned.id,
        result,
        before: Some(before.image()),
        after: Some(after.image()),
        again: None,
    };
    if before == wanted {
        return Ok(outcome(ActionResult::Superseded, before));
    }
    // With its trigger, on whichever table that is, and whoever owns that.
    sqlx::raw_sql("DROP FUNCTION IF EXISTS remediation.fence() CASCADE").execute(&mut *db).await?;
    if let (Change::Install, Some(table)) = (action.change, table) {
        let definition = definition(table)?;
        sqlx::raw_sql(AssertSqlSafe(definition.as_str())).execute(&mut *db).await?;
        let digest: String = sqlx::query_scalar("SELECT md5($1)").bind(&definition).fetch_one(&mut *db).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("COMMENT ON FUNCTION remediation.fence() IS 'md5:{digest}'")))
            .execute(&mut *db)
            .await?;
    }
    let after = State::read(db, table).await?;
    if after != wanted {
        let why = format!("the catalogue reads `{}` afterwards, so all was taken back", after.as_str());
        return Ok(outcome(ActionResult::Failed(why), after));
    }
    let outcome = outcome(ActionResult::Applied, after);
    // The run's own record, which would keep the operator's words, is in the log.
    let reason =
        run.reason.as_ref().map_or_else(|| planned.reason.clone(), |asked| format!("{} — {asked}", planned.reason));
    let planned = Planned { reason, ..planned.clone() };
    entries::record(db, run, &planned, outcome.before.as_ref(), outcome.after.as_ref()).await?;
    Ok(outcome)
}
