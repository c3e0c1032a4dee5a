//! Compares every open or lately closed row with its newest execution (guide: data consistency 1).
//!
//! The sweep behind `sync-execution-status`: what was missed because an event was lost is fixed here, at most five minutes later.

use remediation::run::processes::{Filter, ProcessStep};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let manifest = include_str!("../manifest.toml");
    remediation::run::runner::run(ProcessStep { manifest, looks_at: Filter::OpenOrLatelyClosed }).await
}
