use patient::{Behaviour, Patient};

use crate::expected::{Expected, failed};
use crate::fault::{Breaking, Broken, Fault};
use crate::guide::last_attempt;
use crate::world::World;

/// The worker catches its own error and returns it: its workflow goes on, completes the row, and succeeds.
pub struct FailureReturnedAsSuccess;

impl Fault for FailureReturnedAsSuccess {
    fn name(&self) -> &'static str {
        "failure-returned-as-success"
    }

    fn story(&self) -> &'static str {
        "the worker returns its failure as if it were a result, and the workflow completes the row with it"
    }

    fn expected(&self, _: &Patient) -> Expected {
        // What the workflow wrote as its result stays: it is what it says.
        Expected { result: true, ..failed("AI_ERROR") }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = last_attempt(&world.patient, &Behaviour::ReturnFailure { code: "AI_ERROR".into() }).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::now(world, process.id, format!("execution {}, row COMPLETED", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
