//! A real binary behind the Runtime API.

use harness::{Error, Function, FunctionBuilder, Postgres, Result, eventually, functions};
use serde_json::json;
use std::time::{Duration, Instant};

fn specimen() -> FunctionBuilder {
    Function::at(env!("CARGO_BIN_EXE_specimen"))
}

#[tokio::test]
async fn one_process_handles_event_after_event() -> Result<()> {
    let function = specimen().start().await?;
    let first = function.invoke(&json!({"number": 1})).await?;
    let second = function.invoke(&json!({"number": 2})).await?;
    assert_eq!((&first["event"]["number"], &second["event"]["number"]), (&json!(1), &json!(2)));
    assert_eq!(first["pid"], second["pid"]);
    assert_ne!(first["requestId"], second["requestId"]);
    assert_eq!(first["arn"], "arn:aws:lambda:ap-northeast-1:000000000000:function:specimen");
    assert!(first["trace"].as_str().is_some_and(|trace| trace.starts_with("Root=1-")), "{first}");
    let left = first["millisecondsLeft"].as_u64();
    assert!(left.is_some_and(|left| (25_000..=30_000).contains(&left)), "{left:?}");
    let longer = function.invoke_within(&json!({}), Duration::from_secs(60)).await?["millisecondsLeft"].as_u64();
    assert!(longer.is_some_and(|left| (55_000..=60_000).contains(&left)), "{longer:?}");
    println!("ready after {:?}, {} KiB resident", function.ready_after(), function.resident_bytes() / 1024);
    assert!(function.ready_after() > Duration::ZERO && function.ready_after() < Duration::from_secs(5));
    assert!(function.resident_bytes() > 1 << 20);
    Ok(())
}

#[tokio::test]
async fn its_environment_is_lambdas_and_what_it_was_given() -> Result<()> {
    let database = Postgres::shared().await?.database("environment").await?;
    let function = specimen().env("ONE", "1").database(&database).memory(512).start().await?;
    let answer = function.invoke(&json!({})).await?;
    let environment = &answer["environment"];
    assert_eq!(environment["ONE"], "1");
    assert_eq!(environment["DATABASE_URL"], database.url().as_str());
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
    assert_eq!(environment["AWS_REGION"], "ap-northeast-1");
    assert!(environment["HOME"].is_null() && environment["CARGO"].is_null(), "{environment}");
    Ok(())
}

#[tokio::test]
async fn an_error_keeps_the_process_and_has_lambdas_shape() -> Result<()> {
    let function = specimen().start().await?;
    let pid = function.process_id();
    let error = function.invoke(&json!({"fail": "no such process"})).await.err();
    assert_eq!(error.map(|error| error.error_message).as_deref(), Some("no such process"));
    function.invoke(&json!({})).await?;
    assert_eq!(function.process_id(), pid);
    Ok(())
}

#[tokio::test]
async fn a_late_function_is_killed_and_started_again() -> Result<()> {
    let function = specimen().timeout(Duration::from_millis(300)).start().await?;
    let pid = function.process_id();
    let started = Instant::now();
    let error = function.invoke(&json!({"sleep": 60_000})).await.err().unwrap_or_default();
    assert_eq!(error.error_type, "Sandbox.Timedout");
    assert!(error.error_message.ends_with("Task timed out after 0.30 seconds"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(function.process_id(), None);
    function.invoke(&json!({"number": 2})).await?;
    assert_ne!(function.process_id(), pid);
    let lines = function.lines();
    assert!(lines.iter().any(|line| line.contains("60000")), "the log of the killed process is kept: {lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_function_that_ends_itself_is_an_exit_error() -> Result<()> {
    let function = specimen().start().await?;
    let error = function.invoke(&json!({"exit": true})).await.err().unwrap_or_default();
    assert_eq!(error.error_type, "Runtime.ExitError");
    assert!(error.error_message.ends_with("exit status 7"), "{error}");
    function.invoke(&json!({})).await?;
    Ok(())
}

#[tokio::test]
async fn a_function_that_cannot_start_says_why() {
    let refused = specimen().env("FAIL_AT_START", "1").start().await.err();
    assert!(
        matches!(&refused, Some(Error::Ended { output, .. }) if output.contains("no configuration")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn nothing_of_it_remains() -> Result<()> {
    let function = specimen().start().await?;
    let process = format!("/proc/{}", function.process_id().unwrap_or_default());
    assert!(std::path::Path::new(&process).exists());
    drop(function);
    eventually(Duration::from_secs(3), "the process to be gone", || async {
        (!std::path::Path::new(&process).exists()).then_some(())
    })
    .await
}

#[tokio::test]
async fn programs_are_built_and_laid_out_stripped() -> Result<()> {
    assert!(functions::names()?.iter().any(|name| name == "sync-execution-status"));
    let built = functions::binary("specimen").await?;
    let folder = std::env::temp_dir().join(format!("harness-{}", std::process::id()));
    functions::stage(&folder, &["specimen"]).await?;
    let staged = folder.join("specimen/bootstrap");
    let size = |path| std::fs::metadata(path).map(|data| data.len()).unwrap_or_default();
    println!("{} KiB built, {} KiB staged", size(&built) / 1024, size(&staged) / 1024);
    assert!(size(&staged) > 0 && size(&staged) <= size(&built));
    Function::at(&staged).start().await?.invoke(&json!({})).await?;
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}
