//! What an execution failed with, in the application's own words (design, section 5, "failed").
//!
//! An execution tells an error's name and a cause. The cause of a failed Lambda is JSON; the code that the application
//! knows may stand in several places of it. Where only Step Functions or a service speaks, its name is translated.

pub mod cause;
mod cut_short;
pub mod transient;

use serde_json::{Map, Value};

use crate::domain::{Ending, Words};
use crate::redact;

/// The code of an execution that failed for no reason that is known better.
pub const UNKNOWN: &str = "STEP_FUNCTIONS_ERROR";

/// Characters of a message that reach a row.
const MESSAGE: usize = 2000;
/// Characters of a cause that reach a row.
const CAUSE: usize = 4000;
/// How deep causes are unwrapped: a caught error in a `Fail` state in a nested execution, with some to spare.
const DEPTH: u8 = 5;

/// The codes by which a row says that its user's input was not valid: nobody else's failure.
pub const INVALID_INPUT: [&str; 3] = ["VALIDATION_ERROR", "ValidationError", "ValidationException"];

/// What an execution failed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The application's code (`AI_ERROR`, `DATABASE_ERROR`, …), [`UNKNOWN`] where there is none.
    pub code: String,
    /// The text for people, without what nobody may see, of at most 2,000 characters; never empty.
    pub message: String,
    /// The cause as it came, without what nobody may see, of at most 4,000 characters.
    pub cause: Option<String>,
    /// `false`: only the words of a `Fail` state, or of Step Functions; the failed task in the history may know more.
    pub certain: bool,
}

/// The codes that the application gives its errors (guide, section 2, and its error types). An error of one of these
/// names needs no translation.
const CODES: [&str; 11] = [
    "AI_ERROR",
    "AI_THROTTLING",
    "AI_RESPONSE_INVALID",
    "DATABASE_ERROR",
    "DATABASE_CONNECTION_ERROR",
    "TIMEOUT_ERROR",
    "STEP_FUNCTIONS_TIMEOUT",
    "RATE_LIMIT_EXCEEDED",
    "VALIDATION_ERROR",
    "INTERNAL_ERROR",
    "MANUAL_INTERVENTION",
];

/// The codes that we give.
const OURS: [&str; 2] = [UNKNOWN, "RESULT_MISSING"];

