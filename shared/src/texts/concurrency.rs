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

/// How many runs Lambda keeps for functions that have reserved none.
#[must_use]
pub fn unreserved_known(language: Language) -> String {
    text!(
        language,
        ja: "アカウントの残りの同時実行数を Lambda が答えなかったため変更しない",
        en: "Lambda did not tell how much concurrency the account has left, so nothing is changed",
    )
}

/// The account has not enough left.
#[must_use]
pub fn account_limit(language: Language, to: u32, unreserved: u32, kept: u32) -> String {
    text!(
        language,
        ja: "{to} にするとアカウントの未予約の同時実行数（現在 {unreserved}）が AWS の求める {kept} を下回るため変更しない。Service Quotas で Lambda の Concurrent executions の引き上げを申請すること",
        en: "{to} would leave the account fewer unreserved runs (now {unreserved}) than the {kept} that AWS demands, so nothing is changed: ask Service Quotas for more of Lambda's Concurrent executions",
    )
}

/// More environments than the function may have runs.
#[must_use]
pub fn over_reserved(language: Language, to: u32, reserved: u32) -> String {
    text!(
        language,
        ja: "ワーカーの予約済み同時実行数 {reserved} を超える Provisioned Concurrency {to} は設定できない。CDK アプリの reservedConcurrentExecutions を見直すこと",
        en: "the worker may have {reserved} runs at once (reserved concurrency), so {to} environments cannot be kept ready: look at reservedConcurrentExecutions in the CDK app",
    )
}

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

/// What publishing the same code once more does.
#[must_use]
pub fn redeployed(language: Language) -> String {
    text!(
        language,
        ja: "いま動いているコードと設定をもう一度公開し、新しい呼び出しを新しい実行環境で始める。コードは変わらず、費用もかからない。置き換えた実行環境は戻せない",
        en: "the code and configuration that run now are published once more, so that new calls begin in new environments. The code stays as it is, and it costs nothing; environments that are replaced do not come back",
    )
}

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

/// What to do where more environments are not to be had.
#[must_use]
pub fn instead_of_environments(language: Language) -> String {
    text!(
        language,
        ja: "初期化処理（依存パッケージ、接続の作成）を軽くし、それでも要るなら manifest の ceiling を上げること",
        en: "make the worker's start lighter (its packages, the connections that it opens); where it really needs more, raise ceiling in the step's manifest",
    )
}
