//! Setting a goal ACTIVE and taking that back: only as it was read, only while it contradicts itself, never without its ledger entry.

use patient::goals::{self as of_patient, Goal};
use patient::table::{GUIDE, MIGRATED, PUSHED, Row, Variant};
use remediation::act::action::{ActionResult, Outcome};
use remediation::act::actions::set_goal_status;
use remediation::act::actions::set_goal_status::SetGoalStatus;
use remediation::act::ledger::facts;
use remediation::domain::{Language, ProcessId};
use remediation::gather::error::Error;
use remediation::gather::goals::{GoalId, GoalStatus};
use remediation::run::step::Planned;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use crate::support::*;

const VARIANTS: [Variant; 3] = [GUIDE, MIGRATED, PUSHED];

/// A goal with an open sub-goal and its open action, a failed process of it, and the wish to set it ACTIVE.
async fn inconsistent(world: &World, status: &str) -> (Goal, SetGoalStatus) {
    let goal = Goal::new(status, &[100, 40]);
    goal.insert(world.database.pool(), &world.variant).await.unwrap();
    let row = Row { target_id: Some(goal.id), ..processing(120).became("FAILED", seconds_ago(60)) };
    world.insert(std::slice::from_ref(&row)).await;
    let wanted = SetGoalStatus {
        goal: GoalId(goal.id),
        version: version(world, goal.id).await,
        from: status.into(),
        process: Some(ProcessId::from(row.id)),
        cause: "open-children",
    };
    (goal, wanted)
}

async fn version(world: &World, goal: Uuid) -> i64 {
    let sql = world.variant.spell("SELECT xmin::text::int8 FROM {schema}.goals WHERE id = $1");
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(goal).fetch_one(world.database.pool()).await.unwrap()
}

async fn set(world: &mut World, wanted: &SetGoalStatus) -> Result<Outcome, Error> {
    let planned = planned(wanted.clone());
    set_as(world, &planned, wanted).await
}

async fn set_as(world: &mut World, planned: &Planned, wanted: &SetGoalStatus) -> Result<Outcome, Error> {
    set_goal_status::apply(&mut world.db, &world.table, &run("test-step"), planned, wanted, Language::En).await
}

async fn take_back(world: &mut World, of: Uuid) -> Result<Outcome, Error> {
    let undo = undo_of(&mut world.db, of).await?;
    assert_eq!(undo.kind.names(), [SetGoalStatus::KIND]);
    let (run, planned) = (run("test-step"), planned(undo.clone()));
    set_goal_status::undo(&mut world.db, &world.table, (&run, &planned, &undo.entry), Language::En).await
}

/// The goal's row, but for what names it.
async fn row(world: &World, goal: Uuid) -> Value {
    let sql = world.variant.spell("SELECT to_jsonb(g) FROM {schema}.goals g WHERE id = $1");
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(goal).fetch_one(world.database.pool()).await.unwrap()
}

