//! What follows once the faults of the day are mended, where the product acts: what it must not do by itself, and what must not hinder it.
//!
//! Nothing starts by itself any more, so each scene asks for just the runs that it is about.

mod incidents;

use chrono::{TimeDelta, Utc};
use harness::alarm_event;
use patient::table::{self, Row};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::outcome::Outcome;
use crate::problems::Problems;
use crate::world::{World, alarm_arn};

const STEP: &str = "fail-timed-out-processes";
/// Rows that hang at once: more than half of all that is open.
const CROWD: usize = 150;
/// What a person approves at a time.
const PART: usize = 50;

/// What was tried, and what was wrong with what became of it.
pub struct Scene {
    pub name: &'static str,
    pub story: &'static str,
    pub problems: Vec<String>,
}

/// Plays all scenes, one after the other.
pub async fn play(world: &World) -> Outcome<Vec<Scene>> {
    let scene = |name, story, problems| Scene { name, story, problems };
    Ok(vec![
        scene("muted-alarm", "while an alarm is muted, its run only looks", muted_alarm(world).await?),
        scene("poison-row", "a row that the table refuses beside good ones", poison_row(world).await?),
        scene("stuck-crowd", "150 rows hang: held, proposed once, approved in parts", stuck_crowd(world).await?),
        scene(
            "silent-alarm",
            "an alarm, then silence: one step up, then put back",
            incidents::silent_alarm(world).await?,
        ),
        scene(
            "lease-over-deployment",
            "what was deployed meanwhile stays",
            incidents::lease_over_deployment(world).await?,
        ),
        scene("nobody-fixes", "an incident reaches L1, L2 and L3, each once", incidents::nobody_fixes(world).await?),
    ])
}

/// Rows that have hung for two hours.
async fn stuck(world: &World, count: usize) -> Outcome<Vec<Uuid>> {
    let since = Utc::now() - TimeDelta::hours(2);
    let rows: Vec<Row> = (0..count).map(|_| Row::pending(since).became("PROCESSING", since)).collect();
    table::insert(world.database.pool(), world.patient.variant(), &rows).await?;
    Ok(rows.iter().map(|row| row.id).collect())
}

/// How many of these rows have a status.
async fn are(world: &World, rows: &[Uuid], status: &str) -> Outcome<usize> {
    let mut count = 0;
    for id in rows {
        count += usize::from(world.patient.row(*id).await?.status == status);
    }
    Ok(count)
}

/// How many actions of an answer have an outcome, those among them that it only counts.
fn counted(answer: &Value, outcome: &str) -> usize {
    let actions = answer["actions"].as_array().into_iter().flatten();
    let omitted = answer["omitted"]["actions"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    actions.filter(|action| action["outcome"] == outcome).count() + omitted
}

async fn stuck_crowd(world: &World) -> Outcome<Vec<String>> {
    let crowd = stuck(world, CROWD).await?;
    let mut problems = Problems::default();
    let held = world.ask(STEP, &json!({"all": true, "reason": "game day: a crowd"})).await?;
    let again = world.ask(STEP, &json!({"all": true, "reason": "game day: the same crowd"})).await?;
    problems.unless("proposed", &counted(&held, "proposed"), &CROWD);
    problems.unless("left as they were", &are(world, &crowd, "PROCESSING").await?, &CROWD);
    problems.unless("the plan of the next run", &again["planId"], &held["planId"]);
    problems.unless("to do it", &held["toDoIt"], &json!({"approve": held["planId"]}));
    for part in 1..=CROWD / PART {
        let approval = json!({"approve": held["planId"], "by": "game day", "limit": PART});
        let done = world.ask(STEP, &approval).await?;
        problems.unless(&format!("done in part {part}"), &counted(&done, "applied"), &PART);
        problems.unless("failed so far", &are(world, &crowd, "FAILED").await?, &(part * PART));
    }
    Ok(problems.0)
}

async fn poison_row(world: &World) -> Outcome<Vec<String>> {
    let rows = stuck(world, 6).await?;
    let (poison, good) = (rows[0], &rows[1..]);
    let spell = |sql: &str| world.patient.variant().spell(sql);
    world
        .database
        .execute(&spell(&format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one' USING ERRCODE = '55000'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON {{processes}} FOR EACH ROW WHEN (OLD.id = '{poison}') EXECUTE FUNCTION refuse();"
        )))
        .await?;
    let mut problems = Problems::default();
    let answer = world.ask(STEP, &json!({"all": true, "reason": "game day: one row refuses"})).await?;
    problems.unless("the good ones", &are(world, good, "FAILED").await?, &good.len());
    problems.unless("the one that refuses", &world.patient.row(poison).await?.status, &"PROCESSING".to_owned());
    problems.unless("failed actions", &counted(&answer, "failed"), &1);
    let told = answer["findings"].as_array().into_iter().flatten().any(|finding| finding["code"] == "row_refused");
    problems.unless("it is told", &told, &true);
    world
        .database
        .execute(&spell(&format!(
            "DROP TRIGGER refuse ON {{processes}}; DROP FUNCTION refuse; DELETE FROM {{processes}} WHERE id = '{poison}'"
        )))
        .await?;
    Ok(problems.0)
}

async fn muted_alarm(world: &World) -> Outcome<Vec<String>> {
    let rows = stuck(world, 1).await?;
    let name = "remediation-stuck-processes";
    let mut event = alarm_event(name, &alarm_arn(name), "ALARM", "OK", "game day: muted");
    event["detail"]["muteDetail"] = json!({"mutedByArn": "maintenance"});
    let mut problems = Problems::default();
    let seen = json!({"alarm": name, "suppressedBy": "maintenance"});
    world.hop.deliver(&event).await?;
    world.looked(&seen, 1).await?;
    problems.unless("the row while it is muted", &world.patient.row(rows[0]).await?.status, &"PROCESSING".to_owned());
    world.ask(STEP, &json!({"processId": rows[0], "reason": "game day: the maintenance is over"})).await?;
    problems.unless("the row afterwards", &world.patient.row(rows[0]).await?.status, &"FAILED".to_owned());
    Ok(problems.0)
}
