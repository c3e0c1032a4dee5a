//! `retry-failed-processes`: what failed for a reason that may pass is started anew, once for each attempt, and nothing else is.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use functions_tests::{
    BOUND, Bench, Machine, Tested, ago, arn_of, description, findings, listed, processing, sample, scripted, texts,
};
use harness::{Aws, AwsProxy, CountingProxy, Failure, FunctionBuilder, eventually};
use patient::table::{GUIDE, PUSHED, Row, Variant};
use serde_json::{Value, json};
use uuid::Uuid;

const STEP: &str = "retry-failed-processes";
const MACHINE: &str = functions_tests::STATE_MACHINE_ARN;

fn schedule() -> Value {
    json!({ "schedule": STEP })
}

/// A process that failed with this error a while ago, as the application records it.
fn failed_row(code: &str) -> Row {
    let row = processing(200).became("FAILED", ago(100));
    Row { progress: 50, error: Some(json!({ "code": code, "message": "処理に失敗しました" })), ..row }
}

/// Processes that failed with AI_ERROR, whose executions Step Functions lists; it accepts every start.
struct Failed {
    bench: Bench,
    aws: Arc<AwsProxy>,
    rows: Vec<Row>,
}

impl Failed {
    /// `beside` is how many other processes were completed lately: under 20 for each that failed, the breaker is open.
    async fn new(hint: &str, count: usize, beside: usize) -> Tested<Self> {
        Self::of(hint, GUIDE, count, beside).await
    }

    async fn of(hint: &str, variant: Variant, count: usize, beside: usize) -> Tested<Self> {
        let bench = Bench::of(hint, variant).await?;
        let rows: Vec<Row> = (0..count).map(|_| failed_row("AI_ERROR")).collect();
        bench.insert(&rows).await?;
        let completed: Vec<Row> =
            (0..beside).map(|_| Row { progress: 100, ..processing(200).became("COMPLETED", ago(150)) }).collect();
        bench.insert(&completed).await?;
        let failed = Self { bench, aws: Arc::new(scripted().await?), rows };
        failed.list(&[]);
        let told = json!({ "error": "ProcessingFailed", "cause": "AI generation failed" });
        let (started, stopped) = (ago(199), Some(ago(101)));
        failed.aws.answer("DescribeExecution", description(Uuid::new_v4(), "FAILED", started, stopped, &told));
        failed.aws.answer("StartExecution", json!({ "executionArn": "x", "startDate": Utc::now().timestamp() }));
        Ok(failed)
    }

    /// What ListExecutions tells: the executions that failed, and these.
    fn list(&self, more: &[Value]) {
        let of_row = |row: &Row| listed(row.id, "FAILED", row.created_at + TimeDelta::seconds(1), Some(row.updated_at));
        let of_rows = self.rows.iter().map(of_row);
        let executions: Vec<Value> = of_rows.chain(more.iter().cloned()).collect();
        self.aws.answer("ListExecutions", json!({ "executions": executions }));
    }

    fn function(&self) -> FunctionBuilder {
        self.bench.function(STEP).envs(self.aws.environment())
    }

    /// The names of the executions that were started.
    fn started(&self) -> Vec<String> {
        let asked = self.aws.requests("StartExecution");
        asked.iter().filter_map(|request| request["name"].as_str().map(str::to_owned)).collect()
    }

    async fn execute(&self, sql: &str) -> Tested {
        Ok(self.bench.database.execute(sql).await?)
    }
}

