//! What runs for cancelled rows, and what is read of a process that is to be cancelled by hand.

use std::collections::BTreeSet;
use std::sync::Arc;

use harness::{AwsProxy, Failure};
use patient::table::{Row, Variant};
use remediation::act::actions::stop_execution::StopExecution;
use remediation::decide::{Look, StopCause};
use remediation::domain::{ExecutionStatus, Language, ProcessId};
use remediation::gather;
use remediation::gather::error::Error;
use remediation::gather::processes::cancel::{self, is_wanted};
use remediation::gather::processes::case::{Evidence, Newest};
use remediation::gather::processes::sweep::{Filter, uncancelled};
use remediation::gather::step_functions::Seen;
use remediation::run::processes;
use remediation::run::step::{Cursor, Plan, Question};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::*;

async fn sweep(world: &mut World, proxy: &AwsProxy, filter: Filter) -> Result<Evidence, Error> {
    let step_functions = step_functions(proxy, MACHINE).await;
    let mut table = None;
    let mut session = world.session(&step_functions, &mut table);
    gather::processes::read(&mut session, &Question::Sweep(Cursor::default()), filter).await
}

async fn to_cancel(world: &mut World, proxy: &AwsProxy, question: Question) -> Result<Evidence, Error> {
    let step_functions = step_functions(proxy, MACHINE).await;
    let mut table = None;
    let mut session = world.session(&step_functions, &mut table);
    cancel::read(&mut session, &question).await
}

fn cancelled(seconds: i64) -> Row {
    processing(seconds + 60).became("CANCELLED", seconds_ago(seconds))
}

fn arn(seen: &Seen) -> String {
    seen.execution.arn.to_string()
}

/// The executions that a plan stops for the sake of a cancel, and how many other actions it has.
fn stops(plan: &Plan) -> (Vec<String>, usize) {
    let stops: Vec<String> = plan
        .actions
        .iter()
        .filter(|planned| {
            planned.action.downcast::<StopExecution>().is_some_and(|stop| stop.cause == StopCause::Cancelled)
        })
        .map(|planned| planned.action.target())
        .collect();
    let others = plan.actions.len() - stops.len();
    (stops, others)
}

#[tokio::test]
async fn of_cancelled_rows_every_execution_that_runs_is_stopped_and_nothing_else_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let proxy = scripted().await;
        list_pages(&proxy, &[vec![]]);
        let running = |row: &Row, seconds| execution(row.id, Running, seconds_ago(seconds), None);
        let over = |row: &Row, status, seconds| execution(row.id, status, seconds_ago(seconds), Some(seconds_ago(300)));
        let (newest, long_ago, overtaken, both) = (cancelled(600), cancelled(90_000), cancelled(600), cancelled(600));
        let wanted = [
            running(&newest, 650),
            running(&long_ago, 90_050),
            running(&overtaken, 650),
            running(&both, 650),
            running(&both, 640),
        ];
        let (stopped, succeeded, unknown) = (cancelled(600), cancelled(600), cancelled(600));
        let (in_time, stuck, reopened, failed) =
            (processing(650), processing(2000), processing(2000), processing(2000).became("FAILED", seconds_ago(600)));
        let left = [
            over(&overtaken, Aborted, 640),
            over(&stopped, Aborted, 650),
            over(&succeeded, Succeeded, 650),
            running(&in_time, 640),
            running(&stuck, 1990),
            running(&reopened, 1990),
            running(&reopened, 640),
            running(&failed, 1990),
        ];
        world
            .insert(&[
                newest,
                long_ago.clone(),
                overtaken,
                both,
                stopped,
                succeeded,
                unknown,
                in_time,
                stuck,
                reopened,
                failed,
            ])
            .await;
        world.remember(&wanted).await;
        world.remember(&left).await;
        // What has run for so long may be over, and its event lost.
        proxy.answer("DescribeExecution", described(&wanted[1], &json!({ "processId": long_ago.id })));

        let evidence = sweep(&mut world, &proxy, Filter::CancelledButRunning).await?;

        let plan = processes::plan(&evidence, &world.config, chrono::Utc::now());
        let (found, others) = stops(&plan);
        let expected: BTreeSet<String> = wanted.iter().map(arn).collect();
        assert_eq!(found.len(), expected.len(), "{}: each once: {found:?}", variant.name);
        assert_eq!((found.into_iter().collect::<BTreeSet<_>>(), others), (expected.clone(), 0), "{}", variant.name);
        assert_eq!((plan.findings.len(), plan.skipped.len()), (0, 0), "{}: {plan:#?}", variant.name);
        assert_eq!(evidence.population, 10, "the share is one of all that is open or was closed in the last day");
        assert_eq!(proxy.calls("DescribeExecution"), 1, "{}", variant.name);

        // What is only counted is the same.
        let step_functions = step_functions(&proxy, MACHINE).await;
        let mut table = None;
        let counted = uncancelled(&mut world.session(&step_functions, &mut table)).await?;
        let counted: BTreeSet<String> = counted
            .iter()
            .map(|case| match &case.newest {
                Newest::Known(Some(execution)) => execution.arn.to_string(),
                other => panic!("{other:?} instead of an execution"),
            })
            .collect();
        assert_eq!(counted, expected, "{}", variant.name);
    }
    Ok(())
}

