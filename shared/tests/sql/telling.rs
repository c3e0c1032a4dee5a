//! What people were told already: read in the ledger, and not told again.

use chrono::TimeDelta;
use remediation::act::ledger::told::{Due, Part, claim as claimed, give_back};
use remediation::gather::manifest::Manifest;
use remediation::gather::step_functions::StepFunctions;
use remediation::gather::trigger::{Ask, Scope, Trigger};
use remediation::run::step::{Audience, Finding, Often, Plan};
use remediation::run::telling;
use serde_json::{Map, Value, json};

use crate::support::*;

const STEP: &str = "test-step";

/// A run so many minutes ago that had something to tell.
async fn ran(world: &World, step: &str, trigger: &Value, codes: &[&str], minutes_ago: i32) {
    let findings: Vec<Value> = codes.iter().map(|code| json!({ "code": code, "target": "worker" })).collect();
    sqlx::query(
        "INSERT INTO remediation.runs (id, step, trigger, findings, started_at)
         VALUES (gen_random_uuid(), $1, $2, $3, now() - make_interval(mins => $4))",
    )
    .bind(step)
    .bind(trigger)
    .bind(json!(findings))
    .bind(minutes_ago)
    .execute(world.database.pool())
    .await
    .unwrap();
}

/// What is told now of a worker that is at its ceiling, and of what is told always.
async fn told(world: &mut World, nowhere: &StepFunctions, manifest: &str) -> Vec<String> {
    let manifest = Manifest::parse(manifest).unwrap();
    let found = |code, often| Finding::new(code, "worker", "it is", Value::Null).told(Audience::People, often);
    let findings = vec![found("at_ceiling", Often::ONCE_A_DAY), found("contested", Often::Always)];
    let mut plan = Plan { findings, ..Plan::default() };
    telling::hush(&mut world.session(nowhere, &mut None), &manifest, &mut plan.findings, &mut plan.skipped)
        .await
        .unwrap();
    let told: Vec<String> = plan.findings.iter().map(|finding| finding.code.to_owned()).collect();
    assert_eq!(told.len() + plan.skipped.len(), 2, "what is not told is left with its reason: {plan:?}");
    told
}

fn asked(depth: u8) -> Trigger {
    let (scope, parameters) = (Scope::All, Map::new());
    Trigger::Operator(Ask { scope, mode: None, limit: None, reason: None, by: None, depth, parameters })
}

