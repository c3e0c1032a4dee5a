//! What the worker's runs needed, from the lines that Lambda writes at the end of each: their duration, memory and cold starts.

use crate::texts;
use aws_config::SdkConfig;
use remediation::domain::Language;
use remediation::gather::config::Config;
use remediation::gather::logs::group::Group;
use serde::Serialize;
use tokio::time::Instant;

use crate::durations::Windows;
use crate::insights::{Insights, Row};

/// Lambda's report is a line of text, whose fields Logs Insights finds itself (memory in bytes), or of JSON, where the function logs JSON
/// (in MB). Both are taken: the format may have been changed within the windows, and so nobody has to ask which one it is.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html>
/// <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report>
pub const QUERY: &str = r#"filter @type = "REPORT" or type = "platform.report"
| fields coalesce(@duration, record.metrics.durationMs) as ms,
         coalesce(@maxMemoryUsed / 1000 / 1000, record.metrics.maxMemoryUsedMB) as usedMb,
         coalesce(@memorySize / 1000 / 1000, record.metrics.memorySizeMB) as sizeMb,
         coalesce(@initDuration, record.metrics.initDurationMs) as initMs
| stats count(*) as runs, avg(ms) as averageMs, pct(ms, 50) as p50Ms, pct(ms, 95) as p95Ms, max(ms) as maxMs,
        avg(usedMb) as averageMemoryMb, max(usedMb) as maxMemoryMb, max(sizeMb) as memoryMb,
        count(initMs) as coldStarts, avg(initMs) as averageInitMs"#;

/// The worker's runs in one window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Runs {
    pub runs: f64,
    pub average_ms: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub max_ms: f64,
    pub average_memory_mb: f64,
    pub max_memory_mb: f64,
    /// What the function has; the most, where it was changed.
    pub memory_mb: f64,
    pub cold_starts: f64,
    /// Of the cold starts; `None` where there was none.
    pub average_init_ms: Option<f64>,
}

/// The worker in both windows; `None`: nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Worker {
    pub now: Option<Runs>,
    pub before: Option<Runs>,
}

/// What was asked of Logs Insights, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub worker: Result<Worker, NotKnown>,
    pub estimated_bytes: Option<f64>,
    pub scanned_bytes: f64,
}

/// Why nothing is known of the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotKnown {
    /// The query would cost more than it may, and was not run.
    TooExpensive,
    /// For this reason.
    Because(String),
}

/// Asks what both windows would cost and, where that is not over `max_bytes`, what is in them.
pub async fn look(aws: &SdkConfig, config: &Config, windows: Windows, max_bytes: f64, until: Instant) -> Look {
    let language = config.language;
    let insights = Insights::new(aws, language);
    let group = async { Group::of(aws, config.worker()?, config.worker_alias.as_deref()).await };
    let group = match group.await {
        Ok(group) => group.name,
        Err(error) => {
            let worker = Err(NotKnown::Because(error.told(language)));
            return Look { worker, estimated_bytes: None, scanned_bytes: 0.0 };
        }
    };
    let estimated = insights.estimate(&group, QUERY, (windows.before, windows.to), until).await;
    let estimated_bytes = estimated.as_ref().ok().copied();
    let mut scanned_bytes = 0.0;
    let worker = match estimated {
        Err(why) => Err(NotKnown::Because(why)),
        Ok(bytes) if bytes > max_bytes => Err(NotKnown::TooExpensive),
        Ok(_) => both(&insights, &group, windows, until, &mut scanned_bytes, language).await,
    };
    Look { worker, estimated_bytes, scanned_bytes }
}

async fn both(
    insights: &Insights,
    group: &str,
    windows: Windows,
    until: Instant,
    scanned: &mut f64,
    language: Language,
) -> Result<Worker, NotKnown> {
    let mut of = async |span| {
        let found = insights.run(group, QUERY, span, until).await.map_err(NotKnown::Because)?;
        *scanned += found.bytes_scanned;
        match found.rows.as_slice() {
            [] => Ok(None),
            [row] => Runs::read(row).map_err(|field| NotKnown::Because(texts::row_unreadable(language, field))),
            _ => Err(NotKnown::Because(texts::row_unreadable(language, "-"))),
        }
    };
    Ok(Worker { now: of((windows.from, windows.to)).await?, before: of((windows.before, windows.from)).await? })
}

impl Runs {
    /// The row of [`QUERY`]; `None` where nothing ran. A number that is missing is named.
    fn read(row: &Row) -> Result<Option<Self>, &'static str> {
        let number = |name: &'static str| {
            let value = row.get(name).and_then(|value| value.parse::<f64>().ok());
            value.filter(|value| value.is_finite()).ok_or(name)
        };
        if number("runs")? <= 0.0 {
            return Ok(None);
        }
        let cold_starts = number("coldStarts")?;
        Ok(Some(Self {
            runs: number("runs")?,
            average_ms: number("averageMs")?,
            p50_ms: number("p50Ms")?,
            p95_ms: number("p95Ms")?,
            max_ms: number("maxMs")?,
            average_memory_mb: number("averageMemoryMb")?,
            max_memory_mb: number("maxMemoryMb")?,
            memory_mb: number("memoryMb")?,
            cold_starts,
            average_init_ms: if cold_starts > 0.0 { Some(number("averageInitMs")?) } else { None },
        }))
    }

    /// Percent of the runs.
    pub fn cold_percent(&self) -> f64 {
        100.0 * self.cold_starts / self.runs
    }

    /// Percent of the function's memory, the largest run.
    pub fn memory_percent(&self) -> f64 {
        if self.memory_mb > 0.0 { 100.0 * self.max_memory_mb / self.memory_mb } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, &str)]) -> Row {
        let all = [
            ("runs", "20"),
            ("averageMs", "100.5"),
            ("p50Ms", "90"),
            ("p95Ms", "200"),
            ("maxMs", "300"),
            ("averageMemoryMb", "100"),
            ("maxMemoryMb", "240"),
            ("memoryMb", "256"),
            ("coldStarts", "0"),
        ];
        all.iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_row_is_read_as_it_is_asked_for() {
        let runs = Runs::read(&row(&[])).unwrap().unwrap();
        assert_eq!((runs.average_ms, runs.average_init_ms, runs.cold_percent()), (100.5, None, 0.0));
        assert_eq!(runs.memory_percent(), 93.75);
        let cold = Runs::read(&row(&[("coldStarts", "5"), ("averageInitMs", "400")])).unwrap().unwrap();
        assert_eq!((cold.average_init_ms, cold.cold_percent()), (Some(400.0), 25.0));
    }

    #[test]
    fn nothing_that_ran_is_nothing_and_a_number_that_is_missing_is_named() {
        assert_eq!(Runs::read(&row(&[("runs", "0"), ("averageMs", "")])), Ok(None));
        assert_eq!(Runs::read(&row(&[("p95Ms", "")])), Err("p95Ms"));
        assert_eq!(Runs::read(&row(&[("maxMemoryMb", "NaN")])), Err("maxMemoryMb"));
        assert_eq!(Runs::read(&row(&[("coldStarts", "5")])), Err("averageInitMs"));
    }

    #[test]
    fn the_query_names_every_field_that_is_read() {
        for name in [
            "runs",
            "averageMs",
            "p50Ms",
            "p95Ms",
            "maxMs",
            "averageMemoryMb",
            "maxMemoryMb",
            "memoryMb",
            "coldStarts",
            "averageInitMs",
        ] {
            assert!(QUERY.contains(&format!(" as {name}")), "{name}");
        }
    }
}
