//! Check 7, which the guide's script does not have: whether Lambda let the worker run as often as it was called (guide, 1: the limit of
//! concurrent runs), and what Bedrock refused of its model. CloudWatch measures both, for nothing; what it does not tell was not measured.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime as AwsDateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric as Measure, MetricDataQuery, MetricStat};
use chrono::{DateTime, TimeDelta, Utc};
use remediation::domain::Language;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::worker::Worker as Lambda;
use remediation::run::step::{Audience, Finding, Metric, Often};
use serde_json::json;

use crate::check::{Check, Look};
use crate::functions::Function;
use crate::limit::Limit;
use crate::policy::{Policy, WITHIN};
use crate::state::warning_if;
use crate::texts::capacity as said;

/// The check's name.
pub const NAME: &str = "worker-concurrency";

/// What CloudWatch measured in the last minutes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Capacity {
    /// Runs of the worker that Lambda refused.
    pub refused_runs: Option<usize>,
    /// The most that ran at once.
    pub concurrent: Option<usize>,
    /// The models that the worker calls, as far as is known.
    pub models: Vec<String>,
    /// Calls of these models that Bedrock refused, whoever made them.
    pub refused_calls: Option<usize>,
    /// What holds the worker back, read only where something does.
    pub limit: Option<Limit>,
}

/// Asks CloudWatch, once.
pub async fn look(
    aws: &SdkConfig,
    (config, worker): (&Config, &str),
    functions: &Look<Vec<Function>>,
    limit: Duration,
    now: DateTime<Utc>,
) -> Look<Capacity> {
    let language = config.language;
    let looking = async {
        read(aws, (config, worker), models(config, worker, functions), now).await.map_err(|error| error.told(language))
    };
    Look::within(limit, language, looking).await
}

/// The models that are set, else those that the worker's environment names.
fn models(config: &Config, worker: &str, functions: &Look<Vec<Function>>) -> Vec<String> {
    if !config.bedrock_models.is_empty() {
        return config.bedrock_models.clone();
    }
    let functions = functions.found.iter().flatten();
    let worker = functions.filter(|function| function.name == worker);
    worker.filter_map(|function| function.found.as_ref().ok()).flat_map(|told| told.models.clone()).collect()
}

async fn read(
    aws: &SdkConfig,
    (config, worker): (&Config, &str),
    models: Vec<String>,
    now: DateTime<Utc>,
) -> Result<Capacity, Error> {
    let worker = ("FunctionName", worker);
    let mut queries = vec![
        query("refused_runs".to_owned(), ("AWS/Lambda", "Throttles", "Sum"), worker),
        query("concurrent".to_owned(), ("AWS/Lambda", "ConcurrentExecutions", "Maximum"), worker),
    ];
    for (at, model) in models.iter().enumerate() {
        let of = ("ModelId", model.as_str());
        queries.push(query(format!("refused_calls_{at}"), ("AWS/Bedrock", "InvocationThrottles", "Sum"), of));
        // Where it was called and nothing was refused, CloudWatch may have no refusals to tell.
        queries.push(query(format!("calls_{at}"), ("AWS/Bedrock", "Invocations", "Sum"), of));
    }
    let at = |moment: DateTime<Utc>| AwsDateTime::from_secs(moment.timestamp());
    let from = now - TimeDelta::from_std(WITHIN).unwrap_or_default();
    let ask = Client::new(aws).get_metric_data().set_metric_data_queries(Some(queries));
    let told = ask.start_time(at(from)).end_time(at(now)).send().await.map_err(Error::aws("GetMetricData"))?;
    let measured: Vec<(&str, &[f64])> = told
        .metric_data_results()
        .iter()
        .filter_map(|result| Some((result.id()?, result.values())))
        .filter(|(_, values)| !values.is_empty())
        .collect();
    let mut capacity = Capacity { models, ..Capacity::of(&measured) };
    if capacity.refused_runs.is_some_and(|refused| refused > 0) {
        capacity.limit = binding(aws, config).await;
    }
    Ok(capacity)
}

fn query(id: String, (namespace, name, stat): (&str, &str, &str), (dimension, value): (&str, &str)) -> MetricDataQuery {
    let dimension = Dimension::builder().name(dimension).value(value).build();
    let metric = Measure::builder().namespace(namespace).metric_name(name).dimensions(dimension).build();
    let stat = MetricStat::builder().metric(metric).period(60).stat(stat).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

/// What binds is told where Lambda tells it: that something does is known without.
async fn binding(aws: &SdkConfig, config: &Config) -> Option<Limit> {
    let lambda = Lambda::new(aws, config).ok()?;
    match lambda.reserved().await.ok()? {
        Some(reserved) => Some(Limit::Reserved(reserved)),
        None => lambda.unreserved().await.ok()?.map(Limit::Account),
    }
}

impl Capacity {
    /// By what was measured: the queries' ids with their values, none of which is empty.
    fn of(measured: &[(&str, &[f64])]) -> Self {
        let values = |begins: &str| {
            let of: Vec<f64> = measured
                .iter()
                .filter(|(id, _)| id.starts_with(begins))
                .flat_map(|(_, values)| *values)
                .copied()
                .collect();
            Some(of).filter(|values| !values.is_empty())
        };
        let sum = |begins: &str| values(begins).map(|values| count(values.iter().sum()));
        Self {
            refused_runs: sum("refused_runs"),
            concurrent: values("concurrent").and_then(|values| values.into_iter().reduce(f64::max)).map(count),
            refused_calls: sum("refused_calls_").or_else(|| values("calls_").map(|_| 0)),
            ..Self::default()
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, which is below 2^52")]
const fn count(value: f64) -> usize {
    value.max(0.0) as usize
}

/// A warning where Lambda refused more runs than Step Functions' own retries handle.
pub fn judge(look: &Look<Capacity>, worker: &str, policy: &Policy, language: Language) -> Check {
    Check::of(NAME, look, language, |found, check| {
        let Capacity { refused_runs, concurrent, limit, .. } = found;
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 runs")]
        let refused = refused_runs.map(|refused| refused as f64);
        let findings: Vec<Finding> = refused
            .filter(|refused| *refused > policy.worker_throttles)
            .map(|refused| {
                let message = said::refused(language, refused_runs.unwrap_or(0), WITHIN, *limit);
                let evidence = json!({ "measured": refused, "concurrent": concurrent });
                Finding::new("worker_throttled", worker, message, evidence).told(Audience::People, Often::ONCE_A_DAY)
            })
            .into_iter()
            .collect();
        let (reserved, account) = match limit {
            Some(Limit::Reserved(runs)) => (Some(runs), None),
            Some(Limit::Account(runs)) => (None, Some(runs)),
            None => (None, None),
        };
        Check {
            state: warning_if(!findings.is_empty()),
            sentence: match refused_runs {
                Some(refused) => said::measured(language, *refused, *concurrent, WITHIN),
                None => said::not_measured(language, WITHIN),
            },
            details: findings.iter().map(|finding| finding.message.clone()).collect(),
            data: json!({ "throttles": refused_runs, "concurrent": concurrent, "reserved": reserved, "unreserved": account }),
            metrics: refused_runs.map(|refused| Metric::count("WorkerThrottles", refused)).into_iter().collect(),
            findings,
            ..check
        }
    })
}

#[cfg(test)]
mod tests;