#[tokio::test]
async fn what_a_step_told_by_itself_is_told_once_but_to_the_person_who_asks() -> Tested {
    let by_schedule = scheduled().describe();
    let (by_person, by_step) = (asked(0).describe(), asked(1).describe());
    let (ceiling, unreached): (&[&str], &[&str]) = (&["at_ceiling"], &["at_ceiling", "not_told"]);
    let day = i32::try_from(TimeDelta::days(1).num_minutes())?;
    let (both, once) = (vec!["at_ceiling", "contested"], vec!["contested"]);
    let mut world = World::new("telling").await;
    let nowhere = step_functions(&*scripted().await, MACHINE).await;
    // (whose run, started by what, what it told, how many minutes ago, what is told now)
    for (step, trigger, codes, minutes, expected) in [
        (STEP, &by_schedule, &[][..], 5, &both),
        (STEP, &by_schedule, ceiling, 5, &once),
        (STEP, &by_step, ceiling, 5, &once),
        (STEP, &by_schedule, &["contested", "at_ceiling"], day - 1, &once),
        (STEP, &by_schedule, ceiling, day + 1, &both),
        (STEP, &by_schedule, unreached, 5, &both),
        (STEP, &by_schedule, &["contested"], 5, &both),
        (STEP, &by_person, ceiling, 5, &both),
        ("another-step", &by_schedule, ceiling, 5, &both),
    ] {
        world.execute("DELETE FROM remediation.runs").await;
        ran(&world, step, trigger, codes, minutes).await;
        for (now, expected) in [(scheduled(), expected), (asked(1), expected), (asked(0), &both)] {
            world.trigger = now;
            assert_eq!(
                told(&mut world, &nowhere, "name = \"test-step\"").await,
                *expected,
                "{step} {trigger} {codes:?}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_step_whose_ledger_is_the_log_has_nothing_to_ask_and_tells_always() -> Tested {
    let mut world = World::new("telling_log").await;
    world.execute("DROP SCHEMA remediation CASCADE").await;
    let nowhere = step_functions(&*scripted().await, MACHINE).await;
    let told = told(&mut world, &nowhere, "name = \"test-step\"\nledger = \"log\"").await;
    assert_eq!(told, ["at_ceiling", "contested"]);
    Ok(())
}

fn part(kind: &str, count: usize) -> Part {
    Part { step: STEP.to_owned(), kind: kind.to_owned(), count, every: TimeDelta::hours(1), is_digest: false }
}

fn due(kind: &str, more: i64) -> Due {
    Due { step: STEP.to_owned(), kind: kind.to_owned(), more }
}

async fn claim(world: &mut World, parts: &[Part], waiting: bool) -> Vec<Due> {
    claimed(&mut world.db, parts, waiting).await.unwrap()
}

/// As if so many minutes had gone by since people were told.
async fn later(world: &World, minutes: i32) {
    world.execute(&format!("UPDATE remediation.told SET told_at = told_at - interval '{minutes} minutes'")).await;
}

#[tokio::test]
async fn what_was_told_within_the_hour_is_counted_and_said_with_the_next() -> Tested {
    let mut world = World::new("claim").await;
    assert_eq!(claim(&mut world, &[part("a", 5)], false).await, [due("a", 0)]);
    for _ in 0..3 {
        assert_eq!(claim(&mut world, &[part("a", 2)], true).await, []);
    }
    // Another kind is news, and its message names all of the run.
    assert_eq!(claim(&mut world, &[part("b", 1), part("a", 1)], false).await, [due("a", 6), due("b", 0)]);
    assert_eq!(claim(&mut world, &[part("a", 1)], false).await, []);
    later(&world, 59).await;
    assert_eq!(claim(&mut world, &[part("a", 1)], true).await, []);
    later(&world, 1).await;
    // Only who tells what waits takes it.
    assert_eq!(claim(&mut world, &[], false).await, []);
    assert_eq!(claim(&mut world, &[], true).await, [due("a", 2)]);
    assert_eq!(claim(&mut world, &[], true).await, []);
    assert_eq!(claim(&mut world, &[part("b", 1)], false).await, [due("b", 0)]);
    Ok(())
}

#[tokio::test]
async fn what_waits_of_another_step_does_not_make_a_runs_own_known() -> Tested {
    let mut world = World::new("claim_waiting").await;
    claim(&mut world, &[part("a", 1), part("b", 1)], false).await;
    claim(&mut world, &[part("a", 4)], false).await;
    world.execute("UPDATE remediation.told SET told_at = told_at - interval '1 hour' WHERE kind = 'a'").await;
    assert_eq!(claim(&mut world, &[part("b", 3)], true).await, [due("a", 4)]);
    later(&world, 60).await;
    assert_eq!(claim(&mut world, &[], true).await, [due("b", 3)]);
    Ok(())
}

#[tokio::test]
async fn of_many_containers_one_tells_it_and_none_of_it_is_lost() -> Tested {
    const CONTAINERS: usize = 8;
    let world = World::new("claim_race").await;
    let mut containers = Vec::new();
    for _ in 0..CONTAINERS {
        let mut other = world.another().await;
        // Both kinds in either order: they are locked in one.
        let parts = if containers.len() % 2 == 0 { [part("a", 1), part("b", 1)] } else { [part("b", 1), part("a", 1)] };
        containers.push(tokio::spawn(async move { claim(&mut other, &parts, true).await }));
    }
    let mut told = Vec::new();
    for container in containers {
        told.extend(container.await?);
    }
    assert_eq!(told, [due("a", 0), due("b", 0)]);
    later(&world, 60).await;
    let mut world = world;
    let rest = i64::try_from(CONTAINERS - 1)?;
    assert_eq!(claim(&mut world, &[], true).await, [due("a", rest), due("b", rest)]);
    Ok(())
}

#[tokio::test]
async fn what_did_not_reach_people_is_told_by_the_next() -> Tested {
    let mut world = World::new("claim_back").await;
    claim(&mut world, &[part("a", 1)], false).await;
    claim(&mut world, &[part("a", 3)], false).await;
    later(&world, 60).await;
    let taken = claim(&mut world, &[part("a", 1)], false).await;
    assert_eq!(taken, [due("a", 3)]);
    give_back(&mut world.db, &taken).await?;
    assert_eq!(claim(&mut world, &[part("a", 1)], false).await, [due("a", 3)]);
    Ok(())
}

#[tokio::test]
async fn a_digest_waits_for_its_first_day_too_and_is_told_apart() -> Tested {
    let mut world = World::new("claim_digest").await;
    let digest = || Part { every: TimeDelta::days(1), is_digest: true, ..part("observe", 1) };
    assert_eq!(claim(&mut world, &[digest(), part("a", 1)], true).await, [due("a", 0)]);
    assert_eq!(claim(&mut world, &[digest()], true).await, []);
    later(&world, 24 * 60 - 1).await;
    assert_eq!(claim(&mut world, &[digest(), part("a", 1)], true).await, [due("a", 0)]);
    later(&world, 1).await;
    // Another run tells it, where no run observes any more.
    assert_eq!(claim(&mut world, &[], true).await, [due("observe", 3)]);
    assert_eq!(claim(&mut world, &[digest()], true).await, []);
    Ok(())
}

#[tokio::test]
async fn what_was_counted_only_is_not_known_to_people() -> Tested {
    let mut world = World::new("telling_counted").await;
    let nowhere = step_functions(&*scripted().await, MACHINE).await;
    for (reached, expected) in [("false", vec!["at_ceiling", "contested"]), ("true", vec!["contested"])] {
        world.execute("DELETE FROM remediation.runs").await;
        ran(&world, STEP, &scheduled().describe(), &["at_ceiling"], 5).await;
        world.execute(&format!("UPDATE remediation.runs SET told = {reached}")).await;
        assert_eq!(told(&mut world, &nowhere, "name = \"test-step\"").await, expected);
    }
    Ok(())
}
