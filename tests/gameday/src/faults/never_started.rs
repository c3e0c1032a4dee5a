use crate::application::{Application, End};
use crate::expected::{Expected, SWEEPS};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// The API's handler dies between its INSERT and its StartExecution. No event will ever tell.
pub struct NeverStarted;

impl<A: Application> Fault<A> for NeverStarted {
    fn name(&self) -> &'static str {
        "never-started"
    }

    fn story(&self) -> &'static str {
        "the row is PENDING, and no execution was ever started for it"
    }

    fn expected(&self, patient: &A) -> Expected {
        Expected { steps: SWEEPS, ..patient.expects(End::NeverStarted) }
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.accept_only().await?;
            Broken::now(world, process, "accepted, and never started").await
        })
    }
}
