//! Brings one row in line with the execution whose status just changed (guide: data consistency 1).
//!
//! Step Functions delivers these events best effort, twice and in any order; the sweep behind this step is
//! `reconcile-processes`.

use chrono::{DateTime, Utc};
use remediation::config::Config;
use remediation::error::Error;
use remediation::processes::{self, Evidence, Filter};
use remediation::step::{Plan, Question, Session, Step};

struct SyncExecutionStatus;

impl Step for SyncExecutionStatus {
    type Evidence = Evidence;

    const MANIFEST: &'static str = include_str!("../manifest.toml");

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        processes::gather(session, question, Filter::OpenOrLatelyClosed).await
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        processes::plan(evidence, config, now)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::runner::run(SyncExecutionStatus).await
}
