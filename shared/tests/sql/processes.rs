//! What a question finds: rows with the executions that speak for them, and what cannot be known yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use harness::{AwsProxy, Failure};
use patient::table::{Row, Variant};
use remediation::act::actions::set_row_status::SetRowStatus;
use remediation::decide::Look;
use remediation::domain::{Execution, ExecutionStatus, ProcessId};
use remediation::gather;
use remediation::gather::error::Error;
use remediation::gather::executions::Listed;
use remediation::gather::processes::case::{Evidence, Newest};
use remediation::gather::processes::sweep::Filter;
use remediation::gather::step_functions::Seen;
use remediation::gather::trigger::ExecutionChange;
use remediation::run::processes;
use remediation::run::step::{Cursor, Question};
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

async fn gather(world: &mut World, proxy: &AwsProxy, question: Question, filter: Filter) -> Result<Evidence, Error> {
    let step_functions = step_functions(proxy, MACHINE).await;
    let mut table = None;
    let mut session = world.session(&step_functions, &mut table);
    gather::processes::read(&mut session, &question, filter).await
}

async fn sweep(world: &mut World, proxy: &AwsProxy) -> Evidence {
    gather(world, proxy, Question::Sweep(Cursor::default()), Filter::OpenOrLatelyClosed).await.unwrap()
}

/// What is known of each process.
fn newest(evidence: &Evidence) -> BTreeMap<Uuid, &Newest> {
    evidence.cases.iter().map(|case| (uuid(case.process.id), &case.newest)).collect()
}

fn known(newest: &Newest) -> &Execution {
    match newest {
        Newest::Known(Some(execution)) => execution,
        other => panic!("{other:?} instead of a known execution"),
    }
}

fn tell(proxy: &Arc<AwsProxy>, seen: &[Seen]) {
    list_pages(proxy, &[seen.iter().map(listed).collect()]);
}

/// The kinds and targets that are wanted.
fn wanted(world: &World, evidence: &Evidence) -> BTreeMap<String, &'static str> {
    let plan = processes::plan(evidence, &world.config, Utc::now());
    plan.actions
        .iter()
        .map(|planned| {
            let status = planned.action.downcast::<SetRowStatus>().map(|action| action.status.as_str());
            (planned.action.target(), status.unwrap_or_else(|| planned.action.kind()))
        })
        .collect()
}

#[tokio::test]
async fn a_sweep_of_several_pages_sees_every_row_once() -> Tested {
    let mut world = World::new("pages").await;
    let proxy = scripted().await;
    tell(&proxy, &[]);
    // Of 20,000 rows, which are read in two answers; a run goes on behind them.
    world
        .execute(
            "INSERT INTO {processes} (id, user_id, type, status, progress, retry_count, created_at, updated_at)
             SELECT gen_random_uuid(), gen_random_uuid(), 'SUBGOAL_GENERATION', 'PROCESSING', 0, 0, now(), now()
               FROM generate_series(1, 20001)",
        )
        .await;

    let first = sweep(&mut world, &proxy).await;

    assert_eq!((first.population, first.cases.len(), newest(&first).len()), (20_001, 20_000, 20_000));
    let next = Cursor { goes_on: true, ..first.cursor.clone().ok_or("no cursor")? };
    let second = gather(&mut world, &proxy, Question::Sweep(next), Filter::OpenOrLatelyClosed).await?;
    let rest: Vec<Uuid> = newest(&second).into_keys().collect();
    assert_eq!((rest.len(), newest(&first).contains_key(&rest[0])), (1, false));
    assert_eq!(second.cursor.and_then(|cursor| cursor.after), None);
    assert_eq!(proxy.calls("ListExecutions"), 1, "the list was read with the first of them");
    Ok(())
}

