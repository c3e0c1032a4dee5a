use patient::profiled::Goes;

use crate::application::{Application, End};
use crate::expected::{Expected, SWEEPS};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// Step Functions' events are best effort. While this execution runs and ends, the rule for them is disabled: not even
/// its start is known, so only a sweep that reads the list of executions can find it.
pub struct EventLost;

impl<A: Application> Fault<A> for EventLost {
    fn name(&self) -> &'static str {
        "event-lost"
    }

    fn story(&self) -> &'static str {
        "a last update is lost, and so is every event of the execution"
    }

    fn expected(&self, patient: &A) -> Expected {
        Expected { steps: SWEEPS, ..patient.expects(End::Succeeded) }
    }

    fn alone(&self) -> bool {
        true
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let rules = world.rules_of_status_events().await?;
            for rule in &rules {
                world.aws.eventbridge().disable_rule().name(rule).send().await?;
            }
            let process = world.patient.begin(Goes::Succeeds).await?;
            let ended = world.ended(&process).await?;
            for rule in &rules {
                world.aws.eventbridge().enable_rule().name(rule).send().await?;
            }
            let broken = Broken::of(world, &process, format!("execution {}, nobody told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
