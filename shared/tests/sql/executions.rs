//! What is known of executions: events in any order, and the list, page by page and run by run.

use aws_config::SdkConfig;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use harness::{Aws, AwsProxy, Failure};

use remediation::gather::error::Error;
use remediation::gather::executions::{self, Listed};
use remediation::gather::pace::SharedPace;
use remediation::gather::step_functions::Seen;
use remediation::gather::trigger::result_path::ResultPath;
use serde_json::{Map, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::*;

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Known {
    process_id: Option<String>,
    status: String,
    redrive_count: i32,
    stopped_at: Option<DateTime<Utc>>,
    error: Option<String>,
    ending_known: bool,
    says_failed: Option<bool>,
}

async fn known(world: &World, seen: &Seen) -> Known {
    sqlx::query_as("SELECT process_id, status, redrive_count, stopped_at, error, ending_known, says_failed FROM remediation.executions WHERE execution_arn = $1")
        .bind(seen.execution.arn.as_str())
        .fetch_one(world.database.pool())
        .await
        .unwrap()
}

async fn count(world: &World) -> i64 {
    world.ask("SELECT count(*) FROM remediation.executions").await
}

#[tokio::test]
async fn the_order_of_events_does_not_matter() -> Tested {
    let process = Uuid::new_v4();
    let (started, stopped) = (seconds_ago(100), seconds_ago(50));
    let running = execution(process, Running, started, None);
    let failed = ended(execution(process, Failed, started, Some(stopped)), Some("AI_ERROR"), None);
    let mut pending = execution(process, PendingRedrive, started, Some(stopped));
    let mut redriven = execution(process, Running, started, None);
    redriven.execution.redrive_count = 1;
    redriven.execution.redriven_at = Some(seconds_ago(20));
    let mut succeeded = ended(execution(process, Succeeded, started, Some(seconds_ago(10))), None, None);
    succeeded.execution.redrive_count = 1;
    pending.execution.ending = None;
    let life = [running, failed, pending, redriven, succeeded];

    for order in permutations(life.len()) {
        let mut world = order_world().await;
        for at in &order {
            world.remember(std::slice::from_ref(&life[*at])).await;
        }
        let end = known(&world, &life[4]).await;
        assert_eq!((end.status.as_str(), end.redrive_count, end.error), ("SUCCEEDED", 1, None), "{order:?}");
        assert_eq!(end.stopped_at, life[4].execution.stopped_at, "{order:?}");
        sqlx::query("DELETE FROM remediation.executions").execute(world.database.pool()).await?;
    }
    Ok(())
}

/// One database serves all orders: each leaves it empty.
async fn order_world() -> World {
    static SHARED: tokio::sync::OnceCell<harness::Database> = tokio::sync::OnceCell::const_new();
    let database = SHARED.get_or_init(|| async { World::new("order").await.database }).await;
    let mut db = database.connect().await.unwrap();
    let config = config(database, &patient::table::GUIDE, MACHINE);
    let table =
        Arc::new(remediation::gather::table::Table::read(&config.table, config.language, &mut db).await.unwrap());
    World {
        database: database.clone(),
        variant: patient::table::GUIDE,
        config,
        db,
        table,
        aws: SdkConfig::builder().build(),
        trigger: scheduled(),
        parameters: Map::new(),
    }
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(of - 1);
    let longer = shorter.iter().flat_map(|order| {
        (0..of).map(move |at| {
            let mut order = order.clone();
            order.insert(at, of - 1);
            order
        })
    });
    longer.collect()
}

#[tokio::test]
async fn an_end_is_not_forgotten_for_a_late_beginning() -> Tested {
    let mut world = World::new("late_beginning").await;
    let process = Uuid::new_v4();
    let done = execution(process, Succeeded, seconds_ago(100), Some(seconds_ago(50)));
    world.remember(std::slice::from_ref(&done)).await;
    world.remember(&[execution(process, Running, done.execution.started_at, None)]).await;
    let known = known(&world, &done).await;
    assert_eq!((known.status.as_str(), known.stopped_at), ("SUCCEEDED", done.execution.stopped_at));
    Ok(())
}

#[tokio::test]
async fn doubled_events_are_one() -> Tested {
    let mut world = World::new("doubled").await;
    let done = execution(Uuid::new_v4(), Failed, seconds_ago(100), Some(seconds_ago(50)));
    let mut running = done.clone();
    (running.execution.status, running.execution.stopped_at) = (Running, None);
    // A list that grows while it is read tells of an execution twice, even in one page.
    world.remember(&[running, done.clone(), done.clone()]).await;
    world.remember(std::slice::from_ref(&done)).await;
    assert_eq!((count(&world).await, known(&world, &done).await.status.as_str()), (1, "FAILED"));
    Ok(())
}

#[tokio::test]
async fn what_it_ended_with_is_filled_in_later_and_then_kept() -> Tested {
    let mut world = World::new("ending").await;
    let plain = execution(Uuid::new_v4(), Failed, seconds_ago(100), Some(seconds_ago(50)));
    let told = ended(plain.clone(), Some("AI_ERROR"), Some("no answer"));
    world.remember(std::slice::from_ref(&plain)).await;
    assert!(!known(&world, &plain).await.ending_known);
    world.remember(std::slice::from_ref(&told)).await;
    assert_eq!(known(&world, &plain).await.error.as_deref(), Some("AI_ERROR"));
    world.remember(std::slice::from_ref(&plain)).await;
    let known = known(&world, &plain).await;
    assert_eq!((known.error.as_deref(), known.ending_known), (Some("AI_ERROR"), true));
    Ok(())
}

#[tokio::test]
async fn what_its_output_says_of_a_failure_is_filled_in_later_and_then_kept() -> Tested {
    let mut world = World::new("says_failed").await;
    let plain = execution(Uuid::new_v4(), Succeeded, seconds_ago(100), Some(seconds_ago(50)));
    // An earlier build has read the output, and kept nothing of it.
    let read = ended(plain.clone(), None, None);
    let mut told = ended(plain.clone(), Some("AI_ERROR"), Some("no answer"));
    told.execution.says_failed = Some(true);
    for (seen, says_failed, error) in [
        (&plain, None, None),
        (&read, None, None),
        (&told, Some(true), Some("AI_ERROR")),
        (&plain, Some(true), Some("AI_ERROR")),
    ] {
        world.remember(std::slice::from_ref(seen)).await;
        let known = known(&world, seen).await;
        assert_eq!((known.says_failed, known.error.as_deref()), (says_failed, error));
    }
    Ok(())
}

#[tokio::test]
async fn whose_it_is_is_kept_and_filled_in_without_losing_what_it_ended_with() -> Tested {
    let mut world = World::new("whose").await;
    let with = execution(Uuid::new_v4(), Failed, seconds_ago(100), Some(seconds_ago(50)));
    let without = Seen { process: None, ..ended(with.clone(), Some("AI_ERROR"), None) };
    world.remember(std::slice::from_ref(&without)).await;
    assert_eq!(known(&world, &with).await.process_id, None);
    world.remember(std::slice::from_ref(&with)).await;
    let filled = known(&world, &with).await;
    assert_eq!(filled.process_id.as_deref().and_then(|id| id.parse().ok()), with.process);
    assert_eq!((filled.error.as_deref(), filled.ending_known), (Some("AI_ERROR"), true));

    let mut redriven = Seen { process: None, ..with.clone() };
    redriven.execution.redrive_count = 1;
    redriven.execution.status = Running;
    world.remember(std::slice::from_ref(&redriven)).await;
    let kept = known(&world, &with).await;
    assert_eq!((kept.process_id.as_deref().and_then(|id| id.parse().ok()), kept.redrive_count), (with.process, 1));
    assert_eq!((kept.error, kept.ending_known), (None, false), "that ended is no longer true of this attempt");
    Ok(())
}

#[tokio::test]
async fn words_that_no_text_can_hold_are_remembered_all_the_same() -> Tested {
    let mut world = World::new("nul_words").await;
    let seen = execution(Uuid::new_v4(), Failed, seconds_ago(100), Some(seconds_ago(50)));
    let seen = ended(seen, Some("AI\u{0}ERROR"), Some("\u{0}"));
    world.remember(std::slice::from_ref(&seen)).await;
    assert_eq!(known(&world, &seen).await.error.as_deref(), Some("AI\u{fffd}ERROR"));
    Ok(())
}

/// One execution for each start, newest first.
fn newest_first(starts: impl IntoIterator<Item = i64>) -> Vec<Seen> {
    starts
        .into_iter()
        .map(|seconds| execution(Uuid::new_v4(), Succeeded, seconds_ago(seconds), Some(seconds_ago(seconds - 1))))
        .collect()
}

fn items(seen: &[Seen]) -> Vec<serde_json::Value> {
    seen.iter().map(listed).collect()
}

async fn list(
    world: &mut World,
    proxy: &AwsProxy,
    known: Option<Listed>,
    wanted: DateTime<Utc>,
    stop_at: Instant,
) -> Result<Listed, Error> {
    let machine = world.config.state_machine_arn.clone();
    let step_functions = step_functions(proxy, &machine).await;
    let (path, overlap) = (ResultPath::default(), TimeDelta::seconds(60));
    let of = (&step_functions, &*world.table);
    let executions::Read { listed, refused, .. } =
        executions::list(&mut world.db, of, &path, known, wanted, overlap, stop_at).await?;
    refused.map_or(Ok(listed), Err)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn tokens(proxy: &AwsProxy) -> Vec<Option<String>> {
    let asked = proxy.requests("ListExecutions");
    asked.iter().map(|request| request["nextToken"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn pages_are_read_until_what_is_wanted_was_seen_and_no_further() -> Tested {
    let mut world = World::new("pages").await;
    let proxy = scripted().await;
    let all = newest_first([10, 20, 30, 40, 50, 60]);
    list_pages(&proxy, &[items(&all[..2]), items(&all[2..4]), items(&all[4..])]);
    let listed = list(&mut world, &proxy, None, seconds_ago(35), soon()).await?;
    assert_eq!(tokens(&proxy), [None, Some("page-1".into())]);
    assert_eq!(proxy.requests("ListExecutions")[0]["maxResults"], 1000);
    assert_eq!((listed.since, listed.token.as_deref()), (all[3].execution.started_at, Some("page-2")));
    assert_eq!(count(&world).await, 4);
    Ok(())
}

#[tokio::test]
async fn at_the_end_of_the_list_everything_was_seen() -> Tested {
    let mut world = World::new("list_end").await;
    let proxy = scripted().await;
    list_pages(&proxy, &[items(&newest_first([10, 20]))]);
    let listed = list(&mut world, &proxy, None, seconds_ago(100_000), soon()).await?;
    assert_eq!((listed.since, listed.token), (DateTime::UNIX_EPOCH, None));
    assert_eq!(proxy.calls("ListExecutions"), 1);
    Ok(())
}

#[tokio::test]
async fn a_list_that_runs_out_of_time_says_how_far_it_came_and_goes_on_there() -> Tested {
    let mut world = World::new("out_of_time").await;
    let proxy = scripted().await;
    let all = newest_first([10, 200, 300, 400]);
    list_pages(&proxy, &[items(&all[..1]), items(&all[1..2]), items(&all[2..3]), items(&all[3..])]);
    let now = Instant::now();
    let wanted = seconds_ago(100_000);
    let nothing = list(&mut world, &proxy, None, wanted, now).await?;
    assert_eq!((nothing.since, nothing.token.as_deref(), proxy.calls("ListExecutions")), (nothing.until, None, 0));

    // This much is read …
    let first = list(&mut world, &proxy, None, seconds_ago(150), soon()).await?;
    assert_eq!((first.since, first.token.as_deref()), (all[1].execution.started_at, Some("page-2")));

    // … and the next run looks at what is new (one page will do), and then goes on where the first stopped.
    proxy.reset();
    let fresh = newest_first([0]);
    list_pages(
        &proxy,
        &[items(&[fresh[0].clone(), all[0].clone(), all[1].clone()]), items(&all[2..3]), items(&all[3..])],
    );
    let second = list(&mut world, &proxy, Some(first), wanted, soon()).await?;
    assert_eq!(tokens(&proxy), [None, Some("page-2".into()), Some("page-2".into())]);
    assert_eq!(second.since, DateTime::UNIX_EPOCH);
    assert_eq!(count(&world).await, 5);
    Ok(())
}

#[tokio::test]
async fn what_an_earlier_run_has_read_is_not_read_again_but_for_the_overlap() -> Tested {
    let mut world = World::new("overlap").await;
    let proxy = scripted().await;
    let all = newest_first([5, 90, 500]);
    list_pages(&proxy, &[items(&all[..1]), items(&all[1..2]), items(&all[2..])]);
    let known = Listed { since: seconds_ago(1000), until: seconds_ago(10), token: Some("far-back".into()) };
    let listed = list(&mut world, &proxy, Some(known.clone()), seconds_ago(900), soon()).await?;
    assert_eq!(tokens(&proxy), [None, Some("page-1".into())]);
    assert_eq!((listed.since, listed.token), (known.since, known.token));
    assert!(listed.until > known.until);
    Ok(())
}

#[tokio::test]
async fn a_gap_between_two_runs_is_not_taken_for_read() -> Tested {
    let mut world = World::new("gap").await;
    let proxy = scripted().await;
    let known = Listed { since: seconds_ago(5000), until: seconds_ago(3000), token: Some("far-back".into()) };
    // There is no time for what came after the last run.
    let listed = list(&mut world, &proxy, Some(known), seconds_ago(4000), Instant::now()).await?;
    assert_eq!((listed.since, listed.token.clone()), (listed.until, None));
    assert_eq!(proxy.calls("ListExecutions"), 0);
    Ok(())
}

#[tokio::test]
async fn after_a_token_has_expired_the_next_run_begins_anew() -> Tested {
    let mut world = World::new("expired").await;
    let proxy = scripted().await;
    let all = newest_first([5, 90]);
    list_pages(&proxy, &[items(&all), vec![]]);
    let handle = Arc::downgrade(&proxy);
    proxy.after("ListExecutions", move || {
        if let Some(proxy) = handle.upgrade() {
            proxy.fail("ListExecutions", Failure::error("InvalidToken").times(1));
        }
        async {}
    });
    let known = Listed { since: seconds_ago(1000), until: seconds_ago(10), token: Some("of-yesterday".into()) };
    let listed = list(&mut world, &proxy, Some(known.clone()), seconds_ago(5000), soon()).await?;
    assert_eq!(tokens(&proxy), [None, Some("of-yesterday".into())]);
    assert_eq!((listed.since, listed.token.clone()), (known.since, None));

    proxy.clear();
    proxy.reset();
    list_pages(&proxy, &[items(&all), items(&newest_first([6000]))]);
    let anew = list(&mut world, &proxy, Some(listed), seconds_ago(5000), soon()).await?;
    assert_eq!(tokens(&proxy), [None, Some("page-1".into())]);
    assert_eq!(anew.since, DateTime::UNIX_EPOCH);
    Ok(())
}

#[tokio::test]
async fn what_step_functions_refuses_is_an_error_and_what_was_read_stays() -> Tested {
    let mut world = World::new("refused").await;
    let proxy = scripted().await;
    list_pages(&proxy, &[items(&newest_first([5])), vec![]]);
    let handle = Arc::downgrade(&proxy);
    proxy.after("ListExecutions", move || {
        if let Some(proxy) = handle.upgrade() {
            proxy.fail("ListExecutions", Failure::error("ThrottlingException"));
        }
        async {}
    });
    let error = list(&mut world, &proxy, None, seconds_ago(500), soon()).await.unwrap_err();
    assert!(matches!(&error, Error::Aws { code, .. } if code == "ThrottlingException"), "{error}");
    assert_eq!(count(&world).await, 1);
    Ok(())
}

#[tokio::test]
async fn an_execution_whose_name_tells_nothing_is_asked_for_its_process_once() -> Tested {
    let aws = Aws::shared().await?;
    let mut world = World::new("nameless").await;
    let machine = waiting_machine(aws, "nameless").await;
    world.config.state_machine_arn.clone_from(&machine);
    let row = processing(10);
    world.insert(std::slice::from_ref(&row)).await;
    let (named, nameless) = (row.id, Uuid::new_v4());
    let first = start(aws, &machine, &format!("{named}-1764000000000"), named, 600).await;
    let second = start(aws, &machine, "by-hand", nameless, 600).await;
    let proxy = AwsProxy::start(&aws.endpoint()).await?;
    for _ in 0..2 {
        list(&mut world, &proxy, None, seconds_ago(500), soon()).await?;
    }
    let described = proxy.requests("DescribeExecution");
    assert_eq!(described.len(), 1, "{described:?}");
    assert_eq!(described[0]["executionArn"], second.as_str());
    let known: Vec<(String, Option<Uuid>)> = sqlx::query_as(
        "SELECT execution_arn, process_id::uuid FROM remediation.executions ORDER BY process_id = $1::text DESC",
    )
    .bind(named)
    .fetch_all(world.database.pool())
    .await?;
    assert_eq!(known, [(first.to_string(), Some(named)), (second.to_string(), Some(nameless))]);
    Ok(())
}

#[tokio::test]
async fn nameless_executions_that_were_not_asked_for_yet_are_not_taken_for_seen() -> Tested {
    const ALL: usize = 70;
    let mut world = World::new("many_nameless").await;
    let proxy = scripted().await;
    let all: Vec<Seen> = newest_first(100..100 + i64::try_from(ALL)?)
        .into_iter()
        .enumerate()
        .map(|(at, mut seen)| {
            let machine = MACHINE.replace(":stateMachine:", ":execution:");
            seen.execution.arn = format!("{machine}:by-hand-{at}").parse().unwrap();
            seen
        })
        .collect();
    let process = Uuid::new_v4();
    proxy.answer("DescribeExecution", described(&all[0], &json!({ "processId": process })));
    list_pages(&proxy, &[items(&all)]);
    let first = list(&mut world, &proxy, None, seconds_ago(5000), soon()).await?;
    assert!(first.since > all[ALL - 1].execution.started_at, "20 of them may be anybody's: {first:?}");
    assert_eq!(proxy.calls("DescribeExecution"), 50);

    proxy.reset();
    let second = list(&mut world, &proxy, Some(first), seconds_ago(5000), soon()).await?;
    assert_eq!(proxy.calls("DescribeExecution"), ALL - 50);
    assert_eq!(second.since.trunc_subsecs(0), DateTime::UNIX_EPOCH);
    Ok(())
}

#[tokio::test]
async fn what_was_read_before_step_functions_refused_is_where_the_next_run_goes_on() -> Tested {
    let mut world = World::new("kept").await;
    let proxy = scripted().await;
    let all = newest_first([5, 90]);
    list_pages(&proxy, &[items(&all[..1]), items(&all[1..])]);
    let handle = Arc::downgrade(&proxy);
    proxy.after("ListExecutions", move || {
        if let Some(proxy) = handle.upgrade() {
            proxy.fail("ListExecutions", Failure::error("AccessDeniedException").times(1));
        }
        async {}
    });
    let machine = world.config.state_machine_arn.clone();
    let step_functions = step_functions(&proxy, &machine).await;
    let (path, wanted) = (ResultPath::default(), seconds_ago(500));
    let of = (&step_functions, &*world.table);
    let executions::Read { listed, refused, .. } =
        executions::list(&mut world.db, of, &path, None, wanted, TimeDelta::zero(), soon()).await?;
    assert!(refused.is_some_and(|refused| refused.to_string().contains("AccessDeniedException")));
    assert_eq!((listed.since, listed.token.as_deref()), (all[0].execution.started_at, Some("page-1")));
    Ok(())
}

#[tokio::test]
async fn a_quota_is_shared_by_all_who_call() -> Tested {
    let world = World::new("quota").await;
    let pace = SharedPace { quota: "test", per_second: 0.001, burst: 2.0 };
    let (mut one, mut other) = (world.database.connect().await?, world.database.connect().await?);
    assert!(pace.wait(&mut one, soon()).await?);
    assert!(pace.wait(&mut other, soon()).await?);
    assert!(!pace.wait(&mut one, soon()).await?, "the next place is after the end of this run");
    assert!(!pace.wait(&mut other, soon()).await?);
    let another = SharedPace { quota: "another", ..pace };
    assert!(another.wait(&mut one, soon()).await?);
    Ok(())
}
