//! The sentences that several steps have, in both languages.

pub use crate::act::texts::*;

use uuid::Uuid;

use crate::act::lint::Wrong;
use crate::act::report::DoneOutcome;
use crate::domain::{Language, Mode};
use crate::gather::trigger::AlarmState;
use crate::text;

/// A process that could not be decided on.
#[must_use]
pub fn not_looked_up(language: Language, why: &str) -> String {
    text!(language, ja: "実行を確認できなかったため何もしない: {why}", en: "left alone: its execution could not be looked up: {why}")
}

/// A row that moved at every try.
#[must_use]
pub fn contested(language: Language) -> String {
    text!(
        language,
        ja: "読んでから書くまでの間に行が毎回変わったため、何も書かなかった",
        en: "the row changed between reading and writing every time: nothing was written",
    )
}

/// An alarm that is over, or cannot tell.
#[must_use]
pub fn alarm_not_on(language: Language, alarm: &str, state: AlarmState) -> String {
    match state {
        AlarmState::Alarm => {
            text!(language, ja: "アラーム {alarm} が発生した。インシデントを開いた。このステップは解消してから動く", en: "alarm {alarm} went off: its incident is open; this step acts once it is over")
        }
        AlarmState::Ok => {
            text!(language, ja: "アラーム {alarm} は解消した。インシデントを閉じた", en: "alarm {alarm} is over: its incident is closed")
        }
        AlarmState::InsufficientData => {
            text!(language, ja: "アラーム {alarm} はデータ不足である。インシデントはそのままにする", en: "alarm {alarm} has no data: its incident stays as it is")
        }
    }
}

/// What a run did, in one sentence.
#[must_use]
pub fn summary(
    language: Language,
    population: usize,
    counts: impl Fn(DoneOutcome) -> usize,
    findings: usize,
    skipped: usize,
) -> String {
    let parts = [
        (counts(DoneOutcome::Applied), "対応", "put right"),
        (counts(DoneOutcome::Planned), "対応予定（変更なし）", "would be put right (nothing was changed)"),
        (counts(DoneOutcome::Proposed), "承認待ち", "proposed, waiting for approval"),
        (counts(DoneOutcome::Failed), "失敗", "failed"),
        (counts(DoneOutcome::Superseded), "先に変更された", "moved by somebody else first"),
        (findings, "報告", "findings"),
        (skipped, "そのまま", "left alone"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, ja, en)| text!(language, ja: "{ja} {count} 件", en: "{count} {en}"))
        .collect();
    let told = if told.is_empty() { text!(language, ja: "異常なし", en: "all is well") } else { told.join(", ") };
    text!(language, ja: "{population} 件を確認: {told}", en: "{population} looked at: {told}")
}

/// A message does not name all actions of a run.
#[must_use]
pub fn more_actions(language: Language, more: usize, run: Uuid) -> String {
    let query = format!("SELECT * FROM remediation.actions WHERE run_id = '{run}'");
    text!(language, ja: "… 他 {more} 件: {query}", en: "… {more} more: {query}")
}

/// Sessions that this database user may not look into.
#[must_use]
pub fn sessions_unseen(language: Language, count: i64) -> String {
    text!(
        language,
        ja: "他のユーザーのセッション {count} 件は中身が見えないため、すべて接続として数えた（GRANT pg_monitor で見えるようになる）",
        en: "{count} sessions of other users cannot be looked into, so each was counted as a connection (GRANT pg_monitor opens them)",
    )
}

/// What is wrong, and the step that answers it.
#[must_use]
pub fn answered_by(language: Language, wrong: &str, step: &str) -> String {
    text!(language, ja: "{wrong}（{step} が対応する）", en: "{wrong} ({step} answers)")
}

/// What was told before of a failure.
#[must_use]
pub fn told_already(language: Language) -> String {
    text!(language, ja: "人の対応が必要なことは通知済みである", en: "it needs a person, which was told already")
}

/// What a run says that took something back.
pub fn undo_summary(language: Language, counts: impl Fn(DoneOutcome) -> usize, skipped: usize) -> String {
    let parts = [
        (counts(DoneOutcome::Applied), "元に戻した", "undone"),
        (counts(DoneOutcome::Planned), "元に戻す候補（未実行）", "would be undone"),
        (counts(DoneOutcome::Failed), "元に戻せなかった", "could not be undone"),
        (counts(DoneOutcome::Superseded), "先に変更された", "changed by somebody else first"),
        (skipped, "対象外", "skipped"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, ja, en)| match language {
            Language::Ja => format!("{ja} {count} 件"),
            Language::En => format!("{count} {en}"),
        })
        .collect();
    if told.is_empty() {
        text!(language, ja: "元に戻すものはない", en: "nothing to undo")
    } else {
        told.join(", ")
    }
}

/// Why something is taken back, where the person gives no reason.
#[must_use]
pub fn undo_asked(language: Language, id: Uuid) -> String {
    text!(language, ja: "運用者が {id} の取り消しを求めた", en: "an operator asked to undo {id}")
}

/// An approval where nothing may be done.
#[must_use]
pub fn only_observes(language: Language) -> String {
    text!(
        language,
        ja: "`approve`: この環境は observe のみ。先に REMEDIATION_MODE を propose か act に上げる",
        en: "`approve`: this installation only observes; raise REMEDIATION_MODE to propose or act first",
    )
}

/// What a plan waits on because of the mode.
#[must_use]
pub fn waits_on_mode(language: Language, mode: Mode) -> String {
    text!(language, ja: "モード: {mode}", en: "mode: {mode}")
}

/// What is wrong with an action of a plan.
#[must_use]
pub fn wrong(language: Language, wrong: Wrong, kind: &str) -> String {
    match wrong {
        Wrong::Foreign => text!(
            language,
            ja: "このステップが行わない種類の変更（{kind}）が計画にあるため、計画全体を実行しない",
            en: "the plan has a change of a kind that this step does not make ({kind}), so nothing of it is done",
        ),
        Wrong::Twice => text!(
            language,
            ja: "同じ対象への同じ変更（{kind}）が計画に 2 回あるため、計画全体を実行しない",
            en: "the plan wants the same change ({kind}) of this target twice, so nothing of it is done",
        ),
        Wrong::StopBehindClosing => text!(
            language,
            ja: "行を閉じた後に実行を止める計画（{kind}）になっているため、計画全体を実行しない",
            en: "the plan stops this execution behind the closing that rests on it ({kind}), so nothing of it is done",
        ),
        Wrong::AlreadySo => text!(language, ja: "既にその値である（{kind}）", en: "it has that value already ({kind})"),
        Wrong::UndoOfUndo => text!(
            language,
            ja: "undo の undo（{kind}）はできない",
            en: "an undo is not undone ({kind}): make the change itself anew",
        ),
    }
}
