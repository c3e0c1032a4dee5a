//! Check 6, which the guide's script does not have: the worker's own runs of the last minutes, from its log.
//!
//! Lambda reports every run there. What is not in the log was not measured: no run is no good value. Of a log that was not read to its
//! end, or that leaves runs out, only what is bad is known.

use std::collections::HashSet;
use std::time::Duration;

use crate::texts::worker_runs;
use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use remediation::domain::{Language, Words};
use remediation::failure::transient::is_throttling;
use remediation::gather::config::Config;
use remediation::gather::logs::report::Report;
use remediation::gather::logs::said::{Level, Said};
use remediation::gather::logs::{Budget, Found, Line, Logs, Search, Stopped, phrase};
use remediation::gather::texts::log_refused;
use remediation::run::step::Finding;
use remediation::run::step::Metric;
use remediation::run::texts as common;
use serde_json::json;
use tokio::time::Instant;

use crate::capacity::Capacity;
use crate::check::{Check, Look};
use crate::functions::Function;
use crate::policy::{Policy, WITHIN};
use crate::state::warning_if;

/// The check's name.
pub const NAME: &str = "worker";

/// FilterLogEvents requests of each search: the quota is the whole account's.
const REQUESTS: u32 = 2;

/// More lines than the log of five minutes can reasonably hold: what one request answers at the most.
const LINES: usize = 10_000;

/// What a line that tells of a throttled call holds: AWS's name for it, or the application's.
const THROTTLED: [&str; 2] = ["ThrottlingException", "AI_THROTTLING"];

/// What the worker's log tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Worker {
    /// The function's timeout as it is configured now, in seconds.
    pub timeout: Option<i32>,
    /// The log group.
    pub group: String,
    /// There is no log.
    pub no_log: bool,
    pub runs: Vec<Report>,
    /// Not all reports were found, for the log was not read to its end.
    pub runs_sampled: bool,
    /// Reports of runs that succeed are not in the log.
    pub quiet: bool,
    /// Lines that tell of a throttled call.
    pub throttles: usize,
    pub throttles_sampled: bool,
}

/// Reads the log, once it is known how it is written.
pub async fn look(
    aws: &SdkConfig,
    (config, name): (&Config, &str),
    functions: &Look<Vec<Function>>,
    limit: Duration,
    now: DateTime<Utc>,
) -> Look<Worker> {
    let (language, words) = (config.language, config.policy.words);
    let found = functions.found.iter().flatten().find(|function| function.name == name);
    let Some(Ok(told)) = found.map(|function| &function.found) else {
        return Look::new(Instant::now(), Err(worker_runs::needs_configuration(language, name)));
    };
    let (logs, group) = (Logs::new(aws), &told.log.name);
    let search = |pattern: String| {
        let search = Search { group: group.clone(), pattern: Some(pattern), from: now - WITHIN, to: now };
        let logs = &logs;
        async move { logs.search(None, &search, Budget::of(REQUESTS, LINES, limit)).await }
    };
    let [first, second] = THROTTLED.map(phrase);
    let looking = async {
        let searches = async { tokio::try_join!(search(told.log.format.pattern()), search(first), search(second)) };
        let (reports, first, second) = searches.await.map_err(|error| log_refused(language, group, &error))?;
        let worker = Worker::of(&reports, &[first, second], words);
        Ok(Worker { timeout: told.timeout, quiet: told.quiet, group: group.clone(), ..worker })
    };
    Look::within(limit, language, looking).await
}

impl Worker {
    fn of(reports: &Found, throttled: &[Found], words: &Words) -> Self {
        // One line may hold both words.
        let lines: HashSet<(i64, &str, &str)> = throttled
            .iter()
            .flat_map(|found| &found.lines)
            .filter(|line| tells_of_throttling(line, words))
            .map(|line| (line.at.timestamp_millis(), line.stream.as_str(), line.message.as_str()))
            .collect();
        Self {
            no_log: reports.stopped == Some(Stopped::NoGroup),
            runs: reports.lines.iter().filter_map(Report::read).collect(),
            runs_sampled: reports.stopped == Some(Stopped::Budget),
            throttles: lines.len(),
            throttles_sampled: throttled.iter().any(|found| found.stopped == Some(Stopped::Budget)),
            ..Self::default()
        }
    }

    /// How much of the timeout the longest run took, in percent. One that Lambda ended would have taken more.
    fn timeout_used(&self) -> Option<f64> {
        let timeout = f64::from(self.timeout.filter(|timeout| *timeout > 0)?) * 1000.0;
        let used = |run: &Report| {
            let percent = 100.0 * run.duration_ms / timeout;
            if run.timed_out { percent.max(100.0) } else { percent }
        };
        self.runs.iter().map(used).reduce(f64::max)
    }

    /// How much of its memory the largest run used, in percent. No run uses none: 0 MB was not measured.
    fn memory_used(&self) -> Option<f64> {
        let sound = self.runs.iter().filter(|run| run.memory_mb > 0.0 && run.max_memory_mb > 0.0);
        sound.map(|run| 100.0 * run.max_memory_mb / run.memory_mb).reduce(f64::max)
    }

    /// The throttled calls that the log tells of. A log in which no run ended says nothing of what was not in it.
    fn logged_throttles(&self) -> Option<usize> {
        let speaks = !self.no_log && (self.throttles > 0 || !self.runs.is_empty());
        speaks.then_some(self.throttles)
    }

