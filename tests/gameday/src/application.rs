//! What the game has to know of an application to break it: the guide's, and those that a profile describes.

use chrono::{DateTime, Utc};
use patient::Process;
use patient::profiled::Goes;
use serde_json::Value;

use crate::events::Execution;
use crate::expected::Expected;
use crate::image::Image;
use crate::outcome::Outcome;

/// An application of a game day.
pub trait Application: Send + Sync + Sized + 'static {
    /// Starts a process that goes so, and whose row nobody tells how it ends.
    fn begin(&self, goes: Goes) -> impl Future<Output = Outcome<Process<String>>> + Send;

    /// Accepts a process that nobody ever starts, and returns its id.
    fn accept_only(&self) -> impl Future<Output = Outcome<String>> + Send;

    /// Leaves behind a process that has been under way since then, and tells of the execution that it would have: there is none.
    fn leave(&self, started_at: DateTime<Utc>) -> impl Future<Output = Outcome<(String, Execution)>> + Send;

    /// A process's row.
    fn read(&self, process: &str) -> impl Future<Output = Outcome<Kept>> + Send;

    /// Whether it says that the work has begun.
    fn is_at_work(row: &Kept) -> bool;

    /// How many rows there are but those of these processes, and what they come to.
    fn fingerprint(&self, but: &[String]) -> impl Future<Output = Outcome<(i64, Option<String>)>> + Send;

    /// What must become of a process that ended so.
    fn expects(&self, end: End) -> Expected;

    /// How its rows say what is expected of them.
    fn says(&self, expected: &Expected) -> Says;
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its execution succeeded.
    Succeeded,
    /// Its execution failed.
    Failed,
    /// Its execution took too long.
    TimedOut,
    /// It never had one.
    NeverStarted,
    /// Somebody stopped its execution.
    Aborted,
}

/// What a row says of its process, in the application's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct Says {
    pub status: String,
    /// As far as it is judged: the guide's code, or all that another application keeps.
    pub error: Value,
    /// Whether a result is there.
    pub result: bool,
    /// Whether the time of its end is there.
    pub ended: bool,
    /// `None`: whatever it is.
    pub progress: Option<i64>,
    /// What lies beside it and is nobody's business.
    pub other: Value,
}

/// A row as the game has read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub says: Says,
    /// For people.
    pub image: Image,
    /// As the product understands it.
    pub understood: Image,
    /// All that it says.
    pub all: Value,
}
