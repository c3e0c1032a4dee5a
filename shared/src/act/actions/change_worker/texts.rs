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
        ja: "Provisioned Concurrency は $LATEST に設定できない（AWS が拒否する）。CDK アプリでバージョンとエイリアスを公開し、ステートマシンからエイリアスを呼び出し、WORKER_ALIAS（CDK の workerAlias）を設定する",
        en: "AWS refuses provisioned concurrency on $LATEST: in the CDK app, publish a version and an alias, have the state machine call the alias, and set WORKER_ALIAS (workerAlias in the CDK app)",
    )
}

/// Lambda could not get the environments ready.
#[must_use]
pub fn allocation_failed(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "Lambda が Provisioned Concurrency を割り当てられず: {why}",
        en: "Lambda could not allocate the provisioned concurrency: {why}",
    )
}

/// What became of an allocation that failed.
#[must_use]
pub fn allocation_put_back(language: Language, trouble: Option<&str>) -> String {
    match trouble {
        None => text!(language, ja: "元の設定に戻した", en: "reverted to the previous setting"),
        Some(why) => text!(
            language,
            ja: "元の設定に戻せず（{why}）。手動で確認する",
            en: "could not be reverted ({why}): check it by hand",
        ),
    }
}

/// Something on the worker is under way, so nothing is written now.
#[must_use]
pub fn under_way(language: Language, what: &str) -> String {
    text!(
        language,
        ja: "デプロイ等の変更が進行中（{what}）のため変更しない。次回に再試行",
        en: "deployment in progress ({what}): nothing was changed; the next run tries again",
    )
}

/// The worker is no longer as it was decided on.
#[must_use]
pub fn moved(language: Language) -> String {
    text!(
        language,
        ja: "読み取り後に他者がワーカーを変更したため何も書き込まない。次回に再判断",
        en: "somebody changed the worker after it was read: nothing was written; the next run decides again",
    )
}

/// Lambda is not done with the change, and this run has no more time.
#[must_use]
pub fn still_in_progress(language: Language) -> String {
    text!(
        language,
        ja: "Lambda は変更を受理したが、この回の時間内に反映が完了せず。次回に確認",
        en: "Lambda accepted the change but did not finish it within this run: the next run checks again",
    )
}

/// Lambda itself could not bring an update about.
#[must_use]
pub fn update_failed(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "Lambda でワーカーの更新が失敗している（{why}）。原因を修正し CDK アプリを再デプロイする",
        en: "the worker's last update failed in Lambda ({why}): fix the cause and redeploy the CDK app",
    )
}

/// `$LATEST` has what nobody released.
#[must_use]
pub fn latest_differs(language: Language, parts: &str) -> String {
    text!(
        language,
        ja: "$LATEST とエイリアスのバージョンで {parts} が異なる。公開すると未リリースの変更まで出るため変更しない。CDK アプリで設定してデプロイする",
        en: "$LATEST differs from the alias's version in {parts}: publishing would release unreleased changes, so nothing is changed; set it in the CDK app and deploy",
    )
}

/// What callers run is not what was written.
#[must_use]
pub fn reads_otherwise(language: Language) -> String {
    text!(language, ja: "書き込み後に読み直した値が異なる", en: "the value read back differs")
}

/// What callers run cannot be read.
#[must_use]
pub fn not_read_back(language: Language, why: &str) -> String {
    text!(language, ja: "書き込み結果を読み直せず: {why}", en: "the result could not be read back: {why}")
}

/// What became of `$LATEST` when its change could not be brought to callers.
#[must_use]
pub fn put_back(language: Language, trouble: Option<&str>) -> String {
    match trouble {
        None => text!(language, ja: "$LATEST は元の値に戻した", en: "$LATEST was reverted"),
        Some(why) => text!(
            language,
            ja: "$LATEST を元の値に戻せず（{why}）。次のデプロイで公開される前に確認する",
            en: "$LATEST could not be reverted ({why}): fix it before the next deployment releases it",
        ),
    }
}

/// An undo that came too late.
#[must_use]
pub fn changed_since(language: Language, now: &str) -> String {
    text!(
        language,
        ja: "その後に他者が値を変更（現在 {now}）したため取り消さない。現在の値を確認して判断する",
        en: "somebody has changed it since (now {now}): not undone; check the current value and decide again",
    )
}

/// A change whose run did not live to see it.
#[must_use]
pub fn abandoned(language: Language) -> String {
    text!(
        language,
        ja: "変更を始めた回が途中で終了し、変更は反映されていない",
        en: "the run that started this change ended before finishing it; it has not reached the callers",
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
    text!(language, ja: "{step} の変更のため、{step} に送る", en: "it belongs to {step}: send it there")
}

/// A lease that was over before it was taken back.
#[must_use]
pub fn reverted_already(language: Language, at: Option<DateTime<Utc>>) -> String {
    let at = at.map(moment).unwrap_or_default();
    text!(
        language,
        ja: "リース期限切れにより {at} に元に戻し済み",
        en: "its lease expired, and it was already reverted at {at}",
    )
}

/// A change of another worker.
#[must_use]
pub fn another_worker(language: Language, changed: &str, own: &str) -> String {
    text!(
        language,
        ja: "変更の対象は {changed} だが、この環境の対象は {own}。WORKER_FUNCTION_NAME と WORKER_ALIAS を確認する",
        en: "it changed {changed}, but this installation looks after {own}: check WORKER_FUNCTION_NAME and WORKER_ALIAS",
    )
}
