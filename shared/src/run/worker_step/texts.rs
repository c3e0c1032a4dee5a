//! What it says, in Japanese (as the guide is) and in English.

use crate::act::actions::change_worker::texts::{amount, moment};
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

/// What publishing the same code once more does.
#[must_use]
pub fn redeployed(language: Language) -> String {
    text!(
        language,
        ja: "いま動いているコードと設定をもう一度公開し、新しい呼び出しを新しい実行環境で始める。コードは変わらず、費用もかからない。置き換えた実行環境は戻せない",
        en: "the code and configuration that run now are published once more, so that new calls begin in new environments. The code stays as it is, and it costs nothing; environments that are replaced do not come back",
    )
}

/// Nobody asks for a change.
#[must_use]
pub fn no_incident(language: Language, alarm: &str) -> String {
    text!(language, ja: "アラーム {alarm} のインシデントは開いていない", en: "no incident of alarm {alarm} is open")
}

/// The value is there already.
#[must_use]
pub fn already_so(language: Language, setting: Setting, value: Option<u32>) -> String {
    let value = amount(setting, value);
    text!(language, ja: "既に {value} である", en: "already so: {value}")
}

/// Why a setting is changed: an alarm's incident.
#[must_use]
pub fn for_incident(language: Language, alarm: &str, setting: Setting, from: Option<u32>, to: Option<u32>) -> String {
    let (from, to) = (amount(setting, from), amount(setting, to));
    text!(
        language,
        ja: "アラーム {alarm} のインシデントが開いているため {from} から {to} に変更する",
        en: "alarm {alarm} is on: from {from} to {to}",
    )
}

/// Why a setting is changed: a person.
#[must_use]
pub fn for_operator(language: Language, setting: Setting, from: Option<u32>, to: Option<u32>) -> String {
    let (from, to) = (amount(setting, from), amount(setting, to));
    text!(language, ja: "運用者が {from} から {to} への変更を求めた", en: "an operator asks for it: from {from} to {to}")
}

/// Why a setting is put back.
#[must_use]
pub fn lease_over(language: Language, setting: Setting, to: Option<u32>, revert_at: DateTime<Utc>) -> String {
    let (to, at) = (amount(setting, to), moment(revert_at));
    text!(
        language,
        ja: "期限 {at} を過ぎ、確認（confirm）もされていないため {to} に戻す",
        en: "its time was over at {at} and nobody confirmed it: put back to {to}",
    )
}

/// A change stays a little longer.
#[must_use]
pub fn lease_kept(language: Language, alarm: &str) -> String {
    text!(
        language,
        ja: "期限は過ぎたが、アラーム {alarm} のインシデントが開いている間は変更を残す",
        en: "its time is over, and it stays while the incident of alarm {alarm} is open",
    )
}

/// A change that could not be put back, again and again.
#[must_use]
pub fn revert_failed(language: Language, failures: i64) -> String {
    text!(
        language,
        ja: "元に戻そうとして 1 日に {failures} 回失敗した。remediation.actions の理由を確認し、undo か confirm を送ること",
        en: "putting it back has failed {failures} times in a day: see the reasons in remediation.actions, then undo or confirm it",
    )
}

/// A lease of something that is no longer looked after.
#[must_use]
pub fn lease_elsewhere(language: Language, target: &str) -> String {
    text!(
        language,
        ja: "この変更は {target} のもので、現在の設定（WORKER_FUNCTION_NAME、WORKER_ALIAS）では扱えない。手で確認すること",
        en: "it is a change of {target}, which WORKER_FUNCTION_NAME and WORKER_ALIAS no longer name: look at it by hand",
    )
}

/// Why a lease ends without anything being put back: the setting is as it was before.
#[must_use]
pub fn lease_already_back(language: Language) -> String {
    text!(
        language,
        ja: "値は既に元に戻っているため、期限の管理を終える",
        en: "the value is back to what it was already: nothing is left to put back",
    )
}

/// Why a lease ends without anything being put back: somebody has decided otherwise.
#[must_use]
pub fn lease_changed(language: Language, setting: Setting, now: Option<u32>) -> String {
    let now = amount(setting, now);
    text!(
        language,
        ja: "その後に誰かが {now} に変更したため触れず、期限の管理を終える",
        en: "somebody has changed it to {now} since: left as it is, and no longer put back",
    )
}

/// Why a lease is confirmed.
#[must_use]
pub fn confirmed(language: Language) -> String {
    text!(language, ja: "運用者がこの変更を残すと決めた", en: "an operator wants this change to stay")
}

