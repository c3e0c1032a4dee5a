//! The sentences of what could not be read, or not all of it, in both languages.

pub use remediation_decide::texts::*;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{ExecutionArn, Language, ProcessId};
use crate::gather::error::Error;
use crate::gather::table_name::TableName;
use crate::text;

/// An execution whose process has no row.
#[must_use]
pub fn row_missing(language: Language, process: &str) -> String {
    text!(language, ja: "処理 {process} の行が存在しない", en: "process {process} has no row")
}

/// A log that could not be read; where the right to it is missing, what grants it.
#[must_use]
pub fn log_refused(language: Language, group: &str, error: &Error) -> String {
    if !["AccessDenied", "AccessDeniedException"].iter().any(|code| error.is_code(code)) {
        return error.told(language);
    }
    let error = error.told(language);
    text!(
        language,
        ja: "{error}。ロググループ {group} は関数の LoggingConfig による。CDK アプリの logGroups に指定すると権限が付く",
        en: "{error}. The function's LoggingConfig names the log group {group}: the right to it comes from logGroups in the CDK app",
    )
}

/// Rows of a status that nobody knows; `some` of them by name, where they are named.
#[must_use]
pub fn rows_of_unknown_status(language: Language, count: usize, status: &str, some: &str) -> String {
    let some = if some.is_empty() { String::new() } else { format!(": {some}") };
    text!(
        language,
        ja: "未知のステータス {status} の行が {count} 件ある。何もせずそのままにしている{some}",
        en: "{count} with the unknown status {status}, left alone{some}",
    )
}

/// Rows with times that are none.
#[must_use]
pub fn rows_with_odd_times(language: Language, count: usize, times: &str, some: &str) -> String {
    text!(
        language,
        ja: "時刻が使えない行が {count} 件ある（{times}）。期限を判断できないため、そのままにしている。正しい時刻を入れること: {some}",
        en: "{count} with a time that cannot be used ({times}), so no deadline can be told; left alone until it is corrected: {some}",
    )
}

/// Rows that cannot be decoded.
#[must_use]
pub fn rows_unreadable(language: Language, count: usize, why: &str, some: &str) -> String {
    text!(
        language,
        ja: "読み取れない行が {count} 件ある（{why}）。そのままにしている: {some}",
        en: "{count} that cannot be read ({why}), left alone: {some}",
    )
}

/// Odd rows beyond those that are told apart.
#[must_use]
pub fn more_odd_rows(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "ほかにも読み取れない行が {count} 件ある",
        en: "{count} more cannot be read, for other reasons",
    )
}

/// Executions of a status that nobody knows.
#[must_use]
pub fn executions_of_unknown_status(language: Language, count: i64, status: &str, some: &str) -> String {
    text!(
        language,
        ja: "未知のステータス {status} の実行が {count} 件ある。対応する処理には何もしない。このビルドを更新すること: {some}",
        en: "unknown execution status {status}, seen on {count}; their processes are left alone until this build knows it: {some}",
    )
}

/// Why a process whose execution has such a status is left undecided.
#[must_use]
pub fn status_of_execution_unknown(language: Language, execution: &str, status: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} のステータス {status} が未知",
        en: "the status of execution {execution}, {status}, is not known here",
    )
}

/// An execution that tells no process.
#[must_use]
pub fn process_unknown(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} の処理を特定できない（入力に processId がなく、名前も <processId>-<数字> の形ではない）",
        en: "cannot tell which process execution {execution} belongs to: no processId in its input, and its name is not of the form <processId>-<digits>",
    )
}

/// The list of executions was not read far enough back.
#[must_use]
pub fn not_listed(language: Language) -> String {
    text!(
        language,
        ja: "この処理の作成時点まで実行一覧を読めていない",
        en: "the list of executions has not been read back to this process's creation yet",
    )
}

/// Executions of one process came to their ends while the list was read, again and again.
#[must_use]
pub fn keeps_ending(language: Language) -> String {
    text!(
        language,
        ja: "実行一覧を読む間にも実行の終了が続いたため、次回に再確認する",
        en: "its executions kept ending while the list was read; the next run looks again",
    )
}

/// A run that met its deadline.
#[must_use]
pub fn out_of_time(language: Language, left: usize) -> String {
    text!(
        language,
        ja: "Lambda の期限が近いため中断。残り {left} 件は次回に続行",
        en: "stopped before Lambda's deadline: {left} left for the next run, which continues from here",
    )
}

