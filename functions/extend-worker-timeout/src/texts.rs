//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// A limit that only an execution has.
#[must_use]
pub fn limit_unknown(language: Language) -> String {
    text!(language, ja: "タスクの制限時間は実行時に決まる", en: "its timeout there is decided when it runs")
}

/// The task's own timeout ends a run of the worker before the function's would.
#[must_use]
pub fn task_timeout_wins(language: Language, states: &str, task: u32, line: &str) -> String {
    text!(
        language,
        ja: "ステートマシンのタスク {states} の制限時間 {task} 秒が先に切れるため、関数のタイムアウトだけ延ばしても無駄である。CDK アプリでタスクを `{line}` にすること",
        en: "the state machine's task {states} gives up after {task} s, so a longer timeout of the function alone is of no use: set `{line}` for the task in the CDK app",
    )
}

/// The machine's own timeout ends an execution before the function's would.
#[must_use]
pub fn machine_timeout_wins(language: Language, machine: u32, line: &str) -> String {
    text!(
        language,
        ja: "ステートマシン自体の制限時間 {machine} 秒が先に切れるため、関数のタイムアウトだけ延ばしても無駄である。CDK アプリでステートマシンを `{line}` より長くすること",
        en: "the state machine itself gives up after {machine} s, so a longer timeout of the function alone is of no use: set more than `{line}` for the state machine in the CDK app",
    )
}

/// What to do where a longer timeout is not to be had.
#[must_use]
pub fn instead_of_time(language: Language) -> String {
    text!(
        language,
        ja: "プロンプトを短くするか処理を分割し、Bedrock の応答時間を確認すること",
        en: "shorten the prompt or split the work, and look at how long Bedrock takes to answer",
    )
}
