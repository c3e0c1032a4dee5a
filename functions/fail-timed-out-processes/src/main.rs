//! Closes what ran out of time (guide: 1 step 4, TIMEOUT_ERROR).
//!
//! Looks at open rows past their deadline only. An execution that still runs is stopped first; one that succeeded meanwhile keeps
//! its success.

use remediation::gather::processes::sweep::Filter;
use remediation::run::processes::ProcessStep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let manifest = include_str!("../manifest.toml");
    remediation::run::runner::run(ProcessStep { manifest, looks_at: Filter::PastDeadline }).await
}
