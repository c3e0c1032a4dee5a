//! The application's profile (design, 9): how it keeps its processes. Without one, the guide's application holds.
//!
//! A profile that names `table` describes another application's: what it does not name is not there. One that does not says what is
//! different from the guide's. What it claims is held against the catalogue ([`crate::gather::table`]).

mod read;
mod section;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;

use crate::domain::{WORDS, Words};
use crate::gather::table_name::TableName;
use crate::gather::trigger::result_path::ResultPath;

/// How an application keeps its processes.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// `table`; `None`: the guide's.
    pub table: Option<TableName>,
    /// `where`: the columns whose values select our rows.
    pub filter: Vec<(String, String)>,
    /// The columns that it has.
    pub columns: Columns,
    /// `error`.
    pub error: ErrorShape,
    /// `result.path`: where it stands in an execution's output.
    pub result_path: ResultPath,
    /// `result.required`.
    pub require_result: bool,
    /// Whether `status.timed_out` is named: then that is what is written.
    pub writes_timed_out: bool,
    /// `execution.machines`: ARNs of state machines, or their beginnings with `*`; none: the one that the installation names.
    pub machines: Vec<String>,
    /// `on.completed`.
    pub on_completed: OnCompleted,
    /// `retry`.
    pub retry: Retry,
    /// `deadlines`: how long a process may take, by its type.
    pub deadlines: Vec<(String, TimeDelta)>,
    /// `deadlines.default`.
    pub deadline: Option<TimeDelta>,
    /// `logs.groups`.
    pub log_groups: Vec<String>,
    /// What it means by what it writes.
    pub words: &'static Words,
}

/// A column of the application's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// The guide's, in either spelling; some of them may be missing.
    Guide(&'static str, &'static str),
    /// As the profile names it.
    Own(String),
}

/// The columns that an application has, by what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// `id`.
    pub id: Name,
    /// `status`, or its `column`.
    pub status: Name,
    /// `status.key`: where the column is JSON.
    pub status_key: Option<String>,
    /// `times.created`.
    pub created: Option<Name>,
    /// `times.started`.
    pub started: Option<Name>,
    /// `times.updated`.
    pub updated: Option<Name>,
    /// `times.finished`.
    pub finished: Option<Name>,
    /// `times.zone`: of columns without one.
    pub zone: String,
    /// `progress`.
    pub progress: Option<Name>,
    /// `attempts`: every new execution of a row raises it.
    pub attempts: Option<Name>,
    /// `result`, or its `column`.
    pub result: Option<Name>,
    /// `execution.arn`: the execution that speaks for a row; NULL: it is not started.
    pub arn: Option<Name>,
    /// `type`, of which `deadlines` speak.
    pub kind: Option<Name>,
    /// `user`.
    pub user: Option<Name>,
    /// `target`: what it works for.
    pub target: Option<Name>,
}

/// How a row tells its error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorShape {
    /// It does not.
    Absent,
    /// One column: JSON with these keys, or text.
    One {
        /// The column.
        column: Name,
        /// The keys of a JSON column.
        keys: ErrorKeys,
        /// `error.none`: what stands there for no error, beside NULL; the first is written.
        none: Option<String>,
    },
    /// A column for its code and one for its message.
    Two {
        /// `error.code_column`.
        code: Name,
        /// `error.message_column`.
        message: Name,
    },
}

/// The keys of a JSON error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorKeys {
    /// `error.code`.
    pub code: String,
    /// `error.message`.
    pub message: String,
    /// `error.cause`.
    pub cause: String,
    /// `error.retryable`: whether it may pass by itself, for the application's readers; `None`: not told.
    pub retryable: Option<String>,
    /// `error.hidden`: our own keys that the application's readers must not see.
    pub hidden: Vec<String>,
}

/// What is done about a row that should be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCompleted {
    /// It is written.
    Write,
    /// It is told: completing runs code of the application's.
    Tell,
}

/// How a failed process is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Its row is opened again.
    Reopen,
    /// The application makes a new row.
    Off,
}

impl Default for ErrorKeys {
    fn default() -> Self {
        let [code, message, cause] = ["code", "message", "cause"].map(str::to_owned);
        Self { code, message, cause, retryable: None, hidden: Vec::new() }
    }
}

impl Name {
    /// The names that it may have in the catalogue.
    pub(crate) fn spellings(&self) -> [&str; 2] {
        match self {
            Self::Guide(snake, camel) => [snake, camel],
            Self::Own(name) => [name, name],
        }
    }
}

impl Profile {
    /// The guide's application.
    #[must_use]
    pub fn guide() -> Self {
        let guide = |snake, camel| Some(Name::Guide(snake, camel));
        Self {
            table: None,
            filter: Vec::new(),
            columns: Columns {
                id: Name::Guide("id", "id"),
                status: Name::Guide("status", "status"),
                status_key: None,
                created: guide("created_at", "createdAt"),
                started: None,
                updated: guide("updated_at", "updatedAt"),
                finished: guide("completed_at", "completedAt"),
                zone: "UTC".to_owned(),
                progress: guide("progress", "progress"),
                attempts: guide("retry_count", "retryCount"),
                result: guide("result", "result"),
                arn: None,
                kind: guide("type", "type"),
                user: guide("user_id", "userId"),
                target: guide("target_id", "targetId"),
            },
            error: ErrorShape::One { column: Name::Guide("error", "error"), keys: ErrorKeys::default(), none: None },
            result_path: ResultPath::default(),
            require_result: false,
            writes_timed_out: false,
            machines: Vec::new(),
            on_completed: OnCompleted::Write,
            retry: Retry::Reopen,
            deadlines: Vec::new(),
            deadline: None,
            log_groups: Vec::new(),
            words: &WORDS,
        }
    }

    /// Of another application's table, before anything is named.
    fn of_another(table: TableName) -> Self {
        let guide = Self::guide();
        let columns = Columns {
            created: None,
            updated: None,
            finished: None,
            progress: None,
            attempts: None,
            result: None,
            kind: None,
            user: None,
            target: None,
            ..guide.columns
        };
        // Where rows have no results, any output is one.
        let result_path = ResultPath::whole();
        Self { table: Some(table), columns, error: ErrorShape::Absent, result_path, ..guide }
    }

    /// Whether it describes another application's table than the guide's.
    #[must_use]
    pub const fn is_anothers(&self) -> bool {
        self.table.is_some()
    }

    /// The steps that it cannot serve, each with the key that is missing.
    #[must_use]
    pub fn steps_off(&self) -> Vec<(&'static str, &'static str)> {
        let columns = &self.columns;
        [
            ("repair-progress", "progress", columns.progress.is_some()),
            ("repair-goal-status", "target", columns.target.is_some()),
            ("retry-failed-processes", "retry", self.retry == Retry::Reopen),
        ]
        .into_iter()
        .filter(|(_, _, is_served)| !is_served)
        .map(|(step, key, _)| (step, key))
        .collect()
    }
}
