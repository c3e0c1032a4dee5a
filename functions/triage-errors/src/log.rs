//! What the worker's log says beside the rows: errors of processes whose rows did not fail, because they were tried again, or never
//! reached a row.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::gather::error::Error;
use remediation::gather::logs::{Budget, Found, Line, Logs, Search, Stopped, group_of, phrase};
use remediation::run::step::Session;
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use crate::policy::Policy;

/// How many processes stand for a code.
const EXAMPLES: usize = 3;

/// What came of reading the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Log {
    /// What it says, as far as it was read.
    Read(Beside),
    /// Why it could not be read.
    Unread(String),
}

/// What the log says beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Beside {
    /// Lines that were read.
    pub lines: usize,
    /// FilterLogEvents requests that it took.
    pub requests: u32,
    /// Up to when all was read, where not to the window's end.
    pub read_until: Option<DateTime<Utc>>,
    /// Errors by code, the most frequent first; none of a process whose row has failed.
    pub codes: Vec<Code>,
}

/// Errors of one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// `-` where the line has none.
    pub code: String,
    /// Lines.
    pub lines: usize,
    /// Processes, where the lines tell them.
    pub processes: usize,
    /// What became of those processes, by their rows' status; `-`: there is no row.
    pub statuses: BTreeMap<String, usize>,
    /// Some of them.
    pub examples: Vec<Uuid>,
}

/// An error that the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub code: String,
    pub process: Option<Uuid>,
}

/// Reads the errors of the last `window`. A log that cannot be read is no reason to say nothing.
pub async fn read(session: &mut Session<'_>, window: TimeDelta, policy: &Policy) -> Result<Log, Error> {
    let language = session.config.language;
    let group = group_of(&session.config.worker_function);
    let search = Search { group, pattern: Some(phrase("ERROR")), from: session.now - window, to: session.now };
    let left = session.stop_at.saturating_duration_since(Instant::now());
    let budget = Budget { requests: policy.log_requests, lines: policy.log_lines, until: Instant::now() + left / 2 };
    let logs = Logs::new(session.aws);
    // A request that begins in time may still take longer than there is.
    let searched = tokio::time::timeout(left * 3 / 4, logs.search(&search, budget)).await;
    let found = match searched {
        Ok(Ok(found)) if found.stopped == Some(Stopped::NoGroup) => {
            return Ok(Log::Unread(texts::no_log_group(language, &search.group)));
        }
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Ok(Log::Unread(error.told(language))),
        Err(_) => return Ok(Log::Unread(texts::log_too_slow(language))),
    };
    let errors: Vec<Logged> = found.lines.iter().filter_map(error_of).collect();
    let statuses = statuses(session, &errors).await?;
    Ok(Log::Read(beside(&found, search.from, &errors, &statuses)))
}

/// The error that a line tells: one of level ERROR, or with an error's code. Lambda's own JSON format has the application's object in
/// `message`. A line that is no JSON names no process.
pub fn error_of(line: &Line) -> Option<Logged> {
    let json = line.json();
    let object = json.as_ref().map(|json| if json["message"].is_object() { &json["message"] } else { json });
    let (code, is_error, process) = match object {
        Some(object) => {
            let code = object["error"]["code"].as_str();
            let level = object["level"].as_str().or(json.as_ref().and_then(|json| json["level"].as_str()));
            (
                code,
                code.is_some() || level.is_some_and(|level| level.eq_ignore_ascii_case("error")),
                object["processId"].as_str(),
            )
        }
        None => (None, true, None),
    };
    is_error.then(|| Logged {
        code: code.unwrap_or("-").chars().take(64).collect(),
        process: process.and_then(|process| process.parse().ok()),
    })
}

async fn statuses(session: &mut Session<'_>, errors: &[Logged]) -> Result<HashMap<Uuid, String>, Error> {
    let ids: BTreeSet<Uuid> = errors.iter().filter_map(|error| error.process).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let table = session.table().await?;
    let rows: Vec<(Uuid, String)> = sqlx::query_as(table.sql(include_str!("statuses.sql")))
        .bind(ids.into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database("reading what became of the log's processes"))?;
    Ok(rows.into_iter().collect())
}

/// The errors without those of processes whose rows have failed: those are counted by the rows.
pub fn beside(found: &Found, from: DateTime<Utc>, errors: &[Logged], statuses: &HashMap<Uuid, String>) -> Beside {
    let status = |process: Uuid| statuses.get(&process).map_or("-", String::as_str);
    let mut codes: BTreeMap<&str, (usize, BTreeSet<Uuid>)> = BTreeMap::new();
    for error in errors.iter().filter(|error| error.process.is_none_or(|process| status(process) != "FAILED")) {
        let (lines, processes) = codes.entry(&error.code).or_default();
        *lines += 1;
        processes.extend(error.process);
    }
    let mut codes: Vec<Code> = codes
        .into_iter()
        .map(|(code, (lines, processes))| {
            let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
            for process in &processes {
                *statuses.entry(status(*process).to_owned()).or_default() += 1;
            }
            let examples = processes.iter().copied().take(EXAMPLES).collect();
            Code { code: code.to_owned(), lines, processes: processes.len(), statuses, examples }
        })
        .collect();
    codes.sort_by_key(|code| std::cmp::Reverse(code.lines));
    let read_until = found.stopped.map(|_| found.lines.last().map_or(from, |line| line.at));
    Beside { lines: found.lines.len(), requests: found.requests, read_until, codes }
}
