use patient::profiled::Goes;
use serde_json::json;

use crate::application::{Application, End};
use crate::events::{Execution, status_event};
use crate::expected::Expected;
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// EventBridge delivers at least once, and Lambda tries again: one event, three runs, one action.
pub struct EventThreeTimes;

impl<A: Application> Fault<A> for EventThreeTimes {
    fn name(&self) -> &'static str {
        "event-three-times"
    }

    fn story(&self) -> &'static str {
        "a last update is lost, and the event of the end is delivered three times"
    }

    fn expected(&self, patient: &A) -> Expected {
        patient.expects(End::Succeeded)
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.begin(Goes::Succeeds).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::of(world, &process, format!("execution {}, told three times", ended.status)).await?;
            // The endpoint has delivered it once.
            let execution = Execution::described(&ended);
            let again = status_event(&execution, &ended.status, Some(ended.at), ended.output.as_deref());
            tokio::try_join!(world.hop.deliver(&again), world.hop.deliver(&again))?;
            let look = json!({"executionArn": process.execution_arn, "status": ended.status});
            Ok(broken.since(ended.at).looked_at(look, 3))
        })
    }
}
