//! The words of the system that is looked after: processes (rows) and executions (Step Functions).
//!
//! Everything is parsed here, at the edge; beyond it no status and no identifier is a bare string.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A value that is none of those its type knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{value}` is not {expected}")]
pub struct ParseError {
    what: &'static str,
    value: String,
    expected: &'static str,
}

impl ParseError {
    fn new(what: &'static str, value: &str, expected: &'static str) -> Self {
        Self { what, value: value.to_owned(), expected }
    }
}

/// The identity of a process: the primary key of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProcessId(pub Uuid);

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ProcessId {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        Uuid::try_parse(value).map(Self).map_err(|_| ParseError::new("process id", value, "a UUID"))
    }
}

/// What the application's row says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProcessStatus {
    /// Accepted, not started.
    Pending,
    /// Under way.
    Processing,
    /// Done, with a result.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended because it took too long; not every installation has it.
    Timeout,
    /// Ended because somebody wanted it to.
    Cancelled,
}

impl ProcessStatus {
    /// All statuses, in the order of a process's life.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Processing, Self::Completed, Self::Failed, Self::Timeout, Self::Cancelled];

    /// The status as the application spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Timeout => "TIMEOUT",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether work may still be expected of the process.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Processing)
    }
}

impl fmt::Display for ProcessStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ProcessStatus {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|status| status.as_str() == value).ok_or_else(|| {
            ParseError::new(
                "process status",
                value,
                "one of PENDING, PROCESSING, COMPLETED, FAILED, TIMEOUT, CANCELLED",
            )
        })
    }
}

/// What Step Functions says of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionStatus {
    /// A state of it is being run.
    Running,
    /// Reached its end.
    Succeeded,
    /// Ended in an error or a `Fail` state.
    Failed,
    /// Ran into the state machine's `TimeoutSeconds`.
    TimedOut,
    /// Stopped by a StopExecution call.
    Aborted,
    /// A redrive was asked for and has not begun.
    PendingRedrive,
}

impl ExecutionStatus {
    /// All statuses.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Succeeded, Self::Failed, Self::TimedOut, Self::Aborted, Self::PendingRedrive];

    /// The status as Step Functions spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
            Self::PendingRedrive => "PENDING_REDRIVE",
        }
    }

    /// Whether the execution is over (it can come back only by a redrive).
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::TimedOut | Self::Aborted)
    }

    /// Orders what is known of one execution between two redrives: a running one ends, an ended one may be
    /// redriven. The same order stands in the upsert of `remediation.executions`.
    #[must_use]
    pub const fn rank(self) -> i16 {
        match self {
            Self::Running => 0,
            Self::Succeeded | Self::Failed | Self::TimedOut | Self::Aborted => 1,
            Self::PendingRedrive => 2,
        }
    }
}

impl fmt::Display for ExecutionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ExecutionStatus {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|status| status.as_str() == value).ok_or_else(|| {
            ParseError::new(
                "execution status",
                value,
                "one of RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE",
            )
        })
    }
}

/// The ARN of an execution of a STANDARD state machine:
/// `arn:<partition>:states:<region>:<account>:execution:<state machine>:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExecutionArn(String);

impl ExecutionArn {
    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The execution's name, the ARN's last part.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit(':').next().unwrap_or_default()
    }

    /// The ARN of another execution of the same state machine, by its name.
    #[must_use]
    pub fn sibling(&self, name: &str) -> Self {
        let machine = self.0.rsplit_once(':').map_or("", |(machine, _name)| machine);
        Self(format!("{machine}:{name}"))
    }

    /// The ARN of the state machine that the execution belongs to.
    #[must_use]
    pub fn state_machine_arn(&self) -> String {
        let machine = self.0.rsplit_once(':').map_or("", |(machine, _name)| machine);
        machine.replacen(":execution:", ":stateMachine:", 1)
    }

    /// The process that the name speaks of: executions are named `<processId>-<epoch ms>`.
    #[must_use]
    pub fn process_id(&self) -> Option<ProcessId> {
        self.name().get(..36)?.parse().ok()
    }
}

impl fmt::Display for ExecutionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ExecutionArn {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        let parts: Vec<&str> = value.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, "states", region, account, "execution", machine, name]
                if [partition, region, account, machine, name].iter().all(|part| !part.is_empty()) =>
            {
                Ok(Self(value.to_owned()))
            }
            _ => Err(ParseError::new(
                "execution ARN",
                value,
                "of the form arn:aws:states:<region>:<account>:execution:<state machine>:<name>",
            )),
        }
    }
}

