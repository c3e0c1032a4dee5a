//! Alarms that fall silent, that somebody else's deployment meets, and that nobody can answer.
//!
//! The endpoint keeps an alarm's state once it is set; that a day has gone by, the ledger says.

use functions_tests::aged;
use harness::eventually;
use patient::Patient;
use serde_json::{Value, json};

use crate::outcome::Outcome;
use crate::problems::Problems;
use crate::world::{PATIENCE, World};

const MEMORY: &str = "raise-worker-memory";
const MEMORY_ALARM: &str = "remediation-worker-memory";
const A_DAY_LATER: u32 = 25 * 60;

/// The memory of the patient's worker as it was deployed, as somebody has cut it, and one step up, in MB.
const DEPLOYED: i32 = 4096;
const CUT: i32 = 512;
const RAISED: i32 = 1024;

/// An alarm and then silence: one step up, and no more; put back in time.
pub async fn silent_alarm(world: &World) -> Outcome<Vec<String>> {
    let mut problems = Problems::default();
    raised(world).await?;
    for _ in 0..3 {
        aged(&world.database, 70).await?;
        let answer = world.ask(MEMORY, &schedule(MEMORY)).await?;
        problems.unless("done while nothing is measured", &answer["actions"], &json!([]));
    }
    problems.unless("the worker's memory", &memory(world).await?, &RAISED);
    over(world).await?;
    problems.unless("the worker's memory a day later", &memory(world).await?, &CUT);
    set_memory(world, DEPLOYED).await?;
    Ok(problems.0)
}

/// A deployment while a change of ours is in force: what was deployed stays.
pub async fn lease_over_deployment(world: &World) -> Outcome<Vec<String>> {
    const OF_THE_DEPLOYMENT: i32 = 768;
    let mut problems = Problems::default();
    raised(world).await?;
    set_memory(world, OF_THE_DEPLOYMENT).await?;
    over(world).await?;
    problems.unless("the worker's memory a day later", &memory(world).await?, &OF_THE_DEPLOYMENT);
    let ended: Option<String> = sqlx::query_scalar(
        "SELECT ended FROM remediation.leases WHERE kind = 'set-worker-memory' ORDER BY created_at DESC LIMIT 1",
    )
    .fetch_one(world.database.pool())
    .await?;
    problems.unless("how the lease ended", &ended.as_deref(), &Some("changed"));
    set_memory(world, DEPLOYED).await?;
    Ok(problems.0)
}

/// An alarm that no step can answer: each level hears of it, once and in its time.
pub async fn nobody_fixes(world: &World) -> Outcome<Vec<String>> {
    const STEP: &str = "escalate";
    let name = "remediation-queue-depth";
    let mut problems = Problems::default();
    world.alarm_goes(name, "ALARM", "OK", "game day: a long queue").await?;
    world.looked(&json!({"alarm": name}), 1).await?;
    for (minutes, expected) in
        [(0, vec!["L1"]), (31, vec!["L1", "L2"]), (30, vec!["L1", "L2", "L3"]), (30, vec!["L1", "L2", "L3"])]
    {
        aged(&world.database, minutes).await?;
        world.ask(STEP, &schedule(STEP)).await?;
        problems.unless(
            "the levels that were told",
            &told(world, name).await?,
            &expected.into_iter().map(str::to_owned).collect(),
        );
    }
    world.alarm_goes(name, "OK", "ALARM", "game day: it is over").await?;
    Ok(problems.0)
}

/// The levels that heard of an alarm's incident, in order.
async fn told(world: &World, alarm: &str) -> Outcome<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT right(a.target, 2) FROM remediation.actions a
          WHERE a.kind = 'tell-level' AND a.outcome = 'applied'
            AND split_part(a.target, ' ', 2) IN (SELECT i.id::text FROM remediation.incidents i WHERE i.alarm = $1)
          ORDER BY a.closed_at",
    )
    .bind(alarm)
    .fetch_all(world.database.pool())
    .await?)
}

/// Memory runs short, and the step sets more.
async fn raised(world: &World) -> Outcome<()> {
    set_memory(world, CUT).await?;
    world.alarm_goes(MEMORY_ALARM, "ALARM", "OK", "game day: memory runs short").await?;
    let changed = eventually(PATIENCE, "the worker's memory to be raised", || async {
        (memory(world).await.ok()? == RAISED).then_some(())
    });
    changed.await?;
    world.changed(Patient::WORKER).await
}

/// The alarm is over, and so is a day; the schedule looks. Then nothing happens for more than an hour.
async fn over(world: &World) -> Outcome<()> {
    world.alarm_is(MEMORY_ALARM, "OK", "game day: it is over").await?;
    aged(&world.database, A_DAY_LATER).await?;
    world.ask(MEMORY, &schedule(MEMORY)).await?;
    aged(&world.database, 70).await?;
    world.changed(Patient::WORKER).await
}

fn schedule(step: &str) -> Value {
    json!({"schedule": step})
}

async fn memory(world: &World) -> Outcome<i32> {
    let told = world.aws.lambda().get_function_configuration().function_name(Patient::WORKER).send().await?;
    Ok(told.memory_size().ok_or("the worker has no memory")?)
}

async fn set_memory(world: &World, megabytes: i32) -> Outcome<()> {
    let set = world.aws.lambda().update_function_configuration().function_name(Patient::WORKER);
    set.memory_size(megabytes).send().await?;
    world.changed(Patient::WORKER).await
}
