//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;
use std::time::Duration;

/// Without its configuration the runs say nothing: how its log is written is not known, nor its timeout.
#[must_use]
pub fn needs_configuration(language: Language, worker: &str) -> String {
    text!(
        language,
        ja: "{worker} の設定を読めない（1 を参照）",
        en: "the configuration of {worker} is not known (see 1)",
    )
}

/// There is no log group.
#[must_use]
pub fn no_log(language: Language, group: &str) -> String {
    text!(
        language,
        ja: "ロググループ {group} がない（まだ実行されていないか、別の場所に記録している）ため、測定値はない",
        en: "there is no log group {group} (it never ran, or logs elsewhere), so nothing was measured",
    )
}

/// Nothing ended, as far as the log was read.
#[must_use]
pub fn none(language: Language, within: Duration) -> String {
    let minutes = within.as_secs() / 60;
    text!(
        language,
        ja: "過去{minutes}分間に終了した実行はない",
        en: "no run ended in the last {minutes} minutes",
    )
}

/// How many runs ended, and what of them.
#[must_use]
pub fn runs(language: Language, count: usize, within: Duration, measured: &str) -> String {
    let minutes = within.as_secs() / 60;
    text!(
        language,
        ja: "過去{minutes}分間の実行 {count} 件: {measured}",
        en: "{count} runs in the last {minutes} minutes: {measured}",
    )
}

/// The longest run.
#[must_use]
pub fn timeout_used(language: Language, percent: f64, timeout: i32) -> String {
    text!(
        language,
        ja: "最長でタイムアウト {timeout} 秒の {percent:.0}%",
        en: "the longest took {percent:.0} % of the timeout of {timeout} s",
    )
}

/// The largest run.
#[must_use]
pub fn memory_used(language: Language, percent: f64) -> String {
    text!(language, ja: "最大でメモリの {percent:.0}%", en: "the largest {percent:.0} % of the memory")
}

/// Runs in a new container.
#[must_use]
pub fn cold_starts(language: Language, percent: f64) -> String {
    text!(language, ja: "コールドスタート {percent:.0}%", en: "cold starts {percent:.0} %")
}

/// Calls that the model's service refused.
#[must_use]
pub fn throttles(language: Language, count: usize) -> String {
    text!(language, ja: "Bedrock のスロットリング {count} 件", en: "throttled model calls: {count}")
}

/// The search for reports ended before its end.
#[must_use]
pub fn reports_sampled(language: Language) -> String {
    text!(
        language,
        ja: "ログの一部しか読めなかったため、実行の数値は読めた分だけのものである",
        en: "the log could not be read to its end: what is said of the runs is said of those that were found",
    )
}

/// The search for throttled calls ended before its end.
#[must_use]
pub fn throttles_sampled(language: Language) -> String {
    text!(
        language,
        ja: "ログの一部しか読めなかったため、スロットリングの件数は分からないか、これより多い",
        en: "the log could not be read to its end: throttled calls are not known, or more than these",
    )
}

/// The log leaves out the reports of runs that succeed.
#[must_use]
pub fn reports_left_out(language: Language) -> String {
    text!(
        language,
        ja: "ワーカーのシステムログレベルが WARN のため、成功した実行は記録されない。LoggingConfig.SystemLogLevel を INFO にすると測定できる",
        en: "at the worker's system log level WARN, runs that succeed are not in the log; LoggingConfig.SystemLogLevel INFO lets them be measured",
    )
}
