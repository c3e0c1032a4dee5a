//! A crowd: many rows that a step wants to close, in sweeps that may overlap, and a person who approves the rest in parts.
//!
//! Which row is which makes no difference, so they are counted: what may be done is asked of the real `guard`, and done in the steps of the real
//! `ramp`. What the ledger gives away of the limits (`remediation.admit`) is counted here as it is there: a run counts with what it has
//! registered until it ends, or can no longer be alive, and with what it has made from then on.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::time::Instant;

use remediation_decide::domain::Mode;
use remediation_decide::guard::{Asked, Change, Class, Fate, Limits, Record, Role, Share, Shares};

use super::ask::Multiply;
use super::rules::{Invariant, Rules};
use super::search::{Counterexample, Explored};

/// Room for the ramp's second step, and a part of its third.
const PER_RUN: u8 = 13;
/// Less than two runs make.
const PER_HOUR: u8 = 20;
const LIMITS: Limits = Limits {
    actions_per_run: PER_RUN as usize,
    actions_per_hour: PER_HOUR as usize,
    share_of_candidates: 0.5,
    cooldown_seconds: 0,
    attempts_per_target: 3,
};
/// Rows that a run has before it at once.
const PAGE: u8 = 12;
/// Rows that a person approves at once.
const PART: u8 = 5;
/// Three runs that helped nothing, and one that was begun before the third had ended.
const HARMED_AT_MOST: u8 = 4;

/// What a search begins with.
#[derive(Clone, Copy)]
pub struct Scene {
    /// Open rows that there are.
    pub of: u8,
    /// Those of them that the step wants to close.
    pub wanted: u8,
    /// Rows that break later.
    pub later: u8,
    /// What it would make of them is wrong.
    pub is_wrong: bool,
    /// A person approves what is held.
    pub approves: bool,
}

