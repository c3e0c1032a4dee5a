//! Plays cases: folders that say what is set up, what is called, and what a user must find afterwards. The format is in `README.md`.
//!
//! | file | what |
//! | --- | --- |
//! | `case.rs` | what a folder says |
//! | `play.rs`, `steps.rs` | plays it: the world before the first step, then step after step |
//! | `world.rs`, `container.rs` | the database and the functions' containers |
//! | `advance.rs` | lets time go by |
//! | `expect.rs`, `told.rs`, `measured.rs`, `words.rs` | what is looked at, and what it is held against |
//! | `aws.rs` and its folder | AWS, as far as the functions ask it: state that their calls really change |
//! | `pooler.rs` | a pooler in transaction mode |
//!
//! What does not hold yet is listed in `not-yet.txt`. A listed case is played too, and must be found failing: the list only shrinks.

mod advance;
mod aws;
mod case;
mod container;
mod expect;
mod failure;
mod measured;
mod play;
mod pooler;
mod steps;
mod times;
mod told;
mod words;
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

pub use failure::Failure;
use harness::paths;

/// Where the cases and the list are.
fn home() -> PathBuf {
    paths::workspace().join("tests/cases")
}

/// The names of all cases, sorted.
///
/// # Errors
/// Where the folder cannot be read.
pub fn names() -> Result<Vec<String>, Failure> {
    let folder = home().join("cases");
    let entries = fs::read_dir(&folder).map_err(|error| Failure::of(&folder.display(), &error))?;
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// The cases that do not hold yet, each with its reason.
///
/// # Errors
/// Where the list cannot be read.
pub fn listed() -> Result<BTreeMap<String, String>, Failure> {
    let path = home().join("not-yet.txt");
    let text = fs::read_to_string(&path).map_err(|error| Failure::of(&path.display(), &error))?;
    let entries = text.lines().map(|line| line.split_once('#').unwrap_or((line, "")));
    let entries = entries.map(|(name, why)| (name.trim().to_owned(), why.trim().to_owned()));
    Ok(entries.filter(|(name, _)| !name.is_empty()).collect())
}

/// Plays a case. It must hold, or be listed and fail.
///
/// # Errors
/// What was expected and what was found instead; that a listed case holds; what kept the case from being played.
pub async fn check(name: &str) -> Result<(), Failure> {
    let is_listed = listed()?.contains_key(name);
    let played = play::play(name, &home().join("cases").join(name)).await?;
    match (played, is_listed) {
        (play::Played::CannotHere(why), _) => {
            println!("{name} is not played on this machine: {why}");
            Ok(())
        }
        (play::Played::Holds, false) => Ok(()),
        (play::Played::Holds, true) => {
            Err(Failure::new(format!("`{name}` holds: take it off the list in tests/cases/not-yet.txt")))
        }
        (play::Played::Fails(why), false) => Err(Failure::new(why)),
        (play::Played::Fails(why), true) => {
            println!("not yet: {why}");
            Ok(())
        }
    }
}
