//! A process: a row of the application's table.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::parse::ParseError;
use crate::text;

/// The identity of a process: its row's key, as text. Of a UUID and of a number it is the one spelling that PostgreSQL has.
///
/// It is held in place and is not longer than an execution's name, which bears it: a sweep has tens of thousands of them. Shorter ones come
/// first, so that numbers are in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProcessId {
    length: u8,
    /// Zero behind its length.
    text: [u8; Self::LONGEST],
}

impl ProcessId {
    /// Bytes of the longest one.
    pub const LONGEST: usize = 80;

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl From<Uuid> for ProcessId {
    fn from(id: Uuid) -> Self {
        let mut text = [0; Self::LONGEST];
        let length = id.hyphenated().encode_lower(&mut text).len();
        Self { length: u8::try_from(length).unwrap_or_default(), text }
    }
}

impl From<ProcessId> for String {
    fn from(id: ProcessId) -> Self {
        id.as_str().to_owned()
    }
}

impl TryFrom<String> for ProcessId {
    type Error = ParseError;

    fn try_from(value: String) -> Result<Self, ParseError> {
        value.parse()
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ProcessId {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        let mut text = [0; Self::LONGEST];
        match (u8::try_from(value.len()), text.get_mut(..value.len())) {
            (Ok(length @ 1..), Some(place)) if !value.contains(char::is_control) => {
                place.copy_from_slice(value.as_bytes());
                Ok(Self { length, text })
            }
            _ => Err(ParseError::new(value, |language, value| {
                text!(
                    language,
                    ja: "処理 ID `{value}` は 1〜80 バイトの文字列でない（制御文字は使えない）",
                    en: "process id `{value}` is not a text of 1 to 80 bytes without control characters",
                )
            })),
        }
    }
}

/// What the ids of an application's processes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// UUIDs.
    Uuid,
    /// Whole numbers.
    Integer,
    /// Texts.
    Text,
}

impl IdKind {
    /// An id in the one spelling that PostgreSQL has for it.
    ///
    /// # Errors
    /// It is none of this kind.
    pub fn read(self, value: &str) -> Result<ProcessId, ParseError> {
        match self {
            Self::Uuid => Uuid::try_parse(value).map(ProcessId::from).map_err(|_| {
                ParseError::new(value, |language, value| {
                    text!(language, ja: "処理 ID `{value}` が UUID ではない", en: "process id `{value}` is not a UUID")
                })
            }),
            Self::Integer => value.parse::<i64>().ok().and_then(|id| id.to_string().parse().ok()).ok_or_else(|| {
                ParseError::new(value, |language, value| {
                    text!(language, ja: "処理 ID `{value}` が整数ではない", en: "process id `{value}` is not a whole number")
                })
            }),
            Self::Text => value.parse(),
        }
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
    /// How long it may take, where that is not what the installation says for all: `deadlines` by its type, or [`Process::NO_DEADLINE`].
    pub deadline: Option<TimeDelta>,
}

impl Process {
    /// Of a process that waits for somebody: a hundred years.
    pub const NO_DEADLINE: TimeDelta = TimeDelta::days(36_500);

    /// When a closed row was closed: `completed_at`, or its last write where the application left that empty.
    #[must_use]
    pub fn closed_at(&self) -> DateTime<Utc> {
        self.completed_at.unwrap_or(self.updated_at)
    }
}
