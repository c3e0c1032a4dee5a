//! The sentences of limits and of what cannot be done now, which every action and step has, in both languages.

pub use remediation_decide::texts::*;

use chrono::TimeDelta;

use crate::domain::Language;
use crate::text;

/// There were more executions to ask for than there was time.
#[must_use]
pub fn no_time_left(language: Language) -> String {
    text!(language, ja: "この実行を照会する時間が残っていない", en: "no time left to look up this execution")
}

/// The loser of a lock.
#[must_use]
pub fn busy(language: Language) -> String {
    text!(language, ja: "別の起動が対応中", en: "already being handled")
}

/// A target that a person decided on.
#[must_use]
pub fn undone(language: Language) -> String {
    text!(
        language,
        ja: "人が取り消してから 24 時間は変更しない（その間アラームは続くことがある）",
        en: "not changed: a person undid the last change less than 24 h ago (alarms on it may continue until then)",
    )
}

/// Too many tries on one target.
#[must_use]
pub fn attempts(language: Language, attempts: u32) -> String {
    text!(language, ja: "24 時間で既に {attempts} 回対応済みのため自動対応を停止。手動対応が必要", en: "handled {attempts} times within 24 h: no further automatic attempt, needs a person")
}

/// Too soon after the last try.
#[must_use]
pub fn cooldown(language: Language, left: i64) -> String {
    let left = duration(language, TimeDelta::seconds(left));
    text!(language, ja: "前回の対応から間もないため、あと {left}待つ", en: "handled only recently: waiting {left} more")
}

/// Over the share of candidates.
#[must_use]
pub fn share(language: Language, wanted: usize, of: usize, share: f64) -> String {
    let percent = share * 100.0;
    text!(
        language,
        ja: "{of} 件中 {wanted} 件が変更対象となり上限 {percent:.0}% を超過。このステップ自体の誤りの可能性があるため何も変更しない",
        en: "{wanted} of {of} would be changed, over the limit of {percent:.0} %: this step itself may be wrong, so nothing is changed",
    )
}

/// Over the limit a run.
#[must_use]
pub fn per_run(language: Language, limit: usize) -> String {
    text!(language, ja: "1 回あたりの上限 {limit} 件に到達", en: "limit of {limit} actions per run reached")
}

/// Over the limit an hour.
#[must_use]
pub fn per_hour(language: Language, limit: usize) -> String {
    text!(language, ja: "1 時間あたりの上限 {limit} 件に到達", en: "limit of {limit} actions per hour reached")
}

/// Over the operator's own limit.
#[must_use]
pub fn limit(language: Language, limit: usize) -> String {
    text!(language, ja: "指定された上限 {limit} 件を超過", en: "over the requested limit of {limit}")
}

/// A step that has fallen back to proposing.
#[must_use]
pub fn did_not_help(language: Language) -> String {
    text!(
        language,
        ja: "直近 3 回の対応に効果がなかったため、提案のみ行う",
        en: "the last three runs that changed something did not help: this step only proposes now",
    )
}
