use patient::profiled::Goes;

use crate::application::{Application, End};
use crate::expected::Expected;
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// The guide's own `stop-execution` (5, step 1), without its second step: nobody has told the row.
pub struct AbortedByHand;

impl<A: Application> Fault<A> for AbortedByHand {
    fn name(&self) -> &'static str {
        "aborted-by-hand"
    }

    fn story(&self) -> &'static str {
        "somebody stops the execution with the guide's command and forgets the row"
    }

    fn expected(&self, patient: &A) -> Expected {
        patient.expects(End::Aborted)
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.begin(Goes::Hangs).await?;
            world.at_work(&process.id).await?;
            let stop = world.aws.sfn().stop_execution().execution_arn(&process.execution_arn);
            stop.error("ManualCancellation").cause("手動でキャンセルされました").send().await?;
            Broken::of(world, &process, "execution ABORTED by hand, row not told").await
        })
    }
}
