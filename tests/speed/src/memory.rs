//! The most memory that each sweep ever holds, at so many rows that are its business: told, held back and done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use functions_tests::STATE_MACHINE_ARN;
use functions_tests::scale::{self, Sweep};
use harness::paths::workspace;
use harness::{Function, Postgres};
use serde_json::json;

use crate::figure::Figure;
use crate::measured::{Measured, say};
use crate::{start, sweep};

/// How many rows there are for all sweeps together; each finds at least a quarter of them.
const ROWS: [u32; 2] = [100_000, 1_000_000];

/// Those that look at rows. Of what would be calls to Step Functions nothing is done.
const SWEEPS: [(&str, bool); 5] = [
    ("stop-cancelled-executions", false),
    ("retry-failed-processes", false),
    ("repair-progress", true),
    ("fail-timed-out-processes", true),
    ("reconcile-processes", true),
];

/// A part of what the manifest gives: the rest is for what nobody has thought of.
const PART: f64 = 0.6;

/// Measures each sweep in a program of its own.
pub async fn measure(programs: &BTreeMap<String, PathBuf>) -> Measured<Vec<Figure>> {
    let server = Postgres::builder().setting("max_wal_size", "8GB").setting("shared_buffers", "256MB").start().await?;
    let mut figures = Vec::new();
    for rows in ROWS {
        let database = sweep::database(&server, programs, "memory").await?;
        say(&format!("filling a table with {rows} rows that want something"));
        let executions = STATE_MACHINE_ARN.replace(":stateMachine:", ":execution:");
        let sql = include_str!("../sql/business.sql").replace("{rows}", &rows.to_string());
        database.execute(&sql.replace("{executions}", &executions)).await?;
        for table in ["public.processing_state", "remediation.executions"] {
            database.execute(&format!("VACUUM ANALYZE {table}")).await?;
        }
        let aws = scale::nothing_new().await?;
        for (step, acts) in SWEEPS {
            let mut what = vec![("told", json!({})), ("held", json!({ "all": true, "mode": "propose" }))];
            if acts {
                what.push(("done", json!({ "all": true })));
            }
            for (what, event) in what {
                if what == "done" {
                    let limits = format!(
                        "INSERT INTO remediation.controls (step, actions_per_run, actions_per_hour, share)
                         VALUES ('{step}', 20000, 1000000, 1)"
                    );
                    database.execute(&limits).await?;
                }
                let program = programs.get(step).ok_or_else(|| format!("there is no {step}"))?;
                let function =
                    scale::function(Function::at(program), &database, &aws).timeout(Duration::from_secs(120));
                let function = function.start().await?;
                let answer = function.invoke(&event).await?;
                let peak = start::mebibytes(sweep::peak(function.process_id().ok_or("the function has ended")?)?);
                say(&format!("{step}, {rows} rows, {what}: {peak:.0} MiB"));
                let why =
                    format!("{} actions; {}", Sweep::told(&answer), answer["summary"].as_str().unwrap_or_default());
                let name = format!("{step}: peak at {rows} rows, {what}");
                figures.push(Figure::aimed(name, peak, "MiB", PART * manifest_memory(step)?, why));
            }
        }
        sweep::drop_database(&server, database).await?;
    }
    Ok(figures)
}

/// What a step's manifest gives it, in MiB.
fn manifest_memory(step: &str) -> Measured<f64> {
    let manifest = std::fs::read_to_string(workspace().join("functions").join(step).join("manifest.toml"))?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("memory_mb = ")).ok_or("no memory_mb")?;
    Ok(line.trim().parse()?)
}
