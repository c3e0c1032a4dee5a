//! Every way in which something is broken. A new fault is a file here and a line in [`ALL`]; one that any application may have, in [`CORE`] too.

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

use patient::profiled::Profiled;

use crate::fault::Fault;

/// Those that any application may have.
pub const CORE: &[&dyn Fault<Profiled>] = &[
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
];

/// All of the guide's application, in the order of the report.
pub const ALL: &[&dyn Fault] = &[
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

/// The names of those that no other application has.
pub fn of_the_guide_only() -> String {
    let is_core = |name: &str| CORE.iter().any(|fault| fault.name() == name);
    let names: Vec<_> = ALL.iter().map(|fault| fault.name()).filter(|name| !is_core(name)).collect();
    names.join(", ")
}
