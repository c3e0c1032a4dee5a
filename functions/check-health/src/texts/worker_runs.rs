//! What this step says, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::run::texts::duration;
use remediation::text;
use std::time::Duration;

/// Without its configuration the runs say nothing: how its log is written is not known, nor its timeout.
#[must_use]
pub fn needs_configuration(language: Language, worker: &str) -> String {
    text!(
        language,
        ja: "{worker} の設定を取得できず（1 を参照）",
        en: "the configuration of {worker} is unknown (see 1)",
    )
}

/// There is no log group.
#[must_use]
pub fn no_log(language: Language, group: &str) -> String {
    text!(
        language,
        ja: "ロググループ {group} が存在せず（未実行か、別の場所に記録）、測定値なし",
        en: "log group {group} does not exist (the worker never ran, or logs elsewhere), so nothing was measured",
    )
}

/// Nothing ended, as far as the log was read.
#[must_use]
pub fn none(language: Language, within: Duration) -> String {
    let within = duration(language, TimeDelta::from_std(within).unwrap_or_default());
    text!(
        language,
        ja: "過去{within}に終了した実行なし",
        en: "no run ended in the last {within}",
    )
}

/// How many runs ended, and what of them.
#[must_use]
pub fn runs(language: Language, count: usize, within: Duration, measured: &str) -> String {
    let within = duration(language, TimeDelta::from_std(within).unwrap_or_default());
    text!(
        language,
        ja: "過去{within}の実行 {count} 件: {measured}",
        en: "runs in the last {within}: {count}; {measured}",
    )
}

/// The longest run.
#[must_use]
pub fn timeout_used(language: Language, percent: f64, timeout: i32) -> String {
    let timeout = duration(language, TimeDelta::seconds(timeout.into()));
    text!(
        language,
        ja: "最長の実行でタイムアウト {timeout} の {percent:.0}%",
        en: "the longest run took {percent:.0} % of the {timeout} timeout",
    )
}

/// The largest run.
#[must_use]
pub fn memory_used(language: Language, percent: f64) -> String {
    text!(language, ja: "最大の実行でメモリの {percent:.0}%", en: "the largest run used {percent:.0} % of the memory")
}

/// Runs in a new container.
#[must_use]
pub fn cold_starts(language: Language, percent: f64) -> String {
    text!(language, ja: "コールドスタート {percent:.0}%", en: "cold starts: {percent:.0} %")
}

/// Calls that the model's service refused.
#[must_use]
pub fn throttles(language: Language, count: usize) -> String {
    text!(language, ja: "Bedrock のスロットリング {count} 件", en: "throttled model calls: {count}")
}

/// Bedrock's own count is not known: where the other comes from, if there is one.
#[must_use]
pub fn throttles_from_log(language: Language, is_model_known: Option<bool>, is_counted: bool) -> String {
    let why = match is_model_known {
        None => text!(language, ja: "CloudWatch を読めず（7 を参照）", en: "CloudWatch could not be read (see 7)"),
        Some(true) => {
            text!(language, ja: "CloudWatch に Bedrock のデータなし", en: "CloudWatch has no data of the model")
        }
        Some(false) => text!(
            language,
            ja: "ワーカーの呼ぶモデルが不明（BEDROCK_MODEL_IDS、CDK の bedrockModelIds で指定できる）",
            en: "the worker's model is unknown (set BEDROCK_MODEL_IDS, bedrockModelIds in the CDK app)",
        ),
    };
    if is_counted {
        text!(language, ja: "スロットリングの件数はログのみから: {why}", en: "throttled model calls are counted from the log alone: {why}")
    } else {
        text!(language, ja: "スロットリングの件数は不明: {why}。ログからも分からない", en: "throttled model calls are not known: {why}, and the log does not tell")
    }
}

/// The search for reports ended before its end.
#[must_use]
pub fn reports_sampled(language: Language) -> String {
    text!(
        language,
        ja: "ログを最後まで読めず、実行の数値は読み取れた分のみ",
        en: "the log could not be read to its end: the figures cover only the runs that were found",
    )
}

/// The search for throttled calls ended before its end.
#[must_use]
pub fn throttles_sampled(language: Language) -> String {
    text!(
        language,
        ja: "ログを最後まで読めず、スロットリングの件数は不明か、これより多い",
        en: "the log could not be read to its end: throttled calls are unknown, or more than shown",
    )
}

/// The log leaves out the reports of runs that succeed.
#[must_use]
pub fn reports_left_out(language: Language) -> String {
    text!(
        language,
        ja: "ワーカーのシステムログレベルが WARN のため、成功した実行は記録されない。LoggingConfig.SystemLogLevel を INFO にすると測定できる",
        en: "the worker's system log level is WARN, so successful runs are not logged; set LoggingConfig.SystemLogLevel to INFO to measure them",
    )
}
