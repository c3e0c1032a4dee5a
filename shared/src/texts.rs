//! Every sentence that reaches a row or a person, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;

use crate::actions::fence::{Change, State};
use crate::decide::{Anomaly, Closing, Decision, Reason, StopCause};
use crate::domain::{ExecutionStatus, Language};
use crate::report::DoneOutcome;
use crate::trigger::AlarmState;

/// Chooses between the two languages; both are formatted from the same values.
macro_rules! text {
    ($language:expr, ja: $ja:literal, en: $en:literal $(,)?) => {
        match $language {
            Language::Ja => format!($ja),
            Language::En => format!($en),
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

fn seconds(delta: TimeDelta) -> i64 {
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
        ja: "実行 {execution} の入力に processId がなく、名前も UUID で始まらないため、処理を特定できない",
        en: "execution {execution} tells no process: no processId in its input, no UUID at the start of its name",
    )
}

/// A process that could not be decided on.
#[must_use]
pub fn not_looked_up(language: Language, why: &str) -> String {
    text!(language, ja: "実行を確認できなかったため何もしない: {why}", en: "left alone: its execution could not be looked up: {why}")
}

/// The list of executions was not read far enough back.
#[must_use]
pub fn not_listed(language: Language) -> String {
    text!(
        language,
        ja: "この処理の開始時期まで実行一覧をまだ読んでいない",
        en: "the list of executions has not been read back to this process's creation yet",
    )
}

/// There were more executions to ask for than there was time.
#[must_use]
pub fn no_time_left(language: Language) -> String {
    text!(language, ja: "この実行に問い合わせる時間が残っていなかった", en: "no time was left to ask for this execution")
}

/// Open rows past their deadline.
#[must_use]
pub fn stuck(language: Language, count: usize) -> String {
    text!(language, ja: "{count} 件の処理が期限を過ぎても終わっていない", en: "{count} processes are open past their deadline")
}

/// Rows that do not say what their executions say.
#[must_use]
pub fn mismatched(language: Language, count: usize) -> String {
    text!(language, ja: "{count} 件の行が Step Functions の実行と一致しない", en: "{count} rows and their executions tell different stories")
}

/// A row that moved at every try.
#[must_use]
pub fn contested(language: Language) -> String {
    text!(
        language,
        ja: "読んでから書くまでの間に行が毎回変わったため、何も書かなかった",
        en: "the row changed between reading and writing every time: nothing was written",
    )
}

/// The loser of a lock.
#[must_use]
pub fn busy(language: Language) -> String {
    text!(language, ja: "別の実行が対応中である", en: "already being handled")
}

/// A target that a person decided on.
#[must_use]
pub fn undone(language: Language) -> String {
    text!(
        language,
        ja: "24 時間以内に人が取り消したため触れない",
        en: "left alone: a person undid the last action on it within a day",
    )
}

/// Too many tries on one target.
#[must_use]
pub fn attempts(language: Language, attempts: u32) -> String {
    text!(language, ja: "24 時間で既に {attempts} 回対応したため人に任せる", en: "left to people: handled {attempts} times within a day already")
}

/// Too soon after the last try.
#[must_use]
pub fn cooldown(language: Language, left: i64) -> String {
    text!(language, ja: "前回の対応から間もないため、あと {left} 秒待つ", en: "left alone for {left} s more: it was handled a moment ago")
}

/// Over the share of candidates.
#[must_use]
pub fn share(language: Language, wanted: usize, of: usize, share: f64) -> String {
    let percent = share * 100.0;
    text!(
        language,
        ja: "{of} 件中 {wanted} 件の変更は上限 {percent:.0}% を超える。原因はこのステップ側かもしれないため何も変更しない",
        en: "{wanted} of {of} would be changed, over the limit of {percent:.0} %: the fault may be this step's own, so nothing is",
    )
}

/// Over the limit a run.
#[must_use]
pub fn per_run(language: Language, limit: usize) -> String {
    text!(language, ja: "1 回の上限 {limit} 件に達した", en: "the limit of {limit} actions a run is reached")
}

/// Over the limit an hour.
#[must_use]
pub fn per_hour(language: Language, limit: usize) -> String {
    text!(language, ja: "1 時間の上限 {limit} 件に達した", en: "the limit of {limit} actions an hour is reached")
}

/// Over the operator's own limit.
#[must_use]
pub fn limit(language: Language, limit: usize) -> String {
    text!(language, ja: "指定された上限 {limit} 件を超える", en: "beyond the asked limit of {limit}")
}

/// A step that has fallen back to proposing.
#[must_use]
pub fn did_not_help(language: Language) -> String {
    text!(
        language,
        ja: "直近 3 回の対応が効果を示さなかったため、提案だけを行う",
        en: "the last three runs that acted did not help: this step only proposes now",
    )
}

/// A run that met its deadline.
#[must_use]
pub fn out_of_time(language: Language, left: usize) -> String {
    text!(
        language,
        ja: "Lambda の期限が近いため停止した。残り {left} 件は次回に続ける",
        en: "stopped before Lambda's deadline: {left} are left for the next run, which goes on from here",
    )
}

/// There is more than one run looks at.
#[must_use]
pub fn more_to_look_at(language: Language, looked_at: usize) -> String {
    text!(
        language,
        ja: "1 回に調べるのは {looked_at} 件まで。次回はその続きから調べる",
        en: "one run looks at {looked_at}: the next goes on from here",
    )
}

/// An alarm that is over, or cannot tell.
#[must_use]
pub fn alarm_not_on(language: Language, alarm: &str, state: AlarmState) -> String {
    match state {
        AlarmState::Alarm | AlarmState::Ok => {
            text!(language, ja: "アラーム {alarm} は解消した。インシデントを閉じた", en: "alarm {alarm} is over: its incident is closed")
        }
        AlarmState::InsufficientData => {
            text!(language, ja: "アラーム {alarm} はデータ不足である。インシデントはそのままにする", en: "alarm {alarm} has no data: its incident stays as it is")
        }
    }
}

/// What a run did, in one sentence.
#[must_use]
pub fn summary(
    language: Language,
    population: usize,
    counts: impl Fn(DoneOutcome) -> usize,
    findings: usize,
    skipped: usize,
) -> String {
    let parts = [
        (counts(DoneOutcome::Applied), "対応", "put right"),
        (counts(DoneOutcome::Planned), "対応予定（変更なし）", "would be put right (nothing was changed)"),
        (counts(DoneOutcome::Proposed), "承認待ち", "proposed, waiting for approval"),
        (counts(DoneOutcome::Failed), "失敗", "failed"),
        (counts(DoneOutcome::Superseded), "先に変更された", "moved by somebody else first"),
        (findings, "報告", "findings"),
        (skipped, "そのまま", "left alone"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, ja, en)| match language {
            Language::Ja => format!("{ja} {count} 件"),
            Language::En => format!("{count} {en}"),
        })
        .collect();
    let told = if told.is_empty() { text!(language, ja: "異常なし", en: "all is well") } else { told.join(", ") };
    text!(language, ja: "{population} 件を確認: {told}", en: "{population} looked at: {told}")
}

/// Why the fence is to be changed.
#[must_use]
pub fn fence(language: Language, change: Change) -> String {
    match change {
        Change::Install => {
            text!(language, ja: "運用者がフェンスの設置を求めた", en: "an operator wants the fence to stand")
        }
        Change::Remove => text!(language, ja: "運用者がフェンスの撤去を求めた", en: "an operator wants the fence away"),
    }
}

/// The fence is as it was asked for.
#[must_use]
pub fn fence_already_so(language: Language, state: State) -> String {
    match state {
        State::Absent => text!(language, ja: "フェンスは既にない", en: "already so: there is no fence"),
        State::Installed | State::Outdated => {
            text!(language, ja: "フェンスは既に設置されている", en: "already so: the fence stands, as this build makes it")
        }
    }
}

/// The fence is not as this build makes it.
#[must_use]
pub fn fence_outdated(language: Language) -> String {
    let event = r#"{"fence": "install"}"#;
    text!(
        language,
        ja: "フェンスは別のビルドのものか、別のテーブルにあるか、無効になっている。migrate に {event} を送ると新しくなる",
        en: "the fence is another build's, on another table, or switched off: send {event} to migrate to renew it",
    )
}
