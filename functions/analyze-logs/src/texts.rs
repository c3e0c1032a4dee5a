//! What this step says, in Japanese (as the guide is) and in English.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use remediation::domain::ExecutionStatus;
use remediation::domain::ProcessStatus;
use remediation::domain::{Language, ProcessId};
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
        return text!(language, ja: "{process}。実行は見つからない", en: "{process}; no execution of it is known");
    };
    let since = span(language, since);
    if status.is_over() {
        text!(
            language,
            ja: "{process}。最新の実行 {name} は {since}前に {status} で終わった",
            en: "{process}; its newest execution {name} ended {status} {since} ago",
        )
    } else {
        text!(
            language,
            ja: "{process}。最新の実行 {name} は {status} で、{since}前に始まった",
            en: "{process}; its newest execution {name} is {status}, begun {since} ago",
        )
    }
}

fn span(language: Language, span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let (count, ja, en) = match seconds {
        0..=119 => (seconds, "秒", "s"),
        120..=7199 => (seconds / 60, "分", "min"),
        7200..=172_799 => (seconds / 3600, "時間", "h"),
        _ => (seconds / 86_400, "日", "days"),
    };
    text!(language, ja: "{count} {ja}", en: "{count} {en}")
}

/// A process without a row, of which something else is known.
#[must_use]
pub fn without_row(language: Language, id: ProcessId) -> String {
    text!(
        language,
        ja: "処理 {id} の行は存在しない。以下は実行、ログ、台帳が知っていることである",
        en: "process {id} has no row; what follows is what executions, logs and the ledger know of it",
    )
}

/// A process of which nothing is known.
#[must_use]
pub fn nothing_known(language: Language, id: ProcessId) -> String {
    text!(
        language,
        ja: "処理 {id} については、行も実行もログも台帳の記録も見つからない。ID を確認する。古い処理なら \"window\" を広げる（例: \"7d\"）",
        en: "nothing is known of process {id}: no row, no execution, no log line, no entry in the ledger; check the id, or widen \"window\" (\"7d\") where it is old",
    )
}

/// What a step does about it when it looks next.
#[must_use]
pub fn would_close(language: Language, step: &str, status: ProcessStatus, reason: &str) -> String {
    text!(
        language,
        ja: "次の確認で {step} が行を {status} にする: {reason}",
        en: "{step} sets the row to {status} when it looks next: {reason}",
    )
}

/// What a step does about an execution when it looks next.
#[must_use]
pub fn would_stop(language: Language, step: &str, reason: &str) -> String {
    text!(
        language,
        ja: "次の確認で {step} が実行を停止する: {reason}",
        en: "{step} stops the execution when it looks next: {reason}",
    )
}

/// Nothing is to be put right.
#[must_use]
pub fn nothing_to_do(language: Language, reason: &str) -> String {
    text!(language, ja: "修正するものはない: {reason}", en: "nothing is to be put right: {reason}")
}

/// Who knows whether a failed process is tried again.
#[must_use]
pub fn retry_knows(language: Language, event: &str) -> String {
    text!(
        language,
        ja: "再試行するかどうかは retry-failed-processes に {event} を送ると分かる",
        en: "whether it is tried again, retry-failed-processes says: send it {event}",
    )
}

/// The last thing that was heard.
#[must_use]
pub fn last_word(language: Language, at: &str, of: &str, what: &str) -> String {
    text!(language, ja: "最後のログ {at} {of}: {what}", en: "last word in a log, {at} {of}: {what}")
}

/// No function has logged anything.
#[must_use]
pub fn no_word(language: Language) -> String {
    text!(language, ja: "ログにはこの処理の行がない", en: "no log has a line about it")
}

/// The time that was looked at, and how much was found in it.
#[must_use]
pub fn looked_at(language: Language, from: &str, to: &str, counts: &str) -> String {
    text!(language, ja: "ログの期間 {from} 〜 {to}。{counts}", en: "logs from {from} to {to}; {counts}")
}

/// A process was accepted.
#[must_use]
pub fn accepted(language: Language, kind: Option<&str>, target: Option<&str>) -> String {
    let (kind, target) = (kind.unwrap_or("-"), target.unwrap_or("-"));
    text!(language, ja: "受け付けた（種別 {kind}、対象 {target}）", en: "accepted (type {kind}, target {target})")
}

/// The row's last write, as it is now.
#[must_use]
pub fn row_is(language: Language, status: &str, progress: i32, retries: Option<i32>, error: &str) -> String {
    let retries = retries.map_or_else(|| "-".to_owned(), |retries| retries.to_string());
    let error = if error.is_empty() { String::new() } else { format!(": {error}") };
    text!(
        language,
        ja: "最後に書かれた: {status}、進捗率 {progress}、再試行 {retries} 回{error}",
        en: "last written: {status}, progress {progress}, retries {retries}{error}",
    )
}

/// The row was closed.
#[must_use]
pub fn row_closed(language: Language, status: &str) -> String {
    text!(language, ja: "閉じられた: {status}", en: "closed: {status}")
}

