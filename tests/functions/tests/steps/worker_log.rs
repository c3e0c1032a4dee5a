//! `check-health`, its sixth check: what the worker's log tells of its runs, and what it does not tell.

use functions_tests::{BOUND, Bench, Tested, findings, metrics, scripted};
use harness::{Aws, AwsProxy, Deployment, Failure, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

const METRICS: [&str; 4] = ["WorkerTimeoutUsed", "WorkerMemoryUsed", "WorkerColdStarts", "BedrockThrottles"];

/// Lambda's answer of a worker with this log configuration, as documented.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>
async fn worker(logging: Value) -> Tested<AwsProxy> {
    let aws = scripted().await?;
    aws.answer(
        "GetFunctionConfiguration",
        json!({ "State": "Active", "LastUpdateStatus": "Successful", "Timeout": 300, "LoggingConfig": logging }),
    );
    aws.answer("ListExecutions", json!({ "executions": [] }));
    aws.answer("GetMetricData", json!({ "MetricDataResults": [] }));
    Ok(aws)
}

/// FilterLogEvents' answer with these lines, as documented. Every search gets it: a line speaks for itself.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>
fn lines(messages: &[String]) -> Value {
    let event = |(at, message): (usize, &String)| json!({ "timestamp": 1_795_482_000_000_u64 + at as u64, "logStreamName": "2026/11/24/[7]a", "message": message });
    json!({ "events": messages.iter().enumerate().map(event).collect::<Vec<_>>() })
}

/// Lambda's report as a line of text.
fn text(milliseconds: u32, memory: u32, rest: &str) -> String {
    format!(
        "REPORT RequestId: {}\tDuration: {milliseconds}.50 ms\tBilled Duration: {milliseconds} ms\tMemory Size: 1024 MB\tMax Memory Used: {memory} MB\t{rest}\n",
        Uuid::new_v4()
    )
}

/// The same as JSON. <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report>
fn event(milliseconds: u32, memory: u32, status: &str, init: Option<f64>) -> String {
    let mut metrics = json!({
        "durationMs": f64::from(milliseconds) + 0.5,
        "billedDurationMs": milliseconds,
        "memorySizeMB": 1024,
        "maxMemoryUsedMB": memory,
    });
    if let Some(init) = init {
        metrics["initDurationMs"] = json!(init);
    }
    let record = json!({ "requestId": Uuid::new_v4(), "metrics": metrics, "status": status });
    json!({ "time": "2026-11-24T01:00:00.000Z", "type": "platform.report", "record": record }).to_string()
}

/// The worker's check.
fn check(result: &Value) -> &Value {
    let checks = result["report"]["checks"].as_array();
    checks.into_iter().flatten().find(|check| check["check"] == "worker").unwrap_or(&Value::Null)
}

/// What was measured, by name; null where nothing was.
fn measured(line: &Value) -> [Option<f64>; 4] {
    METRICS.map(|name| line[name].as_f64())
}

#[tokio::test]
async fn the_worst_run_of_the_last_five_minutes_is_measured_in_either_format_of_the_log() -> Tested {
    let bench = Bench::new("worker_log").await?;
    let throttled = json!({ "level": "ERROR", "error": { "code": "AI_THROTTLING", "message": "上限を超えました" } });
    let prompt = json!({ "level": "INFO", "message": "started", "prompt": "What is a ThrottlingException?" });
    let told = [vec![throttled.to_string(); 6], vec![prompt.to_string(); 4]].concat();
    let sound = |_| text(30_000, 512, "");
    let texts = [
        (0..9).map(sound).collect(),
        vec![text(300_000, 1000, "Status: timeout"), text(10, 512, "Init Duration: 420.10 ms\t")],
    ];
    let events = [
        (0..9).map(|_| event(30_000, 512, "success", None)).collect(),
        vec![event(300_000, 1000, "timeout", None), event(10, 512, "success", Some(420.1))],
    ];
    for (logging, pattern, reports) in [
        (json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/w" }), "\"REPORT RequestId:\"", texts.concat()),
        (
            json!({ "LogFormat": "JSON", "SystemLogLevel": "INFO", "LogGroup": "/aws/lambda/w" }),
            "\"platform.report\"",
            events.concat(),
        ),
    ] {
        let aws = worker(logging).await?;
        aws.answer("FilterLogEvents", lines(&[reports, told.clone()].concat()));
        let function = bench.function("check-health").envs(aws.environment()).start().await?;

        let result = function.invoke(&json!({ "schedule": "check-health" })).await?;

        let line = metrics(&function).await?;
        let expected = [300_000.5 / 3000.0, 1000.0 / 10.24, 100.0 / 11.0, 6.0];
        for (name, (found, value)) in METRICS.iter().zip(measured(&line).into_iter().zip(expected)) {
            assert!(found.is_some_and(|found| (found - value).abs() < 1e-6), "{pattern} {name}: {line}");
        }
        assert_eq!(findings(&result), ["worker_near_timeout", "worker_memory", "bedrock_throttles"], "{result:#}");
        assert_eq!((&check(&result)["state"], &check(&result)["data"]["runs"]), (&json!("warning"), &json!(11)));
        let asked = aws.requests("FilterLogEvents");
        let patterns: Vec<&str> = asked.iter().filter_map(|asked| asked["filterPattern"].as_str()).collect();
        for pattern in [pattern, "\"ThrottlingException\"", "\"AI_THROTTLING\""] {
            assert!(patterns.contains(&pattern), "{patterns:?}");
        }
        for asked in &asked {
            assert_eq!(asked["logGroupName"], "/aws/lambda/w", "where its configuration says");
            let span = asked["endTime"].as_i64().zip(asked["startTime"].as_i64()).map(|(to, from)| to - from);
            assert_eq!(span, Some(300_000), "{asked}");
        }
        assert_eq!((asked.len(), aws.calls("GetFunctionConfiguration")), (3, 5), "it is asked once");
    }
    Ok(())
}

#[tokio::test]
async fn what_the_log_does_not_tell_is_missing_and_said() -> Tested {
    let bench = Bench::new("worker_quiet").await?;
    let text_log = json!({ "LogFormat": "Text" });
    let quiet = json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN" });
    let no_group = || Failure::error("ResourceNotFoundException").message("The specified log group does not exist.");
    let more = json!({ "events": [], "nextToken": "more" });
    let sampled = json!({ "events": lines(&[text(30_000, 512, "")])["events"], "nextToken": "more" });
    // (the log's configuration, what FilterLogEvents answers, none where there is no group, throttles measured, requests, what is said)
    for (logging, answer, throttles, requests, said) in [
        (text_log.clone(), None, None, 3, "log group /aws/lambda/ai-generation-worker does not exist"),
        (text_log.clone(), Some(lines(&[])), None, 3, "no run ended in the last 5 min"),
        (text_log.clone(), Some(more), None, 6, "the log could not be read to its end"),
        (text_log, Some(sampled), None, 6, "the figures cover only the runs that were found"),
        (quiet, Some(lines(&[])), None, 3, "set LoggingConfig.SystemLogLevel to INFO"),
    ] {
        let aws = worker(logging).await?;
        match answer {
            Some(answer) => aws.answer("FilterLogEvents", answer),
            None => aws.fail("FilterLogEvents", no_group()),
        }
        let function = bench.function("check-health").envs(aws.environment()).start().await?;
        let result = function.invoke(&json!({})).await?;
        let line = metrics(&function).await?;
        assert_eq!((check(&result)["state"].as_str(), findings(&result)), (Some("ok"), vec![]), "{said}: {result:#}");
        assert!(result["report"]["text"].to_string().contains(said), "{said}: {result:#}");
        assert_eq!(measured(&line), [None, None, None, throttles], "{said}: {line}");
        for (name, value) in METRICS.into_iter().zip(measured(&line)) {
            assert_eq!(line["_aws"].to_string().contains(name), value.is_some(), "{said}: {name} is declared: {line}");
        }
        assert_eq!(aws.calls("FilterLogEvents"), requests, "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn of_a_worker_with_an_alias_the_version_that_callers_run_counts() -> Tested {
    let bench = Bench::new("worker_alias").await?;
    let aws = Aws::shared().await?;
    let name = format!("worker-{}", &Uuid::new_v4().simple().to_string()[..8]);
    Deployment::new(&name, "check-health").timeout(3).memory(512).deploy(aws).await?;
    let lambda = aws.lambda();
    let version = lambda.publish_version().function_name(&name).send().await?.version.ok_or("no version")?;
    lambda.create_alias().function_name(&name).name("live").function_version(version).send().await?;
    lambda.update_function_configuration().function_name(&name).timeout(900).send().await?;
    // It refuses the event for want of its configuration: a run is a run.
    lambda.invoke().function_name(&name).qualifier("live").payload(b"{}".to_vec().into()).send().await?;
    let function = bench
        .function("check-health")
        .envs(aws.environment())
        .env("APPLICATION_FUNCTION_NAMES", name.as_str())
        .env("WORKER_FUNCTION_NAME", name.as_str())
        .env("WORKER_ALIAS", "live")
        .start()
        .await?;

    let seen = eventually(BOUND, "the run in the log", || async {
        let result = function.invoke(&json!({})).await.ok()?;
        let data = &check(&result)["data"];
        (data["runs"] == 1).then(|| (data.clone(), check(&result)["sentence"].clone()))
    });
    let (data, sentence) = seen.await?;

    assert!(sentence.as_str().is_some_and(|said| said.contains("of the 3 s timeout")), "{sentence}");
    assert!(data["timeoutUsedPercent"].as_f64().is_some_and(|used| used > 0.0), "{data}");
    // The endpoint does not measure memory: it reports 0 MB.
    let missing = ["memoryUsedPercent", "coldStartsPercent"].map(|name| &data[name]);
    assert_eq!((missing, &data["throttles"]), ([&Value::Null; 2], &json!(0)), "{data}");
    Ok(())
}
