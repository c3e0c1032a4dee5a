//! What there is to know of such an application.

use std::path::PathBuf;

use harness::paths;
use serde_json::Value;

/// An application, as far as somebody has to know it who plays it.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Its folder in `tests/profiles`.
    pub name: &'static str,
    /// What it is called for short.
    pub letter: &'static str,
    /// Its `application.toml`.
    pub profile: &'static str,
    /// The statements that make its table.
    pub ddl: &'static str,
    /// Its state machine, which takes `wait` (seconds) and `fails` in its input.
    pub machine: &'static str,
    /// Its table and the column of the id, as SQL spells them.
    pub table: (&'static str, &'static str),
    /// Makes the row $1 (text) with the status $2 and, where it bears one, the execution $3, of $4 seconds ago.
    pub insert: &'static str,
    /// What the row $1 says, as JSON: `status`, and where it keeps them `error`, `result` and `ended`; all of it in `row`, and in `other` what
    /// lies beside it and is nobody's business.
    pub read: &'static str,
    /// How it cancels the process $1, without a thought of its execution. `None`: its rows cannot say that.
    pub cancel: Option<&'static str>,
    /// Its words for a row's status.
    pub words: Words,
    /// An id that it has not had yet.
    pub id: fn() -> String,
    /// What an execution is started with for it.
    pub input: fn(&str) -> Value,
    /// What that is called.
    pub called: fn(&str) -> String,
    /// How its rows keep an error, of this code and message, and none.
    pub error: fn(Option<(&str, &str)>) -> Value,
    /// Where the code stands in one.
    pub error_code: Option<&'static str>,
    /// Why its executions fail, in the words of its state machine.
    pub cause: &'static str,
    /// What else a row has.
    pub keeps: Keeps,
    /// Whether completing a row runs code of its own, so that people are told instead.
    pub completes_itself: bool,
    /// What `other` is as long as nobody touches it.
    pub other: Option<&'static str>,
}

/// An application's words; the same one twice where it does not distinguish.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "they say it themselves")]
pub struct Words {
    pub pending: &'static str,
    pub processing: &'static str,
    pub completed: &'static str,
    pub failed: &'static str,
    pub timed_out: &'static str,
    pub cancelled: &'static str,
}

/// What a row has beside its status and its error.
#[derive(Debug, Clone, Copy)]
pub struct Keeps {
    /// What came of the process.
    pub result: bool,
    /// When it ended.
    pub end: bool,
}

impl Shape {
    /// Where its profile is, for the setting `applicationProfile`.
    #[must_use]
    pub fn profile_path(&self) -> PathBuf {
        paths::workspace().join("tests/profiles").join(self.name).join("application.toml")
    }
}
