//! What can go wrong, said so that the person who reads it knows what to do next.
//!
//! What somebody else says of it (PostgreSQL, AWS, a parser that quotes what it cannot read) loses what nobody may see where it becomes an
//! [`Error`], so that answer, ledger, log and message need not know where a text is from.

mod advice;
mod doing;

use std::fmt;
use std::time::Duration;

use aws_sdk_sfn::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use lambda_runtime::Diagnostic;

use self::advice::READ_ONLY;
use crate::domain::{Both, Language};
use crate::gather::trigger::TriggerError;
use crate::{redact, text};

/// Why a run failed. Asynchronous events that meet one are retried by Lambda and then kept, whole, in the dead-letter queue; a schedule,
/// which comes again, is only counted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment is incomplete or contradicts itself; all faults are listed. In English in any case: the language is a part of what
    /// could not be read.
    Configuration(Vec<String>),

    /// No step understands the event.
    Trigger(#[from] TriggerError),

    /// The operator asked for something that cannot be done.
    Refused(String),

    /// The application's table is missing or not as it must be.
    Table(String),

    /// The same as [`Error::Refused`], from where it is not known who reads it: what was answered or stored cannot be read, above all.
    Said(Both),

    /// PostgreSQL did not answer, or refused.
    Database {
        /// What was being done.
        doing: &'static str,
        /// What PostgreSQL or the connection said.
        message: Both,
        /// What to do next.
        advice: Both,
        /// PostgreSQL's own code (SQLSTATE); `None` where it did not answer.
        code: Option<String>,
        /// Whether the connection itself failed: trying once more on a new one may help.
        connection_lost: bool,
    },

    /// Lambda's deadline came while an answer was waited for.
    OutOfTime,

    /// An AWS service did not answer, or refused.
    Aws {
        /// The call, as AWS names it.
        call: &'static str,
        /// The error's code; `Timeout` or `NoAnswer` where there was none.
        code: String,
        /// What AWS said.
        message: Both,
        /// What to do next.
        advice: Both,
        /// The service itself said no: nothing was done. Otherwise it may have been done, and only the answer not have come.
        refused: bool,
    },
}

