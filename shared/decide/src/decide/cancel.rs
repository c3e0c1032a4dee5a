//! A person's wish to cancel a process, beside the table's own opinion.

use chrono::{DateTime, Utc};

use crate::decide::{Closing, Decision, Look, Policy, Verdict, decide};
use crate::domain::{Execution, ExecutionStatus, Process, ProcessStatus};

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
    let status = newest.map(Execution::outcome);
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
