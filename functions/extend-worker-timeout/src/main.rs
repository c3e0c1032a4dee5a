//! Gives the worker a longer timeout when its runs come close to it (guide: 1 step 3, TIMEOUT_ERROR).
//!
//! Never longer than the state machine waits for it: a run whose task has given up goes on in vain, and may still write the row.

mod judge;
mod texts;

use remediation::gather::worker::setting::Setting;
use remediation::run::worker_step::raise::Raise;

const MANIFEST: &str = include_str!("../manifest.toml");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let step = Raise::new(MANIFEST, Setting::Timeout, "worker-near-timeout", judge::judge)?;
    remediation::run::runner::run(step).await
}
