//! Every sweep at a million processes, which has to come to its end within one run of a minute.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use functions_tests::STATE_MACHINE_ARN;
use functions_tests::scale::{self, HISTORY, SWEEPS, Sweep};
use harness::{Function, Postgres};

use crate::figure::Figure;
use crate::measured::{Measured, say};
use crate::sweep;

/// What Lambda gives a run, in seconds.
const RUN: f64 = 60.0;

/// Measures each sweep once, on the same database: what one has done, the next ones find done.
pub async fn measure(programs: &BTreeMap<String, PathBuf>) -> Measured<Vec<Figure>> {
    let server = Postgres::builder().setting("max_wal_size", "8GB").setting("shared_buffers", "256MB").start().await?;
    let database = sweep::database(&server, programs, "scale").await?;
    let program = |name: &str| programs.get(name).ok_or_else(|| format!("there is no {name}"));
    let migrate = Function::at(program("migrate")?).database(&database).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN);
    say(&format!("filling a table with {HISTORY} processes"));
    scale::fill(&database, &migrate.start().await?, HISTORY).await?;
    let aws = scale::nothing_new().await?;
    let mut figures = Vec::new();
    for sweep in SWEEPS {
        let function = scale::function(Function::at(program(sweep.step)?), &database, &aws).start().await?;
        let began = Instant::now();
        let answer = function.invoke(&sweep.event()).await?;
        let took = began.elapsed().as_secs_f64();
        let told = Sweep::told(&answer);
        if told != sweep.actions {
            return Err(
                format!("{} tells {told} actions, not {}: {}", sweep.step, sweep.actions, answer["summary"]).into()
            );
        }
        let what = if sweep.acts { "actions done" } else { "actions told" };
        let why = format!("{told} {what}; {HISTORY} closed processes, 20000 open ones, the proposed indexes");
        say(&format!("{}: {took:.2} s", sweep.step));
        figures.push(Figure::aimed(format!("{}: a million processes", sweep.step), took, "s", RUN, why));
    }
    Ok(figures)
}
