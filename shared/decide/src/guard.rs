//! How much of what a step wants it may do now (design, 6.1 to 6.3): pure, over what the ledger counts.

mod class;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::Mode;

pub use class::Class;

/// How much a step may do (design, 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Actions in one run.
    pub actions_per_run: usize,
    /// Actions of this step in an hour, over all its runs.
    pub actions_per_hour: usize,
    /// The part of all there is of a class (open rows, running executions, …) that may be changed, once that is more than
    /// [`Limits::SHARE_FROM`]. Rows that keep their status do not count.
    pub share_of_candidates: f64,
    /// Seconds between two actions on one target.
    pub cooldown_seconds: u32,
    /// Actions on one target in a day.
    pub attempts_per_target: u32,
}

impl Limits {
    /// Up to so many candidates, the share says nothing.
    pub const SHARE_FROM: usize = 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            actions_per_run: 100,
            actions_per_hour: 1000,
            share_of_candidates: 0.5,
            cooldown_seconds: 0,
            attempts_per_target: 3,
        }
    }
}

/// What is counted of classes over everything, never over what a run happens to hold.
pub type Shares = BTreeMap<Class, Share>;

/// How many there are of a class, and how many of them are wanted, over everything (design, 6.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many there are.
    pub of: usize,
    /// How many would be changed by all the runs that the work takes; 0 where the plan at hand has them all.
    pub wanted: usize,
}

/// A change, as the limits see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What it is a part of.
    pub class: Class,
    /// What it is to what was done before.
    pub role: Role,
    /// A person took back, within a day, what was done to this target in the same attempt, or of the same setting (design, 6.6).
    pub rests: bool,
    /// Actions of this step on its target in the last day.
    pub attempts: u32,
    /// Seconds since this step's last one.
    pub seconds_since_last: Option<i64>,
}

/// What a change is to what was done before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A change like any other.
    New,
    /// It only ends what was begun, and counted, before: no history and no limit hinders that.
    End,
    /// It takes back what was done: a person's will, which no history of the target hinders.
    Undo,
}

/// What is asked for, beside the changes.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The least of what is configured and asked for.
    pub mode: Mode,
    /// What is asked for, whatever the installation is configured to: as far as a change of our own record may go.
    pub own: Mode,
    /// A person approved these very changes.
    pub approved: bool,
    /// A person asks for just this target or value: no person's undo holds that up.
    pub by_name: bool,
    /// How many targets were looked at.
    pub population: usize,
    /// What was counted of classes over everything.
    pub shares: &'a Shares,
    /// The operator's own limit.
    pub limit: Option<usize>,
    /// Changes that this run has made already.
    pub done: usize,
}

/// What the ledger says of the step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    /// The most that its row in `remediation.controls`, and the red button, leave it.
    pub mode: Option<Mode>,
    /// None of its last three runs that tried anything, within a day, helped; each failed on a target that was not tried before.
    pub did_not_help: bool,
    /// Its actions in the last hour, and what its other runs may still do.
    pub actions_last_hour: usize,
    /// Actions of its sweeps that overlap this one, which have a part in the limit of a run.
    pub beside: usize,
}

/// What becomes of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is made.
    Apply,
    /// It is only told or proposed, because of the mode or a limit.
    Hold,
    /// It is left alone.
    Leave(Why),
}

/// Why a change is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A person undid the last one.
    Undone,
    /// Its target was tried so often already: a person has to look at it.
    Attempts(u32),
    /// So many seconds are left before the next one.
    Cooldown(i64),
    /// No more than so many were asked for.
    Limit(usize),
    /// Another run is at the same targets, in all likelihood.
    Beside,
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Over {
    /// Three runs of the step that helped nothing.
    DidNotHelp,
    /// So many of which number, of one class.
    Share {
        /// How many would be changed.
        changed: usize,
        /// How many there are.
        of: usize,
    },
    /// So many in an hour.
    PerHour(usize),
    /// So many in a run.
    PerRun(usize),
}

/// What becomes of what a step wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// How far the run may go.
    pub mode: Mode,
    /// What becomes of each change, in the order in which they are wanted.
    pub fates: Vec<Fate>,
    /// The limit that was reached.
    pub over: Option<Over>,
    /// Some are left only because no more was asked for, or another run is at them.
    pub limited: bool,
}

/// A function as [`guard`] is one.
pub type Guard = fn(&[Change], &Asked<'_>, &Limits, &Record) -> Judgement;

/// Applies the mode and every limit. What only changes our own record ([`Class::Own`]) is bound by what is asked for alone.
#[must_use]
pub fn guard(wanted: &[Change], asked: &Asked<'_>, limits: &Limits, record: &Record) -> Judgement {
    let own = if asked.own == Mode::Act { Fate::Apply } else { Fate::Hold };
    let mut fates = vec![own; wanted.len()];
    let bound: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at].class != Class::Own).collect();
    let changes: Vec<Change> = bound.iter().map(|at| wanted[*at]).collect();
    let mut judged = guard_changes(&changes, asked, limits, record);
    if changes.is_empty() && !wanted.is_empty() {
        (judged.mode, judged.over) = (asked.own, None);
    }
    for (at, fate) in bound.into_iter().zip(judged.fates) {
        fates[at] = fate;
    }
    Judgement { fates, ..judged }
}