#[tokio::test]
async fn what_all_pages_would_correct_is_counted_with_the_first() -> Tested {
    let mut world = World::new("corrections").await;
    let proxy = scripted().await;
    tell(&proxy, &[]);
    world
        .execute(
            "INSERT INTO {processes} (id, user_id, type, status, progress, retry_count, created_at, updated_at, completed_at)
             SELECT gen_random_uuid(), gen_random_uuid(), 'SUBGOAL_GENERATION', 'FAILED', 0, 0, now() - interval '1 hour',
                    now() - interval '50 minutes', now() - interval '50 minutes'
               FROM generate_series(1, 20001)",
        )
        .await;
    world
        .execute(
            "INSERT INTO remediation.executions (execution_arn, process_id, status, redrive_count, started_at, stopped_at, says_failed)
             SELECT 'arn:aws:states:us-east-1:000000000000:execution:ai:' || id, id, 'SUCCEEDED', 0, now() - interval '1 hour',
                    now() - interval '40 minutes', false
               FROM {processes}",
        )
        .await;
    let first = sweep(&mut world, &proxy).await;
    let extent = first.extent.ok_or("no extent")?;
    assert_eq!((first.cases.len(), extent.lately_closed, extent.corrections), (20_000, 20_001, 20_001));
    Ok(())
}

#[tokio::test]
async fn a_sweep_finds_what_lost_events_would_have_told_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let proxy = scripted().await;
        let rows = [processing(600), processing(600), processing(600), Row::pending(seconds_ago(600))];
        world.insert(&rows).await;
        let over = |at: usize, status| execution(rows[at].id, status, seconds_ago(599), Some(seconds_ago(300)));
        let seen = [over(0, Succeeded), over(1, TimedOut), execution(rows[2].id, Running, seconds_ago(599), None)];
        tell(&proxy, &seen);
        let mut output = described(&seen[0], &json!({ "processId": rows[0].id }));
        output["output"] = json!({ "generationResult": { "Payload": { "goals": [1] } } }).to_string().into();
        proxy.answer("DescribeExecution", output);

        let evidence = sweep(&mut world, &proxy).await;
        assert_eq!((evidence.population, evidence.cases.len()), (4, 4), "{}", variant.name);
        let newest = newest(&evidence);
        let first = known(newest[&rows[0].id]);
        assert_eq!((first.status, first.stopped_at), (Succeeded, seen[0].execution.stopped_at));
        assert_eq!(
            first.ending.as_ref().and_then(|ending| ending.result.clone()),
            Some(json!({ "goals": [1] }).into())
        );
        assert_eq!(known(newest[&rows[1].id]).status, TimedOut);
        assert_eq!(known(newest[&rows[2].id]).status, Running);
        assert_eq!(newest[&rows[3].id], &Newest::Known(None));
        assert_eq!((proxy.calls("ListExecutions"), proxy.calls("DescribeExecution")), (1, 1));
        let expected =
            [(0, "COMPLETED"), (1, "FAILED"), (3, "FAILED")].map(|(at, status)| (rows[at].id.to_string(), status));
        assert_eq!(wanted(&world, &evidence), BTreeMap::from(expected), "{}", variant.name);
        let case = evidence.cases.iter().find(|case| uuid(case.process.id) == rows[0].id).ok_or("no case")?;
        assert_eq!(case.process, world.process(rows[0].id).await, "{}", variant.name);
    }
    Ok(())
}

#[tokio::test]
async fn of_three_executions_the_one_started_last_speaks() -> Tested {
    let mut world = World::new("three").await;
    let proxy = scripted().await;
    let row = processing(800);
    world.insert(std::slice::from_ref(&row)).await;
    let old = execution(row.id, Succeeded, seconds_ago(790), Some(seconds_ago(700)));
    let newest_one = execution(row.id, Running, seconds_ago(500), None);
    let middle = execution(row.id, Failed, seconds_ago(650), Some(seconds_ago(510)));
    // One is known, and Step Functions tells of all three, in whatever order.
    world.remember(std::slice::from_ref(&middle)).await;
    tell(&proxy, &[old, newest_one.clone(), middle]);
    let evidence = sweep(&mut world, &proxy).await;
    assert_eq!(known(newest(&evidence)[&row.id]).arn, newest_one.execution.arn);
    assert_eq!(wanted(&world, &evidence), BTreeMap::new());
    Ok(())
}

