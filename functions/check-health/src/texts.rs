//! What this step says, in Japanese (as the guide is) and in English.

use crate::state::CheckState;
use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::run::texts::duration;
use remediation::text;
use std::time::Duration;

pub mod capacity;
pub mod worker_runs;

/// Open rows past their deadline.
#[must_use]
pub fn stuck(language: Language, count: usize) -> String {
    text!(language, ja: "{count} 件の処理が期限を過ぎても未完了", en: "processes still open past their deadline: {count}")
}

/// Rows that do not say what their executions say.
#[must_use]
pub fn mismatched(language: Language, count: usize) -> String {
    text!(language, ja: "{count} 件の行が Step Functions の実行と不一致", en: "rows that do not match their execution: {count}")
}

/// The headline of the health report, with how many checks ended how.
#[must_use]
pub fn health(language: Language, at: &str, [ok, warning, failed]: [usize; 3]) -> String {
    text!(
        language,
        ja: "非同期処理システムヘルスチェック {at}: 正常 {ok}、注意 {warning}、失敗 {failed}",
        en: "Async processing health check, {at}: {ok} ok, {warning} warning, {failed} failed",
    )
}

/// The five checks of the guide's script, in its order and words, and two of our own.
#[must_use]
pub fn check_titles(language: Language) -> [String; 7] {
    [
        text!(language, ja: "Lambda関数の状態", en: "Lambda functions"),
        text!(language, ja: "Step Functions実行状態", en: "Step Functions executions"),
        text!(language, ja: "データベース接続", en: "Database connection"),
        text!(language, ja: "処理中の件数", en: "Processes by status"),
        text!(language, ja: "過去1時間のエラー率", en: "Error rate in the last hour"),
        text!(language, ja: "ワーカーの実行", en: "Worker runs"),
        text!(language, ja: "ワーカーの同時実行", en: "Worker concurrency"),
    ]
}

/// How a check ended.
#[must_use]
pub fn check_state(language: Language, state: CheckState) -> String {
    match state {
        CheckState::Off => text!(language, ja: "対象外", en: "off"),
        CheckState::Ok => text!(language, ja: "正常", en: "ok"),
        CheckState::Warning => text!(language, ja: "注意", en: "warning"),
        CheckState::Failed => text!(language, ja: "失敗", en: "failed"),
    }
}

/// A check that came to nothing.
#[must_use]
pub fn check_not_made(language: Language, why: &str) -> String {
    text!(language, ja: "確認できず: {why}", en: "could not be checked: {why}")
}

/// A check that nobody can make.
#[must_use]
pub fn check_off(language: Language, setting: &str) -> String {
    text!(language, ja: "対象外: {setting} が未設定", en: "not checked (not set: {setting})")
}

/// A check that took longer than it may.
#[must_use]
pub fn check_too_slow(language: Language, limit: Duration) -> String {
    let limit = duration(language, TimeDelta::from_std(limit).unwrap_or_default());
    text!(language, ja: "{limit}以内に応答なし", en: "no answer within {limit}")
}

/// A check of the table, without a database.
#[must_use]
pub fn check_needs_database(language: Language) -> String {
    text!(language, ja: "データベースに接続できない（3 を参照）", en: "no connection to the database (see 3)")
}

/// All functions are as they should be.
#[must_use]
pub fn functions_active(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "全 {count} 関数が Active で、最後の更新も成功",
        en: "all {count} functions are active, and their last updates succeeded",
    )
}

/// Some functions are not.
#[must_use]
pub fn functions_wrong(language: Language, wrong: usize, count: usize, which: &str) -> String {
    match wrong {
        1 => {
            text!(language, ja: "{count} 関数中 {wrong} 関数に問題: {which}", en: "{wrong} of {count} functions has a problem: {which}")
        }
        _ => {
            text!(language, ja: "{count} 関数中 {wrong} 関数に問題: {which}", en: "{wrong} of {count} functions have a problem: {which}")
        }
    }
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
        en: "{name}: does not exist; check APPLICATION_FUNCTION_NAMES (applicationFunctionNames in the CDK app) and WORKER_FUNCTION_NAME",
    )
}

/// A function that the state machine calls, and that no setting names.
#[must_use]
pub fn function_unwatched(language: Language, name: &str) -> String {
    text!(
        language,
        ja: "{name}: ステートマシンから呼ばれるが監視対象外。監視するには APPLICATION_FUNCTION_NAMES（CDK の applicationFunctionNames）に加える",
        en: "{name}: called by the state machine, and not watched: to watch it, add it to APPLICATION_FUNCTION_NAMES (applicationFunctionNames in the CDK app)",
    )
}

