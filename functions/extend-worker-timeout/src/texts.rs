//! What this step says, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::run::texts::duration;
use remediation::text;

/// A limit that only an execution has.
#[must_use]
pub fn limit_unknown(language: Language) -> String {
    text!(language, ja: "タスクの制限時間は実行時に決まる", en: "the task's timeout is only known at run time")
}

/// The task's own timeout ends a run of the worker before the function's would.
#[must_use]
pub fn task_timeout_wins(language: Language, states: &str, task: u32, line: &str) -> String {
    let task = duration(language, TimeDelta::seconds(task.into()));
    text!(
        language,
        ja: "ステートマシンのタスク {states} が先に {task} でタイムアウトするため、関数のタイムアウト延長だけでは効果なし。CDK アプリのタスクに `{line}` を設定する",
        en: "the state machine's task {states} times out after {task}, so a longer timeout of the function alone does not help: set `{line}` for the task in the CDK app",
    )
}

/// The machine's own timeout ends an execution before the function's would.
#[must_use]
pub fn machine_timeout_wins(language: Language, machine: u32, line: &str) -> String {
    let machine = duration(language, TimeDelta::seconds(machine.into()));
    text!(
        language,
        ja: "ステートマシン自体が先に {machine} でタイムアウトするため、関数のタイムアウト延長だけでは効果なし。CDK アプリのステートマシンを `{line}` より長くする",
        en: "the state machine itself times out after {machine}, so a longer timeout of the function alone does not help: set more than `{line}` for the state machine in the CDK app",
    )
}

/// What runs past the process's deadline is stopped by another step of ours.
#[must_use]
pub fn deadline_wins(language: Language, deadline: u32, line: &str) -> String {
    let deadline = duration(language, TimeDelta::seconds(deadline.into()));
    text!(
        language,
        ja: "fail-timed-out-processes が開始から {deadline}（PROCESS_DEADLINE_SECONDS）で実行を停止するため、それより長いタイムアウトは効果なし。`{line}` 以上に設定する",
        en: "fail-timed-out-processes stops executions {deadline} after their start (PROCESS_DEADLINE_SECONDS), so a timeout beyond that does not help: set at least `{line}`",
    )
}

/// What to do where a longer timeout is not to be had.
#[must_use]
pub fn instead_of_time(language: Language) -> String {
    text!(
        language,
        ja: "プロンプトの短縮か処理の分割を行い、Bedrock の応答時間を確認する",
        en: "shorten the prompt or split the work, and check how long Bedrock takes to answer",
    )
}
