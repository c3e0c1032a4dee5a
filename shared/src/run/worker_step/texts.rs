//! What it says, in Japanese (as the guide is) and in English.

use crate::act::actions::change_worker::texts::{amount, moment};
use crate::act::texts::duration;
use crate::domain::Language;
use crate::gather::worker::setting::Setting;
use crate::text;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;

/// How many runs Lambda keeps for functions that have reserved none.
#[must_use]
pub fn unreserved_known(language: Language) -> String {
    text!(
        language,
        ja: "アカウントの残りの同時実行数を Lambda から取得できないため変更しない",
        en: "Lambda did not return how much concurrency the account has left, so nothing is changed",
    )
}

/// The account has not enough left.
#[must_use]
pub fn account_limit(language: Language, to: u32, unreserved: u32, kept: u32) -> String {
    text!(
        language,
        ja: "{to} にするとアカウントの未予約の同時実行数（現在 {unreserved}）が AWS の下限 {kept} を下回るため変更しない。Service Quotas で Lambda の Concurrent executions の引き上げを申請する",
        en: "{to} would leave the account less unreserved concurrency (now {unreserved}) than the {kept} that AWS requires, so nothing is changed: request an increase of Lambda's Concurrent executions in Service Quotas",
    )
}

/// What publishing the same code once more does.
#[must_use]
pub fn redeployed(language: Language) -> String {
    text!(
        language,
        ja: "現在のコードと設定をそのまま再公開し、新しい呼び出しを新しい実行環境で開始する。コードは変わらず費用もかからないが、置き換えた実行環境は戻せない",
        en: "publishes the current code and configuration again, so that new calls start in new environments. The code stays the same and it costs nothing; replaced environments cannot be restored",
    )
}

/// Nobody asks for a change.
#[must_use]
pub fn no_incident(language: Language, alarm: &str) -> String {
    text!(language, ja: "アラーム {alarm} の未解決インシデントなし", en: "alarm {alarm} has no open incident")
}

/// The value is there already.
#[must_use]
pub fn already_so(language: Language, setting: Setting, value: Option<u32>) -> String {
    let value = amount(setting, value);
    text!(language, ja: "既に {value}", en: "already {value}")
}

/// Why a setting is changed: an alarm's incident.
#[must_use]
pub fn for_incident(language: Language, alarm: &str, setting: Setting, from: Option<u32>, to: Option<u32>) -> String {
    let (from, to) = (amount(setting, from), amount(setting, to));
    text!(
        language,
        ja: "アラーム {alarm} のインシデント発生中: {from} から {to} に変更",
        en: "alarm {alarm} has an open incident: from {from} to {to}",
    )
}

/// Why a setting is changed: a person.
#[must_use]
pub fn for_operator(language: Language, setting: Setting, from: Option<u32>, to: Option<u32>) -> String {
    if !setting.is_revertible() {
        return text!(language, ja: "運用者の指示", en: "requested by an operator");
    }
    let (from, to) = (amount(setting, from), amount(setting, to));
    text!(language, ja: "運用者の指示: {from} から {to} に変更", en: "requested by an operator: from {from} to {to}")
}

/// Why a setting is reverted.
#[must_use]
pub fn lease_over(language: Language, setting: Setting, to: Option<u32>, revert_at: DateTime<Utc>) -> String {
    let (to, at) = (amount(setting, to), moment(revert_at));
    text!(
        language,
        ja: "リース期限 {at} を過ぎ、confirm もないため {to} に戻す",
        en: "lease expired at {at} without confirmation: revert to {to}",
    )
}

/// A change stays a little longer.
#[must_use]
pub fn lease_kept(language: Language, alarm: &str) -> String {
    text!(
        language,
        ja: "リース期限切れだが、アラーム {alarm} のインシデントが続く間は維持",
        en: "lease expired, but kept while the incident of alarm {alarm} is open",
    )
}

/// A lease is over, and whether it may end is not known.
#[must_use]
pub fn lease_unreadable(language: Language, alarm: &str, why: &str) -> String {
    text!(
        language,
        ja: "リース期限切れだが、アラーム {alarm} の状態を CloudWatch から取得できないため元に戻さない: {why}",
        en: "lease expired, but not reverted, because the state of alarm {alarm} could not be read from CloudWatch: {why}",
    )
}

