//! `analyze-logs`: one process as one story, whatever of it can be read; and nothing in it that nobody may see.

use functions_tests::{
    BOUND, Bench, Tested, ago, description, execution_arn, findings, listed, logged, processing, scripted, texts,
};
use harness::{Aws, AwsProxy, Failure, FunctionBuilder, Postgres, eventually};
use patient::table::{self, GUIDE, Row, Variant};
use patient::{Behaviour, Patient};
use serde_json::{Value, json};
use uuid::Uuid;

fn step(bench: &Bench, aws: &AwsProxy) -> FunctionBuilder {
    bench.function("analyze-logs").envs(aws.environment())
}

/// The report's text in one piece.
fn text(result: &Value) -> String {
    let lines = result["report"]["text"].as_array().into_iter().flatten();
    lines.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

/// The entries of a source: what each tells.
fn told<'a>(result: &'a Value, source: &str) -> Vec<&'a str> {
    let entries = result["report"]["story"]["entries"].as_array().into_iter().flatten();
    entries.filter(|entry| entry["source"] == source).filter_map(|entry| entry["what"].as_str()).collect()
}

/// What could not be read, and why.
fn not_read(result: &Value) -> Vec<(&str, &str)> {
    let (list, process) = (&result["skipped"], result["report"]["story"]["processId"].as_str());
    let all = texts(list, "target").into_iter().zip(texts(list, "why"));
    all.filter(|(target, _)| Some(*target) != process).collect()
}

/// Step Functions and CloudWatch Logs, as their documentation has their answers: the process has one execution, which timed out, and the
/// worker has logged a line.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html>
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>
async fn timed_out(row: &Row) -> Tested<AwsProxy> {
    let aws = scripted().await?;
    let (started, stopped) = (ago(700), ago(100));
    aws.answer("ListExecutions", json!({ "executions": [listed(row.id, "TIMED_OUT", started, Some(stopped))] }));
    aws.answer("DescribeExecution", description(row.id, "TIMED_OUT", started, Some(stopped), &json!({})));
    let event = |id: i64, at: chrono::DateTime<chrono::Utc>, kind: &str, more: Value| {
        let mut event = json!({ "id": id, "previousEventId": id - 1, "timestamp": at.timestamp(), "type": kind });
        functions_tests::merge(&mut event, &more);
        event
    };
    // Newest first, as it is asked for.
    aws.answer(
        "GetExecutionHistory",
        json!({ "events": [
            event(4, stopped, "ExecutionTimedOut", json!({ "executionTimedOutEventDetails": { "error": "States.Timeout" } })),
            event(3, started, "TaskStarted", json!({ "taskStartedEventDetails": { "resourceType": "lambda", "resource": "invoke" } })),
            event(2, started, "TaskStateEntered", json!({ "stateEnteredEventDetails": { "name": "ExecuteAIGeneration" } })),
            event(1, started, "ExecutionStarted", json!({ "executionStartedEventDetails": {} })),
        ]}),
    );
    let line = json!({
        "level": "INFO", "processId": row.id, "userId": row.user_id, "type": row.kind, "status": "PROCESSING",
        "message": "AI生成を開始しました", "duration": 12, "prompt": "hunter2",
    });
    aws.answer("GetFunctionConfiguration", json!({}));
    aws.answer(
        "FilterLogEvents",
        json!({ "events": [{
            "timestamp": ago(690).timestamp_millis(), "logStreamName": "s", "message": format!("{line}\n"),
        }]}),
    );
    Ok(aws)
}

