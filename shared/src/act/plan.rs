//! What a step wants: the changes, before any is made, and what it has to tell.

use serde_json::Value;

use crate::act::action::Planned;
use crate::finding::{Finding, Metric, Skipped};
use crate::gather::session::Cursor;
use crate::guard::Shares;

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
    /// Of which classes there is another number, counted over everything.
    pub shares: Shares,
    /// What it measured.
    pub metrics: Vec<Metric>,
    /// A report of its own, for the step that makes one.
    pub report: Option<Value>,
    /// Where the next run goes on, after a sweep.
    pub cursor: Option<Cursor>,
    /// Why the work is not finished, where it is not.
    pub unfinished: Option<String>,
}
