//! Puts progress right (guide: data consistency, progress anomalies): out of 0..100 it is brought back, fallen within one attempt it
//! is restored, and what does not move any more is handed to the decision table.

mod texts;

use remediation::gather;
use remediation::run::step::Kind;
use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::decide::progress::{Suspect, Verdict, judge};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::processes::case;
use remediation::gather::processes::sweep::Filter;
use remediation::run::processes;
use remediation::run::progress;
use remediation::run::step::{Cursor, Plan, Planned, Question, Session, Skipped, Step};
use remediation::run::texts as common;
use serde::Deserialize;

const MANIFEST: &str = include_str!("../manifest.toml");

struct RepairProgress;

struct Evidence {
    /// What is stalled, or was asked for.
    processes: case::Evidence,
    /// Whose progress is looked at.
    suspects: Vec<Suspect>,
}

impl Step for RepairProgress {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = processes::KINDS;

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        // First the list of executions: another execution is another attempt.
        let processes = gather::processes::read(session, question, Filter::Stalled(stalled_after()?)).await?;
        let suspects = match question {
            // They were looked at with the first rows of this run.
            Question::Sweep(Cursor { goes_on: true, .. }) => Vec::new(),
            Question::Sweep(_) => {
                progress::keep(session).await?;
                progress::untrue(session).await?
            }
            Question::Change(_) | Question::Process(_) | Question::Execution(_) | Question::Again(_) => {
                let asked: Vec<_> = processes.cases.iter().map(|case| case.process.id).collect();
                progress::of(session, &asked).await?
            }
        };
        Ok(Evidence { processes, suspects })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        let language = config.language;
        let mut plan = processes::plan(&evidence.processes, config, now);
        let closed: HashSet<String> = plan.actions.iter().map(|planned| planned.action.target()).collect();
        // Where Step Functions did not answer, a new attempt may have begun that nobody knows of.
        let unlisted =
            evidence.processes.findings.iter().find(|finding| finding.code == "step_functions_unavailable").cloned();
        let mut repaired = HashSet::new();
        let mut left = Vec::new();
        for suspect in &evidence.suspects {
            let target = suspect.process.id.to_string();
            if closed.contains(&target) {
                continue;
            }
            let found = suspect.process.progress;
            let (to, cause, reason) = match (judge(suspect, &config.policy, now), &unlisted) {
                (Verdict::Sound, _) => continue,
                (Verdict::Left(decision), _) => {
                    let name = suspect.newest.as_ref().map(|execution| execution.arn.name());
                    let why = texts::progress_left(language, &common::reason(language, &decision, name));
                    left.push(Skipped::new(target, why));
                    continue;
                }
                (Verdict::Restore(_), Some(unlisted)) => {
                    left.push(Skipped::new(target, common::not_looked_up(language, &unlisted.message)));
                    continue;
                }
                (Verdict::Clamp(to), _) => (to, "progress-clamped", texts::progress_clamped(language, found, to)),
                (Verdict::Restore(to), None) => {
                    (to, "progress-restored", texts::progress_restored(language, found, to))
                }
            };
            let action = progress::repaired(suspect, to, cause);
            plan.actions.push(Planned::new(action, reason));
            repaired.insert(target);
        }
        // One thing is said of each row: either it is repaired, or it is skipped for the reason that prevents that.
        let told: HashSet<&str> = left.iter().map(|left| left.target.as_str()).collect();
        plan.skipped.retain(|skipped| !repaired.contains(&skipped.target) && !told.contains(skipped.target.as_str()));
        plan.skipped.extend(left);
        // Also rows that were closed long ago are looked at.
        plan.population = plan.population.max(evidence.suspects.len());
        if evidence.suspects.len() == progress::ROWS_A_LOOK {
            plan.unfinished.get_or_insert_with(|| common::more_to_look_at(language, progress::ROWS_A_LOOK));
        }
        plan
    }
}

/// The manifest's `[policy]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    /// After how long without a write a process counts as stalled.
    stalled_after_seconds: u32,
}

fn stalled_after() -> Result<TimeDelta, Error> {
    let Policy { stalled_after_seconds } = manifest::policy(MANIFEST)?;
    Ok(TimeDelta::seconds(stalled_after_seconds.into()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(RepairProgress).await
}

#[cfg(test)]
mod tests;
