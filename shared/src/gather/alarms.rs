//! CloudWatch's alarms as they are now, and whether what they watch was measured (design, 6.7).
//!
//! An incident is recorded when an event tells of it; the event of its end may be lost, the alarm deleted, its metric stop. So whoever
//! would act on one asks.

use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime as AwsDateTime;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, StateValue};
use chrono::{DateTime, TimeDelta, Utc};

use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::text;

/// Of an alarm that does not tell its own.
const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// One question: a run has more to do than to wait for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// As many names, and answers, as one call takes.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
const AT_ONCE: usize = 100;
const MAX_RECORDS: i32 = 100;

/// An alarm's ARN, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmArn {
    /// The whole of it.
    pub arn: String,
    region: String,
    account: String,
    /// The alarm's name.
    pub name: String,
}

impl AlarmArn {
    /// `None` for what is no alarm's ARN.
    #[must_use]
    pub fn parse(arn: &str) -> Option<Self> {
        // A name may have colons.
        let parts: Vec<&str> = arn.splitn(7, ':').collect();
        let ["arn", _, "cloudwatch", region, account, "alarm", name] = *parts.as_slice() else { return None };
        let (region, account, name) = (region.to_owned(), account.to_owned(), name.to_owned());
        (!name.is_empty()).then(|| Self { arn: arn.to_owned(), region, account, name })
    }

    /// The alarm of this name beside the state machine: all that is looked after is in its account and region.
    #[must_use]
    pub fn beside(state_machine_arn: &str, name: &str) -> Option<Self> {
        let parts: Vec<&str> = state_machine_arn.split(':').collect();
        let [_, partition, _, region, account, ..] = *parts.as_slice() else { return None };
        Self::parse(&format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"))
    }

    /// Where it is.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether CloudWatch can be asked for it from here.
    ///
    /// # Errors
    /// [`Error::Refused`] for an alarm in another account.
    pub fn is_within_reach(&self, config: &Config) -> Result<(), Error> {
        if config.state_machine_arn.split(':').nth(4) == Some(&self.account) {
            return Ok(());
        }
        let alarm = &self.arn;
        Err(Error::Refused(text!(
            config.language,
            ja: "{alarm} は別のアカウントにある",
            en: "{alarm} is in another account",
        )))
    }

    /// The installation's own alarm that the manifests call `alarm`, for its step `own`. `None` where this function is not named
    /// `<prefix><step>`.
    #[must_use]
    pub fn of_installation(config: &Config, own: &str, alarm: &str) -> Option<Self> {
        Self::beside(&config.state_machine_arn, &config.function_of(alarm, own)?)
    }
}

/// An alarm as CloudWatch tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// `None` for a state that is not known.
    pub state: Option<State>,
    /// When it came into it.
    pub since: Option<DateTime<Utc>>,
    /// How much time it judges by.
    pub window: Option<TimeDelta>,
    /// What holds the actions of a composite alarm back.
    pub held_back: Option<String>,
    watches: Option<Watches>,
}

/// A state that is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// `ALARM`.
    Alarm,
    /// `OK`.
    Ok,
    /// `INSUFFICIENT_DATA`.
    InsufficientData,
}

/// What an alarm watches.
#[derive(Debug, Clone, PartialEq)]
struct Watches {
    queries: Vec<MetricDataQuery>,
    threshold: Option<f64>,
    comparison: String,
}

/// How an alarm stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// In ALARM.
    On,
    /// In ALARM, but a mute rule or another alarm holds its actions back: by what.
    HeldBack(String),
    /// OK, since then where that is known.
    Ok(Option<DateTime<Utc>>),
    /// Deleted.
    Gone,
    /// Without data for longer than it judges by.
    Silent(DateTime<Utc>),
    /// Without data, for now.
    Waiting,
    /// CloudWatch did not tell: why.
    Unreadable(String),
    /// Nobody had a reason to ask.
    NotAsked,
}

