//! `{"report": "7d"}`: what was done and what would have been, whatever function is asked.

use functions_tests::{Bench, Machine, Tested, processing, texts};
use patient::table::Row;
use serde_json::{Value, json};
use uuid::Uuid;

/// As the application, or a person, writes a row.
async fn becomes(bench: &Bench, id: Uuid, status: &str) -> Tested {
    let sql = format!("UPDATE processing_state SET status = '{status}', updated_at = now() WHERE id = '{id}'");
    Ok(bench.database.execute(&sql).await?)
}

fn of<'a>(list: &'a Value, step: &str, kind: &str) -> &'a Value {
    let found = list.as_array().and_then(|list| list.iter().find(|it| it["step"] == step && it["kind"] == kind));
    found.unwrap_or(&Value::Null)
}

#[tokio::test]
async fn what_would_have_been_done_is_judged_by_what_became_of_it() -> Tested {
    let bench = Bench::new("review").await?;
    let machine = Machine::new("review").await?;
    let rows: Vec<Row> = (0..4).map(|_| processing(20)).collect();
    bench.insert(&rows).await?;
    for row in &rows {
        machine.end(row.id, true).await?;
    }
    // Cancelled, and still running: two steps want to stop them.
    let cancelled: Vec<Row> = (0..2).map(|_| processing(20).became("CANCELLED", functions_tests::ago(90))).collect();
    bench.insert(&cancelled).await?;
    for row in &cancelled {
        machine.start(row.id).await?;
    }
    let aws = machine.proxy().await?;
    let function = async |name: &str, mode: &str| {
        let builder = bench.function(name).envs(aws.environment()).env("SETTLE_SECONDS", "0");
        builder.env("STATE_MACHINE_ARN", &machine.arn).env("REMEDIATION_MODE", mode).start().await
    };
    let observing = function("reconcile-processes", "observe").await?;
    let stopping = function("stop-cancelled-executions", "observe").await?;
    // The same twice is wanted once.
    for _ in 0..2 {
        observing.invoke(&json!({ "schedule": "reconcile-processes" })).await?;
    }
    stopping.invoke(&json!({ "schedule": "stop-cancelled-executions" })).await?;

    becomes(&bench, rows[0].id, "FAILED").await?;
    becomes(&bench, rows[1].id, "COMPLETED").await?;
    bench
        .database
        .execute(&format!(
            "UPDATE remediation.executions SET status = 'SUCCEEDED' WHERE process_id = '{}'",
            cancelled[0].id
        ))
        .await?;
    let acting = function("sync-execution-status", "act").await?;
    let synced = acting.invoke(&json!({ "processId": rows[2].id })).await?;
    assert_eq!(texts(&synced["actions"], "outcome"), ["applied"], "{synced:#}");
    acting.invoke(&json!({ "undo": synced["actions"][0]["id"] })).await?;

    let before = bench.table().await?;
    let answer = function("check-health", "act").await?.invoke(&json!({ "report": "1h" })).await?;

    let report = &answer["report"];
    let wanted = &report["wouldHaveDone"];
    assert_eq!(
        of(wanted, "reconcile-processes", "set-row-status"),
        &json!({
            "step": "reconcile-processes", "kind": "set-row-status", "wanted": 4, "done": 0, "turnedOutRight": 1,
            "becameOtherwise": 1, "stillOpen": 2, "notKnown": 0, "thereIsMore": false,
            "examples": [{ "target": rows[1].id, "wanted": "FAILED", "now": "COMPLETED" }],
        }),
        "{answer:#}"
    );
    let stops = of(wanted, "stop-cancelled-executions", "stop-execution");
    assert_eq!((&stops["wanted"], &stops["becameOtherwise"], &stops["stillOpen"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(
        of(&report["done"], "sync-execution-status", "set-row-status"),
        &json!({ "step": "sync-execution-status", "kind": "set-row-status", "applied": 1, "failed": 0, "undone": 1 }),
    );
    assert_eq!(
        answer["summary"],
        "last 1 h: planned but not applied: 8 (1 turned out right, 3 turned out otherwise, 4 still open, 0 unknown); \
         applied: 1 (1 of them undone), failed: 0"
    );
    assert_eq!(
        (&answer["actions"], &answer["mode"], &answer["verification"]),
        (&json!([]), &json!("observe"), &json!("not-applicable"))
    );
    assert_eq!(bench.table().await?, before);

    // Approved and done is not what would have been done.
    let proposing = function("reconcile-processes", "propose").await?;
    let proposed = proposing.invoke(&json!({ "all": true })).await?;
    proposing.invoke(&json!({ "approve": proposed["planId"], "by": "anna" })).await?;
    let answer = proposing.invoke(&json!({ "report": "31d" })).await?;
    let rows = of(&answer["report"]["wouldHaveDone"], "reconcile-processes", "set-row-status");
    let parts = ["wanted", "done", "turnedOutRight", "becameOtherwise", "stillOpen"].map(|part| rows[part].as_i64());
    assert_eq!(parts, [4, 1, 1, 1, 1].map(Some), "{answer:#}");
    Ok(())
}

#[tokio::test]
async fn a_report_of_nothing_says_so_and_one_that_is_asked_wrongly_is_refused() -> Tested {
    let bench = Bench::new("review_none").await?;
    let function = bench.function("sync-execution-status").start().await?;
    let answer = function.invoke(&json!({ "report": "7d" })).await?;
    assert_eq!(answer["summary"], "last 7 d: planned but not applied: none; applied: none");
    assert_eq!((&answer["report"]["wouldHaveDone"], &answer["report"]["done"]), (&json!([]), &json!([])));
    for (event, why) in [
        (json!({ "report": "32d" }), "`report` is \"32d\"; it must be a span of time"),
        (json!({ "report": 7 }), "from 1m to 31d"),
        (json!({ "report": "7d", "all": true }), "`all` and `report` exclude each other"),
        (json!({ "report": "7d", "limit": 3 }), "`report` and `limit` exclude each other"),
    ] {
        let refused = function.invoke(&event).await.err().ok_or_else(|| format!("{event} was taken"))?;
        assert!(refused.error_message.contains(why), "{event}: {refused}");
    }
    Ok(())
}

#[tokio::test]
async fn of_very_many_that_were_wanted_the_number_is_told_and_only_the_sample_is_judged() -> Tested {
    let bench = Bench::new("review_many").await?;
    let rows: Vec<Row> = (0..1200).map(|_| processing(2000)).collect();
    bench.insert(&rows).await?;
    let machine = Machine::new("review-many").await?;
    let aws = machine.proxy().await?;
    let builder = bench.function("fail-timed-out-processes").envs(aws.environment());
    let function = builder.env("STATE_MACHINE_ARN", &machine.arn).env("REMEDIATION_MODE", "observe").start().await?;
    function.invoke(&json!({ "schedule": "fail-timed-out-processes" })).await?;
    let answer = function.invoke(&json!({ "report": "1h" })).await?;
    let rows = of(&answer["report"]["wouldHaveDone"], "fail-timed-out-processes", "set-row-status");
    let counts = ["wanted", "stillOpen", "notKnown"].map(|part| rows[part].as_i64().unwrap_or_default());
    assert!(counts[0] == 1200 && counts[1] > 0 && counts[1] + counts[2] == 1200, "{answer:#}");
    Ok(())
}
