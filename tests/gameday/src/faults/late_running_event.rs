use patient::Behaviour;
use serde_json::json;

use crate::events::{Execution, status_event};
use crate::fault::{Breaking, Broken, COMPLETED, Expected, Fault};
use crate::world::World;

/// Events are unordered: the one of the start may come after the one of the end, and then means nothing any more.
pub struct LateRunningEvent;

impl Fault for LateRunningEvent {
    fn name(&self) -> &'static str {
        "running-after-succeeded"
    }

    fn story(&self) -> &'static str {
        "a last update is lost, and the event of the start arrives after the event of the end"
    }

    fn expected(&self) -> Expected {
        COMPLETED
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::LoseLastUpdate).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::now(world, process.id, format!("execution {}, then RUNNING", ended.status)).await?;
            let event = |status: &str| json!({"executionArn": process.execution_arn, "status": status});
            world.looked(&event(&ended.status), 1).await?;
            world.hop.deliver(&status_event(&Execution::described(&ended), "RUNNING", None, None)).await?;
            // The first one came when it started.
            Ok(broken.since(ended.at).looked_at(event("RUNNING"), 2))
        })
    }
}
