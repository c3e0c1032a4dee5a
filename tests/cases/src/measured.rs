//! What the functions measured, and which alarms go off by that.

use harness::functions;
use serde_json::Value;

use crate::case::Expectation;
use crate::container::{Alarm, Manifest};
use crate::failure::Failure;
use crate::world::World;

/// The value that a function measured last, of any function where none is named.
pub(crate) fn last(world: &World, metric: &str, function: Option<&str>) -> Option<f64> {
    let lines = world.containers(function).flat_map(crate::container::Container::measured);
    let measured = lines.filter(|line| !line[metric].is_null());
    let newest = measured.max_by_key(|line| line["_aws"]["Timestamp"].as_i64())?;
    match &newest[metric] {
        Value::Array(values) => values.last()?.as_f64(),
        value => value.as_f64(),
    }
}

/// Whether an alarm goes off by what was measured last, as its manifest has it, or as the case has it where no manifest does; and what
/// that rests on.
pub(crate) fn fires(world: &World, name: &str, expectation: &Expectation) -> Result<(bool, String), Failure> {
    let (metric, threshold, comparison) = match defined(name)? {
        Some(alarm) => (alarm.metric, alarm.threshold, alarm.comparison),
        None => (
            expectation.metric.clone().unwrap_or_default(),
            expectation.threshold.unwrap_or_default(),
            "GreaterThanThreshold".to_owned(),
        ),
    };
    let value = last(world, &metric, None);
    let is_over = |value: f64| match comparison.as_str() {
        "GreaterThanThreshold" => Some(value > threshold),
        "GreaterThanOrEqualToThreshold" => Some(value >= threshold),
        "LessThanThreshold" => Some(value < threshold),
        "LessThanOrEqualToThreshold" => Some(value <= threshold),
        _ => None,
    };
    let fires = match value {
        Some(value) => {
            is_over(value).ok_or_else(|| Failure::new(format!("the comparison `{comparison}` of {name}")))?
        }
        None => false,
    };
    let value = value.map_or("not measured".to_owned(), |value| value.to_string());
    Ok((fires, format!("{metric} is {value}, the threshold {threshold}")))
}

/// The alarm of this name among all manifests.
fn defined(name: &str) -> Result<Option<Alarm>, Failure> {
    for function in functions::names()? {
        if let Some(alarm) = Manifest::read(&function)?.alarms.into_iter().find(|alarm| alarm.name == name) {
            return Ok(Some(alarm));
        }
    }
    Ok(None)
}