impl TryFrom<String> for ExecutionArn {
    type Error = ParseError;

    fn try_from(value: String) -> Result<Self, ParseError> {
        value.parse()
    }
}

impl From<ExecutionArn> for String {
    fn from(arn: ExecutionArn) -> Self {
        arn.0
    }
}

/// The language of texts that reach rows and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese, as the guide's texts are.
    #[default]
    Ja,
    /// English.
    En,
}

/// How far a step may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Plan and tell, change nothing.
    Observe,
    /// Store the plan and wait for its approval.
    Propose,
    /// Apply the plan, within the limits.
    Act,
}

impl Mode {
    /// The mode as configuration and events spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Propose => "propose",
            Self::Act => "act",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        [Self::Observe, Self::Propose, Self::Act]
            .into_iter()
            .find(|mode| mode.as_str() == value)
            .ok_or_else(|| ParseError::new("mode", value, "one of observe, propose, act"))
    }
}

/// A row of the application's table, as far as decisions rest on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The row's primary key.
    pub id: ProcessId,
    /// The row's version (`xmin`): every write compares it.
    pub version: i64,
    /// What the row says.
    pub status: ProcessStatus,
    /// 0 to 100, in a sound row.
    pub progress: i16,
    /// Whether the row has a result.
    pub has_result: bool,
    /// The `code` of the row's error, where it has one.
    pub error_code: Option<String>,
    /// How often the application re-opened the row (`retry_count`); `None` where the table does not say.
    pub retries: Option<i32>,
    /// When the process was accepted.
    pub created_at: DateTime<Utc>,
    /// When the application (or we) wrote the row last.
    pub updated_at: DateTime<Utc>,
    /// When the row was closed.
    pub completed_at: Option<DateTime<Utc>>,
}

impl Process {
    /// When a closed row was closed: `completed_at`, or its last write where the application left that empty.
    #[must_use]
    pub fn closed_at(&self) -> DateTime<Utc> {
        self.completed_at.unwrap_or(self.updated_at)
    }
}

/// What an execution ended with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ending {
    /// The error's name (`States.Timeout`, `AI_ERROR`, …).
    pub error: Option<String>,
    /// The error's explanation, often JSON of the failed Lambda.
    pub cause: Option<String>,
    /// The result in the output of an execution that succeeded.
    pub result: Option<serde_json::Value>,
}

/// An execution, as far as decisions rest on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its identity.
    pub arn: ExecutionArn,
    /// The newest status known.
    pub status: ExecutionStatus,
    /// How often it was redriven.
    pub redrive_count: i32,
    /// When it was started; a redrive keeps it.
    pub started_at: DateTime<Utc>,
    /// When it was last redriven: its present attempt starts there.
    pub redriven_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub stopped_at: Option<DateTime<Utc>>,
    /// What it ended with; `None` where only its status is known (ListExecutions tells no more).
    pub ending: Option<Ending>,
    /// The ledger says that we stopped it for its deadline.
    pub stopped_for_deadline: bool,
}

/// The error that marks an execution as stopped by us for its deadline.
pub const DEADLINE_ERROR: &str = "RemediationTimeout";

impl Execution {
    /// When the present attempt began.
    #[must_use]
    pub fn attempt_started_at(&self) -> DateTime<Utc> {
        self.redriven_at.map_or(self.started_at, |redriven| redriven.max(self.started_at))
    }

    /// Whether what `self` says of an execution is newer than what `known` says of the same one: a later redrive
    /// wins, then an end over a beginning. Delivery order proves nothing (events are unordered).
    #[must_use]
    pub fn supersedes(&self, known: &Self) -> bool {
        (self.redrive_count, self.status.rank()) > (known.redrive_count, known.status.rank())
    }

    /// Whether `self` speaks for the process rather than `other`: the one started later does.
    #[must_use]
    pub fn speaks_over(&self, other: &Self) -> bool {
        (self.started_at, &self.arn) > (other.started_at, &other.arn)
    }
}

#[cfg(test)]
mod tests {
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
    fn a_name_without_a_uuid_tells_no_process() {
        for name in ["nightly-1764000000000", "日本語の名前はここにあるがUUIDではないので何も言わない", "x"]
        {
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
            assert!(
                error.starts_with("execution ARN `") && error.contains(":execution:<state machine>:<name>"),
                "{error}"
            );
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
}
