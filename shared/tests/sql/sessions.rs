//! The sessions of a real PostgreSQL: who waits for whom, who may never be ended, and that only what was decided on is ended.

use std::sync::Arc;
use std::time::Duration;

use harness::{Database, Postgres, eventually};
use patient::Session;
use remediation::act::action::{ActionResult, Outcome};
use remediation::act::actions::end_session::EndSession;
use remediation::act::actions::end_session::{self, Cause, Ending};
use remediation::act::ledger::runs::Run;
use remediation::gather::sessions::{self, Backend, Overview, Protection, State};
use remediation::run::step::Planned;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::support::*;

const BOUND: Duration = Duration::from_secs(20);

const APPLICATION: &str = "retry-handler";
const UPDATE: &str = "UPDATE t SET title = 'secret' WHERE id = 1";

/// A database with a row to wait for.
async fn world(hint: &str) -> World {
    let world = World::new(hint).await;
    world.execute("CREATE TABLE t (id int PRIMARY KEY, title text); INSERT INTO t VALUES (1, 'x')").await;
    world
}

/// A session under an application name, after some statements.
async fn client(database: &Database, application: &str, sql: &str) -> Session {
    at(&database.url(), application, sql).await
}

async fn at(url: &str, application: &str, sql: &str) -> Session {
    Session::open(url, application).await.unwrap().after(sql).await.unwrap()
}

async fn backends(db: &mut PgConnection) -> Vec<Backend> {
    sessions::backends(db).await.unwrap().0
}

async fn backend(db: &mut PgConnection, pid: i32) -> Backend {
    backends(db).await.into_iter().find(|backend| backend.pid == pid).expect("the session is there")
}

/// A session once it is as wanted.
async fn once(database: &Database, pid: i32, wanted: impl Fn(&Backend) -> bool) -> Backend {
    let found = eventually(BOUND, format!("session {pid} to be as wanted"), || async {
        let mut db = database.pool().acquire().await.ok()?;
        backends(&mut db).await.into_iter().find(|backend| backend.pid == pid && wanted(backend))
    });
    found.await.unwrap()
}

/// A session once it waits for a lock.
async fn blocked(world: &World, pid: i32) -> Backend {
    once(&world.database, pid, |backend| !backend.blocked_by.is_empty()).await
}

fn ending(seen: &Backend, ending: Ending, cause: Cause, waiters: &[i32]) -> EndSession {
    EndSession { id: seen.id().unwrap(), seen: seen.clone(), ending, cause, waiters: waiters.into() }
}

async fn end(world: &mut World, action: &EndSession) -> (Planned, Outcome) {
    end_in(world, &run("test-step"), action).await
}

async fn end_in(world: &mut World, run: &Run, action: &EndSession) -> (Planned, Outcome) {
    let proxy = scripted().await;
    let (step_functions, mut kept) = (step_functions(&proxy, MACHINE).await, Some(Arc::clone(&world.table)));
    let planned = planned(action.clone());
    let mut session = world.session(&step_functions, &mut kept);
    let outcome = carry_out(&mut session, run, &planned).await.unwrap();
    (planned, outcome)
}

