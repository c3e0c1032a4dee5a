//! Looks at what a case expects.

use serde_json::Value;

use crate::case::Expectation;
use crate::container::Manifest;
use crate::failure::Failure;
use crate::measured;
use crate::told::{answer, mentioned, shown, told};
use crate::words::{compare, found, json, short, text};
use crate::world::World;

/// What is found instead, where an expectation does not hold.
pub(crate) async fn fault(world: &World, expectation: &Expectation) -> Result<Option<String>, Failure> {
    let fault = look(world, expectation).await?;
    let why = expectation.why.as_deref().map(|why| format!("{why}: ")).unwrap_or_default();
    Ok(fault.map(|fault| format!("{why}{fault}")))
}

async fn look(world: &World, wanted: &Expectation) -> Result<Option<String>, Failure> {
    if let Some(some) = &wanted.any {
        let faults = faults(world, some).await?;
        let none_holds = faults.len() == some.len();
        return Ok(none_holds.then(|| format!("none of these holds: {}", faults.join("; or "))));
    }
    if let Some(all) = &wanted.all {
        let faults = faults(world, all).await?;
        return Ok((!faults.is_empty()).then(|| faults.join("; and ")));
    }
    if let Some(not) = &wanted.not {
        let holds = Box::pin(fault(world, not)).await?.is_none();
        return Ok(holds.then(|| format!("this must not hold: {}", named(not))));
    }
    if let Some(sql) = &wanted.sql {
        return match world.sql(sql, wanted.user.as_deref(), wanted.db.as_deref()).await {
            Ok(rows) => Ok(compare(&rows, wanted)?.map(|fault| format!("{sql}: {fault}"))),
            Err(error) => Ok(Some(error.to_string())),
        };
    }
    if let Some(name) = &wanted.execution {
        let status = world.aws.state().execution_status(name).unwrap_or_else(|| "missing".to_owned());
        if let Some(expected) = &wanted.status
            && *expected != status
        {
            return Ok(Some(format!("execution {name} is {status}, not {expected}")));
        }
        return compare(&status, wanted);
    }
    if let Some(pattern) = &wanted.told {
        let texts = told(world, wanted)?;
        let is_told = found(pattern, texts.iter().map(String::as_str))?;
        return Ok((!is_told).then(|| format!("/{pattern}/ is not told; told is {}", shown(&texts))));
    }
    if let Some(pattern) = &wanted.mentioned {
        let texts = mentioned(world, wanted)?;
        let is_mentioned = found(pattern, texts.iter().map(String::as_str))?;
        return Ok((!is_mentioned).then(|| format!("/{pattern}/ is not mentioned in {}", shown(&texts))));
    }
    if let Some(patterns) = &wanted.ledger {
        return ledger(world, patterns, wanted).await;
    }
    aside(world, wanted)
}

/// The expectations that look at answers, calls, and what was measured.
fn aside(world: &World, wanted: &Expectation) -> Result<Option<String>, Failure> {
    if let Some(number) = wanted.answer {
        return of_an_answer(world, number, wanted);
    }
    if let Some(number) = wanted.bytes {
        let length = match answer(world, number)? {
            Ok(result) => result.to_string().len(),
            Err(error) => return Ok(Some(format!("answer {number} is the error {error}"))),
        };
        return Ok(compare(&length.to_string(), wanted)?.map(|fault| format!("bytes of answer {number}: {fault}")));
    }
    if let Some(call) = &wanted.calls {
        let requests = world.aws.state().requests(call);
        let count = match &wanted.filter {
            Some(pattern) => {
                let regex = crate::words::regex(&text(pattern))?;
                requests.iter().filter(|request| regex.is_match(request)).count()
            }
            None => requests.len(),
        };
        let fault = compare(&count.to_string(), wanted)?;
        let called = shown(&requests);
        return Ok(fault.map(|fault| format!("calls of {call} as wanted: {fault}; called in all: {called}")));
    }
    if let Some(function) = &wanted.lambda {
        let field = wanted.field.as_deref().unwrap_or_default();
        let value = world.aws.state().function_field(function, field).map(|value| text(&value)).unwrap_or_default();
        return Ok(compare(&value, wanted)?.map(|fault| format!("{field} of {function}: {fault}")));
    }
    if let Some(alarm) = &wanted.alarm {
        let (fires, why) = measured::fires(world, alarm, wanted)?;
        let is_so = wanted.fires.is_none_or(|wanted| wanted == fires);
        let verb = if fires { "goes off" } else { "does not go off" };
        return Ok((!is_so).then(|| format!("alarm {alarm} {verb}: {why}")));
    }
    if let Some(metric) = &wanted.metric {
        return match measured::last(world, metric, wanted.function.as_deref()) {
            Some(value) => Ok(compare(&value.to_string(), wanted)?.map(|fault| format!("metric {metric}: {fault}"))),
            None if wanted.or_missing => Ok(None),
            None => Ok(Some(format!("metric {metric} was not measured"))),
        };
    }
    if let Some(function) = &wanted.memory {
        let limit = Manifest::read(function)?.memory_mb;
        let peak = world.containers(Some(function)).map(crate::container::Container::peak).max().unwrap_or(0);
        let megabytes = peak.div_ceil(1 << 20);
        let fits = megabytes > 0 && megabytes <= limit.into();
        return Ok((!fits).then(|| format!("{function} held {megabytes} MB, and its manifest gives it {limit}")));
    }
    if let Some(function) = &wanted.alive {
        let mut containers = world.containers(Some(function)).peekable();
        let lives = containers.peek().is_some() && containers.all(crate::container::Container::is_alive);
        return Ok((!lives).then(|| format!("the process of {function} has ended")));
    }
    Err(Failure::new(format!("an expectation that looks at nothing: {wanted:?}")))
}

