//! Measures what the alarms watch: stuck, mismatched and queued processes, and the rates (guide: health check script).
//!
//! It asks the same decision table as the steps that put things right, so an alarm never goes off for what they would leave
//! alone. It changes nothing, and asks Step Functions nothing.

use chrono::{DateTime, TimeDelta, Utc};
use remediation::config::Config;
use remediation::decide::{Reason, StopCause, Verdict, decide};
use remediation::error::Error;
use remediation::processes::{self, Case, Evidence, Filter, Newest};
use remediation::progress;
use remediation::report::Metric;
use remediation::step::{Finding, Plan, Question, Session, Step};
use remediation::texts;
use serde_json::json;

struct CheckHealth;

struct Health {
    processes: Evidence,
    /// Cancelled rows beside what is known to run for them.
    uncancelled: Vec<Case>,
    /// Rows whose progress would be repaired.
    progress_anomalies: usize,
    counts: Counts,
}

/// Rows and rates of the last hour.
#[derive(Debug, Clone, Copy, PartialEq, sqlx::FromRow)]
struct Counts {
    pending: i64,
    processing: i64,
    closed: i64,
    failed: i64,
    timed_out: i64,
    /// Of the completed ones, from creation to end.
    p95_seconds: Option<f64>,
}

impl Step for CheckHealth {
    type Evidence = Health;

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Health, Error> {
        if !matches!(question, Question::Sweep(_)) {
            return Err(Error::Refused(
                "check-health looks at the whole system: send {} (for one process, send its processId to reconcile-processes with \"mode\": \"observe\")".to_owned(),
            ));
        }
        let processes = processes::known(session, Filter::OpenOrLatelyClosed).await?;
        let uncancelled = processes::uncancelled(session).await?;
        let progress_anomalies = progress::anomalies(session).await?;
        let table = session.table().await?;
        let counts = sqlx::query_as(table.sql(include_str!("health.sql")))
            .bind(session.now - TimeDelta::hours(1))
            .fetch_one(&mut *session.db)
            .await
            .map_err(Error::database("counting rows and rates"))?;
        Ok(Health { processes, uncancelled, progress_anomalies, counts })
    }

    fn plan(&self, health: &Health, config: &Config, now: DateTime<Utc>) -> Plan {
        let Counts { pending, processing, closed, failed, timed_out, p95_seconds } = health.counts;
        let kinds = |cases: &[Case]| cases.iter().filter_map(|case| kind(case, config, now)).collect::<Vec<_>>();
        // Executions, of which one process may have several.
        let uncancelled = kinds(&health.uncancelled).len();
        let kinds = kinds(&health.processes.cases);
        let count = |wanted: &[Kind]| kinds.iter().filter(|kind| wanted.contains(kind)).count();
        let stuck = count(&[Kind::Stuck]);
        let mismatched = count(&[Kind::Mismatched, Kind::Uncancelled]);
        let progress_anomalies = health.progress_anomalies;
        #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
        let percent = |part: i64| (closed > 0).then(|| 100.0 * part as f64 / closed as f64);
        let (error_rate, timeout_rate) = (percent(failed), percent(timed_out));

        let mut metrics = vec![
            Metric::count("StuckProcesses", stuck),
            Metric::count("MismatchedProcesses", mismatched),
            Metric::count("UncancelledExecutions", uncancelled),
            Metric::count("ProgressAnomalies", progress_anomalies),
            Metric::count("QueueDepth", usize::try_from(pending).unwrap_or(0)),
        ];
        // Where nothing was closed there is no rate: missing data is not a good rate, and no alarm either.
        let measured = [
            ("ErrorRate", "Percent", error_rate),
            ("TimeoutRate", "Percent", timeout_rate),
            ("ProcessingDurationP95", "Seconds", p95_seconds),
        ];
        metrics.extend(measured.into_iter().filter_map(|(name, unit, value)| Some(Metric::new(name, unit, value?))));

        let finding = |code, message: String, number: usize, answered_by: &str| Finding {
            code,
            message,
            target: config.table.to_string(),
            evidence: json!({ "count": number, "answeredBy": answered_by }),
        };
        let mut findings = Vec::new();
        if stuck > 0 {
            let message = texts::stuck(config.language, stuck);
            findings.push(finding("stuck_processes", message, stuck, "fail-timed-out-processes"));
        }
        if mismatched > 0 {
            let message = texts::mismatched(config.language, mismatched);
            findings.push(finding("mismatched_processes", message, mismatched, "reconcile-processes"));
        }
        if progress_anomalies > 0 {
            let message = texts::progress_anomalies(config.language, progress_anomalies);
            findings.push(finding("progress_anomalies", message, progress_anomalies, "repair-progress"));
        }
        Plan {
            findings,
            population: health.processes.population,
            metrics,
            report: Some(json!({
                "stuck": stuck,
                "mismatched": mismatched,
                "uncancelled": uncancelled,
                "progressAnomalies": progress_anomalies,
                "pending": pending,
                "processing": processing,
                "lastHour": {
                    "closed": closed,
                    "failed": failed,
                    "timedOut": timed_out,
                    "errorRatePercent": error_rate,
                    "timeoutRatePercent": timeout_rate,
                    "durationP95Seconds": p95_seconds,
                },
            })),
            ..Plan::default()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Open past its deadline.
    Stuck,
    /// Cancelled, and still running.
    Uncancelled,
    /// The row does not say what its execution says.
    Mismatched,
}

/// What is wrong with a process that the steps would act on. What they leave alone, or only tell, is not counted.
fn kind(case: &Case, config: &Config, now: DateTime<Utc>) -> Option<Kind> {
    // Whether there is really no execution is looked up by the step that answers.
    let Newest::Known(newest) = &case.newest else { return None };
    let decision = decide(&case.process, newest.as_ref(), case.look, &config.policy, now);
    match (decision.verdict, decision.reason) {
        (Verdict::Leave, _) => None,
        (_, Reason::PastDeadline { .. } | Reason::NeverStarted { .. } | Reason::ExecutionGone { .. }) => {
            Some(Kind::Stuck)
        }
        (Verdict::Stop(StopCause::Cancelled), _) => Some(Kind::Uncancelled),
        (Verdict::Close(_) | Verdict::Inspect | Verdict::Stop(StopCause::Deadline), _) => Some(Kind::Mismatched),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::runner::run(CheckHealth).await
}