#[tokio::test]
async fn that_there_is_no_execution_is_known_only_once_the_list_was_read_far_enough() -> Tested {
    let mut world = World::new("none").await;
    let proxy = scripted().await;
    let rows = [Row::pending(seconds_ago(2000)), Row::pending(seconds_ago(5000))];
    world.insert(&rows).await;
    let [new, late, old] = [10, 1500, 9000]
        .map(|seconds| listed(&execution(Uuid::new_v4(), Succeeded, seconds_ago(seconds), Some(seconds_ago(1)))));
    // The list was read back to 3000 s ago, and goes on no further in this run: its token has expired.
    list_pages(&proxy, &[vec![new.clone(), late.clone()], vec![]]);
    let handle = Arc::downgrade(&proxy);
    proxy.after("ListExecutions", move || {
        if let Some(proxy) = handle.upgrade() {
            proxy.fail("ListExecutions", Failure::error("InvalidToken").times(1));
        }
        async {}
    });
    let listed = Listed { since: seconds_ago(3000), until: seconds_ago(10), token: Some("of-yesterday".into()) };
    let cursor = Cursor { listed: Some(listed), ..Cursor::default() };
    let evidence = gather(&mut world, &proxy, Question::Sweep(cursor), Filter::OpenOrLatelyClosed).await?;
    let so_far = newest(&evidence);
    assert_eq!(so_far[&rows[0].id], &Newest::Known(None));
    assert!(matches!(so_far[&rows[1].id], Newest::Unknown(_)), "{so_far:?}");
    assert_eq!(wanted(&world, &evidence).into_keys().collect::<Vec<_>>(), [rows[0].id.to_string()]);

    // The next run reads the rest.
    proxy.clear();
    list_pages(&proxy, &[vec![new, late], vec![old]]);
    let cursor = evidence.cursor.clone().ok_or("no cursor")?;
    let evidence = gather(&mut world, &proxy, Question::Sweep(cursor), Filter::OpenOrLatelyClosed).await?;
    assert_eq!(newest(&evidence)[&rows[1].id], &Newest::Known(None));
    assert_eq!(wanted(&world, &evidence).len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_pending_redrive_is_waited_for() -> Tested {
    let mut world = World::new("redrive").await;
    let proxy = scripted().await;
    let row = processing(2000);
    world.insert(std::slice::from_ref(&row)).await;
    let seen = execution(row.id, PendingRedrive, seconds_ago(1999), Some(seconds_ago(500)));
    tell(&proxy, std::slice::from_ref(&seen));
    proxy.answer("DescribeExecution", described(&seen, &json!({ "processId": row.id })));
    let evidence = sweep(&mut world, &proxy).await;
    assert_eq!(known(newest(&evidence)[&row.id]).status, PendingRedrive);
    assert_eq!(wanted(&world, &evidence), BTreeMap::new());
    Ok(())
}

#[tokio::test]
async fn past_the_deadline_are_old_open_rows_and_no_others_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let proxy = scripted().await;
        let late = [Row::pending(seconds_ago(301)), processing(901)];
        world.insert(&late).await;
        world
            .insert(&[
                Row::pending(seconds_ago(290)),
                processing(890),
                processing(5000).became("COMPLETED", seconds_ago(100)),
                processing(5000).became("TIMEOUT", seconds_ago(100)),
                processing(5000).became("CANCELLED", seconds_ago(100)),
            ])
            .await;
        tell(&proxy, &[]);
        let question = Question::Sweep(Cursor::default());
        let evidence = gather(&mut world, &proxy, question, Filter::PastDeadline).await?;
        let mut found: Vec<Uuid> = evidence.cases.iter().map(|case| uuid(case.process.id)).collect();
        let mut expected = late.map(|row| row.id);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", variant.name);
        assert_eq!(evidence.population, 7, "the share is one of all");
    }
    Ok(())
}

