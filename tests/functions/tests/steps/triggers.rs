//! What starts a step: every trigger of every function's manifest, by the sample events in its folder.

use functions_tests::{Bench, STATE_MACHINE_ARN, Tested, ago, description, logged, merge, sample, scripted, texts};
use harness::{AwsProxy, functions, paths};
use patient::table::Row;
use serde_json::json;

/// The process that the samples speak of, and when its execution was started.
const PROCESS: &str = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";
const STARTED: i64 = 1_795_482_000_000;

/// The samples' process, as it is while its execution runs.
pub fn sampled() -> Tested<Row> {
    let started = chrono::DateTime::from_timestamp_millis(STARTED).ok_or("no time")?;
    Ok(Row { id: PROCESS.parse()?, ..Row::pending(started).became("PROCESSING", started) })
}

/// Step Functions, as far as the samples need it: the execution has timed out, and there is no other.
pub async fn step_functions() -> Tested<AwsProxy> {
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": [] }));
    let row = sampled()?;
    let stopped = Some(row.created_at + chrono::TimeDelta::seconds(600));
    aws.answer("DescribeExecution", description(row.id, "TIMED_OUT", row.created_at, stopped, &json!({})));
    Ok(aws)
}

/// Lambda and the definition, as far as the samples of the steps that change the worker need them; and the change that they confirm; and
/// the incident that one of `escalate` acknowledges.
pub async fn worker(aws: &AwsProxy, bench: &Bench, step: &str) -> Tested {
    let configuration = json!({
        "FunctionName": "ai-generation-worker", "Version": "$LATEST", "Timeout": 300, "MemorySize": 1024, "RevisionId": "a",
        "State": "Active", "LastUpdateStatus": "Successful",
    });
    aws.answer("GetFunctionConfiguration", configuration.clone());
    aws.answer("UpdateFunctionConfiguration", configuration);
    aws.answer("GetFunctionConcurrency", json!({ "ReservedConcurrentExecutions": 20 }));
    aws.answer("PutFunctionConcurrency", json!({ "ReservedConcurrentExecutions": 5 }));
    aws.answer("DescribeAlarms", json!({ "MetricAlarms": [], "CompositeAlarms": [] }));
    aws.answer("GetMetricData", json!({ "MetricDataResults": [] }));
    aws.answer("GetAccountSettings", json!({ "AccountLimit": { "UnreservedConcurrentExecutions": 900 } }));
    let task = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
                       "Parameters": { "FunctionName": "ai-generation-worker" } });
    aws.answer(
        "DescribeStateMachine",
        json!({
            "stateMachineArn": STATE_MACHINE_ARN, "name": "ai-processing", "type": "STANDARD", "creationDate": 1.0,
            "roleArn": "arn:aws:iam::000000000000:role/ai-processing",
            "definition": json!({ "StartAt": "Generate", "States": { "Generate": task } }).to_string(),
        }),
    );
    sqlx::query(
        "INSERT INTO remediation.leases (action_id, step, kind, target, before, after, revert_at)
         VALUES ('0198f3a2-5b1e-7c44-9d20-6a7b8c9d0e1f', $1, 'sample', 'sample', '{}', '{}', now() + interval '1 day')",
    )
    .bind(step)
    .execute(bench.database.pool())
    .await?;
    let incident = "INSERT INTO remediation.incidents (id, alarm, opened_at)
                    VALUES ('0198c2de-7b1a-7c3e-9d59-0a7f3f0a1b2c', 'sample', now()) ON CONFLICT DO NOTHING";
    bench.database.execute(incident).await?;
    Ok(())
}

