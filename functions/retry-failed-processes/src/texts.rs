//! What this step says, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::domain::ProcessStatus;
use remediation::run::texts::duration;
use remediation::text;

/// Why a process is tried once more.
#[must_use]
pub fn retried(language: Language, attempt: u32, of: u32, code: Option<&str>, execution: &str) -> String {
    let code = code.unwrap_or("-");
    text!(
        language,
        ja: "{code} は一時的な可能性があるため再試行（{of} 回中 {attempt} 回目、前回の実行は {execution}）",
        en: "{code} may be temporary: attempt {attempt} of {of}, after execution {execution}",
    )
}

/// Why a process is tried once more although most of them fail.
#[must_use]
pub fn probed(language: Language, percent: f64, retried: &str) -> String {
    text!(
        language,
        ja: "一時的なエラーの率が {percent:.0}% のため、この 1 件だけで回復を確認: {retried}",
        en: "{percent:.0} % of recently closed processes failed with temporary errors, so only this one is retried as a probe: {retried}",
    )
}

/// A process that waits for a probe.
#[must_use]
pub fn waits_for_probe(language: Language, percent: f64) -> String {
    text!(
        language,
        ja: "一時的なエラーの率が {percent:.0}% のため、先に試した 1 件の結果待ち",
        en: "{percent:.0} % of recently closed processes failed with temporary errors: waiting for the result of the probe",
    )
}

/// A process that waits after a probe's failure.
#[must_use]
pub fn waits_after_probe(language: Language, percent: f64, left: TimeDelta) -> String {
    let left = duration(language, left);
    text!(
        language,
        ja: "一時的なエラーの率が {percent:.0}%、先に試した 1 件も失敗したため、あと {left}待つ",
        en: "{percent:.0} % of recently closed processes failed with temporary errors, and the probe failed too: waiting {left} more",
    )
}

/// A retry that is due after this run's end.
#[must_use]
pub fn due_later(language: Language, left: TimeDelta) -> String {
    let left = duration(language, left);
    text!(
        language,
        ja: "再試行は {left}後で今回の時間内に収まらないため、次回に行う",
        en: "retry due in {left}, after the end of this run: left to the next run",
    )
}

/// A failure that would come again.
#[must_use]
pub fn permanent_failure(language: Language, code: Option<&str>, message: Option<&str>) -> String {
    let (code, message) = (code.unwrap_or("-"), message.unwrap_or("-"));
    text!(
        language,
        ja: "{code} は再試行で解消しないエラーのため要手動対応: {message}",
        en: "{code} is not temporary, so it is not retried and needs a person: {message}",
    )
}

/// A process that was tried often enough.
#[must_use]
pub fn attempts_exhausted(language: Language, attempts: u32, code: Option<&str>, message: Option<&str>) -> String {
    let (code, message) = (code.unwrap_or("-"), message.unwrap_or("-"));
    text!(
        language,
        ja: "{attempts} 回試行しても {code} で失敗したため要手動対応: {message}",
        en: "failed with {code} after {attempts} attempts, so it is not retried any more and needs a person: {message}",
    )
}

/// A row that is not closed as failed.
#[must_use]
pub fn row_not_failed(language: Language, status: ProcessStatus) -> String {
    text!(language, ja: "行は {status} で、失敗していない", en: "the row is {status}, not failed")
}

/// A row that a person closed.
#[must_use]
pub fn closed_by_person(language: Language) -> String {
    text!(language, ja: "行は人が手動でクローズ済み（MANUAL_INTERVENTION）", en: "the row was closed by a person (MANUAL_INTERVENTION)")
}

/// An execution that a person stopped.
#[must_use]
pub fn stopped_by_person(language: Language) -> String {
    text!(language, ja: "実行は人が停止済み", en: "its execution was stopped by a person")
}

/// A failed row with a result.
#[must_use]
pub fn failed_with_result(language: Language) -> String {
    text!(
        language,
        ja: "行は失敗だが結果あり。処理は完了しているため再試行しない",
        en: "the row failed but has a result: the work was done, so it is not retried",
    )
}

/// A request that its user has made again.
#[must_use]
pub fn superseded(language: Language) -> String {
    text!(language, ja: "ユーザーが同じ処理を新たに依頼済み", en: "superseded by a newer request from the user")
}

/// A process without an execution.
#[must_use]
pub fn no_execution(language: Language) -> String {
    text!(
        language,
        ja: "この処理の実行が見つからず、再試行の入力が分からない",
        en: "no execution found for it, so there is no input for a retry",
    )
}

/// A process whose execution was not looked up.
#[must_use]
pub fn not_looked_up(language: Language, why: &str) -> String {
    text!(language, ja: "実行を未確認のためスキップ: {why}", en: "skipped, because its execution was not looked up: {why}")
}

/// An execution that is not over.
#[must_use]
pub fn execution_not_over(language: Language) -> String {
    text!(language, ja: "実行がまだ終わっていない", en: "its execution has not ended yet")
}

/// A failed row beside a success.
#[must_use]
pub fn execution_succeeded(language: Language) -> String {
    text!(
        language,
        ja: "実行は成功。行は reconcile-processes が判断する",
        en: "its execution succeeded: reconcile-processes decides about the row",
    )
}

/// A process that failed a moment ago.
#[must_use]
pub fn failed_just_now(language: Language, left: TimeDelta) -> String {
    let left = duration(language, left);
    text!(language, ja: "失敗した直後のため、あと {left}待つ", en: "it has just failed: waiting {left} for it to settle")
}

/// Nobody knows whether a newer execution was started.
#[must_use]
pub fn not_listed_lately(language: Language) -> String {
    text!(
        language,
        ja: "実行一覧を最新分まで読めず、新しい実行の有無が不明",
        en: "the list of executions could not be read up to the latest: a newer one may have been started",
    )
}
