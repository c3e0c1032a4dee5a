//! The step's own numbers: `[policy]` of its manifest.

use chrono::TimeDelta;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use serde::Deserialize;

/// How often, how fast, and when not.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The longest first wait, in seconds.
    pub initial_seconds: f64,
    /// The longest first wait where a service was called too often, in seconds.
    pub throttled_initial_seconds: f64,
    /// By how much each wait may be longer than the one before.
    pub rate: f64,
    /// The longest wait of all, in seconds.
    pub max_seconds: f64,
    /// Attempts of one process in all, the application's own included.
    pub attempts: u32,
    /// The share of transient failures up to which everything is retried, in percent.
    pub error_rate_percent: f64,
    /// How long nothing is tried after a probe that failed, in seconds.
    pub probe_pause_seconds: u32,
}

impl Policy {
    /// Reads `[policy]` of a manifest.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming every key that is missing or makes no sense.
    pub fn parse(manifest: &str) -> Result<Self, Error> {
        let policy: Self = manifest::policy(manifest)?;
        let checks = [
            ("initial_seconds", policy.initial_seconds >= 0.0, "0 or more"),
            ("throttled_initial_seconds", policy.throttled_initial_seconds >= 0.0, "0 or more"),
            ("rate", policy.rate >= 1.0, "1 or more"),
            (
                "max_seconds",
                (0.0..=900.0).contains(&policy.max_seconds),
                "from 0 to 900, which is as long as a Lambda lives",
            ),
            ("attempts", policy.attempts >= 1, "1 or more"),
            ("error_rate_percent", (0.0..=100.0).contains(&policy.error_rate_percent), "from 0 to 100"),
        ];
        let faults: Vec<String> = checks
            .into_iter()
            .filter(|(_, holds, _)| !holds)
            .map(|(key, _, may_be)| format!("manifest.toml: [policy]: `{key}` must be {may_be}"))
            .collect();
        if faults.is_empty() { Ok(policy) } else { Err(Error::Configuration(faults)) }
    }

    /// How long nothing is tried after a probe that failed.
    #[must_use]
    pub fn probe_pause(&self) -> TimeDelta {
        TimeDelta::seconds(self.probe_pause_seconds.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const MANIFEST: &str = include_str!("../manifest.toml");

    #[test]
    fn the_manifest_has_the_guides_numbers() {
        let policy = Policy::parse(MANIFEST).unwrap();
        assert_eq!((policy.initial_seconds, policy.throttled_initial_seconds, policy.rate), (1.0, 5.0, 2.0));
        assert_eq!((policy.max_seconds, policy.attempts, policy.error_rate_percent), (60.0, 3, 5.0));
        assert_eq!(policy.probe_pause(), TimeDelta::minutes(5));
    }

    #[test]
    fn a_number_that_is_missing_or_makes_no_sense_is_named() {
        for (line, instead, told) in [
            ("rate = 2", "", "missing field `rate`"),
            ("rate = 2", "rate = 0.5", "`rate` must be 1 or more"),
            ("attempts = 3", "attempts = 0", "`attempts` must be 1 or more"),
            ("attempts = 3", "attempts = 3\nattempt = 3", "unknown field `attempt`"),
            ("error_rate_percent = 5", "error_rate_percent = 101", "`error_rate_percent` must be from 0 to 100"),
            ("max_seconds = 60", "max_seconds = \"1m\"", "invalid type"),
        ] {
            assert!(MANIFEST.contains(line), "{line}");
            let error = Policy::parse(&MANIFEST.replace(line, instead)).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("[policy]"), "{line} → {instead:?}: {error}");
        }
    }
}
