//! What this step says, in Japanese (as the guide is) and in English.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use remediation::domain::ExecutionStatus;
use remediation::domain::ProcessStatus;
use remediation::domain::{Language, ProcessId};
use remediation::run::texts::duration;
use remediation::text;

/// What a process is now: its row, and its newest execution with its end or its start.
#[must_use]
pub fn now_is(
    language: Language,
    id: ProcessId,
    row: (ProcessStatus, i16),
    execution: Option<(&str, ExecutionStatus, TimeDelta)>,
) -> String {
    let (status, progress) = row;
    let process = text!(
        language,
        ja: "処理 {id} は {status}（進捗率 {progress}）",
        en: "process {id} is {status} (progress {progress})",
    );
    let Some((name, status, since)) = execution else {
        return text!(language, ja: "{process}。実行は見つからない", en: "{process}; no execution found");
    };
    let since = duration(language, since);
    if status.is_over() {
        text!(
            language,
            ja: "{process}。最新の実行 {name} は {since}前に {status} で終了",
            en: "{process}; its newest execution {name} ended in {status} {since} ago",
        )
    } else {
        text!(
            language,
            ja: "{process}。最新の実行 {name} は {status}（{since}前に開始）",
            en: "{process}; its newest execution {name} is {status}, started {since} ago",
        )
    }
}

/// A process without a row, of which something else is known.
#[must_use]
pub fn without_row(language: Language, id: ProcessId) -> String {
    text!(
        language,
        ja: "処理 {id} の行は存在しない。以下は実行、ログ、台帳の記録",
        en: "process {id} has no row; what follows is from executions, logs and the ledger",
    )
}

/// A process of which nothing is known.
#[must_use]
pub fn nothing_known(language: Language, id: ProcessId) -> String {
    text!(
        language,
        ja: "処理 {id} の行、実行、ログ、台帳の記録が見つからない。ID を確認する（古い処理には \"window\" を最大 \"90d\" まで指定できる）",
        en: "nothing found for process {id}: no row, no execution, no log line, no ledger entry; check the id (for an old process, \"window\" can be up to \"90d\")",
    )
}

/// What a step does about it when it looks next.
#[must_use]
pub fn would_close(language: Language, step: &str, status: ProcessStatus, reason: &str) -> String {
    text!(
        language,
        ja: "{step} の次回の確認で行を {status} に変更: {reason}",
        en: "at its next run, {step} would set the row to {status}: {reason}",
    )
}

/// What a step does about an execution when it looks next.
#[must_use]
pub fn would_stop(language: Language, step: &str, reason: &str) -> String {
    text!(
        language,
        ja: "{step} の次回の確認で実行を停止: {reason}",
        en: "at its next run, {step} would stop the execution: {reason}",
    )
}

/// Nothing is to be fixed.
#[must_use]
pub fn nothing_to_do(language: Language, reason: &str) -> String {
    text!(language, ja: "修正不要: {reason}", en: "nothing to fix: {reason}")
}

/// Who knows whether a failed process is tried again.
#[must_use]
pub fn retry_knows(language: Language, event: &str) -> String {
    text!(
        language,
        ja: "再試行の有無は retry-failed-processes に {event} を送って確認",
        en: "to see whether it will be retried, send {event} to retry-failed-processes",
    )
}

/// The last thing that was heard.
#[must_use]
pub fn last_word(language: Language, at: &str, of: &str, what: &str) -> String {
    text!(language, ja: "最後のログ {at} {of}: {what}", en: "last log line, {at} {of}: {what}")
}

/// No function has logged anything.
#[must_use]
pub fn no_word(language: Language) -> String {
    text!(language, ja: "この処理のログなし", en: "no log line about this process")
}

/// The time that was looked at, and how much was found in it.
#[must_use]
pub fn looked_at(language: Language, from: &str, to: &str, counts: &str) -> String {
    text!(language, ja: "ログの検索期間 {from} 〜 {to}。{counts}", en: "logs searched from {from} to {to}; {counts}")
}

/// A process was accepted.
#[must_use]
pub fn accepted(language: Language, kind: Option<&str>, target: Option<&str>) -> String {
    let (kind, target) = (kind.unwrap_or("-"), target.unwrap_or("-"));
    text!(language, ja: "受付（種別 {kind}、対象 {target}）", en: "accepted (type {kind}, target {target})")
}

/// The row's last write, as it is now.
#[must_use]
pub fn row_is(language: Language, status: &str, progress: i32, retries: Option<i32>, error: &str) -> String {
    let retries = retries.map_or_else(|| "-".to_owned(), |retries| retries.to_string());
    let error = if error.is_empty() { String::new() } else { format!(": {error}") };
    text!(
        language,
        ja: "最終更新: {status}、進捗率 {progress}、再試行 {retries} 回{error}",
        en: "last written: {status}, progress {progress}, retries {retries}{error}",
    )
}

/// The row was closed.
#[must_use]
pub fn row_closed(language: Language, status: &str) -> String {
    text!(language, ja: "終了: {status}", en: "closed: {status}")
}

/// An execution began.
#[must_use]
pub fn started(language: Language) -> String {
    text!(language, ja: "実行開始", en: "execution started")
}

