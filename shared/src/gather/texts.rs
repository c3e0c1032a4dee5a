//! The sentences of what could not be read, or not all of it, in both languages.

pub use remediation_decide::texts::*;

use crate::domain::Language;
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
