//! What this step says, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::domain::ProcessStatus;
use remediation::run::texts::seconds;
use remediation::text;

/// Why a process is tried once more.
#[must_use]
pub fn retried(language: Language, attempt: u32, of: u32, code: Option<&str>, execution: &str) -> String {
    let code = code.unwrap_or("-");
    text!(
        language,
        ja: "{code} は一時的な障害の可能性があるため再試行する（{of} 回中 {attempt} 回目、前回の実行は {execution}）",
        en: "{code} may have passed: attempt {attempt} of {of}, after execution {execution}",
    )
}

/// Why a process is tried once more although most of them fail.
#[must_use]
pub fn probed(language: Language, percent: f64, retried: &str) -> String {
    text!(
        language,
        ja: "エラー率 {percent:.0}% のため、回復したかをこの 1 件だけで確かめる: {retried}",
        en: "{percent:.0} % of what was closed lately failed so: this one alone shows whether it has passed: {retried}",
    )
}

/// A process that waits for a probe.
#[must_use]
pub fn waits_for_probe(language: Language, percent: f64) -> String {
    text!(
        language,
        ja: "エラー率 {percent:.0}% のため、先に試した 1 件の結果を待つ",
        en: "{percent:.0} % of what was closed lately failed so: it waits for what the one that is tried first comes to",
    )
}

/// A process that waits after a probe's failure.
#[must_use]
pub fn waits_after_probe(language: Language, percent: f64, left: TimeDelta) -> String {
    let left = seconds(left);
    text!(
        language,
        ja: "エラー率 {percent:.0}% で、先に試した 1 件も失敗したため、あと {left} 秒待つ",
        en: "{percent:.0} % of what was closed lately failed so, and the one that was tried first failed too: left for {left} s more",
    )
}

/// A retry that is due after this run's end.
#[must_use]
pub fn due_later(language: Language, left: TimeDelta) -> String {
    let left = seconds(left);
    text!(
        language,
        ja: "再試行は {left} 秒後で、今回の終了に間に合わないため次回に任せる",
        en: "due in {left} s, after this run's end: left for the next run",
    )
}

/// A failure that would come again.
#[must_use]
pub fn permanent_failure(language: Language, code: Option<&str>, message: Option<&str>) -> String {
    let (code, message) = (code.unwrap_or("-"), message.unwrap_or("-"));
    text!(
        language,
        ja: "{code} は再試行しても解消しないエラーのため、人の対応が必要である: {message}",
        en: "{code} is no error that passes, so it is not tried again; it needs a person: {message}",
    )
}

/// A process that was tried often enough.
#[must_use]
pub fn attempts_exhausted(language: Language, attempts: u32, code: Option<&str>, message: Option<&str>) -> String {
    let (code, message) = (code.unwrap_or("-"), message.unwrap_or("-"));
    text!(
        language,
        ja: "{attempts} 回試しても {code} で失敗したため、人の対応が必要である: {message}",
        en: "failed with {code} after {attempts} attempts, so it is not tried again; it needs a person: {message}",
    )
}

/// A row that is not closed as failed.
#[must_use]
pub fn row_not_failed(language: Language, status: ProcessStatus) -> String {
    text!(language, ja: "行は {status} で、失敗していない", en: "the row is {status}: nothing to try again")
}

/// A row that a person closed.
#[must_use]
pub fn closed_by_person(language: Language) -> String {
    text!(language, ja: "行は人が手動で閉じた（MANUAL_INTERVENTION）", en: "a person closed the row (MANUAL_INTERVENTION)")
}

/// An execution that a person stopped.
#[must_use]
pub fn stopped_by_person(language: Language) -> String {
    text!(language, ja: "実行は人が停止した", en: "a person stopped its execution")
}

/// A failed row with a result.
#[must_use]
pub fn failed_with_result(language: Language) -> String {
    text!(
        language,
        ja: "失敗した行に結果がある。仕事は終わっているため再試行しない",
        en: "the row failed and has a result: the work was done, so it is not tried again",
    )
}

/// A request that its user has made anew.
#[must_use]
pub fn superseded(language: Language) -> String {
    text!(language, ja: "ユーザーが同じ処理を新たに依頼している", en: "superseded by a newer request of its user")
}

/// A process without an execution.
#[must_use]
pub fn no_execution(language: Language) -> String {
    text!(
        language,
        ja: "この処理の実行が見つからず、再試行の入力が分からない",
        en: "no execution of it is known: there is no input to try again with",
    )
}

/// A process whose execution was not looked up.
#[must_use]
pub fn not_looked_up(language: Language, why: &str) -> String {
    text!(language, ja: "実行を確認していないため何もしない: {why}", en: "left alone: its execution was not looked up: {why}")
}

/// An execution that is not over.
#[must_use]
pub fn execution_not_over(language: Language) -> String {
    text!(language, ja: "実行がまだ終わっていない", en: "its execution is not over")
}

/// A failed row beside a success.
#[must_use]
pub fn execution_succeeded(language: Language) -> String {
    text!(
        language,
        ja: "実行は成功している。行は reconcile-processes が判断する",
        en: "its execution succeeded: reconcile-processes decides about the row",
    )
}

/// A process that failed a moment ago.
#[must_use]
pub fn failed_just_now(language: Language, left: TimeDelta) -> String {
    let left = seconds(left);
    text!(language, ja: "失敗したばかりなので、あと {left} 秒は次回に任せる", en: "it failed a moment ago: left for the next look for {left} s")
}

/// Nobody knows whether a newer execution was started.
#[must_use]
pub fn not_listed_lately(language: Language) -> String {
    text!(
        language,
        ja: "実行一覧を最近の分まで読めず、新しい実行の有無が分からない",
        en: "the list of executions could not be read: a newer one may have been started",
    )
}