    /// How many percent of the runs began with the start of a container.
    fn cold_starts(&self, from_runs: f64) -> Option<f64> {
        let (all, cold) = (as_float(self.runs.len()), self.runs.iter().filter(|run| run.init_ms.is_some()).count());
        (!self.quiet && all > 0.0 && all >= from_runs).then(|| 100.0 * as_float(cold) / all)
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 runs")]
const fn as_float(count: usize) -> f64 {
    count as f64
}

/// Whether a line tells of a throttled call. A prompt may hold the word as well, so of a JSON line only what describes an error
/// counts, and its message only where it is a warning or an error.
fn tells_of_throttling(line: &Line, words: &Words) -> bool {
    let named = |text: &str| THROTTLED.iter().any(|word| text.contains(word));
    let said = Said::of(line, words);
    if said.own().is_none() {
        return named(&line.message) && said.level() != Some(Level::Quiet);
    }
    let is_bad = matches!(said.level(), Some(Level::Warning | Level::Error));
    said.error_names().any(|name| is_throttling(Some(name), None))
        || said.error_texts().any(named)
        || is_bad && said.message().is_some_and(named)
}

/// A warning where a step answers. It fails only where it could not be made.
pub fn judge(
    look: &Look<Worker>,
    name: &str,
    capacity: Option<&Capacity>,
    policy: &Policy,
    language: Language,
) -> Check {
    let calls = capacity.and_then(|capacity| capacity.refused_calls);
    let mut check = Check::of(NAME, look, language, |worker, check| {
        let known = |all: bool, value: Option<f64>, over: f64| value.filter(|value| all || *value > over);
        let all = !worker.runs_sampled && !worker.quiet;
        let timeout_used = known(all, worker.timeout_used(), policy.worker_percent);
        let memory_used = known(all, worker.memory_used(), policy.worker_percent);
        let cold_starts = known(all, worker.cold_starts(policy.cold_starts_from_runs), policy.cold_starts_percent);
        // What Bedrock counts is exact; what the application chose to log of it comes sooner.
        let logged =
            worker.logged_throttles().filter(|count| !worker.throttles_sampled || as_float(*count) > policy.throttles);
        let counted = calls.max(logged);
        let throttles = counted.map(as_float);
        // (finding, what was measured, over what it warns, how it reads, the step that answers)
        let measured = [
            (
                "worker_near_timeout",
                timeout_used,
                policy.worker_percent,
                timeout_used.zip(worker.timeout).map(|(used, of)| worker_runs::timeout_used(language, used, of)),
                "extend-worker-timeout",
            ),
            (
                "worker_memory",
                memory_used,
                policy.worker_percent,
                memory_used.map(|used| worker_runs::memory_used(language, used)),
                "raise-worker-memory",
            ),
            (
                "worker_cold_starts",
                cold_starts,
                policy.cold_starts_percent,
                cold_starts.map(|share| worker_runs::cold_starts(language, share)),
                "provision-worker-concurrency",
            ),
            (
                "bedrock_throttles",
                throttles,
                policy.throttles,
                counted.map(|count| worker_runs::throttles(language, count)),
                "throttle-worker",
            ),
        ];
        let said: Vec<&str> = measured.iter().filter_map(|(.., said, _)| said.as_deref()).collect();
        let findings: Vec<Finding> = measured
            .iter()
            .filter(|(_, value, over, ..)| value.is_some_and(|value| value > *over))
            .map(|(code, value, _, said, answered_by)| {
                let evidence = json!({ "measured": value, "answeredBy": answered_by });
                Finding::new(code, name, said.as_deref().unwrap_or_default(), evidence)
            })
            .collect();
        let mut details: Vec<String> = findings
            .iter()
            .map(|finding| {
                let step = finding.evidence["answeredBy"].as_str().unwrap_or_default();
                common::answered_by(language, &finding.message, step)
            })
            .collect();
        if calls.is_none() {
            let is_model_known = capacity.map(|capacity| !capacity.models.is_empty());
            details.push(worker_runs::throttles_from_log(language, is_model_known, logged.is_some()));
        }
        if !worker.no_log {
            details.extend(worker.runs_sampled.then(|| worker_runs::reports_sampled(language)));
            details.extend(worker.throttles_sampled.then(|| worker_runs::throttles_sampled(language)));
            details.extend(worker.quiet.then(|| worker_runs::reports_left_out(language)));
        }
        let metrics = [
            ("WorkerTimeoutUsed", "Percent", timeout_used),
            ("WorkerMemoryUsed", "Percent", memory_used),
            ("WorkerColdStarts", "Percent", cold_starts),
            ("BedrockThrottles", "Count", throttles),
        ];
        Check {
            state: warning_if(!findings.is_empty()),
            sentence: if worker.no_log {
                worker_runs::no_log(language, &worker.group)
            } else if worker.runs.is_empty() && worker.throttles == 0 {
                worker_runs::none(language, WITHIN)
            } else {
                worker_runs::runs(language, worker.runs.len(), WITHIN, &said.join(", "))
            },
            details,
            data: json!({
                "runs": worker.runs.len(),
                "timeoutUsedPercent": timeout_used,
                "memoryUsedPercent": memory_used,
                "coldStartsPercent": cold_starts,
                "throttles": counted,
                "throttlesInLog": logged,
                "throttlesInCloudWatch": calls,
                "sampled": worker.runs_sampled || worker.throttles_sampled,
            }),
            metrics: metrics
                .into_iter()
                .filter_map(|(name, unit, value)| Some(Metric::new(name, unit, value?)))
                .collect(),
            findings,
            ..check
        }
    });
    if look.found.is_err() {
        check.metrics.extend(calls.map(|calls| Metric::count("BedrockThrottles", calls)));
    }
    check
}

#[cfg(test)]
mod tests;
