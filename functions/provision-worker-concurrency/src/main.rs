//! Keeps environments of the worker ready where many of its runs wait for a cold start (guide: 3, Provisioned Concurrency).
//!
//! For the alias that callers use, never for `$LATEST`, which AWS refuses although the guide says so.

mod judge;
mod policy;
mod texts;

use chrono::{DateTime, Utc};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::worker::Worker;
use remediation::gather::worker::setting::Setting;
use remediation::run::step::Kind;
use remediation::run::step::{Plan, Question, Session, Step};
use remediation::run::worker_step::{self, Rules};

use crate::judge::Evidence;
use crate::policy::Policy;

const MANIFEST: &str = include_str!("../manifest.toml");

struct ProvisionWorkerConcurrency {
    policy: Policy,
}

impl Step for ProvisionWorkerConcurrency {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = worker_step::PROVISIONED_CONCURRENCY;

    const PARAMETERS: &'static [&'static str] = worker_step::PARAMETERS;
    const COMMANDS: &'static [&'static str] = worker_step::COMMANDS;

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let rules = Rules {
            step: "provision-worker-concurrency".to_owned(),
            setting: Setting::ProvisionedConcurrency,
            alarm: "worker-cold-starts",
            may_be: self.policy.may_be(),
        };
        let worker = worker_step::gather(session, question, rules).await?;
        let lambda = Worker::new(session.aws, session.config)?;
        Ok(Evidence { worker, reserved: lambda.reserved().await?, unreserved: lambda.unreserved().await? })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        let judge = |_: &worker_step::Evidence| judge::judge(evidence, &self.policy, config.language);
        worker_step::plan(&evidence.worker, config, now, judge)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(ProvisionWorkerConcurrency { policy: Policy::read(MANIFEST)? }).await
}
