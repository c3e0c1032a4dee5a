//! Gives the worker more memory when its runs come close to it (guide: 3 step 2).

mod judge;
mod texts;

use remediation::gather::worker::setting::Setting;
use remediation::run::worker_step::raise::Raise;

const MANIFEST: &str = include_str!("../manifest.toml");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let step = Raise::new(MANIFEST, Setting::Memory, "worker-memory", judge::judge)?;
    remediation::run::runner::run(step).await
}
