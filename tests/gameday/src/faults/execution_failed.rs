use patient::Behaviour;

use crate::fault::{Breaking, Broken, Expected, Fault, failed};
use crate::world::World;

/// The worker's own error is known only to the failed task: the workflow ends in a `Fail` state with other words.
pub struct ExecutionFailed;

impl Fault for ExecutionFailed {
    fn name(&self) -> &'static str {
        "execution-failed"
    }

    fn story(&self) -> &'static str {
        "the worker fails, and neither it nor the workflow records that in the row"
    }

    fn expected(&self) -> Expected {
        failed("AI_ERROR")
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let behaviour = Behaviour::Fail { code: "AI_ERROR".into(), recorded: false };
            let process = world.last_attempt(&behaviour).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::now(world, process.id, format!("execution {}, row not told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
