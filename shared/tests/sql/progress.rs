//! Progress that cannot be true: what is kept of it, which rows are found, and what is left alone.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, SdkConfig};
use patient::table::{GUIDE, PUSHED, Row, Variant};
use remediation::act::action::ActionResult;
use remediation::act::actions::set_row_status::ErrorChange;
use remediation::decide::progress::{Suspect, Verdict, judge};
use remediation::domain::{ProcessId, WORDS};
use remediation::gather;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::processes::sweep::Filter;
use remediation::gather::step_functions::StepFunctions;
use remediation::run::progress;
use remediation::run::step::{Cursor, Question, Session};
use serde_json::{Value, json};
use sqlx::Connection;
use uuid::Uuid;

use crate::support::*;

/// Asks the database something; Step Functions is never asked.
async fn with<T>(world: &mut World, ask: impl AsyncFnOnce(&mut Session<'_>) -> Result<T, Error>) -> Result<T, Error> {
    let aws = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    let step_functions = StepFunctions::new(&aws, MACHINE, &WORDS);
    let mut table = None;
    ask(&mut world.session(&step_functions, &mut table)).await
}

async fn keep(world: &mut World) {
    with(world, progress::keep).await.unwrap();
}

async fn untrue(world: &mut World) -> BTreeMap<Uuid, Suspect> {
    let suspects = with(world, progress::untrue).await.unwrap();
    suspects.into_iter().map(|suspect| (uuid(suspect.process.id), suspect)).collect()
}

/// What is to become of the rows that are found.
async fn verdicts(world: &mut World) -> BTreeMap<Uuid, Verdict> {
    let Config { policy, .. } = world.config;
    let judged = |suspect: &Suspect| judge(suspect, &policy, chrono::Utc::now());
    untrue(world).await.iter().map(|(id, suspect)| (*id, judged(suspect))).collect()
}

async fn anomalies(world: &mut World) -> usize {
    with(world, progress::anomalies).await.unwrap()
}

/// What is kept: the highest progress by row.
async fn kept(world: &World) -> BTreeMap<Uuid, i16> {
    let rows: Vec<(Uuid, i16)> = sqlx::query_as("SELECT process_id::uuid, highest FROM remediation.progress")
        .fetch_all(world.database.pool())
        .await
        .unwrap();
    rows.into_iter().collect()
}

async fn advance(world: &World, row: &Row, progress: i16) {
    world.execute(&format!("UPDATE {{processes}} SET progress = {progress} WHERE id = '{}'", row.id)).await;
}

/// A row at 80 that is under way, with its execution; the 80 is kept.
async fn at_80(world: &mut World) -> Row {
    let row = Row { progress: 80, ..processing(120) };
    world.insert(std::slice::from_ref(&row)).await;
    world.remember(&[execution(row.id, Running, seconds_ago(119), None)]).await;
    keep(world).await;
    row
}

#[tokio::test]
async fn the_highest_of_an_attempt_is_kept_through_rises_and_falls_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let row = at_80(&mut world).await;
        let waiting = Row::pending(seconds_ago(10));
        world.insert(&[waiting, processing(600).became("COMPLETED", seconds_ago(100))]).await;
        // (progress, what is kept then, what it comes to)
        for (progress, highest, verdict) in [
            (85, 85, None),
            (30, 85, Some(Verdict::Restore(85))),
            (84, 85, Some(Verdict::Restore(85))),
            (85, 85, None),
            (-5, 85, Some(Verdict::Restore(85))),
            (90, 90, None),
            (250, 100, Some(Verdict::Clamp(100))),
            (100, 100, None),
        ] {
            advance(&world, &row, progress).await;
            keep(&mut world).await;
            assert_eq!(kept(&world).await, BTreeMap::from([(row.id, highest)]), "{} at {progress}", variant.name);
            let expected = verdict.map(|verdict| (row.id, verdict)).into_iter().collect();
            assert_eq!(verdicts(&mut world).await, expected, "{} at {progress}", variant.name);
            assert_eq!(anomalies(&mut world).await, usize::from(verdict.is_some()), "{} at {progress}", variant.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_new_attempt_begins_anew() -> Tested {
    for variant in Variant::ALL {
        for attempt in ["another execution", "a redrive", "a risen retry count"] {
            if attempt == "a risen retry count" && !variant.complete {
                continue;
            }
            let mut world = World::of(variant.name, &variant).await;
            let row = at_80(&mut world).await;
            advance(&world, &row, 10).await;
            assert_eq!(anomalies(&mut world).await, 1, "{}: it has fallen", variant.name);
            match attempt {
                "another execution" => world.remember(&[execution(row.id, Running, seconds_ago(5), None)]).await,
                "a redrive" => world.execute("UPDATE remediation.executions SET redrive_count = 1").await,
                _ => world.execute("UPDATE {processes} SET {retry_count} = 1").await,
            }
            // Even before the next sweep has looked.
            assert_eq!(anomalies(&mut world).await, 0, "{}: {attempt}", variant.name);
            keep(&mut world).await;
            assert_eq!(kept(&world).await, BTreeMap::from([(row.id, 10)]), "{}: {attempt}", variant.name);
            advance(&world, &row, 5).await;
            assert_eq!(anomalies(&mut world).await, 1, "{}: {attempt} falls as well", variant.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_waits_again_is_closed_or_is_gone_is_forgotten() -> Tested {
    for change in [
        "UPDATE {processes} SET status = 'PENDING', progress = 0",
        "UPDATE {processes} SET status = 'FAILED', {completed_at} = now(){utc}",
        "UPDATE {processes} SET status = 'CANCELLED', {completed_at} = now(){utc}",
        "DELETE FROM {processes}",
    ] {
        let mut world = World::of("forgotten", &PUSHED).await;
        let row = at_80(&mut world).await;
        let other = Row { progress: 20, ..processing(60) };
        world.execute(change).await;
        world.insert(std::slice::from_ref(&other)).await;
        assert_eq!(anomalies(&mut world).await, 0, "{change}");
        keep(&mut world).await;
        assert_eq!(kept(&world).await, BTreeMap::from([(other.id, 20)]), "{change}");
        // The same execution goes on: what was known of it is gone, and it begins anew.
        world
            .execute(&format!("UPDATE {{processes}} SET status = 'PROCESSING', progress = 10 WHERE id = '{}'", row.id))
            .await;
        keep(&mut world).await;
        assert_eq!(anomalies(&mut world).await, 0, "{change}");
    }
    Ok(())
}

#[tokio::test]
async fn of_two_sweeps_at_once_one_keeps_and_neither_waits() -> Tested {
    let mut world = World::new("two_sweeps").await;
    let row = at_80(&mut world).await;
    advance(&world, &row, 90).await;
    let mut other = world.database.connect().await?;
    let mut keeping = other.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('remediation:progress', 0))")
        .execute(&mut *keeping)
        .await?;
    sqlx::query("SELECT FROM remediation.progress FOR UPDATE").execute(&mut *keeping).await?;
    // Were the other one waited for, this would wait for an end that comes only afterwards.
    keep(&mut world).await;
    assert_eq!(kept(&world).await, BTreeMap::from([(row.id, 80)]), "nothing is forgotten either");
    keeping.rollback().await?;
    keep(&mut world).await;
    assert_eq!(kept(&world).await, BTreeMap::from([(row.id, 90)]));
    Ok(())
}

#[tokio::test]
async fn many_sweeps_at_once_over_rows_that_move_lose_nothing() -> Tested {
    let mut world = World::new("many_sweeps").await;
    let rows: Vec<Row> = (0..200).map(|_| processing(120)).collect();
    world.insert(&rows).await;
    let mut all = tokio::task::JoinSet::new();
    for of in 0..4 {
        let mut world = world.another().await;
        let rows = rows.clone();
        all.spawn(async move {
            for round in 1..=10_i16 {
                // Some rise, some are closed and opened again, in every run's own order.
                let at = usize::try_from(round).unwrap() * 17 + of * 41;
                let (rises, blinks) = (&rows[at % 200], &rows[(at + 100) % 200]);
                advance(&world, rises, round * 10).await;
                world.execute(&format!("UPDATE {{processes}} SET status = CASE status WHEN 'PROCESSING' THEN 'FAILED' ELSE 'PROCESSING' END WHERE id = '{}'", blinks.id)).await;
                keep(&mut world).await;
            }
        });
    }
    all.join_all().await;
    world.execute("UPDATE {processes} SET status = 'PROCESSING'").await;
    keep(&mut world).await;
    let kept = kept(&world).await;
    assert_eq!(kept.len(), 200);
    for row in rows {
        assert!(kept[&row.id] >= world.row(row.id).await.progress, "{}", row.id);
    }
    Ok(())
}

#[tokio::test]
async fn out_of_range_is_found_in_any_row_however_old_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let closed =
            |status: &str, progress| Row { progress, ..processing(9_000_000).became(status, seconds_ago(8_000_000)) };
        let broken = [
            Row { progress: 101, ..processing(120) },
            Row { progress: -1, ..Row::pending(seconds_ago(20)) },
            closed("COMPLETED", 250),
            closed("FAILED", -5),
            closed("TIMEOUT", i16::MAX),
            closed("CANCELLED", i16::MIN),
        ];
        world.insert(&broken).await;
        world
            .insert(&[closed("COMPLETED", 100), closed("FAILED", 0), processing(60), Row::pending(seconds_ago(5))])
            .await;
        let to = |progress: i16| Verdict::Clamp(progress.clamp(0, 100));
        let expected: BTreeMap<Uuid, Verdict> = broken.iter().map(|row| (row.id, to(row.progress))).collect();
        assert_eq!(verdicts(&mut world).await, expected, "{}", variant.name);
        assert_eq!(anomalies(&mut world).await, 6, "{}", variant.name);
        for suspect in untrue(&mut world).await.into_values() {
            assert_eq!(suspect.process, world.process(uuid(suspect.process.id)).await, "{}", variant.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_partial_index_of_the_same_words_serves_the_look_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let sound: Vec<Row> = (0..300).map(|_| processing(900).became("COMPLETED", seconds_ago(800))).collect();
        let broken = Row { progress: 250, ..processing(900).became("COMPLETED", seconds_ago(800)) };
        world.insert(&sound).await;
        world.insert(std::slice::from_ref(&broken)).await;
        world.execute("CREATE INDEX broken_progress ON {processes} (id) WHERE progress < 0 OR progress > 100; ANALYZE {processes}").await;
        assert_eq!(untrue(&mut world).await.into_keys().collect::<Vec<_>>(), [broken.id], "{}", variant.name);
        sqlx::query("SELECT pg_stat_force_next_flush()").execute(&mut world.db).await?;
        let scans: i64 =
            world.ask("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'broken_progress'").await;
        assert_eq!(scans, 1, "{}", variant.name);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_step_would_leave_alone_is_not_counted() -> Tested {
    for variant in [GUIDE, PUSHED] {
        let mut world = World::of("not_counted", &variant).await;
        let rows: Vec<Row> = (0..4).map(|_| Row { progress: 250, ..processing(120) }).collect();
        world.insert(&rows).await;
        assert_eq!(anomalies(&mut world).await, 4);
        // Its execution is over: the decision table closes it.
        world.remember(&[execution(rows[0].id, Failed, seconds_ago(119), Some(seconds_ago(5)))]).await;
        // A person undid the last action on it.
        sqlx::query(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, undo_of)
             VALUES (gen_random_uuid(), gen_random_uuid(), 'repair-progress', 'undo', $1, 'applied', 'wrong', gen_random_uuid())",
        )
        .bind(rows[1].id.to_string())
        .execute(world.database.pool())
        .await?;
        assert_eq!(anomalies(&mut world).await, 2, "{}", variant.name);
        // Nobody knows these.
        if variant == GUIDE {
            world.execute(&format!("UPDATE {{processes}} SET status = 'ARCHIVED' WHERE id = '{}'", rows[2].id)).await;
            world.execute("ALTER TABLE {processes} ALTER status DROP NOT NULL").await;
            world.execute(&format!("UPDATE {{processes}} SET status = NULL WHERE id = '{}'", rows[3].id)).await;
            assert_eq!(anomalies(&mut world).await, 0);
        }
    }
    Ok(())
}

/// Clamps a row as the step does, and returns the action's identity.
async fn repair(world: &mut World, id: Uuid) -> Uuid {
    let suspects = with(world, async |session| progress::of(session, &[ProcessId::from(id)]).await).await.unwrap();
    let Verdict::Clamp(to) = judge(&suspects[0], &world.config.policy, chrono::Utc::now()) else {
        panic!("{suspects:?} is not clamped")
    };
    let wanted = progress::repaired(&suspects[0], to, "progress-clamped");
    assert_eq!((&wanted.process, &wanted.basis), (&suspects[0].process, &suspects[0].newest));
    assert_eq!(
        (wanted.status, wanted.progress, &wanted.error),
        (suspects[0].process.status, Some(to), &ErrorChange::Keep)
    );
    assert_eq!((&wanted.result, wanted.completed_at, wanted.cause), (&None, None, "progress-clamped"));
    let action = planned(wanted.clone());
    assert_eq!(world.set_as(&action, &wanted).await.unwrap().result, ActionResult::Applied);
    action.id
}

#[tokio::test]
async fn a_clamp_writes_the_progress_alone_and_is_undone_exactly_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        for row in [
            Row { progress: 250, ..processing(120) },
            Row { progress: -5, result: Some(json!([1])), ..processing(900).became("COMPLETED", seconds_ago(800)) },
            Row {
                progress: i16::MIN,
                error: Some(json!({ "code": "X" })),
                ..processing(900).became("FAILED", seconds_ago(800))
            },
        ] {
            let mut world = World::of(variant.name, &variant).await;
            world.insert(std::slice::from_ref(&row)).await;
            let id = repair(&mut world, row.id).await;
            let after = world.row(row.id).await;
            let clamped = row.progress.clamp(0, 100);
            assert!(after.updated_at > row.updated_at);
            let expected = Row { progress: clamped, updated_at: after.updated_at, ..row.clone() };
            assert_eq!(after, expected, "{}", variant.name);
            assert_eq!(anomalies(&mut world).await, 0, "{}", variant.name);
            let entry = world.entry(id).await.ok_or("there is no entry")?;
            let told = |image: Option<Value>| image.map(|image| image["progress"].clone());
            assert_eq!((told(entry.before), told(entry.after)), (Some(json!(row.progress)), Some(json!(clamped))));
            assert_eq!(entry.cause.as_deref(), Some("progress-clamped"));

            let undo = undo_of(&mut world.db, id).await?;
            let outcome = world.take_back(&undo).await?;
            assert_eq!(outcome.result, ActionResult::Applied, "{}: {outcome:?}", variant.name);
            let undone = world.row(row.id).await;
            assert_eq!(Row { updated_at: row.updated_at, ..undone }, row, "{}", variant.name);
            assert_eq!(anomalies(&mut world).await, 0, "{}: a person has decided", variant.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_number_that_only_an_integer_can_hold_is_clamped_and_given_back() -> Tested {
    for (found, clamped) in [(100_000, 100), (-100_000, 0)] {
        let mut world = World::new("integer").await;
        let row = processing(120);
        world.insert(std::slice::from_ref(&row)).await;
        world.execute("ALTER TABLE {processes} ALTER progress TYPE integer").await;
        world.execute(&format!("UPDATE {{processes}} SET progress = {found}")).await;
        // A container that has read the catalogue as it is now.
        let mut world = World {
            table: remediation::gather::table::Table::read(&world.config.table, world.config.language, &mut world.db)
                .await?
                .into(),
            ..world
        };
        keep(&mut world).await;
        assert_eq!(kept(&world).await, BTreeMap::from([(row.id, clamped)]));
        let id = repair(&mut world, row.id).await;
        assert_eq!(world.row(row.id).await.progress, clamped);
        let undo = undo_of(&mut world.db, id).await?;
        let outcome = world.take_back(&undo).await?;
        assert_eq!(outcome.result, ActionResult::Applied, "{outcome:?}");
        assert_eq!(world.ask::<i32>("SELECT progress FROM processing_state").await, found);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_without_any_progress_has_a_fallen_one_at_most() -> Tested {
    let mut world = World::new("null_progress").await;
    let row = at_80(&mut world).await;
    world.execute("ALTER TABLE {processes} ALTER progress DROP NOT NULL").await;
    world.insert(&[processing(60)]).await;
    world.execute("UPDATE {processes} SET progress = NULL").await;
    keep(&mut world).await;
    assert_eq!(verdicts(&mut world).await, BTreeMap::from([(row.id, Verdict::Restore(80))]));
    Ok(())
}

#[tokio::test]
async fn a_repair_rests_on_the_newest_known_execution() -> Tested {
    let mut world = World::new("basis").await;
    let row = at_80(&mut world).await;
    advance(&world, &row, 10).await;
    let suspect = untrue(&mut world).await.remove(&row.id).ok_or("it was not found")?;
    let wanted = progress::repaired(&suspect, 80, "progress-restored");
    world.remember(&[execution(row.id, Running, seconds_ago(2), None)]).await;
    assert_eq!(world.set(&wanted).await.result, ActionResult::Superseded, "the fall is another attempt's beginning");
    assert_eq!(world.row(row.id).await.progress, 10);
    Ok(())
}

#[tokio::test]
async fn stalled_are_rows_under_way_that_nobody_has_written_for_long_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let proxy = scripted().await;
        list_pages(&proxy, &[vec![]]);
        let stalled = processing(600).became("PROCESSING", seconds_ago(301));
        world.insert(std::slice::from_ref(&stalled)).await;
        world
            .insert(&[
                processing(600).became("PROCESSING", seconds_ago(290)),
                Row::pending(seconds_ago(400)),
                processing(600).became("COMPLETED", seconds_ago(400)),
                processing(600).became("CANCELLED", seconds_ago(400)),
            ])
            .await;
        let step_functions = step_functions(&proxy, MACHINE).await;
        let mut table = None;
        let mut session = world.session(&step_functions, &mut table);
        let filter = Filter::Stalled(chrono::TimeDelta::seconds(300));
        let evidence = gather::processes::read(&mut session, &Question::Sweep(Cursor::default()), filter).await?;
        let found: Vec<Uuid> = evidence.cases.iter().map(|case| uuid(case.process.id)).collect();
        assert_eq!((found, evidence.population), (vec![stalled.id], 5), "{}", variant.name);
    }
    Ok(())
}
