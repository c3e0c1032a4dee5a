//! `stop-cancelled-executions`: what was cancelled does not run on, and a process is cancelled by hand, row and executions together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use functions_tests::{Bench, Machine, Tested, ago, findings, merge, metrics, output, processing, sample, texts};
use harness::{AwsProxy, Failure, FunctionBuilder};
use patient::table::{Row, Variant, read};
use serde_json::{Value, json};
use uuid::Uuid;

/// As its schedule starts it; what changed a moment ago counts.
fn stop_cancelled(bench: &Bench, machine: &Machine, aws: &AwsProxy) -> FunctionBuilder {
    bench
        .function("stop-cancelled-executions")
        .envs(aws.environment())
        .env("STATE_MACHINE_ARN", &machine.arn)
        .env("SETTLE_SECONDS", "0")
}

fn schedule() -> Value {
    json!({ "schedule": "stop-cancelled-executions" })
}

/// A process that was cancelled so many seconds ago.
fn cancelled(seconds_ago: i64) -> Row {
    processing(seconds_ago + 60).became("CANCELLED", ago(seconds_ago))
}

/// A row, what a machine runs for it, and the way to both.
async fn with(hint: &str, row: &Row) -> Tested<(Bench, Machine, AwsProxy)> {
    let (bench, machine) = (Bench::new(hint).await?, Machine::new("cancel").await?);
    bench.insert(std::slice::from_ref(row)).await?;
    let aws = machine.proxy().await?;
    Ok((bench, machine, aws))
}

/// What the ledger knows already, from an event.
async fn known(bench: &Bench, row: &Row, execution: &str) -> Tested {
    sqlx::query(
        "INSERT INTO remediation.executions (execution_arn, process_id, status, started_at)
         VALUES ($1, $2, 'RUNNING', now() - interval '1 minute')",
    )
    .bind(execution)
    .bind(row.id)
    .execute(bench.database.pool())
    .await?;
    Ok(())
}

/// Kind, outcome and cause of every action in the ledger.
async fn ledger(bench: &Bench) -> Tested<Vec<String>> {
    let text = |action: &Value, field: &str| action[field].as_str().unwrap_or_default().to_owned();
    let words = |action: &Value| ["kind", "outcome", "cause"].map(|field| text(action, field)).join(" ");
    Ok(bench.actions().await?.iter().map(words).collect())
}

fn by_hand(process: Uuid) -> Value {
    json!({ "processId": process, "cancel": true, "reason": "ticket 4711" })
}

#[tokio::test]
async fn what_runs_for_a_cancelled_row_is_stopped_under_the_name_that_only_the_list_tells() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("cancelled_{}", variant.name), variant).await?;
        let machine = Machine::new("cancelled").await?;
        let (row, other) = (cancelled(100), processing(100));
        bench.insert(&[row.clone(), other.clone()]).await?;
        let (running, going_on) = (machine.start(row.id).await?, machine.start(other.id).await?);
        let before = bench.table().await?;
        let aws = machine.proxy().await?;
        let function = stop_cancelled(&bench, &machine, &aws).start().await?;

        let result = function.invoke(&schedule()).await?;

        assert_eq!(machine.status(&running).await?, "ABORTED", "{}: {result:#}", variant.name);
        let asked = aws.requests("StopExecution");
        assert_eq!((asked.len(), &asked[0]["error"]), (1, &json!("ManualCancellation")), "{}", variant.name);
        assert_eq!(result["actions"][0]["after"]["status"], "ABORTED", "{result:#}");
        assert_eq!(result["verification"], "verified", "{result:#}");
        assert_eq!(ledger(&bench).await?, ["stop-execution applied cancelled"]);
        assert_eq!(machine.status(&going_on).await?, "RUNNING");
        assert_eq!(bench.table().await?, before, "{}: no row is written", variant.name);

        let again = function.invoke(&schedule()).await?;
        assert_eq!((&again["actions"], findings(&again).len()), (&json!([]), 0), "{again:#}");
        assert_eq!(aws.calls("StopExecution"), 1);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_ledger_knows_to_run_is_stopped_though_the_list_is_silent_and_the_cancel_long_ago() -> Tested {
    let row = cancelled(90_000);
    let (bench, machine, aws) = with("cancelled_known", &row).await?;
    let running = machine.start(row.id).await?;
    known(&bench, &row, &running).await?;
    aws.rewrite("ListExecutions", |answer| answer["executions"] = json!([]));
    let health = bench.function("check-health").env("SETTLE_SECONDS", "0").start().await?;
    health.invoke(&json!({ "schedule": "check-health" })).await?;
    assert_eq!(metrics(&health).await?["UncancelledExecutions"], 1.0, "its alarm knows of it too");
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;

    let looked = function.invoke(&json!({})).await?;
    assert_eq!((&looked["mode"], &looked["toDoIt"]), (&json!("observe"), &json!({ "all": true })), "{looked:#}");
    assert_eq!(texts(&looked["actions"], "outcome"), ["planned"]);
    assert_eq!((machine.status(&running).await?.as_str(), ledger(&bench).await?.len()), ("RUNNING", 0));

    let result = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(machine.status(&running).await?, "ABORTED", "{result:#}");
    assert_eq!(bench.row(row.id).await?, row);
    Ok(())
}

