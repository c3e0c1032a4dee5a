//! The application's table as it is found in the field (design, section 1).
//!
//! A [`Variant`] is one way to spell it; [`insert`] and [`read`] speak of a [`Row`] whichever it is.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::error::{Error, Result};

/// How the columns are named; the type of the times follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `user_id`, `timestamptz`.
    Snake,
    /// `"userId"`, `timestamp(3)` in UTC: what Prisma pushes for a schema without `@map`.
    Camel,
}

/// What `status` and `type` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `text`, as in the guide.
    Text,
    /// The enums `"ProcessingStatus"` and `"ProcessingType"`, as in the migrated database.
    Enum,
}

/// One spelling of the application's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// Says which it is, in test output and in the patient's environment.
    pub name: &'static str,
    /// The table's schema.
    pub schema: &'static str,
    /// The table's name in the catalogue's spelling.
    pub table: &'static str,
    /// Of the columns and their times.
    pub naming: Naming,
    /// Of `status` and `type`.
    pub kind: Kind,
    /// Whether `retry_count` and `target_id` are there.
    pub complete: bool,
}

/// Text columns, as the guide's statements want them.
pub const GUIDE: Variant = Variant {
    name: "guide",
    schema: "public",
    table: "processing_state",
    naming: Naming::Snake,
    kind: Kind::Text,
    complete: true,
};
/// Prisma's enums with every column `@map`'d: the migrated database.
pub const MIGRATED: Variant = Variant { name: "migrated", kind: Kind::Enum, ..GUIDE };
/// Pushed by Prisma without `@map`: camelCase, and a table name that must be quoted.
pub const PUSHED: Variant =
    Variant { name: "pushed", table: "ProcessingState", naming: Naming::Camel, kind: Kind::Enum, ..GUIDE };
/// From before there were retries and targets.
pub const EARLY: Variant = Variant { name: "early", complete: false, ..GUIDE };
/// Under another name in a schema of its own, and incomplete.
pub const ELSEWHERE: Variant =
    Variant { name: "elsewhere", schema: "app", table: "async_processes", complete: false, ..PUSHED };

/// One process as the application keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The process.
    pub id: Uuid,
    /// Who asked for it.
    pub user_id: Uuid,
    /// What is generated: `SUBGOAL_GENERATION`, `ACTION_GENERATION`, `TASK_GENERATION`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `PENDING`, `PROCESSING`, `COMPLETED`, `FAILED`, `TIMEOUT`, `CANCELLED`.
    pub status: String,
    /// The goal, sub-goal or action that it is about.
    #[serde(default)]
    pub target_id: Option<Uuid>,
    /// 0 to 100, in a sound row.
    pub progress: i16,
    /// What was generated.
    pub result: Option<Value>,
    /// `{"code", "message", …}`.
    pub error: Option<Value>,
    /// How often it was tried again.
    #[serde(default)]
    pub retry_count: i16,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was written last.
    pub updated_at: DateTime<Utc>,
    /// When it was closed.
    pub completed_at: Option<DateTime<Utc>>,
}

impl Row {
    /// A process that was accepted at `created_at` and has not started. The time is cut to milliseconds, which every
    /// variant can hold.
    #[must_use]
    pub fn pending(created_at: DateTime<Utc>) -> Self {
        let created_at = milliseconds(created_at);
        Self {
            id: Uuid::new_v4(),
            user_id: Uuid::new_v4(),
            kind: "SUBGOAL_GENERATION".into(),
            status: "PENDING".into(),
            target_id: None,
            progress: 0,
            result: None,
            error: None,
            retry_count: 0,
            created_at,
            updated_at: created_at,
            completed_at: None,
        }
    }

    /// The same process in another status, written at `updated_at`; closed then, where the status is a final one.
    #[must_use]
    pub fn became(self, status: &str, updated_at: DateTime<Utc>) -> Self {
        let updated_at = milliseconds(updated_at);
        let closed = !matches!(status, "PENDING" | "PROCESSING");
        Self { status: status.into(), updated_at, completed_at: closed.then_some(updated_at), ..self }
    }
}

