//! What can go wrong, said so that the person who reads it knows what to do next.
//!
//! What somebody else says of it (PostgreSQL, AWS, a parser that quotes what it cannot read) loses what nobody may see where it becomes an
//! [`Error`], so that answer, ledger, log and message need not know where a text is from.

use std::time::Duration;

use aws_sdk_sfn::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use lambda_runtime::Diagnostic;

use crate::gather::trigger::TriggerError;
use crate::redact;

/// The SQLSTATE of a write where only reads are taken.
const READ_ONLY: &str = "25006";

/// Lambda retries and keeps asynchronous events only: whoever sent one by hand has the answer, and nothing else.
const AGAIN: &str = "If you sent this event, send it again; a schedule looks again by itself, any other event is retried by Lambda and then kept in the dead-letter queue";

/// Why a run failed. Asynchronous events that meet one are retried by Lambda and then kept, whole, in the dead-letter queue; a schedule,
/// which comes again, is only counted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment is incomplete or contradicts itself; all faults are listed.
    #[error("configuration: {}", .0.join("; "))]
    Configuration(Vec<String>),

    /// No step understands the event.
    #[error(transparent)]
    Trigger(#[from] TriggerError),

    /// The operator asked for something that cannot be done.
    #[error("{0}")]
    Refused(String),

    /// The application's table is missing or not as it must be.
    #[error("{0}")]
    Table(String),

    /// PostgreSQL did not answer, or refused.
    #[error("the database failed while {doing}: {message}. {advice}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What PostgreSQL or the connection said.
        message: String,
        /// What to do next.
        advice: String,
        /// PostgreSQL's own code (SQLSTATE); `None` where it did not answer.
        code: Option<String>,
        /// Whether the connection itself failed: trying once more on a new one may help.
        connection_lost: bool,
    },

    /// Lambda's deadline came while an answer was waited for.
    #[error(
        "no answer before Lambda's deadline: the table may be locked (by a migration, for example: see pg_locks WHERE NOT granted), or the function's timeout is too short. {AGAIN}"
    )]
    OutOfTime,

    /// An AWS service did not answer, or refused.
    #[error("{call}: {code}: {message}. {advice}")]
    Aws {
        /// The call, as AWS names it.
        call: &'static str,
        /// The error's code; `Timeout` or `NoAnswer` where there was none.
        code: String,
        /// What AWS said.
        message: String,
        /// What to do next.
        advice: &'static str,
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
            Self::Refused(_) => "Refused",
            Self::Table(_) => "TableMismatch",
            Self::Database { .. } => "DatabaseError",
            Self::OutOfTime => "OutOfTime",
            Self::Aws { .. } => "AwsError",
        }
    }

    /// What a library says, without what nobody may see.
    pub fn words(said: &impl std::fmt::Display) -> String {
        redact::text(&said.to_string())
    }

    /// Wraps what sqlx says with what was being done and what to do about it.
    pub fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| {
            let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
            let advice = match (code.as_deref(), &error) {
                (Some("28P01" | "28000"), _) => {
                    "The user or password was refused: check DATABASE_URL, or the secret and whether it was rotated"
                }
                (Some("3D000"), _) => "The database does not exist: check the name in DATABASE_URL or in the secret",
                (Some("42501"), _) => {
                    "The database user lacks a privilege: it needs SELECT and UPDATE on the application's table and all on schema remediation"
                }
                (Some("42P01" | "3F000" | "42703"), _) => {
                    "A table or column of schema remediation is missing: invoke the migrate function with {\"all\":true}"
                }
                (Some("26000" | "42P05" | "08P01"), _) => {
                    "A pooler (PgBouncer) in transaction mode stands before the database, and prepared statements do not outlive a transaction there: use its session mode, or PgBouncer 1.21 or later with max_prepared_statements above 0, or connect to the database itself"
                }
                (Some(READ_ONLY), _) => {
                    "The database takes reads only: after a failover the name may still lead to the old writer, or DATABASE_URL leads to a reader; check default_transaction_read_only too"
                }
                (Some("57014"), _) => {
                    "It took longer than allowed: the table may be locked (see pg_locks WHERE NOT granted), or the database is slow"
                }
                (Some("55P03"), _) => "A row stayed locked by another session: the next run tries again",
                (Some("53300"), _) => {
                    "All connections are in use: pg_stat_activity shows who holds them. relieve-database can end hanging sessions if connections are reserved for its user: on PostgreSQL 16 by reserved_connections and GRANT pg_use_reserved_connections, on RDS by rds.rds_superuser_reserved_connections and GRANT rds_superuser; reserve more than all functions of this system hold together"
                }
                (None, sqlx::Error::Io(_)) => &format!(
                    "It cannot be reached: check that it is up, the host and port, and the function's subnets and security groups. {AGAIN}"
                ),
                (Some(_) | None, _) => AGAIN,
            };
            Self::Database {
                doing,
                message: Self::words(&error),
                advice: advice.to_owned(),
                connection_lost: matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_))
                    // After a failover an old connection leads to what is a reader now.
                    || code.as_deref().is_some_and(|code| code.starts_with("57P") || code == READ_ONLY),
                code,
            }
        }
    }

    /// The database does not answer at all: its connection counts as lost.
    #[must_use]
    pub fn silence(doing: &'static str, waited: Duration) -> Self {
        let silence = std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {waited:?}"));
        Self::database(doing)(sqlx::Error::Io(silence))
    }

    /// Wraps what the AWS SDK says with what to do about it.
    pub fn aws<E>(call: &'static str) -> impl FnOnce(SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        move |error| {
            let refused = error.raw_response().is_some_and(|answer| answer.status().is_client_error());
            let (code, message) = match &error {
                SdkError::TimeoutError(_) => ("Timeout".to_owned(), "no answer in time".to_owned()),
                SdkError::ServiceError(service) => (
                    service.err().code().unwrap_or("UnknownError").to_owned(),
                    service.err().message().unwrap_or("without a message").to_owned(),
                ),
                _ => ("NoAnswer".to_owned(), DisplayErrorContext(&error).to_string()),
            };
            let advice = match code.as_str() {
                "AccessDenied" | "AccessDeniedException" => {
                    "The function's role lacks this permission, which the step's manifest declares: deploy the CDK app again; if that does not help, look for a permissions boundary or a service control policy"
                }
                "ThrottlingException" | "TooManyRequestsException" | "Throttling" => {
                    "The account's request quota is used up: the next run continues; if this persists, request a higher quota"
                }
                "ExecutionDoesNotExist" => "Step Functions keeps executions for 90 days only: look at the row itself",
                "StateMachineDoesNotExist" => "Check STATE_MACHINE_ARN",
                "ResourceNotFoundException" => "It does not exist in this account and region: check the ARN",
                "ExpiredTokenException" | "UnrecognizedClientException" => "The function's credentials are not valid",
                "Timeout" | "NoAnswer" => {
                    "Check the function's route to AWS (a NAT gateway or an interface endpoint in its subnets), then send the event again"
                }
                _ => AGAIN,
            };
            Self::Aws { call, code, message: Self::words(&message), advice, refused }
        }
    }

    /// A call that was given up.
    #[must_use]
    pub fn no_answer(call: &'static str) -> Self {
        let advice = "Check the function's route to AWS (a NAT gateway or an interface endpoint in its subnets)";
        Self::Aws { call, code: "Timeout".to_owned(), message: "no answer in time".to_owned(), advice, refused: false }
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
            Self::Refused(_) => true,
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

impl From<&Error> for Diagnostic {
    fn from(error: &Error) -> Self {
        Self { error_type: error.kind().to_owned(), error_message: error.to_string() }
    }
}
