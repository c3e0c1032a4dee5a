//! CloudWatch: alarms and metrics. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/>
//!
//! Times are epoch seconds here; how they are written is the protocol's.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::state::State;
use super::{Answered, Fault};
use crate::times::{epoch, seconds};

impl State {
    /// An alarm's state is such now; the fields are DescribeAlarms'.
    pub fn set_alarm(&mut self, name: &str, fields: Map<String, Value>) {
        let now = epoch(Utc::now());
        let alarm = self.alarms.entry(name.to_owned()).or_insert_with(|| {
            let alarm = json!({
                "AlarmName": name, "AlarmArn": format!("arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm:{name}"),
                "ActionsEnabled": true, "StateValue": "OK", "StateReason": "Threshold Crossed", "Namespace": "Remediation",
                "Period": 60, "EvaluationPeriods": 2, "TreatMissingData": "missing", "Statistic": "Maximum",
                "ComparisonOperator": "GreaterThanThreshold", "AlarmConfigurationUpdatedTimestamp": now,
            });
            alarm.as_object().cloned().unwrap_or_default()
        });
        if fields.contains_key("StateValue") && fields.get("StateValue") != alarm.get("StateValue") {
            alarm.insert("StateTransitionedTimestamp".to_owned(), now.clone());
        }
        alarm.insert("StateUpdatedTimestamp".to_owned(), now);
        alarm.extend(fields);
    }

    /// The calls that are known.
    pub(super) fn cloudwatch(&mut self, call: &str, asked: &Value) -> Option<Answered> {
        Some(match call {
            "DescribeAlarms" => Ok(self.describe_alarms(asked)),
            "DescribeAlarmHistory" => Ok(json!({ "AlarmHistoryItems": [] })),
            "SetAlarmState" => {
                let name = asked["AlarmName"].as_str().unwrap_or_default().to_owned();
                let fields = ["StateValue", "StateReason"].map(|field| (field.to_owned(), asked[field].clone()));
                self.set_alarm(&name, fields.into_iter().collect());
                Ok(json!({}))
            }
            "GetMetricData" => self.metric_data(asked),
            "GetMetricStatistics" => self.metric_statistics(asked),
            "ListMetrics" => {
                let named = |name: &&String| asked["MetricName"].as_str().is_none_or(|wanted| wanted == *name);
                let metrics = self.metrics.keys().filter(named);
                let metrics =
                    metrics.map(|name| json!({ "Namespace": "Remediation", "MetricName": name, "Dimensions": [] }));
                Ok(json!({ "Metrics": metrics.collect::<Vec<_>>() }))
            }
            "PutMetricData" => Ok(json!({})),
            _ => return None,
        })
    }

    fn describe_alarms(&self, asked: &Value) -> Value {
        let names: Option<Vec<&str>> =
            asked["AlarmNames"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect());
        let prefix = asked["AlarmNamePrefix"].as_str().unwrap_or_default();
        let state = asked["StateValue"].as_str();
        let wanted = self.alarms.iter().filter(|(name, alarm)| {
            names.as_ref().is_none_or(|names| names.is_empty() || names.contains(&name.as_str()))
                && name.starts_with(prefix)
                && state.is_none_or(|state| alarm["StateValue"] == state)
        });
        json!({ "MetricAlarms": wanted.map(|(_, alarm)| alarm).collect::<Vec<_>>(), "CompositeAlarms": [] })
    }

    /// The values of a metric between two moments, by the beginning of their periods, newest first.
    fn periods(&self, name: &str, asked: &Value, period: f64) -> Result<Vec<(f64, Vec<f64>)>, Fault> {
        let time = |field: &str| {
            moment(&asked[field]).ok_or_else(|| Fault::new(400, "InvalidParameterValue", format!("{field} is no time")))
        };
        let (from, to) = (time("StartTime")?, time("EndTime")?);
        let mut periods: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for point in self.metrics.get(name).into_iter().flatten() {
            if let (Some(at), Some(value)) = (point["at"].as_f64(), point["value"].as_f64()) {
                let begin = (at / period).floor() * period;
                if begin >= from && begin < to {
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970")]
                    periods.entry(begin as u64).or_default().push(value);
                }
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970")]
        Ok(periods.into_iter().rev().map(|(begin, values)| (begin as f64, values)).collect())
    }

    fn metric_data(&self, asked: &Value) -> Answered {
        let mut results = Vec::new();
        for query in asked["MetricDataQueries"].as_array().into_iter().flatten() {
            if query["ReturnData"] == false {
                continue;
            }
            let stat = &query["MetricStat"];
            let Some(name) = stat["Metric"]["MetricName"].as_str() else {
                let message = format!("the cases' AWS computes no expression: {query}");
                return Err(Fault::new(400, "ValidationError", message));
            };
            let periods = self.periods(name, asked, number(&stat["Period"]).unwrap_or(60.0))?;
            let values = periods.iter().map(|(_, values)| statistic(stat["Stat"].as_str().unwrap_or_default(), values));
            results.push(json!({
                "Id": query["Id"], "Label": name, "StatusCode": "Complete",
                "Timestamps": periods.iter().map(|(begin, _)| *begin).collect::<Vec<_>>(),
                "Values": values.collect::<Vec<_>>(),
            }));
        }
        Ok(json!({ "MetricDataResults": results, "Messages": [] }))
    }

    fn metric_statistics(&self, asked: &Value) -> Answered {
        let name = asked["MetricName"].as_str().unwrap_or_default();
        let periods = self.periods(name, asked, number(&asked["Period"]).unwrap_or(60.0))?;
        let wanted: Vec<&str> =
            asked["Statistics"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let point = |(begin, values): &(f64, Vec<f64>)| {
            let mut point = json!({ "Timestamp": begin, "Unit": "None" });
            for stat in &wanted {
                point[*stat] = statistic(stat, values).into();
            }
            point
        };
        Ok(json!({ "Label": name, "Datapoints": periods.iter().map(point).collect::<Vec<_>>() }))
    }
}

/// What a statistic makes of the values of a period; a percentile is the greatest of them here.
#[allow(clippy::cast_precision_loss, reason = "as many values as a case has")]
fn statistic(name: &str, values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    match name {
        "Sum" => sum,
        "SampleCount" => values.len() as f64,
        "Average" => sum / values.len() as f64,
        "Minimum" => values.iter().copied().fold(f64::INFINITY, f64::min),
        _ => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

/// A time as a request has it: epoch seconds, or a text.
fn moment(value: &Value) -> Option<f64> {
    let text = || DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|at| seconds(at.to_utc()));
    value.as_f64().or_else(text)
}

/// A number, which a form has as a text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}
