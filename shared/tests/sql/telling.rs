//! What people were told already: read in the ledger, and not told again.

use chrono::TimeDelta;
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
