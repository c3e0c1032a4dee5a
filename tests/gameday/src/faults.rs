//! Every way in which something is broken. A new fault is a file here, and a line in [`OF_THE_GUIDE`] or, where any application may have it, in
//! [`of_any`].

mod aborted_by_hand;
mod application_writes_too;
mod blocked_by_idle_session;
mod cancel_lost;
mod cancel_written_as_failed;
mod console_execution;
mod event_lost;
mod event_three_times;
mod execution_failed;
mod execution_timed_out;
mod failure_returned_as_success;
mod goal_inconsistent;
mod handler_fails;
mod last_update_lost;
mod late_running_event;
mod late_write;
mod never_started;
mod orm_meets_fence;
mod progress_anomaly;
mod stuck_execution;
mod transient_failure;
mod worker_near_timeout;

use crate::application::Application;
use crate::fault::{Fault, Faults};

/// Those that any application may have, in the order of the report.
pub fn of_any<A: Application>() -> Faults<A>
where
    cancel_lost::CancelLost: Fault<A>,
{
    vec![
        &last_update_lost::LastUpdateLost,
        &execution_failed::ExecutionFailed,
        &execution_timed_out::ExecutionTimedOut,
        &aborted_by_hand::AbortedByHand,
        &cancel_lost::CancelLost,
        &never_started::NeverStarted,
        &stuck_execution::StuckExecution,
        &event_three_times::EventThreeTimes,
        &late_running_event::LateRunningEvent,
        &event_lost::EventLost,
    ]
}

/// Those that only the guide's application has.
pub const OF_THE_GUIDE: &[&dyn Fault] = &[
    &application_writes_too::ApplicationWritesToo,
    &goal_inconsistent::GoalInconsistent,
    &progress_anomaly::ProgressAnomaly,
    &transient_failure::TransientFailure,
    &late_write::LateWrite,
    &orm_meets_fence::OrmMeetsFence,
    &blocked_by_idle_session::BlockedByIdleSession,
    &worker_near_timeout::WorkerNearTimeout,
    &failure_returned_as_success::FailureReturnedAsSuccess,
    &cancel_written_as_failed::CancelWrittenAsFailed,
    &handler_fails::HandlerFails,
    &console_execution::ConsoleExecution,
];
