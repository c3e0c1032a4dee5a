//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// More environments than the function may have runs.
#[must_use]
pub fn over_reserved(language: Language, to: u32, reserved: u32) -> String {
    text!(
        language,
        ja: "ワーカーの予約済み同時実行数 {reserved} を超える Provisioned Concurrency {to} は設定できない。CDK アプリの reservedConcurrentExecutions を見直す",
        en: "the worker's reserved concurrency is {reserved}, so its provisioned concurrency cannot be {to}: review reservedConcurrentExecutions in the CDK app",
    )
}

/// What to do where more environments are not to be had.
#[must_use]
pub fn instead_of_environments(language: Language) -> String {
    text!(
        language,
        ja: "初期化処理（依存パッケージ、接続の作成）を軽くする。それでも必要なら manifest の ceiling を上げる",
        en: "make the worker start faster (its packages, the connections it opens); if it really needs more, raise ceiling in the step's manifest",
    )
}
