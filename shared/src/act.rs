//! What a run does to the outside: guarded, recorded before it happens (design, section 6). The only writes.

pub mod action;
pub mod actions;
pub mod escalation;
pub mod guard;
pub mod lease;
pub mod ledger;
pub mod lint;
pub mod plan;
pub mod report;
pub mod rows;
pub mod step_functions;
pub mod texts;
pub mod topic;
pub mod undoing;
pub mod worker;
