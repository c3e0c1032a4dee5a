//! What the application means by what it writes. The defaults are the guide's, and what such applications are found to do (design, 1); the
//! application's profile (design, 9) is to fill the same places.

use super::execution::Ending;
use super::process::ProcessStatus;
use crate::raw::Raw;

/// What the application means by what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// `codes.cancelled`: the codes of errors that mean a cancel.
    pub cancelled: &'static [&'static str],
    /// `failed_output`: how a success says that it failed.
    pub failed_output: FailedOutput,
    /// `fence`: what becomes of a statement that the fence refuses.
    pub fence: Refused,
}

/// How the output of an execution that succeeded says that the work failed, name by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedOutput {
    /// Where the worker's own status stands …
    pub status: &'static [&'static str],
    /// … and what it is then.
    pub failed: &'static str,
    /// Where the error stands.
    pub error: &'static [&'static str],
}

/// What becomes of a statement that the fence refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// `keep`: it counts, and its row stays as it was. An ORM takes 0 rows for a fault.
    Keep,
    /// `skip`: it touches no row.
    Skip,
}

/// The guide's application.
pub const WORDS: Words = Words {
    cancelled: &["CANCELLED", "USER_CANCELLED"],
    failed_output: FailedOutput {
        status: &["generationResult", "Payload", "status"],
        failed: "FAILED",
        error: &["generationResult", "Payload", "error"],
    },
    fence: Refused::Keep,
};

impl Words {
    /// Whether an error of this code means a cancel.
    #[must_use]
    pub fn is_cancel(&self, code: Option<&str>) -> bool {
        code.is_some_and(|code| self.cancelled.contains(&code))
    }

    /// What a row is that says `status`, with an error of this code: a cancel that is written as a failure is a cancel.
    #[must_use]
    pub fn meaning(&self, status: ProcessStatus, code: Option<&str>) -> ProcessStatus {
        match status {
            ProcessStatus::Failed | ProcessStatus::Timeout if self.is_cancel(code) => ProcessStatus::Cancelled,
            ProcessStatus::Pending
            | ProcessStatus::Processing
            | ProcessStatus::Completed
            | ProcessStatus::Failed
            | ProcessStatus::Timeout
            | ProcessStatus::Cancelled => status,
        }
    }
}

impl FailedOutput {
    /// What an execution that succeeded failed with, where its output says that it did.
    #[must_use]
    pub fn ending(&self, output: &str) -> Option<Ending> {
        let text = |raw: &Raw| serde_json::from_str::<String>(raw.text()).ok();
        let status = Raw::at(output, self.status)?;
        // Workers spell it as their language does its constants.
        if !text(&status)?.eq_ignore_ascii_case(self.failed) {
            return None;
        }
        let error = Raw::at(output, self.error).filter(|error| !error.is_null());
        let code = error.as_ref().and_then(|error| text(&Raw::at(error.text(), &["code"])?));
        let cause = error.map(|error| text(&error).unwrap_or_else(|| error.text().to_owned()));
        Some(Ending { error: code, cause, result: None })
    }

    /// What stands at `path` in an output, as a path within what stands at `result`, name by name; `None` where it is no part of that.
    #[must_use]
    pub fn within(path: &'static [&'static str], result: &[String]) -> Option<&'static [&'static str]> {
        let inside = path.len() > result.len() && path.iter().zip(result).all(|(of, at)| of == at);
        inside.then(|| &path[result.len()..])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_failure_with_a_cancelled_code_is_a_cancel_and_nothing_else_is() {
        use ProcessStatus::{Cancelled, Completed, Failed, Processing, Timeout};
        for (status, code, meaning) in [
            (Failed, Some("CANCELLED"), Cancelled),
            (Failed, Some("USER_CANCELLED"), Cancelled),
            (Timeout, Some("CANCELLED"), Cancelled),
            (Failed, Some("AI_ERROR"), Failed),
            (Failed, Some("cancelled"), Failed),
            (Failed, None, Failed),
            (Completed, Some("CANCELLED"), Completed),
            (Processing, Some("CANCELLED"), Processing),
            (Cancelled, None, Cancelled),
        ] {
            assert_eq!(WORDS.meaning(status, code), meaning, "{status} {code:?}");
        }
    }

    #[test]
    fn an_output_says_that_it_failed_by_the_workers_status_alone() {
        let of = |payload: &str| {
            let output = format!(r#"{{"generationResult":{{"Payload":{payload}}}}}"#);
            WORDS.failed_output.ending(&output)
        };
        let ending = |error: Option<&str>, cause: Option<&str>| {
            Some(Ending { error: error.map(str::to_owned), cause: cause.map(str::to_owned), result: None })
        };
        let error = r#"{"code":"AI_ERROR","message":"no answer"}"#;
        for (payload, expected) in [
            (format!(r#"{{"status":"FAILED","error":{error}}}"#), ending(Some("AI_ERROR"), Some(error))),
            (
                r#"{"status":"FAILED","error":"AI_ERROR: no answer"}"#.to_owned(),
                ending(None, Some("AI_ERROR: no answer")),
            ),
            (r#"{"status":"FAILED","error":{"message":"x"}}"#.to_owned(), ending(None, Some(r#"{"message":"x"}"#))),
            (r#"{"status":"FAILED","error":null}"#.to_owned(), ending(None, None)),
            (r#"{"status":"FAILED"}"#.to_owned(), ending(None, None)),
            (r#"{"status":"failed"}"#.to_owned(), ending(None, None)),
            (format!(r#"{{"status":"COMPLETED","error":{error}}}"#), None),
            (r#"{"status":["FAILED"]}"#.to_owned(), None),
            (r#"{"goals":[]}"#.to_owned(), None),
            ("null".to_owned(), None),
        ] {
            assert_eq!(of(&payload), expected, "{payload}");
        }
        for output in ["", "no JSON", "{}", "[]", "null"] {
            assert_eq!(WORDS.failed_output.ending(output), None, "{output}");
        }
    }

    #[test]
    fn a_rows_result_says_it_too_where_the_status_is_a_part_of_it() {
        let within = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            FailedOutput::within(WORDS.failed_output.status, &path)
        };
        assert_eq!(within(&["generationResult", "Payload"]), Some(["status"].as_slice()));
        assert_eq!(within(&[]), Some(["generationResult", "Payload", "status"].as_slice()));
        assert_eq!(within(&["generationResult", "Payload", "goals"]), None);
        assert_eq!(within(&["generationResult", "Payload", "status"]), None);
    }
}
