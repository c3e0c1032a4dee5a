//! The sentences of limits and of what cannot be done now, which every action and step has, in both languages.

pub use crate::gather::texts::*;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use chrono::TimeDelta;

use crate::act::ledger::controls::Bound;
use crate::domain::{Language, Mode};
use crate::text;

/// A moment, for people, to the second.
fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
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

/// What another run of the step has the limit for.
#[must_use]
pub fn beside(language: Language) -> String {
    text!(
        language,
        ja: "同じステップの別の実行が作業中のため、次回に再確認する",
        en: "another run of this step is at work; the next run looks again",
    )
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

/// A value that was written and reads otherwise.
#[must_use]
pub fn reads_otherwise(language: Language) -> String {
    text!(
        language,
        ja: "書き込み後に読み直した値が異なる。テーブルのトリガーが書き換えている可能性がある",
        en: "the value read back differs: a trigger of the table may change it",
    )
}

/// A row that cannot be taken back.
#[must_use]
pub fn row_changed_since(language: Language) -> String {
    text!(
        language,
        ja: "その後に行が変更されたか、現在書き込み中のため、変更しなかった。行を確認して改めて判断する",
        en: "the row has changed since, or is being written now, so it was left unchanged: check it and decide again",
    )
}

/// What the table's own constraints or triggers refuse.
#[must_use]
pub fn table_refuses(language: Language, why: &str) -> String {
    text!(language, ja: "テーブルが書き込みを拒否した: {why}", en: "the table refused the write: {why}")
}

/// What a trigger or a rule of the table keeps as it is, without an error.
#[must_use]
pub fn kept_by_table(language: Language) -> String {
    text!(
        language,
        ja: "エラーなしで行が元のまま残った。テーブルのトリガーまたはルールが書き込みを無効にしている。トリガーを確認し、このデータベースユーザーの例外を設けること",
        en: "the row stayed as it was, without an error: a trigger or rule of the table drops the write; check the table's triggers and let this database user through",
    )
}

/// What a policy of row level security lets be read and not be written.
#[must_use]
pub fn kept_by_policy(language: Language) -> String {
    text!(
        language,
        ja: "行レベルセキュリティのポリシーにより、この行は読めるが更新できない。このデータベースユーザー向けに UPDATE のポリシーを作成すること",
        en: "row level security lets this row be read but not updated: create a policy FOR UPDATE for this database user",
    )
}

/// A kind that a build does not know, or that has no inverse.
#[must_use]
pub fn no_inverse(language: Language, kind: &str) -> String {
    text!(language, ja: "種類 {kind} の変更は元に戻せない", en: "an action of kind `{kind}` cannot be undone")
}

/// An id that the ledger does not know.
#[must_use]
pub fn nothing_to_undo(language: Language) -> String {
    text!(
        language,
        ja: "その ID のアクションも実行記録もない。結果の actions[].id か runId、または remediation.actions を確認する",
        en: "no such action or run in the ledger; see `actions[].id` or `runId` of a result, or remediation.actions",
    )
}

/// An action of a kind that this step does not make.
#[must_use]
pub fn anothers_action(language: Language, kind: &str, step: &str) -> String {
    text!(language, ja: "{kind} は {step} の変更のため、{step} に送る", en: "`{kind}` belongs to {step}: send it there")
}

/// An action that was undone before.
#[must_use]
pub fn undone_already(language: Language, by: Uuid) -> String {
    text!(language, ja: "アクション {by} で取り消し済み", en: "already undone by action {by}")
}

/// An action that came to nothing.
#[must_use]
pub fn changed_nothing(language: Language, outcome: &str) -> String {
    text!(language, ja: "結果が {outcome} で、何も変更していない", en: "its outcome is `{outcome}`: it changed nothing")
}

/// A plan that the ledger does not know.
#[must_use]
pub fn no_such_plan(language: Language) -> String {
    text!(
        language,
        ja: "該当する計画がない。結果の planId または remediation.plans を確認する",
        en: "no such plan; see `planId` of a result, or remediation.plans",
    )
}

/// A plan of another step.
#[must_use]
pub fn anothers_plan(language: Language, step: &str) -> String {
    text!(language, ja: "{step} の計画のため、{step} に送る", en: "the plan belongs to {step}: send it there")
}

/// A plan of which nothing is left.
#[must_use]
pub fn plan_done(language: Language, at: DateTime<Utc>) -> String {
    let at = moment(at);
    text!(language, ja: "既に承認され、{at} に完了済み", en: "the plan was already approved, and completed at {at}")
}

/// A plan that another one has replaced.
#[must_use]
pub fn plan_superseded(language: Language, at: DateTime<Utc>, by: Option<Uuid>) -> String {
    let (at, by) = (moment(at), by.map(|by| by.to_string()).unwrap_or_default());
    text!(
        language,
        ja: "{at} に新しい計画 {by} に置き換えられた。新しい計画を確認して承認する",
        en: "replaced by plan {by} at {at}: review and approve that one",
    )
}

/// A plan of a run that only observed.
#[must_use]
pub fn plan_observed(language: Language) -> String {
    text!(
        language,
        ja: "observe モードで記録された計画は承認できない。モードを propose か act に上げると、次の回が新しい計画を作る",
        en: "it was recorded in observe mode, so it cannot be approved; raise the mode to propose or act, and the next run makes a new one",
    )
}

/// What the ledger has of targets, and nobody can read.
#[must_use]
pub fn targets_unreadable(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "台帳にある対象の履歴を読めない: {why}",
        en: "the ledger's history of the targets cannot be read: {why}",
    )
}

/// A plan of another build.
#[must_use]
pub fn plan_unreadable(language: Language, why: &str) -> String {
    text!(language, ja: "保存された計画を読めない: {why}", en: "the stored plan cannot be read: {why}")
}

/// A target of an approved plan of which something else is wanted now.
#[must_use]
pub fn plan_moved(language: Language, approved: &str, now: &str) -> String {
    text!(
        language,
        ja: "承認後に状況が変わった。承認されたのは {approved}、現在の判断は {now}",
        en: "it has changed since the plan was made: {approved} was approved, now it would be {now}",
    )
}

/// A target of an approved plan of which nothing is wanted now.
#[must_use]
pub fn plan_target_gone(language: Language) -> String {
    text!(
        language,
        ja: "計画の作成後に状況が変わり、変更は不要になった",
        en: "it has changed since the plan was made: nothing needs to be changed any more",
    )
}

/// A target that is wanted and was not approved.
#[must_use]
pub fn not_in_plan(language: Language) -> String {
    text!(language, ja: "承認された計画に含まれていない", en: "it is not in the approved plan")
}

/// Who lowered the mode, when, and why: the red button, or a step's own control.
#[must_use]
pub fn bound(language: Language, bound: &Bound) -> String {
    let Bound { step, mode, by, since, reason } = bound;
    let since = moment(*since);
    let by = by.as_deref().unwrap_or("-");
    let said = match (step, mode) {
        (None, Mode::Observe) => {
            text!(language, ja: "全ステップを緊急停止中（{by}、{since}）", en: "all steps were stopped by {by} at {since}")
        }
        (None, mode) => {
            text!(language, ja: "全ステップの上限が {mode} に制限されている（{by}、{since}）", en: "all steps were limited to `{mode}` by {by} at {since}")
        }
        (Some(step), mode) => {
            text!(language, ja: "{step} の上限が {mode} に制限されている（{by}、{since}）", en: "{step} was limited to `{mode}` by {by} at {since}")
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
    text!(language, ja: "途中で終了し、残り {left} 件は未実行。{why}", en: "ended before the last {left} were done: {why}")
}
