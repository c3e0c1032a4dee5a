use patient::{Behaviour, Patient};

use crate::expected::{Expected, failed};
use crate::fault::{Breaking, Broken, Fault};
use crate::guide::last_attempt;
use crate::world::World;

/// The workflow's own error handler refers to a path that `Catch` does not make, and fails with `States.Runtime`.
pub struct HandlerFails;

impl Fault for HandlerFails {
    fn name(&self) -> &'static str {
        "handler-fails"
    }

    fn story(&self) -> &'static str {
        "the worker fails, and then so does the handler that should have recorded that"
    }

    /// The failure that led there speaks, not the handler's.
    fn expected(&self, _: &Patient) -> Expected {
        failed("AI_ERROR")
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = last_attempt(&world.patient, &Behaviour::FailInHandler { code: "AI_ERROR".into() }).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::now(world, process.id, format!("execution {}, row not told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
