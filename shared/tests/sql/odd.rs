//! What no application should leave behind, and some do: one odd row, execution or answer never ends the rest.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use harness::Failure;
use patient::table::{GUIDE, PUSHED, Row, Variant};
use remediation::act::action::ActionResult;
use remediation::act::actions::set_row_status::SetRowStatus;
use remediation::domain::ProcessId;
use remediation::gather;
use remediation::gather::executions;
use remediation::gather::processes::case::{Evidence, Newest};
use remediation::gather::processes::sweep::Filter;
use remediation::gather::step_functions::{Odd, Seen};
use remediation::gather::trigger::ExecutionChange;
use remediation::gather::trigger::result_path::ResultPath;
use remediation::run::processes;
use remediation::run::step::{Cursor, Planned, Question};
use serde_json::json;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::*;

async fn gather(world: &mut World, proxy: &harness::AwsProxy, question: Question, filter: Filter) -> Evidence {
    let step_functions = step_functions(proxy, MACHINE).await;
    let mut table = None;
    let mut session = world.session(&step_functions, &mut table);
    gather::processes::read(&mut session, &question, filter).await.unwrap()
}

async fn sweep(world: &mut World, proxy: &harness::AwsProxy, filter: Filter) -> Evidence {
    gather(world, proxy, Question::Sweep(Cursor::default()), filter).await
}

fn event(seen: &Seen) -> Question {
    let Seen { execution, process } = seen.clone();
    Question::Change(Box::new(ExecutionChange { execution, process, event_id: None, unknown_status: None }))
}

fn codes(evidence: &Evidence) -> BTreeSet<&'static str> {
    evidence.findings.iter().map(|finding| finding.code).collect()
}

fn message<'a>(evidence: &'a Evidence, code: &str) -> &'a str {
    evidence.findings.iter().find(|finding| finding.code == code).map_or("", |finding| &finding.message)
}

/// Targets of what is wanted.
fn wanted(world: &World, evidence: &Evidence) -> Vec<String> {
    let plan = processes::plan(evidence, &world.config, Utc::now());
    plan.actions.iter().map(|planned| planned.action.target()).collect()
}

