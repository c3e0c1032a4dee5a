//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// More environments than the function may have runs.
#[must_use]
pub fn over_reserved(language: Language, to: u32, reserved: u32) -> String {
    text!(
        language,
        ja: "ワーカーの予約済み同時実行数 {reserved} を超える Provisioned Concurrency {to} は設定できない。CDK アプリの reservedConcurrentExecutions を見直すこと",
        en: "the worker may have {reserved} runs at once (reserved concurrency), so {to} environments cannot be kept ready: look at reservedConcurrentExecutions in the CDK app",
    )
}

/// What to do where more environments are not to be had.
#[must_use]
pub fn instead_of_environments(language: Language) -> String {
    text!(
        language,
        ja: "初期化処理（依存パッケージ、接続の作成）を軽くし、それでも要るなら manifest の ceiling を上げること",
        en: "make the worker's start lighter (its packages, the connections that it opens); where it really needs more, raise ceiling in the step's manifest",
    )
}
