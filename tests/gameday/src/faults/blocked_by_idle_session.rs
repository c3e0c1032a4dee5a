use chrono::Utc;
use harness::eventually;
use patient::table::Row;
use patient::{Behaviour, Patient, Session};

use crate::beside::{Also, Question};
use crate::expected::{COMPLETED, Expected};
use crate::fault::{Breaking, Broken, Fault};
use crate::outcome::Outcome;
use crate::world::{HANGING, PATIENCE, World};

/// The guide's locks (1, DATABASE_ERROR): a function of the application took the row and was killed before its COMMIT, so that whoever
/// writes the row waits. Once that session is gone, the application goes its own way to the end.
///
/// The workflow's first write waits and not its last one, because nothing holds the worker between two of its writes.
pub struct BlockedByIdleSession;

impl Fault for BlockedByIdleSession {
    fn name(&self) -> &'static str {
        "blocked-by-idle-session"
    }

    fn story(&self) -> &'static str {
        "a session that is idle in transaction locks the row, and the workflow's write waits"
    }

    fn expected(&self, _: &Patient) -> Expected {
        Expected {
            actions: &["terminate-session"],
            // What waits for the session waits past its deadline.
            unmended: &["stop-execution"],
            steps: &["relieve-database"],
            ..COMPLETED
        }
    }

    fn break_it<'a>(&'a self, world: &'a World) -> Breaking<'a> {
        Box::pin(async move {
            let row = Row::pending(Utc::now());
            world.patient.accept(&row).await?;
            let take = world.patient.variant().spell("SELECT FROM {processes} WHERE id = ");
            let session = Session::open(&world.database.url(), HANGING).await?.after("BEGIN").await?;
            let session = session.after(&format!("{take}'{}' FOR UPDATE", row.id)).await?;
            world.patient.execute(&row, &Behaviour::Succeed).await?;
            let pid = session.pid();
            waited_for(world, pid).await?;
            let target = target(world, pid).await?;
            // Nobody speaks to it any more, and nobody closes it.
            tokio::spawn(async move {
                let _held = session;
                std::future::pending::<()>().await;
            });
            let broken =
                Broken::now(world, row.id, format!("{HANGING} idle in its transaction, a write waits")).await?;
            let sql =
                "SELECT coalesce((SELECT state FROM pg_stat_activity WHERE pid = split_part($1, ' ', 2)::int), 'gone')";
            Ok(broken.and(Also { target, question: Question::Sql(sql), broken: "idle in transaction", right: "gone" }))
        })
    }
}

/// Waits until somebody waits for a session.
async fn waited_for(world: &World, pid: i32) -> Outcome<()> {
    let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid)))";
    let seen = eventually(PATIENCE, format!("somebody to wait for session {pid}"), || async {
        let waits: bool = sqlx::query_scalar(waits).bind(pid).fetch_one(world.database.pool()).await.ok()?;
        waits.then_some(())
    });
    Ok(seen.await?)
}

/// A session as the ledger names it.
async fn target(world: &World, pid: i32) -> Outcome<String> {
    let sql = r#"SELECT format('session %s of %s', pid, to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
                   FROM pg_stat_activity WHERE pid = $1"#;
    Ok(sqlx::query_scalar(sql).bind(pid).fetch_one(world.database.pool()).await?)
}
