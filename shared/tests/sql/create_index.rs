//! Indexes on the application's table: made without holding it up, and whatever comes between is told, cleaned up, and made good later.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use harness::eventually;
use patient::table::{GUIDE, PUSHED, Row, Variant};
use remediation::act::action::{Action, ActionResult, Outcome};
use remediation::act::actions::create_index::CreateIndex;
use remediation::act::actions::drop_index::Care;
use remediation::act::actions::drop_index::DropInvalidIndex;
use remediation::gather::error::Error;
use remediation::gather::indexes::{self, Hindrance, Proposed, State};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::*;

const OPEN: &str = "remediation_open";
const BY_USER: &str = "idx_processing_state_user_created";
const BOUND: Duration = Duration::from_secs(20);

/// Waits shortly for locks, and for nothing that is older than a minute.
const CARE: Care =
    Care { lock: Duration::from_millis(300), transaction: TimeDelta::seconds(60), least: Duration::from_secs(1) };

async fn proposed(world: &mut World, name: &str) -> Proposed {
    let table = Arc::clone(&world.table);
    let all = indexes::proposed(&mut world.db, &table).await.unwrap();
    all.into_iter().find(|index| index.name == name).unwrap_or_else(|| panic!("{name} is proposed"))
}

fn create(index: &Proposed) -> CreateIndex {
    CreateIndex { target: index.target.clone(), statement: index.statement.clone(), care: CARE }
}

/// Applies an action with so much time left.
async fn apply_within(world: &mut World, action: impl Action, left: Duration) -> (Uuid, Result<Outcome, Error>) {
    // None of it asks Step Functions anything.
    let step_functions = step_functions(&*scripted().await, MACHINE).await;
    let (planned, run, mut kept) = (planned(action), run("tune-database"), None);
    let mut session = world.session(&step_functions, &mut kept);
    session.stop_at = Instant::now() + left;
    let outcome = carry_out(&mut session, &run, &planned).await;
    (planned.id, outcome)
}

/// Closes, by looking, the builds that runs have left open.
async fn close(world: &mut World) {
    let step_functions = step_functions(&*scripted().await, MACHINE).await;
    let mut kept = None;
    resolve::<CreateIndex>(&mut world.session(&step_functions, &mut kept)).await.unwrap();
}

async fn apply(world: &mut World, action: impl Action) -> (Uuid, Outcome) {
    let (id, outcome) = apply_within(world, action, Duration::from_secs(60)).await;
    (id, outcome.unwrap())
}

async fn make(world: &mut World, name: &str) -> (Uuid, Outcome) {
    let index = proposed(world, name).await;
    apply(world, create(&index)).await
}

fn why(outcome: &Outcome) -> &str {
    match &outcome.result {
        ActionResult::Failed(why) => why,
        other => panic!("{other:?}"),
    }
}

/// The bounds of the session, which a build must not leave behind.
async fn bounds(db: &mut PgConnection) -> (String, String) {
    sqlx::query_as("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        .fetch_one(db)
        .await
        .unwrap()
}

/// An INVALID index of that name, as a build leaves it that waits in vain for a transaction.
async fn leave_behind(world: &mut World, name: &str) -> Proposed {
    let mut holder = world.database.connect().await.unwrap();
    let begin = world.variant.spell("BEGIN; UPDATE {processes} SET progress = progress");
    sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut holder).await.unwrap();
    let (_, outcome) = make(world, name).await;
    assert!(why(&outcome).contains("it left an INVALID index behind"), "{outcome:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    let left = proposed(world, name).await;
    assert!(matches!(left.state, State::Invalid(_)), "{left:?}");
    left
}

fn drop_of(index: &Proposed) -> DropInvalidIndex {
    let State::Invalid(found) = &index.state else { panic!("{index:?} is not INVALID") };
    DropInvalidIndex { target: index.target.clone(), oid: found.oid, definition: found.definition.clone(), care: CARE }
}

#[tokio::test]
async fn every_index_is_made_read_back_and_recorded_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(&format!("made_{}", variant.name), &variant).await;
        world.insert(&[processing(10), Row::pending(seconds_ago(5))]).await;
        let table = Arc::clone(&world.table);
        let all = indexes::proposed(&mut world.db, &table).await?;
        assert_eq!(all.len(), 4, "{}", variant.name);
        let before = bounds(&mut world.db).await;
        for index in &all {
            let (id, outcome) = apply(&mut world, create(index)).await;
            assert_eq!(outcome.result, ActionResult::Applied, "{}: {}", variant.name, index.statement);
            let entry = world.entry(id).await.ok_or("no entry")?;
            assert_eq!((entry.outcome.as_str(), entry.kind.as_str(), entry.closed), ("applied", "create-index", true));
            assert_eq!((entry.target, entry.before), (index.target.clone(), Some(json!({ "definition": null }))));
            let after = entry.after.ok_or("no image")?;
            assert_eq!((&after["valid"], after["definition"].as_str().is_some()), (&json!(true), true), "{after}");
            assert_eq!(outcome.after, Some(after));
        }
        assert_eq!(bounds(&mut world.db).await, before, "the session's own bounds are back");
        assert!(indexes::missing(&mut world.db, &table).await?.is_empty(), "{}", variant.name);
        let again = apply(&mut world, create(&all[0])).await;
        assert_eq!(again.1.result, ActionResult::Superseded, "already so");
    }
    Ok(())
}

