use super::*;

const ID: &str = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";

#[test]
fn an_execution_arn_tells_its_process_and_its_state_machine() {
    let arn: ExecutionArn =
        format!("arn:aws:states:ap-northeast-1:123456789012:execution:ai:{ID}-1764000000000").parse().unwrap();
    assert_eq!(arn.process_id(), Some(ID.parse().unwrap()));
    assert_eq!(arn.state_machine_arn(), "arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai");
    let sibling = arn.sibling(&format!("{ID}-retry-2"));
    assert_eq!(sibling.as_str().parse(), Ok(sibling.clone()));
    assert_eq!((sibling.process_id(), sibling.state_machine_arn()), (arn.process_id(), arn.state_machine_arn()));
}

#[test]
fn a_name_that_is_not_made_for_a_process_tells_none() {
    let bare = |rest: &str| format!("{ID}{rest}");
    for name in [
        "nightly-1764000000000".to_owned(),
        "日本語の名前はここにあるがUUIDではないので何も言わない".to_owned(),
        "x".to_owned(),
        // What Step Functions calls an execution that was started without a name.
        bare(""),
        bare("-"),
        bare("-retry-"),
        bare("-by-hand"),
        bare("_1764000000000"),
        bare("-1764000000000_6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c"),
    ] {
        let arn: ExecutionArn = format!("arn:aws:states:us-east-1:1:execution:ai:{name}").parse().unwrap();
        assert_eq!(arn.process_id(), None, "{name}");
    }
}

#[test]
fn what_is_no_standard_execution_is_refused_by_name() {
    for arn in [
        "",
        "x",
        "arn:aws:states:r:1:stateMachine:ai",
        "arn:aws:states:r:1:express:ai:n:id",
        "arn:aws:states::1:execution:a:n",
    ] {
        let error = arn.parse::<ExecutionArn>().unwrap_err().to_string();
        assert!(error.starts_with("execution ARN `") && error.contains(":execution:<state machine>:<name>"), "{error}");
    }
}

#[test]
fn every_status_reads_back_as_itself() {
    for status in ProcessStatus::ALL {
        assert_eq!(status.as_str().parse(), Ok(status));
    }
    for status in ExecutionStatus::ALL {
        assert_eq!(status.as_str().parse(), Ok(status));
    }
    assert!("processing".parse::<ProcessStatus>().is_err());
}
