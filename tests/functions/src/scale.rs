//! A large installation, for what has to hold there: every sweep finds its work by index, and comes to its end within a minute.

use harness::{AwsProxy, Database, Function, FunctionBuilder};
use serde_json::{Value, json};

use crate::{NOWHERE, STATE_MACHINE_ARN, Tested};

/// Closed processes of the last thirty days.
pub const HISTORY: u32 = 1_000_000;

/// A sweep, the operator's event that starts it, and how many actions it comes to. Where an action would be a call to Step Functions,
/// which are as slow as its quotas, the sweep only tells them.
#[derive(Debug, Clone, Copy)]
pub struct Sweep {
    /// The function.
    pub step: &'static str,
    /// Whether it acts.
    pub acts: bool,
    /// What it does, or would do.
    pub actions: usize,
}

impl Sweep {
    /// What starts it.
    #[must_use]
    pub fn event(&self) -> Value {
        if self.acts { json!({ "all": true }) } else { json!({}) }
    }

    /// How many actions an answer tells, those left out included.
    #[must_use]
    pub fn told(answer: &Value) -> usize {
        let listed = answer["actions"].as_array().map_or(0, Vec::len);
        let omitted = answer["omitted"]["actions"].as_u64().and_then(|left| usize::try_from(left).ok()).unwrap_or(0);
        listed + omitted
    }
}

/// Every sweep there is, in this order: what one has done, the next ones find done.
pub const SWEEPS: [Sweep; 9] = [
    Sweep { step: "check-health", acts: false, actions: 0 },
    Sweep { step: "triage-errors", acts: false, actions: 0 },
    Sweep { step: "analyze-performance", acts: false, actions: 0 },
    Sweep { step: "stop-cancelled-executions", acts: false, actions: 300 },
    Sweep { step: "retry-failed-processes", acts: false, actions: 500 },
    Sweep { step: "repair-goal-status", acts: false, actions: 0 },
    Sweep { step: "reconcile-processes", acts: true, actions: 1200 },
    Sweep { step: "fail-timed-out-processes", acts: true, actions: 0 },
    Sweep { step: "repair-progress", acts: true, actions: 500 },
];

/// Fills the guide's table and what is known of executions, makes the indexes that `migrate` proposes, and looks to it that the planner
/// knows the tables.
///
/// # Errors
/// What PostgreSQL or `migrate` answers.
pub async fn fill(database: &Database, migrate: &Function, history: u32) -> Tested {
    let executions = STATE_MACHINE_ARN.replace(":stateMachine:", ":execution:");
    let sql = include_str!("../sql/scale.sql").replace("{history}", &history.to_string());
    database.execute(&sql.replace("{executions}", &executions)).await?;
    let proposed = migrate.invoke(&json!({})).await?;
    let statements = crate::texts(&proposed["report"]["optionalIndexes"], "statement");
    if statements.is_empty() {
        return Err(format!("migrate proposes no index: {proposed}").into());
    }
    for statement in statements {
        database.execute(statement).await?;
    }
    for table in ["public.processing_state", "remediation.executions", "remediation.actions"] {
        database.execute(&format!("VACUUM ANALYZE {table}")).await?;
    }
    Ok(())
}

/// How much an old ledger holds.
#[derive(Debug, Clone, Copy)]
pub struct OldLedger {
    /// Entries, evenly over its days.
    pub actions: u32,
    /// Runs, and executions.
    pub runs: u32,
    /// Plans, incidents, leases, refused writes and changes of controls: each so many.
    pub few: u32,
    /// How old it is. What is older than 400 days is to be forgotten.
    pub days: u32,
}

/// Fills the ledger, and looks to it that the planner knows the tables.
///
/// # Errors
/// What PostgreSQL answers.
pub async fn fill_ledger(database: &Database, OldLedger { actions, runs, few, days }: OldLedger) -> Tested {
    let mut sql = include_str!("../sql/ledger.sql")
        .replace("{executions}", &STATE_MACHINE_ARN.replace(":stateMachine:", ":execution:"));
    for (name, value) in [("{actions}", actions), ("{runs}", runs), ("{few}", few), ("{days}", days)] {
        sql = sql.replace(name, &value.to_string());
    }
    database.execute(&sql).await?;
    for table in [
        "actions",
        "runs",
        "plans",
        "incidents",
        "leases",
        "refused_writes",
        "controls_history",
        "executions",
        "controls",
    ] {
        database.execute(&format!("VACUUM ANALYZE remediation.{table}")).await?;
    }
    Ok(())
}

/// An endpoint on which no other executions are listed than those that are known, and whose log is empty.
///
/// # Errors
/// Where no port can be listened to.
pub async fn nothing_new() -> Tested<AwsProxy> {
    let aws = AwsProxy::start(NOWHERE).await?;
    aws.answer("ListExecutions", json!({ "executions": [] }));
    aws.answer("FilterLogEvents", json!({ "events": [] }));
    Ok(aws)
}

/// A function that looks after this installation, with a minute for a run.
#[must_use]
pub fn function(builder: FunctionBuilder, database: &Database, aws: &AwsProxy) -> FunctionBuilder {
    let function =
        builder.envs(aws.environment()).env("STATE_MACHINE_ARN", STATE_MACHINE_ARN).env("TEXT_LANGUAGE", "en");
    function.database(database).timeout(std::time::Duration::from_secs(60)).memory(512)
}
