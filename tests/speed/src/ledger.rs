//! An old ledger: a day's retention, and an event that closes its row, which counts its limits there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use functions_tests::STATE_MACHINE_ARN;
use functions_tests::scale::{self, OldLedger};
use harness::{Function, Postgres};
use serde_json::{Value, json};

use crate::figure::Figure;
use crate::measured::{Measured, median, milliseconds, say};
use crate::{sweep, sync};

/// What Lambda gives a run of `migrate`, in seconds.
const RUN: f64 = 120.0;
const EVENTS: usize = 21;
/// As old as a ledger gets that is put in order every day.
const DAYS: u32 = 401;

/// Measures both on one database.
pub async fn measure(programs: &BTreeMap<String, PathBuf>, entries: u32) -> Measured<Vec<Figure>> {
    let server = Postgres::builder().setting("max_wal_size", "2GB").setting("shared_buffers", "256MB").start().await?;
    let database = sweep::database(&server, programs, "ledger").await?;
    let program = |name: &str| programs.get(name).ok_or_else(|| format!("there is no {name}"));
    say(&format!("filling a ledger with {entries} entries"));
    let (runs, few) = (entries / 10, 100_000);
    scale::fill_ledger(&database, OldLedger { actions: entries, runs, few, days: DAYS }).await?;
    database.execute_as_superuser("CHECKPOINT").await?;

    let event = Function::at(program("sync-execution-status")?).database(&database);
    let event = event.env("STATE_MACHINE_ARN", STATE_MACHINE_ARN).start().await?;
    sync::invoke(&event, &database).await?;
    let mut took = Vec::new();
    for _ in 0..EVENTS {
        took.push(sync::invoke(&event, &database).await?);
    }

    let migrate = Function::at(program("migrate")?).database(&database).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN);
    let migrate = migrate.timeout(std::time::Duration::from_secs(120)).start().await?;
    let began = Instant::now();
    let answer: Value = migrate.invoke(&json!({ "schedule": "migrate" })).await?;
    let forgot = began.elapsed().as_secs_f64();
    let after = &answer["actions"][0]["after"];
    let deleted: u64 = after["deleted"].as_object().into_iter().flatten().filter_map(|(_, rows)| rows.as_u64()).sum();
    if deleted == 0 || after["unfinished"] == true {
        return Err(format!("a day's retention was not carried out: {answer:#}").into());
    }
    Ok(vec![
        Figure::aimed(
            format!("retention: a day's, at {entries} entries"),
            forgot,
            "s",
            RUN,
            format!("{deleted} records deleted: {}; {runs} runs and executions beside the entries", after["deleted"]),
        ),
        Figure::told(
            format!("sync, warm: event to answer, at {entries} entries"),
            milliseconds(median(&took)),
            "ms",
            format!("median of {EVENTS}: limits and attempts are counted by index, however old the ledger is"),
        ),
    ])
}
