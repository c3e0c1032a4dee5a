//! Entries of the ledger: one at a time for each target, open for as long as the run that wrote it can be alive, and what that run starts
//! from when it begins again.

use remediation::act::action::kind::Kind;
use remediation::act::action::{ActionResult, Entry as LedgerEntry};
use remediation::act::actions::create_index::CreateIndex;
use remediation::act::actions::set_row_status::SetRowStatus;
use remediation::act::actions::stop_execution::StopExecution;
use remediation::act::actions::undo::Undo;
use remediation::act::ledger::entries::{self, Begin};
use remediation::act::ledger::facts;
use remediation::act::ledger::runs::Run;
use remediation::act::report::DoneOutcome;
use remediation::act::undoing::{self, Named};
use remediation::domain::Language;
use remediation::run::step::Planned;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::support::*;

const STEP: &str = "test-step";
const TARGET: &str = "public.idx";

/// An index that is to be taken away again: an action that is recorded before it is made.
fn take_away(of: Uuid) -> Planned {
    let entry = LedgerEntry {
        id: of,
        run_id: Uuid::nil(),
        step: STEP.to_owned(),
        kind: CreateIndex::KIND.to_owned(),
        target: TARGET.to_owned(),
        cause: None,
        before: None,
        after: None,
        undoes: None,
    };
    planned(Undo { entry, kind: Kind::of::<CreateIndex>() })
}

/// An entry as some run has left it.
async fn entry(db: &mut PgConnection, run: &Run, kind: &str, target: &str, outcome: &str) -> Uuid {
    let id = Uuid::now_v7();
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, before, after, outcome, reason, alive_until)
         VALUES ($1, $2, $3, $4, $5, '{\"n\": 1}', '{\"n\": 2}', $6, 'why', $7)",
    )
    .bind(id)
    .bind(run.id)
    .bind(run.step)
    .bind(kind)
    .bind(target)
    .bind(outcome)
    .bind(run.alive_until)
    .execute(db)
    .await
    .unwrap();
    id
}

async fn begin(world: &mut World, run: &Run, planned: &Planned, takes_over: bool) -> bool {
    let before = json!({ "n": 1 });
    let begin = Begin { before: Some(&before), takes_over, ..Begin::default() };
    entries::begin(&mut world.db, run, planned, &begin).await.unwrap()
}

#[tokio::test]
async fn a_target_is_changed_by_one_at_a_time_and_a_run_that_begins_again_takes_over_from_itself() -> Tested {
    let mut world = World::new("begin").await;
    let (mine, others) = (run(STEP), run("another-step"));
    let first = take_away(Uuid::nil());
    assert!(begin(&mut world, &mine, &first, false).await);
    let opened = world.entry(first.id).await.ok_or("no entry")?;
    assert_eq!((opened.outcome.as_str(), opened.kind.as_str(), opened.target.as_str()), ("applying", "undo", TARGET));
    assert_eq!((opened.before, opened.closed), (Some(json!({ "n": 1 })), false));

    // (who, whether it would take over from itself, whether it may)
    for (who, takes_over, may) in [(&others, false, false), (&others, true, false), (&mine, false, false)] {
        let planned = take_away(Uuid::nil());
        assert_eq!(begin(&mut world, who, &planned, takes_over).await, may, "{} {takes_over}", who.step);
        assert!(world.entry(planned.id).await.is_none());
        assert!(world.entry(first.id).await.is_some(), "it stands as it was");
    }
    let again = take_away(Uuid::nil());
    assert!(begin(&mut world, &mine, &again, true).await);
    assert!(world.entry(first.id).await.is_none() && world.entry(again.id).await.is_some(), "it is one action");

    entries::close(&mut world.db, again.id, &ActionResult::Failed("no".into()), None).await?;
    assert!(begin(&mut world, &others, &take_away(Uuid::nil()), false).await, "what is closed is in nobody's way");
    Ok(())
}

