//! `analyze-performance`: durations from real rows in every variant of the table. The local endpoint computes no Logs Insights: its answers
//! are those that AWS documents.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html>

use std::sync::Arc;

use functions_tests::{Bench, NOWHERE, Tested, ago, findings, sample, scripted, texts};
use harness::{AwsProxy, Failure, FunctionBuilder};
use patient::table::{Row, Variant};
use serde_json::{Value, json};

fn step(bench: &Bench, aws: &AwsProxy) -> FunctionBuilder {
    bench.function("analyze-performance").envs(aws.environment())
}

/// GetQueryResults' answer: the fields of one row, all of them texts.
fn results(status: &str, bytes: f64, row: &Value) -> Value {
    let fields = row.as_object().into_iter().flatten();
    let row: Vec<Value> = fields.map(|(name, value)| json!({ "field": name, "value": value })).collect();
    json!({
        "results": if row.is_empty() { json!([]) } else { json!([row]) },
        "statistics": { "recordsMatched": 1.0, "recordsScanned": 1.0, "bytesScanned": bytes },
        "status": status,
    })
}

/// A hundred runs of the worker: their p95 in milliseconds, and how many of them were cold.
fn runs(p95: &str, cold: &str) -> Value {
    json!({
        "runs": "100", "averageMs": "5000", "p50Ms": "5000", "p95Ms": p95, "maxMs": "20000", "averageMemoryMb": "300.5",
        "maxMemoryMb": "400", "memoryMb": "512", "coldStarts": cold, "averageInitMs": if cold == "0" { "" } else { "400.5" },
    })
}

/// Logs Insights that estimates so many bytes and finds these rows, now and before; each query is running when it is asked for first.
async fn insights(bytes: &str, now: Value, before: Value) -> Tested<Arc<AwsProxy>> {
    let aws = Arc::new(scripted().await?);
    let estimate = results("Complete", 0.0, &json!({ "estimatedBytes": bytes }));
    let ends = [estimate, results("Complete", 1.5e9, &now), results("Complete", 0.5e9, &before)];
    aws.answer("StartQuery", json!({ "queryId": "12ab3456-12ab-123a-789e-1234567890ab" }));
    aws.answer("GetFunctionConfiguration", json!({}));
    aws.answer("StopQuery", json!({ "success": true }));
    let proxy = Arc::downgrade(&aws);
    aws.after("StartQuery", move || {
        let proxy = proxy.clone();
        async move {
            if let Some(aws) = proxy.upgrade() {
                aws.answer("GetQueryResults", results("Running", 0.0, &json!({ "runs": "1" })));
            }
        }
    });
    let proxy = Arc::downgrade(&aws);
    aws.after("GetQueryResults", move || {
        let (proxy, ends) = (proxy.clone(), ends.clone());
        async move {
            if let Some(aws) = proxy.upgrade() {
                let started = aws.calls("StartQuery");
                aws.answer("GetQueryResults", ends[(started + 2) % 3].clone());
            }
        }
    });
    Ok(aws)
}

/// So many completed processes of a type that ended so many hours ago and took these seconds, one after the other.
fn completed(kind: &str, count: i64, hours_ago: i64, seconds: impl Fn(i64) -> i64) -> Vec<Row> {
    let row = |n: i64| {
        let ended = ago(hours_ago * 3600 - n);
        let row = Row::pending(ended - chrono::TimeDelta::seconds(seconds(n))).became("COMPLETED", ended);
        Row { kind: kind.into(), ..row }
    };
    (0..count).map(row).collect()
}

