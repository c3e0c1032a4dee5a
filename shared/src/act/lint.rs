//! Reads what a step wants before it is stored or done (design, 6.12): pure. A fault of the plan is a fault of the step, and nothing of it
//! is done then.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use uuid::Uuid;

use crate::act::action::kind::Kind;
use crate::act::action::{Action, Class, Planned};
use crate::act::actions::undo::Undo;
use crate::act::ledger::entries::UNDO;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing of the plan may be done.
    Fault,
    /// This one is not done, and that is told.
    Warning,
}

/// What is wrong with an action of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is of a kind that the step does not make.
    Foreign,
    /// The same is wanted of the same target before.
    Twice,
    /// An execution is stopped behind the closing that rests on it: first it has to be over.
    StopBehindClosing,
    /// Its target has that value already.
    AlreadySo,
    /// It takes back what took something back.
    UndoOfUndo,
}

impl Wrong {
    /// How bad that is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::AlreadySo => Severity::Warning,
            Self::Foreign | Self::Twice | Self::StopBehindClosing | Self::UndoOfUndo => Severity::Fault,
        }
    }
}

/// What is wrong with these actions, by their places. `kinds` are those that the step makes.
#[must_use]
pub fn lint(wanted: &[Planned], kinds: &[Kind]) -> Vec<(usize, Wrong)> {
    let known: HashSet<&str> = kinds.iter().flat_map(Kind::names).copied().chain([UNDO]).collect();
    let mut seen: HashMap<String, HashSet<(&str, Option<Uuid>)>> = HashMap::with_capacity(wanted.len());
    // What rows are closed by: most plans have no stop, and none of this then.
    let stops = wanted.iter().any(|planned| planned.action.class() == Class::Stop);
    let mut closed_by: HashSet<String> = HashSet::new();
    let mut wrong = Vec::new();
    for (at, planned) in wanted.iter().enumerate() {
        let action = planned.action.as_ref();
        if !known.contains(action.kind()) {
            wrong.push((at, Wrong::Foreign));
        }
        // Several changes of one target may be taken back, each once.
        let undo = action.downcast::<Undo>();
        if !seen.entry(action.target()).or_default().insert((action.kind(), undo.map(|undo| undo.entry.id))) {
            wrong.push((at, Wrong::Twice));
        }
        if stops && action.class() == Class::Closing {
            closed_by.extend(action.rests_on()["execution"].as_str().map(str::to_owned));
        }
        if action.class() == Class::Stop && closed_by.contains(&action.target()) {
            wrong.push((at, Wrong::StopBehindClosing));
        }
        if undo.is_some_and(|undo| undo.entry.undoes.is_some() || undo.entry.kind == UNDO) {
            wrong.push((at, Wrong::UndoOfUndo));
        }
        if is_already_so(action) {
            wrong.push((at, Wrong::AlreadySo));
        }
    }
    wrong
}

/// Whether every value that both images name is the same in both.
fn is_already_so(action: &dyn Action) -> bool {
    match action.class() {
        Class::Closing | Class::Correction | Class::Repair | Class::Goal | Class::Setting => {}
        Class::Stop
        | Class::Start
        | Class::Session
        | Class::Index
        | Class::Step
        | Class::Fence
        | Class::Lease
        | Class::Message
        | Class::Own => {
            return false;
        }
    }
    if action.is_end() || action.is_undo() {
        return false;
    }
    let (before, after) = action.preview();
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return false };
    let mut named = before.iter().filter_map(|(name, value)| Some((value, after.get(name)?))).peekable();
    named.peek().is_some() && named.all(|(before, after)| before == after)
}

#[cfg(test)]
mod tests;
