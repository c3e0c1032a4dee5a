//! `triage-errors`: what fails is counted, its dominant cause named, and the step that answers it started through its own guards.

use std::sync::Arc;

use crate::worker::alarm_is;
use functions_tests::{
    BOUND, Bench, Machine, NOWHERE, Tested, ago, findings, logged, processing, sample, scripted, texts,
};
use harness::{Aws, AwsProxy, Deployment, Failure, FunctionBuilder, eventually};
use patient::table::{Row, Variant};
use serde_json::{Value, json};
use uuid::Uuid;

const STEP: &str = "triage-errors";

/// A process that failed so many seconds ago, as the application records it.
fn failed(code: &str, message: &str, seconds: i64) -> Row {
    Row {
        error: Some(json!({ "code": code, "message": message })),
        ..processing(seconds + 60).became("FAILED", ago(seconds))
    }
}

fn completed(seconds: i64) -> Row {
    Row { progress: 100, ..processing(seconds + 60).became("COMPLETED", ago(seconds)) }
}

fn many(count: i64, row: impl Fn(i64) -> Row) -> Vec<Row> {
    (0..count).map(|at| row(100 + at)).collect()
}

/// An endpoint whose log has these lines; nothing else answers. The answer is in the form that AWS documents.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>
async fn log_of(lines: &[Value]) -> Tested<AwsProxy> {
    let aws = scripted().await?;
    let event = |line: &Value| json!({ "timestamp": ago(60).timestamp_millis(), "logStreamName": "s", "message": line.to_string() });
    aws.answer("FilterLogEvents", json!({ "events": lines.iter().map(event).collect::<Vec<_>>() }));
    aws.answer("GetFunctionConfiguration", json!({ "LoggingConfig": { "LogGroup": "app/Worker-1" } }));
    alarm_is(&aws, "ALARM", 1);
    Ok(aws)
}

fn triage(bench: &Bench, aws: &AwsProxy) -> FunctionBuilder {
    bench.function(STEP).envs(aws.environment())
}

