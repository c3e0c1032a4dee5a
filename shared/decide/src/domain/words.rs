//! What the application means by what it writes. The defaults are the guide's, and what such applications are found to do (design, 1); the
//! application's profile (design, 9) fills the same places: it is read once, and kept for as long as the function lives.

use serde_json::Value;

use super::execution::{Ending, ExecutionArn};
use super::process::{IdKind, ProcessId, ProcessStatus};
use crate::raw::Raw;

/// What the application means by what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// `status`: its words for what a row is.
    pub statuses: Statuses,
    /// `codes.cancelled`: the codes of errors that mean a cancel.
    pub cancelled: &'static [&'static str],
    /// `codes.transient`: those that may pass, whatever the guide says of them.
    pub transient: &'static [&'static str],
    /// `codes.permanent`: those that never do.
    pub permanent: &'static [&'static str],
    /// `execution`: whose an execution is.
    pub owner: Owner,
    /// `failed_output`: how a success says that it failed.
    pub failed_output: FailedOutput,
    /// `error.code`: where the code stands in an error that is JSON.
    pub error_code: &'static str,
    /// `logs`: where things stand in a line of the log.
    pub logs: LogPaths,
    /// `fence`: what becomes of a statement that the fence refuses.
    pub fence: Refused,
}

/// An application's words for what a row is. The first of each is what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statuses {
    /// Accepted, not started. None: such a row reads as under way.
    pub pending: &'static [&'static str],
    /// Under way.
    pub processing: &'static [&'static str],
    /// Open, and waiting for somebody: without a deadline.
    pub waiting: &'static [&'static str],
    /// Done.
    pub completed: &'static [&'static str],
    /// Ended with an error.
    pub failed: &'static [&'static str],
    /// Ended because it took too long. None: that is written as failed.
    pub timed_out: &'static [&'static str],
    /// Ended because somebody wanted it to. None: that is written as failed, with the first of the cancelled codes.
    pub cancelled: &'static [&'static str],
    /// Nobody's business here.
    pub ignored: &'static [&'static str],
}

impl Statuses {
    /// The words for one status.
    #[must_use]
    pub const fn of(&self, status: ProcessStatus) -> &'static [&'static str] {
        match status {
            ProcessStatus::Pending => self.pending,
            ProcessStatus::Processing => self.processing,
            ProcessStatus::Completed => self.completed,
            ProcessStatus::Failed => self.failed,
            ProcessStatus::Timeout => self.timed_out,
            ProcessStatus::Cancelled => self.cancelled,
        }
    }

    /// What a row is that says this; `None`: nobody knows, or it is nobody's business.
    #[must_use]
    pub fn read(&self, word: &str) -> Option<ProcessStatus> {
        let waits = self.waiting.contains(&word).then_some(ProcessStatus::Processing);
        waits.or_else(|| ProcessStatus::ALL.into_iter().find(|status| self.of(*status).contains(&word)))
    }

    /// What is written for a status.
    #[must_use]
    pub fn written(&self, status: ProcessStatus) -> &'static str {
        let own = self.of(status).first().copied();
        let instead = match status {
            ProcessStatus::Pending => self.processing,
            ProcessStatus::Timeout | ProcessStatus::Cancelled => self.failed,
            ProcessStatus::Processing | ProcessStatus::Completed | ProcessStatus::Failed => &[],
        };
        own.or_else(|| instead.first().copied()).unwrap_or(status.as_str())
    }
}

/// Where things stand in a line of the log, name by name, beside where loggers commonly put them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPaths {
    /// How bad it is.
    pub level: Option<&'static [&'static str]>,
    /// The process that it is about.
    pub process: Option<&'static [&'static str]>,
    /// What it says.
    pub message: Option<&'static [&'static str]>,
    /// The error: an object, or a text.
    pub error: Option<&'static [&'static str]>,
}

/// How an execution tells whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// `execution.input`: where its input names the process; `None`: nowhere.
    pub input: Option<&'static [&'static str]>,
    /// `execution.name`: what it is called; `None`: its name tells nothing.
    pub name: Option<NamePattern>,
    /// What is a process's id at all.
    pub ids: IdKind,
}