#[tokio::test]
async fn a_transient_failure_is_started_anew_with_the_original_input() -> Tested {
    let bench = Bench::new("anew").await?;
    let machine = Machine::new("anew").await?;
    let row = failed_row("AI_ERROR");
    bench.insert(std::slice::from_ref(&row)).await?;
    let first = machine.end(row.id, true).await?;
    let aws = machine.proxy().await?;
    let function =
        bench.function(STEP).envs(aws.environment()).env("STATE_MACHINE_ARN", &machine.arn).env("SETTLE_SECONDS", "0");

    let result = function.start().await?.invoke(&schedule()).await?;

    assert_eq!(
        (texts(&result["actions"], "kind"), texts(&result["actions"], "outcome")),
        (vec!["retry-process"], vec!["applied"]),
        "{result:#}"
    );
    assert_eq!(result["verification"], "verified", "{result:#}");
    let second = arn_of(&machine.arn, &format!("{}-retry-2", row.id));
    let sfn = Aws::shared().await?.sfn();
    let input = |arn: String| {
        let describe = sfn.describe_execution().execution_arn(arn);
        async move { Tested::Ok(describe.send().await?.input.ok_or("no input")?) }
    };
    assert_eq!(input(second.clone()).await?, input(first).await?);
    let after = bench.row(row.id).await?;
    assert_eq!((after.status.as_str(), after.progress, after.retry_count), ("PENDING", 0, 1), "{after:?}");
    assert_eq!((after.error, after.completed_at), (None, None));
    let known = bench.list("SELECT to_jsonb(e) FROM remediation.executions e ORDER BY started_at DESC").await?;
    assert_eq!((&known[0]["execution_arn"], known.len()), (&json!(second), 2));
    Ok(())
}

#[tokio::test]
async fn an_event_that_is_delivered_twice_starts_one_execution() -> Tested {
    for variant in Variant::ALL {
        let failed = Failed::of("doubled", variant, 3, 60).await?;
        let (one, two) = tokio::try_join!(failed.function().start(), failed.function().start())?;
        let event = schedule();
        let (first, second) = tokio::try_join!(one.invoke(&event), two.invoke(&event))?;
        let mut started = failed.started();
        started.sort();
        let mut expected: Vec<String> = failed.rows.iter().map(|row| format!("{}-retry-2", row.id)).collect();
        expected.sort();
        assert_eq!(started, expected, "{first:#} {second:#}");
        one.invoke(&event).await?;
        assert_eq!(failed.aws.calls("StartExecution"), 3, "the rows are open again");
        assert_eq!(failed.bench.count("PENDING").await?, 3);
    }
    Ok(())
}