/// An execution was begun again.
#[must_use]
pub fn redriven(language: Language, times: i32) -> String {
    text!(language, ja: "実行を redrive（{times} 回目）", en: "execution redriven (redrive {times})")
}

/// An execution ended.
#[must_use]
pub fn ended(language: Language, status: ExecutionStatus, error: Option<&str>) -> String {
    if let (ExecutionStatus::Succeeded, Some(error)) = (status, error) {
        return text!(
            language,
            ja: "実行は成功で終了したが、出力は失敗を示している: {error}",
            en: "execution succeeded, but its output says that the work failed: {error}",
        );
    }
    let error = error.map(|error| format!(": {error}")).unwrap_or_default();
    text!(language, ja: "実行が {status} で終了{error}", en: "execution ended in {status}{error}")
}

/// A step has looked at it.
#[must_use]
pub fn run(language: Language, kind: &str, mode: Option<&str>, summary: &str) -> String {
    let mode = mode.unwrap_or("-");
    text!(language, ja: "{kind} により確認（{mode}）: {summary}", en: "run triggered by {kind} ({mode}): {summary}")
}

/// A run that failed.
#[must_use]
pub fn run_failed(language: Language, kind: &str, error: &str) -> String {
    text!(language, ja: "{kind} による確認が失敗: {error}", en: "run triggered by {kind} failed: {error}")
}

/// What the fence refused.
#[must_use]
pub fn refused(language: Language, times: i32, why: &str, status: Option<&str>, by: Option<&str>) -> String {
    let (status, by) = (status.unwrap_or("-"), by.unwrap_or("-"));
    text!(
        language,
        ja: "フェンスが {by} の書き込み（{status}）を {times} 回拒否: {why}",
        en: "the fence refused a write of {status} by {by} ({times} times): {why}",
    )
}

/// A line of JSON that says nothing that may be shown.
#[must_use]
pub fn only_names(language: Language, names: &str) -> String {
    text!(language, ja: "表示できる項目のない JSON（項目: {names}）", en: "JSON without a field that may be shown (fields: {names})")
}

/// A silence.
#[must_use]
pub fn silence(language: Language, seconds: i64) -> String {
    let gap = duration(language, TimeDelta::seconds(seconds));
    text!(language, ja: "… {gap}、記録なし", en: "… nothing recorded for {gap}")
}

/// A silence that lasts.
#[must_use]
pub fn silence_so_far(language: Language, seconds: i64) -> String {
    let gap = duration(language, TimeDelta::seconds(seconds));
    text!(language, ja: "… 以後 {gap}、記録なし", en: "… nothing recorded since, for {gap}")
}

/// What is left out of a long story.
#[must_use]
pub fn omitted(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "… {count} 件を省略（\"window\" を狭めると表示）",
        en: "… {count} entries omitted (a shorter \"window\" shows them)",
    )
}

/// Something that could not be read.
#[must_use]
pub fn not_read(language: Language, what: &str, why: &str) -> String {
    text!(language, ja: "読み取れず: {what}: {why}", en: "not read: {what}: {why}")
}

/// A log group that does not exist.
#[must_use]
pub fn no_group(language: Language) -> String {
    text!(
        language,
        ja: "ロググループが存在しない（関数が未実行か、別の場所に記録）",
        en: "the log group does not exist: the function never ran, or logs elsewhere",
    )
}

/// A search that used up what it may.
#[must_use]
pub fn log_budget(language: Language, requests: u32, up_to: Option<DateTime<Utc>>) -> String {
    let up_to = up_to.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
    text!(
        language,
        ja: "{requests} 回の要求で打ち切り（最後の行は {up_to}）。\"window\" を狭めると続きを読める",
        en: "stopped after {requests} requests (last line found: {up_to}); send a shorter \"window\" to read the rest",
    )
}

/// There are older executions.
#[must_use]
pub fn older_executions(language: Language, shown: usize) -> String {
    text!(language, ja: "新しい {shown} 件の実行のみ読み取り", en: "only the newest {shown} executions were read")
}

/// There are earlier events.
#[must_use]
pub fn earlier_events(language: Language, shown: usize) -> String {
    text!(language, ja: "履歴の最後の {shown} 件のみ読み取り", en: "only the last {shown} events of its history were read")
}

/// There are older entries of the ledger.
#[must_use]
pub fn older_entries(language: Language, shown: usize) -> String {
    text!(language, ja: "新しい {shown} 件のみ読み取り", en: "only the newest {shown} were read")
}

/// An event about the whole system.
#[must_use]
pub fn about_one_process(language: Language) -> String {
    text!(
        language,
        ja: "analyze-logs は 1 件の処理の経緯を調べる。{{\"processId\": \"<uuid>\"}} または {{\"executionArn\": \"<arn>\"}} を送ること。処理の前後も調べるには \"window\": \"24h\" を付ける（システム全体は check-health に {{}} を送る）",
        en: "analyze-logs looks at one process: send {{\"processId\": \"<uuid>\"}} or {{\"executionArn\": \"<arn>\"}}, with \"window\": \"24h\" for more than the process's own time (for the whole system, send {{}} to check-health)",
    )
}