#[tokio::test]
async fn of_closed_rows_a_sweep_looks_at_those_whose_execution_tells_another_story() -> Tested {
    let cases: [(&str, i64, Option<ExecutionStatus>, bool); 14] = [
        ("COMPLETED", 600, Some(Succeeded), false),
        ("COMPLETED", 600, Some(Failed), true),
        ("COMPLETED", 600, Some(Running), true),
        ("COMPLETED", 600, None, false),
        ("FAILED", 600, Some(Succeeded), true),
        ("FAILED", 600, Some(Failed), false),
        ("FAILED", 600, Some(Running), true),
        ("TIMEOUT", 600, Some(Succeeded), true),
        ("TIMEOUT", 600, Some(Aborted), false),
        ("CANCELLED", 600, Some(Running), true),
        ("CANCELLED", 600, Some(Succeeded), true),
        ("CANCELLED", 600, Some(TimedOut), false),
        ("CANCELLED", 600, None, false),
        ("CANCELLED", 86_500, Some(Running), false),
    ];
    for variant in [patient::table::GUIDE, patient::table::PUSHED] {
        let mut world = World::of("closed", &variant).await;
        let proxy = scripted().await;
        tell(&proxy, &[]);
        let mut expected = Vec::new();
        for (status, closed, of_execution, looked_at) in cases {
            let row = processing(closed + 60).became(status, seconds_ago(closed));
            world.insert(std::slice::from_ref(&row)).await;
            if let Some(status) = of_execution {
                let stopped_at = status.is_over().then(|| seconds_ago(closed - 1));
                world.remember(&[execution(row.id, status, seconds_ago(closed + 59), stopped_at)]).await;
            }
            if looked_at {
                expected.push(row.id);
            }
        }
        proxy.fail("DescribeExecution", Failure::error("ThrottlingException"));
        let evidence = sweep(&mut world, &proxy).await;
        expected.sort_unstable();
        let found: Vec<Uuid> = evidence.cases.iter().map(|case| uuid(case.process.id)).collect();
        let told: Vec<_> = evidence.cases.iter().map(|case| (case.process.status, &case.newest)).collect();
        assert_eq!(found, expected, "{}: {told:#?}", variant.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_status_that_nobody_knows_does_not_hold_up_a_sweep() -> Tested {
    let mut world = World::new("odd_status").await;
    let proxy = scripted().await;
    let (odd, none, good) = (processing(600), processing(600), processing(600));
    world.insert(&[odd.clone(), none.clone(), good.clone()]).await;
    world.execute(&format!("UPDATE {{processes}} SET status = 'ARCHIVED' WHERE id = '{}'", odd.id)).await;
    world.execute("ALTER TABLE {processes} ALTER status DROP NOT NULL").await;
    world.execute(&format!("UPDATE {{processes}} SET status = NULL WHERE id = '{}'", none.id)).await;
    let over = |row: &Row| execution(row.id, TimedOut, seconds_ago(599), Some(seconds_ago(300)));
    let running = |row: &Row| execution(row.id, Running, seconds_ago(599), None);
    tell(&proxy, &[running(&odd), running(&none), over(&good)]);
    let evidence = sweep(&mut world, &proxy).await;
    assert_eq!(wanted(&world, &evidence), BTreeMap::from([(good.id.to_string(), "FAILED")]));
    Ok(())
}

#[tokio::test]
async fn an_execution_that_step_functions_has_forgotten_is_over_and_holds_up_no_other() -> Tested {
    let mut world = World::new("forgotten").await;
    let proxy = scripted().await;
    const LONG_AGO: i64 = 91 * 86_400;
    let mut rows = [processing(LONG_AGO), processing(LONG_AGO)];
    rows.sort_by_key(|row| row.id);
    world.insert(&rows).await;
    let seen: Vec<Seen> = rows.iter().map(|row| execution(row.id, Running, seconds_ago(LONG_AGO - 1), None)).collect();
    world.remember(&seen).await;
    tell(&proxy, &[]);
    proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist").times(1));
    let mut over = seen[1].clone();
    (over.execution.status, over.execution.stopped_at) = (TimedOut, Some(seconds_ago(500)));
    proxy.answer("DescribeExecution", described(&over, &json!({ "processId": rows[1].id })));
    let evidence = sweep(&mut world, &proxy).await;
    let newest = newest(&evidence);
    let forgotten = known(newest[&rows[0].id]);
    let cause = forgotten.ending.as_ref().and_then(|ending| ending.cause.as_deref()).unwrap_or_default();
    assert!(forgotten.status == TimedOut && cause.contains("ExecutionDoesNotExist"), "{forgotten:?}");
    assert_eq!(known(newest[&rows[1].id]).status, TimedOut);
    let expected = rows.map(|row| (row.id.to_string(), "FAILED"));
    assert_eq!(wanted(&world, &evidence), BTreeMap::from(expected));
    Ok(())
}

#[tokio::test]
async fn when_step_functions_refuses_what_is_known_is_still_put_right() -> Tested {
    for operation in ["ListExecutions", "DescribeExecution"] {
        let mut world = World::new("unavailable").await;
        let proxy = scripted().await;
        let rows = [processing(600), processing(2000), Row::pending(seconds_ago(2000))];
        world.insert(&rows).await;
        world
            .remember(&[
                execution(rows[0].id, TimedOut, seconds_ago(599), Some(seconds_ago(300))),
                execution(rows[1].id, Running, seconds_ago(1999), None),
            ])
            .await;
        tell(&proxy, &[]);
        proxy.fail(operation, Failure::error("ThrottlingException"));
        let evidence = sweep(&mut world, &proxy).await;
        let codes: Vec<&str> = evidence.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["step_functions_unavailable"], "{operation}");
        assert!(evidence.findings[0].message.contains("ThrottlingException"));
        let newest = newest(&evidence);
        assert_eq!(known(newest[&rows[0].id]).status, TimedOut);
        assert!(matches!(newest[&rows[1].id], Newest::Unknown(_)), "{operation}: {newest:?}");
        let none_is_known = operation == "DescribeExecution";
        assert_eq!(newest[&rows[2].id] == &Newest::Known(None), none_is_known, "{operation}: {newest:?}");
        assert!(wanted(&world, &evidence).contains_key(&rows[0].id.to_string()));
    }
    Ok(())
}

#[tokio::test]
async fn a_sweep_goes_on_after_the_row_where_the_last_one_stopped() -> Tested {
    let mut world = World::new("after").await;
    let proxy = scripted().await;
    let mut rows = [processing(600), processing(600), processing(600)];
    rows.sort_by_key(|row| row.id);
    world.insert(&rows).await;
    tell(&proxy, &[]);
    let cursor = Cursor { after: Some(ProcessId::from(rows[1].id)), ..Cursor::default() };
    let evidence = gather(&mut world, &proxy, Question::Sweep(cursor), Filter::OpenOrLatelyClosed).await?;
    let found: Vec<Uuid> = evidence.cases.iter().map(|case| uuid(case.process.id)).collect();
    assert_eq!(found, [rows[2].id]);
    assert_eq!(evidence.cursor.ok_or("no cursor")?.after, None, "all are done: the next one begins anew");
    Ok(())
}

fn event(seen: &Seen) -> Question {
    let Seen { execution, process } = seen.clone();
    Question::Change(Box::new(ExecutionChange { execution, process, event_id: None, unknown_status: None }))
}

#[tokio::test]
async fn an_event_is_remembered_and_compared_with_what_is_known() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let proxy = scripted().await;
        proxy.answer("ListExecutions", json!({ "executions": [] }));
        let row = processing(600);
        world.insert(std::slice::from_ref(&row)).await;
        let started = seconds_ago(599);
        let running = execution(row.id, Running, started, None);
        let timed_out = execution(row.id, TimedOut, started, Some(seconds_ago(10)));
        let timed_out = ended(timed_out, Some("States.Timeout"), None);
        let later = execution(row.id, Running, seconds_ago(5), None);
        // (the event, who speaks for the process then)
        for (seen, speaks, status) in [
            (&running, &running, Running),
            (&timed_out, &timed_out, TimedOut),
            (&running, &timed_out, TimedOut),
            (&later, &later, Running),
            (&timed_out, &later, Running),
        ] {
            let evidence = gather(&mut world, &proxy, event(seen), Filter::OpenOrLatelyClosed).await?;
            let newest = known(newest(&evidence)[&row.id]);
            assert_eq!((&newest.arn, newest.status), (&speaks.execution.arn, status), "{}: {seen:?}", variant.name);
        }
        assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.executions").await, 2);
        // Without retry_count the row may have been re-opened, and a newer execution is looked for.
        assert_eq!(proxy.counts().is_empty(), variant.complete, "an event that carries all needs no call");
    }
    Ok(())
}

