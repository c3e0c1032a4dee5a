//! Lambda's own report of a run, which stands in the function's log: how long the run took, of which memory, and whether it was the first
//! of its container.
//!
//! The log's format says how it is written: [a line of text][text], or [a JSON object][json] of type `platform.report`.
//!
//! [text]: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
//! [json]: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report

use serde::Deserialize;

use super::{Line, phrase};

/// One run of a function, as Lambda reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The invocation's request id.
    pub request_id: String,
    /// Milliseconds that the handler took. The start of the container is not in them.
    pub duration_ms: f64,
    /// The memory that the function had, in MB.
    pub memory_mb: f64,
    /// The most that its container has used so far, in this run or an earlier one, in MB.
    pub max_memory_mb: f64,
    /// Milliseconds that the container's start took, or its restoration from a snapshot, where this was its first run.
    pub init_ms: Option<f64>,
    /// Lambda ended it at the function's timeout.
    pub timed_out: bool,
}

/// How a function's log is written: `LoggingConfig.LogFormat` of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Lines of text: what a function has that is not configured otherwise.
    #[default]
    Text,
    /// JSON objects.
    Json,
}

impl Format {
    /// The pattern that finds the reports in a log of this format ([`super::Search::pattern`]).
    #[must_use]
    pub fn pattern(self) -> String {
        phrase(match self {
            Self::Text => "REPORT RequestId:",
            Self::Json => "platform.report",
        })
    }
}

impl Report {
    /// The report that a line is, in either format; `None` where it is something else, or lacks what every report has.
    #[must_use]
    pub fn read(line: &Line) -> Option<Self> {
        let message = line.message.trim();
        if message.starts_with('{') { Self::of_json(message) } else { Self::of_text(message) }
    }

    fn of_text(message: &str) -> Option<Self> {
        let fields = message.strip_prefix("REPORT ")?;
        let field = |name: &str| {
            let mut all = fields.split(['\t', '\n']);
            all.find_map(|field| Some(field.trim().strip_prefix(name)?.strip_prefix(':')?.trim()))
        };
        let number = |name: &str, unit: &str| field(name)?.strip_suffix(unit)?.trim().parse().ok();
        Some(Self {
            request_id: field("RequestId")?.to_owned(),
            duration_ms: number("Duration", "ms")?,
            memory_mb: number("Memory Size", "MB")?,
            max_memory_mb: number("Max Memory Used", "MB")?,
            init_ms: number("Init Duration", "ms").or_else(|| number("Restore Duration", "ms")),
            timed_out: field("Status") == Some("timeout"),
        })
    }

    fn of_json(message: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Event {
            r#type: String,
            record: Record,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Record {
            request_id: String,
            status: String,
            metrics: Metrics,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Metrics {
            duration_ms: f64,
            #[serde(rename = "memorySizeMB")]
            memory_mb: f64,
            #[serde(rename = "maxMemoryUsedMB")]
            max_memory_mb: f64,
            init_duration_ms: Option<f64>,
            restore_duration_ms: Option<f64>,
        }
        let Event { r#type, record } = serde_json::from_str(message).ok()?;
        let Record { request_id, status, metrics } = record;
        (r#type == "platform.report").then_some(Self {
            request_id,
            duration_ms: metrics.duration_ms,
            memory_mb: metrics.memory_mb,
            max_memory_mb: metrics.max_memory_mb,
            init_ms: metrics.init_duration_ms.or(metrics.restore_duration_ms),
            timed_out: status == "timeout",
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn read(message: &str) -> Option<Report> {
        Report::read(&Line { at: DateTime::UNIX_EPOCH, stream: String::new(), message: message.to_owned() })
    }

    fn report(duration_ms: f64, memory: (f64, f64), init_ms: Option<f64>, timed_out: bool) -> Report {
        let (memory_mb, max_memory_mb) = memory;
        Report { request_id: "8f507cfc-example".into(), duration_ms, memory_mb, max_memory_mb, init_ms, timed_out }
    }

    #[test]
    fn reports_of_both_formats_are_read_as_documented() {
        for (message, expected) in [
            (
                "REPORT RequestId: 8f507cfc-example\tDuration: 1.27 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 142.54 ms\t\n",
                report(1.27, (128.0, 36.0), Some(142.54), false),
            ),
            (
                "REPORT RequestId: 8f507cfc-example\tDuration: 35012.3 ms\tBilled Duration: 35013 ms\tMemory Size: 1024 MB\tMax Memory Used: 601 MB\t\nXRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\t\n",
                report(35_012.3, (1024.0, 601.0), None, false),
            ),
            (
                "REPORT RequestId: 8f507cfc-example\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: timeout\n",
                report(3000.0, (128.0, 30.0), None, true),
            ),
            (
                "REPORT RequestId: 8f507cfc-example\tDuration: 50.1 ms\tBilled Duration: 200 ms\tMemory Size: 512 MB\tMax Memory Used: 512 MB\tInit Duration: 149.9 ms\tStatus: error\tError Type: Runtime.OutOfMemory\n",
                report(50.1, (512.0, 512.0), Some(149.9), false),
            ),
            (
                "REPORT RequestId: 8f507cfc-example\tDuration: 12 ms\tBilled Duration: 300 ms\tMemory Size: 512 MB\tMax Memory Used: 90 MB\tRestore Duration: 440.10 ms\tBilled Restore Duration: 288 ms",
                report(12.0, (512.0, 90.0), Some(440.1), false),
            ),
            (
                r#"{"time":"2024-03-13T18:56:24.046000+00:00","type":"platform.report","record":{"requestId":"8f507cfc-example","metrics":{"durationMs":101.51,"billedDurationMs":300,"memorySizeMB":512,"maxMemoryUsedMB":33,"initDurationMs":116.67},"status":"success"}}"#,
                report(101.51, (512.0, 33.0), Some(116.67), false),
            ),
            (
                r#"{"time":"2024-03-13T18:56:24.046Z","type":"platform.report","record":{"requestId":"8f507cfc-example","metrics":{"durationMs":3000.0,"billedDurationMs":3000,"memorySizeMB":128,"maxMemoryUsedMB":30},"status":"timeout"}}"#,
                report(3000.0, (128.0, 30.0), None, true),
            ),
        ] {
            assert_eq!(read(message), Some(expected), "{message}");
        }
    }

    #[test]
    fn what_only_looks_like_a_report_is_none() {
        for message in [
            "START RequestId: 8f507cfc-example Version: $LATEST",
            "END RequestId: 8f507cfc-example",
            "INIT_REPORT Init Duration: 10010.57 ms\tPhase: init\tStatus: timeout",
            "2024-03-13T18:56:24.046Z\t8f507cfc-example\tINFO\tREPORT RequestId: 8f507cfc-example\tDuration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB",
            "REPORT RequestId: 8f507cfc-example\tDuration: a while\tMemory Size: 128 MB\tMax Memory Used: 36 MB",
            "REPORT RequestId: 8f507cfc-example\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB",
            r#"{"type":"platform.start","record":{"requestId":"8f507cfc-example","version":"$LATEST"}}"#,
            r#"{"type":"platform.report","record":{"requestId":"8f507cfc-example","status":"success"}}"#,
            r#"{"level":"INFO","message":"platform.report"}"#,
            "{",
            "",
        ] {
            assert_eq!(read(message), None, "{message}");
        }
    }

    #[test]
    fn reports_are_asked_for_by_what_only_they_hold() {
        assert_eq!(Format::Text.pattern(), "\"REPORT RequestId:\"");
        assert_eq!(Format::Json.pattern(), "\"platform.report\"");
    }
}
