//! Every interleaving of the application, Step Functions, people and our own steps around one process, with the real decisions.
//!
//! `cargo run --release -p remediation-decide --example explore [word …]`: all searches, or those whose names have these words.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]

mod model;
mod searches;

use std::process::ExitCode;
use std::time::Instant;

use model::crowd;
use model::rules::REAL;
use model::search::{Counterexample, Explored, explore};

/// A search, to be made.
type Search = Box<dyn Fn() -> Result<Explored, Box<Counterexample>>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let of_one = searches::SEARCHES.map(|(name, bounds)| (name, Box::new(move || explore(REAL, bounds)) as Search));
    let of_many = crowd::SCENES.map(|(name, scene)| (name, Box::new(move || crowd::explore(REAL, scene)) as Search));
    let (start, mut states) = (Instant::now(), 0);
    let all = of_one.into_iter().chain(of_many);
    for (name, search) in all.filter(|(name, _)| words.iter().all(|word| name.contains(word))) {
        match search() {
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
