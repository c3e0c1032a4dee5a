//! Whether a progress can be true (guide: データ整合性問題, 進捗率の異常), and what it should be: pure.

use chrono::{DateTime, Utc};

use super::{Decision, Look, Policy, decide};
use crate::domain::{Execution, Process};

/// A row whose progress is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// The row.
    pub process: Process,
    /// The newest execution that is known of it.
    pub newest: Option<Execution>,
    /// The highest progress that was seen of it in its present attempt, where it is under way.
    pub highest: Option<i16>,
}

/// What is to become of a progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays: it may be true.
    Sound,
    /// It stays: the row is the decision table's, which says this of it.
    Left(Decision),
    /// It is brought back into 0..100.
    Clamp(i16),
    /// It is brought back to the highest that was seen.
    Restore(i16),
}

/// Decides about a progress.
#[must_use]
pub fn judge(suspect: &Suspect, policy: &Policy, now: DateTime<Utc>) -> Verdict {
    let Suspect { process, newest, highest } = suspect;
    let clamped = process.progress.clamp(0, 100);
    let wanted = highest.map_or(clamped, |highest| highest.max(clamped));
    if wanted == process.progress {
        return Verdict::Sound;
    }
    match the_tables(process, newest.as_ref(), policy, now) {
        Some(decision) => Verdict::Left(decision),
        None if wanted == clamped => Verdict::Clamp(wanted),
        None => Verdict::Restore(wanted),
    }
}

/// What the decision table says of a row that is its own. Our write sets `updated_at`: an open row whose execution is over would
/// look re-opened by it, and be closed later than it could be; a closed row that does not say when it was closed would seem to
/// have been closed just now, and a late success to have come before.
fn the_tables(process: &Process, newest: Option<&Execution>, policy: &Policy, now: DateTime<Utc>) -> Option<Decision> {
    // As an event sees it: what the table only leaves to settle is its own as well.
    let decision = decide(process, newest, Look::Event, policy, now);
    let acts = decision.verdict != super::Verdict::Leave;
    let over = newest.is_some_and(|execution| execution.status.is_over());
    let its_own = if process.status.is_open() { acts || over } else { acts && process.completed_at.is_none() };
    its_own.then_some(decision)
}

#[cfg(test)]
mod tests;
