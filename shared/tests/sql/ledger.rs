//! What the limits are counted by, incidents, cursors and runs.

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::action::ActionResult;
use remediation::act::actions::migrate::Migrate;
use remediation::act::ledger::entries;
use remediation::act::ledger::facts;
use remediation::act::ledger::incidents;
use remediation::act::ledger::incidents::Ended;
use remediation::act::ledger::runs;
use remediation::act::ledger::runs::Run;
use remediation::act::report::{Report, Tries, Verification};
use remediation::domain::{Language, Mode, ProcessId};
use remediation::gather::alarms::AlarmArn;
use remediation::gather::error::Error;
use remediation::gather::executions::Listed;
use remediation::gather::trigger::{AlarmChange, AlarmState};
use remediation::run::step::Cursor;
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

const STEP: &str = "test-step";

/// An action in the ledger, so long ago.
async fn action(world: &World, step: &str, target: &str, outcome: &str, minutes_ago: i32) -> Uuid {
    let id = Uuid::now_v7();
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, created_at)
         VALUES ($1, $1, $2, 'set-row-status', $3, $4, 'test', now() - make_interval(mins => $5))",
    )
    .bind(id)
    .bind(step)
    .bind(target)
    .bind(outcome)
    .bind(minutes_ago)
    .execute(world.database.pool())
    .await
    .unwrap();
    id
}

/// A run in the ledger, so long ago.
#[tokio::test]
async fn a_step_without_history_has_no_facts_against_it() -> Tested {
    let mut world = World::new("no_facts").await;
    let facts = facts::facts(&mut world.db, STEP, KINDS, &["x".to_owned()]).await?;
    assert_eq!(facts, remediation::act::guard::Facts::default());
    Ok(())
}

#[tokio::test]
async fn the_hour_counts_what_was_applied_or_is_under_way_by_this_step_in_any_run() -> Tested {
    let mut world = World::new("hour").await;
    for (step, target, outcome, minutes) in [
        (STEP, "a", "applied", 0),
        (STEP, "a", "applied", 59),
        (STEP, "b", "applying", 10),
        (STEP, "c", "applied", 61),
        (STEP, "d", "failed", 1),
        (STEP, "e", "superseded", 1),
        ("another-step", "a", "applied", 1),
    ] {
        action(&world, step, target, outcome, minutes).await;
    }
    let facts = facts::facts(&mut world.db, STEP, KINDS, &[]).await?;
    assert_eq!(facts.actions_last_hour, 3);
    assert!(facts.targets.is_empty());
    Ok(())
}

#[tokio::test]
async fn attempts_on_a_target_count_this_steps_within_a_day() -> Tested {
    let mut world = World::new("attempts").await;
    for (step, target, outcome, minutes) in [
        (STEP, "a", "applied", 5),
        (STEP, "a", "applied", 23 * 60),
        (STEP, "a", "applied", 25 * 60),
        (STEP, "a", "superseded", 1),
        ("another-step", "a", "applied", 1),
        ("another-step", "b", "applied", 1),
        (STEP, "not-asked-for", "applied", 1),
    ] {
        action(&world, step, target, outcome, minutes).await;
    }
    let targets = ["a", "b", "c"].map(str::to_owned);
    let facts = facts::facts(&mut world.db, STEP, KINDS, &targets).await?.targets;
    assert_eq!(facts.len(), 2, "{facts:?}");
    assert_eq!((facts["a"].attempts, facts["b"].attempts), (2, 0));
    let since = facts["a"].seconds_since_last.ok_or("no last one")?;
    assert!((300..310).contains(&since), "{since}");
    assert_eq!(facts["b"].seconds_since_last, None, "another step's cools nothing down here");
    Ok(())
}