#[tokio::test]
async fn a_session_is_read_with_what_it_does_and_whom_it_waits_for_and_without_what_it_writes() {
    let world = world("sessions_read").await;
    let root = client(&world.database, APPLICATION, "BEGIN").await.after(UPDATE).await.unwrap();
    let (first, second) = (client(&world.database, "api", "").await, client(&world.database, "", "").await);
    let (first_pid, second_pid) = (first.pid(), second.pid());
    let _first = first.send(UPDATE);
    blocked(&world, first_pid).await;
    let _second = second.send(UPDATE);
    let second = blocked(&world, second_pid).await;

    let mut db = world.database.connect().await.unwrap();
    let (all, at) = sessions::backends(&mut db).await.unwrap();
    let of = |pid: i32| all.iter().find(|backend| backend.pid == pid).unwrap();
    let (root, first) = (of(root.pid()), of(first_pid));
    assert_eq!((root.state, root.application.as_str()), (State::IdleInTransaction, APPLICATION));
    assert_eq!((root.user.as_str(), root.database.as_str()), (harness::APPLICATION.0, world.database.name()));
    assert_eq!((root.is_client, root.may_signal, root.protection), (true, true, None));
    assert_eq!((root.blocked_by.as_slice(), root.blocked_since), ([].as_slice(), None));
    assert_eq!(root.statement, "UPDATE t SET title = …");
    assert!(root.transaction_since < root.statement_since && root.statement_since < root.state_since, "{root:?}");
    assert_eq!((first.state, first.blocked_by.as_slice()), (State::Active, [root.pid].as_slice()));
    assert_eq!(first.waits_for.as_deref(), Some("Lock/transactionid"));
    assert!(first.blocked_since >= first.statement_since && first.blocked_since < Some(at), "{first:?}");
    let unnamed = format!("user:{}", second.user);
    assert_eq!((second.blocked_by.as_slice(), &second.application), ([first.pid].as_slice(), &unnamed));
    assert!(second.client.is_some_and(|client| client.is_loopback()), "{second:?}");
    let (mine, overview) = (of_us(&mut db).await, Overview::read(&mut db).await.unwrap());
    assert_eq!(all.iter().find(|backend| backend.pid == mine).unwrap().protection, Some(Protection::Own));
    // The server is shared: there may be more.
    assert!(overview.blocked >= 2 && overview.used >= 4 && overview.available == 97, "{overview:?}");
}

async fn of_us(db: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(db).await.unwrap()
}

/// A role of this test alone: roles are the server's.
async fn role(world: &World, attributes: &str) -> String {
    let name = format!("r{}", Uuid::new_v4().simple());
    world.database.execute_as_superuser(&format!("CREATE ROLE {name} LOGIN PASSWORD 'x' {attributes}")).await.unwrap();
    name
}

#[tokio::test]
async fn what_must_never_be_ended_is_known_by_what_it_is_does_or_holds() {
    let mut world = world("sessions_protected").await;
    world.execute("CREATE TABLE u (id int); CREATE TABLE v (id int)").await;
    let database = world.database.clone();
    let elsewhere = Postgres::shared().await.unwrap().database("elsewhere").await.unwrap();
    let replica = role(&world, "REPLICATION").await;
    let app = async |sql: &str| client(&database, APPLICATION, sql).await;

    let cases = [
        (app("BEGIN; UPDATE t SET title = 'x'").await, None),
        (app("SELECT pg_advisory_lock(1)").await, None),
        (app("BEGIN; SELECT pg_advisory_xact_lock(2)").await, None),
        (app("CREATE TEMP TABLE mine (id int)").await.after("BEGIN; LOCK TABLE mine").await.unwrap(), None),
        (app("/* drop */ SELECT 'create'").await, None),
        (client(&database, "remediation/check-health", "").await, Some(Protection::Own)),
        (at(&database.administrator_url(), APPLICATION, "").await, Some(Protection::Superuser)),
        (at(&database.url_as(&replica, "x"), APPLICATION, "").await, Some(Protection::Replication)),
        (client(&elsewhere, APPLICATION, "").await, Some(Protection::OtherDatabase)),
        (
            app("BEGIN").await.after("/* by a tool */ -- now\n ALTER TABLE v ADD x int").await.unwrap(),
            Some(Protection::Migration),
        ),
        (app("CREATE FUNCTION f() RETURNS int RETURN 1").await, Some(Protection::Migration)),
        // Its last word is an ordinary one; what it holds is not.
        (app("BEGIN; CREATE TABLE w (id int); SELECT 1").await, Some(Protection::Migration)),
        (app("BEGIN; LOCK TABLE u IN SHARE UPDATE EXCLUSIVE MODE").await, Some(Protection::Migration)),
        (app("SELECT pg_advisory_lock(72707369)").await, Some(Protection::Migration)),
    ];
    let (vacuum, index) = (app("").await, app("").await);
    let (vacuum_pid, index_pid) = (vacuum.pid(), index.pid());
    let _waiting = [vacuum.send("VACUUM u"), index.send("CREATE INDEX CONCURRENTLY ON t (title)")];
    blocked(&world, vacuum_pid).await;
    blocked(&world, index_pid).await;

    let all = backends(&mut world.db).await;
    let of = |pid: i32| all.iter().find(|backend| backend.pid == pid).unwrap();
    for (client, protection) in &cases {
        let found = of(client.pid());
        assert_eq!(found.protection, *protection, "{found:?}");
    }
    assert_eq!(of(vacuum_pid).protection, Some(Protection::Vacuum));
    assert_eq!(of(index_pid).protection, Some(Protection::Migration));
}

