//! What the actions have alike that write rows.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::act::action::{ActionResult, Entry, Outcome, Planned};
use crate::act::ledger::entries::UNDO;
use crate::act::ledger::runs::Run;
use crate::act::texts;
use crate::domain::{Language, Process};
use crate::gather::error::Error;

/// Whether PostgreSQL refused a value or a row (classes 22 and 23, or a trigger's RAISE), not the statement as such.
#[must_use]
pub fn is_about_a_row(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| ["22", "23", "P0"].iter().any(|class| code.starts_with(class)))
}

/// A process as a plan shows it before a change.
#[must_use]
pub fn preview(process: &Process) -> Value {
    json!({
        "status": process.status,
        "progress": process.progress,
        "error": process.error_code.as_ref().map(|code| json!({ "code": code })),
    })
}

/// Takes a change of a row back by `sql`, if the row is still as that change left it; `restored` must read as they did before then.
///
/// # Errors
/// [`Error::Database`].
pub async fn undo(
    db: &mut PgConnection,
    sql: AssertSqlSafe<String>,
    (run, planned, entry): (&Run, &Planned, &Entry),
    restored: &[&str],
    language: Language,
) -> Result<Outcome, Error> {
    let written = sqlx::query(sql)
        .bind(entry.id)
        .bind(planned.id)
        .bind(run.id)
        .bind(run.step)
        .bind(UNDO)
        .bind(&planned.reason)
        .bind(&entry.kind)
        .fetch_optional(db)
        .await
        .map_err(Error::database("undoing an action"))?;
    let images = |row: sqlx::postgres::PgRow| -> Result<(Value, Value), sqlx::Error> {
        Ok((row.try_get("before")?, row.try_get("after")?))
    };
    let written = written.map(images).transpose().map_err(Error::database("reading back what was undone"))?;
    let outcome = |result, before, after| Outcome { id: planned.id, result, before, after, again: None };
    Ok(match written {
        Some((before, after)) => {
            let same = entry.before.as_ref().is_some_and(|was| restored.iter().all(|part| after[part] == was[part]));
            let result =
                if same { ActionResult::Applied } else { ActionResult::Unverified(texts::reads_otherwise(language)) };
            outcome(result, Some(before), Some(after))
        }
        None => outcome(ActionResult::Failed(texts::row_changed_since(language)), entry.after.clone(), None),
    })
}
