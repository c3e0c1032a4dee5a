//! What the processes work for (guide, 4 step 2): goals, their sub-goals and their actions, as this database has them.
//!
//! The three tables lie in the schema of the application's table, `target_id` of which names a row in one of them. Like that
//! table they are spelt in snake_case or camelCase, and statuses are text or enums; an installation may have none of it.

pub mod cases;

use std::fmt;

use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::table::column::{Column, Found, TIMES, Wanted, find, missing, relation};
use crate::gather::table::{self, Table};
use crate::gather::table_name::TableName;
use crate::gather::texts;

/// The identity of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GoalId(pub Uuid);

impl fmt::Display for GoalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a goal says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoalStatus {
    /// Work goes on.
    Active,
    /// Reached.
    Completed,
    /// A person has put it off.
    Paused,
    /// A person has given it up.
    Cancelled,
    /// One that only the application knows.
    Other(
        /// As it spells it.
        String,
    ),
}

impl GoalStatus {
    /// The status as the application spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "ACTIVE",
            Self::Completed => "COMPLETED",
            Self::Paused => "PAUSED",
            Self::Cancelled => "CANCELLED",
            Self::Other(status) => status,
        }
    }
}

impl From<&str> for GoalStatus {
    fn from(status: &str) -> Self {
        let known = [Self::Active, Self::Completed, Self::Paused, Self::Cancelled];
        known.into_iter().find(|known| known.as_str() == status).unwrap_or_else(|| Self::Other(status.to_owned()))
    }
}

impl fmt::Display for GoalStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the catalogue says of the goals.
#[derive(Debug, Clone)]
pub enum Catalogue {
    /// They are there.
    There(Goals),
    /// This installation lacks these tables or columns, so its processes work for nothing that is known here.
    Absent(Vec<String>),
}

/// How to speak of the goals.
#[derive(Debug, Clone)]
pub struct Goals {
    goals: TableName,
    /// Whether this user may write them.
    updates: bool,
    user: String,
    /// Placeholders, and what stands for them.
    spelling: Vec<(&'static str, String)>,
}

const TARGET: Wanted<'_> = ("target_id", "targetId", UUID);
const ID: Wanted<'_> = ("id", "id", UUID);
const STATUS: Wanted<'_> = ("status", "status", &["text", "character varying", "enum"]);
const PROGRESS: Wanted<'_> =
    ("progress", "progress", &["smallint", "integer", "bigint", "numeric", "real", "double precision"]);
const UPDATED_AT: Wanted<'_> = ("updated_at", "updatedAt", TIMES);
const GOAL: Wanted<'_> = ("goal_id", "goalId", UUID);
const SUB_GOAL: Wanted<'_> = ("sub_goal_id", "subGoalId", UUID);
const UUID: &[&str] = &["uuid"];

impl Goals {
    /// Reads the catalogue.
    ///
    /// # Errors
    /// [`Error::Table`] naming the column that is missing or of a type that is not known, or the grant; [`Error::Database`].
    pub async fn read(db: &mut PgConnection, table: &Table) -> Result<Catalogue, Error> {
        let of_schema = |name: &str| TableName { schema: table.name().schema.clone(), table: name.to_owned() };
        let names = ["goals", "sub_goals", "actions"].map(of_schema);
        let found = Relations::read(db, table, &names).await?;
        let mut absent: Vec<String> =
            names.iter().filter(|name| found.columns(name).is_empty()).map(ToString::to_string).collect();
        let target = found.optional(table.name(), TARGET)?;
        if target.is_none() {
            absent.push(format!("{}.target_id", table.name()));
        }
        let (true, Some(target)) = (absent.is_empty(), target) else { return Ok(Catalogue::Absent(absent)) };
        let [goals, sub_goals, actions] = &names;
        let lacking: Vec<String> = names.iter().filter_map(|name| found.may_not_select(name)).collect();
        if !lacking.is_empty() {
            return Err(Error::Table(lacking.join("; ")));
        }
        found.knows_active(goals)?;
        let (id, status, updated_at) =
            (found.column(goals, ID)?, found.column(goals, STATUS)?, found.optional(goals, UPDATED_AT)?);
        let utc = |column: &Column| if column.local_time { " AT TIME ZONE 'UTC'" } else { "" };
        let mut image = format!("'status', g.{}::text", status.name);
        if let Some(at @ Column { name, .. }) = &updated_at {
            // In UTC, whatever the session's time zone is.
            image += &if at.local_time {
                format!(", 'updatedAt', to_jsonb(g.{name})")
            } else {
                format!(", 'updatedAt', to_jsonb(g.{name} AT TIME ZONE 'UTC')")
            };
        }
        let touch = updated_at.as_ref().map_or(String::new(), |at| format!(", {} = now(){}", at.name, utc(at)));
        let spelling = vec![
            // Those that hold placeholders themselves come first.
            ("{open children}", include_str!("goals/open.sql").to_owned()),
            ("{members}", include_str!("goals/members.sql").to_owned()),
            ("{goals}", relation(goals)),
            (
                "{goal rows}",
                format!(
                    "(SELECT g.{} AS id, g.xmin::text::int8 AS version, g.{}::text AS status FROM {} g)",
                    id.name,
                    status.name,
                    relation(goals)
                ),
            ),
            ("{sub-goal rows}", found.child_rows(sub_goals, GOAL)?),
            ("{action rows}", found.child_rows(actions, SUB_GOAL)?),
            ("{goal id}", format!("g.{}", id.name)),
            ("{goal status}", format!("g.{}", status.name)),
            ("{set goal status}", status.name.clone()),
            ("{as goal status}", format!("::{}", status.type_name)),
            ("{touch goal}", touch),
            ("{goal image}", format!("jsonb_build_object({image})")),
            ("{target_id}", format!("p.{}", target.name)),
        ];
        let (updates, user) = (found.updates(goals), found.user.clone());
        Ok(Catalogue::There(Self { goals: goals.clone(), updates, user, spelling }))
    }

