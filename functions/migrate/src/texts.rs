//! What this step says, in Japanese (as the guide is) and in English.

use remediation::act::actions::Migrate;
use remediation::act::actions::fence::{Change, State};
use remediation::domain::Language;
use remediation::gather::config::Retention;
use remediation::text;

/// Why the fence is to be changed.
#[must_use]
pub fn fence(language: Language, change: Change) -> String {
    match change {
        Change::Install => {
            text!(language, ja: "運用者がフェンスの設置を求めた", en: "an operator wants the fence to stand")
        }
        Change::Remove => text!(language, ja: "運用者がフェンスの撤去を求めた", en: "an operator wants the fence away"),
    }
}

/// The fence is as it was asked for.
#[must_use]
pub fn fence_already_so(language: Language, state: State) -> String {
    match state {
        State::Absent => text!(language, ja: "フェンスは既にない", en: "already so: there is no fence"),
        State::Installed | State::Outdated => {
            text!(language, ja: "フェンスは既に設置されている", en: "already so: the fence stands, as this build makes it")
        }
    }
}

/// The fence is not as this build makes it.
#[must_use]
pub fn fence_outdated(language: Language) -> String {
    let event = r#"{"fence": "install"}"#;
    text!(
        language,
        ja: "フェンスは別のビルドのものか、別のテーブルにあるか、無効になっている。migrate に {event} を送ると新しくなる",
        en: "the fence is another build's, on another table, or switched off: send {event} to migrate to renew it",
    )
}

/// Why records are deleted.
#[must_use]
pub fn older(language: Language, retention: &Retention) -> String {
    let Retention { actions, runs, executions, refused_writes } = retention;
    let [actions, runs, executions, refused] = [actions, runs, executions, refused_writes].map(|kept| kept.num_days());
    text!(
        language,
        ja: "保存期間を過ぎた記録を削除する（対応の記録 {actions} 日、何もしなかった起動と未承認の計画 {runs} 日、終了した実行 {executions} 日、フェンスが拒否した書き込み {refused} 日）",
        en: "older than its retention: {actions} days for what was done, {runs} for runs that did nothing and plans that nobody approved, {executions} for executions that are over, {refused} for writes that the fence refused",
    )
}

/// Nothing is old enough to be deleted.
#[must_use]
pub fn nothing_older(language: Language) -> String {
    text!(language, ja: "保存期間を過ぎた記録はない", en: "already so: nothing is older than its retention")
}

/// The schema is another build's.
#[must_use]
pub fn outdated(language: Language, missing: &Migrate) -> String {
    let Migrate { from, to } = missing;
    let event = r#"{"all": true}"#;
    text!(
        language,
        ja: "スキーマのバージョンが {from} で、このビルドには {to} が必要なため何も削除しない。先に {event} を送ること",
        en: "nothing is deleted: the schema is at version {from} and this build needs {to}; send {event} first",
    )
}
