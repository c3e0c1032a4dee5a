//! The application's table, as this database has it.
//!
//! `status` is text or a PostgreSQL enum, columns are snake_case or camelCase, times are `timestamptz` or `timestamp` in
//! UTC, some columns may be missing (design, section 1). The catalogue is read once for each container; from it come
//! the few SQL fragments that differ. Nothing of the table is ever altered.

mod meaning;

use std::collections::BTreeMap;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::domain::{Language, ProcessStatus};
use crate::finding::{Audience, Finding, Often};
use crate::gather::config::TableName;
use crate::gather::error::Error;
use crate::gather::table::meaning::Meaning;
use crate::gather::texts;
use crate::gather::trigger::result_path::ResultPath;

/// How to speak of the application's table.
#[derive(Debug, Clone)]
pub struct Table {
    name: TableName,
    /// Of what is said of it.
    language: Language,
    columns: BTreeMap<&'static str, Column>,
    /// The enum's labels; `None` for a text column.
    statuses: Option<Vec<String>>,
    /// What this database user may do there.
    access: Access,
    /// The privilege that it lacks to write all that is to be written.
    lacks_update: Option<String>,
    /// What its rows mean by what they say.
    meaning: Meaning,
}

/// What the catalogue says of the table as a whole, and of this database user there.
#[derive(Debug, Clone)]
struct Access {
    /// `r` or `p` for a table.
    kind: String,
    sees_schema: bool,
    selects: bool,
    /// Row level security applies.
    row_security: bool,
    /// … and may hide rows, or keep them from being written.
    hides_rows: bool,
    keeps_rows: bool,
    user: String,
}

impl Access {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            kind: row.try_get("relation_kind")?,
            sees_schema: row.try_get("sees_schema")?,
            selects: row.try_get("selects")?,
            row_security: row.try_get("row_security")?,
            hides_rows: row.try_get("hides_rows")?,
            keeps_rows: row.try_get("keeps_rows")?,
            user: row.try_get("granted_to")?,
        })
    }

    /// Without these nothing can be read.
    fn faults(&self, name: &TableName, language: Language) -> Vec<String> {
        let mut faults = Vec::new();
        if !["r", "p"].contains(&self.kind.as_str()) {
            faults.push(texts::no_plain_table(language, name));
        }
        if !self.sees_schema {
            let schema = quoted(&name.schema);
            faults.push(texts::schema_not_granted(language, &name.schema, &schema, &self.user));
        }
        if !self.selects {
            faults.push(texts::not_granted(language, "SELECT", name, &relation(name), &self.user));
        }
        faults
    }
}

/// A column, as SQL has to speak of it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Quoted.
    pub(crate) name: String,
    /// As `format_type` has it; an enum's is quoted and qualified.
    pub(crate) type_name: String,
    /// A `timestamp` that holds UTC, as Prisma makes it.
    pub(crate) local_time: bool,
}

/// A column in both spellings, and the types that it may have; where none are named, any is right.
pub(crate) type Wanted = (&'static str, &'static str, &'static [&'static str]);

/// The columns that are needed.
const NEEDED: [Wanted; 8] = [
    ("id", "id", &["uuid"]),
    ("status", "status", &["text", "character varying", "enum"]),
    ("progress", "progress", &["smallint", "integer"]),
    ("result", "result", &["jsonb"]),
    ("error", "error", &["jsonb"]),
    ("created_at", "createdAt", TIMES),
    ("updated_at", "updatedAt", TIMES),
    ("completed_at", "completedAt", TIMES),
];
/// Columns that may be missing; SQL sees NULL then. Those of any type are only compared with themselves.
const OPTIONAL: [Wanted; 4] = [
    ("retry_count", "retryCount", &["smallint", "integer"]),
    ("user_id", "userId", &[]),
    ("type", "type", &[]),
    ("target_id", "targetId", &[]),
];
/// Columns that are written, where there are such.
const WRITTEN: [&str; 7] = ["status", "progress", "result", "error", "updated_at", "completed_at", "retry_count"];
pub(crate) const TIMES: &[&str] = &["timestamp with time zone", "timestamp without time zone"];

impl Table {
    /// Reads the catalogue.
    ///
    /// # Errors
    /// [`Error::Table`] naming the column that is missing or of a type that is not known; [`Error::Database`].
    pub async fn read(name: &TableName, language: Language, db: &mut PgConnection) -> Result<Self, Error> {
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
                    generated: row.try_get("generated")?,
                    updates: row.try_get("updates")?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
            .map_err(Error::database("reading the catalogue"))?;
        let Some(first) = rows.first() else { return Err(Error::Table(texts::no_table(language, name))) };
        let access = Access::of(first).map_err(Error::database("reading the catalogue"))?;
        Self::from_catalogue(name, language, &found, access)
    }

    /// The same, where an execution's output has the result elsewhere.
    #[must_use]
    pub fn with_results_of(self, path: &ResultPath) -> Self {
        Self { meaning: Meaning::of_results(path), ..self }
    }

