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
use crate::measured::{Measured, median, milliseconds, say};
use crate::start;

const TIMES_THE_BARE_STATEMENT: f64 = 2.0;
/// Of the sweep's time.
const PERCENT_FOR_THE_RAMP: f64 = 5.0;
const LAMBDA: Duration = Duration::from_secs(300);
/// Of the function's manifest.
const MEMORY_MIB: f64 = 512.0;

const FILL: &str = include_str!("../sql/fill.sql");
const UPDATE: &str = include_str!("../sql/update.sql");
const UPDATE_AND_LEDGER: &str = include_str!("../sql/update_and_ledger.sql");

/// What a statement took: on the clock, and of a processor, which others on the machine disturb less.
#[derive(Clone, Copy)]
struct Took {
    clock: Duration,
    processor: Duration,
}

/// What the function's sweep took.
struct Swept {
    took: Took,
    /// Of `took.processor`, what the function itself needed; the rest is PostgreSQL's.
    function: Duration,
    peak: u64,
    /// What it took longer because its first changes were few at once (design, 6.2).
    ramp: Duration,
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
        let took =
            [("function", swept[time - 1].took), ("UPDATE", bare[time - 1]), ("with ledger", recorded[time - 1])];
        for (what, took) in took {
            let [clock, processor] = [took.clock, took.processor].map(milliseconds);
            say(&format!("{what}: {clock:.0} ms, of a processor {processor:.0} ms"));
        }
    }
    Ok(figures(swept, &bare, &recorded, rows))
}

fn figures(mut swept: Vec<Swept>, bare: &[Took], recorded: &[Took], rows: i32) -> Vec<Figure> {
    swept.sort_by_key(|swept| swept.took.clock);
    let peak = swept.iter().map(|swept| swept.peak).max().unwrap_or_default();
    let middle = |of: &[Took]| {
        let each = |part: fn(&Took) -> Duration| median(&of.iter().map(part).collect::<Vec<_>>());
        Took { clock: each(|took| took.clock), processor: each(|took| took.processor) }
    };
    let (bare, recorded) = (middle(bare), middle(recorded));
    let ours = middle(&swept.iter().map(|swept| swept.took).collect::<Vec<_>>());
    let sweep = swept.swap_remove(swept.len() / 2);
    let times = |of: Duration, reference: Duration| of.as_secs_f64() / reference.as_secs_f64();
    let seconds = |of: Duration| format!("{:.2} s", of.as_secs_f64());
    let parts: Vec<String> = sweep.postgres.iter().map(|(part, took)| format!("{part} {}", seconds(*took))).collect();
    let why = format!(
        "its ledger rows alone make the bare statement {:.1} × as dear; in PostgreSQL: {}",
        times(recorded.clock, bare.clock),
        parts.join(", "),
    );
    let of_processor = format!(
        "the function {} of its own, PostgreSQL for it {}; UPDATE alone {}, with ledger rows {}",
        seconds(sweep.function),
        seconds(sweep.took.processor.saturating_sub(sweep.function)),
        seconds(bare.processor),
        seconds(recorded.processor)
    );
    let on_the_clock = format!(
        "{} for {rows} rows; UPDATE alone {}, with ledger rows {}",
        seconds(ours.clock),
        seconds(bare.clock),
        seconds(recorded.clock)
    );
    vec![
        Figure::aimed(
            "reconcile: times the bare UPDATE",
            times(ours.clock, bare.clock),
            "×",
            TIMES_THE_BARE_STATEMENT,
            why,
        ),
        Figure::told("reconcile: times UPDATE with ledger rows", times(ours.clock, recorded.clock), "×", on_the_clock),
        Figure::told(
            "reconcile: the same in processor time",
            times(ours.processor, recorded.processor),
            "×",
            of_processor,
        ),
        Figure::aimed(
            "reconcile: cost of the ramp",
            100.0 * times(sweep.ramp, sweep.took.clock),
            "%",
            PERCENT_FOR_THE_RAMP,
            format!(
                "{:.0} ms: 1, 10 and 100 rows first, each read back and judged before the next",
                milliseconds(sweep.ramp)
            ),
        ),
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

/// Makes room for the next one.
pub async fn drop_database(server: &Postgres, database: Database) -> Measured<()> {
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
    let clock = began.elapsed();
    let applied: i64 = sqlx::query_scalar("SELECT count(*) FROM remediation.actions WHERE outcome = 'applied'")
        .fetch_one(database.pool())
        .await?;
    if applied != i64::from(rows) || answer["verification"] != "verified" {
        return Err(format!("the sweep closed {applied} of {rows} rows: {}", answer["summary"]).into());
    }
    let pid = function.process_id().ok_or("the function has ended")?;
    let backend: i32 = sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'remediation/reconcile-processes' AND datname = current_database()",
    )
    .fetch_one(database.pool())
    .await?;
    let function = processor_time(pid)?;
    let took = Took { clock, processor: function + processor_time(backend.unsigned_abs())? };
    let ramp: f64 = sqlx::query_scalar(include_str!("../sql/ramp.sql")).fetch_one(database.pool()).await?;
    let ramp = Duration::from_secs_f64(ramp);
    Ok(Swept { took, function, peak: peak(pid)?, ramp, postgres: by_statement(database).await? })
}

/// The most memory that a process ever held, in bytes.
pub fn peak(pid: u32) -> Measured<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the kernel tells no VmHWM")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// What a process has used of a processor so far.
fn processor_time(pid: u32) -> Measured<Duration> {
    /// The kernel's unit in `/proc`, the same on every architecture.
    const TICKS_A_SECOND: u32 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).map(str::parse::<u32>).sum::<Result<_, _>>()?;
    Ok(Duration::from_secs(1) * ticks / TICKS_A_SECOND)
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

async fn statement(database: &Database, sql: &str) -> Measured<Took> {
    let mut connection = database.connect().await?;
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
    let began = Instant::now();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(Took { clock: began.elapsed(), processor: processor_time(backend.unsigned_abs())? })
}

/// How many rows are in which state: what is compared has to write the same.
async fn statuses(database: &Database) -> Measured<Vec<(String, i64, i64, i64)>> {
    let sql =
        "SELECT status, count(*), count(error), sum(progress)::int8 FROM public.processing_state GROUP BY 1 ORDER BY 1";
    Ok(sqlx::query_as(sql).fetch_all(database.pool()).await?)
}