#[tokio::test]
async fn an_event_for_a_process_without_a_row_is_told_and_remembered() -> Tested {
    let mut world = World::new("row_missing").await;
    let proxy = scripted().await;
    let seen = execution(Uuid::new_v4(), Running, seconds_ago(10), None);
    let evidence = gather(&mut world, &proxy, event(&seen), Filter::OpenOrLatelyClosed).await?;
    assert!(evidence.cases.is_empty());
    assert_eq!((evidence.findings.len(), evidence.findings[0].code), (1, "row_missing"));
    assert_eq!(Some(evidence.findings[0].target.parse()?), seen.process.map(uuid));
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.executions").await, 1);
    Ok(())
}

#[tokio::test]
async fn an_execution_that_names_no_process_anywhere_is_told_by_its_name() -> Tested {
    let mut world = World::new("process_unknown").await;
    let proxy = scripted().await;
    let mut seen = execution(Uuid::new_v4(), Running, seconds_ago(10), None);
    seen.process = None;
    seen.execution.arn = format!("{}:by-hand", MACHINE.replace(":stateMachine:", ":execution:")).parse()?;
    proxy.answer("DescribeExecution", described(&seen, &json!({ "type": "something else" })));
    let evidence = gather(&mut world, &proxy, event(&seen), Filter::OpenOrLatelyClosed).await?;
    assert_eq!((evidence.findings.len(), evidence.findings[0].code), (1, "process_unknown"));
    assert!(evidence.findings[0].message.contains("by-hand"));
    Ok(())
}

