//! What the application means by what it writes (design, section 1): a success that says that it failed, and a cancel that is written as a
//! failure, through every step.

use functions_tests::{
    Bench, Machine, Tested, ago, description, findings, listed, metrics, output, processing, scripted, status_event,
    texts,
};
use harness::FunctionBuilder;
use patient::table::{Row, Variant};
use serde_json::{Value, json};
use uuid::Uuid;

/// What a worker returns that has caught its own failure.
fn failed(process: Uuid) -> Value {
    let error = json!({ "code": "AI_ERROR", "message": "the model gave no answer" });
    json!({ "processId": process, "status": "FAILED", "error": error })
}

/// The end of an execution of which its output says so; `detail` is merged over the event's.
fn success(process: Uuid, detail: &Value) -> Value {
    status_event(process, "SUCCEEDED", ago(90), Some(ago(30)), detail)
}

/// A row that its workflow completed, a moment before its execution ended.
fn completed() -> Row {
    Row { progress: 100, ..processing(91).became("COMPLETED", ago(31)) }
}

fn step(bench: &Bench, name: &str) -> FunctionBuilder {
    bench.function(name).env("SETTLE_SECONDS", "0")
}

fn code(row: &Row) -> Option<&str> {
    row.error.as_ref()?["code"].as_str()
}

#[tokio::test]
async fn a_success_that_says_that_it_failed_closes_its_row_as_failed_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("says_failed_{}", variant.name), variant).await?;
        let row = processing(91);
        bench.insert(std::slice::from_ref(&row)).await?;
        let aws = scripted().await?;
        aws.answer("ListExecutions", json!({ "executions": [listed(row.id, "SUCCEEDED", ago(90), Some(ago(30)))] }));
        let sync = step(&bench, "sync-execution-status").envs(aws.environment()).start().await?;

        let result = sync.invoke(&success(row.id, &json!({ "output": output(&failed(row.id)) }))).await?;

        let after = bench.row(row.id).await?;
        assert_eq!((after.status.as_str(), code(&after)), ("FAILED", Some("AI_ERROR")), "{}: {result:#}", variant.name);
        assert_eq!(after.error.unwrap_or_default()["message"], "the model gave no answer", "{}", variant.name);
        assert_eq!(after.result, None, "{}: a failure is no result", variant.name);
        assert_eq!(aws.calls("*"), usize::from(!variant.complete), "the event has it all: {:?}", aws.counts());
    }
    Ok(())
}

#[tokio::test]
async fn an_output_that_the_event_leaves_out_is_looked_at_before_anything_is_decided() -> Tested {
    let bench = Bench::new("output_left_out").await?;
    // That the row has a result says nothing of how its execution ended.
    let row = Row { result: Some(json!({ "draft": true })), ..processing(91) };
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = scripted().await?;
    let told = json!({ "output": output(&failed(row.id)) });
    aws.answer("DescribeExecution", description(row.id, "SUCCEEDED", ago(90), Some(ago(30)), &told));
    let sync = step(&bench, "sync-execution-status").envs(aws.environment()).start().await?;

    let result = sync.invoke(&success(row.id, &json!({ "outputDetails": { "included": false } }))).await?;

    let after = bench.row(row.id).await?;
    assert_eq!((after.status.as_str(), code(&after)), ("FAILED", Some("AI_ERROR")), "{result:#}");
    assert_eq!(aws.calls("*"), 1, "{:?}", aws.counts());
    Ok(())
}

#[tokio::test]
async fn what_its_workflow_completed_all_the_same_becomes_failed_and_completed_again_by_an_undo() -> Tested {
    let bench = Bench::new("completed_failure").await?;
    let row = Row { result: Some(failed(Uuid::nil())), ..completed() };
    bench.insert(std::slice::from_ref(&row)).await?;
    // Of fewer than ten there is no rate.
    let sound: Vec<Row> = (0..9).map(|_| Row { result: Some(json!({ "goals": [] })), ..completed() }).collect();
    bench.insert(&sound).await?;
    // The event is lost, and the list tells no output.
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": [listed(row.id, "SUCCEEDED", ago(90), Some(ago(30)))] }));
    let told = json!({ "output": output(&failed(row.id)) });
    aws.answer("DescribeExecution", description(row.id, "SUCCEEDED", ago(90), Some(ago(30)), &told));
    let health = step(&bench, "check-health").start().await?;
    health.invoke(&json!({ "schedule": "check-health" })).await?;
    assert_eq!(metrics(&health).await?["ErrorRate"], 10.0, "whoever has not been there yet");
    let reconcile = step(&bench, "reconcile-processes").envs(aws.environment()).start().await?;

    let result = reconcile.invoke(&json!({ "all": true })).await?;

    let after = bench.row(row.id).await?;
    assert_eq!((after.status.as_str(), code(&after)), ("FAILED", Some("AI_ERROR")), "{result:#}");
    assert_eq!(result["verification"], "verified", "{result:#}");
    let again = reconcile.invoke(&json!({ "all": true })).await?;
    assert_eq!((&again["actions"], aws.calls("DescribeExecution")), (&json!([]), 1), "{again:#}");
    // Its failure may pass.
    let retry = step(&bench, "retry-failed-processes").envs(aws.environment()).start().await?;
    let wanted = retry.invoke(&json!({ "processId": row.id, "mode": "observe" })).await?;
    assert_eq!(texts(&wanted["actions"], "kind"), ["retry-process"], "{wanted:#}");

    reconcile.invoke(&json!({ "undo": result["actions"][0]["id"] })).await?;
    let undone = bench.row(row.id).await?;
    assert_eq!((undone.status, undone.error, undone.result), (row.status, row.error, row.result));
    Ok(())
}

