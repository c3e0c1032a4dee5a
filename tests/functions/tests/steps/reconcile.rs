//! `reconcile-processes`: what the events did not bring is found by looking.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use functions_tests::{
    Bench, Machine, Tested, ago, description, execution_arn, findings, listed, output, processing, scripted, texts,
};
use harness::{AwsProxy, CountingProxy, Failure, FunctionBuilder};
use patient::table::Row;
use serde_json::{Value, json};
use uuid::Uuid;

/// As its schedule starts it; what changed a moment ago counts, unless a test says otherwise.
fn reconcile(bench: &Bench, aws: &AwsProxy) -> FunctionBuilder {
    bench.function("reconcile-processes").env("SETTLE_SECONDS", "0").envs(aws.environment())
}

fn schedule() -> Value {
    json!({ "schedule": "reconcile-processes" })
}

/// Step Functions has these executions, newest first, and tells them in one page of ListExecutions.
async fn with_list(executions: &[Value]) -> Tested<AwsProxy> {
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": executions }));
    Ok(aws)
}

/// Open rows, each with an execution that timed out; the list tells all that is needed.
async fn timed_out(bench: &Bench, count: usize) -> Tested<(Vec<Row>, AwsProxy)> {
    let mut rows: Vec<Row> = (0..count).map(|_| processing(701)).collect();
    rows.sort_by_key(|row| row.id);
    bench.insert(&rows).await?;
    let list: Vec<Value> = rows.iter().map(|row| listed(row.id, "TIMED_OUT", ago(700), Some(ago(100)))).collect();
    Ok((rows, with_list(&list).await?))
}

/// What an installation allows the step.
async fn control(bench: &Bench, columns: &str, values: &str) -> Tested {
    let sql = format!("INSERT INTO remediation.controls (step, {columns}) VALUES ('reconcile-processes', {values})");
    Ok(bench.database.execute(&sql).await?)
}

#[tokio::test]
async fn executions_whose_events_were_lost_are_found_by_the_sweep() -> Tested {
    let bench = Bench::new("lost_events").await?;
    let machine = Machine::new("lost").await?;
    let rows: Vec<Row> = (0..5).map(|_| processing(20)).collect();
    bench.insert(&rows).await?;
    machine.end(rows[0].id, false).await?;
    machine.end(rows[1].id, true).await?;
    let aborted = machine.start(rows[2].id).await?;
    machine.stop(&aborted, "USER_CANCELLED").await?;
    machine.start(rows[3].id).await?;
    // Of two executions the newer one speaks.
    machine.end(rows[4].id, true).await?;
    machine.start(rows[4].id).await?;
    let aws = machine.proxy().await?;
    let function = reconcile(&bench, &aws).env("STATE_MACHINE_ARN", &machine.arn).start().await?;

    let result = function.invoke(&schedule()).await?;

    let mut seen = Vec::new();
    for row in &rows {
        let row = bench.row(row.id).await?;
        seen.push((row.status, row.error.unwrap_or_default()["code"].as_str().map(str::to_owned)));
    }
    let expected = [
        ("COMPLETED", None),
        ("FAILED", Some("AI_ERROR")),
        ("CANCELLED", None),
        ("PROCESSING", None),
        ("PROCESSING", None),
    ];
    assert_eq!(seen, expected.map(|(status, code)| (status.to_owned(), code.map(str::to_owned))), "{result:#}");
    assert_eq!(bench.row(rows[0].id).await?.result, Some(json!({ "goals": ["走る"] })));
    assert_eq!(aws.calls("ListExecutions"), 1, "one page tells of all: {:?}", aws.counts());
    assert_eq!(aws.calls("DescribeExecution"), 3, "only what has ended is asked for its words: {:?}", aws.counts());
    assert_eq!(result["verification"], "verified");

    let again = function.invoke(&schedule()).await?;
    assert_eq!(again["actions"], json!([]), "{again:#}");
    Ok(())
}