/// The name of an execution: a process's id between two texts, and maybe a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamePattern {
    /// Before the id.
    pub before: &'static str,
    /// Behind it.
    pub behind: &'static str,
    /// Whether digits end the name.
    pub digits: bool,
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
    statuses: Statuses {
        pending: &["PENDING"],
        processing: &["PROCESSING"],
        waiting: &[],
        completed: &["COMPLETED"],
        failed: &["FAILED"],
        timed_out: &["TIMEOUT"],
        cancelled: &["CANCELLED"],
        ignored: &[],
    },
    cancelled: &["CANCELLED", "USER_CANCELLED"],
    transient: &[],
    permanent: &[],
    error_code: "code",
    logs: LogPaths { level: None, process: None, message: None, error: None },
    owner: Owner {
        input: Some(&["processId"]),
        name: Some(NamePattern { before: "", behind: "-", digits: true }),
        ids: IdKind::Uuid,
    },
    failed_output: FailedOutput {
        status: &["generationResult", "Payload", "status"],
        failed: "FAILED",
        error: &["generationResult", "Payload", "error"],
    },
    fence: Refused::Keep,
};

impl Words {
    /// What an image of a row means by its `status` and its `error`; `None` where nobody knows.
    #[must_use]
    pub fn meaning_of(&self, image: &Value) -> Option<ProcessStatus> {
        let code = match &image["error"] {
            Value::String(text) => text.split_once(':').map(|(code, _)| code),
            error => error[self.error_code].as_str(),
        };
        Some(self.meaning(self.statuses.read(image["status"].as_str()?)?, code))
    }

    /// Whether an error of this code means a cancel.
    #[must_use]
    pub fn is_cancel(&self, code: Option<&str>) -> bool {
        code.is_some_and(|code| self.cancelled.contains(&code))
    }

    /// Whether it is one of the codes that the application gives its errors, as far as its profile names them.
    #[must_use]
    pub fn knows(&self, code: &str) -> bool {
        [self.cancelled, self.transient, self.permanent].iter().any(|codes| codes.contains(&code))
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

/// Between the process and the number of an attempt, in the name of an execution of ours.
pub const RETRY_MARK: &str = "-retry-";

impl Owner {
    /// The process that an execution was started for: what its input says, else what its name does. The input may be missing: over 248 KB it
    /// is left out of an event (`inputDetails.included`).
    #[must_use]
    pub fn of(&self, arn: &ExecutionArn, input: Option<&str>) -> Option<ProcessId> {
        let of_input = |input: &str| {
            let id = Raw::at(input, self.input?)?;
            let text = serde_json::from_str::<String>(id.text()).ok();
            let number = id.text().parse::<i64>().ok().map(|number| number.to_string());
            self.ids.read(&text.or(number)?).ok()
        };
        input.and_then(of_input).or_else(|| self.of_name(arn))
    }

    /// The process that its name speaks of. A name that Step Functions made for whoever gave none is a UUID and nothing else: of ids that are
    /// no UUIDs it tells nothing either.
    #[must_use]
    pub fn of_name(&self, arn: &ExecutionArn) -> Option<ProcessId> {
        let of = |pattern: NamePattern| {
            let mut id = arn.name().strip_prefix(pattern.before)?;
            if pattern.digits {
                let without = id.trim_end_matches(|c: char| c.is_ascii_digit());
                id = (without.len() < id.len()).then_some(without)?;
            }
            self.ids.read(id.strip_suffix(pattern.behind)?).ok()
        };
        of(NamePattern { before: "", behind: RETRY_MARK, digits: true }).or_else(|| self.name.and_then(of))
    }
}

impl FailedOutput {
    /// What an execution that succeeded failed with, where its output says that it did.
    #[must_use]
    pub fn ending(&self, output: &str) -> Option<Ending> {
        let text = |raw: &Raw| serde_json::from_str::<String>(raw.text()).ok();
        let status = Raw::at(output, self.status)?;
        // A flag or a number stands for itself. Workers spell it as their language does its constants.
        if !text(&status).as_deref().unwrap_or(status.text()).eq_ignore_ascii_case(self.failed) {
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