#[tokio::test]
async fn without_the_right_to_look_or_to_signal_sessions_are_counted_and_left() {
    let mut world = world("sessions_rights").await;
    let (blind, idle) = (role(&world, "").await, client(&world.database, APPLICATION, "").await);
    let sees = role(&world, "IN ROLE pg_monitor").await;
    world.execute(&format!("GRANT USAGE ON SCHEMA remediation TO {blind}, {sees}")).await;
    world.execute(&format!("GRANT ALL ON ALL TABLES IN SCHEMA remediation TO {blind}, {sees}")).await;

    let mut db = PgConnection::connect(&world.database.url_as(&blind, "x")).await.unwrap();
    let unseen = backend(&mut db, idle.pid()).await;
    assert_eq!((unseen.protection, unseen.id(), unseen.is_client), (Some(Protection::Unseen), None, true));
    assert_eq!((unseen.state, unseen.may_signal), (State::Unknown, false));
    assert!(Overview::read(&mut db).await.unwrap().unseen > 0);

    world.db = PgConnection::connect(&world.database.url_as(&sees, "x")).await.unwrap();
    let seen = backend(&mut world.db, idle.pid()).await;
    assert_eq!((seen.protection, seen.may_signal), (None, false));
    let (planned, outcome) = end(&mut world, &ending(&seen, Ending::Terminate, Cause::Asked, &[])).await;
    let ActionResult::Failed(why) = &outcome.result else { panic!("{outcome:?}") };
    assert!(why.contains(&format!("GRANT pg_signal_backend TO {sees}")), "{why}");
    assert_eq!(world.entry(planned.id).await.unwrap().outcome, "failed");
    assert_eq!(backend(&mut world.db, idle.pid()).await.id(), seen.id(), "it is still there");
}

