//! Closes what ran out of time (guide: 1 step 4, TIMEOUT_ERROR).
//!
//! Looks at open rows past their deadline only. An execution that still runs is stopped first; one that succeeded meanwhile keeps
//! its success.

use chrono::{DateTime, Utc};
use remediation::config::Config;
use remediation::error::Error;
use remediation::processes::{self, Evidence, Filter};
use remediation::step::{Plan, Question, Session, Step};

struct FailTimedOutProcesses;

impl Step for FailTimedOutProcesses {
    type Evidence = Evidence;

    const MANIFEST: &'static str = include_str!("../manifest.toml");

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        processes::gather(session, question, Filter::PastDeadline).await
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        processes::plan(evidence, config, now)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::runner::run(FailTimedOutProcesses).await
}
