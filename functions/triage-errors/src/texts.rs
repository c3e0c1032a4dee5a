//! What this step says, in Japanese (as the guide is) and in English.

use remediation::act::actions::start_step::Hindrance;
use remediation::domain::Language;
use remediation::failure::cause::Cause;
use remediation::text;

/// A cause, in a few words.
#[must_use]
pub fn cause(language: Language, cause: &Cause) -> String {
    match cause {
        Cause::Throttled => text!(language, ja: "Bedrock のスロットリング", en: "throttling by Bedrock"),
        Cause::TimedOut => text!(language, ja: "処理時間の超過", en: "processing took longer than allowed"),
        Cause::Database => {
            text!(language, ja: "データベースの一時的なエラー（接続、ロック）", en: "temporary database errors (connections, locks)")
        }
        Cause::Model => text!(language, ja: "AI 生成の一時的なエラー", en: "temporary errors of the AI generation"),
        Cause::DatabaseRefuses => {
            text!(language, ja: "データベースの恒久的なエラー（制約違反など）", en: "permanent database errors (such as a violated constraint)")
        }
        Cause::ModelRefuses => {
            text!(language, ja: "AI 生成の恒久的なエラー（プロンプト、モデル、権限）", en: "permanent errors of the AI generation (prompt, model or role)")
        }
        Cause::Validation => text!(language, ja: "入力値の不正", en: "input that fails validation"),
        Cause::RateLimited => {
            text!(language, ja: "呼び出し数の制限（Bedrock 以外）", en: "rate limiting (not by Bedrock)")
        }
        Cause::StepFunctions => text!(language, ja: "Step Functions のエラー", en: "Step Functions errors"),
        Cause::Other(code) => text!(language, ja: "未知のコード {code}", en: "unknown code {code}"),
        Cause::ByPerson => text!(language, ja: "人による手動クローズ", en: "closed by a person"),
    }
}

/// What people are to look at where no step answers a cause.
#[must_use]
pub fn look_at(language: Language, cause: &Cause) -> String {
    match cause {
        Cause::Validation => text!(
            language,
            ja: "失敗した項目の検証ルールとフロントエンドの検証を確認する（ガイド: エラー別対応 VALIDATION_ERROR）",
            en: "check the rules of the fields that failed, and what the front end lets through (guide: VALIDATION_ERROR)",
        ),
        Cause::ModelRefuses => text!(
            language,
            ja: "プロンプトの長さとトークン数、モデルの利用権限とロールを確認する（ガイド: エラー別対応 AI_ERROR 4）",
            en: "check the prompt's length and tokens, the access to the model, and the role (guide: AI_ERROR, 4)",
        ),
        Cause::DatabaseRefuses => text!(
            language,
            ja: "例のメッセージにある制約、値、テーブルを、直近のデプロイやマイグレーションと照らして確認する（ガイド: エラー別対応 DATABASE_ERROR 2）",
            en: "check the constraint, value or table that the examples name against the last deployment or migration (guide: DATABASE_ERROR, 2)",
        ),
        Cause::RateLimited => text!(
            language,
            ja: "ワーカーの予約済み同時実行数（throttle-worker が下げている場合がある）とアカウントの同時実行数を確認する",
            en: "check the worker's reserved concurrency, which throttle-worker may have lowered, and the account's concurrency",
        ),
        Cause::StepFunctions => text!(
            language,
            ja: "例の処理の実行履歴で、定義、権限、クォータのエラーを確認する（analyze-logs に processId を送る）",
            en: "check the examples' execution histories for an error in the definition, permissions or a quota (send their processId to analyze-logs)",
        ),
        Cause::Throttled | Cause::TimedOut | Cause::Database | Cause::Model | Cause::Other(_) | Cause::ByPerson => {
            text!(
                language,
                ja: "例の処理のログを確認する（analyze-logs に processId を送る）",
                en: "check the examples' logs (send their processId to analyze-logs)",
            )
        }
    }
}

/// Why a cause is the dominant one: `count` of `failed`, which is `percent`. `window` is a span such as `1h`.
#[must_use]
pub fn dominant(
    language: Language,
    name: &str,
    window: &str,
    (count, failed, percent): (i64, i64, f64),
    before: i64,
) -> String {
    text!(
        language,
        ja: "{name}、直近 {window} の失敗 {failed} 件中 {count} 件（{percent:.0}%）、その前の {window} は {before} 件",
        en: "{name}, {count} of {failed} failures in the last {window} ({percent:.0} %), {before} in the {window} before",
    )
}