#[tokio::test]
async fn a_completed_row_with_an_error_that_its_execution_knows_nothing_of_is_told_and_looked_up_once() -> Tested {
    let bench = Bench::new("completed_with_error").await?;
    let error = Some(json!({ "code": "AI_ERROR", "message": "at first" }));
    let row = Row { error, result: Some(json!({ "goals": [] })), ..completed() };
    let unknown = Row { result: Some(failed(Uuid::nil())), ..completed() };
    let sound = Row { result: Some(json!({ "goals": [] })), ..completed() };
    bench.insert(&[row.clone(), unknown.clone(), sound.clone()]).await?;
    let aws = scripted().await?;
    let list = [&row, &sound].map(|row| listed(row.id, "SUCCEEDED", ago(90), Some(ago(30))));
    aws.answer("ListExecutions", json!({ "executions": list }));
    let told = json!({ "output": output(&json!({ "goals": [] })) });
    aws.answer("DescribeExecution", description(row.id, "SUCCEEDED", ago(90), Some(ago(30)), &told));
    let reconcile = step(&bench, "reconcile-processes").envs(aws.environment()).start().await?;
    let before = bench.table().await?;

    for _ in 0..2 {
        let result = reconcile.invoke(&json!({ "all": true })).await?;
        assert_eq!(findings(&result), ["completed_with_error"; 2], "{result:#}");
        let mut wanted = [row.id.to_string(), unknown.id.to_string()];
        wanted.sort();
        let mut about = texts(&result["findings"], "target");
        about.sort_unstable();
        assert_eq!(about, wanted);
        assert_eq!((&result["actions"], aws.calls("DescribeExecution")), (&json!([]), 1), "{:?}", aws.counts());
    }
    assert_eq!(bench.table().await?, before);
    Ok(())
}

#[tokio::test]
async fn a_cancel_that_is_written_as_a_failure_is_a_cancel_to_every_step() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("cancel_as_failure_{}", variant.name), variant).await?;
        let machine = Machine::new("cancel_as_failure").await?;
        let reason = |code: &str| Some(json!({ "code": code, "message": "by its user" }));
        let became = |code| Row { error: reason(code), ..processing(200).became("FAILED", ago(100)) };
        let (cancelled, other) = (became("CANCELLED"), became("USER_CANCELLED"));
        let failed = became("VALIDATION_ERROR");
        bench.insert(&[cancelled.clone(), other.clone(), failed.clone()]).await?;
        // Of fewer than ten there is no rate.
        bench.insert(&(0..9).map(|_| became("CANCELLED")).collect::<Vec<_>>()).await?;
        let running = machine.start(cancelled.id).await?;
        let going_on = machine.start(failed.id).await?;
        let before = bench.table().await?;
        let aws = machine.proxy().await?;
        let function = |name: &str| step(&bench, name).envs(aws.environment()).env("STATE_MACHINE_ARN", &machine.arn);

        let health = function("check-health").start().await?;
        health.invoke(&json!({ "schedule": "check-health" })).await?;
        assert_eq!(metrics(&health).await?["ErrorRate"], 0.0, "{}: a cancel is no failure", variant.name);
        let retry = function("retry-failed-processes").start().await?.invoke(&json!({ "all": true })).await?;
        assert_eq!(texts(&retry["skipped"], "target"), [failed.id.to_string()], "{}: {retry:#}", variant.name);

        let stop = function("stop-cancelled-executions").start().await?;
        let result = stop.invoke(&json!({ "all": true })).await?;
        assert_eq!(machine.status(&running).await?, "ABORTED", "{}: {result:#}", variant.name);
        assert_eq!(machine.status(&going_on).await?, "RUNNING", "{}: its worker may be tried again", variant.name);
        assert_eq!(result["verification"], "verified", "{}: {result:#}", variant.name);
        let by_hand = stop.invoke(&json!({ "processId": other.id, "cancel": true })).await?;
        assert_eq!((&by_hand["actions"], findings(&by_hand).len()), (&json!([]), 0), "{}: {by_hand:#}", variant.name);

        // A success that comes after it revives nothing.
        machine.end(other.id, false).await?;
        let reconcile = function("reconcile-processes").start().await?.invoke(&json!({ "all": true })).await?;
        assert_eq!(reconcile["actions"], json!([]), "{}: {reconcile:#}", variant.name);
        assert_eq!(bench.table().await?, before, "{}: no row is written", variant.name);
    }
    Ok(())
}

#[tokio::test]
async fn the_profiles_own_code_of_a_cancel_is_one_in_every_decision_and_the_guides_no_longer() -> Tested {
    let bench = Bench::new("own_cancel_code").await?;
    let machine = Machine::new("own_cancel_code").await?;
    let became =
        |code: &str| Row { error: Some(json!({ "code": code })), ..processing(200).became("FAILED", ago(100)) };
    let (own, guides) = (became("ABANDONED"), became("CANCELLED"));
    bench.insert(&[own.clone(), guides.clone()]).await?;
    let (running, going_on) = (machine.start(own.id).await?, machine.start(guides.id).await?);
    let aws = machine.proxy().await?;
    let stop = step(&bench, "stop-cancelled-executions").envs(aws.environment()).env("STATE_MACHINE_ARN", &machine.arn);
    let stop = stop.env("APPLICATION_PROFILE", "[codes]\ncancelled = [\"ABANDONED\"]\n").start().await?;

    let result = stop.invoke(&json!({ "all": true })).await?;

    assert_eq!(machine.status(&running).await?, "ABORTED", "{result:#}");
    assert_eq!(machine.status(&going_on).await?, "RUNNING", "{result:#}");
    Ok(())
}
