//! Stopping an execution of the local endpoint: recorded first, looked at once more, and never at the cost of a success.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::{Aws, AwsProxy, Failure, eventually};
use remediation::act::action::{Action as _, ActionResult, Outcome};
use remediation::act::actions::stop_execution::StopExecution;
use remediation::act::ledger::runs::Run;
use remediation::decide::StopCause;
use remediation::domain::{ExecutionArn, ProcessId};
use remediation::gather::step_functions::StepFunctions;
use remediation::gather::trigger::result_path::ResultPath;
use remediation::run::step::Planned;
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

/// A row whose execution runs, and the wish to stop it.
struct Stopping {
    world: World,
    proxy: Arc<AwsProxy>,
    step_functions: StepFunctions,
    action: StopExecution,
    planned: Planned,
}

impl Stopping {
    /// The execution ends by itself after `wait` seconds.
    async fn new(hint: &str, wait: u32) -> Self {
        let aws = Aws::shared().await.unwrap();
        let mut world = World::new(hint).await;
        let machine = waiting_machine(aws, hint).await;
        world.config.state_machine_arn.clone_from(&machine);
        let row = processing(1000);
        world.insert(std::slice::from_ref(&row)).await;
        let arn = start(aws, &machine, &format!("{}-1764000000000", row.id), row.id, wait).await;
        let proxy = Arc::new(AwsProxy::start(&aws.endpoint()).await.unwrap());
        let step_functions = step_functions(&proxy, &machine).await;
        let seen = step_functions.describe(&arn, &ResultPath::default()).await.unwrap();
        world.remember(std::slice::from_ref(&seen)).await;
        proxy.reset();
        let action = StopExecution {
            process: world.process(row.id).await,
            execution: seen.execution,
            cause: StopCause::Deadline,
        };
        let planned = planned(action.clone());
        Self { world, proxy, step_functions, action, planned }
    }

    async fn apply(&mut self) -> Outcome {
        self.apply_in(&run("test-step")).await
    }

    async fn apply_in(&mut self, run: &Run) -> Outcome {
        let mut table = None;
        let mut session = self.world.session(&self.step_functions, &mut table);
        StopExecution::apply(&mut session, run, &self.planned, &self.action).await.unwrap()
    }

    async fn entry(&self) -> Entry {
        self.world.entry(self.planned.id).await.expect("what is to be stopped is recorded")
    }

    fn arn(&self) -> ExecutionArn {
        self.action.execution.arn.clone()
    }

    fn process(&self) -> ProcessId {
        self.action.process.id
    }

    async fn status(&self) -> String {
        status_of(&self.arn()).await
    }
}

/// What the endpoint itself says.
async fn status_of(arn: &ExecutionArn) -> String {
    let aws = Aws::shared().await.unwrap();
    let answer = aws.sfn().describe_execution().execution_arn(arn.as_str()).send().await.unwrap();
    answer.status().as_str().to_owned()
}

async fn is_over(arn: ExecutionArn) {
    let over = eventually(Duration::from_secs(20), "the execution to end", || async {
        (status_of(&arn).await != "RUNNING").then_some(())
    });
    over.await.unwrap();
}