    /// All that is wrong is told at once.
    fn from_catalogue(name: &TableName, language: Language, found: &[Found], access: Access) -> Result<Self, Error> {
        let mut faults = access.faults(name, language);
        let (mut columns, mut statuses) = (BTreeMap::new(), None);
        for wanted in NEEDED.into_iter().chain(OPTIONAL) {
            let column = match find(name, language, found, wanted) {
                Ok(Some(column)) => column,
                Ok(None) if OPTIONAL.contains(&wanted) => continue,
                Ok(None) => {
                    faults.push(missing(name, language, wanted).told(language));
                    continue;
                }
                Err(error) => {
                    faults.push(error.told(language));
                    continue;
                }
            };
            if column.generated && WRITTEN.contains(&wanted.0) {
                faults.push(texts::generated_column(language, name, &column.name));
            }
            if wanted.0 == "status" {
                statuses.clone_from(&column.labels);
            }
            columns.insert(wanted.0, Column::of(column));
        }
        let of = |column: &&Found| {
            let all = NEEDED.into_iter().chain(OPTIONAL);
            all.filter(|wanted| WRITTEN.contains(&wanted.0))
                .any(|(snake, camel, _)| column.name == snake || column.name == camel)
        };
        let written = found.iter().filter(of).count();
        let unwritable: Vec<String> =
            found.iter().filter(of).filter(|column| !column.updates).map(|column| quoted(&column.name)).collect();
        let lacks_update = match unwritable.len() {
            0 => None,
            all if all == written => Some("UPDATE".to_owned()),
            _ => Some(format!("UPDATE ({})", unwritable.join(", "))),
        };
        let (name, meaning) = (name.clone(), Meaning::of_results(&ResultPath::default()));
        let table = Self { name, language, columns, statuses, access, lacks_update, meaning };
        for status in ProcessStatus::ALL.into_iter().filter(|status| *status != ProcessStatus::Timeout) {
            faults.extend(table.require(status).err().map(|error| error.told(language)));
        }
        if faults.is_empty() { Ok(table) } else { Err(Error::Table(faults.join("; "))) }
    }

    /// What hinders this database user although the table is right: rows that are hidden, columns that may not be written. Nobody is well
    /// served by an answer that looks complete.
    #[must_use]
    pub fn concerns(&self) -> Vec<Finding> {
        let Access { hides_rows, keeps_rows, user, .. } = &self.access;
        let (relation, language) = (self.relation(), self.language);
        let hidden = hides_rows.then(|| ("rows_hidden", texts::rows_hidden(language, &self.name, &relation, user)));
        let kept = (*keeps_rows && !*hides_rows)
            .then(|| ("rows_not_writable", texts::rows_kept(language, &self.name, &relation, user)));
        let unwritable = self.not_granted().map(|message| ("table_not_writable", message));
        [hidden, kept, unwritable]
            .into_iter()
            .flatten()
            .map(|(code, message)| {
                Finding::new(code, self.name.to_string(), message, serde_json::Value::Null)
                    .told(Audience::People, Often::ONCE_A_DAY)
            })
            .collect()
    }

    /// Makes sure that this database user may write all that is to be written: PostgreSQL names only the table.
    ///
    /// # Errors
    /// [`Error::Table`] with the statement that grants what is missing.
    pub fn writable(&self) -> Result<(), Error> {
        self.not_granted().map_or(Ok(()), |message| Err(Error::Table(message)))
    }

    fn not_granted(&self) -> Option<String> {
        let privilege = self.lacks_update.as_ref()?;
        Some(texts::not_granted(self.language, privilege, &self.name, &self.relation(), &self.access.user))
    }

    /// Whether nothing hinders this database user.
    #[must_use]
    pub const fn is_unhindered(&self) -> bool {
        !self.access.hides_rows && !self.access.keeps_rows && self.lacks_update.is_none()
    }

    /// Whether policies may hide rows from this database user: what is not seen is not known then.
    #[must_use]
    pub const fn hides_rows(&self) -> bool {
        self.access.hides_rows
    }

    /// Makes sure that the status column knows `status`.
    ///
    /// # Errors
    /// [`Error::Table`] with the labels that it knows.
    pub fn require(&self, status: ProcessStatus) -> Result<(), Error> {
        match &self.statuses {
            Some(labels) if !labels.iter().any(|label| label == status.as_str()) => {
                Err(Error::Table(texts::no_status(self.language, &self.name, status.as_str(), labels)))
            }
            _ => Ok(()),
        }
    }

    /// Whether row level security applies to this database user: a policy may hide rows, or keep them from being written.
    #[must_use]
    pub const fn has_row_security(&self) -> bool {
        self.access.row_security
    }

    /// The language of what is said of it.
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    /// The table's name, as the setting has it.
    pub(crate) const fn name(&self) -> &TableName {
        &self.name
    }

    /// Whether the table has a column that it may do without.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// The table's name, quoted and qualified.
    #[must_use]
    pub fn relation(&self) -> String {
        relation(&self.name)
    }

