//! What bounds how many runs of the worker there are at once.

/// The limit of concurrent runs that binds the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Its own: reserved concurrency.
    Reserved(u32),
    /// What the account has left for all functions that reserve nothing.
    Account(u32),
}