#[tokio::test]
async fn an_index_that_begins_with_the_same_columns_is_enough_whatever_its_name_and_direction() -> Tested {
    // (the statement, whether it is enough)
    for (statement, enough) in [
        ("CREATE INDEX mine ON {processes} ({user_id}, {created_at} DESC)", true),
        ("CREATE INDEX mine ON {processes} ({user_id}, {created_at})", true),
        ("CREATE INDEX mine ON {processes} ({user_id}, {created_at} DESC, status)", true),
        ("CREATE INDEX mine ON {processes} ({user_id}) INCLUDE ({created_at})", false),
        ("CREATE INDEX mine ON {processes} ({created_at}, {user_id})", false),
        ("CREATE INDEX mine ON {processes} ({user_id}, {created_at}) WHERE progress > 0", false),
        (
            "CREATE INDEX mine ON {processes} ({user_id}, date_trunc('day', {created_at}{utc} AT TIME ZONE 'UTC'))",
            false,
        ),
    ] {
        for variant in [GUIDE, PUSHED] {
            let mut world = World::of("enough", &variant).await;
            world.execute(statement).await;
            let index = proposed(&mut world, BY_USER).await;
            assert_eq!(matches!(index.state, State::Present(_)), enough, "{statement}: {:?}", index.state);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_name_that_something_else_bears_is_not_taken_from_it() -> Tested {
    for (statement, what) in [
        ("CREATE INDEX idx_processing_state_user_created ON {processes} (progress)", "progress"),
        ("CREATE TABLE {schema}.idx_processing_state_user_created (x int)", "-"),
        ("CREATE INDEX idx_processing_state_user_created ON {schema}.goals (id)", "goals"),
    ] {
        let mut world = World::new("taken").await;
        world.execute(statement).await;
        let index = proposed(&mut world, BY_USER).await;
        assert!(matches!(index.state, State::Taken(_)), "{statement}: {:?}", index.state);
        let (id, outcome) = apply(&mut world, create(&index)).await;
        assert!(why(&outcome).contains(what), "{outcome:?}");
        assert_eq!(world.entry(id).await.ok_or("no entry")?.outcome, "failed");
    }
    Ok(())
}

#[tokio::test]
async fn the_application_goes_on_writing_while_an_index_is_built() -> Tested {
    let mut world = World::new("writes_on").await;
    world.execute("INSERT INTO {processes} (id, user_id, type, updated_at) SELECT gen_random_uuid(), gen_random_uuid(), 'x', now() FROM generate_series(1, 20000)").await;
    // The build reads the table twice, and waits in between for whoever writes.
    let row = processing(10);
    world.insert(std::slice::from_ref(&row)).await;
    let (database, id) = (world.database.clone(), row.id);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let writer = tokio::spawn(async move {
        let mut stopped = stopped;
        let mut written = 0_u32;
        while stopped.try_recv().is_err() {
            sqlx::query("UPDATE processing_state SET progress = (progress + 1) % 100 WHERE id = $1")
                .bind(id)
                .execute(database.pool())
                .await?;
            written += 1;
        }
        Ok::<u32, sqlx::Error>(written)
    });
    let (_, outcome) = make(&mut world, BY_USER).await;
    let _ = stop.send(());
    assert_eq!(outcome.result, ActionResult::Applied);
    assert!(writer.await?? > 0, "nobody was held up, and nothing was refused");
    Ok(())
}

#[tokio::test]
async fn a_build_that_waits_in_vain_leaves_an_invalid_index_that_the_next_run_drops_and_builds_anew() -> Tested {
    let mut world = World::new("in_vain").await;
    world.insert(&[processing(10)]).await;
    let left = leave_behind(&mut world, OPEN).await;
    let entry: (String, String) =
        sqlx::query_as("SELECT outcome, reason FROM remediation.actions").fetch_one(world.database.pool()).await?;
    assert!(entry.0 == "failed" && entry.1.contains("timed out after waiting 0.3 s"), "{entry:?}");
    assert_eq!(bounds(&mut world.db).await, ("0".into(), "0".into()));
    // `migrate` counts it as missing, and a build does not mistake it for an index.
    let table = Arc::clone(&world.table);
    assert!(indexes::missing(&mut world.db, &table).await?.iter().any(|index| index.name == OPEN));
    let (_, refused) = apply(&mut world, create(&left)).await;
    assert!(why(&refused).contains("has to be dropped first"), "{refused:?}");

    let (id, dropped) = apply(&mut world, drop_of(&left)).await;
    assert_eq!(dropped.result, ActionResult::Applied, "{dropped:?}");
    let entry = world.entry(id).await.ok_or("no entry")?;
    assert_eq!((entry.kind.as_str(), entry.outcome.as_str()), ("drop-invalid-index", "applied"));
    assert_eq!(entry.before.map(|before| before["valid"].clone()), Some(json!(false)));
    assert_eq!(make(&mut world, OPEN).await.1.result, ActionResult::Applied);
    // What was invalid then is another one now.
    assert_eq!(apply(&mut world, drop_of(&left)).await.1.result, ActionResult::Superseded);
    Ok(())
}

#[tokio::test]
async fn what_a_build_leaves_behind_is_dropped_at_once_where_nothing_is_in_the_way_any_more() -> Tested {
    // A snapshot that does not lock the table holds up a build, and no drop.
    let mut world = World::new("at_once").await;
    let mut holder = world.database.connect().await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM goals").execute(&mut holder).await?;
    let (id, outcome) = make(&mut world, OPEN).await;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut holder).await?;
    let why = why(&outcome);
    assert!(why.contains(&format!("pid {pid} (harness)")) && why.contains("was dropped"), "{why}");
    assert_eq!(outcome.after, Some(json!({ "definition": null })));
    assert_eq!(world.entry(id).await.ok_or("no entry")?.outcome, "failed");
    assert_eq!(proposed(&mut world, OPEN).await.state, State::Missing);
    Ok(())
}

#[tokio::test]
async fn the_server_ends_a_build_before_the_runs_time_is_over() -> Tested {
    let mut world = World::new("ended").await;
    let mut holder = world.database.connect().await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM goals").execute(&mut holder).await?;
    let index = proposed(&mut world, OPEN).await;
    let action = CreateIndex { care: Care { lock: BOUND, ..CARE }, ..create(&index) };
    let (_, outcome) = apply_within(&mut world, action, Duration::from_secs(2)).await;
    let outcome = outcome?;
    assert!(why(&outcome).contains("run it by hand in psql: CREATE INDEX CONCURRENTLY"), "{outcome:?}");
    assert_eq!(proposed(&mut world, OPEN).await.state, State::Missing, "cleaned up in the time that was kept for it");
    Ok(())
}

#[tokio::test]
async fn a_build_is_not_begun_behind_an_old_transaction_or_maintenance_or_without_time() -> Tested {
    let mut world = World::new("not_begun").await;
    world.insert(&[processing(10)]).await;
    let index = proposed(&mut world, OPEN).await;
    let old = CreateIndex { care: Care { transaction: TimeDelta::zero(), ..CARE }, ..create(&index) };
    let short = CreateIndex { care: Care { least: Duration::from_secs(3600), ..CARE }, ..create(&index) };
    let maintenance = "BEGIN; LOCK TABLE {processes} IN SHARE UPDATE EXCLUSIVE MODE";
    let reading = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM {processes}";
    for (holds, action, told) in [
        (reading, old.clone(), "transaction open for"),
        (maintenance, create(&index), "which is altering, vacuuming or indexing the table"),
        ("BEGIN", short, "this run has only"),
    ] {
        let mut holder = world.database.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(world.variant.spell(holds))).execute(&mut holder).await?;
        let (id, outcome) = apply(&mut world, action).await;
        assert!(why(&outcome).contains(told), "{outcome:?}");
        assert_eq!(world.entry(id).await.ok_or("no entry")?.outcome, "failed");
        assert_eq!(proposed(&mut world, OPEN).await.state, State::Missing, "nothing was begun");
    }
    // One that has neither a snapshot nor a lock on the table holds nothing up.
    let mut idle = world.database.connect().await?;
    sqlx::raw_sql("BEGIN").execute(&mut idle).await?;
    assert_eq!(apply(&mut world, old).await.1.result, ActionResult::Applied);
    Ok(())
}

#[tokio::test]
async fn a_transaction_that_may_not_be_looked_into_is_in_the_way() -> Tested {
    let mut world = World::new("unseen").await;
    world.database.execute_as_superuser(&format!("DROP ROLE IF EXISTS blind; CREATE ROLE blind LOGIN PASSWORD 'blind'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO blind; GRANT CONNECT ON DATABASE {} TO blind", world.database.name())).await?;
    let mut holder = world.database.connect().await?;
    sqlx::raw_sql("BEGIN; SELECT FROM processing_state").execute(&mut holder).await?;
    let table = Arc::clone(&world.table);
    let minute = TimeDelta::seconds(60);
    assert!(indexes::in_the_way(&mut world.db, &table, minute).await?.is_empty(), "it is young");
    let url = world.database.url_as("blind", "blind");
    let mut blind = <PgConnection as sqlx::Connection>::connect(&url).await?;
    let seen = indexes::in_the_way(&mut blind, &table, minute).await?;
    assert!(!seen.is_empty() && seen.iter().all(|one| one.kind == Hindrance::Unseen), "{seen:?}");
    world.database.execute_as_superuser("DROP OWNED BY blind; DROP ROLE blind").await?;
    Ok(())
}

#[tokio::test]
async fn only_the_owner_may_make_an_index_and_the_refusal_says_so() -> Tested {
    let mut world = World::new("owner").await;
    let index = proposed(&mut world, OPEN).await;
    world
        .database
        .execute_as_superuser(
            "ALTER TABLE processing_state OWNER TO postgres; GRANT ALL ON processing_state TO application",
        )
        .await?;
    let (_, outcome) = apply(&mut world, create(&index)).await;
    assert!(why(&outcome).contains("run as the owner: CREATE INDEX CONCURRENTLY"), "{outcome:?}");
    Ok(())
}

#[tokio::test]
async fn a_build_that_goes_on_without_its_run_is_left_alone_and_made_good_when_it_is_over() -> Tested {
    let mut world = World::new("goes_on").await;
    world.insert(&[processing(10)]).await;
    let index = proposed(&mut world, OPEN).await;
    // It cannot end before this transaction does.
    let mut holder = world.database.connect().await?;
    sqlx::raw_sql("BEGIN; UPDATE processing_state SET progress = progress").execute(&mut holder).await?;
    let mut builder = world.database.connect().await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut builder).await?;
    let statement = index.statement.clone();
    let building =
        tokio::spawn(async move { sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut builder).await.map(drop) });
    let table = Arc::clone(&world.table);
    let wait = || async {
        let mut db = world.database.connect().await.ok()?;
        let all = indexes::proposed(&mut db, &table).await.ok()?;
        all.iter()
            .any(|index| matches!(&index.state, State::Building { pid: by, phase: Some(_), .. } if *by == pid))
            .then_some(())
    };
    eventually(BOUND, "the build to show", wait).await?;

    let left_open = Uuid::now_v7();
    sqlx::query("INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, created_at) VALUES ($1, $1, 'tune-database', 'create-index', $2, 'applying', 'crashed', now() - interval '17 minutes')")
        .bind(left_open).bind(&index.target).execute(world.database.pool()).await?;
    close(&mut world).await;
    assert_eq!(world.entry(left_open).await.ok_or("no entry")?.outcome, "applying");
    assert_eq!(apply(&mut world, create(&index)).await.1.result, ActionResult::Busy);

    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;
    building.await??;
    close(&mut world).await;
    let entry = world.entry(left_open).await.ok_or("no entry")?;
    assert_eq!((entry.outcome.as_str(), entry.closed), ("applied", true));
    assert_eq!(entry.after.map(|after| after["valid"].clone()), Some(json!(true)));
    Ok(())
}

