//! What the processes work for, read in every form in which it is found: goals, sub-goals, actions.

use chrono::TimeDelta;
use patient::goals::Goal;
use patient::table::{EARLY, ELSEWHERE, GUIDE, MIGRATED, PUSHED, Row};
use remediation::domain::ProcessId;
use remediation::gather::error::Error;
use remediation::gather::goals::cases::{self, Case, Lately, Open, Orphan, OrphanKind, Which};
use remediation::gather::goals::{Catalogue, GoalStatus, Goals};
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

/// The variants whose processes have a target: text, enums, camelCase.
const WITH_TARGET: [patient::table::Variant; 3] = [GUIDE, MIGRATED, PUSHED];

async fn catalogue(world: &mut World) -> Result<Catalogue, Error> {
    Goals::read(&mut world.db, &world.table).await
}

async fn there(world: &mut World) -> Goals {
    match catalogue(world).await.unwrap() {
        Catalogue::There(goals) => goals,
        Catalogue::Absent(missing) => panic!("{missing:?} are missing"),
    }
}

async fn refusal(world: &mut World) -> String {
    match catalogue(world).await {
        Err(error @ Error::Table(_)) => error.to_string(),
        other => panic!("{other:?} instead of a refusal"),
    }
}

async fn read(world: &mut World, which: Which<'_>) -> Vec<Case> {
    let goals = there(world).await;
    cases::read(&mut world.db, &world.table, &goals, which).await.unwrap()
}

/// The case of one process.
async fn case(world: &mut World, process: Uuid) -> Case {
    let cases = read(world, Which::Processes(&[ProcessId::from(process)])).await;
    assert_eq!(cases.len(), 1, "{cases:?}");
    cases.into_iter().next().unwrap()
}

/// A process that works for `target` and has failed for good.
async fn failed(world: &World, target: Option<Uuid>) -> Row {
    let error = Some(json!({ "code": "VALIDATION_ERROR", "message": "入力値が不正です" }));
    let row = Row { target_id: target, error, ..processing(120).became("FAILED", seconds_ago(60)) };
    world.insert(std::slice::from_ref(&row)).await;
    row
}

async fn inserted(world: &World, status: &str, progresses: &[i16]) -> Goal {
    let goal = Goal::new(status, progresses);
    goal.insert(world.database.pool(), &world.variant).await.unwrap();
    goal
}

#[tokio::test]
async fn the_goal_is_found_from_a_goal_a_sub_goal_and_an_action_in_every_variant_with_a_target() -> Tested {
    for variant in WITH_TARGET {
        let mut world = World::of(variant.name, &variant).await;
        // Somebody else's goal is counted by nobody.
        inserted(&world, "COMPLETED", &[0, 0, 0]).await;
        let goal = inserted(&world, "COMPLETED", &[100, 40]).await;
        let targets = [goal.id, goal.sub_goals[1].id, goal.sub_goals[0].actions[0].id];
        for target in targets {
            let row = failed(&world, Some(target)).await;
            let case = case(&mut world, row.id).await;
            let found = case.goal.clone().ok_or("no goal")?;
            assert_eq!((found.id.0, found.status), (goal.id, GoalStatus::Completed), "{}", variant.name);
            assert_eq!(found.open, Open { sub_goals: 1, actions: 1, processes: 0 }, "{}", variant.name);
            assert!(case.found && !case.open && !case.completed && case.orphans.is_empty(), "{case:?}");
            assert_eq!((case.code.as_deref(), case.target), (Some("VALIDATION_ERROR"), Some(target)));
        }
    }
    Ok(())
}

#[tokio::test]
async fn open_processes_of_the_goal_and_of_all_under_it_are_counted_but_for_those_that_are_looked_at() -> Tested {
    for variant in WITH_TARGET {
        let mut world = World::of(variant.name, &variant).await;
        let goal = inserted(&world, "PAUSED", &[100]).await;
        let [sub_goal, action] = [goal.sub_goals[0].id, goal.sub_goals[0].actions[0].id];
        let open = [goal.id, sub_goal, action].map(|target| Row { target_id: Some(target), ..processing(120) });
        let others = [
            Row { target_id: Some(goal.id), ..Row::pending(seconds_ago(5)) },
            Row { target_id: Some(goal.id), ..processing(120).became("COMPLETED", seconds_ago(60)) },
            Row { target_id: Some(Uuid::new_v4()), ..processing(120) },
            processing(120),
        ];
        world.insert(&open).await;
        world.insert(&others).await;
        // Its row is still open, and its execution has failed.
        let case = case(&mut world, open[0].id).await;
        let goal = case.goal.ok_or("no goal")?;
        assert!(case.open, "{}", variant.name);
        assert_eq!((goal.status, goal.open), (GoalStatus::Paused, Open { processes: 3, ..Open::default() }));
    }
    Ok(())
}

