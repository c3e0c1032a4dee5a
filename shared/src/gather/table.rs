//! The application's table, as this database has it.
//!
//! What its columns are called and what stands in them, the application's profile says ([`Profile`]); the guide's may be snake_case or
//! camelCase, `status` text or an enum, times `timestamptz` or `timestamp` in UTC, and some columns may be missing (design, section 1). The
//! catalogue is read once for each container; from it come the few SQL fragments that differ ([`spelling`]). Nothing of the table is ever
//! altered.

pub(crate) mod column;
mod meaning;
mod spelling;
pub(in crate::gather) mod texts;
mod understood;
mod wanted;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use crate::domain::{IdKind, Language, ParseError, ProcessId, ProcessStatus, Words};
use crate::failure::transient::is_transient;
use crate::finding::{Audience, Finding, Often};
use crate::gather::error::Error;
use crate::gather::profile::{ErrorShape, Profile};
use crate::gather::table::column::{Column, Found, find, missing, quoted, relation};
use crate::gather::table::meaning::Meaning;
use crate::gather::table::wanted::wanted;
use crate::gather::table_name::TableName;
use crate::gather::trigger::result_path::ResultPath;

/// How to speak of the application's table.
#[derive(Debug, Clone)]
pub struct Table {
    name: TableName,
    /// Of what is said of it.
    language: Language,
    /// How the application keeps its processes.
    profile: Profile,
    /// Those that are there, by what they mean.
    columns: BTreeMap<&'static str, Column>,
    /// The enum's labels; `None` for a text column.
    statuses: Option<Vec<String>>,
    /// What ids are.
    ids: IdKind,
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

impl Table {
    /// Reads the catalogue for the guide's table.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub async fn read(name: &TableName, language: Language, db: &mut PgConnection) -> Result<Self, Error> {
        Self::of(name, &Profile::guide(), language, db).await
    }

    /// Reads the catalogue for an application's table.
    ///
    /// # Errors
    /// [`Error::Table`] naming the column that is missing or of a type that is not known; [`Error::Database`].
    pub async fn of(
        name: &TableName,
        profile: &Profile,
        language: Language,
        db: &mut PgConnection,
    ) -> Result<Self, Error> {
        let reading = "reading the catalogue";
        let rows = sqlx::query(include_str!("table.sql"))
            .bind(&name.schema)
            .bind(&name.table)
            .fetch_all(db)
            .await
            .map_err(Error::database(reading))?;
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
            .map_err(Error::database(reading))?;
        let Some(first) = rows.first() else { return Err(Error::Table(texts::no_table(language, name))) };
        let access = Access::of(first).map_err(Error::database(reading))?;
        let Json(unique): Json<Vec<Vec<String>>> = first.try_get("unique_keys").map_err(Error::database(reading))?;
        Self::from_catalogue(name, profile, language, (&found, &unique), access)
    }

    /// The same, where an execution's output has the result elsewhere.
    #[must_use]
    pub fn with_results_of(self, path: &ResultPath) -> Self {
        Self { meaning: Meaning::of(&self.profile, path), ..self }
    }

    /// All that is wrong is told at once.
    fn from_catalogue(
        name: &TableName,
        profile: &Profile,
        language: Language,
        (found, unique): (&[Found], &[Vec<String>]),
        access: Access,
    ) -> Result<Self, Error> {
        let mut faults = access.faults(name, language);
        let (mut columns, mut statuses) = (BTreeMap::new(), None);
        let (mut written, mut unwritable) = (0, Vec::new());
        for wanted in wanted(profile) {
            let of_profile = |fault: String| {
                if wanted.is_own { format!("APPLICATION_PROFILE: `{}`: {fault}", wanted.key) } else { fault }
            };
            let column = match find(name, language, found, wanted.spelt()) {
                Ok(Some(column)) => column,
                Ok(None) if !wanted.is_needed => continue,
                Ok(None) => {
                    faults.push(of_profile(missing(name, language, wanted.spelt()).told(language)));
                    continue;
                }
                Err(error) => {
                    faults.push(of_profile(error.told(language)));
                    continue;
                }
            };
            if wanted.is_written {
                written += 1;
                unwritable.extend((!column.updates).then(|| quoted(&column.name)));
                if column.generated {
                    faults.push(of_profile(texts::generated_column(language, name, &column.name)));
                }
            }
            if wanted.meaning == "status" {
                statuses.clone_from(&column.labels);
            }
            columns.insert(wanted.meaning, Column::of(column));
        }
        let lacks_update = match unwritable.len() {
            0 => None,
            all if all == written => Some("UPDATE".to_owned()),
            _ => Some(format!("UPDATE ({})", unwritable.join(", "))),
        };
        let ids = columns.get("id").map_or(IdKind::Uuid, |id: &Column| id.ids());
        let (name, meaning) = (name.clone(), Meaning::of(profile, &profile.result_path));
        let profile = profile.clone();
        let table = Self { name, language, profile, columns, statuses, ids, access, lacks_update, meaning };
        faults.extend(table.unknown_words());
        faults.extend(table.not_unique(found, unique));
        if faults.is_empty() { Ok(table) } else { Err(Error::Table(faults.join("; "))) }
    }

