//! That nothing remains of a program that is killed.

use harness::{Error, Result, eventually};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

#[tokio::test]
async fn nothing_remains_of_a_program_that_is_killed() -> Result<()> {
    let io = |source| Error::Io { doing: "run a program that starts everything".into(), source };
    let mut program = Command::new(env!("CARGO_BIN_EXE_everything"))
        .arg(env!("CARGO_BIN_EXE_specimen"))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(io)?;
    let mut line = String::new();
    if let Some(output) = program.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(io)?;
    }
    let places: Vec<_> = line.split_whitespace().map(Path::new).collect();
    assert!(places.len() == 5 && places.iter().all(|place| place.exists()), "{line:?}");
    program.kill().map_err(io)?;
    program.wait().map_err(io)?;
    eventually(Duration::from_secs(10), "everything to be gone", || async {
        places.iter().all(|place| !place.exists()).then_some(())
    })
    .await
}
