use serde::Deserialize;
use std::io;
use std::path::Path;
use std::time::Duration;

/// What can go wrong while the parts are started or asked. Every message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something has to be installed on this machine first.
    #[error("{what} is missing: {remedy}")]
    Missing {
        /// What was looked for.
        what: String,
        /// How to get it.
        remedy: String,
    },
    /// A command ended with an error.
    #[error("`{command}` failed ({status}); its last words:\n{output}")]
    Command {
        /// The command line, shortened.
        command: String,
        /// The exit status in words.
        status: String,
        /// The end of what it printed.
        output: String,
    },
    /// A process of the harness ended although it was to keep running.
    #[error("{name} ended by itself (exit code {code}); its last words:\n{output}")]
    Ended {
        /// Which part.
        name: String,
        /// Its exit code; 128 + n for signal n.
        code: i32,
        /// The end of what it printed.
        output: String,
    },
    /// The file system or a process refused something.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// PostgreSQL answered with an error.
    #[error("cannot {doing}: {source}")]
    Database {
        /// What was tried.
        doing: String,
        /// PostgreSQL's answer.
        source: sqlx::Error,
    },
    /// An HTTP endpoint answered with something that was not asked for.
    #[error("cannot {doing}: {message}")]
    Http {
        /// What was tried.
        doing: String,
        /// What came back.
        message: String,
    },
    /// A function answered with an error.
    #[error("the function failed with {0}")]
    Function(#[from] FunctionError),
    /// A condition did not come true in time.
    #[error("waited {bound:?} for {what}, in vain")]
    Timeout {
        /// The condition.
        what: String,
        /// How long it was waited for.
        bound: Duration,
    },
    /// The caller asked for something that cannot be.
    #[error("{0}")]
    Usage(String),
}

/// An error as Lambda reports it to the caller.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, thiserror::Error)]
#[serde(rename_all = "camelCase", default)]
#[error("{error_type}: {error_message}")]
pub struct FunctionError {
    /// What kind of error; `Sandbox.Timedout` and `Runtime.ExitError` are Lambda's own.
    pub error_type: String,
    /// What the function says about it.
    pub error_message: String,
}

/// The harness' result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err`: an I/O error with what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// For `map_err`: an I/O error about a path.
    pub(crate) fn path(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::io(format!("{doing} {}", path.display()))
    }

    /// For `map_err`: a database error with what was being done.
    pub(crate) fn database(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Database { doing, source }
    }

    /// For `map_err`: an answer of the AWS endpoint with what was being done. The SDK's own errors keep the cause inside.
    pub fn aws<E: std::error::Error>(doing: impl Into<String>) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |error| {
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            let message = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
            Self::Http { doing, message }
        }
    }
}
