//! What RDS says of the instance, of its cluster, and of the last hour. It is only described.

use aws_config::SdkConfig;
use aws_sdk_rds::Client;
use aws_sdk_rds::primitives::DateTime as AwsDateTime;
use aws_sdk_rds::types::{DbInstance, Filter, PendingModifiedValues, SourceType};
use chrono::{DateTime, Utc};
use remediation::domain::Language;
use remediation::gather::error::Error;
use serde::Serialize;

use crate::texts;

/// The instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    pub id: String,
    /// As RDS spells it; `available` is the only one that an instance is rebooted in.
    pub status: String,
    pub engine: String,
    pub multi_az: bool,
    /// The names of what is changed but not applied yet. A value may be a secret.
    pub pending: Vec<&'static str>,
    /// Parameter groups whose changes wait for a reboot.
    pub parameter_groups: Vec<String>,
    /// Up to when it can be restored to a point in time.
    pub restorable_until: Option<DateTime<Utc>>,
    pub cluster: Option<Cluster>,
    /// Of the instance and its cluster in the last hour, the oldest first.
    pub events: Vec<Event>,
}

/// The cluster that the instance is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    pub id: String,
    pub status: String,
    /// Whether the instance is its writer; `None` where the cluster does not list it.
    pub writer: Option<bool>,
    /// Its other instances.
    pub others: Vec<Member>,
}

/// Another instance of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub id: String,
    pub writer: bool,
    pub status: String,
}

/// Something that RDS did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub at: DateTime<Utc>,
    pub categories: Vec<String>,
    pub message: String,
}

/// Describes it all.
///
/// # Errors
/// [`Error::Aws`].
pub async fn describe(aws: &SdkConfig, id: &str, language: Language) -> Result<Instance, Error> {
    let client = Client::new(aws);
    let own = async {
        let answer = client.describe_db_instances().db_instance_identifier(id).send().await;
        answer.map_err(Error::aws("DescribeDBInstances"))
    };
    let (answer, mut events) = tokio::try_join!(own, events(&client, SourceType::DbInstance, id))?;
    let found = answer.db_instances().first().ok_or_else(|| Error::Refused(texts::no_instance(language, id)))?;
    let cluster = match found.db_cluster_identifier() {
        None => None,
        Some(name) => {
            let (cluster, of_cluster) =
                tokio::try_join!(cluster(&client, name, id), self::events(&client, SourceType::DbCluster, name))?;
            events.extend(of_cluster);
            Some(cluster)
        }
    };
    events.sort_by_key(|event| event.at);
    Ok(Instance { cluster, events, ..of(found, id) })
}

/// The instance itself.
fn of(found: &DbInstance, id: &str) -> Instance {
    let waiting = found.db_parameter_groups().iter().filter(|group| {
        // `in-sync`, `applying`, `pending-reboot`.
        group.parameter_apply_status() == Some("pending-reboot")
    });
    Instance {
        id: found.db_instance_identifier().unwrap_or(id).to_owned(),
        status: status(found),
        engine: format!("{} {}", found.engine().unwrap_or("?"), found.engine_version().unwrap_or("?")),
        multi_az: found.multi_az().unwrap_or(false),
        pending: found.pending_modified_values().map(pending).unwrap_or_default(),
        parameter_groups: waiting.filter_map(|group| group.db_parameter_group_name().map(str::to_owned)).collect(),
        restorable_until: found.latest_restorable_time().and_then(time),
        cluster: None,
        events: Vec::new(),
    }
}

fn status(found: &DbInstance) -> String {
    found.db_instance_status().unwrap_or("unknown").to_owned()
}

fn time(at: &AwsDateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.secs(), at.subsec_nanos())
}

/// As the API names them.
fn pending(values: &PendingModifiedValues) -> Vec<&'static str> {
    let named = [
        ("DBInstanceClass", values.db_instance_class().is_some()),
        ("AllocatedStorage", values.allocated_storage().is_some()),
        ("MasterUserPassword", values.master_user_password().is_some()),
        ("Port", values.port().is_some()),
        ("BackupRetentionPeriod", values.backup_retention_period().is_some()),
        ("MultiAZ", values.multi_az().is_some()),
        ("EngineVersion", values.engine_version().is_some()),
        ("LicenseModel", values.license_model().is_some()),
        ("Iops", values.iops().is_some()),
        ("StorageThroughput", values.storage_throughput().is_some()),
        ("DBInstanceIdentifier", values.db_instance_identifier().is_some()),
        ("StorageType", values.storage_type().is_some()),
        ("CACertificateIdentifier", values.ca_certificate_identifier().is_some()),
        ("DBSubnetGroupName", values.db_subnet_group_name().is_some()),
        ("PendingCloudwatchLogsExports", values.pending_cloudwatch_logs_exports().is_some()),
        ("ProcessorFeatures", !values.processor_features().is_empty()),
        ("AutomationMode", values.automation_mode().is_some()),
        ("MultiTenant", values.multi_tenant().is_some()),
        ("IAMDatabaseAuthenticationEnabled", values.iam_database_authentication_enabled().is_some()),
        ("DedicatedLogVolume", values.dedicated_log_volume().is_some()),
        ("Engine", values.engine().is_some()),
        ("AdditionalStorageVolumes", !values.additional_storage_volumes().is_empty()),
    ];
    named.into_iter().filter(|(_, is_pending)| *is_pending).map(|(name, _)| name).collect()
}

