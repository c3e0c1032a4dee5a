//! What must come about: once the others stop acting, everything ends, and so do we.
//!
//! From every state without the others, our steps go on in any order: they are told anything again, lag, die, or are held by the guard, as often
//! as that may be. Of what they do for ever, the cycles (strongly connected components) tell. One is fair where time passes in it, a sweep
//! comes to its end, whatever has begun goes on, and nothing dies any more or is held.

use super::action::Action;
use super::ask::Checker;
use super::pack::States;
use super::rules::Invariant;
use super::state::{HAND, SWEEP, SYNC, State, Step};

/// What happens between two states: time passes, a sweep ends, sync or what was asked by hand goes on (or waits for nothing), a step dies, or we
/// change something.
const TICK: u32 = 1 << 26;
const SWEPT: u32 = 1 << 27;
const SYNCS: u32 = 1 << 28;
const HANDS: u32 = 1 << 29;
const DIES: u32 = 1 << 30;
const CHANGE: u32 = 1 << 31;
const TO: u32 = TICK - 1;
const FAIR: u32 = TICK | SWEPT | SYNCS | HANDS;

/// The states without the others.
pub struct Quiet {
    states: States,
    /// From which of the states with them each came, for those that did.
    origins: Vec<u32>,
    steps: [bool; 3],
}

/// What was found wrong.
pub struct Wrong {
    pub broken: Invariant,
    pub origin: usize,
    pub story: String,
}

impl Quiet {
    pub fn new(steps: [bool; 3]) -> Self {
        Self { states: States::new(), origins: Vec::new(), steps }
    }

    pub fn len(&self) -> usize {
        self.states.all.len()
    }

    /// What is left of a state without the others.
    pub fn add(&mut self, state: &State, origin: usize) {
        if self.states.insert(state.without_others().packed()).1 {
            self.origins.push(origin as u32);
        }
    }

    /// Whether everything comes to its end, and so do we.
    pub fn check(&mut self, checker: &mut Checker) -> Result<(), Wrong> {
        // Without a sweep nothing is promised.
        if !self.steps[SWEEP] {
            self.steps[SWEEP] = true;
        }
        let (starts, edges) = self.connect(checker)?;
        let unfinished: Vec<bool> = self.states.all.iter().map(|state| state.state().is_unfinished()).collect();
        let edges_of = |at: usize| &edges[starts[at] as usize..starts[at + 1] as usize];
        let wrong = |at: usize, broken, what: &str| {
            let story = format!("{what}: {}", self.states.all[at].state());
            Wrong { broken, origin: self.origins[at] as usize, story }
        };
        let of = components(self.len(), |_| true, 0, &starts, &edges);
        for at in 0..self.len() {
            let changes = |edge: &&u32| **edge & CHANGE != 0 && of[(**edge & TO) as usize] == of[at];
            if edges_of(at).iter().any(|edge| changes(&edge)) {
                return Err(wrong(at, Invariant::WeComeToRest, "we change it again and again"));
            }
        }
        let of = components(self.len(), |at| unfinished[at], DIES, &starts, &edges);
        let mut happens = vec![0_u32; self.len()];
        for at in (0..self.len()).filter(|at| unfinished[*at]) {
            for edge in edges_of(at) {
                let to = (edge & TO) as usize;
                if edge & DIES == 0 && unfinished[to] && of[to] == of[at] {
                    happens[of[at] as usize] |= edge;
                }
            }
        }
        for at in (0..self.len()).filter(|at| unfinished[*at]) {
            if happens[of[at] as usize] & FAIR == FAIR {
                return Err(wrong(at, Invariant::EverythingEnds, "it stays so for ever"));
            }
        }
        Ok(())
    }

    /// All that our steps reach, and what leads from one to the next.
    fn connect(&mut self, checker: &mut Checker) -> Result<(Vec<u32>, Vec<u32>), Wrong> {
        let (mut starts, mut edges, mut actions) = (vec![0], Vec::new(), Vec::new());
        let mut at = 0;
        while at < self.states.all.len() {
            let state = self.states.all[at].state();
            actions.clear();
            state.ours(self.steps, |action| actions.push(action));
            actions.push(Action::Tick);
            for action in &actions {
                let reached = checker.apply(state, *action).map_err(|broken| Wrong {
                    broken,
                    origin: self.origins[at] as usize,
                    story: format!("{action}: {state}"),
                })?;
                let ends = reached.steps[SWEEP] == Step::Idle;
                let changed = reached.row.status != state.row.status
                    || (0..2).any(|run| {
                        reached.runs[run].map(|run| run.now.status) != state.runs[run].map(|run| run.now.status)
                            && state.runs[run].is_some_and(|run| run.runs())
                    });
                // What stops may leave something behind that writes; here, nothing writes any more.
                let reached = reached.without_others();
                let (to, new) = self.states.insert(reached.packed());
                if new {
                    self.origins.push(self.origins[at]);
                }
                let mut flags = match action {
                    Action::Tick => TICK,
                    Action::Ours(SWEEP) if ends => SWEPT,
                    Action::Ours(SYNC) => SYNCS,
                    Action::Ours(HAND) => HANDS,
                    Action::Dies(_) => DIES,
                    _ => 0,
                };
                for (step, goes_on) in [(SYNC, SYNCS), (HAND, HANDS)] {
                    flags |= if state.steps[step] == Step::Idle { goes_on } else { 0 };
                }
                edges.push(to as u32 | flags | if changed { CHANGE } else { 0 });
            }
            at += 1;
            starts.push(edges.len() as u32);
        }
        Ok((starts, edges))
    }
}

/// Tarjan's strongly connected components of the part of a graph that is wanted, without some edges: the number of each state's.
fn components(len: usize, wanted: impl Fn(usize) -> bool, without: u32, starts: &[u32], edges: &[u32]) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let (mut index, mut low, mut of) = (vec![NONE; len], vec![0_u32; len], vec![NONE; len]);
    let (mut stack, mut work): (Vec<u32>, Vec<(u32, u32)>) = (Vec::new(), Vec::new());
    let (mut count, mut number) = (0, 0);
    for root in (0..len).filter(|at| wanted(*at)) {
        if index[root] != NONE {
            continue;
        }
        work.push((root as u32, starts[root]));
        while let Some((at, edge)) = work.pop() {
            let node = at as usize;
            if index[node] == NONE {
                (index[node], low[node]) = (count, count);
                count += 1;
                stack.push(at);
            }
            let mut next = edge;
            let mut deeper = false;
            while next < starts[node + 1] {
                let to = (edges[next as usize] & TO) as usize;
                if edges[next as usize] & without == 0 && wanted(to) && of[to] == NONE {
                    if index[to] == NONE {
                        work.push((at, next));
                        work.push((to as u32, starts[to]));
                        deeper = true;
                        break;
                    }
                    low[node] = low[node].min(low[to]);
                }
                next += 1;
            }
            if deeper {
                continue;
            }
            if low[node] == index[node] {
                while let Some(member) = stack.pop() {
                    of[member as usize] = number;
                    if member == at {
                        break;
                    }
                }
                number += 1;
            }
        }
    }
    of
}
