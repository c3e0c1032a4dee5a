use patient::Behaviour;

use crate::fault::{Breaking, Broken, COMPLETED, Expected, Fault};
use crate::world::World;

/// The guide's own `stop-execution` (5, step 1), without its second step: nobody has told the row.
pub struct AbortedByHand;

impl Fault for AbortedByHand {
    fn name(&self) -> &'static str {
        "aborted-by-hand"
    }

    fn story(&self) -> &'static str {
        "somebody stops the execution with the guide's command and forgets the row"
    }

    fn expected(&self) -> Expected {
        Expected { status: "CANCELLED", result: false, ..COMPLETED }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::Hang).await?;
            world.at_work(process.id).await?;
            let stop = world.patient.sfn().stop_execution().execution_arn(&process.execution_arn);
            stop.error("ManualCancellation").cause("手動でキャンセルされました").send().await?;
            Broken::now(world, process.id, "execution ABORTED by hand, row not told").await
        })
    }
}
