//! What it says, in Japanese (as the guide is) and in English.

use crate::domain::Language;
use crate::gather::worker::setting::Setting;
use crate::text;
use chrono::DateTime;
use chrono::Utc;

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
pub fn allocation_put_back(language: Language, trouble: Option<&str>) -> String {
    match trouble {
        None => text!(language, ja: "元の設定に戻した", en: "put back to what it was"),
        Some(why) => text!(
            language,
            ja: "元の設定に戻せなかった（{why}）。手で確認すること",
            en: "it could not be put back ({why}): look at it by hand",
        ),
    }
}

/// Something on the worker is under way, so nothing is written now.
#[must_use]
pub fn under_way(language: Language, what: &str) -> String {
    text!(
        language,
        ja: "デプロイなどの変更が進行中（{what}）のため何も書かない。次回に改めて試す",
        en: "a deployment is under way ({what}): nothing is written over it; tried again at the next look",
    )
}

/// The worker is no longer as it was decided on.
#[must_use]
pub fn moved(language: Language) -> String {
    text!(
        language,
        ja: "読んだ後に誰かがワーカーを変更したため何も書かない。次回に改めて判断する",
        en: "somebody changed the worker after it was read: nothing is written over that; decided anew at the next look",
    )
}

/// Lambda is not done with the change, and this run has no more time.
#[must_use]
pub fn still_in_progress(language: Language) -> String {
    text!(
        language,
        ja: "Lambda は変更を受け付けたが、この実行の時間内に反映が終わらなかった。次回に続きを確認する",
        en: "Lambda accepted it and was not done with it in this run's time: the next look goes on from there",
    )
}

/// Lambda itself could not bring an update about.
#[must_use]
pub fn update_failed(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "ワーカーの更新が Lambda で失敗している（{why}）。原因を直し CDK アプリを再デプロイすること",
        en: "Lambda could not bring the worker's update about ({why}): put that right and deploy the CDK app again",
    )
}

/// `$LATEST` has what nobody released.
#[must_use]
pub fn latest_differs(language: Language, parts: &str) -> String {
    text!(
        language,
        ja: "$LATEST はエイリアスのバージョンと {parts} が異なる。公開すると未リリースの内容まで出てしまうため変更しない。CDK アプリで設定してデプロイすること",
        en: "$LATEST differs from the alias's version in {parts}: publishing would release what nobody released, so nothing is changed; set it in the CDK app and deploy",
    )
}

/// What callers run is not what was written.
#[must_use]
pub fn reads_otherwise(language: Language) -> String {
    text!(language, ja: "書いた後に読み直した値が異なる", en: "it reads back otherwise than it was written")
}

/// What callers run cannot be read.
#[must_use]
pub fn not_read_back(language: Language, why: &str) -> String {
    text!(language, ja: "書いた結果を読み直せなかった: {why}", en: "what came of it could not be read back: {why}")
}

/// What became of `$LATEST` when its change could not be brought to callers.
#[must_use]
pub fn put_back(language: Language, trouble: Option<&str>) -> String {
    match trouble {
        None => text!(language, ja: "$LATEST は元の値に戻した", en: "$LATEST was put back"),
        Some(why) => text!(
            language,
            ja: "$LATEST を元の値に戻せなかった（{why}）。次のデプロイで公開される前に確認すること",
            en: "$LATEST could not be put back ({why}): see to it before the next deployment releases it",
        ),
    }
}

/// An undo that came too late.
#[must_use]
pub fn changed_since(language: Language, now: &str) -> String {
    text!(
        language,
        ja: "その後に誰かが値を変更した（現在 {now}）ためそのままにする",
        en: "somebody has changed it since (now {now}): it is left as it is; read it and decide anew",
    )
}

/// A change whose run did not live to see it.
#[must_use]
pub fn abandoned(language: Language) -> String {
    text!(
        language,
        ja: "変更しようとした実行が途中で終わり、変更は反映されていない",
        en: "the run that wanted it ended before it was done; callers do not have it",
    )
}

/// A value with its unit.
#[must_use]
pub fn amount(setting: Setting, value: Option<u32>) -> String {
    match (setting, value) {
        (Setting::Timeout, Some(value)) => format!("{value} s"),
        (Setting::Memory, Some(value)) => format!("{value} MB"),
        (Setting::ReservedConcurrency | Setting::ProvisionedConcurrency, Some(value)) => value.to_string(),
        (Setting::Redeployment, Some(value)) => {
            DateTime::from_timestamp(i64::from(value), 0).map(moment).unwrap_or_default()
        }
        (_, None) => "-".to_owned(),
    }
}

/// A moment, for people.
#[must_use]
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A change that another step has made.
#[must_use]
pub fn anothers(language: Language, step: &str) -> String {
    text!(language, ja: "{step} の変更なので、{step} に送る", en: "it is {step}'s: send it there")
}

/// A lease that was over before it was taken back.
#[must_use]
pub fn reverted_already(language: Language, at: Option<DateTime<Utc>>) -> String {
    let at = at.map(moment).unwrap_or_default();
    text!(
        language,
        ja: "リースの期限切れにより {at} に元の値へ戻してある",
        en: "its lease expired, and it was reverted already, at {at}",
    )
}

/// A change of another worker.
#[must_use]
pub fn another_worker(language: Language, changed: &str, own: &str) -> String {
    text!(
        language,
        ja: "変更の対象は {changed} だが、この環境の対象は {own} である。WORKER_FUNCTION_NAME と WORKER_ALIAS を確認する",
        en: "it changed {changed}, but this installation looks after {own}: check WORKER_FUNCTION_NAME and WORKER_ALIAS",
    )
}
