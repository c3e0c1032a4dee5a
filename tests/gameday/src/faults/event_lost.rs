use patient::Behaviour;

use crate::fault::{Breaking, Broken, COMPLETED, Expected, Fault, SWEEPS};
use crate::world::World;

/// Step Functions' events are best effort. While this execution runs and ends, the rule for them is disabled: not even
/// its start is known, so only a sweep that reads the list of executions can find it.
pub struct EventLost;

impl Fault for EventLost {
    fn name(&self) -> &'static str {
        "event-lost"
    }

    fn story(&self) -> &'static str {
        "a last update is lost, and so is every event of the execution"
    }

    fn expected(&self) -> Expected {
        Expected { steps: SWEEPS, ..COMPLETED }
    }

    fn alone(&self) -> bool {
        true
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let rules = world.rules_of_status_events().await?;
            for rule in &rules {
                world.aws.eventbridge().disable_rule().name(rule).send().await?;
            }
            let process = world.patient.start(&Behaviour::LoseLastUpdate).await?;
            let ended = world.ended(&process).await?;
            for rule in &rules {
                world.aws.eventbridge().enable_rule().name(rule).send().await?;
            }
            let broken = Broken::now(world, process.id, format!("execution {}, nobody told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
