//! An execution that a newer one has overtaken speaks for nothing: it is stopped where a newest one would be, and as late.

use chrono::{DateTime, TimeDelta, Utc};
use remediation_decide::decide::{Look, Policy, StopCause, Verdict, overtaken};
use remediation_decide::domain::{Execution, ExecutionStatus, Process, ProcessStatus, WORDS};

const POLICY: Policy = Policy {
    process_deadline: TimeDelta::seconds(900),
    start_deadline: TimeDelta::seconds(300),
    settle: TimeDelta::seconds(60),
    require_result: false,
    words: &WORDS,
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn verdict(status: ExecutionStatus, look: Look, now: i64) -> Result<Verdict, Box<dyn std::error::Error>> {
    let process = Process {
        id: "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c".parse()?,
        version: 1,
        status: ProcessStatus::Cancelled,
        progress: 0,
        has_result: false,
        error_code: None,
        retries: None,
        created_at: at(0),
        updated_at: at(500),
        completed_at: None,
        deadline: None,
    };
    let execution = Execution {
        arn: "arn:aws:states:us-east-1:1:execution:ai:a".parse()?,
        status,
        redrive_count: 0,
        started_at: at(5),
        redriven_at: None,
        stopped_at: status.is_over().then(|| at(400)),
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    };
    Ok(overtaken(&process, &execution, look, &POLICY, at(now)).verdict)
}

#[test]
fn it_is_stopped_for_a_cancelled_row_which_a_sweep_lets_settle() -> Result<(), Box<dyn std::error::Error>> {
    let stop = Verdict::Stop(StopCause::Cancelled);
    assert_eq!(verdict(ExecutionStatus::Running, Look::Event, 559)?, stop);
    assert_eq!(verdict(ExecutionStatus::Running, Look::Sweep, 559)?, Verdict::Leave);
    assert_eq!(verdict(ExecutionStatus::Running, Look::Sweep, 560)?, stop);
    for over in ExecutionStatus::ALL.into_iter().filter(|status| *status != ExecutionStatus::Running) {
        assert_eq!(verdict(over, Look::Event, 2000)?, Verdict::Leave, "{over} closes nothing");
    }
    Ok(())
}