fn text(result: &Value) -> String {
    let lines = result["report"]["text"].as_array().into_iter().flatten();
    lines.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn durations_are_those_of_both_windows_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("perf_{}", variant.name), variant).await?;
        // Twenty before, of 1 to 20 s; twenty now, of 10 to 200 s.
        bench.insert(&completed("SUBGOAL_GENERATION", 20, 30, |n| n + 1)).await?;
        bench.insert(&completed("SUBGOAL_GENERATION", 20, 5, |n| 10 * (n + 1))).await?;
        bench.insert(&completed("TASK_GENERATION", 3, 5, |_| 7)).await?;
        // Too old, not completed, not over.
        bench.insert(&completed("SUBGOAL_GENERATION", 5, 50, |_| 1000)).await?;
        bench.insert(&[Row::pending(ago(9000)).became("FAILED", ago(60)), Row::pending(ago(60))]).await?;
        let aws = insights("2000000000", runs("6000", "40"), runs("6000", "0")).await?;

        let result = step(&bench, &aws).start().await?.invoke(&json!({})).await?;

        let report = &result["report"];
        assert_eq!(texts(&report["types"], "type"), ["SUBGOAL_GENERATION", "TASK_GENERATION"], "{result:#}");
        let number = |of: &Value, name: &str| (of[name].as_f64().unwrap_or(-1.0) * 100.0).round() / 100.0;
        let numbers = |of: &Value| ["count", "average", "p50", "p95", "min", "max"].map(|name| number(of, name));
        let of_type = &report["types"][0];
        assert_eq!(numbers(&of_type["before"]), [20.0, 10.5, 10.5, 19.05, 1.0, 20.0], "{}", variant.name);
        assert_eq!(numbers(&of_type["now"]), [20.0, 105.0, 105.0, 190.5, 10.0, 200.0], "{}", variant.name);
        assert_eq!((number(&of_type["changePercent"], "average"), &of_type["slower"]), (900.0, &json!(true)));
        assert_eq!((number(&report["types"][1]["now"], "count"), &report["types"][1]["before"]), (3.0, &Value::Null));
        assert_eq!((number(&report["all"]["now"], "count"), number(&report["all"]["before"], "count")), (23.0, 20.0));

        // What got slower is named, with what else moved; what cannot be compared is not.
        assert_eq!(
            (findings(&result), &result["findings"][0]["target"]),
            (vec!["regression"], &json!("SUBGOAL_GENERATION"))
        );
        let message = result["findings"][0]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("more cold starts: 0 % → 40 % of runs → send {} to provision-worker-concurrency"),
            "{message}"
        );
        assert!(message.contains("the worker takes as long as before (p95 6.0 → 6.0 s)"), "{message}");
        assert_eq!(texts(&result["skipped"], "target"), ["TASK_GENERATION"], "{result:#}");
        assert_eq!((&result["actions"], &result["mode"]), (&json!([]), &json!("observe")));
        let cost = &report["insights"];
        assert_eq!((number(cost, "scannedBytes"), number(cost, "estimatedBytes")), (2e9, 2e9), "{cost}");
        assert_eq!(report["worker"]["now"]["averageInitMs"], 400.5, "{report:#}");
    }
    Ok(())
}