    /// The words of the profile that the status column does not know.
    fn unknown_words(&self) -> Vec<String> {
        let may_lack = |status| status == ProcessStatus::Timeout && !self.profile.writes_timed_out;
        let statuses = ProcessStatus::ALL.into_iter().filter(|status| !may_lack(*status));
        statuses.filter_map(|status| self.require(status).err()).map(|error| error.told(self.language)).collect()
    }

    /// What is wrong with another application's id: that it is no key among the rows that are ours, or that a column is missing that
    /// selects them.
    fn not_unique(&self, found: &[Found], unique: &[Vec<String>]) -> Vec<String> {
        if !self.profile.is_anothers() {
            return Vec::new();
        }
        let filter = &self.profile.filter;
        let [id, _] = self.profile.columns.id.spellings();
        let ours: Vec<&str> = filter.iter().map(|(column, _)| column.as_str()).chain([id]).collect();
        let lacks = |column: &&str| !found.iter().any(|of| of.name == **column);
        let mut faults: Vec<String> = ours[..filter.len()]
            .iter()
            .filter(|column| lacks(column))
            .map(|column| {
                format!(
                    "APPLICATION_PROFILE: `where.{column}`: {}",
                    texts::no_such_column(self.language, &self.name, column)
                )
            })
            .collect();
        let is_key = |key: &Vec<String>| key.iter().all(|column| ours.contains(&column.as_str()));
        if !unique.iter().any(is_key) && !lacks(&id) {
            faults.push(format!("APPLICATION_PROFILE: `id`: {}", texts::id_not_unique(self.language, &self.name, id)));
        }
        faults
    }

    /// Reads an id as this table has it.
    ///
    /// # Errors
    /// It is none of its kind.
    pub fn id(&self, id: &str) -> Result<ProcessId, ParseError> {
        self.ids.read(id)
    }

    /// An id that was told elsewhere, in the one spelling that it has here; `None` where it can be none of these.
    #[must_use]
    pub(crate) fn spelt(&self, id: Option<ProcessId>) -> Option<ProcessId> {
        self.id(id?.as_str()).ok()
    }

    /// What comes before every id, as [`Self::id`] has it.
    #[must_use]
    pub(crate) fn before_all_ids(&self) -> &'static str {
        match self.ids {
            IdKind::Uuid => "00000000-0000-0000-0000-000000000000",
            IdKind::Integer => "-9223372036854775808",
            IdKind::Text => "",
        }
    }

    /// How the application keeps its processes.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// An error of ours in the shape that the application's readers know: its keys, and what they need and must not see.
    #[must_use]
    pub fn shaped(&self, error: &Value) -> Value {
        let text = |key: &str| error[key].as_str().unwrap_or_default();
        match &self.profile.error {
            ErrorShape::Absent => Value::Null,
            ErrorShape::Two { .. } => json!({ "code": text("code"), "message": text("message") }),
            ErrorShape::One { .. } if !self.columns["error"].is_json() => {
                format!("{}: {}", text("code"), text("message")).into()
            }
            ErrorShape::One { keys, .. } => {
                let renamed = |key: &str| match key {
                    "code" => keys.code.clone(),
                    "message" => keys.message.clone(),
                    "cause" => keys.cause.clone(),
                    other => other.to_owned(),
                };
                let seen = error.as_object().into_iter().flatten().filter(|(key, _)| !keys.hidden.contains(key));
                let mut shaped: Map<String, Value> = seen.map(|(key, value)| (renamed(key), value.clone())).collect();
                if let Some(retryable) = &keys.retryable {
                    let passes = is_transient(error["code"].as_str(), error["message"].as_str(), None, self.words());
                    shaped.insert(retryable.clone(), passes.into());
                }
                shaped.into()
            }
        }
    }

    /// What the application means by what it writes.
    #[must_use]
    pub const fn words(&self) -> &'static Words {
        self.profile.words
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
        let words = self.words().statuses.of(status);
        let unknown =
            |labels: &&Vec<String>| words.iter().find(|word| !labels.iter().any(|label| label == *word)).copied();
        match self.statuses.as_ref().and_then(|labels| Some((unknown(&labels)?, labels))) {
            Some((word, labels)) => Err(Error::Table(texts::no_status(self.language, &self.name, word, labels))),
            None => Ok(()),
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

    /// Whether it has a column that is `jsonb`.
    #[must_use]
    pub fn is_jsonb(&self, column: &str) -> bool {
        self.columns.get(column).is_some_and(|column| column.family == "jsonb")
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
}
