use patient::Patient;
use patient::profiled::{Profiled, Shape};

use crate::mode::Mode;
use crate::outcome::Outcome;
use crate::played;

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    /// Leave everything running at the end.
    pub keep: bool,
    /// How far the product may go.
    pub mode: Mode,
    /// Which application is broken; `None`: the guide's.
    pub profile: Option<Shape>,
    /// The names of the faults to play; none: all.
    pub only: Vec<String>,
}

impl Options {
    /// Reads the arguments; `None` when only help was asked for, which is printed then.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Outcome<Option<Self>> {
        let mut options = Self { keep: false, mode: Mode::Act, profile: None, only: Vec::new() };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => {
                    println!("{}", help());
                    return Ok(None);
                }
                "--keep" => options.keep = true,
                "--only" => options.only.push(arguments.next().unwrap_or_default()),
                "--mode" => options.mode = mode(arguments.next())?,
                "--profile" => options.profile = Some(profile(arguments.next())?),
                other => return Err(format!("`{other}` is no option\n\n{}", help()).into()),
            }
        }
        match options.profile {
            None => played::chosen::<Patient>(&options.only).map(drop)?,
            Some(_) => played::chosen::<Profiled>(&options.only).map(drop)?,
        }
        Ok(Some(options))
    }
}

fn mode(name: Option<String>) -> Outcome<Mode> {
    match name.as_deref() {
        Some("act") => Ok(Mode::Act),
        Some("observe") => Ok(Mode::Observe),
        other => Err(format!("--mode must be act or observe, not {}", other.unwrap_or("nothing")).into()),
    }
}

fn profile(name: Option<String>) -> Outcome<Shape> {
    let found = name.as_deref().and_then(Shape::named);
    found
        .ok_or_else(|| format!("--profile must be {}, not {}", profiles(), name.as_deref().unwrap_or("nothing")).into())
}

fn profiles() -> String {
    let names = Shape::ALL.map(|shape| format!("{} ({})", shape.name, shape.letter));
    let [others @ .., last] = &names;
    format!("{} or {last}", others.join(", "))
}

fn help() -> String {
    format!(
        "Deploys the product next to a small real application, breaks that in every known way, and shows how it is fixed.

Usage: cargo gameday [OPTIONS]

  --only FAULT    play this fault only; may be given more than once
  --mode observe  the product only looks: no row may change, and the record must say what would have been done
  --profile NAME  break another application, whose profile the product is given:
                  {}
  --keep          leave everything running at the end, and print how to reach it
  --help          print this

Faults:
{}

Faults of an application with a profile, but for those that it cannot have:
{}

The timeline is drawn in target/gameday/report.html; target/gameday/report.json is for programs. The exit code is 0 if
all ended as expected.",
        profiles(),
        played::list::<Patient>(),
        played::list::<Profiled>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Outcome<Options> {
        let options = Options::read(line.split_whitespace().map(str::to_owned))?;
        options.ok_or_else(|| "only help".into())
    }

    #[test]
    fn an_application_is_named_in_full_or_by_its_letter_anywhere_in_the_line() -> Outcome<()> {
        for (line, name) in [
            ("--profile archive-ingest", "archive-ingest"),
            ("--profile B --mode observe", "transfer-checks"),
            ("--only event-lost --profile C", "genomics"),
            ("--profile D --only event-lost", "satellite-jobs"),
        ] {
            assert_eq!(read(line)?.profile.map(|shape| shape.name), Some(name), "{line}");
        }
        assert!(read("--mode observe")?.profile.is_none());
        Ok(())
    }

    #[test]
    fn a_name_that_nobody_has_is_answered_with_those_that_there_are() {
        for (line, told) in [
            (
                "--profile E",
                "--profile must be archive-ingest (A), transfer-checks (B), genomics (C) or satellite-jobs (D), not E",
            ),
            ("--profile", "or satellite-jobs (D), not nothing"),
            ("--only nothing", "there is no fault `nothing`. There are:\n  last-update-lost "),
            ("--profile A --only late-write", "there is no fault `late-write`. There are:\n  last-update-lost "),
            ("--quiet", "`--quiet` is no option"),
        ] {
            let error = read(line).map(|_| String::new()).unwrap_or_else(|error| error.to_string());
            assert!(error.contains(told), "{line}: {error}");
        }
    }
}
