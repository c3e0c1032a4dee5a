//! One invocation of `sync-execution-status` on a warm function: what it asks of PostgreSQL and of AWS, and how long it takes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{SubsecRound, TimeDelta, Utc};
use functions_tests::{STATE_MACHINE_ARN, status_event};
use harness::{APPLICATION, AwsProxy, CountingProxy, Database, Function, Postgres};
use patient::table::{self, GUIDE, Row};
use serde_json::{Value, json};

use crate::figure::Figure;
use crate::measured::{Measured, median, milliseconds, say};
use crate::{start, sweep};

const ROUND_TRIPS: f64 = 4.0;
const EVENTS: usize = 101;

/// Measures an event that closes its row, the dearest there is.
pub async fn measure(programs: &BTreeMap<String, PathBuf>) -> Measured<Vec<Figure>> {
    let name = "sync-execution-status";
    let program = programs.get(name).ok_or("there is no sync-execution-status")?;
    let server = Postgres::start().await?;
    let database = sweep::database(&server, programs, "sync").await?;
    let proxy = CountingProxy::start(database.port()).await?;
    let aws = AwsProxy::start("http://127.0.0.1:1").await?;

    say(&format!("sending {EVENTS} events to {name}, twice"));
    let url = database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1);
    let counted = Function::at(program).envs(aws.environment()).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN);
    let counted = counted.env("DATABASE_URL", url).start().await?;
    invoke(&counted, &database).await?;
    let resident = counted.resident_bytes();
    proxy.reset();
    aws.reset();
    let mut most = 0;
    for _ in 0..EVENTS {
        let before = proxy.count();
        invoke(&counted, &database).await?;
        most = most.max(proxy.count() - before);
    }
    let calls: usize = aws.counts().values().sum();

    let direct = Function::at(program).envs(aws.environment()).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN);
    let direct = direct.database(&database).start().await?;
    let cold = invoke(&direct, &database).await?;
    let mut took = Vec::new();
    for _ in 0..EVENTS {
        took.push(invoke(&direct, &database).await?);
    }
    let connections = format!("the most of {EVENTS} events, each of which closes a row");
    Ok(vec![
        start::resident(name, resident),
        Figure::aimed(
            "sync, warm: round trips to PostgreSQL",
            u32::try_from(most)?.into(),
            "",
            ROUND_TRIPS,
            connections,
        ),
        Figure::aimed("sync, warm: calls of AWS", u32::try_from(calls)?.into(), "", 0.0, format!("in {EVENTS} events")),
        Figure::told(
            "sync, warm: event to answer",
            milliseconds(median(&took)),
            "ms",
            format!("median of {EVENTS}, the first (connects, reads the catalogue) {:.0} ms", milliseconds(cold)),
        ),
    ])
}

/// An execution ends, and its row is open: the function closes it.
pub async fn invoke(function: &Function, database: &Database) -> Measured<Duration> {
    let started = (Utc::now() - TimeDelta::seconds(90)).trunc_subsecs(3);
    let row = Row::pending(started - TimeDelta::seconds(1)).became("PROCESSING", started);
    table::insert(database.pool(), &GUIDE, std::slice::from_ref(&row)).await?;
    let output = json!({ "generationResult": { "Payload": { "goals": ["走る", "休む"] } } }).to_string();
    let stopped = Some(started + TimeDelta::seconds(60));
    let event = status_event(row.id, "SUCCEEDED", started, stopped, &json!({ "output": output }));
    let began = Instant::now();
    let answer: Value = function.invoke(&event).await?;
    let took = began.elapsed();
    if answer["actions"][0]["outcome"] != "applied" {
        return Err(format!("sync did not close the row: {answer:#}").into());
    }
    Ok(took)
}