#[tokio::test]
async fn a_build_that_was_killed_with_its_run_is_closed_as_failed_dropped_and_built_anew() -> Tested {
    let mut world = World::new("killed").await;
    world.insert(&[processing(10)]).await;
    let index = proposed(&mut world, OPEN).await;
    let mut holder = world.database.connect().await?;
    sqlx::raw_sql("BEGIN; UPDATE processing_state SET progress = progress").execute(&mut holder).await?;
    let mut other = world.another().await;
    let action = CreateIndex { care: Care { lock: BOUND, ..CARE }, ..create(&index) };
    let run = tokio::spawn(async move { apply_within(&mut other, action, BOUND * 3).await.1 });
    let database = world.database.clone();
    let kill = || async {
        let killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index WHERE datname = current_database() AND phase LIKE 'waiting%'";
        sqlx::query_scalar::<_, bool>(killed).fetch_optional(database.pool()).await.ok()?
    };
    eventually(BOUND, "the build to be killed", kill).await?;
    assert!(run.await?.unwrap_err().is_connection_lost());
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;

    let table = Arc::clone(&world.table);
    let left = proposed(&mut world, OPEN).await;
    let outcome = "SELECT outcome FROM remediation.actions WHERE kind = 'create-index'";
    close(&mut world).await;
    assert_eq!(world.ask::<String>(outcome).await, "applying", "another container may still be at it");
    assert_eq!(apply(&mut world, drop_of(&left)).await.1.result, ActionResult::Busy);
    let old = "UPDATE remediation.actions SET created_at = now() - interval '17 minutes', alive_until = now() - interval '6 s'";
    world.execute(old).await;
    close(&mut world).await;
    assert_eq!(world.ask::<String>(outcome).await, "failed");
    assert_eq!(apply(&mut world, drop_of(&left)).await.1.result, ActionResult::Applied);
    assert_eq!(make(&mut world, OPEN).await.1.result, ActionResult::Applied);
    assert!(!indexes::missing(&mut world.db, &table).await?.iter().any(|index| index.name == OPEN));
    Ok(())
}

