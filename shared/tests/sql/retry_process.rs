//! Starting a failed process anew: the row, the execution it gets and the entry in one transaction, before anything is started; and
//! back to what it was where nothing is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::Utc;
use harness::{AwsProxy, Failure};
use patient::table::{GUIDE, Row, Variant};
use remediation::act::action::{Action as _, ActionResult, Outcome};
use remediation::act::actions::retry_process::{RetryCause, RetryProcess};
use remediation::act::ledger::facts;
use remediation::gather::error::Error;
use remediation::gather::step_functions::{Seen, StepFunctions};
use remediation::run::step::Planned;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};
use tokio::sync::Barrier;

use crate::support::*;

/// A failed row, its execution that is over, and the wish to try it again.
struct Retrying {
    world: World,
    row: Row,
    basis: Seen,
    input: Value,
    proxy: Arc<AwsProxy>,
    step_functions: StepFunctions,
    action: RetryProcess,
    planned: Planned,
}

impl Retrying {
    async fn new(hint: &str) -> Self {
        Self::of(hint, &GUIDE).await
    }

    async fn of(hint: &str, variant: &Variant) -> Self {
        let mut world = World::of(hint, variant).await;
        let row = failed_row();
        let basis = ended(
            execution(row.id, Failed, seconds_ago(119), Some(seconds_ago(60))),
            Some("ProcessingFailed"),
            Some("AI generation failed"),
        );
        world.insert(std::slice::from_ref(&row)).await;
        world.remember(std::slice::from_ref(&basis)).await;
        let input = json!({ "processId": row.id, "userId": row.user_id, "params": { "title": "声", "n": 1.50 } });
        let proxy = scripted().await;
        proxy.answer("DescribeExecution", described(&basis, &input));
        proxy.answer("StartExecution", json!({ "executionArn": "x", "startDate": 1_764_000_000.5 }));
        let step_functions = step_functions(&proxy, MACHINE).await;
        let action = RetryProcess {
            process: world.process(row.id).await,
            basis: basis.execution.clone(),
            attempt: 2,
            cause: RetryCause::Transient,
            not_before: Utc::now(),
        };
        let planned = planned(action.clone());
        list_pages(&proxy, &[vec![]]);
        Self { world, row, basis, input, proxy, step_functions, action, planned }
    }

    async fn apply(&mut self) -> Outcome {
        let mut table = None;
        let mut session = self.world.session(&self.step_functions, &mut table);
        RetryProcess::apply(&mut session, &run("test-step"), &self.planned, &self.action).await.unwrap()
    }

    /// The action on the row as it is now.
    async fn anew(&mut self) {
        self.action.process = self.world.process(self.row.id).await;
        self.planned = planned(self.action.clone());
    }

    /// Whatever the row has, its version aside.
    async fn whole_row(&self) -> Value {
        let sql = self.world.variant.spell("SELECT to_jsonb(p) FROM {processes} p WHERE id = $1");
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(self.row.id).fetch_one(self.world.database.pool()).await.unwrap()
    }

    /// Known executions, with their statuses.
    async fn executions(&self) -> Vec<(String, String)> {
        sqlx::query_as("SELECT execution_arn, status FROM remediation.executions ORDER BY started_at")
            .fetch_all(self.world.database.pool())
            .await
            .unwrap()
    }

    async fn entry(&self) -> Entry {
        self.world.entry(self.planned.id).await.expect("it is recorded")
    }

    /// After the look at the old execution, Step Functions answers otherwise.
    fn then(&self, change: impl Fn(&AwsProxy) + Send + Sync + 'static) {
        let (proxy, done) = (Arc::downgrade(&self.proxy), AtomicBool::new(false));
        self.proxy.after("DescribeExecution", move || {
            if let Some(proxy) = proxy.upgrade().filter(|_| !done.swap(true, Ordering::SeqCst)) {
                change(&proxy);
            }
            async {}
        });
    }

