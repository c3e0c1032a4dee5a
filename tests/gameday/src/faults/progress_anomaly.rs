use harness::eventually;
use patient::{Behaviour, Patient};

use crate::expected::{COMPLETED, Expected};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::{PATIENCE, World};

/// The guide's progress anomaly: a late worker that has lost count. Nobody but the step for it looks at a row that agrees with its
/// execution.
///
/// It is written past the table's triggers, so that nothing in the database keeps it out.
pub struct ProgressAnomaly;

impl Fault for ProgressAnomaly {
    fn name(&self) -> &'static str {
        "progress-anomaly"
    }

    fn story(&self) -> &'static str {
        "a late worker that miscounts writes a progress of 250 into the completed row"
    }

    fn expected(&self, _: &Patient) -> Expected {
        Expected { steps: &["repair-progress"], ..COMPLETED }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::Succeed).await?;
            world.ended(&process).await?;
            eventually(PATIENCE, format!("process {} to be completed", process.id), || async {
                world.patient.row(process.id).await.ok().filter(|row| row.status == "COMPLETED").map(drop)
            })
            .await?;
            let late = world.patient.variant().spell(&format!(
                "SET session_replication_role = replica;
                 UPDATE {{processes}} SET progress = 250, {{updated_at}} = now(){{utc}} WHERE id = '{}'",
                process.id
            ));
            world.database.execute_as_superuser(&late).await?;
            Broken::now(world, process.id, "completed, and at 250 %").await
        })
    }
}
