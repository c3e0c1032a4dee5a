//! Indexes on the application's table that the sweeps, and the guide, are glad of once the table is large.
//!
//! All are optional: without them a sweep reads the whole table, which is a matter of seconds at a million rows. `migrate` tells which
//! are missing, with the statement that makes each without holding up the application; `tune-database` makes them once a person approves
//! it ([`crate::act::actions::CreateIndex`]).

use chrono::TimeDelta;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::table::Table;
use crate::gather::texts;

/// An index that is proposed.
struct Index {
    name: &'static str,
    /// What follows `ON <table>`, in the table's spelling; the sweeps' conditions are of just this form.
    on: &'static str,
    serves: fn(Language) -> String,
    /// Columns that the table may lack; without them there is nothing to index.
    needs: &'static [&'static str],
    /// An index of any name that begins with these columns does as well. None: it is known by its name only.
    begins: &'static [&'static str],
    /// Of one entry, in bytes: 8 for its header, 4 for its pointer, and the keys.
    entry: i64,
}

const PROPOSED: [Index; 4] = [
    Index {
        name: "remediation_open",
        on: "({id}) WHERE {status} IN ({open})",
        serves: texts::serves_sweeps,
        needs: &[],
        begins: &[],
        entry: 28,
    },
    Index {
        name: "remediation_closed",
        on: "((coalesce({completed_at}, {updated_at})))",
        serves: texts::serves_lately_closed,
        needs: &[],
        begins: &[],
        entry: 20,
    },
    Index {
        name: "remediation_progress",
        on: "({id}) WHERE {progress} < 0 OR {progress} > 100",
        serves: texts::serves_progress,
        needs: &[],
        begins: &[],
        entry: 28,
    },
    // The guide's own (3, "データベースクエリの最適化"): on the bare columns, as the application asks.
    Index {
        name: "idx_processing_state_user_created",
        on: "({set user_id}, {set created_at} DESC)",
        serves: texts::serves_application,
        needs: &["user_id"],
        begins: &["{set user_id}", "{set created_at}"],
        entry: 36,
    },
];

/// An index that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Its name.
    pub name: &'static str,
    /// Which steps it serves, and how.
    pub serves: String,
    /// The statement that makes it; it cannot run in a transaction.
    pub statement: String,
}

/// An index that is proposed, and what there is of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// Its name.
    pub name: &'static str,
    /// `<schema>.<name>`: what the ledger calls it.
    pub target: String,
    /// The same, quoted.
    pub quoted: String,
    /// Which steps it serves, and how.
    pub serves: String,
    /// The statement that makes it; it cannot run in a transaction.
    pub statement: String,
    /// One entry's size in bytes.
    pub entry: i64,
    /// What there is of it.
    pub state: State,
}

/// What there is of a proposed index.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// An index that does what it should, maybe under another name.
    Present(Found),
    /// Nothing.
    Missing,
    /// What a failed build left behind: it serves no query, and costs every write.
    Invalid(Found),
    /// Somebody builds it right now.
    Building {
        /// The backend that builds it, or holds the table's lock while it is INVALID.
        pid: i32,
        /// What the server says it does; unknown where another user's build may not be looked into.
        phase: Option<String>,
        /// How much of that phase is done, in percent.
        percent: Option<f64>,
    },
    /// Something else bears its name: its definition, where that is an index.
    Taken(Option<String>),
}

impl State {
    /// Whether there is nothing left of an index that was dropped; another one may do its work.
    #[must_use]
    pub fn is_without(&self, oid: i64) -> bool {
        match self {
            Self::Missing => true,
            Self::Present(found) | Self::Invalid(found) => found.oid != oid,
            Self::Building { .. } | Self::Taken(_) => false,
        }
    }
}

/// An index of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Which one: a dropped and remade index is another.
    pub oid: i64,
    /// Its name.
    pub name: String,
    /// As `pg_get_indexdef` has it.
    pub definition: String,
    /// Its size.
    pub bytes: i64,
}

/// What a concurrent build would wait for, or fail by.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct InTheWay {
    /// What it is.
    #[sqlx(try_from = "String")]
    pub kind: Hindrance,
    /// Its backend; none for a prepared transaction.
    pub pid: Option<i32>,
    /// Its application name, or the prepared transaction's.
    pub who: Option<String>,
    /// The transaction's age.
    pub seconds: Option<f64>,
}

/// What kind of thing is in the way of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hindrance {
    /// A transaction that has been open for long.
    Transaction,
    /// A prepared transaction that has been left for long.
    Prepared,
    /// A transaction of a user that this one may not look into.
    Unseen,
    /// The table is altered, vacuumed or indexed by somebody.
    Maintenance,
}

