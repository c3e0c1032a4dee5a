//! The proxy in front of the AWS endpoint.

use aws_sdk_sfn::config::timeout::TimeoutConfig;
use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sfn::types::ExecutionStatus;
use harness::{Aws, AwsProxy, Failure, Result};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

mod machine;
use machine::{said, state_machine};

async fn proxy() -> Result<(AwsProxy, aws_sdk_sfn::Client)> {
    let proxy = AwsProxy::start(&Aws::shared().await?.endpoint()).await?;
    let client = aws_sdk_sfn::Client::new(&proxy.sdk_config().await);
    Ok((proxy, client))
}

#[tokio::test]
async fn calls_are_counted_and_kept() -> Result<()> {
    let (proxy, sfn) = proxy().await?;
    let machine = state_machine(&sfn, "counted").await?;
    sfn.describe_state_machine().state_machine_arn(&machine).send().await.map_err(said)?;
    sfn.list_executions().state_machine_arn(&machine).send().await.map_err(said)?;
    let expected = [("CreateStateMachine", 1), ("DescribeStateMachine", 1), ("ListExecutions", 1)];
    assert_eq!(proxy.counts(), expected.map(|(name, count)| (name.to_owned(), count)).into());
    assert_eq!(proxy.requests("ListExecutions"), [json!({"stateMachineArn": machine})]);
    proxy.reset();
    assert_eq!(proxy.calls("*"), 0);
    Ok(())
}

#[tokio::test]
async fn throttling_is_retried_by_the_sdk_and_passes() -> Result<()> {
    let (proxy, sfn) = proxy().await?;
    proxy.fail("ListStateMachines", Failure::error("ThrottlingException").times(2));
    sfn.list_state_machines().send().await.map_err(said)?;
    assert_eq!(proxy.calls("ListStateMachines"), 3);
    Ok(())
}

#[tokio::test]
async fn a_denied_call_has_the_services_own_error() -> Result<()> {
    let (proxy, sfn) = proxy().await?;
    proxy.fail(
        "*",
        Failure::error("AccessDeniedException").message("not authorized to perform: states:ListStateMachines"),
    );
    let denied = sfn.list_state_machines().send().await.err();
    assert_eq!(denied.as_ref().and_then(|error| error.code()), Some("AccessDeniedException"));
    assert!(
        denied.as_ref().and_then(|error| error.message()).is_some_and(|message| message.starts_with("not authorized"))
    );
    let lambda = aws_sdk_lambda::Client::new(&proxy.sdk_config().await);
    let denied = lambda.get_function().function_name("worker").send().await.err();
    assert_eq!(
        denied.as_ref().and_then(aws_sdk_lambda::error::ProvideErrorMetadata::code),
        Some("AccessDeniedException")
    );
    let sns = aws_sdk_sns::Client::new(&proxy.sdk_config().await);
    let denied = sns.publish().topic_arn("any").message("<any> & all").send().await.err();
    assert_eq!(denied.as_ref().and_then(aws_sdk_sns::error::ProvideErrorMetadata::code), Some("AccessDeniedException"));
    assert_eq!((proxy.calls("GetFunction"), proxy.calls("Publish")), (1, 1));
    proxy.clear();
    sfn.list_state_machines().send().await.map_err(said)?;
    Ok(())
}

#[tokio::test]
async fn silence_lasts_until_the_caller_gives_up() -> Result<()> {
    let (proxy, _) = proxy().await?;
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(200)).build();
    let config = proxy.sdk_config().await.into_builder().timeout_config(timeouts).build();
    let sfn = aws_sdk_sfn::Client::new(&config);
    proxy.fail("ListStateMachines", Failure::silence());
    let error = sfn.list_state_machines().send().await.err();
    assert!(matches!(&error, Some(aws_sdk_sfn::error::SdkError::TimeoutError(_))), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn answers_are_changed_or_replaced() -> Result<()> {
    let (proxy, sfn) = proxy().await?;
    let machine = state_machine(&sfn, "changed").await?;
    let execution =
        sfn.start_execution().state_machine_arn(&machine).input(r#"{"wait": 600}"#).send().await.map_err(said)?;
    let describe = || sfn.describe_execution().execution_arn(execution.execution_arn()).send();
    proxy.rewrite("DescribeExecution", |answer| {
        answer["status"] = "TIMED_OUT".into();
        answer["redriveStatus"] = "REDRIVABLE".into();
    });
    let seen = describe().await.map_err(said)?;
    assert_eq!((seen.status(), seen.state_machine_arn()), (&ExecutionStatus::TimedOut, machine.as_str()));
    proxy.answer("RedriveExecution", json!({"redriveDate": 1.7e9}));
    sfn.redrive_execution().execution_arn(execution.execution_arn()).send().await.map_err(said)?;
    Ok(())
}

#[tokio::test]
async fn something_happens_at_exactly_that_moment() -> Result<()> {
    let (proxy, sfn) = proxy().await?;
    let machine = state_machine(&sfn, "moment").await?;
    let execution =
        sfn.start_execution().state_machine_arn(&machine).input(r#"{"wait": 600}"#).send().await.map_err(said)?;
    let arn = execution.execution_arn().to_owned();
    let direct = Aws::shared().await?.sfn();
    let stops = Arc::new(AtomicUsize::new(0));
    let stop = {
        let stops = Arc::clone(&stops);
        let arn = arn.clone();
        move || {
            let (direct, arn, stops) = (direct.clone(), arn.clone(), Arc::clone(&stops));
            async move {
                let stopped = direct.stop_execution().execution_arn(&arn).send().await;
                stops.fetch_add(usize::from(stopped.is_ok()), Ordering::SeqCst);
            }
        }
    };
    proxy.after("DescribeExecution", stop);
    let out_of_date = sfn.describe_execution().execution_arn(&arn).send().await.map_err(said)?;
    assert_eq!((out_of_date.status(), stops.load(Ordering::SeqCst)), (&ExecutionStatus::Running, 1));
    proxy.clear();
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    proxy.before("DescribeExecution", move || {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(())
    });
    let fresh = sfn.describe_execution().execution_arn(&arn).send().await.map_err(said)?;
    assert_eq!((fresh.status(), called.load(Ordering::SeqCst)), (&ExecutionStatus::Aborted, 1));
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_an_error_of_the_server() -> Result<()> {
    let aws = Aws::start().await?;
    let proxy = AwsProxy::start(&aws.endpoint()).await?;
    drop(aws);
    let sfn = aws_sdk_sfn::Client::new(&proxy.sdk_config().await);
    let error = sfn.list_state_machines().send().await.err();
    assert_eq!(error.as_ref().and_then(|error| error.code()), Some("BadGateway"));
    Ok(())
}
