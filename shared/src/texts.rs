//! Every sentence that reaches a row or a person, in Japanese (as the guide is) and in English.

use std::time::Duration;

use chrono::TimeDelta;

use crate::actions::fence::{Change, State};
use crate::decide::{Anomaly, Closing, Decision, Reason, StopCause};
use crate::domain::{ExecutionStatus, Language, ProcessStatus};
use crate::goals::{GoalStatus, Open, OrphanKind};
use crate::report::{CheckState, DoneOutcome};
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
        AlarmState::Alarm => {
            text!(language, ja: "アラーム {alarm} が発生した。インシデントを開いた。このステップは解消してから動く", en: "alarm {alarm} went off: its incident is open; this step acts once it is over")
        }
        AlarmState::Ok => {
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

/// Why an execution is stopped whose process a person wants cancelled.
#[must_use]
pub fn cancel_stops(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "手動キャンセル: 実行 {execution} がまだ実行中なので、先に停止する",
        en: "cancelled by hand: execution {execution} still runs, so it is stopped first",
    )
}

/// Why a row becomes CANCELLED that a person wants cancelled.
#[must_use]
pub fn cancel_closes(language: Language) -> String {
    text!(
        language,
        ja: "手動キャンセル: 実行中のものはない",
        en: "cancelled by hand: nothing runs for it",
    )
}

/// There is nothing left to cancel.
#[must_use]
pub fn already_cancelled(language: Language) -> String {
    text!(
        language,
        ja: "既に CANCELLED であり、実行中のものもない",
        en: "already so: the row is CANCELLED and nothing runs for it",
    )
}

/// A process that a person wants cancelled, and that is not.
#[must_use]
pub fn not_cancelled(language: Language, row: ProcessStatus, execution: Option<ExecutionStatus>, why: &str) -> String {
    match execution {
        Some(execution) => text!(
            language,
            ja: "キャンセルしていない: 行は {row}、実行は {execution} である（{why}）",
            en: "not cancelled: the row is {row}, its execution is {execution} ({why})",
        ),
        None => text!(
            language,
            ja: "キャンセルしていない: 行は {row}、実行は存在しない（{why}）",
            en: "not cancelled: the row is {row}, there is no execution ({why})",
        ),
    }
}

/// A sentence with the operator's own reason.
#[must_use]
pub fn because(language: Language, sentence: &str, reason: &str) -> String {
    text!(language, ja: "{sentence}（理由: {reason}）", en: "{sentence} (reason: {reason})")
}

/// The headline of the health report, with how many checks ended how.
#[must_use]
pub fn health(language: Language, at: &str, [ok, warning, failed]: [usize; 3]) -> String {
    text!(
        language,
        ja: "非同期処理システムヘルスチェック {at}: 正常 {ok}, 注意 {warning}, 失敗 {failed}",
        en: "Health of the asynchronous processing, {at}: {ok} ok, {warning} with a warning, {failed} failed",
    )
}

/// The five checks of the guide's script, in its order and words, and the sixth, which is ours.
#[must_use]
pub fn check_titles(language: Language) -> [String; 6] {
    let titles = [
        ("Lambda関数の状態", "Lambda functions"),
        ("Step Functions実行状態", "Step Functions executions"),
        ("データベース接続", "Database connection"),
        ("処理中の件数", "Processes by status"),
        ("過去1時間のエラー率", "Error rate of the last hour"),
        ("ワーカーの実行", "Runs of the worker"),
    ];
    titles.map(|(ja, en)| text!(language, ja: "{ja}", en: "{en}"))
}

/// How a check ended.
#[must_use]
pub fn check_state(language: Language, state: CheckState) -> String {
    match state {
        CheckState::Ok => text!(language, ja: "正常", en: "ok"),
        CheckState::Warning => text!(language, ja: "注意", en: "warning"),
        CheckState::Failed => text!(language, ja: "失敗", en: "failed"),
    }
}

/// A check that came to nothing.
#[must_use]
pub fn check_not_made(language: Language, why: &str) -> String {
    text!(language, ja: "確認できなかった: {why}", en: "could not be checked: {why}")
}

/// A check that took longer than it may.
#[must_use]
pub fn check_too_slow(language: Language, limit: Duration) -> String {
    text!(language, ja: "{limit:?} 以内に応答がなかった", en: "no answer within {limit:?}")
}