/// Each with what it is called.
pub const SCENES: [(&str, Scene); 7] = [
    ("a crowd: a few", Scene { of: 9, wanted: 9, later: 1, is_wrong: false, approves: false }),
    ("a crowd: half of many", Scene { of: 46, wanted: 22, later: 0, is_wrong: false, approves: false }),
    ("a crowd: most of many", Scene { of: 30, wanted: 24, later: 0, is_wrong: false, approves: false }),
    ("a crowd: most of many, approved", Scene { of: 30, wanted: 24, later: 0, is_wrong: false, approves: true }),
    ("a crowd: a wrong rule about a few", Scene { of: 9, wanted: 9, later: 1, is_wrong: true, approves: false }),
    ("a crowd: a wrong rule about half", Scene { of: 46, wanted: 22, later: 1, is_wrong: true, approves: false }),
    ("a crowd: a wrong rule, approved", Scene { of: 30, wanted: 24, later: 0, is_wrong: true, approves: true }),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Crowd {
    of: u8,
    wanted: u8,
    later: u8,
    /// What a wrong rule has changed, so far as a person has not approved it.
    harmed: u8,
    /// Changes made within the hour.
    hour: u8,
    /// Runs that helped nothing since the last one that did, three at most.
    unhelpful: u8,
    /// A row may still be moved by somebody else, and a run die.
    may_move: bool,
    may_die: bool,
    runs: [Option<Sweep>; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Sweep {
    /// A person approved what it does.
    approved: bool,
    /// It died. What it registered counts until it can no longer be alive.
    dead: bool,
    /// What it counted when it began: how many there are, and how many are wanted.
    counted: (u8, u8),
    /// Wanted rows on the pages to come.
    to_come: u8,
    /// Those of this page, which the guard has not seen.
    at_hand: u8,
    /// Those that the guard has let through.
    admitted: u8,
    made: u8,
    /// What it has registered.
    given: u8,
    /// What sweeps have made that ended since it began, and the most that one of them has.
    ended_beside: u8,
    most_beside: u8,
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Breaks,
    Begins {
        run: usize,
        approved: bool,
    },
    Asks(usize),
    Makes {
        run: usize,
        one_moved: bool,
    },
    Ends(usize),
    Dies(usize),
    /// It can no longer be alive.
    IsOver(usize),
    HourPasses,
}

impl Crowd {
    fn actions(&self, scene: Scene, mut act: impl FnMut(Action)) {
        if self.later > 0 {
            act(Action::Breaks);
        }
        for (run, sweep) in self.runs.iter().enumerate() {
            match sweep {
                None => {
                    act(Action::Begins { run, approved: false });
                    if scene.approves {
                        act(Action::Begins { run, approved: true });
                    }
                }
                Some(sweep) if sweep.dead => {
                    if self.runs[1 - run].is_none_or(|other| other.dead) {
                        act(Action::IsOver(run));
                    }
                }
                Some(sweep) => {
                    if self.may_die {
                        act(Action::Dies(run));
                    }
                    if sweep.admitted > 0 {
                        act(Action::Makes { run, one_moved: false });
                        if self.may_move {
                            act(Action::Makes { run, one_moved: true });
                        }
                    } else if sweep.at_hand > 0 {
                        act(Action::Asks(run));
                    } else {
                        act(Action::Ends(run));
                    }
                }
            }
        }
        // No run lives as long.
        if self.hour > 0 && self.runs == [None; 2] {
            act(Action::HourPasses);
        }
    }

    fn apply(mut self, action: Action, rules: &Rules, scene: Scene) -> Result<Self, Invariant> {
        match action {
            Action::Breaks => {
                (self.of, self.wanted, self.later) = (self.of + 1, self.wanted + 1, self.later - 1);
            }
            Action::Begins { run, approved } => {
                let at_hand = self.wanted.min(PAGE);
                self.runs[run] = Some(Sweep {
                    approved,
                    dead: false,
                    counted: (self.of, self.wanted),
                    to_come: self.wanted - at_hand,
                    at_hand,
                    admitted: 0,
                    made: 0,
                    given: 0,
                    ended_beside: 0,
                    most_beside: 0,
                });
            }
            Action::Asks(run) => self.ask(run, rules),
            Action::Makes { run, one_moved } => self.make(run, one_moved, rules, scene)?,
            Action::Ends(run) => self.end(run),
            Action::Dies(run) => {
                self.may_die = false;
                self.runs[run] = self.runs[run].map(|sweep| Sweep {
                    dead: true,
                    counted: (0, 0),
                    at_hand: 0,
                    admitted: 0,
                    to_come: 0,
                    ended_beside: 0,
                    most_beside: 0,
                    ..sweep
                });
            }
            Action::IsOver(run) => self.runs[run] = None,
            Action::HourPasses => self.hour = 0,
        }
        // Which of two is which makes no difference either.
        self.runs.sort_unstable();
        Ok(self)
    }

    /// The guard is asked about the page, and what it lets through is registered.
    fn ask(&mut self, run: usize, rules: &Rules) {
        let (Some(mut sweep), other) = (self.runs[run], self.runs[1 - run]) else { return };
        let (given, made_beside) = other.map_or((0, 0), |other| (other.given, other.made));
        let beside = other.filter(|other| !other.approved && !sweep.approved).map_or(0, |other| other.given);
        let free = PER_RUN.saturating_sub(sweep.made).min(sweep.at_hand);
        sweep.given = if rules.registers_what_was_made { sweep.made + free } else { free };
        let record = Record {
            mode: None,
            did_not_help: self.unhelpful == 3,
            actions_last_hour: usize::from(self.hour - made_beside + given),
            beside: usize::from(beside + sweep.ended_beside),
        };
        let share = Share { of: sweep.counted.0.into(), wanted: sweep.counted.1.into() };
        let asked = Asked {
            mode: Mode::Act,
            own: Mode::Act,
            approved: sweep.approved,
            by_name: false,
            population: PAGE.into(),
            shares: &Shares::from([(Class::Closing, share)]),
            limit: sweep.approved.then_some(PART.into()),
            done: sweep.made.into(),
        };
        let change =
            Change { class: Class::Closing, role: Role::New, rests: false, attempts: 0, seconds_since_last: None };
        let judged = (rules.guard)(&vec![change; sweep.at_hand.into()], &asked, &LIMITS, &record);
        sweep.admitted = judged.fates.iter().filter(|fate| **fate == Fate::Apply).count() as u8;
        if sweep.admitted < sweep.at_hand {
            sweep.to_come = 0;
        }
        sweep.at_hand = 0;
        self.runs[run] = Some(sweep);
    }

    /// The next step of the ramp.
    fn make(&mut self, run: usize, one_moved: bool, rules: &Rules, scene: Scene) -> Result<(), Invariant> {
        let (Some(mut sweep), other) = (self.runs[run], self.runs[1 - run]) else { return Ok(()) };
        let batch = (rules.ramp)(sweep.made.into()).min(sweep.admitted.into()) as u8;
        let made = (batch - u8::from(one_moved)).min(self.wanted);
        let (of, wanted) = sweep.counted;
        if !sweep.approved && made > 0 && is_most(wanted, of) {
            return Err(Invariant::MostOfManyWaits);
        }
        self.may_move &= !one_moved;
        (sweep.admitted, sweep.made) = (sweep.admitted - batch, sweep.made + made);
        (self.wanted, self.hour) = (self.wanted - made, self.hour + made);
        if one_moved {
            sweep.at_hand = 1;
        } else if sweep.admitted == 0 && sweep.to_come > 0 {
            sweep.at_hand = sweep.to_come.min(PAGE);
            sweep.to_come -= sweep.at_hand;
        }
        self.runs[run] = Some(sweep);
        let overlapping = other.filter(|other| !sweep.approved && !other.approved).map_or(0, |other| other.made);
        if sweep.made + overlapping.max(sweep.most_beside) > PER_RUN || self.hour > PER_HOUR {
            return Err(Invariant::LimitsHold);
        }
        if !scene.is_wrong {
            self.of -= made;
            self.unhelpful = if made > 0 { 0 } else { self.unhelpful };
            return Ok(());
        }
        if made > 0 {
            self.harmed += if sweep.approved { 0 } else { made };
            self.unhelpful = (self.unhelpful + 1).min(3);
            self.end(run);
        }
        if made > 1 || self.harmed > HARMED_AT_MOST {
            return Err(Invariant::AWrongRuleHarmsOne);
        }
        Ok(())
    }

    /// What it has made counts from now on, for a sweep that it overlapped with that sweep's own.
    fn end(&mut self, run: usize) {
        if let (Some(ended), Some(other)) = (self.runs[run].take(), self.runs[1 - run].as_mut())
            && !ended.approved
            && !other.approved
            && !other.dead
        {
            other.ended_beside = (other.ended_beside + ended.made).min(PER_RUN);
            other.most_beside = other.most_beside.max(ended.made);
        }
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, wanted, harmed, hour, .. } = self;
        write!(f, "{wanted} of {of} wanted, {hour} made within the hour, {harmed} harmed")?;
        self.runs.iter().flatten().try_for_each(|sweep| write!(f, ", {sweep:?}"))
    }
}

/// Whether so many of so many are over the share, which says nothing of few.
fn is_most(wanted: u8, of: u8) -> bool {
    usize::from(of) > Limits::SHARE_FROM && 2 * wanted > of
}

/// Explores all that can be reached, and whether all that may be done gets done from wherever that is.
pub fn explore(rules: Rules, scene: Scene) -> Result<Explored, Box<Counterexample>> {
    let start = Instant::now();
    let Scene { of, wanted, later, .. } = scene;
    let first =
        Crowd { of, wanted, later, harmed: 0, hour: 0, unhelpful: 0, may_move: true, may_die: true, runs: [None; 2] };
    let mut found: HashMap<Crowd, u32, BuildHasherDefault<Multiply>> = HashMap::default();
    found.insert(first, 0);
    let (mut all, mut came_from, mut back) = (vec![first], vec![(0_u32, None)], vec![Vec::new()]);
    let (mut next, mut depth, mut deeper) = (0, 0, 1);
    let counterexample = |broken, all: &[Crowd], came_from: &[(u32, Option<Action>)], at: usize, last: String| {
        Box::new(Counterexample { broken, states: all.len(), trace: trace(all, came_from, at, &last) })
    };
    while next < all.len() {
        if next == deeper {
            (depth, deeper) = (depth + 1, all.len());
        }
        let crowd: Crowd = all[next];
        let mut actions = Vec::new();
        crowd.actions(scene, |action| actions.push(action));
        for action in actions {
            let reached = crowd
                .apply(action, &rules, scene)
                .map_err(|broken| counterexample(broken, &all, &came_from, next, format!("{action:?}")))?;
            let to = *found.entry(reached).or_insert_with(|| {
                all.push(reached);
                came_from.push((next as u32, Some(action)));
                back.push(Vec::new());
                (all.len() - 1) as u32
            });
            back[to as usize].push(next as u32);
        }
        next += 1;
    }
    if !scene.is_wrong && (scene.approves || !is_most(wanted, of)) {
        let mut gets_done: Vec<bool> = all.iter().map(|crowd| crowd.wanted == 0).collect();
        let mut work: Vec<usize> = (0..all.len()).filter(|at| gets_done[*at]).collect();
        while let Some(at) = work.pop() {
            for from in back[at].iter().map(|from| *from as usize) {
                if !std::mem::replace(&mut gets_done[from], true) {
                    work.push(from);
                }
            }
        }
        if let Some(at) = gets_done.iter().position(|done| !done) {
            let last = "it is never done".to_owned();
            return Err(counterexample(Invariant::EverythingEnds, &all, &came_from, at, last));
        }
    }
    Ok(Explored { states: all.len(), quiet: 0, depth, whole: true, seconds: start.elapsed().as_secs_f64() })
}

/// The way to a state, one line for each thing that happened.
fn trace(all: &[Crowd], came_from: &[(u32, Option<Action>)], mut at: usize, last: &str) -> String {
    let mut lines = vec![format!("→ {last}")];
    while let (from, Some(action)) = came_from[at] {
        lines.push(format!("{action:?}: {}", all[at]));
        at = from as usize;
    }
    lines.push(format!("begins: {}", all[0]));
    lines.reverse();
    lines.join("\n")
}
