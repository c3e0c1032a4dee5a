//! The event that Step Functions sends to EventBridge when an execution changes its status, for those that the local endpoint
//! does not send by itself: a second time, out of order, of an end that it does not have.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>

use chrono::{DateTime, SecondsFormat, Utc};
use harness::aws::{ACCOUNT, REGION};
use patient::Patient;
use patient::table::Row;
use serde_json::{Value, json};
use uuid::Uuid;

/// How an execution ended.
pub struct Ended {
    pub execution_arn: String,
    pub status: String,
    pub started_at: DateTime<Utc>,
    pub at: DateTime<Utc>,
    pub input: String,
    pub output: Option<String>,
}

/// What an event tells of an execution.
pub struct Execution {
    pub arn: String,
    pub started_at: DateTime<Utc>,
    pub input: String,
}

impl Execution {
    /// One that the application would have started for a row.
    pub fn of(row: &Row, started_at: DateTime<Utc>) -> Self {
        let machine = Patient::state_machine_arn().replace(":stateMachine:", ":execution:");
        Self {
            arn: format!("{machine}:{}-{}", row.id, started_at.timestamp_millis()),
            started_at,
            input: json!({"processId": row.id, "userId": row.user_id, "type": row.kind, "params": {}}).to_string(),
        }
    }

    /// One that has ended.
    pub fn described(ended: &Ended) -> Self {
        Self { arn: ended.execution_arn.clone(), started_at: ended.started_at, input: ended.input.clone() }
    }
}

/// The event.
pub fn status_event(
    execution: &Execution,
    status: &str,
    stopped_at: Option<DateTime<Utc>>,
    output: Option<&str>,
) -> Value {
    let included = json!({"included": true});
    let machine = execution.arn.rsplit_once(':').map(|(machine, _)| machine.replace(":execution:", ":stateMachine:"));
    json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": ACCOUNT,
        "time": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": REGION,
        "resources": [execution.arn],
        "detail": {
            "executionArn": execution.arn,
            "stateMachineArn": machine,
            "name": execution.arn.rsplit(':').next(),
            "status": status,
            "startDate": execution.started_at.timestamp_millis(),
            "stopDate": stopped_at.map(|at| at.timestamp_millis()),
            "input": execution.input,
            "inputDetails": included,
            "output": output,
            "outputDetails": output.map(|_| &included),
            "stateMachineVersionArn": null,
            "stateMachineAliasArn": null,
            "redriveCount": 0,
            "redriveDate": null,
            "redriveStatus": if status == "TIMED_OUT" { "REDRIVABLE" } else { "NOT_REDRIVABLE" },
            "redriveStatusReason": null,
            "error": null,
            "cause": null,
        },
    })
}
