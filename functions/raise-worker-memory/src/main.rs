//! Gives the worker more memory when its runs come close to it (guide: 3 step 2).

mod judge;

use remediation::worker::Setting;
use remediation::worker_step::Raise;

const MANIFEST: &str = include_str!("../manifest.toml");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let step = Raise::new(MANIFEST, Setting::Memory, "worker-memory", judge::judge)?;
    remediation::runner::run(step).await
}
