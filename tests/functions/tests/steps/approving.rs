//! A person approves what was proposed: in parts, until nothing of it is left.

use chrono::Utc;
use functions_tests::{Bench, Machine, Tested, findings, listed, processing, texts};
use harness::Failure;
use serde_json::{Value, json};

use crate::operator::timed_out;

const STEP: &str = "reconcile-processes";

#[tokio::test]
async fn what_a_stop_brings_about_belongs_to_the_plan_in_whatever_parts_it_is_approved() -> Tested {
    let bench = Bench::new("parts_of_stops").await?;
    let machine = Machine::new("parts").await?;
    let rows = [processing(20), processing(20)];
    bench.insert(&rows).await?;
    for row in &rows {
        machine.start(row.id).await?;
    }
    let aws = machine.proxy().await?;
    let function = bench.function("fail-timed-out-processes").envs(aws.environment());
    let function = function.env("STATE_MACHINE_ARN", &machine.arn).env("PROCESS_DEADLINE_SECONDS", "0");
    let function = function.env("SETTLE_SECONDS", "0").env("REMEDIATION_MODE", "propose").start().await?;
    let plan = function.invoke(&json!({ "schedule": "s" })).await?["planId"].clone();
    let approve = json!({ "approve": plan, "by": "anna", "limit": 1 });
    // Of each process the execution, then the row, before anything else is begun.
    for (kind, failed, is_left) in [
        ("stop-execution", 0, true),
        ("set-row-status", 1, true),
        ("stop-execution", 1, true),
        ("set-row-status", 2, false),
    ] {
        let part = function.invoke(&approve).await?;
        assert_eq!(texts(&part["actions"], "kind"), [kind], "{part:#}");
        assert_eq!(bench.count("FAILED").await?, failed, "{part:#}");
        assert_eq!(part["planId"] == plan, is_left, "{part:#}");
        // What is only to come has not moved.
        assert!(texts(&part["skipped"], "why").iter().all(|why| *why == "over the requested limit of 1"), "{part:#}");
    }
    assert_eq!(
        bench.list("SELECT to_jsonb(p) FROM remediation.plans p").await?.len(),
        1,
        "no part needs a plan of its own"
    );
    let refused = function.invoke(&approve).await.err().ok_or("there is something left")?;
    assert!(refused.error_message.contains("the plan was already approved, and completed"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn what_another_run_is_busy_with_is_left_in_the_plan() -> Tested {
    let bench = Bench::new("busy_approval").await?;
    let (rows, aws) = timed_out(&bench, 3).await?;
    let function = bench.function(STEP).envs(aws.environment()).env("REMEDIATION_MODE", "propose").start().await?;
    let plan = function.invoke(&json!({ "all": true })).await?["planId"].clone();
    let approve = json!({ "approve": plan, "by": "anna" });
    let mut other = bench.database.connect().await?;
    sqlx::query("SELECT pg_advisory_lock(hashtextextended('remediation:' || $1, 0))")
        .bind(rows[0].id.to_string())
        .execute(&mut other)
        .await?;
    let part = function.invoke(&approve).await?;
    assert_eq!(
        (texts(&part["skipped"], "why"), &part["toDoIt"]),
        (vec!["already being handled"], &json!({ "approve": plan }))
    );
    assert_eq!(bench.count("FAILED").await?, 2, "{part:#}");
    sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut other).await?;
    let rest = function.invoke(&approve).await?;
    assert_eq!((texts(&rest["actions"], "outcome"), &rest["planId"]), (vec!["applied"], &Value::Null), "{rest:#}");
    Ok(())
}

#[tokio::test]
async fn whoever_approves_is_told_which_control_holds_it() -> Tested {
    let bench = Bench::new("held_approval").await?;
    let (_, aws) = timed_out(&bench, 1).await?;
    let function = bench.function(STEP).envs(aws.environment()).env("REMEDIATION_MODE", "propose").start().await?;
    let plan = function.invoke(&json!({ "all": true })).await?["planId"].clone();
    let control = bench.function("control").start().await?;
    control.invoke(&json!({ "step": STEP, "stop": true, "by": "Sato", "reason": "hold on" })).await?;
    let held = function.invoke(&json!({ "approve": plan, "by": "anna" })).await?;
    assert_eq!((findings(&held), texts(&held["actions"], "outcome")), (vec!["stopped"], vec!["planned"]), "{held:#}");
    let said = held["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(said.starts_with("reconcile-processes was limited to `observe` by Sato at "), "{said}");
    // A sweep says it once, in its mode.
    assert!(findings(&function.invoke(&json!({ "schedule": "s" })).await?).is_empty());
    // A name of blanks is none.
    let refused = control.invoke(&json!({ "resume": true, "by": " " })).await.err().ok_or("nobody asked")?;
    assert!(refused.error_message.contains("`by` is \" \"; it must be a string that is not empty"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn what_could_not_be_looked_at_is_left_in_the_plan() -> Tested {
    let bench = Bench::new("unseen_approval").await?;
    let (rows, aws) = timed_out(&bench, 2).await?;
    let builder = bench.function(STEP).envs(aws.environment());
    let proposing = builder.env("REMEDIATION_MODE", "propose").start().await?;
    let plan = proposing.invoke(&json!({ "all": true })).await?["planId"].clone();
    // What is known of one of them has to be asked again, and nobody answers.
    let unsure = "UPDATE remediation.executions SET status = 'FAILED', ending_known = false WHERE process_id = ";
    bench.database.execute(&format!("{unsure}'{}'", rows[0].id)).await?;
    aws.fail("DescribeExecution", Failure::error("ThrottlingException"));
    let part = proposing.invoke(&json!({ "approve": plan, "by": "anna" })).await?;
    assert_eq!((findings(&part), bench.count("FAILED").await?), (vec!["step_functions_unavailable"], 1), "{part:#}");
    assert_eq!((texts(&part["skipped"], "target").len(), &part["planId"]), (1, &plan), "{part:#}");
    Ok(())
}

#[tokio::test]
async fn what_came_up_after_a_large_plan_is_named_and_left() -> Tested {
    let bench = Bench::new("late_comer").await?;
    let (_, aws) = timed_out(&bench, 1100).await?;
    let builder = bench.function(STEP).envs(aws.environment()).env("SETTLE_SECONDS", "0");
    let function = builder.env("REMEDIATION_MODE", "propose").start().await?;
    let plan = function.invoke(&json!({ "all": true })).await?["planId"].clone();
    let late = processing(30);
    bench.insert(std::slice::from_ref(&late)).await?;
    let began = Utc::now();
    aws.answer("ListExecutions", json!({ "executions": [listed(late.id, "TIMED_OUT", began, Some(began))] }));
    let part = function.invoke(&json!({ "approve": plan, "by": "anna" })).await?;
    assert_eq!(
        (texts(&part["skipped"], "target"), texts(&part["skipped"], "why")),
        (vec![late.id.to_string().as_str()], vec!["it is not in the approved plan"]),
    );
    assert_eq!((bench.count("FAILED").await?, bench.row(late.id).await?.status.as_str()), (1000, "PROCESSING"));
    Ok(())
}
