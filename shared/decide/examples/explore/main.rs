//! Every interleaving of the application, Step Functions, people and our own steps around one process, with the real decisions.
//!
//! `cargo run --release -p remediation-decide --example explore [word …]`: all searches, or those whose names have these words.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]

mod model;
mod searches;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{available_parallelism, scope};
use std::time::Instant;

use model::crowd;
use model::rules::REAL;
use model::search::{Counterexample, Explored, explore};

/// A search, to be made.
type Search = Box<dyn Fn() -> Result<Explored, Box<Counterexample>> + Send>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let of_one = searches::SEARCHES.map(|(name, bounds)| (name, Box::new(move || explore(REAL, bounds)) as Search));
    let of_many = crowd::SCENES.map(|(name, scene)| (name, Box::new(move || crowd::explore(REAL, scene)) as Search));
    let all = of_one.into_iter().chain(of_many);
    let left = Mutex::new(all.filter(|(name, _)| words.iter().all(|word| name.contains(word))));
    let (start, states, broken) = (Instant::now(), AtomicUsize::new(0), AtomicBool::new(false));
    // One after the other, as many at once as there are processors.
    let searches = || {
        let next = || left.lock().unwrap().next().filter(|_| !broken.load(Ordering::Relaxed));
        while let Some((name, search)) = next() {
            match search() {
                Ok(found) => {
                    states.fetch_add(found.states + found.quiet, Ordering::Relaxed);
                    println!("{name}: {found}");
                }
                Err(found) => {
                    broken.store(true, Ordering::Relaxed);
                    eprintln!("{name}: {:?} after {} states\n{}", found.broken, found.states, found.trace);
                }
            }
        }
    };
    scope(|threads| (0..available_parallelism().map_or(1, usize::from)).for_each(|_| drop(threads.spawn(searches))));
    if broken.into_inner() {
        return ExitCode::FAILURE;
    }
    println!("{} states in {:.0} s, and nothing broken", states.into_inner(), start.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}
