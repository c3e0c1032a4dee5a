use patient::profiled::Goes;

use crate::application::{Application, End};
use crate::expected::Expected;
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// The worker's own error is known only to the failed task: the workflow ends in a `Fail` state with other words.
pub struct ExecutionFailed;

impl<A: Application> Fault<A> for ExecutionFailed {
    fn name(&self) -> &'static str {
        "execution-failed"
    }

    fn story(&self) -> &'static str {
        "the worker fails, and neither it nor the workflow records that in the row"
    }

    fn expected(&self, patient: &A) -> Expected {
        patient.expects(End::Failed)
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.begin(Goes::Fails).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::of(world, &process, format!("execution {}, row not told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
