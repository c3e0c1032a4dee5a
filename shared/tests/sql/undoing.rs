//! What is to be taken back: an action, or all of a run, the last first, in pages; and why something is not.

use std::collections::BTreeMap;

use remediation::act::actions::set_goal_status::SetGoalStatus;
use remediation::act::actions::set_row_status::SetRowStatus;
use remediation::act::actions::stop_execution::StopExecution;
use remediation::act::actions::undo::Undo;
use remediation::act::undoing::{self, Named, Page};
use remediation::domain::Language;
use remediation::gather::error::Error;
use remediation::run::step::{Kind, Planned};
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

/// The run that takes back.
const OURS: Uuid = Uuid::from_u128(1);

/// A step that writes rows and stops executions.
const OWN: &[Kind] = &[Kind::of::<SetRowStatus>(), Kind::of::<StopExecution>()];

/// So many row changes of a run, all of one moment, and the identity of each by its target.
async fn many(world: &World, run: Uuid, count: i32) -> BTreeMap<String, Uuid> {
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, before, after, outcome, reason, created_at)
         SELECT gen_random_uuid(), $1, 'test-step', 'set-row-status', n::text, '{\"n\": 1}', '{\"n\": 2}', 'applied', 'r',
                '2026-11-24T12:00:00.123456Z'::timestamptz + n / 100 * interval '1 s'
           FROM generate_series(1, $2) n
      RETURNING target, id",
    )
    .bind(run)
    .bind(count)
    .fetch_all(world.database.pool())
    .await
    .unwrap();
    rows.into_iter().collect()
}

/// An entry of a run with images.
async fn entry(world: &World, run: Uuid, step: &str, kind: &str, outcome: &str) -> Uuid {
    let id = Uuid::now_v7();
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, before, after, outcome, reason)
         VALUES ($1, $2, $3, $4, $1::text, '{}', '{}', $5, 'r')",
    )
    .bind(id)
    .bind(run)
    .bind(step)
    .bind(kind)
    .bind(outcome)
    .execute(world.database.pool())
    .await
    .unwrap();
    id
}

async fn taken_back(world: &World, id: Uuid, run: Uuid) -> Uuid {
    let undo = entry(world, run, "test-step", "undo", "applied").await;
    sqlx::query("UPDATE remediation.actions SET undo_of = $2, target = $2::text, cause = $2::text WHERE id = $1")
        .bind(undo)
        .bind(id)
        .execute(world.database.pool())
        .await
        .unwrap();
    undo
}

async fn page(world: &mut World, of: Uuid, before: Option<(chrono::DateTime<chrono::Utc>, Uuid)>) -> Page {
    undoing::run(&mut world.db, OURS, of, before, OWN, "a person asks", Language::En).await.unwrap()
}

fn taken(planned: &Planned) -> &Undo {
    planned.action.downcast().expect("it takes something back")
}

