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
        ja: "このデータベースには {missing} がないため、処理の対象の目標を確認できない",
        en: "this database has no {missing}: what the processes work for cannot be looked at",
    )
}

/// A process whose target is in none of the tables.
#[must_use]
pub fn target_gone(language: Language, target: &str) -> String {
    text!(
        language,
        ja: "処理の対象 {target} は goals、sub_goals、actions のいずれにも存在しない",
        en: "its target {target} is in none of goals, sub_goals and actions",
    )
}

/// A sub-goal or an action whose parent is gone.
#[must_use]
pub fn orphan(language: Language, kind: OrphanKind, missing: &str) -> String {
    match kind {
        OrphanKind::SubGoal => {
            text!(language, ja: "サブ目標の目標 {missing} が存在しない", en: "this sub-goal's goal {missing} is gone")
        }
        OrphanKind::Action => {
            text!(language, ja: "アクションのサブ目標 {missing} が存在しない", en: "this action's sub-goal {missing} is gone")
        }
    }
}

/// A goal that is not ACTIVE although work under it is open.
#[must_use]
pub fn goal_inconsistent(language: Language, status: &str, open: Open) -> String {
    let Open { sub_goals, actions, processes } = open;
    text!(
        language,
        ja: "目標は {status} だが、未完了のサブ目標 {sub_goals} 件、アクション {actions} 件、処理 {processes} 件がある",
        en: "the goal is {status}, and open under it are: sub-goals {sub_goals}, actions {actions}, processes {processes}",
    )
}

/// A goal whose status a person has set: the event that sets it ACTIVE.
#[must_use]
pub fn a_persons_goal(language: Language, inconsistent: &str, event: &str) -> String {
    text!(
        language,
        ja: "{inconsistent}。この状態は人が決めたものなので変更しない。ACTIVE にするには {event} を送る",
        en: "{inconsistent}. A person has decided so, and it is left; to set it ACTIVE, send {event}",
    )
}

/// A goal that a person wants ACTIVE.
#[must_use]
pub fn goal_asked(language: Language, inconsistent: &str) -> String {
    text!(language, ja: "{inconsistent}。人が ACTIVE にするよう求めた", en: "{inconsistent}; a person asks for ACTIVE")
}

/// A goal that is as its children are.
#[must_use]
pub fn goal_consistent(language: Language, status: &GoalStatus) -> String {
    match status {
        GoalStatus::Active => text!(language, ja: "目標は ACTIVE である", en: "the goal is ACTIVE"),
        GoalStatus::Completed | GoalStatus::Paused | GoalStatus::Cancelled | GoalStatus::Other(_) => {
            text!(
                language,
                ja: "目標は {status} で、未完了のものはない",
                en: "the goal is {status}, and nothing is open under it",
            )
        }
    }
}

/// A target that belongs to no goal.
#[must_use]
pub fn no_goal(language: Language) -> String {
    text!(language, ja: "対象の上に目標がない", en: "no goal is above its target")
}

/// A process that works for nothing.
#[must_use]
pub fn no_target(language: Language) -> String {
    text!(language, ja: "処理に対象（target_id）がない", en: "the process has no target")
}

/// A failure that another step answers.
#[must_use]
pub fn may_pass(language: Language, what: &str) -> String {
    text!(
        language,
        ja: "この失敗（{what}）は一時的なものなので、再試行に任せる",
        en: "this failure ({what}) may pass by itself: it is left to a retry",
    )
}

/// An execution that has not failed.
#[must_use]
pub fn not_failed(language: Language, status: &str) -> String {
    text!(language, ja: "{status} であり、失敗していない", en: "it is {status}: nothing has failed")
}

/// An execution that no longer speaks for its process.
#[must_use]
pub fn started_anew(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "この失敗の後に実行 {execution} が開始されている",
        en: "after this failure, execution {execution} was started",
    )
}
