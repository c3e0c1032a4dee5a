//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::gather::goals::GoalStatus;
use remediation::gather::goals::cases::Open;
use remediation::gather::goals::cases::OrphanKind;
use remediation::text;

/// An installation without goals, or whose processes name none.
#[must_use]
pub fn goals_absent(language: Language, missing: &str) -> String {
    text!(
        language,
        ja: "このデータベースに {missing} がなく、処理の対象の目標を確認できない",
        en: "this database has no {missing}, so the goals behind the processes cannot be checked",
    )
}

/// A process whose target is in none of the tables.
#[must_use]
pub fn target_gone(language: Language, target: &str) -> String {
    text!(
        language,
        ja: "処理の対象 {target} が goals、sub_goals、actions のいずれにも存在しない",
        en: "the process's target {target} is in none of goals, sub_goals and actions",
    )
}

/// A sub-goal or an action whose parent is gone.
#[must_use]
pub fn orphan(language: Language, kind: OrphanKind, missing: &str) -> String {
    match kind {
        OrphanKind::SubGoal => {
            text!(language, ja: "サブ目標の親の目標 {missing} が存在しない", en: "the goal {missing} of this sub-goal does not exist")
        }
        OrphanKind::Action => {
            text!(language, ja: "アクションの親のサブ目標 {missing} が存在しない", en: "the sub-goal {missing} of this action does not exist")
        }
    }
}

/// A goal that is not ACTIVE although work under it is open.
#[must_use]
pub fn goal_inconsistent(language: Language, status: &str, open: Open) -> String {
    let Open { sub_goals, actions, processes } = open;
    text!(
        language,
        ja: "目標は {status} だが、未完了のサブ目標 {sub_goals} 件、アクション {actions} 件、処理 {processes} 件あり",
        en: "the goal is {status} but has open work: sub-goals {sub_goals}, actions {actions}, processes {processes}",
    )
}

/// A goal whose status a person has set: the event that sets it ACTIVE.
#[must_use]
pub fn a_persons_goal(language: Language, inconsistent: &str, event: &str) -> String {
    text!(
        language,
        ja: "{inconsistent}。この状態は人が設定したため変更しない。ACTIVE にするには {event} を送る",
        en: "{inconsistent}. A person set that status, so it is left unchanged; to set it ACTIVE, send {event}",
    )
}

/// A goal that a person wants ACTIVE.
#[must_use]
pub fn goal_asked(language: Language, inconsistent: &str) -> String {
    text!(language, ja: "{inconsistent}。運用者が ACTIVE への変更を指示", en: "{inconsistent}; an operator asked for ACTIVE")
}

/// A goal that is as its children are.
#[must_use]
pub fn goal_consistent(language: Language, status: &GoalStatus) -> String {
    match status {
        GoalStatus::Active => text!(language, ja: "目標は ACTIVE", en: "the goal is ACTIVE"),
        GoalStatus::Completed | GoalStatus::Paused | GoalStatus::Cancelled | GoalStatus::Other(_) => {
            text!(
                language,
                ja: "目標は {status}、未完了のものなし",
                en: "the goal is {status} and has no open work",
            )
        }
    }
}

/// A target that belongs to no goal.
#[must_use]
pub fn no_goal(language: Language) -> String {
    text!(language, ja: "対象に目標がない", en: "its target belongs to no goal")
}

/// A process that works for nothing.
#[must_use]
pub fn no_target(language: Language) -> String {
    text!(language, ja: "処理に対象（target_id）がない", en: "the process has no target (target_id)")
}

/// A failure that another step answers.
#[must_use]
pub fn may_pass(language: Language, what: &str) -> String {
    text!(
        language,
        ja: "一時的な可能性のある失敗（{what}）のため、再試行に任せる",
        en: "this failure ({what}) may be temporary: left to a retry",
    )
}

/// An execution that has not failed.
#[must_use]
pub fn not_failed(language: Language, status: &str) -> String {
    text!(language, ja: "{status} であり、失敗していない", en: "it is {status}, not failed")
}

/// An execution that no longer speaks for its process.
#[must_use]
pub fn started_anew(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "この失敗の後に実行 {execution} が開始済み",
        en: "execution {execution} was started after this failure",
    )
}

/// `activate` of no process.
#[must_use]
pub fn without_process(language: Language) -> String {
    text!(language, ja: "`processId` なしの true", en: "true without a `processId`")
}

/// Where `activate` goes.
#[must_use]
pub fn beside_process(language: Language) -> String {
    text!(
        language,
        ja: "`processId` との併用: {{\"processId\": \"<uuid>\", \"activate\": true}}",
        en: "beside a `processId`: {{\"processId\": \"<uuid>\", \"activate\": true}}",
    )
}