/// What a well-known error is to the application.
enum Known {
    /// This, and nobody knows better.
    Code(&'static str),
    /// Something that the history tells.
    Ask,
}

/// What names of Step Functions, Lambda, Bedrock, Prisma and the application's classes mean.
///
/// Sources, row by row: [Step Functions' error names][1]; [Lambda's errors in Step Functions][2] and its runtime's;
/// [Bedrock's InvokeModel][3]; [Prisma's error reference][4]; the error classes that the guide names.
///
/// [1]: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
/// [2]: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
/// [3]: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
/// [4]: https://www.prisma.io/docs/orm/reference/error-reference
fn known(name: &str) -> Option<Known> {
    use Known::{Ask, Code};
    // An SDK integration names its service first: `BedrockRuntime.ThrottlingException`.
    let own = ["States.", "Lambda.", "Runtime.", "Sandbox."].iter().any(|prefix| name.starts_with(prefix));
    let name = if own { name } else { name.rsplit('.').next().unwrap_or(name) };
    Some(match name {
        // Step Functions. A task that failed or a branch of them says nothing itself;
        "States.Timeout" | "States.HeartbeatTimeout" => Code("TIMEOUT_ERROR"),
        // The definition, a permission or a quota is wrong (`States.Runtime`, `States.DataLimitExceeded`, …): as often as not in the
        // handler of another failure.
        _ if name.starts_with("States.") => Ask,

        // Lambda: the function ran out of time; was throttled; was not reached; died (`Lambda.Unknown` is out of
        // memory or out of time, which its message tells).
        "Sandbox.Timedout" => Code("TIMEOUT_ERROR"),
        "Lambda.TooManyRequestsException" => Code("RATE_LIMIT_EXCEEDED"),
        "Lambda.ServiceException"
        | "Lambda.AWSLambdaException"
        | "Lambda.SdkClientException"
        | "Lambda.ClientExecutionTimeoutException" => Code(UNKNOWN),
        _ if name.starts_with("Lambda.") || name.starts_with("Runtime.") => Code("INTERNAL_ERROR"),

        // Bedrock.
        "ThrottlingException" | "ServiceQuotaExceededException" => Code("AI_THROTTLING"),
        "ServiceUnavailableException"
        | "InternalServerException"
        | "ModelErrorException"
        | "ModelNotReadyException"
        | "ModelStreamErrorException"
        | "ModelTimeoutException"
        | "AIError" => Code("AI_ERROR"),

        // Prisma: it cannot connect; anything else.
        "PrismaClientInitializationError" | "DatabaseConnectionError" => Code("DATABASE_CONNECTION_ERROR"),
        _ if name.starts_with("PrismaClient") => Code("DATABASE_ERROR"),

        // The application's classes. Bedrock's ValidationException is about the prompt, which is the user's input.
        "DatabaseError" => Code("DATABASE_ERROR"),
        "TimeoutError" => Code("TIMEOUT_ERROR"),
        "ValidationError" | "ValidationException" => Code("VALIDATION_ERROR"),
        _ => return None,
    })
}

/// Whether the guide or we give this code, or its name means one of these.
fn is_named(code: &str) -> bool {
    CODES.contains(&code) || OURS.contains(&code) || known(code).is_some()
}

/// Whether an execution's own words say with which code it failed, as [`Failure::certain`] has it.
#[must_use]
pub fn is_certain(error: Option<&str>, cause: Option<&str>, words: &Words) -> bool {
    let told = || cause.map(|cause| Told::read(cause, DEPTH, words)).unwrap_or_default();
    error.is_some_and(|error| CODES.contains(&error)) || code(error, &told(), words).1
}

/// Says what an execution failed with.
#[must_use]
pub fn failure(error: Option<&str>, cause: Option<&str>, words: &Words) -> Failure {
    let told = cause.map(|cause| Told::read(cause, DEPTH, words)).unwrap_or_default();
    let (code, certain) = code(error, &told, words);
    let of_told = told.message.as_deref().map(|message| cut(message.trim(), MESSAGE));
    let message = of_told
        .into_iter()
        .chain([cause, error].into_iter().flatten().map(|text| bounded(text.trim(), MESSAGE)))
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| code.clone());
    Failure { code, message, cause: cause.map(|cause| bounded(cause, CAUSE)), certain }
}

/// Whether what an execution ended with means that it was cancelled.
#[must_use]
pub fn is_cancel(ending: &Ending, words: &Words) -> bool {
    let told = ending.cause.as_deref().map(|cause| Told::read(cause, DEPTH, words)).unwrap_or_default();
    words.is_cancel(Some(&code(ending.error.as_deref(), &told, words).0))
}

/// The first that speaks: the error's name, where it is one of the application's codes; a code in the cause; the
/// translation of either's name; a `Fail` state's own name.
fn code(error: Option<&str>, told: &Told, words: &Words) -> (String, bool) {
    if let Some(error) = error.filter(|error| CODES.contains(error) || words.knows(error)) {
        return (error.to_owned(), true);
    }
    if let Some(code) = &told.code {
        return (code.clone(), code != UNKNOWN);
    }
    let translated = [error, told.name.as_deref()].into_iter().flatten().find_map(|name| match known(name) {
        Some(Known::Code(code)) => Some(code),
        Some(Known::Ask) | None => None,
    });
    // Lambda's words for a function that ran out of time; its name depends on the runtime.
    let timed_out = told.message.as_deref().is_some_and(|message| message.contains("Task timed out after"));
    match (timed_out, translated, error.filter(|error| is_code(error, words))) {
        (true, ..) => ("TIMEOUT_ERROR".to_owned(), true),
        (false, Some(code), _) => (code.to_owned(), true),
        (false, None, Some(own)) => (own.to_owned(), false),
        (false, None, None) => (UNKNOWN.to_owned(), false),
    }
}

/// What a cause tells.
#[derive(Default)]
struct Told {
    /// A code of the application.
    code: Option<String>,
    /// The error's class or name.
    name: Option<String>,
    /// The text for people, without what nobody may see.
    message: Option<String>,
}

