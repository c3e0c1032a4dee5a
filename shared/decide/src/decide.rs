//! What is true: the decision table (design, section 5), pure.
//!
//! Sync, sweep, timeout and cancel all ask [`decide`]; none of them has an opinion of its own. It looks at a row,
//! at the newest execution of its process and at the time, and says what the row should become, or why not.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{DEADLINE_ERROR, Execution, ExecutionStatus, Process, ProcessStatus};

/// The times and choices that decisions depend on, from the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `PROCESS_DEADLINE_SECONDS`: how long a process may take, from its execution's start.
    pub process_deadline: TimeDelta,
    /// `START_DEADLINE_SECONDS`: how long a process may wait for its execution.
    pub start_deadline: TimeDelta,
    /// `SETTLE_SECONDS`: how long sweeps leave alone what has just changed.
    pub settle: TimeDelta,
    /// `REQUIRE_RESULT`: a success without a result is a failure.
    pub require_result: bool,
}

/// Why we look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    /// An event says that something happened just now.
    Event,
    /// A sweep looks at everything: what has just changed is left for the next look.
    Sweep,
}

/// What to do about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: all is well, or nothing can be known yet, or it is no business of ours.
    Leave,
    /// Write the row.
    Close(Closing),
    /// Stop the execution, then look again.
    Stop(StopCause),
    /// Ask Step Functions what the execution ended with, then look again.
    Inspect,
}

/// What a row is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closing {
    /// COMPLETED. `result` says whether the row has a result then.
    Completed {
        /// False: neither the row nor the execution's output has one.
        result: bool,
    },
    /// FAILED, with the execution's error.
    Failed,
    /// FAILED: succeeded without the result that `REQUIRE_RESULT` demands.
    ResultMissing,
    /// FAILED: no execution was ever started.
    NeverStarted,
    /// `TIMED_OUT_STATUS`, with `TIMEOUT_ERROR`.
    TimedOut,
    /// CANCELLED.
    Cancelled,
}

/// Why an execution is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopCause {
    /// It runs past its deadline; what it leaves behind is timed out.
    Deadline,
    /// Its row was cancelled.
    Cancelled,
}

impl StopCause {
    /// The `error` that the stopped execution carries: from it everybody can tell why it was stopped.
    #[must_use]
    pub const fn error(self) -> &'static str {
        match self {
            Self::Deadline => DEADLINE_ERROR,
            Self::Cancelled => "ManualCancellation",
        }
    }

    /// As the ledger spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Something worth reporting that is not fixed automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anomaly {
    /// The row is COMPLETED, its execution is not over in time or did not succeed.
    CompletedWithoutSuccess,
    /// The row is closed as failed, its execution succeeded, and the success cannot stand.
    SucceededButFailed,
    /// The row is CANCELLED, its execution succeeded.
    SucceededButCancelled,
    /// COMPLETED without a result anywhere.
    ResultMissing,
}

impl Anomaly {
    /// For machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CompletedWithoutSuccess => "completed_without_success",
            Self::SucceededButFailed => "succeeded_but_failed",
            Self::SucceededButCancelled => "succeeded_but_cancelled",
            Self::ResultMissing => "result_missing",
        }
    }
}

/// The causal half of a decision: why this verdict and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Row and execution agree, or neither asks for anything.
    Consistent,
    /// The execution still runs and may.
    InTime {
        /// Until its deadline.
        left: TimeDelta,
    },
    /// The execution runs past its deadline.
    PastDeadline {
        /// Since its deadline.
        over: TimeDelta,
    },
    /// Nothing runs yet; the process may still be waiting for its execution.
    NotStartedYet {
        /// Until the deadline that counts for it.
        left: TimeDelta,
    },
    /// No execution was started in time.
    NeverStarted {
        /// Since the start deadline.
        over: TimeDelta,
    },
    /// The row is PROCESSING, has no execution, and is past its deadline.
    ExecutionGone {
        /// Since the deadline.
        over: TimeDelta,
    },
    /// The row or its execution changed a moment ago.
    Settling {
        /// Until sweeps look.
        left: TimeDelta,
    },
    /// The row was written after its newest execution ended: a new one may be on its way.
    Reopened {
        /// Until the old execution speaks after all.
        left: TimeDelta,
    },
    /// A redrive of the execution is pending.
    RedrivePending,
    /// The execution ended so, and the row does not say it.
    Ended(ExecutionStatus),
    /// We stopped the execution for its deadline.
    StoppedForDeadline,
    /// The execution succeeded after the row had been closed as failed.
    LateSuccess,
    /// A person closed the row.
    ClosedByPerson,
    /// The row is CANCELLED and its execution still runs.
    CancelledButRunning,
    /// The row was closed as failed; the worker writes that before Step Functions tries the task again.
    RetryMayRun,
    /// Only the execution itself can tell its output or its error.
    EndingUnknown,
}

/// A verdict, what is worth telling about it, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub verdict: Verdict,
    /// What to tell a person.
    pub anomaly: Option<Anomaly>,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    const fn leave(reason: Reason) -> Self {
        Self { verdict: Verdict::Leave, anomaly: None, reason }
    }

    const fn tell(anomaly: Anomaly, reason: Reason) -> Self {
        Self { verdict: Verdict::Leave, anomaly: Some(anomaly), reason }
    }

    const fn close(closing: Closing, reason: Reason) -> Self {
        Self { verdict: Verdict::Close(closing), anomaly: None, reason }
    }

    const fn stop(cause: StopCause, reason: Reason) -> Self {
        Self { verdict: Verdict::Stop(cause), anomaly: None, reason }
    }

    const fn inspect() -> Self {
        Self { verdict: Verdict::Inspect, anomaly: None, reason: Reason::EndingUnknown }
    }
}

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

