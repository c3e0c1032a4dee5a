//! What the actions have alike that write rows.

use serde_json::{Value, json};
use sqlx::postgres::{PgDatabaseError, PgRow};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::act::action::{ActionResult, Entry, Outcome, Planned};
use crate::act::ledger::entries::UNDO;
use crate::act::ledger::runs::Run;
use crate::act::texts;
use crate::domain::{Language, Process};
use crate::gather::error::Error;
use crate::raw::Raw;

/// Whether PostgreSQL refused a value or a row, not the statement as such: for every code that is not about the connection, a timeout, a
/// missing right or a fault of ours. Triggers refuse with codes of their own choice.
#[must_use]
pub fn is_about_a_row(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) else {
        return false;
    };
    let in_a_function = error.r#where().is_some_and(|context| !context.is_empty());
    refuses_a_row(error.code(), error.routine(), in_a_function)
}

/// Classes that say something of the connection (08), the transaction (25, 40), the server's means (53), somebody who ended it (57), the
/// system (58), the password (28), the database (3D) or a defect (XX).
const NOT_OF_A_ROW: [&str; 9] = ["08", "25", "28", "3D", "40", "53", "57", "58", "XX"];

/// `in_a_function`: it was raised while a function, a trigger's for example, was run.
fn refuses_a_row(code: &str, routine: Option<&str>, in_a_function: bool) -> bool {
    // RAISE, whatever code it chose, and the policy of row level security for what is written.
    if let Some("exec_stmt_raise" | "ExecWithCheckOptions") = routine {
        return true;
    }
    if NOT_OF_A_ROW.iter().any(|class| code.starts_with(class)) {
        return false;
    }
    match code {
        // A lock that was not to be waited for; a right that is missing.
        "55P03" | "42501" => false,
        // Syntax and names: ours, unless a function of the table's says it.
        code if code.starts_with("42") || code.starts_with("3F") => in_a_function,
        _ => true,
    }
}

/// An image of a row. What the application wrote there may be more than a tree of numbers can hold: that is no reason to fail after the
/// write.
///
/// # Errors
/// The column is missing, or no JSON.
pub fn image(row: &PgRow, column: &str) -> Result<Option<Value>, sqlx::Error> {
    let image: Option<Json<Raw>> = row.try_get(column)?;
    Ok(image.map(|Json(image)| image.value()).filter(|image| !image.is_null()))
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
    let images = |row: PgRow| -> Result<(Value, Value), sqlx::Error> {
        Ok((image(&row, "before")?.unwrap_or_default(), image(&row, "after")?.unwrap_or_default()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_refuses_is_about_the_row_and_what_the_server_lacks_is_not() {
        // (SQLSTATE, PostgreSQL's routine, whether a function was run, whether it is about the row)
        for (code, routine, in_a_function, about_the_row) in [
            ("22003", Some("numeric_out_of_range"), false, true),
            ("23505", Some("_bt_check_unique"), false, true),
            ("P0001", Some("exec_stmt_raise"), true, true),
            ("42704", Some("GetConfigOptionByName"), true, true),
            ("42883", Some("ParseFuncOrColumn"), true, true),
            ("55000", Some("exec_stmt_raise"), true, true),
            ("55000", None, true, true),
            ("0A000", None, true, true),
            ("27000", None, false, true),
            ("44000", Some("ExecWithCheckOptions"), false, true),
            ("42501", Some("ExecWithCheckOptions"), false, true),
            ("ZZ123", Some("exec_stmt_raise"), true, true),
            ("08006", Some("exec_stmt_raise"), true, true),
            // A code of an extension's, or of another language's function.
            ("MY001", None, true, true),
            ("42501", Some("aclcheck_error"), false, false),
            ("42501", Some("aclcheck_error"), true, false),
            ("42601", Some("scanner_yyerror"), false, false),
            ("42703", Some("errorMissingColumn"), false, false),
            ("428C9", None, false, false),
            ("42P01", Some("parserOpenTable"), false, false),
            ("57014", Some("ProcessInterrupts"), false, false),
            ("57P01", None, false, false),
            ("55P03", None, false, false),
            ("53300", None, false, false),
            ("40001", None, false, false),
            ("40P01", None, true, false),
            ("25006", Some("PreventCommandIfReadOnly"), false, false),
            ("08006", None, false, false),
            ("XX000", None, false, false),
        ] {
            assert_eq!(
                refuses_a_row(code, routine, in_a_function),
                about_the_row,
                "{code} {routine:?} {in_a_function}"
            );
        }
    }
}