    /// Reads the catalogue for a change, which must find goals that it may write.
    ///
    /// # Errors
    /// As [`Self::read`], and [`Error::Table`] where there are none, or where the grant is missing.
    pub async fn to_write(db: &mut PgConnection, table: &Table) -> Result<Self, Error> {
        match Self::read(db, table).await? {
            Catalogue::There(goals) if goals.updates => Ok(goals),
            Catalogue::There(Self { goals, user, .. }) => Err(not_granted(table.language(), "UPDATE", &goals, &user)),
            Catalogue::Absent(absent) => Err(Error::Table(texts::goals_lack(table.language(), &absent))),
        }
    }

    /// What is wrong with the goals for repair-goal-status; `None` where nothing is, or where this installation has none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn fault(db: &mut PgConnection, table: &Table) -> Result<Option<String>, Error> {
        let lacks_update = |goals: Self| not_granted(table.language(), "UPDATE", &goals.goals, &goals.user).to_string();
        match Self::read(db, table).await {
            Ok(Catalogue::There(goals)) => Ok((!goals.updates).then(|| lacks_update(goals))),
            Ok(Catalogue::Absent(_)) => Ok(None),
            Err(Error::Table(fault)) => Ok(Some(fault)),
            Err(error) => Err(error),
        }
    }

    /// A `.sql` file in the spelling of these tables. Beside the placeholders of [`Table::sql`]: of a goal `g`, `{goal id}`,
    /// `{goal status}` and `{goal image}` (what an action can change of it); `{goals}` is the relation, `{set goal status}` the column's
    /// bare name, `{as goal status}` the cast to its type, `{touch goal}` sets the time of the last change, where there is such a
    /// column. `{goal rows}`, `{sub-goal rows}` and `{action rows}` are the tables with columns of one spelling, `{members}` whatever a
    /// process may work for, `{open children}` what of it is still open; `{target_id}` is the process's.
    #[must_use]
    pub fn sql(&self, table: &Table, template: &str) -> AssertSqlSafe<String> {
        let spell = |sql: String, (placeholder, spelt): &(&str, String)| sql.replace(placeholder, spelt);
        table.sql(&self.spelling.iter().fold(template.to_owned(), spell))
    }
}

/// What the catalogue has of some tables.
struct Relations {
    language: Language,
    user: String,
    tables: Vec<Relation>,
}

struct Relation {
    name: String,
    selects: bool,
    updates: bool,
    columns: Vec<Found>,
}