impl Standing {
    /// What was told, or that there is no such alarm.
    #[must_use]
    pub fn of(told: Option<&Told>, now: DateTime<Utc>) -> Self {
        let Some(told) = told else { return Self::Gone };
        match (told.state, told.since) {
            (Some(State::Alarm), _) => told.held_back.clone().map_or(Self::On, Self::HeldBack),
            (Some(State::Ok), since) => Self::Ok(since),
            (Some(State::InsufficientData), Some(since)) if now - since > told.window.unwrap_or(WINDOW) => {
                Self::Silent(since)
            }
            (Some(State::InsufficientData), _) => Self::Waiting,
            (None, _) => Self::Unreadable("CloudWatch told no state that is known".to_owned()),
        }
    }

    /// Whether an incident of it is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Ok(_) | Self::Gone | Self::Silent(_))
    }
}

/// CloudWatch.
#[derive(Debug)]
pub struct Alarms {
    client: Client,
}

impl Alarms {
    /// Where the alarm is.
    #[must_use]
    pub fn of(aws: &SdkConfig, alarm: &AlarmArn) -> Self {
        let config = aws_sdk_cloudwatch::config::Builder::from(aws).region(Region::new(alarm.region.clone()));
        Self { client: Client::from_conf(config.build()) }
    }

