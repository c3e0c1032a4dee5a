//! A million processes: every sweep finds its work by index. That it is quick is for `cargo speed` to say.

use functions_tests::scale::{self, HISTORY, SWEEPS, Sweep};
use functions_tests::{STATE_MACHINE_ARN, Tested};
use harness::{Database, Function, Postgres};
use patient::table::{self, GUIDE};
use serde_json::{Value, json};

/// Explains, in its log, every statement as it is really run.
pub async fn explaining() -> Tested<Postgres> {
    let server = Postgres::builder()
        .setting("shared_preload_libraries", "pg_stat_statements,auto_explain")
        .setting("auto_explain.log_min_duration", "0")
        .setting("auto_explain.log_nested_statements", "on")
        .setting("auto_explain.log_format", "json")
        .setting("auto_explain.log_analyze", "on")
        .setting("auto_explain.log_timing", "off")
        .setting("auto_explain.log_verbose", "on")
        .setting("logging_collector", "on")
        .setting("log_destination", "jsonlog")
        .setting("log_directory", "log")
        .setting("log_rotation_size", "0")
        .setting("max_wal_size", "4GB")
        // As for any disk without moving heads. With the default, 4, both plans for open rows cost the planner the same at this size, and
        // the luck of ANALYZE's sample decides.
        .setting("random_page_cost", "1.1")
        .setting("shared_buffers", "256MB");
    Ok(server.start().await?)
}

/// The plans of the statements that the steps have sent, each with its step, from the server's log.
pub async fn plans(server: &Postgres, database: &Database) -> Tested<Vec<(String, Value)>> {
    use sqlx::Connection as _;
    let mut administrator = sqlx::PgConnection::connect_with(&server.administrator(database.name())).await?;
    let log: String =
        sqlx::query_scalar("SELECT pg_read_file(pg_current_logfile('jsonlog'))").fetch_one(&mut administrator).await?;
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let plans = lines.filter_map(|line| {
        let step = line["application_name"].as_str()?.strip_prefix("remediation/")?;
        let (_, plan) = line["message"].as_str()?.split_once("plan:\n")?;
        Some((step.to_owned(), serde_json::from_str(plan).ok()?))
    });
    Ok(plans.collect())
}

/// The nodes of a plan that read a table from its beginning to its end.
fn sequential_scans(node: &Value, table: &str) -> usize {
    let here =
        node["Node Type"].as_str().is_some_and(|kind| kind.ends_with("Seq Scan")) && node["Relation Name"] == table;
    let below = node["Plans"].as_array().into_iter().flatten().map(|node| sequential_scans(node, table));
    usize::from(here) + below.sum::<usize>()
}

/// How often the server itself says that the table was read so.
async fn counted(database: &Database) -> Tested<i64> {
    let mut connection = database.connect().await?;
    sqlx::query("SELECT pg_stat_clear_snapshot()").execute(&mut connection).await?;
    let sql = "SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'public.processing_state'::regclass";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut connection).await?)
}

#[tokio::test]
async fn among_a_million_processes_every_sweep_finds_its_work_by_index() -> Tested {
    let server = explaining().await?;
    let database = server.database("scale").await?;
    table::create(database.pool(), &GUIDE).await?;
    let migrate = Function::builder("migrate").database(&database).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN);
    let migrate = migrate.start().await?;
    migrate.invoke(&json!({ "all": true })).await?;
    scale::fill(&database, &migrate, HISTORY).await?;
    let again = migrate.invoke(&json!({})).await?;
    assert_eq!(again["report"]["optionalIndexes"], json!([]), "all that was proposed is there");

    let aws = scale::nothing_new().await?;
    let before = counted(&database).await?;
    for sweep in SWEEPS {
        let function = scale::function(Function::builder(sweep.step), &database, &aws).start().await?;
        let answer = function.invoke(&sweep.event()).await?;
        assert_eq!(Sweep::told(&answer), sweep.actions, "{}: {}", sweep.step, answer["summary"]);
        let mut plans = plans(&server, &database).await?;
        plans.retain(|(step, _)| step == sweep.step);
        assert!(!plans.is_empty(), "{}: its statements are in the log", sweep.step);
        for (_, plan) in &plans {
            let scans = sequential_scans(&plan["Plan"], "processing_state");
            assert_eq!(scans, 0, "{} reads the whole table: {plan:#}", sweep.step);
        }
    }
    // A backend reports what it counted when it has nothing to do, at the latest when it ends: the functions have ended.
    assert_eq!(counted(&database).await?, before, "the server has counted sequential scans of the table");
    Ok(())
}