#[tokio::test]
async fn an_execution_is_stopped_with_the_words_that_say_why() -> Tested {
    for (cause, error, kept) in [
        (StopCause::Deadline, "RemediationTimeout", "deadline"),
        (StopCause::Cancelled, "ManualCancellation", "cancelled"),
    ] {
        let mut stopping = Stopping::new("stopped", 600).await;
        stopping.action.cause = cause;
        let outcome = stopping.apply().await;
        assert_eq!((&outcome.result, outcome.again), (&ActionResult::Applied, Some(stopping.process())));
        assert_eq!(stopping.status().await, "ABORTED");
        let asked = stopping.proxy.requests("StopExecution");
        assert_eq!((asked.len(), &asked[0]["error"]), (1, &json!(error)));
        assert!(asked[0]["cause"].as_str().is_some_and(|cause| !cause.is_empty()));

        let entry = stopping.entry().await;
        assert_eq!((entry.outcome.as_str(), entry.kind.as_str(), entry.closed), ("applied", "stop-execution", true));
        assert_eq!((entry.target, entry.cause.as_deref()), (stopping.arn().to_string(), Some(kept)));
        assert_eq!(entry.before.map(|before| before["status"].clone()), Some(json!("RUNNING")));
        let after = entry.after.ok_or("no image")?;
        assert_eq!((&after["status"], &after["error"]), (&json!("ABORTED"), &json!(error)));
        let known: String = stopping.world.ask("SELECT status FROM remediation.executions").await;
        assert_eq!(known, "ABORTED");
        assert_eq!(
            stopping.world.row(uuid(stopping.process())).await.status,
            "PROCESSING",
            "the row is decided on anew"
        );
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_stopped_for_a_row_that_moved() -> Tested {
    let mut stopping = Stopping::new("row-moved", 600).await;
    stopping.world.execute("UPDATE {processes} SET status = 'COMPLETED'").await;
    let outcome = stopping.apply().await;
    assert_eq!((outcome.result, outcome.again), (ActionResult::Superseded, Some(stopping.process())));
    assert!(stopping.proxy.counts().is_empty(), "{:?}", stopping.proxy.counts());
    assert_eq!(stopping.status().await, "RUNNING");
    assert!(stopping.world.entry(stopping.planned.id).await.is_none());
    Ok(())
}

#[tokio::test]
async fn an_execution_that_has_ended_since_is_not_stopped_and_its_success_stands() -> Tested {
    let mut stopping = Stopping::new("ended-since", 1).await;
    is_over(stopping.arn()).await;
    let outcome = stopping.apply().await;
    assert_eq!((outcome.result, outcome.again), (ActionResult::Superseded, Some(stopping.process())));
    assert_eq!(stopping.proxy.calls("StopExecution"), 0);
    assert_eq!(stopping.status().await, "SUCCEEDED");
    let entry = stopping.entry().await;
    assert_eq!((entry.outcome.as_str(), entry.closed), ("superseded", true));
    assert_eq!(stopping.world.ask::<String>("SELECT status FROM remediation.executions").await, "SUCCEEDED");
    Ok(())
}

#[tokio::test]
async fn an_execution_that_ends_while_it_is_being_stopped_keeps_its_success() -> Tested {
    let mut stopping = Stopping::new("ends-meanwhile", 2).await;
    let arn = stopping.arn();
    // Between the last look and the call it comes to its own end.
    stopping.proxy.before("StopExecution", move || is_over(arn.clone()));
    let outcome = stopping.apply().await;
    assert_eq!(outcome.result, ActionResult::Superseded, "{outcome:?}");
    assert_eq!(stopping.status().await, "SUCCEEDED");
    assert_eq!(stopping.entry().await.outcome, "superseded");
    Ok(())
}

#[tokio::test]
async fn an_execution_that_was_redriven_since_is_not_stopped() -> Tested {
    let mut stopping = Stopping::new("redriven", 600).await;
    stopping.proxy.rewrite("DescribeExecution", |answer| answer["redriveCount"] = json!(1));
    assert_eq!(stopping.apply().await.result, ActionResult::Superseded);
    assert_eq!(stopping.proxy.calls("StopExecution"), 0);
    let known: i32 = stopping.world.ask("SELECT redrive_count FROM remediation.executions").await;
    assert_eq!(known, 1);
    Ok(())
}

#[tokio::test]
async fn what_step_functions_refuses_is_a_failure_that_is_recorded() -> Tested {
    for (operation, code, told) in [
        ("DescribeExecution", "ThrottlingException", "request quota"),
        ("StopExecution", "ThrottlingException", "request quota"),
        ("StopExecution", "AccessDeniedException", "role lacks this permission"),
    ] {
        let mut stopping = Stopping::new("step-functions-refuses", 600).await;
        stopping.proxy.fail(operation, Failure::error(code));
        let outcome = stopping.apply().await;
        assert!(matches!(&outcome.result, ActionResult::Failed(why) if why.contains(told)), "{outcome:?}");
        assert_eq!(outcome.again, None);
        let entry = stopping.entry().await;
        assert_eq!((entry.outcome.as_str(), entry.closed), ("failed", true));
        assert!(entry.reason.contains(code) && entry.reason.contains(told), "{}", entry.reason);
        assert_eq!(stopping.status().await, "RUNNING");

        // Nothing is left in the way of the next try.
        stopping.proxy.clear();
        stopping.planned = planned(stopping.action.clone());
        assert_eq!(stopping.apply().await.result, ActionResult::Applied);
    }
    Ok(())
}

#[tokio::test]
async fn a_stop_that_was_accepted_and_cannot_be_read_back_is_no_failure() -> Tested {
    let mut stopping = Stopping::new("not-read-back", 600).await;
    let proxy = Arc::downgrade(&stopping.proxy);
    stopping.proxy.after("StopExecution", move || {
        if let Some(proxy) = proxy.upgrade() {
            proxy.fail("DescribeExecution", Failure::error("ThrottlingException"));
        }
        async {}
    });
    let outcome = stopping.apply().await;
    assert!(matches!(&outcome.result, ActionResult::Unverified(why) if why.contains("accepted")), "{outcome:?}");
    let entry = stopping.entry().await;
    assert_eq!((entry.outcome.as_str(), entry.closed), ("applied", true));
    assert!(entry.reason.contains("ThrottlingException"), "{}", entry.reason);
    Ok(())
}

#[tokio::test]
async fn an_execution_that_another_run_is_stopping_is_left_to_it() -> Tested {
    let mut stopping = Stopping::new("being-stopped", 600).await;
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason)
         VALUES (gen_random_uuid(), gen_random_uuid(), 'another-step', 'stop-execution', $1, 'applying', 'first')",
    )
    .bind(stopping.arn().as_str())
    .execute(stopping.world.database.pool())
    .await?;
    let outcome = stopping.apply().await;
    assert_eq!((outcome.result, outcome.again), (ActionResult::Busy, None));
    assert!(stopping.proxy.counts().is_empty());
    assert!(stopping.world.entry(stopping.planned.id).await.is_none());
    Ok(())
}

