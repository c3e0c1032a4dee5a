//! The functions where they will live: in Lambda, behind rules and queues, deployed by the CDK.

use std::collections::BTreeMap;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::Utc;
use functions_tests::{BOUND, Bench, Tested, ago, processing, status_event};
use harness::{AlarmHop, Aws, Cdk, Deployment, Postgres, alarm_event, eventually, functions};
use patient::table::{self, GUIDE, Row};
use serde_json::{Value, json};

/// The next event in a dead-letter queue. Lambda puts the event itself there; the local endpoint wraps it as for a failure
/// destination.
async fn dead_letter(aws: &Aws, queue: &str) -> Tested<Value> {
    let event = eventually(BOUND, "a message in the dead-letter queue", || async {
        let message = aws.sqs().receive_message().queue_url(queue).send().await.ok()?.messages?.pop()?;
        let body: Value = serde_json::from_str(&message.body?).ok()?;
        Some(body.get("requestPayload").cloned().unwrap_or(body))
    });
    Ok(event.await?)
}

#[tokio::test]
async fn an_event_that_cannot_be_handled_is_kept_whole_after_its_retries() -> Tested {
    let aws = Aws::start().await?;
    let queue = aws.sqs().create_queue().queue_name("dead").send().await?.queue_url.ok_or("no queue")?;
    let arn = aws.sqs().get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::QueueArn);
    let arn =
        arn.send().await?.attributes.and_then(|mut all| all.remove(&QueueAttributeName::QueueArn)).ok_or("no ARN")?;
    let environment = BTreeMap::from([
        // Nobody listens there: the database is down.
        ("DATABASE_URL", "postgres://application:x@127.0.0.1:1/down?sslmode=disable"),
        ("STATE_MACHINE_ARN", functions_tests::STATE_MACHINE_ARN),
    ]);
    let deployment = Deployment::new("sync-execution-status", "sync-execution-status").envs(environment);
    let function = deployment.dead_letters(&arn).deploy(&aws).await?;
    let event = status_event(
        processing(91).id,
        "FAILED",
        ago(90),
        Some(ago(30)),
        &json!({ "error": "AI_ERROR", "cause": "走" }),
    );

    let unknown = json!({ "source": "aws.s3", "detail-type": "Object Created", "detail": { "key": "走" } });
    for event in [&event, &unknown] {
        let invoke = aws.lambda().invoke().function_name(&function).invocation_type(InvocationType::Event);
        invoke.payload(Blob::new(event.to_string())).send().await?;
        assert_eq!(&dead_letter(&aws, &queue).await?, event);
    }

    // The event was tried three times; the unknown one never became a run.
    let attempts = || aws.process().lines().iter().filter(|line| line.contains("the run failed")).count();
    eventually(BOUND, "the log of three runs", || async { (attempts() >= 3).then_some(()) }).await?;
    assert_eq!(attempts(), 3);
    Ok(())
}

#[tokio::test]
async fn the_deployed_product_puts_rows_right_by_its_rules() -> Tested {
    let aws = Aws::start().await?;
    let database = Postgres::shared().await?.database("deployed").await?;
    table::create(database.pool(), &GUIDE).await?;
    let bench = Bench { database, variant: GUIDE };
    let definition = json!({
        "StartAt": "Generate",
        "States": { "Generate": { "Type": "Pass", "Result": { "generationResult": { "Payload": { "goals": ["走る"] } } }, "End": true } },
    });
    let create = aws.sfn().create_state_machine().name("ai-processing").role_arn("arn:aws:iam::000000000000:role/test");
    let machine = create.definition(definition.to_string()).send().await?.state_machine_arn;

    let code = harness::paths::target().join(format!("tmp/deployed-{}", std::process::id()));
    functions::stage(&code, &functions::names()?).await?;
    let cdk = Cdk::new(&aws.endpoint()).await?;
    cdk.bootstrap().await?;
    let (endpoint, url, code_dir) = (aws.endpoint(), bench.database.url(), code.to_string_lossy().into_owned());
    let settings = [
        ("stateMachineArn", machine.as_str()),
        ("databaseUrl", &url),
        ("endpointUrl", &endpoint),
        ("codeDir", &code_dir),
        ("textLanguage", "en"),
    ];
    let outputs = cdk.deploy("Remediation", &settings).await?;
    let _ = std::fs::remove_dir_all(&code);
    assert!(outputs.contains_key("SyncExecutionStatusArn"), "{outputs:?}");
    let version: i64 =
        sqlx::query_scalar("SELECT max(version) FROM remediation.migrations").fetch_one(bench.database.pool()).await?;
    assert!(version > 0, "migrate has run within the deployment");

    // An execution ends; its last update was lost, and the deployed rule takes its event to the deployed function.
    let row = processing(5);
    bench.insert(std::slice::from_ref(&row)).await?;
    let name = format!("{}-{}", row.id, Utc::now().timestamp_millis());
    let input = functions_tests::input(row.id);
    aws.sfn().start_execution().state_machine_arn(&machine).name(name).input(input).send().await?;
    let completed = eventually(BOUND, "the row to be completed", || async {
        bench.row(row.id).await.ok().filter(|row| row.status == "COMPLETED")
    })
    .await?;
    assert_eq!((completed.progress, completed.result), (100, Some(json!({ "goals": ["走る"] }))));

    // The endpoint sends no alarm events: that one hop is the harness's, by the deployed rules' own patterns.
    let stuck = Row::pending(ago(400));
    bench.insert(std::slice::from_ref(&stuck)).await?;
    let alarm = "remediation-stuck-processes";
    let arn = format!("arn:aws:cloudwatch:ap-northeast-1:000000000000:alarm:{alarm}");
    let delivered = AlarmHop::new(&aws).deliver(&alarm_event(alarm, &arn, "ALARM", "OK", "Threshold Crossed")).await?;
    assert_eq!(delivered.len(), 1, "{delivered:?}");
    assert!(delivered[0].target.contains("fail-timed-out-processes"), "{delivered:?}");
    let failed = eventually(BOUND, "the stuck row to be failed", || async {
        bench.row(stuck.id).await.ok().filter(|row| row.status == "FAILED")
    })
    .await?;
    assert_eq!(failed.error.unwrap_or_default()["code"], "STEP_FUNCTIONS_ERROR");
    // The events of one execution's start and end may meet: what is superseded then changes nothing.
    let actions = bench
        .list("SELECT to_jsonb(a) FROM remediation.actions a WHERE outcome = 'applied' ORDER BY created_at")
        .await?;
    let steps: Vec<_> = actions.iter().filter_map(|action| action["step"].as_str()).collect();
    assert_eq!(steps, ["sync-execution-status", "fail-timed-out-processes"], "{actions:?}");
    Ok(())
}
