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
            text!(language, ja: "行と実行 {name} は一致", en: "row and execution {name} agree")
        }
        Reason::InTime { left } => {
            let left = duration(language, left);
            text!(language, ja: "実行 {name} は実行中（期限まで {left}）", en: "execution {name} is still running, {left} before its deadline")
        }
        Reason::PastDeadline { over } => {
            let over = duration(language, over);
            text!(language, ja: "実行 {name} が期限を {over}過ぎても実行中", en: "execution {name} is still running, {over} past its deadline")
        }
        Reason::NotStartedYet { left } => {
            let left = duration(language, left);
            text!(language, ja: "実行は未開始（期限まで {left}）", en: "no execution yet, {left} before the deadline")
        }
        Reason::NeverStarted { over } => {
            let over = duration(language, over);
            text!(language, ja: "実行が開始されないまま開始期限を {over}超過", en: "no execution was ever started, {over} past the start deadline")
        }
        Reason::ExecutionGone { over } => {
            let over = duration(language, over);
            text!(language, ja: "PROCESSING のまま期限を {over}超過、実行は存在しない", en: "PROCESSING without an execution, {over} past the deadline")
        }
        Reason::Settling { left } => {
            let left = duration(language, left);
            text!(language, ja: "行または実行が更新された直後のため、あと {left}待つ", en: "row or execution has just changed: waiting {left} for it to settle")
        }
        Reason::Reopened { left } => {
            let left = duration(language, left);
            text!(language, ja: "実行 {name} の終了後に行が更新されたため、新しい実行をあと {left}待つ", en: "the row was written after execution {name} ended: waiting {left} more for a new execution")
        }
        Reason::RedrivePending => {
            text!(language, ja: "実行 {name} は redrive 待ち", en: "execution {name} is waiting to be redriven")
        }
        Reason::Ended(status) => match status {
            ExecutionStatus::Succeeded => {
                text!(language, ja: "実行 {name} は成功で終了", en: "execution {name} succeeded")
            }
            status => {
                text!(language, ja: "実行 {name} は {status} で終了", en: "execution {name} ended in {status}")
            }
        },
        Reason::SaysFailed => {
            text!(language, ja: "実行 {name} は成功で終了したが、出力は失敗を示している", en: "execution {name} succeeded, but its output says that the work failed")
        }
        Reason::RowSaysFailed => {
            text!(language, ja: "行にエラー、または失敗を示す結果がある", en: "the row has an error, or a result that says that the work failed")
        }
        Reason::StoppedForDeadline => {
            text!(language, ja: "実行 {name} は期限超過のため停止済み", en: "execution {name} was stopped because it was past its deadline")
        }
        Reason::LateSuccess => {
            text!(language, ja: "行が失敗としてクローズされた後に実行 {name} が成功", en: "execution {name} succeeded after the row had been closed as failed")
        }
        Reason::ClosedByPerson => {
            text!(language, ja: "行は人が手動でクローズ済み（MANUAL_INTERVENTION）", en: "the row was closed by a person (MANUAL_INTERVENTION)")
        }
        Reason::CancelledButRunning => {
            text!(language, ja: "行はキャンセル済みだが、実行 {name} が実行中", en: "execution {name} is still running although its row is CANCELLED")
        }
        Reason::Waiting => {
            text!(language, ja: "待機中のステータス（期限なし）", en: "the process is waiting, which has no deadline")
        }
        Reason::RetryMayRun => {
            text!(language, ja: "行は失敗だが、実行 {name} は期限内で実行中（再試行中の可能性あり）", en: "the row failed, but execution {name} is still running within its deadline: it may be retrying")
        }
        Reason::EndingUnknown => {
            text!(language, ja: "実行 {name} の結果は Step Functions への照会が必要", en: "only Step Functions knows how execution {name} ended")
        }
    }
}

