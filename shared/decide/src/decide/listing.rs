//! What is looked for before a row is closed: executions that began after the newest one that is known (design, section 5).

use super::{Look, Verdict};
use crate::domain::{Execution, ExecutionArn, Process};

/// What was known of a process when a list was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Of its row.
    version: i64,
    end: Option<End>,
}

impl Begun {
    /// The row as it was read before, and the newest execution that was known then.
    #[must_use]
    pub fn of(process: &Process, newest: Option<&Execution>) -> Self {
        Self { version: process.version, end: newest.and_then(End::of) }
    }
}

/// An end that an execution came to, in one of its redrives.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    arn: ExecutionArn,
    redrive_count: i32,
}

impl End {
    /// The end of an execution, where it is over.
    fn of(execution: &Execution) -> Option<Self> {
        let end = || Self { arn: execution.arn.clone(), redrive_count: execution.redrive_count };
        execution.status.is_over().then(end)
    }
}

/// Whether the list of executions is to be read, or read once more, before a verdict on a row is carried out. `listed`: what was known when
/// the last list was begun; `None`: none was read.
///
/// A user's retry may have re-opened the row while the old execution ran. If its end became known only after the list was begun, the new
/// one may have started in between, and is in no list yet. So it may where the row has moved since: re-opened, and closed again by a late
/// worker. What a sweep closes had settled before its list; and where every new attempt raises `retry_count`, a row of attempt 0 has had no
/// other execution.
#[must_use]
pub fn lists_first(
    process: &Process,
    newest: Option<&Execution>,
    look: Look,
    verdict: Verdict,
    listed: Option<&Begun>,
) -> bool {
    match verdict {
        Verdict::Leave | Verdict::Stop(_) | Verdict::Inspect => return false,
        Verdict::Close(_) => {}
    }
    match (newest, listed, look) {
        (Some(_), ..) if process.retries == Some(0) => false,
        (_, None, _) => true,
        (_, Some(_), Look::Sweep) | (None, Some(_), Look::Event) => false,
        (Some(newest), Some(begun), Look::Event) => Begun::of(process, Some(newest)) != *begun,
    }
}

#[cfg(test)]
mod tests;
