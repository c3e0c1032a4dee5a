use chrono::{TimeDelta, Utc};
use patient::Patient;
use patient::table::Row;
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::application::Kept;
use crate::events::{Execution, status_event};
use crate::expected::{COMPLETED, Expected};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// The user's cancel and the news of the success meet: the application is in the midst of its transaction when the step
/// has read the row and wants to write it. What the application writes stands.
///
/// The execution is told of only by its event, because the moment between its end and that event could not be held open.
pub struct ApplicationWritesToo;

impl Fault for ApplicationWritesToo {
    fn name(&self) -> &'static str {
        "application-writes-too"
    }

    fn story(&self) -> &'static str {
        "the application cancels the row at the very moment when it is being completed"
    }

    fn expected(&self, _: &Patient) -> Expected {
        Expected {
            status: "CANCELLED",
            result: false,
            actions: &[],
            steps: &[],
            finding: Some("succeeded_but_cancelled"),
            ..COMPLETED
        }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let started_at = Utc::now() - TimeDelta::seconds(20);
            let row = Row::pending(started_at).became("PROCESSING", started_at + TimeDelta::seconds(1));
            let row = Row { progress: 90, ..row };
            world.patient.accept(&row).await?;
            let broken = Broken::now(world, row.id, "cancelled while its success is being written").await?;

            let cancel = world.patient.variant().spell(
                "UPDATE {processes} SET status = 'CANCELLED', {updated_at} = now(){utc}, {completed_at} = now(){utc}
                  WHERE id = $1",
            );
            let mut application = world.patient.pool().begin().await?;
            sqlx::query(AssertSqlSafe(cancel)).bind(row.id).execute(&mut *application).await?;
            let execution = Execution::of(&row, started_at);
            let output = json!({"generationResult": {"Payload": {"items": [{"title": "サブ目標 1"}]}}}).to_string();
            world.hop.deliver(&status_event(&execution, "SUCCEEDED", Some(Utc::now()), Some(&output))).await?;
            let look = json!({"executionArn": execution.arn, "status": "SUCCEEDED"});
            // The run has tried as often as it may, against a row that is locked and not yet what it will be.
            world.looked(&look, 1).await?;
            application.commit().await?;
            let left = Kept::from(&world.patient.row(row.id).await?);
            Ok(Broken { left, ..broken.looked_at(look, 1) })
        })
    }
}
