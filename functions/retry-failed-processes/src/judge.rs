//! What is to become of one failed process, the breaker aside: pure.

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::retry_process::RetryProcess;
use remediation::decide::{self, CLOSED_BY_PERSON, Look};
use remediation::domain::{Execution, ExecutionStatus, Process, ProcessStatus, Words};
use remediation::failure::UNKNOWN;
use remediation::failure::transient::{is_throttling, is_transient};
use remediation::gather::processes::case::{Case, Newest};

use crate::policy::Policy;

/// What is known of a process beside its row and its newest execution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// The message of the row's error.
    pub message: Option<String>,
    /// The user has asked for the same anew.
    pub superseded: bool,
    /// How many executions of it are known.
    pub executions: u32,
    /// How often we have started it anew.
    pub retries: u32,
    /// An action on it is under way.
    pub busy: bool,
    /// How often this step has acted on it within a day, in vain or not.
    pub tried_today: u32,
    /// A person took back what was done last.
    pub undone: bool,
}

/// What is to become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It may be tried once more.
    Retry {
        /// Attempts so far.
        attempts: u32,
        /// Somebody was called too often.
        throttled: bool,
    },
    /// It would fail again: a person has to hear of it.
    Permanent,
    /// It was tried often enough: a person has to hear of it.
    Exhausted {
        /// Attempts so far.
        attempts: u32,
    },
    /// It is left alone.
    Leave(Left),
}

/// Why a process is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Its row is not closed as failed.
    NotFailed(ProcessStatus),
    /// A person closed it.
    ClosedByPerson,
    /// A person stopped its execution.
    StoppedByPerson,
    /// It has a result: whatever happened, that work is done.
    HasResult,
    /// A newer request of its user asks for the same.
    Superseded,
    /// An action on it is under way.
    Busy,
    /// A person took back what was done last.
    Undone,
    /// It was tried as often as the manifest's limits allow within a day, as far as Step Functions or the table let it.
    TriedToday(u32),
    /// No execution of it is known, so there is no input to start it with.
    NoExecution,
    /// Its execution was not looked up, for this reason.
    NotLookedUp(String),
    /// Its execution is not over.
    Running,
    /// Its execution succeeded: the decision table has the word.
    Succeeded,
    /// It failed a moment ago.
    Settling(TimeDelta),
}

/// Says what is to become of a process.
///
/// What the guard would leave alone is left here already: it must not stand in the place of the one probe.
#[must_use]
pub fn judge(
    case: &Case,
    history: &History,
    policy: &Policy,
    tries_a_day: u32,
    rules: &decide::Policy,
    now: DateTime<Utc>,
) -> Judgement {
    use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
    let process = &case.process;
    if let Some(left) = by_row(process, history, case.look) {
        return Judgement::Leave(left);
    }
    let newest = match &case.newest {
        Newest::Known(newest) => newest.as_ref(),
        Newest::Unknown(why) => return Judgement::Leave(Left::NotLookedUp(why.clone())),
    };
    match newest.map(Execution::outcome) {
        Some(Running | PendingRedrive) => return Judgement::Leave(Left::Running),
        Some(Succeeded) => return Judgement::Leave(Left::Succeeded),
        Some(Aborted) if !newest.is_some_and(Execution::is_stopped_for_deadline) => {
            return Judgement::Leave(Left::StoppedByPerson);
        }
        Some(Failed | TimedOut | Aborted) | None => {}
    }
    let changed = process.closed_at().max(newest.and_then(|newest| newest.stopped_at).unwrap_or(process.closed_at()));
    if case.look == Look::Sweep && changed + rules.settle > now {
        return Judgement::Leave(Left::Settling(changed + rules.settle - now));
    }
    let code = process.error_code.as_deref();
    let error = newest.and_then(error_of);
    if !is_transient(code, history.message.as_deref(), error, rules.words) {
        return Judgement::Permanent;
    }
    if newest.is_none() {
        return Judgement::Leave(Left::NoExecution);
    }
    let attempts = attempts(case, history);
    if attempts >= policy.attempts {
        return Judgement::Exhausted { attempts };
    }
    if history.tried_today >= tries_a_day {
        return Judgement::Leave(Left::TriedToday(history.tried_today));
    }
    Judgement::Retry { attempts, throttled: is_throttling(code, error) }
}

/// What the row alone says.
fn by_row(process: &Process, history: &History, look: Look) -> Option<Left> {
    match process.status {
        ProcessStatus::Failed | ProcessStatus::Timeout => {}
        ProcessStatus::Pending | ProcessStatus::Processing | ProcessStatus::Completed | ProcessStatus::Cancelled => {
            return Some(Left::NotFailed(process.status));
        }
    }
    if process.error_code.as_deref() == Some(CLOSED_BY_PERSON) {
        Some(Left::ClosedByPerson)
    } else if process.has_result {
        Some(Left::HasResult)
    } else if history.superseded {
        Some(Left::Superseded)
    } else if history.busy {
        Some(Left::Busy)
    } else if history.undone && look == Look::Sweep {
        Some(Left::Undone)
    } else {
        None
    }
}

/// How often a process was tried, by whichever record knows of the most: the row counts what the application tried, the ledger
/// what we did, an execution stands for an attempt that neither of them may know, and one of ours has its number in its name.
#[must_use]
pub fn attempts(case: &Case, history: &History) -> u32 {
    let by_row = 1 + case.process.retries.and_then(|retries| u32::try_from(retries).ok()).unwrap_or(0);
    let by_name = match &case.newest {
        Newest::Known(Some(newest)) => RetryProcess::attempt_of(case.process.id, &newest.arn).unwrap_or(1),
        Newest::Known(None) | Newest::Unknown(_) => 1,
    };
    by_row.max(1 + history.retries).max(history.executions).max(by_name)
}

/// Whether only Step Functions can tell what the execution of a process ended with, and that decides.
#[must_use]
pub fn wants_ending(case: &Case, history: &History, words: &Words) -> bool {
    let Newest::Known(Some(newest)) = &case.newest else { return false };
    let says_nothing = case.process.error_code.as_deref().is_none_or(|code| code == UNKNOWN);
    let wanted = match newest.status {
        ExecutionStatus::Failed => {
            says_nothing && !error_of(newest).is_some_and(|error| is_transient(None, None, Some(error), words))
        }
        ExecutionStatus::Aborted => newest.ending.is_none() && !newest.stopped_for_deadline,
        // Its output may say that it failed.
        ExecutionStatus::Succeeded => newest.says_failed.is_none(),
        ExecutionStatus::TimedOut | ExecutionStatus::Running | ExecutionStatus::PendingRedrive => false,
    };
    wanted && by_row(&case.process, history, case.look).is_none()
}

pub fn error_of(execution: &Execution) -> Option<&str> {
    match execution.status {
        // The execution ran out of time, which is all there is to say.
        ExecutionStatus::TimedOut => Some("States.Timeout"),
        ExecutionStatus::Failed
        | ExecutionStatus::Aborted
        | ExecutionStatus::Succeeded
        | ExecutionStatus::Running
        | ExecutionStatus::PendingRedrive => execution.ending.as_ref()?.error.as_deref(),
    }
}
