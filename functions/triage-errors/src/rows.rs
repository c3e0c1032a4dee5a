//! What the rows say: exactly how many failed, of which types, with what, and what lies behind it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::domain::{ProcessId, Words};
use remediation::failure::UNKNOWN;
use remediation::failure::cause::Cause;
use remediation::gather::error::Error;
use remediation::redact;
use remediation::run::step::Session;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

/// How many processes stand for an error.
const EXAMPLES: usize = 3;

/// Characters of a message that reach a report.
const MESSAGE: usize = 200;

/// What was closed within the window, and as long before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// All that was closed within the window.
    pub closed: i64,
    /// Those of it that failed.
    pub failed: i64,
    /// The same of as long a time before.
    pub before: Before,
    /// The failures by code, type and cause, the most frequent first.
    pub errors: Vec<Failures>,
    /// All that was closed by type, what failed most often first.
    pub types: Vec<OfType>,
    /// The fields of invalid input, the most frequent first.
    pub fields: Vec<Field>,
}

/// What was closed before the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Before {
    pub closed: i64,
    pub failed: i64,
}

/// Failures that are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Failures {
    /// The row's own code.
    pub code: Option<String>,
    /// The process's type; `None` where the table has no such column.
    pub kind: Option<String>,
    pub cause: Cause,
    pub count: i64,
    /// As long before.
    pub before: i64,
    /// When the first and the last of them failed.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The newest ones.
    pub examples: Vec<Example>,
}

/// A process that stands for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    pub process_id: ProcessId,
    pub at: DateTime<Utc>,
    /// The beginning of the row's message.
    pub message: Option<String>,
}

/// The processes of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfType {
    #[serde(rename = "type")]
    pub kind: String,
    pub closed: i64,
    pub failed: i64,
}

/// A field that was not valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Field {
    pub field: String,
    pub message: Option<String>,
    pub count: i64,
}

/// Rows that are alike in everything that decides, as the database counts them.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Group {
    pub failed: bool,
    pub code: Option<String>,
    pub kind: Option<String>,
    pub message: Option<String>,
    /// What the newest execution ended with, where the row says nothing itself.
    pub execution_error: Option<String>,
    pub count: i64,
    pub before: i64,
    pub first: Option<DateTime<Utc>>,
    pub last: Option<DateTime<Utc>>,
    pub newest: Option<Json<Vec<Newest>>>,
}

/// When a process failed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Newest {
    pub process_id: ProcessId,
    pub at: DateTime<Utc>,
}

/// Reads what was closed within `window`, and as long before.
pub async fn read(session: &mut Session<'_>, window: TimeDelta) -> Result<Rows, Error> {
    let table = session.table().await?;
    let from = session.now - window;
    let groups: Vec<Group> = sqlx::query_as(table.sql(include_str!("rows.sql")))
        .bind(from)
        .bind(from - window)
        .bind(UNKNOWN)
        .bind(i32::try_from(EXAMPLES).unwrap_or(i32::MAX))
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database("counting failures"))?;
    let mut rows = fold(groups, session.config.policy.words);
    if rows.errors.iter().any(|failures| failures.cause == Cause::Validation) {
        let fields: Vec<Field> = sqlx::query_as(table.sql(include_str!("fields.sql")))
            .bind(from)
            .fetch_all(&mut *session.db)
            .await
            .map_err(Error::database("counting the fields of invalid input"))?;
        // A rule's words may quote the value that broke it.
        let redacted = |field: Field| Field { message: field.message.as_deref().map(redact::text), ..field };
        rows.fields = fields.into_iter().map(redacted).collect();
    }
    Ok(rows)
}

/// Puts together what has the same code, type and cause, whatever its message says.
pub fn fold(groups: Vec<Group>, words: &Words) -> Rows {
    let mut rows = Rows::default();
    let mut errors: BTreeMap<(Option<String>, Option<String>, Cause), Failures> = BTreeMap::new();
    let mut types: BTreeMap<String, OfType> = BTreeMap::new();
    for group in groups {
        rows.closed += group.count;
        rows.before.closed += group.before;
        let of_type =
            group.kind.clone().map(|kind| types.entry(kind.clone()).or_insert(OfType { kind, closed: 0, failed: 0 }));
        if let Some(of_type) = of_type {
            of_type.closed += group.count;
            of_type.failed += if group.failed { group.count } else { 0 };
        }
        if !group.failed {
            continue;
        }
        rows.failed += group.count;
        rows.before.failed += group.before;
        let cause = Cause::of(group.code.as_deref(), group.message.as_deref(), group.execution_error.as_deref(), words);
        let failures = errors.entry((group.code.clone(), group.kind.clone(), cause.clone())).or_insert(Failures {
            code: group.code,
            kind: group.kind,
            cause,
            count: 0,
            before: 0,
            span: None,
            examples: Vec::new(),
        });
        failures.count += group.count;
        failures.before += group.before;
        failures.span = match (failures.span, group.first.zip(group.last)) {
            (Some((first, last)), Some((earlier, later))) => Some((first.min(earlier), last.max(later))),
            (one, other) => one.or(other),
        };
        let message = group.message.map(|message| redact::cut(&message, MESSAGE));
        failures.examples.extend(group.newest.into_iter().flat_map(|newest| newest.0).map(|newest| Example {
            process_id: newest.process_id,
            at: newest.at,
            message: message.clone(),
        }));
    }
    rows.errors = errors.into_values().collect();
    for failures in &mut rows.errors {
        failures.examples.sort_by_key(|example| (std::cmp::Reverse(example.at), example.process_id));
        failures.examples.truncate(EXAMPLES);
    }
    rows.errors.sort_by_key(|failures| std::cmp::Reverse((failures.count, failures.before)));
    rows.types = types.into_values().filter(|of_type| of_type.closed > 0).collect();
    rows.types.sort_by_key(|of_type| std::cmp::Reverse(of_type.failed));
    rows
}
