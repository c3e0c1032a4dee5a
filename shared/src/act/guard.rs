//! Asks the [guard](crate::guard) how much of what a step wants it may do now, and says in people's words what it answers.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::act::action::{Action, Planned};
use crate::act::ledger::controls::Control;
use crate::act::texts;
use crate::domain::{Language, Mode};
use crate::guard::{self, Asked, Change, Class, Fate, Limits, Over, Record, Role, Shares, Why};

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

/// Applies the mode and every limit.
#[must_use]
pub fn guard(wanted: Vec<Planned>, demand: Demand, limits: &Limits, facts: &Facts) -> Guarded {
    let language = demand.language;
    let none = TargetFacts::default();
    let changes: Vec<Change> = wanted
        .iter()
        .map(|planned| change(planned.action.as_ref(), facts.targets.get(&planned.action.target()).unwrap_or(&none)))
        .collect();
    let Facts { control, did_not_help, actions_last_hour, beside, .. } = facts;
    let limits = Limits {
        actions_per_run: control.actions_per_run.unwrap_or(limits.actions_per_run),
        actions_per_hour: control.actions_per_hour.unwrap_or(limits.actions_per_hour),
        share_of_candidates: control.share.unwrap_or(limits.share_of_candidates),
        ..*limits
    };
    let record = Record {
        mode: control.mode,
        did_not_help: *did_not_help,
        actions_last_hour: *actions_last_hour,
        beside: *beside,
    };
    let judged = guard::guard(&changes, &demand.asked(), &limits, &record);
    let mut guarded = Guarded {
        mode: judged.mode,
        apply: Vec::new(),
        hold: Vec::new(),
        over: judged.over.map(|over| over_words(over, &limits, language)),
        leave: Vec::new(),
        used_up: Vec::new(),
        limited: judged.limited,
    };
    for (planned, fate) in wanted.into_iter().zip(judged.fates) {
        match fate {
            Fate::Apply => guarded.apply.push(planned),
            Fate::Hold => guarded.hold.push(planned),
            Fate::Leave(why) => {
                if matches!(why, Why::Attempts(_)) {
                    guarded.used_up.push(planned.action.target());
                }
                guarded.leave.push((planned, why_words(why, language)));
            }
        }
    }
    // Our own record first, since what else is wanted may need it; then what only ends what was begun.
    let order = |planned: &Planned| (planned.action.class() != Class::Own, !planned.action.is_end());
    guarded.apply.sort_by_key(order);
    guarded.hold.sort_by_key(order);
    guarded
}

impl Demand {
    const fn asked(&self) -> Asked<'_> {
        let Self { mode, own, approved, by_name, sweeps: _, population, ref shares, limit, done, language: _ } = *self;
        Asked { mode, own, approved, by_name, population, shares, limit, done }
    }
}

/// A change as its limits see it.
fn change(action: &dyn Action, history: &TargetFacts) -> Change {
    let role = match (action.is_undo(), action.is_end()) {
        (true, _) => Role::Undo,
        (false, true) => Role::End,
        (false, false) => Role::New,
    };
    let TargetFacts { attempts, seconds_since_last, .. } = *history;
    Change { class: action.class(), role, rests: rests(action, history), attempts, seconds_since_last }
}

fn why_words(why: Why, language: Language) -> String {
    match why {
        Why::Undone => texts::undone(language),
        Why::Attempts(attempts) => texts::attempts(language, attempts),
        Why::Cooldown(left) => texts::cooldown(language, left),
        Why::Limit(limit) => texts::limit(language, limit),
        Why::Beside => texts::beside(language),
    }
}

fn over_words(over: Over, limits: &Limits, language: Language) -> String {
    match over {
        Over::DidNotHelp => texts::did_not_help(language),
        Over::Share { changed, of } => texts::share(language, changed, of, limits.share_of_candidates),
        Over::PerHour(limit) => texts::per_hour(language, limit),
        Over::PerRun(limit) => texts::per_run(language, limit),
    }
}

/// Whether a person took back what was done to this target, in the same attempt, or of the same setting (design, 6.6).
fn rests(action: &dyn Action, history: &TargetFacts) -> bool {
    let undone = if action.is_apart() { history.undone_kinds.get(action.kind()).copied() } else { history.undone };
    undone.is_some_and(|at| action.attempt_since().is_none_or(|since| since <= at))
}

#[cfg(test)]
mod tests;