/// The list of executions is long: how far it was read, and how far it has to be.
#[must_use]
pub fn list_short_of(language: Language, since: DateTime<Utc>, wanted: DateTime<Utc>) -> String {
    let (since, wanted) = (since.format("%Y-%m-%d %H:%M:%S UTC"), wanted.format("%Y-%m-%d %H:%M:%S UTC"));
    text!(
        language,
        ja: "実行一覧は {since} まで確認（{wanted} まで必要）。続きは次回に確認",
        en: "the list of executions has been read back to {since} of {wanted}: the next run continues from here",
    )
}

/// There is more than one run looks at.
#[must_use]
pub fn more_to_look_at(language: Language, looked_at: usize) -> String {
    text!(
        language,
        ja: "1 回に確認するのは {looked_at} 件まで。次回に続行",
        en: "one run checks {looked_at} at most: the next continues from here",
    )
}

/// An execution that Step Functions does not know although it should.
#[must_use]
pub fn gone_too_young(language: Language, execution: &str, age: TimeDelta) -> String {
    let age = duration(language, age);
    text!(
        language,
        ja: "{age}前に開始した実行 {execution} を Step Functions が知らない（90 日間は保持されるはず）。別のリージョンの実行か、ステートマシンが削除されて作り直された可能性がある",
        en: "Step Functions does not know execution {execution}, which started {age} ago, although it keeps them for 90 days: it may be in another region, or its state machine was deleted and made again",
    )
}

/// Why a process is left as it is.
#[must_use]
pub fn left_alone(language: Language, why: &str) -> String {
    let why = why.trim_end_matches('.');
    text!(language, ja: "{why}。この処理の行には触れない", en: "{why}. The row of its process is left alone")
}

/// More executions that could not be looked up than are named.
#[must_use]
pub fn more_unreadable_executions(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "ほかにも照会できない実行が {count} 件ある。対応する行には触れない",
        en: "{count} more executions cannot be looked up; the rows of their processes are left alone",
    )
}

/// Listed executions that cannot be asked for the process that they were started for.
#[must_use]
pub fn executions_unowned(language: Language, count: usize, one: &str, why: &str) -> String {
    let why = why.trim_end_matches('.');
    text!(
        language,
        ja: "どの処理のものか確認できない実行が {count} 件ある（{one} など）: {why}。それより前に作成され、実行が見つかっていない行には触れない",
        en: "which process an execution belongs to cannot be read ({count} in all, among them {one}): {why}. Rows without a known execution that were created before it are left alone",
    )
}

/// There were more executions to ask for than there was time.
#[must_use]
pub fn no_time_left(language: Language) -> String {
    text!(language, ja: "この実行を照会する時間またはメモリの余裕がない", en: "this run has no time or memory left to look up this execution")
}

/// A process that was named, and has no row.
#[must_use]
pub fn no_such_row(language: Language, id: ProcessId, table: &TableName) -> String {
    text!(
        language,
        ja: "`processId` {id}: テーブル {table} に該当する行がない",
        en: "`processId` {id}: table {table} has no such row",
    )
}

/// A cancel that is anything but `true`.
#[must_use]
pub fn cancel_is_true(language: Language, name: &str, found: &str) -> String {
    text!(
        language,
        ja: "`{name}` が {found} になっている。true を `processId` または `executionArn` とともに指定する",
        en: "`{name}` is {found}; it must be true, together with `processId` or `executionArn`",
    )
}

/// A cancel of no process.
#[must_use]
pub fn cancel_needs_process(language: Language, name: &str) -> String {
    let all = r#"{"all": true}"#;
    text!(
        language,
        ja: "`{name}` には `processId` か `executionArn` が必要（キャンセルは 1 件ずつ行う）。CANCELLED の行の実行中のものをすべて停止するには、`{name}` なしで {all} を送る",
        en: "`{name}` needs a `processId` or an `executionArn`: processes are cancelled one at a time; to stop everything that still runs for CANCELLED rows, send {all} without `{name}`",
    )
}

