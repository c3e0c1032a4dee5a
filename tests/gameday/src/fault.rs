//! What a fault is: a way to break the patient, and what must have become of it.

use std::fmt::Display;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use patient::{Patient, Process};
use serde_json::Value;

use crate::application::{Application, Kept};
use crate::beside::Also;
use crate::expected::Expected;
use crate::outcome::Outcome;
use crate::world::World;

/// A fault of an application, one small file in `faults/`.
pub trait Fault<A = Patient>: Sync {
    /// Names it on the command line and in the reports.
    fn name(&self) -> &'static str;

    /// One sentence for people: what goes wrong.
    fn story(&self) -> &'static str;

    /// What must have become of it.
    fn expected(&self, patient: &A) -> Expected;

    /// Breaks something, and returns once it is broken.
    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a>;

    /// Why this application cannot have it; `None`: it can.
    fn cannot(&self, _patient: &A) -> Option<&'static str> {
        None
    }

    /// Whether others would suffer while this is being broken: it is broken before them, then.
    fn alone(&self) -> bool {
        false
    }
}

/// Faults of one application.
pub type Faults<A> = Vec<&'static dyn Fault<A>>;

/// Breaks something.
pub type Breaking<'a> = Pin<Box<dyn Future<Output = Outcome<Broken>> + Send + 'a>>;

/// What a fault has broken.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The process.
    pub process: String,
    /// Its execution, where that is known.
    pub execution: Option<String>,
    /// When it was broken: a repair is timed from here.
    pub at: DateTime<Utc>,
    /// What is wrong, for the timeline.
    pub what: String,
    /// The row as it was left behind; read when it was broken, so an event's step may have been quicker.
    pub before: Kept,
    /// The row as it must be as long as the product changes nothing.
    pub left: Kept,
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
    pub async fn now<A: Application>(
        world: &World<A>,
        process: impl Display,
        what: impl Into<String>,
    ) -> Outcome<Self> {
        let process = process.to_string();
        let before = world.patient.read(&process).await?;
        let (at, what, left) = (Utc::now(), what.into(), before.clone());
        Ok(Self { process, execution: None, at, what, left, before, looks: Vec::new(), also: None })
    }

    /// The same, with its execution.
    pub async fn of<A: Application>(
        world: &World<A>,
        process: &Process<String>,
        what: impl Into<String>,
    ) -> Outcome<Self> {
        let broken = Self::now(world, &process.id, what).await?;
        Ok(Self { execution: Some(process.execution_arn.clone()), ..broken })
    }

    /// Whether the ledger speaks of an execution of this process. Those of the guide's application are called after it.
    pub fn has(&self, execution: &str) -> bool {
        execution.contains(":execution:")
            && (self.execution.as_deref() == Some(execution) || execution.contains(&self.process))
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
        let beside = self.also.iter().map(|also| also.target.clone());
        std::iter::once(self.process.clone()).chain(self.execution.clone()).chain(beside).collect()
    }

    /// Another run that must have looked.
    pub fn looked_at(mut self, trigger: Value, times: i64) -> Self {
        self.looks.push(Look { trigger, times });
        self
    }
}