fn milliseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    time - TimeDelta::nanoseconds(i64::from(time.timestamp_subsec_nanos() % 1_000_000))
}

/// The columns in order: their name, what [`Row`] sends for them, their definition.
const COLUMNS: [(&str, &str, &str); 12] = [
    ("id", "uuid", "uuid PRIMARY KEY"),
    ("user_id", "uuid", "uuid NOT NULL"),
    ("type", "text", "{type type} NOT NULL"),
    ("status", "text", "{status type} NOT NULL DEFAULT 'PENDING'"),
    ("target_id", "uuid", "uuid"),
    ("progress", "smallint", "smallint NOT NULL DEFAULT 0"),
    ("result", "jsonb", "jsonb"),
    ("error", "jsonb", "jsonb"),
    ("retry_count", "smallint", "smallint NOT NULL DEFAULT 0"),
    ("created_at", "timestamptz", "{time type} NOT NULL DEFAULT now(){utc}"),
    ("updated_at", "timestamptz", "{time type} NOT NULL"),
    ("completed_at", "timestamptz", "{time type}"),
];
const OPTIONAL: [&str; 2] = ["target_id", "retry_count"];
/// Columns that have two spellings, those of the goals included.
const SPELT: [(&str, &str); 8] = [
    ("user_id", "userId"),
    ("target_id", "targetId"),
    ("retry_count", "retryCount"),
    ("created_at", "createdAt"),
    ("updated_at", "updatedAt"),
    ("completed_at", "completedAt"),
    ("goal_id", "goalId"),
    ("sub_goal_id", "subGoalId"),
];

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 5] = [GUIDE, MIGRATED, PUSHED, EARLY, ELSEWHERE];

    /// The variant of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name == name)
    }

    /// `<schema>.<table>`, as `PROCESSING_STATE_TABLE` takes it.
    #[must_use]
    pub fn table_name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    /// The statements that make the tables: processes, and the goals that they work for.
    #[must_use]
    pub fn ddl(&self) -> String {
        let enums = if self.kind == Kind::Enum { include_str!("../sql/enums.sql") } else { "" };
        let columns = self.columns(|name, _, definition| format!("{name} {definition}")).join(",\n    ");
        let processes = format!(
            "CREATE SCHEMA IF NOT EXISTS {{schema}};\n{enums}\n\
             CREATE TABLE {{processes}} (\n    {columns}\n);\n\
             CREATE INDEX ON {{processes}} ({{user_id}}, status);\n"
        );
        self.spell(&(processes + include_str!("../sql/goals.sql")))
    }

    /// A statement in this variant's spelling: `{processes}` is the relation, `{user_id}` and the like are columns,
    /// `{status type}`, `{type type}`, `{time type}` types, and `{utc}` turns a `timestamptz` into the column's type and back.
    #[must_use]
    pub fn spell(&self, sql: &str) -> String {
        let (time, utc) = match self.naming {
            Naming::Snake => ("timestamptz", ""),
            Naming::Camel => ("timestamp(3)", " AT TIME ZONE 'UTC'"),
        };
        let enumerated = |name: &str| match self.kind {
            Kind::Text => "text".to_owned(),
            Kind::Enum => format!("{}.\"{name}\"", self.schema),
        };
        let mut sql = sql
            .replace("{status type}", &enumerated("ProcessingStatus"))
            .replace("{type type}", &enumerated("ProcessingType"))
            .replace("{goal status type}", &enumerated("GoalStatus"))
            .replace("{time type}", time)
            .replace("now(){utc}", &format!("(now(){utc})"))
            .replace("{utc}", utc)
            .replace("{schema}", self.schema)
            .replace("{processes}", &format!("{}.\"{}\"", self.schema, self.table));
        for (snake, camel) in SPELT {
            let name = if self.naming == Naming::Snake { snake.to_owned() } else { format!("\"{camel}\"") };
            sql = sql.replace(&format!("{{{snake}}}"), &name);
        }
        sql
    }

    /// Something of every column that this variant has, given its name (still to be spelt), sent type and definition.
    fn columns(&self, of: impl Fn(&str, &str, &str) -> String) -> Vec<String> {
        let there = COLUMNS.iter().filter(|(name, ..)| self.complete || !OPTIONAL.contains(name));
        let spelt = |name: &str| SPELT.iter().any(|(snake, _)| *snake == name);
        there
            .map(|(name, sent, definition)| {
                let name = if spelt(name) { format!("{{{name}}}") } else { (*name).to_owned() };
                of(&name, sent, definition)
            })
            .collect()
    }
}

