//! `sync-execution-status`, event by event.

use chrono::TimeDelta;
use functions_tests::{
    Bench, Machine, Tested, ago, description, execution_arn, findings, listed, output, processing, scripted,
    status_event, texts,
};
use harness::{CountingProxy, FunctionBuilder};
use patient::table::{MIGRATED, Row, Variant};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

fn sync(bench: &Bench) -> FunctionBuilder {
    bench.function("sync-execution-status")
}

#[tokio::test]
async fn an_execution_that_succeeded_completes_its_row_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(variant.name, variant).await?;
        let (started, stopped) = (ago(90), ago(30));
        let row = processing(91);
        bench.insert(std::slice::from_ref(&row)).await?;
        let output = output(&json!({ "goals": ["走る"] }));
        let event = status_event(row.id, "SUCCEEDED", started, Some(stopped), &json!({ "output": output }));

        // Without a retry count the row may have been retried: the list of executions says that nothing newer runs.
        let aws = scripted().await?;
        aws.answer("ListExecutions", json!({ "executions": [listed(row.id, "SUCCEEDED", started, Some(stopped))] }));
        let result = sync(&bench).envs(aws.environment()).start().await?.invoke(&event).await?;

        assert_eq!(aws.calls("*"), usize::from(!variant.complete), "{}: {:?}", variant.name, aws.counts());
        let after = bench.row(row.id).await?;
        assert_eq!((after.status.as_str(), after.progress), ("COMPLETED", 100), "{}: {result:#}", variant.name);
        assert_eq!(after.completed_at, Some(stopped), "{}", variant.name);
        assert_eq!(after.result, Some(json!({ "goals": ["走る"] })), "{}", variant.name);
        assert!(after.updated_at > row.updated_at, "{}: the application reads what is new by updated_at", variant.name);
        assert_eq!(result["verification"], "verified", "{result:#}");
        assert_eq!(result["actions"][0]["outcome"], "applied", "{result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn every_end_of_an_execution_closes_the_row_and_what_has_not_ended_leaves_it() -> Tested {
    let bench = Bench::new("every_end").await?;
    let function = sync(&bench).start().await?;
    let lambda = json!({ "errorType": "AppError", "errorMessage": "DATABASE_ERROR: no connection", "trace": [] });
    let cases = [
        ("SUCCEEDED", json!({ "output": output(&json!({ "goals": [] })) }), "COMPLETED", None),
        ("FAILED", json!({ "error": "AI_ERROR", "cause": "the model did not answer" }), "FAILED", Some("AI_ERROR")),
        ("FAILED", json!({ "error": "AppError", "cause": lambda.to_string() }), "FAILED", Some("DATABASE_ERROR")),
        ("TIMED_OUT", json!({}), "FAILED", Some("TIMEOUT_ERROR")),
        ("ABORTED", json!({ "error": "RemediationTimeout", "cause": "past" }), "FAILED", Some("TIMEOUT_ERROR")),
        ("ABORTED", json!({ "error": "USER_CANCELLED", "cause": "by the user" }), "CANCELLED", None),
        ("RUNNING", json!({}), "PROCESSING", None),
        ("PENDING_REDRIVE", json!({}), "PROCESSING", None),
    ];
    for (status, detail, becomes, code) in cases {
        let row = processing(91);
        bench.insert(std::slice::from_ref(&row)).await?;
        let ended = !matches!(status, "RUNNING" | "PENDING_REDRIVE");
        let event = status_event(row.id, status, ago(90), ended.then(|| ago(30)), &detail);

        let result = function.invoke(&event).await?;

        let after = bench.row(row.id).await?;
        let error = after.error.unwrap_or_default();
        assert_eq!((after.status.as_str(), error["code"].as_str()), (becomes, code), "{status} {detail}: {result:#}");
        if ended {
            assert_eq!(result["actions"][0]["after"]["status"], becomes, "{result:#}");
        } else {
            assert_eq!(result["actions"], json!([]), "{result:#}");
            assert!(result["skipped"][0]["why"].is_string(), "a decision to do nothing has its sentence: {result:#}");
            assert_eq!(after.updated_at, row.updated_at);
        }
        if let Some(code) = code {
            assert_eq!(error["source"], "remediation", "{code}: {error}");
            assert_eq!(error["executionArn"], event["detail"]["executionArn"], "{code}: {error}");
            assert!(error["message"].is_string() && error["timestamp"].is_string(), "{code}: {error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_process_that_timed_out_is_timeout_where_the_installation_says_so() -> Tested {
    let bench = Bench::of("timeout_status", MIGRATED).await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let function = sync(&bench).env("TIMED_OUT_STATUS", "TIMEOUT").start().await?;
    function.invoke(&status_event(row.id, "TIMED_OUT", ago(90), Some(ago(30)), &json!({}))).await?;
    let after = bench.row(row.id).await?;
    assert_eq!(
        (after.status.as_str(), after.error.unwrap_or_default()["code"].as_str()),
        ("TIMEOUT", Some("TIMEOUT_ERROR"))
    );
    Ok(())
}

#[tokio::test]
async fn the_same_event_three_times_is_one_action() -> Tested {
    let bench = Bench::new("three_times").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    let function = sync(&bench).start().await?;
    let first = function.invoke(&event).await?;
    let closed = bench.row(row.id).await?;
    for _ in 0..2 {
        let again = function.invoke(&event).await?;
        assert_eq!((&again["actions"], &again["findings"]), (&json!([]), &json!([])), "{again:#}");
    }
    assert_eq!(first["actions"][0]["outcome"], "applied", "{first:#}");
    assert_eq!(bench.row(row.id).await?, closed);
    assert_eq!(bench.actions().await?.len(), 1);
    assert_eq!(bench.runs().await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_same_event_in_three_containers_at_once_is_one_change() -> Tested {
    let bench = Bench::new("at_once").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    let (one, two, three) = tokio::try_join!(sync(&bench).start(), sync(&bench).start(), sync(&bench).start())?;
    let (one, two, three) = tokio::try_join!(one.invoke(&event), two.invoke(&event), three.invoke(&event))?;
    let applied = bench.actions().await?.into_iter().filter(|action| action["outcome"] == "applied").count();
    assert_eq!(applied, 1, "{one:#} {two:#} {three:#}");
    assert_eq!(bench.row(row.id).await?.status, "FAILED");
    Ok(())
}

#[tokio::test]
async fn running_after_succeeded_changes_nothing() -> Tested {
    let bench = Bench::new("running_late").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let function = sync(&bench).start().await?;
    let (started, output) = (ago(90), output(&json!({ "goals": [] })));
    function.invoke(&status_event(row.id, "SUCCEEDED", started, Some(ago(30)), &json!({ "output": output }))).await?;
    let before = bench.table().await?;

    let result = function.invoke(&status_event(row.id, "RUNNING", started, None, &json!({}))).await?;

    assert_eq!(result["actions"], json!([]), "{result:#}");
    assert_eq!(bench.table().await?, before);
    let known = bench.list("SELECT to_jsonb(e) FROM remediation.executions e").await?;
    assert_eq!((known.len(), &known[0]["status"]), (1, &json!("SUCCEEDED")));
    assert!(known[0]["stopped_at"].is_string(), "{known:?}");
    Ok(())
}

#[tokio::test]
async fn an_event_over_248_kb_is_read_from_the_execution_itself() -> Tested {
    let bench = Bench::new("over_248_kb").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let (started, stopped) = (ago(90), ago(30));
    // DescribeExecution has the whole of what the event leaves out.
    let large = json!({ "goals": "走".repeat(100_000) });
    let aws = scripted().await?;
    aws.answer(
        "DescribeExecution",
        description(row.id, "SUCCEEDED", started, Some(stopped), &json!({ "output": output(&large) })),
    );
    let left_out = json!({
        "input": null, "inputDetails": { "included": false },
        "output": null, "outputDetails": { "included": false },
    });

    let function = sync(&bench).envs(aws.environment()).start().await?;
    let result = function.invoke(&status_event(row.id, "SUCCEEDED", started, Some(stopped), &left_out)).await?;

    let after = bench.row(row.id).await?;
    assert_eq!((after.status.as_str(), after.result), ("COMPLETED", Some(large)));
    assert_eq!(result["findings"], json!([]));
    assert_eq!(aws.counts(), [("DescribeExecution".to_owned(), 1)].into());
    Ok(())
}

#[tokio::test]
async fn a_name_without_a_uuid_is_no_riddle_where_the_input_tells_the_process() -> Tested {
    let bench = Bench::new("nameless").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let mut event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    let arn =
        format!("{}:nightly-batch", execution_arn(row.id, ago(90)).rsplit_once(':').map_or("", |(machine, _)| machine));
    event["detail"]["executionArn"] = arn.clone().into();
    event["detail"]["name"] = "nightly-batch".into();
    sync(&bench).start().await?.invoke(&event).await?;
    assert_eq!(bench.row(row.id).await?.status, "FAILED");

    // The name says nothing and the input is left out: the execution itself is asked.
    let other = processing(91);
    bench.insert(std::slice::from_ref(&other)).await?;
    let aws = scripted().await?;
    let told = description(
        other.id,
        "FAILED",
        ago(90),
        Some(ago(30)),
        &json!({ "executionArn": arn, "error": "AI_ERROR", "cause": "x" }),
    );
    aws.answer("DescribeExecution", told);
    let arn = format!("{arn}-2");
    event["detail"]["executionArn"] = arn.into();
    event["detail"]["input"] = Value::Null;
    sync(&bench).envs(aws.environment()).start().await?.invoke(&event).await?;
    assert_eq!(bench.row(other.id).await?.status, "FAILED");
    assert_eq!(aws.calls("DescribeExecution"), 1);
    Ok(())
}

#[tokio::test]
async fn an_execution_that_tells_no_process_is_found_and_remembered() -> Tested {
    let bench = Bench::new("process_unknown").await?;
    let started = ago(90);
    let mut event =
        status_event(Uuid::new_v4(), "FAILED", started, Some(ago(30)), &json!({ "input": null, "error": "AI_ERROR" }));
    let arn = execution_arn(Uuid::nil(), started).replace(&Uuid::nil().to_string(), "nightly");
    event["detail"]["executionArn"] = arn.clone().into();
    let aws = scripted().await?;
    let nobody = json!({ "executionArn": arn, "input": "{\"batch\":1}", "error": "AI_ERROR" });
    aws.answer("DescribeExecution", description(Uuid::new_v4(), "FAILED", started, Some(ago(30)), &nobody));

    let result = sync(&bench).envs(aws.environment()).start().await?.invoke(&event).await?;

    assert_eq!(findings(&result), ["process_unknown"], "{result:#}");
    assert_eq!(result["findings"][0]["target"], arn.as_str());
    let known = bench.list("SELECT to_jsonb(e) FROM remediation.executions e").await?;
    assert_eq!((known.len(), &known[0]["execution_arn"], &known[0]["process_id"]), (1, &json!(arn), &Value::Null));
    Ok(())
}

#[tokio::test]
async fn a_process_without_a_row_is_found_and_remembered_for_the_row_that_may_come() -> Tested {
    let bench = Bench::new("row_missing").await?;
    let row = processing(91);
    let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR", "cause": "x" }));

    let result = sync(&bench).start().await?.invoke(&event).await?;

    assert_eq!(findings(&result), ["row_missing"], "{result:#}");
    assert_eq!(result["findings"][0]["target"], row.id.to_string());
    assert_eq!(bench.runs().await?[0]["findings"][0]["code"], "row_missing");
    // The row comes later, and the sweep knows its execution without the event.
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": [] }));
    let swept =
        bench.function("reconcile-processes").env("SETTLE_SECONDS", "0").envs(aws.environment()).start().await?;
    swept.invoke(&json!({ "all": true })).await?;
    assert_eq!(bench.row(row.id).await?.error.unwrap_or_default()["code"], "AI_ERROR");
    Ok(())
}

#[tokio::test]
async fn of_three_executions_only_the_newest_speaks_for_the_process() -> Tested {
    let bench = Bench::new("three_executions").await?;
    let row = processing(601);
    bench.insert(std::slice::from_ref(&row)).await?;
    let function = sync(&bench).start().await?;
    let event = |status: &str, started: i64, ended: Option<i64>| {
        status_event(row.id, status, ago(started), ended.map(ago), &json!({ "error": "AI_ERROR", "cause": "x" }))
    };
    let running = event("RUNNING", 100, None);
    let before = bench.table().await?;
    for event in
        [&event("RUNNING", 600, None), &running, &event("FAILED", 600, Some(500)), &event("ABORTED", 300, Some(200))]
    {
        let result = function.invoke(event).await?;
        assert_eq!(result["actions"], json!([]), "{result:#}");
    }
    assert_eq!(bench.table().await?, before, "an old execution's end changes nothing");

    let mut failed = running;
    failed["detail"]["status"] = "FAILED".into();
    failed["detail"]["stopDate"] = ago(1).timestamp_millis().into();
    function.invoke(&failed).await?;
    let after = bench.row(row.id).await?;
    assert_eq!(after.status, "FAILED");
    assert_eq!(after.error.unwrap_or_default()["executionArn"], failed["detail"]["executionArn"]);
    Ok(())
}

#[tokio::test]
async fn a_fail_states_own_words_are_no_code_and_the_last_failed_task_is_asked() -> Tested {
    let bench = Bench::new("fail_state").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = scripted().await?;
    // GetExecutionHistory, newest first: the Fail state, and before it the task that failed.
    let failed = json!({
        "resourceType": "lambda", "resource": "invoke", "error": "AppError",
        "cause": json!({ "errorType": "AppError", "errorMessage": "AI_THROTTLING: too many tokens" }).to_string(),
    });
    aws.answer(
        "GetExecutionHistory",
        json!({ "events": [
        { "timestamp": 1.0, "type": "ExecutionFailed", "id": 9, "previousEventId": 8,
          "executionFailedEventDetails": { "error": "GenerationFailed", "cause": "AI generation failed" } },
        { "timestamp": 1.0, "type": "FailStateEntered", "id": 8, "previousEventId": 7,
          "stateEnteredEventDetails": { "name": "HandleError" } },
        { "timestamp": 1.0, "type": "TaskFailed", "id": 7, "previousEventId": 6, "taskFailedEventDetails": failed },
    ] }),
    );
    let words = json!({ "error": "GenerationFailed", "cause": "AI generation failed" });

    let function = sync(&bench).envs(aws.environment()).start().await?;
    function.invoke(&status_event(row.id, "FAILED", ago(90), Some(ago(30)), &words)).await?;

    let error = bench.row(row.id).await?.error.unwrap_or_default();
    assert_eq!((&error["code"], &error["message"]), (&json!("AI_THROTTLING"), &json!("too many tokens")), "{error}");
    assert_eq!(aws.counts(), [("GetExecutionHistory".to_owned(), 1)].into());
    assert_eq!(aws.requests("GetExecutionHistory")[0]["reverseOrder"], true);
    Ok(())
}

#[tokio::test]
async fn an_abort_without_words_is_asked_for_them() -> Tested {
    let bench = Bench::new("abort_words").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let (started, stopped) = (ago(90), ago(30));
    let aws = scripted().await?;
    // DescribeExecution tells the error that the event left out.
    aws.answer(
        "DescribeExecution",
        description(row.id, "ABORTED", started, Some(stopped), &json!({ "error": "RemediationTimeout" })),
    );
    let function = sync(&bench).envs(aws.environment()).start().await?;
    function.invoke(&status_event(row.id, "ABORTED", started, Some(stopped), &json!({}))).await?;
    assert_eq!(bench.row(row.id).await?.error.unwrap_or_default()["code"], "TIMEOUT_ERROR");
    Ok(())
}

#[tokio::test]
async fn a_late_success_stands_unless_a_person_closed_the_row() -> Tested {
    let bench = Bench::new("late_success").await?;
    let function = sync(&bench).start().await?;
    for (code, becomes, found) in
        [("TIMEOUT_ERROR", "COMPLETED", &[][..]), ("MANUAL_INTERVENTION", "FAILED", &["succeeded_but_failed"])]
    {
        let row = Row { error: Some(json!({ "code": code })), ..processing(301).became("FAILED", ago(100)) };
        bench.insert(std::slice::from_ref(&row)).await?;
        let output = output(&json!({ "goals": ["late"] }));
        let event = status_event(row.id, "SUCCEEDED", ago(300), Some(ago(30)), &json!({ "output": output }));
        let result = function.invoke(&event).await?;
        let after = bench.row(row.id).await?;
        assert_eq!((after.status.as_str(), findings(&result).as_slice()), (becomes, found), "{code}: {result:#}");
        assert_eq!(after.error.is_none(), becomes == "COMPLETED", "{code}");
    }
    Ok(())
}

#[tokio::test]
async fn closed_rows_that_disagree_are_told_and_not_touched() -> Tested {
    let bench = Bench::new("closed_rows").await?;
    let function = sync(&bench).start().await?;
    let output = output(&json!({ "goals": [] }));
    let cases = [
        ("COMPLETED", "FAILED", &["completed_without_success"][..]),
        ("COMPLETED", "SUCCEEDED", &[]),
        ("CANCELLED", "SUCCEEDED", &["succeeded_but_cancelled"]),
        ("CANCELLED", "ABORTED", &[]),
        ("FAILED", "FAILED", &[]),
        // It ended before the row was closed: no late success.
        ("FAILED", "SUCCEEDED", &["succeeded_but_failed"]),
    ];
    for (status, ended, found) in cases {
        let row = processing(301).became(status, ago(10));
        bench.insert(std::slice::from_ref(&row)).await?;
        let detail = if ended == "SUCCEEDED" { json!({ "output": output }) } else { json!({ "error": "AI_ERROR" }) };
        let result = function.invoke(&status_event(row.id, ended, ago(300), Some(ago(30)), &detail)).await?;
        assert_eq!(
            (findings(&result).as_slice(), &result["actions"]),
            (found, &json!([])),
            "{status}, {ended}: {result:#}"
        );
        assert_eq!(bench.row(row.id).await?, row, "{status}, {ended}");
    }
    Ok(())
}

#[tokio::test]
async fn an_execution_that_starts_for_a_cancelled_row_is_stopped() -> Tested {
    let bench = Bench::new("cancelled").await?;
    let machine = Machine::new("cancelled").await?;
    let row = processing(2).became("CANCELLED", ago(1));
    bench.insert(std::slice::from_ref(&row)).await?;
    let execution = machine.start(row.id).await?;
    let aws = machine.proxy().await?;
    let function = sync(&bench).env("STATE_MACHINE_ARN", &machine.arn).envs(aws.environment()).start().await?;
    let mut event = status_event(row.id, "RUNNING", ago(0), None, &json!({ "stateMachineArn": machine.arn }));
    event["detail"]["executionArn"] = execution.as_str().into();

    let result = function.invoke(&event).await?;

    assert_eq!(machine.status(&execution).await?, "ABORTED", "{result:#}");
    assert_eq!(aws.requests("StopExecution")[0]["error"], "ManualCancellation");
    assert_eq!(texts(&result["actions"], "kind"), ["stop-execution"]);
    assert_eq!(bench.row(row.id).await?, row);
    assert_eq!(bench.actions().await?[0]["outcome"], "applied");
    Ok(())
}

#[tokio::test]
async fn a_success_without_a_result_is_told_and_refused_where_a_result_is_required() -> Tested {
    let bench = Bench::new("no_result").await?;
    for (require, becomes) in [("false", "COMPLETED"), ("true", "FAILED")] {
        let row = processing(91);
        bench.insert(std::slice::from_ref(&row)).await?;
        let function = sync(&bench).env("REQUIRE_RESULT", require).start().await?;
        let event = status_event(row.id, "SUCCEEDED", ago(90), Some(ago(30)), &json!({ "output": "{}" }));
        let result = function.invoke(&event).await?;
        assert_eq!(bench.row(row.id).await?.status, becomes, "{result:#}");
        assert_eq!(findings(&result), ["result_missing"], "{result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn a_redriven_execution_outlives_its_first_end() -> Tested {
    let bench = Bench::new("redriven").await?;
    let row = processing(301);
    bench.insert(std::slice::from_ref(&row)).await?;
    let function = sync(&bench).start().await?;
    let started = ago(300);
    let failed =
        status_event(row.id, "FAILED", started, Some(ago(200)), &json!({ "error": "AI_ERROR", "redriveCount": 0 }));
    function.invoke(&failed).await?;
    assert_eq!(bench.row(row.id).await?.status, "FAILED");
    let redriven = json!({ "redriveCount": 1, "redriveDate": ago(100).timestamp_millis() });
    function.invoke(&status_event(row.id, "RUNNING", started, None, &redriven)).await?;
    // The first end comes once more, late: it is over and done with.
    assert_eq!(function.invoke(&failed).await?["actions"], json!([]));
    let known = bench.list("SELECT to_jsonb(e) FROM remediation.executions e").await?;
    assert_eq!((&known[0]["status"], &known[0]["redrive_count"]), (&json!("RUNNING"), &json!(1)));
    let mut succeeded = redriven;
    succeeded["output"] = output(&json!({ "goals": ["second try"] })).into();
    // The row was closed when the failure was told, and the success came after.
    let ended = bench.row(row.id).await?.completed_at.map(|closed| closed + TimeDelta::seconds(100));
    function.invoke(&status_event(row.id, "SUCCEEDED", started, ended, &succeeded)).await?;
    let after = bench.row(row.id).await?;
    assert_eq!((after.status.as_str(), after.result), ("COMPLETED", Some(json!({ "goals": ["second try"] }))));
    Ok(())
}

/// What the application does to a row between our read and our write.
async fn meanwhile(
    bench: &Bench,
    change: &str,
) -> Tested<impl Fn() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + use<>> {
    let (pool, sql) =
        (bench.database.pool().clone(), bench.variant.spell(&format!("UPDATE {{processes}} SET {change}")));
    Ok(move || -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        let (pool, sql) = (pool.clone(), sql.clone());
        Box::pin(async move {
            let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await;
        })
    })
}

#[tokio::test]
async fn a_row_that_changes_between_read_and_write_is_decided_on_anew() -> Tested {
    // The event has no output, so DescribeExecution lies between the read and the write: there the application writes.
    let cases = [
        // It completes the row itself: nothing is left to do.
        (
            "status = 'COMPLETED', result = '{\"own\":1}', completed_at = now() WHERE status = 'PROCESSING'",
            "COMPLETED",
            json!({ "own": 1 }),
        ),
        // It writes progress, without updated_at, once: the row is completed all the same.
        ("progress = 60 WHERE progress = 0", "COMPLETED", json!({ "goals": [] })),
        // The user cancels: the cancel stands.
        ("status = 'CANCELLED', completed_at = now() WHERE status = 'PROCESSING'", "CANCELLED", Value::Null),
    ];
    for (change, becomes, result) in cases {
        let bench = Bench::new("moved").await?;
        let row = processing(91);
        bench.insert(std::slice::from_ref(&row)).await?;
        let (started, stopped) = (ago(90), ago(30));
        let aws = scripted().await?;
        let told = json!({ "output": output(&json!({ "goals": [] })) });
        aws.answer("DescribeExecution", description(row.id, "SUCCEEDED", started, Some(stopped), &told));
        aws.after("DescribeExecution", meanwhile(&bench, change).await?);
        let function = sync(&bench).envs(aws.environment()).start().await?;

        let answer = function.invoke(&status_event(row.id, "SUCCEEDED", started, Some(stopped), &json!({}))).await?;

        let after = bench.row(row.id).await?;
        assert_eq!(
            (after.status.as_str(), after.result.unwrap_or_default()),
            (becomes, result),
            "{change}: {answer:#}"
        );
        assert!(!findings(&answer).contains(&"contested"), "{change}: {answer:#}");
        let outcomes: Vec<_> = bench.actions().await?.into_iter().map(|action| action["outcome"].clone()).collect();
        assert_eq!(outcomes[0], "superseded", "{change}");
        assert_eq!(outcomes.len(), if change.starts_with("progress") { 2 } else { 1 }, "{change}");
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_changes_every_time_is_left_alone_and_told_once() -> Tested {
    let bench = Bench::new("contested").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let (started, stopped) = (ago(90), ago(30));
    let aws = scripted().await?;
    // No output in the event, and none in DescribeExecution's answer: every look ends in `result_missing` besides.
    aws.answer(
        "DescribeExecution",
        description(row.id, "SUCCEEDED", started, Some(stopped), &json!({ "output": "{}" })),
    );
    aws.after("DescribeExecution", meanwhile(&bench, "progress = progress + 1").await?);
    let function = sync(&bench).envs(aws.environment()).start().await?;

    let result = function.invoke(&status_event(row.id, "SUCCEEDED", started, Some(stopped), &json!({}))).await?;

    assert_eq!(findings(&result), ["contested"], "{result:#}");
    let after = bench.row(row.id).await?;
    assert_eq!((after.status.as_str(), after.progress), ("PROCESSING", 4), "a look and three more: {result:#}");
    assert!(bench.actions().await?.iter().all(|action| action["outcome"] == "superseded"));
    assert_eq!(result["verification"], "unverified");
    Ok(())
}

#[tokio::test]
async fn a_row_that_somebody_holds_locked_is_not_waited_for() -> Tested {
    let bench = Bench::new("locked").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    let function = sync(&bench).start().await?;
    let mut holder = bench.database.pool().begin().await?;
    sqlx::query("SELECT FROM processing_state WHERE id = $1 FOR UPDATE").bind(row.id).execute(&mut *holder).await?;
    let result = function.invoke(&event).await?;
    assert_eq!(findings(&result), ["contested"], "{result:#}");
    holder.rollback().await?;
    let result = function.invoke(&event).await?;
    assert_eq!(result["actions"][0]["outcome"], "applied", "{result:#}");
    Ok(())
}

#[tokio::test]
async fn a_process_that_another_run_works_on_is_left_to_it() -> Tested {
    let bench = Bench::new("busy").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    // The lock that every step takes on its target (design, 6.3), held by somebody else.
    let mut holder = bench.database.pool().begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('remediation:' || $1::text, 0))")
        .bind(row.id)
        .execute(&mut *holder)
        .await?;
    let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    let result = sync(&bench).start().await?.invoke(&event).await?;
    assert_eq!(result["skipped"], json!([{ "target": row.id, "why": "already being handled" }]), "{result:#}");
    assert_eq!(bench.row(row.id).await?, row);
    Ok(())
}

#[tokio::test]
async fn a_warm_invocation_takes_four_round_trips_and_no_call_of_aws() -> Tested {
    let bench = Bench::new("round_trips").await?;
    let proxy = CountingProxy::start(bench.database.port()).await?;
    let aws = scripted().await?;
    let url = bench.database.url_through(proxy.port(), harness::APPLICATION.0, harness::APPLICATION.1);
    let function = sync(&bench).env("DATABASE_URL", url).envs(aws.environment()).start().await?;
    let rows: Vec<Row> = (0..6).map(|_| processing(91)).collect();
    bench.insert(&rows).await?;
    let output = output(&json!({ "goals": [] }));
    let details = [
        ("SUCCEEDED", json!({ "output": output })),
        ("FAILED", json!({ "error": "AI_ERROR" })),
        ("TIMED_OUT", json!({})),
    ];
    for (row, (status, detail)) in rows.iter().zip(details.iter().cycle()) {
        let warm = bench.actions().await?.len() >= details.len();
        proxy.reset();
        let result = function.invoke(&status_event(row.id, status, ago(90), Some(ago(30)), detail)).await?;
        assert_eq!(result["actions"][0]["outcome"], "applied", "{result:#}");
        assert!(!warm || proxy.count() <= 4, "{status}: {} round trips", proxy.count());
        assert!(!warm || proxy.connections() == 0, "{status}");
    }
    assert_eq!(aws.calls("*"), 0, "{:?}", aws.counts());
    Ok(())
}

#[tokio::test]
async fn asked_by_hand_about_one_process_it_finds_the_newest_execution_itself() -> Tested {
    let bench = Bench::new("by_hand").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = scripted().await?;
    // No event has come at all; ListExecutions and DescribeExecution tell.
    let listed = [listed(row.id, "FAILED", ago(60), Some(ago(30))), listed(row.id, "ABORTED", ago(90), Some(ago(70)))];
    aws.answer("ListExecutions", json!({ "executions": listed }));
    aws.answer(
        "DescribeExecution",
        description(row.id, "FAILED", ago(60), Some(ago(30)), &json!({ "error": "AI_ERROR", "cause": "x" })),
    );
    let function = sync(&bench).envs(aws.environment()).start().await?;
    let result = function.invoke(&json!({ "processId": row.id, "reason": "the user asks" })).await?;
    assert_eq!(bench.row(row.id).await?.error.unwrap_or_default()["code"], "AI_ERROR", "{result:#}");
    assert_eq!(bench.runs().await?[0]["reason"], "the user asks");
    Ok(())
}