    /// The new execution as Step Functions has it.
    fn retried(&self, status: remediation::domain::ExecutionStatus) -> Value {
        let stopped = status.is_over().then(Utc::now);
        let mut seen = execution(self.row.id, status, Utc::now(), stopped);
        seen.execution.arn = self.action.execution();
        described(&seen, &self.input)
    }

    async fn resolve(&mut self) -> Vec<Outcome> {
        let mut table = None;
        let mut session = self.world.session(&self.step_functions, &mut table);
        let mut outcomes = Vec::new();
        for end in resolve::<RetryProcess>(&mut session).await.unwrap() {
            assert_eq!(
                (end.id, end.action.kind()),
                (self.planned.id, "resolve-retry"),
                "it ends the retry's own entry"
            );
            outcomes.push(carry_out(&mut session, &run("test-step"), &end).await.unwrap());
        }
        outcomes
    }

    /// The run that began the open action can no longer be alive.
    async fn age(&self) {
        let sql = "UPDATE remediation.actions SET created_at = now() - interval '4 minutes', alive_until = now() - interval '6 s'";
        self.world.execute(sql).await;
    }
}

fn failed_row() -> Row {
    let row = processing(120).became("FAILED", seconds_ago(61));
    let error = json!({ "code": "AI_ERROR", "message": "Bedrock APIでエラーが発生しました", "n": 1.50 });
    Row { progress: 50, error: Some(error), retry_count: 0, ..row }
}

#[tokio::test]
async fn the_row_is_reopened_and_its_execution_registered_before_it_is_started_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut retrying = Retrying::of(variant.name, &variant).await;
        let new = retrying.action.execution();
        let seen = Arc::new(Mutex::new(None));
        let (database, told, id) = (retrying.world.database.clone(), Arc::clone(&seen), retrying.row.id);
        retrying.proxy.before("StartExecution", move || {
            let (database, told) = (database.clone(), Arc::clone(&told));
            async move {
                let row = patient::table::read(database.pool(), &variant, id).await.unwrap().unwrap();
                let registered: Vec<(String, String)> = sqlx::query_as(
                    "SELECT e.execution_arn, a.outcome FROM remediation.executions e, remediation.actions a
                      WHERE e.status = 'RUNNING' AND e.process_id = $1::text AND a.after ->> 'executionArn' = e.execution_arn",
                )
                .bind(id)
                .fetch_all(database.pool())
                .await
                .unwrap();
                *told.lock().unwrap() = Some((row, registered));
            }
        });

        let outcome = retrying.apply().await;

        assert_eq!((&outcome.result, outcome.again), (&ActionResult::Applied, None), "{}: {outcome:?}", variant.name);
        let (row, registered) = seen.lock().unwrap().clone().ok_or("it was not started")?;
        assert_eq!(registered, [(new.to_string(), "applying".to_owned())], "{}", variant.name);
        let expected = Row {
            status: "PENDING".to_owned(),
            progress: 0,
            error: None,
            completed_at: None,
            retry_count: i16::from(variant.complete),
            updated_at: row.updated_at,
            ..retrying.row.clone()
        };
        assert_eq!(row, expected, "{}", variant.name);
        assert!(row.updated_at > retrying.row.updated_at, "{}", variant.name);
        assert_eq!(retrying.world.row(id).await, row);

        let asked = &retrying.proxy.requests("StartExecution")[0];
        assert_eq!(
            (asked["name"].as_str(), asked["input"].as_str()),
            (Some(new.name()), Some(retrying.input.to_string().as_str()))
        );
        assert_eq!(asked["stateMachineArn"], MACHINE);
        assert_eq!(new.name(), format!("{id}-retry-2"));
        let started: Vec<(bool, bool)> = sqlx::query_as(
            "SELECT started_at = to_timestamp(1764000000.5), process_id = $2::text FROM remediation.executions WHERE execution_arn = $1",
        )
        .bind(new.as_str())
        .bind(id)
        .fetch_all(retrying.world.database.pool())
        .await?;
        assert_eq!(started, [(true, true)], "{}: as Step Functions says", variant.name);

        let entry = retrying.entry().await;
        assert_eq!((entry.outcome.as_str(), entry.kind.as_str(), entry.closed), ("applied", "retry-process", true));
        assert_eq!((entry.target, entry.cause.as_deref()), (id.to_string(), Some("transient")));
        assert_eq!(entry.before.as_ref().map(|image| &image["status"]), Some(&json!("FAILED")));
        let after = entry.after.clone().ok_or("no image")?;
        assert_eq!((&after["status"], &after["attempt"]), (&json!("PENDING"), &json!(2)));
        assert_eq!((entry.before, entry.after), (outcome.before, outcome.after));
    }
    Ok(())
}