impl Relations {
    async fn read(db: &mut PgConnection, processes: &Table, others: &[TableName]) -> Result<Self, Error> {
        let (language, processes) = (processes.language(), processes.name());
        let reading = "reading the catalogue";
        let mut names: Vec<&str> = others.iter().map(|name| name.table.as_str()).collect();
        names.push(&processes.table);
        let rows = sqlx::query(include_str!("goals/catalogue.sql"))
            .bind(&processes.schema)
            .bind(names)
            .fetch_all(db)
            .await
            .map_err(Error::database(reading))?;
        let mut relations = Self { language, user: String::new(), tables: Vec::new() };
        for row in &rows {
            relations.take_in(row).map_err(Error::database(reading))?;
        }
        Ok(relations)
    }

    fn take_in(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let name: String = row.try_get("relation")?;
        let column = Found {
            name: row.try_get("name")?,
            type_name: row.try_get("type_name")?,
            family: row.try_get("family")?,
            labels: row.try_get("labels")?,
            generated: false,
            updates: true,
        };
        self.user = row.try_get("granted_to")?;
        match self.tables.iter_mut().find(|table| table.name == name) {
            Some(table) => table.columns.push(column),
            None => {
                let (selects, updates) = (row.try_get("selects")?, row.try_get("updates")?);
                self.tables.push(Relation { name, selects, updates, columns: vec![column] });
            }
        }
        Ok(())
    }

    fn of(&self, name: &TableName) -> Option<&Relation> {
        self.tables.iter().find(|table| table.name == name.table)
    }

    fn columns(&self, name: &TableName) -> &[Found] {
        self.of(name).map_or(&[], |table| &table.columns)
    }

    fn optional(&self, name: &TableName, wanted: Wanted) -> Result<Option<Column>, Error> {
        Ok(find(name, self.language, self.columns(name), wanted)?.map(Column::of))
    }

    fn column(&self, name: &TableName, wanted: Wanted) -> Result<Column, Error> {
        self.optional(name, wanted)?.ok_or_else(|| missing(name, self.language, wanted))
    }

    fn knows_active(&self, goals: &TableName) -> Result<(), Error> {
        let labels = find(goals, self.language, self.columns(goals), STATUS)?.and_then(|column| column.labels.as_ref());
        match labels {
            Some(labels) if !labels.iter().any(|label| label == "ACTIVE") => {
                Err(Error::Table(table::texts::no_status(self.language, goals, "ACTIVE", labels)))
            }
            _ => Ok(()),
        }
    }

    /// The rows of sub-goals or actions, with columns of one spelling: the id, the one above, whether work is left, whether it is
    /// cancelled. A row is over when its status says so (COMPLETED, CANCELLED), where it has one, or when its progress is 100.
    fn child_rows(&self, name: &TableName, parent: Wanted) -> Result<String, Error> {
        let (id, of_parent) = (self.column(name, ID)?, self.column(name, parent)?);
        let (status, progress) = (self.optional(name, STATUS)?, self.optional(name, PROGRESS)?);
        let says = |statuses: &str| {
            status.as_ref().map(|status| format!("coalesce(c.{}::text IN ({statuses}), false)", status.name))
        };
        let done = progress.map(|progress| format!("coalesce(c.{}, 0) >= 100", progress.name));
        let over: Vec<String> = says("'COMPLETED', 'CANCELLED'").into_iter().chain(done).collect();
        if over.is_empty() {
            return Err(missing(name, self.language, PROGRESS));
        }
        Ok(format!(
            "(SELECT c.{} AS id, c.{} AS {}, NOT ({}) AS open, {} AS cancelled FROM {} c)",
            id.name,
            of_parent.name,
            parent.0,
            over.join(" OR "),
            says("'CANCELLED'").unwrap_or_else(|| "false".to_owned()),
            relation(name)
        ))
    }

    fn updates(&self, name: &TableName) -> bool {
        self.of(name).is_some_and(|table| table.updates)
    }

    fn may_not_select(&self, name: &TableName) -> Option<String> {
        let may = self.of(name).is_some_and(|table| table.selects);
        (!may).then(|| not_granted(self.language, "SELECT", name, &self.user).to_string())
    }
}

fn not_granted(language: Language, privilege: &str, name: &TableName, user: &str) -> Error {
    Error::Table(table::texts::not_granted(language, privilege, name, &relation(name), user))
}
