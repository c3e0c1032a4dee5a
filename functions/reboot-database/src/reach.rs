//! Whether the database itself answers.

use std::time::Duration;

use remediation::domain::Language;
use remediation::gather::error::Error;
use serde::Serialize;
use sqlx::PgConnection;

/// How the database answers. Each but the first has the words that say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "why", rename_all = "lowercase")]
pub enum Reach {
    /// It does.
    Answers,
    /// It cannot be reached, or is connected and says nothing.
    Silent(String),
    /// It says that there is no connection left.
    Full(String),
    /// It says that it is starting, ending or recovering.
    Starting(String),
    /// It answers, and does not let us in.
    Refuses(String),
    /// It was not asked: our own settings or rights are wrong.
    Untried(String),
}

/// After how long a connected database counts as silent.
pub const PATIENCE: Duration = Duration::from_secs(5);

impl Reach {
    /// Asks on a connection that was made.
    ///
    /// # Errors
    /// [`Error::Database`] where the connection is lost: a new one may be better.
    pub async fn ask(db: &mut PgConnection, language: Language) -> Result<Self, Error> {
        let asked = tokio::time::timeout(PATIENCE, sqlx::raw_sql("SELECT 1").execute(db)).await;
        match asked.map(|answer| answer.map_err(Error::database("asking for an answer"))) {
            Ok(Ok(_)) => Ok(Self::Answers),
            Ok(Err(error)) if error.is_connection_lost() => Err(error),
            Ok(Err(error)) => Ok(Self::of(&error, language)),
            Err(_) => Ok(Self::Silent(Error::silence("asking for an answer", PATIENCE).told(language))),
        }
    }

    /// What it means that no connection could be had. The codes are PostgreSQL's: 53300 is too_many_connections, class 57P operator
    /// intervention (57P03: cannot_connect_now).
    pub fn of(why: &Error, language: Language) -> Self {
        let words = why.told(language);
        match why {
            Error::Database { code: Some(code), .. } if code == "53300" => Self::Full(words),
            Error::Database { code: Some(code), .. } if code.starts_with("57P") => Self::Starting(words),
            Error::Database { code: Some(_), .. } => Self::Refuses(words),
            Error::Database { code: None, connection_lost: true, .. } => Self::Silent(words),
            Error::Database { code: None, connection_lost: false, .. }
            | Error::Configuration(_)
            | Error::Trigger(_)
            | Error::Refused(_)
            | Error::Table(_)
            | Error::Said(_)
            | Error::OutOfTime
            | Error::Aws { .. } => Self::Untried(words),
        }
    }
}
