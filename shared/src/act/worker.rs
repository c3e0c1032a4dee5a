//! The calls that change the worker; how it is, [`Worker`] reads.

use crate::gather::error::Error;
use crate::gather::worker::Worker;
use crate::gather::worker::configuration::Configuration;
use crate::gather::worker::redeployed::redeployed;
use crate::gather::worker::seen::Alias;
use crate::gather::worker::setting::Setting;
use crate::text;

impl Worker {
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

    /// UpdateFunctionConfiguration of `$LATEST`, if that is still as it was read.
    ///
    /// # Errors
    /// [`Error::Aws`]: a stale revision, another update under way, or any other trouble; [`Error::Said`] for a setting that is no part of
    /// it.
    pub async fn update(&self, setting: Setting, to: u32, latest: &Configuration) -> Result<(), Error> {
        let update = self.client.update_function_configuration().function_name(&self.function);
        let update = match setting {
            Setting::Timeout => update.timeout(clamped(setting, to)),
            Setting::Memory => update.memory_size(clamped(setting, to)),
            Setting::Redeployment => update.description(redeployed(&latest.description, to)),
            Setting::ReservedConcurrency | Setting::ProvisionedConcurrency => {
                let field = setting.field();
                return Err(Error::said(|language| {
                    text!(
                        language,
                        ja: "`{field}` は関数の設定に含まれない",
                        en: "`{field}` is no part of a function's configuration",
                    )
                }));
            }
        };
        self.pace.wait().await;
        let update = update.set_revision_id(latest.revision_id.clone()).send().await;
        update.map(drop).map_err(Error::aws("UpdateFunctionConfiguration"))
    }

    /// PublishVersion of `$LATEST`, if that is still this code at this revision: the version's number.
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Said`] for an answer without a version.
    pub async fn publish(&self, latest: &Configuration) -> Result<String, Error> {
        self.pace.wait().await;
        let publish = self.client.publish_version().function_name(&self.function);
        let publish = publish.set_code_sha256(latest.code_sha256.clone()).set_revision_id(latest.revision_id.clone());
        let told = publish.send().await.map_err(Error::aws("PublishVersion"))?;
        told.version.ok_or_else(|| {
            Error::said(|language| {
                text!(
                    language,
                    ja: "PublishVersion の応答にバージョンがない",
                    en: "PublishVersion answered without a version",
                )
            })
        })
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
