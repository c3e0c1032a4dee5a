//! A function for the harness' own tests: it does what its event says.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var_os("FAIL_AT_START").is_some() {
        eprintln!("no configuration");
        return Err("no configuration".into());
    }
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    println!("event {event}");
    if let Ok(file) = std::env::var("KEEP_IN") {
        // Two steps, so that a reader never sees half of it.
        std::fs::write(format!("{file}.part"), event.to_string())?;
        std::fs::rename(format!("{file}.part"), file)?;
    }
    if let Some(message) = event["fail"].as_str() {
        return Err(message.to_owned().into());
    }
    if let Ok(message) = std::env::var("ALWAYS_FAIL") {
        return Err(message.into());
    }
    if event["exit"] == true {
        std::process::exit(7);
    }
    if let Some(milliseconds) = event["sleep"].as_u64() {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    let environment: std::collections::BTreeMap<_, _> = std::env::vars().collect();
    Ok(json!({
        "event": event,
        "pid": std::process::id(),
        "environment": environment,
        "requestId": context.request_id,
        "arn": context.invoked_function_arn,
        "trace": context.xray_trace_id,
        "millisecondsLeft": context.deadline().elapsed().err().map(|left| u64::try_from(left.duration().as_millis()).ok()),
    }))
}