async fn status(world: &World, goal: &Goal) -> String {
    of_patient::status(world.database.pool(), &world.variant, goal.id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_goal_is_set_active_recorded_and_taken_back_in_every_variant() -> Tested {
    for variant in VARIANTS {
        for from in ["COMPLETED", "PAUSED", "CANCELLED"] {
            let mut world = World::of(variant.name, &variant).await;
            let (goal, wanted) = inconsistent(&world, from).await;
            let before = row(&world, goal.id).await;
            let action = planned(wanted.clone());

            let outcome = set_as(&mut world, &action, &wanted).await?;

            assert_eq!(
                (&outcome.result, outcome.again),
                (&ActionResult::Applied, None),
                "{}: {outcome:?}",
                variant.name
            );
            assert_eq!(status(&world, &goal).await, "ACTIVE", "{}", variant.name);
            let entry = world.entry(action.id).await.ok_or("there is no entry")?;
            assert_eq!(
                (entry.outcome.as_str(), entry.kind.as_str(), entry.closed),
                ("applied", "set-goal-status", true)
            );
            assert_eq!((entry.target, entry.cause.as_deref()), (goal.id.to_string(), Some("open-children")));
            let (was, is) = (entry.before.clone().unwrap_or_default(), entry.after.clone().unwrap_or_default());
            assert_eq!((&was["status"], &is["status"]), (&json!(from), &json!("ACTIVE")));
            assert!(was["updatedAt"].as_str() < is["updatedAt"].as_str(), "{was} {is}");
            assert_eq!((entry.before, entry.after), (outcome.before, outcome.after));

            let undone = take_back(&mut world, action.id).await?;

            assert_eq!(undone.result, ActionResult::Applied, "{}: {undone:?}", variant.name);
            let mut after = row(&world, goal.id).await;
            let touched = if variant == PUSHED { "updatedAt" } else { "updated_at" };
            assert!(after[touched].as_str() > before[touched].as_str(), "{after}");
            after[touched] = before[touched].clone();
            assert_eq!(after, before, "{}", variant.name);
            let entry = world.entry(undone.id).await.ok_or("there is no entry")?;
            assert_eq!(
                (entry.kind.as_str(), entry.undo_of, entry.target),
                ("undo", Some(action.id), goal.id.to_string())
            );
            let facts = facts::facts(&mut world.db, "any-step", KINDS, &[goal.id.to_string()]).await?;
            assert!(facts.targets[&goal.id.to_string()].undone.is_some(), "the guard leaves it alone");
            let error = undo_of(&mut world.db, action.id).await.unwrap_err().to_string();
            assert!(error.contains("already undone"), "{error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_goal_that_moved_meanwhile_is_not_written() -> Tested {
    for variant in VARIANTS {
        for change in ["title = '走る'", "status = 'PAUSED'", "status = 'ACTIVE'"] {
            let mut world = World::of("goal_moved", &variant).await;
            let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
            world.execute(&format!("UPDATE {{schema}}.goals SET {change}")).await;
            let moved = row(&world, goal.id).await;
            let action = planned(wanted.clone());
            let outcome = set_as(&mut world, &action, &wanted).await?;
            assert_eq!((outcome.result, outcome.again), (ActionResult::Superseded, wanted.process), "{change}");
            assert_eq!(row(&world, goal.id).await, moved, "{change}");
            assert_eq!(world.entry(action.id).await.map(|entry| entry.outcome), Some("superseded".to_owned()));
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_status_that_was_read_is_compared_as_well_as_the_version() -> Tested {
    let mut world = World::new("goal_status").await;
    let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
    let other = SetGoalStatus { from: GoalStatus::Paused, ..wanted };
    assert_eq!(set(&mut world, &other).await?.result, ActionResult::Superseded);
    assert_eq!(status(&world, &goal).await, "COMPLETED");
    Ok(())
}

#[tokio::test]
async fn a_goal_under_which_nothing_is_open_any_more_is_not_written() -> Tested {
    for variant in VARIANTS {
        let mut world = World::of("goal_consistent", &variant).await;
        let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
        // The children are done in the moment between the look and the write; the goal itself is not touched.
        world.execute("UPDATE {schema}.sub_goals SET progress = 100; UPDATE {schema}.actions SET progress = 100").await;
        assert_eq!(set(&mut world, &wanted).await?.result, ActionResult::Superseded, "{}", variant.name);
        assert_eq!(status(&world, &goal).await, "COMPLETED");

        // The failed process is no open work, even if its row is not closed yet; any other one is.
        world.execute("UPDATE {processes} SET status = 'PROCESSING'").await;
        assert_eq!(set(&mut world, &wanted).await?.result, ActionResult::Superseded, "{}", variant.name);
        let open = Row { target_id: Some(goal.sub_goals[0].actions[0].id), ..processing(10) };
        world.insert(std::slice::from_ref(&open)).await;
        assert_eq!(set(&mut world, &wanted).await?.result, ActionResult::Applied, "{}", variant.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_goal_that_somebody_works_on_is_not_waited_for() -> Tested {
    let mut world = World::new("goal_locked").await;
    let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
    let mut other = world.database.connect().await?;
    let mut working = other.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('remediation:' || $1::uuid, 0))")
        .bind(goal.id)
        .execute(&mut *working)
        .await?;
    let action = planned(wanted.clone());
    assert_eq!(set_as(&mut world, &action, &wanted).await?.result, ActionResult::Busy);
    assert!(world.entry(action.id).await.is_none());
    working.rollback().await?;

    let mut writing = other.begin().await?;
    sqlx::query("UPDATE goals SET title = 'x'").execute(&mut *writing).await?;
    assert_eq!(set(&mut world, &wanted).await?.result, ActionResult::Superseded);
    writing.rollback().await?;
    assert_eq!(set(&mut world, &wanted).await?.result, ActionResult::Applied);
    Ok(())
}

#[tokio::test]
async fn what_the_table_refuses_is_recorded_as_failed_and_what_it_changes_is_unverified() -> Tested {
    let mut world = World::new("goal_refused").await;
    let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
    world
        .execute(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one: password=hunter2'; END $$;
             CREATE TRIGGER no BEFORE UPDATE ON goals FOR EACH ROW EXECUTE FUNCTION no()",
        )
        .await;
    let action = planned(wanted.clone());
    let outcome = set_as(&mut world, &action, &wanted).await?;
    assert!(matches!(&outcome.result, ActionResult::Failed(why) if why.contains("not this one")), "{outcome:?}");
    let entry = world.entry(action.id).await.ok_or("no entry")?;
    assert_eq!((entry.outcome.as_str(), entry.reason.contains("hunter2")), ("failed", false), "{}", entry.reason);
    let facts = facts::facts(&mut world.db, "test-step", KINDS, &[goal.id.to_string()]).await?;
    assert_eq!(facts.targets[&goal.id.to_string()].attempts, 1, "it is not tried for ever");

    world
        .execute(
            "CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN NEW.status = 'PAUSED'; RETURN NEW; END $$",
        )
        .await;
    let outcome = set(&mut world, &wanted).await?;
    assert!(matches!(&outcome.result, ActionResult::Unverified(why) if why.contains("trigger")), "{outcome:?}");
    assert_eq!(status(&world, &goal).await, "PAUSED");
    Ok(())
}

#[tokio::test]
async fn without_a_time_of_change_only_the_status_is_written_and_compared() -> Tested {
    let mut world = World::new("goal_untimed").await;
    world.execute("ALTER TABLE goals ALTER updated_at DROP NOT NULL").await;
    let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
    world.execute("ALTER TABLE goals DROP updated_at").await;
    let action = planned(wanted.clone());
    let outcome = set_as(&mut world, &action, &wanted).await?;
    assert_eq!((outcome.result, outcome.after), (ActionResult::Applied, Some(json!({ "status": "ACTIVE" }))));
    assert_eq!(take_back(&mut world, action.id).await?.result, ActionResult::Applied);
    assert_eq!(status(&world, &goal).await, "COMPLETED");
    Ok(())
}

#[tokio::test]
async fn a_goal_that_has_changed_since_is_not_taken_back() -> Tested {
    for variant in VARIANTS {
        for change in ["status = 'PAUSED'", "{updated_at} = now(){utc} + interval '1 second'"] {
            let mut world = World::of("goal_since", &variant).await;
            let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
            let action = planned(wanted.clone());
            assert_eq!(set_as(&mut world, &action, &wanted).await?.result, ActionResult::Applied);
            world.execute(&format!("UPDATE {{schema}}.goals SET {change}")).await;
            let changed = row(&world, goal.id).await;
            let outcome = take_back(&mut world, action.id).await?;
            assert!(matches!(&outcome.result, ActionResult::Failed(why) if why.contains("changed since")), "{change}");
            assert_eq!(row(&world, goal.id).await, changed, "{change}");
            assert!(world.entry(outcome.id).await.is_none());
        }
    }
    Ok(())
}

#[tokio::test]
async fn images_are_in_utc_whatever_the_time_zone_of_the_session() -> Tested {
    for variant in [GUIDE, PUSHED] {
        let mut world = World::of("goal_zone", &variant).await;
        let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
        let mut elsewhere = world.another().await;
        sqlx::query("SET TimeZone = 'America/St_Johns'").execute(&mut elsewhere.db).await?;
        let action = planned(wanted.clone());
        set_as(&mut elsewhere, &action, &wanted).await?;
        // Read in another zone, it is the same image.
        assert_eq!(take_back(&mut world, action.id).await?.result, ActionResult::Applied, "{}", variant.name);
        assert_eq!(status(&world, &goal).await, "COMPLETED");
    }
    Ok(())
}

#[tokio::test]
async fn without_the_grant_nothing_is_written_and_the_grant_is_named() -> Tested {
    let mut world = World::new("no_update").await;
    let (goal, wanted) = inconsistent(&world, "COMPLETED").await;
    world.execute("REVOKE UPDATE ON goals FROM CURRENT_USER").await;
    let error = set(&mut world, &wanted).await.unwrap_err();
    assert!(matches!(&error, Error::Table(_)), "{error:?}");
    let told = "the database user may not UPDATE public.goals: GRANT UPDATE ON \"public\".\"goals\" TO \"application\"";
    assert_eq!(error.to_string(), told);
    // Two columns will do.
    world.execute("GRANT UPDATE (status, updated_at) ON goals TO CURRENT_USER").await;
    assert_eq!(set(&mut world, &wanted).await?.result, ActionResult::Applied);
    assert_eq!(status(&world, &goal).await, "ACTIVE");
    Ok(())
}

#[tokio::test]
async fn goals_that_are_gone_by_the_time_of_the_write_are_an_error() -> Tested {
    let mut world = World::new("goals_gone").await;
    let (_, wanted) = inconsistent(&world, "COMPLETED").await;
    world.execute("DROP TABLE actions").await;
    let error = set(&mut world, &wanted).await.unwrap_err().to_string();
    assert_eq!(error, "this database lacks public.actions");
    Ok(())
}