#[tokio::test]
async fn a_target_is_undone_as_long_as_the_undo_is_the_last_word_and_of_today() -> Tested {
    let mut world = World::new("undone").await;
    for (target, of, undo) in [("fresh", 90, 30), ("of-yesterday", 26 * 60, 25 * 60), ("done-again", 90, 60)] {
        let done = action(&world, STEP, target, "applied", of).await;
        let undone = action(&world, "another-step", target, "applied", undo).await;
        sqlx::query("UPDATE remediation.actions SET undo_of = $1, kind = 'undo' WHERE id = $2")
            .bind(done)
            .bind(undone)
            .execute(world.database.pool())
            .await?;
    }
    action(&world, STEP, "done-again", "applied", 10).await;
    let targets = ["fresh", "of-yesterday", "done-again"].map(str::to_owned);
    let facts = facts::facts(&mut world.db, STEP, KINDS, &targets).await?.targets;
    assert!(facts["fresh"].undone.is_some());
    assert_eq!(facts["fresh"].attempts, 1, "to take something back is no attempt");
    assert!(
        facts["fresh"].seconds_since_last.is_some_and(|since| since >= 90 * 60),
        "nor does anything cool down after it"
    );
    assert!(facts["of-yesterday"].undone.is_none() && facts["done-again"].undone.is_none());
    Ok(())
}

/// A change of a setting of the worker, or the undo of one, so long ago.
async fn set(world: &World, kind: &str, undoes: Option<Uuid>, minutes_ago: i32) -> Uuid {
    let id = action(world, STEP, WORKER, "applied", minutes_ago).await;
    sqlx::query("UPDATE remediation.actions SET kind = $2, undo_of = $3 WHERE id = $1")
        .bind(id)
        .bind(kind)
        .bind(undoes)
        .execute(world.database.pool())
        .await
        .unwrap();
    id
}

const WORKER: &str = "function worker";

#[tokio::test]
async fn an_undo_is_the_last_word_of_its_kind_until_that_is_done_again() -> Tested {
    let mut world = World::new("undone_kinds").await;
    let targets = [WORKER.to_owned()];
    let memory = set(&world, "set-worker-memory", None, 90).await;
    let timeout = set(&world, "set-worker-timeout", None, 80).await;
    // (what comes then, so long ago; whether the worker is undone then, and of which kinds)
    type Case<'a> = (&'a str, Option<Uuid>, i32, bool, &'a [&'a str]);
    let cases: [Case<'_>; 6] = [
        ("undo", Some(memory), 70, true, &["set-worker-memory"]),
        ("set-reserved-concurrency", None, 60, false, &["set-worker-memory"]),
        ("undo", Some(timeout), 50, true, &["set-worker-memory", "set-worker-timeout"]),
        ("set-worker-memory", None, 40, false, &["set-worker-timeout"]),
        ("revert-worker", None, 30, false, &["set-worker-timeout"]),
        ("set-worker-timeout", None, 20, false, &[]),
    ];
    for (kind, undoes, minutes, undone, kinds) in cases {
        let id = set(&world, kind, undoes, minutes).await;
        let facts = facts::facts(&mut world.db, STEP, KINDS, &targets).await?.targets.remove(WORKER).unwrap();
        let mut told: Vec<&str> = facts.undone_kinds.keys().map(String::as_str).collect();
        told.sort_unstable();
        assert_eq!((facts.undone.is_some(), told.as_slice()), (undone, kinds), "{kind}");
        if let Some(of) = undoes {
            let at: DateTime<Utc> = sqlx::query_scalar("SELECT created_at FROM remediation.actions WHERE id = $1")
                .bind(id)
                .fetch_one(&mut world.db)
                .await?;
            let kind = if of == memory { "set-worker-memory" } else { "set-worker-timeout" };
            assert_eq!((facts.undone, facts.undone_kinds[kind]), (Some(at), at));
        }
    }
    // Whether an undo could be read back or not, it is a person's word.
    let unread = set(&world, "undo", None, 15).await;
    sqlx::query("UPDATE remediation.actions SET cause = $2 WHERE id = $1")
        .bind(unread)
        .bind(memory.to_string())
        .execute(world.database.pool())
        .await?;
    let facts = facts::facts(&mut world.db, STEP, KINDS, &targets).await?;
    assert!(facts.targets[WORKER].undone_kinds.contains_key("set-worker-memory"), "{facts:?}");
    // What has been undone may be forgotten before its undo is.
    let undo = set(&world, "undo", Some(Uuid::now_v7()), 10).await;
    let facts = facts::facts(&mut world.db, STEP, KINDS, &targets).await?;
    assert!(facts.targets[WORKER].undone.is_some(), "{undo}");
    Ok(())
}

