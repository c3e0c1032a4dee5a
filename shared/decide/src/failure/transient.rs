//! Which failures may pass by themselves, so that trying again may help (guide, 4 step 1 and step 3).

use crate::domain::Words;

/// The application's codes that may pass.
const CODES: [&str; 8] = [
    "AI_ERROR",
    "AI_THROTTLING",
    "AI_RESPONSE_INVALID",
    "DATABASE_ERROR",
    "DATABASE_CONNECTION_ERROR",
    "TIMEOUT_ERROR",
    "STEP_FUNCTIONS_TIMEOUT",
    "RATE_LIMIT_EXCEEDED",
];

/// Names that the guide calls retryable, and AWS's other name for a throttled call, wherever they stand in an error's name.
const NAMES: [&str; 5] = [
    "ThrottlingException",
    "TooManyRequestsException",
    "ServiceUnavailableException",
    "DatabaseConnectionError",
    "NetworkError",
];

/// The application's codes for a service that wants fewer calls.
const THROTTLING: [&str; 2] = ["AI_THROTTLING", "RATE_LIMIT_EXCEEDED"];

/// What AWS calls transient: [Lambda's own errors][1], and what [Step Functions][2] calls a timeout.
///
/// [1]: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
/// [2]: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const AWS: [&str; 7] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "States.Timeout",
    "States.HeartbeatTimeout",
];

/// Words, in lower case, of what the same statement would run into again: a violated constraint (PostgreSQL's words and
/// [Prisma's codes][1]), a value that does not fit, a table, column or record that is not there.
///
/// [1]: https://www.prisma.io/docs/orm/reference/error-reference
const DATABASE_STAYS: [&str; 16] = [
    "violates",
    "constraint",
    "invalid input",
    "value too long",
    "out of range",
    "does not exist",
    "p2000",
    "p2002",
    "p2003",
    "p2004",
    "p2006",
    "p2011",
    "p2012",
    "p2014",
    "p2021",
    "p2025",
];

/// Words, in lower case, of what Bedrock says of a request that it will never take: the prompt, the model or the role is wrong.
const AI_STAYS: [&str; 3] = ["validationexception", "accessdeniedexception", "resourcenotfoundexception"];

/// Whether a failure may pass by itself. What is not known to pass is permanent: a retry costs a model call.
///
/// `code` and `message` are the row's, `error` is the name that its execution ended with. The application's own code has the word;
/// where it has none, or one that stands for anything, the execution's error has.
#[must_use]
pub fn is_transient(code: Option<&str>, message: Option<&str>, error: Option<&str>, words: &Words) -> bool {
    let passes = |name: &str| {
        let listed = CODES.contains(&name) || AWS.contains(&name);
        let by_name = listed || NAMES.iter().any(|retryable| name.contains(retryable));
        words.transient.contains(&name) || by_name && !words.permanent.contains(&name)
    };
    let message = message.unwrap_or_default().to_lowercase();
    let tells = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match code {
        // The application's own word.
        Some(code) if words.transient.contains(&code) => true,
        Some(code) if words.permanent.contains(&code) => false,
        Some("DATABASE_ERROR") => !tells(&DATABASE_STAYS),
        Some("AI_ERROR") => !tells(&AI_STAYS),
        // Stands for anything that Step Functions ended with.
        Some(super::UNKNOWN) | None => error.is_some_and(passes),
        Some(code) if passes(code) => true,
        // Of a code that no list knows, the error's name has the word.
        Some(code) if !super::is_named(code) => error.is_some_and(passes),
        Some(_) => false,
    }
}

/// Whether a list knows a code: the application's, the guide's, or what its name means.
#[must_use]
pub fn is_known(code: &str, words: &Words) -> bool {
    words.knows(code) || super::is_named(code) || is_transient(Some(code), None, None, words)
}