#[tokio::test]
async fn a_root_that_is_idle_in_its_transaction_is_ended_recorded_and_whoever_waits_goes_on() -> Tested {
    let mut world = world("session_ended").await;
    let root = client(&world.database, APPLICATION, "BEGIN").await.after(UPDATE).await?;
    let waits = client(&world.database, APPLICATION, "").await;
    let waiter = waits.pid();
    let waits = waits.send(UPDATE);
    blocked(&world, waiter).await;
    let seen = backend(&mut world.db, root.pid()).await;
    let action = ending(&seen, Ending::Terminate, Cause::Blocks, &[waiter]);

    let (planned, outcome) = end(&mut world, &action).await;

    assert_eq!(outcome.result, ActionResult::Applied);
    waits.await?.1?;
    assert_eq!(world.ask::<String>("SELECT title FROM t").await, "secret");
    let entry = world.entry(planned.id).await.ok_or("there is no entry")?;
    assert_eq!((entry.outcome.as_str(), entry.kind.as_str(), entry.closed), ("applied", "terminate-session", true));
    assert_eq!((entry.target, entry.cause.as_deref()), (action.id.to_string(), Some("blocks")));
    let (before, after) = (entry.before.ok_or("no image")?, entry.after.ok_or("no image")?);
    assert_eq!((&before["state"], &before["waiters"]), (&json!("idle-in-transaction"), &json!([waiter])));
    assert_eq!(before["statement"], "UPDATE t SET title = …");
    assert_eq!((&after["session"], &after["stillWaiting"]), (&json!("gone"), &json!([])));
    assert!(after["connectionsUsed"].is_i64(), "{after}");
    assert_eq!((Some(before), Some(after)), (outcome.before, outcome.after));
    let error = undo_of(&mut world.db, planned.id).await.unwrap_err().to_string();
    assert!(error.contains("rolled back"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_session_that_moved_is_left_alone() {
    let mut world = world("session_moved").await;
    for step in ["SELECT 1", "COMMIT", "ROLLBACK; BEGIN"] {
        let mut client = client(&world.database, APPLICATION, "BEGIN").await.after(UPDATE).await.unwrap();
        let seen = backend(&mut world.db, client.pid()).await;
        client.run(step).await.unwrap();
        let (planned, outcome) = end(&mut world, &ending(&seen, Ending::Terminate, Cause::Asked, &[])).await;
        assert_eq!((&outcome.result, outcome.after), (&ActionResult::Superseded, None), "{step}");
        assert_eq!(world.entry(planned.id).await.unwrap().outcome, "superseded", "{step}");
        client.run("ROLLBACK").await.unwrap();
    }
    // The process id lives on in another session, as far as the decision knows.
    let client = client(&world.database, APPLICATION, "BEGIN").await;
    let mut seen = backend(&mut world.db, client.pid()).await;
    seen.started_at = Some(seconds_ago(1000));
    let (_, outcome) = end(&mut world, &ending(&seen, Ending::Terminate, Cause::Asked, &[])).await;
    assert_eq!(outcome.result, ActionResult::Superseded);
    // And one that is gone.
    let seen = backend(&mut world.db, client.pid()).await;
    client.close().await.unwrap();
    let (_, outcome) = end(&mut world, &ending(&seen, Ending::Terminate, Cause::Asked, &[])).await;
    assert_eq!(outcome.result, ActionResult::Superseded);
}

#[tokio::test]
async fn what_is_protected_or_of_another_application_or_blocks_nobody_is_left_by_the_signal_itself() {
    let mut world = world("session_kept").await;
    let mut kept = Vec::new();
    for (application, sql, cause) in [
        ("psql", "BEGIN; UPDATE t SET title = title", Cause::Asked),
        ("", "BEGIN; SELECT 1", Cause::Asked),
        ("remediation/migrate", "BEGIN; SELECT 1", Cause::Asked),
        (APPLICATION, "BEGIN; LOCK TABLE t IN SHARE MODE; SELECT 1", Cause::Asked),
        (APPLICATION, "BEGIN; SELECT 1", Cause::Blocks),
    ] {
        let client = client(&world.database, application, sql).await;
        // Whatever the look said of it: the signal looks itself.
        let seen = Backend { protection: None, ..backend(&mut world.db, client.pid()).await };
        let (_, outcome) = end(&mut world, &ending(&seen, Ending::Terminate, cause, &[])).await;
        assert_eq!(outcome.result, ActionResult::Superseded, "{application} {sql}");
        assert_eq!(backend(&mut world.db, client.pid()).await.id(), seen.id(), "{application} {sql}");
        let mut client = client;
        client.run("ROLLBACK").await.unwrap();
        kept.push(client);
    }
}

#[tokio::test]
async fn a_cancelled_statement_leaves_its_session_and_is_remembered_as_long_as_its_transaction() -> Tested {
    let mut world = world("statement_cancelled").await;
    // Without the savepoint, the failed statement would end the transaction, and its locks with it.
    let client = client(&world.database, APPLICATION, "BEGIN; SAVEPOINT s").await;
    let pid = client.pid();
    let running = client.send("SELECT pg_sleep(3600)");
    let mut db = world.database.connect().await?;
    let seen = once(&world.database, pid, |backend| backend.state == State::Active).await;
    let action = ending(&seen, Ending::Cancel, Cause::LongStatement, &[]);

    let (planned, outcome) = end(&mut world, &action).await;

    assert_eq!(outcome.result, ActionResult::Applied);
    let (mut client, ended) = running.await?;
    assert_eq!(ended.unwrap_err().as_database_error().and_then(|error| error.code()).as_deref(), Some("57014"));
    let entry = world.entry(planned.id).await.ok_or("there is no entry")?;
    assert_eq!((entry.kind.as_str(), entry.outcome.as_str()), ("cancel-query", "applied"));
    // The transaction is still open, and holds what it holds.
    let now = backends(&mut db).await;
    let state = now.iter().find(|backend| backend.pid == pid).map(|backend| backend.state);
    assert_eq!(state, Some(State::IdleInTransactionAborted));
    assert_eq!(end_session::cancelled(&mut db, &now).await?.into_iter().collect::<Vec<_>>(), [action.id]);
    client.run("ROLLBACK; BEGIN").await?;
    let now = backends(&mut db).await;
    assert!(end_session::cancelled(&mut db, &now).await?.is_empty(), "this is another transaction");
    Ok(())
}

#[tokio::test]
async fn two_runs_never_work_on_one_session_and_a_run_takes_over_from_itself() {
    let mut world = world("session_busy").await;
    let client = client(&world.database, APPLICATION, "BEGIN").await;
    let seen = backend(&mut world.db, client.pid()).await;
    let action = ending(&seen, Ending::Terminate, Cause::Asked, &[]);
    let (mine, another) = (run("test-step"), run("another-step"));
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason)
         VALUES ($1, $2, 'test-step', 'cancel-query', $3, 'applying', 'x')",
    )
    .bind(Uuid::now_v7())
    .bind(mine.id)
    .bind(action.id.to_string())
    .execute(world.database.pool())
    .await
    .unwrap();

    let (planned, outcome) = end_in(&mut world, &another, &action).await;
    assert_eq!(outcome.result, ActionResult::Busy);
    assert!(world.entry(planned.id).await.is_none());
    assert_eq!(backend(&mut world.db, client.pid()).await.id(), seen.id());

    let (planned, outcome) = end_in(&mut world, &mine, &action).await;
    assert_eq!(outcome.result, ActionResult::Applied);
    let entry = world.entry(planned.id).await.unwrap();
    assert_eq!((entry.outcome.as_str(), entry.kind.as_str()), ("applied", "terminate-session"));
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.actions").await, 1);
}

#[tokio::test]
async fn what_a_crash_left_open_is_closed_by_looking() {
    let mut world = world("session_abandoned").await;
    let client = client(&world.database, APPLICATION, "").await;
    let there = backend(&mut world.db, client.pid()).await.id().unwrap();
    let gone = sessions::BackendId { pid: there.pid, started_at: seconds_ago(5000) };
    let mut entries = Vec::new();
    for (target, kind, minutes) in [
        (there, "cancel-query", 17),
        (gone, "terminate-session", 17),
        (sessions::BackendId { pid: 1, ..gone }, "cancel-query", 1),
    ] {
        let id = Uuid::now_v7();
        sqlx::query(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, created_at)
             VALUES ($1, $1, 'test-step', $2, $3, 'applying', 'x', now() - make_interval(mins => $4))",
        )
        .bind(id)
        .bind(kind)
        .bind(target.to_string())
        .bind(minutes)
        .execute(world.database.pool())
        .await
        .unwrap();
        entries.push(id);
    }
    let (step_functions, mut kept) = (step_functions(&*scripted().await, MACHINE).await, None);
    resolve::<EndSession>(&mut world.session(&step_functions, &mut kept)).await.unwrap();
    for (id, outcome, why) in
        [(entries[0], "failed", "still open"), (entries[1], "applied", "is gone"), (entries[2], "applying", "x")]
    {
        let entry = world.entry(id).await.unwrap();
        assert_eq!(entry.outcome, outcome);
        assert!(entry.reason.contains(why), "{}", entry.reason);
    }
}

#[tokio::test]
async fn a_prepared_transaction_is_pid_0_to_whoever_waits_for_it() -> Tested {
    let server = Postgres::builder().setting("max_prepared_transactions", "2").start().await?;
    let database = server.database("prepared").await?;
    database.execute("CREATE TABLE t (id int, title text); INSERT INTO t VALUES (1, 'x')").await?;
    let mut preparing = client(&database, APPLICATION, "BEGIN").await.after(UPDATE).await?;
    preparing.run("PREPARE TRANSACTION 'forgotten'").await?;
    let waits = client(&database, APPLICATION, "").await;
    let waiter = waits.pid();
    let waits = waits.send(UPDATE);
    let mut db = database.connect().await?;
    assert_eq!(once(&database, waiter, |backend| !backend.blocked_by.is_empty()).await.blocked_by, [0]);
    let prepared = sessions::prepared(&mut db).await?;
    assert_eq!((prepared.len(), prepared[0].gid.as_str(), prepared[0].owner.as_str()), (1, "forgotten", "application"));
    preparing.run("ROLLBACK PREPARED 'forgotten'").await?;
    waits.await?.1?;
    assert_eq!(sessions::prepared(&mut db).await?, []);
    Ok(())
}
