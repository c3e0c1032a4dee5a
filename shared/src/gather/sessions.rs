//! The sessions of the database: how many there are, who waits for whom, and which of them may never be ended.
//!
//! A session that can act on the database is a backend, in PostgreSQL's words; its process id is given to another one later, so its
//! identity is that and its start.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, Row};

use crate::gather::error::Error;

/// Connections and blocked sessions of the whole server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Connections of clients.
    pub used: i64,
    /// Those of them that this user may not look into.
    pub unseen: i64,
    /// Connections that there may be, without the reserved ones.
    pub available: i64,
    /// Sessions that wait for a lock of another one.
    pub blocked: i64,
    /// Up to ten of them: `[{"pid", "blockedBy"}]`.
    #[serde(rename = "blockedSessions")]
    pub named: Value,
}

impl Overview {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn read(db: &mut PgConnection) -> Result<Self, Error> {
        sqlx::query_as(include_str!("sessions/overview.sql"))
            .fetch_one(db)
            .await
            .map_err(Error::database("counting connections and blocked sessions"))
    }

    /// How many percent of the connections are used; `None` where all are reserved.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "there are not 2^52 connections")]
    pub fn percent(&self) -> Option<f64> {
        (self.available > 0).then(|| 100.0 * self.used as f64 / self.available as f64)
    }
}

/// Which session: the ledger's target of what is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendId {
    /// The server's process id.
    pub pid: i32,
    /// When the session began.
    pub started_at: DateTime<Utc>,
}

impl fmt::Display for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All that PostgreSQL keeps of a time.
        write!(f, "session {} of {}", self.pid, self.started_at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl std::str::FromStr for BackendId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (pid, started_at) = text.strip_prefix("session ").and_then(|rest| rest.split_once(" of ")).ok_or(())?;
        Ok(Self { pid: pid.parse().map_err(drop)?, started_at: started_at.parse().map_err(drop)? })
    }
}

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A statement runs, or waits.
    Active,
    /// Outside a transaction.
    Idle,
    /// Within a transaction, between two statements.
    IdleInTransaction,
    /// The same, after a statement of it failed: only a rollback can follow.
    IdleInTransactionAborted,
    /// The server does not say, or it is none of these.
    Unknown,
}

impl State {
    /// As PostgreSQL spells it; [`State::Unknown`] for what decisions do not know.
    #[must_use]
    pub fn of(text: Option<&str>) -> Self {
        match text {
            Some("active") => Self::Active,
            Some("idle") => Self::Idle,
            Some("idle in transaction") => Self::IdleInTransaction,
            Some("idle in transaction (aborted)") => Self::IdleInTransactionAborted,
            // Also `fastpath function call`, `starting`, `disabled` (track_activities is off).
            _ => Self::Unknown,
        }
    }

    /// As PostgreSQL spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::IdleInTransaction => "idle in transaction",
            Self::IdleInTransactionAborted => "idle in transaction (aborted)",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it holds a transaction open while nothing runs in it.
    #[must_use]
    pub const fn is_idle_in_transaction(self) -> bool {
        matches!(self, Self::IdleInTransaction | Self::IdleInTransactionAborted)
    }
}

/// Why a session must never be ended, whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// It is this system's own.
    Own,
    /// This user may not look into it.
    Unseen,
    /// It serves a replica or a logical subscriber, or its user may.
    Replication,
    /// It vacuums or analyzes.
    Vacuum,
    /// It is a process of the server itself.
    Background,
    /// It works in another database of the server.
    OtherDatabase,
    /// Its user is a superuser.
    Superuser,
    /// It changes the schema, or holds or wants a lock that only such a change takes.
    Migration,
}

impl Protection {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "own" => Self::Own,
            "unseen" => Self::Unseen,
            "replication" => Self::Replication,
            "vacuum" => Self::Vacuum,
            "background" => Self::Background,
            "other-database" => Self::OtherDatabase,
            "superuser" => Self::Superuser,
            "migration" => Self::Migration,
            _ => return None,
        })
    }
}