fn guard_changes(wanted: &[Change], asked: &Asked<'_>, limits: &Limits, record: &Record) -> Judgement {
    // To take something back is a person's decision already: it needs no second person's.
    let by_person = asked.approved || !wanted.is_empty() && wanted.iter().all(|change| change.role == Role::Undo);
    let allowed = record.mode.map_or(asked.mode, |mode| mode.min(asked.mode));
    // Whoever cannot be reached is tried again: to fall silent would be no caution.
    let did_not_help = record.did_not_help && !wanted.iter().all(|change| change.class == Class::Message);
    let mode = match allowed {
        // An approval is what `propose` waits for. It never lifts `observe`.
        Mode::Propose | Mode::Act if by_person => Mode::Act,
        Mode::Act if did_not_help => Mode::Propose,
        mode => mode,
    };
    let over = (mode == Mode::Propose && allowed == Mode::Act).then_some(Over::DidNotHelp);
    let fates = wanted.iter().map(|change| history(change, asked, limits).map_or(Fate::Hold, Fate::Leave)).collect();
    let mut judged = Judgement { mode, fates, over, limited: false };
    if mode != Mode::Act {
        return judged;
    }
    let open = |judged: &Judgement, at: &usize| judged.fates[*at] == Fate::Hold;
    let candidates: Vec<usize> = (0..wanted.len()).filter(|at| open(&judged, at)).collect();
    // Nor does a limit, which what is to be taken back may have used up.
    let only_undoes = candidates.iter().all(|at| wanted[*at].role == Role::Undo);
    for at in candidates.iter().filter(|at| only_undoes || wanted[**at].role == Role::End) {
        judged.fates[*at] = Fate::Apply;
    }
    let candidates: Vec<usize> = candidates.into_iter().filter(|at| open(&judged, at)).collect();
    if !asked.approved
        && let Some((changed, of)) = over_share(candidates.iter().map(|at| wanted[*at].class), asked, limits)
    {
        judged.over = Some(Over::Share { changed, of });
        return judged;
    }
    let alone = limits.actions_per_run.saturating_sub(asked.done);
    let in_run = alone.saturating_sub(record.beside);
    let in_hour = limits.actions_per_hour.saturating_sub(record.actions_last_hour);
    let most = asked.limit.map_or(usize::MAX, |limit| limit.saturating_sub(asked.done));
    let room = in_run.min(in_hour);
    let (admitted, rest) = candidates.split_at(room.min(most).min(candidates.len()));
    let left = match asked.limit {
        Some(limit) if most < room => Some(Why::Limit(limit)),
        // No limit has been reached: together the two runs have room for all.
        _ if candidates.len() <= alone.min(in_hour) => Some(Why::Beside),
        _ => None,
    };
    judged.limited = left.is_some() && !rest.is_empty();
    judged.over = (left.is_none() && !rest.is_empty()).then_some(if in_hour < in_run {
        Over::PerHour(limits.actions_per_hour)
    } else {
        Over::PerRun(limits.actions_per_run)
    });
    for at in admitted {
        judged.fates[*at] = Fate::Apply;
    }
    for at in rest {
        judged.fates[*at] = left.map_or(Fate::Hold, Fate::Leave);
    }
    judged
}

/// Why what was done to its target before leaves a change alone.
fn history(change: &Change, asked: &Asked<'_>, limits: &Limits) -> Option<Why> {
    if asked.approved || change.role != Role::New {
        return None;
    }
    if change.rests && !asked.by_name {
        return Some(Why::Undone);
    }
    if change.attempts >= limits.attempts_per_target {
        return Some(Why::Attempts(change.attempts));
    }
    let left = i64::from(limits.cooldown_seconds) - change.seconds_since_last?;
    (limits.cooldown_seconds > 0 && left > 0).then_some(Why::Cooldown(left))
}

/// How many of which number would be changed, where that is too many of any class. A class of which nothing was counted over everything
/// is a part of what was looked at.
fn over_share(candidates: impl Iterator<Item = Class>, asked: &Asked<'_>, limits: &Limits) -> Option<(usize, usize)> {
    let mut changed: BTreeMap<Class, usize> = BTreeMap::new();
    for class in candidates.filter(|class| class.is_shared()) {
        *changed.entry(class).or_default() += 1;
    }
    changed.into_iter().find_map(|(class, at_hand)| {
        let counted = asked.shares.get(&class);
        let (changed, of) = counted.map_or((at_hand, asked.population), |share| (at_hand.max(share.wanted), share.of));
        // What was counted too early, or not at all, is no small number.
        let of = of.max(changed);
        #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
        let too_many = changed as f64 > limits.share_of_candidates * of as f64;
        (of > Limits::SHARE_FROM && too_many).then_some((changed, of))
    })
}

/// How many changes of a kind are made at once, after so many of it in this run: a wrong rule does little harm before it is seen (design, 6.2).
#[must_use]
pub const fn ramp(made: usize) -> usize {
    match made {
        0 => 1,
        1..=10 => 10,
        11..=110 => 100,
        _ => usize::MAX,
    }
}

#[cfg(test)]
mod tests;
