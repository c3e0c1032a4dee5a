//! The sentences of a decision, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;

use crate::decide::{Anomaly, Closing, Decision, Reason, StopCause};
use crate::domain::{ExecutionStatus, Language};

/// Chooses between the two languages; both are formatted from the same values.
#[macro_export]
macro_rules! text {
    ($language:expr, ja: $ja:literal, en: $en:literal $(,)?) => {
        match $language {
            $crate::domain::Language::Ja => format!($ja),
            $crate::domain::Language::En => format!($en),
        }
    };
}

/// Why a decision is what it is: the causal sentence that stands in the ledger.
#[must_use]
pub fn reason(language: Language, decision: &Decision, execution: Option<&str>) -> String {
    let name = execution.unwrap_or("-");
    match decision.reason {
        Reason::Consistent => {
            text!(language, ja: "行と実行 {name} は一致している", en: "row and execution {name} agree")
        }
        Reason::InTime { left } => {
            let left = seconds(left);
            text!(language, ja: "実行 {name} はまだ実行中で、期限まで {left} 秒ある", en: "execution {name} still running, {left} s before its deadline")
        }
        Reason::PastDeadline { over } => {
            let over = seconds(over);
            text!(language, ja: "実行 {name} は期限を {over} 秒過ぎても実行中である", en: "execution {name} still runs, {over} s past its deadline")
        }
        Reason::NotStartedYet { left } => {
            let left = seconds(left);
            text!(language, ja: "実行がまだなく、期限まで {left} 秒ある", en: "no execution yet, {left} s before the deadline")
        }
        Reason::NeverStarted { over } => {
            let over = seconds(over);
            text!(language, ja: "開始期限を {over} 秒過ぎても実行が開始されていない", en: "no execution was ever started, {over} s past the start deadline")
        }
        Reason::ExecutionGone { over } => {
            let over = seconds(over);
            text!(language, ja: "PROCESSING のまま期限を {over} 秒過ぎ、実行が存在しない", en: "PROCESSING without any execution, {over} s past the deadline")
        }
        Reason::Settling { left } => {
            let left = seconds(left);
            text!(language, ja: "行または実行が変わったばかりなので、あと {left} 秒は次回に任せる", en: "row or execution changed a moment ago: left for the next look for {left} s")
        }
        Reason::Reopened { left } => {
            let left = seconds(left);
            text!(language, ja: "実行 {name} の終了後に行が書かれたため、新しい実行をあと {left} 秒待つ", en: "the row was written after execution {name} ended: a new one gets {left} s more to appear")
        }
        Reason::RedrivePending => {
            text!(language, ja: "実行 {name} は再実行待ちである", en: "execution {name} is about to be redriven")
        }
        Reason::Ended(status) => match status {
            ExecutionStatus::Succeeded => {
                text!(language, ja: "実行 {name} は成功して終わっている", en: "execution {name} succeeded")
            }
            status => {
                text!(language, ja: "実行 {name} は {status} で終わっている", en: "execution {name} ended {status}")
            }
        },
        Reason::StoppedForDeadline => {
            text!(language, ja: "実行 {name} は期限超過のため停止された", en: "execution {name} was stopped for its deadline")
        }
        Reason::LateSuccess => {
            text!(language, ja: "行が失敗で閉じられた後に実行 {name} が成功した", en: "execution {name} succeeded after the row had been closed as failed")
        }
        Reason::ClosedByPerson => {
            text!(language, ja: "行は人が手動で閉じた（MANUAL_INTERVENTION）", en: "a person closed the row (MANUAL_INTERVENTION)")
        }
        Reason::CancelledButRunning => {
            text!(language, ja: "キャンセル済みの行の実行 {name} がまだ実行中である", en: "execution {name} still runs although its row is CANCELLED")
        }
        Reason::RetryMayRun => {
            text!(language, ja: "行は失敗だが実行 {name} はまだ期限内で、再試行中かもしれない", en: "the row failed, and execution {name} still runs in time: a retry may be under way")
        }
        Reason::EndingUnknown => {
            text!(language, ja: "実行 {name} の結果は Step Functions に問い合わせないと分からない", en: "only Step Functions can tell what execution {name} ended with")
        }
    }
}

/// Whole seconds, never negative.
#[must_use]
pub fn seconds(delta: TimeDelta) -> i64 {
    delta.num_seconds()
}

/// The message of the error that a closing writes into the row; `None` where the execution's own message is used, or none.
#[must_use]
pub fn error_message(language: Language, closing: Closing) -> Option<String> {
    match closing {
        Closing::TimedOut => {
            Some(text!(language, ja: "処理時間が制限を超えました", en: "The processing time exceeded its limit"))
        }
        Closing::NeverStarted => {
            Some(text!(language, ja: "処理が開始されませんでした", en: "The processing was never started"))
        }
        Closing::ResultMissing => Some(
            text!(language, ja: "処理は終了しましたが結果がありません", en: "The processing ended without a result"),
        ),
        Closing::Completed { .. } | Closing::Failed | Closing::Cancelled => None,
    }
}

/// What the user sees where an execution failed without a word.
#[must_use]
pub fn failed_without_words(language: Language) -> String {
    text!(language, ja: "処理が失敗しました", en: "The processing failed")
}

/// The `cause` of an execution that we stop.
#[must_use]
pub fn stop_cause(language: Language, cause: StopCause) -> String {
    match cause {
        StopCause::Deadline => {
            text!(language, ja: "期限を超えたため自動で停止されました", en: "Stopped automatically: past its deadline")
        }
        StopCause::Cancelled => text!(language, ja: "手動でキャンセルされました", en: "Cancelled by hand"),
    }
}

/// A finding's sentence.
#[must_use]
pub fn anomaly(language: Language, anomaly: Anomaly, reason: &str) -> String {
    match anomaly {
        Anomaly::CompletedWithoutSuccess => {
            text!(language, ja: "行は COMPLETED だが実行は成功していない: {reason}", en: "the row is COMPLETED and its execution did not succeed: {reason}")
        }
        Anomaly::SucceededButFailed => {
            text!(language, ja: "実行は成功したが行は失敗のままである: {reason}", en: "the execution succeeded and the row stays failed: {reason}")
        }
        Anomaly::SucceededButCancelled => {
            text!(language, ja: "キャンセルされた処理の実行が成功した: {reason}", en: "the process was cancelled and its execution succeeded: {reason}")
        }
        Anomaly::ResultMissing => {
            text!(language, ja: "成功したが結果がどこにもない: {reason}", en: "it succeeded, and there is no result anywhere: {reason}")
        }
    }
}
