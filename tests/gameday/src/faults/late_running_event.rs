use patient::profiled::Goes;
use serde_json::json;

use crate::application::{Application, End};
use crate::events::{Execution, status_event};
use crate::expected::Expected;
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// Events are unordered: the one of the start may come after the one of the end, and then means nothing any more.
pub struct LateRunningEvent;

impl<A: Application> Fault<A> for LateRunningEvent {
    fn name(&self) -> &'static str {
        "running-after-succeeded"
    }

    fn story(&self) -> &'static str {
        "a last update is lost, and the event of the start arrives after the event of the end"
    }

    fn expected(&self, patient: &A) -> Expected {
        patient.expects(End::Succeeded)
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.begin(Goes::Succeeds).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::of(world, &process, format!("execution {}, then RUNNING", ended.status)).await?;
            let event = |status: &str| json!({"executionArn": process.execution_arn, "status": status});
            world.looked(&event(&ended.status), 1).await?;
            world.hop.deliver(&status_event(&Execution::described(&ended), "RUNNING", None, None)).await?;
            // The first one came when it started.
            Ok(broken.since(ended.at).looked_at(event("RUNNING"), 2))
        })
    }
}
