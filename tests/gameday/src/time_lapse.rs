//! Time runs fifteen times as fast ([`MINUTE`]): what the deployed rules start every five minutes is started every 20 s.
//!
//! Of CloudWatch, the endpoint lacks what is done here: turning the log's embedded metrics into data points, comparing them
//! with the deployed alarms, and telling EventBridge of a change. Thresholds, comparisons, evaluation periods and what a minute
//! without a data point counts as are those of the deployed template.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use chrono::Utc;
use serde_json::Value;
use tokio::time::MissedTickBehavior;

use crate::application::Application;
use crate::outcome::Outcome;
use crate::world::{MINUTE, World};

/// Schedules, metrics and alarms.
pub struct TimeLapse<A> {
    world: Arc<World<A>>,
    logs: Logs,
    schedules: Vec<Schedule>,
}

/// A rule's target that is started again and again.
struct Schedule {
    function: String,
    input: String,
    every_minutes: u64,
}

/// An alarm of the deployed template.
struct Alarm {
    name: String,
    metric: String,
    step: String,
    breaches: fn(&f64, &f64) -> bool,
    threshold: f64,
    periods: usize,
    /// How many of the periods have to breach.
    needed: usize,
    missing: Missing,
    /// Whether each of the last data points breached, the newest last.
    points: VecDeque<bool>,
    /// Minutes without a data point, up to now.
    silent: usize,
    state: &'static str,
}

/// What a minute without a data point counts as.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Missing {
    NotBreaching,
    /// As nothing: the alarm looks further back, and has no data once there is none in any of its periods.
    NoData,
}

impl<A: Application> TimeLapse<A> {
    pub async fn new(world: Arc<World<A>>) -> Outcome<Self> {
        let logs = Logs::new(world.aws.sdk_config());
        let schedules = schedules(&world).await?;
        Ok(Self { world, logs, schedules })
    }

    /// Lets the time pass, for ever.
    pub async fn run(&self) -> Outcome<()> {
        let mut alarms = alarms(&self.world)?;
        let mut minutes = tokio::time::interval(MINUTE);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut read_until = Utc::now().timestamp_millis();
        for minute in 1_u64.. {
            minutes.tick().await;
            let due = self.schedules.iter().filter(|schedule| minute.is_multiple_of(schedule.every_minutes));
            for Schedule { function, input, .. } in due {
                self.start(function, input).await?;
            }
            let now = Utc::now().timestamp_millis();
            let points = self.data_points(&alarms, read_until).await?;
            read_until = now;
            for alarm in &mut alarms {
                let value = points.get(&(alarm.step.clone(), alarm.metric.clone())).copied();
                if let Some((before, reason)) = alarm.evaluate(value) {
                    self.world.alarm_goes(&alarm.name, alarm.state, before, &reason).await?;
                }
            }
        }
        Ok(())
    }

    async fn start(&self, function: &str, input: &str) -> Outcome<()> {
        let invoke = self.world.aws.lambda().invoke().function_name(function).invocation_type(InvocationType::Event);
        invoke.payload(Blob::new(input)).send().await?;
        Ok(())
    }

    /// The largest value of each metric that was logged since then; the alarms' statistic is the maximum.
    async fn data_points(&self, alarms: &[Alarm], since: i64) -> Outcome<BTreeMap<(String, String), f64>> {
        let mut points = BTreeMap::new();
        let steps: BTreeSet<_> = alarms.iter().map(|alarm| alarm.step.as_str()).collect();
        for step in steps {
            let group = format!("/aws/lambda/{}", self.world.function(step));
            let lines = self.logs.filter_log_events().log_group_name(group).start_time(since).send().await?;
            let lines = lines.events().iter().filter_map(|event| event.message());
            for line in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
                let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().into_iter().flatten();
                for name in metrics.filter_map(|metric| metric["Name"].as_str()) {
                    let Some(value) = line[name].as_f64() else { continue };
                    let point = points.entry((step.to_owned(), name.to_owned())).or_insert(value);
                    *point = value.max(*point);
                }
            }
        }
        Ok(points)
    }
}

impl Alarm {
    /// Takes a minute's data point; a change comes back as the state before and why.
    fn evaluate(&mut self, value: Option<f64>) -> Option<(&'static str, String)> {
        let breaches = value.map(|value| (self.breaches)(&value, &self.threshold));
        self.silent = if breaches.is_some() { 0 } else { self.silent + 1 };
        match (breaches, self.missing) {
            (Some(breaches), _) => self.points.push_back(breaches),
            (None, Missing::NotBreaching) => self.points.push_back(false),
            (None, Missing::NoData) if self.silent >= self.periods => self.points.clear(),
            (None, Missing::NoData) => {}
        }
        if self.points.len() > self.periods {
            self.points.pop_front();
        }
        let breaching = self.points.iter().filter(|breaches| **breaches).count();
        let state = if self.silent >= self.periods && self.points.is_empty() {
            "INSUFFICIENT_DATA"
        } else if self.points.is_empty() {
            // None yet.
            self.state
        } else if breaching >= self.needed {
            "ALARM"
        } else {
            "OK"
        };
        if state == self.state {
            return None;
        }
        let before = std::mem::replace(&mut self.state, state);
        let Self { periods, threshold, .. } = self;
        let reason = format!("{breaching} of {periods} data points crossed the threshold ({threshold})");
        Some((before, reason))
    }
}

