//! Plays steps, in order.

use serde_json::{Map, Value};

use crate::advance::advance;
use crate::case::Step;
use crate::expect;
use crate::failure::Failure;
use crate::times;
use crate::world::{Key, World};

/// Plays steps; what they found that must not be is added to `faults`, and the next step is played all the same.
pub(crate) async fn play(world: &mut World, steps: &[Step], faults: &mut Vec<String>) -> Result<(), Failure> {
    for step in steps {
        if let Some(function) = &step.function {
            call(world, function, step, faults).await?;
        } else if let Some(sql) = &step.sql {
            if let Err(error) = world.sql(sql, step.user.as_deref(), step.db.as_deref()).await {
                faults.push(error.to_string());
            }
        } else if let Some(changes) = &step.aws {
            world.aws.state().add(changes)?;
        } else if let Some(seconds) = step.advance {
            advance(world, seconds).await?;
        } else if let Some(times) = step.repeat {
            for _ in 0..times {
                Box::pin(play(world, &step.steps, faults)).await?;
            }
        } else if step.expect.is_empty() {
            return Err(Failure::new(format!("a step that says nothing: {step:?}")));
        }
        for expectation in &step.expect {
            let after = world.answers.len();
            let found = expect::fault(world, expectation).await?;
            faults.extend(found.map(|fault| format!("after {after} calls: {fault}")));
        }
    }
    Ok(())
}

async fn call(world: &mut World, function: &str, step: &Step, faults: &mut Vec<String>) -> Result<(), Failure> {
    let mut event = step.event.clone();
    times::resolve(&mut event, chrono::Utc::now());
    if let Some((alarm, state)) = alarm_state(&event) {
        world.aws.state().set_alarm(alarm, state);
    }
    let key = Key {
        function: function.to_owned(),
        container: step.container.clone(),
        url: step.url.clone(),
        env: step.env.clone(),
    };
    let number = world.answers.len();
    if let Err(error) = world.call(key, &event, step.deadline).await?
        && !step.may_fail
    {
        faults.push(format!("call {number}, {function}: must answer without an error, but answered {error}"));
    }
    Ok(())
}

/// The alarm that an event is about, and what is known of it then: AWS has it so too.
fn alarm_state(event: &Value) -> Option<(&str, Map<String, Value>)> {
    let told = ["detail", "alarmData"].iter().map(|part| &event[*part]).find(|told| told["alarmName"].is_string())?;
    let name = told["alarmName"].as_str()?;
    let metric = &told["configuration"]["metrics"][0]["metricStat"];
    let fields = [
        ("AlarmArn", &event["resources"][0]),
        ("StateValue", &told["state"]["value"]),
        ("StateReason", &told["state"]["reason"]),
        ("Namespace", &metric["metric"]["namespace"]),
        ("MetricName", &metric["metric"]["name"]),
        ("Period", &metric["period"]),
        ("Statistic", &metric["stat"]),
    ];
    let known = fields.into_iter().filter(|(_, value)| !value.is_null());
    Some((name, known.map(|(field, value)| (field.to_owned(), value.clone())).collect()))
}
