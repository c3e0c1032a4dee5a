use chrono::Utc;
use patient::Process;
use serde_json::json;

use crate::application::{Application, End};
use crate::events::status_event;
use crate::expected::Expected;
use crate::fault::{Breaking, Broken, Fault};
use crate::world::{MINUTE, World};

/// The whole execution runs into its ten minutes: no state of it runs any more that could tell the row.
///
/// The local endpoint cannot end an execution TIMED_OUT, so there is none here: its row and the event that Step Functions
/// documents for such an end are what the product sees of it. It goes through the deployed rule to the deployed function.
/// The ten minutes are the game's, so that the row is not past its deadline yet, and no sweep is quicker than the event.
pub struct ExecutionTimedOut;

impl<A: Application> Fault<A> for ExecutionTimedOut {
    fn name(&self) -> &'static str {
        "execution-timed-out"
    }

    fn story(&self) -> &'static str {
        "the execution hits its own timeout, and no state is left to update the row"
    }

    fn expected(&self, patient: &A) -> Expected {
        patient.expects(End::TimedOut)
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let now = Utc::now();
            let (id, execution) = world.patient.leave(now - 10 * MINUTE).await?;
            let process = Process { id, execution_arn: execution.arn.clone() };
            let broken = Broken::of(world, &process, "execution TIMED_OUT after 10 min, row not told").await?;
            world.hop.deliver(&status_event(&execution, "TIMED_OUT", Some(now), None)).await?;
            Ok(broken.looked_at(json!({"executionArn": execution.arn, "status": "TIMED_OUT"}), 1))
        })
    }
}
