//! The fence: what it keeps, what it lets through, what it records, and how it is put up and taken away.
//!
//! The application writes as a user of its own that has no right on schema `remediation`.

use std::sync::Arc;
use std::time::Duration;

use harness::{Postgres, eventually};
use patient::table::{EARLY, ELSEWHERE, GUIDE, MIGRATED, PUSHED, Row, Variant};
use remediation::act::action::{ActionResult, Outcome};
use remediation::act::actions::fence::Fence;
use remediation::act::actions::fence::{self, Change, State};
use remediation::act::actions::set_row_status::{ErrorChange, SetRowStatus};
use remediation::domain::ProcessStatus;
use remediation::gather::error::Error;
use remediation::gather::table::Table;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

use crate::support::*;

const COMPLETE: [Variant; 3] = [GUIDE, MIGRATED, PUSHED];
const BOUND: Duration = Duration::from_secs(30);

/// Does it, whatever is there.
async fn apply(world: &mut World, change: Change) -> Result<Outcome, Error> {
    let found = State::read(&mut world.db, Some(&world.table)).await?;
    let action = Fence { change, table: world.config.table.to_string(), found };
    let planned = planned(action.clone());
    let language = world.config.language;
    fence::apply(&mut world.db, Ok(Arc::clone(&world.table)), &run("migrate"), &planned, &action, language).await
}

async fn fenced(hint: &str, variant: &Variant) -> World {
    let mut world = World::of(hint, variant).await;
    assert_eq!(apply(&mut world, Change::Install).await.unwrap().result, ActionResult::Applied);
    world
}

/// The application, under its own name.
struct Application {
    db: PgConnection,
    variant: Variant,
    user: String,
}

impl Application {
    async fn of(world: &World) -> Self {
        let user = format!("worker_{}", &Uuid::new_v4().simple().to_string()[..8]);
        let rights = world.variant.spell(
            "GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT SELECT, INSERT, UPDATE, DELETE ON {processes} TO {user}",
        );
        let sql = format!("CREATE ROLE {{user}} LOGIN PASSWORD 'secret'; {rights}").replace("{user}", &user);
        world.database.execute_as_superuser(&sql).await.unwrap();
        let options: sqlx::postgres::PgConnectOptions = world.database.url_as(&user, "secret").parse().unwrap();
        let db = options.application_name("ai-generation-worker").connect().await.unwrap();
        Self { db, variant: world.variant, user }
    }

    /// Runs a statement about one process; how many rows it has written.
    async fn write(&mut self, sql: &str, id: Uuid) -> Result<u64, sqlx::Error> {
        let sql = self.variant.spell(sql);
        sqlx::query(AssertSqlSafe(sql)).bind(id).execute(&mut self.db).await.map(|done| done.rows_affected())
    }

    /// What its worker does as it goes on.
    async fn advance(&mut self, id: Uuid, progress: i16) -> Result<u64, sqlx::Error> {
        let sql = self.variant.spell(include_str!("../../../tests/patient/sql/advance.sql"));
        let update = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(progress);
        update.execute(&mut self.db).await.map(|done| done.rows_affected())
    }

    /// What its workflow does at its beginning and at its ends.
    async fn update_status(
        &mut self,
        id: Uuid,
        status: &str,
        result: Option<Value>,
        error: Option<Value>,
    ) -> Result<u64, sqlx::Error> {
        let sql = self.variant.spell(include_str!("../../../tests/patient/sql/update-status.sql"));
        let update = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(status).bind(result).bind(error);
        update.execute(&mut self.db).await.map(|done| done.rows_affected())
    }
}

#[derive(Debug, sqlx::FromRow)]
struct Refused {
    why: String,
    times: i32,
    application_name: Option<String>,
    database_user: String,
    before: Value,
    attempted: Value,
}

async fn refused(world: &World, id: Uuid) -> Vec<Refused> {
    sqlx::query_as("SELECT * FROM remediation.refused_writes WHERE process_id = $1::text ORDER BY id")
        .bind(id)
        .fetch_all(world.database.pool())
        .await
        .unwrap()
}

