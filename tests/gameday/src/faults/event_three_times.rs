use patient::Behaviour;
use serde_json::json;

use crate::events::{Execution, status_event};
use crate::fault::{Breaking, Broken, COMPLETED, Expected, Fault};
use crate::world::World;

/// EventBridge delivers at least once, and Lambda tries again: one event, three runs, one action.
pub struct EventThreeTimes;

impl Fault for EventThreeTimes {
    fn name(&self) -> &'static str {
        "event-three-times"
    }

    fn story(&self) -> &'static str {
        "a last update is lost, and the event of the end is delivered three times"
    }

    fn expected(&self) -> Expected {
        COMPLETED
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::LoseLastUpdate).await?;
            let ended = world.ended(&process).await?;
            let broken =
                Broken::now(world, process.id, format!("execution {}, told three times", ended.status)).await?;
            // The endpoint has delivered it once.
            let execution = Execution::described(&ended);
            let again = status_event(&execution, &ended.status, Some(ended.at), ended.output.as_deref());
            tokio::try_join!(world.hop.deliver(&again), world.hop.deliver(&again))?;
            let look = json!({"executionArn": process.execution_arn, "status": ended.status});
            Ok(broken.since(ended.at).looked_at(look, 3))
        })
    }
}
