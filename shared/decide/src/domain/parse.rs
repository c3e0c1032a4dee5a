//! What is said of a value that cannot be read.

use super::language::{Both, Language};
use crate::redact;

/// How much of a value is quoted.
const CHARACTERS: usize = 200;

/// A value that is none of those its type knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(Both);

impl ParseError {
    pub(super) fn new(value: &str, say: impl Fn(Language, &str) -> String) -> Self {
        let value = redact::cut(value, CHARACTERS);
        Self(Both::of(|language| say(language, &value)))
    }

    /// What is wrong with it, for whoever reads it.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        self.0.told(language)
    }
}
