//! Sentences about the worker's settings, their leases, and how the state machine calls it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::Language;
use crate::worker::Setting;

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
        return super::concurrency::redeployed(language);
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

/// A limit that only an execution has.
#[must_use]
pub fn limit_unknown(language: Language) -> String {
    text!(language, ja: "タスクの制限時間は実行時に決まる", en: "its timeout there is decided when it runs")
}

/// Lambda did not say what the value is.
#[must_use]
pub fn value_unknown(language: Language) -> String {
    text!(language, ja: "Lambda が現在の値を答えなかった", en: "Lambda did not tell what the value is now")
}

/// The task's own timeout ends a run of the worker before the function's would.
#[must_use]
pub fn task_timeout_wins(language: Language, states: &str, task: u32, line: &str) -> String {
    text!(
        language,
        ja: "ステートマシンのタスク {states} の制限時間 {task} 秒が先に切れるため、関数のタイムアウトだけ延ばしても無駄である。CDK アプリでタスクを `{line}` にすること",
        en: "the state machine's task {states} gives up after {task} s, so a longer timeout of the function alone is of no use: set `{line}` for the task in the CDK app",
    )
}

/// The machine's own timeout ends an execution before the function's would.
#[must_use]
pub fn machine_timeout_wins(language: Language, machine: u32, line: &str) -> String {
    text!(
        language,
        ja: "ステートマシン自体の制限時間 {machine} 秒が先に切れるため、関数のタイムアウトだけ延ばしても無駄である。CDK アプリでステートマシンを `{line}` より長くすること",
        en: "the state machine itself gives up after {machine} s, so a longer timeout of the function alone is of no use: set more than `{line}` for the state machine in the CDK app",
    )
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

/// What to do where a longer timeout is not to be had.
#[must_use]
pub fn instead_of_time(language: Language) -> String {
    text!(
        language,
        ja: "プロンプトを短くするか処理を分割し、Bedrock の応答時間を確認すること",
        en: "shorten the prompt or split the work, and look at how long Bedrock takes to answer",
    )
}

/// What to do where more memory is not to be had.
#[must_use]
pub fn instead_of_memory(language: Language) -> String {
    text!(
        language,
        ja: "ワーカーのメモリリークと一度に扱うデータ量を確認し、それでも要るなら manifest の ceiling_mb を上げること",
        en: "look for a leak in the worker and at how much it holds at once; where it really needs more, raise ceiling_mb in the step's manifest",
    )
}

/// A step that is about the worker as a whole was asked about one process.
#[must_use]
pub fn about_the_worker(step: &str) -> String {
    format!(
        "{step} is about the worker, not about one process: send {{}} to be told, {{\"all\": true}} for one step, or {{\"to\": <value>}}"
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

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