/// A lease that a person has confirmed before.
#[must_use]
pub fn confirmed_already(language: Language) -> String {
    text!(language, ja: "既に確認済みで、元に戻されることはない", en: "already so: it was confirmed, and is not put back")
}

/// What to do for good about a change that was made by API.
#[must_use]
pub fn set_in_cdk(language: Language, line: &str) -> String {
    text!(
        language,
        ja: "API での変更は次のデプロイとずれる。CDK アプリのワーカーを `{line}` にすること",
        en: "a change by API drifts from the next deployment: set `{line}` for the worker in the CDK app",
    )
}

/// What a change costs, until when it stays, and what to do for good.
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
            text!(language, ja: "費用の増加は多くても月 {usd:.2} USD", en: "it costs at most {usd:.2} USD a month more")
        }
        None => text!(
            language,
            ja: "費用の増加は、処理件数を読めないため分からない",
            en: "what it costs is not known: the processes could not be counted",
        ),
    };
    let minutes = revert_after.num_minutes();
    let stays = if minutes % 60 == 0 { format!("{} h", minutes / 60) } else { format!("{minutes} min") };
    text!(
        language,
        ja: "ワーカーを {from} から {to} にする変更: {cost}。{stays} 後に元に戻す。残すには confirm を送り、CDK アプリのワーカーを `{line}` にすること",
        en: "the worker from {from} to {to}: {cost}. It is put back after {stays}: to keep it, confirm it, and set `{line}` for the worker in the CDK app",
    )
}

/// The state machine calls the worker by another qualifier than the setting says.
#[must_use]
pub fn alias_mismatch(language: Language, calls: &str, alias: Option<&str>) -> String {
    match alias {
        Some(alias) => text!(
            language,
            ja: "ステートマシンはワーカーを {calls} で呼ぶが、WORKER_ALIAS は {alias} である。WORKER_ALIAS（CDK の workerAlias）を直すこと。それまで変更しない",
            en: "the state machine calls the worker by {calls}, and WORKER_ALIAS is {alias}: put WORKER_ALIAS (workerAlias in the CDK app) right; nothing is changed until then",
        ),
        None => text!(
            language,
            ja: "ステートマシンはワーカーを {calls} で呼ぶが、WORKER_ALIAS が設定されていない。WORKER_ALIAS（CDK の workerAlias）を設定すること。それまで変更しない",
            en: "the state machine calls the worker by {calls}, and WORKER_ALIAS is not set: set WORKER_ALIAS (workerAlias in the CDK app); nothing is changed until then",
        ),
    }
}

/// How the state machine calls the worker cannot be known.
#[must_use]
pub fn callers_unknown(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "ステートマシンがワーカーをどう呼ぶか分からない（{why}）ため自動では変更しない。値を指定（\"to\"）すれば変更する",
        en: "how the state machine calls the worker is not known ({why}): nothing is changed by itself; an operator's \"to\" changes it",
    )
}

/// No state of the machine calls the worker, as far as its definition tells.
#[must_use]
pub fn no_caller(language: Language, unknown: &[String]) -> String {
    let states = unknown.join(", ");
    match unknown {
        [] => text!(
            language,
            ja: "定義のどの状態もワーカーを呼んでいない。STATE_MACHINE_ARN と WORKER_FUNCTION_NAME を確認すること",
            en: "no state of its definition calls it: check STATE_MACHINE_ARN and WORKER_FUNCTION_NAME",
        ),
        _ => text!(
            language,
            ja: "状態 {states} が呼ぶ関数は実行時に決まる",
            en: "which function is called by {states} is decided when it runs",
        ),
    }
}

/// Lambda did not say what the value is.
#[must_use]
pub fn value_unknown(language: Language) -> String {
    text!(language, ja: "Lambda が現在の値を答えなかった", en: "Lambda did not tell what the value is now")
}

/// There is no step further up.
#[must_use]
pub fn at_ceiling(language: Language, setting: Setting, value: Option<u32>, instead: &str) -> String {
    let value = amount(setting, value);
    text!(
        language,
        ja: "既に上限の {value} である。{instead}",
        en: "it is at the ceiling of {value} already: {instead}",
    )
}

/// A step that is about the worker as a whole was asked about one process.
#[must_use]
pub fn about_the_worker(language: Language, step: &str) -> String {
    text!(
        language,
        ja: "{step} は処理ではなくワーカーを対象とする。確認だけなら {{}}、1 段階変更するには {{\"all\": true}}、値を指定するには {{\"to\": <値>}} を送ること",
        en: "{step} is about the worker, not about one process: send {{}} to be told, {{\"all\": true}} for one step, or {{\"to\": <value>}}",
    )
}