#[tokio::test]
async fn an_undo_is_the_one_undo_of_its_action_only_once_it_is_applied() -> Tested {
    let mut world = World::new("undo_of").await;
    let of = Uuid::now_v7();
    for (result, is_undone) in [
        (ActionResult::Failed("no".into()), false),
        (ActionResult::NotNow("a deployment".into()), false),
        (ActionResult::Superseded, false),
        (ActionResult::Unverified("who knows".into()), false),
        (ActionResult::Applied, true),
    ] {
        let planned = take_away(of);
        let begin = Begin { undoes: Some(of), ..Begin::default() };
        assert!(entries::begin(&mut world.db, &run(STEP), &planned, &begin).await?);
        let entry = world.entry(planned.id).await.ok_or("no entry")?;
        assert_eq!((entry.cause, entry.undo_of), (Some(of.to_string()), None));
        entries::close(&mut world.db, planned.id, &result, None).await?;
        let entry = world.entry(planned.id).await.ok_or("no entry")?;
        assert_eq!(entry.undo_of, is_undone.then_some(of), "{result:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_entry_is_open_until_the_run_that_wrote_it_can_no_longer_be_alive_and_no_longer() -> Tested {
    let mut world = World::new("alive_until").await;
    let kinds = [Kind::of::<CreateIndex>()];
    let planned = take_away(Uuid::nil());
    let mine = run(STEP);
    assert!(entries::begin(&mut world.db, &mine, &planned, &Begin::default()).await?);
    let until: bool = sqlx::query_scalar("SELECT alive_until = $1 FROM remediation.actions")
        .bind(mine.alive_until)
        .fetch_one(&mut world.db)
        .await?;
    assert!(until, "Lambda's deadline of the run");

    // In one transaction the database's clock stands still.
    let mut transaction = world.db.begin().await?;
    for (until, created, abandoned, why) in [
        ("now() + interval '1 minute'", "now()", false, "its run may be at work"),
        ("now()", "now()", false, "the clocks may differ by a little"),
        ("now() - interval '5 s'", "now()", false, "by that much"),
        ("now() - interval '5.001 s'", "now()", true, "Lambda has ended it"),
        ("now() + interval '1 s'", "now() - interval '1 hour'", false, "whenever it was begun"),
        (
            "NULL",
            "now() - interval '16 min 5 s'",
            false,
            "an earlier build's: no Lambda lives longer than a quarter of an hour",
        ),
        ("NULL", "now() - interval '16 min 5.001 s'", true, "an earlier build's, over"),
    ] {
        let sql = format!(
            "UPDATE remediation.actions SET kind = 'create-index', alive_until = {until}, created_at = {created}"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        let found = entries::abandoned(&mut transaction, &kinds).await?;
        assert_eq!(found.len(), usize::from(abandoned), "{until}, {created}: {why}");
    }
    Ok(())
}

#[tokio::test]
async fn what_was_left_open_is_found_by_the_kind_of_the_change_also_where_it_takes_one_back() -> Tested {
    let mut world = World::new("abandoned").await;
    let over = Run { alive_until: seconds_ago(60), ..run("another-step") };
    let db = &mut world.db;
    let made = entry(db, &over, "create-index", "a", "applied").await;
    let index = entry(db, &over, "create-index", "b", "applying").await;
    let stop = entry(db, &over, "stop-execution", "c", "applying").await;
    let undo = entry(db, &over, "undo", "a", "applying").await;
    let foreign = entry(db, &over, "undo", "d", "applying").await;
    for (id, of) in [(undo, made), (foreign, Uuid::now_v7())] {
        sqlx::query("UPDATE remediation.actions SET cause = $2 WHERE id = $1")
            .bind(id)
            .bind(of.to_string())
            .execute(&mut *db)
            .await?;
    }
    entry(db, &over, "create-index", "e", "failed").await;
    entry(db, &run(STEP), "create-index", "f", "applying").await;

    let found = entries::abandoned(db, &[Kind::of::<CreateIndex>()]).await?;
    let told: Vec<_> = found.iter().map(|entry| (entry.id, entry.kind.as_str(), entry.undoes)).collect();
    assert_eq!(told, [(index, "create-index", None), (undo, "create-index", Some(made))]);
    assert_eq!(found[0].step, "another-step");
    assert_eq!((&found[0].before, &found[0].after), (&Some(json!({ "n": 1 })), &Some(json!({ "n": 2 }))));
    let found = entries::abandoned(db, &[Kind::of::<StopExecution>(), Kind::of::<SetRowStatus>()]).await?;
    assert_eq!(found.iter().map(|entry| entry.id).collect::<Vec<_>>(), [stop]);
    assert!(entries::abandoned(db, &[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_run_that_begins_again_knows_what_it_has_done_in_its_order() -> Tested {
    let mut world = World::new("of_run").await;
    let (mine, others) = (run(STEP), run(STEP));
    let db = &mut world.db;
    let closed = entry(db, &mine, "set-row-status", "a", "applied").await;
    let stopped = entry(db, &mine, "stop-execution", "b", "failed").await;
    let lost = entry(db, &mine, "set-row-status", "c", "superseded").await;
    entry(db, &mine, "set-row-status", "d", "applying").await;
    entry(db, &mine, "set-goal-status", "e", "applied").await;
    entry(db, &others, "set-row-status", "f", "applied").await;
    let kinds = [Kind::of::<SetRowStatus>(), Kind::of::<StopExecution>()];
    let done = entries::of_run(db, mine.id, &kinds, Language::En).await?;
    let told: Vec<_> =
        done.iter().map(|done| (done.id, done.kind, done.target.as_str(), done.outcome, done.is_undoable)).collect();
    assert_eq!(
        told,
        [
            (closed, "set-row-status", "a", DoneOutcome::Applied, true),
            (stopped, "stop-execution", "b", DoneOutcome::Failed, false),
            (lost, "set-row-status", "c", DoneOutcome::Superseded, true),
        ]
    );
    assert_eq!((&done[0].before, &done[0].after), (&Some(json!({ "n": 1 })), &Some(json!({ "n": 2 }))));
    assert_eq!(done[0].reason, "why");
    // It goes into answer, log and message, as what is done now does.
    sqlx::query("UPDATE remediation.actions SET after = $2 WHERE id = $1")
        .bind(closed)
        .bind(json!({ "result": { "goals": ["走る"] } }))
        .execute(&mut *db)
        .await?;
    let done = entries::of_run(db, mine.id, &kinds, Language::En).await?;
    assert_eq!(done[0].after, Some(json!({ "result": "[redacted]" })));
    Ok(())
}

/// How often entries have been looked up in this session: by reading the whole table, and by an index.
async fn scans(db: &mut PgConnection) -> (i64, i64) {
    let sql = "SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relid = 'remediation.actions'::regclass";
    sqlx::query_as(sql).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn among_twenty_thousand_entries_every_one_is_found_by_an_index() -> Tested {
    let mut world = World::new("many_entries").await;
    // Two hundred runs over as many days; of every tenth change there is an undo.
    world
        .execute(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, before, after, outcome, reason, created_at)
             SELECT md5('action ' || n)::uuid, md5('run ' || n / 100)::uuid, 'test-step', 'set-row-status', 'row ' || n % 5000,
                    '{}', '{}', 'applied', 'r', now() - n / 100 * interval '1 day' - n * interval '1 ms'
               FROM generate_series(1, 20000) n;
             INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, undo_of)
             SELECT gen_random_uuid(), gen_random_uuid(), 'test-step', 'undo', 'row ' || n % 5000, 'applied', 'r',
                    md5('action ' || n)::uuid FROM generate_series(10, 20000, 10) n;
             ANALYZE remediation.actions",
        )
        .await;
    let ids = "SELECT md5('action 777')::uuid, md5('run 7')::uuid";
    let (action, of): (Uuid, Uuid) = sqlx::query_as(ids).fetch_one(world.database.pool()).await?;
    let targets: Vec<String> = (0..100).map(|number| format!("row {number}")).collect();
    let mut transaction = world.db.begin().await?;
    let mut before = scans(&mut transaction).await;
    for what in ["abandoned", "begun again", "facts", "named", "undo of one", "undo of a run"] {
        let db = &mut *transaction;
        match what {
            "abandoned" => assert!(entries::abandoned(db, KINDS).await?.is_empty()),
            "begun again" => assert_eq!(entries::of_run(db, of, KINDS, Language::En).await?.len(), 100),
            "facts" => assert_eq!(facts::facts(db, STEP, KINDS, &targets).await?.targets.len(), 100),
            "named" => assert_eq!(undoing::named(db, of, Language::En).await?, Named::Run),
            "undo of one" => assert!(undoing::action(db, action, KINDS, "x", Language::En).await.is_ok()),
            _ => {
                let page = undoing::run(db, Uuid::nil(), of, None, KINDS, "x", Language::En).await?;
                assert_eq!((page.undos.len(), page.skipped.len()), (90, 10));
            }
        }
        let after = scans(&mut transaction).await;
        assert!(after.0 == before.0 && after.1 > before.1, "{what}: {before:?}, {after:?}");
        before = after;
    }
    Ok(())
}
