//! Values that a sentence tells: `password hunter2`, `password is x`, `パスワードは x です`.

use super::{Name, Place};
use crate::redact::extent::{has_no_value, quote, quoted};
use crate::redact::names::{Kind, PARTICLES, TOLD_IN_JAPANESE};
use crate::redact::scan::{REDACTED, blank, is_name, is_of_word, look, span, span_back};

impl Name<'_> {
    /// The word that stands behind, where it is more than a word of a sentence: `password hunter2`, `password (hunter2)`, `password - hunter2`;
    /// as much of it as tells so.
    pub(super) fn told_word(&self) -> Place {
        let gap = span(self.after, |c| matches!(c, ' ' | '\t' | '(' | '[' | '<' | '（' | '-'));
        let value = &self.after[gap..];
        // Whether it is one is asked of every word there is, so it is told by its beginning.
        let head = value.bytes().take(BEGINNING).take_while(|byte| is_of_word(char::from(*byte)));
        let (mut length, mut has_digit, mut has_letter) = (0, false, false);
        for byte in head.filter(|_| (1..=4).contains(&gap)) {
            length += 1;
            has_digit |= byte.is_ascii_digit();
            has_letter |= byte.is_ascii_alphabetic();
        }
        look(&value[..length]);
        (length >= 6 && has_digit && has_letter && !value.starts_with("arn:")).then_some((gap, length))
    }

    /// `password is x`, but not `password is wrong`.
    pub(super) fn said(&self) -> Place {
        let mut at = blank(self.after);
        let is = |verb: &&&str| self.after[at..].get(..verb.len()).is_some_and(|word| word.eq_ignore_ascii_case(verb));
        let verb = ["is", "was", "are"].iter().find(is).filter(|_| at > 0)?;
        at += verb.len();
        if self.after[at..].starts_with(is_name) {
            return None;
        }
        let colon = span(&self.after[at..], |c| matches!(c, ':' | '='));
        at += colon;
        at += blank(&self.after[at..]);
        // `is now x`, `was set to x`.
        for passed in ["now ", "still ", "set to ", "reset to ", "changed to ", "updated to "] {
            at += if self.after[at..].starts_with(passed) { passed.len() } else { 0 };
        }
        let value = &self.after[at..];
        let kind = self.kind().filter(|kind| !has_no_value(*kind, value))?;
        let length = match (quote(value), kind) {
            _ if value.starts_with(REDACTED) => REDACTED.len(),
            (Some(opening), _) => quoted(value, &opening),
            (None, Kind::Content) if colon > 0 => value.len(),
            (None, Kind::Content) => return None,
            (None, _) => {
                let word = &value[..span(value, |c| !c.is_whitespace())];
                let word = &word[..word.len() - span_back(word, |c| c.is_ascii_punctuation())];
                let is_state = STATES.split(' ').any(|state| word.eq_ignore_ascii_case(state));
                if is_state { 0 } else { word.len() }
            }
        };
        Some((at, length))
    }

    /// `パスワードは x です`, `パスワードは「x」`.
    pub(super) fn said_in_japanese(&self) -> Place {
        let name = self.text.strip_suffix(PARTICLES).unwrap_or(self.text);
        if !TOLD_IN_JAPANESE.iter().any(|told| name.ends_with(told)) {
            return None;
        }
        let comma = self.after.strip_prefix('、').map_or(0, |_| '、'.len_utf8());
        let gap = comma + blank(&self.after[comma..]);
        let value = &self.after[gap..];
        if let Some(quoted) = value.strip_prefix(['「', '『']) {
            return Some((gap + '「'.len_utf8(), span(quoted, |c| !matches!(c, '」' | '』'))));
        }
        let number = span(value, |c| c.is_ascii_digit());
        let is_measure =
            number > 0 && ["文字", "桁", "個", " 個", "回", " 回"].iter().any(|unit| value[number..].starts_with(unit));
        let is_content = self.kind() == Some(Kind::Content);
        if name.len() == self.text.len() || is_measure || is_content {
            return None;
        }
        Some((gap, if value.starts_with(REDACTED) { REDACTED.len() } else { span(value, |c| c.is_ascii_graphic()) }))
    }
}

/// By how many bytes a word is told from those of a sentence.
const BEGINNING: usize = 32;

/// Words that say how a secret is, and are none.
const STATES: &str = "a about absent already also always an available being blank changed correct deleted denied disabled empty enabled \
    encrypted expired for from hashed hidden in incorrect invalid it long malformed mandatory missing needed never no none \
    not null only optional present refused rejected required reset rotated set short stored that the too unavailable \
    undefined unknown unset valid wrong";