#[tokio::test]
async fn an_execution_of_another_state_machine_is_refused() -> Tested {
    let mut world = World::new("another_machine").await;
    let proxy = scripted().await;
    let mut seen = execution(Uuid::new_v4(), Running, seconds_ago(10), None);
    let other = MACHINE.replace("ai-processing", "payroll");
    seen.execution.arn = arn_of(&other, Uuid::new_v4(), seconds_ago(10));
    for question in [event(&seen), Question::Execution(seen.execution.arn.clone())] {
        let error = gather(&mut world, &proxy, question, Filter::OpenOrLatelyClosed).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(why) if why.contains(&other) && why.contains(MACHINE)), "{error}");
    }
    assert!(proxy.counts().is_empty());
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.executions").await, 0);
    Ok(())
}

#[tokio::test]
async fn a_process_that_is_asked_for_must_be_there() -> Tested {
    let mut world = World::new("asked_for").await;
    let proxy = scripted().await;
    let id = Uuid::new_v4();
    let error = gather(&mut world, &proxy, Question::Process(ProcessId::from(id)), Filter::OpenOrLatelyClosed)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Refused(why) if why.contains(&id.to_string()) && why.contains("public.processing_state"))
    );
    Ok(())
}

#[tokio::test]
async fn one_process_is_looked_up_in_the_list_back_to_when_it_was_accepted() -> Tested {
    let mut world = World::new("one_process").await;
    let proxy = scripted().await;
    let row = processing(600);
    world.insert(std::slice::from_ref(&row)).await;
    let other = execution(Uuid::new_v4(), Succeeded, seconds_ago(10), Some(seconds_ago(5)));
    let own = execution(row.id, TimedOut, seconds_ago(599), Some(seconds_ago(300)));
    let older = execution(Uuid::new_v4(), Succeeded, seconds_ago(5000), Some(seconds_ago(4000)));
    list_pages(&proxy, &[vec![listed(&other)], vec![listed(&own)], vec![listed(&older)], vec![]]);
    let question = Question::Process(ProcessId::from(row.id));
    let evidence = gather(&mut world, &proxy, question, Filter::OpenOrLatelyClosed).await?;
    assert_eq!(known(newest(&evidence)[&row.id]).arn, own.execution.arn);
    assert_eq!(proxy.calls("ListExecutions"), 3);
    assert_eq!(wanted(&world, &evidence), BTreeMap::from([(row.id.to_string(), "FAILED")]));
    Ok(())
}

