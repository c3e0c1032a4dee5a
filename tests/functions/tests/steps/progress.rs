//! `repair-progress`: numbers out of range are brought back, fallen ones restored, and what does not move is decided on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use functions_tests::{BOUND, Bench, Tested, ago, findings, listed, metrics, processing, sample, scripted, texts};
use harness::{AwsProxy, Failure, Function, FunctionBuilder, eventually};
use patient::table::{EARLY, GUIDE, Row, Variant};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::sync::Barrier;

fn repair(bench: &Bench, aws: &AwsProxy) -> FunctionBuilder {
    bench.function("repair-progress").envs(aws.environment()).env("SETTLE_SECONDS", "0")
}

fn schedule() -> Value {
    json!({ "schedule": "repair-progress" })
}

/// Step Functions has these executions.
async fn with_list(executions: &[Value]) -> Tested<AwsProxy> {
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": executions }));
    Ok(aws)
}

/// A process that is under way for so many seconds, at this progress, and its running execution.
fn under_way(seconds: i64, progress: i16) -> (Row, Value) {
    let row = Row { progress, ..processing(seconds) };
    let execution = listed(row.id, "RUNNING", row.created_at, None);
    (row, execution)
}

/// A process that was closed so many seconds ago.
fn closed(status: &str, progress: i16, seconds: i64) -> Row {
    Row { progress, ..processing(seconds + 60).became(status, ago(seconds)) }
}

async fn set(bench: &Bench, row: &Row, change: &str) -> Tested {
    let sql = bench.variant.spell(&format!("UPDATE {{processes}} SET {change} WHERE id = $1"));
    sqlx::query(AssertSqlSafe(sql)).bind(row.id).execute(bench.database.pool()).await?;
    Ok(())
}

async fn progress(bench: &Bench, row: &Row) -> Tested<i16> {
    Ok(bench.row(row.id).await?.progress)
}

/// A row that was seen at 80 and has fallen to 30 since, and the function that has seen it.
async fn fallen(bench: &Bench, aws: &AwsProxy, row: &Row) -> Tested<Function> {
    let function = repair(bench, aws).start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(result["actions"], json!([]), "nothing is wrong yet: {result:#}");
    set(bench, row, "progress = 30").await?;
    Ok(function)
}

#[tokio::test]
async fn out_of_range_is_clamped_in_open_and_in_closed_rows_of_every_variant_and_nothing_else_is_written() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("clamp_{}", variant.name), variant).await?;
        let ((above, first), (below, second), (over, _)) = (under_way(90, 120), under_way(90, -5), under_way(90, 120));
        let rows = [
            (above, 100),
            (below, 0),
            (Row { progress: -1, ..Row::pending(ago(20)) }, 0),
            (Row { result: Some(json!({ "goals": ["走る"] })), ..closed("COMPLETED", 250, 9_000_000) }, 100),
            (Row { error: Some(json!({ "code": "AI_ERROR" })), ..closed("FAILED", -5, 100) }, 0),
            (closed("CANCELLED", 101, 100), 100),
            (closed("COMPLETED", 100, 100), 100),
            // Its execution is over: the next look of the decision table closes it.
            (over.clone(), 120),
        ];
        bench.insert(&rows.clone().map(|(row, _)| row)).await?;
        let ended = listed(over.id, "FAILED", over.created_at, Some(ago(5)));
        let aws = with_list(&[first, second, ended]).await?;
        let function = repair(&bench, &aws).start().await?;

        let result = function.invoke(&schedule()).await?;

        for (row, expected) in &rows {
            let after = bench.row(row.id).await?;
            assert_eq!(after.updated_at > row.updated_at, row.progress != *expected, "{}: {row:?}", variant.name);
            // What the variant does not have, it cannot give back.
            let wanted = Row { progress: *expected, updated_at: after.updated_at, ..row.clone() };
            assert_eq!(after, wanted, "{}: {result:#}", variant.name);
        }
        let outcomes = texts(&result["actions"], "outcome");
        assert_eq!((outcomes, &result["verification"]), (vec!["applied"; 6], &json!("verified")), "{result:#}");
        let skipped = result["skipped"].as_array().ok_or("nothing is skipped")?;
        let told = skipped.iter().find(|skipped| skipped["target"] == json!(over.id)).ok_or("it is not told")?;
        assert!(told["why"].as_str().is_some_and(|why| why.contains("progress left unchanged")), "{result:#}");
        let ledger = bench.actions().await?;
        assert_eq!(ledger.len(), 6);
        for action in &ledger {
            assert_eq!((&action["cause"], &action["kind"]), (&json!("progress-clamped"), &json!("set-row-status")));
            assert_eq!(action["before"]["status"], action["after"]["status"]);
        }
        // How long a closed row was broken, nobody knows.
        assert_eq!(metrics(&function).await?["TimeToRemedy"], Value::Null);

        let again = function.invoke(&schedule()).await?;
        assert_eq!((&again["actions"], bench.actions().await?.len()), (&json!([]), 6), "{again:#}");
    }
    Ok(())
}

