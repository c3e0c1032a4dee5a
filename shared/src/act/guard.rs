//! How much of what a step wants it may do now (design, 6.1 to 6.3): pure, over what the ledger counts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::act::action::{Action, Class, Planned};
use crate::act::ledger::controls::Control;
use crate::act::plan::Shares;
use crate::act::texts;
use crate::domain::{Language, Mode};
use crate::gather::manifest::Limits;

/// What the ledger knows of a step and its targets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// What `remediation.controls` leaves the step.
    pub control: Control,
    /// None of its last three runs that tried anything, within a day, helped; each failed on a target that was not tried before.
    pub did_not_help: bool,
    /// Actions of this step in the last hour, and what its other runs may still do.
    pub actions_last_hour: usize,
    /// Actions of the step's sweeps that overlap this one, which have a part in the limit of a run.
    pub beside: usize,
    /// What was done to each target, where something was.
    pub targets: HashMap<String, TargetFacts>,
}

/// What was done to a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetFacts {
    /// Actions of this step on it in the last day.
    pub attempts: u32,
    /// Seconds since this step's last one.
    pub seconds_since_last: Option<i64>,
    /// The last action on it, by whomever and within a day, was an undo: a person has decided.
    pub undone: Option<DateTime<Utc>>,
    /// The same for each kind alone.
    #[serde(default)]
    pub undone_kinds: HashMap<String, DateTime<Utc>>,
}

/// What is asked for, beside the actions.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// The least of what is configured and asked for; the control still counts.
    pub mode: Mode,
    /// What is asked for, whatever the installation is configured to: as far as an action on our own record may go.
    pub own: Mode,
    /// A person approved these very actions.
    pub approved: bool,
    /// A person asks for just this target or value: no person's undo holds that up.
    pub by_name: bool,
    /// Everything is looked at: what other such runs do at the same time counts as this one's.
    pub sweeps: bool,
    /// How many targets were looked at.
    pub population: usize,
    /// What was counted of classes over everything.
    pub shares: Shares,
    /// The operator's own limit.
    pub limit: Option<usize>,
    /// Actions that this run has applied already.
    pub done: usize,
    /// Of the sentences.
    pub language: Language,
}

/// What becomes of what a step wants.
#[derive(Debug)]
pub struct Guarded {
    /// How far the run may go.
    pub mode: Mode,
    /// What is done.
    pub apply: Vec<Planned>,
    /// What is only told or proposed, because of the mode or a limit.
    pub hold: Vec<Planned>,
    /// The limit that was reached, for people.
    pub over: Option<String>,
    /// What is left alone, and why.
    pub leave: Vec<(Planned, String)>,
    /// The targets among them that were tried too often: a person has to look at them.
    pub used_up: Vec<String>,
    /// Some of that only because no more was asked for.
    pub limited: bool,
}

/// Applies the mode and every limit. What only changes our own record ([`Class::Own`]) is bound by what is asked for alone.
#[must_use]
pub fn guard(wanted: Vec<Planned>, demand: Demand, limits: &Limits, facts: &Facts) -> Guarded {
    let (own, wanted): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|planned| planned.action.class() == Class::Own);
    let (alone, may) = (wanted.is_empty(), demand.own);
    let mut guarded = guard_changes(wanted, demand, limits, facts);
    if alone && !own.is_empty() {
        (guarded.mode, guarded.over) = (may, None);
    }
    // First: what else is wanted may need it.
    let first = if may == Mode::Act { &mut guarded.apply } else { &mut guarded.hold };
    first.splice(0..0, own);
    guarded
}

