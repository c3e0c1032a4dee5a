//! What is looked for before a row is closed: executions that began after the newest one that is known (design, section 5).

use super::{Look, Verdict};
use crate::domain::{Execution, ExecutionArn, Process};

/// An end that an execution came to, in one of its redrives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct End {
    arn: ExecutionArn,
    redrive_count: i32,
}

impl End {
    /// The end of an execution, where it is over.
    #[must_use]
    pub fn of(execution: &Execution) -> Option<Self> {
        let end = || Self { arn: execution.arn.clone(), redrive_count: execution.redrive_count };
        execution.status.is_over().then(end)
    }
}

/// Whether the list of executions is to be read, or read once more, before a verdict on a row is carried out. `listed`: the end of the
/// newest execution that was known when the last list was begun; `None`: none was read.
///
/// A user's retry may have re-opened the row while the old execution ran. If its end became known only after the list was begun, the new
/// one may have started in between, and is in no list yet. What a sweep closes had settled before its list; and where every new attempt
/// raises `retry_count`, a row of attempt 0 has had no other execution.
#[must_use]
pub fn lists_first(
    process: &Process,
    newest: Option<&Execution>,
    look: Look,
    verdict: Verdict,
    listed: Option<&Option<End>>,
) -> bool {
    match verdict {
        Verdict::Leave | Verdict::Stop(_) | Verdict::Inspect => return false,
        Verdict::Close(_) => {}
    }
    match (newest, listed, look) {
        (Some(_), ..) if process.retries == Some(0) => false,
        (_, None, _) => true,
        (_, Some(_), Look::Sweep) | (None, Some(_), Look::Event) => false,
        (Some(newest), Some(end), Look::Event) => End::of(newest) != *end,
    }
}

#[cfg(test)]
mod tests;
