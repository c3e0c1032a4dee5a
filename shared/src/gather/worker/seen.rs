//! The worker as it was read: `$LATEST`, and what its callers run.

use serde_json::{Value, json};

use super::configuration::Configuration;
use super::setting::Setting;

/// The alias that callers use.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// What Lambda compares a write with.
    pub revision_id: Option<String>,
    /// Other versions get a share of its calls: a canary is under way.
    pub is_weighted: bool,
    /// The version that it points to.
    pub published: Configuration,
}

/// The worker as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// What of it is asked about.
    pub setting: Setting,
    /// `$LATEST`.
    pub latest: Configuration,
    /// The alias, where the worker is called by one.
    pub alias: Option<Alias>,
    /// What callers run with; `None`: it is not set.
    pub value: Option<u32>,
}

impl Seen {
    /// What callers run: the alias's version, else `$LATEST`.
    #[must_use]
    pub fn called(&self) -> &Configuration {
        self.alias.as_ref().map_or(&self.latest, |alias| &alias.published)
    }

    /// Somebody else's change is under way: why nothing can be written now, in the words of Lambda's own fields.
    #[must_use]
    pub fn under_way(&self) -> Option<String> {
        let of = |configuration: &Configuration| {
            let Configuration { version, state, last_update, .. } = configuration;
            (!configuration.is_settled()).then(|| format!("{version}: State={state}, LastUpdateStatus={last_update}"))
        };
        let alias = self.alias.as_ref();
        let allocating = |alias: &Alias| {
            let allocation = alias.published.allocation.as_ref();
            let busy = allocation.filter(|allocation| allocation.status == "IN_PROGRESS");
            busy.map(|_| format!("{}: provisioned concurrency IN_PROGRESS", alias.name))
        };
        of(&self.latest)
            .or_else(|| of(&alias?.published))
            .or_else(|| allocating(alias?))
            .or_else(|| alias.filter(|alias| alias.is_weighted).map(|alias| format!("{}: RoutingConfig", alias.name)))
    }

    /// In what `$LATEST` differs from what the alias runs, beside the setting itself: publishing would release it. Nothing, for a setting
    /// that is not published.
    #[must_use]
    pub fn unreleased(&self) -> Vec<&'static str> {
        let Some(Alias { published, .. }) = self.alias.as_ref().filter(|_| self.setting.is_published()) else {
            return Vec::new();
        };
        let latest = &self.latest;
        let mut parts = Vec::new();
        if latest.code_sha256 != published.code_sha256 {
            parts.push("code");
        }
        if self.setting != Setting::Timeout && latest.timeout_seconds != published.timeout_seconds {
            parts.push("timeout");
        }
        if self.setting != Setting::Memory && latest.memory_mb != published.memory_mb {
            parts.push("memorySize");
        }
        if latest.is_sealed || published.is_sealed {
            parts.push("environment (which cannot be read)");
        }
        parts.extend(
            latest
                .rest
                .0
                .iter()
                .filter(|(part, told)| published.rest.0.get(*part) != Some(told))
                .map(|(part, _)| *part),
        );
        parts
    }

    /// Whether nothing that a write rests on is another than it was.
    #[must_use]
    pub fn is_still(&self, before: &Self) -> bool {
        let basis = |seen: &Self| {
            let alias = seen.alias.as_ref().map(|alias| (alias.revision_id.clone(), alias.published.version.clone()));
            (seen.value, seen.latest.revision_id.clone(), seen.latest.code_sha256.clone(), alias)
        };
        basis(self) == basis(before)
    }

    /// For the ledger: what callers run.
    #[must_use]
    pub fn image(&self) -> Value {
        let called = self.called();
        let mut image = json!({
            "timeoutSeconds": called.timeout_seconds,
            "memoryMb": called.memory_mb,
            "version": called.version,
            "revisionId": called.revision_id,
        });
        image[self.setting.field()] = json!(self.value);
        image
    }
}
