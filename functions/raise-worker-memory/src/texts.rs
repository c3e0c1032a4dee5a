//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// What to do where more memory is not to be had.
#[must_use]
pub fn instead_of_memory(language: Language) -> String {
    text!(
        language,
        ja: "ワーカーのメモリリークと一度に扱うデータ量を確認し、それでも要るなら manifest の ceiling_mb を上げること",
        en: "look for a leak in the worker and at how much it holds at once; where it really needs more, raise ceiling_mb in the step's manifest",
    )
}
