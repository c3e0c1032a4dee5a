//! A state machine and readable errors for the tests of the endpoint.
#![allow(dead_code, reason = "each test program uses its part")]

use harness::Error;

/// An SDK error in words.
pub fn said(error: impl std::error::Error) -> Error {
    Error::aws("ask the AWS endpoint")(error)
}

/// Waits for as long as its input says, then fails.
pub async fn state_machine(sfn: &aws_sdk_sfn::Client, name: &str) -> Result<String, Error> {
    let definition = serde_json::json!({
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "SecondsPath": "$.wait", "Next": "Fail"},
            "Fail": {"Type": "Fail", "Error": "AI_ERROR", "Cause": "the model did not answer"}
        }
    });
    let create = sfn.create_state_machine().name(name).role_arn("arn:aws:iam::000000000000:role/test");
    Ok(create.definition(definition.to_string()).send().await.map_err(said)?.state_machine_arn)
}