    /// The name of something in the table's schema, quoted and qualified.
    pub(crate) fn beside(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.name.schema), quoted(name))
    }

    /// A `.sql` file in this table's spelling. Of a column `x` of the row `p`, `{x}` is its value (a time as
    /// `timestamptz`), `{set x}` its bare name, `{as x}` after an expression the cast to its type; `{table}` is the
    /// relation, `{image}` what an action can change of the row, `{superseded}` whether the user has asked for the same
    /// anew, `{read created_at}` a time that can be read (NULL where it is none of the next millennia), `{odd times}` what is wrong with a
    /// row's times, `{is cancelled}`, `{has failed}` … what it means by what it says ([`Meaning`]), `{took}` how long it took, `{unknown}` whether nobody knows its status, `{open}`, `{failed}`, `{completed}` … the statuses as literals of the column's own type, so that an index on
    /// it stays usable.
    #[must_use]
    pub fn sql(&self, template: &str) -> AssertSqlSafe<String> {
        let comparable = ["user_id", "type", "target_id"].iter().all(|column| self.has(column));
        let superseded = if comparable { SUPERSEDED } else { "false" };
        let mut sql = self.meaning.spelt(template).replace("{image}", IMAGE).replace("{superseded}", superseded);
        sql = sql.replace("{took}", TOOK).replace("{unknown}", UNKNOWN).replace("{odd times}", &self.odd_times());
        for time in ["created_at", "updated_at", "completed_at"] {
            let value = format!("{{{time}}}");
            let read = format!("CASE WHEN {value} BETWEEN {SANE} THEN {value} END");
            sql = sql.replace(&format!("{{read {time}}}"), &read);
        }
        sql = sql.replace("{table}", &self.relation());
        let statuses: [(&str, &[ProcessStatus]); 7] = [
            ("{known}", &ProcessStatus::ALL),
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
        for (missing, ..) in OPTIONAL {
            sql = sql.replace(&format!("{{{missing}}}"), "NULL");
        }
        AssertSqlSafe(sql)
    }

    /// What is wrong with a row's times, in SQL: the columns and what stands there; empty where nothing is.
    fn odd_times(&self) -> String {
        let odd = |column: &str, null: &str| {
            let name =
                self.columns.get(column).map_or(column, |column| column.name.trim_matches('"')).replace('\'', "''");
            format!(
                "CASE WHEN coalesce({{{column}}} NOT BETWEEN {SANE}, {null}) \
                      THEN '{name} is ' || coalesce({{{column}}}::text, 'NULL') END"
            )
        };
        let [created, updated] = ["created_at", "updated_at"].map(|column| odd(column, "true"));
        format!("concat_ws(', ', {created}, {updated}, {})", odd("completed_at", "false"))
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

/// Times that a program can read: PostgreSQL also has `infinity`, and years that no calendar of ours reaches.
const SANE: &str = "'0001-01-02 00:00Z'::timestamptz AND '9999-12-30 00:00Z'::timestamptz";

/// How long row `p` took until it was closed; NULL where its times do not tell.
const TOOK: &str = "(coalesce({read completed_at}, {read updated_at}) - {read created_at})";

/// Whether nobody knows the status of row `p`.
const UNKNOWN: &str = "coalesce({status} NOT IN ({known}), true)";

/// Whether a newer row asks for the same as row `p`: the same user, type and target. Without a target nothing is the same.
const SUPERSEDED: &str = "EXISTS (SELECT FROM {table} n \
     WHERE n.{set user_id} = {user_id} AND n.{set type} = {type} AND n.{set target_id} = {target_id} \
       AND n.{set created_at} > p.{set created_at})";

/// A column, as the catalogue has it.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) family: String,
    pub(crate) labels: Option<Vec<String>>,
    /// Computed by the database: nobody can write it.
    pub(crate) generated: bool,
    /// Whether this database user may write it.
    pub(crate) updates: bool,
}

impl Column {
    pub(crate) fn of(found: &Found) -> Self {
        Self {
            name: quoted(&found.name),
            type_name: found.type_name.clone(),
            local_time: found.family == "timestamp without time zone",
        }
    }
}

/// A column among those of a table, in either spelling; `None` where there is none.
pub(crate) fn find<'a>(
    name: &TableName,
    language: Language,
    found: &'a [Found],
    wanted: Wanted,
) -> Result<Option<&'a Found>, Error> {
    let (snake, camel, types) = wanted;
    let Some(column) = found.iter().find(|column| column.name == snake || column.name == camel) else {
        return Ok(None);
    };
    if !types.is_empty() && !types.contains(&column.family.as_str()) {
        return Err(Error::Table(texts::column_type(language, name, &column.name, &column.type_name, types)));
    }
    Ok(Some(column))
}

/// The error that a table lacks a column.
pub(crate) fn missing(name: &TableName, language: Language, (snake, camel, types): Wanted) -> Error {
    let names = if snake == camel { format!("`{snake}`") } else { format!("`{snake}` (or \"{camel}\")") };
    Error::Table(texts::no_column(language, name, &names, types))
}

/// A table's name, quoted and qualified.
pub(crate) fn relation(name: &TableName) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.table))
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
