//! The manifest's `[policy]`.

use serde::Deserialize;

/// What this step alone knows.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// How far back it looks where nothing else is asked for.
    pub window_minutes: u32,
    /// From which share of the failures on a cause is dominant, in percent.
    pub dominant_percent: f64,
    /// From how many failures on a cause is named.
    pub least_count: i64,
    /// Over which share of its own processes a type may be named, in percent.
    pub type_percent: f64,
    /// How many times the others' share that has to be.
    pub type_factor: f64,
    /// FilterLogEvents requests.
    pub log_requests: u32,
    /// Lines of the log.
    pub log_lines: usize,
    /// How long what people were told is not told again.
    pub tell_again_hours: u32,
}
