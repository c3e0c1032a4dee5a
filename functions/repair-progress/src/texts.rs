//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// Why a progress is brought back into its range.
#[must_use]
pub fn progress_clamped(language: Language, progress: i16, to: i16) -> String {
    if progress > 100 {
        text!(language, ja: "進捗率が 100 を超えているため {to} に修正", en: "progress is above 100: corrected to {to}")
    } else {
        text!(language, ja: "進捗率が 0 未満のため {to} に修正", en: "progress is below 0: corrected to {to}")
    }
}

/// Why a progress is brought back to where it was.
#[must_use]
pub fn progress_restored(language: Language, progress: i16, highest: i16) -> String {
    text!(
        language,
        ja: "同じ試行内で進捗率が {highest} から {progress} に低下したため {highest} に戻す",
        en: "progress fell from {highest} to {progress} within one attempt: restored to {highest}",
    )
}

/// A progress that is left to the decision table, with the table's own reason.
#[must_use]
pub fn progress_left(language: Language, reason: &str) -> String {
    text!(language, ja: "進捗率は変更せず、行の扱いは判定表に従う: {reason}", en: "progress left unchanged, the decision table handles the row: {reason}")
}
