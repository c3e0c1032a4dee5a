//! `cargo speed`: the project's figures, measured on the release binaries of the functions.
//!
//! It prints one table and writes `target/speed.json`. Figures that depend on the machine are compared with something that
//! does the same job in the same run; nothing is asserted, and a figure that is not reached is no error.

mod fence;
mod figure;
mod ledger;
mod measured;
mod memory;
mod programs;
mod scale;
mod size;
mod start;
mod sweep;
mod sync;

use std::time::Instant;

use figure::Figure;
use measured::{Measured, say};
use serde_json::json;

const USAGE: &str = "cargo speed [--only PART]… [--rows N] [--times N] [--entries N] [--built]

  --only PART  start, size, sync, sweep, scale, memory, fence or ledger; all of them by default
  --rows N     open rows for the sweep (100000)
  --times N    sweeps, of which the median counts (3)
  --entries N  entries of the old ledger (10000000)
  --built      measure what was built last, building nothing";

const PARTS: [&str; 8] = ["start", "size", "sync", "sweep", "scale", "memory", "fence", "ledger"];

/// What is asked for on the command line.
struct Order {
    parts: Vec<String>,
    rows: i32,
    times: usize,
    entries: u32,
    built: bool,
}

impl Order {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut order = Self { parts: Vec::new(), rows: 100_000, times: 3, entries: 10_000_000, built: false };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            let number = |value: String| {
                value.parse().ok().filter(|n: &i32| *n > 0).ok_or_else(|| format!("{value:?} is not a positive number"))
            };
            match word.as_str() {
                "--only" => order.parts.push(value()?),
                "--rows" => order.rows = number(value()?)?,
                "--times" => order.times = number(value()?)?.unsigned_abs() as usize,
                "--entries" => order.entries = number(value()?)?.unsigned_abs(),
                "--built" => order.built = true,
                _ => return Err(format!("{word:?} is unknown")),
            }
        }
        match order.parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
            Some(unknown) => Err(format!("there is no part {unknown:?}: {}", PARTS.join(", "))),
            None => Ok(order),
        }
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let order = match Order::read(std::env::args().skip(1)) {
        Ok(order) => order,
        Err(wrong) => {
            say(&format!("{wrong}\n\n{USAGE}"));
            std::process::exit(2);
        }
    };
    tokio::select! {
        done = measure(&order) => done,
        // Whatever was started ends with this process.
        _ = tokio::signal::ctrl_c() => std::process::exit(130),
    }
}

async fn measure(order: &Order) -> Measured<()> {
    let began = Instant::now();
    let programs = programs::functions(order.built)?;
    let mut figures: Vec<Figure> = Vec::new();
    if order.wants("start") {
        figures.extend(start::measure(&programs).await?);
    }
    if order.wants("size") {
        figures.extend(size::measure(&programs)?);
    }
    if order.wants("sync") {
        figures.extend(sync::measure(&programs).await?);
    }
    if order.wants("sweep") {
        figures.extend(sweep::measure(&programs, order.rows, order.times).await?);
    }
    if order.wants("scale") {
        figures.extend(scale::measure(&programs).await?);
    }
    if order.wants("memory") {
        figures.extend(memory::measure(&programs).await?);
    }
    if order.wants("fence") {
        figures.extend(fence::measure(&programs).await?);
    }
    if order.wants("ledger") {
        figures.extend(ledger::measure(&programs, order.entries).await?);
    }
    let report = harness::paths::target().join("speed.json");
    let content = json!({
        "figures": figures,
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "seconds": began.elapsed().as_secs(),
    });
    std::fs::write(&report, format!("{content:#}\n"))?;
    println!("{}", figure::table(&figures));
    Ok(())
}
