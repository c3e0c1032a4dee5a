//! The application's worker as Lambda has it: what is configured, what its callers really run, and the calls that change it.
//!
//! UpdateFunctionConfiguration changes `$LATEST` only. Where the worker is called by an alias, nothing of that reaches a caller before
//! a version is published and the alias moved to it; and publishing releases all that `$LATEST` has, not only our change. So what is read
//! here says how `$LATEST` differs from what the alias runs.
//!
//! Only the actions call what changes something.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::pace::Pace;

/// What of the worker is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The function's timeout, in seconds.
    Timeout,
    /// The function's memory, in MB; its share of a processor grows with it.
    Memory,
    /// The function's reserved concurrency: how many runs there may be at once, of all versions together; none where it is not reserved.
    ReservedConcurrency,
    /// The alias's provisioned concurrency: how many environments are kept ready; none where there are none.
    ProvisionedConcurrency,
    /// When the code that runs was published once more, in seconds since 1970; none where it never was.
    Redeployment,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Timeout, Self::Memory, Self::ReservedConcurrency, Self::ProvisionedConcurrency, Self::Redeployment];

    /// Of the action that changes it, as the ledger spells it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Timeout => "set-worker-timeout",
            Self::Memory => "set-worker-memory",
            Self::ReservedConcurrency => "set-reserved-concurrency",
            Self::ProvisionedConcurrency => "set-provisioned-concurrency",
            Self::Redeployment => "redeploy-worker",
        }
    }

    /// The setting that an action of this kind changes.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.kind() == kind)
    }

    /// Its field in images and leases.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Timeout => "timeoutSeconds",
            Self::Memory => "memoryMb",
            Self::ReservedConcurrency => "reservedConcurrency",
            Self::ProvisionedConcurrency => "provisionedConcurrency",
            Self::Redeployment => "redeployedAt",
        }
    }

    /// What Lambda takes for a standard function. The API's model lets more through (Lambda quotas: 900 s, 10,240 MB), so it is
    /// clamped here.
    #[must_use]
    pub const fn bounds(self) -> RangeInclusive<u32> {
        match self {
            Self::Timeout => 1..=900,
            Self::Memory => 128..=10_240,
            // Reserving 0 would stop the worker altogether. How much there is is the account's quota, which is read where it is needed.
            Self::ReservedConcurrency | Self::ProvisionedConcurrency => 1..=100_000,
            Self::Redeployment => 1..=u32::MAX,
        }
    }

    /// Whether it is part of what a version is published with. Concurrency is not: it is set beside all versions, and has no revision.
    #[must_use]
    pub const fn is_published(self) -> bool {
        match self {
            Self::Timeout | Self::Memory | Self::Redeployment => true,
            Self::ReservedConcurrency | Self::ProvisionedConcurrency => false,
        }
    }

    /// Whether a change of it can be put back. The environments that a redeployment has replaced are gone.
    #[must_use]
    pub const fn is_revertible(self) -> bool {
        match self {
            Self::Timeout | Self::Memory | Self::ReservedConcurrency | Self::ProvisionedConcurrency => true,
            Self::Redeployment => false,
        }
    }

    /// The property of the CDK's `lambda.Function` that sets it for good.
    #[must_use]
    pub fn cdk_line(self, value: Option<u32>) -> String {
        match (self, value) {
            (Self::Timeout, Some(seconds)) => format!("timeout: cdk.Duration.seconds({seconds})"),
            (Self::Memory, Some(megabytes)) => format!("memorySize: {megabytes}"),
            (Self::ReservedConcurrency, Some(runs)) => format!("reservedConcurrentExecutions: {runs}"),
            (Self::ProvisionedConcurrency, Some(environments)) => {
                format!("provisionedConcurrentExecutions: {environments}")
            }
            (_, None) | (Self::Redeployment, _) => String::new(),
        }
    }

    /// The value that an image or a lease has of it; `None`: it is not set.
    #[must_use]
    pub fn value_in(self, image: &Value) -> Option<u32> {
        image[self.field()].as_u64().and_then(|value| u32::try_from(value).ok())
    }

    /// A lease's image.
    #[must_use]
    pub fn image(self, value: Option<u32>) -> Value {
        json!({ self.field(): value })
    }
}

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
    is_sealed: bool,
    rest: Rest,
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
struct Rest(BTreeMap<&'static str, String>);

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
    fn of(told: &GetFunctionConfigurationOutput) -> Self {
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

/// A client for the worker. Lambda's control plane takes 15 requests a second for the whole account and region: it is asked for a third.
#[derive(Debug)]
pub struct Worker {
    client: Client,
    function: String,
    alias: Option<String>,
    pace: Pace,
}

impl Worker {
    /// For the worker that the installation names.
    #[must_use]
    pub fn new(aws: &SdkConfig, config: &Config) -> Self {
        Self {
            client: Client::new(aws),
            function: config.worker_function.clone(),
            alias: config.worker_alias.clone(),
            pace: Pace::new(5, 5),
        }
    }

    /// What is changed, as the ledger spells it: `function <name>`, or `function <name>:<alias>`.
    #[must_use]
    pub fn target(config: &Config) -> String {
        let alias = config.worker_alias.as_ref().map(|alias| format!(":{alias}")).unwrap_or_default();
        format!("function {}{alias}", config.worker_function)
    }

    /// Reads all that a change of `setting` rests on.
    ///
    /// # Errors
    /// [`Error::Refused`] where function or alias does not exist; [`Error::Aws`].
    pub async fn read(&self, setting: Setting) -> Result<Seen, Error> {
        let latest = self.configuration(None).await.map_err(|error| self.named(error, "WORKER_FUNCTION_NAME"))?;
        let alias = match &self.alias {
            Some(name) => Some(self.alias(name).await.map_err(|error| self.named(error, "WORKER_ALIAS"))?),
            None => None,
        };
        let mut seen = Seen { setting, latest, alias, value: None };
        seen.value = match setting {
            Setting::Timeout | Setting::Memory | Setting::Redeployment => seen.called().value(setting),
            Setting::ReservedConcurrency => self.reserved().await?,
            Setting::ProvisionedConcurrency => match &mut seen.alias {
                Some(alias) => {
                    alias.published.allocation = self.allocation(&alias.name).await?;
                    alias.published.value(setting)
                }
                None => None,
            },
        };
        Ok(seen)
    }

    /// GetFunctionConcurrency: the function's reserved concurrency, where it has one.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn reserved(&self) -> Result<Option<u32>, Error> {
        self.pace.wait().await;
        let told = self.client.get_function_concurrency().function_name(&self.function).send().await;
        let told = told.map_err(Error::aws("GetFunctionConcurrency"))?;
        Ok(told.reserved_concurrent_executions().and_then(|runs| u32::try_from(runs).ok()))
    }

    /// GetAccountSettings: how many runs the account has left that no function has reserved. `None` where Lambda does not say.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn unreserved(&self) -> Result<Option<u32>, Error> {
        self.pace.wait().await;
        let told = self.client.get_account_settings().send().await.map_err(Error::aws("GetAccountSettings"))?;
        let limit = told.account_limit().and_then(|limit| limit.unreserved_concurrent_executions());
        Ok(limit.and_then(|runs| u32::try_from(runs).ok()))
    }

    /// GetProvisionedConcurrencyConfig, of an alias.
    async fn allocation(&self, alias: &str) -> Result<Option<Allocation>, Error> {
        self.pace.wait().await;
        let ask = self.client.get_provisioned_concurrency_config().function_name(&self.function).qualifier(alias);
        match ask.send().await.map_err(Error::aws("GetProvisionedConcurrencyConfig")) {
            Ok(told) => Ok(Some(Allocation {
                requested: told
                    .requested_provisioned_concurrent_executions()
                    .and_then(|count| u32::try_from(count).ok())
                    .unwrap_or(0),
                status: told.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
                reason: told.status_reason().filter(|why| !why.is_empty()).map(str::to_owned),
            })),
            Err(error) if error.is_code("ProvisionedConcurrencyConfigNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// PutFunctionConcurrency, or DeleteFunctionConcurrency for none. Lambda compares no revision here.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn reserve(&self, to: Option<u32>) -> Result<(), Error> {
        self.pace.wait().await;
        match to {
            Some(to) => {
                let put = self.client.put_function_concurrency().function_name(&self.function);
                let put = put.reserved_concurrent_executions(clamped(Setting::ReservedConcurrency, to)).send().await;
                put.map(drop).map_err(Error::aws("PutFunctionConcurrency"))
            }
            None => {
                let delete = self.client.delete_function_concurrency().function_name(&self.function).send().await;
                delete.map(drop).map_err(Error::aws("DeleteFunctionConcurrency"))
            }
        }
    }

    /// PutProvisionedConcurrencyConfig of an alias, or DeleteProvisionedConcurrencyConfig for none. Lambda compares no revision here, and
    /// is done with it only later: [`Worker::allocated`].
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn provision(&self, alias: &str, to: Option<u32>) -> Result<(), Error> {
        self.pace.wait().await;
        match to {
            Some(to) => {
                let put = self.client.put_provisioned_concurrency_config().function_name(&self.function);
                let count = clamped(Setting::ProvisionedConcurrency, to);
                let put = put.qualifier(alias).provisioned_concurrent_executions(count).send().await;
                put.map(drop).map_err(Error::aws("PutProvisionedConcurrencyConfig"))
            }
            None => {
                let delete = self.client.delete_provisioned_concurrency_config().function_name(&self.function);
                let delete = delete.qualifier(alias).send().await;
                delete.map(drop).map_err(Error::aws("DeleteProvisionedConcurrencyConfig"))
            }
        }
    }

    /// Waits until Lambda is done allocating, with growing pauses; what it has come to by `stop_at`.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn allocated(&self, alias: &str, stop_at: Instant) -> Result<Option<Allocation>, Error> {
        let mut pause = Duration::from_millis(200);
        loop {
            let allocation = self.allocation(alias).await?;
            let busy = allocation.as_ref().is_some_and(|allocation| allocation.status == "IN_PROGRESS");
            if !busy || Instant::now() + pause > stop_at {
                return Ok(allocation);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    fn named(&self, error: Error, variable: &str) -> Error {
        if !error.is_not_found() {
            return error;
        }
        let alias = self.alias.as_deref().map(|alias| format!(" or its alias {alias}")).unwrap_or_default();
        Error::Refused(format!(
            "the worker {}{alias} does not exist in this account and region: check {variable}",
            self.function
        ))
    }

    /// GetFunctionConfiguration, of `$LATEST` or of a version.
    async fn configuration(&self, version: Option<&str>) -> Result<Configuration, Error> {
        self.pace.wait().await;
        let ask = self.client.get_function_configuration().function_name(&self.function);
        let told = ask.set_qualifier(version.map(str::to_owned)).send().await;
        told.map(|told| Configuration::of(&told)).map_err(Error::aws("GetFunctionConfiguration"))
    }

    async fn alias(&self, name: &str) -> Result<Alias, Error> {
        self.pace.wait().await;
        let told = self.client.get_alias().function_name(&self.function).name(name).send().await;
        let told = told.map_err(Error::aws("GetAlias"))?;
        let weights = told.routing_config().and_then(|routing| routing.additional_version_weights());
        let published = self.configuration(told.function_version()).await?;
        Ok(Alias {
            name: name.to_owned(),
            revision_id: told.revision_id().map(str::to_owned),
            is_weighted: weights.is_some_and(|weights| !weights.is_empty()),
            published,
        })
    }

    /// Waits until Lambda is done with a version, with growing pauses; `None` where it is not by `stop_at`.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn settled(&self, version: Option<&str>, stop_at: Instant) -> Result<Option<Configuration>, Error> {
        let mut pause = Duration::from_millis(200);
        loop {
            let told = self.configuration(version).await?;
            if told.is_settled() {
                return Ok(Some(told));
            }
            if Instant::now() + pause > stop_at {
                return Ok(None);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// UpdateFunctionConfiguration of `$LATEST`, if that is still as it was read.
    ///
    /// # Errors
    /// [`Error::Aws`]: a stale revision, another update under way, or any other trouble; [`Error::Refused`] for a setting that is no part of
    /// it.
    pub async fn update(&self, setting: Setting, to: u32, latest: &Configuration) -> Result<(), Error> {
        let update = self.client.update_function_configuration().function_name(&self.function);
        let update = match setting {
            Setting::Timeout => update.timeout(clamped(setting, to)),
            Setting::Memory => update.memory_size(clamped(setting, to)),
            Setting::Redeployment => update.description(redeployed(&latest.description, to)),
            Setting::ReservedConcurrency | Setting::ProvisionedConcurrency => {
                return Err(Error::Refused(format!("`{}` is no part of a function's configuration", setting.field())));
            }
        };
        self.pace.wait().await;
        let update = update.set_revision_id(latest.revision_id.clone()).send().await;
        update.map(drop).map_err(Error::aws("UpdateFunctionConfiguration"))
    }

    /// PublishVersion of `$LATEST`, if that is still this code at this revision: the version's number.
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Refused`] for an answer without a version.
    pub async fn publish(&self, latest: &Configuration) -> Result<String, Error> {
        self.pace.wait().await;
        let publish = self.client.publish_version().function_name(&self.function);
        let publish = publish.set_code_sha256(latest.code_sha256.clone()).set_revision_id(latest.revision_id.clone());
        let told = publish.send().await.map_err(Error::aws("PublishVersion"))?;
        told.version.ok_or_else(|| Error::Refused("PublishVersion answered without a version".to_owned()))
    }

    /// UpdateAlias, if the alias is still at this revision.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn point(&self, alias: &Alias, version: &str) -> Result<(), Error> {
        self.pace.wait().await;
        let update = self.client.update_alias().function_name(&self.function).name(&alias.name);
        let update = update.function_version(version).set_revision_id(alias.revision_id.clone()).send().await;
        update.map(drop).map_err(Error::aws("UpdateAlias"))
    }
}

fn clamped(setting: Setting, to: u32) -> i32 {
    i32::try_from(to.clamp(*setting.bounds().start(), *setting.bounds().end())).unwrap_or(i32::MAX)
}

/// What a description ends with where the code was published once more; the time in UTC.
const REDEPLOYED: &str = "(redeployed ";

/// The most that Lambda keeps of a description, in characters.
const DESCRIPTION_AT_MOST: usize = 256;

/// The moment in a description's mark, in seconds since 1970.
fn redeployed_at(description: &str) -> Option<u32> {
    let (_, at) = description.strip_suffix(')')?.rsplit_once(REDEPLOYED)?;
    u32::try_from(DateTime::parse_from_rfc3339(at).ok()?.timestamp()).ok()
}

/// A description with the mark of this moment instead of an earlier one's.
fn redeployed(description: &str, at: u32) -> String {
    let own = match redeployed_at(description) {
        Some(_) => description.rsplit_once(REDEPLOYED).map_or("", |(own, _)| own),
        None => description,
    };
    let at = DateTime::from_timestamp(i64::from(at), 0).unwrap_or_default();
    let mark = format!("{REDEPLOYED}{})", at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let own: String = own.trim_end().chars().take(DESCRIPTION_AT_MOST - mark.len() - 1).collect();
    if own.is_empty() { mark } else { format!("{own} {mark}") }
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::operation::get_function_configuration::builders::GetFunctionConfigurationOutputBuilder;
    use aws_sdk_lambda::types::{
        EnvironmentError, EnvironmentResponse, EphemeralStorage, LastUpdateStatus, Layer, Runtime, SnapStartApplyOn,
        SnapStartOptimizationStatus, SnapStartResponse, State, VpcConfigResponse,
    };

    use super::*;

    fn told() -> GetFunctionConfigurationOutputBuilder {
        GetFunctionConfigurationOutput::builder()
            .version("$LATEST")
            .timeout(300)
            .memory_size(1024)
            .revision_id("a")
            .code_sha256("code")
            .handler("bootstrap")
            .state(State::Active)
            .last_update_status(LastUpdateStatus::Successful)
            .environment(EnvironmentResponse::builder().variables("A", "1").variables("SECRET", "sesame").build())
    }

    fn seen(
        setting: Setting,
        latest: GetFunctionConfigurationOutputBuilder,
        published: GetFunctionConfigurationOutputBuilder,
    ) -> Seen {
        let published = Configuration::of(&published.build());
        let alias = Alias { name: "live".into(), revision_id: Some("b".into()), is_weighted: false, published };
        let mut seen = Seen { setting, latest: Configuration::of(&latest.build()), alias: Some(alias), value: None };
        seen.value = seen.called().value(setting);
        seen
    }

    #[test]
    fn what_publishing_would_release_is_named_and_the_setting_itself_is_not() {
        let variables =
            |value: &str| EnvironmentResponse::builder().variables("SECRET", value).variables("A", "1").build();
        let network = VpcConfigResponse::builder().subnet_ids("subnet-1").vpc_id("vpc-1").build();
        // (what `$LATEST` has, what would be released with a change of the timeout)
        let cases: Vec<(GetFunctionConfigurationOutputBuilder, &[&str])> = vec![
            (told(), &[]),
            // The same in another order; an empty list is none.
            (told().environment(variables("sesame")).set_layers(Some(vec![])), &[]),
            (told().vpc_config(VpcConfigResponse::builder().set_subnet_ids(Some(vec![])).build()), &[]),
            // Of every version its own.
            (
                told()
                    .version("9")
                    .function_arn("arn:x:9")
                    .revision_id("z")
                    .description("release 9")
                    .last_modified("today"),
                &[],
            ),
            (told().timeout(600), &[]),
            (told().memory_size(2048), &["memorySize"]),
            (told().code_sha256("other"), &["code"]),
            (told().environment(variables("mellon")), &["environment"]),
            (told().set_environment(None), &["environment"]),
            (told().handler("other"), &["handler"]),
            (told().role("arn:aws:iam::1:role/other"), &["role"]),
            (told().runtime(Runtime::Nodejs22x), &["runtime"]),
            (told().layers(Layer::builder().arn("arn:layer:1").build()), &["layers"]),
            (told().vpc_config(network), &["vpcConfig"]),
            (told().kms_key_arn("arn:key"), &["kmsKeyArn"]),
            (told().ephemeral_storage(EphemeralStorage::builder().size(1024).build().unwrap()), &["ephemeralStorage"]),
        ];
        for (at, (latest, parts)) in cases.into_iter().enumerate() {
            assert_eq!(seen(Setting::Timeout, latest, told()).unreleased(), parts, "case {at}");
        }
        assert_eq!(seen(Setting::Memory, told().timeout(600).memory_size(2048), told()).unreleased(), ["timeout"]);
        let mut without = seen(Setting::Timeout, told().code_sha256("other"), told());
        without.alias = None;
        assert!(without.unreleased().is_empty(), "without an alias `$LATEST` is what runs");
    }

    #[test]
    fn a_snapshot_that_is_ready_is_no_difference_and_one_that_is_asked_for_is() {
        let snap = |on: SnapStartApplyOn, status: SnapStartOptimizationStatus| {
            SnapStartResponse::builder().apply_on(on).optimization_status(status).build()
        };
        let published =
            || told().snap_start(snap(SnapStartApplyOn::PublishedVersions, SnapStartOptimizationStatus::On));
        let latest = told().snap_start(snap(SnapStartApplyOn::PublishedVersions, SnapStartOptimizationStatus::Off));
        assert!(seen(Setting::Timeout, latest, published()).unreleased().is_empty());
        assert_eq!(seen(Setting::Timeout, told(), published()).unreleased(), ["snapStart"]);
    }

    #[test]
    fn an_environment_that_cannot_be_read_is_never_the_same() {
        let sealed = || {
            let error = EnvironmentError::builder().error_code("AccessDeniedException").build();
            told().environment(EnvironmentResponse::builder().error(error).build())
        };
        assert_eq!(seen(Setting::Timeout, sealed(), sealed()).unreleased(), ["environment (which cannot be read)"]);
    }

    #[test]
    fn no_value_of_the_environment_is_ever_shown() {
        let seen = seen(Setting::Timeout, told(), told());
        let shown = format!("{seen:?} {:#?} {}", seen.latest, seen.image());
        assert!(!shown.contains("sesame") && shown.contains("environment"), "{shown}");
    }

    #[test]
    fn what_is_under_way_or_has_failed_is_told_in_lambdas_own_words() {
        let pending = || told().state(State::Pending);
        let in_progress = || told().last_update_status(LastUpdateStatus::InProgress);
        for (latest, published, under_way) in [
            (told(), told(), None),
            (pending(), told(), Some("$LATEST: State=Pending, LastUpdateStatus=Successful")),
            (in_progress(), told(), Some("$LATEST: State=Active, LastUpdateStatus=InProgress")),
            (told(), pending().version("7"), Some("7: State=Pending, LastUpdateStatus=Successful")),
        ] {
            let seen = seen(Setting::Timeout, latest, published);
            assert_eq!(seen.under_way().as_deref(), under_way);
        }
        let mut canary = seen(Setting::Timeout, told(), told());
        canary.alias.as_mut().unwrap().is_weighted = true;
        assert_eq!(canary.under_way().as_deref(), Some("live: RoutingConfig"));

        let failed = told().last_update_status(LastUpdateStatus::Failed).last_update_status_reason("no key").build();
        assert_eq!(Configuration::of(&failed).failure().as_deref(), Some("LastUpdateStatus=Failed: no key"));
        let failed = told().state(State::Failed).build();
        assert_eq!(Configuration::of(&failed).failure().as_deref(), Some("State=Failed"));
        assert_eq!(Configuration::of(&told().build()).failure(), None);
    }

    #[test]
    fn a_write_rests_on_revisions_code_and_value() {
        let before = seen(Setting::Timeout, told(), told());
        assert!(before.is_still(&before));
        for moved in [
            seen(Setting::Timeout, told().revision_id("z"), told()),
            seen(Setting::Timeout, told().code_sha256("z"), told()),
            seen(Setting::Timeout, told(), told().timeout(301)),
            seen(Setting::Timeout, told(), told().version("8")),
        ] {
            assert!(!moved.is_still(&before), "{moved:?}");
        }
    }

    #[test]
    fn a_redeployments_mark_takes_the_place_of_the_one_before_and_fits_whatever_stood_there() {
        let at = 1_795_482_000;
        for (before, after) in [
            ("", "(redeployed 2026-11-24T01:00:00Z)"),
            ("Generates goals", "Generates goals (redeployed 2026-11-24T01:00:00Z)"),
            ("Generates goals (redeployed 2026-11-01T00:00:00Z)", "Generates goals (redeployed 2026-11-24T01:00:00Z)"),
            ("(redeployed by hand)", "(redeployed by hand) (redeployed 2026-11-24T01:00:00Z)"),
        ] {
            let marked = redeployed(before, at);
            assert_eq!(marked, after, "{before}");
            assert_eq!(redeployed_at(&marked), Some(at));
        }
        let long = redeployed(&"あ".repeat(256), at);
        assert_eq!((long.chars().count(), redeployed_at(&long)), (256, Some(at)));
        for unmarked in ["", "Generates goals", "(redeployed by hand)", "(redeployed 2026-11-24T01:00:00Z) later"] {
            assert_eq!(redeployed_at(unmarked), None, "{unmarked}");
        }
    }
}
