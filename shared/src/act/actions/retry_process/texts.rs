//! What it says, in Japanese (as the guide is) and in English.

use crate::domain::ExecutionStatus;
use crate::domain::Language;
use crate::text;

/// What cannot be known of a retry.
#[must_use]
pub fn start_unknown(language: Language, execution: &str, why: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} が開始されたか不明。数分後の回が確認して確定する: {why}",
        en: "unknown whether execution {execution} was started; a run in a few minutes checks and settles it: {why}",
    )
}

/// A retry's execution that somebody had started before.
#[must_use]
pub fn started_earlier(language: Language, execution: &str, status: ExecutionStatus) -> String {
    text!(
        language,
        ja: "実行 {execution} は以前に開始済みで、{status} で終了",
        en: "execution {execution} had already been started and ended in {status}",
    )
}

/// A row that somebody else moved before it could be put back.
#[must_use]
pub fn not_put_back(language: Language) -> String {
    text!(
        language,
        ja: "その間に行が変更されたため、元に戻さない",
        en: "somebody else changed the row meanwhile: not restored",
    )
}

/// A row that is being written.
#[must_use]
pub fn put_back_later(language: Language) -> String {
    text!(
        language,
        ja: "行が書き込み中のため、数分後の回が元に戻す",
        en: "the row is being written right now: restored by a run in a few minutes",
    )
}

/// A retry that was left open.
#[must_use]
pub fn left_open(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} の開始が途中で終わっているため、開始済みか確認し、未開始なら行を元に戻す",
        en: "the start of execution {execution} was not completed: checking whether it exists; if not, the row is restored",
    )
}

/// An execution whose input nobody can tell any more.
#[must_use]
pub fn input_gone(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} は Step Functions に残っておらず、再試行の入力が分からない",
        en: "Step Functions no longer has execution {execution}: there is no input for a retry",
    )
}

/// An execution whose input is not told.
#[must_use]
pub fn input_hidden(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "DescribeExecution が実行 {execution} の入力を返さないため（暗号化など）、再試行できない",
        en: "DescribeExecution does not return the input of execution {execution} (it may be encrypted): cannot be retried",
    )
}
