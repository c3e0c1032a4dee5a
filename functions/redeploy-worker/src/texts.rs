//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// What becomes of what runs meanwhile.
#[must_use]
pub fn running(language: Language, count: &str) -> String {
    text!(
        language,
        ja: "実行中の処理は {count} 件。実行中の呼び出しは始まった実行環境で最後まで動き、遅くとも関数のタイムアウトで終わる",
        en: "{count} executions run: calls under way end in the environments in which they began, at the function's timeout at the latest",
    )
}

/// Only a person redeploys.
#[must_use]
pub fn asked_only(language: Language) -> String {
    text!(language, ja: "再デプロイは人が求めたときだけ行う", en: "it is redeployed only where a person asks for it")
}
