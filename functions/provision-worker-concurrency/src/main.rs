//! Keeps environments of the worker ready where many of its runs wait for a cold start (guide: 3, Provisioned Concurrency).
//!
//! For the alias that callers use, never for `$LATEST`, which AWS refuses although the guide says so.

mod judge;
mod texts;

use remediation::run::step::Kind;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::worker::{Setting, Worker};
use remediation::run::step::{Plan, Question, Session, Step};
use remediation::run::worker_step::{self, Rules};
use serde::Deserialize;

const MANIFEST: &str = include_str!("../manifest.toml");

/// The manifest's `[policy]`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    /// Not fewer environments than this.
    floor: u32,
    /// So many more at a time.
    step: u32,
    /// Not more than this.
    ceiling: u32,
    /// Runs that the account has to keep unreserved.
    kept_unreserved: u32,
    /// What a GB-second of provisioned concurrency costs, in USD.
    usd_per_gb_second: f64,
}

impl Policy {
    fn read() -> Result<Self, Error> {
        let policy: Self = manifest::policy(MANIFEST)?;
        let sound = policy.floor >= 1 && policy.step >= 1 && policy.ceiling >= policy.floor;
        let fault = "manifest.toml: [policy]: `floor` and `step` must be 1 or more, `ceiling` not below `floor`";
        if sound { Ok(policy) } else { Err(Error::Configuration(vec![fault.to_owned()])) }
    }

    const fn may_be(&self) -> RangeInclusive<u32> {
        self.floor..=self.ceiling
    }
}

struct ProvisionWorkerConcurrency {
    policy: Policy,
}

/// What was read.
struct Evidence {
    /// What every worker step reads.
    worker: worker_step::Evidence,
    /// The function's reserved concurrency: no more environments than that.
    reserved: Option<u32>,
    /// Runs that the account has left.
    unreserved: Option<u32>,
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
        let lambda = Worker::new(session.aws, session.config);
        Ok(Evidence { worker, reserved: lambda.reserved().await?, unreserved: lambda.unreserved().await? })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        let judge = |_: &worker_step::Evidence| judge::judge(evidence, &self.policy, config.language);
        worker_step::plan(&evidence.worker, config, now, judge)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(ProvisionWorkerConcurrency { policy: Policy::read()? }).await
}