#[tokio::test]
async fn what_has_fallen_within_its_attempt_is_restored_and_a_new_attempt_is_left_alone() -> Tested {
    for variant in [GUIDE, EARLY] {
        let bench = Bench::of("fall", variant).await?;
        let ((row, first), (anew, old)) = (under_way(90, 80), under_way(90, 80));
        bench.insert(&[row.clone(), anew.clone()]).await?;
        let aws = with_list(&[first.clone(), old.clone()]).await?;
        let function = fallen(&bench, &aws, &row).await?;
        // The other one was started anew, and no event told of it: only the list does.
        set(&bench, &anew, "progress = 10").await?;
        let new = listed(anew.id, "RUNNING", ago(4), None);
        aws.answer("ListExecutions", json!({ "executions": [new, first, old] }));

        let result = function.invoke(&schedule()).await?;

        assert_eq!(
            (progress(&bench, &row).await?, progress(&bench, &anew).await?),
            (80, 10),
            "{}: {result:#}",
            variant.name
        );
        let ledger = bench.actions().await?;
        let told = |action: &Value| (action["target"].clone(), action["cause"].clone(), action["reason"].clone());
        let why = "progress fell from 80 to 30 within one attempt: restored to 80";
        assert_eq!(
            ledger.iter().map(told).collect::<Vec<_>>(),
            [(json!(row.id), json!("progress-restored"), json!(why))]
        );
        // Of the new attempt, too, a fall is one.
        set(&bench, &anew, "progress = 5").await?;
        let again = function.invoke(&schedule()).await?;
        assert_eq!(
            (progress(&bench, &row).await?, progress(&bench, &anew).await?),
            (80, 10),
            "{}: {again:#}",
            variant.name
        );
    }
    Ok(())
}

#[tokio::test]
async fn while_step_functions_does_not_answer_a_fall_is_left_and_a_number_out_of_range_is_not() -> Tested {
    let bench = Bench::new("unlisted").await?;
    let ((row, first), (broken, second)) = (under_way(90, 80), under_way(90, 50));
    bench.insert(&[row.clone(), broken.clone()]).await?;
    let aws = with_list(&[first, second]).await?;
    let function = fallen(&bench, &aws, &row).await?;
    set(&bench, &broken, "progress = 250").await?;
    aws.fail("ListExecutions", Failure::error("ThrottlingException"));
    let result = function.invoke(&schedule()).await?;
    assert_eq!((progress(&bench, &row).await?, progress(&bench, &broken).await?), (30, 100), "{result:#}");
    assert_eq!(findings(&result), ["step_functions_unavailable"]);
    assert!(texts(&result["skipped"], "why").iter().any(|why| why.contains("ThrottlingException")), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn what_nobody_writes_any_more_is_decided_on_and_what_is_in_time_is_left_with_its_reason() -> Tested {
    let bench = Bench::new("stalled").await?;
    let stalled = |seconds: i64| processing(seconds).became("PROCESSING", ago(400));
    let (over, in_time, moving, slow) = (stalled(700), stalled(700), under_way(700, 10).0, stalled(2000));
    let moving = moving.became("PROCESSING", ago(100));
    bench.insert(&[over.clone(), in_time.clone(), moving.clone(), slow.clone()]).await?;
    let aws = with_list(&[
        listed(over.id, "TIMED_OUT", ago(699), Some(ago(100))),
        listed(in_time.id, "RUNNING", ago(699), None),
        listed(moving.id, "TIMED_OUT", ago(699), Some(ago(50))),
    ])
    .await?;
    let result = repair(&bench, &aws).start().await?.invoke(&schedule()).await?;
    let code = |row: Row| row.error.unwrap_or_default()["code"].as_str().map(str::to_owned);
    assert_eq!(code(bench.row(over.id).await?).as_deref(), Some("TIMEOUT_ERROR"), "{result:#}");
    assert_eq!(code(bench.row(slow.id).await?).as_deref(), Some("TIMEOUT_ERROR"), "without any execution: {result:#}");
    assert_eq!(bench.row(in_time.id).await?, in_time);
    assert_eq!(bench.row(moving.id).await?, moving, "it is not stalled, and the other sweeps' business");
    let skipped = result["skipped"].as_array().ok_or("nothing is skipped")?;
    let left: Vec<&Value> = skipped.iter().map(|skipped| &skipped["target"]).collect();
    assert_eq!(left, [&json!(in_time.id)], "{result:#}");
    let why = skipped[0]["why"].as_str().unwrap_or_default();
    assert!(why.contains("still running") && why.contains("before its deadline"), "{why}");
    Ok(())
}

#[tokio::test]
async fn a_repair_is_undone_and_left_alone_from_then_on() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("undo_progress_{}", variant.name), variant).await?;
        let (row, execution) = under_way(90, 250);
        let old = closed("COMPLETED", -5, 9_000_000);
        bench.insert(&[row.clone(), old.clone()]).await?;
        let aws = with_list(&[execution]).await?;
        let function = repair(&bench, &aws).start().await?;
        let done = function.invoke(&schedule()).await?;
        for id in texts(&done["actions"], "id") {
            let undone = function.invoke(&json!({ "undo": id, "reason": "it is meant so" })).await?;
            assert_eq!(undone["actions"][0]["outcome"], "applied", "{}: {undone:#}", variant.name);
        }
        for row in [&row, &old] {
            let after = bench.row(row.id).await?;
            assert_eq!(Row { updated_at: row.updated_at, ..after }, *row, "{}", variant.name);
        }
        let before = bench.table().await?;
        let again = function.invoke(&schedule()).await?;
        assert_eq!((&again["actions"], bench.table().await?), (&json!([]), before), "{again:#}");
        let why =
            "not changed: a person undid the last change less than 24 h ago (alarms on it may continue until then)";
        assert_eq!(texts(&again["skipped"], "why"), [why; 2], "{again:#}");
        let health = bench.function("check-health").start().await?.invoke(&json!({})).await?;
        assert_eq!(counted(&health)?, 0, "no alarm goes off for it: {health:#}");
    }
    Ok(())
}

