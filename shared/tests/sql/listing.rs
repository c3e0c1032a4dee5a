//! The list of executions before a row is closed: what began after the newest execution that is known must not be overlooked.

use std::sync::Arc;

use harness::AwsProxy;
use patient::table::Row;
use remediation::decide::Look;
use remediation::domain::ProcessId;
use remediation::gather;
use remediation::gather::error::Error;
use remediation::gather::executions;
use remediation::gather::processes::cancel;
use remediation::gather::processes::case::{Evidence, Newest};
use remediation::gather::processes::sweep::Filter;
use remediation::gather::step_functions::Seen;
use remediation::run::processes;
use remediation::run::step::Question;
use serde_json::json;

use crate::support::*;

async fn gather(world: &mut World, proxy: &AwsProxy, question: &Question) -> Result<Evidence, Error> {
    let step_functions = step_functions(proxy, MACHINE).await;
    let mut table = None;
    let mut session = world.session(&step_functions, &mut table);
    gather::processes::read(&mut session, question, Filter::OpenOrLatelyClosed).await
}

async fn to_cancel(world: &mut World, proxy: &AwsProxy, question: &Question) -> Result<Evidence, Error> {
    let step_functions = step_functions(proxy, MACHINE).await;
    let mut table = None;
    let mut session = world.session(&step_functions, &mut table);
    cancel::read(&mut session, question).await
}

/// Whom a case is about, where that is known.
fn newest(evidence: &Evidence) -> Option<String> {
    match &evidence.cases[0].newest {
        Newest::Known(newest) => newest.as_ref().map(|execution| execution.arn.to_string()),
        Newest::Unknown(_) => None,
    }
}

/// A row whose old execution still ran when it was retried, and that was written by the new one's first step.
fn retried() -> (Row, Seen, Seen, Seen) {
    let row = Row { retry_count: 1, ..processing(300) };
    let row = Row { updated_at: seconds_ago(40), ..row };
    let old = execution(row.id, Running, seconds_ago(290), None);
    let over = ended(execution(row.id, Failed, seconds_ago(290), Some(seconds_ago(30))), Some("AI_ERROR"), None);
    let new = execution(row.id, Running, seconds_ago(50), None);
    (row, old, over, new)
}

/// The first list is a moment too old; while it is read, sync is told that the old execution ended.
async fn races(name: &str) -> Result<(World, Arc<AwsProxy>, Row, Seen), Box<dyn std::error::Error>> {
    let mut world = World::new(name).await;
    let proxy = scripted().await;
    let (row, old, over, new) = retried();
    world.insert(std::slice::from_ref(&row)).await;
    world.remember(std::slice::from_ref(&old)).await;
    proxy.answer("ListExecutions", json!({ "executions": [listed(&old)] }));
    let (handle, pool) = (Arc::downgrade(&proxy), world.database.pool().clone());
    let then = json!({ "executions": [listed(&new), listed(&over)] });
    proxy.after("ListExecutions", move || {
        if let Some(proxy) = handle.upgrade() {
            proxy.answer("ListExecutions", then.clone());
        }
        let (pool, over) = (pool.clone(), over.clone());
        async move {
            let mut db = pool.acquire().await.unwrap();
            executions::remember(&mut db, &[over]).await.unwrap();
        }
    });
    Ok((world, proxy, row, new))
}

#[tokio::test]
async fn what_starts_between_list_and_read_is_not_overlooked_by_a_person_who_asks_for_the_process() -> Tested {
    let (mut world, proxy, row, new) = races("hand_asks").await?;
    let evidence = gather(&mut world, &proxy, &Question::Process(ProcessId::from(row.id))).await?;
    assert_eq!(newest(&evidence), Some(new.execution.arn.to_string()));
    let plan = processes::plan(&evidence, &world.config, chrono::Utc::now());
    assert_eq!((plan.actions.len(), plan.findings.len()), (0, 0), "{plan:#?}");
    assert_eq!(proxy.calls("ListExecutions"), 2);
    Ok(())
}

#[tokio::test]
async fn what_starts_between_list_and_read_is_stopped_by_a_person_who_cancels_the_process() -> Tested {
    let (mut world, proxy, row, new) = races("hand_cancels").await?;
    let evidence = to_cancel(&mut world, &proxy, &Question::Process(ProcessId::from(row.id))).await?;
    let plan = processes::cancel::plan(&evidence, None, &world.config, chrono::Utc::now());
    let targets: Vec<String> = plan.actions.iter().map(|planned| planned.action.target()).collect();
    assert_eq!(targets, [new.execution.arn.to_string()], "the row is not closed for what came before");
    assert_eq!(proxy.calls("ListExecutions"), 2);
    Ok(())
}

#[tokio::test]
async fn a_row_whose_executions_keep_ending_while_they_are_listed_is_left_for_the_next_look() -> Tested {
    let mut world = World::new("keeps_ending").await;
    let proxy = scripted().await;
    let row = Row { retry_count: 1, updated_at: seconds_ago(250), ..processing(300) };
    world.insert(std::slice::from_ref(&row)).await;
    proxy.answer("ListExecutions", json!({ "executions": [] }));
    let (pool, id) = (world.database.pool().clone(), row.id);
    let next = std::sync::atomic::AtomicI64::new(200);
    proxy.after("ListExecutions", move || {
        let seconds = next.fetch_sub(10, std::sync::atomic::Ordering::SeqCst);
        let seen = execution(id, TimedOut, seconds_ago(seconds), Some(seconds_ago(seconds - 5)));
        let pool = pool.clone();
        async move {
            let mut db = pool.acquire().await.unwrap();
            executions::remember(&mut db, &[seen]).await.unwrap();
        }
    });
    let evidence = gather(&mut world, &proxy, &Question::Process(ProcessId::from(row.id))).await?;
    let plan = processes::plan(&evidence, &world.config, chrono::Utc::now());
    assert_eq!((plan.actions.len(), plan.skipped.len()), (0, 1), "{plan:#?}");
    assert!(plan.skipped[0].why.contains("kept ending"), "{plan:#?}");
    assert_eq!(proxy.calls("ListExecutions"), 4, "it does not go on for ever");
    Ok(())
}

#[tokio::test]
async fn what_was_planned_is_listed_again_when_it_is_approved_unless_it_was_promised_to_have_no_other_execution()
-> Tested {
    for (retry_count, lists) in [(0, 0), (1, 1)] {
        let mut world = World::new("approved_and_listed").await;
        let proxy = scripted().await;
        let row = Row { retry_count, updated_at: seconds_ago(900), ..processing(1000) };
        world.insert(std::slice::from_ref(&row)).await;
        let over = ended(execution(row.id, Failed, seconds_ago(990), Some(seconds_ago(880))), Some("AI_ERROR"), None);
        let new = execution(row.id, Running, seconds_ago(895), None);
        world.remember(std::slice::from_ref(&over)).await;
        proxy.answer("ListExecutions", json!({ "executions": [listed(&new), listed(&over)] }));
        let question = Question::Again(vec![(ProcessId::from(row.id), Look::Sweep)]);
        let evidence = gather(&mut world, &proxy, &question).await?;
        assert_eq!(proxy.calls("ListExecutions"), lists, "retry_count {retry_count}");
        let plan = processes::plan(&evidence, &world.config, chrono::Utc::now());
        assert_eq!(plan.actions.len(), 1 - lists, "{plan:#?}");
    }
    Ok(())
}