#[tokio::test]
async fn an_active_goal_is_not_counted_and_a_status_of_the_applications_own_is_kept() -> Tested {
    let mut world = World::of("own_status", &GUIDE).await;
    for (status, known, open) in [
        ("ACTIVE", GoalStatus::Active, Open::default()),
        ("ARCHIVED", GoalStatus::Other("ARCHIVED".into()), Open { sub_goals: 1, actions: 1, processes: 0 }),
    ] {
        let goal = inserted(&world, status, &[0]).await;
        let row = failed(&world, Some(goal.id)).await;
        let found = case(&mut world, row.id).await.goal.ok_or("no goal")?;
        assert_eq!((found.status, found.open), (known, open));
    }
    Ok(())
}

#[tokio::test]
async fn a_child_that_says_so_is_over_whatever_its_progress_and_a_cancelled_one_takes_its_actions_along() -> Tested {
    for (sub_goal, action, expected) in [
        ("COMPLETED", "COMPLETED", (0, 0)),
        ("COMPLETED", "ACTIVE", (0, 1)),
        ("CANCELLED", "ACTIVE", (0, 0)),
        ("ACTIVE", "CANCELLED", (1, 0)),
        ("ACTIVE", "PENDING", (1, 1)),
    ] {
        let mut world = World::new("child_status").await;
        let goal = inserted(&world, "COMPLETED", &[10]).await;
        let row = failed(&world, Some(goal.id)).await;
        world
            .execute(&format!(
                "ALTER TABLE {{schema}}.sub_goals ADD status text; ALTER TABLE {{schema}}.actions ADD status text;
                 UPDATE {{schema}}.sub_goals SET status = '{sub_goal}'; UPDATE {{schema}}.actions SET status = '{action}'"
            ))
            .await;
        let open = case(&mut world, row.id).await.goal.ok_or("no goal")?.open;
        assert_eq!((open.sub_goals, open.actions), expected, "{sub_goal} {action}");
        // The status alone will do.
        world.execute("ALTER TABLE {schema}.sub_goals DROP progress; ALTER TABLE {schema}.actions DROP progress").await;
        let open = case(&mut world, row.id).await.goal.ok_or("no goal")?.open;
        assert_eq!((open.sub_goals, open.actions), expected, "{sub_goal} {action} without progress");
    }
    Ok(())
}

