//! Which failures may pass by themselves, so that trying again may help (guide, 4 step 1 and step 3).

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

/// Names that the guide calls retryable, wherever they stand in an error's name.
const NAMES: [&str; 4] =
    ["ThrottlingException", "ServiceUnavailableException", "DatabaseConnectionError", "NetworkError"];

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

/// Words of a constraint violation (PostgreSQL's, Prisma's, SQLSTATE class 23): the same data would violate it again.
const CONSTRAINTS: [&str; 7] = ["violates", "constraint", "P2002", "P2003", "P2004", "P2011", "P2014"];

/// Whether a failure may pass by itself. What is not known to pass is permanent: a retry costs a model call.
///
/// `code` and `message` are the row's, `error` is the name that its execution ended with. The application's own code has the word;
/// where it has none, or one that stands for anything, the execution's error has.
#[must_use]
pub fn is_transient(code: Option<&str>, message: Option<&str>, error: Option<&str>) -> bool {
    let passes = |name: &str| {
        CODES.contains(&name) || AWS.contains(&name) || NAMES.iter().any(|retryable| name.contains(retryable))
    };
    let violates = || CONSTRAINTS.iter().any(|word| message.is_some_and(|message| message.contains(word)));
    match code {
        Some("DATABASE_ERROR") => !violates(),
        // Stands for anything that Step Functions ended with.
        Some(super::UNKNOWN) | None => error.is_some_and(passes),
        Some(code) => passes(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (Some("DATABASE_CONNECTION_ERROR"), None, None, true),
            (Some("TIMEOUT_ERROR"), None, Some("States.Runtime"), true),
            (Some("STEP_FUNCTIONS_TIMEOUT"), None, None, true),
            (Some("RATE_LIMIT_EXCEEDED"), None, None, true),
            (Some("ThrottlingException"), None, None, true),
            (Some("BedrockRuntime.ThrottlingException"), None, None, true),
            (Some("NetworkError"), None, None, true),
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
            assert_eq!(is_transient(code, message, error), expected, "{code:?} {message:?} {error:?}");
        }
    }
}
