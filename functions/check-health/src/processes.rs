//! Check 4: the processes by status, and what the other steps would fix.

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::decide::{Reason, StopCause, Verdict, decide};
use remediation::domain::ProcessStatus;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::processes::case::{Case, Evidence, Newest};
use remediation::gather::processes::sweep::{Filter, known, uncancelled};
use remediation::run::progress;
use remediation::run::step::Metric;
use remediation::run::step::{Finding, Session};
use remediation::run::texts as common;
use serde_json::{Map, json};

use crate::check::{Check, Look};
use crate::state::warning_if;

/// The table's rows, as far as they are somebody's business.
pub struct Processes {
    /// How many are in each status: all open ones, and those closed in the last day.
    pub statuses: Vec<(String, i64)>,
    /// How many of the open ones wait for their start: no execution is known to run for them.
    pub waiting: i64,
    /// The open ones and the lately closed ones, with their executions as far as they are known.
    pub evidence: Evidence,
    /// Cancelled rows beside what is known to run for them, whenever they were cancelled; one process may have several.
    pub uncancelled: Vec<Case>,
    /// Rows whose progress would be repaired.
    pub progress_anomalies: usize,
}

pub async fn read(session: &mut Session<'_>) -> Result<Processes, Error> {
    let table = session.table().await?;
    let statuses = sqlx::query_as(table.sql(include_str!("statuses.sql")))
        .bind(session.now - TimeDelta::days(1))
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database("counting processes by status"))?;
    let waiting = sqlx::query_scalar(table.sql(include_str!("waiting.sql")))
        .fetch_one(&mut *session.db)
        .await
        .map_err(Error::database("counting processes that wait for their start"))?;
    let mut evidence = known(session, Filter::OpenOrLatelyClosed).await?;
    // What cannot be seen is not well.
    evidence.findings.extend(table.concerns());
    let uncancelled = uncancelled(session).await?;
    let progress_anomalies = progress::anomalies(session).await?;
    Ok(Processes { statuses, waiting, evidence, uncancelled, progress_anomalies })
}

/// A warning if there is something to fix, by the same decision table as the steps that fix it.
pub fn judge(look: &Look<Processes>, config: &Config, now: DateTime<Utc>) -> Check {
    let language = config.language;
    Check::of("processes", look, language, |found, check| {
        let Processes { statuses, waiting, evidence, uncancelled, progress_anomalies } = found;
        let progress_anomalies = *progress_anomalies;
        let count =
            |cases: &[Case], wanted| cases.iter().filter(|case| kind(case, config, now) == Some(wanted)).count();
        let stuck = count(&evidence.cases, Kind::Stuck);
        let mismatched = count(&evidence.cases, Kind::Mismatched);
        let uncancelled = count(uncancelled, Kind::Uncancelled);
        let in_status = |status: ProcessStatus| {
            statuses.iter().find(|(name, _)| name == status.as_str()).map_or(0, |(_, count)| *count)
        };
        let (pending, processing) = (in_status(ProcessStatus::Pending), in_status(ProcessStatus::Processing));
        let open = |name: &str| name.parse::<ProcessStatus>().is_ok_and(ProcessStatus::is_open);
        let closed: Vec<&(String, i64)> = statuses.iter().filter(|(name, _)| !open(name)).collect();

        let wrong = [
            ("stuck_processes", stuck, texts::stuck(language, stuck), "fail-timed-out-processes"),
            ("mismatched_processes", mismatched, texts::mismatched(language, mismatched), "reconcile-processes"),
            (
                "uncancelled_executions",
                uncancelled,
                texts::uncancelled(language, uncancelled),
                "stop-cancelled-executions",
            ),
            (
                "progress_anomalies",
                progress_anomalies,
                texts::progress_anomalies(language, progress_anomalies),
                "repair-progress",
            ),
        ];
        let findings: Vec<Finding> = wrong
            .into_iter()
            .filter(|(_, count, ..)| *count > 0)
            .map(|(code, count, message, answered_by)| {
                let evidence = json!({ "count": count, "answeredBy": answered_by });
                Finding::new(code, config.table.to_string(), message, evidence)
            })
            .collect();
        // A status of the application's own is nobody's fault; what cannot be seen or read is not well.
        let sound = findings.is_empty() && evidence.findings.iter().all(|found| found.code == "row_status_unknown");
        let told: Vec<String> = closed.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let mut details = vec![texts::closed_in_a_day(language, &told.join(", "))];
        details.extend(evidence.findings.iter().map(|finding| finding.message.clone()));
        details.extend(findings.iter().map(|finding| {
            common::answered_by(language, &finding.message, finding.evidence["answeredBy"].as_str().unwrap_or_default())
        }));
        Check {
            state: warning_if(!sound),
            sentence: texts::processes_open(language, pending, processing, sound),
            details,
            data: json!({
                "open": { "PENDING": pending, "PROCESSING": processing },
                "closedInADay": closed.iter().map(|(name, count)| (name.clone(), json!(count))).collect::<Map<_, _>>(),
                "waiting": waiting,
                "stuck": stuck,
                "mismatched": mismatched,
                "uncancelled": uncancelled,
                "progressAnomalies": progress_anomalies,
            }),
            metrics: vec![
                Metric::count("StuckProcesses", stuck),
                Metric::count("MismatchedProcesses", mismatched),
                Metric::count("UncancelledExecutions", uncancelled),
                Metric::count("ProgressAnomalies", progress_anomalies),
                Metric::count("QueueDepth", usize::try_from(*waiting).unwrap_or(0)),
            ],
            findings,
            ..check
        }
    })
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
