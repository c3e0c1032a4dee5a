//! Indexes on the application's table that the sweeps are glad of once the table is large.
//!
//! All are optional: without them a sweep reads the whole table, which is a matter of seconds at a million rows. Nothing here makes
//! them; `migrate` tells which are missing, and the statement that makes each without holding up the application.

use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::Error;
use crate::table::Table;

/// An index that is proposed.
struct Index {
    name: &'static str,
    /// What follows `ON <table>`, in the table's spelling; the sweeps' conditions are of just this form.
    on: &'static str,
    serves: &'static str,
}

const PROPOSED: [Index; 3] = [
    Index {
        name: "remediation_open",
        on: "({id}) WHERE {status} IN ({open})",
        serves: "every sweep: open rows are few, however long the history is",
    },
    Index {
        name: "remediation_closed",
        on: "((coalesce({completed_at}, {updated_at})))",
        serves: "reconcile-processes, stop-cancelled-executions, retry-failed-processes, check-health and analyze-performance: what was closed lately",
    },
    Index {
        name: "remediation_progress",
        on: "({id}) WHERE {progress} < 0 OR {progress} > 100",
        serves: "repair-progress and check-health: rows whose progress is out of range",
    },
];

/// An index that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Its name.
    pub name: &'static str,
    /// Which steps it serves, and how.
    pub serves: &'static str,
    /// The statement that makes it; it cannot run in a transaction.
    pub statement: String,
}

/// Those that this table does not have yet. One that was left behind invalid by a failed try counts as missing.
///
/// # Errors
/// [`Error::Database`].
pub async fn missing(db: &mut PgConnection, table: &Table) -> Result<Vec<Missing>, Error> {
    let there: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
          WHERE i.indrelid = to_regclass($1) AND i.indisvalid",
    )
    .bind(table.relation())
    .fetch_all(db)
    .await
    .map_err(Error::database("reading the table's indexes"))?;
    Ok(PROPOSED
        .iter()
        .filter(|index| !there.iter().any(|name| name == index.name))
        .map(|Index { name, on, serves }| Missing { name, serves, statement: statement(table, name, on) })
        .collect())
}

fn statement(table: &Table, name: &str, on: &str) -> String {
    let AssertSqlSafe(on) = table.sql(on);
    // An index has no row `p`, only its columns, and those are quoted.
    let on = on.replace("p.\"", "\"");
    format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {} {on}", table.relation())
}
