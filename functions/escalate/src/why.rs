//! Why people are told of an incident: pure, by what the ledger says of the steps that answer it.

use chrono::TimeDelta;

use crate::evidence::{Answering, Known};

/// Why people are told of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A step met a limit.
    Limit(String, String),
    /// A step may not do by itself what it wants.
    Waits(String, String),
    /// A step's last run failed.
    Failed(String, String),
    /// A step found something that only a person can do.
    Needs(String, String),
    /// No step answers this alarm.
    Nobody,
    /// It is not over in its time.
    Overdue(TimeDelta),
}

/// Why people are told of an incident; `None` while it is in its time, and something is done about it.
pub fn why(known: &Known, age: TimeDelta, within: TimeDelta) -> Option<Why> {
    let first = |said: fn(&Answering) -> Option<&String>| {
        known.steps.iter().find_map(|answering| Some((answering.step.clone(), said(answering)?.clone())))
    };
    let limit = first(|answering| answering.limit.as_ref()).map(|(step, said)| Why::Limit(step, said));
    let waits = || first(|answering| answering.waits_on.as_ref()).map(|(step, said)| Why::Waits(step, said));
    let failed = || first(|answering| answering.failed.as_ref()).map(|(step, said)| Why::Failed(step, said));
    let needs = || first(|answering| answering.needs.first()).map(|(step, said)| Why::Needs(step, said));
    let nobody = || (known.own && known.steps.is_empty()).then_some(Why::Nobody);
    let overdue = || (age >= within).then_some(Why::Overdue(within));
    limit.or_else(waits).or_else(failed).or_else(needs).or_else(nobody).or_else(overdue)
}
