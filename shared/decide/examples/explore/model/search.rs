//! Explores everything that can be reached, breadth first, so that what it finds it tells as a shortest trace.

use std::fmt;
use std::time::Instant;

use super::action::Action;
use super::ask::{ByHand, Checker};
use super::liveness::Quiet;
use super::pack::States;
use super::rules::{Invariant, Rules};
use super::state::{Cancel, HAND, State};

/// What was found wrong, and how it comes about.
#[derive(Debug)]
pub struct Counterexample {
    pub broken: Invariant,
    pub states: usize,
    pub trace: String,
}

/// What was explored.
#[derive(Clone, Copy)]
pub struct Explored {
    pub states: usize,
    /// The same without the others, in which everything has to come to its end.
    pub quiet: usize,
    /// How many things happened at most.
    pub depth: usize,
    /// Whether that is all there is: nothing new can be reached any more.
    pub whole: bool,
    pub seconds: f64,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, quiet, depth, whole, seconds } = self;
        let whole = if *whole { "all there is" } else { "as deep as was asked" };
        write!(f, "{states} states and {quiet} without the others, depth {depth} ({whole}), {seconds:.1} s")
    }
}

/// How far a search goes.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Which of our steps there are: sync, sweep, what is asked by hand.
    pub steps: [bool; 3],
    pub by_hand: ByHand,
    /// Whether a user cancels.
    pub cancel: bool,
    /// Whether a user retries, and so whether there is a second execution.
    pub retry: bool,
    /// Whether a person redrives.
    pub redrive: bool,
    /// Whether every new attempt raises the row's count.
    pub counted: bool,
    /// Whether it begins with a failed process, which we start anew.
    pub ours: bool,
    /// How many things happen at most, before the others stop acting; `None`: as many as make a difference.
    pub depth: Option<usize>,
}

/// Explores everything that can be reached within the bounds.
pub fn explore(rules: Rules, bounds: Bounds) -> Result<Explored, Box<Counterexample>> {
    let start = Instant::now();
    let mut checker = Checker::new(rules, bounds.by_hand, bounds.counted);
    let first = State {
        cancel: if bounds.cancel { Cancel::Possible } else { Cancel::Done },
        user_retried: !bounds.retry,
        may_redrive: bounds.redrive,
        operator: bounds.steps[HAND],
        ..if bounds.ours { State::FAILED } else { State::ACCEPTED }
    };
    let mut states = States::new();
    states.insert(first.settled().packed());
    let mut came_from: Vec<u32> = vec![0];
    let mut quiet = Quiet::new(bounds.steps);
    let (mut next, mut depth, mut deeper) = (0, 0, 1);
    let mut actions = Vec::new();
    while next < states.all.len() {
        if next == deeper {
            (depth, deeper) = (depth + 1, states.all.len());
        }
        let state = states.all[next].state();
        quiet.add(&state, next);
        if bounds.depth == Some(depth) {
            next += 1;
            continue;
        }
        collect(&state, bounds.steps, &mut actions);
        for action in &actions {
            match checker.apply(state, *action) {
                Ok(reached) => {
                    if states.insert(reached.packed()).1 {
                        came_from.push(next as u32);
                    }
                }
                Err(broken) => {
                    let trace = trace(&mut checker, bounds, &states, &came_from, next, &action.to_string());
                    return Err(Box::new(Counterexample { broken, states: states.all.len(), trace }));
                }
            }
        }
        next += 1;
    }
    let found = quiet.check(&mut checker);
    if let Err(wrong) = found {
        let last = format!("the others stop acting; then {}", wrong.story);
        let trace = trace(&mut checker, bounds, &states, &came_from, wrong.origin, &last);
        return Err(Box::new(Counterexample { broken: wrong.broken, states: states.all.len(), trace }));
    }
    Ok(Explored {
        states: states.all.len(),
        quiet: quiet.len(),
        depth,
        whole: bounds.depth != Some(depth),
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn collect(state: &State, steps: [bool; 3], actions: &mut Vec<Action>) {
    actions.clear();
    state.others(|action| actions.push(action));
    state.ours(steps, |action| actions.push(action));
    state.retries(|action| actions.push(action));
}

/// The way to a state, one line for each thing that happened: which that was is found by doing everything again.
fn trace(
    checker: &mut Checker,
    bounds: Bounds,
    states: &States,
    came_from: &[u32],
    mut at: usize,
    last: &str,
) -> String {
    let mut lines = vec![format!("→ {last}")];
    let mut actions = Vec::new();
    while at != 0 {
        let (from, reached) = (came_from[at] as usize, states.all[at]);
        let state = states.all[from].state();
        collect(&state, bounds.steps, &mut actions);
        let led = actions.iter().find(|action| checker.apply(state, **action).is_ok_and(|to| to.packed() == reached));
        let led = led.map(ToString::to_string).unwrap_or_default();
        lines.push(format!("{led}: {}", reached.state()));
        at = from;
    }
    lines.push(format!("begins: {}", states.all[0].state()));
    lines.reverse();
    lines.join("\n")
}
