//! Cancels a session's statement, or ends the session (guide, DATABASE_ERROR): one that others wait for, that runs for too long, or
//! that holds a connection while connections are scarce.
//!
//! There is no inverse: what was not committed is rolled back. The application meets an error, and may try again.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::entries::{self, Begin};
use crate::act::ledger::runs::Run;
use crate::act::texts::duration;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::sessions::{self, BACKENDS, Backend, BackendId, Overview};
use crate::text;

/// A session that is to be ended, or whose statement is.
#[derive(Debug, Clone, PartialEq)]
pub struct EndSession {
    /// Which one.
    pub id: BackendId,
    /// As it was read: it must not have moved since.
    pub seen: Backend,
    /// How.
    pub ending: Ending,
    /// Why.
    pub cause: Cause,
    /// Who waits for it, directly.
    pub waiters: Vec<i32>,
}

/// How a session is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its statement fails; session and transaction stay. Without a statement, nothing happens.
    Cancel,
    /// The session ends, and its transaction is rolled back.
    Terminate,
}

/// Why a session is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Others wait for it.
    Blocks,
    /// Its statement runs for too long.
    LongStatement,
    /// It is idle in a transaction, and connections are scarce.
    ConnectionsScarce,
    /// A person named it.
    Asked,
}

/// How long its end is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

impl Cause {
    /// As the ledger spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::LongStatement => "long-statement",
            Self::ConnectionsScarce => "connections-scarce",
            Self::Asked => "asked",
        }
    }
}

impl EndSession {
    /// As the ledger spells it.
    pub const CANCEL: &'static str = "cancel-query";
    /// As the ledger spells it.
    pub const TERMINATE: &'static str = "terminate-session";

    fn before(&self) -> Value {
        json!({
            "application": self.seen.application,
            "state": self.seen.state,
            "user": self.seen.user,
            "statement": self.seen.statement,
            "statementId": self.seen.statement_id,
            "transactionSince": self.seen.transaction_since,
            "statementSince": self.seen.statement_since,
            "stateSince": self.seen.state_since,
            "waiters": self.waiters,
        })
    }
}

impl Action for EndSession {
    fn kind(&self) -> &'static str {
        match self.ending {
            Ending::Cancel => Self::CANCEL,
            Ending::Terminate => Self::TERMINATE,
        }
    }

    fn target(&self) -> String {
        self.id.to_string()
    }

    fn preview(&self) -> (Value, Value) {
        let after = match self.ending {
            Ending::Cancel => json!({ "statement": "cancelled" }),
            Ending::Terminate => json!({ "session": "gone" }),
        };
        (self.before(), after)
    }

    fn class(&self) -> Class {
        Class::Session
    }

    /// A pool gives its sessions from one user to the next: what was approved for one transaction says nothing of another.
    fn terms(&self) -> Option<String> {
        let (what, since) = match self.ending {
            Ending::Cancel => ("statement", self.seen.statement_since),
            Ending::Terminate => ("transaction", self.seen.transaction_since),
        };
        Some(since.map_or_else(|| format!("no {what}"), |since| format!("{what} of {since}")))
    }

    fn is_told() -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::CANCEL, Self::TERMINATE]
    }

    /// Recorded first, compared in the statement that signals, and waited for until it is over. What PostgreSQL refuses is an outcome.
    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let before = Some(action.before());
        let outcome = |result, after| Outcome { id: planned.id, result, before: before.clone(), after, again: None };
        let begin =
            Begin { cause: Some(action.cause.as_str()), before: before.as_ref(), takes_over: true, ..Begin::default() };
        if !entries::begin(session.db, run, planned, &begin).await? {
            return Ok(outcome(ActionResult::Busy, None));
        }
        let (result, after) = match signal(session, action).await? {
            Signalled::Sent => {
                let (result, after) = wait(session, action).await?;
                (result, Some(after))
            }
            Signalled::Moved => (ActionResult::Superseded, None),
            Signalled::Refused(why) => (ActionResult::Failed(why), None),
        };
        entries::close(session.db, planned.id, &result, after.as_ref()).await?;
        Ok(outcome(result, after))
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(text!(
            language,
            ja: "コミット前の変更はロールバックされ、元に戻せない。アプリケーションが再実行すればよい",
            en: "what the session had not committed was rolled back and cannot be restored; the application may retry it",
        ))
    }

    /// By whether the session is still there.
    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        let language = session.config.language;
        let (backends, _) = sessions::backends(session.db).await?;
        for entry in open {
            let Ok(id) = entry.target.parse::<BackendId>() else { continue };
            let result = if backends.iter().any(|backend| backend.id() == Some(id)) {
                ActionResult::Failed(text!(
                    language,
                    ja: "セッションを終了させる前に回が終わったため、セッションは残っている",
                    en: "the run ended before it could end the session, which is still open",
                ))
            } else {
                ActionResult::Unverified(text!(
                    language,
                    ja: "結果を確認する前に回が終わった。セッションは既にない",
                    en: "the run ended before it could check the result; the session is gone",
                ))
            };
            entries::close(session.db, entry.id, &result, None).await?;
        }
        Ok(Vec::new())
    }
}

