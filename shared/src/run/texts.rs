//! The sentences that several steps have, in both languages.

pub use crate::act::texts::*;

use crate::act::report::DoneOutcome;
use crate::domain::Language;
use crate::gather::trigger::AlarmState;
use crate::text;

/// An execution whose process has no row.
#[must_use]
pub fn row_missing(language: Language, process: &str) -> String {
    text!(language, ja: "処理 {process} の行が存在しない", en: "process {process} has no row")
}

/// An execution that tells no process.
#[must_use]
pub fn process_unknown(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} の処理を特定できない（入力に processId がなく、名前も UUID で始まらない）",
        en: "cannot tell the process of execution {execution}: no processId in its input, no UUID at the start of its name",
    )
}

/// A process that could not be decided on.
#[must_use]
pub fn not_looked_up(language: Language, why: &str) -> String {
    text!(language, ja: "実行を照会できないためスキップ: {why}", en: "skipped, because its execution could not be looked up: {why}")
}

/// The list of executions was not read far enough back.
#[must_use]
pub fn not_listed(language: Language) -> String {
    text!(
        language,
        ja: "この処理の作成時点まで実行一覧を読めていない",
        en: "the list of executions has not been read back to this process's creation yet",
    )
}

/// A row that moved at every try.
#[must_use]
pub fn contested(language: Language) -> String {
    text!(
        language,
        ja: "読み取りから書き込みまでの間に毎回行が変更されたため、何も書き込まず",
        en: "the row changed between reading and writing at every attempt: nothing was written",
    )
}

/// A run that met its deadline.
#[must_use]
pub fn out_of_time(language: Language, left: usize) -> String {
    text!(
        language,
        ja: "Lambda の期限が近いため中断。残り {left} 件は次回に続行",
        en: "stopped before Lambda's deadline: {left} left for the next run, which continues from here",
    )
}

/// There is more than one run looks at.
#[must_use]
pub fn more_to_look_at(language: Language, looked_at: usize) -> String {
    text!(
        language,
        ja: "1 回に確認するのは {looked_at} 件まで。次回に続行",
        en: "one run checks {looked_at} at most: the next continues from here",
    )
}

/// An alarm that is over, or cannot tell.
#[must_use]
pub fn alarm_not_on(language: Language, alarm: &str, state: AlarmState) -> String {
    match state {
        AlarmState::Alarm => {
            text!(language, ja: "アラーム {alarm} が発生、インシデントを開始。このステップは解消後に動作", en: "alarm {alarm} is in ALARM: incident opened; this step acts once it is OK")
        }
        AlarmState::Ok => {
            text!(language, ja: "アラーム {alarm} が解消、インシデントを終了", en: "alarm {alarm} is OK: incident closed")
        }
        AlarmState::InsufficientData => {
            text!(language, ja: "アラーム {alarm} はデータ不足、インシデントは変更しない", en: "alarm {alarm} has insufficient data: incident unchanged")
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
        (counts(DoneOutcome::Applied), "対応", "", "fixed"),
        (counts(DoneOutcome::Planned), "変更候補", "（未実行）", "planned (nothing was changed)"),
        (counts(DoneOutcome::Proposed), "承認待ち", "", "waiting for approval"),
        (counts(DoneOutcome::Failed), "失敗", "", "failed"),
        (counts(DoneOutcome::Superseded), "他者が先に変更", "", "changed by somebody else first"),
        (findings, "検出", "", if findings == 1 { "finding" } else { "findings" }),
        (skipped, "スキップ", "", "skipped"),
    ];
    let told = listed(language, &parts, || text!(language, ja: "異常なし", en: "all is well"));
    text!(language, ja: "{population} 件を確認: {told}", en: "{population} checked: {told}")
}

/// What came of an undo, in one sentence: nothing was looked at for it.
#[must_use]
pub fn undo_summary(language: Language, counts: impl Fn(DoneOutcome) -> usize, skipped: usize) -> String {
    let parts = [
        (counts(DoneOutcome::Applied), "取り消し", "", "undone"),
        (counts(DoneOutcome::Planned), "取り消し候補", "（未実行）", "planned (nothing was changed)"),
        (counts(DoneOutcome::Proposed), "承認待ち", "", "waiting for approval"),
        (counts(DoneOutcome::Failed), "取り消し失敗", "", "not undone: failed"),
        (
            counts(DoneOutcome::Superseded),
            "取り消しなし（他者が変更済み）",
            "",
            "not undone: changed by somebody else since",
        ),
        (skipped, "スキップ", "", "skipped"),
    ];
    listed(language, &parts, || text!(language, ja: "取り消しなし", en: "nothing undone"))
}

/// Counts with their words; what Japanese says after the number stands apart.
fn listed(language: Language, parts: &[(usize, &str, &str, &str)], none: impl Fn() -> String) -> String {
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, ja, after, en)| match language {
            Language::Ja => format!("{ja} {count} 件{after}"),
            Language::En => format!("{count} {en}"),
        })
        .collect();
    if told.is_empty() { none() } else { told.join(if language == Language::Ja { "、" } else { ", " }) }
}

/// Sessions that this database user may not look into.
#[must_use]
pub fn sessions_unseen(language: Language, count: i64) -> String {
    text!(
        language,
        ja: "他ユーザーのセッション {count} 件は中身を参照できず、すべて接続として計上（GRANT pg_monitor で参照可能）",
        en: "sessions of other users that cannot be inspected: {count}; each is counted as a connection (fix: GRANT pg_monitor)",
    )
}

/// What is wrong, and the step that answers it.
#[must_use]
pub fn answered_by(language: Language, wrong: &str, step: &str) -> String {
    text!(language, ja: "{wrong}（{step} が対応）", en: "{wrong} (handled by {step})")
}

/// What was told before of a failure.
#[must_use]
pub fn told_already(language: Language) -> String {
    text!(language, ja: "要手動対応（通知済み）", en: "needs a person; already reported")
}
