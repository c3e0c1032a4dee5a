use patient::profiled::Goes;

use crate::application::{Application, End};
use crate::expected::{Expected, STOPPING};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// A worker that hangs. The execution has to be stopped first; a row is never failed while its execution runs.
pub struct StuckExecution;

impl<A: Application> Fault<A> for StuckExecution {
    fn name(&self) -> &'static str {
        "stuck-execution"
    }

    fn story(&self) -> &'static str {
        "the worker hangs, and the execution runs on past its deadline"
    }

    fn expected(&self, patient: &A) -> Expected {
        Expected { actions: &["stop-execution", "set-row-status"], steps: STOPPING, ..patient.expects(End::TimedOut) }
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.begin(Goes::Hangs).await?;
            world.at_work(&process.id).await?;
            Broken::of(world, &process, "the worker hangs").await
        })
    }
}