/// What was left out of the failures that a dominant cause is a part of.
pub fn without_invalid(language: Language, invalid: i64) -> String {
    text!(
        language,
        ja: "（入力値の不正 {invalid} 件を除く）",
        en: ", not counting {invalid} with invalid input",
    )
}

/// A dominant cause that no step answers.
#[must_use]
pub fn for_people(language: Language, why: &str, look_at: &str) -> String {
    text!(language, ja: "{why}。対応するステップなし。{look_at}", en: "{why}; no step handles this: {look_at}")
}

/// The fields that failed, at the end of a sentence.
#[must_use]
pub fn fields(language: Language, fields: &str) -> String {
    text!(language, ja: "失敗した項目: {fields}", en: "failed fields: {fields}")
}

/// There are failures, and none of their causes stands out.
#[must_use]
pub fn no_dominant_cause(language: Language, failed: i64, causes: &str, least: f64) -> String {
    text!(
        language,
        ja: "失敗 {failed} 件に {least:.0}% 以上を占める原因なし: {causes}",
        en: "failures: {failed}; no single cause reaches {least:.0} %: {causes}",
    )
}

/// Nothing has failed.
#[must_use]
pub fn nothing_failed(language: Language, window: &str, closed: i64) -> String {
    text!(
        language,
        ja: "直近 {window} に終了した {closed} 件に、人が手動でクローズしたもの以外の失敗なし",
        en: "closed in the last {window}: {closed}, no failures except those closed by a person",
    )
}

/// Too few have failed to say why.
#[must_use]
pub fn too_few(language: Language, failed: i64, least: i64) -> String {
    text!(
        language,
        ja: "失敗は {failed} 件のみ（主な原因の特定には {least} 件必要）",
        en: "failures: {failed}, too few to name a cause (at least {least} are needed)",
    )
}

/// A schedule's look while nothing is wrong.
#[must_use]
pub fn no_incident(language: Language, alarm: &str) -> String {
    text!(language, ja: "{alarm} の未解決インシデントなし", en: "{alarm} has no open incident")
}

/// Why a step cannot be started.
#[must_use]
pub fn not_started(language: Language, hindrance: Hindrance, own: &str, step: &str) -> String {
    match hindrance {
        Hindrance::Depth => text!(
            language,
            ja: "ステップの連鎖が上限に達しているため、{step} を開始しない",
            en: "{step} is not started: this run was started by other steps, and the chain is at its limit",
        ),
        Hindrance::Name => text!(
            language,
            ja: "{step} の関数名が不明のため開始できない。この関数の名前は <prefix>{own} とする",
            en: "{step} cannot be started because its function name is unknown: this function must be named <prefix>{own}",
        ),
    }
}

/// A code that is none of the application's.
#[must_use]
pub fn unknown_code(language: Language, code: &str, count: i64) -> String {
    text!(
        language,
        ja: "未知のコード {code}（{count} 件）。エラー名で判断する。例の処理のログを確認し、意味が決まったらプロファイルの codes（transient、permanent、cancelled）に加える",
        en: "unknown code {code} ({count} times), judged by the error's name: check the examples' logs, and add it to the profile's `codes` (transient, permanent or cancelled)",
    )
}

/// A type of process that fails far more often than the others.
#[must_use]
pub fn type_fails(language: Language, name: &str, (failed, closed, percent): (i64, i64, f64), others: f64) -> String {
    text!(
        language,
        ja: "{name} に失敗が集中: {closed} 件中 {failed} 件（{percent:.0}%）、ほかの種類は {others:.0}%。この種類の入力とプロンプト、直近のデプロイを確認する（1 件の経緯は analyze-logs に {{\"processId\": \"<id>\"}}）",
        en: "{name} fails far more often than other types: {failed} of {closed} ({percent:.0} %), others {others:.0} %. Check this type's inputs, its prompt and the last deployment (analyze-logs tells the story of one: {{\"processId\": \"<id>\"}})",
    )
}

/// The worker's log could not be read.
#[must_use]
pub fn log_not_read(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "ワーカーのログを読めず、行だけで判断: {why}",
        en: "the worker's log could not be read, so only the rows were counted: {why}",
    )
}

