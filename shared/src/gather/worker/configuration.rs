//! One version of the worker, as Lambda tells it.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;

use super::redeployed::redeployed_at;
use super::setting::Setting;

/// One version's configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Configuration {
    /// `$LATEST`, or a version's number.
    pub version: String,
    /// Seconds.
    pub timeout_seconds: Option<u32>,
    /// Megabytes.
    pub memory_mb: Option<u32>,
    /// What Lambda compares a write with.
    pub revision_id: Option<String>,
    /// The code's digest.
    pub code_sha256: Option<String>,
    /// `Active`, `Pending`, `Inactive`, `Failed` …
    pub state: String,
    /// Why, where Lambda says it.
    pub state_reason: Option<String>,
    /// `Successful`, `InProgress`, `Failed`.
    pub last_update: String,
    /// Why, where Lambda says it.
    pub last_update_reason: Option<String>,
    /// What people, and redeploy-worker, say of it.
    pub description: String,
    /// Its provisioned concurrency, where that was asked about and there is one.
    pub allocation: Option<Allocation>,
    /// Lambda could not decrypt its environment, so that nobody can tell whether two are the same.
    pub(super) is_sealed: bool,
    pub(super) rest: Rest,
}

/// Environments that are kept ready for an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// How many were asked for.
    pub requested: u32,
    /// `IN_PROGRESS`, `READY`, `FAILED`.
    pub status: String,
    /// Why, where Lambda says it.
    pub reason: Option<String>,
}

/// Everything else that publishing would release, to compare. Holds the values of environment variables, so it shows none.
#[derive(Clone, PartialEq, Default)]
pub(super) struct Rest(pub(super) BTreeMap<&'static str, String>);

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Rest {
    fn of(told: &GetFunctionConfigurationOutput) -> Self {
        let variables = told.environment().and_then(|environment| environment.variables());
        let variables: Option<BTreeMap<_, _>> = variables.map(|variables| variables.iter().collect());
        let layers: Vec<_> = told.layers().iter().map(aws_sdk_lambda::types::Layer::arn).collect();
        let network = told.vpc_config().map(|network| (network.subnet_ids(), network.security_group_ids()));
        // What differs between `$LATEST` and any version of it (its ARN, dates, description, whether a snapshot is ready), and what AWS
        // itself renews (the runtime's patch), is nothing that somebody would release.
        Self(BTreeMap::from([
            ("environment", shown(&variables.filter(|variables| !variables.is_empty()))),
            ("layers", shown(&layers)),
            ("handler", shown(&told.handler())),
            ("role", shown(&told.role())),
            ("runtime", shown(&told.runtime())),
            ("packageType", shown(&told.package_type())),
            ("architectures", shown(&told.architectures())),
            ("vpcConfig", shown(&network.filter(|(subnets, groups)| !subnets.is_empty() || !groups.is_empty()))),
            ("deadLetterConfig", shown(&told.dead_letter_config().and_then(|config| config.target_arn()))),
            ("kmsKeyArn", shown(&told.kms_key_arn().filter(|key| !key.is_empty()))),
            ("tracingConfig", shown(&told.tracing_config())),
            ("fileSystemConfigs", shown(&told.file_system_configs())),
            ("ephemeralStorage", shown(&told.ephemeral_storage())),
            ("snapStart", shown(&told.snap_start().and_then(|snap_start| snap_start.apply_on()))),
            ("loggingConfig", shown(&told.logging_config())),
            ("imageConfig", shown(&told.image_config_response())),
            ("tenancyConfig", shown(&told.tenancy_config())),
            ("capacityProviderConfig", shown(&told.capacity_provider_config())),
            ("durableConfig", shown(&told.durable_config())),
        ]))
    }
}

/// To compare with another one of the same kind.
fn shown(value: &impl fmt::Debug) -> String {
    format!("{value:?}")
}

impl Configuration {
    pub(super) fn of(told: &GetFunctionConfigurationOutput) -> Self {
        let number = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
        Self {
            version: told.version().unwrap_or_default().to_owned(),
            timeout_seconds: number(told.timeout()),
            memory_mb: number(told.memory_size()),
            revision_id: told.revision_id().map(str::to_owned),
            code_sha256: told.code_sha256().map(str::to_owned),
            state: told.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
            state_reason: told.state_reason().filter(|why| !why.is_empty()).map(str::to_owned),
            last_update: told.last_update_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            last_update_reason: told.last_update_status_reason().filter(|why| !why.is_empty()).map(str::to_owned),
            description: told.description().unwrap_or_default().to_owned(),
            allocation: None,
            is_sealed: told.environment().is_some_and(|environment| environment.error().is_some()),
            rest: Rest::of(told),
        }
    }

    /// What it has of a setting.
    #[must_use]
    pub fn value(&self, setting: Setting) -> Option<u32> {
        match setting {
            Setting::Timeout => self.timeout_seconds,
            Setting::Memory => self.memory_mb,
            // The function's, not a version's.
            Setting::ReservedConcurrency => None,
            Setting::ProvisionedConcurrency => self.allocation.as_ref().map(|allocation| allocation.requested),
            Setting::Redeployment => redeployed_at(&self.description),
        }
    }

    /// Whether Lambda still works on it. A version has no update: it is ready once it is no longer `Pending`.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.last_update != "InProgress" && self.state != "Pending"
    }

    /// Why it cannot be relied on, where Lambda says so.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let why = |word: &str, reason: &Option<String>| {
            reason.as_ref().map_or_else(|| word.to_owned(), |reason| format!("{word}: {reason}"))
        };
        if self.last_update == "Failed" {
            return Some(why("LastUpdateStatus=Failed", &self.last_update_reason));
        }
        (self.state == "Failed").then(|| why("State=Failed", &self.state_reason))
    }
}
