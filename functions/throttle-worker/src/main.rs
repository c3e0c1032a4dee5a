//! Lowers the worker's reserved concurrency while Bedrock throttles it, and raises it again (guide: 1 step 3).
//!
//! Fewer runs at once ask the model less often; what Lambda refuses meanwhile, the state machine tries again. The lease remembers what
//! people had reserved, and its end puts that back in any case.

mod judge;
mod recover;
mod texts;

use chrono::{DateTime, Utc};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::state_machine::Throttled;
use remediation::gather::trigger::{AlarmState, Ask, Scope, Trigger};
use remediation::gather::worker::{Setting, Worker};
use remediation::run::step::{Finding, Plan, Question, Session, Skipped, Step};
use remediation::run::worker_step::{self, Rules};
use serde::Deserialize;
use serde_json::json;

const MANIFEST: &str = include_str!("../manifest.toml");
const STEP: &str = "throttle-worker";
const ALARM: &str = "bedrock-throttles";

/// The manifest's `[policy]`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    /// What is left after a step down.
    factor: f64,
    /// Not less than this.
    floor: u32,
    /// The most that a person may ask for.
    ceiling: u32,
    /// How long the state machine has to go on trying.
    retry_seconds: u32,
    /// Runs that the account has to keep unreserved.
    kept_unreserved: u32,
    /// How long it must have been quiet.
    quiet_minutes: u32,
}

impl Policy {
    fn read() -> Result<Self, Error> {
        let policy: Self = manifest::policy(MANIFEST)?;
        // It has to get somewhere, and not to a halt.
        let sound = policy.factor > 0.0 && policy.factor < 1.0 && policy.floor >= 1 && policy.ceiling >= policy.floor;
        let fault =
            "manifest.toml: [policy]: `factor` must be between 0 and 1, `floor` 1 or more, `ceiling` not below it";
        if sound { Ok(policy) } else { Err(Error::Configuration(vec![fault.to_owned()])) }
    }
}

struct ThrottleWorker {
    policy: Policy,
}

/// What was read.
struct Evidence {
    /// What every worker step reads.
    worker: worker_step::Evidence,
    /// How the state machine tries again what Lambda refuses; or why that is not known.
    throttled: Result<Vec<Throttled>, String>,
    /// Executions that run now.
    running: u32,
    /// Runs that the account has left.
    unreserved: Option<u32>,
    /// Since when the alarm has been quiet.
    quiet: Quiet,
    /// Why the concurrency is what our open lease says, in the ledger's word.
    cause: Option<String>,
    /// A plan is being approved: all that may have been in it is planned anew.
    approving: bool,
}

/// Since when the alarm has been OK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quiet {
    /// The alarm itself has just said so.
    Now,
    /// Its last incident closed then.
    Since(DateTime<Utc>),
    /// No incident of it is known to have closed.
    Unknown,
}

#[derive(sqlx::FromRow)]
struct Known {
    closed_at: Option<DateTime<Utc>>,
    cause: Option<String>,
}

impl Step for ThrottleWorker {
    type Evidence = Evidence;

    const ALARM_STATES: &'static [AlarmState] = &[AlarmState::Alarm, AlarmState::Ok];
    const PARAMETERS: &'static [&'static str] = worker_step::PARAMETERS;
    const COMMANDS: &'static [&'static str] = worker_step::COMMANDS;

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let rules = Rules {
            step: STEP.to_owned(),
            setting: Setting::ReservedConcurrency,
            alarm: ALARM,
            may_be: self.policy.floor..=self.policy.ceiling,
        };
        let worker = worker_step::gather(session, question, rules).await?;
        let machine = session.step_functions;
        let throttled = match machine.definition().await {
            Ok(definition) => Ok(definition.throttled(machine.state_machine_arn(), &session.config.worker_function)),
            Err(error) => Err(error.to_string()),
        };
        let running = machine.running(1000).await?.executions.len();
        let unreserved = Worker::new(session.aws, session.config).unreserved().await?;
        let known: Known = sqlx::query_as(include_str!("quiet.sql"))
            .bind(ALARM)
            .bind(STEP)
            .fetch_one(&mut *session.db)
            .await
            .map_err(Error::database("reading since when it has been quiet"))?;
        let quiet = match (session.trigger, known.closed_at) {
            (Trigger::Alarm(change), _) if change.state == AlarmState::Ok => Quiet::Now,
            (_, Some(closed_at)) => Quiet::Since(closed_at),
            (_, None) => Quiet::Unknown,
        };
        Ok(Evidence {
            worker,
            throttled,
            running: u32::try_from(running).unwrap_or(u32::MAX),
            unreserved,
            quiet,
            cause: known.cause,
            approving: matches!(session.trigger, Trigger::Operator(Ask { scope: Scope::Approve(_), .. })),
        })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        let (worker, language) = (&evidence.worker, config.language);
        let mut plan = worker_step::plan(worker, config, now, |_| judge::judge(evidence, &self.policy, language));
        let lowers = plan.findings.iter().any(|finding| finding.code == "worker_change");
        if lowers {
            let seconds = evidence.throttled.iter().flatten().map(|task| task.retries.seconds).reduce(f64::min);
            let absorbed = seconds.map(|seconds| texts::absorbed(language, seconds));
            let message = [absorbed, Some(texts::quota(language))].into_iter().flatten().collect::<Vec<_>>().join("; ");
            let read = json!({ "retrySeconds": seconds, "runningExecutions": evidence.running });
            plan.findings.push(Finding::new("raise_quota", worker.target.as_str(), message, read));
        }
        // What is put back because its time is over needs no step up.
        if plan.actions.is_empty() || evidence.approving {
            match recover::recover(evidence, &self.policy, language, now) {
                Ok(Some(planned)) => {
                    plan.skipped.clear();
                    plan.actions.push(planned);
                }
                Ok(None) => {}
                Err(why) => plan.skipped.push(Skipped { target: worker.target.clone(), why }),
            }
        }
        plan
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(ThrottleWorker { policy: Policy::read()? }).await
}

#[cfg(test)]
mod tests;