fn of_an_answer(world: &World, number: i64, wanted: &Expectation) -> Result<Option<String>, Failure> {
    let (value, is) = match answer(world, number)? {
        Ok(result) => (result.clone(), "result"),
        Err(error) => {
            let fields = [("errorType", &error.error_type), ("errorMessage", &error.error_message)];
            (fields.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value.as_str()))).collect(), "error")
        }
    };
    if let Some(expected) = &wanted.is
        && expected != is
    {
        return Ok(Some(format!("answer {number} is no {expected} but {}", short(&json(&value)))));
    }
    let Some(path) = &wanted.path else { return Ok(None) };
    let part = path.split('.').fold(&value, |value, key| match key.parse::<usize>() {
        Ok(at) if value.is_array() => &value[at],
        _ => &value[key],
    });
    let seen = match &wanted.filter {
        Some(filter) => entries(part, Some(filter))?.to_string(),
        None if wanted.count => entries(part, None)?.to_string(),
        None if part.is_null() => String::new(),
        None => text(part),
    };
    Ok(compare(&seen, wanted)?.map(|fault| format!("{path} of answer {number}: {fault}")))
}

/// How many entries a part has; of those whose fields match.
fn entries(part: &Value, filter: Option<&Value>) -> Result<usize, Failure> {
    let entries: Vec<&Value> = match part {
        Value::Array(entries) => entries.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let mut count = 0;
    for entry in entries {
        let mut matches = true;
        for (field, pattern) in filter.and_then(Value::as_object).into_iter().flatten() {
            matches &= found(&text(pattern), [text(&entry[field]).as_str()])?;
        }
        count += usize::from(matches);
    }
    Ok(count)
}

async fn ledger(world: &World, patterns: &[String], wanted: &Expectation) -> Result<Option<String>, Failure> {
    let of_all_tables = "SELECT coalesce(string_agg(format('SELECT to_jsonb(t)::text FROM %s t', c.oid::regclass), ' UNION ALL '), 'SELECT ''''')
                           FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace('remediation')";
    let sql = world.sql(of_all_tables, None, None).await?;
    let rows = world.sql(&sql, None, None).await?;
    let mut regexes = Vec::new();
    for pattern in patterns {
        regexes.push(crate::words::regex(pattern)?);
    }
    // JSON as PostgreSQL writes it has no line breaks of its own.
    let count = rows.lines().filter(|row| regexes.iter().all(|regex| regex.is_match(row))).count();
    let is_said = wanted.equals.is_some() || wanted.at_least.is_some() || wanted.at_most.is_some();
    let fault = match is_said {
        true => compare(&count.to_string(), wanted)?,
        false => (count == 0).then(|| "there is none".to_owned()),
    };
    Ok(fault.map(|fault| format!("rows of schema remediation with all of {patterns:?}: {fault}")))
}

async fn faults(world: &World, expectations: &[Expectation]) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for expectation in expectations {
        all.extend(Box::pin(fault(world, expectation)).await?);
    }
    Ok(all)
}

fn named(expectation: &Expectation) -> String {
    let told = expectation.told.as_ref().map(|pattern| format!("/{pattern}/ is told"));
    let mentioned = expectation.mentioned.as_ref().map(|pattern| format!("/{pattern}/ is mentioned"));
    told.or(mentioned).unwrap_or_else(|| format!("{expectation:?}"))
}