/// Makes the tables of a variant.
///
/// # Errors
/// What PostgreSQL answers.
pub async fn create(pool: &PgPool, variant: &Variant) -> Result<()> {
    let made = sqlx::raw_sql(AssertSqlSafe(variant.ddl())).execute(pool).await;
    made.map(drop).map_err(Error::when(format!("make the tables of variant {}", variant.name)))
}

/// Inserts rows, however many, with one statement. What the variant cannot hold (a target, a retry count) is left out.
///
/// # Errors
/// What PostgreSQL answers.
pub async fn insert(pool: &PgPool, variant: &Variant, rows: &[Row]) -> Result<()> {
    let names = variant.columns(|name, _, _| name.to_owned()).join(", ");
    let values = variant.columns(|name, sent, _| {
        let bare = name.trim_matches(['{', '}']);
        match (bare, sent) {
            ("status" | "type", _) => format!("sent.{bare}::{{{bare} type}}"),
            (_, "timestamptz") => format!("sent.{bare}{{utc}}"),
            _ => format!("sent.{bare}"),
        }
    });
    let record = variant.columns(|name, sent, _| format!("{} {sent}", name.trim_matches(['{', '}'])));
    let sql = format!(
        "INSERT INTO {{processes}} ({names}) SELECT {} FROM jsonb_to_recordset($1) AS sent({})",
        values.join(", "),
        record.join(", ")
    );
    let done = sqlx::query(AssertSqlSafe(variant.spell(&sql))).bind(Json(rows)).execute(pool).await;
    done.map(drop).map_err(Error::when(format!("insert {} rows", rows.len())))
}

/// Reads a row; `None` where there is none of that id.
///
/// # Errors
/// What PostgreSQL answers.
pub async fn read(pool: &PgPool, variant: &Variant, id: Uuid) -> Result<Option<Row>> {
    let fields = variant.columns(|name, sent, _| {
        let bare = name.trim_matches(['{', '}']);
        let utc = if sent == "timestamptz" { "{utc}" } else { "" };
        format!("'{bare}', {name}{utc}")
    });
    let sql = format!("SELECT jsonb_build_object({}) FROM {{processes}} WHERE id = $1", fields.join(", "));
    let row: Option<Json<Row>> = sqlx::query_scalar(AssertSqlSafe(variant.spell(&sql)))
        .bind(id)
        .fetch_optional(pool)
        .await
        .map_err(Error::when(format!("read process {id}")))?;
    Ok(row.map(|Json(row)| row))
}

/// Inserts `count` closed processes of the thirty days before `now`, with one statement. None of them has an execution:
/// Step Functions forgets them.
///
/// # Errors
/// What PostgreSQL answers.
pub async fn history(pool: &PgPool, variant: &Variant, count: i32, now: DateTime<Utc>) -> Result<()> {
    let sql = variant.spell(include_str!("../sql/history.sql"));
    let done = sqlx::query(AssertSqlSafe(sql)).bind(count).bind(now).execute(pool).await;
    done.map(drop).map_err(Error::when(format!("insert {count} rows of history")))
}