/// A span of time for people, in its two largest units: `45 s`, `2 h 05 min`, and days from two on: `3 d 4 h`. Never negative.
#[must_use]
pub fn duration(language: Language, span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let (second, minute, hour) = (seconds % 60, minutes % 60, hours % 24);
    // English has the smaller unit as a clock does.
    let (ja, en) = match seconds {
        ..3600 => (format!("{second}秒"), format!("{second:02} s")),
        _ => (format!("{minute}分"), format!("{minute:02} min")),
    };
    match (seconds, second, minute, hour) {
        (0..60, ..) => text!(language, ja: "{seconds}秒", en: "{seconds} s"),
        (60..3600, 0, ..) => text!(language, ja: "{minutes}分", en: "{minutes} min"),
        (60..3600, ..) => text!(language, ja: "{minutes}分{ja}", en: "{minutes} min {en}"),
        (3600..172_800, _, 0, _) => text!(language, ja: "{hours}時間", en: "{hours} h"),
        (3600..172_800, ..) => text!(language, ja: "{hours}時間{ja}", en: "{hours} h {en}"),
        (.., 0) => text!(language, ja: "{days}日", en: "{days} d"),
        _ => text!(language, ja: "{days}日{hour}時間", en: "{days} d {hour} h"),
    }
}

/// The message of the error that a closing writes into the row; `None` where the execution's own message is used, or none.
#[must_use]
pub fn error_message(language: Language, closing: Closing) -> Option<String> {
    match closing {
        Closing::TimedOut => {
            Some(text!(language, ja: "処理時間が制限を超えました", en: "The processing took longer than allowed"))
        }
        Closing::NeverStarted => {
            Some(text!(language, ja: "処理が開始されませんでした", en: "The processing was never started"))
        }
        Closing::ResultMissing => Some(
            text!(language, ja: "処理は終了しましたが結果がありません", en: "The processing ended without a result"),
        ),
        Closing::Cancelled => {
            Some(text!(language, ja: "処理がキャンセルされました", en: "The processing was cancelled"))
        }
        Closing::Completed { .. } | Closing::Failed => None,
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
            text!(language, ja: "期限超過のため自動停止", en: "Stopped automatically: past its deadline")
        }
        StopCause::Cancelled => text!(language, ja: "手動でキャンセルされました", en: "Cancelled by hand"),
    }
}

/// A finding's sentence.
#[must_use]
pub fn anomaly(language: Language, anomaly: Anomaly, reason: &str) -> String {
    match anomaly {
        Anomaly::CompletedWithoutSuccess => {
            text!(language, ja: "行は COMPLETED だが実行は成功していない: {reason}", en: "the row is COMPLETED but its execution did not succeed: {reason}")
        }
        Anomaly::SucceededButFailed => {
            text!(language, ja: "実行は成功したが行は失敗のまま: {reason}", en: "the execution succeeded but the row is still failed: {reason}")
        }
        Anomaly::SucceededButCancelled => {
            text!(language, ja: "キャンセル済みの処理の実行が成功: {reason}", en: "the process was cancelled but its execution succeeded: {reason}")
        }
        Anomaly::ResultMissing => {
            text!(language, ja: "成功したが、行にも実行の出力にも結果がない: {reason}", en: "succeeded, but neither row nor execution output has a result: {reason}")
        }
        Anomaly::CompletedWithError => {
            text!(language, ja: "行は COMPLETED だが失敗の跡がある: {reason}", en: "the row is COMPLETED but looks like a failure: {reason}")
        }
    }
}

/// What only a person can decide, and where to look.
#[must_use]
pub fn person_decides(language: Language, message: &str, process: &str) -> String {
    text!(
        language,
        ja: "{message}。自動では修正しない。analyze-logs を {{\"processId\":\"{process}\"}} で実行して経緯を確認し、行を手動で直すか判断すること",
        en: "{message}. Nothing more is changed automatically: see what happened with analyze-logs {{\"processId\":\"{process}\"}}, and decide whether the row is to be corrected by hand",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (seconds, ja, en) in [
            (-5, "0秒", "0 s"),
            (0, "0秒", "0 s"),
            (45, "45秒", "45 s"),
            (60, "1分", "1 min"),
            (65, "1分5秒", "1 min 05 s"),
            (900, "15分", "15 min"),
            (3600, "1時間", "1 h"),
            (7503, "2時間5分", "2 h 05 min"),
            (65_418, "18時間10分", "18 h 10 min"),
            (86_400, "24時間", "24 h"),
            (172_799, "47時間59分", "47 h 59 min"),
            (172_800, "2日", "2 d"),
            (273_600, "3日4時間", "3 d 4 h"),
            (2_592_000, "30日", "30 d"),
        ] {
            let span = TimeDelta::seconds(seconds);
            assert_eq!((&*duration(Language::Ja, span), &*duration(Language::En, span)), (ja, en), "{seconds}");
        }
    }
}
