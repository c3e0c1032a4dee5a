//! A process: a row of the application's table.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::parse::ParseError;
use crate::text;

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
        Uuid::try_parse(value).map(Self).map_err(|_| {
            ParseError::new(value, |language, value| {
                text!(language, ja: "処理 ID `{value}` が UUID ではない", en: "process id `{value}` is not a UUID")
            })
        })
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
            ParseError::new(value, |language, value| {
                text!(
                    language,
                    ja: "処理のステータス `{value}` は PENDING、PROCESSING、COMPLETED、FAILED、TIMEOUT、CANCELLED のいずれでもない",
                    en: "process status `{value}` is not one of PENDING, PROCESSING, COMPLETED, FAILED, TIMEOUT, CANCELLED",
                )
            })
        })
    }
}

/// A row of the application's table, as far as decisions rest on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The row's primary key.
    pub id: ProcessId,
    /// The row's version (`xmin`): every write compares it.
    pub version: i64,
    /// What the row means by what it says ([`super::Words::meaning`]).
    pub status: ProcessStatus,
    /// 0 to 100, in a sound row.
    pub progress: i16,
    /// Whether the row has a result; one that says that the work failed is none.
    pub has_result: bool,
    /// The `code` of the row's error, or of the one in a result that says that the work failed.
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
