//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// What becomes of what runs meanwhile.
#[must_use]
pub fn running(language: Language, count: &str) -> String {
    text!(
        language,
        ja: "実行中の処理 {count} 件。実行中の呼び出しは現在の実行環境で最後まで動き、遅くとも関数のタイムアウトで終わる",
        en: "executions running: {count}. Calls in progress finish in their current environments, at the function's timeout at the latest",
    )
}

/// Only a person redeploys.
#[must_use]
pub fn asked_only(language: Language) -> String {
    text!(language, ja: "再デプロイは人の指示があるときのみ行う", en: "redeployed only when a person asks for it")
}