#[tokio::test]
async fn what_changed_a_moment_ago_is_left_for_the_next_look() -> Tested {
    let bench = Bench::new("settle").await?;
    let settled = processing(301);
    let (ended_now, written_now) = (processing(301), processing(301).became("PROCESSING", ago(5)));
    bench.insert(&[settled.clone(), ended_now.clone(), written_now.clone()]).await?;
    let aws = with_list(&[
        listed(settled.id, "TIMED_OUT", ago(300), Some(ago(100))),
        listed(ended_now.id, "TIMED_OUT", ago(300), Some(ago(5))),
        listed(written_now.id, "TIMED_OUT", ago(300), Some(ago(100))),
    ])
    .await?;
    let function = reconcile(&bench, &aws).env("SETTLE_SECONDS", "60").start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(bench.row(settled.id).await?.status, "FAILED");
    assert_eq!(bench.row(ended_now.id).await?, ended_now);
    assert_eq!(bench.row(written_now.id).await?, written_now);
    let why = texts(&result["skipped"], "why");
    assert!(why.iter().any(|why| why.contains("has just changed:")), "{result:#}");
    assert!(why.iter().any(|why| why.contains("was written after execution")), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn a_process_that_never_started_is_failed_after_the_start_deadline() -> Tested {
    let bench = Bench::new("never_started").await?;
    let rows = [Row::pending(ago(400)), Row::pending(ago(100)), processing(1000), processing(500)];
    bench.insert(&rows).await?;
    let aws = with_list(&[]).await?;

    let result = reconcile(&bench, &aws).start().await?.invoke(&schedule()).await?;

    let expected = [
        ("FAILED", Some("STEP_FUNCTIONS_ERROR")),
        ("PENDING", None),
        ("FAILED", Some("TIMEOUT_ERROR")),
        ("PROCESSING", None),
    ];
    for (row, (status, code)) in rows.iter().zip(expected) {
        let after = bench.row(row.id).await?;
        assert_eq!(
            (after.status.as_str(), after.error.unwrap_or_default()["code"].as_str()),
            (status, code),
            "{result:#}"
        );
    }
    let causes: Vec<Value> = bench.actions().await?.into_iter().map(|action| action["cause"].clone()).collect();
    assert!(causes.contains(&json!("never-started")) && causes.contains(&json!("timed-out")), "{causes:?}");
    Ok(())
}

#[tokio::test]
async fn without_an_answer_of_step_functions_nothing_is_taken_for_never_started() -> Tested {
    for (code, advice) in [
        ("AccessDeniedException", "The function's role lacks this permission"),
        ("ThrottlingException", "quota is used up"),
    ] {
        // It is told once a day.
        let bench = Bench::new("no_list").await?;
        bench.insert(&[Row::pending(ago(400)), processing(1000)]).await?;
        let before = bench.table().await?;
        let aws = scripted().await?;
        aws.fail("ListExecutions", Failure::error(code));
        let result = reconcile(&bench, &aws).start().await?.invoke(&schedule()).await?;
        assert_eq!(findings(&result), ["step_functions_unavailable"], "{result:#}");
        let message = result["findings"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains("ListExecutions") && message.contains(code) && message.contains(advice), "{message}");
        assert_eq!(result["skipped"].as_array().map(Vec::len), Some(2), "{result:#}");
        assert_eq!(bench.table().await?, before, "{code}");
        assert_eq!(bench.runs().await?[0]["findings"][0]["code"], "step_functions_unavailable");
    }
    Ok(())
}

#[tokio::test]
async fn what_the_database_knows_is_put_right_even_while_step_functions_is_throttled() -> Tested {
    let bench = Bench::new("throttled").await?;
    let (known, unknown) = (processing(701), processing(701));
    bench.insert(&[known.clone(), unknown.clone()]).await?;
    let aws = with_list(&[
        listed(known.id, "TIMED_OUT", ago(700), Some(ago(100))),
        listed(unknown.id, "SUCCEEDED", ago(700), Some(ago(100))),
    ])
    .await?;
    aws.fail("DescribeExecution", Failure::error("ThrottlingException"));
    let function = reconcile(&bench, &aws).start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(bench.row(known.id).await?.status, "FAILED", "{result:#}");
    assert_eq!(bench.row(unknown.id).await?, unknown);
    assert_eq!(findings(&result), ["step_functions_unavailable"]);
    Ok(())
}

#[tokio::test]
async fn closed_rows_are_looked_at_for_a_day() -> Tested {
    let bench = Bench::new("closed_rows").await?;
    let machine = Machine::new("closed").await?;
    let failed = |closed: i64| Row {
        error: Some(json!({ "code": "AI_ERROR" })),
        ..processing(closed + 10).became("FAILED", ago(closed))
    };
    let (late, old) = (failed(100), failed(90_000));
    let (completed, cancelled) =
        (processing(100).became("COMPLETED", ago(50)), processing(20).became("CANCELLED", ago(10)));
    bench.insert(&[late.clone(), old.clone(), completed.clone(), cancelled.clone()]).await?;
    machine.end(late.id, false).await?;
    machine.end(old.id, false).await?;
    machine.end(completed.id, true).await?;
    let running = machine.start(cancelled.id).await?;
    let aws = machine.proxy().await?;

    let function = reconcile(&bench, &aws).env("STATE_MACHINE_ARN", &machine.arn).start().await?;
    let result = function.invoke(&schedule()).await?;

    assert_eq!(bench.row(late.id).await?.status, "COMPLETED", "a late success stands: {result:#}");
    assert_eq!(bench.row(old.id).await?, old, "what was closed over a day ago is no business of the sweep");
    assert_eq!(bench.row(completed.id).await?, completed);
    assert_eq!(findings(&result), ["completed_without_success"], "{result:#}");
    assert_eq!(machine.status(&running).await?, "ABORTED", "what was cancelled does not run on");
    assert_eq!(bench.row(cancelled.id).await?, cancelled);
    Ok(())
}

#[tokio::test]
async fn a_step_that_wants_to_close_more_than_half_proposes_it_and_an_approval_does_it() -> Tested {
    let bench = Bench::new("share").await?;
    let (rows, aws) = timed_out(&bench, 30).await?;
    let before = bench.table().await?;
    let function = reconcile(&bench, &aws).start().await?;

    let result = function.invoke(&schedule()).await?;

    assert_eq!(bench.table().await?, before, "nothing of it is done");
    assert_eq!(findings(&result), ["over_limit"]);
    let message = result["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("30 of 30 would be changed, over the limit of 50 %"), "{message}");
    assert_eq!(texts(&result["actions"], "outcome"), ["proposed"; 30]);
    let plan = result["planId"].clone();
    assert_eq!(result["toDoIt"], json!({ "approve": plan }));
    // The same plan waits on: the next sweep makes no other.
    assert_eq!(function.invoke(&schedule()).await?["planId"], plan);

    let elsewhere = bench.function("sync-execution-status").start().await?.invoke(&json!({ "approve": plan })).await;
    let refused = elsewhere.err().ok_or("another step's plan was approved")?;
    assert!(refused.error_message.contains("the plan belongs to reconcile-processes: send it there"), "{refused}");

    let done = function.invoke(&json!({ "approve": plan, "reason": "checked by hand" })).await?;
    assert_eq!(texts(&done["actions"], "outcome"), ["applied"; 30], "{done:#}");
    assert_eq!(bench.count("FAILED").await?, i64::try_from(rows.len())?);
    let approved = bench.list("SELECT to_jsonb(p) FROM remediation.plans p").await?;
    assert_eq!((approved.len(), &approved[0]["approved_by"]), (1, &done["runId"]));

    let refused = function.invoke(&json!({ "approve": plan })).await.err().ok_or("a plan was approved twice")?;
    assert!(refused.error_message.contains("the plan was already approved"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn of_an_approved_plan_only_what_is_still_true_is_done() -> Tested {
    let bench = Bench::new("plan_outdated").await?;
    let (rows, aws) = timed_out(&bench, 3).await?;
    let function = reconcile(&bench, &aws).start().await?;
    let plan = function.invoke(&json!({ "all": true, "mode": "propose" })).await?["planId"].clone();
    bench
        .database
        .execute(&format!("UPDATE processing_state SET status = 'COMPLETED' WHERE id = '{}'", rows[1].id))
        .await?;
    // A row that the plan does not name is not touched either, whatever could be said of it.
    let other = Row::pending(ago(4000));
    bench.insert(std::slice::from_ref(&other)).await?;
    let done = function.invoke(&json!({ "approve": plan })).await?;
    assert_eq!(texts(&done["actions"], "outcome"), ["applied"; 2], "{done:#}");
    assert_eq!(bench.row(rows[1].id).await?.status, "COMPLETED");
    assert_eq!(bench.row(other.id).await?, other);
    Ok(())
}

#[tokio::test]
async fn an_approval_survives_the_loss_of_its_connection() -> Tested {
    let bench = Bench::new("approval_cut").await?;
    let row = processing(701);
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = with_list(&[listed(row.id, "SUCCEEDED", ago(700), Some(ago(100)))]).await?;
    let told = json!({ "output": output(&json!({ "goals": [] })) });
    aws.answer("DescribeExecution", description(row.id, "SUCCEEDED", ago(700), Some(ago(100)), &told));
    let proxy = std::sync::Arc::new(CountingProxy::start(bench.database.port()).await?);
    let url = bench.database.url_through(proxy.port(), harness::APPLICATION.0, harness::APPLICATION.1);
    let function = reconcile(&bench, &aws).env("DATABASE_URL", url).start().await?;
    let plan = function.invoke(&json!({ "all": true, "mode": "propose" })).await?["planId"].clone();
    // The plan is taken, its process is looked up, and the database fails over.
    let cuts = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (cut, count) = (std::sync::Arc::clone(&proxy), std::sync::Arc::clone(&cuts));
    aws.before("DescribeExecution", move || {
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            cut.cut();
        }
        std::future::ready(())
    });
    let done = function.invoke(&json!({ "approve": plan })).await?;
    assert_eq!(texts(&done["actions"], "outcome"), ["applied"], "{done:#}");
    assert!(cuts.load(std::sync::atomic::Ordering::SeqCst) > 1, "the run began anew");
    Ok(())
}

#[tokio::test]
async fn beyond_the_limit_of_a_run_and_of_an_hour_it_only_proposes() -> Tested {
    let bench = Bench::new("limits").await?;
    let (_, aws) = timed_out(&bench, 8).await?;
    control(&bench, "actions_per_run, actions_per_hour", "3, 5").await?;
    let function = reconcile(&bench, &aws).start().await?;
    let runs = [
        (3, 5, "limit of 3 actions per run reached"),
        (2, 3, "limit of 5 actions per hour reached"),
        (0, 3, "per hour"),
    ];
    for (applied, proposed, why) in runs {
        let result = function.invoke(&schedule()).await?;
        let count =
            |outcome| texts(&result["actions"], "outcome").into_iter().filter(|found| *found == outcome).count();
        assert_eq!((count("applied"), count("proposed")), (applied, proposed), "{result:#}");
        assert_eq!(findings(&result), ["over_limit"]);
        assert!(result["findings"][0]["message"].as_str().is_some_and(|message| message.contains(why)), "{result:#}");
    }
    assert_eq!(bench.count("FAILED").await?, 5);
    // The hour is over: the ledger counts, not the container.
    bench.database.execute("UPDATE remediation.actions SET created_at = created_at - interval '61 minutes'").await?;
    function.invoke(&schedule()).await?;
    assert_eq!(bench.count("FAILED").await?, 8);
    Ok(())
}

#[tokio::test]
async fn the_controls_row_lowers_the_mode_and_never_raises_it() -> Tested {
    let bench = Bench::new("controls").await?;
    let (rows, aws) = timed_out(&bench, 1).await?;
    let acting = reconcile(&bench, &aws).start().await?;
    control(&bench, "mode", "'observe'").await?;
    let observed = acting.invoke(&schedule()).await?;
    assert_eq!((&observed["mode"], &observed["actions"][0]["outcome"]), (&json!("observe"), &json!("planned")));
    bench.database.execute("UPDATE remediation.controls SET mode = 'propose'").await?;
    let proposed = acting.invoke(&schedule()).await?;
    assert_eq!((&proposed["mode"], &proposed["actions"][0]["outcome"]), (&json!("propose"), &json!("proposed")));
    assert_eq!(bench.row(rows[0].id).await?, rows[0]);
    bench.database.execute("UPDATE remediation.controls SET mode = 'act'").await?;
    let observing = reconcile(&bench, &aws).env("REMEDIATION_MODE", "observe").start().await?;
    assert_eq!(observing.invoke(&schedule()).await?["mode"], "observe");
    assert_eq!(bench.row(rows[0].id).await?, rows[0]);
    assert_eq!(acting.invoke(&schedule()).await?["actions"][0]["outcome"], "applied");
    Ok(())
}

#[tokio::test]
async fn a_thousand_rows_are_put_right_in_one_run_with_few_round_trips() -> Tested {
    let bench = Bench::new("thousand").await?;
    let (_, aws) = timed_out(&bench, 1000).await?;
    // Half of the open rows is the most that one run closes.
    control(&bench, "share", "1").await?;
    let proxy = CountingProxy::start(bench.database.port()).await?;
    let url = bench.database.url_through(proxy.port(), harness::APPLICATION.0, harness::APPLICATION.1);
    let function = reconcile(&bench, &aws).env("DATABASE_URL", url).start().await?;

    let result = function.invoke(&schedule()).await?;

    assert_eq!(bench.count("FAILED").await?, 1000, "{}", result["summary"]);
    assert_eq!(bench.actions().await?.len(), 1000);
    assert_eq!((&result["omitted"]["actions"], result["actions"].as_array().map(Vec::len)), (&json!(900), Some(100)));
    assert_eq!(bench.runs().await?[0]["applied"], 1000);
    assert!(proxy.count() < 40, "{} round trips for a thousand rows", proxy.count());
    assert_eq!(aws.counts(), [("ListExecutions".to_owned(), 1)].into());
    Ok(())
}

#[tokio::test]
async fn a_run_that_meets_its_deadline_stops_cleanly_and_the_next_goes_on() -> Tested {
    let bench = Bench::new("deadline").await?;
    let (rows, aws) = timed_out(&bench, 600).await?;
    control(&bench, "share", "1").await?;
    // The database is slow: the first of them is written only after the time at which the run has to come to its end.
    bench
        .database
        .execute(
            "CREATE TABLE slow (until timestamptz);
             CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_sleep_until(until) FROM slow; RETURN NULL; END $$;
             CREATE TRIGGER slow BEFORE UPDATE ON processing_state FOR EACH STATEMENT EXECUTE FUNCTION wait()",
        )
        .await?;
    let lambda = Duration::from_secs(12);
    let function = reconcile(&bench, &aws).timeout(lambda).start().await?;
    let until = Utc::now() + TimeDelta::from_std(lambda * 9 / 10)? + TimeDelta::milliseconds(100);
    sqlx::query("INSERT INTO slow VALUES ($1)").bind(until).execute(bench.database.pool()).await?;

    let result = function.invoke(&schedule()).await?;

    let summary = result["summary"].as_str().unwrap_or_default();
    assert!(summary.contains("stopped before Lambda's deadline: 599 left for the next run"), "{summary}");
    assert_eq!((bench.count("FAILED").await?, &bench.runs().await?[0]["applied"]), (1, &json!(1)));
    assert_eq!(bench.runs().await?[0]["cursor"]["after"], json!(rows[0].id));
    // A row before that place is no longer looked at; the next run goes on after it, and the one after that begins anew.
    let early = Row { id: Uuid::from_u128(1), ..Row::pending(ago(4000)) };
    bench.insert(std::slice::from_ref(&early)).await?;
    function.invoke(&schedule()).await?;
    assert_eq!((bench.count("FAILED").await?, bench.row(early.id).await?), (600, early.clone()));
    assert_eq!(bench.runs().await?[1]["cursor"]["after"], Value::Null);
    function.invoke(&schedule()).await?;
    assert_eq!(bench.row(early.id).await?.status, "FAILED");
    Ok(())
}

#[tokio::test]
async fn slow_look_ups_leave_time_to_write_what_they_told() -> Tested {
    let bench = Bench::new("slow_look_ups").await?;
    let mut rows: Vec<Row> = (0..3).map(|_| processing(701)).collect();
    rows.sort_by_key(|row| row.id);
    bench.insert(&rows).await?;
    let list: Vec<Value> = rows.iter().map(|row| listed(row.id, "SUCCEEDED", ago(700), Some(ago(100)))).collect();
    let aws = with_list(&list).await?;
    let told = json!({ "output": output(&json!({ "goals": [] })) });
    aws.answer("DescribeExecution", description(rows[0].id, "SUCCEEDED", ago(700), Some(ago(100)), &told));
    // Step Functions is slow today.
    aws.before("DescribeExecution", || tokio::time::sleep(Duration::from_millis(7200)));
    let function = reconcile(&bench, &aws).timeout(Duration::from_secs(10)).start().await?;

    let result = function.invoke(&schedule()).await?;

    assert_eq!(bench.count("COMPLETED").await?, 1, "{result:#}");
    assert_eq!(bench.row(rows[0].id).await?.status, "COMPLETED");
    let summary = result["summary"].as_str().unwrap_or_default();
    assert!(summary.contains("2 left for the next run"), "{summary}");
    Ok(())
}

#[tokio::test]
async fn executions_that_the_list_names_without_a_process_are_asked_for_their_input() -> Tested {
    let bench = Bench::new("nameless_list").await?;
    let row = processing(701);
    bench.insert(std::slice::from_ref(&row)).await?;
    let mut nameless = listed(row.id, "TIMED_OUT", ago(700), Some(ago(100)));
    let arn = execution_arn(Uuid::nil(), ago(700)).replace(&Uuid::nil().to_string(), "nightly");
    nameless["executionArn"] = arn.as_str().into();
    let aws = with_list(&[nameless]).await?;
    aws.answer(
        "DescribeExecution",
        description(row.id, "TIMED_OUT", ago(700), Some(ago(100)), &json!({ "executionArn": arn })),
    );
    let result = reconcile(&bench, &aws).start().await?.invoke(&schedule()).await?;
    let error = bench.row(row.id).await?.error.unwrap_or_default();
    assert_eq!((&error["code"], &error["executionArn"]), (&json!("TIMEOUT_ERROR"), &json!(arn)), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn the_list_is_read_no_further_back_than_is_needed() -> Tested {
    let bench = Bench::new("pages").await?;
    let row = processing(701);
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = scripted().await?;
    // There are more pages, of executions that started before anything that is open.
    let page = [
        listed(row.id, "TIMED_OUT", ago(700), Some(ago(100))),
        listed(Uuid::new_v4(), "SUCCEEDED", ago(2000), Some(ago(1900))),
    ];
    aws.answer("ListExecutions", json!({ "executions": page, "nextToken": "older" }));
    reconcile(&bench, &aws).start().await?.invoke(&schedule()).await?;
    assert_eq!(
        aws.requests("ListExecutions"),
        [json!({ "stateMachineArn": functions_tests::STATE_MACHINE_ARN, "maxResults": 1000 })]
    );
    assert_eq!(bench.count("FAILED").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_success_that_step_functions_has_forgotten_stands_and_its_missing_result_is_told() -> Tested {
    let bench = Bench::new("forgotten").await?;
    let mut rows = [processing(701), processing(701)];
    rows.sort_by_key(|row| row.id);
    bench.insert(&rows).await?;
    let list: Vec<Value> = rows.iter().map(|row| listed(row.id, "SUCCEEDED", ago(700), Some(ago(100)))).collect();
    let aws = with_list(&list).await?;
    aws.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist").times(1));
    let told = json!({ "output": output(&json!({ "goals": [] })) });
    aws.answer("DescribeExecution", description(rows[1].id, "SUCCEEDED", ago(700), Some(ago(100)), &told));
    let result = reconcile(&bench, &aws).start().await?.invoke(&schedule()).await?;
    for row in &rows {
        assert_eq!(bench.row(row.id).await?.status, "COMPLETED", "{result:#}");
    }
    // What the forgotten one has produced, nobody can tell any more.
    assert_eq!(findings(&result), ["result_missing"], "{result:#}");
    assert_eq!(result["findings"][0]["target"], rows[0].id.to_string());
    Ok(())
}

#[tokio::test]
async fn a_plan_to_fail_what_never_started_does_nothing_once_it_has_started() -> Tested {
    let bench = Bench::new("started_since").await?;
    let row = Row::pending(ago(400));
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = with_list(&[]).await?;
    let function = reconcile(&bench, &aws).start().await?;
    let plan = function.invoke(&json!({ "all": true, "mode": "propose" })).await?["planId"].clone();
    assert!(plan.is_string());
    // It was started at last, and the event that says so was lost.
    aws.answer("ListExecutions", json!({ "executions": [listed(row.id, "RUNNING", ago(10), None)] }));
    let result = function.invoke(&json!({ "approve": plan })).await?;
    assert_eq!(result["actions"], json!([]), "{result:#}");
    assert_eq!(bench.row(row.id).await?, row);
    Ok(())
}