enum Signalled {
    Sent,
    /// It is no longer there, or no longer where it was.
    Moved,
    /// This user may not.
    Refused(String),
}

async fn signal(session: &mut Session<'_>, action: &EndSession) -> Result<Signalled, Error> {
    // What is allowed may have changed since it was decided on.
    if !session.config.sessions.allows(&action.seen.application, action.seen.client) {
        return Ok(Signalled::Moved);
    }
    let sql = include_str!("end_session.sql").replace("{sessions}", BACKENDS);
    let sent: Result<Option<bool>, sqlx::Error> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(action.ending == Ending::Terminate)
        .bind(action.id.pid)
        .bind(action.id.started_at)
        .bind(action.seen.transaction_since)
        .bind(action.seen.statement_since)
        .bind(action.seen.state_since)
        .bind(action.seen.state.as_str())
        .bind(&action.seen.application)
        .bind(action.cause == Cause::Blocks)
        .fetch_optional(&mut *session.db)
        .await;
    match sent {
        Ok(Some(true)) => Ok(Signalled::Sent),
        // Without a row it has moved; `false` is a session that ended a moment ago.
        Ok(Some(false) | None) => Ok(Signalled::Moved),
        Err(error) if error.as_database_error().and_then(|error| error.code()).as_deref() == Some("42501") => {
            let user = sessions::current_user(session.db).await?;
            Ok(Signalled::Refused(format!("{error}: GRANT pg_signal_backend TO {user}")))
        }
        Err(error) => Err(Error::database("ending a session")(error)),
    }
}

/// Waits until it is over, and reads what that has brought about.
async fn wait(session: &mut Session<'_>, action: &EndSession) -> Result<(ActionResult, Value), Error> {
    let deadline = (Instant::now() + PATIENCE).min(session.stop_at);
    let mut pause = Duration::from_millis(20);
    loop {
        let (backends, _) = sessions::backends(session.db).await?;
        let now = backends.iter().find(|backend| backend.id() == Some(action.id));
        let over = match (action.ending, now) {
            (_, None) => true,
            (Ending::Terminate, Some(_)) => false,
            (Ending::Cancel, Some(now)) => {
                (now.statement_since, now.state) != (action.seen.statement_since, action.seen.state)
            }
        };
        let late = Instant::now() + pause > deadline;
        if !over && !late {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
            continue;
        }
        let waits = |pid: &&i32| backends.iter().any(|backend| backend.pid == **pid && !backend.blocked_by.is_empty());
        let after = json!({
            "session": now.map_or(json!("gone"), |now| json!(now.state)),
            "stillWaiting": action.waiters.iter().filter(waits).collect::<Vec<_>>(),
            "connectionsUsed": Overview::read(session.db).await?.used,
        });
        let result = if over {
            ActionResult::Applied
        } else {
            let language = session.config.language;
            let waited = duration(language, TimeDelta::from_std(PATIENCE).unwrap_or_default());
            ActionResult::Unverified(text!(
                language,
                ja: "シグナル送信から {waited}経っても終了していない。次回に再確認する",
                en: "not over {waited} after the signal was sent: the next run checks again",
            ))
        };
        return Ok((result, after));
    }
}

/// The sessions among these that are still in a transaction of which a statement was cancelled by us.
///
/// # Errors
/// [`Error::Database`].
pub async fn cancelled(db: &mut PgConnection, backends: &[Backend]) -> Result<HashSet<BackendId>, Error> {
    let open = |backend: &Backend| Some((backend.id()?, backend.transaction_since?));
    let open: Vec<(BackendId, DateTime<Utc>)> = backends.iter().filter_map(open).collect();
    let targets: Vec<String> = open.iter().map(|(id, _)| id.to_string()).collect();
    let done: Vec<(String, Option<DateTime<Utc>>)> = sqlx::query_as(
        "SELECT target, (before ->> 'transactionSince')::timestamptz FROM remediation.actions
          WHERE target = ANY ($1) AND kind = $2 AND outcome = 'applied'",
    )
    .bind(&targets)
    .bind(EndSession::CANCEL)
    .fetch_all(db)
    .await
    .map_err(Error::database("reading which statements were cancelled"))?;
    let was = |(id, since): &(BackendId, DateTime<Utc>)| {
        done.iter().any(|(target, of)| *target == id.to_string() && *of == Some(*since))
    };
    Ok(open.into_iter().filter(was).map(|(id, _)| id).collect())
}
