//! What a step wants: the changes, before any is made, and what it has to tell.

use serde_json::Value;
use uuid::Uuid;

use crate::act::actions::Action;
use crate::finding::{Finding, Metric, Skipped};
use crate::gather::session::Cursor;
use crate::redact;

/// What a step wants, and what it has to tell.
#[derive(Debug, Default)]
pub struct Plan {
    /// The changes that it wants, in this order.
    pub actions: Vec<Planned>,
    /// What is worth telling.
    pub findings: Vec<Finding>,
    /// What it left alone, and why.
    pub skipped: Vec<Skipped>,
    /// How many targets were looked at in all: a change of more than a share of them is suspect.
    pub population: usize,
    /// What it measured.
    pub metrics: Vec<Metric>,
    /// A report of its own, for the step that makes one.
    pub report: Option<Value>,
    /// Where the next run goes on, after a sweep.
    pub cursor: Option<Cursor>,
    /// Why the work is not finished, where it is not.
    pub unfinished: Option<String>,
}

/// An action that a step wants, with the one sentence that says why.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its identity in the ledger.
    pub id: Uuid,
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason: String,
}

impl Planned {
    /// An action with an identity of its own. Its reason loses here, before ledger, log, answer and message, what nobody may see.
    #[must_use]
    pub fn new(action: Action, reason: String) -> Self {
        Self { id: Uuid::now_v7(), action, reason: redact::text(&reason) }
    }
}
