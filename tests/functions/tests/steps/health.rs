//! `check-health`: it measures, tells, and does nothing; and what it cannot see hides nothing else.

use std::time::Duration;

use functions_tests::{
    BOUND, Bench, Machine, Tested, ago, execution_arn, findings, listed, logged, metrics, output, processing, scripted,
    status_event, texts,
};
use harness::{
    APPLICATION, Aws, AwsProxy, CountingProxy, Deployment, Failure, Function, FunctionBuilder, Postgres, eventually,
};
use patient::table::{self, GUIDE, Row, Variant};
use serde_json::{Value, json};
use uuid::Uuid;

const CHECKS: [&str; 7] =
    ["lambda-functions", "step-functions", "database", "processes", "error-rate", "worker", "worker-concurrency"];

/// Lambda, Step Functions and the worker's log, where all is well and nothing ran lately. The answers are in the form that AWS documents.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>
async fn sound() -> Tested<AwsProxy> {
    let aws = scripted().await?;
    let variables = json!({ "Variables": { "BEDROCK_MODEL_ID": "anthropic.claude-3-5-sonnet-20240620-v1:0" } });
    aws.answer(
        "GetFunctionConfiguration",
        json!({ "State": "Active", "LastUpdateStatus": "Successful", "Environment": variables }),
    );
    measured_by_cloudwatch(&aws, &[("calls_0", 4.0)]);
    machine_calls(&aws, &["ai-generation-worker"]);
    aws.answer("ListExecutions", json!({ "executions": [] }));
    aws.answer("FilterLogEvents", json!({ "events": [] }));
    Ok(aws)
}

/// The state machine calls these functions, one after the other.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html>
fn machine_calls(aws: &AwsProxy, functions: &[&str]) {
    let task = |name: &&str| {
        let arguments = json!({ "FunctionName": name });
        (
            (*name).to_owned(),
            json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": arguments, "End": true }),
        )
    };
    let states: serde_json::Map<String, Value> = functions.iter().map(task).collect();
    let definition = json!({ "StartAt": functions[0], "States": states }).to_string();
    aws.answer("DescribeStateMachine", json!({ "definition": definition }));
}

/// What CloudWatch measured a minute ago, by the ids of what it was asked for.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
fn measured_by_cloudwatch(aws: &AwsProxy, results: &[(&str, f64)]) {
    let result = |(id, value): &(&str, f64)| json!({ "Id": id, "StatusCode": "Complete", "Timestamps": [ago(60).to_rfc3339()], "Values": [value] });
    aws.answer("GetMetricData", json!({ "MetricDataResults": results.iter().map(result).collect::<Vec<_>>() }));
}

fn health(bench: &Bench, aws: &AwsProxy) -> FunctionBuilder {
    bench.function("check-health").envs(aws.environment())
}

/// A check of a result.
fn check<'a>(result: &'a Value, name: &str) -> &'a Value {
    let checks = result["report"]["checks"].as_array();
    checks.into_iter().flatten().find(|check| check["check"] == name).unwrap_or(&Value::Null)
}

/// The names of the checks that have failed.
fn failed_checks(result: &Value) -> Vec<&str> {
    CHECKS.into_iter().filter(|name| check(result, name)["state"] == "failed").collect()
}

/// Asserts that these checks failed, each with a finding, and that the others found all well.
fn assert_failed(result: &Value, failed: &[&str]) {
    assert_eq!(failed_checks(result), failed, "{result:#}");
    assert_eq!(texts(&result["findings"], "target"), failed, "{result:#}");
    assert!(findings(result).into_iter().all(|code| code == "check_failed"), "{result:#}");
    for name in CHECKS.into_iter().filter(|name| !failed.contains(name)) {
        // The server is shared: other tests may hold locks that somebody waits for.
        let told = &check(result, name)["state"];
        assert!(told == "ok" || name == "database" && told == "warning", "{name}: {result:#}");
    }
}

