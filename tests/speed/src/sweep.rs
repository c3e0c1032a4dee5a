//! `reconcile-processes` over many open rows whose executions are known, beside the bare statement that writes the same.
//!
//! Each is measured on a database of its own with the same rows, in turns, so that whatever else the machine does meets all.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use functions_tests::STATE_MACHINE_ARN;
use harness::{AwsProxy, Database, Function, Postgres};
use patient::table::{self, GUIDE};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::figure::Figure;
use crate::{Measured, median, milliseconds, say, start};

const TIMES_THE_BARE_STATEMENT: f64 = 2.0;
const LAMBDA: Duration = Duration::from_secs(300);
/// Of the function's manifest.
const MEMORY_MIB: f64 = 512.0;

const FILL: &str = include_str!("../sql/fill.sql");
const UPDATE: &str = include_str!("../sql/update.sql");
const UPDATE_AND_LEDGER: &str = include_str!("../sql/update_and_ledger.sql");

/// What the function's sweep took.
struct Swept {
    took: Duration,
    peak: u64,
    /// By statement, what PostgreSQL itself worked.
    postgres: Vec<(&'static str, Duration)>,
}

/// Measures the sweep and what it is compared with.
pub async fn measure(programs: &BTreeMap<String, PathBuf>, rows: i32, times: usize) -> Measured<Vec<Figure>> {
    let server = Postgres::builder().setting("max_wal_size", "8GB").setting("shared_buffers", "256MB").start().await?;
    let (mut swept, mut bare, mut recorded) = (Vec::new(), Vec::new(), Vec::new());
    for time in 1..=times {
        say(&format!("sweeping {rows} open rows ({time} of {times})"));
        let database = filled(&server, programs, "sweep", rows).await?;
        swept.push(sweep(programs, &database, rows).await?);
        let wanted = statuses(&database).await?;
        drop_database(&server, database).await?;
        for (sql, into) in [(UPDATE, &mut bare), (UPDATE_AND_LEDGER, &mut recorded)] {
            let database = filled(&server, programs, "bare", rows).await?;
            into.push(statement(&database, sql).await?);
            let written = statuses(&database).await?;
            if written != wanted {
                return Err(format!("the bare statement writes {written:?}, the function {wanted:?}").into());
            }
            drop_database(&server, database).await?;
        }
        let [of_function, of_bare, of_recorded] =
            [swept[time - 1].took, bare[time - 1], recorded[time - 1]].map(milliseconds);
        say(&format!(
            "function {of_function:.0} ms, bare UPDATE {of_bare:.0} ms, with ledger rows {of_recorded:.0} ms"
        ));
    }
    Ok(figures(swept, &bare, &recorded, rows))
}

fn figures(mut swept: Vec<Swept>, bare: &[Duration], recorded: &[Duration], rows: i32) -> Vec<Figure> {
    swept.sort_by_key(|swept| swept.took);
    let peak = swept.iter().map(|swept| swept.peak).max().unwrap_or_default();
    let sweep = swept.swap_remove(swept.len() / 2);
    let (bare, recorded) = (median(bare), median(recorded));
    let times = |of: Duration| sweep.took.as_secs_f64() / of.as_secs_f64();
    let in_postgres: Duration = sweep.postgres.iter().map(|(_, took)| *took).sum();
    let parts: Vec<String> =
        sweep.postgres.iter().map(|(part, took)| format!("{part} {:.1} s", took.as_secs_f64())).collect();
    let why = format!(
        "in PostgreSQL: {}; in the function and on the way {:.1} s; the ledger's rows alone make the bare statement {:.1} times as dear",
        parts.join(", "),
        sweep.took.saturating_sub(in_postgres).as_secs_f64(),
        recorded.as_secs_f64() / bare.as_secs_f64()
    );
    let statements = format!(
        "{:.2} s for {rows} rows; UPDATE alone {:.2} s, with ledger rows {:.2} s",
        sweep.took.as_secs_f64(),
        bare.as_secs_f64(),
        recorded.as_secs_f64()
    );
    vec![
        Figure::aimed("reconcile: times the bare UPDATE", times(bare), "×", TIMES_THE_BARE_STATEMENT, why),
        Figure::told("reconcile: times UPDATE with ledger rows", times(recorded), "×", statements),
        Figure::aimed(
            "reconcile: peak memory",
            start::mebibytes(peak),
            "MiB",
            MEMORY_MIB,
            "the function's memory in its manifest".to_owned(),
        ),
    ]
}

/// A database with the application's table and the ledger, made by the release `migrate`.
pub async fn database(server: &Postgres, programs: &BTreeMap<String, PathBuf>, hint: &str) -> Measured<Database> {
    let database = server.database(hint).await?;
    table::create(database.pool(), &GUIDE).await?;
    let migrate = programs.get("migrate").ok_or("there is no migrate")?;
    let migrate = Function::at(migrate).database(&database).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN).start().await?;
    migrate.invoke(&json!({ "all": true })).await?;
    Ok(database)
}

