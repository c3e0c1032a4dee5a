use harness::eventually;
use patient::{Behaviour, Orm, Patient};
use uuid::Uuid;

use crate::expected::{Expected, STOPPING, failed};
use crate::fault::{Breaking, Broken, Fault};
use crate::mode::Mode;
use crate::outcome::Outcome;
use crate::world::{PATIENCE, World};

/// A late worker with an ORM, which takes an UPDATE that reaches no row for an error. The fence keeps the row closed and lets the
/// statement count all the same, so that what was refused does not break the application.
///
/// Where nobody acts, the row stays open and there is nothing to refuse: the worker writes nothing, then.
pub struct OrmMeetsFence;

impl Fault for OrmMeetsFence {
    fn name(&self) -> &'static str {
        "orm-meets-fence"
    }

    fn story(&self) -> &'static str {
        "a worker with an ORM completes the row that was closed for it, and would fail if its statement reached no row"
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
            let process = world.patient.start(&Behaviour::Hang).await?;
            world.at_work(process.id).await?;
            let mut worker = Orm::reads(&world.database.url(), world.patient.variant(), process.id).await?;
            let broken = Broken::now(world, process.id, "the ORM's worker goes on, whatever becomes of its execution");
            let broken = broken.await?;
            if world.mode == Mode::Act {
                closed(world, process.id).await?;
                for what in ["progress", "complete"] {
                    let told = worker.writes(what).await?;
                    if told != Orm::WRITTEN {
                        return Err(format!("the ORM's write ({what}) has failed: {told}").into());
                    }
                }
            }
            Ok(broken)
        })
    }
}

/// Waits until the product has closed a row.
async fn closed(world: &World, process: Uuid) -> Outcome<()> {
    let seen = eventually(PATIENCE, format!("process {process} to be closed"), || async {
        world.patient.row(process).await.ok()?.completed_at.map(drop)
    });
    Ok(seen.await?)
}
