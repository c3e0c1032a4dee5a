//! CloudWatch Logs, as far as it is asked: the lines of a function's log group that match a pattern, within a budget.
//!
//! FilterLogEvents has 5 requests a second for the whole account and region, and a search over a busy day may take hundreds of
//! them. So each search is paced, by the ledger for all functions together, stops at its budget, and says up to where it has read.

pub mod group;
pub mod report;
pub mod said;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::gather::error::Error;
use crate::gather::pace::{Pace, SharedPace};

/// The paced client.
#[derive(Debug)]
pub struct Logs {
    client: Client,
    /// For who has no database at hand: the health check has to answer without it, and asks little.
    filter: Pace,
}

/// The account's 5 a second; the application's own tools have a share of them.
const FILTER: SharedPace = SharedPace { quota: "logs:FilterLogEvents", per_second: 3.0, burst: 5.0 };

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The log group ([`group::Group`]).
    pub group: String,
    /// CloudWatch's filter pattern ([`phrase`]); `None`: every line.
    pub pattern: Option<String>,
    /// Lines from this moment on.
    pub from: DateTime<Utc>,
    /// Lines up to this moment.
    pub to: DateTime<Utc>,
}

/// How far a search may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// FilterLogEvents requests.
    pub requests: u32,
    /// Lines to keep.
    pub lines: usize,
    /// No request begins after this moment.
    pub until: Instant,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The lines, by time.
    pub lines: Vec<Line>,
    /// FilterLogEvents requests that it took.
    pub requests: u32,
    /// Why not all was read, where it was not.
    pub stopped: Option<Stopped>,
}

/// Why a search ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The log group does not exist: the function never ran, or logs elsewhere.
    NoGroup,
    /// The budget is used up. What was logged after the last line that was found may not have been read.
    Budget,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was logged.
    pub at: DateTime<Utc>,
    /// The log stream: one container of the function.
    pub stream: String,
    /// The line itself.
    pub message: String,
}

impl Line {
    /// The JSON object of the line: the whole line, or what follows the runtime's own words (`<time>\t<request>\tINFO\t{…}`).
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        let object = &self.message[self.message.find('{')?..];
        serde_json::from_str(object.trim_end()).ok().filter(Value::is_object)
    }
}

/// A pattern for lines, plain or JSON, that hold this text. A term with other characters than letters, digits and `_` counts only
/// within double quotes.
#[must_use]
pub fn phrase(text: &str) -> String {
    format!("\"{}\"", text.replace(['"', '\\'], " "))
}

impl Logs {
    /// The most that one FilterLogEvents call answers.
    const PAGE: usize = 10_000;

    /// A client.
    #[must_use]
    pub fn new(aws: &SdkConfig) -> Self {
        Self { client: Client::new(aws), filter: Pace::new(5, 5) }
    }

    /// Waits until the next request may be made; `false` where that is after the budget's time. A ledger that cannot be written keeps nobody
    /// from reading a log.
    async fn place(&self, db: Option<&mut PgConnection>, until: Instant) -> bool {
        if let Some(db) = db {
            match FILTER.wait(db, until).await {
                Ok(is_in_time) => return is_in_time,
                Err(error) => tracing::warn!(%error, "the log is read at a pace of our own"),
            }
        }
        self.filter.wait().await;
        true
    }

    /// Looks for lines. An empty page is no end: CloudWatch answers with what it has read so far.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn search(
        &self,
        mut db: Option<&mut PgConnection>,
        search: &Search,
        budget: Budget,
    ) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut token = None;
        loop {
            let is_used_up = found.requests >= budget.requests
                || found.lines.len() >= budget.lines
                || Instant::now() >= budget.until;
            if is_used_up || !self.place(db.as_deref_mut(), budget.until).await {
                found.stopped = Some(Stopped::Budget);
                break;
            }
            found.requests += 1;
            let left = (budget.lines - found.lines.len()).min(Self::PAGE);
            let answer = self
                .client
                .filter_log_events()
                .log_group_name(&search.group)
                .set_filter_pattern(search.pattern.clone())
                .start_time(search.from.timestamp_millis())
                .end_time(search.to.timestamp_millis())
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .set_next_token(token)
                .send()
                .await
                .map_err(Error::aws("FilterLogEvents"));
            let answer = match answer {
                Err(error) if error.is_not_found() => {
                    found.stopped = Some(Stopped::NoGroup);
                    break;
                }
                answer => answer?,
            };
            found.lines.extend(answer.events().iter().filter_map(|event| {
                Some(Line {
                    at: DateTime::from_timestamp_millis(event.timestamp()?)?,
                    stream: event.log_stream_name().unwrap_or_default().to_owned(),
                    message: event.message()?.to_owned(),
                })
            }));
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        found.lines.sort_by_key(|line| line.at);
        Ok(found)
    }
}

impl Budget {
    /// So many requests, begun within so long.
    #[must_use]
    pub fn of(requests: u32, lines: usize, within: Duration) -> Self {
        Self { requests, lines, until: Instant::now() + within }
    }
}
