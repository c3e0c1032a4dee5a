use patient::{Behaviour, Patient};

use crate::expected::{Expected, STOPPING, failed};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// A Lambda function that outlives its Step Functions task goes on: once its row is closed, it writes PROCESSING and its progress
/// into it. Only the fence, which stands on a game day as an operator has put it up, keeps the row closed.
pub struct LateWrite;

impl Fault for LateWrite {
    fn name(&self) -> &'static str {
        "late-write"
    }

    fn story(&self) -> &'static str {
        "a worker outlives its execution, and writes its progress into the row that was closed for it"
    }

    fn expected(&self, _: &Patient) -> Expected {
        Expected {
            actions: &["stop-execution", "set-row-status"],
            steps: STOPPING,
            refused: true,
            ..failed("TIMEOUT_ERROR")
        }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::WriteLate).await?;
            world.at_work(process.id).await?;
            Broken::now(world, process.id, "the worker goes on, whatever becomes of its execution").await
        })
    }
}
