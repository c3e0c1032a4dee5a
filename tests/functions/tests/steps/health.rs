//! `check-health`: it measures, tells, and does nothing.

use functions_tests::{Bench, Tested, ago, execution_arn, metrics, output, processing, scripted, status_event, texts};
use patient::table::{Row, Variant};
use serde_json::{Value, json};

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
        let timeout =
            Row { error: Some(json!({ "code": "TIMEOUT_ERROR" })), ..processing(500).became("FAILED", ago(100)) };
        let (running, mismatched) = (processing(1000), processing(700));
        let cancelled = processing(300).became("CANCELLED", ago(200));
        let rows = [
            Row::pending(ago(400)),
            processing(1000),
            running.clone(),
            mismatched.clone(),
            cancelled.clone(),
            Row::pending(ago(10)),
            timeout,
            Row { error: Some(json!({ "code": "AI_ERROR" })), ..processing(500).became("FAILED", ago(100)) },
            Row::pending(ago(600)).became("COMPLETED", ago(100)),
            Row::pending(ago(7000)).became("COMPLETED", ago(6900)),
        ];
        bench.insert(&rows).await?;
        known(&bench, &running, "RUNNING", 990, None).await?;
        known(&bench, &mismatched, "TIMED_OUT", 690, Some(100)).await?;
        known(&bench, &cancelled, "RUNNING", 290, None).await?;
        let aws = scripted().await?;
        let before = bench.table().await?;
        let function = bench.function("check-health").envs(aws.environment()).start().await?;

        let result = function.invoke(&json!({ "schedule": "check-health" })).await?;

        let line = metrics(&function).await?;
        let measured = [
            ("StuckProcesses", "Count", 3.0),
            ("MismatchedProcesses", "Count", 2.0),
            ("UncancelledExecutions", "Count", 1.0),
            ("QueueDepth", "Count", 2.0),
            // Closed in the last hour: cancelled, timed out, failed, completed.
            ("ErrorRate", "Percent", 50.0),
            ("TimeoutRate", "Percent", 25.0),
            ("ProcessingDurationP95", "Seconds", 500.0),
            ("ActionsApplied", "Count", 0.0),
            ("Findings", "Count", 2.0),
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
        assert_eq!(texts(&result["findings"], "code"), ["stuck_processes", "mismatched_processes"], "{result:#}");
        let report = &result["report"];
        let counts = ["stuck", "mismatched", "uncancelled", "pending", "processing"].map(|name| report[name].as_i64());
        assert_eq!(counts, [Some(3), Some(2), Some(1), Some(2), Some(3)], "{report:#}");
        assert_eq!(
            (&report["lastHour"]["closed"], &report["lastHour"]["errorRatePercent"]),
            (&json!(4), &json!(50.0)),
            "{report:#}"
        );
        assert_eq!(bench.table().await?, before);
        assert_eq!(aws.calls("*"), 0, "{:?}", aws.counts());
    }
    Ok(())
}

#[tokio::test]
async fn where_nothing_was_closed_there_is_no_rate() -> Tested {
    let bench = Bench::new("no_rate").await?;
    bench.insert(&[Row::pending(ago(10)), processing(9000).became("COMPLETED", ago(8000))]).await?;
    let function = bench.function("check-health").start().await?;
    let result = function.invoke(&json!({})).await?;
    let line = metrics(&function).await?;
    assert_eq!(line["QueueDepth"], 1.0, "{line}");
    for name in ["ErrorRate", "TimeoutRate", "ProcessingDurationP95"] {
        assert_eq!(line[name], Value::Null, "missing data is not a good rate");
        assert!(!line["_aws"].to_string().contains(name), "{line}");
    }
    assert_eq!(result["report"]["lastHour"]["errorRatePercent"], Value::Null);
    assert_eq!((&result["findings"], &result["verification"]), (&json!([]), &json!("unverified")), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn whatever_it_is_asked_it_takes_no_action() -> Tested {
    let bench = Bench::new("no_action").await?;
    bench.insert(&[Row::pending(ago(400)), processing(1000)]).await?;
    let before = bench.table().await?;
    let function = bench.function("check-health").start().await?;
    for event in [json!({ "all": true }), json!({ "all": true, "mode": "act" }), json!({ "schedule": "s" })] {
        let result = function.invoke(&event).await?;
        assert_eq!((&result["actions"], &result["report"]["stuck"]), (&json!([]), &json!(2)), "{event}: {result:#}");
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
