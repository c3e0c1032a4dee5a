use chrono::Utc;
use patient::table::Row;
use patient::{Behaviour, Patient};
use uuid::Uuid;

use crate::expected::{COMPLETED, Expected};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// An execution that somebody has started from the console: its name is no process's, only its input tells whose it is.
pub struct ConsoleExecution;

impl Fault for ConsoleExecution {
    fn name(&self) -> &'static str {
        "console-execution"
    }

    fn story(&self) -> &'static str {
        "an execution with a random name succeeds, and its last update never reaches the row"
    }

    fn expected(&self, _: &Patient) -> Expected {
        COMPLETED
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let row = Row::pending(Utc::now());
            world.patient.accept(&row).await?;
            let name = Uuid::new_v4().to_string();
            let process = world.patient.execute_as(&row, &Behaviour::LoseLastUpdate, &name).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::now(world, process.id, format!("execution {}, row not told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