/// An execution of another state machine.
#[must_use]
pub fn anothers_execution(language: Language, arn: &ExecutionArn, own: &str) -> String {
    let of = arn.state_machine_arn();
    text!(
        language,
        ja: "実行 {arn} はステートマシン {of} のもので、この環境の対象は {own}。ルールのパターンまたは STATE_MACHINE_ARN を確認する",
        en: "execution {arn} belongs to {of}, but this installation looks after {own}: check the rule's pattern, or STATE_MACHINE_ARN",
    )
}

/// A worker, or its alias, that does not exist. `variable` is the setting that names it.
#[must_use]
pub fn no_worker(language: Language, function: &str, alias: Option<&str>, variable: &str) -> String {
    match alias {
        None => text!(
            language,
            ja: "ワーカー {function} がこのアカウントとリージョンに存在しない。{variable} を確認する",
            en: "the worker {function} does not exist in this account and region: check {variable}",
        ),
        Some(alias) => text!(
            language,
            ja: "ワーカー {function} またはそのエイリアス {alias} がこのアカウントとリージョンに存在しない。{variable} を確認する",
            en: "the worker {function} or its alias {alias} does not exist in this account and region: check {variable}",
        ),
    }
}

/// Rows whose times lie in the future.
#[must_use]
pub fn times_ahead(language: Language, count: i64, by: TimeDelta) -> String {
    let by = duration(language, by);
    text!(
        language,
        ja: "データベースの時計より最大 {by}先の時刻を持つ行が {count} 件ある。アプリケーションが UTC 以外のタイムゾーンで書き込んでいる可能性がある。その分、滞留に気づくのが遅れる",
        en: "{count} with times up to {by} ahead of the database's clock: the application may write another time zone than UTC, and what is stuck is noticed that much later",
    )
}

/// Rows whose times are hours apart from those of their executions.
#[must_use]
pub fn times_apart(language: Language, count: usize, by: TimeDelta, earlier: bool) -> String {
    let by = duration(language, by);
    if earlier {
        text!(
            language,
            ja: "{count} 件の行の作成時刻が、実行の開始よりほぼ {by}早い。アプリケーションが UTC 以外のタイムゾーンで書き込んでいる可能性がある",
            en: "{count} created some {by} before their executions started: the application may write another time zone than UTC",
        )
    } else {
        text!(
            language,
            ja: "{count} 件の行の作成時刻が、実行の開始よりほぼ {by}遅い。アプリケーションが UTC 以外のタイムゾーンで書き込んでいる可能性がある",
            en: "{count} created some {by} after their executions started: the application may write another time zone than UTC",
        )
    }
}

/// Why a row is left alone for which only such times speak.
#[must_use]
pub fn times_are_apart(language: Language, by: TimeDelta) -> String {
    let by = duration(language, by);
    text!(
        language,
        ja: "テーブルの時刻が Step Functions の時刻とほぼ {by}ずれており、この行がいつから開いているか判断できない",
        en: "the table's times are some {by} apart from those of Step Functions, so how long it has been open is not known",
    )
}

/// Tables or columns of the goals that are not there.
#[must_use]
pub fn goals_lack(language: Language, absent: &[String]) -> String {
    let absent = absent.join(", ");
    text!(language, ja: "このデータベースに {absent} がない", en: "this database lacks {absent}")
}

/// Whom the index on open rows serves.
#[must_use]
pub fn serves_sweeps(language: Language) -> String {
    text!(
        language,
        ja: "全ステップの定期確認（履歴が長くても未完了の行は少ない）",
        en: "every sweep: open rows are few, however long the history is",
    )
}

/// Whom the index on closed rows serves.
#[must_use]
pub fn serves_lately_closed(language: Language) -> String {
    text!(
        language,
        ja: "reconcile-processes、stop-cancelled-executions、retry-failed-processes、check-health、triage-errors、analyze-performance（最近終了した行）",
        en: "reconcile-processes, stop-cancelled-executions, retry-failed-processes, check-health, triage-errors and analyze-performance: what was closed lately",
    )
}

/// Whom the index on impossible progress serves.
#[must_use]
pub fn serves_progress(language: Language) -> String {
    text!(
        language,
        ja: "repair-progress、check-health（進捗率が範囲外の行）",
        en: "repair-progress and check-health: rows whose progress is out of range",
    )
}

/// Whom the guide's own index serves.
#[must_use]
pub fn serves_application(language: Language) -> String {
    text!(
        language,
        ja: "アプリケーション（ユーザーごとの新しい処理）",
        en: "the application: the newest processes of one user",
    )
}
