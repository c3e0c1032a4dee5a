use patient::{Behaviour, Patient};

use crate::expected::{COMPLETED, Expected};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// The model does not answer, the application records that as it should, and the user waits for nothing: only another attempt helps.
///
/// Other faults of the day fail for reasons that may pass too, so this one is the probe that the breaker lets through.
pub struct TransientFailure;

impl Fault for TransientFailure {
    fn name(&self) -> &'static str {
        "transient-failure"
    }

    fn story(&self) -> &'static str {
        "the model fails to answer once, the process is FAILED with AI_ERROR, and nobody retries it"
    }

    fn expected(&self, _: &Patient) -> Expected {
        Expected { actions: &["retry-process"], steps: &["retry-failed-processes"], ..COMPLETED }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::FailFirst { code: "AI_ERROR".into() }).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::now(world, process.id, format!("execution {}, row told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
