//! What decides how much concurrency the worker is left with.

use chrono::{DateTime, Utc};
use remediation::run::worker_step;

/// What was read.
pub struct Evidence {
    /// What every worker step reads.
    pub worker: worker_step::Evidence,
    /// Executions that run now.
    pub running: u32,
    /// Runs that the account has left.
    pub unreserved: Option<u32>,
    /// Since when the alarm has been quiet.
    pub quiet: Quiet,
    /// Why the concurrency is what our open lease says, in the ledger's word.
    pub cause: Option<String>,
    /// A plan is being approved: all that may have been in it is planned anew.
    pub approving: bool,
}

/// Since when the alarm has been OK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// The alarm itself has just said so.
    Now,
    /// Its last incident closed then.
    Since(DateTime<Utc>),
    /// No incident of it is known to have closed.
    Unknown,
}
