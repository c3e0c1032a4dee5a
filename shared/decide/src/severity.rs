//! How bad it is what a user sees beside what his execution does (design, 6.2): pure, and written apart from the decision table, so that a
//! wrong rule there is not its own witness.
//!
//! Whatever is done on a large scale is judged by it, one first: where it has not become less bad, the run ends.

use chrono::{DateTime, Utc};

use crate::decide::Policy;
use crate::domain::{Execution, ExecutionStatus, Process, ProcessStatus, Words};
use crate::failure::is_cancel;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Row, execution and the user's wish agree, or may still come to.
    Sound,
    /// Work goes on that nobody waits for.
    Idle,
    /// The user waits for what will not come.
    Stuck,
    /// The user is told what is not so, his wish is overruled, or work goes on that must not.
    Wrong,
}

/// How bad it is where the row of `process`, as it was read, says `row`, its newest execution is `newest`, and the user wants it `cancelled`.
#[must_use]
pub fn severity(
    row: ProcessStatus,
    process: &Process,
    newest: Option<&Execution>,
    cancelled: bool,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Severity {
    let policy = &policy.of(process);
    match row {
        ProcessStatus::Pending | ProcessStatus::Processing => open(row, process, newest, cancelled, policy, now),
        ProcessStatus::Cancelled => match newest.map(|execution| execution.status) {
            _ if !cancelled => Severity::Wrong,
            Some(ExecutionStatus::Running) => Severity::Idle,
            Some(_) | None => Severity::Sound,
        },
        _ if cancelled => Severity::Wrong,
        ProcessStatus::Completed => sound(newest.is_some_and(|execution| succeeded(process, execution, policy))),
        ProcessStatus::Failed | ProcessStatus::Timeout => sound(match newest {
            None => is_due(process.status, process, policy, now),
            Some(execution) => execution.status.is_over() && !succeeded(process, execution, policy),
        }),
    }
}

/// Whether a person stopped this execution, or it failed with the code of a cancel: that is a user's wish.
#[must_use]
pub fn is_stopped_by_person(execution: &Execution, words: &Words) -> bool {
    let is_cancel = |ending| is_cancel(ending, words);
    match execution.status {
        ExecutionStatus::Aborted => !execution.is_stopped_for_deadline(),
        ExecutionStatus::Failed => execution.ending.as_ref().is_some_and(is_cancel),
        ExecutionStatus::Succeeded => says_failed(execution) && execution.ending.as_ref().is_some_and(is_cancel),
        ExecutionStatus::Running | ExecutionStatus::TimedOut | ExecutionStatus::PendingRedrive => false,
    }
}

/// Whether its output says that it failed.
fn says_failed(execution: &Execution) -> bool {
    execution.says_failed == Some(true)
}

const fn sound(is: bool) -> Severity {
    if is { Severity::Sound } else { Severity::Wrong }
}

fn open(
    row: ProcessStatus,
    process: &Process,
    newest: Option<&Execution>,
    cancelled: bool,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Severity {
    let Some(execution) = newest else {
        return if cancelled || is_due(row, process, policy, now) { Severity::Stuck } else { Severity::Sound };
    };
    let is_late = now >= execution.attempt_started_at() + policy.process_deadline;
    // Its row was written after it ended, or waits since a time when it ran already: another one may be about to start.
    let is_anothers = execution.stopped_at.is_none_or(|stopped| process.updated_at > stopped)
        || row == ProcessStatus::Pending && process.updated_at > execution.attempt_started_at();
    match execution.status {
        ExecutionStatus::Running if cancelled || is_late => Severity::Wrong,
        _ if cancelled => Severity::Stuck,
        ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Severity::Sound,
        ExecutionStatus::Succeeded | ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => {
            if is_anothers && now < process.updated_at + policy.start_deadline {
                Severity::Sound
            } else {
                Severity::Stuck
            }
        }
    }
}

/// Whether an execution should have been there by now.
fn is_due(row: ProcessStatus, process: &Process, policy: &Policy, now: DateTime<Utc>) -> bool {
    let patience = if row == ProcessStatus::Pending { policy.start_deadline } else { policy.process_deadline };
    now >= (process.created_at + patience).max(process.updated_at + policy.start_deadline)
}

/// Whether it ended as its user wanted.
fn succeeded(process: &Process, execution: &Execution, policy: &Policy) -> bool {
    let result = process.has_result || execution.ending.as_ref().is_some_and(|ending| ending.result.is_some());
    execution.status == ExecutionStatus::Succeeded && !says_failed(execution) && (result || !policy.require_result)
}

#[cfg(test)]
mod tests;
