//! What the worker's log says beside the rows: errors of processes whose rows did not fail, because they were tried again, or never
//! reached a row.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::domain::{ProcessId, Words};
use remediation::gather::error::Error;
use remediation::gather::logs::group::{Group, Source};
use remediation::gather::logs::said::{Said, error_patterns};
use remediation::gather::logs::{Budget, Found, Line, Logs, Search, Stopped};
use remediation::gather::texts::log_refused as refused;
use remediation::run::step::Session;
use serde::Serialize;
use sqlx::PgConnection;
use tokio::time::Instant;

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
    /// Nobody says where it is.
    Nowhere,
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
    pub examples: Vec<ProcessId>,
}

/// An error that the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub code: String,
    pub process: Option<ProcessId>,
}

/// Reads the errors of the last `window`. A log that cannot be read is no reason to say nothing.
pub async fn read(session: &mut Session<'_>, window: TimeDelta, policy: &Policy) -> Result<Log, Error> {
    let config = session.config;
    let sources = Source::of(config, config.worker_function.as_slice());
    if sources.is_empty() {
        return Ok(Log::Nowhere);
    }
    let (from, to) = (session.now - window, session.now);
    let left = session.stop_at.saturating_duration_since(Instant::now());
    let budget = Budget { requests: policy.log_requests, lines: policy.log_lines, until: Instant::now() + left / 2 };
    // A request that begins in time may still take longer than there is.
    let searched = tokio::time::timeout(left * 3 / 4, async {
        let mut groups = Vec::new();
        for source in sources {
            groups.push(source.group(session.aws, config).await?);
        }
        let found = search(session.db, &Logs::new(session.aws), &groups, (from, to), budget).await;
        Ok::<_, Error>((groups.into_iter().map(|group| group.name).collect::<Vec<_>>().join(", "), found))
    });
    let found = match searched.await {
        Ok(Ok((group, Ok(found)))) if found.stopped == Some(Stopped::NoGroup) => {
            return Ok(Log::Unread(texts::no_log_group(config.language, &group)));
        }
        Ok(Ok((_, Ok(found)))) => found,
        Ok(Ok((group, Err(error)))) => return Ok(Log::Unread(refused(config.language, &group, &error))),
        Ok(Err(error)) => return Ok(Log::Unread(error.told(config.language))),
        Err(_) => return Ok(Log::Unread(texts::log_too_slow(config.language))),
    };
    let errors: Vec<Logged> = found.lines.iter().filter_map(|line| error_of(line, config.policy.words)).collect();
    let statuses = statuses(session, &errors).await?;
    Ok(Log::Read(beside(&found, from, &errors, &statuses)))
}

/// Looks for all that an error may be spelt as, within one budget.
async fn search(
    db: &mut PgConnection,
    logs: &Logs,
    groups: &[Group],
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    mut budget: Budget,
) -> Result<Found, Error> {
    let mut all = Found::default();
    let of_group = |group: &Group| {
        error_patterns(group.format).into_iter().map(|pattern| (group.name.clone(), pattern)).collect::<Vec<_>>()
    };
    for (group, pattern) in groups.iter().flat_map(of_group) {
        let search = Search { group, pattern: Some(pattern), from, to };
        let found = logs.search(Some(&mut *db), &search, budget).await?;
        budget.requests -= found.requests.min(budget.requests);
        budget.lines -= found.lines.len().min(budget.lines);
        all.requests += found.requests;
        all.stopped = all.stopped.or(found.stopped);
        all.lines.extend(found.lines);
    }
    all.lines.sort_by(|one, other| (one.at, &one.stream, &one.message).cmp(&(other.at, &other.stream, &other.message)));
    // A line that two searches found.
    all.lines.dedup();
    Ok(all)
}

/// The error that a line tells, where it tells one ([`Said::is_error`]).
pub fn error_of(line: &Line, words: &Words) -> Option<Logged> {
    let said = Said::of(line, words);
    let code = said.code(words);
    // A user's cancel is no error.
    (said.is_error() && !words.is_cancel(code.as_deref())).then(|| Logged {
        code: code.as_deref().unwrap_or("-").chars().take(64).collect(),
        process: said.process(words),
    })
}

async fn statuses(session: &mut Session<'_>, errors: &[Logged]) -> Result<HashMap<ProcessId, String>, Error> {
    let ids: BTreeSet<ProcessId> = errors.iter().filter_map(|error| error.process).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let table = session.table().await?;
    let rows: Vec<(String, String)> = sqlx::query_as(table.sql(include_str!("statuses.sql")))
        .bind(ids.iter().map(ProcessId::as_str).collect::<Vec<_>>())
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database("reading what became of the log's processes"))?;
    Ok(rows.into_iter().filter_map(|(id, status)| Some((id.parse().ok()?, status))).collect())
}

/// The errors without those of processes whose rows have failed: those are counted by the rows.
pub fn beside(found: &Found, from: DateTime<Utc>, errors: &[Logged], statuses: &HashMap<ProcessId, String>) -> Beside {
    let status = |process: ProcessId| statuses.get(&process).map_or("-", String::as_str);
    let mut codes: BTreeMap<&str, (usize, BTreeSet<ProcessId>)> = BTreeMap::new();
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
