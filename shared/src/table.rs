//! The application's table, as this database has it.
//!
//! `status` is text or a PostgreSQL enum, columns are snake_case or camelCase, times are `timestamptz` or `timestamp` in
//! UTC, some columns may be missing (design, section 1). The catalogue is read once for each container; from it come
//! the few SQL fragments that differ. Nothing of the table is ever altered.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::config::TableName;
use crate::domain::ProcessStatus;
use crate::error::Error;

/// How to speak of the application's table.
#[derive(Debug, Clone)]
pub struct Table {
    name: TableName,
    columns: BTreeMap<&'static str, Column>,
    /// The enum's labels; `None` for a text column.
    statuses: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
struct Column {
    /// Quoted.
    name: String,
    /// As `format_type` has it; an enum's is quoted and qualified.
    type_name: String,
    /// A `timestamp` that holds UTC, as Prisma makes it.
    local_time: bool,
}

/// The columns that are needed, in both spellings, and the types that they may have. Columns that are not here
/// (`user_id`, `type`, `target_id` …) may be there or not.
const NEEDED: [(&str, &str, &[&str]); 8] = [
    ("id", "id", &["uuid"]),
    ("status", "status", &["text", "character varying", "enum"]),
    ("progress", "progress", &["smallint", "integer"]),
    ("result", "result", &["jsonb"]),
    ("error", "error", &["jsonb"]),
    ("created_at", "createdAt", TIMES),
    ("updated_at", "updatedAt", TIMES),
    ("completed_at", "completedAt", TIMES),
];
/// A column that may be missing; SQL sees NULL then.
const RETRY_COUNT: (&str, &str, &[&str]) = ("retry_count", "retryCount", &["smallint", "integer"]);
const TIMES: &[&str] = &["timestamp with time zone", "timestamp without time zone"];

impl Table {
    /// Reads the catalogue.
    ///
    /// # Errors
    /// [`Error::Table`] naming the column that is missing or of a type that is not known; [`Error::Database`].
    pub async fn read(name: &TableName, db: &mut PgConnection) -> Result<Self, Error> {
        let rows = sqlx::query(include_str!("table.sql"))
            .bind(&name.schema)
            .bind(&name.table)
            .fetch_all(db)
            .await
            .map_err(Error::database("reading the catalogue"))?;
        let found: Vec<Found> = rows
            .iter()
            .map(|row| {
                Ok(Found {
                    name: row.try_get("name")?,
                    type_name: row.try_get("type_name")?,
                    family: row.try_get("family")?,
                    labels: row.try_get("labels")?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
            .map_err(Error::database("reading the catalogue"))?;
        Self::from_catalogue(name, &found)
    }

    fn from_catalogue(name: &TableName, found: &[Found]) -> Result<Self, Error> {
        if found.is_empty() {
            return Err(Error::Table(format!(
                "table {name} does not exist, or its schema is not visible to this user: set PROCESSING_STATE_TABLE to <schema>.<table>, or grant USAGE and SELECT"
            )));
        }
        let mut columns = BTreeMap::new();
        let mut statuses = None;
        for (snake, camel, types) in NEEDED.into_iter().chain([RETRY_COUNT]) {
            let column = match found.iter().find(|column| column.name == snake || column.name == camel) {
                Some(column) => column,
                None if snake == RETRY_COUNT.0 => continue,
                None => {
                    let names =
                        if snake == camel { format!("`{snake}`") } else { format!("`{snake}` (or \"{camel}\")") };
                    return Err(Error::Table(format!(
                        "table {name} has no column {names}: it is needed as {}",
                        types.join(" or ")
                    )));
                }
            };
            if !types.contains(&column.family.as_str()) {
                return Err(Error::Table(format!(
                    "column `{}` of table {name} is of type {}: it is needed as {}",
                    column.name,
                    column.type_name,
                    types.join(" or ")
                )));
            }
            if snake == "status" {
                statuses.clone_from(&column.labels);
            }
            columns.insert(
                snake,
                Column {
                    name: quoted(&column.name),
                    type_name: column.type_name.clone(),
                    local_time: column.family == "timestamp without time zone",
                },
            );
        }
        let table = Self { name: name.clone(), columns, statuses };
        for status in ProcessStatus::ALL.into_iter().filter(|status| *status != ProcessStatus::Timeout) {
            table.require(status)?;
        }
        Ok(table)
    }

    /// Makes sure that the status column knows `status`.
    ///
    /// # Errors
    /// [`Error::Table`] with the labels that it knows.
    pub fn require(&self, status: ProcessStatus) -> Result<(), Error> {
        match &self.statuses {
            Some(labels) if !labels.iter().any(|label| label == status.as_str()) => Err(Error::Table(format!(
                "column `status` of table {} does not know {status}; it knows {}",
                self.name,
                labels.join(", ")
            ))),
            _ => Ok(()),
        }
    }

    /// Whether it counts the retries of a process.
    #[must_use]
    pub fn counts_retries(&self) -> bool {
        self.columns.contains_key(RETRY_COUNT.0)
    }

    /// The table's name, quoted and qualified.
    #[must_use]
    pub fn relation(&self) -> String {
        format!("{}.{}", quoted(&self.name.schema), quoted(&self.name.table))
    }

    /// A `.sql` file in this table's spelling. Of a column `x` of the row `p`, `{x}` is its value (a time as
    /// `timestamptz`), `{set x}` its bare name, `{as x}` after an expression the cast to its type; `{table}` is the
    /// relation, `{image}` what an action can change of the row, `{open}`, `{failed}`, `{completed}` … the statuses as
    /// literals of the column's own type, so that an index on it stays usable.
    #[must_use]
    pub fn sql(&self, template: &str) -> AssertSqlSafe<String> {
        let mut sql = template.replace("{image}", IMAGE).replace("{table}", &self.relation());
        let statuses: [(&str, &[ProcessStatus]); 6] = [
            ("{open}", &[ProcessStatus::Pending, ProcessStatus::Processing]),
            ("{failed}", &[ProcessStatus::Failed, ProcessStatus::Timeout]),
            ("{pending}", &[ProcessStatus::Pending]),
            ("{processing}", &[ProcessStatus::Processing]),
            ("{completed}", &[ProcessStatus::Completed]),
            ("{cancelled}", &[ProcessStatus::Cancelled]),
        ];
        for (placeholder, statuses) in statuses {
            sql = sql.replace(placeholder, &self.literals(statuses));
        }
        for (column, Column { name, type_name, local_time }) in &self.columns {
            let (value, cast) = if *local_time {
                (format!("(p.{name} AT TIME ZONE 'UTC')"), " AT TIME ZONE 'UTC'".to_owned())
            } else {
                (format!("p.{name}"), format!("::{type_name}"))
            };
            sql = sql.replace(&format!("{{{column}}}"), &value);
            sql = sql.replace(&format!("{{set {column}}}"), name);
            sql = sql.replace(&format!("{{as {column}}}"), &cast);
        }
        AssertSqlSafe(sql.replace("{retry_count}", "NULL"))
    }

    /// Those of `statuses` that the column knows, as literals of its own type: an index on it stays usable. A column that knows none
    /// of them is compared with no value at all.
    fn literals(&self, statuses: &[ProcessStatus]) -> String {
        let known: Vec<String> = statuses
            .iter()
            .filter(|status| self.require(**status).is_ok())
            .map(|status| format!("'{status}'"))
            .collect();
        if known.is_empty() { "NULL".to_owned() } else { known.join(", ") }
    }
}

/// What an action can change of a row `p`, as jsonb. Times are in UTC; a result is told by its digest: it may be large, and it
/// is nobody's business but the user's.
const IMAGE: &str = "jsonb_build_object('status', {status}::text, 'progress', {progress}, 'error', {error}, \
     'result', 'md5:' || md5(nullif({result}, 'null')::text), \
     'completedAt', to_jsonb({completed_at} AT TIME ZONE 'UTC'), \
     'updatedAt', to_jsonb({updated_at} AT TIME ZONE 'UTC'))";

struct Found {
    name: String,
    type_name: String,
    family: String,
    labels: Option<Vec<String>>,
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
