//! The manifest's `[policy]`.

use serde::Deserialize;

/// What this step alone knows; the manifest says what each number is for.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub window_hours: i64,
    pub scheduled_window_hours: i64,
    pub slower_percent: f64,
    pub samples: i64,
    pub memory_percent: f64,
    pub share_points: f64,
    pub usd_per_gb: f64,
    pub max_usd: f64,
}
