use patient::Behaviour;

use crate::fault::{Breaking, Broken, Expected, Fault, STOPPING, failed};
use crate::world::World;

/// A worker that hangs. The execution has to be stopped first; a row is never failed while its execution runs.
pub struct StuckExecution;

impl Fault for StuckExecution {
    fn name(&self) -> &'static str {
        "stuck-execution"
    }

    fn story(&self) -> &'static str {
        "the worker hangs, and the execution runs on past its deadline"
    }

    fn expected(&self) -> Expected {
        Expected { actions: &["stop-execution", "set-row-status"], steps: STOPPING, ..failed("TIMEOUT_ERROR") }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.last_attempt(&Behaviour::Hang).await?;
            world.at_work(process.id).await?;
            Broken::now(world, process.id, "the worker hangs").await
        })
    }
}
