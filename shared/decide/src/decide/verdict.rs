//! The words in which the decision table is asked and answers.

use chrono::TimeDelta;

use crate::domain::{DEADLINE_ERROR, ExecutionStatus, Process, Words};

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
    /// What the application means by its codes.
    pub words: &'static Words,
}

impl Policy {
    /// The same for one process, which may have a deadline of its own.
    #[must_use]
    pub fn of(&self, process: &Process) -> Self {
        Self { process_deadline: process.deadline.unwrap_or(self.process_deadline), ..*self }
    }

    /// Whether it may take as long as it likes.
    pub(super) fn waits(&self) -> bool {
        self.process_deadline >= Process::NO_DEADLINE
    }
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

/// Something worth telling that is not put right by itself.
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
    /// The row is COMPLETED, and has an error or a result that says that the work failed; its execution does not say so.
    CompletedWithError,
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
            Self::CompletedWithError => "completed_with_error",
        }
    }
}

/// The causal half of a decision: why this verdict and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Row and execution agree, or neither asks for anything.
    Consistent,
    /// The process waits for somebody, however long that takes.
    Waiting,
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
    /// The execution succeeded, and its output says that it failed.
    SaysFailed,
    /// The row has an error, or a result that says that the work failed.
    RowSaysFailed,
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
    /// Whether only a person can say what is true: nothing is changed, or the process's user is left without a result. What a user cancelled
    /// or a person closed or stopped is known to whoever did it.
    #[must_use]
    pub const fn needs_person(&self) -> bool {
        match (self.anomaly, self.reason, self.verdict) {
            (None | Some(Anomaly::SucceededButCancelled), ..)
            | (Some(Anomaly::SucceededButFailed), Reason::ClosedByPerson, _)
            | (Some(Anomaly::CompletedWithoutSuccess), Reason::Ended(ExecutionStatus::Aborted), _)
            | (Some(Anomaly::ResultMissing), _, Verdict::Close(Closing::ResultMissing)) => false,
            (
                Some(
                    Anomaly::CompletedWithoutSuccess
                    | Anomaly::SucceededButFailed
                    | Anomaly::ResultMissing
                    | Anomaly::CompletedWithError,
                ),
                ..,
            ) => true,
        }
    }

    pub(super) const fn leave(reason: Reason) -> Self {
        Self { verdict: Verdict::Leave, anomaly: None, reason }
    }

    pub(super) const fn tell(anomaly: Anomaly, reason: Reason) -> Self {
        Self { verdict: Verdict::Leave, anomaly: Some(anomaly), reason }
    }

    pub(super) const fn close(closing: Closing, reason: Reason) -> Self {
        Self { verdict: Verdict::Close(closing), anomaly: None, reason }
    }

    pub(super) const fn stop(cause: StopCause, reason: Reason) -> Self {
        Self { verdict: Verdict::Stop(cause), anomaly: None, reason }
    }

    pub(super) const fn inspect() -> Self {
        Self { verdict: Verdict::Inspect, anomaly: None, reason: Reason::EndingUnknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_asked_where_nobody_wanted_it_so_and_nothing_else_puts_it_right() {
        use Anomaly::{
            CompletedWithError, CompletedWithoutSuccess, ResultMissing, SucceededButCancelled, SucceededButFailed,
        };
        use ExecutionStatus::{Aborted, Failed, Succeeded, TimedOut};
        let over = TimeDelta::seconds(1);
        for (anomaly, reason, asked) in [
            (CompletedWithoutSuccess, Reason::Ended(Failed), true),
            (CompletedWithoutSuccess, Reason::Ended(TimedOut), true),
            (CompletedWithoutSuccess, Reason::PastDeadline { over }, true),
            (CompletedWithoutSuccess, Reason::SaysFailed, true),
            (CompletedWithoutSuccess, Reason::Ended(Aborted), false),
            (SucceededButFailed, Reason::Ended(Succeeded), true),
            (SucceededButFailed, Reason::ClosedByPerson, false),
            (SucceededButCancelled, Reason::Ended(Succeeded), false),
            (CompletedWithError, Reason::RowSaysFailed, true),
        ] {
            assert_eq!(Decision::tell(anomaly, reason).needs_person(), asked, "{anomaly:?} {reason:?}");
        }
        for (closing, asked) in [(Closing::Completed { result: false }, true), (Closing::ResultMissing, false)] {
            let decision =
                Decision { anomaly: Some(ResultMissing), ..Decision::close(closing, Reason::Ended(Succeeded)) };
            assert_eq!(decision.needs_person(), asked, "{closing:?}");
        }
        assert!(!Decision::inspect().needs_person());
    }
}
