//! Every interleaving of the application, Step Functions, people and our own steps around one process, explored with the real
//! [`remediation_decide`]: an explicit-state model checker, breadth first, so that what it finds it tells as a shortest trace. The model is in
//! `examples/explore`; here it goes as deep as there is time for, `cargo run --release -p remediation-decide --example explore` goes on until
//! nothing new can be reached.
//!
//! # What is covered
//!
//! - One process (decisions share nothing between processes), at most two executions of it, of which one may be redriven; three steps of ours at
//!   once (one event sync, one sweep, one look or cancel by hand), one cancel and one retry by a user, one retry by us. Everything that may
//!   happen later may also never happen, which is how losses and deaths are covered; events may be delivered any number of times.
//! - The workflow: its first step's PROCESSING, the task, which may also return its own failure, COMPLETED with or without a result,
//!   HandleError and HandleTimeout (FAILED, then a `Fail` state). Each of its writes is unguarded and may be lost while the workflow goes on.
//! - The worker: progress, FAILED before Step Functions tries the task again, death at any point.
//! - What outlives its task or its execution (`late`): progress, PROCESSING, COMPLETED or FAILED at any later time, as
//!   often as it likes, unguarded.
//! - The whole execution's timeout and a stop by hand, at any point. A redrive of what has failed, timed out or was stopped.
//! - A user's cancel, read and written apart, over whatever the row says by then, and written once more as FAILED with its code; its StopExecution goes to a name that
//!   does not exist and does nothing. A user's retry, also while the old execution still runs.
//! - Our steps in parts: look, read and decide, list, write; or look again at the execution, stop it, close the ledger's action, remember what was
//!   read, start over. The others act in between, and a step may die at each point, or be held by the guard, which is the same for the process.
//!   Writes compare the row and the newest known execution. Every write and stop is judged by its severity, as the ramp judges it, and asked of the
//!   real [`guard`], which lets it through where nothing is in its way and holds it where anything is.
//! - A crowd of rows (`crowd.rs`), counted: two sweeps that overlap, or a person's approval in parts; the real guard and the real [`ramp`]; a run that
//!   dies, a row that somebody else moves, rows that break later; a rule that is wrong.
//! - What is asked by hand: listed, and then decided; a cancel with the real [`cancel`]: what runs is stopped (the overtaken one first), and the row
//!   is written last. What starts after its last list is the sweep's.
//! - Our retry in parts: list and look, re-open the row and register the execution, start it; or have it refused and put the row
//!   back; or die in between, or get no answer, while the call may get through yet. What is left so is resolved by a later
//!   run, or never.
//! - Reads that lag: a list may show RUNNING, or not yet show an execution or a redrive, for what changed since the last tick.
//! - Time: ticks at any moment. `SETTLE_SECONDS` passes with one tick, `START_DEADLINE_SECONDS` with two,
//!   `PROCESS_DEADLINE_SECONDS` with three. Between ticks the order of what happened is kept, as the decisions compare it;
//!   ages past every deadline are one age, which keeps the states finite and time unbounded.
//!
//! # What is assumed of the others
//!
//! - An execution starts within `START_DEADLINE_SECONDS` of the write that opened its row, or never.
//! - Between the write that re-opens a row and its StartExecution, two calls of one handler, nothing left of the old
//!   execution writes that row. Where it does, and the old execution also ends just then, nothing in the row or in Step
//!   Functions tells any more that a new one is on its way (only a risen `retry_count` would).
//! - A list that sync or a person asks for shows every execution that exists. A retry, its execution's start and the old execution's
//!   end, all within the second or so of a lagging list, are beyond what any reader of that list can know.
//! - Deaths, and what the guard holds, come to an end: what must come about (see `liveness.rs`) comes about after the last of them.
//!
//! # What our steps have to keep to, as the checker found
//!
//! - `now` is the time at which a look began, before its list; executions are listed before the row is read.
//! - Sync knows only what events brought; before it closes a row it lists. Whoever asks by hand lists first, and once more where an end became known
//!   after the list was begun ([`decide::listing`]).
//! - After a stop everything is looked at anew, as an event is: our own stop must not count as unsettled.
//! - Executions that a newer one has overtaken are looked at too ([`decide::overtaken`]).
//! - A stop that the ledger has open proves nothing yet: a person's stop may come before it. Only what was applied, in this same redrive, counts.
//!
//! # What is left out
//!
//! - No compare-and-set reaches into Step Functions, so a redrive between our last list and our write cannot be seen (`blind`). It heals: a
//!   closed row beside a running execution is left, and its late success stands.
//! - Rows closed by hand, `REQUIRE_RESULT`, and a `completed_at` left over from before: the table tests have them.
//! - What the application overwrites. A late worker may re-open or half-write a row that we closed, and a workflow's step
//!   may undo a cancel; nothing but the fence (design, 6.9) prevents that. So the invariants are about what *we* write and
//!   stop, and about where everything ends once the others have stopped writing.
//!
//! [`guard`]: remediation_decide::guard::guard
//! [`ramp`]: remediation_decide::guard::ramp
//! [`cancel`]: remediation_decide::decide::cancel
//! [`decide::listing`]: remediation_decide::decide::listing
//! [`decide::overtaken`]: remediation_decide::decide::overtaken

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod broken;
#[path = "../../examples/explore/model/mod.rs"]
mod model;
#[path = "../../examples/explore/searches.rs"]
mod searches;