#[tokio::test]
async fn what_had_no_execution_when_it_was_planned_is_looked_for_again_when_it_is_approved() -> Tested {
    let mut world = World::new("approved_later").await;
    let rows = [Row::pending(seconds_ago(2000)), Row::pending(seconds_ago(2000))];
    world.insert(&rows).await;
    let question = || Question::Again(rows.iter().map(|row| (ProcessId::from(row.id), Look::Sweep)).collect());
    let started_since = execution(rows[0].id, Running, seconds_ago(100), None);

    let proxy = scripted().await;
    proxy.fail("ListExecutions", Failure::error("AccessDeniedException"));
    let evidence = gather(&mut world, &proxy, question(), Filter::OpenOrLatelyClosed).await?;
    assert_eq!(wanted(&world, &evidence), BTreeMap::new(), "what could not be looked for is not known to be none");
    assert_eq!(
        evidence.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(),
        ["step_functions_unavailable"]
    );

    proxy.clear();
    tell(&proxy, std::slice::from_ref(&started_since));
    let evidence = gather(&mut world, &proxy, question(), Filter::OpenOrLatelyClosed).await?;
    assert_eq!(known(newest(&evidence)[&rows[0].id]).arn, started_since.execution.arn);
    assert_eq!(wanted(&world, &evidence), BTreeMap::from([(rows[1].id.to_string(), "FAILED")]));
    Ok(())
}

#[tokio::test]
async fn what_we_stopped_for_its_deadline_is_known_from_the_ledger() -> Tested {
    // (why we stopped it, what became of that, in which redrive; the execution's redrive; whether that was its end)
    for (cause, outcome, stopped_in, redrive, told) in [
        ("deadline", "applied", 0, 0, true),
        ("deadline", "applying", 0, 0, false),
        ("deadline", "failed", 0, 0, false),
        ("cancelled", "applied", 0, 0, false),
        ("deadline", "applied", 0, 1, false),
        ("deadline", "applying", 0, 1, false),
        ("deadline", "applied", 1, 1, true),
        ("deadline", "applied", 1, 2, false),
    ] {
        let mut world = World::new("stopped_by_us").await;
        let proxy = scripted().await;
        let row = processing(2000);
        world.insert(std::slice::from_ref(&row)).await;
        let mut seen = execution(row.id, Aborted, seconds_ago(1999), Some(seconds_ago(100)));
        seen.execution.redrive_count = redrive;
        sqlx::query(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, before, outcome, reason)
             VALUES (gen_random_uuid(), gen_random_uuid(), 'test', 'stop-execution', $1, $2,
                     jsonb_build_object('status', 'RUNNING', 'redriveCount', $4::int4), $3, 'test')",
        )
        .bind(seen.execution.arn.as_str())
        .bind(cause)
        .bind(outcome)
        .bind(stopped_in)
        .execute(world.database.pool())
        .await?;
        let case = format!("{cause} {outcome}, stopped in {stopped_in}, ended in {redrive}");
        let told_by_event = ended(seen.clone(), Some("SomethingElse"), None);
        let of_event = gather(&mut world, &proxy, event(&told_by_event), Filter::OpenOrLatelyClosed).await?;
        assert_eq!(known(newest(&of_event)[&row.id]).stopped_for_deadline, told, "{case}");
        tell(&proxy, std::slice::from_ref(&seen));
        let of_sweep = sweep(&mut world, &proxy).await;
        assert_eq!(known(newest(&of_sweep)[&row.id]).stopped_for_deadline, told, "{case}");
    }
    Ok(())
}

/// Times are compared to the millisecond, as Step Functions tells them.
#[tokio::test]
async fn times_of_executions_come_back_to_the_millisecond() -> Tested {
    let mut world = World::new("milliseconds").await;
    let proxy = scripted().await;
    let row = processing(600);
    world.insert(std::slice::from_ref(&row)).await;
    let at: DateTime<Utc> = DateTime::from_timestamp_millis(1_764_000_000_987).ok_or("no time")?;
    let stopped = DateTime::from_timestamp_millis(1_764_000_001_001).ok_or("no time")?;
    let seen = execution(row.id, TimedOut, at, Some(stopped));
    tell(&proxy, std::slice::from_ref(&seen));
    let evidence = sweep(&mut world, &proxy).await;
    let read = known(newest(&evidence)[&row.id]);
    assert_eq!((read.started_at, read.stopped_at), (at, Some(stopped)));
    Ok(())
}
