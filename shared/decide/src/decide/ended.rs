//! When a process came to its end, as far as that is known.

use chrono::{DateTime, Utc};

use super::verdict::Policy;
use crate::domain::{Execution, Process, ProcessStatus};

/// When a process that is closed now came to its end: with its execution, or at the latest when its time was up. Never later than `now`, and
/// never simply then: what is closed late is no failure of today, and took no longer than its deadline.
#[must_use]
pub fn ended_at(process: &Process, newest: Option<&Execution>, policy: &Policy, now: DateTime<Utc>) -> DateTime<Utc> {
    let policy = &policy.of(process);
    let ended = match newest {
        Some(execution) => execution.stopped_at.unwrap_or(execution.attempt_started_at() + policy.process_deadline),
        None => due_at(process, policy),
    };
    ended.min(now)
}

/// When an open row without an execution has run out of time. One that was re-opened has an old `created_at`; its new execution gets as
/// long to appear as a first one.
pub(super) fn due_at(process: &Process, policy: &Policy) -> DateTime<Utc> {
    let patience =
        if process.status == ProcessStatus::Pending { policy.start_deadline } else { policy.process_deadline };
    (process.created_at + patience).max(process.updated_at + policy.start_deadline)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::{ExecutionStatus, WORDS};

    const POLICY: Policy = Policy {
        process_deadline: TimeDelta::seconds(900),
        start_deadline: TimeDelta::seconds(300),
        settle: TimeDelta::seconds(60),
        require_result: false,
        words: &WORDS,
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_764_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn it_is_the_executions_end_or_the_deadline_and_never_in_the_future() {
        let row = |status, updated| Process {
            id: "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c".parse().unwrap(),
            version: 1,
            status,
            progress: 0,
            has_result: false,
            error_code: None,
            retries: None,
            created_at: at(0),
            updated_at: at(updated),
            completed_at: None,
            deadline: None,
        };
        let execution = |stopped: Option<i64>| Execution {
            arn: "arn:aws:states:ap-northeast-1:123456789012:execution:ai:x".parse().unwrap(),
            status: ExecutionStatus::Failed,
            redrive_count: 0,
            started_at: at(5),
            redriven_at: None,
            stopped_at: stopped.map(at),
            ending: None,
            stopped_for_deadline: false,
            says_failed: None,
        };
        let days = 3 * 86_400;
        // (status, last written, execution, now, when it ended)
        for (status, updated, newest, now, ended) in [
            (ProcessStatus::Pending, 0, None, days, 300),
            (ProcessStatus::Processing, 10, None, days, 900),
            (ProcessStatus::Processing, 5000, None, days, 5300),
            (ProcessStatus::Processing, 10, Some(execution(Some(100))), days, 100),
            (ProcessStatus::Processing, 10, Some(execution(None)), days, 905),
            (ProcessStatus::Processing, 10, Some(execution(None)), 600, 600),
        ] {
            let found = ended_at(&row(status, updated), newest.as_ref(), &POLICY, at(now));
            assert_eq!(found, at(ended), "{status}, written at {updated}, looked at {now}");
        }
    }
}
