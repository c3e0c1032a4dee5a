//! What lies behind a failure, as far as a code, a message and an execution's error tell it: that decides who can answer it (guide, 2
//! and its part on each error).

use serde::{Serialize, Serializer};

use crate::decide::CLOSED_BY_PERSON;
use crate::domain::Words;
use crate::failure::transient::{is_throttling, is_transient};
use crate::failure::{UNKNOWN, failure};

/// What lies behind a failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Bedrock was called too often.
    Throttled,
    /// It took longer than it may.
    TimedOut,
    /// The database did not answer, or something was in the way: it may pass.
    Database,
    /// The model did not answer, or not as it should: it may pass.
    Model,
    /// The database refuses what is asked for: a constraint, a value, a table that is not there.
    DatabaseRefuses,
    /// Bedrock refuses what is asked for: the prompt, the model or the role is wrong.
    ModelRefuses,
    /// The user's input is not valid.
    Validation,
    /// Something else than Bedrock was called too often: Lambda has no concurrency left for the worker, or the application limits itself.
    /// Fewer calls of the worker would make it worse.
    RateLimited,
    /// Step Functions ended it, and nobody knows better.
    StepFunctions,
    /// A code that is not known here.
    Other(
        /// The code.
        String,
    ),
    /// A person closed or cancelled it.
    ByPerson,
}

/// Words, in lower case, by which a message of the model's tells that there were too many calls ([Bedrock's error codes][1]): the
/// application calls all that Bedrock says AI_ERROR.
///
/// [1]: https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
const THROTTLED: [&str; 4] = ["throttl", "too many requests", "too many tokens", "servicequotaexceeded"];