#[tokio::test]
async fn an_index_that_was_made_is_taken_away_again_unless_it_is_another_by_now() -> Tested {
    for variant in [GUIDE, PUSHED] {
        let mut world = World::of("undone", &variant).await;
        // One that does the same work does not stand for ours.
        let (made, _) = make(&mut world, BY_USER).await;
        world.execute("CREATE INDEX a_like_it ON {processes} ({user_id}, {created_at})").await;
        let undo = undo_of(&mut world.db, made).await?;
        assert_eq!(undo.kind.names(), [CreateIndex::KIND]);
        let (id, outcome) = apply(&mut world, undo).await;
        assert_eq!(outcome.result, ActionResult::Applied, "{outcome:?}");
        let entry = world.entry(id).await.ok_or("no entry")?;
        assert_eq!((entry.kind.as_str(), entry.undo_of, entry.outcome.as_str()), ("undo", Some(made), "applied"));
        let again = undo_of(&mut world.db, made).await.unwrap_err().to_string();
        assert!(again.contains("already undone"), "{again}");

        let (made, _) = make(&mut world, OPEN).await;
        let undo = undo_of(&mut world.db, made).await?;
        world
            .execute("DROP INDEX {schema}.remediation_open; CREATE INDEX remediation_open ON {processes} (progress)")
            .await;
        let (_, outcome) = apply(&mut world, undo).await;
        assert!(why(&outcome).contains("a different definition"), "{outcome:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_undo_that_waits_in_vain_may_be_tried_again() -> Tested {
    let mut world = World::new("undo_again").await;
    world.insert(&[processing(10)]).await;
    let (made, _) = make(&mut world, OPEN).await;
    let undo = undo_of(&mut world.db, made).await?;
    let mut holder = world.database.connect().await?;
    sqlx::raw_sql("BEGIN; SELECT FROM processing_state").execute(&mut holder).await?;
    // The server ends it with the run's time.
    let (_, outcome) = apply_within(&mut world, undo.clone(), Duration::from_millis(800)).await;
    let outcome = outcome?;
    assert!(why(&outcome).contains("could not be dropped"), "{outcome:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;
    let left = proposed(&mut world, OPEN).await;
    assert!(matches!(left.state, State::Invalid(_)), "it was ended half-way: {left:?}");
    let again = undo_of(&mut world.db, made).await?;
    assert_eq!(apply(&mut world, again).await.1.result, ActionResult::Applied);
    let open: i64 = world.ask("SELECT count(*) FROM remediation.actions WHERE outcome = 'applying' OR outcome = 'failed' AND undo_of IS NOT NULL").await;
    assert_eq!(open, 0);

    let left = leave_behind(&mut world, OPEN).await;
    apply(&mut world, drop_of(&left)).await;
    let dropped: Uuid = world.ask("SELECT id FROM remediation.actions WHERE kind = 'drop-invalid-index'").await;
    let none = undo_of(&mut world.db, dropped).await.unwrap_err().to_string();
    assert!(none.contains("no query used"), "{none}");
    Ok(())
}
