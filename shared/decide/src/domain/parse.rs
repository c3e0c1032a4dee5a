//! What is said of a value that cannot be read.

use crate::redact;

/// How much of a value is quoted.
const CHARACTERS: usize = 200;

/// A value that is none of those its type knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{value}` is not {expected}")]
pub struct ParseError {
    what: &'static str,
    value: String,
    expected: &'static str,
}

impl ParseError {
    pub(super) fn new(what: &'static str, value: &str, expected: &'static str) -> Self {
        Self { what, value: redact::cut(value, CHARACTERS), expected }
    }
}
