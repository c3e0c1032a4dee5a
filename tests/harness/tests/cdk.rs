//! The CDK app against the endpoint.

use harness::{Aws, Cdk, Error, Result, functions};
use std::time::Instant;

const MACHINE: (&str, &str) = ("stateMachineArn", "arn:aws:states:ap-northeast-1:000000000000:stateMachine:any");
const DATABASE: (&str, &str) = ("databaseUrl", "postgres://any:any@127.0.0.1:1/any");

#[tokio::test]
async fn a_stack_is_deployed_and_removed() -> Result<()> {
    let aws = Aws::start().await?;
    let began = Instant::now();
    let cdk = Cdk::new(&aws.endpoint()).await?;
    println!("installed after {:?}", began.elapsed());
    let folder = std::env::temp_dir().join(format!("harness-lambda-{}", std::process::id()));
    functions::stage(&folder, &functions::names()?).await?;
    println!("functions staged after {:?}", began.elapsed());
    let code = folder.to_string_lossy();
    // What the functions do is not what is tested here.
    let context = [MACHINE, DATABASE, ("codeDir", &code), ("migrateOnDeploy", "false")];
    let assembly = cdk.synth(&context).await?;
    println!("synthesised after {:?}", began.elapsed());
    cdk.bootstrap().await?;
    println!("bootstrapped after {:?}", began.elapsed());
    let outputs = cdk.deploy_assembly("Remediation", &assembly).await?;
    println!("deployed after {:?}", began.elapsed());
    assert!(outputs.contains_key("DeadLetterQueueUrl"), "{outputs:?}");
    let list =
        || async { aws.lambda().list_functions().send().await.map(|page| page.functions.unwrap_or_default().len()) };
    assert_eq!(list().await.map_err(Error::aws("list the functions"))?, functions::names()?.len());
    cdk.destroy("Remediation", &assembly).await?;
    println!("removed after {:?}", began.elapsed());
    assert_eq!(list().await.map_err(Error::aws("list the functions"))?, 0);
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}

#[tokio::test]
async fn a_wrong_setting_is_shown_in_the_apps_own_words() -> Result<()> {
    let cdk = Cdk::new("http://127.0.0.1:1").await?;
    let refused = cdk.synth(&[MACHINE, DATABASE, ("remediationMode", "wild")]).await.err();
    assert!(
        matches!(&refused, Some(Error::Command { output, .. }) if output.contains("remediationMode")),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_apps_own_tests_can_be_run() -> Result<()> {
    let said = Cdk::new("http://127.0.0.1:1").await?.npm_test().await?;
    assert!(said.contains("fail 0"), "{said}");
    Ok(())
}