/// Nothing was measured since the last change.
#[must_use]
pub fn not_measured(language: Language, last: DateTime<Utc>) -> String {
    let last = moment(last);
    text!(
        language,
        ja: "前回の変更（{last}）以降、異常な測定値がないため次の段階に進まない",
        en: "nothing bad has been measured since the last change at {last}, so there is no further step",
    )
}

/// Another change of the worker is being made.
#[must_use]
pub fn queued(language: Language, step: &str, kind: &str, since: DateTime<Utc>) -> String {
    let since = moment(since);
    text!(
        language,
        ja: "ワーカーは {step} が変更中（{kind}、{since} から）のため待機",
        en: "{step} has been changing the worker since {since} ({kind}): waiting for it",
    )
}

/// A change that could not be reverted, again and again.
#[must_use]
pub fn revert_failed(language: Language, failures: i64) -> String {
    text!(
        language,
        ja: "元に戻す操作が 24 時間で {failures} 回失敗。remediation.actions の理由を確認し、undo または confirm を送る",
        en: "reverting this change failed {failures} times within 24 h: see the reasons in remediation.actions, then undo or confirm it",
    )
}

/// A lease of something that is no longer looked after.
#[must_use]
pub fn lease_elsewhere(language: Language, target: &str) -> String {
    text!(
        language,
        ja: "この変更の対象 {target} は現在の設定（WORKER_FUNCTION_NAME、WORKER_ALIAS）に含まれず、自動では戻せない。手動で確認する",
        en: "this change was made to {target}, which WORKER_FUNCTION_NAME and WORKER_ALIAS no longer name: check it by hand",
    )
}

/// Why a lease ends without anything being reverted: the setting is as it was before.
#[must_use]
pub fn lease_already_back(language: Language) -> String {
    text!(
        language,
        ja: "値は既に元どおりのため、リースを終了",
        en: "the value is already back to what it was: nothing left to revert, lease ends",
    )
}

/// Why a lease ends without anything being reverted: somebody has changed the setting.
#[must_use]
pub fn lease_changed(language: Language, setting: Setting, now: Option<u32>) -> String {
    let now = amount(setting, now);
    text!(
        language,
        ja: "その後に他者が {now} に変更したため、元に戻さずリースを終了",
        en: "somebody has changed it to {now} since: left unchanged, lease ends",
    )
}

/// Why a lease is confirmed.
#[must_use]
pub fn confirmed(language: Language) -> String {
    text!(language, ja: "運用者がこの変更の維持を指示（confirm）", en: "an operator confirmed this change")
}

/// A lease that a person has confirmed before.
#[must_use]
pub fn confirmed_already(language: Language) -> String {
    text!(language, ja: "既に confirm 済み（元に戻されない）", en: "already confirmed: it is not reverted")
}

/// What to do for good about a change that was made by API.
#[must_use]
pub fn set_in_cdk(language: Language, line: &str) -> String {
    text!(
        language,
        ja: "次のデプロイで上書きされる。CDK アプリのワーカーに `{line}` を設定する",
        en: "the next deployment overwrites this change: set `{line}` for the worker in the CDK app",
    )
}

/// What a change costs, how long it stays, and what to do for good. It is said before anybody knows whether the change is made: the
/// sentence has to be true of one that is only shown or proposed, too.
#[must_use]
pub fn change(
    language: Language,
    setting: Setting,
    (from, to): (Option<u32>, Option<u32>),
    usd_a_month: Option<f64>,
    revert_after: TimeDelta,
) -> String {
    if !setting.is_revertible() {
        return redeployed(language);
    }
    let line = setting.cdk_line(to);
    let (from, to) = (amount(setting, from), amount(setting, to));
    let cost = match usd_a_month {
        Some(usd) => {
            text!(language, ja: "費用の増加は最大で月 {usd:.2} USD", en: "costs at most {usd:.2} USD a month more")
        }
        None => text!(
            language,
            ja: "費用の増加は不明（処理件数を数えられず）",
            en: "the extra cost is unknown (the processes could not be counted)",
        ),
    };
    let stays = duration(language, revert_after);
    text!(
        language,
        ja: "ワーカーを {from} から {to} に変更: {cost}。適用した場合、{stays}後に元に戻す。残すには confirm を送り、CDK アプリのワーカーに `{line}` を設定する",
        en: "worker from {from} to {to}: {cost}. Once applied, it is reverted after {stays}; to keep it, confirm it and set `{line}` for the worker in the CDK app",
    )
}

