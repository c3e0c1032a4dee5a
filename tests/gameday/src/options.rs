use crate::fault::Fault;
use crate::faults;
use crate::mode::Mode;
use crate::outcome::Outcome;

/// What the command line asks for.
pub struct Options {
    /// Leave everything running at the end.
    pub keep: bool,
    /// How far the product may go.
    pub mode: Mode,
    /// What to break.
    pub faults: Vec<&'static dyn Fault>,
}

impl Options {
    /// Reads the arguments; `None` when only help was asked for, which is printed then.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Outcome<Option<Self>> {
        let mut options = Self { keep: false, mode: Mode::Act, faults: Vec::new() };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => {
                    println!("{}", help());
                    return Ok(None);
                }
                "--keep" => options.keep = true,
                "--only" => options.faults.push(fault(arguments.next())?),
                "--mode" => options.mode = mode(arguments.next())?,
                other => return Err(format!("`{other}` is no option\n\n{}", help()).into()),
            }
        }
        if options.faults.is_empty() {
            options.faults = faults::ALL.into();
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

fn fault(name: Option<String>) -> Outcome<&'static dyn Fault> {
    let name = name.unwrap_or_default();
    let found = faults::ALL.iter().find(|fault| fault.name() == name);
    found.copied().ok_or_else(|| format!("--only: there is no fault `{name}`. There are:\n{}", list()).into())
}

fn list() -> String {
    let width = faults::ALL.iter().map(|fault| fault.name().len()).max().unwrap_or(0);
    let lines = faults::ALL.iter().map(|fault| format!("  {:width$}  {}", fault.name(), fault.story()));
    lines.collect::<Vec<_>>().join("\n")
}

fn help() -> String {
    format!(
        "Deploys the product next to a small real application, breaks that in every known way, and shows how it is fixed.

Usage: cargo gameday [OPTIONS]

  --only FAULT    play this fault only; may be given more than once
  --mode observe  the product only looks: no row may change, and the record must say what would have been done
  --keep          leave everything running at the end, and print how to reach it
  --help          print this

Faults:
{}

The timeline is drawn in target/gameday/report.html; target/gameday/report.json is for programs. The exit code is 0 if
all ended as expected.",
        list()
    )
}
