//! What a fault is: a way to break the patient, and what must have become of it.

use std::pin::Pin;

use chrono::{DateTime, Utc};
use patient::table::Row;
use serde_json::Value;
use uuid::Uuid;

use crate::beside::Also;
use crate::outcome::Outcome;
use crate::world::World;

/// A fault, one small file in `faults/`.
pub trait Fault: Sync {
    /// Names it on the command line and in the reports.
    fn name(&self) -> &'static str;

    /// One sentence for people: what goes wrong.
    fn story(&self) -> &'static str;

    /// What must have become of it.
    fn expected(&self) -> Expected;

    /// Breaks something, and returns once it is broken.
    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a>;

    /// Whether others would suffer while this is being broken: it is broken before them, then.
    fn alone(&self) -> bool {
        false
    }
}

/// Breaks something.
pub type Breaking<'a> = Pin<Box<dyn Future<Output = Outcome<Broken>> + Send + 'a>>;

/// What must have become of a broken process.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The row's status in the end.
    pub status: &'static str,
    /// The code of the row's error in the end.
    pub code: Option<&'static str>,
    /// Whether the row has a result in the end.
    pub result: bool,
    /// The kinds of the actions that the ledger has in the end, all applied, in this order. None: hands off.
    pub actions: &'static [&'static str],
    /// What else comes to be wanted while nobody acts: nothing puts an end to it.
    pub unmended: &'static [&'static str],
    /// Who may have acted. What an event was lost for is found by whichever sweep looks first.
    pub steps: &'static [&'static str],
    /// The code of a finding that must have been told about the row.
    pub finding: Option<&'static str>,
    /// Whether the fence must have refused a write of it, so that the row stays as it was closed.
    pub refused: bool,
}

/// An event's step puts the row right at once; all else is as [`COMPLETED`] says or changed by the fault.
const SYNC: &[&str] = &["sync-execution-status"];
/// The steps that look at everything.
pub const SWEEPS: &[&str] = &["fail-timed-out-processes", "reconcile-processes"];

/// Those of them that stop what runs too long. The event of that stop may reach its own step before the sweep writes the row (design, 5).
pub const STOPPING: &[&str] = &["fail-timed-out-processes", "reconcile-processes", "sync-execution-status"];

/// The row was completed, with its result, by the event's step.
pub const COMPLETED: Expected = Expected {
    status: "COMPLETED",
    code: None,
    result: true,
    actions: &["set-row-status"],
    unmended: &[],
    steps: SYNC,
    finding: None,
    refused: false,
};

/// The row was closed as failed by the event's step.
pub const fn failed(code: &'static str) -> Expected {
    Expected { status: "FAILED", code: Some(code), result: false, ..COMPLETED }
}

/// What a fault has broken.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The process.
    pub process: Uuid,
    /// When it was broken: a repair is timed from here.
    pub at: DateTime<Utc>,
    /// What is wrong, for the timeline.
    pub what: String,
    /// The row as it was left behind; read when it was broken, so an event's step may have been quicker.
    pub before: Row,
    /// The row as it must be as long as the product changes nothing.
    pub left: Row,
    /// What else must have been looked at before all is over.
    pub looks: Vec<Look>,
    /// What else must be put right: the ledger's actions on it are counted with the process's.
    pub also: Option<Also>,
}

/// Runs that the ledger must have: so many, started by an event that has these fields.
#[derive(Debug, Clone)]
pub struct Look {
    /// A part of `remediation.runs.trigger`.
    pub trigger: Value,
    /// At least so many.
    pub times: i64,
}

impl Broken {
    /// A process that is broken from now on.
    pub async fn now(world: &World, process: Uuid, what: impl Into<String>) -> Outcome<Self> {
        let before = world.patient.row(process).await?;
        let (at, what, left) = (Utc::now(), what.into(), before.clone());
        Ok(Self { process, at, what, left, before, looks: Vec::new(), also: None })
    }

    /// Since when it has really been broken.
    pub fn since(self, at: DateTime<Utc>) -> Self {
        Self { at, ..self }
    }

    /// Something else that must be put right.
    pub fn and(self, also: Also) -> Self {
        Self { also: Some(also), ..self }
    }

    /// What the ledger's actions about it may name.
    pub fn targets(&self) -> Vec<String> {
        std::iter::once(self.process.to_string()).chain(self.also.iter().map(|also| also.target.clone())).collect()
    }

    /// Another run that must have looked.
    pub fn looked_at(mut self, trigger: Value, times: i64) -> Self {
        self.looks.push(Look { trigger, times });
        self
    }
}
