use chrono::{TimeDelta, Utc};
use patient::table::Row;
use serde_json::json;

use crate::events::{Execution, status_event};
use crate::fault::{Breaking, Broken, Expected, Fault, failed};
use crate::world::{LAST_RETRY, World};

/// The whole execution runs into its ten minutes: no state of it runs any more that could tell the row.
///
/// The local endpoint cannot end an execution TIMED_OUT, so there is none here: its row, which is eleven minutes old,
/// and the event that Step Functions documents for such an end are what the product sees of it. It goes through the
/// deployed rule to the deployed function.
pub struct ExecutionTimedOut;

impl Fault for ExecutionTimedOut {
    fn name(&self) -> &'static str {
        "execution-timed-out"
    }

    fn story(&self) -> &'static str {
        "the execution hits its own timeout, and no state is left to update the row"
    }

    fn expected(&self) -> Expected {
        failed("TIMEOUT_ERROR")
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let now = Utc::now();
            let started_at = now - TimeDelta::minutes(10);
            let row = Row::pending(started_at).became("PROCESSING", started_at + TimeDelta::seconds(2));
            let row = Row { progress: 50, retry_count: LAST_RETRY, ..row };
            world.patient.accept(&row).await?;
            let execution = Execution::of(&row, started_at);
            let broken = Broken::now(world, row.id, "execution TIMED_OUT after 10 min, row not told").await?;
            world.hop.deliver(&status_event(&execution, "TIMED_OUT", Some(now), None)).await?;
            Ok(broken.looked_at(json!({"executionArn": execution.arn, "status": "TIMED_OUT"}), 1))
        })
    }
}