/// A check of the table, without a database.
#[must_use]
pub fn check_needs_database(language: Language) -> String {
    text!(language, ja: "データベースに接続できない（3 を参照）", en: "there is no connection to the database (see 3)")
}

/// All functions are as they should be.
#[must_use]
pub fn functions_active(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "{count} 個の関数すべてが Active で、最後の更新も成功している",
        en: "all {count} are active, and their last updates succeeded",
    )
}

/// Some functions are not.
#[must_use]
pub fn functions_wrong(language: Language, wrong: usize, count: usize, which: &str) -> String {
    text!(language, ja: "{count} 個中 {wrong} 個が正常でない: {which}", en: "{wrong} of {count} are not as they should be: {which}")
}

/// What Lambda says of a function.
#[must_use]
pub fn function_state(language: Language, name: &str, state: &str, last_update: &str, reasons: &str) -> String {
    let or_unknown = |told: &str| if told.is_empty() { "?".to_owned() } else { told.to_owned() };
    let (state, last_update) = (or_unknown(state), or_unknown(last_update));
    let told = text!(language, ja: "{name}: {state}、最後の更新は {last_update}", en: "{name}: {state}, last update {last_update}");
    if reasons.is_empty() { told } else { format!("{told} ({reasons})") }
}

/// A function that there is not.
#[must_use]
pub fn function_missing(language: Language, name: &str) -> String {
    text!(
        language,
        ja: "{name}: 存在しない。APPLICATION_FUNCTION_NAMES（CDK の applicationFunctionNames）と WORKER_FUNCTION_NAME を確認する",
        en: "{name}: does not exist; check APPLICATION_FUNCTION_NAMES (the CDK app's applicationFunctionNames) and WORKER_FUNCTION_NAME",
    )
}

/// How many executions run.
#[must_use]
pub fn executions_running(language: Language, count: usize, more: bool, late: usize, deadline: i64) -> String {
    let or_more = match (more, language) {
        (false, _) => "",
        (true, Language::Ja) => "以上",
        (true, Language::En) => " or more",
    };
    let running = text!(language, ja: "実行中 {count} 件{or_more}", en: "{count}{or_more} running");
    if late == 0 {
        return running;
    }
    text!(language, ja: "{running}。うち {late} 件は期限の {deadline} 秒を過ぎている", en: "{running}, {late} of them past the deadline of {deadline} s")
}

/// How long an execution has been running.
#[must_use]
pub fn execution_runs(language: Language, name: &str, seconds: i64) -> String {
    text!(language, ja: "{name}: {seconds} 秒経過", en: "{name}: for {seconds} s")
}

/// The database answers; connections are (used, available, percent).
#[must_use]
pub fn database_answers(
    language: Language,
    milliseconds: f64,
    (used, available, percent): (i64, i64, f64),
    blocked: usize,
) -> String {
    text!(
        language,
        ja: "{milliseconds:.1} ms で応答。接続数 {used}/{available}（{percent:.0}%）、ロック待ちのセッション {blocked} 件",
        en: "answers within {milliseconds:.1} ms; {used} of {available} connections are used ({percent:.0} %), blocked sessions: {blocked}",
    )
}

/// A session that waits for a lock.
#[must_use]
pub fn session_blocked(language: Language, pid: &str, by: &str) -> String {
    text!(language, ja: "セッション {pid} は {by} を待っている", en: "session {pid} waits for {by}")
}

/// Sessions that this database user may not look into.
#[must_use]
pub fn sessions_unseen(language: Language, count: i64) -> String {
    text!(
        language,
        ja: "他のユーザーのセッション {count} 件は中身が見えないため、すべて接続として数えた（GRANT pg_monitor で見えるようになる）",
        en: "{count} sessions of other users cannot be looked into, so each was counted as a connection (GRANT pg_monitor opens them)",
    )
}

/// The open processes.
#[must_use]
pub fn processes_open(language: Language, pending: i64, processing: i64, sound: bool) -> String {
    let open = text!(language, ja: "PENDING {pending} 件、PROCESSING {processing} 件", en: "PENDING {pending}, PROCESSING {processing}");
    if sound {
        text!(language, ja: "{open}。修正が必要なものはない", en: "{open}; nothing is to be put right")
    } else {
        text!(language, ja: "{open}。修正が必要なものがある", en: "{open}; something is to be put right")
    }
}

