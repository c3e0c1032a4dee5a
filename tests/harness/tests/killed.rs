//! That nothing remains of a test program that is killed.

use harness::{Aws, Deployment, Error, Function, Postgres, Result, eventually};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const MARK: &str = "running: ";
const WANTED: &str = "HARNESS_TEST_WAITS_TO_BE_KILLED";

#[tokio::test]
#[ignore = "run by the other test, which kills it"]
async fn starts_everything_and_waits() -> Result<()> {
    if std::env::var_os(WANTED).is_none() {
        return Ok(());
    }
    let (postgres, aws) = (Postgres::start().await?, Aws::start().await?);
    let specimen = env!("CARGO_BIN_EXE_specimen");
    let function = Function::at(specimen).start().await?;
    let deployed = Deployment::at("deployed", specimen).deploy(&aws).await?;
    aws.lambda().invoke().function_name(deployed).send().await.map_err(Error::aws("invoke it"))?;
    let directory = |pid: u32| std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default().display().to_string();
    let pids = [postgres.process().pid(), aws.process().pid(), function.process_id().unwrap_or_default()];
    let processes = pids.map(|pid| format!("/proc/{pid}"));
    println!("{MARK}{} {} {}", processes.join(" "), directory(pids[0]), directory(pids[1]));
    std::future::pending().await
}

#[tokio::test]
async fn nothing_remains_of_a_program_that_is_killed() -> Result<()> {
    let io = |source| Error::Io { doing: "run this program again".into(), source };
    let mut program = Command::new(std::env::current_exe().map_err(io)?)
        .args(["--ignored", "--exact", "--nocapture", "starts_everything_and_waits"])
        .env(WANTED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .map_err(io)?;
    let output = program.stdout.take().map(BufReader::new);
    let line = output.into_iter().flat_map(BufRead::lines).map_while(std::result::Result::ok).find_map(|line| {
        // The test runner's own words may come first.
        line.split_once(MARK).map(|(_, places)| places.to_owned())
    });
    let line = line.unwrap_or_default();
    let places: Vec<_> = line.split(' ').map(Path::new).collect();
    assert!(places.len() == 5 && places.iter().all(|place| place.exists()), "{line:?}");
    program.kill().map_err(io)?;
    program.wait().map_err(io)?;
    eventually(Duration::from_secs(10), "everything to be gone", || async {
        places.iter().all(|place| !place.exists()).then_some(())
    })
    .await
}
