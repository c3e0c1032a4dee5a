//! What is true: the decision table (design, section 5), pure.
//!
//! Sync, sweep, timeout and cancel all ask [`decide`]; none of them has an opinion of its own. It looks at a row,
//! at the newest execution of its process and at the time, and says what the row should become, or why not.

pub mod cancel;
mod ended;
pub mod listing;
pub mod progress;
mod verdict;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Ending, Execution, ExecutionStatus, Process, ProcessStatus};
use crate::failure::is_cancel;

pub use ended::ended_at;
pub use verdict::{Anomaly, Closing, Decision, Look, Policy, Reason, StopCause, Verdict};

/// The code of a row that a person closed by hand (guide, 1 step 4); no late success re-opens it.
pub const CLOSED_BY_PERSON: &str = "MANUAL_INTERVENTION";

/// Decides what is to become of a process.
///
/// `newest` is the execution that speaks for the process: the one started last. `None` says that there is none, not
/// that none was looked for: whoever could not look must not ask.
#[must_use]
pub fn decide(
    process: &Process,
    newest: Option<&Execution>,
    look: Look,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Decision {
    let policy = &policy.of(process);
    let decision = match newest {
        None => without_execution(process, policy, now),
        Some(execution) => with_execution(process, execution, policy, now),
    };
    match (look, settles_in(process, newest, policy, now)) {
        (Look::Sweep, Some(left)) if decision.verdict != Verdict::Leave || decision.anomaly.is_some() => {
            Decision::leave(Reason::Settling { left })
        }
        _ => decision,
    }
}

/// Decides about an execution that a newer one of the same process has overtaken: whoever re-opens a row while its old
/// execution still runs leaves two of them running, and the old one's workflow would write the row as well. It says
/// nothing about the row any more, so it is stopped where a newest one would be, and never closes anything.
#[must_use]
pub fn overtaken(
    process: &Process,
    execution: &Execution,
    look: Look,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Decision {
    match execution.status {
        ExecutionStatus::Running => decide(process, Some(execution), look, policy, now),
        ExecutionStatus::Succeeded
        | ExecutionStatus::Failed
        | ExecutionStatus::TimedOut
        | ExecutionStatus::Aborted
        | ExecutionStatus::PendingRedrive => Decision::leave(Reason::Consistent),
    }
}

/// How long what has just changed is left alone: the application's own last step may be under way. It writes FAILED a
/// moment before its execution ends, and CANCELLED a moment before it stops one.
///
/// Only such a last step counts. A worker's progress does not: it may come more often than a row takes to settle, and
/// would keep a process past its deadline, or one that runs although it was cancelled, from ever being stopped. So a
/// closed row changed when it was closed, and beside a running execution an open row's writes do not matter.
fn settles_in(process: &Process, newest: Option<&Execution>, policy: &Policy, now: DateTime<Utc>) -> Option<TimeDelta> {
    let row = match (process.status.is_open(), newest.map(|execution| execution.status)) {
        (true, Some(ExecutionStatus::Running)) => None,
        (true, _) => Some(process.updated_at),
        (false, _) => Some(process.closed_at()),
    };
    // A redriven execution still carries the end of the attempt before.
    let execution = newest.map(|execution| {
        execution
            .stopped_at
            .map_or(execution.attempt_started_at(), |stopped| stopped.max(execution.attempt_started_at()))
    });
    remaining(row.max(execution)? + policy.settle, now)
}

fn remaining(until: DateTime<Utc>, now: DateTime<Utc>) -> Option<TimeDelta> {
    (until > now).then(|| until - now)
}

fn without_execution(process: &Process, policy: &Policy, now: DateTime<Utc>) -> Decision {
    let closing = match process.status {
        ProcessStatus::Pending => Closing::NeverStarted,
        ProcessStatus::Processing => Closing::TimedOut,
        ProcessStatus::Completed if process.error_code.is_some() => {
            return Decision::tell(Anomaly::CompletedWithError, Reason::RowSaysFailed);
        }
        ProcessStatus::Completed | ProcessStatus::Failed | ProcessStatus::Timeout | ProcessStatus::Cancelled => {
            return Decision::leave(Reason::Consistent);
        }
    };
    if policy.waits() && process.status == ProcessStatus::Processing {
        return Decision::leave(Reason::Waiting);
    }
    let deadline = ended::due_at(process, policy);
    match remaining(deadline, now) {
        Some(left) => Decision::leave(Reason::NotStartedYet { left }),
        None if process.status == ProcessStatus::Pending => {
            Decision::close(closing, Reason::NeverStarted { over: now - deadline })
        }
        None => Decision::close(closing, Reason::ExecutionGone { over: now - deadline }),
    }
}

fn with_execution(process: &Process, execution: &Execution, policy: &Policy, now: DateTime<Utc>) -> Decision {
    use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
    match (process.status, execution.outcome()) {
        (_, PendingRedrive) => Decision::leave(Reason::RedrivePending),
        (ProcessStatus::Cancelled, Running) => Decision::stop(StopCause::Cancelled, Reason::CancelledButRunning),
        (_, Running) => running(process.status, execution, policy, now),

        (ProcessStatus::Pending | ProcessStatus::Processing, Succeeded | Failed | TimedOut | Aborted) => {
            ended(process, execution, policy, now)
        }

        (ProcessStatus::Completed, Succeeded | Failed | TimedOut | Aborted) => completed(process, execution, policy),

        (ProcessStatus::Failed | ProcessStatus::Timeout, Succeeded) => late_success(process, execution),
        (ProcessStatus::Failed | ProcessStatus::Timeout, Failed | TimedOut | Aborted) => {
            Decision::leave(Reason::Consistent)
        }

        (ProcessStatus::Cancelled, Succeeded) => {
            Decision::tell(Anomaly::SucceededButCancelled, Reason::Ended(execution.status))
        }
        (ProcessStatus::Cancelled, Failed | TimedOut | Aborted) => Decision::leave(Reason::Consistent),
    }
}

/// A running execution of a row that was not cancelled. A row is never closed while it runs: it is stopped first.
fn running(status: ProcessStatus, execution: &Execution, policy: &Policy, now: DateTime<Utc>) -> Decision {
    if policy.waits() {
        return Decision::leave(Reason::Waiting);
    }
    let deadline = execution.attempt_started_at() + policy.process_deadline;
    let over = now - deadline;
    match (remaining(deadline, now), status) {
        (Some(_), ProcessStatus::Failed | ProcessStatus::Timeout) => Decision::leave(Reason::RetryMayRun),
        (
            Some(left),
            ProcessStatus::Pending | ProcessStatus::Processing | ProcessStatus::Completed | ProcessStatus::Cancelled,
        ) => Decision::leave(Reason::InTime { left }),
        (None, ProcessStatus::Completed) => {
            Decision::tell(Anomaly::CompletedWithoutSuccess, Reason::PastDeadline { over })
        }
        (
            None,
            ProcessStatus::Pending
            | ProcessStatus::Processing
            | ProcessStatus::Failed
            | ProcessStatus::Timeout
            | ProcessStatus::Cancelled,
        ) => Decision::stop(StopCause::Deadline, Reason::PastDeadline { over }),
    }
}

/// An open row whose newest execution is over.
fn ended(process: &Process, execution: &Execution, policy: &Policy, now: DateTime<Utc>) -> Decision {
    if written_for_another(process, execution)
        && let Some(left) = remaining(process.updated_at + policy.start_deadline, now)
    {
        return Decision::leave(Reason::Reopened { left });
    }
    let reason = how_it_ended(execution);
    match (execution.outcome(), &execution.ending) {
        // Whatever the row has: only the output can tell whether it failed.
        (ExecutionStatus::Succeeded, _) if execution.says_failed.is_none() => Decision::inspect(),
        (ExecutionStatus::Succeeded, _) if process.has_result => {
            Decision::close(Closing::Completed { result: true }, reason)
        }
        (ExecutionStatus::Succeeded | ExecutionStatus::Failed, None) => Decision::inspect(),
        (ExecutionStatus::Succeeded, Some(ending)) => match (ending.result.is_some(), policy.require_result) {
            (true, _) => Decision::close(Closing::Completed { result: true }, reason),
            (false, false) => Decision {
                verdict: Verdict::Close(Closing::Completed { result: false }),
                anomaly: Some(Anomaly::ResultMissing),
                reason,
            },
            (false, true) => Decision {
                verdict: Verdict::Close(Closing::ResultMissing),
                anomaly: Some(Anomaly::ResultMissing),
                reason,
            },
        },
        (ExecutionStatus::Failed, Some(ending)) => Decision::close(failed(ending, policy), reason),
        (ExecutionStatus::TimedOut, _) => Decision::close(Closing::TimedOut, reason),
        // ABORTED says that somebody stopped it, not why.
        (ExecutionStatus::Aborted, _) if execution.is_stopped_for_deadline() => {
            Decision::close(Closing::TimedOut, Reason::StoppedForDeadline)
        }
        (ExecutionStatus::Aborted, None) => Decision::inspect(),
        (ExecutionStatus::Aborted, Some(_)) => Decision::close(Closing::Cancelled, reason),
        (ExecutionStatus::Running | ExecutionStatus::PendingRedrive, _) => Decision::leave(Reason::RedrivePending),
    }
}

/// What becomes of a row whose execution failed: a failure with a cancelled code is a cancel.
fn failed(ending: &Ending, policy: &Policy) -> Closing {
    if is_cancel(ending, policy.words) { Closing::Cancelled } else { Closing::Failed }
}

const fn how_it_ended(execution: &Execution) -> Reason {
    match (execution.status, execution.says_failed) {
        (ExecutionStatus::Succeeded, Some(true)) => Reason::SaysFailed,
        (status, _) => Reason::Ended(status),
    }
}

/// A COMPLETED row whose newest execution is over. Where that succeeded and says that it failed, the workflow has completed the row all the
/// same, while it ran or as it ended: it failed. What was completed before it began, or later, by whomever, is a person's to judge. Of a row
/// that keeps no time but its creation nobody knows when it was completed.
fn completed(process: &Process, execution: &Execution, policy: &Policy) -> Decision {
    let closed_at = process.closed_at();
    let tells_when = process.completed_at.is_some() || process.updated_at > process.created_at;
    let by_workflow = execution.stopped_at.is_some_and(|stopped| closed_at <= stopped + policy.settle)
        && (!tells_when || closed_at >= execution.attempt_started_at());
    let by_person = process.error_code.as_deref() == Some(CLOSED_BY_PERSON);
    match (execution.status, execution.says_failed, &execution.ending) {
        (ExecutionStatus::Succeeded, Some(true), None) => Decision::inspect(),
        (ExecutionStatus::Succeeded, Some(true), Some(ending)) if by_workflow && !by_person => {
            Decision::close(failed(ending, policy), Reason::SaysFailed)
        }
        (ExecutionStatus::Succeeded, None, _) if process.error_code.is_some() => Decision::inspect(),
        (ExecutionStatus::Succeeded, Some(false), _) if process.error_code.is_some() => {
            Decision::tell(Anomaly::CompletedWithError, Reason::RowSaysFailed)
        }
        (ExecutionStatus::Succeeded, Some(false) | None, _) => Decision::leave(Reason::Consistent),
        (
            ExecutionStatus::Succeeded
            | ExecutionStatus::Failed
            | ExecutionStatus::TimedOut
            | ExecutionStatus::Aborted
            | ExecutionStatus::Running
            | ExecutionStatus::PendingRedrive,
            ..,
        ) => Decision::tell(Anomaly::CompletedWithoutSuccess, how_it_ended(execution)),
    }
}

/// Whether an open row may belong to another attempt than the one its ended execution was started for: it was written
/// after that execution ended (re-opened, or by a late worker), or it waits for an execution since a time when this
/// one was running already (re-opened while the old one still ran). A new execution gets its time to appear, then the
/// old one speaks. Where the end's time is not known, nothing speaks against a write after it.
fn written_for_another(process: &Process, execution: &Execution) -> bool {
    execution.stopped_at.is_none_or(|stopped| process.updated_at > stopped)
        || (process.status == ProcessStatus::Pending && process.updated_at > execution.attempt_started_at())
}

/// A row closed as failed whose newest execution succeeded: the success stands if it came after and nobody overruled it.
fn late_success(process: &Process, execution: &Execution) -> Decision {
    if process.error_code.as_deref() == Some(CLOSED_BY_PERSON) {
        return Decision::tell(Anomaly::SucceededButFailed, Reason::ClosedByPerson);
    }
    if execution.says_failed.is_none() {
        return Decision::inspect();
    }
    let came_after = execution.stopped_at.is_some_and(|stopped| stopped > process.closed_at());
    let result = match (process.has_result, &execution.ending) {
        (true, _) => true,
        (false, None) if came_after => return Decision::inspect(),
        (false, ending) => ending.as_ref().is_some_and(|ending| ending.result.is_some()),
    };
    if came_after && result {
        Decision::close(Closing::Completed { result: true }, Reason::LateSuccess)
    } else {
        Decision::tell(Anomaly::SucceededButFailed, Reason::Ended(execution.status))
    }
}

#[cfg(test)]
mod tests;
