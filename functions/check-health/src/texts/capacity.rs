//! What check 7 says, in Japanese (as the guide is) and in English.

use std::time::Duration;

use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::run::texts::duration;
use remediation::text;

use crate::limit::Limit;

fn span(language: Language, within: Duration) -> String {
    duration(language, TimeDelta::from_std(within).unwrap_or_default())
}

/// What Lambda refused, and how much ran at once.
#[must_use]
pub fn measured(language: Language, refused: usize, concurrent: Option<usize>, within: Duration) -> String {
    let within = span(language, within);
    let at_once = concurrent.map_or_else(|| "-".to_owned(), |runs| runs.to_string());
    text!(
        language,
        ja: "過去{within}に Lambda が拒否した実行 {refused} 件、同時実行数は最大 {at_once}",
        en: "runs refused by Lambda in the last {within}: {refused}; at most {at_once} at once",
    )
}

/// CloudWatch has no data.
#[must_use]
pub fn not_measured(language: Language, within: Duration) -> String {
    let within = span(language, within);
    text!(
        language,
        ja: "過去{within}の CloudWatch のデータがなく、拒否された実行の有無は不明",
        en: "CloudWatch has no data for the last {within}: whether runs were refused is not known",
    )
}

/// Lambda refuses runs: why, and what to do.
#[must_use]
pub fn refused(language: Language, count: usize, within: Duration, limit: Option<Limit>) -> String {
    let within = span(language, within);
    match limit {
        Some(Limit::Reserved(runs)) => text!(
            language,
            ja: "過去{within}に Lambda がワーカーの実行 {count} 件を拒否: 予約済み同時実行数 {runs} を使い切っている。throttle-worker が下げたのでなければ（throttle-worker に {{}} を送ると分かる）、CDK の reservedConcurrentExecutions を上げる",
            en: "in the last {within} Lambda refused {count} runs of the worker: its reserved concurrency of {runs} is used up. Unless throttle-worker lowered it (send it {{}} to see), raise reservedConcurrentExecutions in the application's CDK",
        ),
        Some(Limit::Account(runs)) => text!(
            language,
            ja: "過去{within}に Lambda がワーカーの実行 {count} 件を拒否: アカウントで予約のない関数が共有する {runs} を使い切っている。どの関数が使っているか CloudWatch の ConcurrentExecutions で確認し、Service Quotas で Lambda の \"Concurrent executions\" の引き上げを申請する",
            en: "in the last {within} Lambda refused {count} runs of the worker: the {runs} that all functions without a reservation share are used up. Look at ConcurrentExecutions in CloudWatch for who uses them, and ask Service Quotas for more of Lambda's quota \"Concurrent executions\"",
        ),
        None => text!(
            language,
            ja: "過去{within}に Lambda がワーカーの実行 {count} 件を拒否: 同時実行数の上限に達している。予約済み同時実行数とアカウントの \"Concurrent executions\" クォータを確認する",
            en: "in the last {within} Lambda refused {count} runs of the worker: its concurrency limit is reached. Check its reserved concurrency and the account's quota \"Concurrent executions\"",
        ),
    }
}
