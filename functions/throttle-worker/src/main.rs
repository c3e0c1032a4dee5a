//! Lowers the worker's reserved concurrency while Bedrock throttles it, and raises it again (guide: 1 step 3).
//!
//! Fewer runs at once ask the model less often; what Lambda refuses meanwhile, the state machine tries again. The lease remembers what
//! people had reserved, and its end puts that back in any case.

mod evidence;
mod judge;
mod policy;
mod recover;
mod texts;

use chrono::{DateTime, Utc};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::trigger::{AlarmState, Ask, Scope, Trigger};
use remediation::gather::worker::Worker;
use remediation::gather::worker::setting::Setting;
use remediation::run::step::Kind;
use remediation::run::step::{Finding, Plan, Question, Session, Skipped, Step};
use remediation::run::worker_step::{self, Rules};
use serde_json::json;

use crate::evidence::{Evidence, Quiet};
use crate::policy::Policy;

const MANIFEST: &str = include_str!("../manifest.toml");
const STEP: &str = "throttle-worker";
const ALARM: &str = "bedrock-throttles";

struct ThrottleWorker {
    policy: Policy,
}

#[derive(sqlx::FromRow)]
struct Known {
    closed_at: Option<DateTime<Utc>>,
    cause: Option<String>,
}

impl Step for ThrottleWorker {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = worker_step::RESERVED_CONCURRENCY;

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
        let running = session.step_functions.running(1000).await?.executions.len();
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
            let seconds = worker
                .callers
                .iter()
                .flat_map(|callers| &callers.tasks)
                .map(|task| task.retries.seconds)
                .reduce(f64::min);
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
                Err(why) => plan.skipped.push(Skipped::new(worker.target.clone(), why)),
            }
        }
        plan
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(ThrottleWorker { policy: Policy::read(MANIFEST)? }).await
}

#[cfg(test)]
mod tests;
