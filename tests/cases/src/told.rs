//! What people are told: in findings, in errors, and in messages to the topic.

use serde_json::Value;

use crate::case::Expectation;
use crate::failure::Failure;
use crate::words::{json, short};
use crate::world::{Answer, World};

/// The n-th answer, from 0; -1 is the last.
pub(crate) fn answer(world: &World, number: i64) -> Result<&Answer, Failure> {
    let count = i64::try_from(world.answers.len()).unwrap_or(i64::MAX);
    let at = if number < 0 { count + number } else { number };
    let found = usize::try_from(at).ok().and_then(|at| world.answers.get(at));
    found.ok_or_else(|| Failure::new(format!("there is no answer {number} among {count}")))
}

/// The texts in which `told` looks: findings and errors of the named answers, or of all and the messages to the topic.
pub(crate) fn told(world: &World, expectation: &Expectation) -> Result<Vec<String>, Failure> {
    texts(world, expectation, |answer| match answer {
        Ok(result) => result["findings"].as_array().into_iter().flatten().flat_map(both).collect(),
        Err(error) => vec![error.to_string()],
    })
}

/// The same for `mentioned`: all of an answer.
pub(crate) fn mentioned(world: &World, expectation: &Expectation) -> Result<Vec<String>, Failure> {
    texts(world, expectation, |answer| match answer {
        Ok(result) => both(result),
        Err(error) => vec![error.to_string()],
    })
}

fn texts(
    world: &World,
    expectation: &Expectation,
    of: impl Fn(&Answer) -> Vec<String>,
) -> Result<Vec<String>, Failure> {
    let Some(numbers) = &expectation.answers else {
        let answers = world.answers.iter().flat_map(of);
        return Ok(answers.chain(world.aws.state().messages()).collect());
    };
    let mut all = Vec::new();
    for number in numbers {
        all.extend(of(answer(world, *number)?));
    }
    Ok(all)
}

/// As JSON, and its message as it reads: in JSON a quotation mark has a backslash before it.
fn both(value: &Value) -> Vec<String> {
    let message = value["message"].as_str().or_else(|| value["summary"].as_str()).map(str::to_owned);
    message.into_iter().chain([json(value)]).collect()
}

/// What was told, for a message.
pub(crate) fn shown(texts: &[String]) -> String {
    if texts.is_empty() { "nothing".to_owned() } else { short(&texts.join(" · ")) }
}
