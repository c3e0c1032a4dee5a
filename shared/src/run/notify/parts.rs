//! What a run has to tell, by kind: of each there is one message in its time, and the rest is counted. Pure.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::digest;
use crate::act::ledger::told::{Due, Part};
use crate::act::report::{DoneOutcome, Report};
use crate::domain::Mode;
use crate::finding::{Audience, Often};

/// Of each kind people hear once in this time.
const EVERY: TimeDelta = TimeDelta::hours(1);
/// What cannot wait does not wait for as long.
const AT_ONCE: TimeDelta = TimeDelta::minutes(5);

/// How a finding that cannot wait begins in the ledger.
const URGENT: &str = "at-once";

/// What brought a run about, as far as it matters to who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(super) struct Occasion {
    /// It went through everything.
    pub swept: bool,
    /// A plan waits of which people have not heard.
    pub new_plan: bool,
    /// A schedule started it: it tells what others have left to tell.
    pub is_scheduled: bool,
    /// An execution's event started it: what it found does not come again.
    pub is_of_event: bool,
    /// A person asked for it, and has the answer.
    pub is_by_person: bool,
    /// A step started it: people heard of that.
    pub is_by_step: bool,
}

impl Occasion {
    pub fn of(report: &Report, swept: bool, new_plan: bool) -> Self {
        let is = |kind: &str| report.trigger["kind"] == kind;
        let is_by_step = is("operator") && report.trigger.get("depth").is_some();
        let is_by_person = is("operator") && !is_by_step;
        Self { swept, new_plan, is_scheduled: is("schedule"), is_of_event: is("execution"), is_by_person, is_by_step }
    }
}

/// What people may have to be told of a run.
///
/// What failed or waits for them always; what was done where it was a sweep's, or is told whenever it is done, and neither its own user
/// wanted it nor a step that people heard of. What is found and may not be told yet is found again, but for what an event
/// or a moment brought: only that is counted.
pub(super) fn parts(report: &Report, occasion: Occasion) -> Vec<Part> {
    let Occasion { swept, new_plan, is_scheduled: _, is_of_event, is_by_person, is_by_step } = occasion;
    let mut counts: BTreeMap<String, (usize, TimeDelta)> = BTreeMap::new();
    let mut add = |kind: String, count: usize, every| counts.entry(kind).or_insert((0, every)).0 += count;
    let kept = report.actions.iter().map(|done| (done.alike(), 1));
    for (alike, count) in kept.chain(report.unkept.iter().map(|(alike, count)| (*alike, *count))) {
        match alike.outcome {
            DoneOutcome::Failed => add(format!("failed {}", alike.kind), count, EVERY),
            DoneOutcome::Applied if (swept || alike.is_told) && !alike.is_users_wish && !is_by_step => {
                add(format!("applied {}", alike.kind), count, EVERY);
            }
            DoneOutcome::Applied | DoneOutcome::Superseded | DoneOutcome::Proposed | DoneOutcome::Planned => {}
        }
    }
    for finding in &report.findings {
        let count = usize::from(is_of_event || finding.often == Often::Always);
        match finding.audience {
            Audience::Nobody => {}
            Audience::People => add(format!("finding {}", finding.code), count, EVERY),
            Audience::PeopleAtOnce => add(format!("{URGENT} {}", finding.code), count, AT_ONCE),
        }
    }
    if new_plan {
        add("plan".to_owned(), 1, EVERY);
    }
    let own = counts.into_iter().map(|(kind, (count, every))| Part {
        step: report.step.to_owned(),
        kind,
        count,
        every,
        is_digest: false,
    });
    let observes = report.mode == Mode::Observe && report.count(DoneOutcome::Planned) > 0 && !is_by_person;
    own.chain(observes.then(digest::part)).collect()
}

/// Whether it is told apart.
pub(super) fn is_digest(due: &Due) -> bool {
    due.step == digest::EVERYWHERE
}

/// Whether it cannot wait.
pub(super) fn is_at_once(due: &Due) -> bool {
    due.kind.starts_with(URGENT)
}
