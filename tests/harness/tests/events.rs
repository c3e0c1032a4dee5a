//! What happens between a status or an alarm and the function that it starts.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::QueueAttributeName;
use harness::{AlarmHop, Aws, Delivery, Deployment, Error, Result, alarm_event, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

mod machine;
use machine::{said, state_machine};

const BOUND: Duration = Duration::from_secs(20);

/// A queue's URL and ARN.
async fn queue(aws: &Aws, name: &str) -> Result<(String, String)> {
    let url = aws.sqs().create_queue().queue_name(name).send().await.map_err(said)?.queue_url.unwrap_or_default();
    let attributes = aws.sqs().get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
    let attributes = attributes.send().await.map_err(said)?.attributes.unwrap_or_default();
    Ok((url, attributes.get(&QueueAttributeName::QueueArn).cloned().unwrap_or_default()))
}

/// The next event in a dead-letter queue. Lambda puts the bare event there; MiniStack wraps it as for a failure destination.
async fn dead_letter(aws: &Aws, url: &str) -> Result<Value> {
    eventually(BOUND, "a message in the queue", || async {
        let message = aws.sqs().receive_message().queue_url(url).send().await.ok()?.messages?.pop()?;
        let body: Value = serde_json::from_str(&message.body?).ok()?;
        Some(body.get("requestPayload").cloned().unwrap_or(body))
    })
    .await
}

/// A function that fails on everything: what reaches it ends, whole, in its dead-letter queue.
async fn failing(aws: &Aws, name: &str) -> Result<(String, String)> {
    let (url, queue) = queue(aws, &format!("{name}-dead")).await?;
    let deployment = Deployment::at(name, env!("CARGO_BIN_EXE_specimen")).dead_letters(&queue);
    Ok((deployment.envs([("ALWAYS_FAIL", "no such thing")]).deploy(aws).await?, url))
}

async fn rule(aws: &Aws, name: &str, pattern: &Value, function: &str, input: Option<&str>) -> Result<()> {
    let client = aws.eventbridge();
    client.put_rule().name(name).event_pattern(pattern.to_string()).send().await.map_err(said)?;
    let target = aws_sdk_eventbridge::types::Target::builder().id("function").arn(function);
    let target = target.set_input(input.map(str::to_owned)).build().map_err(said)?;
    client.put_targets().rule(name).targets(target).send().await.map_err(said)?;
    Ok(())
}

#[tokio::test]
async fn a_deployed_function_answers() -> Result<()> {
    let aws = Aws::start().await?;
    let began = Instant::now();
    let arn = Deployment::at("answers", env!("CARGO_BIN_EXE_specimen")).envs([("ONE", "1")]).deploy(&aws).await?;
    println!("deployed in {:?}", began.elapsed());
    for _ in 0..2 {
        let began = Instant::now();
        let answer = aws
            .lambda()
            .invoke()
            .function_name(&arn)
            .payload(Blob::new(r#"{"number":1}"#))
            .send()
            .await
            .map_err(said)?;
        println!("answered in {:?}", began.elapsed());
        let answer: Value =
            serde_json::from_slice(answer.payload().map(AsRef::as_ref).unwrap_or_default()).unwrap_or_default();
        assert_eq!((&answer["event"]["number"], &answer["environment"]["ONE"]), (&json!(1), &json!("1")), "{answer}");
        assert_eq!(answer["environment"]["AWS_ENDPOINT_URL"], aws.endpoint().as_str());
    }
    let proxied =
        Deployment::at("proxied", env!("CARGO_BIN_EXE_specimen")).envs([("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]);
    let arn = proxied.deploy(&aws).await?;
    let answer = aws.lambda().invoke().function_name(&arn).payload(Blob::new("{}")).send().await.map_err(said)?;
    let answer: Value =
        serde_json::from_slice(answer.payload().map(AsRef::as_ref).unwrap_or_default()).unwrap_or_default();
    assert_eq!(
        answer["environment"]["AWS_ENDPOINT_URL"], "http://127.0.0.1:1",
        "a function can be sent through a proxy"
    );
    Ok(())
}

#[tokio::test]
async fn an_event_that_fails_for_good_reaches_the_dead_letter_queue() -> Result<()> {
    let aws = Aws::start().await?;
    let (arn, dead) = failing(&aws, "fails").await?;
    let began = Instant::now();
    let invoke = aws.lambda().invoke().function_name(&arn).invocation_type(InvocationType::Event);
    invoke.payload(Blob::new(r#"{"number":1}"#)).send().await.map_err(said)?;
    assert_eq!(dead_letter(&aws, &dead).await?, json!({"number": 1}));
    println!("in the dead-letter queue after {:?}", began.elapsed());
    let attempts = aws.process().lines().iter().filter(|line| line.contains(r#"event {"number":1}"#)).count();
    assert_eq!(attempts, 3);
    Ok(())
}

#[tokio::test]
async fn the_end_of_an_execution_reaches_a_function() -> Result<()> {
    let aws = Aws::start().await?;
    let file = std::env::temp_dir().join(format!("harness-told-{}", std::process::id()));
    let deployment = Deployment::at("told", env!("CARGO_BIN_EXE_specimen"));
    let function = deployment.envs([("KEEP_IN", file.to_string_lossy())]).deploy(&aws).await?;
    let machine = state_machine(&aws.sfn(), "telling").await?;
    for status in ["RUNNING", "FAILED", "ABORTED"] {
        let pattern = json!({
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [machine], "status": [status]},
        });
        rule(&aws, "ended", &pattern, &function, None).await?;
        let wait = if status == "FAILED" { 0 } else { 600 };
        let start = aws.sfn().start_execution().state_machine_arn(&machine).input(json!({"wait": wait}).to_string());
        let execution = start.send().await.map_err(said)?.execution_arn;
        if status == "ABORTED" {
            aws.sfn().stop_execution().execution_arn(&execution).error("Remediation").send().await.map_err(said)?;
        }
        let began = Instant::now();
        let event = eventually(BOUND, "the event", || async {
            let event: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
            (event["detail"]["executionArn"] == execution.as_str()).then_some(event)
        })
        .await?;
        println!("{status} after {:?}", began.elapsed());
        assert_eq!(event["detail"]["status"], status);
        assert!(event["detail"]["startDate"].is_i64(), "{event}");
    }
    let _ = std::fs::remove_file(&file);
    Ok(())
}

#[tokio::test]
async fn an_alarm_reaches_the_functions_of_the_rules_that_match_it() -> Result<()> {
    let aws = Aws::start().await?;
    let (function, dead) = failing(&aws, "alarmed").await?;
    let cloudwatch = |detail: Value| json!({"source": ["aws.cloudwatch"], "detail": detail});
    let patterns = [
        ("by-prefix", cloudwatch(json!({"alarmName": [{"prefix": "stuck-"}], "state": {"value": ["ALARM"]}}))),
        ("not-again", cloudwatch(json!({"previousState": {"value": [{"anything-but": ["ALARM"]}]}}))),
        ("suppressed", cloudwatch(json!({"state": {"actionsSuppressedBy": [{"exists": true}]}}))),
        ("on-ok", cloudwatch(json!({"state": {"value": ["OK"]}}))),
        ("of-others", json!({"source": ["aws.states"]})),
        ("by-resource", json!({"resources": [{"suffix": ":alarm:stuck-processes"}]})),
    ];
    for (name, pattern) in &patterns {
        rule(&aws, name, pattern, &function, (*name == "not-again").then_some(r#"{"all":true}"#)).await?;
    }
    let arn = "arn:aws:cloudwatch:ap-northeast-1:000000000000:alarm:stuck-processes";
    let event = alarm_event("stuck-processes", arn, "ALARM", "OK", "Threshold Crossed");
    let mut deliveries = AlarmHop::new(&aws).deliver(&event).await?;
    deliveries.sort_by(|one, other| one.rule.cmp(&other.rule));
    let to = |rule: &str| Delivery { rule: rule.into(), target: function.clone() };
    assert_eq!(deliveries, [to("by-prefix"), to("by-resource"), to("not-again")]);
    let received = [dead_letter(&aws, &dead).await?, dead_letter(&aws, &dead).await?, dead_letter(&aws, &dead).await?];
    assert_eq!(received.iter().filter(|received| **received == event).count(), 2, "{received:?}");
    assert!(received.contains(&json!({"all": true})), "{received:?}");
    Ok(())
}

#[tokio::test]
async fn a_target_that_wants_its_input_transformed_is_refused() -> Result<()> {
    let aws = Aws::start().await?;
    let client = aws.eventbridge();
    client.put_rule().name("path").event_pattern(r#"{"source":["aws.cloudwatch"]}"#).send().await.map_err(said)?;
    let target = aws_sdk_eventbridge::types::Target::builder().id("function").input_path("$.detail");
    let target = target.arn("arn:aws:lambda:ap-northeast-1:000000000000:function:any").build().map_err(said)?;
    client.put_targets().rule("path").targets(target).send().await.map_err(said)?;
    let refused = AlarmHop::new(&aws).deliver(&alarm_event("any", "arn", "OK", "ALARM", "")).await.err();
    assert!(matches!(&refused, Some(Error::Usage(words)) if words.contains("transformed")), "{refused:?}");
    Ok(())
}