async fn filled(server: &Postgres, programs: &BTreeMap<String, PathBuf>, hint: &str, rows: i32) -> Measured<Database> {
    let database = database(server, programs, hint).await?;
    let executions = STATE_MACHINE_ARN.replace(":stateMachine:", ":execution:");
    database.execute(&FILL.replace("{rows}", &rows.to_string()).replace("{executions}", &executions)).await?;
    for table in ["public.processing_state", "remediation.executions", "remediation.actions"] {
        database.execute(&format!("VACUUM ANALYZE {table}")).await?;
    }
    database.execute_as_superuser("CHECKPOINT").await?;
    database.execute_as_superuser("SELECT pg_stat_statements_reset()").await?;
    Ok(database)
}

async fn drop_database(server: &Postgres, database: Database) -> Measured<()> {
    database.pool().close().await;
    let mut administrator = sqlx::PgConnection::connect_with(&server.administrator("postgres")).await?;
    let drop = format!("DROP DATABASE {} WITH (FORCE)", database.name());
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut administrator).await?;
    Ok(())
}

async fn sweep(programs: &BTreeMap<String, PathBuf>, database: &Database, rows: i32) -> Measured<Swept> {
    // Nothing new is on the list: what is known is enough, and no other call is answered.
    let aws = AwsProxy::start("http://127.0.0.1:1").await?;
    aws.answer("ListExecutions", json!({ "executions": [] }));
    let program = programs.get("reconcile-processes").ok_or("there is no reconcile-processes")?;
    let function = Function::at(program).envs(aws.environment()).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN);
    let function = function.database(database).timeout(LAMBDA).memory(512).start().await?;
    let began = Instant::now();
    let answer: Value = function.invoke(&json!({ "all": true })).await?;
    let took = began.elapsed();
    let applied: i64 = sqlx::query_scalar("SELECT count(*) FROM remediation.actions WHERE outcome = 'applied'")
        .fetch_one(database.pool())
        .await?;
    if applied != i64::from(rows) || answer["verification"] != "verified" {
        return Err(format!("the sweep closed {applied} of {rows} rows: {}", answer["summary"]).into());
    }
    let peak = function.process_id().map_or(Ok(0), peak)?;
    Ok(Swept { took, peak, postgres: by_statement(database).await? })
}

/// The most memory that a process ever held, in bytes.
fn peak(pid: u32) -> Measured<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the kernel tells no VmHWM")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// What PostgreSQL worked for the function, by statement, the dearest first.
async fn by_statement(database: &Database) -> Measured<Vec<(&'static str, Duration)>> {
    let rows = sqlx::query(include_str!("../sql/by_statement.sql")).fetch_all(database.pool()).await?;
    rows.iter()
        .map(|row| {
            let part = match row.try_get("part")? {
                "write" => "rows and ledger",
                "read" => "candidates",
                "limits" => "limits",
                _ => "the rest",
            };
            Ok((part, Duration::from_secs_f64(row.try_get("seconds")?)))
        })
        .collect()
}

async fn statement(database: &Database, sql: &str) -> Measured<Duration> {
    let mut connection = database.connect().await?;
    let began = Instant::now();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(began.elapsed())
}

/// How many rows are in which state: what is compared has to write the same.
async fn statuses(database: &Database) -> Measured<Vec<(String, i64, i64, i64)>> {
    let sql =
        "SELECT status, count(*), count(error), sum(progress)::int8 FROM public.processing_state GROUP BY 1 ORDER BY 1";
    Ok(sqlx::query_as(sql).fetch_all(database.pool()).await?)
}
