//! Taking a change back: exactly, once, and only while nothing else has happened to the row.

use patient::table::{GUIDE, PUSHED, Row, Variant};
use remediation::act::action::ActionResult;
use remediation::act::actions::set_row_status::ErrorChange;
use remediation::act::actions::set_row_status::SetRowStatus;
use remediation::domain::ProcessStatus::Completed;
use remediation::gather::error::Error;
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

/// A row as the application left it, and the same row completed by an action of ours, whose identity is returned.
async fn completed(world: &mut World, row: Row) -> (Row, Uuid) {
    let seen = execution(row.id, Succeeded, seconds_ago(119), Some(seconds_ago(60)));
    world.insert(std::slice::from_ref(&row)).await;
    world.remember(std::slice::from_ref(&seen)).await;
    let wanted = SetRowStatus {
        error: ErrorChange::Clear,
        result: Some(json!({ "goals": [1] }).into()),
        ..closing(&world.process(row.id).await, Some(&seen.execution), Completed)
    };
    let action = planned(wanted.clone());
    assert_eq!(world.set_as(&action, &wanted).await.unwrap().result, ActionResult::Applied);
    (row, action.id)
}

fn failed() -> Row {
    Row {
        error: Some(json!({ "code": "AI_ERROR", "n": 1.5 })),
        progress: 30,
        ..processing(120).became("FAILED", seconds_ago(100))
    }
}

#[tokio::test]
async fn every_column_is_restored_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        for row in [processing(120), failed(), Row { result: Some(json!({ "old": [1] })), ..failed() }] {
            let mut world = World::of(variant.name, &variant).await;
            let (row, action) = completed(&mut world, row).await;
            let undo = undo_of(&mut world.db, action).await?;
            assert_eq!((undo.entry.id, undo.entry.target.as_str()), (action, row.id.to_string().as_str()));
            let outcome = world.take_back(&undo).await?;

            assert_eq!(outcome.result, ActionResult::Applied, "{}: {outcome:?}", variant.name);
            let after = world.row(row.id).await;
            assert!(after.updated_at > row.updated_at, "{}", variant.name);
            assert_eq!(after, Row { updated_at: after.updated_at, ..row }, "{}", variant.name);

            let entry = world.entry(outcome.id).await.ok_or("there is no entry")?;
            assert_eq!((entry.kind.as_str(), entry.outcome.as_str(), entry.closed), ("undo", "applied", true));
            assert_eq!((entry.undo_of, entry.target), (Some(action), undo.entry.target));
            assert_eq!((entry.before, entry.after), (outcome.before, outcome.after));
        }
    }
    Ok(())
}

#[tokio::test]
async fn it_is_exact_whatever_the_time_zone_of_the_session() -> Tested {
    for variant in [GUIDE, PUSHED] {
        let mut world = World::of("zone", &variant).await;
        let (row, action) = completed(&mut world, failed()).await;
        let mut elsewhere = world.another().await;
        sqlx::query("SET TimeZone = 'America/St_Johns'").execute(&mut elsewhere.db).await?;
        sqlx::query("SET DateStyle = 'SQL, DMY'").execute(&mut elsewhere.db).await?;
        let undo = undo_of(&mut elsewhere.db, action).await?;
        assert_eq!(elsewhere.take_back(&undo).await?.result, ActionResult::Applied);
        assert_eq!(world.row(row.id).await.completed_at, row.completed_at);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_has_changed_since_is_left_as_it_is() -> Tested {
    for change in [
        "progress = 99",
        "status = 'FAILED'",
        "error = '{}'",
        "result = '{}'",
        "completed_at = now()",
        "updated_at = now()",
    ] {
        let mut world = World::new("changed_since").await;
        let (row, action) = completed(&mut world, processing(120)).await;
        let undo = undo_of(&mut world.db, action).await?;
        world.execute(&format!("UPDATE {{processes}} SET {change}")).await;
        let changed = world.row(row.id).await;
        let outcome = world.take_back(&undo).await?;
        assert!(matches!(&outcome.result, ActionResult::Failed(why) if why.contains("changed since")), "{change}");
        assert_eq!(world.row(row.id).await, changed, "{change}");
        assert!(world.entry(outcome.id).await.is_none(), "nothing was done, so nothing is undone");
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_somebody_is_writing_is_not_waited_for() -> Tested {
    let mut world = World::new("undo_locked").await;
    let (_, action) = completed(&mut world, processing(120)).await;
    let undo = undo_of(&mut world.db, action).await?;
    let mut other = world.database.connect().await?;
    let mut writing = sqlx::Connection::begin(&mut other).await?;
    sqlx::query("UPDATE processing_state SET progress = 1").execute(&mut *writing).await?;
    assert!(matches!(world.take_back(&undo).await?.result, ActionResult::Failed(_)));
    writing.rollback().await?;
    assert_eq!(world.take_back(&undo).await?.result, ActionResult::Applied);
    Ok(())
}

#[tokio::test]
async fn an_action_is_undone_once() -> Tested {
    let mut world = World::new("undone_once").await;
    let (_, action) = completed(&mut world, processing(120)).await;
    let undo = undo_of(&mut world.db, action).await?;
    let first = world.take_back(&undo).await?;
    assert!(matches!(world.take_back(&undo).await?.result, ActionResult::Failed(_)));
    let error = undo_of(&mut world.db, action).await.unwrap_err().to_string();
    assert!(error.contains("already undone") && error.contains(&first.id.to_string()), "{error}");
    // Nor is the undo itself taken back: what was undone is decided on anew.
    let error = undo_of(&mut world.db, first.id).await.unwrap_err().to_string();
    assert!(error.contains("an undo cannot be undone"), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_undone_says_why() -> Tested {
    let mut world = World::new("no_undo").await;
    let (_, action) = completed(&mut world, processing(120)).await;
    for (change, told) in [
        ("outcome = 'superseded'", "its outcome is `superseded`: it changed nothing"),
        ("outcome = 'failed'", "its outcome is `failed`: it changed nothing"),
        ("kind = 'stop-execution', outcome = 'applied'", "a stopped execution cannot be resumed"),
        ("kind = 'other'", "`other` belongs to test-step: send it there"),
    ] {
        world.execute(&format!("UPDATE remediation.actions SET {change}")).await;
        let error = undo_of(&mut world.db, action).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(why) if why.contains(told)), "{error}");
    }
    let unknown = Uuid::new_v4();
    let error = undo_of(&mut world.db, unknown).await.unwrap_err().to_string();
    assert!(error.contains(&unknown.to_string()) && error.contains("no such action or run"), "{error}");
    Ok(())
}
