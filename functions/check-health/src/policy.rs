//! The manifest's `[policy]`.

use std::time::Duration;

use remediation::gather::error::Error;
use remediation::gather::manifest::Manifest;

/// What this step alone knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// How long a check may take.
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
}

impl Policy {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming the number that is missing.
    pub fn read(manifest: &str) -> Result<Self, Error> {
        let manifest = Manifest::parse(manifest)?;
        let policy = manifest.rest.get("policy");
        let number = |name: &str| {
            policy
                .and_then(|policy| policy.get(name))
                .and_then(|value| {
                    value.as_float().or_else(|| value.as_integer().and_then(|n| i32::try_from(n).ok()).map(f64::from))
                })
                .ok_or_else(|| Error::Configuration(vec![format!("manifest.toml: policy.{name} must be a number")]))
        };
        Ok(Self {
            limit: Duration::try_from_secs_f64(number("check_seconds")?)
                .map_err(|error| Error::Configuration(vec![format!("manifest.toml: policy.check_seconds: {error}")]))?,
            connections_percent: number("connections_percent")?,
            error_rate_percent: number("error_rate_percent")?,
            worker_percent: number("worker_percent")?,
            cold_starts_percent: number("cold_starts_percent")?,
            cold_starts_from_runs: number("cold_starts_from_runs")?,
            throttles: number("throttles")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_has_every_number() {
        let policy = Policy::read(include_str!("../manifest.toml")).unwrap();
        assert_eq!(policy.limit, Duration::from_secs(5));
        let error = Policy::read("name = \"x\"\n[policy]\ncheck_seconds = 5\n").unwrap_err().to_string();
        assert!(error.contains("policy.connections_percent must be a number"), "{error}");
    }
}
