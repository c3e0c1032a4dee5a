//! Brings one row in line with the execution whose status just changed (guide: data consistency 1).
//!
//! Step Functions delivers these events best effort, twice and in any order; the sweep behind this step is
//! `reconcile-processes`.

use remediation::gather::processes::sweep::Filter;
use remediation::run::processes::ProcessStep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let manifest = include_str!("../manifest.toml");
    remediation::run::runner::run(ProcessStep { manifest, looks_at: Filter::OpenOrLatelyClosed }).await
}
