//! What it says, in Japanese (as the guide is) and in English.

use crate::domain::ExecutionStatus;
use crate::domain::Language;
use crate::domain::ProcessStatus;
use crate::text;

/// Why an execution is stopped whose process a person wants cancelled.
#[must_use]
pub fn cancel_stops(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "手動キャンセル: 実行 {execution} がまだ実行中なので、先に停止する",
        en: "cancelled by hand: execution {execution} still runs, so it is stopped first",
    )
}

/// Why a row becomes CANCELLED that a person wants cancelled.
#[must_use]
pub fn cancel_closes(language: Language) -> String {
    text!(
        language,
        ja: "手動キャンセル: 実行中のものはない",
        en: "cancelled by hand: nothing runs for it",
    )
}

/// There is nothing left to cancel.
#[must_use]
pub fn already_cancelled(language: Language) -> String {
    text!(
        language,
        ja: "既に CANCELLED であり、実行中のものもない",
        en: "already so: the row is CANCELLED and nothing runs for it",
    )
}

/// A process that a person wants cancelled, and that is not.
#[must_use]
pub fn not_cancelled(language: Language, row: ProcessStatus, execution: Option<ExecutionStatus>, why: &str) -> String {
    match execution {
        Some(execution) => text!(
            language,
            ja: "キャンセルしていない: 行は {row}、実行は {execution} である（{why}）",
            en: "not cancelled: the row is {row}, its execution is {execution} ({why})",
        ),
        None => text!(
            language,
            ja: "キャンセルしていない: 行は {row}、実行は存在しない（{why}）",
            en: "not cancelled: the row is {row}, there is no execution ({why})",
        ),
    }
}

/// A sentence with the operator's own reason.
#[must_use]
pub fn because(language: Language, sentence: &str, reason: &str) -> String {
    text!(language, ja: "{sentence}（理由: {reason}）", en: "{sentence} (reason: {reason})")
}
