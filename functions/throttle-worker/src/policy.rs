//! The manifest's `[policy]`.

use remediation::gather::error::Error;
use remediation::gather::manifest;
use serde::Deserialize;

/// What this step alone knows.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What is left after a step down.
    pub factor: f64,
    /// Not less than this.
    pub floor: u32,
    /// The most that a person may ask for.
    pub ceiling: u32,
    /// How long the state machine has to go on trying.
    pub retry_seconds: u32,
    /// Runs that the account has to keep unreserved.
    pub kept_unreserved: u32,
    /// How long it must have been quiet.
    pub quiet_minutes: u32,
}

impl Policy {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a number that is missing or makes no sense.
    pub fn read(manifest: &str) -> Result<Self, Error> {
        let policy: Self = manifest::policy(manifest)?;
        // It has to get somewhere, and not to a halt.
        let sound = policy.factor > 0.0 && policy.factor < 1.0 && policy.floor >= 1 && policy.ceiling >= policy.floor;
        let fault =
            "manifest.toml: [policy]: `factor` must be between 0 and 1, `floor` 1 or more, `ceiling` not below it";
        if sound { Ok(policy) } else { Err(Error::Configuration(vec![fault.to_owned()])) }
    }
}
