//! A step's manifest: what it is and what it may do. The function reads its limits here, `infra/` the rest.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::Mode;
use crate::gather::error::Error;
use crate::guard::Limits;

/// `functions/<name>/manifest.toml`. Keys that only `infra/` needs are not read here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Manifest {
    /// The step's name, which is the function's and the folder's.
    pub name: String,
    /// The most that this step ever does by itself.
    #[serde(default = "act")]
    pub mode: Mode,
    /// Where its actions are recorded.
    #[serde(default)]
    pub ledger: LedgerKind,
    /// How much it may do.
    #[serde(default)]
    pub limits: Limits,
}

/// The step's own numbers, `[policy]` of its manifest.
///
/// # Errors
/// [`Error::Configuration`] naming the key that is missing, unknown or of another type.
pub fn policy<T: DeserializeOwned>(manifest: &str) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Own<T> {
        policy: T,
    }
    let own: Own<T> = toml::from_str(manifest)
        .map_err(|error| Error::Configuration(vec![format!("manifest.toml: [policy]: {error}")]))?;
    Ok(own.policy)
}

const fn act() -> Mode {
    Mode::Act
}

/// Where a step's actions are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LedgerKind {
    /// In schema `remediation`: without the database the step does not act.
    #[default]
    Database,
    /// In the log and the notification topic: for the remedies of a database that is down.
    Log,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Where the text is no manifest; the message names the key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::Configuration(vec![format!("manifest.toml: {error}")]))
    }
}
