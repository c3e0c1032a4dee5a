//! The sentences of limits and of what cannot be done now, which every action and step has, in both languages.

pub use remediation_decide::texts::*;

use crate::act::ledger::controls::Bound;
use crate::domain::{Language, Mode};
use crate::text;

/// There were more executions to ask for than there was time.
#[must_use]
pub fn no_time_left(language: Language) -> String {
    text!(language, ja: "この実行に問い合わせる時間が残っていなかった", en: "no time was left to ask for this execution")
}

/// The loser of a lock.
#[must_use]
pub fn busy(language: Language) -> String {
    text!(language, ja: "別の実行が対応中である", en: "already being handled")
}

/// A target that a person decided on.
#[must_use]
pub fn undone(language: Language) -> String {
    text!(
        language,
        ja: "24 時間以内に人が取り消したため触れない",
        en: "left alone: a person undid the last action on it within a day",
    )
}

/// Too many tries on one target.
#[must_use]
pub fn attempts(language: Language, attempts: u32) -> String {
    text!(language, ja: "24 時間で既に {attempts} 回対応したため人に任せる", en: "left to people: handled {attempts} times within a day already")
}

/// Too soon after the last try.
#[must_use]
pub fn cooldown(language: Language, left: i64) -> String {
    text!(language, ja: "前回の対応から間もないため、あと {left} 秒待つ", en: "left alone for {left} s more: it was handled a moment ago")
}

/// Over the share of candidates.
#[must_use]
pub fn share(language: Language, wanted: usize, of: usize, share: f64) -> String {
    let percent = share * 100.0;
    text!(
        language,
        ja: "{of} 件中 {wanted} 件の変更は上限 {percent:.0}% を超える。原因はこのステップ側かもしれないため何も変更しない",
        en: "{wanted} of {of} would be changed, over the limit of {percent:.0} %: the fault may be this step's own, so nothing is",
    )
}

/// Over the limit a run.
#[must_use]
pub fn per_run(language: Language, limit: usize) -> String {
    text!(language, ja: "1 回の上限 {limit} 件に達した", en: "the limit of {limit} actions a run is reached")
}

/// Over the limit an hour.
#[must_use]
pub fn per_hour(language: Language, limit: usize) -> String {
    text!(language, ja: "1 時間の上限 {limit} 件に達した", en: "the limit of {limit} actions an hour is reached")
}

/// Over the operator's own limit.
#[must_use]
pub fn limit(language: Language, limit: usize) -> String {
    text!(language, ja: "指定された上限 {limit} 件を超える", en: "beyond the asked limit of {limit}")
}

/// A step that has fallen back to proposing.
#[must_use]
pub fn did_not_help(language: Language) -> String {
    text!(
        language,
        ja: "直近 3 回の対応が効果を示さなかったため、提案だけを行う",
        en: "the last three runs that acted did not help: this step only proposes now",
    )
}

/// Who lowered the mode, when, and why: the red button, or a step's own control.
#[must_use]
pub fn bound(language: Language, bound: &Bound) -> String {
    let Bound { step, mode, by, since, reason } = bound;
    let since = since.format("%Y-%m-%d %H:%M:%S UTC");
    let by = by.as_deref().unwrap_or("-");
    let said = match (step, mode) {
        (None, Mode::Observe) => {
            text!(language, ja: "緊急停止中（{by}、{since}）", en: "the red button is pressed, by {by} at {since}")
        }
        (None, mode) => {
            text!(language, ja: "全ステップの上限が {mode} に制限されている（{by}、{since}）", en: "every step is limited to `{mode}`, by {by} at {since}")
        }
        (Some(step), mode) => {
            text!(language, ja: "{step} の上限が {mode} に制限されている（{by}、{since}）", en: "{step} is limited to `{mode}`, by {by} at {since}")
        }
    };
    match reason {
        Some(reason) => format!("{said}: {reason}"),
        None => said,
    }
}

/// A run that a control has ended while it was under way.
#[must_use]
pub fn ended_by(language: Language, why: &str, left: usize) -> String {
    text!(language, ja: "途中で終了した。残り {left} 件は実行していない。{why}", en: "ended before the last {left} were done: {why}")
}
