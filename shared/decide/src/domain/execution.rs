//! An execution of the state machine.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::parse::ParseError;
use crate::raw::Raw;
use crate::text;

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
            ParseError::new(value, |language, value| {
                text!(
                    language,
                    ja: "実行のステータス `{value}` は RUNNING、SUCCEEDED、FAILED、TIMED_OUT、ABORTED、PENDING_REDRIVE のいずれでもない",
                    en: "execution status `{value}` is not one of RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE",
                )
            })
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
            _ => Err(ParseError::new(value, |language, value| {
                text!(
                    language,
                    ja: "実行の ARN `{value}` の形式が arn:aws:states:<region>:<account>:execution:<state machine>:<name> ではない",
                    en: "execution ARN `{value}` is not of the form arn:aws:states:<region>:<account>:execution:<state machine>:<name>",
                )
            })),
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

/// What an execution ended with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ending {
    /// The error's name (`States.Timeout`, `AI_ERROR`, …).
    pub error: Option<String>,
    /// The error's explanation, often JSON of the failed Lambda.
    pub cause: Option<String>,
    /// The result in the output of an execution that succeeded.
    pub result: Option<Raw>,
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
    /// Of one that succeeded, whether its output says that it failed; `None` where the output is not known.
    pub says_failed: Option<bool>,
    /// The ledger says that we stopped it for its deadline, in this same redrive.
    pub stopped_for_deadline: bool,
}

/// The error that marks an execution as stopped by us for its deadline.
pub const DEADLINE_ERROR: &str = "RemediationTimeout";

impl Execution {
    /// How it came out: as its status says, but FAILED where it succeeded and its output says that it failed.
    #[must_use]
    pub const fn outcome(&self) -> ExecutionStatus {
        match (self.status, self.says_failed) {
            (ExecutionStatus::Succeeded, Some(true)) => ExecutionStatus::Failed,
            (status, _) => status,
        }
    }

    /// When the present attempt began.
    #[must_use]
    pub fn attempt_started_at(&self) -> DateTime<Utc> {
        self.redriven_at.map_or(self.started_at, |redriven| redriven.max(self.started_at))
    }

    /// Whether what is ABORTED was stopped by us for its deadline. What it ended with says so itself, where that is known: who stops it
    /// a moment before we do, or after a redrive, has the last word. Else the ledger tells.
    #[must_use]
    pub fn is_stopped_for_deadline(&self) -> bool {
        self.ending.as_ref().map_or(self.stopped_for_deadline, |ending| ending.error.as_deref() == Some(DEADLINE_ERROR))
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