#[tokio::test]
async fn what_is_refused_leaves_the_row_exactly_as_it_was_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut retrying = Retrying::of(variant.name, &variant).await;
        retrying.world.execute("UPDATE {processes} SET {updated_at} = {updated_at} - interval '1.234 s'").await;
        retrying.anew().await;
        let before = retrying.whole_row().await;
        for code in
            ["AccessDeniedException", "StateMachineDoesNotExist", "InvalidExecutionInput", "ThrottlingException"]
        {
            retrying.proxy.fail("StartExecution", Failure::error(code).times(1));
            retrying.then(|proxy| proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist").times(1)));

            let outcome = retrying.apply().await;

            let ActionResult::Failed(why) = &outcome.result else { return Err(format!("{outcome:?}").into()) };
            assert!(why.contains(code) && !why.contains("moved"), "{}: {why}", variant.name);
            assert_eq!(retrying.whole_row().await, before, "{} {code}", variant.name);
            let known = [(retrying.basis.execution.arn.to_string(), "FAILED".to_owned())];
            assert_eq!(retrying.executions().await, known, "{}: nothing else was started", variant.name);
            let entry = retrying.entry().await;
            assert_eq!((entry.outcome.as_str(), entry.closed), ("failed", true), "{}", variant.name);
            assert!(entry.reason.contains(code), "{}", entry.reason);
            retrying.anew().await;
        }
        // Four times refused, and each counts: else it would be tried for ever.
        let target = retrying.row.id.to_string();
        let facts = facts::facts(&mut retrying.world.db, "test-step", KINDS, std::slice::from_ref(&target)).await?;
        assert_eq!(facts.targets[&target].attempts, 4);
        // The name is free.
        assert_eq!(retrying.apply().await.result, ActionResult::Applied, "{}", variant.name);
        assert_eq!(retrying.proxy.requests("StartExecution")[4]["name"], retrying.action.execution().name());
    }
    Ok(())
}

