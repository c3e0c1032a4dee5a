//! Rows and executions that cannot be read as they are: a status that nobody told us of, a time that is none.
//!
//! One odd row is a finding, and the rest goes on. Many odd rows are one finding: how many, and a few of them by name.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::PgConnection;

use crate::domain::{Language, ProcessId};
use crate::finding::{Audience, Finding, Often};
use crate::gather::error::Error;
use crate::gather::table_name::TableName;
use crate::gather::texts;
use crate::redact;

/// How many are named of those with the same fault.
const NAMED: usize = 5;

/// How many faults are told apart: beyond them, the rest is one finding.
const FAULTS: usize = 10;

/// A row that is left alone because it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// The row; `None` where not even that can be read.
    pub process: Option<ProcessId>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A status that nobody knows; `NULL` where there is none.
    Status(String),
    /// A time that is missing or none: the column and what stands there.
    Time(String),
    /// A value that cannot be decoded, in the decoder's words.
    Value(String),
}

impl Fault {
    const fn code(&self) -> &'static str {
        match self {
            Self::Status(_) => "row_status_unknown",
            Self::Time(_) => "row_time_unusable",
            Self::Value(_) => "row_unreadable",
        }
    }

    fn words(&self) -> &str {
        match self {
            Self::Status(words) | Self::Time(words) | Self::Value(words) => words,
        }
    }

    /// What is told of `count` rows with this fault, of which these are some.
    fn sentence(&self, language: Language, count: usize, some: &str) -> String {
        match self {
            Self::Status(status) => texts::rows_of_unknown_status(language, count, status, some),
            Self::Time(times) => texts::rows_with_odd_times(language, count, times, some),
            Self::Value(why) => texts::rows_unreadable(language, count, why, some),
        }
    }
}

/// What is told of odd rows: once a day, since somebody has to mend them or to say what their status means.
#[must_use]
pub fn findings(odd: &[Odd], table: &TableName, language: Language) -> Vec<Finding> {
    let mut by_fault: BTreeMap<&Fault, Vec<Option<ProcessId>>> = BTreeMap::new();
    for Odd { process, fault } in odd {
        by_fault.entry(fault).or_default().push(*process);
    }
    let mut rest: Vec<(&Fault, Vec<_>)> = by_fault.into_iter().collect();
    rest.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    let left: usize = rest.iter().skip(FAULTS).map(|(_, rows)| rows.len()).sum();
    rest.truncate(FAULTS);
    let mut findings: Vec<Finding> = rest
        .into_iter()
        .map(|(fault, rows)| {
            let named: Vec<String> = rows.iter().flatten().take(NAMED).map(ToString::to_string).collect();
            let target = match named.as_slice() {
                [one] if rows.len() == 1 => one.clone(),
                _ => table.to_string(),
            };
            let evidence = json!({ "count": rows.len(), "processes": named, "found": fault.words() });
            let sentence = fault.sentence(language, rows.len(), &named.join(", "));
            Finding::new(fault.code(), target, sentence, evidence).told(Audience::People, Often::ONCE_A_DAY)
        })
        .collect();
    if left > 0 {
        let message = texts::more_odd_rows(language, left);
        let finding = Finding::new("row_unreadable", table.to_string(), message, json!({ "count": left }));
        findings.push(finding.told(Audience::People, Often::ONCE_A_DAY));
    }
    findings
}

/// Rows of the sweep's span whose status nobody knows: they are left alone, and somebody has to say what it means.
#[must_use]
pub(crate) fn unknown_statuses(
    count: usize,
    statuses: &[String],
    table: &TableName,
    language: Language,
) -> Option<Finding> {
    (count > 0).then(|| {
        let message = texts::rows_of_unknown_status(language, count, &statuses.join(", "), "");
        let evidence = json!({ "count": count, "found": statuses });
        let finding = Finding::new("row_status_unknown", table.to_string(), message, evidence);
        finding.told(Audience::People, Often::ONCE_A_DAY)
    })
}

/// What is told of executions that are known, and whose status is not: AWS has added one since this was built.
///
/// # Errors
/// [`Error::Database`].
pub(crate) async fn executions(db: &mut PgConnection, language: Language) -> Result<Vec<Finding>, Error> {
    let found: Vec<(String, i64, Vec<String>)> = sqlx::query_as(include_str!("../executions/odd.sql"))
        .fetch_all(db)
        .await
        .map_err(Error::database("reading executions whose status is not known"))?;
    let finding = |(status, count, some): (String, i64, Vec<String>)| {
        let names: Vec<&str> = some.iter().filter_map(|arn| arn.rsplit(':').next()).collect();
        let message = texts::executions_of_unknown_status(language, count, &status, &names.join(", "));
        let evidence = json!({ "count": count, "status": status, "executions": some });
        let target = redact::cut(&status, 100);
        Finding::new("execution_status_unknown", target, message, evidence).told(Audience::People, Often::ONCE_A_DAY)
    };
    Ok(found.into_iter().map(finding).collect())
}