#[tokio::test]
async fn the_estimate_is_asked_for_first_and_each_window_once() -> Tested {
    let bench = Bench::new("perf_asked").await?;
    let aws = insights("1000", runs("6000", "0"), runs("6000", "0")).await?;
    let function = step(&bench, &aws).start().await?;
    for (event, hours) in
        [(json!({}), 24), (sample("analyze-performance", "schedule")?, 168), (json!({ "window": "2h" }), 2)]
    {
        aws.reset();
        let result = function.invoke(&event).await?;
        let asked = aws.requests("StartQuery");
        let estimates: Vec<bool> = asked
            .iter()
            .map(|asked| asked["queryString"].as_str().is_some_and(|query| query.ends_with("\n| estimate")))
            .collect();
        assert_eq!(estimates, [true, false, false], "{asked:#?}");
        let span = |asked: &Value| {
            let [from, to] = ["startTime", "endTime"].map(|name| asked[name].as_i64().unwrap_or_default());
            (from, to + 1)
        };
        let ((before, to), now, then) = (span(&asked[0]), span(&asked[1]), span(&asked[2]));
        let from = to - hours * 3600;
        assert_eq!((before, now, then), (from - hours * 3600, (from, to), (from - hours * 3600, from)), "{asked:#?}");
        assert!(asked.iter().all(|asked| asked["logGroupName"] == "/aws/lambda/ai-generation-worker"), "{asked:#?}");
        // Each was still running when it was asked for first; nothing had to be stopped.
        assert_eq!((aws.calls("GetQueryResults"), aws.calls("StopQuery")), (6, 0), "{result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn what_would_cost_more_than_it_may_is_not_run_unless_a_person_pays() -> Tested {
    let bench = Bench::new("perf_cost").await?;
    // 100 GB: 0.76 USD.
    let aws = insights("100000000000", runs("6000", "0"), runs("6000", "0")).await?;
    let function = step(&bench, &aws).start().await?;
    let result = function.invoke(&json!({})).await?;
    assert_eq!((findings(&result), aws.calls("StartQuery")), (vec!["too_expensive"], 1), "{result:#}");
    assert!(text(&result).contains(r#"{"window": "15h"} would fit; or send {"maxUsd": 0.84}"#), "{result:#}");
    aws.reset();
    let result = function.invoke(&json!({ "maxUsd": 0.84 })).await?;
    assert_eq!((findings(&result), aws.calls("StartQuery")), (vec![], 3), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn what_logs_insights_does_not_tell_is_not_known_and_the_rows_are_told_all_the_same() -> Tested {
    let bench = Bench::new("perf_unknown").await?;
    bench.insert(&completed("TASK_GENERATION", 3, 5, |_| 7)).await?;
    let good = || insights("1000", runs("6000", "0"), runs("6000", "0"));
    let refused = |operation: &'static str, code: &'static str| async move {
        let aws = good().await?;
        aws.fail(operation, Failure::error(code));
        Tested::Ok(aws)
    };
    let ended = |status: &'static str| async move {
        let aws = scripted().await?;
        aws.answer("GetFunctionConfiguration", json!({}));
        aws.answer("StartQuery", json!({ "queryId": "12ab3456-12ab-123a-789e-1234567890ab" }));
        aws.answer("StopQuery", json!({ "success": false }));
        aws.answer("GetQueryResults", results(status, 0.0, &json!({})));
        Tested::Ok(Arc::new(aws))
    };
    let two =
        json!({ "results": [[{ "field": "a", "value": "1" }, { "field": "b", "value": "2" }]], "status": "Complete" });
    let odd = ended("Complete").await?;
    odd.answer("GetQueryResults", two);
    // (endpoint, what is said, whether the query is stopped)
    for (aws, says, stopped) in [
        (
            refused("StartQuery", "LimitExceededException").await?,
            "limit of concurrent Logs Insights queries (LimitExceededException",
            0,
        ),
        (
            refused("StartQuery", "ResourceNotFoundException").await?,
            "/aws/lambda/ai-generation-worker does not exist",
            0,
        ),
        (refused("StartQuery", "MalformedQueryException").await?, "MalformedQueryException", 0),
        (refused("StartQuery", "AccessDeniedException").await?, "lacks this permission", 0),
        (refused("GetQueryResults", "AccessDeniedException").await?, "lacks this permission", 1),
        (ended("Failed").await?, "the Logs Insights query ended in Failed", 1),
        (ended("Timeout").await?, "the Logs Insights query ended in Timeout", 1),
        (ended("Cancelled").await?, "the Logs Insights query ended in Cancelled", 1),
        (ended("Complete").await?, "the Logs Insights estimate could not be read", 0),
        (odd, "the Logs Insights estimate could not be read", 0),
        (insights("1000", json!({ "runs": "5" }), json!({})).await?, "lacks coldStarts", 0),
    ] {
        let result = step(&bench, &aws).start().await?.invoke(&json!({})).await?;
        let why = texts(&result["skipped"], "why").join("\n");
        assert!(why.contains(says) && text(&result).contains(says), "{says}: {result:#}");
        assert_eq!((findings(&result), aws.calls("StopQuery")), (vec![], stopped), "{says}: {result:#}");
        assert_eq!(result["report"]["types"][0]["now"]["count"], 3, "{says}: {result:#}");
        assert!(aws.calls("StartQuery") <= 3, "{says}: {:?}", aws.counts());
    }
    Ok(())
}

#[tokio::test]
async fn a_query_that_does_not_end_in_time_is_stopped() -> Tested {
    let bench = Bench::new("perf_slow").await?;
    let aws = scripted().await?;
    aws.answer("GetFunctionConfiguration", json!({}));
    aws.answer("StartQuery", json!({ "queryId": "12ab3456-12ab-123a-789e-1234567890ab" }));
    aws.answer("GetQueryResults", results("Running", 0.0, &json!({})));
    aws.answer("StopQuery", json!({ "success": true }));
    let function = step(&bench, &aws).timeout(std::time::Duration::from_secs(6)).start().await?;
    let result = function.invoke(&json!({})).await?;
    assert!(text(&result).contains("did not finish in time and was stopped"), "{result:#}");
    let stopped = aws.requests("StopQuery");
    assert_eq!((stopped.len(), &stopped[0]["queryId"]), (1, &json!("12ab3456-12ab-123a-789e-1234567890ab")));
    Ok(())
}

#[tokio::test]
async fn a_worker_that_did_not_run_is_no_worker_that_got_better() -> Tested {
    let bench = Bench::new("perf_idle").await?;
    let aws = insights("0", json!({ "runs": "0", "averageMs": "" }), json!({})).await?;
    let result = step(&bench, &aws).start().await?.invoke(&json!({})).await?;
    assert_eq!(result["report"]["worker"], json!({ "now": null, "before": null }), "{result:#}");
    assert!(text(&result).contains("no process completed in either window"), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn a_regression_that_the_weekly_look_finds_is_told() -> Tested {
    let bench = Bench::new("perf_told").await?;
    bench.insert(&completed("SUBGOAL_GENERATION", 20, 200, |_| 10)).await?;
    bench.insert(&completed("SUBGOAL_GENERATION", 20, 20, |_| 20)).await?;
    let aws = insights("1000", runs("6000", "0"), runs("6000", "0")).await?;
    // That somebody was to be told is seen by who could not be.
    aws.fail("Publish", Failure::error("AuthorizationError").status(403));
    let topic = "arn:aws:sns:ap-northeast-1:000000000000:people";
    let function = step(&bench, &aws).env("NOTIFY_TOPIC_ARN", topic).start().await?;
    let result = function.invoke(&sample("analyze-performance", "schedule")?).await?;
    assert_eq!((findings(&result), aws.calls("Publish")), (vec!["regression", "not_told"], 1), "{result:#}");
    // Within a day there is nothing to compare, and nothing to tell.
    let result = function.invoke(&json!({})).await?;
    assert_eq!((findings(&result), aws.calls("Publish")), (vec![], 1), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn what_may_not_be_asked_is_refused_with_what_may() -> Tested {
    let bench = Bench::new("perf_what").await?;
    let function = bench.function("analyze-performance").env("AWS_ENDPOINT_URL", NOWHERE).start().await?;
    for (event, says) in [
        (json!({ "processId": "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c" }), "send its processId to analyze-logs"),
        (json!({ "window": "30m" }), "from 1h to 31d"),
        (json!({ "maxUsd": 0 }), "`maxUsd` is 0; it must be a number of US dollars, over 0 and up to 100"),
        (json!({ "maxUsd": "1" }), "`maxUsd` is \"1\""),
    ] {
        let refused = function.invoke(&event).await.err().ok_or(format!("{event} was taken"))?;
        assert!(refused.error_message.contains(says), "{event}: {refused}");
    }
    Ok(())
}
