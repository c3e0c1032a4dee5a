//! The sentences that several steps have, in both languages.

pub use crate::act::texts::*;

use uuid::Uuid;

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
        ja: "実行 {execution} の入力に processId がなく、名前も UUID で始まらないため、処理を特定できない",
        en: "execution {execution} tells no process: no processId in its input, no UUID at the start of its name",
    )
}

/// A process that could not be decided on.
#[must_use]
pub fn not_looked_up(language: Language, why: &str) -> String {
    text!(language, ja: "実行を確認できなかったため何もしない: {why}", en: "left alone: its execution could not be looked up: {why}")
}

/// The list of executions was not read far enough back.
#[must_use]
pub fn not_listed(language: Language) -> String {
    text!(
        language,
        ja: "この処理の開始時期まで実行一覧をまだ読んでいない",
        en: "the list of executions has not been read back to this process's creation yet",
    )
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

/// A run that met its deadline.
#[must_use]
pub fn out_of_time(language: Language, left: usize) -> String {
    text!(
        language,
        ja: "Lambda の期限が近いため停止した。残り {left} 件は次回に続ける",
        en: "stopped before Lambda's deadline: {left} are left for the next run, which goes on from here",
    )
}

/// There is more than one run looks at.
#[must_use]
pub fn more_to_look_at(language: Language, looked_at: usize) -> String {
    text!(
        language,
        ja: "1 回に調べるのは {looked_at} 件まで。次回はその続きから調べる",
        en: "one run looks at {looked_at}: the next goes on from here",
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
