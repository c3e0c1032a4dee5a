//! Gives the worker more memory when its runs come close to it (guide: 3 step 2).

mod judge;

use chrono::{DateTime, Utc};
use remediation::config::Config;
use remediation::error::Error;
use remediation::step::{Plan, Question, Session, Step};
use remediation::worker::Setting;
use remediation::worker_step::{self, Evidence, Rules, Steps};

const MANIFEST: &str = include_str!("../manifest.toml");

struct RaiseWorkerMemory {
    policy: Steps,
}

impl Step for RaiseWorkerMemory {
    type Evidence = Evidence;

    const PARAMETERS: &'static [&'static str] = worker_step::PARAMETERS;
    const COMMANDS: &'static [&'static str] = worker_step::COMMANDS;

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let rules = Rules {
            step: "raise-worker-memory".to_owned(),
            setting: Setting::Memory,
            alarm: "worker-memory",
            may_be: self.policy.may_be(),
        };
        worker_step::gather(session, question, rules).await
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        worker_step::plan(evidence, config, now, |evidence| judge::judge(evidence, &self.policy, config.language))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::runner::run(RaiseWorkerMemory { policy: Steps::parse(MANIFEST, Setting::Memory)? }).await
}