/// An execution that was started so many seconds ago, and that an event has told of.
async fn known(bench: &Bench, row: &Row, started: i64) -> Tested {
    sqlx::query(
        "INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, stopped_at) VALUES ($1, $2, 'TIMED_OUT', $3, $4)",
    )
    .bind(execution_arn(row.id, ago(started)))
    .bind(row.id)
    .bind(ago(started))
    .bind(ago(100))
    .execute(bench.database.pool())
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_process_that_was_put_right_is_told_from_its_acceptance_to_the_ledger() -> Tested {
    let aws = Aws::start().await?;
    let database = Postgres::shared().await?.database("story").await?;
    table::create(database.pool(), &GUIDE).await?;
    let bench = Bench { database, variant: GUIDE };
    bench.function("migrate").start().await?.invoke(&json!({ "all": true })).await?;
    let patient = Patient::deploy(&aws, &bench.database.url(), bench.database.pool(), GUIDE, 600).await?;
    let process = patient.start(&Behaviour::LoseLastUpdate).await?;
    eventually(BOUND, "the execution to end", || async {
        let told = patient.sfn().describe_execution().execution_arn(&process.execution_arn).send().await.ok()?;
        (told.status.as_str() == "SUCCEEDED").then_some(())
    })
    .await?;
    let event = json!({ "processId": process.id });
    let named = |name: &str| {
        bench.function(name).envs(aws.environment()).env("STATE_MACHINE_ARN", Patient::state_machine_arn())
    };
    let function = named("analyze-logs").env("AWS_LAMBDA_LOG_FORMAT", "JSON").start().await?;

    let stuck = function.invoke(&event).await?;

    assert_eq!((findings(&stuck), &stuck["actions"]), (vec!["would_be_put_right"], &json!([])), "{stuck:#}");
    let says = "at its next run, reconcile-processes would set the row to COMPLETED";
    assert!(text(&stuck).contains(says), "{stuck:#}");
    assert_eq!(patient.row(process.id).await?.status, "PROCESSING", "it only looks");

    named("reconcile-processes").start().await?.invoke(&event).await?;
    let result = function.invoke(&event).await?;

    assert_eq!((findings(&result), patient.row(process.id).await?.status.as_str()), (vec![], "COMPLETED"));
    let sources: Vec<&str> = texts(&result["report"]["story"]["entries"], "source");
    assert_eq!(
        (sources.first(), told(&result, "row")[0]),
        (Some(&"row"), "accepted (type SUBGOAL_GENERATION, target -)")
    );
    let history = told(&result, "history");
    for what in ["ExecutionStarted", "TaskStateEntered ExecuteAIGeneration", "ExecutionSucceeded"] {
        assert!(history.contains(&what), "{what}: {history:?}");
    }
    let log = told(&result, "log").join("\n");
    for what in ["INFO AI生成を開始しました (SUBGOAL_GENERATION, PROCESSING", "INFO AI生成が完了しました"]
    {
        assert!(log.contains(what), "{what}: {log}");
    }
    let ledger = told(&result, "ledger");
    assert!(
        ledger.len() == 1 && ledger[0].starts_with("set-row-status applied: PROCESSING → COMPLETED: "),
        "{ledger:?}"
    );
    assert!(told(&result, "run")[0].starts_with("run triggered by operator (act)"), "{result:#}");
    let times = texts(&result["report"]["story"]["entries"], "at");
    assert!(times.is_sorted(), "{times:?}");
    // Of the five functions, the patient has only the worker.
    let missing = not_read(&result);
    assert_eq!(missing.len(), 4, "{missing:?}");
    assert!(missing.iter().all(|(what, why)| what.starts_with("/aws/lambda/") && why.contains("does not exist")));
    // What the console shows stands in the log as well.
    let run = result["runId"].as_str().unwrap_or_default();
    logged(&function, |line| line.contains(run) && line.contains("is COMPLETED (progress 100)")).await?;
    Ok(())
}

#[tokio::test]
async fn secrets_prompts_and_results_are_neither_asked_for_nor_told_in_any_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("story_{}", variant.name), variant).await?;
        let error =
            json!({ "code": "AI_ERROR", "message": "no answer, password=hunter2", "params": { "a": "hunter2" } });
        let row = Row {
            result: Some(json!({ "text": "hunter2" })),
            error: Some(error),
            ..processing(710).became("FAILED", ago(100))
        };
        bench.insert(std::slice::from_ref(&row)).await?;
        let aws = timed_out(&row).await?;
        let secret = json!({ "input": "{\"prompt\":\"hunter2\"}", "error": "password=hunter2", "cause": "hunter2" });
        let told_of = description(row.id, "TIMED_OUT", ago(700), Some(ago(100)), &secret);
        aws.answer("DescribeExecution", told_of);
        let function = step(&bench, &aws).start().await?;

        let result = function.invoke(&json!({ "processId": row.id })).await?;

        assert!(text(&result).contains("AI_ERROR: no answer, password=[redacted]"), "{result:#}");
        let (whole, user) = (result.to_string(), row.user_id.to_string());
        assert!(!whole.contains("hunter2") && !whole.contains(&user), "{}: {whole}", variant.name);
        logged(&function, |line| line.contains("summary")).await?;
        let lines = function.lines().join("\n");
        assert!(!lines.contains("hunter2") && !lines.contains(&user), "{}: {lines}", variant.name);
        let runs = bench.runs().await?;
        assert!(!json!(runs).to_string().contains("hunter2"), "{runs:#?}");
        let asked = aws.requests("GetExecutionHistory");
        assert_eq!((asked.len(), &asked[0]["includeExecutionData"]), (1, &json!(false)), "{asked:?}");
        assert_eq!(bench.row(row.id).await?.status, "FAILED");
    }
    Ok(())
}

