//! The manifest's `[policy]`.

use std::time::Duration;

use chrono::TimeDelta;
use remediation::act::actions::Care;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use serde::Deserialize;

/// How carefully an index is made, and which tables are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    lock_seconds: u32,
    transaction_seconds: u32,
    build_seconds: u32,
    /// A table with full scans is reported if it has at least this many rows.
    pub scanned_rows: u32,
    /// From how many such reads on.
    pub scans: u32,
}

impl Policy {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming the key.
    pub fn read(manifest: &str) -> Result<Self, Error> {
        let policy: Self = manifest::policy(manifest)?;
        if policy.lock_seconds == 0 {
            // To PostgreSQL, 0 is no bound at all.
            return Err(Error::Configuration(vec![
                "manifest.toml: [policy]: `lock_seconds` must be 1 or more".to_owned(),
            ]));
        }
        Ok(policy)
    }

    /// What a build is bound by.
    pub fn care(&self) -> Care {
        Care {
            lock: Duration::from_secs(self.lock_seconds.into()),
            transaction: TimeDelta::seconds(self.transaction_seconds.into()),
            least: Duration::from_secs(self.build_seconds.into()),
        }
    }
}