/// The closed ones, as far as they are counted.
#[must_use]
pub fn closed_in_a_day(language: Language, statuses: &str) -> String {
    let statuses = if statuses.is_empty() { "0" } else { statuses };
    text!(
        language,
        ja: "過去24時間に終了: {statuses}（それより古い行は数えない。毎分テーブル全体を読むことになるため）",
        en: "closed in the last 24 hours: {statuses} (older rows are not counted: that would read the whole table every minute)",
    )
}

/// Cancelled processes that still run.
#[must_use]
pub fn uncancelled(language: Language, count: usize) -> String {
    text!(language, ja: "キャンセル済みの処理 {count} 件がまだ実行中である", en: "{count} cancelled processes still run")
}

/// What is wrong, and the step that answers it.
#[must_use]
pub fn answered_by(language: Language, wrong: &str, step: &str) -> String {
    text!(language, ja: "{wrong}（{step} が対応する）", en: "{wrong} ({step} answers)")
}

/// The rates of the last hour.
#[must_use]
pub fn error_rate(language: Language, errors: f64, timeouts: f64, failed: i64, closed: i64) -> String {
    text!(
        language,
        ja: "エラー率 {errors:.1}%（終了した {closed} 件中 {failed} 件）、タイムアウト率 {timeouts:.1}%",
        en: "{errors:.1} % ({failed} of {closed} that were closed), timeouts {timeouts:.1} %",
    )
}

/// Nothing was closed.
#[must_use]
pub fn no_error_rate(language: Language) -> String {
    text!(language, ja: "過去1時間に終了した処理がないため、率はない", en: "nothing was closed, so there is no rate")
}

/// How long the completed ones took.
#[must_use]
pub fn durations(language: Language, average: f64, p95: f64) -> String {
    text!(
        language,
        ja: "完了した処理の所要時間: 平均 {average:.1} 秒、95% は {p95:.1} 秒以内",
        en: "completed ones took {average:.1} s on average, 95 % of them {p95:.1} s at most",
    )
}

/// An installation without goals, or whose processes name none.
#[must_use]
pub fn goals_absent(language: Language, missing: &str) -> String {
    text!(
        language,
        ja: "このデータベースには {missing} がないため、処理の対象の目標を確認できない",
        en: "this database has no {missing}: what the processes work for cannot be looked at",
    )
}

/// A process whose target is in none of the tables.
#[must_use]
pub fn target_gone(language: Language, target: &str) -> String {
    text!(
        language,
        ja: "処理の対象 {target} は goals、sub_goals、actions のいずれにも存在しない",
        en: "its target {target} is in none of goals, sub_goals and actions",
    )
}

/// A sub-goal or an action whose parent is gone.
#[must_use]
pub fn orphan(language: Language, kind: OrphanKind, missing: &str) -> String {
    match kind {
        OrphanKind::SubGoal => {
            text!(language, ja: "サブ目標の目標 {missing} が存在しない", en: "this sub-goal's goal {missing} is gone")
        }
        OrphanKind::Action => {
            text!(language, ja: "アクションのサブ目標 {missing} が存在しない", en: "this action's sub-goal {missing} is gone")
        }
    }
}

/// A goal that is not ACTIVE although work under it is open.
#[must_use]
pub fn goal_inconsistent(language: Language, status: &str, open: Open) -> String {
    let Open { sub_goals, actions, processes } = open;
    text!(
        language,
        ja: "目標は {status} だが、未完了のサブ目標 {sub_goals} 件、アクション {actions} 件、処理 {processes} 件がある",
        en: "the goal is {status}, and open under it are: sub-goals {sub_goals}, actions {actions}, processes {processes}",
    )
}

/// A goal whose status a person has set: the event that sets it ACTIVE.
#[must_use]
pub fn a_persons_goal(language: Language, inconsistent: &str, event: &str) -> String {
    text!(
        language,
        ja: "{inconsistent}。この状態は人が決めたものなので変更しない。ACTIVE にするには {event} を送る",
        en: "{inconsistent}. A person has decided so, and it is left; to set it ACTIVE, send {event}",
    )
}

/// A goal that a person wants ACTIVE.
#[must_use]
pub fn goal_asked(language: Language, inconsistent: &str) -> String {
    text!(language, ja: "{inconsistent}。人が ACTIVE にするよう求めた", en: "{inconsistent}; a person asks for ACTIVE")
}