/// An execution began.
#[must_use]
pub fn started(language: Language) -> String {
    text!(language, ja: "実行が始まった", en: "execution started")
}

/// An execution was begun again.
#[must_use]
pub fn redriven(language: Language, times: i32) -> String {
    text!(language, ja: "実行が再開された（{times} 回目）", en: "execution redriven (time {times})")
}

/// An execution ended.
#[must_use]
pub fn ended(language: Language, status: ExecutionStatus, error: Option<&str>) -> String {
    let error = error.map(|error| format!(": {error}")).unwrap_or_default();
    text!(language, ja: "実行が {status} で終わった{error}", en: "execution ended {status}{error}")
}

/// A step has looked at it.
#[must_use]
pub fn run(language: Language, kind: &str, mode: Option<&str>, summary: &str) -> String {
    let mode = mode.unwrap_or("-");
    text!(language, ja: "{kind} により確認（{mode}）: {summary}", en: "looked at because of {kind} ({mode}): {summary}")
}

/// A run that failed.
#[must_use]
pub fn run_failed(language: Language, kind: &str, error: &str) -> String {
    text!(language, ja: "{kind} による確認が失敗: {error}", en: "looked at because of {kind}, and failed: {error}")
}

/// What the fence refused.
#[must_use]
pub fn refused(language: Language, times: i32, why: &str, status: Option<&str>, by: Option<&str>) -> String {
    let (status, by) = (status.unwrap_or("-"), by.unwrap_or("-"));
    text!(
        language,
        ja: "フェンスが書き込み（{status}、{by} から）を {times} 回拒んだ: {why}",
        en: "the fence refused to write {status} ({times} times, from {by}): {why}",
    )
}

/// A line of JSON that says nothing that may be shown.
#[must_use]
pub fn only_names(language: Language, names: &str) -> String {
    text!(language, ja: "表示できる項目のない JSON（項目: {names}）", en: "JSON without a field that may be shown (it has: {names})")
}

/// A silence.
#[must_use]
pub fn silence(language: Language, seconds: i64) -> String {
    text!(language, ja: "… {seconds} 秒間、何の記録もない", en: "… {seconds} s without a word")
}

/// A silence that lasts.
#[must_use]
pub fn silence_so_far(language: Language, seconds: i64) -> String {
    text!(language, ja: "… その後 {seconds} 秒間、何の記録もない", en: "… {seconds} s since then without a word")
}

/// What is left out of a long story.
#[must_use]
pub fn omitted(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "… {count} 件を省略（\"window\" を狭めると見える）",
        en: "… {count} entries are left out (a shorter \"window\" shows them)",
    )
}

/// Something that could not be read.
#[must_use]
pub fn not_read(language: Language, what: &str, why: &str) -> String {
    text!(language, ja: "読めなかったもの: {what}: {why}", en: "not read: {what}: {why}")
}

/// A log group that does not exist.
#[must_use]
pub fn no_group(language: Language) -> String {
    text!(
        language,
        ja: "ロググループが存在しない。関数が一度も動いていないか、別の場所に記録している",
        en: "the log group does not exist: the function never ran, or logs elsewhere",
    )
}

/// A search that used up what it may.
#[must_use]
pub fn log_budget(language: Language, requests: u32, up_to: Option<DateTime<Utc>>) -> String {
    let up_to = up_to.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
    text!(
        language,
        ja: "{requests} 回の要求で打ち切った（最後に見つかった行は {up_to}）。\"window\" を狭めると続きが読める（例: \"1h\"）",
        en: "ended after {requests} requests (the last line found is of {up_to}); a shorter \"window\" (\"1h\") reads the rest",
    )
}

/// There are older executions.
#[must_use]
pub fn older_executions(language: Language, shown: usize) -> String {
    text!(language, ja: "新しい {shown} 件の実行だけを読んだ", en: "only the newest {shown} executions were read")
}

/// There are earlier events.
#[must_use]
pub fn earlier_events(language: Language, shown: usize) -> String {
    text!(language, ja: "履歴の最後の {shown} 件だけを読んだ", en: "only the last {shown} events of its history were read")
}

/// There are older entries of the ledger.
#[must_use]
pub fn older_entries(language: Language, shown: usize) -> String {
    text!(language, ja: "新しい {shown} 件だけを読んだ", en: "only the newest {shown} were read")
}

/// An event about the whole system.
#[must_use]
pub fn about_one_process(language: Language) -> String {
    text!(
        language,
        ja: "analyze-logs は 1 件の処理の経緯を調べる。{{\"processId\": \"<uuid>\"}} または {{\"executionArn\": \"<arn>\"}} を送ること。処理の前後も調べるには \"window\": \"24h\" を付ける（システム全体は check-health に {{}} を送る）",
        en: "analyze-logs tells the story of one process: send {{\"processId\": \"<uuid>\"}} or {{\"executionArn\": \"<arn>\"}}, with \"window\": \"24h\" for more than the process's own time (for the whole system, send {{}} to check-health)",
    )
}