/// How many executions run.
#[must_use]
pub fn executions_running(language: Language, count: usize, more: bool, late: usize, deadline: i64) -> String {
    let or_more = if more { text!(language, ja: "以上", en: " or more") } else { String::new() };
    let running = text!(language, ja: "実行中 {count} 件{or_more}", en: "{count}{or_more} running");
    if late == 0 {
        return running;
    }
    let deadline = duration(language, TimeDelta::seconds(deadline));
    text!(language, ja: "{running}、うち {late} 件が期限（{deadline}）超過", en: "{running}, {late} of them past the deadline of {deadline}")
}

/// How long an execution has been running.
#[must_use]
pub fn execution_runs(language: Language, name: &str, seconds: i64) -> String {
    let running = duration(language, TimeDelta::seconds(seconds));
    text!(language, ja: "{name}: {running}経過", en: "{name}: running for {running}")
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
        en: "answers in {milliseconds:.1} ms; {used} of {available} connections in use ({percent:.0} %), blocked sessions: {blocked}",
    )
}

/// A session that waits for a lock.
#[must_use]
pub fn session_blocked(language: Language, pid: &str, by: &str) -> String {
    text!(language, ja: "セッション {pid} は {by} 待ち", en: "session {pid} is waiting for {by}")
}

/// The open processes.
#[must_use]
pub fn processes_open(language: Language, pending: i64, processing: i64, sound: bool) -> String {
    let open = text!(language, ja: "PENDING {pending} 件、PROCESSING {processing} 件", en: "PENDING {pending}, PROCESSING {processing}");
    if sound {
        text!(language, ja: "{open}。修正不要", en: "{open}; nothing to fix")
    } else {
        text!(language, ja: "{open}。要修正あり", en: "{open}; something needs fixing")
    }
}

/// The closed ones, as far as they are counted.
#[must_use]
pub fn closed_in_a_day(language: Language, statuses: &str) -> String {
    let statuses = if statuses.is_empty() { "0" } else { statuses };
    text!(
        language,
        ja: "過去24時間に終了: {statuses}（毎分の全件走査を避けるため、それより古い行は数えない）",
        en: "closed in the last 24 hours: {statuses} (older rows are not counted: that would read the whole table every minute)",
    )
}

/// Cancelled processes that still run.
#[must_use]
pub fn uncancelled(language: Language, count: usize) -> String {
    text!(language, ja: "キャンセル済みの処理 {count} 件がまだ実行中", en: "cancelled processes still running: {count}")
}

/// The rates of the last hour.
#[must_use]
pub fn error_rate(language: Language, errors: f64, timeouts: f64, failed: i64, closed: i64) -> String {
    text!(
        language,
        ja: "エラー率 {errors:.1}%（終了 {closed} 件中 {failed} 件）、タイムアウト率 {timeouts:.1}%",
        en: "{errors:.1} % failed ({failed} of {closed} closed), {timeouts:.1} % timed out",
    )
}

/// Nothing was closed.
#[must_use]
pub fn no_error_rate(language: Language) -> String {
    text!(language, ja: "過去1時間に終了した処理がなく、エラー率は算出できない", en: "no process was closed in the last hour, so there is no error rate")
}

/// Too little was closed for a share of it to say anything: `from` so many, or from so many failures on.
#[must_use]
pub fn too_few_for_a_rate(language: Language, failed: i64, closed: i64, from: i64, from_failed: i64) -> String {
    text!(
        language,
        ja: "終了 {closed} 件中 {failed} 件が失敗。件数が少なくエラー率は算出しない（終了 {from} 件、または失敗 {from_failed} 件から）",
        en: "failed: {failed} of {closed} closed, too few for a rate (from {from} closed, or from {from_failed} failed)",
    )
}

/// What users did wrong, which is in no rate.
#[must_use]
pub fn invalid_input(language: Language, count: i64) -> String {
    text!(
        language,
        ja: "ほかに入力値の不正 {count} 件（利用者の入力によるため、率には含めない）",
        en: "excluded from the rates, because the user's input was not valid: {count}",
    )
}

/// How long the completed ones took.
#[must_use]
pub fn durations(language: Language, average: f64, p95: f64) -> String {
    text!(
        language,
        ja: "完了した処理の所要時間: 平均 {average:.1} 秒、95% は {p95:.1} 秒以内",
        en: "completed processes took {average:.1} s on average, 95 % of them at most {p95:.1} s",
    )
}

/// Rows whose progress cannot be true.
#[must_use]
pub fn progress_anomalies(language: Language, count: usize) -> String {
    text!(
        language,
        ja: "{count} 件の進捗率が 0〜100 の範囲外、または同じ試行内で低下",
        en: "rows whose progress is outside 0..100 or fell within one attempt: {count}",
    )
}

/// An event about one process.
#[must_use]
pub fn about_the_whole(language: Language) -> String {
    text!(
        language,
        ja: "check-health はシステム全体を調べる。{{}} を送ること（1 件の処理は、その processId を \"mode\": \"observe\" とともに reconcile-processes に送る）",
        en: "check-health looks at the whole system: send {{}} (for one process, send its processId to reconcile-processes with \"mode\": \"observe\")",
    )
}
