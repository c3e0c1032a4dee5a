//! Writing a row: only as it was read, on what the decision rests on, and never without its ledger entry.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{SubsecRound, TimeDelta};
use patient::table::{GUIDE, PUSHED, Row, Variant};
use remediation::act::action::ActionResult;
use remediation::act::actions::set_row_status::{BATCH, ErrorChange, SetRowStatus};
use remediation::domain::ProcessStatus::{Cancelled, Completed, Failed as RowFailed};
use remediation::domain::{Execution, ProcessId};
use remediation::run::step::Planned;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::support::*;

/// A row that is under way, its execution that has succeeded, and the wish to complete it.
async fn succeeded(world: &mut World) -> (Row, Execution, SetRowStatus) {
    let row = processing(120);
    let seen = execution(row.id, Succeeded, seconds_ago(119), Some(seconds_ago(60)));
    world.insert(std::slice::from_ref(&row)).await;
    world.remember(std::slice::from_ref(&seen)).await;
    let process = world.process(row.id).await;
    let wanted = closing(&process, Some(&seen.execution), Completed);
    (row, seen.execution, wanted)
}

#[tokio::test]
async fn every_column_is_written_and_recorded_in_every_variant() -> Tested {
    for variant in Variant::ALL {
        let mut world = World::of(variant.name, &variant).await;
        let (row, _, wanted) = succeeded(&mut world).await;
        let wanted = SetRowStatus {
            error: ErrorChange::Set(json!({ "code": "AI_ERROR", "message": "声" })),
            result: Some(json!({ "goals": ["走る"] }).into()),
            ..wanted
        };
        let action = planned(wanted.clone());
        let outcome = world.set_as(&action, &wanted).await?;

        assert_eq!(outcome.result, ActionResult::Applied, "{}: {outcome:?}", variant.name);
        assert_eq!((outcome.id, outcome.again), (action.id, None));
        let after = world.row(row.id).await;
        assert_eq!((after.status.as_str(), after.progress), ("COMPLETED", 100), "{}", variant.name);
        assert_eq!(after.completed_at, wanted.completed_at, "{}", variant.name);
        assert_eq!(after.error, Some(json!({ "code": "AI_ERROR", "message": "声" })));
        assert_eq!(after.result, Some(json!({ "goals": ["走る"] })));
        assert!(after.updated_at > row.updated_at, "{}: updated_at is the application's to set, so ours", variant.name);
        assert_eq!((after.user_id, after.kind, after.created_at), (row.user_id, row.kind, row.created_at));

        let entry = world.entry(action.id).await.ok_or("there is no entry")?;
        assert_eq!((entry.outcome.as_str(), entry.kind.as_str(), entry.closed), ("applied", "set-row-status", true));
        assert_eq!((entry.target, entry.cause.as_deref()), (row.id.to_string(), Some("test")));
        assert_eq!(entry.before.as_ref().map(|before| &before["status"]), Some(&json!("PROCESSING")));
        assert_eq!((entry.before, entry.after), (outcome.before, outcome.after));
        assert_eq!(entry.reason, action.reason);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_moved_is_not_written() -> Tested {
    for variant in [GUIDE, PUSHED] {
        let mut world = World::of("moved", &variant).await;
        let (row, _, wanted) = succeeded(&mut world).await;
        // A writer that does not touch updated_at: only the row's version tells.
        world.execute("UPDATE {processes} SET progress = 55").await;
        let action = planned(wanted.clone());
        let outcome = world.set_as(&action, &wanted).await?;
        assert_eq!((outcome.result, outcome.again), (ActionResult::Superseded, Some(ProcessId::from(row.id))));
        assert_eq!((outcome.before, outcome.after), (None, None));
        assert_eq!(world.row(row.id).await, Row { progress: 55, ..row });
        assert_eq!(world.entry(action.id).await.map(|entry| entry.outcome), Some("superseded".to_owned()));
    }
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_gone_is_not_written() -> Tested {
    let mut world = World::new("gone").await;
    let (_, _, wanted) = succeeded(&mut world).await;
    world.execute("DELETE FROM {processes}").await;
    assert_eq!(world.set(&wanted).await.result, ActionResult::Superseded);
    Ok(())
}

#[tokio::test]
async fn a_row_that_somebody_is_writing_is_passed_over_and_never_waited_for() -> Tested {
    let mut world = World::new("locked").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    let mut other = world.database.connect().await?;
    let mut writing = other.begin().await?;
    sqlx::query("UPDATE processing_state SET status = 'CANCELLED'").execute(&mut *writing).await?;
    // Were it waited for, this would wait for a commit that comes only afterwards.
    let outcome = world.set(&wanted).await;
    assert_eq!((outcome.result, outcome.again), (ActionResult::Superseded, Some(ProcessId::from(row.id))));
    writing.commit().await?;
    assert_eq!(world.row(row.id).await.status, "CANCELLED");
    Ok(())
}

#[tokio::test]
async fn a_row_to_which_somebody_only_refers_is_written() -> Tested {
    let mut world = World::new("referred").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    world.execute("CREATE TABLE notes (process uuid REFERENCES {processes} (id))").await;
    let mut other = world.database.connect().await?;
    let mut referring = other.begin().await?;
    sqlx::query("INSERT INTO notes VALUES ($1)").bind(row.id).execute(&mut *referring).await?;
    assert_eq!(world.set(&wanted).await.result, ActionResult::Applied);
    referring.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn a_row_is_not_written_while_another_run_has_it() -> Tested {
    let mut world = World::new("busy").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    let mut other = world.database.connect().await?;
    let mut working = other.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('remediation:' || $1, 0))")
        .bind(row.id.to_string())
        .execute(&mut *working)
        .await?;
    let action = planned(wanted.clone());
    let outcome = world.set_as(&action, &wanted).await?;
    assert_eq!((outcome.result, outcome.again), (ActionResult::Busy, None));
    assert!(world.entry(action.id).await.is_none(), "what was not tried is not recorded");
    assert_eq!(world.row(row.id).await.status, "PROCESSING");

    working.rollback().await?;
    assert_eq!(world.set(&wanted).await.result, ActionResult::Applied, "the lock ends with its transaction");
    Ok(())
}

#[tokio::test]
async fn a_decision_is_superseded_by_a_newer_execution() -> Tested {
    let mut world = World::new("newer_execution").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    world.remember(&[execution(row.id, Running, seconds_ago(5), None)]).await;
    assert_eq!(world.set(&wanted).await.result, ActionResult::Superseded);
    assert_eq!(world.row(row.id).await, row);
    Ok(())
}

#[tokio::test]
async fn a_decision_that_found_no_execution_is_superseded_by_one() -> Tested {
    let mut world = World::new("first_execution").await;
    let row = Row::pending(seconds_ago(600));
    world.insert(std::slice::from_ref(&row)).await;
    let wanted = closing(&world.process(row.id).await, None, RowFailed);
    world.remember(&[execution(row.id, Running, seconds_ago(5), None)]).await;
    assert_eq!(world.set(&wanted).await.result, ActionResult::Superseded);
    assert_eq!(world.row(row.id).await, row);
    Ok(())
}

#[tokio::test]
async fn a_decision_is_superseded_when_its_execution_is_no_longer_what_it_was() -> Tested {
    let mut world = World::new("other_state").await;
    let (row, basis, wanted) = succeeded(&mut world).await;
    let process = wanted.process.clone();
    let as_read = |change: fn(&mut Execution)| {
        let mut execution = basis.clone();
        change(&mut execution);
        closing(&process, Some(&execution), Completed)
    };
    for wanted in [
        as_read(|execution| execution.status = TimedOut),
        as_read(|execution| execution.redrive_count = 1),
        as_read(|execution| execution.arn = arn_of(MACHINE, Uuid::new_v4(), seconds_ago(1))),
    ] {
        assert_eq!(world.set(&wanted).await.result, ActionResult::Superseded, "{:?}", wanted.basis);
        assert_eq!(world.row(row.id).await, row);
    }
    // And the other way about: it was redriven since.
    let mut redriven = execution(row.id, Running, basis.started_at, None);
    redriven.execution.redrive_count = 1;
    world.remember(&[redriven]).await;
    assert_eq!(world.set(&wanted).await.result, ActionResult::Superseded);
    Ok(())
}

#[tokio::test]
async fn an_older_execution_does_not_hinder_a_decision_on_the_newest() -> Tested {
    let mut world = World::new("older_execution").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    world.remember(&[execution(row.id, Running, seconds_ago(3000), None)]).await;
    assert_eq!(world.set(&wanted).await.result, ActionResult::Applied);
    Ok(())
}

#[tokio::test]
async fn without_its_ledger_entry_a_row_is_not_written() -> Tested {
    let mut world = World::new("ledger_fails").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    let (other, _, others) = succeeded(&mut world).await;
    let action = planned(wanted.clone());
    assert_eq!(world.set_as(&action, &wanted).await?.result, ActionResult::Applied);
    // The same identity again: the ledger refuses it.
    let same = Planned { action: Arc::new(others.clone()), ..action.clone() };
    let outcome = world.set_as(&same, &others).await;
    assert!(!matches!(&outcome, Ok(outcome) if outcome.result == ActionResult::Applied), "{outcome:?}");
    assert_eq!(world.row(other.id).await, other);
    let entry = world.entry(action.id).await.ok_or("the entry is gone")?;
    assert_eq!((entry.target, entry.outcome.as_str()), (row.id.to_string(), "applied"));
    Ok(())
}

#[tokio::test]
async fn a_result_is_filled_in_only_where_there_is_none() -> Tested {
    for (there, after) in [
        (None, json!({ "filled": true })),
        (Some(Value::Null), json!({ "filled": true })),
        (Some(json!({ "mine": 1 })), json!({ "mine": 1 })),
        (Some(json!([])), json!([])),
    ] {
        let mut world = World::new("back_fill").await;
        let (row, basis, _) = succeeded(&mut world).await;
        sqlx::query("UPDATE processing_state SET result = $1").bind(&there).execute(world.database.pool()).await?;
        let wanted = closing(&world.process(row.id).await, Some(&basis), Completed);
        let wanted = SetRowStatus { result: Some(json!({ "filled": true }).into()), ..wanted };
        assert_eq!(world.set(&wanted).await.result, ActionResult::Applied);
        assert_eq!(world.row(row.id).await.result, Some(after), "{there:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_error_is_kept_cleared_or_set() -> Tested {
    let (old, new) = (json!({ "code": "OLD" }), json!({ "code": "NEW", "message": "n" }));
    for (change, after) in [
        (ErrorChange::Keep, Some(old.clone())),
        (ErrorChange::Clear, None),
        (ErrorChange::Set(new.clone()), Some(new.clone())),
    ] {
        let mut world = World::new("error").await;
        let (row, basis, _) = succeeded(&mut world).await;
        sqlx::query("UPDATE processing_state SET error = $1").bind(&old).execute(world.database.pool()).await?;
        let process = world.process(row.id).await;
        let wanted = SetRowStatus { error: change.clone(), ..closing(&process, Some(&basis), Completed) };
        assert_eq!(world.set(&wanted).await.result, ActionResult::Applied, "{change:?}");
        let sql_null: bool = world.ask("SELECT error IS NULL FROM processing_state").await;
        assert_eq!((world.row(row.id).await.error, sql_null), (after.clone(), after.is_none()), "{change:?}");
    }
    Ok(())
}

#[tokio::test]
async fn progress_stays_where_no_other_is_wanted() -> Tested {
    let mut world = World::new("progress").await;
    let (row, basis, _) = succeeded(&mut world).await;
    world.execute("UPDATE {processes} SET progress = 40").await;
    let process = world.process(row.id).await;
    assert_eq!(world.set(&closing(&process, Some(&basis), Cancelled)).await.result, ActionResult::Applied);
    assert_eq!(world.row(row.id).await.progress, 40);
    Ok(())
}

#[tokio::test]
async fn completed_at_is_exact_in_utc_whatever_the_time_zone() -> Tested {
    for variant in [GUIDE, PUSHED] {
        for zone in ["UTC", "Asia/Tokyo", "America/St_Johns"] {
            let mut world = World::of("time", &variant).await;
            sqlx::query(AssertSqlSafe(format!("SET TimeZone = '{zone}'"))).execute(&mut world.db).await?;
            let (row, _, wanted) = succeeded(&mut world).await;
            let stopped = seconds_ago(60).trunc_subsecs(0) + TimeDelta::milliseconds(123);
            let before = chrono::Utc::now() - TimeDelta::milliseconds(1);
            let outcome = world.set(&SetRowStatus { completed_at: Some(stopped), ..wanted }).await;
            assert_eq!(outcome.result, ActionResult::Applied);
            let after = world.row(row.id).await;
            assert_eq!(after.completed_at, Some(stopped), "{} {zone}", variant.name);
            assert!(after.updated_at >= before && after.updated_at <= chrono::Utc::now() + TimeDelta::milliseconds(1));
            let image = outcome.after.ok_or("no image")?;
            let told = image["completedAt"].as_str().ok_or("no completedAt")?;
            assert_eq!(
                told,
                stopped.naive_utc().format("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
                "{} {zone}",
                variant.name
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_no_jsonb_can_hold_is_written_all_the_same() -> Tested {
    let mut world = World::new("nul").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    let wanted = SetRowStatus {
        error: ErrorChange::Set(json!({ "code": "AI_ERROR", "message": "a\u{0}b", "c\u{0}": ["\u{0}"] })),
        result: Some(json!({ "text": "x\u{0}y" }).into()),
        ..wanted
    };
    assert_eq!(world.set(&wanted).await.result, ActionResult::Applied);
    let after = world.row(row.id).await;
    assert_eq!(after.result, Some(json!({ "text": "x\u{fffd}y" })));
    assert_eq!(after.error.map(|error| error["message"].clone()), Some(json!("a\u{fffd}b")));
    Ok(())
}

#[tokio::test]
async fn one_row_that_the_table_refuses_does_not_hold_up_the_others() -> Tested {
    let mut world = World::new("refused_row").await;
    let mut wanted = Vec::new();
    for _ in 0..8 {
        wanted.push(succeeded(&mut world).await.2);
    }
    let bad = wanted[5].process.id;
    world
        .execute(&format!(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one: password=hunter2 of %', old.id; END $$;
             CREATE TRIGGER no BEFORE UPDATE ON {{processes}} FOR EACH ROW WHEN (old.id = '{bad}') EXECUTE FUNCTION no()"
        ))
        .await;
    let actions: Vec<Planned> = wanted.iter().map(|wanted| planned(wanted.clone())).collect();
    let batch: Vec<(&Planned, &SetRowStatus)> = actions.iter().zip(&wanted).collect();
    let outcomes = world.set_all(&batch).await?;
    assert_eq!(outcomes.len(), 8);
    for (action, wanted) in &batch {
        let outcome = outcomes.iter().find(|outcome| outcome.id == action.id).ok_or("an outcome is missing")?;
        let entry = world.entry(action.id).await.ok_or("an entry is missing")?;
        if wanted.process.id == bad {
            assert!(
                matches!(&outcome.result, ActionResult::Failed(why) if why.contains("not this one")),
                "{outcome:?}"
            );
            assert_eq!(entry.outcome, "failed");
            assert!(entry.reason.contains("not this one"), "{}", entry.reason);
            assert!(!entry.reason.contains("hunter2"), "the ledger keeps no secret: {}", entry.reason);
        } else {
            assert_eq!((&outcome.result, entry.outcome.as_str()), (&ActionResult::Applied, "applied"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_a_trigger_changes_is_unverified() -> Tested {
    let mut world = World::new("trigger").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    world
        .execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.progress = 99; RETURN NEW; END $$;
             CREATE TRIGGER meddle BEFORE UPDATE ON {processes} FOR EACH ROW EXECUTE FUNCTION meddle()",
        )
        .await;
    let outcome = world.set(&wanted).await;
    assert!(matches!(&outcome.result, ActionResult::Unverified(why) if why.contains("trigger")), "{outcome:?}");
    assert_eq!(outcome.after.map(|after| after["progress"].clone()), Some(json!(99)));
    assert_eq!(world.row(row.id).await.progress, 99);
    Ok(())
}

#[tokio::test]
async fn a_write_that_a_trigger_swallows_has_failed_and_is_not_tried_again() -> Tested {
    let mut world = World::new("swallowed").await;
    let (row, _, wanted) = succeeded(&mut world).await;
    world
        .execute(
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER swallow BEFORE UPDATE ON {processes} FOR EACH ROW EXECUTE FUNCTION swallow()",
        )
        .await;
    let outcome = world.set(&wanted).await;
    assert!(matches!(&outcome.result, ActionResult::Failed(why) if why.contains("stayed as it was")), "{outcome:?}");
    assert_eq!((outcome.again, world.row(row.id).await), (None, row));
    Ok(())
}

/// `count` open rows with succeeded executions, and the wish to complete each.
async fn many(world: &mut World, count: usize) -> Vec<SetRowStatus> {
    let rows: Vec<Row> = (0..count).map(|_| processing(120)).collect();
    world.insert(&rows).await;
    let seen: Vec<_> =
        rows.iter().map(|row| execution(row.id, Succeeded, seconds_ago(119), Some(seconds_ago(60)))).collect();
    world.remember(&seen).await;
    let versions: Vec<(Uuid, i64)> = sqlx::query_as("SELECT id, xmin::text::int8 FROM processing_state")
        .fetch_all(world.database.pool())
        .await
        .unwrap();
    let version = |id| versions.iter().find(|(other, _)| *other == id).unwrap().1;
    let first = world.process(rows[0].id).await;
    rows.iter()
        .zip(&seen)
        .map(|(row, seen)| {
            let process = remediation::domain::Process {
                id: ProcessId::from(row.id),
                version: version(row.id),
                created_at: row.created_at,
                updated_at: row.updated_at,
                ..first.clone()
            };
            closing(&process, Some(&seen.execution), Completed)
        })
        .collect()
}

#[tokio::test]
async fn a_full_batch_is_written_in_one_statement_each_row_by_its_own_wish() -> Tested {
    let mut world = World::new("batch").await;
    let mut wanted = many(&mut world, BATCH).await;
    for (at, wanted) in wanted.iter_mut().enumerate() {
        match at % 4 {
            0 => wanted.status = RowFailed,
            1 => wanted.status = Cancelled,
            2 => wanted.error = ErrorChange::Set(json!({ "code": at })),
            _ => wanted.process.version -= 1,
        }
        wanted.completed_at = wanted.completed_at.map(|closed| closed - TimeDelta::seconds(at as i64));
    }
    let actions: Vec<Planned> = wanted.iter().map(|wanted| planned(wanted.clone())).collect();
    let batch: Vec<(&Planned, &SetRowStatus)> = actions.iter().zip(&wanted).collect();
    let outcomes = world.set_all(&batch).await?;
    assert_eq!(outcomes.len(), batch.len());
    for (at, (action, wanted)) in batch.iter().enumerate() {
        let outcome = outcomes.iter().find(|outcome| outcome.id == action.id).ok_or("an outcome is missing")?;
        let row = world.row(uuid(wanted.process.id)).await;
        if at % 4 == 3 {
            assert_eq!((&outcome.result, row.status.as_str()), (&ActionResult::Superseded, "PROCESSING"));
            continue;
        }
        assert_eq!(outcome.result, ActionResult::Applied, "{at}");
        assert_eq!((row.status.as_str(), row.completed_at), (wanted.status.as_str(), wanted.completed_at));
        assert_eq!(row.error, (at % 4 == 2).then(|| json!({ "code": at })));
    }
    let (applied, superseded): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE outcome = 'applied'), count(*) FILTER (WHERE outcome = 'superseded') FROM remediation.actions",
    )
    .fetch_one(world.database.pool())
    .await?;
    assert_eq!((applied, superseded), (375, 125));
    Ok(())
}

#[tokio::test]
async fn runs_over_the_same_rows_write_each_row_once() -> Tested {
    const ROWS: usize = 300;
    const RUNS: usize = 4;
    let mut world = World::new("once").await;
    let wanted = Arc::new(many(&mut world, ROWS).await);
    let barrier = Arc::new(Barrier::new(RUNS));
    let mut runs = tokio::task::JoinSet::new();
    for of in 0..RUNS {
        let (mut world, wanted, barrier) = (world.another().await, Arc::clone(&wanted), Arc::clone(&barrier));
        runs.spawn(async move {
            let mut wanted: Vec<SetRowStatus> = wanted.to_vec();
            // Each in an order and in batches of its own.
            wanted.rotate_left(of * 70);
            if of % 2 == 1 {
                wanted.reverse();
            }
            let actions: Vec<Planned> = wanted.iter().map(|wanted| planned(wanted.clone())).collect();
            let all: Vec<(&Planned, &SetRowStatus)> = actions.iter().zip(&wanted).collect();
            let mut applied = Vec::new();
            barrier.wait().await;
            for batch in all.chunks(23 + of) {
                let outcomes = world.set_all(batch).await.unwrap();
                assert_eq!(outcomes.len(), batch.len());
                let won = outcomes.iter().filter(|outcome| outcome.result == ActionResult::Applied);
                applied.extend(won.map(|outcome| outcome.id));
            }
            applied
        });
    }
    let applied: Vec<Uuid> = runs.join_all().await.into_iter().flatten().collect();
    let targets: Vec<String> = sqlx::query_scalar("SELECT target FROM remediation.actions WHERE outcome = 'applied'")
        .fetch_all(world.database.pool())
        .await?;
    assert_eq!((applied.len(), targets.len()), (ROWS, ROWS));
    assert_eq!(targets.into_iter().collect::<BTreeSet<_>>().len(), ROWS);
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM processing_state WHERE status = 'COMPLETED'").await, 300);
    Ok(())
}
