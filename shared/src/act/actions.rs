//! The kinds of changes: one file for each, behind one trait ([`crate::act::action::Action`]).

pub mod acknowledge;
pub mod change_worker;
pub mod close_lease;
pub mod create_index;
pub mod drop_index;
pub mod end_session;
pub mod fence;
pub mod forget_records;
pub mod migrate;
pub mod resolve_retry;
pub mod retry_process;
pub mod set_control;
pub mod set_goal_status;
pub mod set_row_status;
pub mod start_step;
pub mod stop_execution;
pub mod tell_level;
pub mod undo;

use crate::act::action::Action;

/// Those whose wishes are judged afterwards ([`Action::became`]): their kinds, and the SQL that does so.
pub fn judged() -> impl Iterator<Item = (&'static [&'static str], &'static str)> {
    fn judge<A: Action>() -> Option<(&'static [&'static str], &'static str)> {
        Some((A::kinds(), A::became()?))
    }
    [
        judge::<set_row_status::SetRowStatus>(),
        judge::<stop_execution::StopExecution>(),
        judge::<retry_process::RetryProcess>(),
    ]
    .into_iter()
    .flatten()
}
