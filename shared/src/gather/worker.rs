//! The application's worker as Lambda has it: what is configured, and what its callers really run.
//!
//! UpdateFunctionConfiguration changes `$LATEST` only. Where the worker is called by an alias, nothing of that reaches a caller before
//! a version is published and the alias moved to it; and publishing releases all that `$LATEST` has, not only our change. So what is read
//! here says how `$LATEST` differs from what the alias runs.
//!
//! Here it is only read; the calls that change it are in `act/worker.rs`.

pub mod configuration;
pub mod redeployed;
pub mod seen;
pub mod setting;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use tokio::time::Instant;

use crate::domain::Language;
use crate::gather::config::{Config, WORKER_FUNCTION_NAME};
use crate::gather::error::Error;
use crate::gather::pace::Pace;
use crate::gather::texts;
use crate::gather::worker::configuration::{Allocation, Configuration};
use crate::gather::worker::seen::{Alias, Seen};
use crate::gather::worker::setting::Setting;

/// A client for the worker. Lambda's control plane takes 15 requests a second for the whole account and region: it is asked for a third.
#[derive(Debug)]
pub struct Worker {
    pub(crate) client: Client,
    pub(crate) function: String,
    alias: Option<String>,
    language: Language,
    pub(crate) pace: Pace,
}

impl Worker {
    /// For the worker that the installation names.
    ///
    /// # Errors
    /// As [`Config::worker`].
    pub fn new(aws: &SdkConfig, config: &Config) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(aws),
            function: config.worker()?.to_owned(),
            alias: config.worker_alias.clone(),
            language: config.language,
            pace: Pace::new(5, 5),
        })
    }

    /// What is changed, as the ledger spells it: `function <name>`, or `function <name>:<alias>`.
    ///
    /// # Errors
    /// As [`Config::worker`].
    pub fn target(config: &Config) -> Result<String, Error> {
        let alias = config.worker_alias.as_ref().map(|alias| format!(":{alias}")).unwrap_or_default();
        Ok(format!("function {}{alias}", config.worker()?))
    }

    /// Reads all that a change of `setting` rests on.
    ///
    /// # Errors
    /// [`Error::Refused`] where function or alias does not exist; [`Error::Aws`].
    pub async fn read(&self, setting: Setting) -> Result<Seen, Error> {
        let latest = self.configuration(None).await.map_err(|error| self.named(error, WORKER_FUNCTION_NAME))?;
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
        Error::Refused(texts::no_worker(self.language, &self.function, self.alias.as_deref(), variable))
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
}

#[cfg(test)]
mod tests;