fn guard_changes(wanted: Vec<Planned>, demand: Demand, limits: &Limits, facts: &Facts) -> Guarded {
    let language = demand.language;
    // To take something back is a person's decision already: it needs no second person's.
    let by_person = demand.approved || !wanted.is_empty() && wanted.iter().all(|planned| planned.action.is_undo());
    let allowed = facts.control.mode.map_or(demand.mode, |mode| mode.min(demand.mode));
    // Whoever cannot be reached is tried again: to fall silent would be no caution.
    let did_not_help = facts.did_not_help && !wanted.iter().all(|planned| planned.action.class() == Class::Message);
    let mode = match allowed {
        // An approval is what `propose` waits for. It never lifts `observe`.
        Mode::Propose | Mode::Act if by_person => Mode::Act,
        Mode::Act if did_not_help => Mode::Propose,
        mode => mode,
    };
    let mut guarded = Guarded {
        mode,
        apply: Vec::new(),
        hold: Vec::new(),
        over: None,
        leave: Vec::new(),
        used_up: Vec::new(),
        limited: false,
    };
    if mode == Mode::Propose && allowed == Mode::Act {
        guarded.over = Some(texts::did_not_help(language));
    }
    let mut candidates = Vec::with_capacity(wanted.len());
    for planned in wanted {
        let history = facts.targets.get(&planned.action.target()).cloned().unwrap_or_default();
        let cooling = i64::from(limits.cooldown_seconds) - history.seconds_since_last.unwrap_or(i64::MAX);
        let why = if demand.approved || planned.action.is_undo() || planned.action.is_end() {
            None
        } else if !demand.by_name && rests(planned.action.as_ref(), &history) {
            Some(texts::undone(language))
        } else if history.attempts >= limits.attempts_per_target {
            guarded.used_up.push(planned.action.target());
            Some(texts::attempts(language, history.attempts))
        } else if limits.cooldown_seconds > 0 && cooling > 0 {
            Some(texts::cooldown(language, cooling))
        } else {
            None
        };
        match why {
            Some(why) => guarded.leave.push((planned, why)),
            None => candidates.push(planned),
        }
    }
    if mode != Mode::Act {
        guarded.hold = candidates;
        return guarded;
    }
    // Nor does a limit, which what is to be taken back may have used up.
    if candidates.iter().all(|planned| planned.action.is_undo()) {
        guarded.apply = candidates;
        return guarded;
    }
    (guarded.apply, candidates) = candidates.into_iter().partition(|planned| planned.action.is_end());
    let share = facts.control.share.unwrap_or(limits.share_of_candidates);
    if !demand.approved
        && let Some((changed, of)) = over_share(&candidates, &demand, share)
    {
        guarded.over = Some(texts::share(language, changed, of, share));
        guarded.hold = candidates;
        return guarded;
    }
    let per_run = facts.control.actions_per_run.unwrap_or(limits.actions_per_run);
    let per_hour = facts.control.actions_per_hour.unwrap_or(limits.actions_per_hour);
    let alone = per_run.saturating_sub(demand.done);
    let in_run = alone.saturating_sub(facts.beside);
    let in_hour = per_hour.saturating_sub(facts.actions_last_hour);
    let asked = demand.limit.map_or(usize::MAX, |limit| limit.saturating_sub(demand.done));
    let room = in_run.min(in_hour);
    // Another run is at the same rows, in all likelihood: no limit has been reached.
    let is_beside = candidates.len() <= alone.min(in_hour);
    let mut candidates = candidates.into_iter();
    guarded.apply.extend(candidates.by_ref().take(room.min(asked)));
    if asked < room {
        let why = texts::limit(language, demand.limit.unwrap_or_default());
        guarded.limited = candidates.len() > 0;
        guarded.leave.extend(candidates.map(|planned| (planned, why.clone())));
        return guarded;
    }
    if is_beside {
        guarded.limited |= candidates.len() > 0;
        guarded.leave.extend(candidates.map(|planned| (planned, texts::beside(language))));
        return guarded;
    }
    guarded.hold.extend(candidates);
    if !guarded.hold.is_empty() {
        let over =
            if in_hour < in_run { texts::per_hour(language, per_hour) } else { texts::per_run(language, per_run) };
        guarded.over = Some(over);
    }
    guarded
}

/// How many of which number would be changed, where that is too many of any class. A class of which nothing was counted over everything
/// is a part of what was looked at.
fn over_share(candidates: &[Planned], demand: &Demand, share: f64) -> Option<(usize, usize)> {
    let mut changed: BTreeMap<Class, usize> = BTreeMap::new();
    for class in candidates.iter().map(|planned| planned.action.class()).filter(|class| class.is_shared()) {
        *changed.entry(class).or_default() += 1;
    }
    changed.into_iter().find_map(|(class, at_hand)| {
        let counted = demand.shares.get(&class);
        let (changed, of) = counted.map_or((at_hand, demand.population), |share| (at_hand.max(share.wanted), share.of));
        // What was counted too early, or not at all, is no small number.
        let of = of.max(changed);
        #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
        let too_many = changed as f64 > share * of as f64;
        (of > Limits::SHARE_FROM && too_many).then_some((changed, of))
    })
}

/// Whether a person took back what was done to this target, in the same attempt, or of the same setting (design, 6.6).
fn rests(action: &dyn Action, history: &TargetFacts) -> bool {
    let undone = if action.is_apart() { history.undone_kinds.get(action.kind()).copied() } else { history.undone };
    undone.is_some_and(|at| action.attempt_since().is_none_or(|since| since <= at))
}

#[cfg(test)]
mod tests;