/// A goal that is as its children are.
#[must_use]
pub fn goal_consistent(language: Language, status: &GoalStatus) -> String {
    match status {
        GoalStatus::Active => text!(language, ja: "目標は ACTIVE である", en: "the goal is ACTIVE"),
        GoalStatus::Completed | GoalStatus::Paused | GoalStatus::Cancelled | GoalStatus::Other(_) => {
            text!(
                language,
                ja: "目標は {status} で、未完了のものはない",
                en: "the goal is {status}, and nothing is open under it",
            )
        }
    }
}

/// A target that belongs to no goal.
#[must_use]
pub fn no_goal(language: Language) -> String {
    text!(language, ja: "対象の上に目標がない", en: "no goal is above its target")
}

/// A process that works for nothing.
#[must_use]
pub fn no_target(language: Language) -> String {
    text!(language, ja: "処理に対象（target_id）がない", en: "the process has no target")
}

/// A failure that another step answers.
#[must_use]
pub fn may_pass(language: Language, what: &str) -> String {
    text!(
        language,
        ja: "この失敗（{what}）は一時的なものなので、再試行に任せる",
        en: "this failure ({what}) may pass by itself: it is left to a retry",
    )
}

/// An execution that has not failed.
#[must_use]
pub fn not_failed(language: Language, status: &str) -> String {
    text!(language, ja: "{status} であり、失敗していない", en: "it is {status}: nothing has failed")
}

/// An execution that no longer speaks for its process.
#[must_use]
pub fn started_anew(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "この失敗の後に実行 {execution} が開始されている",
        en: "after this failure, execution {execution} was started",
    )
}

/// Why a progress is brought back into its range.
#[must_use]
pub fn progress_clamped(language: Language, progress: i16, to: i16) -> String {
    if progress > 100 {
        text!(language, ja: "進捗率が 100 を超えているため {to} に直す", en: "the progress is above 100: brought back to {to}")
    } else {
        text!(language, ja: "進捗率が 0 未満のため {to} に直す", en: "the progress is below 0: brought back to {to}")
    }
}

/// Why a progress is brought back to where it was.
#[must_use]
pub fn progress_restored(language: Language, progress: i16, highest: i16) -> String {
    text!(
        language,
        ja: "同じ試行の中で進捗率が {highest} から {progress} に下がったため {highest} に戻す",
        en: "the progress has fallen from {highest} to {progress} within one attempt: back to {highest}",
    )
}

/// A progress that is left to the decision table, with the table's own reason.
#[must_use]
pub fn progress_left(language: Language, reason: &str) -> String {
    text!(language, ja: "行は判定表に任せ、進捗率には触れない: {reason}", en: "the row is the decision table's, its progress is left: {reason}")
}

/// Rows whose progress cannot be true.
#[must_use]
pub fn progress_anomalies(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "{count} 件の進捗率が 0〜100 の範囲外か、同じ試行の中で下がっている",
        en: "the progress of {count} rows is out of 0..100 or has fallen within one attempt",
    )
}

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