/// Who closed a row, and as what.
#[derive(Debug, Clone, Copy)]
enum Closed {
    /// Nobody: it is at 50 %.
    Open,
    /// Nobody, and it has not begun.
    Pending,
    /// A step of ours.
    ByUs(ProcessStatus),
    /// The application.
    ByApplication(&'static str),
    /// The application, which writes its cancel as a failure with that code.
    CancelledAsFailed,
    /// A step of ours; then the application has tried again, and failed again.
    ByUsThenRetried,
    /// The application as FAILED, then a step of ours as COMPLETED, and a person took that back.
    Undone,
    /// A step of ours as FAILED, then as COMPLETED, and a person took the second back: it is as we closed it first.
    UndoneToOurs,
    /// The application; a step of ours has only put its progress right.
    ByApplicationThenRepaired,
    /// A step of ours, and another one has put its progress right.
    ByUsThenRepaired,
}
use Closed::{
    ByApplication, ByApplicationThenRepaired, ByUs, ByUsThenRepaired, ByUsThenRetried, CancelledAsFailed, Open,
    Pending, Undone, UndoneToOurs,
};
use ProcessStatus::{Cancelled, Completed, Failed as RowFailed, Timeout};

/// What the application writes.
#[derive(Debug, Clone, Copy)]
enum Write {
    Advance(i16),
    Status(&'static str),
    /// A statement of its own.
    Sql(&'static str),
}
use Write::{Advance, Sql, Status};

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    /// It is made, and nothing recorded.
    Passes,
    /// The row stays as it is, the statement counts all the same, and that is recorded.
    Refused(&'static str),
    /// Only a cancel's reason is let in: the row stays CANCELLED, nothing is recorded.
    Explained,
    /// It is made with this progress, and that is recorded.
    Kept(i16, &'static str),
}
use Verdict::{Explained, Kept, Passes, Refused as Stays};

const RETRY: Write =
    Sql("UPDATE {processes} SET status = 'PENDING', progress = 0, error = NULL, {completed_at} = NULL,
    {retry_count} = {retry_count} + 1, {updated_at} = now(){utc} WHERE id = $1");
const CANCEL: Write =
    Sql("UPDATE {processes} SET status = 'CANCELLED', {updated_at} = now(){utc}, {completed_at} = now(){utc}
    WHERE id = $1");
/// What some applications write right after it, through their error path.
const REASON: Write = Sql("UPDATE {processes} SET status = 'FAILED', progress = 99, result = '{\"late\": true}',
    error = '{\"code\": \"CANCELLED\", \"message\": \"by its user\"}', {updated_at} = now(){utc} WHERE id = $1");
const PROGRESS: Write = Sql("UPDATE {processes} SET progress = 60 WHERE id = $1");
const RESULT: Write = Sql("UPDATE {processes} SET result = '{\"late\": true}' WHERE id = $1");
const ERROR: Write = Sql("UPDATE {processes} SET error = '{\"code\": \"LATE\"}' WHERE id = $1");
const END: Write = Sql("UPDATE {processes} SET {completed_at} = now(){utc} WHERE id = $1");
const OTHER_COLUMNS: Write =
    Sql("UPDATE {processes} SET {user_id} = gen_random_uuid(), {updated_at} = now(){utc} WHERE id = $1");
const THE_SAME: Write = Sql("UPDATE {processes} SET status = status, progress = progress, error = error WHERE id = $1");
const OURS: &str = "closed-by-remediation";

const CASES: [(Closed, Write, Verdict); 58] = [
    // A late worker, and each of its columns.
    (ByUs(RowFailed), Advance(90), Stays(OURS)),
    (ByUs(RowFailed), PROGRESS, Stays(OURS)),
    (ByUs(RowFailed), RESULT, Stays(OURS)),
    (ByUs(RowFailed), ERROR, Stays(OURS)),
    (ByUs(RowFailed), END, Stays(OURS)),
    (ByUs(Timeout), Advance(90), Stays(OURS)),
    (ByUs(Completed), Advance(90), Stays(OURS)),
    (ByUs(Cancelled), Advance(90), Stays("cancelled")),
    (ByApplication("CANCELLED"), Advance(90), Stays("cancelled")),
    (ByApplication("CANCELLED"), PROGRESS, Stays("cancelled")),
    (ByApplication("CANCELLED"), RESULT, Stays("cancelled")),
    // The workflow's own steps, which do not look either.
    (ByApplication("CANCELLED"), Status("PROCESSING"), Stays("cancelled")),
    (ByApplication("CANCELLED"), Status("COMPLETED"), Stays("cancelled")),
    (ByApplication("CANCELLED"), Status("FAILED"), Stays("cancelled")),
    (ByUs(RowFailed), Status("PROCESSING"), Stays(OURS)),
    (ByUs(RowFailed), Status("COMPLETED"), Stays(OURS)),
    (ByUs(RowFailed), Status("TIMEOUT"), Stays(OURS)),
    (ByUs(Completed), Status("FAILED"), Stays(OURS)),
    (ByUs(Completed), CANCEL, Stays(OURS)),
    // A cancel in two writes, in either order, and what comes after it.
    (ByApplication("CANCELLED"), REASON, Explained),
    (ByUs(Cancelled), REASON, Explained),
    (ByApplication("CANCELLED"), ERROR, Stays("cancelled")),
    (CancelledAsFailed, CANCEL, Explained),
    (CancelledAsFailed, Advance(90), Stays("cancelled")),
    (CancelledAsFailed, Status("COMPLETED"), Stays("cancelled")),
    (CancelledAsFailed, RETRY, Passes),
    (ByUs(RowFailed), REASON, Stays(OURS)),
    (ByApplication("FAILED"), REASON, Passes),
    // A value that is out of bounds as well is refused with the rest.
    (ByUs(RowFailed), Advance(190), Stays(OURS)),
    // A retry.
    (ByUs(RowFailed), RETRY, Passes),
    (ByUs(Timeout), RETRY, Passes),
    (ByUs(Cancelled), RETRY, Passes),
    (ByApplication("CANCELLED"), RETRY, Passes),
    (ByApplication("FAILED"), RETRY, Passes),
    // What is nobody's business but the application's.
    (ByUs(RowFailed), OTHER_COLUMNS, Passes),
    (ByUs(RowFailed), THE_SAME, Passes),
    (ByApplication("CANCELLED"), OTHER_COLUMNS, Passes),
    (ByApplication("CANCELLED"), THE_SAME, Passes),
    (ByApplication("FAILED"), Advance(90), Passes),
    (ByApplication("FAILED"), Status("PROCESSING"), Passes),
    (ByApplication("TIMEOUT"), Status("FAILED"), Passes),
    (ByApplication("COMPLETED"), RESULT, Passes),
    (ByApplication("FAILED"), CANCEL, Passes),
    (ByUsThenRetried, Advance(10), Passes),
    (Undone, Advance(10), Passes),
    (UndoneToOurs, Advance(90), Stays(OURS)),
    (ByApplicationThenRepaired, Advance(90), Passes),
    (ByUsThenRepaired, Advance(90), Stays(OURS)),
    // An open row.
    (Open, Advance(90), Passes),
    (Open, Status("COMPLETED"), Passes),
    (Open, CANCEL, Passes),
    (Pending, Status("PROCESSING"), Passes),
    // Its progress.
    (Open, Advance(10), Kept(50, "progress-fell")),
    (Open, Advance(-5), Kept(50, "progress-fell")),
    (Open, Advance(150), Kept(100, "progress-out-of-range")),
    (Pending, Sql("UPDATE {processes} SET progress = -1 WHERE id = $1"), Kept(0, "progress-out-of-range")),
    (ByApplication("FAILED"), Advance(101), Kept(100, "progress-out-of-range")),
    (Open, RETRY, Passes),
];

/// A row of that kind; the application has its own rights, and no lock of ours is held any more.
async fn row(world: &mut World, application: &mut Application, closed: Closed) -> Row {
    let row = match closed {
        Pending => Row::pending(seconds_ago(120)),
        _ => Row { progress: 50, ..processing(120) },
    };
    world.insert(std::slice::from_ref(&row)).await;
    match closed {
        Open | Pending => {}
        ByUs(status) => {
            close(world, row.id, status).await;
        }
        ByApplication(status) => {
            application.update_status(row.id, status, None, Some(json!({ "code": "AI_ERROR" }))).await.unwrap();
        }
        CancelledAsFailed => {
            application.update_status(row.id, "FAILED", None, Some(json!({ "code": "CANCELLED" }))).await.unwrap();
        }
        ByUsThenRetried => {
            close(world, row.id, RowFailed).await;
            let Sql(retry) = RETRY else { unreachable!() };
            application.write(retry, row.id).await.unwrap();
            application.advance(row.id, 50).await.unwrap();
            application.update_status(row.id, "FAILED", None, Some(json!({ "code": "AI_ERROR" }))).await.unwrap();
        }
        UndoneToOurs => {
            close(world, row.id, RowFailed).await;
            let action = close(world, row.id, Completed).await;
            take_back(world, action).await;
        }
        ByApplicationThenRepaired => {
            application.update_status(row.id, "FAILED", None, Some(json!({ "code": "AI_ERROR" }))).await.unwrap();
            repair(world, row.id, 40).await;
        }
        ByUsThenRepaired => {
            close(world, row.id, RowFailed).await;
            repair(world, row.id, 40).await;
        }
        Undone => {
            application.update_status(row.id, "FAILED", None, Some(json!({ "code": "AI_ERROR" }))).await.unwrap();
            let action = close(world, row.id, Completed).await;
            take_back(world, action).await;
        }
    }
    world.row(row.id).await
}

/// A step of ours closes the row.
async fn close(world: &mut World, id: Uuid, status: ProcessStatus) -> Uuid {
    write_as(world, id, |wanted| SetRowStatus {
        status,
        progress: (status == Completed).then_some(100),
        error: ErrorChange::Set(json!({ "code": "TIMEOUT_ERROR", "n": 1.50, "m": "声" })),
        result: (status == Completed).then(|| json!({ "goals": ["走る"] }).into()),
        ..wanted
    })
    .await
}

/// A step of ours writes nothing but a progress, and leaves the result alone.
async fn repair(world: &mut World, id: Uuid, progress: i16) -> Uuid {
    let process = world.process(id).await;
    let status = process.status;
    write_as(world, id, |wanted| SetRowStatus { status, progress: Some(progress), completed_at: None, ..wanted }).await
}

async fn write_as(world: &mut World, id: Uuid, wish: impl FnOnce(SetRowStatus) -> SetRowStatus) -> Uuid {
    let seen = execution(id, Succeeded, seconds_ago(119), Some(seconds_ago(60)));
    world.remember(std::slice::from_ref(&seen)).await;
    let wanted = wish(closing(&world.process(id).await, Some(&seen.execution), RowFailed));
    let action = planned(wanted.clone());
    assert_eq!(world.set_as(&action, &wanted).await.unwrap().result, ActionResult::Applied);
    action.id
}

async fn take_back(world: &mut World, action: Uuid) {
    let undo = undo_of(&mut world.db, action).await.unwrap();
    let outcome = world.take_back(&undo).await.unwrap();
    assert_eq!(outcome.result, ActionResult::Applied, "{outcome:?}");
}

async fn write(application: &mut Application, id: Uuid, write: Write) -> u64 {
    match write {
        Advance(progress) => application.advance(id, progress).await.unwrap(),
        Status(status) => application.update_status(id, status, Some(json!({ "late": 1 })), None).await.unwrap(),
        Sql(sql) => application.write(sql, id).await.unwrap(),
    }
}

#[tokio::test]
async fn every_write_of_the_application_meets_what_it_should_in_every_complete_variant() -> Tested {
    for variant in COMPLETE {
        let mut world = fenced(variant.name, &variant).await;
        let mut application = Application::of(&world).await;
        for (closed, what, verdict) in CASES {
            let case = format!("{}: {closed:?}, {what:?}", variant.name);
            let before = row(&mut world, &mut application, closed).await;
            let written = write(&mut application, before.id, what).await;
            let (after, records) = (world.row(before.id).await, refused(&world, before.id).await);
            let why: Vec<&str> = records.iter().map(|record| record.why.as_str()).collect();
            match verdict {
                Passes => assert_eq!((written, why.as_slice()), (1, [].as_slice()), "{case}: {records:?}"),
                Stays(reason) => {
                    assert_eq!((written, why.as_slice()), (1, [reason].as_slice()), "{case}");
                    assert_eq!(after, before, "{case}");
                }
                Explained => {
                    assert_eq!((written, why.as_slice()), (1, [].as_slice()), "{case}: {records:?}");
                    let code = after.error.as_ref().map(|error| error["code"].clone());
                    assert_eq!((after.status.as_str(), code), ("CANCELLED", Some(json!("CANCELLED"))), "{case}");
                    assert_eq!((after.progress, &after.result), (before.progress, &before.result), "{case}");
                    assert_eq!(after.completed_at, before.completed_at, "{case}");
                }
                Kept(progress, reason) => {
                    assert_eq!((written, why.as_slice()), (1, [reason].as_slice()), "{case}");
                    assert_eq!(after.progress, progress, "{case}");
                }
            }
            for record in records {
                assert_eq!((record.times, &record.database_user), (1, &application.user), "{case}");
                assert_eq!(record.application_name.as_deref(), Some("ai-generation-worker"), "{case}");
                assert_eq!(record.before["status"], before.status, "{case}");
                assert_eq!(record.before["progress"], before.progress, "{case}");
                if let Advance(progress) = what {
                    assert_eq!(
                        (&record.attempted["status"], &record.attempted["progress"]),
                        (&json!("PROCESSING"), &json!(progress)),
                        "{case}"
                    );
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_the_fence_every_one_of_these_writes_arrives() -> Tested {
    for variant in COMPLETE {
        let mut world = World::of("open", &variant).await;
        let mut application = Application::of(&world).await;
        for (closed, what, _) in CASES {
            let before = row(&mut world, &mut application, closed).await;
            assert_eq!(write(&mut application, before.id, what).await, 1);
            if let Advance(progress) = what {
                let after = world.row(before.id).await;
                assert_eq!((after.status.as_str(), after.progress), ("PROCESSING", progress), "{closed:?}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_guides_cancel_is_not_lost_to_the_workflows_first_step() -> Tested {
    for (stands, becomes) in [(true, "CANCELLED"), (false, "PROCESSING")] {
        let mut world = World::of("cancel_lost", &MIGRATED).await;
        if stands {
            apply(&mut world, Change::Install).await?;
        }
        let mut application = Application::of(&world).await;
        let row = Row::pending(seconds_ago(2));
        world.insert(std::slice::from_ref(&row)).await;
        write(&mut application, row.id, CANCEL).await;
        application.update_status(row.id, "PROCESSING", None, None).await?;
        application.advance(row.id, 10).await?;
        assert_eq!(world.row(row.id).await.status, becomes, "fence: {stands}");
    }
    Ok(())
}

#[tokio::test]
async fn inserts_and_deletes_are_none_of_its_business() -> Tested {
    for variant in COMPLETE {
        let mut world = fenced("others", &variant).await;
        let mut application = Application::of(&world).await;
        let gone = row(&mut world, &mut application, ByUs(RowFailed)).await;
        assert_eq!(application.write("DELETE FROM {processes} WHERE id = $1", gone.id).await?, 1);
        let odd = Row { progress: 150, ..Row::pending(seconds_ago(1)).became("CANCELLED", seconds_ago(1)) };
        world.insert(&[odd.clone(), gone.clone()]).await;
        assert_eq!((world.row(odd.id).await, world.row(gone.id).await), (odd.clone(), gone));
        // What it did not write it does not judge: a progress that is out of bounds already stays, and is no measure.
        assert_eq!(
            application.write("UPDATE {processes} SET {updated_at} = now(){utc} WHERE id = $1", odd.id).await?,
            1
        );
        assert_eq!(world.row(odd.id).await.progress, 150);
        let odd = Row { progress: 150, ..processing(10) };
        world.insert(std::slice::from_ref(&odd)).await;
        application.advance(odd.id, 90).await?;
        assert_eq!(world.row(odd.id).await.progress, 90);
    }
    Ok(())
}

#[tokio::test]
async fn an_insert_that_becomes_an_update_is_judged_like_one() -> Tested {
    let mut world = fenced("upsert", &GUIDE).await;
    let mut application = Application::of(&world).await;
    let before = row(&mut world, &mut application, ByUs(RowFailed)).await;
    let upsert =
        "INSERT INTO {processes} (id, {user_id}, type, status, {updated_at}) VALUES ($1, $1, 'x', 'PROCESSING', now())
                      ON CONFLICT (id) DO UPDATE SET status = excluded.status";
    assert_eq!(application.write(upsert, before.id).await?, 1);
    assert_eq!(world.row(before.id).await, before);
    Ok(())
}

#[tokio::test]
async fn our_own_writes_pass_whatever_they_change() -> Tested {
    for variant in COMPLETE {
        let mut world = fenced("own", &variant).await;
        let mut application = Application::of(&world).await;
        // A late success over our own failure, and back; a progress that falls, and one that a person puts back as it was.
        let failed = row(&mut world, &mut application, ByUs(RowFailed)).await;
        let action = close(&mut world, failed.id, Completed).await;
        assert_eq!(world.row(failed.id).await.status, "COMPLETED");
        take_back(&mut world, action).await;
        let back = world.row(failed.id).await;
        assert_eq!(back, Row { updated_at: back.updated_at, ..failed });

        let cancelled = row(&mut world, &mut application, ByApplication("CANCELLED")).await;
        close(&mut world, cancelled.id, Completed).await;
        assert_eq!(world.row(cancelled.id).await.status, "COMPLETED");

        let odd = Row { progress: 150, ..processing(120) };
        world.insert(std::slice::from_ref(&odd)).await;
        let action = repair(&mut world, odd.id, 40).await;
        take_back(&mut world, action).await;
        assert_eq!(world.row(odd.id).await.progress, 150);
        assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.refused_writes").await, 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_whole_batch_of_ours_passes() -> Tested {
    let mut world = fenced("batch", &MIGRATED).await;
    let rows: Vec<Row> = (0..300).map(|_| processing(120).became("CANCELLED", seconds_ago(100))).collect();
    world.insert(&rows).await;
    let mut wanted = Vec::with_capacity(rows.len());
    for row in &rows {
        wanted.push(closing(&world.process(row.id).await, None, Completed));
    }
    let actions: Vec<_> = wanted.iter().map(|wanted| planned(wanted.clone())).collect();
    let batch: Vec<_> = actions.iter().zip(&wanted).collect();
    let outcomes = world.set_all(&batch).await?;
    assert!(outcomes.iter().all(|outcome| outcome.result == ActionResult::Applied));
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.refused_writes").await, 0);
    Ok(())
}

#[tokio::test]
async fn a_person_who_says_so_passes_for_one_transaction_and_one_process() -> Tested {
    let mut world = fenced("let_through", &PUSHED).await;
    let mut application = Application::of(&world).await;
    let (mine, other) = (
        row(&mut world, &mut application, ByUs(RowFailed)).await,
        row(&mut world, &mut application, ByUs(RowFailed)).await,
    );
    let (mut person, mut bystander) = (world.database.connect().await?, world.database.connect().await?);
    let update = world.variant.spell("UPDATE {processes} SET status = 'COMPLETED' WHERE id = $1");
    let write = async |db: &mut PgConnection, id: Uuid| {
        sqlx::query(AssertSqlSafe(update.as_str())).bind(id).execute(db).await.unwrap().rows_affected()
    };
    let mut transaction = person.begin().await?;
    sqlx::query("SELECT remediation.let_through($1)").bind(mine.id).execute(&mut *transaction).await?;
    assert_eq!(write(&mut bystander, mine.id).await, 1);
    assert_eq!(world.row(mine.id).await, mine, "the lock is another's");
    assert_eq!(write(&mut transaction, other.id).await, 1);
    assert_eq!(write(&mut transaction, mine.id).await, 1);
    transaction.commit().await?;
    assert_eq!(world.row(mine.id).await.status, "COMPLETED");
    assert_eq!(world.row(other.id).await, other, "that one was not named");
    assert_eq!(write(&mut person, other.id).await, 1);
    assert_eq!(world.row(other.id).await, other, "the lock ended with its transaction");
    // What a person closed is the application's to open again.
    assert_eq!(application.advance(mine.id, 90).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_storm_of_late_writes_is_counted_and_not_listed() -> Tested {
    let mut world = fenced("storm", &MIGRATED).await;
    let mut application = Application::of(&world).await;
    let row = row(&mut world, &mut application, ByUs(RowFailed)).await;
    for progress in 51..=90 {
        assert_eq!(application.advance(row.id, progress).await?, 1);
    }
    application.update_status(row.id, "COMPLETED", None, None).await?;
    let records = refused(&world, row.id).await;
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.attempted["status"].as_str(), record.attempted["progress"].as_i64(), record.times))
        .collect();
    assert_eq!(told, [(Some("PROCESSING"), Some(90), 40), (Some("COMPLETED"), Some(100), 1)]);
    // A minute later it is told anew.
    world.execute("UPDATE remediation.refused_writes SET refused_at = refused_at - interval '61 seconds'").await;
    application.advance(row.id, 91).await?;
    assert_eq!(refused(&world, row.id).await.len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_refused_row_does_not_hinder_the_others_of_its_statement() -> Tested {
    let mut world = fenced("many", &MIGRATED).await;
    let mut application = Application::of(&world).await;
    let (open, closed) =
        (row(&mut world, &mut application, Open).await, row(&mut world, &mut application, ByUs(RowFailed)).await);
    let done = sqlx::query("UPDATE processing_state SET progress = progress + 1").execute(&mut application.db).await?;
    assert_eq!(done.rows_affected(), 2);
    assert_eq!((world.row(open.id).await.progress, world.row(closed.id).await.progress), (51, 50));
    assert_eq!(refused(&world, closed.id).await.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_later_failure_keeps_the_record_and_a_rollback_leaves_it_in_the_servers_log() -> Tested {
    let mut world = fenced("failing", &GUIDE).await;
    let mut application = Application::of(&world).await;
    let row = row(&mut world, &mut application, ByUs(RowFailed)).await;
    let advance = "UPDATE processing_state SET status = 'PROCESSING', progress = 90 WHERE id = $1";

    let mut transaction = application.db.begin().await?;
    sqlx::query(advance).bind(row.id).execute(&mut *transaction).await?;
    let mut inner = transaction.begin().await?;
    assert!(sqlx::query("UPDATE processing_state SET progress = 99999").execute(&mut *inner).await.is_err());
    inner.rollback().await?;
    transaction.commit().await?;
    assert_eq!(refused(&world, row.id).await.len(), 1);

    world.execute("DELETE FROM remediation.refused_writes").await;
    let mut transaction = application.db.begin().await?;
    sqlx::query(advance).bind(row.id).execute(&mut *transaction).await?;
    transaction.rollback().await?;
    assert!(refused(&world, row.id).await.is_empty());
    let line = format!("remediation fence: process {}: FAILED -> PROCESSING refused: closed-by-remediation", row.id);
    let server = Postgres::shared().await?.process();
    eventually(BOUND, "both refusals in the log", || async {
        (server.lines().iter().filter(|logged| logged.contains(&line)).count() == 2).then_some(())
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_late_write_that_waits_for_our_closing_is_refused() -> Tested {
    for isolation in ["READ COMMITTED", "REPEATABLE READ"] {
        let mut world = fenced("at_once", &MIGRATED).await;
        let mut application = Application::of(&world).await;
        let row = row(&mut world, &mut application, Open).await;
        sqlx::query("BEGIN").execute(&mut world.db).await?;
        close(&mut world, row.id, RowFailed).await;
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN ISOLATION LEVEL {isolation}; SELECT FROM processing_state")))
            .execute(&mut application.db)
            .await?;
        let user = application.user.clone();
        let late = tokio::spawn(async move {
            let written = application.advance(row.id, 90).await;
            sqlx::query("COMMIT").execute(&mut application.db).await.map(|_| written)
        });
        eventually(BOUND, "the late write to wait", || async {
            sqlx::query("SELECT FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'")
                .bind(&user)
                .fetch_optional(world.database.pool())
                .await
                .ok()?
                .map(drop)
        })
        .await?;
        sqlx::query("COMMIT").execute(&mut world.db).await?;
        let written = late.await??;
        assert_eq!((world.row(row.id).await.status.as_str(), world.row(row.id).await.progress), ("FAILED", 50));
        match isolation {
            "READ COMMITTED" => assert_eq!((written?, refused(&world, row.id).await.len()), (1, 1)),
            // As without the fence: the application's transaction was overtaken.
            _ => assert!(written.is_err_and(|error| error.to_string().contains("serialize"))),
        }
    }
    Ok(())
}

#[tokio::test]
async fn two_late_workers_at_once_are_both_refused_and_counted() -> Tested {
    let mut world = fenced("two_late", &MIGRATED).await;
    let (mut one, mut two) = (Application::of(&world).await, Application::of(&world).await);
    let row = row(&mut world, &mut one, ByUs(RowFailed)).await;
    sqlx::query("BEGIN").execute(&mut one.db).await?;
    assert_eq!(one.advance(row.id, 80).await?, 1);
    let user = two.user.clone();
    let second = tokio::spawn(async move { two.advance(row.id, 90).await });
    eventually(BOUND, "the second one to wait", || async {
        sqlx::query("SELECT FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'")
            .bind(&user)
            .fetch_optional(world.database.pool())
            .await
            .ok()?
            .map(drop)
    })
    .await?;
    sqlx::query("COMMIT").execute(&mut one.db).await?;
    assert_eq!(second.await??, 1);
    let records = refused(&world, row.id).await;
    assert_eq!(records.iter().map(|record| record.times).collect::<Vec<_>>(), [2], "{records:?}");
    assert_eq!(world.row(row.id).await, row);
    Ok(())
}

#[tokio::test]
async fn it_never_makes_a_statement_fail() -> Tested {
    let mut world = fenced("harmless", &MIGRATED).await;
    let mut application = Application::of(&world).await;
    let row = row(&mut world, &mut application, ByUs(RowFailed)).await;
    // Where it cannot record, it refuses all the same; where it cannot judge, it lets pass.
    world.execute("ALTER TABLE remediation.refused_writes RENAME TO elsewhere").await;
    assert_eq!(application.advance(row.id, 90).await?, 1);
    assert_eq!(world.row(row.id).await, row);
    world.execute("ALTER TABLE remediation.actions RENAME TO elsewhere_too").await;
    assert_eq!(application.advance(row.id, 90).await?, 1);
    assert_eq!(world.row(row.id).await.progress, 90);
    Ok(())
}

#[tokio::test]
async fn it_is_put_up_and_taken_away_once_and_on_record() -> Tested {
    for variant in COMPLETE {
        let mut world = World::of("record", &variant).await;
        let state = async |world: &mut World| State::read(&mut world.db, Some(&world.table)).await.unwrap();
        assert_eq!(state(&mut world).await, State::Absent);
        let steps = [
            (Change::Install, "install-fence", State::Installed, "absent", "installed"),
            (Change::Remove, "remove-fence", State::Absent, "installed", "absent"),
        ];
        for (change, kind, becomes, before, after) in steps {
            let outcome = apply(&mut world, change).await?;
            assert_eq!(outcome.result, ActionResult::Applied, "{outcome:?}");
            assert_eq!(state(&mut world).await, becomes);
            let entry = world.entry(outcome.id).await.ok_or("there is no entry")?;
            assert_eq!((entry.kind.as_str(), entry.outcome.as_str(), entry.closed), (kind, "applied", true));
            assert_eq!(entry.target, format!("fence of {}", variant.table_name()));
            assert_eq!(
                (entry.before, entry.after),
                (Some(json!({ "fence": before })), Some(json!({ "fence": after })))
            );
            // Again: somebody else was quicker.
            let again = apply(&mut world, change).await?;
            assert_eq!(again.result, ActionResult::Superseded);
            assert!(world.entry(again.id).await.is_none());
            let error = undo_of(&mut world.db, outcome.id).await.unwrap_err().to_string();
            let event = if change == Change::Install { "remove" } else { "install" };
            assert!(error.contains(&format!("send {{\"fence\": \"{event}\"}} to migrate")), "{error}");
        }
        let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname = 'remediation_fence'";
        assert_eq!(world.ask::<i64>(triggers).await, 0);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_as_this_build_makes_it_is_outdated_and_renewed() -> Tested {
    for meddling in [
        "COMMENT ON FUNCTION remediation.fence() IS 'md5:0'",
        "ALTER TABLE {processes} DISABLE TRIGGER remediation_fence",
        "DROP TRIGGER remediation_fence ON {processes}",
        "DROP TRIGGER remediation_fence ON {processes}; CREATE TABLE other (LIKE {processes});
         CREATE TRIGGER remediation_fence BEFORE UPDATE ON other FOR EACH ROW EXECUTE FUNCTION remediation.fence()",
    ] {
        let mut world = fenced("outdated", &PUSHED).await;
        world.execute(meddling).await;
        assert_eq!(State::read(&mut world.db, Some(&world.table)).await?, State::Outdated, "{meddling}");
        let outcome = apply(&mut world, Change::Install).await?;
        assert_eq!(outcome.before, Some(json!({ "fence": "outdated" })));
        assert_eq!(State::read(&mut world.db, Some(&world.table)).await?, State::Installed, "{meddling}");
        assert_eq!(world.ask::<i64>("SELECT count(*) FROM pg_trigger WHERE tgname = 'remediation_fence'").await, 1);
    }
    Ok(())
}

#[tokio::test]
async fn without_retry_counts_it_is_not_put_up() -> Tested {
    for variant in [EARLY, ELSEWHERE] {
        let mut world = World::of("incomplete", &variant).await;
        let found = State::read(&mut world.db, Some(&world.table)).await?;
        let name = world.config.table.to_string();
        let error = Fence::missing(Change::Install, found, name, Some(&world.table)).unwrap_err();
        assert!(
            matches!(&error, Error::Table(why) if why.contains("`retry_count`") && why.contains("could not tell a retry")),
            "{error}"
        );
        assert!(matches!(apply(&mut world, Change::Install).await, Err(Error::Table(_))));
        assert_eq!(State::read(&mut world.db, Some(&world.table)).await?, State::Absent);
        assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.actions").await, 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_table_that_is_locked_is_not_waited_for_long_and_nothing_is_left_behind() -> Tested {
    let mut world = World::of("locked_out", &MIGRATED).await;
    let mut application = Application::of(&world).await;
    let row = row(&mut world, &mut application, Open).await;
    sqlx::query("BEGIN").execute(&mut application.db).await?;
    application.advance(row.id, 60).await?;
    let error = apply(&mut world, Change::Install).await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused(why) if why.contains("public.processing_state") && why.contains("try again")),
        "{error}"
    );
    assert_eq!(State::read(&mut world.db, Some(&world.table)).await?, State::Absent);
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.actions").await, 0);
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM pg_proc WHERE proname = 'fence'").await, 0);
    // The application's transaction has not noticed, and the connection is as it was.
    application.advance(row.id, 70).await?;
    sqlx::query("COMMIT").execute(&mut application.db).await?;
    let timeout: String = sqlx::query_scalar("SHOW lock_timeout").fetch_one(&mut world.db).await?;
    assert_eq!(timeout, "0");
    assert_eq!(apply(&mut world, Change::Install).await?.result, ActionResult::Applied);
    Ok(())
}

#[tokio::test]
async fn a_missing_right_is_told_with_the_grant_that_gives_it() -> Tested {
    let mut world = World::of("no_trigger_right", &PUSHED).await;
    let owner = world
        .variant
        .spell("ALTER TABLE {processes} OWNER TO postgres; GRANT SELECT, INSERT, UPDATE ON {processes} TO application");
    world.database.execute_as_superuser(&owner).await?;
    let error = apply(&mut world, Change::Install).await.unwrap_err().to_string();
    let (_, grant) = error.split_once("nothing was changed: ").ok_or(error.clone())?;
    assert_eq!(grant, "GRANT TRIGGER ON \"public\".\"ProcessingState\" TO application", "{error}");
    assert_eq!(State::read(&mut world.db, Some(&world.table)).await?, State::Absent);
    world.database.execute_as_superuser(grant).await?;
    assert_eq!(apply(&mut world, Change::Install).await?.result, ActionResult::Applied);
    // To take it away, the table need not be ours.
    assert_eq!(apply(&mut world, Change::Remove).await?.result, ActionResult::Applied);
    Ok(())
}

#[tokio::test]
async fn two_who_put_it_up_at_once_put_it_up_once() -> Tested {
    let mut world = World::of("both", &MIGRATED).await;
    let mut other = world.another().await;
    let (one, two) = tokio::join!(apply(&mut world, Change::Install), apply(&mut other, Change::Install));
    let mut results = [one?.result, two?.result];
    results.sort_by_key(|result| *result != ActionResult::Applied);
    assert_eq!(results, [ActionResult::Applied, ActionResult::Superseded]);
    assert_eq!(world.ask::<i64>("SELECT count(*) FROM remediation.actions WHERE kind = 'install-fence'").await, 1);
    Ok(())
}

#[tokio::test]
async fn it_goes_with_the_schema() -> Tested {
    let mut world = fenced("goes", &GUIDE).await;
    let mut application = Application::of(&world).await;
    let row = row(&mut world, &mut application, ByUs(RowFailed)).await;
    world.execute("DROP SCHEMA remediation CASCADE").await;
    assert_eq!(application.advance(row.id, 90).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_migration_of_the_applications_table_is_not_hindered_and_breaks_nothing() -> Tested {
    let mut world = fenced("migrated_on", &MIGRATED).await;
    let mut application = Application::of(&world).await;
    let (open, closed) =
        (row(&mut world, &mut application, Open).await, row(&mut world, &mut application, ByUs(RowFailed)).await);
    // What this session has prepared is of the types that were.
    application.advance(open.id, 60).await?;
    assert_eq!(application.advance(closed.id, 60).await?, 1);
    world
        .execute(
            "ALTER TABLE processing_state ALTER status DROP DEFAULT, ALTER status TYPE text USING status::text,
                                          ALTER progress TYPE integer",
        )
        .await;
    let mut later = Application { variant: GUIDE, ..Application::of(&world).await };
    application.variant = GUIDE;
    assert_eq!(application.advance(open.id, 70).await?, 1);
    assert_eq!(later.advance(open.id, 80).await?, 1);
    assert_eq!(later.advance(closed.id, 90).await?, 1);
    assert_eq!(
        State::read(
            &mut world.db,
            Some(&Table::read(&world.config.table, world.config.language, &mut later.db).await?)
        )
        .await?,
        State::Installed
    );

    // A column that it reads and that is gone: it lets pass, and is outdated.
    world.execute("ALTER TABLE processing_state RENAME completed_at TO \"completedAt\"").await;
    let mut later = Application { variant: GUIDE, ..Application::of(&world).await };
    assert_eq!(later.advance(closed.id, 90).await?, 1);
    let table = Table::read(&world.config.table, world.config.language, &mut later.db).await?;
    assert_eq!(State::read(&mut world.db, Some(&table)).await?, State::Outdated);
    Ok(())
}