/// Nobody says where the application logs.
#[must_use]
pub fn log_nowhere(language: Language) -> String {
    text!(
        language,
        ja: "ログの場所は未設定（WORKER_FUNCTION_NAME か、プロファイルの logs.groups）、行だけで判断",
        en: "only the rows were counted: neither WORKER_FUNCTION_NAME nor the profile's logs.groups says where the log is",
    )
}

/// There is no log to read.
#[must_use]
pub fn no_log_group(language: Language, group: &str) -> String {
    text!(
        language,
        ja: "ロググループ {group} が存在しない。WORKER_FUNCTION_NAME を確認する",
        en: "log group {group} does not exist: check WORKER_FUNCTION_NAME",
    )
}

/// The log did not answer in time.
#[must_use]
pub fn log_too_slow(language: Language) -> String {
    text!(language, ja: "時間内に応答なし", en: "no answer in time")
}

/// The report's first line.
#[must_use]
pub fn heading(
    language: Language,
    from: &str,
    to: &str,
    (failed, closed, percent): (i64, i64, f64),
    (failed_before, closed_before): (i64, i64),
) -> String {
    text!(
        language,
        ja: "失敗の分析 {from} 〜 {to}: 終了 {closed} 件中 {failed} 件が失敗（{percent:.1}%）。その前の同じ長さの期間は {closed_before} 件中 {failed_before} 件",
        en: "Failures from {from} to {to}: {failed} of {closed} closed ({percent:.1} %); in the same time before, {failed_before} of {closed_before}",
    )
}

/// A line of the report: an error's share. `examples` are process ids.
#[must_use]
pub fn error(language: Language, what: &str, count: i64, share: f64, before: i64, examples: &str) -> String {
    text!(
        language,
        ja: "{what}: {count} 件（{share:.1}%）、その前は {before} 件。例: {examples}",
        en: "{what}: {count} ({share:.1} %), {before} before; examples: {examples}",
    )
}

/// A line of the report: what a type's share of failures is.
#[must_use]
pub fn of_type(language: Language, name: &str, (failed, closed, percent): (i64, i64, f64)) -> String {
    text!(
        language,
        ja: "種類 {name}: {closed} 件中 {failed} 件が失敗（{percent:.1}%）",
        en: "type {name}: {failed} of {closed} failed ({percent:.1} %)",
    )
}

/// A line of the report: what the log tells beside the rows.
#[must_use]
pub fn log_read(language: Language, lines: usize, requests: u32, beside: usize, codes: &str) -> String {
    let found = match beside {
        0 => text!(language, ja: "ログのエラーはすべて失敗した行のもの", en: "all log errors belong to failed rows"),
        1 => {
            text!(language, ja: "失敗した行に属さないログのエラー {beside} 件", en: "{beside} log error belongs to no failed row")
        }
        _ => {
            text!(language, ja: "失敗した行に属さないログのエラー {beside} 件", en: "{beside} log errors belong to no failed row")
        }
    };
    let found = if codes.is_empty() { found } else { format!("{found}: {codes}") };
    text!(
        language,
        ja: "{found}（読んだエラー行 {lines}、要求 {requests} 回）",
        en: "{found} (error lines read: {lines}, requests: {requests})",
    )
}

/// How far the log was read, where not to its end.
#[must_use]
pub fn log_read_until(language: Language, until: &str) -> String {
    text!(
        language,
        ja: "ログの読み取り上限に到達。{until} より後は一部のみ",
        en: "the log was read up to a limit: lines after {until} are incomplete",
    )
}

/// A process of the log that has no row.
#[must_use]
pub fn no_row(language: Language) -> String {
    text!(language, ja: "行なし", en: "no row")
}

/// A line of the log that tells no code.
#[must_use]
pub fn no_code(language: Language) -> String {
    text!(language, ja: "コードなし", en: "no code")
}

/// The report's last line: what is to be done.
#[must_use]
pub fn answered_by(language: Language, why: &str, step: &str) -> String {
    text!(language, ja: "主な原因: {why}（{step} が対応）", en: "dominant cause: {why} (handled by {step})")
}

/// An event about one process.
#[must_use]
pub fn about_all_failures(language: Language) -> String {
    text!(
        language,
        ja: "triage-errors は一定期間の失敗全体を調べる。{{\"window\": \"1h\"}} を送ること（1 件の処理は、その processId を analyze-logs に送る）",
        en: "triage-errors looks at all failures within a window: send {{\"window\": \"1h\"}} (for one process, send its processId to analyze-logs)",
    )
}
