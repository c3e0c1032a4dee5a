//! Leases: one open one for a setting of a target, and what becomes of it.

use chrono::{TimeDelta, Utc};
use remediation::act::lease::{self, End, Lease, NewLease};
use serde_json::{Value, json};
use sqlx::Connection;
use uuid::Uuid;

use crate::support::*;

const STEP: &str = "extend-worker-timeout";
const KIND: &str = "set-worker-timeout";
const TARGET: &str = "function ai-generation-worker";

fn seconds(value: u32) -> Value {
    json!({ "timeoutSeconds": value })
}

async fn make(world: &mut World, target: &str, from: u32, to: u32) -> Uuid {
    let (action_id, before, after) = (Uuid::now_v7(), seconds(from), seconds(to));
    let lease = NewLease {
        action_id,
        step: STEP,
        kind: KIND,
        target,
        before: &before,
        after: &after,
        revert_after: TimeDelta::hours(24),
    };
    let mut transaction = world.db.begin().await.unwrap();
    lease::make(&mut transaction, &lease).await.unwrap();
    transaction.commit().await.unwrap();
    action_id
}

async fn read(world: &mut World, id: Uuid) -> Lease {
    lease::of_action(&mut world.db, id).await.unwrap().unwrap()
}

async fn open(world: &mut World) -> Vec<Uuid> {
    lease::open(&mut world.db, STEP).await.unwrap().into_iter().map(|lease| lease.action_id).collect()
}

#[tokio::test]
async fn a_lease_is_open_until_it_ends_and_ends_once() -> Tested {
    let mut world = World::new("lease_ends").await;
    for end in [End::Reverted, End::Undone, End::Changed, End::Failed] {
        let id = make(&mut world, TARGET, 300, 600).await;
        let made = read(&mut world, id).await;
        assert_eq!((made.before, made.after, made.step.as_str()), (seconds(300), seconds(600), STEP));
        let left = made.revert_at - Utc::now();
        assert!(left > TimeDelta::hours(23) && left <= TimeDelta::hours(24), "{left}");
        assert_eq!(open(&mut world).await, [id]);

        assert!(lease::end(&mut world.db, id, end).await?);
        assert!(!lease::end(&mut world.db, id, End::Changed).await?, "it has ended already");
        assert!(!lease::confirm(&mut world.db, id, Uuid::now_v7()).await?, "nothing is left to confirm");
        assert_eq!(read(&mut world, id).await.ended.as_deref(), Some(end.as_str()));
        assert!(open(&mut world).await.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn what_was_deployed_over_a_change_is_theirs_and_nobody_inherits_from_that_lease() -> Tested {
    let mut world = World::new("lease_deployed").await;
    let first = make(&mut world, TARGET, 300, 600).await;
    let second = make(&mut world, TARGET, 450, 750).await;
    assert_eq!(read(&mut world, first).await.ended.as_deref(), Some("changed"));
    assert_eq!(read(&mut world, second).await.before, seconds(450));
    // Neither is it open again where the second one comes to nothing.
    assert!(lease::end(&mut world.db, second, End::Undone).await?);
    assert!(open(&mut world).await.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_second_change_remembers_what_people_had_configured() -> Tested {
    // How the second one ends, and which lease is open then: what is in force by itself keeps its lease.
    for (end, first_open) in [(End::Failed, true), (End::Undone, true), (End::Reverted, false), (End::Changed, false)] {
        let mut world = World::new("lease_superseded").await;
        let first = make(&mut world, TARGET, 300, 600).await;
        let other = make(&mut world, "function ai-generation-worker:live", 300, 600).await;
        let second = make(&mut world, TARGET, 600, 900).await;
        assert_eq!(read(&mut world, first).await.ended.as_deref(), Some("superseded"));
        assert_eq!(read(&mut world, second).await.before, seconds(300));
        assert_eq!(open(&mut world).await, [other, second], "another target has its own");

        assert!(lease::end(&mut world.db, second, end).await?);
        let expected = if first_open { vec![first, other] } else { vec![other] };
        assert_eq!(open(&mut world).await, expected, "{end:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_confirmed_is_no_longer_open_and_the_next_change_goes_back_to_it() -> Tested {
    let mut world = World::new("lease_confirmed").await;
    let (first, run) = (make(&mut world, TARGET, 300, 600).await, Uuid::now_v7());
    assert!(lease::confirm(&mut world.db, first, run).await?);
    assert!(!lease::confirm(&mut world.db, first, run).await?, "once");
    assert!(open(&mut world).await.is_empty());
    assert!(read(&mut world, first).await.confirmed_at.is_some());

    let second = make(&mut world, TARGET, 600, 900).await;
    assert_eq!(read(&mut world, second).await.before, seconds(600));
    assert_eq!(read(&mut world, first).await.ended, None, "it is not superseded: nothing of it is waited for");
    assert!(lease::end(&mut world.db, first, End::Undone).await?, "a person may still take it back");
    Ok(())
}

#[tokio::test]
async fn the_table_itself_has_one_open_lease_for_a_setting_of_a_target() -> Tested {
    let mut world = World::new("lease_unique").await;
    let first = make(&mut world, TARGET, 300, 600).await;
    let copy = "INSERT INTO remediation.leases (action_id, step, kind, target, before, after, revert_at)
                SELECT gen_random_uuid(), step, kind, target, before, after, revert_at FROM remediation.leases";
    let error = sqlx::query(copy).execute(&mut world.db).await.unwrap_err();
    assert!(error.to_string().contains("leases_open"), "{error}");
    for wrong in ["ended = 'gone', ended_at = now()", "ended = 'failed'", "ended_at = now()", "confirmed_at = now()"] {
        let update = sqlx::AssertSqlSafe(format!("UPDATE remediation.leases SET {wrong}"));
        let error = sqlx::query(update).execute(&mut world.db).await.unwrap_err();
        assert!(error.to_string().contains("check constraint"), "{wrong}: {error}");
    }
    assert_eq!(open(&mut world).await, [first]);
    Ok(())
}

#[tokio::test]
async fn failures_to_put_it_back_are_counted_for_a_day() -> Tested {
    let mut world = World::new("lease_failures").await;
    let id = make(&mut world, TARGET, 300, 600).await;
    for (kind, cause, outcome, hours) in [
        ("revert-worker", id, "failed", 1),
        ("revert-worker", id, "failed", 23),
        ("revert-worker", id, "failed", 25),
        ("revert-worker", id, "superseded", 1),
        ("revert-worker", Uuid::nil(), "failed", 1),
        ("undo", id, "failed", 1),
    ] {
        sqlx::query(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, outcome, reason, created_at)
             VALUES (gen_random_uuid(), gen_random_uuid(), $1, $2, $3, $4, $5, 'test', now() - make_interval(hours => $6))",
        )
        .bind(STEP)
        .bind(kind)
        .bind(TARGET)
        .bind(cause.to_string())
        .bind(outcome)
        .bind(hours)
        .execute(&mut world.db)
        .await?;
    }
    assert_eq!(read(&mut world, id).await.failures, 2);
    assert_eq!(lease::open(&mut world.db, STEP).await?[0].failures, 2);
    assert!(lease::open(&mut world.db, "raise-worker-memory").await?.is_empty(), "each step has its own");
    Ok(())
}