#[tokio::test]
async fn what_was_cancelled_a_moment_ago_is_left_to_the_applications_own_stop() -> Tested {
    let mut world = World::new("cancel_settles").await;
    let proxy = scripted().await;
    list_pages(&proxy, &[vec![]]);
    let row = processing(600).became("CANCELLED", seconds_ago(20));
    world.insert(std::slice::from_ref(&row)).await;
    world.remember(&[execution(row.id, Running, seconds_ago(590), None)]).await;
    let evidence = sweep(&mut world, &proxy, Filter::CancelledButRunning).await?;
    let plan = processes::plan(&evidence, &world.config, chrono::Utc::now());
    assert_eq!((plan.actions.len(), plan.skipped.len()), (0, 1));
    assert!(plan.skipped[0].why.contains("has just changed"), "{plan:?}");
    Ok(())
}

#[tokio::test]
async fn the_list_is_read_back_to_the_oldest_cancelled_row_of_a_day_whose_execution_nobody_knows() -> Tested {
    // (whose sweep, how many of the pages it reads)
    for (filter, pages) in
        [(Filter::CancelledButRunning, 4), (Filter::OpenOrLatelyClosed, 2), (Filter::PastDeadline, 2)]
    {
        let mut world = World::new("cancel_list").await;
        let proxy = scripted().await;
        let (lost, old) = (cancelled(2000), cancelled(90_000));
        let known = cancelled(5000);
        world.insert(&[lost.clone(), old.clone(), known.clone()]).await;
        world.remember(&[execution(known.id, Aborted, seconds_ago(5050), Some(seconds_ago(4999)))]).await;
        let own = execution(lost.id, Running, seconds_ago(2050), None);
        let other = |seconds| listed(&execution(Uuid::new_v4(), Succeeded, seconds_ago(seconds), Some(seconds_ago(1))));
        let list = [vec![other(10)], vec![other(1500)], vec![listed(&own)], vec![other(3000)], vec![other(6000)]];
        list_pages(&proxy, &list);
        // The others' processes have no rows; whose they are is asked once, and holds up nothing.
        proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist").times(1));
        proxy.answer("DescribeExecution", described(&own, &json!({ "processId": lost.id })));

        let evidence = sweep(&mut world, &proxy, filter).await?;

        assert_eq!(proxy.calls("ListExecutions"), pages, "{filter:?}");
        let plan = processes::plan(&evidence, &world.config, chrono::Utc::now());
        let expected = if filter == Filter::CancelledButRunning { vec![arn(&own)] } else { vec![] };
        assert_eq!(stops(&plan), (expected, 0), "{filter:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_process_that_is_to_be_cancelled_is_read_with_every_execution_of_it_that_runs() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let proxy = scripted().await;
        let (row, other) = (processing(800), cancelled(600));
        world.insert(&[row.clone(), other.clone()]).await;
        let newest = execution(row.id, Running, seconds_ago(300), None);
        let [old, older] = [600, 790].map(|seconds| execution(row.id, Running, seconds_ago(seconds), None));
        let over = execution(row.id, Failed, seconds_ago(700), Some(seconds_ago(650)));
        let others = [700, 650].map(|seconds| execution(other.id, Running, seconds_ago(seconds), None));
        world.remember(&others).await;
        // The newest is known; that older ones run, only the list tells.
        world.remember(std::slice::from_ref(&newest)).await;
        list_pages(&proxy, &[vec![listed(&newest), listed(&old)], vec![listed(&over), listed(&older)]]);

        let evidence = to_cancel(&mut world, &proxy, Question::Process(ProcessId::from(row.id))).await?;

        let plan = processes::cancel::plan(&evidence, Some("ticket 4711"), &world.config, chrono::Utc::now());
        assert_eq!(stops(&plan), (vec![arn(&older), arn(&old), arn(&newest)], 0), "{}: oldest first", variant.name);
        let reasons: Vec<&str> = plan.actions.iter().map(|planned| planned.reason.as_str()).collect();
        assert!(
            reasons.iter().all(|why| why.contains("cancelled by hand") && why.ends_with("(reason: ticket 4711)")),
            "{reasons:?}"
        );
        assert_eq!(proxy.calls("ListExecutions"), 2, "back to when the process was accepted");
    }
    Ok(())
}

#[tokio::test]
async fn a_row_is_not_cancelled_before_the_list_was_read_back_to_it() -> Tested {
    let mut world = World::new("cancel_unlisted").await;
    let proxy = scripted().await;
    let rows = [Row::pending(seconds_ago(800)), processing(800), processing(800)];
    world.insert(&rows).await;
    let over = execution(rows[1].id, Aborted, seconds_ago(790), Some(seconds_ago(500)));
    let running = execution(rows[2].id, Running, seconds_ago(790), None);
    world.remember(&[over, running.clone()]).await;
    // Executions whose names tell no process are asked for one by one, so many in a run; the list is read no further then.
    let nameless = |n: usize| {
        let mut seen = execution(Uuid::new_v4(), Succeeded, seconds_ago(10), Some(seconds_ago(5)));
        let machine = MACHINE.replace(":stateMachine:", ":execution:");
        seen.execution.arn = format!("{machine}:nightly-{n}").parse().unwrap();
        seen
    };
    let page: Vec<Value> = (0..51).map(|n| listed(&nameless(n))).collect();
    proxy.answer("ListExecutions", json!({ "executions": page, "nextToken": "older" }));
    proxy.answer("DescribeExecution", described(&nameless(0), &json!({ "processId": Uuid::new_v4() })));

    let question = Question::Again(rows.iter().map(|row| (ProcessId::from(row.id), Look::Event)).collect());
    let evidence = to_cancel(&mut world, &proxy, question).await?;

    let plan = processes::cancel::plan(&evidence, None, &world.config, chrono::Utc::now());
    assert_eq!(stops(&plan), (vec![arn(&running)], 0), "what is known to run is stopped all the same");
    let mut left: Vec<Uuid> = plan.skipped.iter().map(|skipped| skipped.target.parse().unwrap()).collect();
    let mut expected = [rows[0].id, rows[1].id];
    left.sort_unstable();
    expected.sort_unstable();
    assert_eq!(left, expected, "{plan:#?}");
    assert!(plan.skipped.iter().all(|skipped| skipped.why.contains("has not been read back")), "{plan:#?}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_cancelled_that_is_not_named_or_not_there() -> Tested {
    let mut world = World::new("cancel_unnamed").await;
    let proxy: Arc<AwsProxy> = scripted().await;
    let missing = ProcessId::from(Uuid::new_v4());
    for (question, why) in [
        (Question::Sweep(Cursor::default()), "`cancel` needs a `processId` or an `executionArn`"),
        (Question::Process(missing), "has no such row"),
    ] {
        let error = to_cancel(&mut world, &proxy, question).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(message) if message.contains(why)), "{error}");
    }
    assert!(proxy.counts().is_empty());

    let asked = |value: Value| is_wanted(&Map::from_iter([("cancel".to_owned(), value)]), Language::En);
    assert!(asked(json!(true))?);
    assert!(!is_wanted(&Map::new(), Language::En)?);
    for value in [json!(false), json!("true"), json!(1), Value::Null, json!({ "all": true })] {
        let error = asked(value.clone()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("`cancel` is {value}; it must be true")), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn an_execution_without_a_row_is_told_and_not_cancelled() -> Tested {
    let mut world = World::new("cancel_no_row").await;
    let proxy = scripted().await;
    let seen = execution(Uuid::new_v4(), ExecutionStatus::Running, seconds_ago(10), None);
    proxy.answer("DescribeExecution", described(&seen, &json!({})));
    let evidence = to_cancel(&mut world, &proxy, Question::Execution(seen.execution.arn.clone())).await?;
    let plan = processes::cancel::plan(&evidence, None, &world.config, chrono::Utc::now());
    assert_eq!((plan.actions.len(), plan.findings.len()), (0, 1));
    assert_eq!(plan.findings[0].code, "row_missing");
    Ok(())
}