impl Cause {
    /// For machines; a code that is not known stands for itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Throttled => "throttled",
            Self::TimedOut => "timed-out",
            Self::Database => "database",
            Self::Model => "model",
            Self::DatabaseRefuses => "database-refuses",
            Self::ModelRefuses => "model-refuses",
            Self::Validation => "validation",
            Self::RateLimited => "rate-limited",
            Self::StepFunctions => "step-functions",
            Self::Other(code) => code,
            Self::ByPerson => "by-person",
        }
    }

    /// What lies behind a failure: `code` and `message` are the row's, `error` is the name that its execution ended with, which counts
    /// where the row says nothing itself.
    #[must_use]
    pub fn of(code: Option<&str>, message: Option<&str>, error: Option<&str>, words: &Words) -> Self {
        let code = match code.filter(|code| *code != UNKNOWN) {
            Some(code) => applications(code, words),
            None => error.map_or_else(|| UNKNOWN.to_owned(), |error| failure(Some(error), None, words).code),
        };
        let may_pass = is_transient(Some(&code), message, None, words);
        match code.as_str() {
            "AI_THROTTLING" => Self::Throttled,
            "AI_ERROR" | "AI_RESPONSE_INVALID" if tells_of_throttling(message) => Self::Throttled,
            "AI_ERROR" | "AI_RESPONSE_INVALID" if may_pass => Self::Model,
            "AI_ERROR" | "AI_RESPONSE_INVALID" => Self::ModelRefuses,
            "TIMEOUT_ERROR" | "STEP_FUNCTIONS_TIMEOUT" => Self::TimedOut,
            "DATABASE_ERROR" | "DATABASE_CONNECTION_ERROR" if may_pass => Self::Database,
            "DATABASE_ERROR" | "DATABASE_CONNECTION_ERROR" => Self::DatabaseRefuses,
            "VALIDATION_ERROR" => Self::Validation,
            CLOSED_BY_PERSON => Self::ByPerson,
            code if words.is_cancel(Some(code)) => Self::ByPerson,
            UNKNOWN => Self::StepFunctions,
            other if is_throttling(Some(other), None) => Self::RateLimited,
            _ => Self::Other(code),
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The application's code for a name that stands in its place (`ThrottlingException`); one that is not known stays as it is.
fn applications(code: &str, words: &Words) -> String {
    Some(failure(Some(code), None, words).code).filter(|known| known != UNKNOWN).unwrap_or_else(|| code.to_owned())
}

fn tells_of_throttling(message: Option<&str>) -> bool {
    let message = message.unwrap_or_default().to_lowercase();
    THROTTLED.iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::super::INVALID_INPUT;
    use super::Cause::*;
    use super::*;
    use crate::domain::WORDS;

    #[test]
    fn every_failure_has_the_cause_that_its_code_its_message_or_its_execution_tells() {
        let other = |code: &str| Other(code.to_owned());
        // (the row's code, its message, the execution's error, the cause)
        for (code, message, error, cause) in [
            (Some("AI_THROTTLING"), None, None, Throttled),
            (Some("AI_ERROR"), Some("ThrottlingException: Rate exceeded"), None, Throttled),
            (Some("AI_ERROR"), Some("Too many tokens, please wait before trying again."), None, Throttled),
            (Some("BedrockRuntime.ThrottlingException"), None, None, Throttled),
            (None, None, Some("ThrottlingException"), Throttled),
            (Some("AI_ERROR"), Some("the model did not answer"), None, Model),
            (Some("AI_ERROR"), None, None, Model),
            (Some("AI_RESPONSE_INVALID"), Some("not JSON"), None, Model),
            (Some("ModelTimeoutException"), None, None, Model),
            (Some("AI_ERROR"), Some("ValidationException: Input is too long"), None, ModelRefuses),
            (Some("AI_ERROR"), Some("AccessDeniedException: no access to the model"), None, ModelRefuses),
            (Some("TIMEOUT_ERROR"), None, None, TimedOut),
            (Some("STEP_FUNCTIONS_TIMEOUT"), None, None, TimedOut),
            (Some("STEP_FUNCTIONS_ERROR"), None, Some("States.Timeout"), TimedOut),
            (Some("DATABASE_ERROR"), Some("connection reset"), None, Database),
            (Some("DATABASE_ERROR"), None, None, Database),
            (Some("DATABASE_CONNECTION_ERROR"), None, None, Database),
            (Some("PrismaClientInitializationError"), None, None, Database),
            (Some("DATABASE_ERROR"), Some("duplicate key value violates unique constraint"), None, DatabaseRefuses),
            (Some("VALIDATION_ERROR"), None, Some("ThrottlingException"), Validation),
            // Lambda itself refuses calls of the worker: throttling the worker is what may have led to it.
            (Some("RATE_LIMIT_EXCEEDED"), None, None, RateLimited),
            (Some("STEP_FUNCTIONS_ERROR"), None, Some("Lambda.TooManyRequestsException"), RateLimited),
            (Some("TooManyRequestsException"), None, None, RateLimited),
            (Some("STEP_FUNCTIONS_ERROR"), None, Some("States.Runtime"), StepFunctions),
            (Some("STEP_FUNCTIONS_ERROR"), None, None, StepFunctions),
            (None, None, None, StepFunctions),
            (Some(INVALID_INPUT[0]), None, None, Validation),
            (Some(INVALID_INPUT[1]), None, None, Validation),
            (Some(INVALID_INPUT[2]), None, None, Validation),
            (Some("MANUAL_INTERVENTION"), None, Some("AI_ERROR"), ByPerson),
            (Some("CANCELLED"), None, Some("AI_ERROR"), ByPerson),
            (Some("INTERNAL_ERROR"), None, None, other("INTERNAL_ERROR")),
            (None, None, Some("Lambda.Unknown"), other("INTERNAL_ERROR")),
            (Some("PAYMENT_MISSING"), None, None, other("PAYMENT_MISSING")),
            (Some("Oops"), None, None, other("Oops")),
        ] {
            assert_eq!(Cause::of(code, message, error, &WORDS), cause, "{code:?} {message:?} {error:?}");
        }
    }
}
