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
use remediation::act::ledger::incidents;
use remediation::gather::alarms::{Alarms, Standing};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::trigger::{AlarmState, Ask, Scope, Trigger};
use remediation::gather::worker::Worker;
use remediation::gather::worker::setting::Setting;
use remediation::run::incident::Look;
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

/// Since when the alarm has been OK. An alarm without data is not known to be.
async fn quiet(session: &mut Session<'_>, look: &Look) -> Result<Quiet, Error> {
    let Standing::Ok(told) = look.standing else { return Ok(Quiet::Unknown) };
    if matches!(session.trigger, Trigger::Alarm(_)) {
        return Ok(Quiet::Now);
    }
    let closed = match &look.alarm {
        Some(alarm) => incidents::ok_since(session.db, alarm, &session.config.state_machine_arn).await?,
        None => None,
    };
    Ok(told.max(closed).map_or(Quiet::Unknown, Quiet::Since))
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
        let lambda = Worker::new(session.aws, session.config)?;
        let unreserved = lambda.unreserved().await?;
        let provisioned = match session.config.worker_alias {
            Some(_) => lambda.read(Setting::ProvisionedConcurrency).await?.value,
            None => None,
        };
        let run_seconds = Alarms::run_seconds(session.aws, session.config, session.now).await;
        let run_seconds = run_seconds.or_else(|| worker.load.as_ref().and_then(|load| load.average_seconds));
        let cause: Option<Option<String>> = sqlx::query_scalar(include_str!("cause.sql"))
            .bind(STEP)
            .fetch_optional(&mut *session.db)
            .await
            .map_err(Error::database("reading what the worker was throttled for"))?;
        let quiet = quiet(session, &worker.look).await?;
        Ok(Evidence {
            worker,
            running: u32::try_from(running).unwrap_or(u32::MAX),
            unreserved,
            provisioned,
            run_seconds,
            quiet,
            cause: cause.flatten(),
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
            let read = json!({
                "retrySeconds": seconds,
                "runSeconds": evidence.run_seconds,
                "runningExecutions": evidence.running,
                "provisionedConcurrency": evidence.provisioned,
            });
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