/// The cluster with its other instances.
async fn cluster(client: &Client, name: &str, id: &str) -> Result<Cluster, Error> {
    let filter = Filter::builder().name("db-cluster-id").values(name).build();
    let described = async {
        let answer = client.describe_db_clusters().db_cluster_identifier(name).send().await;
        answer.map_err(Error::aws("DescribeDBClusters"))
    };
    let members = async {
        let answer = client.describe_db_instances().filters(filter).send().await;
        answer.map_err(Error::aws("DescribeDBInstances"))
    };
    let (described, members) = tokio::try_join!(described, members)?;
    let found = described.db_clusters().first();
    let is_own = |other: &str| other.eq_ignore_ascii_case(id);
    let of_cluster = found.map(|cluster| cluster.db_cluster_members()).unwrap_or_default();
    let others = of_cluster.iter().filter_map(|member| {
        let other = member.db_instance_identifier().filter(|other| !is_own(other))?;
        let described = members.db_instances().iter().find(|one| one.db_instance_identifier() == Some(other));
        Some(Member {
            id: other.to_owned(),
            writer: member.is_cluster_writer().unwrap_or(false),
            status: described.map_or_else(|| "unknown".to_owned(), status),
        })
    });
    Ok(Cluster {
        id: name.to_owned(),
        status: found.and_then(|cluster| cluster.status()).unwrap_or("unknown").to_owned(),
        writer: of_cluster
            .iter()
            .find(|member| member.db_instance_identifier().is_some_and(is_own))
            .and_then(|member| member.is_cluster_writer()),
        others: others.collect(),
    })
}

/// Of the last hour.
async fn events(client: &Client, kind: SourceType, id: &str) -> Result<Vec<Event>, Error> {
    let pages = client.describe_events().source_type(kind).source_identifier(id).duration(60).into_paginator();
    let all: Result<Vec<_>, _> = pages.items().send().collect().await;
    let events = all.map_err(Error::aws("DescribeEvents"))?.into_iter().filter_map(|event| {
        Some(Event {
            at: time(event.date()?)?,
            categories: event.event_categories().to_vec(),
            message: event.message().unwrap_or_default().to_owned(),
        })
    });
    Ok(events.collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use harness::{Aws, eventually};

    use super::*;

    /// On the local endpoint, which knows instances, clusters and events.
    #[tokio::test]
    async fn an_instance_of_a_cluster_is_described_with_its_cluster_its_neighbours_and_its_events() {
        let aws = Aws::shared().await.unwrap();
        let config = aws.sdk_config();
        let client = Client::new(config);
        let cluster = client.create_db_cluster().db_cluster_identifier("app").engine("aurora-postgresql");
        cluster.master_username("app").master_user_password("not-a-secret").send().await.unwrap();
        for name in ["app-1", "app-2"] {
            let instance = client.create_db_instance().db_instance_identifier(name).db_cluster_identifier("app");
            instance.engine("aurora-postgresql").db_instance_class("db.r6g.large").send().await.unwrap();
        }
        let found = describe(config, "app-1", Language::En).await.unwrap();
        let own = found.cluster.as_ref().unwrap();
        assert_eq!((own.id.as_str(), own.writer, found.id.as_str()), ("app", Some(true), "app-1"), "{found:?}");
        let others: Vec<(&str, bool)> = own.others.iter().map(|member| (member.id.as_str(), member.writer)).collect();
        assert_eq!(others, [("app-2", false)], "{found:?}");
        assert!(found.pending.is_empty() && !found.status.is_empty(), "{found:?}");
        let reader = describe(config, "app-2", Language::En).await.unwrap().cluster.unwrap();
        assert!(reader.writer == Some(false) && reader.others[0].writer, "{reader:?}");
        // The endpoint tells of reboots only.
        client.reboot_db_instance().db_instance_identifier("app-2").send().await.unwrap();
        let told = eventually(Duration::from_secs(30), "the reboot to be told", || async {
            describe(config, "app-2", Language::En)
                .await
                .ok()
                .filter(|found| !found.events.is_empty() && found.status == "available")
        });
        let event = told.await.unwrap().events.remove(0);
        assert_eq!((event.categories, event.message.contains("restarted")), (vec!["availability".to_owned()], true));
        let missing = describe(config, "nobody", Language::En).await.unwrap_err();
        assert!(missing.is_code("DBInstanceNotFound") && missing.is_refusal(), "{missing}");
    }
}
