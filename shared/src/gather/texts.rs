//! The sentences of what could not be read, or not all of it, in both languages.

pub use remediation_decide::texts::*;

use crate::domain::{ExecutionArn, Language, ProcessId};
use crate::gather::config::TableName;
use crate::text;

/// An execution whose process has no row.
#[must_use]
pub fn row_missing(language: Language, process: &str) -> String {
    text!(language, ja: "処理 {process} の行が存在しない", en: "process {process} has no row")
}

/// An execution that tells no process.
#[must_use]
pub fn process_unknown(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} の処理を特定できない（入力に processId がなく、名前も UUID で始まらない）",
        en: "cannot tell which process execution {execution} belongs to: no processId in its input, no UUID at the start of its name",
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

/// There is more than one run looks at.
#[must_use]
pub fn more_to_look_at(language: Language, looked_at: usize) -> String {
    text!(
        language,
        ja: "1 回に確認するのは {looked_at} 件まで。次回に続行",
        en: "one run checks {looked_at} at most: the next continues from here",
    )
}

/// There were more executions to ask for than there was time.
#[must_use]
pub fn no_time_left(language: Language) -> String {
    text!(language, ja: "この実行を照会する時間が残っていない", en: "no time left to look up this execution")
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

/// A table that is not there, or not seen.
#[must_use]
pub fn no_table(language: Language, name: &TableName) -> String {
    text!(
        language,
        ja: "テーブル {name} が存在しないか、このユーザーからスキーマが見えない。PROCESSING_STATE_TABLE に <スキーマ>.<テーブル> を設定するか、USAGE と SELECT を付与する",
        en: "table {name} does not exist, or its schema is not visible to this user: set PROCESSING_STATE_TABLE to <schema>.<table>, or grant USAGE and SELECT",
    )
}

/// A column that is missing. `names` are its spellings, `types` those that it may have.
#[must_use]
pub fn no_column(language: Language, table: &TableName, names: &str, types: &[&str]) -> String {
    let types = either(language, types);
    text!(
        language,
        ja: "テーブル {table} に列 {names}（型は {types}）がない",
        en: "table {table} has no column {names}, which must be {types}",
    )
}

/// A column of another type than it may have.
#[must_use]
pub fn column_type(language: Language, table: &TableName, column: &str, is: &str, types: &[&str]) -> String {
    let types = either(language, types);
    text!(
        language,
        ja: "テーブル {table} の列 `{column}` の型が {is} になっている（必要な型は {types}）",
        en: "column `{column}` of table {table} is of type {is}, but must be {types}",
    )
}

fn either(language: Language, types: &[&str]) -> String {
    types.join(&text!(language, ja: " または ", en: " or "))
}

/// A status column whose enum lacks a value.
#[must_use]
pub fn no_status(language: Language, table: &TableName, status: &str, labels: &[String]) -> String {
    let labels = labels.join(", ");
    text!(
        language,
        ja: "テーブル {table} の列 `status` に値 {status} がない（現在の値: {labels}）",
        en: "column `status` of table {table} has no value {status}; it has {labels}",
    )
}

/// Tables or columns of the goals that are not there.
#[must_use]
pub fn goals_lack(language: Language, absent: &[String]) -> String {
    let absent = absent.join(", ");
    text!(language, ja: "このデータベースに {absent} がない", en: "this database lacks {absent}")
}

/// A grant that is missing. `relation` is the table as SQL has it.
#[must_use]
pub fn not_granted(language: Language, privilege: &str, name: &TableName, relation: &str, user: &str) -> String {
    text!(
        language,
        ja: "データベースユーザーに {name} の {privilege} 権限がない: GRANT {privilege} ON {relation} TO \"{user}\"",
        en: "the database user may not {privilege} {name}: GRANT {privilege} ON {relation} TO \"{user}\"",
    )
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
