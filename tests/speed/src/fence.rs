//! What the fence costs the application's own writes: the progress of open rows, with it and without it.
//!
//! Two databases of one server hold the same rows; they are written in turns, so that whatever else the machine does meets both.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use functions_tests::STATE_MACHINE_ARN;
use harness::{Database, Function, Postgres};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::figure::Figure;
use crate::measured::{Measured, median, say};
use crate::sweep;

const ROWS: i32 = 20_000;
const ROUNDS: i16 = 15;
/// How many of the rows are written over the connection, each in a transaction of its own.
const ASKED: i32 = 2_000;

const FILL: &str = include_str!("../sql/fence_fill.sql");
const EACH: &str = include_str!("../sql/fence_each.sql");
const ALL: &str = include_str!("../sql/fence_all.sql");
const ONE: &str = include_str!("../sql/fence_one.sql");

/// What it took, and how much PostgreSQL wrote into its log for it.
struct Took {
    clock: Duration,
    wal: i64,
}

/// Measures both ways to write the rows.
pub async fn measure(programs: &BTreeMap<String, PathBuf>) -> Measured<Vec<Figure>> {
    let server = Postgres::builder().setting("max_wal_size", "4GB").setting("shared_buffers", "256MB").start().await?;
    let (open, fenced) =
        (sweep::database(&server, programs, "open").await?, sweep::database(&server, programs, "fenced").await?);
    let migrate = programs.get("migrate").ok_or("there is no migrate")?;
    let migrate = Function::at(migrate).database(&fenced).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN).start().await?;
    let answer: Value = migrate.invoke(&json!({ "fence": "install" })).await?;
    if answer["actions"][0]["outcome"] != "applied" {
        return Err(format!("the fence was not put up: {answer:#}").into());
    }
    for database in [&open, &fenced] {
        database.execute(&FILL.replace("{rows}", &ROWS.to_string())).await?;
    }
    say(&format!("writing the progress of {ROWS} open rows, {ROUNDS} times with the fence and without"));
    let (mut one, mut other) = (open.connect().await?, fenced.connect().await?);
    let mut each = [Vec::new(), Vec::new()];
    let mut all = [Vec::new(), Vec::new()];
    let mut asked = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (sql, took, progress) in [(EACH, &mut each, 3 * round + 1), (ALL, &mut all, 3 * round + 2)] {
            took[0].push(write(&open, &mut one, sql, progress).await?);
            took[1].push(write(&fenced, &mut other, sql, progress).await?);
        }
        asked[0].push(ask(&open, &mut one, 3 * round + 3).await?);
        asked[1].push(ask(&fenced, &mut other, 3 * round + 3).await?);
    }
    let refused: i64 =
        sqlx::query_scalar("SELECT count(*) FROM remediation.refused_writes").fetch_one(fenced.pool()).await?;
    if refused != 0 {
        return Err(format!("the fence has refused {refused} writes that only went on").into());
    }
    Ok(vec![
        figure(
            "fence: an update as the worker's, times without",
            &asked,
            ASKED,
            "each a prepared statement over loopback, committed to memory only",
        ),
        figure("fence: the same inside PostgreSQL", &each, ROWS, "a statement a row by its key, in one DO block"),
        figure("fence: one statement for all rows", &all, ROWS, "one UPDATE"),
    ])
}

fn figure(what: &str, [without, with]: &[Vec<Took>; 2], rows: i32, how: &str) -> Figure {
    let clock = |took: &[Took]| median(&took.iter().map(|took| took.clock).collect::<Vec<_>>());
    let wal = |took: &[Took]| took.iter().map(|took| took.wal).sum::<i64>() / i64::from(rows) / i64::from(ROUNDS);
    let a_row = |took: &[Took]| clock(took).as_secs_f64() * 1e6 / f64::from(rows);
    let why = format!(
        "{rows} open rows, {how}; medians of {ROUNDS} rounds in turns: {:.1} µs a row with it, {:.1} without; of its log {} and {} bytes",
        a_row(with),
        a_row(without),
        wal(with),
        wal(without),
    );
    Figure::told(what, clock(with).as_secs_f64() / clock(without).as_secs_f64(), "×", why)
}

/// Writes all rows once.
async fn write(database: &Database, connection: &mut PgConnection, sql: &str, progress: i16) -> Measured<Took> {
    clear(database).await?;
    let before = position(connection).await?;
    let began = Instant::now();
    sqlx::raw_sql(AssertSqlSafe(sql.replace("{progress}", &progress.to_string()))).execute(&mut *connection).await?;
    let clock = began.elapsed();
    let wal = position(connection).await? - before;
    let written: i64 = sqlx::query_scalar("SELECT count(*) FROM public.processing_state WHERE progress = $1")
        .bind(progress)
        .fetch_one(connection)
        .await?;
    if written != i64::from(ROWS) {
        return Err(format!("{written} of {ROWS} rows were written").into());
    }
    Ok(Took { clock, wal })
}

/// Writes some rows one after the other, as workers do.
async fn ask(database: &Database, connection: &mut PgConnection, progress: i16) -> Measured<Took> {
    clear(database).await?;
    let before = position(connection).await?;
    let began = Instant::now();
    for row in 1..=ASKED {
        let done = sqlx::query(ONE).bind(row).bind(progress).execute(&mut *connection).await?;
        if done.rows_affected() != 1 {
            return Err(format!("row {row} was not written").into());
        }
    }
    Ok(Took { clock: began.elapsed(), wal: position(connection).await? - before })
}

/// Clears away what earlier rounds left behind.
async fn clear(database: &Database) -> Measured<()> {
    database.execute("VACUUM public.processing_state").await?;
    Ok(database.execute_as_superuser("CHECKPOINT").await?)
}

/// How far PostgreSQL's log has come, in bytes.
async fn position(connection: &mut PgConnection) -> Measured<i64> {
    let sql = "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8";
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}