    /// DescribeAlarms: the very alarm, or `None` where there is none (any more).
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Refused`] for an alarm in another account, which cannot be asked for from here.
    pub async fn describe(&self, alarm: &AlarmArn, config: &Config) -> Result<Option<Told>, Error> {
        alarm.is_within_reach(config)?;
        Ok(self.describe_all(&[alarm]).await?.pop().flatten())
    }

    /// DescribeAlarms of alarms in this region and account: each of them in their order, [`AT_ONCE`] in one call.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn describe_all(&self, alarms: &[&AlarmArn]) -> Result<Vec<Option<Told>>, Error> {
        let mut all = Vec::with_capacity(alarms.len());
        for asked in alarms.chunks(AT_ONCE) {
            let names = asked.iter().map(|alarm| alarm.name.clone()).collect();
            let ask = self.client.describe_alarms().set_alarm_names(Some(names)).max_records(MAX_RECORDS);
            let ask = ask.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
            let call = "DescribeAlarms";
            let told = tokio::time::timeout(PATIENCE, ask.send()).await;
            let told = told.map_err(|_| Error::no_answer(call))?.map_err(Error::aws(call))?;
            all.extend(asked.iter().map(|alarm| {
                let this = |arn: Option<&str>, name: Option<&str>| match arn {
                    Some(arn) => arn == alarm.arn,
                    None => name.is_none_or(|name| name == alarm.name),
                };
                let mut metric = told.metric_alarms().iter();
                let metric = metric.find(|found| this(found.alarm_arn(), found.alarm_name())).map(Told::of);
                let mut composite = told.composite_alarms().iter();
                let composite = composite.find(|found| this(found.alarm_arn(), found.alarm_name()));
                metric.or_else(|| {
                    composite.map(|found| Told {
                        state: state(found.state_value()),
                        since: moment(found.state_transitioned_timestamp().or(found.state_updated_timestamp())),
                        held_back: found.actions_suppressed_by().map(|by| by.as_str().to_owned()),
                        ..Told::default()
                    })
                })
            }));
        }
        Ok(all)
    }

    /// GetMetricData: whether what the alarm watches was measured, and found to be too bad, at `from` or later. False where nothing was
    /// measured, also of an alarm that watches other alarms.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn measured(&self, told: &Told, from: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool, Error> {
        let Some(watches) = &told.watches else { return Ok(false) };
        if from >= now {
            return Ok(false);
        }
        let at = |moment: DateTime<Utc>| AwsDateTime::from_secs(moment.timestamp());
        let ask = self.client.get_metric_data().set_metric_data_queries(Some(watches.queries.clone()));
        let ask = ask.start_time(at(from)).end_time(at(now)).send();
        let call = "GetMetricData";
        let told = tokio::time::timeout(PATIENCE, ask).await;
        let told = told.map_err(|_| Error::no_answer(call))?.map_err(Error::aws(call))?;
        let breaches = |value: &f64| breaches(*value, &watches.comparison, watches.threshold);
        Ok(told
            .metric_data_results()
            .iter()
            .flat_map(|result| {
                // What began before is a measurement of before.
                result.timestamps().iter().zip(result.values()).filter(|(time, _)| time.secs() >= from.timestamp())
            })
            .any(|(_, value)| breaches(value)))
    }
}

impl Alarms {
    /// How long nine of ten runs of the worker took at most in the last hour, in seconds, as Lambda measures it for nothing. `None` where
    /// nothing ran, or CloudWatch does not tell.
    pub async fn run_seconds(aws: &SdkConfig, config: &Config, now: DateTime<Utc>) -> Option<f64> {
        let function = Dimension::builder().name("FunctionName").value(config.worker_function.as_ref()?).build();
        let metric = Metric::builder().namespace("AWS/Lambda").metric_name("Duration").dimensions(function).build();
        let stat = MetricStat::builder().metric(metric).period(3600).stat("p90").build();
        let query = MetricDataQuery::builder().id("duration").metric_stat(stat).build();
        let at = |moment: DateTime<Utc>| AwsDateTime::from_secs(moment.timestamp());
        let ask = Client::new(aws).get_metric_data().metric_data_queries(query);
        let ask = ask.start_time(at(now - TimeDelta::hours(1))).end_time(at(now)).send();
        let told = tokio::time::timeout(PATIENCE, ask).await.ok()?.ok()?;
        let longest = told.metric_data_results().iter().flat_map(|result| result.values()).copied().reduce(f64::max);
        longest.map(|milliseconds| milliseconds / 1000.0)
    }
}

impl Told {
    fn of(alarm: &MetricAlarm) -> Self {
        let seconds =
            alarm.period().unwrap_or(60).max(1).saturating_mul(alarm.evaluation_periods().unwrap_or(1).max(1));
        Self {
            state: state(alarm.state_value()),
            since: moment(alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp())),
            window: Some(TimeDelta::seconds(seconds.into()).max(WINDOW)),
            held_back: None,
            watches: queries(alarm).map(|queries| Watches {
                queries,
                threshold: alarm.threshold(),
                comparison: alarm.comparison_operator().map(|how| how.as_str().to_owned()).unwrap_or_default(),
            }),
        }
    }
}

/// What to ask GetMetricData for: the alarm's own metric, or the expression that it has.
fn queries(alarm: &MetricAlarm) -> Option<Vec<MetricDataQuery>> {
    if !alarm.metrics().is_empty() {
        return Some(alarm.metrics().to_vec());
    }
    let metric = Metric::builder()
        .set_namespace(alarm.namespace().map(str::to_owned))
        .metric_name(alarm.metric_name()?)
        .set_dimensions(Some(alarm.dimensions().to_vec()));
    let statistic = alarm.statistic().map(|name| name.as_str()).or(alarm.extended_statistic()).unwrap_or("Maximum");
    let stat = MetricStat::builder().metric(metric.build()).period(alarm.period().unwrap_or(60)).stat(statistic);
    Some(vec![MetricDataQuery::builder().id("watched").metric_stat(stat.build()).build()])
}

fn state(value: Option<&StateValue>) -> Option<State> {
    Some(match value? {
        StateValue::Alarm => State::Alarm,
        StateValue::Ok => State::Ok,
        StateValue::InsufficientData => State::InsufficientData,
        _ => return None,
    })
}

/// Whether a value is on the wrong side. Where CloudWatch tells no threshold, or one that moves, every value counts.
fn breaches(value: f64, comparison: &str, threshold: Option<f64>) -> bool {
    let Some(threshold) = threshold else { return true };
    match comparison {
        "GreaterThanThreshold" => value > threshold,
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "LessThanThreshold" => value < threshold,
        "LessThanOrEqualToThreshold" => value <= threshold,
        _ => true,
    }
}

fn moment(at: Option<&AwsDateTime>) -> Option<DateTime<Utc>> {
    at.and_then(|at| DateTime::from_timestamp(at.secs(), at.subsec_nanos()))
}

#[cfg(test)]
mod tests;
