//! `{"explain": true}`: what of the application's profile fits the rows and executions that there are, and what does not. It reads a sample.

use std::collections::BTreeMap;

use remediation::domain::{Language, ProcessStatus, Words};
use remediation::failure::transient::is_known;
use remediation::gather::error::Error;
use remediation::gather::executions::unlinked;
use remediation::gather::profile::ErrorShape;
use remediation::gather::table::Table;
use remediation::run::step::{Finding, Session};
use serde_json::json;
use sqlx::Row;
use sqlx::types::Json;
use tokio::time::Instant;

use crate::texts;

/// Rows of the sample.
const ROWS: i64 = 10_000;
/// Executions of the sample, which are asked for one by one where their names tell nothing.
const EXECUTIONS: i32 = 200;
const DESCRIBED: usize = 20;

/// What a sample shows.
#[derive(Debug, Default, PartialEq)]
pub struct Sample {
    pub rows: i64,
    /// How many rows say each word.
    pub statuses: Vec<(Option<String>, i64)>,
    /// How many failed rows have each code.
    pub codes: Vec<(Option<String>, i64)>,
    /// Rows without a time to count from.
    pub timeless: i64,
    /// Rows that name an execution, where they bear one.
    pub linked: Option<i64>,
    /// The executions that were looked at, and how many of them lead to a row.
    pub executions: usize,
    pub owned: usize,
    /// Of those that succeeded and were described, how many have a result at its path, and how many say whether they failed.
    pub succeeded: usize,
    pub with_result: usize,
    pub says: usize,
    /// Why executions could not be read.
    pub unread: Option<String>,
}

impl Sample {
    pub async fn read(session: &mut Session<'_>, table: &Table) -> Result<Self, Error> {
        let reading = "reading a sample of processes";
        let row = sqlx::query(table.sql(include_str!("explain.sql")))
            .bind(ROWS)
            .fetch_one(&mut *session.db)
            .await
            .map_err(Error::database(reading))?;
        let counted = |column: &str| -> Result<Vec<(Option<String>, i64)>, Error> {
            let Json(counted) = row.try_get(column).map_err(Error::database(reading))?;
            Ok(counted)
        };
        let mut sample = Self {
            rows: row.try_get("rows").map_err(Error::database(reading))?,
            statuses: counted("statuses")?,
            codes: counted("codes")?,
            timeless: row.try_get("timeless").map_err(Error::database(reading))?,
            linked: row.try_get("linked").map_err(Error::database(reading))?,
            ..Self::default()
        };
        if let Err(error) = sample.executions(session, table).await {
            sample.unread = Some(match error {
                error @ Error::Aws { .. } => error.told(session.config.language),
                error => return Err(error),
            });
        }
        Ok(sample)
    }

    async fn executions(&mut self, session: &mut Session<'_>, table: &Table) -> Result<(), Error> {
        let mut page = session.step_functions.newest(EXECUTIONS).await?.executions;
        let (words, path) = (session.config.policy.words, &session.config.result_path);
        for (at, seen) in page.iter_mut().enumerate() {
            if at >= DESCRIBED || Instant::now() >= session.stop_at {
                break;
            }
            let told = session.step_functions.describe(&seen.execution.arn, path).await?;
            if told.execution.says_failed.is_some() {
                self.succeeded += 1;
                let ending = told.execution.ending.as_ref();
                self.with_result += usize::from(ending.is_some_and(|ending| ending.result.is_some()));
                self.says += usize::from(told.execution.says_failed == Some(true));
            }
            seen.process = told.process.or(seen.process);
        }
        let tells = words.owner.name.is_some() || table.has("arn");
        // What was not described is looked at where its name, or a row, tells of it.
        page.truncate(if tells { page.len() } else { DESCRIBED });
        self.executions = page.len();
        self.owned = page.len() - unlinked(session.db, table, &page).await?;
        Ok(())
    }

    /// What does not fit, each with the key that says it.
    pub fn findings(&self, table: &Table, language: Language) -> Vec<Finding> {
        let words = table.words();
        let of = |key: &str, message: String| Finding::new("profile_unfit", key, message, json!({ "key": key }));
        let mut findings = Vec::new();
        for (word, rows) in self.unknown(words) {
            findings.push(of("status", texts::word_unknown(language, word, rows)));
        }
        for (code, rows) in &self.codes {
            if let Some(code) = code.as_deref().filter(|code| !is_known(code, words)) {
                findings.push(of("codes", texts::code_unknown(language, code, *rows)));
            }
        }
        if self.timeless > 0 {
            findings.push(of("times", texts::rows_without_time(language, self.timeless)));
        }
        if self.linked == Some(0) && self.rows > 0 {
            findings.push(of("execution.arn", texts::no_row_linked(language, self.rows)));
        }
        if self.owned == 0 && self.executions > 0 {
            let key = if table.has("arn") {
                "execution.arn"
            } else if words.owner.input.is_some() {
                "execution.input"
            } else {
                "execution.name"
            };
            findings.push(of(key, texts::no_execution_leads_to_a_row(language, self.executions, key)));
        }
        if self.succeeded > 0 && self.with_result == 0 && table.has("result") {
            findings.push(of("result.path", texts::path_matches_nothing(language, self.succeeded, "result.path")));
        }
        let failed: i64 = self.codes.iter().map(|(_, rows)| rows).sum();
        let coded: i64 = self.codes.iter().filter(|(code, _)| code.is_some()).map(|(_, rows)| rows).sum();
        if failed > 0 && coded == 0 && !matches!(table.profile().error, ErrorShape::Absent) {
            findings.push(of("error", texts::no_code(language, failed)));
        }
        findings
    }

    fn unknown(&self, words: &Words) -> Vec<(&str, i64)> {
        let known = |word: &str| words.statuses.read(word).is_some() || words.statuses.ignored.contains(&word);
        self.statuses
            .iter()
            .filter_map(|(word, rows)| Some((word.as_deref().filter(|word| !known(word))?, *rows)))
            .collect()
    }

    /// What the rows mean, and how many lead where: by number.
    pub fn report(&self, words: &Words) -> serde_json::Value {
        let mut meanings: BTreeMap<String, i64> = BTreeMap::new();
        for (word, rows) in &self.statuses {
            let meaning = match word.as_deref() {
                None => "ignored".to_owned(),
                Some(word) if words.statuses.ignored.contains(&word) => "ignored".to_owned(),
                Some(word) => {
                    words.statuses.read(word).map_or_else(|| "unknown".to_owned(), |of: ProcessStatus| of.to_string())
                }
            };
            *meanings.entry(meaning).or_default() += rows;
        }
        json!({
            "rows": self.rows,
            "statuses": meanings,
            "rowsWithExecution": self.linked,
            "executions": self.executions,
            "executionsWithRow": self.owned,
            "successesDescribed": self.succeeded,
            "successesWithResult": self.with_result,
            "successesThatSayFailed": self.says,
            "notRead": self.unread,
        })
    }
}