/// A session, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    /// The server's process id.
    pub pid: i32,
    /// When it began; `None` where this user may not look into it.
    pub started_at: Option<DateTime<Utc>>,
    /// Whether it is a client's, so that it holds one of the connections.
    pub is_client: bool,
    /// `application_name`, as its client has set it; `user:` and its user, where it has set none.
    pub application: String,
    /// Where it comes from, over a network.
    pub client: Option<IpAddr>,
    /// The database user.
    pub user: String,
    /// The database that it works in.
    pub database: String,
    /// What it is doing.
    pub state: State,
    /// When its transaction began, where one is open. One that failed has ended already, and let go of its locks, although its
    /// session still waits for a rollback.
    pub transaction_since: Option<DateTime<Utc>>,
    /// When its statement, or its last one, began.
    pub statement_since: Option<DateTime<Utc>>,
    /// Since when it has been doing what it does.
    pub state_since: Option<DateTime<Utc>>,
    /// What it waits for, `Lock/transactionid` …
    pub waits_for: Option<String>,
    /// Its statement, or its last one, without values ([`shape`]).
    pub statement: String,
    /// PostgreSQL's own number of that, where it is computed (`compute_query_id`): pg_stat_statements has the same.
    pub statement_id: Option<i64>,
    /// The sessions whose locks it waits for; 0 is a prepared transaction.
    pub blocked_by: Vec<i32>,
    /// Since when it has been waiting for them.
    pub blocked_since: Option<DateTime<Utc>>,
    /// Whether this user may signal it.
    pub may_signal: bool,
    /// Why it must never be ended.
    pub protection: Option<Protection>,
}

impl Backend {
    /// Its identity; `None` where this user may not look into it.
    #[must_use]
    pub fn id(&self) -> Option<BackendId> {
        Some(BackendId { pid: self.pid, started_at: self.started_at? })
    }
}

/// The text that [`Backend`]s are read by, for a statement that checks them once more.
pub(crate) const BACKENDS: &str = include_str!("sessions/backends.sql");

/// Every session of the server, and the server's own time.
///
/// # Errors
/// [`Error::Database`].
pub async fn backends(db: &mut PgConnection) -> Result<(Vec<Backend>, DateTime<Utc>), Error> {
    let reading = "reading the sessions of the database";
    let rows = sqlx::query(BACKENDS).fetch_all(&mut *db).await.map_err(Error::database(reading))?;
    // All times are the server's, so their ages are counted by its clock; it is read afterwards, so that no age is negative.
    let at = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(db).await.map_err(Error::database(reading))?;
    let read = |row: &sqlx::postgres::PgRow| -> Result<Backend, sqlx::Error> {
        let (kind, event): (Option<String>, Option<String>) =
            (row.try_get("wait_event_type")?, row.try_get("wait_event")?);
        let protection = row.try_get::<Option<&str>, _>("protection")?;
        let unknown = || sqlx::Error::Decode("a protection that this build does not know".into());
        Ok(Backend {
            pid: row.try_get("pid")?,
            started_at: row.try_get("backend_start")?,
            is_client: row.try_get("is_client")?,
            application: row.try_get("application")?,
            client: row.try_get::<Option<&str>, _>("client_address")?.and_then(|address| address.parse().ok()),
            user: row.try_get("user_name")?,
            database: row.try_get("database_name")?,
            state: State::of(row.try_get::<Option<&str>, _>("state")?),
            transaction_since: row.try_get("xact_start")?,
            statement_since: row.try_get("query_start")?,
            state_since: row.try_get("state_change")?,
            waits_for: kind.zip(event).map(|(kind, event)| format!("{kind}/{event}")),
            statement: shape(row.try_get("query")?),
            statement_id: row.try_get("statement_id")?,
            blocked_by: row.try_get("blocked_by")?,
            blocked_since: row.try_get("waiting_since")?,
            may_signal: row.try_get("may_signal")?,
            protection: protection.map(|text| Protection::of(text).ok_or_else(unknown)).transpose()?,
        })
    };
    Ok((rows.iter().map(read).collect::<Result<_, _>>().map_err(Error::database(reading))?, at))
}

/// The user that this connection works as, as SQL spells it.
///
/// # Errors
/// [`Error::Database`].
pub async fn current_user(db: &mut PgConnection) -> Result<String, Error> {
    sqlx::query_scalar("SELECT quote_ident(current_user)")
        .fetch_one(db)
        .await
        .map_err(Error::database("asking who we are"))
}

/// A transaction that was prepared for a two-phase commit and still waits for it: it holds its locks without a session.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// The name by which it is committed or rolled back.
    pub gid: String,
    /// Whose it is.
    pub owner: String,
    /// Since when it has been waiting.
    pub prepared: DateTime<Utc>,
}