#[tokio::test]
async fn each_function_is_asked_for_the_process_in_the_time_that_it_took() -> Tested {
    let bench = Bench::new("story_asked").await?;
    let row = processing(710).became("FAILED", ago(100));
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = timed_out(&row).await?;
    let function = step(&bench, &aws).start().await?;
    let result = function.invoke(&json!({ "processId": row.id })).await?;
    assert_eq!(
        told(&result, "history"),
        ["ExecutionStarted", "TaskStateEntered ExecuteAIGeneration", "ExecutionTimedOut: States.Timeout"]
    );
    let asked = aws.requests("FilterLogEvents");
    let groups = texts(&json!(asked), "logGroupName").join(" ");
    for name in
        ["async-processing-handler", "status-check-handler", "retry-handler", "cancel-handler", "ai-generation-worker"]
    {
        assert!(groups.contains(&format!("/aws/lambda/{name}")), "{groups}");
    }
    let (from, to) = (row.created_at.timestamp_millis() - 60_000, ago(100).timestamp_millis() + 300_000);
    for asked in &asked {
        assert_eq!((&asked["filterPattern"], &asked["startTime"]), (&json!(format!("\"{}\"", row.id)), &json!(from)));
        // The process ended 100 s ago: what has not happened yet is not asked for.
        assert!(asked["endTime"].as_i64().is_some_and(|end| end > ago(60).timestamp_millis() && end <= to), "{asked}");
    }
    aws.reset();
    function.invoke(&json!({ "processId": row.id, "window": "6h" })).await?;
    let asked = aws.requests("FilterLogEvents");
    let started = asked[0]["startTime"].as_i64().unwrap_or_default();
    assert!((ago(6 * 3600 + 60).timestamp_millis()..=ago(6 * 3600).timestamp_millis()).contains(&started), "{asked:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_not_read_for_the_budgets_sake_is_told() -> Tested {
    let bench = Bench::new("story_budget").await?;
    let row = processing(710).became("FAILED", ago(100));
    bench.insert(std::slice::from_ref(&row)).await?;
    for started in 600..611 {
        known(&bench, &row, started).await?;
    }
    let aws = timed_out(&row).await?;
    aws.answer("ListExecutions", json!({ "executions": [] }));
    // Pages without an end, of which each has a line.
    let event = json!({ "timestamp": ago(600).timestamp_millis(), "logStreamName": "s", "message": "x" });
    aws.answer("FilterLogEvents", json!({ "events": [event], "nextToken": "more" }));
    let mut history = json!({ "events": [], "nextToken": "more" });
    let page: Vec<Value> =
        (1..=500).map(|id| json!({ "id": id, "timestamp": ago(600).timestamp(), "type": "TaskScheduled" })).collect();
    history["events"] = page.into();
    aws.answer("GetExecutionHistory", history);
    let result = step(&bench, &aws).start().await?.invoke(&json!({ "processId": row.id })).await?;
    assert_eq!((aws.calls("FilterLogEvents"), aws.calls("DescribeExecution")), (15, 10), "{:?}", aws.counts());
    let why: Vec<&str> = not_read(&result).into_iter().map(|(_, why)| why).collect();
    assert_eq!(why[0], "only the newest 10 executions were read");
    assert_eq!(why.iter().filter(|why| **why == "only the last 500 events of its history were read").count(), 10);
    let ended = "stopped after 3 requests (last line found: ";
    assert_eq!(why.iter().filter(|why| why.starts_with(ended)).count(), 5, "{why:#?}");
    let said = text(&result);
    assert!(why.iter().all(|why| said.contains(why)), "{said}");
    // Two of the row, of each execution its start, its end and 500 events, and 15 lines; 500 are told.
    assert_eq!(told(&result, "omitted"), ["… 4537 entries omitted (a shorter \"window\" shows them)"]);
    Ok(())
}

#[tokio::test]
async fn what_aws_refuses_is_told_and_hides_nothing_else() -> Tested {
    let bench = Bench::new("story_refused").await?;
    let row = processing(710);
    bench.insert(std::slice::from_ref(&row)).await?;
    known(&bench, &row, 700).await?;
    // (operation, what could not be read, what is known all the same)
    let execution = row.id.to_string();
    for (operation, missing, kept) in [
        ("ListExecutions", "Step Functions", ["row", "history", "log"]),
        ("DescribeExecution", execution.as_str(), ["row", "execution", "log"]),
        ("GetExecutionHistory", execution.as_str(), ["row", "execution", "log"]),
        ("FilterLogEvents", "/aws/lambda/ai-generation-worker", ["row", "history", "history"]),
    ] {
        let aws = timed_out(&row).await?;
        aws.fail(operation, Failure::error("AccessDeniedException"));
        let result = step(&bench, &aws).start().await?.invoke(&json!({ "processId": row.id })).await?;
        let refused = not_read(&result);
        assert!(
            refused.iter().any(|(what, why)| what.starts_with(missing) && why.contains("lacks this permission")),
            "{operation}: {refused:?}"
        );
        for source in kept {
            assert!(!told(&result, source).is_empty(), "{operation}: no {source}: {result:#}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_process_without_a_row_is_told_by_its_execution_and_its_logs() -> Tested {
    let bench = Bench::new("story_no_row").await?;
    let row = processing(710);
    let aws = timed_out(&row).await?;
    let function = step(&bench, &aws).start().await?;
    let arn = execution_arn(row.id, ago(700));
    let by_id = function.invoke(&json!({ "processId": row.id })).await?;
    assert!(text(&by_id).starts_with(&format!("process {} has no row", row.id)), "{by_id:#}");
    assert!(!told(&by_id, "log").is_empty(), "{by_id:#}");
    aws.answer("FilterLogEvents", json!({ "events": [] }));
    let nothing = function.invoke(&json!({ "processId": Uuid::new_v4() })).await?;
    assert!(text(&nothing).contains("nothing found for process"), "{nothing:#}");
    // An execution that Step Functions has forgotten still names its process.
    aws.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist"));
    let by_arn = function.invoke(&json!({ "executionArn": arn })).await?;
    assert_eq!(by_arn["report"]["story"]["processId"], json!(row.id), "{by_arn:#}");
    Ok(())
}

#[tokio::test]
async fn what_is_not_about_one_process_is_refused_with_what_to_send() -> Tested {
    let bench = Bench::new("story_what").await?;
    let function = step(&bench, &scripted().await?).start().await?;
    let id = Uuid::new_v4();
    let elsewhere = execution_arn(id, ago(1)).replace("ai-processing", "another-machine");
    for (event, says) in [
        (json!({}), r#"send {"processId": "<uuid>"} or {"executionArn": "<arn>"}"#),
        (json!({ "all": true }), "analyze-logs looks at one process"),
        (json!({ "processId": id, "window": "1y" }), "`window` is \"1y\"; it must be a span of time such as \"90s\""),
        (json!({ "processId": id, "window": "91d" }), "from 1m to 90d"),
        (json!({ "processId": id, "since": "24h" }), "since"),
        (json!({ "executionArn": elsewhere }), "this installation looks after"),
    ] {
        let refused = function.invoke(&event).await.err().ok_or(format!("{event} was taken"))?;
        assert!(refused.error_message.contains(says), "{event}: {refused}");
    }
    Ok(())
}
