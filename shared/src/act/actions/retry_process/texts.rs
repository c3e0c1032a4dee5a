//! What it says, in Japanese (as the guide is) and in English.

use crate::domain::ExecutionStatus;
use crate::domain::Language;
use crate::text;

/// What cannot be known of a retry.
#[must_use]
pub fn start_unknown(language: Language, execution: &str, why: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} が開始されたかどうか分からない。数分後の回が確認して片付ける: {why}",
        en: "whether execution {execution} was started is not known; a run in a few minutes finds out and settles it: {why}",
    )
}

/// A retry's execution that somebody had started before.
#[must_use]
pub fn started_earlier(language: Language, execution: &str, status: ExecutionStatus) -> String {
    text!(
        language,
        ja: "実行 {execution} は以前に開始され、{status} で終わっている",
        en: "execution {execution} had been started before, and ended {status}",
    )
}

/// A row that somebody else moved before it could be put back.
#[must_use]
pub fn not_put_back(language: Language) -> String {
    text!(
        language,
        ja: "その間に行が変わったため、そのままにする",
        en: "somebody else moved the row meanwhile: it is left as it is",
    )
}

/// A row that is being written.
#[must_use]
pub fn put_back_later(language: Language) -> String {
    text!(
        language,
        ja: "行が書き込み中のため、数分後の回が元に戻す",
        en: "the row is just being written: a run in a few minutes puts it back",
    )
}

/// A retry that was left open.
#[must_use]
pub fn left_open(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} の開始が途中で終わっているため、開始されたかを確認し、されていなければ行を元に戻す",
        en: "the start of execution {execution} was left half done: it is looked up, and the row put back if it is not there",
    )
}

/// An execution whose input nobody can tell any more.
#[must_use]
pub fn input_gone(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "Step Functions に実行 {execution} がもうないため、再試行の入力が分からない",
        en: "Step Functions no longer knows execution {execution}: there is no input to try again with",
    )
}

/// An execution whose input is not told.
#[must_use]
pub fn input_hidden(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "DescribeExecution が実行 {execution} の入力を返さないため（暗号化など）、再試行できない",
        en: "DescribeExecution does not tell the input of execution {execution} (it may be encrypted): it cannot be tried again",
    )
}
