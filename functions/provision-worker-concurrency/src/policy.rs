//! The manifest's `[policy]`.

use std::ops::RangeInclusive;

use remediation::gather::error::Error;
use remediation::gather::manifest;
use serde::Deserialize;

/// What this step alone knows.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Not fewer environments than this.
    pub floor: u32,
    /// So many more at a time.
    pub step: u32,
    /// Not more than this.
    pub ceiling: u32,
    /// Runs that the account has to keep unreserved.
    pub kept_unreserved: u32,
    /// What a GB-second of provisioned concurrency costs, in USD.
    pub usd_per_gb_second: f64,
}

impl Policy {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a number that is missing or makes no sense.
    pub fn read(manifest: &str) -> Result<Self, Error> {
        let policy: Self = manifest::policy(manifest)?;
        let sound = policy.floor >= 1 && policy.step >= 1 && policy.ceiling >= policy.floor;
        let fault = "manifest.toml: [policy]: `floor` and `step` must be 1 or more, `ceiling` not below `floor`";
        if sound { Ok(policy) } else { Err(Error::Configuration(vec![fault.to_owned()])) }
    }

    /// What a person may ask for.
    pub const fn may_be(&self) -> RangeInclusive<u32> {
        self.floor..=self.ceiling
    }
}
