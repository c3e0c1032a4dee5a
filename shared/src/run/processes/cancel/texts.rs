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
        ja: "手動キャンセル: 実行 {execution} が実行中のため、先に停止",
        en: "cancelled by hand: execution {execution} is still running, so it is stopped first",
    )
}

/// Why a row becomes CANCELLED that a person wants cancelled.
#[must_use]
pub fn cancel_closes(language: Language) -> String {
    text!(
        language,
        ja: "手動キャンセル: 実行中のものなし",
        en: "cancelled by hand: no execution is running",
    )
}

/// There is nothing left to cancel.
#[must_use]
pub fn already_cancelled(language: Language) -> String {
    text!(
        language,
        ja: "キャンセル済み: 行は CANCELLED、実行中のものなし",
        en: "already cancelled: the row is CANCELLED and no execution is running",
    )
}

/// A process that a person wants cancelled, and that is not.
#[must_use]
pub fn not_cancelled(language: Language, row: ProcessStatus, execution: Option<ExecutionStatus>, why: &str) -> String {
    match execution {
        Some(execution) => text!(
            language,
            ja: "キャンセルせず: 行は {row}、実行は {execution}（{why}）",
            en: "not cancelled: the row is {row} and its execution is {execution} ({why})",
        ),
        None => text!(
            language,
            ja: "キャンセルせず: 行は {row}、実行は存在しない（{why}）",
            en: "not cancelled: the row is {row} and there is no execution ({why})",
        ),
    }
}

/// A sentence with the operator's own reason.
#[must_use]
pub fn because(language: Language, sentence: &str, reason: &str) -> String {
    text!(language, ja: "{sentence}（理由: {reason}）", en: "{sentence} (reason: {reason})")
}
