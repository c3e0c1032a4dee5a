//! What this step says, in Japanese (as the guide is) and in English.

use remediation::act::actions::fence::{Change, State};
use remediation::domain::Language;
use remediation::text;

/// Why the fence is to be changed.
#[must_use]
pub fn fence(language: Language, change: Change) -> String {
    match change {
        Change::Install => {
            text!(language, ja: "運用者がフェンスの設置を指示", en: "an operator asked for the fence to be installed")
        }
        Change::Remove => {
            text!(language, ja: "運用者がフェンスの撤去を指示", en: "an operator asked for the fence to be removed")
        }
    }
}

/// The fence is as it was asked for.
#[must_use]
pub fn fence_already_so(language: Language, state: State) -> String {
    match state {
        State::Absent => text!(language, ja: "フェンスは既に撤去済み", en: "already removed: there is no fence"),
        State::Installed | State::Outdated => {
            text!(language, ja: "フェンスは既に設置済み（最新）", en: "already installed: the fence is the one of this build")
        }
    }
}

/// The fence is not as this build makes it.
#[must_use]
pub fn fence_outdated(language: Language) -> String {
    let event = r#"{"fence": "install"}"#;
    text!(
        language,
        ja: "フェンスが別ビルドのもの、別テーブルのもの、または無効。migrate に {event} を送って更新する",
        en: "the fence is from another build, on another table, or disabled: send {event} to migrate to renew it",
    )
}

/// An event about one process.
#[must_use]
pub fn about_the_whole(language: Language) -> String {
    text!(
        language,
        ja: "migrate はスキーマ全体を扱う。{{\"all\": true}}、または不足を確認するだけなら {{}} を送ること。フェンスには {{\"fence\": \"install\"}} か {{\"fence\": \"remove\"}} だけを送る",
        en: "migrate looks after the whole schema: send {{\"all\": true}}, or {{}} to see what is missing; for the fence, {{\"fence\": \"install\"}} or {{\"fence\": \"remove\"}} alone",
    )
}

/// Why the schema is brought up to date.
#[must_use]
pub fn schema_behind(language: Language, from: i64, to: i64) -> String {
    text!(
        language,
        ja: "スキーマ remediation はバージョン {from} だが、このビルドには {to} が必要である",
        en: "schema remediation is at version {from}, this build needs {to}",
    )
}