impl TryFrom<String> for Hindrance {
    type Error = String;

    fn try_from(kind: String) -> Result<Self, String> {
        Ok(match kind.as_str() {
            "transaction" => Self::Transaction,
            "prepared" => Self::Prepared,
            "unseen" => Self::Unseen,
            "maintenance" => Self::Maintenance,
            _ => return Err(kind),
        })
    }
}

/// A row of `state.sql`.
#[derive(sqlx::FromRow)]
struct Row {
    oid: i64,
    name: String,
    of_table: bool,
    valid: bool,
    definition: Option<String>,
    columns: Option<Vec<String>>,
    bytes: Option<i64>,
    builder: Option<i32>,
    phase: Option<String>,
    percent: Option<f64>,
    holder: Option<i32>,
}

impl Row {
    fn found(&self) -> Found {
        Found {
            oid: self.oid,
            name: self.name.clone(),
            definition: self.definition.clone().unwrap_or_default(),
            bytes: self.bytes.unwrap_or_default(),
        }
    }

    /// Whether it does what an index that begins with these columns is for. In which direction does not matter: it is read backwards
    /// as well.
    fn begins(&self, columns: &[String]) -> bool {
        self.of_table && self.valid && self.columns.as_ref().is_some_and(|own| own.starts_with(columns))
    }
}

impl Index {
    fn state(&self, rows: &[Row], table: &Table) -> State {
        let begins: Vec<String> = self.begins.iter().map(|column| spelt(table, column)).collect();
        let does = |row: &&Row| !begins.is_empty() && row.begins(&begins);
        // Its own before one of another name.
        if let Some(row) = rows.iter().filter(does).min_by_key(|row| row.name != self.name) {
            return State::Present(row.found());
        }
        match rows.iter().find(|row| row.name == self.name) {
            None => State::Missing,
            Some(row) if !row.of_table => State::Taken(row.definition.clone()),
            Some(row) if row.valid && begins.is_empty() => State::Present(row.found()),
            Some(row) if row.valid => State::Taken(row.definition.clone()),
            Some(row) => match row.builder.or(row.holder) {
                Some(pid) => State::Building { pid, phase: row.phase.clone(), percent: row.percent },
                None => State::Invalid(row.found()),
            },
        }
    }
}

/// All indexes that this table may have, and what there is of each.
///
/// # Errors
/// [`Error::Database`].
pub async fn proposed(db: &mut PgConnection, table: &Table) -> Result<Vec<Proposed>, Error> {
    let names: Vec<&str> = PROPOSED.iter().map(|index| index.name).collect();
    let rows: Vec<Row> = sqlx::query_as(include_str!("indexes/state.sql"))
        .bind(table.relation())
        .bind(&names)
        .fetch_all(db)
        .await
        .map_err(Error::database("reading the table's indexes"))?;
    let possible = PROPOSED.iter().filter(|index| index.needs.iter().all(|column| table.has(column)));
    Ok(possible
        .map(|index| Proposed {
            name: index.name,
            target: format!("{}.{}", table.name().schema, index.name),
            quoted: table.beside(index.name),
            serves: (index.serves)(table.language()),
            statement: statement(table, index.name, index.on),
            entry: index.entry,
            state: index.state(&rows, table),
        })
        .collect())
}

/// Those that this table does not have yet. One that was left behind invalid by a failed try counts as missing.
///
/// # Errors
/// [`Error::Database`].
pub async fn missing(db: &mut PgConnection, table: &Table) -> Result<Vec<Missing>, Error> {
    let proposed = proposed(db, table).await?.into_iter();
    Ok(proposed
        .filter(|index| !matches!(index.state, State::Present(_)))
        .map(|Proposed { name, serves, statement, .. }| Missing { name, serves, statement })
        .collect())
}

/// What a concurrent build on this table would have to wait for now; transactions count once they are older than `age`.
///
/// # Errors
/// [`Error::Database`].
pub async fn in_the_way(db: &mut PgConnection, table: &Table, age: TimeDelta) -> Result<Vec<InTheWay>, Error> {
    sqlx::query_as(include_str!("indexes/in_the_way.sql"))
        .bind(table.relation())
        .bind(age.as_seconds_f64())
        .fetch_all(db)
        .await
        .map_err(Error::database("asking what a build would wait for"))
}

fn statement(table: &Table, name: &str, on: &str) -> String {
    format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {} {}", table.relation(), spelt(table, on))
}

/// An index has no row `p`, only its columns, and those are quoted.
fn spelt(table: &Table, on: &str) -> String {
    let AssertSqlSafe(on) = table.sql(on);
    on.replace("p.\"", "\"")
}
