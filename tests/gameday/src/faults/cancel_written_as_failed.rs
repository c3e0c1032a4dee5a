use patient::{Behaviour, Patient};
use serde_json::json;

use crate::expected::{Expected, failed};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// A user's cancel that the application keeps as a failure with a code of its own, and whose execution nobody stops.
pub struct CancelWrittenAsFailed;

impl Fault for CancelWrittenAsFailed {
    fn name(&self) -> &'static str {
        "cancel-written-as-failed"
    }

    fn story(&self) -> &'static str {
        "a user cancels, the row says FAILED with the code CANCELLED, and the execution runs on"
    }

    fn expected(&self, _: &Patient) -> Expected {
        Expected {
            actions: &["stop-execution"],
            steps: &["reconcile-processes", "stop-cancelled-executions"],
            ..failed("CANCELLED")
        }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::Hang).await?;
            world.at_work(process.id).await?;
            // The event of its start would be about a cancelled row if it came late.
            world.looked(&json!({"executionArn": process.execution_arn, "status": "RUNNING"}), 1).await?;
            world.patient.cancel_as_failure(process.id).await?;
            Broken::now(world, process.id, "FAILED (CANCELLED), and the execution runs on").await
        })
    }
}
