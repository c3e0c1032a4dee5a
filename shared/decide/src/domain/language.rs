//! The languages of those who read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text;

/// The language of texts that reach rows and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese, as the guide's texts are.
    #[default]
    Ja,
    /// English.
    En,
}

/// A text in both languages: an error's, above all. Shown, it is English, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Both(Box<[String; 2]>);

impl Both {
    /// What `say` says.
    #[must_use]
    pub fn of(say: impl Fn(Language) -> String) -> Self {
        Self(Box::new([say(Language::Ja), say(Language::En)]))
    }

    /// Somebody else's words, which are the same in both.
    #[must_use]
    pub fn same(words: &str) -> Self {
        Self::of(|_| words.to_owned())
    }

    /// The text in one language.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        let [ja, en] = &*self.0;
        text!(language, ja: "{ja}", en: "{en}")
    }
}

impl fmt::Display for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Language::En))
    }
}