/// What becomes of a person's wish to cancel a process (guide, 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelling {
    /// It runs: every running execution of it is stopped, then it is looked at again.
    Stop,
    /// Nothing runs: the row becomes CANCELLED.
    Close,
    /// The row is CANCELLED and nothing runs: it is as it is wished.
    AlreadySo(Decision),
    /// It is not cancelled: it came to its end before, or nobody can tell yet. What the table says of it is done instead.
    Not(Decision),
}

/// Decides about a process that a person wants cancelled. `overtaken_runs`: an execution runs that a newer one has overtaken.
///
/// The row is written last: CANCELLED never stands beside an execution that we know to run. What is COMPLETED, or has
/// succeeded, stays so; a row that was closed otherwise keeps its word, and what runs for it is stopped. An open row that waits
/// for a new execution (it was written after its last one ended) is cancelled at once: what starts for it then is stopped.
#[must_use]
pub fn cancel(
    process: &Process,
    newest: Option<&Execution>,
    overtaken_runs: bool,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Cancelling {
    use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
    let table = decide(process, newest, Look::Event, policy, now);
    let status = newest.map(|execution| execution.status);
    match (process.status, overtaken_runs || status == Some(Running), status) {
        (ProcessStatus::Completed, ..) => Cancelling::Not(table),
        (
            ProcessStatus::Pending
            | ProcessStatus::Processing
            | ProcessStatus::Failed
            | ProcessStatus::Timeout
            | ProcessStatus::Cancelled,
            true,
            _,
        ) => Cancelling::Stop,
        (ProcessStatus::Cancelled, false, _) => Cancelling::AlreadySo(table),
        (ProcessStatus::Failed | ProcessStatus::Timeout, false, _) => Cancelling::Not(table),
        (ProcessStatus::Pending | ProcessStatus::Processing, false, None) => Cancelling::Close,
        (ProcessStatus::Pending | ProcessStatus::Processing, false, Some(Succeeded | PendingRedrive | Running)) => {
            Cancelling::Not(table)
        }
        (ProcessStatus::Pending | ProcessStatus::Processing, false, Some(Failed | TimedOut | Aborted)) => {
            match table.verdict {
                Verdict::Close(Closing::Cancelled) | Verdict::Leave => Cancelling::Close,
                Verdict::Close(_) | Verdict::Inspect | Verdict::Stop(_) => Cancelling::Not(table),
            }
        }
    }
}

/// How much longer something that has just changed is skipped: the application's own last step may be in progress. It writes FAILED a
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
    let (deadline, closing) = match process.status {
        ProcessStatus::Pending => (policy.start_deadline, Closing::NeverStarted),
        ProcessStatus::Processing => (policy.process_deadline, Closing::TimedOut),
        ProcessStatus::Completed | ProcessStatus::Failed | ProcessStatus::Timeout | ProcessStatus::Cancelled => {
            return Decision::leave(Reason::Consistent);
        }
    };
    // A row that was re-opened has an old `created_at`; its new execution gets as long to appear as a first one.
    let deadline = (process.created_at + deadline).max(process.updated_at + policy.start_deadline);
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
    match (process.status, execution.status) {
        (_, PendingRedrive) => Decision::leave(Reason::RedrivePending),
        (ProcessStatus::Cancelled, Running) => Decision::stop(StopCause::Cancelled, Reason::CancelledButRunning),
        (_, Running) => running(process.status, execution, policy, now),

        (ProcessStatus::Pending | ProcessStatus::Processing, Succeeded | Failed | TimedOut | Aborted) => {
            ended(process, execution, policy, now)
        }

        (ProcessStatus::Completed, Succeeded) => Decision::leave(Reason::Consistent),
        (ProcessStatus::Completed, Failed | TimedOut | Aborted) => {
            Decision::tell(Anomaly::CompletedWithoutSuccess, Reason::Ended(execution.status))
        }

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
    let reason = Reason::Ended(execution.status);
    match (execution.status, &execution.ending) {
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
        (ExecutionStatus::Failed, Some(_)) => Decision::close(Closing::Failed, reason),
        (ExecutionStatus::TimedOut, _) => Decision::close(Closing::TimedOut, reason),
        // ABORTED says that somebody stopped it, not why.
        (ExecutionStatus::Aborted, _) if execution.stopped_for_deadline => {
            Decision::close(Closing::TimedOut, Reason::StoppedForDeadline)
        }
        (ExecutionStatus::Aborted, None) => Decision::inspect(),
        (ExecutionStatus::Aborted, Some(ending)) if ending.error.as_deref() == Some(DEADLINE_ERROR) => {
            Decision::close(Closing::TimedOut, Reason::StoppedForDeadline)
        }
        (ExecutionStatus::Aborted, Some(_)) => Decision::close(Closing::Cancelled, reason),
        (ExecutionStatus::Running | ExecutionStatus::PendingRedrive, _) => Decision::leave(Reason::RedrivePending),
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