/// The extremes of every type that a row is read from.
const EXTREMES: [(&str, &[&str]); 9] = [
    ("{created_at}", &["'infinity'", "'-infinity'", "'294276-12-31'", "'4713-01-01 BC'", "'0001-01-01'", "NULL"]),
    ("{updated_at}", &["'infinity'", "'-infinity'", "'294276-12-31'", "'4713-01-01 BC'", "'10000-01-01'", "NULL"]),
    ("{completed_at}", &["'infinity'", "'-infinity'", "'294276-12-31'", "'4713-01-01 BC'", "NULL"]),
    ("progress", &["32767", "-32768", "NULL"]),
    ("{retry_count}", &["32767", "-32768", "NULL"]),
    ("error", &["'1e400'", "'\"text\"'", "'[]'", "'{\"code\": {\"a\": 1}}'", "'{\"code\": null}'", "'null'", "NULL"]),
    ("result", &["'1e400'", "'null'", "'\"\"'", "'[[[[]]]]'", "NULL"]),
    ("type", &["NULL"]),
    ("{target_id}", &["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "NULL"]),
];

/// A world whose columns take whatever their types can hold, with one row for each extreme in each of these statuses.
async fn extremes(variant: &Variant) -> World {
    let world = World::of("extremes", variant).await;
    for column in ["{created_at}", "{updated_at}", "progress", "{retry_count}", "type"] {
        let quoted = world.variant.spell(column);
        world.execute(&format!("ALTER TABLE {{processes}} ALTER {quoted} DROP NOT NULL")).await;
    }
    for (column, values) in EXTREMES {
        for value in values {
            for status in ["PROCESSING", "COMPLETED", "FAILED"] {
                let row = match status {
                    "PROCESSING" => processing(5000),
                    closed => processing(5000).became(closed, seconds_ago(500)),
                };
                world.insert(std::slice::from_ref(&row)).await;
                world.execute(&format!("UPDATE {{processes}} SET {column} = {value} WHERE id = '{}'", row.id)).await;
            }
        }
    }
    world
}

#[tokio::test]
async fn no_extreme_of_any_type_ends_a_sweep_or_a_look_at_one_process() -> Tested {
    for variant in [GUIDE, PUSHED] {
        let mut world = extremes(&variant).await;
        let good = processing(5000);
        world.insert(std::slice::from_ref(&good)).await;
        let proxy = scripted().await;
        proxy.answer("ListExecutions", json!({ "executions": [] }));
        let filters = [
            Filter::OpenOrLatelyClosed,
            Filter::PastDeadline,
            Filter::CancelledButRunning,
            Filter::Stalled(TimeDelta::seconds(60)),
            Filter::LatelyFailed,
        ];
        for filter in filters {
            let evidence = sweep(&mut world, &proxy, filter).await;
            let looks_at_open = matches!(filter, Filter::OpenOrLatelyClosed | Filter::PastDeadline);
            assert_eq!(
                wanted(&world, &evidence).contains(&good.id.to_string()),
                looks_at_open || matches!(filter, Filter::Stalled(_)),
                "{}: {filter:?}",
                variant.name
            );
            if filter == Filter::OpenOrLatelyClosed {
                assert!(codes(&evidence).contains("row_time_unusable"), "{:?}", evidence.findings);
                assert!(evidence.findings.len() < 20, "they are counted, not listed: {:?}", evidence.findings);
            }
        }
        // Each by itself, by hand and by an event.
        let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(variant.spell("SELECT id FROM {processes}")))
            .fetch_all(world.database.pool())
            .await?;
        for id in ids {
            let seen = ended(
                execution(id, Failed, seconds_ago(4990), Some(seconds_ago(4000))),
                Some("AI_ERROR"),
                Some("it failed"),
            );
            for question in [Question::Process(ProcessId::from(id)), event(&seen)] {
                let evidence = gather(&mut world, &proxy, question, Filter::OpenOrLatelyClosed).await;
                assert_eq!(evidence.cases.len() + evidence.findings.len(), 1, "{}: {evidence:?}", variant.name);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_row_of_an_unknown_status_is_told_and_left_alone() -> Tested {
    let mut world = World::new("odd_status").await;
    let proxy = scripted().await;
    proxy.answer("ListExecutions", json!({ "executions": [] }));
    let rows: Vec<Row> = (0..8).map(|_| processing(600)).collect();
    world.insert(&rows).await;
    world.execute("UPDATE {processes} SET status = 'QUEUED'").await;
    let evidence = sweep(&mut world, &proxy, Filter::OpenOrLatelyClosed).await;
    assert_eq!(codes(&evidence), BTreeSet::from(["row_status_unknown"]));
    assert!(message(&evidence, "row_status_unknown").contains("8 with the unknown status QUEUED"));
    let seen = execution(rows[0].id, TimedOut, seconds_ago(599), Some(seconds_ago(300)));
    for question in [Question::Process(ProcessId::from(rows[0].id)), event(&seen)] {
        let evidence = gather(&mut world, &proxy, question, Filter::OpenOrLatelyClosed).await;
        assert!(evidence.cases.is_empty());
        assert_eq!(evidence.findings[0].target, rows[0].id.to_string());
        assert!(evidence.findings[0].message.contains("QUEUED"), "{:?}", evidence.findings);
    }
    Ok(())
}

#[tokio::test]
async fn a_process_whose_execution_has_an_unknown_status_is_left_alone_until_it_is_known() -> Tested {
    let mut world = World::new("odd_execution").await;
    let proxy = scripted().await;
    let (odd, stuck) = (processing(5000), processing(5000));
    world.insert(&[odd.clone(), stuck.clone()]).await;
    let mut seen = execution(odd.id, Running, seconds_ago(4990), None);
    let mut item = listed(&seen);
    item["status"] = json!("SOMETHING_NEW");
    list_pages(&proxy, &[vec![item]]);
    // Also later, when the list is no longer read so far back.
    for _ in 0..2 {
        let evidence = sweep(&mut world, &proxy, Filter::OpenOrLatelyClosed).await;
        assert_eq!(wanted(&world, &evidence), [stuck.id.to_string()]);
        let case = evidence.cases.iter().find(|case| uuid(case.process.id) == odd.id).ok_or("no case")?;
        assert!(matches!(&case.newest, Newest::Unknown(why) if why.contains("SOMETHING_NEW")), "{case:?}");
        assert!(message(&evidence, "execution_status_unknown").contains("SOMETHING_NEW"), "{:?}", evidence.findings);
        proxy.clear();
        list_pages(&proxy, &[vec![]]);
    }
    seen.execution.status = TimedOut;
    seen.execution.stopped_at = Some(seconds_ago(1000));
    world.remember(std::slice::from_ref(&seen)).await;
    let evidence = sweep(&mut world, &proxy, Filter::OpenOrLatelyClosed).await;
    assert_eq!(wanted(&world, &evidence).len(), 2);
    assert_eq!(codes(&evidence), BTreeSet::new());
    Ok(())
}

#[tokio::test]
async fn an_unknown_status_takes_no_place_of_a_later_redrive() -> Tested {
    let mut world = World::new("odd_order").await;
    let mut seen = execution(Uuid::new_v4(), Running, seconds_ago(100), None);
    seen.execution.redrive_count = 1;
    world.remember(std::slice::from_ref(&seen)).await;
    let odd = Odd {
        arn: seen.execution.arn.clone(),
        process: seen.process,
        status: "SOMETHING_NEW".into(),
        redrive_count: 0,
        started_at: seen.execution.started_at,
    };
    executions::remember_odd(&mut world.db, std::slice::from_ref(&odd)).await?;
    assert_eq!(world.ask::<String>("SELECT status FROM remediation.executions").await, "RUNNING");
    executions::remember_odd(&mut world.db, &[Odd { redrive_count: 1, ..odd }]).await?;
    assert_eq!(world.ask::<String>("SELECT status FROM remediation.executions").await, "SOMETHING_NEW");
    Ok(())
}

#[tokio::test]
async fn one_execution_that_may_not_be_looked_at_leaves_its_own_row_undecided_and_no_other() -> Tested {
    let mut world = World::new("forbidden").await;
    let proxy = scripted().await;
    let mut rows = [processing(2000), processing(2000), processing(2000)];
    rows.sort_by_key(|row| row.id);
    world.insert(&rows).await;
    let seen: Vec<Seen> = rows.iter().map(|row| execution(row.id, Running, seconds_ago(1999), None)).collect();
    world.remember(&seen[..2]).await;
    proxy.answer("ListExecutions", json!({ "executions": [] }));
    proxy.fail("DescribeExecution", Failure::error("AccessDeniedException").times(1));
    let mut over = seen[1].clone();
    (over.execution.status, over.execution.stopped_at) = (TimedOut, Some(seconds_ago(500)));
    proxy.answer("DescribeExecution", described(&over, &json!({ "processId": rows[1].id })));
    let evidence = sweep(&mut world, &proxy, Filter::OpenOrLatelyClosed).await;
    assert_eq!(wanted(&world, &evidence), [rows[1].id.to_string(), rows[2].id.to_string()]);
    assert_eq!(codes(&evidence), BTreeSet::from(["execution_unreadable"]));
    assert!(message(&evidence, "execution_unreadable").contains("AccessDenied"), "{:?}", evidence.findings);
    Ok(())
}

#[tokio::test]
async fn where_every_execution_is_refused_asking_ends_and_it_is_told_as_one() -> Tested {
    let mut world = World::new("all_forbidden").await;
    let proxy = scripted().await;
    let rows: Vec<Row> = (0..12).map(|_| processing(2000)).collect();
    world.insert(&rows).await;
    let seen: Vec<Seen> = rows.iter().map(|row| execution(row.id, Running, seconds_ago(1999), None)).collect();
    world.remember(&seen).await;
    proxy.answer("ListExecutions", json!({ "executions": [] }));
    proxy.fail("DescribeExecution", Failure::error("AccessDeniedException"));
    let evidence = sweep(&mut world, &proxy, Filter::OpenOrLatelyClosed).await;
    assert_eq!(proxy.calls("DescribeExecution"), 5);
    assert!(codes(&evidence).contains("step_functions_unavailable"), "{:?}", evidence.findings);
    assert!(evidence.cases.iter().all(|case| matches!(case.newest, Newest::Unknown(_))));
    Ok(())
}

#[tokio::test]
async fn an_execution_that_is_gone_too_soon_is_no_end() -> Tested {
    let mut world = World::new("gone_too_soon").await;
    let proxy = scripted().await;
    let (young, old) = (processing(7200), processing(91 * 86_400));
    world.insert(&[young.clone(), old.clone()]).await;
    let seen = [
        execution(young.id, Running, seconds_ago(7190), None),
        execution(old.id, Running, seconds_ago(91 * 86_400 - 10), None),
    ];
    world.remember(&seen).await;
    proxy.answer("ListExecutions", json!({ "executions": [] }));
    proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist"));
    let evidence = sweep(&mut world, &proxy, Filter::OpenOrLatelyClosed).await;
    assert_eq!(wanted(&world, &evidence), [old.id.to_string()]);
    let told = message(&evidence, "execution_gone_too_soon");
    assert!(told.contains(" ago") && told.contains("90 days"), "{:?}", evidence.findings);
    // A late event of the same, too.
    let evidence = gather(&mut world, &proxy, event(&seen[0]), Filter::OpenOrLatelyClosed).await;
    assert_eq!((wanted(&world, &evidence), codes(&evidence)), (vec![], BTreeSet::from(["execution_gone_too_soon"])));
    Ok(())
}

#[tokio::test]
async fn nobodys_execution_that_is_gone_is_told_and_no_error() -> Tested {
    let mut world = World::new("nobodys_gone").await;
    let proxy = scripted().await;
    proxy.fail("DescribeExecution", Failure::error("ExecutionDoesNotExist"));
    let mut seen = execution(Uuid::new_v4(), Failed, seconds_ago(9_000_000), Some(seconds_ago(8_999_000)));
    seen.execution.arn = seen.execution.arn.sibling("nightly-1");
    let evidence = gather(&mut world, &proxy, event(&Seen { process: None, ..seen }), Filter::OpenOrLatelyClosed).await;
    assert_eq!(codes(&evidence), BTreeSet::from(["process_unknown"]));
    Ok(())
}

#[tokio::test]
async fn what_an_input_has_told_is_not_overwritten_by_a_guess_from_the_name() -> Tested {
    let mut world = World::new("guess").await;
    let (named, real) = (processing(400), processing(400));
    world.insert(&[named.clone(), real.clone()]).await;
    let of_name = execution(named.id, Running, seconds_ago(390), None);
    let of_input = Seen { process: Some(ProcessId::from(real.id)), ..of_name.clone() };
    let whose = async |world: &World| world.ask::<Uuid>("SELECT process_id::uuid FROM remediation.executions").await;
    world.remember(std::slice::from_ref(&of_input)).await;
    world.remember(std::slice::from_ref(&of_name)).await;
    assert_eq!(whose(&world).await, real.id);
    // An event of it without an input is about the process that is known.
    let proxy = scripted().await;
    let mut over = of_name.clone();
    (over.execution.status, over.execution.stopped_at) = (TimedOut, Some(seconds_ago(200)));
    let evidence = gather(&mut world, &proxy, event(&over), Filter::OpenOrLatelyClosed).await;
    assert_eq!(evidence.cases.iter().map(|case| uuid(case.process.id)).collect::<Vec<_>>(), [real.id]);
    assert_eq!(whose(&world).await, real.id);
    // The other way round the input has the last word.
    world.execute("DELETE FROM remediation.executions").await;
    world.remember(std::slice::from_ref(&of_name)).await;
    world.remember(std::slice::from_ref(&of_input)).await;
    assert_eq!(whose(&world).await, real.id);
    Ok(())
}

#[tokio::test]
async fn a_name_that_leads_to_no_row_is_asked_for_its_input_once() -> Tested {
    let mut world = World::new("no_such_name").await;
    let proxy = scripted().await;
    let row = Row::pending(seconds_ago(400));
    world.insert(std::slice::from_ref(&row)).await;
    let seen = execution(Uuid::new_v4(), Running, seconds_ago(390), None);
    list_pages(&proxy, &[vec![listed(&seen)]]);
    proxy.answer("DescribeExecution", described(&seen, &json!({ "processId": row.id })));
    for _ in 0..2 {
        let evidence = sweep(&mut world, &proxy, Filter::OpenOrLatelyClosed).await;
        assert_eq!(wanted(&world, &evidence), Vec::<String>::new(), "its execution runs");
    }
    assert_eq!(proxy.calls("DescribeExecution"), 1);
    Ok(())
}

#[tokio::test]
async fn times_that_only_another_zone_explains_are_told_as_that() -> Tested {
    for (shift, told) in [("9 hours", "ahead of the database's clock"), ("-5 hours", "some 5 h"), ("-30 seconds", "")] {
        let mut world = World::new("zone").await;
        let proxy = scripted().await;
        proxy.answer("ListExecutions", json!({ "executions": [] }));
        let rows: Vec<Row> = (0..4).map(|_| processing(100)).collect();
        world.insert(&rows).await;
        let seen: Vec<Seen> = rows.iter().map(|row| execution(row.id, Running, seconds_ago(99), None)).collect();
        world.remember(&seen).await;
        world
            .execute(&format!(
                "UPDATE {{processes}} SET created_at = created_at + interval '{shift}', updated_at = updated_at + interval '{shift}'"
            ))
            .await;
        // One whose execution is about to begin.
        let fresh = Row::pending(seconds_ago(20));
        world.insert(std::slice::from_ref(&fresh)).await;
        let later =
            format!("UPDATE {{processes}} SET created_at = created_at + interval '{shift}' WHERE id = '{}'", fresh.id);
        world.execute(&later).await;
        for filter in [Filter::OpenOrLatelyClosed, Filter::PastDeadline] {
            let evidence = sweep(&mut world, &proxy, filter).await;
            assert_eq!(
                wanted(&world, &evidence),
                Vec::<String>::new(),
                "{shift} {filter:?}: nothing is closed by such times"
            );
        }
        let evidence = sweep(&mut world, &proxy, Filter::OpenOrLatelyClosed).await;
        let zone = message(&evidence, "time_zone");
        assert_eq!(zone.is_empty(), told.is_empty(), "{shift}: {zone}");
        assert!(zone.contains(told) && (told.is_empty() || zone.contains("time zone")), "{shift}: {zone}");
    }
    Ok(())
}

/// What a trigger of the table does with row `x`, and what is told of that row.
const REFUSALS: [(&str, &str); 11] = [
    ("PERFORM current_setting('app.actor');", "unrecognized configuration parameter"),
    ("RAISE EXCEPTION 'by policy' USING ERRCODE = '55000';", "by policy"),
    ("RAISE EXCEPTION 'by policy' USING ERRCODE = 'ZZ999';", "by policy"),
    ("RAISE EXCEPTION 'by policy' USING ERRCODE = '42501';", "by policy"),
    ("RAISE EXCEPTION 'by policy' USING ERRCODE = '40001';", "by policy"),
    ("RAISE EXCEPTION 'by policy' USING ERRCODE = '57014';", "by policy"),
    ("PERFORM no_such_function();", "no_such_function"),
    ("PERFORM 1 / 0;", "division by zero"),
    ("RETURN NULL;", "stayed as it was"),
    ("RETURN OLD;", "stayed as it was"),
    // All but the status.
    ("NEW.status := OLD.status;", "stayed as it was"),
];

#[tokio::test]
async fn a_row_that_the_table_refuses_or_keeps_fails_alone_whatever_the_reason() -> Tested {
    let mut world = World::new("refusals").await;
    for (does, told) in REFUSALS {
        world.execute("DELETE FROM {processes}").await;
        let rows: Vec<Row> = (0..5).map(|_| processing(2000)).collect();
        world.insert(&rows).await;
        let bad = rows[2].id;
        world
            .execute(&format!(
                "CREATE OR REPLACE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN IF NEW.id = '{bad}' THEN {does} END IF; RETURN NEW; END $$;
                 CREATE OR REPLACE TRIGGER guard BEFORE UPDATE ON {{processes}} FOR EACH ROW EXECUTE FUNCTION guard()"
            ))
            .await;
        let mut wanted = Vec::new();
        for row in &rows {
            wanted.push(closing(&world.process(row.id).await, None, remediation::domain::ProcessStatus::Failed));
        }
        let actions: Vec<Planned> = wanted.iter().map(|wanted| planned(wanted.clone())).collect();
        let batch: Vec<(&Planned, &SetRowStatus)> = actions.iter().zip(&wanted).collect();
        let outcomes = world.set_all(&batch).await?;
        for (action, wanted) in &batch {
            let outcome = outcomes.iter().find(|outcome| outcome.id == action.id).ok_or("an outcome is missing")?;
            let entry = world.entry(action.id).await.ok_or("an entry is missing")?;
            if uuid(wanted.process.id) == bad {
                assert!(
                    matches!(&outcome.result, ActionResult::Failed(why) if why.contains(told)),
                    "{does} {outcome:?}"
                );
                assert_eq!((outcome.again, entry.outcome.as_str()), (None, "failed"), "{does}");
                assert!(entry.reason.contains(told), "{does}: {}", entry.reason);
                assert_eq!(world.row(bad).await.status, "PROCESSING", "{does}");
            } else {
                assert_eq!((&outcome.result, entry.outcome.as_str()), (&ActionResult::Applied, "applied"), "{does}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_result_is_written_as_it_is_and_an_error_that_no_tree_holds_is_no_fault_after_the_write() -> Tested {
    let mut world = World::new("raw").await;
    let deep = format!("{}{}", "[".repeat(140), "]".repeat(140));
    let results = [
        ("1e400", format!("1{}", "0".repeat(400))),
        ("12345678901234567890123", "12345678901234567890123".to_owned()),
        ("1e999999", "\"1e999999\"".to_owned()),
        (&deep, deep.clone()),
        (r#"{"title":"run \ud83d"}"#, "{\"title\": \"run \u{fffd}\"}".to_owned()),
        (r#"{"title":"a\u0000b"}"#, r#"{"title": "ab"}"#.to_owned()),
    ];
    for (result, stored) in results {
        let row = processing(120);
        world.insert(std::slice::from_ref(&row)).await;
        let mut process = world.process(row.id).await;
        // What the application left there before.
        world.execute(&format!("UPDATE {{processes}} SET error = '{{\"a\": 1e400}}' WHERE id = '{}'", row.id)).await;
        let version = world.variant.spell("SELECT xmin::text::int8 FROM {processes} WHERE id = $1");
        let version = sqlx::query_scalar(AssertSqlSafe(version)).bind(row.id).fetch_one(world.database.pool());
        process.version = version.await?;
        let output = format!(r#"{{"generationResult":{{"Payload":{result}}}}}"#);
        let wanted = SetRowStatus {
            result: ResultPath::default().result(&output),
            ..closing(&process, None, remediation::domain::ProcessStatus::Completed)
        };
        assert_eq!(world.set(&wanted).await.result, ActionResult::Applied, "{result}");
        let sql = world.variant.spell("SELECT result::text FROM {processes} WHERE id = $1");
        let read: String = sqlx::query_scalar(AssertSqlSafe(sql)).bind(row.id).fetch_one(world.database.pool()).await?;
        assert_eq!(read, stored, "{result}");
    }
    Ok(())
}