/// A retry that was left open before its execution was started.
#[must_use]
pub fn never_retried(language: Language, execution: &str) -> String {
    text!(
        language,
        ja: "実行 {execution} は開始されていなかったため、行を元に戻した",
        en: "execution {execution} was never started: the row is put back as it was",
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

/// Why a process is tried once more.
#[must_use]
pub fn retried(language: Language, attempt: u32, of: u32, code: Option<&str>, execution: &str) -> String {
    let code = code.unwrap_or("-");
    text!(
        language,
        ja: "{code} は一時的な障害の可能性があるため再試行する（{of} 回中 {attempt} 回目、前回の実行は {execution}）",
        en: "{code} may have passed: attempt {attempt} of {of}, after execution {execution}",
    )
}

/// Why a process is tried once more although most of them fail.
#[must_use]
pub fn probed(language: Language, percent: f64, retried: &str) -> String {
    text!(
        language,
        ja: "エラー率 {percent:.0}% のため、回復したかをこの 1 件だけで確かめる: {retried}",
        en: "{percent:.0} % of what was closed lately failed so: this one alone shows whether it has passed: {retried}",
    )
}

/// A process that waits for a probe.
#[must_use]
pub fn waits_for_probe(language: Language, percent: f64) -> String {
    text!(
        language,
        ja: "エラー率 {percent:.0}% のため、先に試した 1 件の結果を待つ",
        en: "{percent:.0} % of what was closed lately failed so: it waits for what the one that is tried first comes to",
    )
}

/// A process that waits after a probe's failure.
#[must_use]
pub fn waits_after_probe(language: Language, percent: f64, left: TimeDelta) -> String {
    let left = seconds(left);
    text!(
        language,
        ja: "エラー率 {percent:.0}% で、先に試した 1 件も失敗したため、あと {left} 秒待つ",
        en: "{percent:.0} % of what was closed lately failed so, and the one that was tried first failed too: left for {left} s more",
    )
}

/// A retry that is due after this run's end.
#[must_use]
pub fn due_later(language: Language, left: TimeDelta) -> String {
    let left = seconds(left);
    text!(
        language,
        ja: "再試行は {left} 秒後で、今回の終了に間に合わないため次回に任せる",
        en: "due in {left} s, after this run's end: left for the next run",
    )
}

/// A failure that would come again.
#[must_use]
pub fn permanent_failure(language: Language, code: Option<&str>, message: Option<&str>) -> String {
    let (code, message) = (code.unwrap_or("-"), message.unwrap_or("-"));
    text!(
        language,
        ja: "{code} は再試行しても解消しないエラーのため、人の対応が必要である: {message}",
        en: "{code} is no error that passes, so it is not tried again; it needs a person: {message}",
    )
}

/// A process that was tried often enough.
#[must_use]
pub fn attempts_exhausted(language: Language, attempts: u32, code: Option<&str>, message: Option<&str>) -> String {
    let (code, message) = (code.unwrap_or("-"), message.unwrap_or("-"));
    text!(
        language,
        ja: "{attempts} 回試しても {code} で失敗したため、人の対応が必要である: {message}",
        en: "failed with {code} after {attempts} attempts, so it is not tried again; it needs a person: {message}",
    )
}

/// What was told before of a failure.
#[must_use]
pub fn told_already(language: Language) -> String {
    text!(language, ja: "人の対応が必要なことは通知済みである", en: "it needs a person, which was told already")
}

/// A row that is not closed as failed.
#[must_use]
pub fn row_not_failed(language: Language, status: ProcessStatus) -> String {
    text!(language, ja: "行は {status} で、失敗していない", en: "the row is {status}: nothing to try again")
}

/// A row that a person closed.
#[must_use]
pub fn closed_by_person(language: Language) -> String {
    text!(language, ja: "行は人が手動で閉じた（MANUAL_INTERVENTION）", en: "a person closed the row (MANUAL_INTERVENTION)")
}

/// An execution that a person stopped.
#[must_use]
pub fn stopped_by_person(language: Language) -> String {
    text!(language, ja: "実行は人が停止した", en: "a person stopped its execution")
}

/// A failed row with a result.
#[must_use]
pub fn failed_with_result(language: Language) -> String {
    text!(
        language,
        ja: "失敗した行に結果がある。仕事は終わっているため再試行しない",
        en: "the row failed and has a result: the work was done, so it is not tried again",
    )
}

/// A request that its user has made anew.
#[must_use]
pub fn superseded(language: Language) -> String {
    text!(language, ja: "ユーザーが同じ処理を新たに依頼している", en: "superseded by a newer request of its user")
}

/// A process without an execution.
#[must_use]
pub fn no_execution(language: Language) -> String {
    text!(
        language,
        ja: "この処理の実行が見つからず、再試行の入力が分からない",
        en: "no execution of it is known: there is no input to try again with",
    )
}

/// An execution that is not over.
#[must_use]
pub fn execution_not_over(language: Language) -> String {
    text!(language, ja: "実行がまだ終わっていない", en: "its execution is not over")
}

/// A failed row beside a success.
#[must_use]
pub fn execution_succeeded(language: Language) -> String {
    text!(
        language,
        ja: "実行は成功している。行は reconcile-processes が判断する",
        en: "its execution succeeded: reconcile-processes decides about the row",
    )
}

/// A process that failed a moment ago.
#[must_use]
pub fn failed_just_now(language: Language, left: TimeDelta) -> String {
    let left = seconds(left);
    text!(language, ja: "失敗したばかりなので、あと {left} 秒は次回に任せる", en: "it failed a moment ago: left for the next look for {left} s")
}

/// Nobody knows whether a newer execution was started.
#[must_use]
pub fn not_listed_lately(language: Language) -> String {
    text!(
        language,
        ja: "実行一覧を最近の分まで読めず、新しい実行の有無が分からない",
        en: "the list of executions could not be read: a newer one may have been started",
    )
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

pub mod concurrency;
pub mod performance;
pub mod reboot;
pub mod sessions;
pub mod story;
pub mod triage;
pub mod tuning;
pub mod worker;
pub mod worker_runs;
