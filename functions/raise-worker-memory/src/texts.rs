//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// What to do where more memory is not to be had.
#[must_use]
pub fn instead_of_memory(language: Language) -> String {
    text!(
        language,
        ja: "ワーカーのメモリリークと一度に扱うデータ量を確認する。それでも必要なら manifest の ceiling を上げる",
        en: "check the worker for a memory leak and for how much data it holds at once; if it really needs more, raise ceiling in the step's manifest",
    )
}