impl Told {
    fn read(text: &str, depth: u8, words: &Words) -> Self {
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) if depth > 0 => Self::read_object(&fields, depth - 1, words),
            Ok(Value::String(text)) if depth > 0 => Self::read(&text, depth - 1, words),
            Err(_) if depth > 0 => match cut_short::object(text) {
                Some(fields) => Self::read_object(&fields, depth - 1, words),
                None => Self::read_text(text, words),
            },
            _ => Self::read_text(text, words),
        }
    }

    /// `CODE: message`, `WellKnownException: message`, or a message alone. What only the name gives away (`DB_PASSWORD: x`) goes while the
    /// name is there.
    fn read_text(text: &str, words: &Words) -> Self {
        let text = &redact::text(&text.replace('\0', ""));
        match text.trim().split_once(':') {
            Some((code, message)) if is_code(code, words) => {
                Self { code: Some(code.to_owned()), name: None, message: Some(message.trim().to_owned()) }
            }
            Some((name, _)) if known(name).is_some() => {
                Self { code: None, name: Some(name.to_owned()), message: Some(text.to_owned()) }
            }
            _ => Self { message: Some(text.to_owned()), ..Self::default() },
        }
    }

    /// Lambda's `{"errorType","errorMessage","trace"}`, the application's `{"code","message"}` or
    /// `{"error":{"code","message"}}`, and the `{"Error","Cause"}` of a caught error or a nested execution.
    fn read_object(fields: &Map<String, Value>, depth: u8, words: &Words) -> Self {
        let text = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)?.as_str());
        let name = text(&["errorType", "Error", "name", "error", "code"]);
        let inner = match (fields.get("error"), text(&["errorMessage", "Cause", "message"])) {
            (Some(Value::Object(error)), _) if depth > 0 => Self::read_object(error, depth - 1, words),
            (_, Some(message)) => Self::read(message, depth, words),
            (_, None) => Self::default(),
        };
        Self {
            code: [text(&["code"]), name]
                .into_iter()
                .flatten()
                .find(|code| is_code(code, words))
                .map(str::to_owned)
                .or(inner.code),
            name: inner.name.or_else(|| name.map(str::to_owned)),
            message: inner.message,
        }
    }
}

/// Whether a word is spelt as the application spells its codes (`AI_ERROR`). Node's `ECONNREFUSED` and Prisma's `P2024`
/// are not.
fn is_code(word: &str, words: &Words) -> bool {
    let spelt = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    words.knows(word)
        || word.len() <= 64
            && word.contains('_')
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.bytes().all(spelt)
}