#[tokio::test]
async fn what_does_not_pass_is_told_once_and_never_tried_again() -> Tested {
    let mut failed = Failed::new("permanent", 0, 40).await?;
    failed.rows = vec![failed_row("VALIDATION_ERROR"), failed_row("MANUAL_INTERVENTION")];
    failed.bench.insert(&failed.rows).await?;
    failed.list(&[]);
    let before = failed.bench.table().await?;
    let function = failed.function().start().await?;
    let told =
        |result: &Value| texts(&result["findings"], "target").iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let bad_input = failed.rows[0].id.to_string();

    // A look by hand tells it to the person who looks, and to nobody else.
    let look = function.invoke(&json!({})).await?;
    assert_eq!(told(&look), std::slice::from_ref(&bad_input), "{look:#}");
    let first = function.invoke(&schedule()).await?;
    assert_eq!((findings(&first), told(&first)), (vec!["permanent_failure"], vec![bad_input.clone()]), "{first:#}");
    assert_eq!(first["findings"][0]["evidence"]["code"], "VALIDATION_ERROR");
    let second = function.invoke(&schedule()).await?;
    assert!(findings(&second).is_empty(), "{second:#}");
    assert_eq!(second["skipped"].as_array().map(Vec::len), Some(2), "{second:#}");
    let by_hand = function.invoke(&json!({ "processId": failed.rows[0].id })).await?;
    assert_eq!(findings(&by_hand), ["permanent_failure"], "{by_hand:#}");

    // The user tries again, and it fails again: that is another failure.
    failed
        .execute("UPDATE processing_state SET completed_at = now(), updated_at = now() WHERE status = 'FAILED'")
        .await?;
    let again = failed.function().env("SETTLE_SECONDS", "0").start().await?.invoke(&schedule()).await?;
    assert_eq!(told(&again), [bad_input], "{again:#}");
    assert_eq!(failed.aws.calls("StartExecution"), 0);
    assert_eq!(failed.bench.table().await?.len(), before.len());
    assert_eq!(failed.bench.count("FAILED").await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_people_were_told_of_is_not_asked_for_again_but_for_the_person_who_asks() -> Tested {
    let mut failed = Failed::new("asked_once", 0, 40).await?;
    // Only its execution can tell what it failed with.
    let row = failed_row("STEP_FUNCTIONS_ERROR");
    failed.bench.insert(std::slice::from_ref(&row)).await?;
    let (started, ended) = (row.created_at + TimeDelta::seconds(1), json!({ "error": "ProcessingFailed" }));
    failed.aws.answer("DescribeExecution", description(row.id, "FAILED", started, Some(row.updated_at), &ended));
    failed.aws.answer("GetExecutionHistory", json!({ "events": [] }));
    failed.rows = vec![row];
    failed.list(&[]);
    let function = failed.function().start().await?;

    let first = function.invoke(&schedule()).await?;
    let asked_for = || failed.aws.calls("GetExecutionHistory");
    assert_eq!((findings(&first), asked_for()), (vec!["permanent_failure"], 1), "{first:#}");
    let second = function.invoke(&schedule()).await?;
    assert_eq!((findings(&second), asked_for()), (vec![], 1), "{second:#}");
    let why = "skipped, because its execution was not looked up: needs a person; already reported";
    assert_eq!(texts(&second["skipped"], "why"), [why], "{second:#}");
    let asked = function.invoke(&json!({})).await?;
    assert_eq!((findings(&asked), asked_for()), (vec!["permanent_failure"], 2), "{asked:#}");
    Ok(())
}

#[tokio::test]
async fn attempts_are_counted_over_the_row_and_the_ledger() -> Tested {
    let failed = Failed::new("attempts", 3, 80).await?;
    failed.execute(&format!("UPDATE processing_state SET retry_count = 2 WHERE id = '{}'", failed.rows[0].id)).await?;
    // Two retries of ours, of which the row knows nothing.
    failed
        .execute(&format!(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, created_at)
             SELECT gen_random_uuid(), gen_random_uuid(), '{STEP}', 'retry-process', '{}', 'applied', 'before', now() - interval '2 days'
               FROM generate_series(1, 2)",
            failed.rows[1].id
        ))
        .await?;
    let result = failed.function().start().await?.invoke(&schedule()).await?;
    assert_eq!(findings(&result), ["attempts_exhausted"; 2], "{result:#}");
    assert!(texts(&result["findings"], "message").iter().all(|told| told.contains("after 3 attempts")), "{result:#}");
    assert_eq!(failed.started(), [format!("{}-retry-2", failed.rows[2].id)]);
    let again = failed.function().start().await?.invoke(&schedule()).await?;
    assert!(findings(&again).is_empty(), "{again:#}");
    Ok(())
}

#[tokio::test]
async fn a_start_that_is_refused_leaves_everything_as_it_was_and_is_not_tried_for_ever() -> Tested {
    let failed = Failed::new("refused", 1, 40).await?;
    let before = failed.bench.row(failed.rows[0].id).await?;
    failed.aws.fail("StartExecution", Failure::error("AccessDeniedException"));
    // The name that was to be started is asked for, and is not there.
    let proxy = Arc::downgrade(&failed.aws);
    failed.aws.after("DescribeExecution", move || {
        if let Some(proxy) = proxy.upgrade() {
            proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist").times(1));
        }
        async {}
    });
    let function = failed.function().start().await?;
    for attempt in 1..=3 {
        let result = function.invoke(&schedule()).await?;
        assert_eq!(texts(&result["actions"], "outcome"), ["failed"], "{attempt}: {result:#}");
        assert!(
            result["actions"][0]["reason"]
                .as_str()
                .is_some_and(|why| why.contains("StartExecution: AccessDeniedException"))
        );
        assert_eq!(result["verification"], "failed");
        assert_eq!(failed.bench.row(failed.rows[0].id).await?, before, "{attempt}");
    }
    let result = function.invoke(&schedule()).await?;
    assert!(texts(&result["skipped"], "why")[0].contains("handled 3 times within 24 h"), "{result:#}");
    assert_eq!(findings(&result), ["attempts_used_up"], "{result:#}");
    assert_eq!(failed.aws.calls("StartExecution"), 3);
    let known = failed.bench.list("SELECT to_jsonb(e) FROM remediation.executions e").await?;
    assert_eq!(known.len(), 1, "what was not started is not known");
    Ok(())
}

/// A run that ends between the transaction that re-opens the row and StartExecution's answer.
async fn crashed(hint: &str) -> Tested<Failed> {
    let failed = Failed::new(hint, 1, 40).await?;
    let database = Arc::new(CountingProxy::start(failed.bench.database.port()).await?);
    let url = failed.bench.database.url_through(database.port(), harness::APPLICATION.0, harness::APPLICATION.1);
    failed.aws.before("StartExecution", move || {
        let database = Arc::clone(&database);
        async move {
            database.refuse().await;
            database.cut();
        }
    });
    let function = failed.function().env("DATABASE_URL", url).start().await?;
    // A schedule that failed is no error to Lambda.
    let crash = function.invoke(&schedule()).await?;
    assert_eq!(crash["errorType"], "DatabaseError", "{crash:#}");
    assert_eq!(failed.bench.row(failed.rows[0].id).await?.status, "PENDING");
    assert_eq!(failed.bench.actions().await?[0]["outcome"], "applying");

    // A minute later it may still be under way, for all that anybody knows.
    failed.aws.clear();
    failed.list(&[]);
    let early = failed.function().start().await?.invoke(&schedule()).await?;
    assert!(early["actions"].as_array().is_some_and(Vec::is_empty), "{early:#}");
    failed.execute("UPDATE remediation.actions SET created_at = created_at - interval '4 minutes', alive_until = now() - interval '1 minute'").await?;
    Ok(failed)
}

#[tokio::test]
async fn what_a_crash_left_open_is_put_back_by_the_next_run_if_it_was_not_started() -> Tested {
    let failed = crashed("crashed").await?;
    let before = failed.rows[0].clone();
    failed.aws.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist"));
    let function = failed.function().start().await?;

    let look = function.invoke(&json!({})).await?;
    assert_eq!(texts(&look["actions"], "outcome"), ["planned"], "{look:#}");
    assert_eq!(failed.bench.row(before.id).await?.status, "PENDING", "a look changes nothing");
    let result = function.invoke(&schedule()).await?;

    assert_eq!(
        (texts(&result["actions"], "kind"), texts(&result["actions"], "outcome")),
        (vec!["resolve-retry"], vec!["applied"]),
        "{result:#}"
    );
    assert_eq!(failed.bench.row(before.id).await?, before);
    let actions = failed.bench.actions().await?;
    assert_eq!((actions.len(), &actions[0]["outcome"]), (1, &json!("failed")), "{actions:#?}");
    Ok(())
}

#[tokio::test]
async fn what_a_crash_left_open_stands_if_it_was_started() -> Tested {
    let failed = crashed("crashed_after").await?;
    let id = failed.rows[0].id;
    failed.aws.answer("DescribeExecution", description(id, "RUNNING", ago(240), None, &json!({})));
    let result = failed.function().start().await?.invoke(&schedule()).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"], "{result:#}");
    assert_eq!(failed.bench.row(id).await?.status, "PENDING");
    assert_eq!(failed.bench.actions().await?[0]["outcome"], "applied");
    Ok(())
}

#[tokio::test]
async fn a_start_that_is_never_answered_ends_in_time_and_stays_open() -> Tested {
    let failed = Failed::new("silence", 1, 40).await?;
    failed.aws.fail("StartExecution", Failure::silence());
    let function = failed.function().timeout(Duration::from_secs(9)).start().await?;
    let result = function.invoke(&schedule()).await?;
    let reason = result["actions"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("was started; a run in a few minutes checks and settles it"), "{result:#}");
    assert_eq!(failed.bench.actions().await?[0]["outcome"], "applying");
    Ok(())
}

#[tokio::test]
async fn while_most_of_them_fail_one_is_let_through_and_its_success_lets_the_others() -> Tested {
    let failed = Failed::new("breaker", 4, 0).await?;
    let function = failed.function().start().await?;

    let first = function.invoke(&schedule()).await?;
    let started = failed.started();
    assert_eq!(started.len(), 1, "{first:#}");
    assert_eq!(failed.bench.actions().await?[0]["cause"], "probe");
    assert!(
        texts(&first["skipped"], "why").iter().all(|why| why.contains("waiting for the result of the probe")),
        "{first:#}"
    );

    // As long as it runs, nobody else; a person is told so.
    function.invoke(&schedule()).await?;
    let waiting = failed.rows.iter().find(|row| !started[0].starts_with(&row.id.to_string())).ok_or("nobody waits")?;
    let by_hand = function.invoke(&json!({ "processId": waiting.id })).await?;
    assert!(texts(&by_hand["skipped"], "why")[0].contains("waiting for the result of the probe"), "{by_hand:#}");
    assert_eq!(failed.started().len(), 1);

    // It fails: nobody for five minutes, but by a person's will.
    let probe = |status: &str| {
        let mut item = listed(Uuid::new_v4(), status, Utc::now(), Some(Utc::now()));
        item["name"] = started[0].as_str().into();
        item["executionArn"] = arn_of(MACHINE, &started[0]).into();
        item
    };
    failed.list(&[probe("FAILED")]);
    let paused = function.invoke(&schedule()).await?;
    assert!(texts(&paused["skipped"], "why").iter().any(|why| why.contains("the probe failed too")), "{paused:#}");
    assert_eq!(failed.started().len(), 1);
    function.invoke(&json!({ "processId": waiting.id })).await?;
    assert_eq!(failed.started().len(), 2);

    // That one succeeds: the others follow.
    let mut success = listed(waiting.id, "SUCCEEDED", Utc::now(), Some(Utc::now()));
    success["executionArn"] = arn_of(MACHINE, &failed.started()[1]).into();
    failed.list(&[probe("FAILED"), success]);
    let rest = function.invoke(&schedule()).await?;
    assert_eq!(failed.started().len(), 4, "{rest:#}");
    let causes: Vec<Value> = failed.bench.actions().await?.iter().map(|action| action["cause"].clone()).collect();
    assert_eq!(causes, ["probe", "probe", "transient", "transient"]);
    Ok(())
}

#[tokio::test]
async fn bad_input_does_not_open_the_breaker() -> Tested {
    let failed = Failed::new("bad_input", 1, 19).await?;
    let bad: Vec<Row> = (0..20).map(|_| failed_row("VALIDATION_ERROR")).collect();
    failed.bench.insert(&bad).await?;
    let result = failed.function().start().await?.invoke(&schedule()).await?;
    assert_eq!(failed.bench.actions().await?[0]["cause"], "transient", "{result:#}");
    Ok(())
}

#[tokio::test]
async fn the_limit_an_hour_holds_over_all_runs_and_a_person_may_approve_the_rest() -> Tested {
    let failed = Failed::new("limit", 3, 80).await?;
    failed.execute(&format!("INSERT INTO remediation.controls (step, actions_per_hour) VALUES ('{STEP}', 2)")).await?;
    let function = failed.function().start().await?;
    let first = function.invoke(&schedule()).await?;
    assert_eq!((failed.started().len(), findings(&first)), (2, vec!["over_limit"]), "{first:#}");
    let second = function.invoke(&schedule()).await?;
    assert_eq!((failed.started().len(), texts(&second["actions"], "outcome")), (2, vec!["proposed"]), "{second:#}");
    failed.execute("UPDATE remediation.controls SET actions_per_hour = 3").await?;
    let approved = function.invoke(&second["toDoIt"]).await?;
    assert_eq!((failed.started().len(), texts(&approved["actions"], "outcome")), (3, vec!["applied"]), "{approved:#}");
    Ok(())
}

#[tokio::test]
async fn observing_tells_and_proposing_waits() -> Tested {
    let failed = Failed::new("modes", 2, 60).await?;
    let before = failed.bench.table().await?;
    let function = failed.function().start().await?;
    let look = function.invoke(&json!({})).await?;
    assert_eq!(
        (texts(&look["actions"], "outcome"), &look["toDoIt"]),
        (vec!["planned"; 2], &json!({ "all": true })),
        "{look:#}"
    );
    let after = &look["actions"][0]["after"];
    assert_eq!((&after["status"], &after["attempt"]), (&json!("PENDING"), &json!(2)), "{look:#}");
    let proposing = failed.function().env("REMEDIATION_MODE", "propose").start().await?;
    let proposed = proposing.invoke(&schedule()).await?;
    assert_eq!(texts(&proposed["actions"], "outcome"), ["proposed"; 2], "{proposed:#}");
    assert_eq!((failed.bench.table().await?, failed.started().len()), (before, 0));

    let approved = proposing.invoke(&proposed["toDoIt"]).await?;
    assert_eq!(
        (texts(&approved["actions"], "outcome"), failed.started().len()),
        (vec!["applied"; 2], 2),
        "{approved:#}"
    );
    Ok(())
}

#[tokio::test]
async fn the_alarms_end_starts_it_and_its_beginning_does_not() -> Tested {
    let failed = Failed::new("alarm", 1, 40).await?;
    let function = failed.function().start().await?;
    let incidents = || failed.bench.list("SELECT to_jsonb(i) FROM remediation.incidents i");

    let begins = function.invoke(&sample(STEP, "alarm-error-rate")?).await?;
    assert!(begins["summary"].as_str().is_some_and(|told| told.contains("is in ALARM: incident opened")), "{begins:#}");
    assert_eq!(failed.started().len(), 0);
    assert_eq!(incidents().await?[0]["closed_at"], Value::Null);

    let ends = function.invoke(&sample(STEP, "alarm-error-rate-ok")?).await?;
    assert_eq!((failed.started().len(), texts(&ends["actions"], "outcome")), (1, vec!["applied"]), "{ends:#}");
    assert_ne!(incidents().await?[0]["closed_at"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn the_users_own_retry_wins() -> Tested {
    // It is written at the very moment in which ours is about to be.
    let failed = Failed::new("users_retry", 1, 40).await?;
    let pool = failed.bench.database.pool().clone();
    failed.aws.after("DescribeExecution", move || {
        let pool = pool.clone();
        async move {
            let retry = "UPDATE processing_state SET status = 'PENDING', error = NULL, completed_at = NULL,
                                retry_count = retry_count + 1, updated_at = now() WHERE status = 'FAILED'";
            let _ = sqlx::query(retry).execute(&pool).await;
        }
    });
    let result = failed.function().start().await?.invoke(&schedule()).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["superseded"], "{result:#}");
    assert!(texts(&result["skipped"], "why").contains(&"the row is PENDING, not failed"), "{result:#}");
    assert_eq!((failed.started().len(), failed.bench.row(failed.rows[0].id).await?.retry_count), (0, 1));

    // Its execution is known to Step Functions only.
    let failed = Failed::new("users_execution", 1, 40).await?;
    failed.list(&[listed(failed.rows[0].id, "RUNNING", ago(5), None)]);
    let result = failed.function().start().await?.invoke(&schedule()).await?;
    assert!(texts(&result["skipped"], "why").contains(&"its execution has not ended yet"), "{result:#}");

    // A request for the same, under another id; in both spellings of the columns that tell.
    for variant in [GUIDE, PUSHED] {
        let mut failed = Failed::of("users_request", variant, 0, 40).await?;
        let row = Row { target_id: Some(Uuid::new_v4()), ..failed_row("AI_ERROR") };
        let newer = Row { user_id: row.user_id, target_id: row.target_id, ..processing(30) };
        failed.bench.insert(&[row.clone(), newer]).await?;
        failed.rows = vec![row];
        failed.list(&[]);
        let result = failed.function().start().await?.invoke(&schedule()).await?;
        assert!(
            texts(&result["skipped"], "why").contains(&"superseded by a newer request from the user"),
            "{result:#}"
        );
        assert_eq!(failed.started().len(), 0);
    }
    Ok(())
}

#[tokio::test]
async fn without_the_list_of_executions_nothing_is_started() -> Tested {
    let failed = Failed::new("no_list", 1, 40).await?;
    let function = failed.function().start().await?;
    // What was read before is no proof of now.
    function.invoke(&json!({ "schedule": STEP, "mode": "observe" })).await?;
    failed.aws.fail("ListExecutions", Failure::error("AccessDeniedException"));
    let result = function.invoke(&schedule()).await?;
    assert_eq!(findings(&result), ["step_functions_unavailable"], "{result:#}");
    assert!(texts(&result["skipped"], "why")[0].contains("a newer one may have been started"), "{result:#}");
    assert_eq!(failed.started().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_row_that_says_nothing_is_asked_about_at_step_functions() -> Tested {
    let mut failed = Failed::new("no_code", 0, 40).await?;
    let row = Row { error: Some(json!({ "code": "STEP_FUNCTIONS_ERROR" })), ..failed_row("-") };
    failed.bench.insert(std::slice::from_ref(&row)).await?;
    failed.rows = vec![row];
    failed.list(&[]);
    let event = json!({
        "id": 7,
        "timestamp": Utc::now().timestamp(),
        "type": "TaskFailed",
        "taskFailedEventDetails": { "resourceType": "lambda", "resource": "invoke", "error": "Lambda.TooManyRequestsException", "cause": "Rate exceeded" },
    });
    failed.aws.answer("GetExecutionHistory", json!({ "events": [event] }));
    let result = failed.function().start().await?.invoke(&schedule()).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"], "{result:#}");
    assert_eq!(failed.started().len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_not_due_waits_and_the_red_button_is_asked_for_again_when_it_is() -> Tested {
    // After throttling a first retry waits for up to 5 s, and for how long the identity says.
    let share = |id: Uuid| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{id}/0").as_bytes()).as_bytes()[0];
    let mut failed = Failed::new("button_due", 0, 60).await?;
    let slow =
        std::iter::repeat_with(|| failed_row("ThrottlingException")).find(|row| share(row.id) > 220).ok_or("none")?;
    failed.rows = vec![slow];
    failed.bench.insert(&failed.rows).await?;
    failed.list(&[]);
    let function = failed.function().start().await?;
    let event = schedule();
    let (result, pressed) = tokio::join!(function.invoke(&event), async {
        let asked = "SELECT to_jsonb(count(*)) FROM pg_stat_activity
                      WHERE datname = current_database() AND state = 'idle' AND query LIKE '-- What the limits are counted by%'";
        eventually(BOUND, "the limits to be asked for", || async {
            (failed.bench.list(asked).await.ok()? == [json!(1)]).then_some(())
        })
        .await?;
        failed.execute("INSERT INTO remediation.controls (step, mode) VALUES ('*', 'observe')").await
    });
    pressed?;
    let result = result?;
    assert_eq!(
        (texts(&result["actions"], "outcome"), findings(&result)),
        (vec!["planned"], vec!["stopped"]),
        "{result:#}"
    );
    assert_eq!((failed.started().len(), failed.bench.count("FAILED").await?), (0, 1));

    failed.execute("DELETE FROM remediation.controls").await?;
    let began = Utc::now();
    let result = function.invoke(&event).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"], "{result:#}");
    assert!(Utc::now() - began > TimeDelta::seconds(3), "it waited until it was due");
    Ok(())
}