#[tokio::test]
async fn a_run_that_lost_its_connection_takes_over_what_it_had_begun() -> Tested {
    let mut stopping = Stopping::new("begun-again", 600).await;
    let run = run("test-step");
    let first = left_open(&stopping, "deadline", 0).await;
    sqlx::query("UPDATE remediation.actions SET run_id = $1")
        .bind(run.id)
        .execute(stopping.world.database.pool())
        .await?;
    stopping.planned = planned(stopping.action.clone());
    assert_eq!(stopping.apply_in(&run).await.result, ActionResult::Applied);
    assert_eq!(stopping.entry().await.outcome, "applied");
    assert!(stopping.world.entry(first).await.is_none(), "it is one action");
    Ok(())
}

#[tokio::test]
async fn the_entry_is_there_before_the_execution_is_stopped() -> Tested {
    let mut stopping = Stopping::new("ledger-first", 600).await;
    let (database, recorded) = (stopping.world.database.clone(), Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&recorded);
    stopping.proxy.before("StopExecution", move || {
        let (database, told) = (database.clone(), Arc::clone(&told));
        async move {
            let applying: bool =
                sqlx::query_scalar("SELECT count(*) = 1 AND bool_and(outcome = 'applying') FROM remediation.actions")
                    .fetch_one(database.pool())
                    .await
                    .unwrap();
            told.store(applying, Ordering::SeqCst);
        }
    });
    assert_eq!(stopping.apply().await.result, ActionResult::Applied);
    assert!(recorded.load(Ordering::SeqCst));
    Ok(())
}

/// An entry of a stop that a crash left open, so long ago.
async fn left_open(stopping: &Stopping, cause: &str, minutes_ago: i32) -> Uuid {
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, outcome, reason, created_at)
         VALUES ($1, $1, 'another-step', 'stop-execution', $2, $3, 'applying', 'crashed', now() - make_interval(mins => $4))",
    )
    .bind(stopping.planned.id)
    .bind(stopping.arn().as_str())
    .bind(cause)
    .bind(minutes_ago)
    .execute(stopping.world.database.pool())
    .await
    .unwrap();
    stopping.planned.id
}

async fn close(stopping: &mut Stopping) -> Result<(), remediation::gather::error::Error> {
    let mut table = None;
    let mut session = stopping.world.session(&stopping.step_functions, &mut table);
    resolve::<StopExecution>(&mut session).await.map(drop)
}

#[tokio::test]
async fn a_stop_that_a_crash_left_open_is_closed_by_what_became_of_it() -> Tested {
    // The endpoint's answer, and what the ledger says then.
    for (status, error, outcome) in [
        ("ABORTED", Some("RemediationTimeout"), "applied"),
        ("ABORTED", Some("USER_CANCELLED"), "superseded"),
        ("ABORTED", None, "superseded"),
        ("SUCCEEDED", None, "superseded"),
        ("RUNNING", None, "failed"),
    ] {
        let mut stopping = Stopping::new("left-open", 600).await;
        stopping.proxy.rewrite("DescribeExecution", move |answer| {
            answer["status"] = json!(status);
            answer["error"] = json!(error);
        });
        left_open(&stopping, "deadline", 17).await;
        close(&mut stopping).await?;
        let entry = stopping.entry().await;
        assert_eq!((entry.outcome.as_str(), entry.closed), (outcome, true), "{status} {error:?}");
        assert_eq!(entry.after.map(|after| after["status"].clone()), Some(json!(status)));
        assert_eq!(stopping.world.ask::<String>("SELECT status FROM remediation.executions").await, status);
    }
    Ok(())
}

#[tokio::test]
async fn a_stop_that_may_still_be_under_way_is_left_alone() -> Tested {
    let mut stopping = Stopping::new("under-way", 600).await;
    left_open(&stopping, "deadline", 15).await;
    close(&mut stopping).await?;
    assert_eq!(stopping.entry().await.outcome, "applying");
    assert!(stopping.proxy.counts().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_stop_of_an_execution_that_step_functions_has_forgotten_is_closed_too() -> Tested {
    let mut stopping = Stopping::new("forgotten", 600).await;
    stopping.proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist"));
    left_open(&stopping, "deadline", 17).await;
    close(&mut stopping).await?;
    let entry = stopping.entry().await;
    assert_eq!((entry.outcome.as_str(), entry.closed), ("failed", true));
    assert!(entry.reason.contains("ExecutionDoesNotExist"), "{}", entry.reason);

    // Any other refusal leaves it open for the next look.
    let mut stopping = Stopping::new("not-now", 600).await;
    stopping.proxy.fail("DescribeExecution", Failure::error("ThrottlingException"));
    left_open(&stopping, "deadline", 17).await;
    close(&mut stopping).await.unwrap_err();
    assert_eq!(stopping.entry().await.outcome, "applying");
    Ok(())
}