/// Whether a failure says that somebody was called too often: the next call has to wait longer.
#[must_use]
pub fn is_throttling(code: Option<&str>, error: Option<&str>) -> bool {
    let throttled = |name: &str| {
        THROTTLING.contains(&name) || ["Throttling", "TooManyRequests"].iter().any(|part| name.contains(part))
    };
    match code {
        Some(super::UNKNOWN) | None => error.is_some_and(throttled),
        Some(code) => throttled(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::WORDS;

    #[test]
    fn what_may_pass_is_retryable_and_everything_else_is_not() {
        // (the row's code, its message, the execution's error, may pass)
        for (code, message, error, expected) in [
            (Some("AI_ERROR"), None, None, true),
            (Some("AI_THROTTLING"), None, None, true),
            (Some("AI_RESPONSE_INVALID"), None, None, true),
            (Some("DATABASE_ERROR"), Some("connection reset"), None, true),
            (
                Some("DATABASE_ERROR"),
                Some("duplicate key value violates unique constraint \"goals_pkey\""),
                None,
                false,
            ),
            (Some("DATABASE_ERROR"), Some("Foreign key constraint failed on the field: `goal_id`"), None, false),
            (Some("DATABASE_ERROR"), Some("PrismaClientKnownRequestError P2002"), None, false),
            (Some("DATABASE_ERROR"), Some("Unique Constraint failed on the fields: (`id`)"), None, false),
            (Some("DATABASE_ERROR"), Some("invalid input syntax for type uuid: \"x\""), None, false),
            (Some("DATABASE_ERROR"), Some("relation \"goals\" does not exist"), None, false),
            (Some("DATABASE_ERROR"), Some("P2025: an operation failed because it depends on records"), None, false),
            (Some("DATABASE_ERROR"), Some("P2024: timed out fetching a connection from the pool"), None, true),
            (Some("DATABASE_ERROR"), Some("P2034: write conflict or deadlock, please retry"), None, true),
            (Some("AI_ERROR"), Some("ValidationException: Input is too long for requested model."), None, false),
            (Some("AI_ERROR"), Some("AccessDeniedException: no access to the model"), None, false),
            (Some("AI_ERROR"), Some("InternalServerException"), Some("ValidationException"), true),
            (Some("DATABASE_CONNECTION_ERROR"), None, None, true),
            (Some("TIMEOUT_ERROR"), None, Some("States.Runtime"), true),
            (Some("STEP_FUNCTIONS_TIMEOUT"), None, None, true),
            (Some("RATE_LIMIT_EXCEEDED"), None, None, true),
            (Some("ThrottlingException"), None, None, true),
            (Some("BedrockRuntime.ThrottlingException"), None, None, true),
            (Some("NetworkError"), None, None, true),
            (Some("TooManyRequestsException"), None, None, true),
            (Some("STEP_FUNCTIONS_ERROR"), None, Some("Lambda.ServiceException"), true),
            (Some("STEP_FUNCTIONS_ERROR"), None, Some("Lambda.SdkClientException"), true),
            (Some("STEP_FUNCTIONS_ERROR"), None, Some("States.Runtime"), false),
            (Some("STEP_FUNCTIONS_ERROR"), None, Some("States.DataLimitExceeded"), false),
            (Some("STEP_FUNCTIONS_ERROR"), None, Some("Lambda.ResourceNotFoundException"), false),
            (Some("STEP_FUNCTIONS_ERROR"), None, None, false),
            (None, None, Some("States.Timeout"), true),
            (None, None, Some("ServiceUnavailableException"), true),
            (None, None, Some("ProcessingFailed"), false),
            (None, None, None, false),
            (Some("VALIDATION_ERROR"), None, Some("ThrottlingException"), false),
            (Some("INTERNAL_ERROR"), None, None, false),
            (Some("INTERNAL_ERROR"), None, Some("Lambda.ServiceException"), false),
            (Some("RESULT_MISSING"), None, None, false),
            (Some("MANUAL_INTERVENTION"), None, Some("AI_ERROR"), false),
        ] {
            assert_eq!(is_transient(code, message, error, &WORDS), expected, "{code:?} {message:?} {error:?}");
        }
    }

    #[test]
    fn only_a_service_that_was_called_too_often_is_waited_for_longer() {
        for (code, error, expected) in [
            (Some("AI_THROTTLING"), None, true),
            (Some("RATE_LIMIT_EXCEEDED"), None, true),
            (Some("BedrockRuntime.ThrottlingException"), None, true),
            (Some("Lambda.TooManyRequestsException"), None, true),
            (Some("STEP_FUNCTIONS_ERROR"), Some("Lambda.TooManyRequestsException"), true),
            (None, Some("ThrottlingException"), true),
            (Some("AI_ERROR"), Some("ThrottlingException"), false),
            (Some("STEP_FUNCTIONS_ERROR"), Some("Lambda.ServiceException"), false),
            (None, None, false),
        ] {
            assert_eq!(is_throttling(code, error), expected, "{code:?} {error:?}");
        }
    }
}
