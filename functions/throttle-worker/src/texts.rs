//! What this step says, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::run::texts::duration;
use remediation::text;

/// A function that somebody has stopped.
#[must_use]
pub fn stopped(language: Language) -> String {
    text!(
        language,
        ja: "予約済み同時実行数が 0（ワーカーは人が停止中）のため変更しない",
        en: "its reserved concurrency is 0: a person has stopped the worker, so it is left unchanged",
    )
}

/// There is no step further down.
#[must_use]
pub fn at_floor(language: Language, floor: u32, quota: &str) -> String {
    text!(
        language,
        ja: "予約済み同時実行数は既に下限の {floor}。{quota}",
        en: "its reserved concurrency is already at the floor of {floor}: {quota}",
    )
}

/// What helps for good against a model that is asked too often.
#[must_use]
pub fn quota(language: Language) -> String {
    text!(
        language,
        ja: "恒久対応として、Service Quotas で Amazon Bedrock の使用モデルの On-demand InvokeModel requests per minute と tokens per minute の引き上げを申請する",
        en: "as a permanent fix, request an increase of Amazon Bedrock's On-demand InvokeModel requests per minute and tokens per minute for this model in Service Quotas",
    )
}

/// What becomes of calls that Lambda refuses meanwhile.
#[must_use]
pub fn absorbed(language: Language, seconds: f64) -> String {
    let wait = span(language, seconds);
    text!(
        language,
        ja: "予約済み同時実行数を超えた呼び出しは Lambda が 429 で拒否し、ステートマシンが最長 {wait}再試行する",
        en: "Lambda rejects calls over the reserved concurrency with 429, and the state machine retries them for up to {wait}",
    )
}

/// Calls that Lambda refuses would fail: no retrier matches them.
#[must_use]
pub fn add_retrier(language: Language, state: &str, seconds: f64, needed: f64, line: &str) -> String {
    let (wait, needed) = (span(language, seconds), span(language, needed));
    text!(
        language,
        ja: "ステートマシンのタスク {state} は Lambda.TooManyRequestsException を {wait}しか再試行しない（{needed}必要）ため、同時実行数を下げると処理が失敗する。変更せず、CDK アプリのタスクに `{line}` を追加する",
        en: "the state machine's task {state} retries Lambda.TooManyRequestsException for {wait} only ({needed} needed), so lower concurrency would make processes fail: nothing is changed; add `{line}` to the task in the CDK app",
    )
}

/// The same, where a retrier for any error comes first.
#[must_use]
pub fn put_retrier_before(language: Language, state: &str, seconds: f64, needed: f64, line: &str) -> String {
    let (wait, needed) = (span(language, seconds), span(language, needed));
    text!(
        language,
        ja: "ステートマシンのタスク {state} は全エラー共通の Retry で Lambda.TooManyRequestsException を {wait}しか再試行しない（{needed}必要）ため、同時実行数を下げると処理が失敗する。変更せず、CDK アプリで既存の Retry より前に `{line}` を置く（最初に一致した Retry だけが有効）",
        en: "the state machine's task {state} retries Lambda.TooManyRequestsException for {wait} only ({needed} needed), by its retrier for all errors, so lower concurrency would make processes fail: nothing is changed; in the CDK app, put `{line}` before the existing retrier (only the first match counts)",
    )
}

/// The same, where a retrier lists the error already.
#[must_use]
pub fn change_retrier(language: Language, state: &str, seconds: f64, needed: f64, numbers: &str) -> String {
    let (wait, needed) = (span(language, seconds), span(language, needed));
    text!(
        language,
        ja: "ステートマシンのタスク {state} の既存の Retry は Lambda.TooManyRequestsException を {wait}しか再試行しない（{needed}必要）ため、同時実行数を下げると処理が失敗する。変更せず、CDK アプリでその Retry を `{numbers}` に変更する（最初に一致した Retry だけが有効なため、後ろに追加しても効果なし）",
        en: "the state machine's task {state} already has a retrier for Lambda.TooManyRequestsException, but it gives up after {wait} ({needed} needed), so lower concurrency would make processes fail: nothing is changed; change the existing retrier to `{numbers}` in the CDK app (one added behind it would never match)",
    )
}

/// Nothing runs that could be throttled.
#[must_use]
pub fn nothing_runs(language: Language) -> String {
    text!(
        language,
        ja: "実行中の処理がないため、同時実行数を下げる必要なし",
        en: "nothing is running, so there is nothing to throttle",
    )
}

/// Fewer than are kept ready cannot be reserved.
#[must_use]
pub fn provisioned(language: Language, to: u32, ready: u32) -> String {
    text!(
        language,
        ja: "Provisioned Concurrency が {ready} のため、予約済み同時実行数を {to} にはできない。先に provision-worker-concurrency で Provisioned Concurrency を下げる",
        en: "reserved concurrency cannot be {to} while {ready} environments are provisioned: lower the provisioned concurrency first (provision-worker-concurrency)",
    )
}

/// There is no step further down, because of what is kept ready.
#[must_use]
pub fn at_provisioned(language: Language, ready: u32, quota: &str) -> String {
    text!(
        language,
        ja: "予約済み同時実行数は既に Provisioned Concurrency の {ready} で、これより下げるには先に Provisioned Concurrency を下げる。{quota}",
        en: "its reserved concurrency is already at the provisioned concurrency of {ready}; to go lower, lower that first; {quota}",
    )
}

#[expect(clippy::cast_possible_truncation, reason = "whole seconds are enough")]
fn span(language: Language, seconds: f64) -> String {
    duration(language, TimeDelta::seconds(seconds.round() as i64))
}

/// Whether refused calls are tried again is not known.
#[must_use]
pub fn retries_unknown(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "拒否された呼び出しをステートマシンが再試行するか不明（{why}）のため変更しない",
        en: "it is unknown whether the state machine retries rejected calls ({why}), so nothing is changed",
    )
}

/// Why concurrency goes up again.
#[must_use]
pub fn recovered(language: Language, alarm: &str, to: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} が解消したため、予約済み同時実行数を {to} に上げる",
        en: "alarm {alarm} is OK: raise reserved concurrency to {to}",
    )
}

/// Why it is restored to what it was.
#[must_use]
pub fn restored(language: Language, alarm: &str, to: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} が解消しているため、予約済み同時実行数を元の {to} に戻す",
        en: "alarm {alarm} is OK: restore the original reserved concurrency, {to}",
    )
}

/// It has not been quiet for long enough.
#[must_use]
pub fn not_quiet_yet(language: Language, minutes: u32) -> String {
    text!(
        language,
        ja: "アラーム解消から {minutes} 分経つまで、同時実行数を上げるのを待つ",
        en: "concurrency is raised again once the alarm has been OK for {minutes} min",
    )
}

/// A value that a person chose.
#[must_use]
pub fn a_persons(language: Language) -> String {
    text!(
        language,
        ja: "この同時実行数は人が設定したため、期限まで変更しない",
        en: "this concurrency was set by a person: left unchanged until its lease expires",
    )
}
