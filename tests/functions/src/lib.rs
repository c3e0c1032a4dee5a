//! What the tests of the functions share: a database with the ledger's schema and the application's table, and events.

use chrono::{DateTime, Utc};
use harness::{Database, Function, FunctionBuilder, Postgres};
use patient::table::{self, Variant};
use serde_json::{Value, json};
use uuid::Uuid;

/// The state machine that the tests' functions look after.
pub const STATE_MACHINE_ARN: &str = "arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing";

/// A database with the application's table and the ledger's schema, made by the real `migrate`.
///
/// # Errors
/// Those of the harness, and what `migrate` answers.
pub async fn database(hint: &str, variant: &Variant) -> Result<Database, Box<dyn std::error::Error>> {
    let database = Postgres::shared().await?.database(hint).await?;
    table::create(database.pool(), variant).await?;
    let migrate = function("migrate", &database, variant).start().await?;
    migrate.invoke(&json!({ "all": true })).await?;
    Ok(database)
}

/// A function of the product, looking after [`STATE_MACHINE_ARN`] in this database; texts are in English.
#[must_use]
pub fn function(name: &str, database: &Database, variant: &Variant) -> FunctionBuilder {
    Function::builder(name)
        .database(database)
        .env("STATE_MACHINE_ARN", STATE_MACHINE_ARN)
        .env("PROCESSING_STATE_TABLE", variant.table_name())
        .env("TEXT_LANGUAGE", "en")
}

/// An execution's ARN, named as the application names it.
#[must_use]
pub fn execution_arn(process: Uuid, started_at: DateTime<Utc>) -> String {
    format!(
        "{}:{process}-{}",
        STATE_MACHINE_ARN.replace(":stateMachine:", ":execution:"),
        started_at.timestamp_millis()
    )
}

/// Step Functions' event about an execution, as its documentation has it; `detail` is merged over it.
#[must_use]
pub fn status_event(
    process: Uuid,
    status: &str,
    started_at: DateTime<Utc>,
    stopped_at: Option<DateTime<Utc>>,
    detail: &Value,
) -> Value {
    let arn = execution_arn(process, started_at);
    let mut event = json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "000000000000",
        "time": stopped_at.unwrap_or(started_at),
        "region": "ap-northeast-1",
        "resources": [arn],
        "detail": {
            "executionArn": arn,
            "stateMachineArn": STATE_MACHINE_ARN,
            "name": arn.rsplit(':').next(),
            "status": status,
            "startDate": started_at.timestamp_millis(),
            "stopDate": stopped_at.map(|at| at.timestamp_millis()),
            "input": json!({ "processId": process, "userId": Uuid::new_v4(), "type": "GOAL_GENERATION", "params": {} }).to_string(),
            "inputDetails": { "included": true },
            "output": null,
            "outputDetails": null,
            "error": null,
            "cause": null,
        },
    });
    if let (Some(fields), Some(more)) = (event["detail"].as_object_mut(), detail.as_object()) {
        fields.extend(more.clone());
    }
    event
}