#[tokio::test]
async fn a_failure_counts_as_a_try_where_its_kind_says_so() -> Tested {
    let mut world = World::new("failures").await;
    for kind in ["set-row-status", "stop-execution", "retry-process", "revert-worker", "set-worker-memory"] {
        let id = action(&world, STEP, kind, "failed", 5).await;
        sqlx::query("UPDATE remediation.actions SET kind = target WHERE id = $1")
            .bind(id)
            .execute(world.database.pool())
            .await?;
    }
    let targets =
        ["set-row-status", "stop-execution", "retry-process", "revert-worker", "set-worker-memory"].map(str::to_owned);
    let facts = facts::facts(&mut world.db, STEP, KINDS, &targets).await?.targets;
    let mut counted: Vec<&str> = facts.keys().map(String::as_str).collect();
    counted.sort_unstable();
    // Putting a setting back may be tried again: that has a count of its own.
    assert_eq!(counted, ["retry-process", "set-row-status", "set-worker-memory", "stop-execution"]);
    assert!(facts.values().all(|facts| facts.attempts == 1 && facts.seconds_since_last.is_none()), "{facts:?}");
    Ok(())
}

#[tokio::test]
async fn a_step_did_not_help_when_none_of_its_last_three_runs_that_tried_helped() -> Tested {
    // Whose, how many tried, helped, and failed on what was not tried before, and how many minutes ago.
    type Ran<'a> = (&'a str, i32, i32, i32, i32);
    let cases: [(&[Ran<'_>], bool); 10] = [
        (&[(STEP, 1, 0, 1, 1), (STEP, 1, 0, 1, 2)], false),
        (&[(STEP, 1, 0, 1, 1), (STEP, 0, 0, 0, 2), (STEP, 1, 0, 1, 3), (STEP, 2, 0, 2, 4)], true),
        (&[(STEP, 1, 0, 1, 1), (STEP, 1, 1, 0, 2), (STEP, 1, 0, 1, 3), (STEP, 1, 0, 1, 4)], false),
        (&[(STEP, 1, 0, 1, 2), (STEP, 1, 0, 1, 3), (STEP, 1, 0, 1, 4), (STEP, 1, 1, 0, 5)], true),
        (&[(STEP, 1, 0, 1, 1), (STEP, 1, 0, 1, 2), (STEP, 1, 0, 1, 25 * 60)], false),
        (&[(STEP, 1, 0, 1, 1), (STEP, 1, 0, 1, 2), ("another-step", 1, 0, 1, 3)], false),
        // One that refuses beside successes, whatever else there is.
        (&[(STEP, 3, 2, 1, 1), (STEP, 3, 2, 0, 2), (STEP, 3, 2, 0, 3)], false),
        // The same one that refuses again says nothing of the others.
        (&[(STEP, 1, 0, 0, 1), (STEP, 1, 0, 0, 2), (STEP, 1, 0, 1, 3)], false),
        (&[(STEP, 30, 0, 30, 1), (STEP, 30, 0, 30, 2), (STEP, 30, 0, 30, 3)], true),
        (&[(STEP, 0, 0, 0, 1), (STEP, 0, 0, 0, 2), (STEP, 0, 0, 0, 3)], false),
    ];
    let mut world = World::new("did_not_help").await;
    for (runs, told) in cases {
        world.execute("DELETE FROM remediation.runs").await;
        for (step, tried, helped, anew, minutes) in runs {
            world
                .execute(&format!(
                    "INSERT INTO remediation.runs (id, step, trigger, started_at, tried, helped, failed_anew)
                     VALUES (gen_random_uuid(), '{step}', '{{}}', now() - make_interval(mins => {minutes}), {tried}, {helped}, {anew})"
                ))
                .await;
        }
        assert_eq!(facts::facts(&mut world.db, STEP, KINDS, &[]).await?.did_not_help, told, "{runs:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_operators_control_is_read_as_it_stands() -> Tested {
    let mut world = World::new("control").await;
    world
        .execute(
            "INSERT INTO remediation.controls (step, mode, actions_per_run, share) VALUES ('test-step', 'propose', 7, 0.25);
             INSERT INTO remediation.controls (step, mode) VALUES ('another-step', 'observe')",
        )
        .await;
    let control = facts::facts(&mut world.db, STEP, KINDS, &[]).await?.control;
    assert_eq!(
        (control.mode, control.actions_per_run, control.actions_per_hour, control.share),
        (Some(Mode::Propose), Some(7), None, Some(0.25))
    );
    Ok(())
}

fn change(state: AlarmState, at: DateTime<Utc>) -> AlarmChange {
    AlarmChange {
        alarm: "stuck-processes".into(),
        arn: None,
        state,
        previous: match state {
            AlarmState::Alarm => Some(AlarmState::Ok),
            AlarmState::Ok | AlarmState::InsufficientData => Some(AlarmState::Alarm),
        },
        reason: Some(format!("{state:?}")),
        at,
        suppressed_by: None,
        held_until: None,
    }
}

const SYSTEM: &str = "arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing";

fn arn(name: &str) -> AlarmArn {
    AlarmArn::beside(SYSTEM, name).unwrap()
}

/// How many incidents are open, and how many closed, after these changes.
async fn incidents(changes: &[AlarmChange]) -> (i64, i64) {
    let mut world = World::new("incidents").await;
    for change in changes {
        incidents::incident(&mut world.db, change, &arn(&change.alarm), SYSTEM).await.unwrap();
    }
    sqlx::query_as("SELECT count(*) FILTER (WHERE closed_at IS NULL), count(closed_at) FROM remediation.incidents")
        .fetch_one(world.database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn an_incident_lasts_from_alarm_to_ok_however_the_changes_arrive() {
    use AlarmState::{Alarm, InsufficientData, Ok};
    let at = |seconds: i64| seconds_ago(100 - seconds);
    let (alarm, over) = (change(Alarm, at(10)), change(Ok, at(20)));
    let (again, over_again) = (change(Alarm, at(30)), change(Ok, at(40)));
    let unclear = change(InsufficientData, at(15));
    for (changes, open, closed, why) in [
        (vec![&alarm], 1, 0, "it opens"),
        (vec![&alarm, &alarm], 1, 0, "a doubled event opens no second one"),
        (vec![&alarm, &unclear], 1, 0, "missing data closes nothing"),
        (vec![&alarm, &over], 0, 1, "it closes"),
        (vec![&alarm, &over, &over], 0, 1, "and stays so"),
        (vec![&alarm, &over, &alarm], 0, 1, "a doubled alarm that comes late opens nothing"),
        (vec![&over, &alarm], 0, 1, "its end came before its beginning"),
        (vec![&over, &over, &alarm, &alarm], 0, 1, "and both twice"),
        (vec![&alarm, &over, &again], 1, 1, "the next one is another"),
        (vec![&again, &over], 1, 0, "an older end does not close it"),
        (vec![&alarm, &over, &again, &over_again], 0, 2, "two"),
        (vec![&alarm, &over, &over_again, &again], 0, 2, "two, the second the wrong way about"),
    ] {
        let changes: Vec<AlarmChange> = changes.into_iter().cloned().collect();
        assert_eq!(incidents(&changes).await, (open, closed), "{why}");
    }
}

#[tokio::test]
async fn an_alarm_that_was_never_on_leaves_no_incident_when_it_is_ok() {
    let fresh = AlarmChange { previous: Some(AlarmState::InsufficientData), ..change(AlarmState::Ok, seconds_ago(1)) };
    let created = AlarmChange { previous: None, ..fresh.clone() };
    assert_eq!(incidents(&[fresh, created]).await, (0, 0));
}

fn report(run: &Run, cursor: &'static str) -> Report {
    Report {
        summary: cursor.into(),
        step: run.step,
        run_id: run.id,
        mode: Mode::Act,
        trigger: json!({}),
        findings: vec![],
        actions: vec![],
        skipped: vec![],
        verification: Verification::Verified,
        plan_id: None,
        told: None,
        tries: Tries::default(),
        to_do_it: None,
        report: None,
        unkept: std::collections::BTreeMap::new(),
        omitted: serde_json::Map::new(),
    }
}

#[tokio::test]
async fn a_sweep_goes_on_where_the_last_one_of_its_step_stopped() -> Tested {
    let mut world = World::new("cursor").await;
    assert_eq!(runs::cursor(&mut world.db, STEP).await?, Cursor::default());
    let cursor = |seconds| Cursor {
        after: Some(ProcessId::from(Uuid::new_v4())),
        listed: Some(Listed { since: seconds_ago(seconds), until: seconds_ago(1), token: Some("t".into()) }),
        ..Cursor::default()
    };
    let (older, newer, others) = (cursor(10), cursor(20), cursor(30));
    for (step, cursor, minutes_ago) in
        [(STEP, Some(&newer), 1), (STEP, Some(&older), 2), (STEP, None, 0), ("another-step", Some(&others), 0)]
    {
        let run = Run { started_at: Utc::now() - TimeDelta::minutes(minutes_ago), ..run(step) };
        runs::finish(&mut world.db, &run, &report(&run, "done"), 3, cursor).await?;
    }
    assert_eq!(runs::cursor(&mut world.db, STEP).await?, newer);

    world.execute("UPDATE remediation.runs SET cursor = '{\"of\": \"an older build\"}' WHERE cursor IS NOT NULL").await;
    assert_eq!(runs::cursor(&mut world.db, STEP).await?, Cursor::default());
    Ok(())
}

#[tokio::test]
async fn a_run_is_recorded_with_how_it_ended() -> Tested {
    let mut world = World::new("runs").await;
    let good = Run { reason: Some("asked".into()), ..run(STEP) };
    runs::finish(&mut world.db, &good, &report(&good, "all is well"), 3, None).await?;
    // The answer to the first was lost, and a second account comes.
    runs::finish(&mut world.db, &good, &report(&good, "nothing to do"), 0, None).await?;
    let bad = run(STEP);
    runs::fail(&mut world.db, &bad, &Error::Refused("no such thing".into()), Language::En).await?;
    type Row = (Uuid, Option<String>, Option<String>, i32, Option<String>, Option<String>, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, summary, reason, applied, verification, error, finished_at >= started_at FROM remediation.runs ORDER BY id = $1 DESC",
    )
    .bind(good.id)
    .fetch_all(world.database.pool())
    .await?;
    assert_eq!(
        rows[0],
        (good.id, Some("all is well".into()), Some("asked".into()), 3, Some("verified".into()), None, true)
    );
    assert_eq!(rows[1], (bad.id, None, None, 0, None, Some("no such thing".into()), true));
    Ok(())
}

#[tokio::test]
async fn an_entry_is_closed_once_and_says_what_went_wrong() -> Tested {
    let mut world = World::new("closing").await;
    for (result, outcome, reason) in [
        (ActionResult::Applied, "applied", "test"),
        (ActionResult::Unverified("unseen".into()), "applied", "test — unseen"),
        (ActionResult::Failed("denied".into()), "failed", "test — denied"),
        (ActionResult::Superseded, "superseded", "test"),
    ] {
        let id = action(&world, STEP, "x", "applying", 0).await;
        entries::close(&mut world.db, id, &result, Some(&json!({ "n": 1 }))).await?;
        // A second word about it changes nothing.
        entries::close(&mut world.db, id, &ActionResult::Failed("late".into()), None).await?;
        let entry = world.entry(id).await.ok_or("no entry")?;
        assert_eq!((entry.outcome.as_str(), entry.reason.as_str(), entry.closed), (outcome, reason, true));
        assert_eq!(entry.after, Some(json!({ "n": 1 })));
    }
    Ok(())
}

#[tokio::test]
async fn without_the_schema_the_operator_is_sent_to_migrate() -> Tested {
    let database = harness::Postgres::shared().await?.database("no_schema").await?;
    let mut db = database.connect().await?;
    assert!(Migrate::missing(&mut db).await?.is_some());
    let error = facts::facts(&mut db, STEP, KINDS, &[]).await.unwrap_err().to_string();
    assert!(error.contains("invoke the migrate function"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_incident_is_that_of_its_whole_alarm_and_of_its_system() -> Tested {
    let mut world = World::new("incident_open").await;
    let (ours, theirs) = (arn("ours-error-rate"), arn("theirs-error-rate"));
    let alarm = change(AlarmState::Alarm, seconds_ago(90));
    incidents::incident(&mut world.db, &alarm, &ours, SYSTEM).await?;
    // The event comes twice, and to two steps.
    incidents::incident(&mut world.db, &alarm, &ours, SYSTEM).await?;
    let open = incidents::open_incident(&mut world.db, &ours, SYSTEM).await?.ok_or("none")?;
    assert_eq!((open.alarm.as_str(), open.held_back), ("ours-error-rate", None));
    let elsewhere = AlarmArn::parse(&ours.arn.replace("ap-northeast-1", "us-east-1")).ok_or("no ARN")?;
    for (other, system) in [(&theirs, SYSTEM), (&arn("error-rate"), SYSTEM), (&elsewhere, SYSTEM), (&ours, "another")] {
        assert_eq!(incidents::open_incident(&mut world.db, other, system).await?, None, "{other:?} {system}");
    }
    // Two at once, of the same name: each has its own end.
    incidents::incident(&mut world.db, &alarm, &elsewhere, SYSTEM).await?;
    incidents::incident(&mut world.db, &change(AlarmState::Ok, seconds_ago(30)), &ours, SYSTEM).await?;
    assert_eq!(incidents::open_incident(&mut world.db, &ours, SYSTEM).await?, None);
    assert!(incidents::open_incident(&mut world.db, &elsewhere, SYSTEM).await?.is_some());
    assert!(incidents::ok_since(&mut world.db, &ours, SYSTEM).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn an_incident_of_an_older_build_has_its_whole_name_only() -> Tested {
    let mut world = World::new("incident_older").await;
    let insert =
        "INSERT INTO remediation.incidents (alarm, opened_at) VALUES ('ours-error-rate', now() - interval '1 h')";
    world.database.execute(insert).await?;
    let ours = arn("ours-error-rate");
    assert_eq!(incidents::open_incident(&mut world.db, &arn("error-rate"), SYSTEM).await?, None);
    assert!(incidents::open_incident(&mut world.db, &ours, SYSTEM).await?.is_some());
    incidents::incident(&mut world.db, &change(AlarmState::Alarm, seconds_ago(9)), &ours, SYSTEM).await?;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM remediation.incidents WHERE alarm_arn IS NOT NULL")
        .fetch_one(world.database.pool())
        .await?;
    assert_eq!(count, 1, "it is the same incident");
    incidents::incident(&mut world.db, &change(AlarmState::Ok, seconds_ago(5)), &ours, SYSTEM).await?;
    assert_eq!(incidents::open_incident(&mut world.db, &ours, SYSTEM).await?, None);
    Ok(())
}

#[tokio::test]
async fn what_holds_an_incident_back_ends_with_its_window_or_with_the_next_event() -> Tested {
    let mut world = World::new("incident_held").await;
    let (ours, now) = (arn("ours-error-rate"), seconds_ago(0));
    let muted = AlarmChange {
        suppressed_by: Some("maintenance".to_owned()),
        held_until: Some(now + TimeDelta::minutes(5)),
        ..change(AlarmState::Alarm, seconds_ago(90))
    };
    incidents::incident(&mut world.db, &muted, &ours, SYSTEM).await?;
    let open = incidents::open_incident(&mut world.db, &ours, SYSTEM).await?.ok_or("none")?;
    assert_eq!((open.held_back(now), open.held_back(now + TimeDelta::minutes(6))), (Some("maintenance"), None));
    incidents::incident(&mut world.db, &change(AlarmState::Alarm, seconds_ago(60)), &ours, SYSTEM).await?;
    let open = incidents::open_incident(&mut world.db, &ours, SYSTEM).await?.ok_or("none")?;
    assert_eq!((open.held_back(now), open.opened_at), (None, muted.at));
    // What ended without an event is no sign of an alarm that was OK.
    incidents::close(&mut world.db, open.id, Ended::Silent, seconds_ago(900)).await?;
    assert_eq!(incidents::open_incident(&mut world.db, &ours, SYSTEM).await?, None);
    assert_eq!(incidents::ok_since(&mut world.db, &ours, SYSTEM).await?, None);
    Ok(())
}
