//! The patient on the endpoint: what every behaviour leaves behind when nobody helps.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use harness::{Aws, Postgres, eventually};
use patient::table::{self, MIGRATED};
use patient::{Behaviour, Patient};
use serde_json::Value;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const BOUND: Duration = Duration::from_secs(60);

async fn patient(aws: &Aws) -> Result<Patient, Box<dyn std::error::Error>> {
    let database = Postgres::shared().await?.database("workflow").await?;
    table::create(database.pool(), &MIGRATED).await?;
    Ok(Patient::deploy(aws, &database.url(), database.pool(), MIGRATED, 600).await?)
}

#[tokio::test]
async fn every_behaviour_leaves_what_it_says() -> Outcome {
    let aws = Aws::start().await?;
    let patient = &patient(&aws).await?;
    let fail = |code: &str, recorded| Behaviour::Fail { code: code.into(), recorded };
    let cases = [
        (Behaviour::Succeed, ExecutionStatus::Succeeded, "COMPLETED", None),
        (fail("VALIDATION_ERROR", true), ExecutionStatus::Failed, "FAILED", Some("VALIDATION_ERROR")),
        (fail("AI_THROTTLING", true), ExecutionStatus::Failed, "FAILED", Some("AI_THROTTLING")),
        (fail("DATABASE_ERROR", false), ExecutionStatus::Failed, "PROCESSING", None),
        (Behaviour::FailFirst { code: "AI_ERROR".into() }, ExecutionStatus::Failed, "FAILED", Some("AI_ERROR")),
        (Behaviour::LoseLastUpdate, ExecutionStatus::Succeeded, "PROCESSING", None),
        (Behaviour::Die, ExecutionStatus::Failed, "PROCESSING", None),
    ];
    for (behaviour, execution, row, code) in cases {
        let process = patient.start(&behaviour).await?;
        let ended = eventually(BOUND, format!("{behaviour:?} to end"), || async {
            let described =
                patient.sfn().describe_execution().execution_arn(&process.execution_arn).send().await.ok()?;
            (described.status != ExecutionStatus::Running).then_some(described.status)
        });
        assert_eq!(ended.await?, execution, "{behaviour:?}");
        let seen = patient.row(process.id).await?;
        assert_eq!(seen.status, row, "{behaviour:?}: {seen:?}");
        assert_eq!(seen.error.as_ref().and_then(|error| error["code"].as_str()), code, "{behaviour:?}");
        assert_eq!(seen.result.is_some(), row == "COMPLETED", "{behaviour:?}");
    }
    let logs = aws_sdk_cloudwatchlogs::Client::new(aws.sdk_config());
    let lines = logs.filter_log_events().log_group_name("/aws/lambda/ai-generation-worker").send().await?;
    let lines: Vec<Value> =
        lines.events().iter().filter_map(|event| serde_json::from_str(event.message()?).ok()).collect();
    let coded = lines.iter().find(|line| line["error"]["code"] == "VALIDATION_ERROR");
    assert!(coded.is_some_and(|line| line["level"] == "ERROR" && line["processId"].is_string()), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn a_cancel_closes_the_row_and_stops_nothing() -> Outcome {
    let aws = Aws::start().await?;
    let patient = &patient(&aws).await?;
    let process = patient.start(&Behaviour::Hang).await?;
    eventually(BOUND, "the worker to be at work", || async {
        patient.row(process.id).await.ok().filter(|row| row.progress == 50)
    })
    .await?;
    let refused = patient.cancel(process.id).await?.map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("ExecutionDoesNotExist"), "{refused}");
    assert_eq!(patient.row(process.id).await?.status, "CANCELLED");
    let described = patient.sfn().describe_execution().execution_arn(&process.execution_arn).send().await?;
    assert_eq!(described.status, ExecutionStatus::Running);
    Ok(())
}
