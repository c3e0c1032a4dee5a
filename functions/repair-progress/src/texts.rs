//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// Why a progress is brought back into its range.
#[must_use]
pub fn progress_clamped(language: Language, progress: i16, to: i16) -> String {
    if progress > 100 {
        text!(language, ja: "進捗率が 100 を超えているため {to} に直す", en: "the progress is above 100: brought back to {to}")
    } else {
        text!(language, ja: "進捗率が 0 未満のため {to} に直す", en: "the progress is below 0: brought back to {to}")
    }
}

/// Why a progress is brought back to where it was.
#[must_use]
pub fn progress_restored(language: Language, progress: i16, highest: i16) -> String {
    text!(
        language,
        ja: "同じ試行の中で進捗率が {highest} から {progress} に下がったため {highest} に戻す",
        en: "the progress has fallen from {highest} to {progress} within one attempt: back to {highest}",
    )
}

/// A progress that is left to the decision table, with the table's own reason.
#[must_use]
pub fn progress_left(language: Language, reason: &str) -> String {
    text!(language, ja: "行は判定表に任せ、進捗率には触れない: {reason}", en: "the row is the decision table's, its progress is left: {reason}")
}
