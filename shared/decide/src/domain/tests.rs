use super::*;

const ID: &str = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";

#[test]
fn an_execution_arn_tells_its_process_and_its_state_machine() {
    let arn: ExecutionArn =
        format!("arn:aws:states:ap-northeast-1:123456789012:execution:ai:{ID}-1764000000000").parse().unwrap();
    let of = |arn: &ExecutionArn| WORDS.owner.of_name(arn);
    assert_eq!(of(&arn), Some(ID.parse().unwrap()));
    assert_eq!(arn.state_machine_arn(), "arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai");
    let sibling = arn.sibling(&format!("{ID}-retry-2"));
    assert_eq!(sibling.as_str().parse(), Ok(sibling.clone()));
    assert_eq!((of(&sibling), sibling.state_machine_arn()), (of(&arn), arn.state_machine_arn()));
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
        assert_eq!(WORDS.owner.of_name(&arn), None, "{name}");
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

/// An execution as it is known: its name, status, redrives, and when it was started and redriven, in seconds.
fn known(name: &str, status: ExecutionStatus, redrive_count: i32, started: i64, redriven: Option<i64>) -> Execution {
    let at = |seconds| chrono::DateTime::from_timestamp(seconds, 0).unwrap();
    Execution {
        arn: format!("arn:aws:states:us-east-1:1:execution:ai:{name}").parse().unwrap(),
        status,
        redrive_count,
        started_at: at(started),
        redriven_at: redriven.map(at),
        stopped_at: None,
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    }
}

#[test]
fn of_two_executions_the_one_started_later_speaks_and_at_once_the_one_named_later() {
    use ExecutionStatus::{Failed, Running};
    let (first, second) = (known("a", Running, 0, 10, None), known("b", Failed, 0, 20, None));
    assert!(second.speaks_over(&first) && !first.speaks_over(&second));
    // A redrive keeps its start.
    let redriven = known("a", Running, 1, 10, Some(30));
    assert!(second.speaks_over(&redriven) && !redriven.speaks_over(&second));
    let at_once = known("b", Running, 0, 10, None);
    assert!(at_once.speaks_over(&first) && !first.speaks_over(&at_once) && !first.speaks_over(&first));
}

#[test]
fn of_one_execution_a_later_redrive_is_newer_then_an_end_then_that_it_waits_to_be_redriven() {
    use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
    let of = |status, redrive_count| known("a", status, redrive_count, 10, None);
    for over in [Succeeded, Failed, TimedOut, Aborted] {
        let order = [of(Running, 0), of(over, 0), of(PendingRedrive, 0), of(Running, 1), of(over, 1)];
        for (one, at) in order.iter().zip(0..) {
            for (other, than) in order.iter().zip(0..) {
                assert_eq!(one.supersedes(other), at > than, "{one:?} over {other:?}");
            }
        }
    }
    assert!(!of(Failed, 0).supersedes(&of(Succeeded, 0)), "an end is an end");
}

#[test]
fn an_attempt_begins_at_its_redrive_and_never_before_its_execution() {
    let of = |redriven| known("a", ExecutionStatus::Running, 1, 10, redriven).attempt_started_at().timestamp();
    assert_eq!([of(None), of(Some(30)), of(Some(5))], [10, 30, 10]);
}

#[test]
fn who_stopped_it_is_told_by_its_error_and_by_the_ledger_only_where_that_is_not_known() {
    let of = |ending: Option<Option<&str>>, ledger| {
        let ending = ending.map(|error| Ending { error: error.map(str::to_owned), ..Ending::default() });
        let stopped = known("a", ExecutionStatus::Aborted, 0, 10, None);
        Execution { ending, stopped_for_deadline: ledger, ..stopped }.is_stopped_for_deadline()
    };
    for ledger in [false, true] {
        assert!(of(Some(Some(DEADLINE_ERROR)), ledger));
        assert!(!of(Some(Some("ManualCancellation")), ledger), "a person's word, whatever the ledger says");
        assert!(!of(Some(None), ledger), "we always say why");
        assert_eq!(of(None, ledger), ledger);
    }
}

#[test]
fn an_execution_tells_whose_it_is_by_its_input_and_then_by_its_name() {
    let pattern = |before, behind, digits| Some(NamePattern { before, behind, digits });
    let uuid = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";
    let input = r#"{"processId":"6F1C9D1E-8B1C-4F6E-9D59-0A7F3F0A1B2C","n":42,"nested":{"job_id":"a b"},"no":null}"#;
    // (kind, path in the input, pattern of the name, name, process)
    for (ids, path, name, called, process) in [
        (IdKind::Uuid, Some(["processId"].as_slice()), None, "x", Some(uuid)),
        (IdKind::Uuid, Some(&["n"]), pattern("", "-", true), &*format!("{uuid}-17"), Some(uuid)),
        (IdKind::Integer, Some(&["n"]), None, "x", Some("42")),
        (IdKind::Integer, Some(&["no"]), pattern("job-", "", false), "job-0017", Some("17")),
        (IdKind::Integer, None, pattern("job-", "", false), "other-17", None),
        (IdKind::Integer, None, pattern("", "-", true), "17-1764000000000", Some("17")),
        (IdKind::Text, Some(&["nested", "job_id"]), None, "x", Some("a b")),
        (IdKind::Text, None, pattern("", "", false), "any-name", Some("any-name")),
        (IdKind::Text, None, pattern("", "-", true), "any-name-1764000000000", Some("any-name")),
        (IdKind::Text, None, pattern("", "-", true), "any-name", None),
        (IdKind::Text, None, pattern("", "-", true), "-17", None),
        (IdKind::Text, None, None, "a-retry-2", Some("a")),
        (IdKind::Text, None, None, "a-17", None),
    ] {
        let arn: ExecutionArn = format!("arn:aws:states:us-east-1:1:execution:ai:{called}").parse().unwrap();
        let owner = Owner { input: path, name, ids };
        let of = owner.of(&arn, Some(input)).map(|id| id.to_string());
        assert_eq!(of.as_deref(), process, "{ids:?} {path:?} {called}");
    }
}

#[test]
fn an_id_has_one_spelling_and_numbers_are_in_their_order() {
    for (kind, given, read) in [
        (IdKind::Uuid, "6F1C9D1E8B1C4F6E9D590A7F3F0A1B2C", Some("6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c")),
        (IdKind::Uuid, "17", None),
        (IdKind::Integer, "+017", Some("17")),
        (IdKind::Integer, "-3", Some("-3")),
        (IdKind::Integer, "9223372036854775808", None),
        (IdKind::Integer, "1.5", None),
        (IdKind::Text, "走る", Some("走る")),
        (IdKind::Text, "", None),
        (IdKind::Text, "a\u{0}", None),
    ] {
        assert_eq!(kind.read(given).ok().map(|id| id.to_string()).as_deref(), read, "{kind:?} {given}");
    }
    assert!(IdKind::Text.read(&"x".repeat(ProcessId::LONGEST)).is_ok());
    assert!(IdKind::Text.read(&"x".repeat(ProcessId::LONGEST + 1)).is_err());
    let [nine, ten] = ["9", "10"].map(|id| IdKind::Integer.read(id).unwrap());
    assert!(nine < ten);
}