#[tokio::test]
async fn every_way_in_which_it_is_started_stops_the_same() -> Tested {
    for name in ["alarm-uncancelled-executions", "schedule", "operator-all"] {
        let row = cancelled(100);
        let (bench, machine, aws) = with("cancelled_started", &row).await?;
        let running = machine.start(row.id).await?;
        let function = stop_cancelled(&bench, &machine, &aws).start().await?;
        let result = function.invoke(&sample("stop-cancelled-executions", name)?).await?;
        assert_eq!(machine.status(&running).await?, "ABORTED", "{name}: {result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn two_executions_of_one_cancelled_row_are_both_stopped() -> Tested {
    let row = cancelled(100);
    let (bench, machine, aws) = with("cancelled_two", &row).await?;
    let running = [machine.start(row.id).await?, machine.start(row.id).await?];
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let result = function.invoke(&schedule()).await?;
    for execution in &running {
        assert_eq!(machine.status(execution).await?, "ABORTED", "{result:#}");
    }
    assert_eq!(ledger(&bench).await?, ["stop-execution applied cancelled"; 2]);
    assert_eq!(bench.row(row.id).await?, row);
    Ok(())
}

#[tokio::test]
async fn that_most_of_what_runs_was_cancelled_holds_nothing_up() -> Tested {
    let bench = Bench::new("cancelled_most").await?;
    let machine = Machine::new("cancelled-most").await?;
    let rows: Vec<Row> = (0..22).map(|_| cancelled(100)).collect();
    let done: Vec<Row> = (0..30).map(|n| processing(4000 + n).became("COMPLETED", ago(3000))).collect();
    bench.insert(&rows).await?;
    bench.insert(&done).await?;
    for row in &rows {
        machine.start(row.id).await?;
    }
    let aws = machine.proxy().await?;
    let result = stop_cancelled(&bench, &machine, &aws).start().await?.invoke(&schedule()).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"; 22], "{result:#}");
    assert_eq!(findings(&result).len(), 0);
    Ok(())
}

#[tokio::test]
async fn by_hand_everything_that_runs_is_stopped_before_the_row_is_cancelled() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("by_hand_{}", variant.name), variant).await?;
        let machine = Machine::new("by-hand").await?;
        let row = Row { progress: 50, ..processing(100) };
        bench.insert(std::slice::from_ref(&row)).await?;
        let running = [machine.start(row.id).await?, machine.start(row.id).await?];
        let aws = machine.proxy().await?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (pool, id, at_stop) = (bench.database.pool().clone(), row.id, Arc::clone(&seen));
        aws.before("StopExecution", move || {
            let (pool, seen) = (pool.clone(), Arc::clone(&at_stop));
            async move {
                let status = read(&pool, &variant, id).await.ok().flatten().map(|row| row.status);
                let open = "SELECT count(*) FROM remediation.actions WHERE outcome = 'applying'";
                let open: Option<i64> = sqlx::query_scalar(open).fetch_one(&pool).await.ok();
                seen.lock().unwrap_or_else(PoisonError::into_inner).push((status, open));
            }
        });
        let function = stop_cancelled(&bench, &machine, &aws).start().await?;

        let result = function.invoke(&by_hand(row.id)).await?;

        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let expected = (Some("PROCESSING".to_owned()), Some(1));
        assert_eq!(seen, [expected.clone(), expected], "the ledger first, the row last: {result:#}");
        let stopped: Vec<Value> =
            aws.requests("StopExecution").iter().map(|request| request["executionArn"].clone()).collect();
        assert_eq!(stopped, running.clone().map(Value::from), "the newest, whose end closes the row, goes last");
        for execution in &running {
            assert_eq!(machine.status(execution).await?, "ABORTED");
        }
        let after = bench.row(row.id).await?;
        assert_eq!((after.status.as_str(), after.progress, &after.error), ("CANCELLED", 50, &None), "{result:#}");
        assert!(after.completed_at.is_some_and(|at| at > row.updated_at) && after.updated_at > row.updated_at);
        assert_eq!(
            ledger(&bench).await?,
            [
                "stop-execution applied cancelled",
                "stop-execution applied cancelled",
                "set-row-status applied cancelled"
            ],
            "{}",
            variant.name
        );
        assert!(
            bench.actions().await?.iter().all(|action| action["reason"]
                .as_str()
                .is_some_and(|why| why.contains("cancelled by hand") && why.ends_with("(reason: ticket 4711)"))),
            "{result:#}"
        );
        assert_eq!(bench.runs().await?[0]["reason"], "ticket 4711");
        assert_eq!((&result["verification"], findings(&result).len()), (&json!("verified"), 0), "{result:#}");

        let again = function.invoke(&by_hand(row.id)).await?;
        assert_eq!((&again["actions"], findings(&again).len()), (&json!([]), 0), "{again:#}");
        assert_eq!(
            texts(&again["skipped"], "why"),
            ["already cancelled: the row is CANCELLED and no execution is running"]
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_process_can_be_cancelled_by_any_of_its_executions() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_execution", &row).await?;
    let (old, running) = (machine.end(row.id, true).await?, machine.start(row.id).await?);
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let result = function.invoke(&json!({ "executionArn": old, "cancel": true })).await?;
    assert_eq!(machine.status(&running).await?, "ABORTED", "{result:#}");
    assert_eq!(bench.row(row.id).await?.status, "CANCELLED");
    Ok(())
}

#[tokio::test]
async fn by_hand_a_cancelled_row_keeps_its_word_and_loses_what_runs() -> Tested {
    let row = cancelled(5);
    let (bench, machine, aws) = with("by_hand_cancelled", &row).await?;
    let running = machine.start(row.id).await?;
    // A person need not wait until it has settled.
    let function = stop_cancelled(&bench, &machine, &aws).env("SETTLE_SECONDS", "60").start().await?;
    let result = function.invoke(&by_hand(row.id)).await?;
    assert_eq!(machine.status(&running).await?, "ABORTED", "{result:#}");
    assert_eq!((bench.row(row.id).await?, findings(&result).len()), (row, 0));
    Ok(())
}

#[tokio::test]
async fn without_any_execution_the_row_alone_is_cancelled_and_what_starts_then_is_stopped_by_the_sweep() -> Tested {
    for row in [Row::pending(ago(5)), processing(100)] {
        let (bench, machine, aws) = with("by_hand_none", &row).await?;
        let function = stop_cancelled(&bench, &machine, &aws).start().await?;
        let result = function.invoke(&by_hand(row.id)).await?;
        let after = bench.row(row.id).await?;
        assert_eq!((after.status.as_str(), after.completed_at.is_some()), ("CANCELLED", true), "{result:#}");
        assert_eq!(ledger(&bench).await?, ["set-row-status applied cancelled"]);

        let late = machine.start(row.id).await?;
        function.invoke(&schedule()).await?;
        assert_eq!(machine.status(&late).await?, "ABORTED");
        assert_eq!(bench.row(row.id).await?, after);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_waits_for_its_retry_is_cancelled_at_once() -> Tested {
    let row = Row { retry_count: 1, ..processing(100).became("PENDING", Utc::now() + chrono::TimeDelta::seconds(60)) };
    let (bench, machine, aws) = with("by_hand_retry", &row).await?;
    machine.end(row.id, true).await?;
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let result = function.invoke(&by_hand(row.id)).await?;
    assert_eq!(bench.row(row.id).await?.status, "CANCELLED", "{result:#}");
    Ok(())
}

#[tokio::test]
async fn what_came_to_its_end_before_stays_so_and_says_so() -> Tested {
    // (the row, what its execution came to, what the row says then)
    let rows = [
        (processing(100).became("COMPLETED", ago(50)), false, "COMPLETED"),
        // Its last update was lost.
        (processing(100), false, "COMPLETED"),
        (processing(100), true, "FAILED"),
        (processing(100).became("FAILED", Utc::now() + chrono::TimeDelta::seconds(60)), true, "FAILED"),
    ];
    for (row, fails, becomes) in rows {
        let (bench, machine, aws) = with("by_hand_over", &row).await?;
        machine.end(row.id, fails).await?;
        let function = stop_cancelled(&bench, &machine, &aws).start().await?;
        let result = function.invoke(&by_hand(row.id)).await?;
        assert_eq!(findings(&result), ["not_cancelled"], "{result:#}");
        let told = &result["findings"][0];
        let execution = if fails { "FAILED" } else { "SUCCEEDED" };
        assert_eq!(
            (&told["evidence"]["status"], &told["evidence"]["executionStatus"], &told["target"]),
            (&json!(row.status), &json!(execution), &json!(row.id)),
            "{result:#}"
        );
        assert!(told["message"].as_str().is_some_and(|message| message.starts_with("not cancelled: the row is ")));
        let after = bench.row(row.id).await?;
        assert_eq!(after.status, becomes, "{result:#}");
        if row.status == becomes {
            assert_eq!(after, row);
        }
        assert_eq!(aws.calls("StopExecution"), 0);
    }
    Ok(())
}

/// What DescribeExecution tells of an execution that has succeeded meanwhile.
fn succeeded(answer: &mut Value) {
    let told = json!({
        "status": "SUCCEEDED",
        "stopDate": Utc::now().timestamp(),
        "output": output(&json!({ "goals": ["in time after all"] })),
    });
    merge(answer, &told);
    for field in ["error", "cause"] {
        answer.as_object_mut().map(|fields| fields.remove(field));
    }
}

#[tokio::test]
async fn a_success_while_it_is_being_stopped_stands_and_says_so() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_hand_too_late", &row).await?;
    machine.start(row.id).await?;
    // The endpoint cannot let it end at that moment: StopExecution is accepted, and from then on DescribeExecution, which is
    // asked for its words, says SUCCEEDED.
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
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;

    let result = function.invoke(&by_hand(row.id)).await?;

    assert_eq!(findings(&result), ["not_cancelled"], "{result:#}");
    let after = bench.row(row.id).await?;
    let expected = ("COMPLETED", Some(json!({ "goals": ["in time after all"] })));
    assert_eq!((after.status.as_str(), after.result), expected, "{result:#}");
    assert_eq!(ledger(&bench).await?, ["stop-execution superseded cancelled", "set-row-status applied succeeded"]);
    Ok(())
}

#[tokio::test]
async fn a_failed_row_stays_so_what_runs_for_it_is_stopped_and_both_are_told() -> Tested {
    let row = Row { error: Some(json!({ "code": "AI_ERROR" })), ..processing(100).became("FAILED", ago(50)) };
    let (bench, machine, aws) = with("by_hand_failed", &row).await?;
    let running = machine.start(row.id).await?;
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let result = function.invoke(&by_hand(row.id)).await?;
    assert_eq!(machine.status(&running).await?, "ABORTED", "{result:#}");
    assert_eq!(bench.row(row.id).await?, row);
    assert_eq!(findings(&result), ["not_cancelled"]);
    let evidence = &result["findings"][0]["evidence"];
    assert_eq!((&evidence["status"], &evidence["executionStatus"]), (&json!("FAILED"), &json!("ABORTED")));
    assert_eq!(ledger(&bench).await?, ["stop-execution applied cancelled"]);
    Ok(())
}

#[tokio::test]
async fn a_users_own_cancel_at_the_same_time_stands() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_hand_user", &row).await?;
    let running = machine.start(row.id).await?;
    let pool = bench.database.pool().clone();
    aws.after("StopExecution", move || {
        let pool = pool.clone();
        async move {
            let cancel =
                "UPDATE processing_state SET status = 'CANCELLED', progress = 33, updated_at = now(), completed_at = now()";
            let _ = sqlx::query(cancel).execute(&pool).await;
        }
    });
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let result = function.invoke(&by_hand(row.id)).await?;
    assert_eq!(machine.status(&running).await?, "ABORTED", "{result:#}");
    let after = bench.row(row.id).await?;
    assert_eq!((after.status.as_str(), after.progress), ("CANCELLED", 33), "{result:#}");
    assert_eq!(ledger(&bench).await?, ["stop-execution applied cancelled"], "the user's write stands");
    assert_eq!(findings(&result).len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_worker_that_writes_on_after_the_stop_does_not_put_the_cancel_off() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_hand_late", &row).await?;
    machine.start(row.id).await?;
    // Its Lambda outlives the execution, and writes its progress after the execution's end.
    let pool = bench.database.pool().clone();
    aws.after("StopExecution", move || {
        let pool = pool.clone();
        async move {
            let progress =
                "UPDATE processing_state SET status = 'PROCESSING', progress = 90, updated_at = now() + interval '5 s'";
            let _ = sqlx::query(progress).execute(&pool).await;
        }
    });
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let result = function.invoke(&by_hand(row.id)).await?;
    let after = bench.row(row.id).await?;
    assert_eq!((after.status.as_str(), after.progress), ("CANCELLED", 90), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn what_may_not_be_stopped_is_told_and_its_row_never_says_cancelled() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_hand_denied", &row).await?;
    let running = machine.start(row.id).await?;
    aws.fail("StopExecution", Failure::error("AccessDeniedException"));
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let result = function.invoke(&by_hand(row.id)).await?;
    assert_eq!(
        (texts(&result["actions"], "outcome"), &result["verification"]),
        (vec!["failed"], &json!("failed")),
        "{result:#}"
    );
    let why = result["actions"][0]["reason"].as_str().unwrap_or_default();
    assert!(why.contains("StopExecution: AccessDeniedException"), "{why}");
    assert_eq!((bench.row(row.id).await?, machine.status(&running).await?), (row, "RUNNING".to_owned()));
    Ok(())
}

#[tokio::test]
async fn without_the_list_nothing_is_cancelled_by_hand() -> Tested {
    let row = Row::pending(ago(5));
    let (bench, machine, aws) = with("by_hand_no_list", &row).await?;
    aws.fail("ListExecutions", Failure::error("AccessDeniedException"));
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let refused = function.invoke(&by_hand(row.id)).await.err().ok_or("cancelled without a look")?;
    assert!(refused.error_message.contains("ListExecutions: AccessDeniedException"), "{refused}");
    assert_eq!(bench.row(row.id).await?, row);
    Ok(())
}

#[tokio::test]
async fn observing_only_tells_and_what_it_tells_does_it() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_hand_observe", &row).await?;
    let running = machine.start(row.id).await?;
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let mut ask = by_hand(row.id);
    ask["mode"] = "observe".into();
    let told = function.invoke(&ask).await?;
    assert_eq!((&told["mode"], texts(&told["actions"], "outcome")), (&json!("observe"), vec!["planned"]), "{told:#}");
    let mut does_it = by_hand(row.id);
    does_it["cancel"] = true.into();
    assert_eq!(told["toDoIt"], does_it, "{told:#}");
    assert_eq!((bench.row(row.id).await?, machine.status(&running).await?), (row.clone(), "RUNNING".to_owned()));
    assert!(ledger(&bench).await?.is_empty());

    let done = function.invoke(&told["toDoIt"]).await?;
    assert_eq!(machine.status(&running).await?, "ABORTED", "{done:#}");
    assert_eq!(bench.row(row.id).await?.status, "CANCELLED", "{done:#}");
    Ok(())
}

#[tokio::test]
async fn a_cancel_that_was_proposed_is_done_once_it_is_approved() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_hand_propose", &row).await?;
    let running = machine.start(row.id).await?;
    let function = stop_cancelled(&bench, &machine, &aws).env("REMEDIATION_MODE", "propose").start().await?;
    let told = function.invoke(&by_hand(row.id)).await?;
    assert_eq!(texts(&told["actions"], "outcome"), ["proposed"], "{told:#}");
    assert_eq!((bench.row(row.id).await?, machine.status(&running).await?), (row.clone(), "RUNNING".to_owned()));

    let done = function.invoke(&json!({ "approve": told["planId"], "reason": "seen" })).await?;

    assert_eq!(machine.status(&running).await?, "ABORTED", "{done:#}");
    assert_eq!(bench.row(row.id).await?.status, "CANCELLED", "{done:#}");
    assert_eq!(
        ledger(&bench).await?,
        ["stop-execution applied cancelled", "set-row-status applied cancelled"],
        "{done:#}"
    );
    Ok(())
}

#[tokio::test]
async fn without_the_wish_one_process_is_decided_on_by_the_table() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_hand_look", &row).await?;
    let running = machine.start(row.id).await?;
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let result = function.invoke(&json!({ "processId": row.id })).await?;
    assert_eq!((&result["actions"], machine.status(&running).await?.as_str()), (&json!([]), "RUNNING"), "{result:#}");
    assert_eq!(bench.row(row.id).await?, row);
    Ok(())
}

#[tokio::test]
async fn a_wish_that_is_not_clear_is_refused_and_says_what_it_may_be() -> Tested {
    let row = processing(100);
    let (bench, machine, aws) = with("by_hand_refused", &row).await?;
    let function = stop_cancelled(&bench, &machine, &aws).start().await?;
    let cases = [
        (json!({ "processId": row.id, "cancel": false }), "`cancel` is false; it must be true"),
        (json!({ "processId": row.id, "cancel": "yes" }), "`cancel` is \"yes\"; it must be true"),
        (json!({ "processId": row.id, "cancel": null }), "`cancel` is null; it must be true"),
        (json!({ "cancel": true }), "`cancel` needs a `processId` or an `executionArn`"),
        (json!({ "all": true, "cancel": true }), "`cancel` needs a `processId` or an `executionArn`"),
        (json!({ "processId": Uuid::new_v4(), "cancel": true }), "has no such row"),
        (json!({ "processId": row.id, "cancell": true }), "unknown field `cancell`"),
        (json!({ "schedule": "x", "cancel": true }), "`schedule` and `cancel` exclude each other"),
        (json!({ "undo": row.id, "cancel": true }), "`undo` and `cancel` exclude each other"),
    ];
    for (event, why) in cases {
        let refused = match function.invoke(&event).await {
            Err(refused) => refused.error_message,
            // A schedule comes again: what was wrong with it is answered.
            Ok(answer) => answer["errorMessage"].as_str().ok_or_else(|| format!("{event} was taken"))?.to_owned(),
        };
        assert!(refused.contains(why), "{event}: {refused}");
    }
    assert_eq!((bench.row(row.id).await?, aws.counts().is_empty()), (row, true));
    Ok(())
}
