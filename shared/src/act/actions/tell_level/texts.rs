//! What a message to a level says of several incidents, and what became of it, in both languages.

use crate::domain::Language;
use crate::text;

/// Several incidents in one message.
#[must_use]
pub fn many(language: Language, level: &str, count: usize) -> String {
    text!(
        language,
        ja: "[{level}] {count} 件のインシデントが未解決",
        en: "[{level}] {count} incidents are not resolved",
    )
}

/// Those that are not described.
#[must_use]
pub fn more(language: Language, count: usize) -> String {
    let look = "{}";
    text!(
        language,
        ja: "ほか {count} 件。一覧は escalate に {look} を送る（report.incidents）",
        en: "… and {count} more: send {look} to escalate for the list (report.incidents)",
    )
}

/// A level has nowhere to be told.
#[must_use]
pub fn no_topic(language: Language, variable: &str) -> String {
    text!(
        language,
        ja: "通知先がない。{variable} または NOTIFY_TOPIC_ARN を設定する",
        en: "there is nowhere to send it: set {variable} or NOTIFY_TOPIC_ARN",
    )
}

/// A run ended before the answer came.
#[must_use]
pub fn unknown(language: Language) -> String {
    text!(
        language,
        ja: "実行が途中で終了し、送信されたか不明のため再送する",
        en: "the run ended before it was known whether the message went out: it is sent again",
    )
}

/// What was said.
#[must_use]
pub fn no_undo(language: Language) -> String {
    text!(language, ja: "送信した通知は取り消せない", en: "a message that was sent cannot be taken back")
}