use model::crowd::SCENES;
use model::rules::REAL;
use model::search::{Bounds, Counterexample, Explored, explore};
use searches::SEARCHES;

fn holds(name: &str, bounds: Bounds) {
    is_sound(name, explore(REAL, bounds));
}

#[track_caller]
fn is_sound(name: &str, found: Result<Explored, Box<Counterexample>>) {
    match found {
        Ok(found) => println!("{name}: {found}"),
        Err(found) => panic!("{name}: {:?} after {} states\n{}", found.broken, found.states, found.trace),
    }
}

#[test]
fn no_interleaving_breaks_an_invariant_as_deep_as_there_is_time_for() {
    for (name, bounds) in SEARCHES {
        holds(name, Bounds { depth: Some(8), ..bounds });
    }
}

#[test]
fn no_interleaving_of_sync_and_sweep_breaks_an_invariant_however_deep() {
    let (name, bounds) = SEARCHES[0];
    holds(name, bounds);
}

/// Both steps, two executions, a cancel and a retry.
#[test]
fn no_interleaving_of_everything_breaks_an_invariant() {
    holds("everything", Bounds { depth: Some(8), ..broken::EVERYTHING });
    holds("everything beside a redrive", Bounds { depth: Some(7), redrive: true, ..broken::EVERYTHING });
    holds("everything after a failure that we retry", Bounds { depth: Some(8), ..broken::OURS });
}

/// All of them but those that a person approves, which have a thousand times as many states.
#[test]
fn no_crowd_gets_past_its_limits() {
    for (name, scene) in SCENES.into_iter().filter(|(_, scene)| !scene.approves) {
        is_sound(name, model::crowd::explore(REAL, scene));
    }
}

#[test]
fn a_state_is_the_same_when_it_is_unpacked() {
    let mut checker = model::ask::Checker::new(REAL, model::ask::ByHand::Cancel, true);
    let mut states =
        vec![model::state::State { may_redrive: true, operator: true, ..model::state::State::ACCEPTED }.settled()];
    for at in 0..3000 {
        let state = states[at];
        assert_eq!(state.packed().state(), state);
        let mut actions = Vec::new();
        state.others(|action| actions.push(action));
        state.ours([true; 3], |action| actions.push(action));
        states.extend(actions.iter().filter_map(|action| checker.apply(state, *action).ok()));
    }
}