#[tokio::test]
async fn without_foreign_keys_whatever_has_lost_its_parent_is_found() -> Tested {
    for variant in WITH_TARGET {
        let mut world = World::of(variant.name, &variant).await;
        // The foreign keys go with what they refer to.
        world
            .execute(
                "ALTER TABLE {schema}.goals DROP CONSTRAINT goals_pkey CASCADE;
                 ALTER TABLE {schema}.sub_goals DROP CONSTRAINT sub_goals_pkey CASCADE",
            )
            .await;
        let goal = inserted(&world, "ACTIVE", &[10]).await;
        let other = inserted(&world, "ACTIVE", &[10]).await;
        let (sub_goal, action) = (goal.sub_goals[0].id, goal.sub_goals[0].actions[0].id);
        let (lost, of_lost) = (other.sub_goals[0].id, other.sub_goals[0].actions[0].id);
        world.execute(&format!("DELETE FROM {{schema}}.goals WHERE id = '{}'", goal.id)).await;
        world.execute(&format!("DELETE FROM {{schema}}.sub_goals WHERE id = '{lost}'")).await;
        let orphan = |kind, id, missing| Orphan { kind, id, missing };
        let of_goal = orphan(OrphanKind::SubGoal, sub_goal, goal.id);
        let of_sub_goal = orphan(OrphanKind::Action, of_lost, lost);
        // (the target, whether it is there, what hangs in the air)
        for (target, found, orphans) in [
            (sub_goal, true, vec![of_goal.clone()]),
            (action, true, vec![of_goal.clone()]),
            (goal.id, false, vec![of_goal]),
            (of_lost, true, vec![of_sub_goal.clone()]),
            (lost, false, vec![of_sub_goal]),
            (Uuid::new_v4(), false, vec![]),
        ] {
            let row = failed(&world, Some(target)).await;
            let case = case(&mut world, row.id).await;
            assert_eq!((case.found, case.orphans, case.goal), (found, orphans, None), "{}", variant.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_sweep_reads_what_failed_in_its_time_and_has_a_target_with_its_newest_execution() -> Tested {
    for variant in WITH_TARGET {
        let mut world = World::of(variant.name, &variant).await;
        let goal = inserted(&world, "COMPLETED", &[10]).await;
        let row = failed(&world, Some(goal.id)).await;
        failed(&world, None).await;
        let target = || Some(goal.id);
        let days_ago = seconds_ago(60) - TimeDelta::days(2);
        world
            .insert(&[
                Row { target_id: target(), ..processing(120) },
                Row { target_id: target(), ..processing(120).became("CANCELLED", seconds_ago(60)) },
                Row { target_id: target(), ..Row::pending(days_ago).became("FAILED", days_ago) },
            ])
            .await;
        let earlier = execution(row.id, Aborted, seconds_ago(119), Some(seconds_ago(110)));
        let newest = execution(row.id, Failed, seconds_ago(100), Some(seconds_ago(60)));
        world.remember(&[ended(earlier, Some("X"), None), ended(newest.clone(), Some("States.Runtime"), None)]).await;
        let since = chrono::Utc::now() - TimeDelta::days(1);
        let cases = read(&mut world, Which::Failed(Lately { since, after: None, rows: 100 })).await;
        assert_eq!(cases.iter().map(|case| case.process).collect::<Vec<_>>(), [Some(ProcessId::from(row.id))]);
        let known = cases[0].newest.as_ref().ok_or("no execution")?;
        assert_eq!(
            (&known.arn, known.status, known.started_at),
            (&newest.execution.arn, Failed, newest.execution.started_at)
        );
        assert_eq!(known.ending.as_ref().and_then(|ending| ending.error.as_deref()), Some("States.Runtime"));
        // The open row counts, the failed one does not.
        let open = cases[0].goal.as_ref().map(|goal| goal.open);
        assert_eq!(open, Some(Open { sub_goals: 1, actions: 1, processes: 1 }));
    }
    Ok(())
}

#[tokio::test]
async fn what_is_named_may_be_a_goal_without_a_process() -> Tested {
    let mut world = World::new("named").await;
    let goal = inserted(&world, "PAUSED", &[10]).await;
    let row = failed(&world, Some(goal.id)).await;
    let cases = read(&mut world, Which::Named(&[goal.id, row.id, Uuid::new_v4()])).await;
    let mut processes: Vec<_> = cases.iter().map(|case| case.process).collect();
    processes.sort();
    assert_eq!(processes, [None, Some(ProcessId::from(row.id))]);
    assert!(cases.iter().all(|case| case.goal.as_ref().is_some_and(|found| found.id.0 == goal.id)), "{cases:?}");
    Ok(())
}

#[tokio::test]
async fn an_installation_without_goals_or_targets_is_none_and_says_what_is_missing() -> Tested {
    for (variant, missing) in
        [(EARLY, "public.processing_state.target_id"), (ELSEWHERE, "app.async_processes.target_id")]
    {
        let mut world = World::of(variant.name, &variant).await;
        match catalogue(&mut world).await? {
            Catalogue::Absent(absent) => assert_eq!(absent, [missing]),
            Catalogue::There(goals) => panic!("{goals:?}"),
        }
    }
    let mut world = World::new("no_goals").await;
    world.execute("DROP TABLE {schema}.actions, {schema}.sub_goals").await;
    match catalogue(&mut world).await? {
        Catalogue::Absent(absent) => assert_eq!(absent, ["public.sub_goals", "public.actions"]),
        Catalogue::There(goals) => panic!("{goals:?}"),
    }
    Ok(())
}

#[tokio::test]
async fn a_column_that_is_missing_or_of_another_type_is_named() -> Tested {
    for (change, told) in [
        ("ALTER TABLE {schema}.goals DROP status", "table public.goals has no column `status`"),
        ("ALTER TABLE {schema}.sub_goals DROP goal_id", "public.sub_goals has no column `goal_id` (or \"goalId\")"),
        (
            "ALTER TABLE {schema}.actions DROP sub_goal_id",
            "public.actions has no column `sub_goal_id` (or \"subGoalId\")",
        ),
        ("ALTER TABLE {schema}.actions DROP progress", "public.actions has no column `progress`"),
        (
            "ALTER TABLE {schema}.goals ALTER status DROP DEFAULT, ALTER status TYPE integer USING 1",
            "is of type integer",
        ),
        (
            "ALTER TABLE {processes} ALTER target_id TYPE text",
            "column `target_id` of table public.processing_state is of type text",
        ),
    ] {
        let mut world = World::new("goals_unfit").await;
        world.execute(change).await;
        let error = refusal(&mut world).await;
        assert!(error.contains(told), "{change}: {error}");
    }
    let mut world = World::of("no_active", &MIGRATED).await;
    world.execute("ALTER TYPE {schema}.\"GoalStatus\" RENAME VALUE 'ACTIVE' TO 'OPEN'").await;
    let error = refusal(&mut world).await;
    assert!(error.contains("`status`") && error.contains("has no value ACTIVE; it has OPEN, COMPLETED"), "{error}");
    // What is written where it is there, is not needed.
    let mut world = World::new("no_updated_at").await;
    world.execute("ALTER TABLE {schema}.goals DROP updated_at").await;
    there(&mut world).await;
    Ok(())
}

#[tokio::test]
async fn a_grant_that_is_missing_is_named() -> Tested {
    for table in ["goals", "sub_goals", "actions"] {
        let mut world = World::new("no_select").await;
        world.execute(&format!("REVOKE SELECT ON {{schema}}.{table} FROM CURRENT_USER")).await;
        let error = refusal(&mut world).await;
        let told = format!("GRANT SELECT ON \"public\".\"{table}\" TO \"application\"");
        assert!(error.contains(&format!("may not SELECT public.{table}")) && error.contains(&told), "{error}");
    }
    Ok(())
}
