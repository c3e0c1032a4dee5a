use patient::Behaviour;

use crate::fault::{Breaking, Broken, COMPLETED, Expected, Fault};
use crate::world::World;

/// The guide's data inconsistency: the work is done, and its last update never reaches the row.
pub struct LastUpdateLost;

impl Fault for LastUpdateLost {
    fn name(&self) -> &'static str {
        "last-update-lost"
    }

    fn story(&self) -> &'static str {
        "the execution succeeds, and its last update never reaches the row"
    }

    fn expected(&self) -> Expected {
        COMPLETED
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::LoseLastUpdate).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::now(world, process.id, format!("execution {}, row not told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
