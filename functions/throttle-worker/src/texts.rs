//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// A function that somebody has stopped.
#[must_use]
pub fn stopped(language: Language) -> String {
    text!(
        language,
        ja: "予約済み同時実行数が 0 で、ワーカーは人の手で止められている",
        en: "its reserved concurrency is 0: somebody has stopped the worker, and it is left so",
    )
}

/// There is no step further down.
#[must_use]
pub fn at_floor(language: Language, floor: u32, quota: &str) -> String {
    text!(
        language,
        ja: "予約済み同時実行数は既に下限の {floor} である。{quota}",
        en: "its reserved concurrency is at the floor of {floor} already: {quota}",
    )
}

/// What helps for good against a model that is asked too often.
#[must_use]
pub fn quota(language: Language) -> String {
    text!(
        language,
        ja: "恒久対応として、Service Quotas で Amazon Bedrock の使用モデルの On-demand InvokeModel requests per minute と tokens per minute の引き上げを申請すること",
        en: "for good, ask Service Quotas for more of Amazon Bedrock's On-demand InvokeModel requests per minute and tokens per minute of the model in use",
    )
}

/// What becomes of calls that Lambda refuses meanwhile.
#[must_use]
pub fn absorbed(language: Language, seconds: f64) -> String {
    text!(
        language,
        ja: "上限を超えた呼び出しは Lambda が 429 で断り、ステートマシンが最長 {seconds:.0} 秒再試行する",
        en: "calls beyond it are refused by Lambda with 429, and tried again by the state machine for {seconds:.0} s",
    )
}

/// Calls that Lambda refuses would fail.
#[must_use]
pub fn not_retried(language: Language, state: &str, seconds: f64, wanted: u32) -> String {
    let retry = r#"addRetry({ errors: ['Lambda.TooManyRequestsException'], interval: cdk.Duration.seconds(5), maxAttempts: 6, backoffRate: 2 })"#;
    text!(
        language,
        ja: "ステートマシンのタスク {state} は Lambda.TooManyRequestsException を {seconds:.0} 秒しか再試行しない（{wanted} 秒必要）ため、同時実行数を下げると処理が失敗する。変更せず、CDK アプリのタスクに `{retry}` を加えること",
        en: "the state machine's task {state} tries Lambda.TooManyRequestsException again for {seconds:.0} s only ({wanted} s are needed), so lower concurrency would let processes fail: nothing is changed; add `{retry}` to the task in the CDK app",
    )
}

/// Whether refused calls are tried again is not known.
#[must_use]
pub fn retries_unknown(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "ステートマシンが断られた呼び出しを再試行するか分からない（{why}）ため変更しない",
        en: "whether the state machine tries refused calls again is not known ({why}), so nothing is changed",
    )
}

/// Why concurrency goes up again.
#[must_use]
pub fn recovered(language: Language, alarm: &str, to: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} が収まったため、予約済み同時実行数を {to} に上げる",
        en: "alarm {alarm} is OK: reserved concurrency goes up to {to}",
    )
}

/// Why it is put back to what it was.
#[must_use]
pub fn restored(language: Language, alarm: &str, to: &str) -> String {
    text!(
        language,
        ja: "アラーム {alarm} が収まっているため、予約済み同時実行数を元の {to} に戻す",
        en: "alarm {alarm} is OK: reserved concurrency goes back to what it was, {to}",
    )
}

/// It has not been quiet for long enough.
#[must_use]
pub fn not_quiet_yet(language: Language, minutes: u32) -> String {
    text!(
        language,
        ja: "アラームが収まってから {minutes} 分経つまで、同時実行数を上げるのを待つ",
        en: "concurrency goes up again once the alarm has been OK for {minutes} min",
    )
}

/// A value that a person chose.
#[must_use]
pub fn a_persons(language: Language) -> String {
    text!(
        language,
        ja: "この同時実行数は人が決めたため、期限までそのままにする",
        en: "a person has chosen this concurrency: it stays until its time is over",
    )
}