#[tokio::test]
async fn whoever_moves_the_row_or_the_execution_first_wins() -> Tested {
    let newer = "INSERT INTO remediation.executions (execution_arn, process_id, status, started_at)
                 SELECT 'arn:newer', id, 'RUNNING', now() FROM {processes}";
    let asked_anew = "INSERT INTO {processes} (id, {user_id}, type, status, target_id, {created_at}, {updated_at})
                      SELECT gen_random_uuid(), {user_id}, type, 'PENDING', target_id, now(), now() FROM {processes}";
    let applying = "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason)
                    SELECT gen_random_uuid(), gen_random_uuid(), 's', 'repair', id::text, 'applying', 'r' FROM {processes}";
    for (who, sql) in [
        ("the user's own retry", "UPDATE {processes} SET status = 'PENDING', {updated_at} = now()"),
        ("the user's cancel", "UPDATE {processes} SET status = 'CANCELLED', {updated_at} = now()"),
        ("a late worker", "UPDATE {processes} SET progress = 90"),
        ("a newer execution", newer),
        ("the execution was redriven", "UPDATE remediation.executions SET redrive_count = 1, status = 'RUNNING'"),
        ("the user asked anew", asked_anew),
        ("another action is under way", applying),
        ("the row is gone", "DELETE FROM {processes}"),
    ] {
        let mut retrying = Retrying::new("moved").await;
        retrying.world.execute("UPDATE {processes} SET target_id = gen_random_uuid()").await;
        retrying.anew().await;
        retrying.world.execute(sql).await;
        let table = |retrying: &Retrying| {
            let pool = retrying.world.database.pool().clone();
            async move {
                let rows: Vec<Value> = sqlx::query_scalar("SELECT to_jsonb(p) FROM processing_state p ORDER BY id")
                    .fetch_all(&pool)
                    .await
                    .unwrap();
                rows
            }
        };
        let before = table(&retrying).await;
        let outcome = retrying.apply().await;
        assert_eq!(outcome.result, ActionResult::Superseded, "{who}");
        assert_eq!(outcome.again, Some(retrying.action.process.id), "{who}: it is looked at anew");
        assert_eq!(table(&retrying).await, before, "{who}");
        assert_eq!(retrying.proxy.calls("StartExecution"), 0, "{who}");
        assert!(retrying.world.entry(retrying.planned.id).await.is_none(), "{who}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_target_nothing_supersedes_and_another_users_request_never_does() -> Tested {
    for (target, user) in [("NULL", "{user_id}"), ("target_id", "gen_random_uuid()")] {
        let mut retrying = Retrying::new("not-superseded").await;
        retrying
            .world
            .execute(&format!(
                "UPDATE {{processes}} SET target_id = {}",
                target.replace("target_id", "gen_random_uuid()")
            ))
            .await;
        retrying.anew().await;
        let other = format!(
            "INSERT INTO {{processes}} (id, {{user_id}}, type, status, target_id, {{created_at}}, {{updated_at}})
             SELECT gen_random_uuid(), {user}, type, 'PENDING', target_id, now(), now() FROM {{processes}}"
        );
        retrying.world.execute(&other).await;
        assert_eq!(retrying.apply().await.result, ActionResult::Applied, "{target} {user}");
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_being_written_is_never_waited_for() -> Tested {
    let mut retrying = Retrying::new("locked").await;
    let mut other = retrying.world.database.connect().await?;
    let mut writing = other.begin().await?;
    sqlx::query("UPDATE processing_state SET status = 'PENDING'").execute(&mut *writing).await?;
    assert_eq!(retrying.apply().await.result, ActionResult::Superseded);
    writing.rollback().await?;

    let mut working = other.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('remediation:' || $1, 0))")
        .bind(retrying.row.id.to_string())
        .execute(&mut *working)
        .await?;
    let outcome = retrying.apply().await;
    assert_eq!((outcome.result, outcome.again), (ActionResult::Busy, None));
    assert_eq!(retrying.proxy.calls("StartExecution"), 0);
    working.rollback().await?;
    assert_eq!(retrying.apply().await.result, ActionResult::Applied);
    Ok(())
}

/// Applies both at once, each in a container of its own.
async fn both(first: &mut Retrying, other: &RetryProcess) -> [ActionResult; 2] {
    let mut second = first.world.another().await;
    let barrier = Barrier::new(2);
    let step_functions = step_functions(&first.proxy, MACHINE).await;
    let twin = planned(other.clone());
    let one = async {
        barrier.wait().await;
        first.apply().await.result
    };
    let two = async {
        let mut table = None;
        let mut session = second.session(&step_functions, &mut table);
        barrier.wait().await;
        carry_out(&mut session, &run("test-step"), &twin).await.unwrap().result
    };
    let (one, two) = tokio::join!(one, two);
    [one, two]
}

#[tokio::test]
async fn of_two_that_want_the_same_at_once_one_starts_it() -> Tested {
    for _ in 0..5 {
        let mut retrying = Retrying::new("twice").await;
        let same = retrying.action.clone();
        let results = both(&mut retrying, &same).await;
        assert_eq!(results.iter().filter(|result| **result == ActionResult::Applied).count(), 1, "{results:?}");
        assert_eq!(retrying.proxy.calls("StartExecution"), 1, "{results:?}");
        assert_eq!(retrying.executions().await.len(), 2);
        assert_eq!(retrying.world.row(retrying.row.id).await.retry_count, 1);
    }
    Ok(())
}

#[tokio::test]
async fn of_two_probes_at_once_one_is_let_through_and_the_next_only_when_it_is_over() -> Tested {
    for _ in 0..5 {
        let mut retrying = Retrying::new("probes").await;
        // What is started now is within its deadline for as long as the test takes.
        retrying.proxy.answer("StartExecution", json!({ "executionArn": "x", "startDate": Utc::now().timestamp() }));
        let row = failed_row();
        let basis = execution(row.id, Failed, seconds_ago(119), Some(seconds_ago(60)));
        retrying.world.insert(std::slice::from_ref(&row)).await;
        retrying.world.remember(std::slice::from_ref(&basis)).await;
        retrying.action.cause = RetryCause::Probe;
        let other = RetryProcess {
            process: retrying.world.process(row.id).await,
            basis: basis.execution.clone(),
            ..retrying.action.clone()
        };
        let results = both(&mut retrying, &other).await;
        assert_eq!(results.iter().filter(|result| **result == ActionResult::Applied).count(), 1, "{results:?}");
        assert_eq!(results.iter().filter(|result| **result == ActionResult::Busy).count(), 1, "{results:?}");

        // The second one, once more.
        if results[0] == ActionResult::Applied {
            (retrying.action, retrying.row) = (other, row);
        }
        retrying.anew().await;
        assert_eq!(retrying.apply().await.result, ActionResult::Busy);
        retrying
            .world
            .execute(
                "UPDATE remediation.executions SET status = 'SUCCEEDED', stopped_at = now() WHERE status = 'RUNNING'",
            )
            .await;
        assert_eq!(retrying.apply().await.result, ActionResult::Applied);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_somebody_moved_meanwhile_is_not_put_back() -> Tested {
    for sql in [
        "UPDATE processing_state SET status = 'CANCELLED', completed_at = now(), updated_at = now()",
        "UPDATE processing_state SET retry_count = 7",
    ] {
        let mut retrying = Retrying::new("moved-meanwhile").await;
        retrying.proxy.fail("StartExecution", Failure::error("AccessDeniedException"));
        // The look under the new name, after the refusal, is the moment in which the row is moved; it finds nothing.
        let (pool, looked) = (retrying.world.database.pool().clone(), Arc::new(AtomicBool::new(false)));
        retrying.proxy.before("DescribeExecution", move || {
            let (pool, again) = (pool.clone(), looked.swap(true, Ordering::SeqCst));
            async move {
                if again {
                    sqlx::query(sql).execute(&pool).await.unwrap();
                }
            }
        });
        retrying.then(|proxy| proxy.answer("DescribeExecution", json!({})));

        let outcome = retrying.apply().await;

        let ActionResult::Failed(why) = &outcome.result else { return Err(format!("{outcome:?}").into()) };
        assert!(why.contains("AccessDenied") && why.contains("somebody else changed the row meanwhile"), "{why}");
        let row = retrying.world.row(retrying.row.id).await;
        assert!(row.status == "CANCELLED" || row.retry_count == 7, "{row:?}");
        assert_eq!(retrying.executions().await.len(), 1, "the execution that does not exist is forgotten");
        assert_eq!(retrying.entry().await.outcome, "failed");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_never_came_is_asked_for_once_more() -> Tested {
    let mut retrying = Retrying::new("once-more").await;
    retrying.proxy.fail("StartExecution", Failure::error("InternalServerError").status(500).times(1));
    assert_eq!(retrying.apply().await.result, ActionResult::Applied);
    let asked = retrying.proxy.requests("StartExecution");
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1], "under the same name, with the same input");
    Ok(())
}

#[tokio::test]
async fn what_was_started_without_an_answer_is_found_under_its_name() -> Tested {
    use remediation::domain::ExecutionStatus;
    for (status, second) in [
        (ExecutionStatus::Running, "InternalServerError"),
        (ExecutionStatus::Succeeded, "InternalServerError"),
        // The first call got through, and it was over before the second.
        (ExecutionStatus::Failed, "ExecutionAlreadyExists"),
    ] {
        let mut retrying = Retrying::new("found").await;
        retrying.proxy.fail("StartExecution", Failure::error("InternalServerError").status(500).times(1));
        let code = if second == "ExecutionAlreadyExists" { 400 } else { 500 };
        retrying.proxy.fail("StartExecution", Failure::error(second).status(code));
        let answer = retrying.retried(status);
        retrying.then(move |proxy| proxy.answer("DescribeExecution", answer.clone()));
        let outcome = retrying.apply().await;
        assert_eq!(outcome.result, ActionResult::Applied, "{status}");
        assert_eq!(retrying.entry().await.outcome, "applied");
        assert_eq!(retrying.executions().await[1], (retrying.action.execution().to_string(), status.to_string()));
        assert_eq!(retrying.world.row(retrying.row.id).await.status, "PENDING", "its execution speaks for it");
    }
    Ok(())
}

#[tokio::test]
async fn an_execution_of_that_name_that_is_over_since_before_is_remembered_and_the_row_put_back() -> Tested {
    use remediation::domain::ExecutionStatus;
    let mut retrying = Retrying::new("earlier").await;
    let before = retrying.whole_row().await;
    retrying.proxy.fail("StartExecution", Failure::error("ExecutionAlreadyExists"));
    let answer = retrying.retried(ExecutionStatus::Succeeded);
    retrying.then(move |proxy| proxy.answer("DescribeExecution", answer.clone()));
    let outcome = retrying.apply().await;
    assert!(
        matches!(&outcome.result, ActionResult::Failed(why) if why.contains("had already been started and ended in SUCCEEDED")),
        "{outcome:?}"
    );
    assert_eq!(retrying.whole_row().await, before, "the decision table completes it: a late success");
    assert_eq!(retrying.executions().await[1].1, "SUCCEEDED");

    // One that still runs is the one that is wanted.
    let mut retrying = Retrying::new("earlier").await;
    retrying.proxy.fail("StartExecution", Failure::error("ExecutionAlreadyExists"));
    let answer = retrying.retried(ExecutionStatus::Running);
    retrying.then(move |proxy| proxy.answer("DescribeExecution", answer.clone()));
    assert_eq!(retrying.apply().await.result, ActionResult::Applied);
    assert_eq!(retrying.world.row(retrying.row.id).await.status, "PENDING");
    Ok(())
}

/// A retry of which nobody knows whether it was started.
async fn left_open(hint: &str, variant: &Variant) -> (Retrying, Value) {
    let mut retrying = Retrying::of(hint, variant).await;
    let before = retrying.whole_row().await;
    retrying.proxy.fail("StartExecution", Failure::error("InternalServerError").status(500));
    retrying.then(|proxy| proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist")));
    let outcome = retrying.apply().await;
    assert!(matches!(&outcome.result, ActionResult::Unverified(why) if why.contains("unknown whether")), "{outcome:?}");
    assert_eq!(retrying.entry().await.outcome, "applying", "that it is not there yet proves nothing");
    assert_eq!(retrying.world.row(retrying.row.id).await.status, "PENDING");
    (retrying, before)
}

#[tokio::test]
async fn a_retry_that_was_never_started_is_put_back_once_it_is_old_enough_to_know_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let (mut retrying, before) = left_open("left-open", &variant).await;
        assert!(retrying.resolve().await.is_empty(), "it may still be under way");
        retrying.age().await;
        let outcomes = retrying.resolve().await;
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].result, ActionResult::Applied, "{}: {outcomes:?}", variant.name);
        assert_eq!(retrying.whole_row().await, before, "{}", variant.name);
        assert_eq!(retrying.executions().await.len(), 1, "{}", variant.name);
        let entry = retrying.entry().await;
        assert_eq!((entry.outcome.as_str(), entry.closed), ("failed", true));
        assert!(entry.reason.contains("was never started: the row was restored"), "{}", entry.reason);
        assert!(retrying.resolve().await.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_retry_that_was_started_after_all_is_closed_as_what_it_is() -> Tested {
    let (mut retrying, _) = left_open("started", &GUIDE).await;
    retrying.age().await;
    retrying.proxy.clear();
    retrying.proxy.answer("DescribeExecution", retrying.retried(remediation::domain::ExecutionStatus::Running));
    assert_eq!(retrying.resolve().await[0].result, ActionResult::Applied);
    assert_eq!(retrying.entry().await.outcome, "applied");
    assert_eq!(retrying.world.row(retrying.row.id).await.status, "PENDING");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_resolved_now_stays_open_and_what_was_moved_stays_moved() -> Tested {
    let (mut retrying, _) = left_open("not-now", &GUIDE).await;
    retrying.age().await;
    retrying.proxy.clear();
    retrying.proxy.fail("DescribeExecution", Failure::error("ThrottlingException").times(1));
    assert!(matches!(retrying.resolve().await[0].result, ActionResult::Failed(_)));
    assert_eq!(retrying.entry().await.outcome, "applying");

    retrying.proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist"));
    let mut other = retrying.world.database.connect().await?;
    let mut writing = other.begin().await?;
    sqlx::query("UPDATE processing_state SET status = 'CANCELLED', updated_at = now()").execute(&mut *writing).await?;
    assert_eq!(retrying.resolve().await[0].result, ActionResult::Busy, "somebody is just writing it");
    assert_eq!(retrying.entry().await.outcome, "applying");
    assert_eq!(retrying.executions().await.len(), 2);

    writing.commit().await?;
    assert_eq!(retrying.resolve().await[0].result, ActionResult::Superseded);
    assert_eq!(retrying.world.row(retrying.row.id).await.status, "CANCELLED");
    assert_eq!(retrying.entry().await.outcome, "failed");
    assert_eq!(retrying.executions().await.len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_execution_that_is_no_longer_what_was_decided_on_is_not_followed() -> Tested {
    for change in [
        json!({ "status": "RUNNING", "redriveCount": 1 }),
        json!({ "status": "PENDING_REDRIVE" }),
        json!({ "redriveCount": 1 }),
    ] {
        let mut retrying = Retrying::new("redriven").await;
        let mut answer = described(&retrying.basis, &retrying.input);
        for (field, value) in change.as_object().ok_or("no fields")? {
            answer[field] = value.clone();
        }
        retrying.proxy.answer("DescribeExecution", answer);
        assert_eq!(retrying.apply().await.result, ActionResult::Superseded, "{change}");
        assert_eq!(retrying.world.row(retrying.row.id).await, retrying.row);
        assert_eq!(retrying.proxy.calls("StartExecution"), 0);
    }
    Ok(())
}

#[tokio::test]
async fn without_the_old_input_nothing_is_written_and_that_is_said() -> Tested {
    let hidden = |retrying: &Retrying| {
        let mut answer = described(&retrying.basis, &retrying.input);
        answer["input"] = Value::Null;
        answer["inputDetails"] = json!({ "included": false });
        retrying.proxy.answer("DescribeExecution", answer);
    };
    let gone = |retrying: &Retrying| retrying.proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist"));
    let throttled =
        |retrying: &Retrying| retrying.proxy.fail("DescribeExecution", Failure::error("ThrottlingException"));
    type Script<'a> = &'a dyn Fn(&Retrying);
    let cases: [(Script<'_>, &str, bool); 3] = [
        (&hidden, "does not return the input", true),
        (&gone, "no longer has execution", true),
        (&throttled, "ThrottlingException", false),
    ];
    for (script, told, recorded) in cases {
        let mut retrying = Retrying::new("no-input").await;
        script(&retrying);
        let outcome = retrying.apply().await;
        assert!(matches!(&outcome.result, ActionResult::Failed(why) if why.contains(told)), "{outcome:?}");
        assert_eq!(retrying.world.row(retrying.row.id).await, retrying.row);
        let entry = retrying.world.entry(retrying.planned.id).await;
        assert_eq!(entry.is_some_and(|entry| entry.outcome == "failed"), recorded, "{told}");
        assert_eq!(retrying.executions().await.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_the_table_refuses_to_reopen_is_an_outcome_and_recorded() -> Tested {
    let mut retrying = Retrying::new("refuses").await;
    retrying.world.execute("ALTER TABLE {processes} ADD CHECK (status <> 'PENDING')").await;
    let outcome = retrying.apply().await;
    assert!(
        matches!(&outcome.result, ActionResult::Failed(why) if why.contains("the table refused the write")),
        "{outcome:?}"
    );
    assert_eq!(retrying.entry().await.outcome, "failed");
    assert_eq!((retrying.executions().await.len(), retrying.proxy.calls("StartExecution")), (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_row_that_the_table_silently_keeps_closed_starts_nothing() -> Tested {
    for keeps in ["RETURN NULL", "RETURN OLD", "NEW.status = OLD.status; RETURN NEW"] {
        let mut retrying = Retrying::new("keeps").await;
        let row = retrying.world.row(retrying.row.id).await;
        retrying
            .world
            .execute(&format!(
                "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {keeps}; END $$;
                 CREATE TRIGGER keep BEFORE UPDATE ON {{processes}} FOR EACH ROW EXECUTE FUNCTION keep()"
            ))
            .await;
        let outcome = retrying.apply().await;
        assert!(
            matches!(&outcome.result, ActionResult::Failed(why) if why.contains("stayed as it was")),
            "{keeps}: {outcome:?}"
        );
        assert_eq!((outcome.again, retrying.entry().await.outcome.as_str()), (None, "failed"));
        assert_eq!((retrying.executions().await.len(), retrying.proxy.calls("StartExecution")), (1, 0), "{keeps}");
        assert_eq!(retrying.world.row(retrying.row.id).await, row, "{keeps}");
    }
    Ok(())
}

#[tokio::test]
async fn a_retry_cannot_be_undone_and_what_can_be_done_is_said() -> Tested {
    let mut retrying = Retrying::new("undo").await;
    assert_eq!(retrying.apply().await.result, ActionResult::Applied);
    let refused = undo_of(&mut retrying.world.db, retrying.planned.id).await;
    let Err(Error::Refused(why)) = refused else { return Err(format!("{refused:?}").into()) };
    assert!(why.contains("cannot be taken back") && why.contains(&retrying.row.id.to_string()), "{why}");
    Ok(())
}

/// Where no count tells that the row was started anew, only the list does.
#[tokio::test]
async fn a_row_that_another_execution_was_started_for_meanwhile_is_not_put_back() -> Tested {
    let variant = Variant::ALL.into_iter().find(|variant| !variant.complete).ok_or("every table has every column")?;
    let (mut retrying, _) = left_open("another-started", &variant).await;
    retrying.age().await;
    retrying.proxy.fail("ListExecutions", Failure::error("ThrottlingException"));
    assert_eq!(retrying.resolve().await[0].result, ActionResult::Busy, "not without a look");
    assert_eq!(retrying.entry().await.outcome, "applying");

    retrying.proxy.clear();
    retrying.proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist"));
    let other = execution(retrying.row.id, Running, Utc::now(), None);
    list_pages(&retrying.proxy, &[vec![listed(&other)]]);
    assert_eq!(retrying.resolve().await[0].result, ActionResult::Superseded);
    assert_eq!(retrying.entry().await.outcome, "failed");
    let open: String =
        sqlx::query_scalar(AssertSqlSafe(variant.spell("SELECT status::text FROM {processes} WHERE id = $1")))
            .bind(retrying.row.id)
            .fetch_one(retrying.world.database.pool())
            .await?;
    assert_eq!(open, "PENDING", "it runs");
    Ok(())
}