/// What may be shown of a text, and stored: of at most so many characters, and none that PostgreSQL cannot store: neither `text` nor
/// `jsonb` has U+0000.
fn bounded(text: &str, characters: usize) -> String {
    cut(&redact::text(&text.replace('\0', "")), characters)
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::WORDS;

    /// Error, cause, and what is made of them: code, message, certain.
    type Case = (Option<&'static str>, Option<&'static str>, &'static str, &'static str, bool);

    #[rustfmt::skip]
    const CASES: &[Case] = &[
        // The application's own code: as the error's name,
        (Some("AI_ERROR"), Some("model refused"), "AI_ERROR", "model refused", true),
        (Some("TIMEOUT_ERROR"), None, "TIMEOUT_ERROR", "TIMEOUT_ERROR", true),
        // in what a Lambda threw,
        (Some("AI_RESPONSE_INVALID"), Some(r#"{"errorType":"AI_RESPONSE_INVALID","errorMessage":"no JSON","trace":["at f"]}"#), "AI_RESPONSE_INVALID", "no JSON", true),
        (Some("Error"), Some(r#"{"errorType":"Error","errorMessage":"DATABASE_ERROR: deadlock detected","trace":[]}"#), "DATABASE_ERROR", "deadlock detected", true),
        (Some("Error"), Some(r#"{"errorType":"Error","errorMessage":"{\"code\":\"VALIDATION_ERROR\",\"message\":\"入力値が不正です\"}"}"#), "VALIDATION_ERROR", "入力値が不正です", true),
        (Some("Error"), Some(r#"{"errorMessage":"{\"error\":{\"code\":\"AI_ERROR\",\"message\":\"slow\"}}"}"#), "AI_ERROR", "slow", true),
        // in the application's own shape,
        (None, Some(r#"{"code":"RATE_LIMIT_EXCEEDED","message":"too many"}"#), "RATE_LIMIT_EXCEEDED", "too many", true),
        (None, Some(r#"{"error":{"code":"DATABASE_CONNECTION_ERROR","message":"refused"}}"#), "DATABASE_CONNECTION_ERROR", "refused", true),
        (None, Some(r#"{"code":"CANCELLED","message":"by its user"}"#), "CANCELLED", "by its user", true),
        (Some("USER_CANCELLED"), Some("by its user"), "USER_CANCELLED", "by its user", true),
        (None, Some("VALIDATION_ERROR: title is empty"), "VALIDATION_ERROR", "title is empty", true),
        // and of a caught error that a Fail state repeats, whatever that state calls it.
        (Some("GenerationFailed"), Some(r#"{"Error":"Error","Cause":"{\"errorType\":\"AI_ERROR\",\"errorMessage\":\"slow\"}"}"#), "AI_ERROR", "slow", true),
        (Some("STEP_FUNCTIONS_ERROR"), Some("AI_THROTTLING: wait"), "AI_THROTTLING", "wait", true),
        (Some("GENERATION_FAILED"), Some(r#"{"errorType":"ThrottlingException","errorMessage":"Too many requests"}"#), "AI_THROTTLING", "Too many requests", true),
        // Step Functions cuts a cause at 32,768 characters: within a list, a text, an escape.
        (Some("Error"), Some(r#"{"errorType":"Error","errorMessage":"AI_ERROR: slow","trace":["at f","at"#), "AI_ERROR", "slow", true),
        (Some("Error"), Some(r#"{"errorType":"Error","errorMessage":"AI_ERROR: slow \u30"#), "AI_ERROR", "slow", true),
        (Some("Error"), Some(r#"{"errorType":"AI_ERROR","errorMe"#), "AI_ERROR", r#"{"errorType":"AI_ERROR","errorMe"#, true),
        // Names of services and libraries.
        (Some("ThrottlingException"), Some(r#"{"errorType":"ThrottlingException","errorMessage":"Too many requests"}"#), "AI_THROTTLING", "Too many requests", true),
        (Some("BedrockRuntime.ThrottlingException"), Some("Too many tokens (Service: BedrockRuntime)"), "AI_THROTTLING", "Too many tokens (Service: BedrockRuntime)", true),
        (Some("Error"), Some(r#"{"errorType":"Error","errorMessage":"ServiceUnavailableException: busy"}"#), "AI_ERROR", "ServiceUnavailableException: busy", true),
        (Some("PrismaClientInitializationError"), None, "DATABASE_CONNECTION_ERROR", "PrismaClientInitializationError", true),
        (Some("PrismaClientKnownRequestError"), Some(r#"{"errorType":"PrismaClientKnownRequestError","errorMessage":"Unique constraint failed"}"#), "DATABASE_ERROR", "Unique constraint failed", true),
        // Step Functions and Lambda.
        (Some("States.Timeout"), None, "TIMEOUT_ERROR", "States.Timeout", true),
        (Some("Lambda.Unknown"), Some("The cause could not be determined because Lambda did not return an error type. Returned payload: {\"errorMessage\":\"Task timed out after 300.00 seconds\"}"), "TIMEOUT_ERROR", "The cause could not be determined because Lambda did not return an error type. Returned payload: {\"errorMessage\":\"Task timed out after 300.00 seconds\"}", true),
        (Some("Sandbox.Timedout"), Some(r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task timed out after 300.00 seconds"}"#), "TIMEOUT_ERROR", "RequestId: 1 Error: Task timed out after 300.00 seconds", true),
        (Some("Runtime.ExitError"), Some(r#"{"errorType":"Runtime.ExitError","errorMessage":"signal: killed"}"#), "INTERNAL_ERROR", "signal: killed", true),
        (Some("Lambda.TooManyRequestsException"), Some("Rate Exceeded."), "RATE_LIMIT_EXCEEDED", "Rate Exceeded.", true),
        (Some("Lambda.ServiceException"), Some("503"), "STEP_FUNCTIONS_ERROR", "503", true),
        (Some("States.DataLimitExceeded"), Some("over 262144 bytes"), "STEP_FUNCTIONS_ERROR", "over 262144 bytes", false),
        (Some("States.Runtime"), Some("no path"), "STEP_FUNCTIONS_ERROR", "no path", false),
        // Only a Fail state's own words, or none.
        (Some("States.TaskFailed"), Some("the task failed"), "STEP_FUNCTIONS_ERROR", "the task failed", false),
        (Some("GENERATION_FAILED"), Some("AI generation failed"), "GENERATION_FAILED", "AI generation failed", false),
        (Some("GenerationFailed"), Some("AI generation failed"), "STEP_FUNCTIONS_ERROR", "AI generation failed", false),
        (Some("STEP_FUNCTIONS_ERROR"), Some("failed"), "STEP_FUNCTIONS_ERROR", "failed", false),
        (None, None, "STEP_FUNCTIONS_ERROR", "STEP_FUNCTIONS_ERROR", false),
        (Some(""), Some("  "), "STEP_FUNCTIONS_ERROR", "STEP_FUNCTIONS_ERROR", false),
        // What looks like a code and is none.
        (Some("Error"), Some(r#"{"code":"ECONNREFUSED","message":"connect"}"#), "STEP_FUNCTIONS_ERROR", "connect", false),
        (None, Some("Note: this is no code"), "STEP_FUNCTIONS_ERROR", "Note: this is no code", false),
        (None, Some("[1,2]"), "STEP_FUNCTIONS_ERROR", "[1,2]", false),
    ];

    #[test]
    fn the_applications_own_words_come_first() {
        for (error, cause, code, message, certain) in CASES {
            let expected = Failure {
                code: (*code).to_owned(),
                message: (*message).to_owned(),
                cause: cause.map(str::to_owned),
                certain: *certain,
            };
            assert_eq!(failure(*error, *cause, &WORDS), expected, "{error:?} {cause:?}");
            assert_eq!(is_certain(*error, *cause, &WORDS), *certain, "{error:?} {cause:?}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters_and_without_nul() {
        let told = failure(Some("AI_ERROR"), Some(&format!("\0{}", "遅".repeat(5000))), &WORDS);
        assert_eq!(told.message, "遅".repeat(2000));
        assert_eq!(told.cause, Some("遅".repeat(4000)));
    }

    #[test]
    fn what_nobody_may_see_reaches_no_row() {
        let input =
            r#"The JSONPath '$.error' could not be found in the input '{"userId":"u","params":{"goal":"痩せたい"}}'"#;
        let told = failure(Some("States.Runtime"), Some(input), &WORDS);
        assert_eq!(told.message, "The JSONPath '$.error' could not be found in the input [redacted]'");
        assert_eq!(told.cause.as_ref(), Some(&told.message));
        let told =
            failure(Some("Error"), Some(r#"{"errorMessage":"AI_ERROR: no answer to pass\u0000word=hunter2"}"#), &WORDS);
        assert_eq!(told.message, "no answer to password=[redacted]");
        for cause in ["DB_PASSWORD: hunter2", r#"{"errorMessage":"DB_PASSWORD: hunter2"}"#] {
            let told = failure(Some("Error"), Some(cause), &WORDS);
            assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
        }
    }

    #[test]
    fn a_cause_within_a_cause_without_end_is_read_to_a_depth() {
        let mut cause = "AI_ERROR: deep".to_owned();
        for _ in 0..20 {
            cause = serde_json::json!({ "Error": "Nested", "Cause": cause }).to_string();
        }
        assert_eq!(failure(None, Some(&cause), &WORDS).code, UNKNOWN);
    }

    proptest! {
        #[test]
        fn whatever_was_told_makes_a_row(error: Option<String>, cause: Option<String>) {
            let told = failure(error.as_deref(), cause.as_deref(), &WORDS);
            prop_assert!(!told.code.is_empty() && !told.message.is_empty());
            prop_assert!(told.message.chars().count() <= 2000 && !told.message.contains('\0'));
        }
    }
}