/// The prepared transactions of this database.
///
/// # Errors
/// [`Error::Database`].
pub async fn prepared(db: &mut PgConnection) -> Result<Vec<Prepared>, Error> {
    sqlx::query_as(
        "SELECT gid, owner::text AS owner, prepared FROM pg_prepared_xacts
          WHERE database = current_database() ORDER BY prepared",
    )
    .fetch_all(db)
    .await
    .map_err(Error::database("reading the prepared transactions"))
}

/// How much of a statement is told.
const SHAPE: usize = 60;

/// What may be told of a statement: its beginning, without comments, numbers as `?`, and nothing from its first literal on. Where a
/// literal ends depends on settings of the session, so whatever follows one might be a part of it.
#[must_use]
pub fn shape(statement: &str) -> String {
    let (mut told, mut rest, mut cut) = (String::new(), statement, false);
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        rest = match next {
            '-' if after.starts_with('-') => after.split_once('\n').map_or("", |(_, rest)| rest),
            '/' if after.starts_with('*') => behind_comment(&after[1..]),
            '\'' => {
                cut = true;
                break;
            }
            // `$1` is a parameter, `$$` and `$tag$` begin a literal.
            '$' if !after.starts_with(|c: char| c.is_ascii_digit()) => {
                cut = true;
                break;
            }
            '"' => {
                let Some((name, rest)) = after.split_once('"') else {
                    cut = true;
                    break;
                };
                told.extend(["\"", name, "\""]);
                rest
            }
            '$' | '_' | '0'..='9' => {
                let (word, rest) = after.split_at(word_end(after));
                match next {
                    '0'..='9' => told.push('?'),
                    _ => told.extend([&next.to_string(), word]),
                }
                rest
            }
            _ if next.is_alphanumeric() => {
                let (word, rest) = rest.split_at(word_end(rest));
                told.push_str(word);
                rest
            }
            _ if next.is_whitespace() => {
                if !told.is_empty() && !told.ends_with(' ') {
                    told.push(' ');
                }
                after
            }
            _ => {
                told.push(next);
                after
            }
        };
    }
    let mut told = if cut { &told } else { told.trim_end() };
    if let Some((end, _)) = told.char_indices().nth(SHAPE) {
        (told, cut) = (&told[..end], true);
    }
    if cut { format!("{told}…") } else { told.to_owned() }
}

fn word_end(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// What follows a comment, within which there may be others.
fn behind_comment(mut text: &str) -> &str {
    let mut depth = 1;
    while depth > 0 {
        let Some(at) = text.find(['*', '/']) else { return "" };
        let length = match text.get(at..at + 2) {
            Some("/*") => {
                depth += 1;
                2
            }
            Some("*/") => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        text = &text[at + length..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_told_without_anything_that_a_user_may_have_written() {
        for (statement, told) in [
            ("", ""),
            ("BEGIN", "BEGIN"),
            ("SELECT  $1,\n\t$2::text", "SELECT $1, $2::text"),
            ("/* a /* nested */ secret */ -- another\nSELECT 1", "SELECT ?"),
            ("SELECT id FROM goals WHERE n = 42 AND x1 > -1.5e3", "SELECT id FROM goals WHERE n = ? AND x1 > -?.?"),
            ("UPDATE \"Goal\" SET title = '走る', n = 1", "UPDATE \"Goal\" SET title = …"),
            ("SELECT 'it''s', 'secret'", "SELECT …"),
            (r"SELECT 'C:\', 'secret'", "SELECT …"),
            (r"SELECT E'\'secret'", "SELECT E…"),
            ("SELECT $$secret$$, 1", "SELECT …"),
            ("SELECT $tag$secret$tag$", "SELECT …"),
            ("SELECT \"cut off", "SELECT …"),
            ("SELECT 1 /* cut off", "SELECT ?"),
        ] {
            assert_eq!(shape(statement), told, "{statement}");
        }
        let long = shape(&format!("SELECT {}", "走".repeat(100)));
        assert_eq!((long.chars().count(), long.ends_with('…')), (61, true), "{long}");
        assert_eq!(shape(&format!("SELECT {}", "a".repeat(53))).chars().count(), 60);
    }

    #[test]
    fn a_session_is_named_so_that_it_is_found_again() {
        let id = BackendId { pid: 4711, started_at: "2026-11-24T01:02:03.000450Z".parse().unwrap() };
        assert_eq!(id.to_string(), "session 4711 of 2026-11-24T01:02:03.000450Z");
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["session 4711", "session x of 2026-11-24T01:02:03Z", "4711 of 2026-11-24T01:02:03Z"] {
            assert!(wrong.parse::<BackendId>().is_err(), "{wrong}");
        }
    }
}
