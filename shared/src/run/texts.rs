//! The sentences that several steps have, in both languages.

pub use crate::act::texts::*;

use uuid::Uuid;

use crate::act::lint::Wrong;
use crate::act::report::DoneOutcome;
use crate::domain::{Language, Mode, ProcessStatus};
use crate::gather::config::WORKER_FUNCTION_NAME;
use crate::gather::trigger::AlarmState;
use crate::text;

/// Rows that could not be written, for the first one's reason; `some` of them by name.
#[must_use]
pub fn rows_refused(language: Language, count: usize, why: &str, some: &str) -> String {
    text!(
        language,
        ja: "{count} 件の行に書き込めなかった（ほかの行には影響なし）。{why}: {some}",
        en: "{count} could not be written, while the others were: {why}: {some}",
    )
}

/// A row that the application completes itself.
#[must_use]
pub fn completed_by_application(language: Language, status: ProcessStatus, reason: &str) -> String {
    text!(
        language,
        ja: "{reason}、行は {status} のまま。完了時にアプリケーションの処理が動くため書き込まない（プロファイルの on.completed = \"tell\"）。アプリケーション側で完了させること",
        en: "{reason}, while the row is still {status}. It is not written, because completing runs the application's own code (on.completed = \"tell\" in its profile): complete it there",
    )
}

/// A step that the application's profile rules out, or that lacks the worker's name.
#[must_use]
pub fn step_off(language: Language, step: &str, key: &str) -> String {
    match key {
        "retry" => text!(
            language,
            ja: "{step} は無効: アプリケーションのプロファイルで retry = \"off\"",
            en: "{step} is off: the application's profile says retry = \"off\"",
        ),
        WORKER_FUNCTION_NAME => text!(
            language,
            ja: "{step} は無効: ワーカーの関数名が {key}（CDK の workerFunctionName）に設定されていない",
            en: "{step} is off: {key} (workerFunctionName in the CDK app) does not say which function the worker is",
        ),
        key => text!(
            language,
            ja: "{step} は無効: アプリケーションのプロファイルに `{key}` がない",
            en: "{step} is off: the application's profile names no `{key}`",
        ),
    }
}

/// A process that could not be decided on.
#[must_use]
pub fn not_looked_up(language: Language, why: &str) -> String {
    text!(language, ja: "実行を照会できないためスキップ: {why}", en: "skipped, because its execution could not be looked up: {why}")
}

/// A change that has left its user no better off, and why it could not be taken back.
#[must_use]
pub fn made_no_better(language: Language, target: &str, no_way_back: Option<&str>) -> String {
    match no_way_back {
        None => text!(
            language,
            ja: "{target}: 変更しても状態が改善しなかったため取り消し、残りの変更を中止。このステップの判断に誤りがある",
            en: "{target}: the change did not make things better, so it was undone and no more was changed: this step's judgement is wrong",
        ),
        Some(why) => text!(
            language,
            ja: "{target}: 変更しても状態が改善しなかったため残りの変更を中止。このステップの判断に誤りがある。取り消し不可: {why}",
            en: "{target}: the change did not make things better, so no more was changed: this step's judgement is wrong. It cannot be undone: {why}",
        ),
    }
}

/// Why the rest of a run waits, and a change of it was taken back.
#[must_use]
pub fn no_better(language: Language) -> String {
    text!(language, ja: "変更しても状態が改善しなかった", en: "a change did not make things better")
}

/// A target that was tried too often.
#[must_use]
pub fn used_up(language: Language, target: &str) -> String {
    text!(
        language,
        ja: "{target}: 24 時間以内の試行回数が上限に達したため自動対応を停止（24 時間後に再開）。手動での確認が必要",
        en: "{target}: all attempts within 24 h are used up, so it is left alone until a day has passed; look at it yourself",
    )
}

/// A run has looked at as many rows as it keeps in mind.
pub fn more_next_time(language: Language) -> String {
    text!(language, ja: "続きは次回に確認", en: "the next run continues from here")
}

