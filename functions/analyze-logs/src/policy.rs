//! The manifest's `[policy]`.

use serde::Deserialize;

/// What this step alone knows; the manifest says what each number is for.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub executions: usize,
    pub events_per_execution: usize,
    pub ledger_entries: usize,
    pub log_requests: u32,
    pub log_lines: usize,
    pub entries: usize,
    pub before_seconds: i64,
    pub after_seconds: i64,
    pub gap_seconds: i64,
}