#[tokio::test]
async fn observing_it_tells_all_and_changes_nothing() -> Tested {
    let bench = Bench::new("observe_progress").await?;
    let ((row, first), (broken, second)) = (under_way(90, 80), under_way(90, 50));
    let old = closed("FAILED", 300, 9_000_000);
    bench.insert(&[row.clone(), broken.clone()]).await?;
    let aws = with_list(&[first, second]).await?;
    fallen(&bench, &aws, &row).await?;
    bench.insert(std::slice::from_ref(&old)).await?;
    set(&bench, &broken, "progress = -7").await?;
    let before = bench.table().await?;
    let events = [
        ("act", json!({})),
        ("act", json!({ "all": true, "mode": "observe" })),
        ("act", json!({ "schedule": "s", "mode": "observe" })),
        ("observe", schedule()),
        ("observe", json!({ "all": true })),
    ];
    for (mode, event) in events {
        let function = repair(&bench, &aws).env("REMEDIATION_MODE", mode).start().await?;
        let result = function.invoke(&event).await?;
        assert_eq!(texts(&result["actions"], "outcome"), ["planned"; 3], "{event}: {result:#}");
        assert_eq!(result["toDoIt"], json!({ "all": true }), "{event}: {result:#}");
        let planned = result["actions"].as_array().into_iter().flatten();
        let mut becomes: Vec<_> =
            planned.map(|action| (&action["before"]["progress"], &action["after"]["progress"])).collect();
        becomes.sort_by_key(|(before, _)| before.as_i64());
        // What was seen at 50 has fallen, however far.
        let expected = [(-7, 50), (30, 80), (300, 100)].map(|(before, after)| (json!(before), json!(after)));
        assert_eq!(becomes, expected.iter().map(|(before, after)| (before, after)).collect::<Vec<_>>(), "{result:#}");
    }
    assert_eq!(bench.table().await?, before);
    assert!(bench.actions().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn one_process_is_repaired_by_hand_and_no_other() -> Tested {
    let bench = Bench::new("progress_by_hand").await?;
    let ((row, first), (other, second)) = (under_way(90, 80), under_way(90, 120));
    let old = closed("COMPLETED", 250, 9_000_000);
    bench.insert(&[row.clone(), other.clone(), old.clone()]).await?;
    let aws = with_list(&[first, second]).await?;
    let function = repair(&bench, &aws).start().await?;
    function.invoke(&json!({})).await?;
    set(&bench, &row, "progress = 30").await?;
    let result = function.invoke(&json!({ "processId": row.id, "reason": "ticket 4711" })).await?;
    assert_eq!(texts(&result["actions"], "target"), [row.id.to_string()], "{result:#}");
    assert_eq!(progress(&bench, &row).await?, 80);
    let result = function.invoke(&json!({ "processId": old.id })).await?;
    assert_eq!((progress(&bench, &old).await?, progress(&bench, &other).await?), (100, 120), "{result:#}");
    let sound = function.invoke(&json!({ "processId": row.id })).await?;
    assert_eq!(sound["actions"], json!([]), "{sound:#}");
    assert!(texts(&sound["skipped"], "why")[0].contains("still running"), "{sound:#}");
    // A plan that was approved is made anew, for its own rows.
    let plan = function.invoke(&json!({ "all": true, "mode": "propose" })).await?["planId"].clone();
    let late = closed("COMPLETED", 250, 100);
    bench.insert(std::slice::from_ref(&late)).await?;
    let done = function.invoke(&json!({ "approve": plan })).await?;
    assert_eq!(texts(&done["actions"], "target"), [other.id.to_string()], "{done:#}");
    assert_eq!((progress(&bench, &other).await?, progress(&bench, &late).await?), (100, 250));
    Ok(())
}

#[tokio::test]
async fn a_fault_of_the_application_that_breaks_every_row_is_repaired_in_one_run() -> Tested {
    let bench = Bench::new("all_broken").await?;
    let rows: Vec<Row> = (0..30).map(|at| closed("COMPLETED", 200 + at, 100)).collect();
    bench.insert(&rows).await?;
    let aws = with_list(&[]).await?;
    let result = repair(&bench, &aws).start().await?.invoke(&schedule()).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"; 30], "{result:#}");
    assert_eq!(bench.list("SELECT to_jsonb(count(*)) FROM processing_state WHERE progress = 100").await?, [30]);
    Ok(())
}

#[tokio::test]
async fn closings_are_held_back_where_they_are_more_than_half() -> Tested {
    let bench = Bench::new("stalled_share").await?;
    let rows: Vec<Row> = (0..30).map(|_| processing(701).became("PROCESSING", ago(400))).collect();
    bench.insert(&rows).await?;
    let list: Vec<Value> = rows.iter().map(|row| listed(row.id, "TIMED_OUT", ago(700), Some(ago(100)))).collect();
    let aws = with_list(&list).await?;
    let before = bench.table().await?;
    let result = repair(&bench, &aws).start().await?.invoke(&schedule()).await?;
    assert_eq!(findings(&result), ["over_limit"], "{result:#}");
    assert_eq!((bench.table().await?, texts(&result["actions"], "outcome")), (before, vec!["proposed"; 30]));
    Ok(())
}

#[tokio::test]
async fn a_worker_that_writes_at_the_same_moment_is_not_overwritten() -> Tested {
    let bench = Bench::new("worker_writes").await?;
    let (row, execution) = under_way(90, 80);
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = with_list(&[execution]).await?;
    let function = Arc::new(fallen(&bench, &aws, &row).await?);
    // What the limits are read from is locked: the run has read and planned, and does not write yet.
    let mut lock = bench.database.pool().begin().await?;
    sqlx::query("LOCK TABLE remediation.controls IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await?;
    let run = tokio::spawn({
        let function = Arc::clone(&function);
        async move { function.invoke(&schedule()).await }
    });
    eventually(BOUND, "the run to have planned", || async {
        let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'remediation.controls'::regclass";
        let waiting: i64 = sqlx::query_scalar(sql).fetch_one(bench.database.pool()).await.ok()?;
        (waiting > 0).then_some(())
    })
    .await?;
    set(&bench, &row, "progress = 90").await?;
    lock.rollback().await?;

    let result = run.await??;

    assert_eq!(progress(&bench, &row).await?, 90, "{result:#}");
    assert_eq!(texts(&json!(bench.actions().await?), "outcome"), ["superseded"], "{result:#}");
    assert_eq!(findings(&result), [""; 0], "it was decided anew, and all is well: {result:#}");
    Ok(())
}

#[tokio::test]
async fn two_runs_at_once_write_each_row_once() -> Tested {
    const ROWS: usize = 700;
    let bench = Bench::new("at_once").await?;
    let (mut rows, mut list) = (Vec::new(), Vec::new());
    for at in 0..ROWS {
        if at % 7 == 0 {
            let (row, execution) = under_way(90, 120);
            list.push(execution);
            rows.push(row);
        } else {
            rows.push(closed("COMPLETED", if at % 2 == 0 { 250 } else { -5 }, 100));
        }
    }
    bench.insert(&rows).await?;
    let aws = with_list(&list).await?;
    // Both have begun before one of them reads the rows.
    let (barrier, calls) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    aws.before("ListExecutions", move || {
        let (barrier, calls) = (Arc::clone(&barrier), Arc::clone(&calls));
        async move {
            if calls.fetch_add(1, Ordering::SeqCst) < 2 {
                barrier.wait().await;
            }
        }
    });
    let (one, other) = (repair(&bench, &aws).start().await?, repair(&bench, &aws).start().await?);
    let event = schedule();

    let (first, second) = tokio::join!(one.invoke(&event), other.invoke(&event));

    let (first, second) = (first?, second?);
    for row in &rows {
        assert_eq!(progress(&bench, row).await?, row.progress.clamp(0, 100));
    }
    let written = bench
        .list(
            "SELECT jsonb_build_object('target', target, 'times', count(*)) FROM remediation.actions
              WHERE outcome = 'applied' GROUP BY target",
        )
        .await?;
    assert_eq!(written.len(), ROWS, "{} and {}", first["summary"], second["summary"]);
    assert!(written.iter().all(|row| row["times"] == 1), "{written:?}");
    let odd = bench
        .list("SELECT to_jsonb(a) FROM remediation.actions a WHERE outcome NOT IN ('applied', 'superseded') OR closed_at IS NULL")
        .await?;
    assert_eq!(odd, [json!(null); 0]);
    let runs = bench.runs().await?;
    let applied: i64 = runs.iter().filter_map(|run| run["applied"].as_i64()).sum();
    assert_eq!((runs.len(), applied), (2, i64::try_from(ROWS)?), "{runs:?}");
    for result in [&first, &second] {
        assert_eq!(findings(result), [""; 0], "{}", result["summary"]);
    }
    let after = bench.table().await?;
    let third = one.invoke(&event).await?;
    assert_eq!((&third["actions"], bench.table().await?), (&json!([]), after), "{}", third["summary"]);
    Ok(())
}

#[tokio::test]
async fn the_alarm_goes_off_for_what_its_step_repairs_and_for_nothing_else() -> Tested {
    let bench = Bench::new("progress_alarm").await?;
    let ((row, first), (over, _)) = (under_way(90, 80), under_way(90, 120));
    bench.insert(&[row.clone(), over.clone()]).await?;
    let ended = listed(over.id, "FAILED", over.created_at, Some(ago(5)));
    let aws = with_list(&[first, ended]).await?;
    let function = fallen(&bench, &aws, &row).await?;
    bench.insert(&[closed("COMPLETED", 250, 9_000_000)]).await?;
    let before = bench.table().await?;

    let health = bench.function("check-health").start().await?;
    let seen = health.invoke(&json!({ "schedule": "check-health" })).await?;

    assert_eq!(metrics(&health).await?["ProgressAnomalies"], 2.0, "{seen:#}");
    assert_eq!(counted(&seen)?, 2, "{seen:#}");
    let told =
        seen["findings"].as_array().into_iter().flatten().find(|finding| finding["code"] == "progress_anomalies");
    let told = told.ok_or("it is not told")?;
    assert_eq!(told["evidence"], json!({ "count": 2, "answeredBy": "repair-progress" }));
    assert_eq!(bench.table().await?, before, "it only counts");

    let repaired = function.invoke(&sample("repair-progress", "alarm-progress-anomalies")?).await?;
    assert_eq!(texts(&repaired["actions"], "outcome"), ["applied"; 2], "{repaired:#}");
    let health = bench.function("check-health").start().await?;
    let seen = health.invoke(&json!({ "schedule": "check-health" })).await?;
    assert_eq!(metrics(&health).await?["ProgressAnomalies"], 0.0, "{seen:#}");
    assert!(!findings(&seen).contains(&"progress_anomalies"), "{seen:#}");
    Ok(())
}

/// How many anomalies check-health's report counts.
fn counted(health: &Value) -> Tested<u64> {
    let checks = health["report"]["checks"].as_array().into_iter().flatten();
    let mut counts = checks.filter_map(|check| check["data"]["progressAnomalies"].as_u64());
    counts.next().ok_or_else(|| format!("no check counts them: {health:#}").into())
}