/// Very many targets that were tried too often.
#[must_use]
pub fn many_used_up(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "{count} 件で 24 時間以内の試行回数が上限に達したため自動対応を停止（24 時間後に再開）。手動での確認が必要",
        en: "{count} targets: all attempts within 24 h are used up, so they are left alone until a day has passed; look at them yourself",
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
    let done = counts(DoneOutcome::Applied);
    let planned = counts(DoneOutcome::Planned);
    let proposed = counts(DoneOutcome::Proposed);
    let failed = counts(DoneOutcome::Failed);
    let moved = counts(DoneOutcome::Superseded);
    let found = match findings {
        1 => text!(language, ja: "検出 {findings} 件", en: "{findings} finding"),
        _ => text!(language, ja: "検出 {findings} 件", en: "{findings} findings"),
    };
    let parts = [
        (done, text!(language, ja: "対応 {done} 件", en: "{done} fixed")),
        (
            planned,
            text!(language, ja: "変更予定 {planned} 件（未実行）", en: "{planned} planned (nothing was changed)"),
        ),
        (proposed, text!(language, ja: "承認待ち {proposed} 件", en: "{proposed} waiting for approval")),
        (failed, text!(language, ja: "失敗 {failed} 件", en: "{failed} failed")),
        (moved, text!(language, ja: "他者が先に変更 {moved} 件", en: "{moved} changed by somebody else first")),
        (findings, found),
        (skipped, text!(language, ja: "スキップ {skipped} 件", en: "{skipped} skipped")),
    ];
    let told = listed(language, parts, text!(language, ja: "異常なし", en: "all is well"));
    text!(language, ja: "{population} 件を確認: {told}", en: "{population} checked: {told}")
}

/// What came of an undo, in one sentence: nothing was looked at for it.
#[must_use]
pub fn undo_summary(language: Language, counts: impl Fn(DoneOutcome) -> usize, skipped: usize) -> String {
    let done = counts(DoneOutcome::Applied);
    let planned = counts(DoneOutcome::Planned);
    let failed = counts(DoneOutcome::Failed);
    let moved = counts(DoneOutcome::Superseded);
    let parts = [
        (done, text!(language, ja: "取り消し {done} 件", en: "{done} undone")),
        (
            planned,
            text!(language, ja: "取り消し予定 {planned} 件（未実行）", en: "{planned} planned (nothing was changed)"),
        ),
        (failed, text!(language, ja: "取り消し失敗 {failed} 件", en: "{failed} could not be undone")),
        (
            moved,
            text!(language, ja: "取り消さず（他者が変更済み） {moved} 件", en: "{moved} not undone: changed by somebody else since"),
        ),
        (skipped, text!(language, ja: "スキップ {skipped} 件", en: "{skipped} skipped")),
    ];
    listed(language, parts, text!(language, ja: "取り消しなし", en: "nothing undone"))
}

/// Those of the parts that count something.
fn listed<const N: usize>(language: Language, parts: [(usize, String); N], none: String) -> String {
    let told: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
    if told.is_empty() { none } else { told.join(&text!(language, ja: "、", en: ", ")) }
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

/// Why something is taken back, where the person gives no reason.
#[must_use]
pub fn undo_asked(language: Language, id: Uuid) -> String {
    text!(language, ja: "運用者が {id} の取り消しを指示", en: "an operator asked to undo {id}")
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

/// An approval that nobody answers for.
#[must_use]
pub fn says_not_who(language: Language) -> String {
    text!(
        language,
        ja: "`approve` には承認者が必要（APPROVAL_REQUIRES_BY）: `\"by\": \"<名前>\"` を加えて再送する",
        en: "`approve` must say who approves (APPROVAL_REQUIRES_BY): send it again with `\"by\": \"<your name>\"`",
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
            en: "the plan has a change of a kind that this step does not make ({kind}), so none of it is carried out",
        ),
        Wrong::Twice => text!(
            language,
            ja: "同じ対象への同じ変更（{kind}）が計画に 2 回あるため、計画全体を実行しない",
            en: "the plan wants the same change ({kind}) of this target twice, so none of it is carried out",
        ),
        Wrong::StopBehindClosing => text!(
            language,
            ja: "計画が実行の停止（{kind}）より先に行をクローズするため、計画全体を実行しない",
            en: "the plan closes the row before it stops its execution ({kind}), so none of it is carried out",
        ),
        Wrong::AlreadySo => text!(language, ja: "既にその値（{kind}）", en: "it already has that value ({kind})"),
        Wrong::UndoOfUndo => text!(
            language,
            ja: "取り消しの取り消し（{kind}）はできない。変更そのものをやり直す",
            en: "an undo cannot be undone ({kind}): make the change itself again",
        ),
    }
}