impl Error {
    /// The name that Lambda reports as `errorType`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Configuration(_) => "ConfigurationError",
            Self::Trigger(_) => "UnknownEvent",
            Self::Refused(_) | Self::Said(_) => "Refused",
            Self::Table(_) => "TableMismatch",
            Self::Database { .. } => "DatabaseError",
            Self::OutOfTime => "OutOfTime",
            Self::Aws { .. } => "AwsError",
        }
    }

    /// What went wrong and what to do next, for whoever reads answer, finding and ledger; shown ([`fmt::Display`]), it is English, for the log.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        match self {
            Self::Configuration(faults) => format!("configuration: {}", faults.join("; ")),
            Self::Trigger(error) => error.told(language),
            Self::Refused(why) | Self::Table(why) => why.clone(),
            Self::Said(what) => what.told(language),
            Self::Database { doing, message, advice, .. } => {
                let (doing, message, advice) =
                    (doing::told(language, doing), message.told(language), advice.told(language));
                text!(
                    language,
                    ja: "データベースのエラー（{doing}）: {message}。{advice}",
                    en: "the database failed while {doing}: {message}. {advice}",
                )
            }
            Self::OutOfTime => {
                let again = advice::again(language);
                text!(
                    language,
                    ja: "Lambda の制限時間までに応答がなかった。テーブルがロックされているか（マイグレーションなど。pg_locks の WHERE NOT granted で確認）、関数のタイムアウトが短すぎる。{again}",
                    en: "no answer before Lambda's deadline: the table may be locked (by a migration, for example: see pg_locks WHERE NOT granted), or the function's timeout is too short. {again}",
                )
            }
            Self::Aws { call, code, message, advice, .. } => {
                let (message, advice) = (message.told(language), advice.told(language));
                text!(language, ja: "{call}: {code}: {message}。{advice}", en: "{call}: {code}: {message}. {advice}")
            }
        }
    }

    /// The error as Lambda answers it.
    #[must_use]
    pub fn diagnostic(&self, language: Language) -> Diagnostic {
        Diagnostic { error_type: self.kind().to_owned(), error_message: self.told(language) }
    }

    /// What `say` says of something that cannot be done or read.
    pub fn said(say: impl Fn(Language) -> String) -> Self {
        Self::Said(Both::of(say))
    }

    /// What a library says, without what nobody may see.
    pub fn words(said: &impl std::fmt::Display) -> String {
        redact::text(&said.to_string())
    }

    /// Wraps what sqlx says with what was being done and what to do about it.
    pub fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| {
            let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
            let unreachable = matches!(error, sqlx::Error::Io(_));
            Self::Database {
                doing,
                message: Both::same(&Self::words(&error)),
                advice: Both::of(|language| advice::database(language, code.as_deref(), unreachable)),
                connection_lost: matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_))
                    // After a failover an old connection leads to what is a reader now.
                    || code.as_deref().is_some_and(|code| {
                        code.starts_with("57P") || code == READ_ONLY || advice::MIXED_UP.contains(&code)
                    }),
                code,
            }
        }
    }

    /// The database does not answer at all: its connection counts as lost.
    #[must_use]
    pub fn silence(doing: &'static str, waited: Duration) -> Self {
        Self::Database {
            doing,
            message: Both::of(
                |language| text!(language, ja: "{waited:?} 以内に応答なし", en: "no answer within {waited:?}"),
            ),
            advice: Both::of(|language| advice::database(language, None, true)),
            code: None,
            connection_lost: true,
        }
    }

    /// Wraps what the AWS SDK says with what to do about it.
    pub fn aws<E>(call: &'static str) -> impl FnOnce(SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        move |error| {
            let refused = error.raw_response().is_some_and(|answer| answer.status().is_client_error());
            let said = |words: &str| Both::same(&Self::words(&words));
            let (code, message) = match &error {
                SdkError::TimeoutError(_) => ("Timeout".to_owned(), Both::of(not_in_time)),
                SdkError::ServiceError(service) => (
                    service.err().code().unwrap_or("UnknownError").to_owned(),
                    service.err().message().map_or_else(|| Both::of(without_message), said),
                ),
                _ => ("NoAnswer".to_owned(), said(&DisplayErrorContext(&error).to_string())),
            };
            let advice = Both::of(|language| advice::aws(language, &code));
            Self::Aws { call, code, message, advice, refused }
        }
    }

    /// A call that was given up.
    #[must_use]
    pub fn no_answer(call: &'static str) -> Self {
        let (message, advice) = (Both::of(not_in_time), Both::of(advice::route));
        Self::Aws { call, code: "Timeout".to_owned(), message, advice, refused: false }
    }

    /// Whether Step Functions does not know the execution: it forgets them after 90 days.
    #[must_use]
    pub fn is_execution_gone(&self) -> bool {
        self.is_code("ExecutionDoesNotExist")
    }

    /// Whether what a call was about does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.is_code("ResourceNotFoundException")
    }

    /// Whether AWS answered with this error code.
    #[must_use]
    pub fn is_code(&self, code: &str) -> bool {
        matches!(self, Self::Aws { code: answered, .. } if answered == code)
    }

    /// Whether AWS itself refused a call: nothing was done then. After any other failure it may have been.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Aws { refused: true, .. })
    }

    /// Whether this is about the one thing that was asked for, not about the service as such: whatever else is asked for may be answered.
    #[must_use]
    pub fn is_about_the_target(&self) -> bool {
        const CODES: [&str; 8] = [
            "AccessDenied",
            "AccessDeniedException",
            "ExecutionDoesNotExist",
            "InvalidArn",
            "KmsAccessDeniedException",
            "KmsInvalidStateException",
            "StateMachineDoesNotExist",
            "ValidationException",
        ];
        match self {
            Self::Aws { code, .. } => CODES.contains(&code.as_str()),
            // An answer that cannot be read: a status that AWS has added, say.
            Self::Refused(_) | Self::Said(_) => true,
            Self::Configuration(_) | Self::Trigger(_) | Self::Table(_) | Self::Database { .. } | Self::OutOfTime => {
                false
            }
        }
    }

    /// Whether Step Functions has an execution of this name already, which is over or was started with another input.
    #[must_use]
    pub fn is_execution_already_there(&self) -> bool {
        self.is_code("ExecutionAlreadyExists")
    }

    /// Whether the database takes reads only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Database { code: Some(code), .. } if code == READ_ONLY)
    }

    /// Whether the connection to the database was lost: on a new one, a run that has changed nothing may begin again.
    #[must_use]
    pub const fn is_connection_lost(&self) -> bool {
        matches!(self, Self::Database { connection_lost: true, .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Language::En))
    }
}

fn not_in_time(language: Language) -> String {
    text!(language, ja: "時間内に応答なし", en: "no answer in time")
}

fn without_message(language: Language) -> String {
    text!(language, ja: "メッセージなし", en: "without a message")
}
