//! The words of the system that is looked after: processes (rows) and executions (Step Functions).
//!
//! Everything is parsed here, at the edge; beyond it no status and no identifier is a bare string.

mod execution;
mod language;
mod parse;
mod process;
mod words;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text;

pub use execution::{DEADLINE_ERROR, Ending, Execution, ExecutionArn, ExecutionStatus};
pub use language::{Both, Language};
pub use parse::ParseError;
pub use process::{IdKind, Process, ProcessId, ProcessStatus};
pub use words::{FailedOutput, LogPaths, NamePattern, Owner, RETRY_MARK, Refused, Statuses, WORDS, Words};

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
        [Self::Observe, Self::Propose, Self::Act].into_iter().find(|mode| mode.as_str() == value).ok_or_else(|| {
            ParseError::new(value, |language, value| {
                text!(
                    language,
                    ja: "モード `{value}` は observe、propose、act のいずれでもない",
                    en: "mode `{value}` is not one of observe, propose, act",
                )
            })
        })
    }
}

#[cfg(test)]
mod tests;