#[tokio::test]
async fn failures_are_counted_by_code_and_type_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("triage_{}", variant.name), variant).await?;
        let details = json!([
            { "field": "params.title", "message": "1文字以上200文字以内" },
            { "field": "params.description", "message": "required" },
            "no field",
        ]);
        let invalid = |seconds| {
            let row = failed("VALIDATION_ERROR", "入力値が不正です", seconds);
            let error = json!({ "code": "VALIDATION_ERROR", "message": "入力値が不正です", "details": details });
            Row { kind: "ACTION_GENERATION".into(), error: Some(error), ..row }
        };
        let throttled = |seconds| failed("AI_ERROR", "ThrottlingException: Rate exceeded", seconds);
        let mut rows = many(6, throttled);
        rows.extend(many(2, invalid));
        rows.extend(many(3, completed));
        rows.extend([
            // As long before: one failed of two.
            throttled(5000),
            completed(5001),
            // Neither within the window, nor as long before; and what is not closed.
            throttled(9000),
            processing(50),
        ]);
        bench.insert(&rows).await?;
        let before = bench.table().await?;
        let (retried, unknown) = (rows[8].id, Uuid::new_v4());
        let error = |process: Uuid, code: &str| json!({ "level": "ERROR", "processId": process, "userId": "nobody's business", "message": "走", "error": { "code": code } });
        let lines = [error(retried, "AI_ERROR"), error(unknown, "DATABASE_ERROR"), error(rows[0].id, "AI_ERROR")];
        let aws = log_of(&lines).await?;

        let result = triage(&bench, &aws).start().await?.invoke(&json!({})).await?;

        let report = &result["report"];
        let counts = ["closed", "failed"].map(|name| (report[name].as_i64(), report["before"][name].as_i64()));
        assert_eq!(counts, [(Some(11), Some(2)), (Some(8), Some(1))], "{}: {report:#}", variant.name);
        let errors: Vec<_> = report["errors"].as_array().ok_or("no errors")?.iter().collect();
        let seen: Vec<_> = errors
            .iter()
            .map(|error| {
                (
                    error["code"].as_str(),
                    error["type"].as_str(),
                    error["cause"].as_str(),
                    error["count"].as_i64(),
                    error["before"].as_i64(),
                    error["percent"].as_f64(),
                )
            })
            .collect();
        let expected = [
            (Some("AI_ERROR"), Some("SUBGOAL_GENERATION"), Some("throttled"), Some(6), Some(1), Some(75.0)),
            (Some("VALIDATION_ERROR"), Some("ACTION_GENERATION"), Some("validation"), Some(2), Some(0), Some(25.0)),
        ];
        assert_eq!(seen, expected, "{}", variant.name);
        let newest: Vec<String> = rows[..3].iter().map(|row| row.id.to_string()).collect();
        assert_eq!(texts(&errors[0]["examples"], "processId"), newest, "{}", variant.name);
        assert_eq!(
            report["fields"],
            json!([
                { "field": "params.description", "message": "required", "count": 2 },
                { "field": "params.title", "message": "1文字以上200文字以内", "count": 2 },
            ]),
            "{}",
            variant.name
        );
        let codes: Vec<_> = report["log"]["codes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|code| (code["code"].as_str(), code["statuses"].clone()))
            .collect();
        assert_eq!(
            codes,
            [(Some("AI_ERROR"), json!({ "COMPLETED": 1 })), (Some("DATABASE_ERROR"), json!({ "-": 1 }))],
            "{}: without the row that has failed",
            variant.name
        );
        assert_eq!(texts(&report["types"], "type"), ["SUBGOAL_GENERATION", "ACTION_GENERATION"]);
        assert_eq!(
            (texts(&result["actions"], "target"), texts(&result["actions"], "outcome"), findings(&result)),
            (vec!["step throttle-worker"], vec!["planned"], vec!["dominant_cause"]),
            "{result:#}"
        );
        assert_eq!((&result["toDoIt"], aws.calls("Invoke")), (&json!({ "all": true }), 0));
        assert!(!result.to_string().contains("nobody's business") && !result.to_string().contains('走'), "{result:#}");
        assert_eq!(bench.table().await?, before, "{}", variant.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_says_nothing_itself_is_counted_by_what_its_execution_ended_with() -> Tested {
    let bench = Bench::new("by_execution").await?;
    let rows = many(5, |seconds| failed("STEP_FUNCTIONS_ERROR", "?", seconds));
    bench.insert(&rows).await?;
    bench
        .database
        .execute(
            "INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, error)
             SELECT 'arn:' || id, id, 'TIMED_OUT', created_at, 'States.Timeout' FROM processing_state",
        )
        .await?;
    let result = triage(&bench, &log_of(&[]).await?).start().await?.invoke(&json!({})).await?;
    assert_eq!(texts(&result["actions"], "target"), ["step extend-worker-timeout"], "{result:#}");
    Ok(())
}

#[tokio::test]
async fn the_alarm_leads_to_a_retry_by_the_step_that_answers_and_once() -> Tested {
    let bench = Bench::new("whole_way").await?;
    let machine = Machine::new("whole-way").await?;
    let aws = Aws::shared().await?;
    let prefix = format!("w{}-", &Uuid::new_v4().simple().to_string()[..8]);
    let rows = many(6, |seconds| failed("AI_ERROR", "the model did not answer", seconds));
    bench.insert(&rows).await?;
    let retried = completed(300);
    bench.insert(std::slice::from_ref(&retried)).await?;
    for row in &rows {
        machine.end(row.id, true).await?;
    }
    // The worker's log: of the failed rows nothing is told twice. The endpoint knows no pattern with alternatives, so it is scripted.
    let worker = format!("{prefix}worker");
    let event = |process: Uuid| {
        let line = json!({ "level": "ERROR", "processId": process, "error": { "code": "AI_ERROR" } });
        json!({ "timestamp": ago(60).timestamp_millis(), "logStreamName": "s", "message": line.to_string() })
    };
    let log = json!({ "events": [event(retried.id), event(rows[0].id)] });

    let environment = [
        ("DATABASE_URL", bench.database.url()),
        ("STATE_MACHINE_ARN", machine.arn.clone()),
        ("SETTLE_SECONDS", "0".to_owned()),
        ("TEXT_LANGUAGE", "en".to_owned()),
    ];
    let proxy = machine.proxy().await?;
    proxy.answer("FilterLogEvents", log);
    alarm_is(&proxy, "ALARM", 1);
    let answering = Deployment::new(&format!("{prefix}retry-failed-processes"), "retry-failed-processes");
    answering.envs(environment).deploy(aws).await?;
    let function = bench
        .function(STEP)
        .envs(proxy.environment())
        .env("AWS_LAMBDA_FUNCTION_NAME", format!("{prefix}{STEP}"))
        .env("WORKER_FUNCTION_NAME", worker)
        .start()
        .await?;

    let alarm = sample(STEP, "alarm-error-rate")?.to_string();
    // The alarm is this installation's own.
    let alarm: Value = serde_json::from_str(&alarm.replace("remediation-error-rate", &format!("{prefix}error-rate")))?;
    let result = function.invoke(&alarm).await?;

    assert_eq!(
        (texts(&result["actions"], "kind"), texts(&result["actions"], "outcome"), &result["verification"]),
        (vec!["start-step"], vec!["applied"], &json!("verified")),
        "{result:#}"
    );
    assert_eq!(result["report"]["log"]["codes"][0]["examples"], json!([retried.id]), "{result:#}");
    let run = eventually(BOUND, "the started step's run", || async {
        bench.runs().await.ok()?.into_iter().find(|run| run["step"] == "retry-failed-processes")
    })
    .await?;
    assert_eq!(
        (&run["error"], &run["trigger"]["depth"], &run["trigger"]["all"]),
        (&Value::Null, &json!(1), &json!(true)),
        "{run:#}"
    );
    let reason = run["reason"].as_str().unwrap_or_default();
    let id = result["runId"].as_str().unwrap_or_default();
    assert!(
        reason.starts_with("triage-errors: temporary errors of the AI generation, 6 of 6 failures")
            && reason.ends_with(&format!("(run {id})")),
        "{reason}"
    );
    // Most of them fail, so its breaker lets one through.
    let actions = bench.actions().await?;
    let retries: Vec<&Value> = actions.iter().filter(|action| action["kind"] == "retry-process").collect();
    assert_eq!((retries.len(), &retries[0]["outcome"]), (1, &json!("applied")), "{actions:#?}");
    assert_eq!(bench.count("PENDING").await?, 1);

    // Alarms are delivered twice now and then, and the schedule comes soon.
    for event in [alarm, sample(STEP, "schedule")?] {
        let again = function.invoke(&event).await?;
        assert_eq!(again["actions"], json!([]), "{again:#}");
        assert!(texts(&again["skipped"], "why").iter().any(|why| why.contains("handled only recently")), "{again:#}");
    }
    Ok(())
}

#[tokio::test]
async fn the_schedule_looks_only_while_the_incident_is_open() -> Tested {
    let bench = Bench::new("incident").await?;
    bench.insert(&many(6, |seconds| failed("VALIDATION_ERROR", "入力値が不正です", seconds))).await?;
    let aws = log_of(&[]).await?;
    let function = triage(&bench, &aws).start().await?;
    let schedule = sample(STEP, "schedule")?;
    let quiet = |result: &Value, why: &str| {
        assert_eq!((&result["report"], &result["findings"]), (&Value::Null, &json!([])), "{result:#}");
        assert_eq!(texts(&result["skipped"], "why"), Vec::from_iter((!why.is_empty()).then_some(why)), "{result:#}");
    };
    quiet(&function.invoke(&schedule).await?, "error-rate has no open incident");
    assert_eq!(aws.calls("FilterLogEvents"), 0);

    let told = function.invoke(&sample(STEP, "alarm-error-rate")?).await?;
    assert_eq!(findings(&told), ["dominant_cause_for_people"], "{told:#}");
    let again = function.invoke(&schedule).await?;
    assert_eq!((findings(&again), texts(&again["skipped"], "target")), (vec![], vec!["validation"]), "{again:#}");
    assert!(again["report"].is_object(), "{again:#}");

    quiet(&function.invoke(&sample(STEP, "alarm-error-rate-ok")?).await?, "");
    quiet(&function.invoke(&schedule).await?, "error-rate has no open incident");
    Ok(())
}

#[tokio::test]
async fn people_hear_of_invalid_input_with_its_fields_until_it_has_reached_them() -> Tested {
    let bench = Bench::new("for_people").await?;
    let details = json!([{ "field": "params.title", "message": "タイトルは1文字以上" }]);
    let invalid = |seconds| {
        let error = json!({ "code": "VALIDATION_ERROR", "message": "入力値が不正です", "details": details });
        Row { error: Some(error), ..failed("VALIDATION_ERROR", "", seconds) }
    };
    bench.insert(&many(6, invalid)).await?;
    // Only the log is scripted, and the first message: the others go to a real topic.
    let endpoint = Aws::shared().await?;
    let sns = aws_sdk_sns::Client::new(endpoint.sdk_config());
    let topic = sns.create_topic().name(format!("people-{}", Uuid::new_v4())).send().await?.topic_arn;
    let aws = AwsProxy::start(&endpoint.endpoint()).await?;
    aws.answer("FilterLogEvents", json!({ "events": [] }));
    aws.fail("Publish", Failure::error("AuthorizationError").status(403).times(1));
    let topic = topic.ok_or("no topic")?;
    let function = triage(&bench, &aws).env("NOTIFY_TOPIC_ARN", topic).start().await?;
    let alarm = sample(STEP, "alarm-error-rate")?;

    let lost = function.invoke(&alarm).await?;
    assert!(findings(&lost).contains(&"not_told"), "{lost:#}");
    let told = function.invoke(&alarm).await?;
    assert!(findings(&told).contains(&"dominant_cause_for_people"), "{told:#}");
    let message = told["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("no step handles this") && message.contains("params.title (6): タイトルは1文字以上"),
        "{message}"
    );
    assert_eq!((aws.calls("Invoke"), told["actions"].clone()), (0, json!([])));
    let published = aws.calls("Publish");
    let again = function.invoke(&alarm).await?;
    assert_eq!((findings(&again), texts(&again["skipped"], "target")), (vec![], vec!["validation"]), "{again:#}");
    assert_eq!(aws.calls("Publish"), published, "what has reached them is not told again");
    Ok(())
}

#[tokio::test]
async fn a_log_that_cannot_be_read_hinders_nothing_and_a_long_one_is_read_within_its_budget() -> Tested {
    let bench = Bench::new("log").await?;
    bench.insert(&many(6, |seconds| failed("AI_THROTTLING", "", seconds))).await?;
    let aws = scripted().await?;
    let function = triage(&bench, &aws).start().await?;
    let group = || json!({ "LoggingConfig": { "LogGroup": "app/Worker-1" } });
    for (operation, code, told) in [
        ("FilterLogEvents", "AccessDeniedException", "lacks this permission"),
        (
            "FilterLogEvents",
            "AccessDeniedException",
            "app/Worker-1: the right to it comes from logGroups in the CDK app",
        ),
        ("FilterLogEvents", "ResourceNotFoundException", "app/Worker-1 does not exist: check WORKER_FUNCTION_NAME"),
        // Where the log is, is not guessed.
        ("GetFunctionConfiguration", "AccessDeniedException", "GetFunctionConfiguration"),
    ] {
        aws.clear();
        aws.answer("GetFunctionConfiguration", group());
        aws.fail(operation, Failure::error(code));
        let result = function.invoke(&json!({})).await?;
        assert_eq!(findings(&result), ["dominant_cause", "log_not_read"], "{result:#}");
        assert!(result["findings"][1]["message"].as_str().is_some_and(|message| message.contains(told)), "{result:#}");
        assert_eq!(texts(&result["actions"], "target"), ["step throttle-worker"]);
    }
    aws.clear();
    aws.reset();
    // Empty pages with a token are normal, and there is no end of them here.
    aws.answer("FilterLogEvents", json!({ "events": [], "nextToken": "more" }));
    // The function is gone; its log may still be there.
    aws.fail("GetFunctionConfiguration", Failure::error("ResourceNotFoundException").status(404));
    let result = function.invoke(&json!({})).await?;
    assert_eq!((aws.calls("FilterLogEvents"), &result["report"]["log"]["requests"]), (20, &json!(20)), "{result:#}");
    assert_eq!(result["report"]["log"]["readUntil"], result["report"]["window"]["from"], "{result:#}");
    let asked = &aws.requests("FilterLogEvents")[0];
    assert_eq!(
        (&asked["logGroupName"], &asked["filterPattern"]),
        (
            &json!("/aws/lambda/ai-generation-worker"),
            &json!("?ERROR ?Error ?error ?FATAL ?fatal ?CRITICAL ?critical ?\"Task timed out\" ?\"Runtime exited\"")
        )
    );
    logged(&function, |line| line.contains("the log was read up to a limit")).await?;
    Ok(())
}

#[tokio::test]
async fn what_lambda_refuses_is_a_failed_action_and_not_tried_for_ever() -> Tested {
    let bench = Bench::new("refused").await?;
    bench.insert(&many(6, |seconds| failed("DATABASE_ERROR", "connection reset", seconds))).await?;
    let aws = log_of(&[]).await?;
    // As Lambda words it: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    aws.fail("Invoke", Failure::error("ResourceNotFoundException").status(404));
    let function = triage(&bench, &aws).start().await?;
    for _ in 0..8 {
        let result = function.invoke(&json!({ "all": true })).await?;
        assert_eq!(
            (texts(&result["actions"], "outcome"), &result["verification"]),
            (vec!["failed"], &json!("failed")),
            "{result:#}"
        );
        assert!(
            result["actions"][0]["reason"]
                .as_str()
                .is_some_and(|why| why.contains("Invoke: ResourceNotFoundException")),
            "{result:#}"
        );
    }
    let result = function.invoke(&json!({ "all": true })).await?;
    assert_eq!((&result["actions"], aws.calls("Invoke")), (&json!([]), 8), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn a_plan_waits_for_approval_and_its_approval_starts_the_step() -> Tested {
    let bench = Bench::new("approve").await?;
    bench.insert(&many(6, |seconds| failed("AI_THROTTLING", "", seconds + 4000))).await?;
    let aws = Arc::new(AwsProxy::start(&Aws::shared().await?.endpoint()).await?);
    aws.answer("FilterLogEvents", json!({ "events": [] }));
    let prefix = format!("p{}-", &Uuid::new_v4().simple().to_string()[..8]);
    Deployment::new(&format!("{prefix}throttle-worker"), "specimen").deploy(Aws::shared().await?).await?;
    let own = format!("{prefix}{STEP}");
    let function =
        triage(&bench, &aws).env("REMEDIATION_MODE", "propose").env("AWS_LAMBDA_FUNCTION_NAME", own).start().await?;

    let proposed = function.invoke(&json!({ "all": true, "window": "2h" })).await?;
    assert_eq!((texts(&proposed["actions"], "outcome"), aws.calls("Invoke")), (vec!["proposed"], 0), "{proposed:#}");
    let approved = function.invoke(&json!({ "approve": proposed["planId"] })).await?;

    assert_eq!(texts(&approved["actions"], "outcome"), ["applied"], "{approved:#}");
    let sent = aws.requests("Invoke");
    assert_eq!((sent.len(), &sent[0]["all"], &sent[0]["depth"]), (1, &json!(true), &json!(1)), "{sent:?}");
    Ok(())
}

#[tokio::test]
async fn a_run_that_steps_led_to_starts_no_other_one() -> Tested {
    let bench = Bench::new("deep").await?;
    bench.insert(&many(6, |seconds| failed("AI_THROTTLING", "", seconds))).await?;
    let aws = log_of(&[]).await?;
    let result = triage(&bench, &aws).start().await?.invoke(&json!({ "all": true, "depth": 2 })).await?;
    assert_eq!((&result["actions"], aws.calls("Invoke")), (&json!([]), 0), "{result:#}");
    assert_eq!(texts(&result["skipped"], "target"), ["step throttle-worker"]);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() -> Tested {
    let bench = Bench::new("asked").await?;
    let function = bench.function(STEP).env("AWS_ENDPOINT_URL", NOWHERE).start().await?;
    for (event, told) in [
        (json!({ "window": "4m" }), "from 5m to 7d"),
        (json!({ "window": 60 }), "`window` is 60"),
        (json!({ "processId": Uuid::new_v4() }), "send its processId to analyze-logs"),
        (json!({ "all": true, "since": "1h" }), "unknown field `since`"),
    ] {
        let error = function.invoke(&event).await.err().ok_or("it should have been refused")?;
        assert!(error.error_message.contains(told), "{event}: {error}");
    }
    Ok(())
}
