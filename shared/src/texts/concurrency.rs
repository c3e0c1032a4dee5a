//! Sentences about the worker's concurrency, reserved and provisioned, and about publishing its code once more.

use crate::domain::Language;

/// Provisioned concurrency is an alias's, or a version's.
#[must_use]
pub fn needs_alias(language: Language) -> String {
    text!(
        language,
        ja: "Provisioned Concurrency は $LATEST には設定できない（AWS が拒否する）。CDK アプリでバージョンとエイリアスを公開し、ステートマシンからエイリアスで呼び、WORKER_ALIAS（CDK の workerAlias）を設定すること",
        en: "AWS refuses provisioned concurrency on $LATEST: publish a version and an alias in the CDK app, let the state machine call the alias, and set WORKER_ALIAS (workerAlias in the CDK app)",
    )
}

/// Lambda could not get the environments ready.
#[must_use]
pub fn allocation_failed(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "Lambda が Provisioned Concurrency を割り当てられなかった: {why}",
        en: "Lambda could not allocate the provisioned concurrency: {why}",
    )
}

/// What became of an allocation that failed.
#[must_use]
pub fn put_back(language: Language, trouble: Option<&str>) -> String {
    match trouble {
        None => text!(language, ja: "元の設定に戻した", en: "put back to what it was"),
        Some(why) => text!(
            language,
            ja: "元の設定に戻せなかった（{why}）。手で確認すること",
            en: "it could not be put back ({why}): look at it by hand",
        ),
    }
}
