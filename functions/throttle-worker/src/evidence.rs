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
    /// Environments that are kept ready for the alias: no fewer runs than that can be reserved.
    pub provisioned: Option<u32>,
    /// How long the worker's longer runs take, in seconds; `None`: not known.
    pub run_seconds: Option<f64>,
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
    /// It is OK, and has been since then.
    Since(DateTime<Utc>),
    /// It is not known to be OK.
    Unknown,
}
