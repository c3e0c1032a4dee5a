//! The manifest's `[policy]`.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Its manifest.
pub const MANIFEST: &str = include_str!("../manifest.toml");

/// How far back it looks at the worker. A report comes when the run is over, so this is about runs that ended.
pub const WITHIN: Duration = Duration::from_secs(300);

/// What this step alone knows.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// How long a check may take.
    #[serde(rename = "check_seconds", deserialize_with = "seconds")]
    pub limit: Duration,
    /// From how many percent of the connections on the report warns.
    pub connections_percent: f64,
    /// Over which error rate in percent the report warns.
    pub error_rate_percent: f64,
    /// Over how many percent of its timeout, and of its memory, a run of the worker warns.
    pub worker_percent: f64,
    /// Over how many percent of cold starts the report warns.
    pub cold_starts_percent: f64,
    /// Of fewer runs than this a share of cold starts says nothing: after a quiet time the first run is always one.
    pub cold_starts_from_runs: f64,
    /// Over how many throttled calls the report warns.
    pub throttles: f64,
    /// Over how many runs that Lambda refused the report warns.
    pub worker_throttles: f64,
    /// From how many processes on, or from how many failures, a share of them is a rate.
    pub rate_from_closed: i64,
    /// The failures of it.
    pub rate_from_failed: i64,
    /// From how many completed processes on their durations are measured.
    pub durations_from_completed: i64,
}

fn seconds<'de, D: Deserializer<'de>>(number: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(number)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use remediation::gather::manifest;

    use super::*;

    #[test]
    fn the_manifest_has_every_number() {
        let policy: Policy = manifest::policy(MANIFEST).unwrap();
        assert_eq!(policy.limit, Duration::from_secs(5));
        for (line, instead, told) in [
            ("connections_percent = 80", "", "missing field `connections_percent`"),
            ("connections_percent = 80", "connections_percent = \"80\"", "invalid type"),
            ("check_seconds = 5", "check_seconds = -5", "negative"),
        ] {
            assert!(MANIFEST.contains(line), "{line}");
            let error = manifest::policy::<Policy>(&MANIFEST.replace(line, instead)).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("[policy]"), "{line} → {instead:?}: {error}");
        }
    }
}
