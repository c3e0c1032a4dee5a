use chrono::Utc;
use patient::table::Row;

use crate::fault::{Breaking, Broken, Expected, Fault, SWEEPS, failed};
use crate::world::World;

/// The API's handler dies between its INSERT and its StartExecution. No event will ever tell.
pub struct NeverStarted;

impl Fault for NeverStarted {
    fn name(&self) -> &'static str {
        "never-started"
    }

    fn story(&self) -> &'static str {
        "the row is PENDING, and no execution was ever started for it"
    }

    fn expected(&self) -> Expected {
        Expected { steps: SWEEPS, ..failed("STEP_FUNCTIONS_ERROR") }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let row = Row::pending(Utc::now());
            world.patient.accept(&row).await?;
            Broken::now(world, row.id, "accepted, and never started").await
        })
    }
}