#[tokio::test]
async fn a_whole_run_is_taken_back_in_pages_the_last_first_and_each_change_once() -> Tested {
    for count in [1, 499, 500, 501, 1203] {
        let mut world = World::new("pages").await;
        let (mine, others) = (Uuid::now_v7(), Uuid::now_v7());
        let done = many(&world, mine, count).await;
        many(&world, others, 3).await;
        let (mut found, mut pages, mut before) = (Vec::new(), 0, None);
        loop {
            let page = page(&mut world, mine, before).await;
            assert!(page.undos.len() <= 500 && page.skipped.is_empty());
            found.extend(page.undos);
            (pages, before) = (pages + 1, page.before);
            if before.is_none() {
                break;
            }
        }
        assert_eq!((found.len(), pages), (usize::try_from(count)?, count / 500 + 1));
        // By the time, and of one moment by the identity, as the ledger orders them.
        let expected: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM remediation.actions WHERE run_id = $1 ORDER BY created_at DESC, id DESC",
        )
        .bind(mine)
        .fetch_all(world.database.pool())
        .await?;
        assert_eq!(found.iter().map(|planned| taken(planned).entry.id).collect::<Vec<_>>(), expected);
        for planned in &found {
            let Undo { entry, .. } = taken(planned);
            assert_eq!(done[&entry.target], entry.id);
            assert_eq!((&entry.before, &entry.after), (&Some(json!({ "n": 1 })), &Some(json!({ "n": 2 }))));
            assert_eq!(
                (planned.reason.as_str(), planned.action.preview()),
                ("a person asks", (json!({ "n": 2 }), json!({ "n": 1 })))
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_of_a_run_cannot_be_taken_back_is_named_with_the_reason() -> Tested {
    let mut world = World::new("skipped").await;
    let run = Uuid::now_v7();
    let good = entry(&world, run, "test-step", "set-row-status", "applied").await;
    let failed = entry(&world, run, "test-step", "set-row-status", "failed").await;
    let open = entry(&world, run, "test-step", "set-row-status", "applying").await;
    let stop = entry(&world, run, "test-step", "stop-execution", "applied").await;
    let foreign = entry(&world, run, "repair-goal-status", "set-goal-status", "applied").await;
    let undo = entry(&world, run, "test-step", "undo", "applied").await;
    let undone = entry(&world, run, "test-step", "set-row-status", "applied").await;
    let by = taken_back(&world, undone, Uuid::now_v7()).await;
    // This very run has taken it back before it lost its connection.
    let ours = entry(&world, run, "test-step", "set-row-status", "applied").await;
    taken_back(&world, ours, OURS).await;
    // It changed nothing, so there is nothing to say of it.
    entry(&world, run, "test-step", "set-row-status", "superseded").await;

    let page = page(&mut world, run, None).await;
    assert_eq!(page.undos.iter().map(|planned| taken(planned).entry.id).collect::<Vec<_>>(), [good]);
    let skipped: Vec<(String, String)> =
        page.skipped.into_iter().map(|skipped| (skipped.target, skipped.why)).collect();
    let expected = [
        (undone, format!("already undone by action {by}")),
        (undo, "an undo cannot be undone".to_owned()),
        (foreign, "repair-goal-status".to_owned()),
        (stop, "cannot be resumed".to_owned()),
        (open, "already being handled".to_owned()),
        (failed, "`failed`: it changed nothing".to_owned()),
    ];
    assert_eq!(skipped.len(), expected.len(), "{skipped:?}");
    for ((target, why), (id, told)) in skipped.iter().zip(expected) {
        assert_eq!(*target, id.to_string());
        assert!(why.contains(&told), "{told}: {why}");
    }
    Ok(())
}

#[tokio::test]
async fn one_action_is_taken_back_or_refused_with_the_same_reasons() -> Tested {
    let mut world = World::new("one").await;
    let run = Uuid::now_v7();
    let good = entry(&world, run, "another-step", "set-row-status", "applied").await;
    let planned = undoing::action(&mut world.db, good, OWN, "a person asks", Language::En).await?;
    let undo = taken(&planned);
    assert_eq!((undo.entry.id, undo.kind.names()), (good, [SetRowStatus::KIND].as_slice()));
    assert!(planned.action.is_undo() && planned.action.kind() == "undo");

    let lost = entry(&world, run, "test-step", "set-row-status", "superseded").await;
    let foreign = entry(&world, run, "repair-goal-status", "set-goal-status", "applied").await;
    let by = taken_back(&world, good, run).await;
    // A step that makes goals ACTIVE, and nothing else.
    let goals: &[Kind] = &[Kind::of::<SetGoalStatus>()];
    for (id, kinds, told) in [
        (good, OWN, format!("already undone by action {by}")),
        (by, OWN, "an undo cannot be undone".to_owned()),
        (by, goals, "an undo cannot be undone".to_owned()),
        (lost, OWN, "`superseded`: it changed nothing".to_owned()),
        (foreign, OWN, "`set-goal-status` belongs to repair-goal-status".to_owned()),
        (lost, goals, "`set-row-status` belongs to test-step".to_owned()),
    ] {
        let refused = undoing::action(&mut world.db, id, kinds, "x", Language::En).await;
        let Err(Error::Refused(why)) = refused else { return Err(format!("{told}: {refused:?}").into()) };
        assert!(why.contains(&told) && why.starts_with(&format!("`undo` {id}: ")), "{told}: {why}");
    }
    assert!(undoing::action(&mut world.db, foreign, goals, "x", Language::En).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn an_identity_is_an_actions_or_a_runs_or_nobodys() -> Tested {
    let mut world = World::new("named").await;
    let run = Uuid::now_v7();
    let action = entry(&world, run, "test-step", "set-row-status", "applied").await;
    assert_eq!(undoing::named(&mut world.db, action, Language::En).await?, Named::Action);
    assert_eq!(undoing::named(&mut world.db, run, Language::En).await?, Named::Run);
    let nobody = Uuid::now_v7();
    for (language, told) in [(Language::En, "no such action or run"), (Language::Ja, "アクションも実行記録もない")]
    {
        let error = undoing::named(&mut world.db, nobody, language).await.unwrap_err().to_string();
        assert!(error.contains(told) && error.contains(&nobody.to_string()), "{error}");
    }
    Ok(())
}