/// The state machine calls the worker by another qualifier than the setting says.
#[must_use]
pub fn alias_mismatch(language: Language, calls: &str, alias: Option<&str>) -> String {
    match alias {
        Some(alias) => text!(
            language,
            ja: "ステートマシンはワーカーを {calls} で呼び出すが、WORKER_ALIAS は {alias}。WORKER_ALIAS（CDK の workerAlias）を修正するまで変更しない",
            en: "the state machine calls the worker as {calls}, but WORKER_ALIAS is {alias}: correct WORKER_ALIAS (workerAlias in the CDK app); nothing is changed until then",
        ),
        None => text!(
            language,
            ja: "ステートマシンはワーカーを {calls} で呼び出すが、WORKER_ALIAS が未設定。WORKER_ALIAS（CDK の workerAlias）を設定するまで変更しない",
            en: "the state machine calls the worker as {calls}, but WORKER_ALIAS is not set: set WORKER_ALIAS (workerAlias in the CDK app); nothing is changed until then",
        ),
    }
}

/// How the state machine calls the worker cannot be known.
#[must_use]
pub fn callers_unknown(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "ステートマシンからのワーカーの呼び出し方を確定できない（{why}）ため自動では変更しない。値を指定（\"to\"）すれば変更する",
        en: "how the state machine calls the worker cannot be determined ({why}), so nothing is changed automatically; send \"to\" with a value to change it anyway",
    )
}

/// No state of the machine calls the worker, as far as its definition tells.
#[must_use]
pub fn no_caller(language: Language, unknown: &[String]) -> String {
    let states = unknown.join(", ");
    match unknown {
        [] => text!(
            language,
            ja: "定義にワーカーを呼び出す状態がない。STATE_MACHINE_ARN と WORKER_FUNCTION_NAME を確認する",
            en: "no state in its definition calls the worker: check STATE_MACHINE_ARN and WORKER_FUNCTION_NAME",
        ),
        _ => text!(
            language,
            ja: "状態 {states} が呼び出す関数は実行時に決まる",
            en: "which function {states} calls is only known at run time",
        ),
    }
}

/// Lambda did not say what the value is.
#[must_use]
pub fn value_unknown(language: Language) -> String {
    text!(language, ja: "Lambda から現在の値を取得できず", en: "Lambda did not return the current value")
}

/// There is no step further up.
#[must_use]
pub fn at_ceiling(language: Language, setting: Setting, value: Option<u32>, instead: &str) -> String {
    let value = amount(setting, value);
    text!(
        language,
        ja: "既に上限の {value}。{instead}",
        en: "already at the ceiling of {value}: {instead}",
    )
}

/// A step that is about the worker as a whole was asked about one process.
#[must_use]
pub fn about_the_worker(language: Language, step: &str) -> String {
    text!(
        language,
        ja: "{step} は処理ではなくワーカーを変更する。確認だけなら {{}}、1 段階変更するには {{\"all\": true}}、値を指定するには {{\"to\": <値>}} を送る",
        en: "{step} changes the worker, not one process: send {{}} to see what it would do, {{\"all\": true}} to change it by one step, or {{\"to\": <value>}}",
    )
}

/// What goes with a confirmation.
#[must_use]
pub fn confirmed_as_made(language: Language) -> String {
    text!(
        language,
        ja: "変更は実施時のまま確定する。併用できるのは `mode` と `reason` のみ",
        en: "a change is confirmed exactly as it was made; only `mode` and `reason` may go with it",
    )
}

/// A confirmation of something else.
#[must_use]
pub fn nothing_to_confirm(language: Language) -> String {
    text!(
        language,
        ja: "該当するワーカーの変更がない。結果の `actions[].id` または remediation.leases を確認する",
        en: "no such change of the worker; see `actions[].id` of a result, or remediation.leases",
    )
}

/// A confirmation that comes too late.
#[must_use]
pub fn lease_ended(language: Language, how: &str, at: DateTime<Utc>) -> String {
    text!(
        language,
        ja: "リースは既に終了している（{how}、{at}）ため、確定するものがない",
        en: "its lease has already ended ({how}, {at}): nothing left to confirm",
    )
}
