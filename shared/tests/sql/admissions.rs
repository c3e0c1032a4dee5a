//! The limits of a step over runs that are at work at the same time.

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::guard::Facts;
use remediation::act::ledger::facts::{self, Admission};
use remediation::act::ledger::runs::{self, Run};
use remediation::domain::Language;
use remediation::gather::error::Error;
use sqlx::PgConnection;

use crate::support::*;

const STEP: &str = "test-step";

async fn admit(db: &mut PgConnection, run: &Run, wanted: usize, sweeps: bool) -> Result<Facts, Error> {
    again(db, run, 0, wanted, sweeps).await
}

/// The same for a run that has made some already.
async fn again(db: &mut PgConnection, run: &Run, done: usize, wanted: usize, sweeps: bool) -> Result<Facts, Error> {
    facts::admit(db, &Admission { run, wanted, done, per_run: 100, sweeps }, KINDS, &[]).await
}

/// What would count against a run that began then.
async fn counted(db: &mut PgConnection, started_at: DateTime<Utc>) -> (usize, usize) {
    let run = Run { started_at, ..run(STEP) };
    let facts = admit(db, &run, 1, true).await.unwrap();
    sqlx::query("DELETE FROM remediation.admissions WHERE run_id = $1").bind(run.id).execute(db).await.unwrap();
    (facts.actions_last_hour, facts.beside)
}

#[tokio::test]
async fn runs_that_ask_at_once_never_get_more_than_there_is() -> Tested {
    let world = World::new("at_once").await;
    let mut asking = Vec::new();
    for _ in 0..8 {
        let mut db = world.database.connect().await?;
        asking.push(tokio::spawn(async move {
            let run = run(STEP);
            let facts = admit(&mut db, &run, 250, true).await.unwrap();
            (facts.actions_last_hour, facts.beside)
        }));
    }
    let mut told = Vec::new();
    for asked in asking {
        told.push(asked.await?);
    }
    told.sort_unstable();
    // Each sees what all before it were given: of 250 that are wanted no run may make more than 100.
    let expected: Vec<(usize, usize)> = (0..8).map(|before| (before * 100, before * 100)).collect();
    assert_eq!(told, expected);
    Ok(())
}

#[tokio::test]
async fn what_a_run_was_given_counts_until_it_ends_and_then_what_it_did() -> Tested {
    let mut world = World::new("given").await;
    let began = Utc::now() - TimeDelta::seconds(5);
    let (sweep, event) = (run(STEP), run(STEP));
    admit(&mut world.db, &sweep, 40, true).await?;
    admit(&mut world.db, &event, 3, false).await?;
    assert_eq!(counted(&mut world.db, began).await, (43, 40), "what is asked for one process is none of a sweep's");
    let facts = again(&mut world.db, &sweep, 2, 5, true).await?;
    assert_eq!((facts.actions_last_hour, facts.beside), (3, 0), "its own is no other's");
    assert_eq!(counted(&mut world.db, began).await, (10, 7), "what it has made, and what it may do next");

    // It made two of them, and ends.
    for minutes in [0, 1] {
        sqlx::query(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, created_at)
             VALUES (gen_random_uuid(), $1, $2, 'set-row-status', $3, 'applied', 'test', now() - make_interval(mins => $3::int))",
        )
        .bind(sweep.id)
        .bind(STEP)
        .bind(minutes.to_string())
        .execute(&mut world.db)
        .await?;
    }
    assert_eq!(counted(&mut world.db, began).await, (10, 7), "what it has made is a part of what it was given");
    runs::fail(&mut world.db, &sweep, &Error::OutOfTime, Language::En).await?;
    assert_eq!(counted(&mut world.db, began).await, (5, 7), "it ended after this one began");
    let after = Utc::now() + TimeDelta::seconds(5);
    assert_eq!(counted(&mut world.db, after).await, (5, 0), "it ended before this one began");
    Ok(())
}

#[tokio::test]
async fn what_a_crashed_run_was_given_is_free_again_when_it_can_no_longer_be_alive() -> Tested {
    let mut world = World::new("crashed").await;
    let began = Utc::now();
    let crashed = Run { alive_until: Utc::now() - TimeDelta::milliseconds(1), ..run(STEP) };
    admit(&mut world.db, &crashed, 40, true).await?;
    assert_eq!(counted(&mut world.db, began).await, (0, 0));
    let left: i64 = world.ask("SELECT count(*) FROM remediation.admissions WHERE actions = 40").await;
    assert_eq!(left, 0, "and nothing of it is kept");
    Ok(())
}

/// A row that moved is asked for once more, alone: what the run has made before counts on.
#[tokio::test]
async fn what_a_run_has_made_counts_when_it_asks_again() -> Tested {
    let mut world = World::new("again").await;
    let (began, sweep) = (Utc::now(), run(STEP));
    for (done, wanted, counts) in [(0, 60, 60), (59, 1, 60), (60, 30, 90), (90, 30, 100), (120, 5, 120)] {
        again(&mut world.db, &sweep, done, wanted, true).await?;
        assert_eq!(counted(&mut world.db, began).await, (counts, counts), "{wanted} more after {done}");
    }
    Ok(())
}
