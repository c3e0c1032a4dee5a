//! CloudWatch Logs Insights, as far as this step asks it: what a query would cost, and its one row.
//!
//! A query is charged by the bytes that it scans, and an account may have 30 at once: so what it would scan is asked first (`estimate`,
//! free of charge), one runs after the other, and one that is not finished in time is stopped.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html>
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Estimate.html>

use std::collections::BTreeMap;
use std::time::Duration;

use crate::texts;
use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_cloudwatchlogs::types::QueryStatus;
use chrono::{DateTime, Utc};
use remediation::domain::Language;
use remediation::gather::error::Error;
use remediation::gather::pace::Pace;
use tokio::time::Instant;

/// The client.
pub struct Insights {
    client: Client,
    /// GetQueryResults has 5 requests a second for the account where it has least.
    results: Pace,
    language: Language,
}

/// One row, by its fields' names.
pub type Row = BTreeMap<String, String>;

/// What a query came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub rows: Vec<Row>,
    /// What it was charged by.
    pub bytes_scanned: f64,
}

impl Insights {
    pub fn new(aws: &SdkConfig, language: Language) -> Self {
        Self { client: Client::new(aws), results: Pace::new(2, 1), language }
    }

    /// How many bytes a query would scan; why that is not known, where it is not.
    pub async fn estimate(
        &self,
        group: &str,
        query: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        until: Instant,
    ) -> Result<f64, String> {
        let found = self.run(group, &format!("{query}\n| estimate"), (from, to), until).await?;
        estimated(&found.rows).ok_or_else(|| texts::estimate_unreadable(self.language))
    }

    /// Runs a query over a log group to its end; why it has none, where it has none. Nothing is tried again but what the SDK itself
    /// does: whoever has used up the account's queries, it is not for this step to wait for a place.
    pub async fn run(
        &self,
        group: &str,
        query: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        until: Instant,
    ) -> Result<Found, String> {
        let start = self.client.start_query().log_group_name(group).query_string(query);
        // Both ends are included, to the second.
        let started = start.start_time(from.timestamp()).end_time(to.timestamp() - 1).send().await;
        let id = match started.map_err(Error::aws("StartQuery")) {
            Ok(started) => started.query_id,
            Err(error) if error.is_not_found() => return Err(texts::no_log_group(self.language, group)),
            Err(error) if error.is_code("LimitExceededException") => {
                return Err(texts::too_many_queries(self.language));
            }
            Err(error) => return Err(error.told(self.language)),
        };
        let id = id.ok_or_else(|| texts::query_ended(self.language, "?"))?;
        let ended = self.wait(&id, until).await;
        if ended.is_err() {
            self.stop(&id).await;
        }
        ended
    }

    async fn wait(&self, id: &str, until: Instant) -> Result<Found, String> {
        loop {
            self.results.wait().await;
            if Instant::now() >= until {
                return Err(texts::query_too_slow(self.language));
            }
            let answer = self.client.get_query_results().query_id(id).send().await;
            let answer = answer.map_err(Error::aws("GetQueryResults")).map_err(|error| error.told(self.language))?;
            match answer.status() {
                Some(QueryStatus::Complete) => return Ok(found(&answer)),
                Some(QueryStatus::Scheduled | QueryStatus::Running) => {}
                // Failed, Cancelled (by somebody), Timeout (after 60 minutes), Unknown.
                status => return Err(texts::query_ended(self.language, status.map_or("?", QueryStatus::as_str))),
            }
        }
    }

    /// Stops a query that nobody waits for any more. One that has ended meanwhile is no fault.
    async fn stop(&self, id: &str) {
        let bound = Duration::from_secs(3);
        let stopped = tokio::time::timeout(bound, self.client.stop_query().query_id(id).send()).await;
        if let Ok(Err(error)) = stopped.map(|stopped| stopped.map_err(Error::aws("StopQuery"))) {
            tracing::warn!(%error, queryId = id, "the query could not be stopped, or had ended");
        }
    }
}

fn found(answer: &GetQueryResultsOutput) -> Found {
    let rows = answer.results().iter().map(|row| {
        let field = |field: &aws_sdk_cloudwatchlogs::types::ResultField| {
            Some((field.field()?.to_owned(), field.value()?.to_owned()))
        };
        row.iter().filter_map(field).collect()
    });
    Found {
        rows: rows.collect(),
        bytes_scanned: answer.statistics().map_or(0.0, |statistics| statistics.bytes_scanned()),
    }
}

/// The one number of the one row: the documentation does not name its field. Anything else is not known.
fn estimated(rows: &[Row]) -> Option<f64> {
    let [row] = rows else { return None };
    let mut values = row.iter().filter(|(name, _)| name.as_str() != "@ptr").map(|(_, value)| value.parse::<f64>());
    match (values.next(), values.next()) {
        (Some(Ok(bytes)), None) if bytes.is_finite() && bytes >= 0.0 => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, &str)]) -> Row {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_estimate_is_the_one_number_of_the_one_row_whatever_its_name() {
        for (rows, bytes) in [
            (vec![row(&[("estimatedBytes", "1500000000")])], Some(1.5e9)),
            (vec![row(&[("@bytes", "0"), ("@ptr", "x")])], Some(0.0)),
            (vec![row(&[("bytes", "1.5E9")])], Some(1.5e9)),
            (vec![], None),
            (vec![row(&[])], None),
            (vec![row(&[("a", "1"), ("b", "2")])], None),
            (vec![row(&[("a", "many")])], None),
            (vec![row(&[("a", "-1")])], None),
            (vec![row(&[("a", "NaN")])], None),
            (vec![row(&[("a", "1")]), row(&[("a", "1")])], None),
        ] {
            assert_eq!(estimated(&rows), bytes, "{rows:?}");
        }
    }
}
