//! Compares every open or lately closed row with its newest execution (guide: data consistency 1).
//!
//! The sweep behind `sync-execution-status`: what an event was lost for is put right here, at the latest five minutes later.

use chrono::{DateTime, Utc};
use remediation::config::Config;
use remediation::error::Error;
use remediation::processes::{self, Evidence, Filter};
use remediation::step::{Plan, Question, Session, Step};

struct ReconcileProcesses;

impl Step for ReconcileProcesses {
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
    remediation::runner::run(ReconcileProcesses).await
}
