//! A person takes a whole run back.

use functions_tests::{Bench, Tested, ago, listed, output, processing, scripted, status_event, texts};
use patient::table::Row;
use serde_json::{Value, json};

#[tokio::test]
async fn a_run_is_taken_back_even_where_it_has_used_up_the_limits() -> Tested {
    let bench = Bench::new("undo_limits").await?;
    let rows: Vec<Row> = (0..6).map(|_| processing(701)).collect();
    bench.insert(&rows).await?;
    let list: Vec<Value> = rows.iter().map(|row| listed(row.id, "TIMED_OUT", ago(700), Some(ago(100)))).collect();
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": list }));
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    let run = function.invoke(&json!({ "all": true })).await?["runId"].clone();
    // Whoever sees what it did allows less from then on, first.
    let control = bench.function("control").start().await?;
    let less = json!({ "step": "reconcile-processes", "actionsPerRun": 2, "actionsPerHour": 6, "by": "anna" });
    control.invoke(&less).await?;
    let undone = function.invoke(&json!({ "undo": run, "by": "anna" })).await?;
    assert_eq!(texts(&undone["actions"], "outcome"), ["applied"; 6], "{undone:#}");
    assert_eq!((&undone["toDoIt"], bench.count("PROCESSING").await?), (&Value::Null, 6));
    Ok(())
}

#[tokio::test]
async fn two_changes_of_one_row_are_taken_back_one_after_the_other() -> Tested {
    for touched in [false, true] {
        let bench = Bench::new("undo_two").await?;
        let row = processing(701);
        bench.insert(std::slice::from_ref(&row)).await?;
        let sync = bench.function("sync-execution-status").start().await?;
        let failed = json!({ "error": "AI_ERROR", "cause": "x" });
        sync.invoke(&status_event(row.id, "FAILED", ago(700), Some(ago(600)), &failed)).await?;
        let generated = json!({ "output": output(&json!({ "goals": [] })) });
        sync.invoke(&status_event(row.id, "SUCCEEDED", ago(500), Some(ago(1)), &generated)).await?;
        assert_eq!(bench.row(row.id).await?.status, "COMPLETED");
        // As if one run had made both.
        bench
            .database
            .execute("UPDATE remediation.actions SET run_id = (SELECT max(id::text)::uuid FROM remediation.runs)")
            .await?;
        let entries = bench.actions().await?;
        if touched {
            // The application writes the row between the two undos.
            sync.invoke(&json!({ "undo": entries[1]["id"] })).await?;
            bench.database.execute("UPDATE processing_state SET updated_at = now()").await?;
        }
        let undone = sync.invoke(&json!({ "undo": entries[0]["run_id"] })).await?;
        let after = bench.row(row.id).await?;
        if touched {
            assert_eq!(
                (after.status.as_str(), texts(&undone["actions"], "outcome")),
                ("FAILED", vec!["failed"]),
                "{undone:#}"
            );
        } else {
            assert_eq!(texts(&undone["actions"], "outcome"), ["applied"; 2], "{undone:#}");
            assert_eq!(Row { updated_at: row.updated_at, user_id: row.user_id, ..after }, row);
        }
    }
    Ok(())
}
