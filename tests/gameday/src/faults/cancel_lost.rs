use patient::profiled::{Goes, Profiled};
use patient::{Behaviour, Patient};
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::application::{Application, End};
use crate::expected::{COMPLETED, Expected};
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// The guide's 5: the application closes the row and stops an execution of a name that none ever has.
///
/// The cancel is put a day back, as if the product had come too late for it: what was closed longer ago than that is no
/// business of the reconciling sweep any more.
pub struct CancelLost;

impl Fault for CancelLost {
    fn name(&self) -> &'static str {
        "cancel-without-effect"
    }

    fn story(&self) -> &'static str {
        "a user cancels while the worker hangs, the execution runs on, and nobody notices for a day"
    }

    fn expected(&self, _: &Patient) -> Expected {
        Expected {
            status: "CANCELLED",
            result: false,
            actions: &["stop-execution"],
            steps: &["stop-cancelled-executions"],
            ..COMPLETED
        }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.start(&Behaviour::Hang).await?;
            world.at_work(process.id).await?;
            // The event of its start is worth a look too, and would be about a cancelled row if it came late.
            world.looked(&json!({"executionArn": process.execution_arn, "status": "RUNNING"}), 1).await?;
            world.patient.cancel(process.id).await?;
            // Before it has settled, so that no sweep looks at it as a cancel of today.
            let yesterday = world.patient.variant().spell(
                "UPDATE {processes} SET {created_at} = {created_at} - interval '25 hours',
                        {updated_at} = {updated_at} - interval '25 hours',
                        {completed_at} = {completed_at} - interval '25 hours'
                  WHERE id = $1",
            );
            // The fence keeps a cancelled row as it is, but from a person who says so.
            let mut person = world.patient.pool().begin().await?;
            sqlx::query("SELECT remediation.let_through($1)").bind(process.id).execute(&mut *person).await?;
            sqlx::query(AssertSqlSafe(yesterday)).bind(process.id).execute(&mut *person).await?;
            person.commit().await?;
            Broken::now(world, process.id, "CANCELLED, and the execution runs on").await
        })
    }
}

/// Of today: a sweep that looks at what was closed lately may be quicker.
impl Fault<Profiled> for CancelLost {
    fn name(&self) -> &'static str {
        Fault::<Patient>::name(self)
    }

    fn story(&self) -> &'static str {
        "a user cancels, and the execution runs on"
    }

    fn cannot(&self, patient: &Profiled) -> Option<&'static str> {
        patient.shape().cancel.is_none().then_some("its rows cannot say that a user has cancelled")
    }

    fn expected(&self, patient: &Profiled) -> Expected {
        Expected {
            message: "by its user",
            actions: &["stop-execution"],
            steps: &["reconcile-processes", "stop-cancelled-executions"],
            ..patient.expects(End::Aborted)
        }
    }

    fn break_it<'a>(&'a self, world: &'a World<Profiled>) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.begin(Goes::Hangs).await?;
            // The event of its start would be about a cancelled row if it came late.
            world.looked(&json!({"executionArn": process.execution_arn, "status": "RUNNING"}), 1).await?;
            world.patient.cancel(&process.id).await?;
            Broken::of(world, &process, "cancelled, and the execution runs on").await
        })
    }
}