/// The metrics of a function's last run, which was its n-th.
async fn measured(function: &Function, runs: usize) -> Tested<Value> {
    let line = eventually(BOUND, format!("the metrics of {runs} runs"), || async {
        let lines = function.lines().into_iter().filter(|line| line.contains("\"_aws\"")).collect::<Vec<_>>();
        lines.get(runs - 1).cloned()
    });
    Ok(serde_json::from_str(&line.await?)?)
}

/// Those of `names` that are in a line of metrics, declared and with a value.
fn sent<'a>(line: &Value, names: &[&'a str]) -> Vec<&'a str> {
    let declared = texts(&line["_aws"]["CloudWatchMetrics"][0]["Metrics"], "Name");
    names.iter().copied().filter(|name| declared.contains(name) && line[*name].is_f64()).collect()
}

const OF_TABLE: [&str; 4] = ["StuckProcesses", "MismatchedProcesses", "UncancelledExecutions", "QueueDepth"];
/// Where no run ended, nothing else is measured; Bedrock counts for itself.
const OF_WORKER: [&str; 1] = ["BedrockThrottles"];
const OF_DATABASE: [&str; 2] = ["DatabaseConnectionsUsed", "BlockedSessions"];

/// An execution that an event has told of.
async fn known(bench: &Bench, row: &Row, status: &str, started: i64, ended: Option<i64>) -> Tested {
    sqlx::query(
        "INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, stopped_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(execution_arn(row.id, ago(started)))
    .bind(row.id)
    .bind(status)
    .bind(ago(started))
    .bind(ended.map(ago))
    .execute(bench.database.pool())
    .await?;
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_counted_in_metrics_and_report_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("health_{}", variant.name), variant).await?;
        let failed =
            |code: &str| Row { error: Some(json!({ "code": code })), ..processing(500).became("FAILED", ago(100)) };
        let starting = Row::pending(ago(20));
        let (running, mismatched) = (processing(1000), processing(700));
        let cancelled = processing(300).became("CANCELLED", ago(200));
        let rows = [
            Row::pending(ago(400)),
            processing(1000),
            running.clone(),
            mismatched.clone(),
            cancelled.clone(),
            Row::pending(ago(10)),
            starting.clone(),
            failed("VALIDATION_ERROR"),
            Row::pending(ago(7000)).became("COMPLETED", ago(6900)),
            Row::pending(ago(90_000)).became("COMPLETED", ago(89_000)),
        ];
        bench.insert(&rows).await?;
        for _ in 0..3 {
            let completed = Row::pending(ago(600)).became("COMPLETED", ago(100));
            bench.insert(&[failed("TIMEOUT_ERROR"), failed("AI_ERROR"), completed]).await?;
        }
        bench.insert(&[(); 2].map(|()| processing(300).became("CANCELLED", ago(200)))).await?;
        known(&bench, &starting, "RUNNING", 15, None).await?;
        known(&bench, &running, "RUNNING", 990, None).await?;
        known(&bench, &mismatched, "TIMED_OUT", 690, Some(100)).await?;
        known(&bench, &cancelled, "RUNNING", 290, None).await?;
        let aws = sound().await?;
        let before = bench.table().await?;
        let function = health(&bench, &aws).start().await?;

        let result = function.invoke(&json!({ "schedule": "check-health" })).await?;

        let line = metrics(&function).await?;
        let measured = [
            ("StuckProcesses", "Count", 3.0),
            ("MismatchedProcesses", "Count", 1.0),
            ("UncancelledExecutions", "Count", 1.0),
            // Not the one whose execution runs.
            ("QueueDepth", "Count", 2.0),
            ("BedrockThrottles", "Count", 0.0),
            // Closed in the last hour: cancelled, timed out, failed, completed, three of each. Invalid input is in no rate.
            ("ErrorRate", "Percent", 50.0),
            ("TimeoutRate", "Percent", 25.0),
            ("ProcessingDurationP95", "Seconds", 500.0),
            ("ProcessingDurationAverage", "Seconds", 500.0),
            ("ChecksFailed", "Count", 0.0),
            ("ActionsApplied", "Count", 0.0),
            ("Findings", "Count", 3.0),
        ];
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        for (name, unit, value) in measured {
            assert!(
                line[name].as_f64().is_some_and(|found| (found - value).abs() < 0.1),
                "{}: {name}: {line}",
                variant.name
            );
            let declared = declared["Metrics"].as_array().ok_or("no metrics")?;
            assert!(declared.contains(&json!({ "Name": name, "Unit": unit })), "{}: {name}: {line}", variant.name);
        }
        assert_eq!(
            (&declared["Namespace"], &declared["Dimensions"], &line["Step"]),
            (&json!("Remediation"), &json!([["Step"]]), &json!("check-health"))
        );
        assert!(line["_aws"]["Timestamp"].is_i64());
        for name in ["DatabaseConnectionsUsed", "BlockedSessions"] {
            assert!(line[name].is_f64(), "{}: {name}: {line}", variant.name);
        }
        let told = ["stuck_processes", "mismatched_processes", "uncancelled_executions"];
        assert_eq!(findings(&result), told, "{result:#}");
        let processes = &check(&result, "processes")["data"];
        let counts = ["stuck", "mismatched", "uncancelled"].map(|name| processes[name].as_i64());
        assert_eq!(counts, [Some(3), Some(1), Some(1)], "{processes:#}");
        assert_eq!(processes["open"], json!({ "PENDING": 3, "PROCESSING": 3 }), "{}", variant.name);
        let closed = json!({ "CANCELLED": 3, "COMPLETED": 4, "FAILED": 7 });
        assert_eq!(processes["closedInADay"], closed, "{}: not the one of yesterday", variant.name);
        let hour = &check(&result, "error-rate")["data"];
        assert_eq!((&hour["closed"], &hour["errorRatePercent"]), (&json!(13), &json!(50.0)), "{hour:#}");
        assert_eq!((&hour["failed"], &hour["invalidInput"]), (&json!(6), &json!(1)), "{hour:#}");
        let codes = json!([
            { "code": "AI_ERROR", "count": 3 },
            { "code": "TIMEOUT_ERROR", "count": 3 },
            { "code": "VALIDATION_ERROR", "count": 1 },
        ]);
        assert_eq!(hour["codes"], codes, "{}", variant.name);
        assert_eq!(bench.table().await?, before);
        let calls = [
            "GetFunctionConfiguration",
            "ListExecutions",
            "FilterLogEvents",
            "GetMetricData",
            "DescribeStateMachine",
            "*",
        ];
        assert_eq!(calls.map(|operation| aws.calls(operation)), [5, 1, 3, 1, 1, 11]);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_state_machine_calls_and_no_setting_names_is_named_with_the_setting() -> Tested {
    let bench = Bench::new("unwatched").await?;
    let aws = sound().await?;
    machine_calls(&aws, &["ai-generation-worker", "acme-status-updater"]);
    // (what the setting names beside the worker, what the report says of the updater)
    for (names, unwatched) in [("retry-handler", true), ("retry-handler,acme-status-updater", false)] {
        let function = health(&bench, &aws).env("APPLICATION_FUNCTION_NAMES", names).start().await?;
        let result = function.invoke(&json!({})).await?;
        let text = texts_of(&result);
        let told = "acme-status-updater: called by the state machine, and not watched";
        assert_eq!(
            (text.contains(told), check(&result, "lambda-functions")["state"].as_str()),
            (unwatched, Some("ok")),
            "{text}"
        );
        assert!(!text.contains("ai-generation-worker: called by"), "{text}");
        assert_eq!(result["findings"], json!([]), "{result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn where_nothing_was_closed_there_is_no_rate() -> Tested {
    let bench = Bench::new("no_rate").await?;
    bench.insert(&[Row::pending(ago(10)), processing(9000).became("COMPLETED", ago(8000))]).await?;
    let aws = sound().await?;
    let function = health(&bench, &aws).start().await?;
    let result = function.invoke(&json!({})).await?;
    let line = metrics(&function).await?;
    assert_eq!(line["QueueDepth"], 1.0, "{line}");
    for name in ["ErrorRate", "TimeoutRate", "ProcessingDurationP95", "ProcessingDurationAverage"] {
        assert_eq!(line[name], Value::Null, "missing data is not a good rate");
        assert!(!line["_aws"].to_string().contains(name), "{line}");
    }
    assert_eq!(check(&result, "error-rate")["data"]["errorRatePercent"], Value::Null);
    assert_eq!((&result["findings"], &result["verification"]), (&json!([]), &json!("not-applicable")), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn whatever_it_is_asked_it_takes_no_action() -> Tested {
    let bench = Bench::new("no_action").await?;
    bench.insert(&[Row::pending(ago(400)), processing(1000)]).await?;
    let before = bench.table().await?;
    let aws = sound().await?;
    let function = health(&bench, &aws).start().await?;
    for event in [json!({ "all": true }), json!({ "all": true, "mode": "act" }), json!({ "schedule": "s" })] {
        let result = function.invoke(&event).await?;
        let stuck = &check(&result, "processes")["data"]["stuck"];
        assert_eq!((&result["actions"], stuck), (&json!([]), &json!(2)), "{event}: {result:#}");
    }
    assert_eq!(bench.table().await?, before);
    assert!(bench.actions().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_step_that_acts_measures_what_it_did_and_how_long_it_was_broken() -> Tested {
    let bench = Bench::new("measures").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let function = bench.function("sync-execution-status").start().await?;
    let output = output(&json!({ "goals": [] }));
    function.invoke(&status_event(row.id, "SUCCEEDED", ago(90), Some(ago(30)), &json!({ "output": output }))).await?;
    let line = metrics(&function).await?;
    for (name, value) in [("ActionsApplied", 1.0), ("ActionsFailed", 0.0), ("ActionsProposed", 0.0), ("Findings", 0.0)]
    {
        assert_eq!(line[name], value, "{name}: {line}");
    }
    assert!(line["TimeToRemedy"].as_f64().is_some_and(|seconds| (30.0..60.0).contains(&seconds)), "{line}");
    assert!(line["RunDuration"].as_f64().is_some_and(|milliseconds| milliseconds > 0.0), "{line}");
    Ok(())
}

#[tokio::test]
async fn all_checks_tell_of_the_real_functions_executions_and_database() -> Tested {
    // A server of its own, whose sessions nobody else opens or blocks.
    let postgres = Postgres::builder().setting("max_connections", "25").start().await?;
    let database = postgres.database("five").await?;
    table::create(database.pool(), &GUIDE).await?;
    let bench = Bench { database, variant: GUIDE };
    bench.function("migrate").start().await?.invoke(&json!({ "all": true })).await?;
    bench.insert(&[processing(20), Row::pending(ago(90)).became("COMPLETED", ago(50))]).await?;

    let machine = Machine::new("health").await?;
    let aws = Aws::shared().await?;
    // But for what CloudWatch measured: the endpoint answers that question with an error.
    let proxy = AwsProxy::start(&aws.endpoint()).await?;
    measured_by_cloudwatch(&proxy, &[]);
    let api = format!("api-{}", &Uuid::new_v4().simple().to_string()[..8]);
    Deployment::new(&api, "check-health").deploy(aws).await?;
    let (running, ended) = (Uuid::new_v4(), Uuid::new_v4());
    let running = machine.start(running).await?;
    machine.end(ended, false).await?;

    let mut holder = bench.database.connect().await?;
    sqlx::raw_sql("SELECT pg_advisory_lock(7)").execute(&mut holder).await?;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut session = bench.database.connect().await?;
        waiting.push(tokio::spawn(async move {
            sqlx::raw_sql("SELECT pg_advisory_lock(7)").execute(&mut session).await.map(drop)
        }));
    }
    let blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    eventually(BOUND, "two blocked sessions", || async {
        let blocked: i64 = sqlx::query_scalar(blocked).fetch_one(bench.database.pool()).await.ok()?;
        (blocked == 2).then_some(())
    })
    .await?;
    // A user without pg_monitor sees the same numbers, and says what it does not see.
    bench
        .database
        .execute_as_superuser(
            "CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT USAGE ON SCHEMA remediation TO plain;
             GRANT ALL ON ALL TABLES IN SCHEMA remediation, public TO plain",
        )
        .await?;
    let monitor = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    for url in [bench.database.url(), bench.database.url_as("plain", "plain")] {
        let plain = url.contains("plain");
        let function = bench
            .function("check-health")
            .env("DATABASE_URL", url)
            .envs(proxy.environment())
            .env("STATE_MACHINE_ARN", machine.arn.as_str())
            .env("APPLICATION_FUNCTION_NAMES", api.as_str())
            .env("WORKER_FUNCTION_NAME", "no-such-worker")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .start()
            .await?;
        // The first run connects; what the second sees is counted while it is there.
        function.invoke(&json!({})).await?;
        let used: i64 = sqlx::query_scalar(monitor).fetch_one(&mut holder).await?;
        let result = function.invoke(&json!({})).await?;

        assert_eq!(failed_checks(&result), ["lambda-functions", "worker"], "{result:#}");
        let unread = "the configuration of no-such-worker is unknown (see 1)";
        assert!(texts_of(&result).contains(unread), "{result:#}");
        let functions = &check(&result, "lambda-functions")["data"];
        assert_eq!(
            (texts(functions, "function"), &functions[0]["state"], &functions[1]["missing"]),
            (vec![api.as_str(), "no-such-worker"], &json!("Active"), &json!(true)),
            "{functions:#}"
        );
        let executions = &check(&result, "step-functions")["data"];
        let names = texts(&executions["running"], "name");
        assert_eq!((names, &executions["more"]), (vec![running.rsplit(':').next().unwrap_or_default()], &json!(false)));
        let database = check(&result, "database");
        assert_eq!((&database["state"], &database["data"]["blocked"]), (&json!("warning"), &json!(2)), "{database:#}");
        assert_eq!(database["data"]["blockedSessions"].as_array().map(Vec::len), Some(2), "{database:#}");
        // Three connections are kept for superusers.
        assert_eq!((&database["data"]["used"], &database["data"]["available"]), (&json!(used), &json!(22)));
        assert!(database["data"]["roundTripMilliseconds"].as_f64().is_some_and(|took| took > 0.0), "{database:#}");
        let unseen = database["data"]["unseen"].as_i64().unwrap_or_default();
        assert_eq!(unseen, if plain { used - 1 } else { 0 }, "{database:#}");
        let text = texts_of(&result);
        assert_eq!(text.contains("fix: GRANT pg_monitor"), plain, "{text}");
        assert_eq!(check(&result, "processes")["data"]["open"], json!({ "PENDING": 0, "PROCESSING": 1 }));
        assert_eq!(check(&result, "error-rate")["data"]["closed"], 1);
        assert!(text.contains("no-such-worker: does not exist; check APPLICATION_FUNCTION_NAMES"), "{text}");
        let line = measured(&function, 2).await?;
        assert_eq!(sent(&line, &OF_DATABASE), OF_DATABASE);
        #[expect(clippy::cast_precision_loss, reason = "a few connections")]
        let percent = 100.0 * used as f64 / 22.0;
        assert!(line["DatabaseConnectionsUsed"].as_f64().is_some_and(|sent| (sent - percent).abs() < 0.01), "{line}");
        assert_eq!((&line["BlockedSessions"], &line["ChecksFailed"]), (&json!(2.0), &json!(2.0)), "{line}");
        // What the console shows as lines stands in the log as one message.
        let run = result["runId"].as_str().unwrap_or_default();
        let title = "Async processing health check";
        let one =
            logged(&function, |line| line.contains(title) && line.contains(run) && !line.contains("ledger")).await?;
        let message = &serde_json::from_str::<Value>(&one)?["fields"]["message"];
        assert_eq!(message, &json!(text), "{one}");
    }
    for session in waiting {
        session.abort();
    }
    Ok(())
}

/// The report's text in one piece.
fn texts_of(result: &Value) -> String {
    let lines = result["report"]["text"].as_array().into_iter().flatten();
    lines.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn executions_beyond_ten_are_ten_or_more_and_one_past_its_deadline_is_a_warning() -> Tested {
    let bench = Bench::new("ten").await?;
    let aws = sound().await?;
    let mut running: Vec<Value> = (0..9).map(|_| listed(Uuid::new_v4(), "RUNNING", ago(30), None)).collect();
    running.push(listed(Uuid::new_v4(), "RUNNING", ago(1000), None));
    aws.answer("ListExecutions", json!({ "executions": running, "nextToken": "more" }));
    let result = health(&bench, &aws).start().await?.invoke(&json!({})).await?;
    let executions = check(&result, "step-functions");
    let sentence = "10 or more running, 1 of them past the deadline of 15 min";
    assert_eq!((&executions["state"], &executions["sentence"]), (&json!("warning"), &json!(sentence)));
    let asked = aws.requests("ListExecutions");
    assert_eq!(
        (asked.len(), &asked[0]["statusFilter"], &asked[0]["maxResults"]),
        (1, &json!("RUNNING"), &json!(10)),
        "{asked:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_aws_refuses_is_told_and_hides_nothing_else() -> Tested {
    let bench = Bench::new("refused").await?;
    // Without its configuration the worker's log cannot be read.
    let of_lambda = ["lambda-functions", "worker"].as_slice();
    // (operation, how it fails, checks, what is said)
    let cases = [
        (
            "GetFunctionConfiguration",
            Failure::error("AccessDeniedException").status(403),
            of_lambda,
            "AccessDeniedException",
        ),
        (
            "GetFunctionConfiguration",
            Failure::error("ResourceNotFoundException").status(404),
            of_lambda,
            "ai-generation-worker: does not exist",
        ),
        (
            "ListExecutions",
            Failure::error("AccessDeniedException"),
            &["step-functions"],
            "The function's role lacks this permission",
        ),
        ("FilterLogEvents", Failure::error("AccessDeniedException"), &["worker"], "FilterLogEvents"),
        ("GetMetricData", Failure::error("AccessDenied"), &["worker-concurrency"], "GetMetricData"),
    ];
    for (operation, failure, failed, said) in cases {
        let aws = sound().await?;
        if operation == "GetFunctionConfiguration" {
            // Of a model that nobody knows CloudWatch is not asked.
            measured_by_cloudwatch(&aws, &[]);
        }
        aws.fail(operation, failure);
        let function = health(&bench, &aws).start().await?;
        let result = function.invoke(&json!({ "schedule": "check-health" })).await?;
        assert_failed(&result, failed);
        assert!(texts_of(&result).contains(said), "{result:#}");
        let line = measured(&function, 1).await?;
        assert_eq!(sent(&line, &OF_TABLE), OF_TABLE);
        assert_eq!(line["ChecksFailed"].as_f64().map(|count| count.to_string()), Some(failed.len().to_string()));
        // What Bedrock counts is known without the log, but not without the worker's model.
        let is_counted = !["GetFunctionConfiguration", "GetMetricData"].contains(&operation);
        assert_eq!(!sent(&line, &OF_WORKER).is_empty(), is_counted, "{operation}: {line}");
    }
    Ok(())
}

#[tokio::test]
async fn runs_and_calls_that_are_refused_are_measured_by_cloudwatch_and_people_hear_which_limit_binds() -> Tested {
    // (name, what Lambda says of the limits, what people are told)
    for (name, reserved, told) in [
        ("reserved", json!({ "ReservedConcurrentExecutions": 5 }), "reserved concurrency of 5 is used up"),
        ("account", json!({}), "the 90 that all functions without a reservation share are used up"),
    ] {
        let bench = Bench::new(name).await?;
        let aws = sound().await?;
        measured_by_cloudwatch(
            &aws,
            &[("refused_runs", 12.0), ("concurrent", 5.0), ("refused_calls_0", 7.0), ("calls_0", 40.0)],
        );
        aws.answer("GetFunctionConcurrency", reserved);
        aws.answer("GetAccountSettings", json!({ "AccountLimit": { "UnreservedConcurrentExecutions": 90 } }));
        let function = health(&bench, &aws).start().await?;
        let result = function.invoke(&json!({ "schedule": "check-health" })).await?;
        let line = metrics(&function).await?;
        assert_eq!((&line["WorkerThrottles"], &line["BedrockThrottles"]), (&json!(12.0), &json!(7.0)), "{line}");
        assert_eq!(findings(&result), ["bedrock_throttles", "worker_throttled"], "{result:#}");
        assert!(result["findings"][1]["message"].as_str().is_some_and(|message| message.contains(told)), "{result:#}");
        assert_eq!(aws.calls("GetMetricData"), 1, "all is asked for at once");
    }
    Ok(())
}

#[tokio::test]
async fn an_aws_that_does_not_answer_holds_up_nothing_else() -> Tested {
    let bench = Bench::new("slow_aws").await?;
    let aws = sound().await?;
    aws.fail("*", Failure::silence());
    let function = health(&bench, &aws).start().await?;
    let result = function.invoke(&json!({})).await?;
    assert_failed(&result, &["lambda-functions", "step-functions", "worker", "worker-concurrency"]);
    assert!(texts_of(&result).contains("could not be checked: no answer within 5 s"), "{result:#}");
    let line = measured(&function, 1).await?;
    assert_eq!((sent(&line, &OF_DATABASE), sent(&line, &OF_TABLE)), (OF_DATABASE.to_vec(), OF_TABLE.to_vec()));
    Ok(())
}

#[tokio::test]
async fn a_locked_table_fails_the_checks_that_read_it_and_the_connection_serves_on() -> Tested {
    let bench = Bench::new("health_locked").await?;
    let aws = sound().await?;
    let function = health(&bench, &aws).start().await?;
    let mut migration = bench.database.connect().await?;
    sqlx::raw_sql("BEGIN; LOCK TABLE processing_state IN ACCESS EXCLUSIVE MODE").execute(&mut migration).await?;

    let result = function.invoke(&json!({ "schedule": "check-health" })).await?;

    assert_failed(&result, &["processes", "error-rate"]);
    for name in ["processes", "error-rate"] {
        let sentence = check(&result, name)["sentence"].as_str().unwrap_or_default();
        assert!(sentence.contains("the table may be locked"), "{sentence}");
    }
    let line = measured(&function, 1).await?;
    assert_eq!(sent(&line, &OF_DATABASE), OF_DATABASE);
    assert!(sent(&line, &[&OF_TABLE[..], &["ErrorRate"]].concat()).is_empty(), "{line}");
    let run = bench.runs().await?.pop().unwrap_or_default();
    assert_eq!((&run["id"], &run["error"]), (&result["runId"], &Value::Null), "{run:#}");

    sqlx::raw_sql("ROLLBACK").execute(&mut migration).await?;
    assert_failed(&function.invoke(&json!({})).await?, &[]);
    Ok(())
}

#[tokio::test]
async fn a_table_that_is_unfit_fails_the_checks_that_read_it_until_it_is_put_right() -> Tested {
    let bench = Bench::new("health_table").await?;
    let aws = sound().await?;
    let function = health(&bench, &aws).start().await?;
    assert_failed(&function.invoke(&json!({})).await?, &[]);
    let changes = [
        ("RENAME TO later", "does not exist"),
        ("RENAME TO processing_state", ""),
        ("RENAME COLUMN completed_at TO done_at", "has no column `completed_at`"),
        ("RENAME COLUMN done_at TO completed_at", ""),
    ];
    let (mut name, mut runs) = ("processing_state", 1);
    for (change, said) in changes {
        bench.database.execute(&format!("ALTER TABLE {name} {change}")).await?;
        name = if change == "RENAME TO later" { "later" } else { "processing_state" };
        if said.is_empty() {
            assert_failed(&function.invoke(&json!({})).await?, &[]);
            runs += 1;
            continue;
        }
        // The catalogue that was read before is out of date, and is read anew by the next event.
        for said in ["", said] {
            let result = function.invoke(&json!({})).await?;
            assert_failed(&result, &["processes", "error-rate"]);
            assert!(texts_of(&result).contains(said), "{result:#}");
            runs += 1;
            let line = measured(&function, runs).await?;
            assert_eq!((sent(&line, &OF_DATABASE), sent(&line, &OF_TABLE)), (OF_DATABASE.to_vec(), Vec::new()));
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_the_database_the_report_has_what_aws_tells_and_is_in_the_log() -> Tested {
    let bench = Bench::new("health_down").await?;
    let aws = sound().await?;
    let proxy = CountingProxy::start(bench.database.port()).await?;
    let url = bench.database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1);
    let function = health(&bench, &aws).env("DATABASE_URL", url).start().await?;
    let down = |result: &Value| {
        assert_failed(result, &["database", "processes", "error-rate"]);
        let said = texts_of(result);
        assert!(
            said.contains("the database failed while connecting: ") && said.contains("check that it is up"),
            "{said}"
        );
        assert!(said.contains("4. Processes by status: failed") && said.contains("(see 3)"), "{said}");
    };
    // From the start, and after it was there: the connection that was kept is cut.
    proxy.refuse().await;
    for event in [json!({ "schedule": "check-health" }), json!({ "all": true }), json!({})] {
        down(&function.invoke(&event).await?);
    }
    assert!(bench.runs().await?.is_empty());
    proxy.accept().await?;
    assert_failed(&function.invoke(&json!({})).await?, &[]);
    proxy.refuse().await;
    proxy.cut();
    let result = function.invoke(&json!({})).await?;
    down(&result);

    let id = result["runId"].as_str().unwrap_or_default();
    logged(&function, |line| line.contains("ledger entry") && line.contains(id)).await?;
    let line = measured(&function, 5).await?;
    assert_eq!((&line["ChecksFailed"], &line["Findings"]), (&json!(3.0), &json!(3.0)), "{line}");
    assert!(sent(&line, &[&OF_TABLE[..], &OF_DATABASE[..]].concat()).is_empty(), "{line}");
    // Who asks for something else hears what is the matter.
    let error = function.invoke(&json!({ "processId": Uuid::new_v4() })).await.err().ok_or("it should have failed")?;
    assert_eq!(error.error_type, "DatabaseError", "{error}");
    Ok(())
}

#[tokio::test]
async fn a_database_that_falls_silent_is_as_one_that_is_down() -> Tested {
    let bench = Bench::new("health_silent").await?;
    let aws = sound().await?;
    let proxy = CountingProxy::start(bench.database.port()).await?;
    let url = bench.database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1);
    let function = health(&bench, &aws).env("DATABASE_URL", url).timeout(Duration::from_secs(30)).start().await?;
    assert_failed(&function.invoke(&json!({})).await?, &[]);
    proxy.silence(true);
    let result = function.invoke(&json!({ "schedule": "check-health" })).await?;
    assert_failed(&result, &["database", "processes", "error-rate"]);
    assert!(texts_of(&result).contains("the database failed while connecting: no answer within"), "{result:#}");
    proxy.silence(false);
    assert_failed(&function.invoke(&json!({ "schedule": "check-health" })).await?, &[]);
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_in_the_report_and_not_shown() -> Tested {
    let bench = Bench::new("health_password").await?;
    let aws = sound().await?;
    let url = bench.database.url_as("application", "hunter2");
    let function = health(&bench, &aws).env("DATABASE_URL", url).start().await?;
    let result = function.invoke(&json!({})).await?;
    assert_failed(&result, &["database", "processes", "error-rate"]);
    assert!(texts_of(&result).contains("The user or password was refused: check DATABASE_URL"), "{result:#}");
    assert!(!result.to_string().contains("hunter2") && !function.lines().join("\n").contains("hunter2"));
    Ok(())
}
