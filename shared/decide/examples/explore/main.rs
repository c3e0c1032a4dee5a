//! Every interleaving of the application, Step Functions, people and our own steps around one process, with the real decisions.
//!
//! `cargo run --release -p remediation-decide --example explore [word …]`: all searches, or those whose names have these words.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]

mod model;
mod searches;

use std::process::ExitCode;
use std::time::Instant;

use model::rules::REAL;
use model::search::explore;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (start, mut states) = (Instant::now(), 0);
    for (name, bounds) in searches::SEARCHES.iter().filter(|(name, _)| words.iter().all(|word| name.contains(word))) {
        match explore(REAL, *bounds) {
            Ok(found) => {
                states += found.states + found.quiet;
                println!("{name}: {found}");
            }
            Err(found) => {
                eprintln!("{name}: {:?} after {} states\n{}", found.broken, found.states, found.trace);
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{states} states in {:.0} s, and nothing broken", start.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}
