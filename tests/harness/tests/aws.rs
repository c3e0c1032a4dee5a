//! The AWS endpoint: that it starts, what of Step Functions it has, and that nothing of it remains.

use aws_sdk_sfn::types::ExecutionStatus;
use harness::{Aws, Result, eventually};
use std::time::{Duration, Instant};

mod machine;
use machine::{said, state_machine};

#[tokio::test]
async fn it_answers_and_leaves_nothing_behind() -> Result<()> {
    let began = Instant::now();
    let aws = Aws::start().await?;
    println!("the endpoint started in {:?}", began.elapsed());
    state_machine(&aws.sfn(), "exists").await?;
    let place = std::fs::read_link(format!("/proc/{}/cwd", aws.process().pid()));
    let place = place.map_err(|source| harness::Error::Io { doing: "find the endpoint's folder".into(), source })?;
    assert!(place.starts_with(harness::paths::target().join("run")) && place.is_dir(), "{}", place.display());
    drop(aws);
    assert!(!place.exists());
    Ok(())
}

#[tokio::test]
async fn a_stopped_execution_is_aborted_with_its_error_and_cause() -> Result<()> {
    let sfn = Aws::shared().await?.sfn();
    let machine = state_machine(&sfn, "stop").await?;
    let execution =
        sfn.start_execution().state_machine_arn(&machine).input(r#"{"wait": 600}"#).send().await.map_err(said)?;
    let arn = execution.execution_arn();
    sfn.stop_execution()
        .execution_arn(arn)
        .error("RemediationTimeout")
        .cause("past its deadline")
        .send()
        .await
        .map_err(said)?;
    let stopped = eventually(Duration::from_secs(5), "the execution to be aborted", || async {
        let seen = sfn.describe_execution().execution_arn(arn).send().await.ok()?;
        (*seen.status() == ExecutionStatus::Aborted).then_some(seen)
    })
    .await?;
    assert_eq!((stopped.error(), stopped.cause()), (Some("RemediationTimeout"), Some("past its deadline")));
    assert!(stopped.stop_date().is_some());
    Ok(())
}

#[tokio::test]
async fn the_history_of_a_failed_execution_reads_backwards() -> Result<()> {
    let sfn = Aws::shared().await?.sfn();
    let machine = state_machine(&sfn, "history").await?;
    let execution =
        sfn.start_execution().state_machine_arn(&machine).input(r#"{"wait": 0}"#).send().await.map_err(said)?;
    let arn = execution.execution_arn();
    eventually(Duration::from_secs(10), "the execution to fail", || async {
        let seen = sfn.describe_execution().execution_arn(arn).send().await.ok()?;
        (*seen.status() == ExecutionStatus::Failed).then_some(())
    })
    .await?;
    let page =
        sfn.get_execution_history().execution_arn(arn).reverse_order(true).max_results(2).send().await.map_err(said)?;
    let (kinds, ids): (Vec<_>, Vec<_>) =
        page.events().iter().map(|event| (event.r#type().as_str(), event.id())).unzip();
    assert_eq!(kinds, ["ExecutionFailed", "FailStateEntered"]);
    assert!(ids[0] > ids[1] && page.next_token().is_some(), "{ids:?}");
    Ok(())
}

#[tokio::test]
async fn executions_are_listed_page_by_page_newest_first() -> Result<()> {
    let sfn = Aws::shared().await?.sfn();
    let machine = state_machine(&sfn, "pages").await?;
    for number in 0..5 {
        let start = sfn
            .start_execution()
            .state_machine_arn(&machine)
            .name(format!("number-{number}"))
            .input(r#"{"wait": 600}"#);
        start.send().await.map_err(said)?;
    }
    let mut pages = sfn.list_executions().state_machine_arn(&machine).max_results(2).into_paginator().send();
    let mut sizes = Vec::new();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(said)?;
        sizes.push(page.executions().len());
        names.extend(page.executions().iter().map(|execution| execution.name().to_owned()));
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(names, ["number-4", "number-3", "number-2", "number-1", "number-0"]);
    Ok(())
}
