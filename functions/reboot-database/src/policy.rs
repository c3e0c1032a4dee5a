//! The manifest's `[policy]`.

use chrono::TimeDelta;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use serde::Deserialize;

/// How long after what nothing is rebooted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    failover_minutes: u32,
    restart_minutes: u32,
}

impl Policy {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming the key.
    pub fn read(manifest: &str) -> Result<Self, Error> {
        manifest::policy(manifest)
    }

    pub fn after_failover(&self) -> TimeDelta {
        TimeDelta::minutes(self.failover_minutes.into())
    }

    pub fn after_restart(&self) -> TimeDelta {
        TimeDelta::minutes(self.restart_minutes.into())
    }
}