/// The alarms of the deployed template.
fn alarms<A>(world: &World<A>) -> Outcome<Vec<Alarm>> {
    let template = std::fs::read(world.assembly.join("Remediation.template.json"))?;
    let template: Value = serde_json::from_slice(&template)?;
    let resources = template["Resources"].as_object().into_iter().flatten();
    let alarms = resources.filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm");
    let of_steps = alarms.map(|(_, alarm)| &alarm["Properties"]).filter(|alarm| alarm["Namespace"] == "Remediation");
    of_steps.map(alarm).collect()
}

fn alarm(properties: &Value) -> Outcome<Alarm> {
    let text = |name: &str| properties[name].as_str().unwrap_or_default();
    let unknown = |name: &str| format!("alarm {}: the {name} {} is not known here", text("AlarmName"), text(name));
    let breaches = match text("ComparisonOperator") {
        "GreaterThanThreshold" => f64::gt,
        "GreaterThanOrEqualToThreshold" => f64::ge,
        "LessThanThreshold" => f64::lt,
        "LessThanOrEqualToThreshold" => f64::le,
        _ => return Err(unknown("ComparisonOperator").into()),
    };
    if text("Statistic") != "Maximum" {
        return Err(unknown("Statistic").into());
    }
    let missing = match properties["TreatMissingData"].as_str() {
        Some("notBreaching") => Missing::NotBreaching,
        Some("missing") | None => Missing::NoData,
        Some(_) => return Err(unknown("TreatMissingData").into()),
    };
    let count = |name: &str| properties[name].as_u64().and_then(|count| usize::try_from(count).ok());
    let periods = count("EvaluationPeriods").unwrap_or(1);
    Ok(Alarm {
        name: text("AlarmName").to_owned(),
        metric: text("MetricName").to_owned(),
        step: properties["Dimensions"][0]["Value"].as_str().unwrap_or_default().to_owned(),
        breaches,
        threshold: properties["Threshold"].as_f64().unwrap_or_default(),
        periods,
        needed: count("DatapointsToAlarm").unwrap_or(periods),
        missing,
        points: VecDeque::new(),
        silent: 0,
        state: "OK",
    })
}

/// What the deployed rules start on a schedule, with the input that they give.
async fn schedules<A>(world: &World<A>) -> Outcome<Vec<Schedule>> {
    let client = world.aws.eventbridge();
    let mut schedules = Vec::new();
    for rule in client.list_rules().send().await?.rules() {
        let (Some(name), Some(expression)) = (rule.name(), rule.schedule_expression()) else { continue };
        let rate = expression.trim_start_matches("rate(").split(' ').next().and_then(|rate| rate.parse().ok());
        let every_minutes = rate.ok_or_else(|| format!("rule {name}: {expression} is no rate in minutes"))?;
        for target in client.list_targets_by_rule().rule(name).send().await?.targets() {
            let input = target.input().unwrap_or("{}").to_owned();
            schedules.push(Schedule { function: target.arn().to_owned(), input, every_minutes });
        }
    }
    Ok(schedules)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alarm_tells_of_changes_only() -> Outcome<()> {
        let mut alarm = alarm(&json!({
            "AlarmName": "stuck",
            "ComparisonOperator": "GreaterThanThreshold",
            "Statistic": "Maximum",
            "Threshold": 0,
            "EvaluationPeriods": 2,
            "TreatMissingData": "notBreaching",
        }))?;
        let minutes = [Some(1.0), None, Some(1.0), Some(2.0), Some(3.0), Some(0.0), None];
        let seen: Vec<_> = minutes.map(|value| alarm.evaluate(value).map(|(before, _)| (before, alarm.state))).into();
        assert_eq!(seen, [None, None, None, Some(("OK", "ALARM")), None, Some(("ALARM", "OK")), None]);
        Ok(())
    }

    #[test]
    fn an_alarm_that_needs_some_of_many_is_over_late_and_has_no_data_in_silence() -> Outcome<()> {
        let mut alarm = alarm(&json!({
            "AlarmName": "errors",
            "ComparisonOperator": "GreaterThanThreshold",
            "Statistic": "Maximum",
            "Threshold": 5,
            "EvaluationPeriods": 4,
            "DatapointsToAlarm": 2,
            "TreatMissingData": "missing",
        }))?;
        let minutes = [Some(6.0), None, Some(6.0), Some(0.0), Some(0.0), Some(0.0), None, None, None, None, Some(6.0)];
        let seen: Vec<_> = minutes.map(|value| alarm.evaluate(value).map(|(before, _)| (before, alarm.state))).into();
        let (on, over, silent) = (Some(("OK", "ALARM")), Some(("ALARM", "OK")), Some(("OK", "INSUFFICIENT_DATA")));
        let back = Some(("INSUFFICIENT_DATA", "OK"));
        assert_eq!(seen, [None, None, on, None, None, over, None, None, None, silent, back]);
        Ok(())
    }
}
