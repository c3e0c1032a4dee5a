//! Gives the worker a longer timeout when its runs come close to it (guide: 1 step 3, TIMEOUT_ERROR).
//!
//! Never longer than the state machine waits for it: a run whose task has given up goes on in vain, and may still write the row.

mod judge;

use chrono::{DateTime, Utc};
use remediation::config::Config;
use remediation::error::Error;
use remediation::step::{Plan, Question, Session, Step};
use remediation::worker::Setting;
use remediation::worker_step::{self, Evidence, Rules, Steps};

const MANIFEST: &str = include_str!("../manifest.toml");

struct ExtendWorkerTimeout {
    policy: Steps,
}

impl Step for ExtendWorkerTimeout {
    type Evidence = Evidence;

    const PARAMETERS: &'static [&'static str] = worker_step::PARAMETERS;
    const COMMANDS: &'static [&'static str] = worker_step::COMMANDS;

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let rules = Rules {
            step: "extend-worker-timeout".to_owned(),
            setting: Setting::Timeout,
            alarm: "worker-near-timeout",
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
    remediation::runner::run(ExtendWorkerTimeout { policy: Steps::parse(MANIFEST, Setting::Timeout)? }).await
}
