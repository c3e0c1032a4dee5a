//! What would have been done where nothing may be: once a day, for all steps in one message.

use chrono::TimeDelta;

use super::texts;
use crate::act::ledger::told::{Observed, Part};
use crate::domain::Language;

/// Stands for all steps.
pub(super) const EVERYWHERE: &str = "remediation";

/// Steps and kinds that one message counts, the most first.
const NAMED: usize = 50;

/// As the ledger counts it: the first message comes when a day of it is over.
pub(super) fn part() -> Part {
    Part {
        step: EVERYWHERE.to_owned(),
        kind: "observe".to_owned(),
        count: 1,
        every: TimeDelta::days(1),
        is_digest: true,
    }
}

/// The message, with what to do to have it done.
pub(super) fn message(observed: &[Observed], language: Language) -> String {
    let mut sorted: Vec<&Observed> = observed.iter().collect();
    sorted.sort_by_key(|of| -of.targets);
    let all: i64 = observed.iter().map(|of| of.targets).sum();
    let mut lines = vec![texts::would_have(language, all), String::new()];
    lines.extend(sorted.iter().take(NAMED).map(|of| {
        let at_least = if of.there_is_more { "≥ " } else { "" };
        format!("? {} {}: {at_least}{}", of.step, of.kind, of.targets)
    }));
    if sorted.len() > NAMED {
        lines.push("…".to_owned());
    }
    lines.push(texts::to_have_it_done(language));
    lines.join("\n")
}
