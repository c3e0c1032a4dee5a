//! What this step says, in Japanese (as the guide is) and in English.

use remediation::act::ledger::controls::EVERYWHERE;
use remediation::domain::Language;
use remediation::text;

use crate::change::{Ask, Verb};

/// Why a control is set.
#[must_use]
pub fn asked(language: Language, ask: &Ask) -> String {
    let Ask { step, verb, by, reason } = ask;
    let said = match (verb, step.as_str()) {
        (Verb::Stop, EVERYWHERE) => {
            text!(language, ja: "{by} が全ステップを緊急停止した", en: "{by} stopped all steps")
        }
        (Verb::Resume, EVERYWHERE) => {
            text!(language, ja: "{by} が全ステップの緊急停止を解除した", en: "{by} resumed all steps")
        }
        (Verb::Stop, step) => text!(language, ja: "{by} が {step} を停止した", en: "{by} stopped {step}"),
        (Verb::Resume, step) => text!(language, ja: "{by} が {step} を再開した", en: "{by} resumed {step}"),
        (Verb::Reset, step) => {
            text!(language, ja: "{by} が {step} の設定をマニフェストの値に戻した", en: "{by} reset {step} to its manifest")
        }
        (Verb::Set(_), step) => {
            text!(language, ja: "{by} が {step} のモードまたは上限を変更した", en: "{by} changed the mode or limits of {step}")
        }
    };
    match reason {
        Some(reason) => format!("{said}: {reason}"),
        None => said,
    }
}

/// The control is as it was asked for.
#[must_use]
pub fn already_so(language: Language, now: &str) -> String {
    text!(language, ja: "既に適用済み（{now}）", en: "already in force: {now}")
}

/// Nothing is to be changed, and nothing is limited.
#[must_use]
pub fn unbound(language: Language, step: &str) -> String {
    if step == EVERYWHERE {
        return text!(language, ja: "全ステップの緊急停止はかかっていない", en: "nothing to resume: the steps are not stopped");
    }
    text!(language, ja: "{step} の上限は既に同じ", en: "{step} already has these limits")
}

/// How the red button is lifted.
#[must_use]
pub fn to_lift(language: Language, why: &str) -> String {
    let event = r#"{"resume": true, "by": "…"}"#;
    text!(language, ja: "{why}。解除するには control に {event} を送る", en: "{why}. To lift this, send {event} to control")
}

/// A change of one step without its name.
#[must_use]
pub fn needs_step(language: Language, name: &str, steps: &str) -> String {
    let (stop, resume) = (r#"{"stop": true}"#, r#"{"resume": true}"#);
    text!(
        language,
        ja: "`{name}` には `step` が必要（指定できるのは {steps}）。全ステップの停止と再開には {stop} と {resume} を送る",
        en: "`{name}` needs `step`, one of {steps}; to stop or resume all steps, send {stop} or {resume}",
    )
}

/// A change by nobody.
#[must_use]
pub fn needs_by(language: Language, name: &str) -> String {
    let example = r#"{"by": "Sato"}"#;
    text!(
        language,
        ja: "`by` がない。`{name}` は依頼者の名前とともに記録される（例: {example}）",
        en: "`by` is missing: `{name}` is recorded with the name of whoever asks for it, for example {example}",
    )
}

/// A stop without a reason.
#[must_use]
pub fn needs_reason(language: Language, name: &str) -> String {
    let example = r#"{"reason": "wrong closings since 10:05"}"#;
    text!(
        language,
        ja: "`reason` がない。`{name}` に気付いた人が理由を確認できるよう指定する（例: {example}）",
        en: "`reason` is missing: whoever finds `{name}` in force needs to know why, for example {example}",
    )
}

/// An event about a process.
#[must_use]
pub fn about_steps(language: Language) -> String {
    let (stop, resume) = (r#"{"stop": true, "by": "…", "reason": "…"}"#, r#"{"resume": true, "by": "…"}"#);
    text!(
        language,
        ja: "control は処理ではなくステップを対象とする。現状の確認は {{}}、全停止は {stop}、再開は {resume}",
        en: "control is about steps, not about processes: send {{}} to see what is in force, {stop} to stop everything, {resume} to resume",
    )
}

/// What the share may be.
#[must_use]
pub fn share_may_be(language: Language) -> String {
    text!(language, ja: "0 から 1 までの数", en: "a number from 0 to 1")
}

/// Two verbs in one event.
#[must_use]
pub fn one_verb(language: Language) -> String {
    text!(
        language,
        ja: "1 つのイベントでできるのは停止、再開、リセット、モードと上限の設定のうち 1 つだけ",
        en: "an event stops, resumes, resets, or sets mode and limits: one of these",
    )
}