/// The names of a function's sample events.
pub fn samples(function: &str) -> Tested<Vec<String>> {
    let folder = paths::workspace().join(format!("functions/{function}/events"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        names.extend(entry?.file_name().to_string_lossy().strip_suffix(".json").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// The samples that a manifest's triggers ask for.
fn wanted(function: &str) -> Tested<Vec<String>> {
    let text = std::fs::read_to_string(paths::workspace().join(format!("functions/{function}/manifest.toml")))?;
    let manifest: toml::Table = toml::from_str(&text)?;
    let mut names = vec!["operator-look".to_owned()];
    // A step that only a person starts has none.
    for trigger in manifest.get("triggers").and_then(toml::Value::as_array).into_iter().flatten() {
        match trigger["kind"].as_str() {
            Some("execution-status") => {
                let all = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];
                let some: Option<Vec<&str>> = trigger.get("statuses").and_then(|statuses| {
                    Some(statuses.as_array()?.iter().filter_map(|status| status.as_str()).collect())
                });
                let statuses = some.unwrap_or(all.to_vec()).into_iter();
                names.extend(statuses.map(|status| format!("execution-{}", status.to_lowercase().replace('_', "-"))));
            }
            Some("alarm") => {
                let alarm = trigger["alarm"].as_str().ok_or("no alarm")?;
                names.extend([format!("alarm-{alarm}"), format!("alarm-{alarm}-ok")]);
            }
            Some(kind @ ("schedule" | "deployment")) => names.push(kind.to_owned()),
            kind => return Err(format!("{function}: no sample is known for {kind:?}").into()),
        }
    }
    Ok(names)
}

#[tokio::test]
async fn every_trigger_of_every_function_has_a_sample_event_that_it_takes() -> Tested {
    for name in functions::names()? {
        let samples = samples(&name)?;
        for wanted in wanted(&name)? {
            assert!(samples.contains(&wanted), "functions/{name}/events/{wanted}.json is missing: {samples:?}");
        }
        let bench = Bench::new("samples").await?;
        bench.insert(&[sampled()?]).await?;
        let aws = step_functions().await?;
        worker(&aws, &bench, &name).await?;
        let function =
            bench.function(&name).envs(aws.environment()).env("DATABASE_INSTANCE_ID", "app-1").start().await?;
        for event in samples {
            let result =
                function.invoke(&sample(&name, &event)?).await.map_err(|error| format!("{name}, {event}: {error}"))?;
            assert_eq!(result["step"], name.as_str());
            let kind = event.split('-').next().unwrap_or_default().replace("deployment", "operator");
            assert_eq!(result["trigger"]["kind"], kind, "{name}, {event}: {result:#}");
            if event == "operator-look" {
                assert_eq!(result["mode"], "observe", "{name}: {result:#}");
            }
        }
        let failed = bench.runs().await?.into_iter().find(|run| run["error"].is_string());
        assert_eq!(failed, None, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn the_samples_of_executions_do_to_the_row_what_they_say() -> Tested {
    let cases = [
        ("execution-succeeded", "COMPLETED", None),
        ("execution-failed", "FAILED", Some("AI_ERROR")),
        ("execution-timed-out", "FAILED", Some("TIMEOUT_ERROR")),
        ("execution-aborted", "CANCELLED", None),
    ];
    for (event, becomes, code) in cases {
        let bench = Bench::new("sample").await?;
        let row = sampled()?;
        bench.insert(std::slice::from_ref(&row)).await?;
        let event = sample("sync-execution-status", event)?;
        assert_eq!(event["detail"]["stateMachineArn"], STATE_MACHINE_ARN);
        let result = bench.function("sync-execution-status").start().await?.invoke(&event).await?;
        let after = bench.row(row.id).await?;
        assert_eq!(
            (after.status.as_str(), after.error.unwrap_or_default()["code"].as_str()),
            (becomes, code),
            "{result:#}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_way_in_which_an_alarm_is_told_puts_the_stuck_process_right_and_opens_its_incident() -> Tested {
    let events = [
        "alarm-stuck-processes",
        "alarm-stuck-processes-direct",
        "alarm-stuck-processes-sns",
        "alarm-timeout-rate",
        "schedule",
        "operator-all",
    ];
    for name in events {
        let bench = Bench::new("alarmed").await?;
        let row = Row::pending(ago(400));
        bench.insert(std::slice::from_ref(&row)).await?;
        let aws = step_functions().await?;
        let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
        let result = function.invoke(&sample("fail-timed-out-processes", name)?).await?;
        assert_eq!(bench.row(row.id).await?.status, "FAILED", "{name}: {result:#}");
        let incidents = bench.list("SELECT to_jsonb(alarm) FROM remediation.incidents WHERE closed_at IS NULL").await?;
        let alarm =
            if name.contains("timeout-rate") { "remediation-timeout-rate" } else { "remediation-stuck-processes" };
        assert_eq!(incidents, if name.starts_with("alarm") { vec![json!(alarm)] } else { vec![] }, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn an_alarm_that_is_ok_closes_its_incident_and_changes_nothing_else() -> Tested {
    let bench = Bench::new("alarm_ok").await?;
    let aws = step_functions().await?;
    let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    let (alarm, ok) = (
        sample("fail-timed-out-processes", "alarm-stuck-processes")?,
        sample("fail-timed-out-processes", "alarm-stuck-processes-ok")?,
    );
    function.invoke(&alarm).await?;
    // Lambda delivers twice now and then; there is one incident all the same.
    function.invoke(&alarm).await?;
    let row = Row::pending(ago(400));
    bench.insert(std::slice::from_ref(&row)).await?;

    let result = function.invoke(&ok).await?;

    assert_eq!(result["summary"], "alarm remediation-stuck-processes is OK: incident closed", "{result:#}");
    assert_eq!(bench.row(row.id).await?, row);
    let incident = || bench.list("SELECT to_jsonb(i) FROM remediation.incidents i");
    let seen = incident().await?;
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0]["closed_at"].as_str().is_some_and(|at| at.starts_with("2026-11-24T")), "{seen:?}");
    assert!(seen[0]["reason"].as_str().is_some_and(|reason| reason.contains("Threshold Crossed")), "{seen:?}");
    // A duplicate of the alarm that comes after its end opens nothing that nobody would close.
    function.invoke(&alarm).await?;
    assert_eq!(incident().await?, seen);
    // The same alarm an hour later is another incident.
    let mut again = alarm;
    again["detail"]["state"]["timestamp"] = "2026-11-24T02:05:40.989+0000".into();
    function.invoke(&again).await?;
    assert_eq!(incident().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn an_alarm_whose_data_is_missing_is_neither_a_reason_to_act_nor_the_end_of_an_incident() -> Tested {
    let bench = Bench::new("insufficient").await?;
    let aws = step_functions().await?;
    let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    let mut event = sample("fail-timed-out-processes", "alarm-stuck-processes")?;
    function.invoke(&event).await?;
    let row = Row::pending(ago(400));
    bench.insert(std::slice::from_ref(&row)).await?;
    merge(
        &mut event["detail"]["state"],
        &json!({ "value": "INSUFFICIENT_DATA", "timestamp": "2026-11-24T01:20:00.000+0000" }),
    );
    let result = function.invoke(&event).await?;
    assert_eq!(
        result["summary"], "alarm remediation-stuck-processes has insufficient data: incident unchanged",
        "{result:#}"
    );
    assert_eq!(bench.row(row.id).await?, row);
    assert_eq!(bench.list("SELECT to_jsonb(closed_at IS NULL) FROM remediation.incidents").await?, [true]);
    Ok(())
}

#[tokio::test]
async fn an_alarm_whose_actions_are_suppressed_is_only_observed() -> Tested {
    let bench = Bench::new("suppressed").await?;
    let row = Row::pending(ago(400));
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = step_functions().await?;
    let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    let result = function.invoke(&sample("fail-timed-out-processes", "alarm-suppressed")?).await?;
    assert_eq!(
        (&result["mode"], texts(&result["actions"], "outcome")),
        (&json!("observe"), vec!["planned"]),
        "{result:#}"
    );
    assert_eq!(result["trigger"]["suppressedBy"], "WaitPeriod");
    assert_eq!(bench.row(row.id).await?, row);
    Ok(())
}

#[tokio::test]
async fn a_mute_rule_holds_back_the_alarm_and_its_incident() -> Tested {
    let bench = Bench::new("muted").await?;
    let row = Row::pending(ago(400));
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = step_functions().await?;
    let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    let mut muted = sample("fail-timed-out-processes", "alarm-stuck-processes")?;
    let rule = "arn:aws:cloudwatch:ap-northeast-1:000000000000:alarm-mute-rule:maintenance";
    muted["detail"]["muteDetail"] = json!({
        "mutedByArn": rule,
        "muteWindowStart": ago(3600).to_rfc3339(),
        "muteWindowEnd": ago(-3600).to_rfc3339(),
    });
    let result = function.invoke(&muted).await?;
    assert_eq!(
        (&result["mode"], texts(&result["actions"], "outcome")),
        (&json!("observe"), vec!["planned"]),
        "{result:#}"
    );
    assert_eq!(result["trigger"]["suppressedBy"], rule);
    assert_eq!(bench.row(row.id).await?, row);
    let held = bench.list("SELECT to_jsonb(held_back) FROM remediation.incidents WHERE held_until > now()").await?;
    assert_eq!(held, [rule]);
    // Nobody holds it back.
    let result = function.invoke(&sample("fail-timed-out-processes", "alarm-stuck-processes")?).await?;
    assert_eq!((bench.row(row.id).await?.status.as_str(), &result["mode"]), ("FAILED", &json!("act")), "{result:#}");
    assert_eq!(bench.list("SELECT to_jsonb(held_back IS NULL) FROM remediation.incidents").await?, [true]);
    Ok(())
}

#[tokio::test]
async fn a_rules_own_scheduled_event_is_a_schedule() -> Tested {
    let bench = Bench::new("scheduled").await?;
    let row = Row::pending(ago(400));
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = step_functions().await?;
    let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    let event = json!({
        "version": "0", "id": "e", "detail-type": "Scheduled Event", "source": "aws.events", "account": "000000000000",
        "time": "2026-11-29T00:00:00Z", "region": "ap-northeast-1", "detail": {},
        "resources": ["arn:aws:events:ap-northeast-1:000000000000:rule/every-5-minutes"],
    });
    let result = function.invoke(&event).await?;
    assert_eq!(result["trigger"], json!({ "kind": "schedule", "schedule": "every-5-minutes" }), "{result:#}");
    assert_eq!(bench.row(row.id).await?.status, "FAILED", "{result:#}");
    Ok(())
}

#[tokio::test]
async fn migrate_makes_what_is_missing_once_and_tells_of_a_table_that_will_not_do() -> Tested {
    let bench = Bench::new("migrate").await?;
    let observing = bench.function("migrate").env("REMEDIATION_MODE", "observe");
    bench.database.execute("DROP SCHEMA remediation CASCADE; ALTER TABLE processing_state DROP COLUMN error").await?;
    let function = observing.start().await?;
    let told = function.invoke(&sample("migrate", "operator-look")?).await?;
    assert_eq!(
        (&told["actions"][0]["outcome"], &told["toDoIt"]),
        (&json!("planned"), &json!({ "all": true })),
        "{told:#}"
    );
    assert_eq!(bench.list("SELECT to_jsonb(to_regnamespace('remediation') IS NULL)").await?, [true]);
    // Its own schema is not the application's: an installation that only observes has it too.
    let made = function.invoke(&sample("migrate", "deployment")?).await?;
    assert_eq!(
        (&made["actions"][0]["outcome"], &made["verification"]),
        (&json!("applied"), &json!("verified")),
        "{made:#}"
    );
    assert_eq!(texts(&made["findings"], "code"), ["table_unfit"]);
    assert!(
        made["findings"][0]["message"].as_str().is_some_and(|message| message.contains("has no column `error`")),
        "{made:#}"
    );
    let again = function.invoke(&sample("migrate", "deployment")?).await?;
    assert_eq!(again["actions"], json!([]), "{again:#}");
    let id = again["runId"].as_str().ok_or("no run")?;
    logged(&function, |line| line.contains("ledger entry") && line.contains(id)).await?;
    Ok(())
}
