//! `fail-timed-out-processes`: what ran out of time is stopped, then failed; in this order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use functions_tests::{Bench, Machine, Tested, ago, findings, output, processing, status_event, texts};
use harness::{AwsProxy, Failure, FunctionBuilder};
use patient::table::{Row, read};
use serde_json::{Value, json};

/// Everything that runs is past its deadline.
fn fail_timed_out(bench: &Bench, machine: &Machine, aws: &AwsProxy) -> FunctionBuilder {
    bench
        .function("fail-timed-out-processes")
        .envs(aws.environment())
        .env("STATE_MACHINE_ARN", &machine.arn)
        .env("PROCESS_DEADLINE_SECONDS", "0")
        .env("SETTLE_SECONDS", "0")
}

fn schedule() -> Value {
    json!({ "schedule": "fail-timed-out-processes" })
}

async fn stuck(hint: &str) -> Tested<(Bench, Machine, Row, String, AwsProxy)> {
    let bench = Bench::new(hint).await?;
    let machine = Machine::new("stuck").await?;
    let row = processing(20);
    bench.insert(std::slice::from_ref(&row)).await?;
    let execution = machine.start(row.id).await?;
    let aws = machine.proxy().await?;
    Ok((bench, machine, row, execution, aws))
}

#[tokio::test]
async fn a_row_that_moves_before_every_stop_is_left_alone_and_told() -> Tested {
    let (bench, machine, row, execution, aws) = stuck("moves_before_stop").await?;
    // The worker writes its progress between every look and what follows from it.
    let pool = bench.database.pool().clone();
    aws.before("DescribeExecution", move || {
        let pool = pool.clone();
        async move {
            let progress = "UPDATE processing_state SET progress = (progress + 1) % 100, updated_at = now()";
            let _ = sqlx::query(progress).execute(&pool).await;
        }
    });

    let result = fail_timed_out(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;

    assert_eq!(findings(&result), ["contested"], "{result:#}");
    assert_eq!((aws.calls("StopExecution"), machine.status(&execution).await?.as_str()), (0, "RUNNING"), "{result:#}");
    assert_eq!(bench.row(row.id).await?.status, "PROCESSING");
    Ok(())
}

#[tokio::test]
async fn a_running_execution_is_stopped_before_its_row_is_failed() -> Tested {
    let (bench, machine, row, execution, aws) = stuck("stopped_first").await?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (pool, variant, id, seen_at_stop) = (bench.database.pool().clone(), bench.variant, row.id, Arc::clone(&seen));
    aws.before("StopExecution", move || {
        let (pool, seen) = (pool.clone(), Arc::clone(&seen_at_stop));
        async move {
            let row = read(&pool, &variant, id).await.ok().flatten();
            let open: Option<Vec<String>> =
                sqlx::query_scalar("SELECT kind || ' ' || outcome FROM remediation.actions")
                    .fetch_all(&pool)
                    .await
                    .ok();
            seen.lock().unwrap_or_else(PoisonError::into_inner).push((row.map(|row| row.status), open));
        }
    });

    let result = fail_timed_out(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;

    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let recorded = vec!["stop-execution applying".to_owned()];
    assert_eq!(seen, [(Some("PROCESSING".to_owned()), Some(recorded))], "the ledger first, the row last: {result:#}");
    let after = bench.row(row.id).await?;
    let error = after.error.clone().unwrap_or_default();
    assert_eq!((after.status.as_str(), &error["code"]), ("FAILED", &json!("TIMEOUT_ERROR")), "{result:#}");
    assert_eq!(error["executionArn"], execution.as_str());
    assert_eq!(machine.status(&execution).await?, "ABORTED");
    assert_eq!(aws.requests("StopExecution")[0]["error"], "RemediationTimeout");
    let actions = bench.actions().await?;
    let told: Vec<_> = actions.iter().map(|action| (&action["kind"], &action["outcome"], &action["cause"])).collect();
    let (stop, set, applied) = (json!("stop-execution"), json!("set-row-status"), json!("applied"));
    assert_eq!(told, [(&stop, &applied, &json!("deadline")), (&set, &applied, &json!("timed-out"))]);
    assert!(
        actions[0]["reason"]
            .as_str()
            .is_some_and(|why| why.contains("still running") && why.contains("past its deadline"))
    );
    assert_eq!(result["verification"], "verified", "{result:#}");
    Ok(())
}

#[tokio::test]
async fn the_event_of_our_own_stop_comes_to_the_same_row() -> Tested {
    let (bench, machine, row, execution, aws) = stuck("own_stop").await?;
    let sync = Arc::new(
        bench
            .function("sync-execution-status")
            .envs(aws.environment())
            .env("STATE_MACHINE_ARN", &machine.arn)
            .start()
            .await?,
    );
    // The event says who stopped it no more than the console's would: no error. That we are about to does not either; the execution itself tells.
    let mut event = status_event(
        row.id,
        "ABORTED",
        ago(5),
        Some(Utc::now()),
        &json!({ "stateMachineArn": machine.arn, "cause": "stopped" }),
    );
    event["detail"]["executionArn"] = execution.as_str().into();
    event["detail"]["startDate"] = json!(Utc::now().timestamp_millis());
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (answered, told) = (Arc::clone(&answers), event);
    aws.after("StopExecution", move || {
        let (sync, answers, event) = (Arc::clone(&sync), Arc::clone(&answered), told.clone());
        async move {
            let answer = sync.invoke(&event).await;
            answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        }
    });

    let result = fail_timed_out(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;

    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let [Ok(answer)] = answers.as_slice() else { return Err(format!("{answers:?}").into()) };
    assert_eq!(answer["actions"][0]["after"]["error"]["code"], "TIMEOUT_ERROR", "{answer:#}");
    let after = bench.row(row.id).await?;
    assert_eq!(
        (after.status.as_str(), &after.error.unwrap_or_default()["code"]),
        ("FAILED", &json!("TIMEOUT_ERROR")),
        "{result:#}"
    );
    let closed = bench
        .actions()
        .await?
        .into_iter()
        .filter(|action| action["kind"] == "set-row-status" && action["outcome"] == "applied");
    assert_eq!(closed.count(), 1);
    Ok(())
}

/// What DescribeExecution tells of an execution that has succeeded meanwhile.
fn succeeded(answer: &mut Value) {
    answer["status"] = "SUCCEEDED".into();
    answer["stopDate"] = json!(Utc::now().timestamp());
    answer["output"] = output(&json!({ "goals": ["in time after all"] })).into();
    for field in ["error", "cause"] {
        answer.as_object_mut().map(|fields| fields.remove(field));
    }
}

#[tokio::test]
async fn an_execution_that_succeeded_before_it_is_stopped_is_not_stopped() -> Tested {
    let (bench, machine, row, execution, aws) = stuck("succeeded_before").await?;
    // The endpoint cannot let it end at that moment, so from the second look on DescribeExecution says SUCCEEDED.
    let looks = AtomicUsize::new(0);
    aws.rewrite("DescribeExecution", move |answer| {
        if looks.fetch_add(1, Ordering::SeqCst) > 0 {
            succeeded(answer);
        }
    });
    let result = fail_timed_out(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;
    assert_eq!(aws.calls("StopExecution"), 0);
    assert_eq!(machine.status(&execution).await?, "RUNNING");
    let after = bench.row(row.id).await?;
    assert_eq!(
        (after.status.as_str(), after.result),
        ("COMPLETED", Some(json!({ "goals": ["in time after all"] }))),
        "{result:#}"
    );
    let outcomes: Vec<_> = bench.actions().await?.into_iter().map(|action| action["outcome"].clone()).collect();
    assert_eq!(outcomes, ["superseded", "applied"]);
    Ok(())
}

#[tokio::test]
async fn an_execution_that_succeeds_while_it_is_being_stopped_keeps_its_success() -> Tested {
    let (bench, machine, row, _, aws) = stuck("succeeded_while").await?;
    // StopExecution is accepted, and yet DescribeExecution says SUCCEEDED from then on.
    let stopped = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stopped);
    aws.before("StopExecution", move || {
        asked.store(true, Ordering::SeqCst);
        std::future::ready(())
    });
    aws.rewrite("DescribeExecution", move |answer| {
        if stopped.load(Ordering::SeqCst) {
            succeeded(answer);
        }
    });
    let result = fail_timed_out(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;
    assert_eq!(aws.calls("StopExecution"), 1);
    let after = bench.row(row.id).await?;
    assert_eq!(
        (after.status.as_str(), after.result),
        ("COMPLETED", Some(json!({ "goals": ["in time after all"] }))),
        "{result:#}"
    );
    Ok(())
}

#[tokio::test]
async fn an_execution_that_may_not_be_stopped_keeps_its_row_open_and_people_are_told() -> Tested {
    let (bench, machine, row, execution, aws) = stuck("stop_denied").await?;
    aws.fail("StopExecution", Failure::error("AccessDeniedException"));
    let result = fail_timed_out(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;
    assert_eq!(
        (&result["actions"][0]["outcome"], &result["verification"]),
        (&json!("failed"), &json!("failed")),
        "{result:#}"
    );
    let why = result["actions"][0]["reason"].as_str().unwrap_or_default();
    assert!(
        why.contains("StopExecution: AccessDeniedException")
            && why.contains("The function's role lacks this permission"),
        "{why}"
    );
    let ledger = bench.actions().await?;
    assert_eq!((ledger.len(), &ledger[0]["outcome"]), (1, &json!("failed")));
    assert!(ledger[0]["reason"].as_str().is_some_and(|why| why.contains("AccessDeniedException")), "{ledger:?}");
    assert_eq!(bench.row(row.id).await?, row);
    assert_eq!(machine.status(&execution).await?, "RUNNING");
    Ok(())
}

#[tokio::test]
async fn a_row_is_never_failed_while_its_execution_still_runs() -> Tested {
    let (bench, machine, row, _, aws) = stuck("runs_on").await?;
    // StopExecution is accepted, and DescribeExecution, which is eventually consistent, goes on saying RUNNING.
    aws.rewrite("DescribeExecution", |answer| {
        answer["status"] = "RUNNING".into();
        answer.as_object_mut().map(|fields| fields.remove("stopDate"));
    });
    let function = fail_timed_out(&bench, &machine, &aws).timeout(Duration::from_secs(5)).start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(bench.row(row.id).await?, row, "{result:#}");
    assert_eq!(result["verification"], "unverified", "{result:#}");
    assert!(
        result["actions"][0]["reason"]
            .as_str()
            .is_some_and(|why| why.contains("is still running: the next run checks again"))
    );
    // The next look finds it over.
    aws.clear();
    function.invoke(&schedule()).await?;
    assert_eq!(bench.row(row.id).await?.error.unwrap_or_default()["code"], "TIMEOUT_ERROR");
    Ok(())
}

#[tokio::test]
async fn what_is_in_time_is_not_even_looked_at() -> Tested {
    let (bench, machine, row, execution, aws) = stuck("in_time").await?;
    let function = fail_timed_out(&bench, &machine, &aws).env("PROCESS_DEADLINE_SECONDS", "900").start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(
        (&result["actions"], &result["skipped"], findings(&result).len()),
        (&json!([]), &json!([]), 0),
        "{result:#}"
    );
    assert_eq!((bench.row(row.id).await?, machine.status(&execution).await?), (row, "RUNNING".to_owned()));
    Ok(())
}

#[tokio::test]
async fn what_waits_for_a_person_is_not_looked_up_again_by_every_sweep() -> Tested {
    let bench = Bench::new("looked_up_lately").await?;
    let machine = Machine::new("stuck").await?;
    let row = processing(8000);
    bench.insert(std::slice::from_ref(&row)).await?;
    let execution = machine.start(row.id).await?;
    let aws = machine.proxy().await?;
    // The endpoint cannot start one in the past: it began two hours ago, so that a look is good for half an hour.
    aws.rewrite("DescribeExecution", |answer| answer["startDate"] = json!(ago(7200).timestamp()));
    let observe = fail_timed_out(&bench, &machine, &aws).env("REMEDIATION_MODE", "observe").start().await?;
    let looks = async |looks: usize| -> Tested {
        let result = observe.invoke(&schedule()).await?;
        assert_eq!(texts(&result["actions"], "kind"), ["stop-execution"], "{result:#}");
        assert_eq!(aws.calls("DescribeExecution"), looks, "{result:#}");
        Ok(())
    };

    looks(1).await?;
    looks(1).await?;
    bench
        .database
        .execute("UPDATE remediation.executions SET looked_up_at = looked_up_at - interval '40 minutes'")
        .await?;
    looks(2).await?;

    // Nothing is stopped on such a look: it ended meanwhile, and no event said so.
    machine.stop(&execution, "ManualCancellation").await?;
    let result = fail_timed_out(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;
    assert_eq!(aws.calls("StopExecution"), 0, "{result:#}");
    assert_eq!(bench.row(row.id).await?.status, "CANCELLED", "somebody else stopped it: {result:#}");
    Ok(())
}

#[tokio::test]
async fn a_stop_that_a_crash_left_open_is_closed_by_looking_at_who_stopped_it() -> Tested {
    let cases = [("RemediationTimeout", "applied", "FAILED"), ("USER_CANCELLED", "superseded", "CANCELLED")];
    for (error, outcome, becomes) in cases {
        let (bench, machine, row, execution, aws) = stuck("crash").await?;
        // What a run leaves behind that ends between its StopExecution, or just before it, and its ledger.
        machine.stop(&execution, error).await?;
        sqlx::query(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, outcome, reason, created_at)
             VALUES (gen_random_uuid(), gen_random_uuid(), 'fail-timed-out-processes', 'stop-execution', $1, 'deadline',
                     'applying', 'past its deadline', now() - interval '20 minutes')",
        )
        .bind(&execution)
        .execute(bench.database.pool())
        .await?;
        let result = fail_timed_out(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;
        assert_eq!(texts(&json!(bench.actions().await?), "outcome"), [outcome, "applied"], "{error}: {result:#}");
        assert_eq!(bench.row(row.id).await?.status, becomes, "{error}: {result:#}");
    }
    Ok(())
}
