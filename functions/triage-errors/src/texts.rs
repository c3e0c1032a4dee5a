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
        Cause::TimedOut => text!(language, ja: "処理時間の超過", en: "a processing time beyond its limit"),
        Cause::Database => {
            text!(language, ja: "データベースの一時的なエラー（接続、ロック）", en: "database errors that may pass (connections, locks)")
        }
        Cause::Model => text!(language, ja: "AI 生成の一時的なエラー", en: "errors of the AI generation that may pass"),
        Cause::DatabaseRefuses => {
            text!(language, ja: "データベースの解消しないエラー（制約違反など）", en: "database errors that stay (a violated constraint, say)")
        }
        Cause::ModelRefuses => {
            text!(language, ja: "AI 生成の解消しないエラー（プロンプト、モデル、権限）", en: "errors of the AI generation that stay (prompt, model or role)")
        }
        Cause::Validation => text!(language, ja: "入力値の不正", en: "invalid input"),
        Cause::RateLimited => {
            text!(language, ja: "呼び出し数の制限（Bedrock 以外）", en: "calls refused for their number, not by Bedrock")
        }
        Cause::StepFunctions => text!(language, ja: "Step Functions のエラー", en: "errors of Step Functions"),
        Cause::Other(code) => text!(language, ja: "未知のコード {code}", en: "the code {code}, which is not known"),
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
            en: "look in the examples' execution histories for a fault of the definition, a permission or a quota (send their processId to analyze-logs)",
        ),
        Cause::Throttled | Cause::TimedOut | Cause::Database | Cause::Model | Cause::Other(_) | Cause::ByPerson => {
            text!(
                language,
                ja: "例の処理のログを確認する（analyze-logs に processId を送る）",
                en: "look at the examples' logs (send their processId to analyze-logs)",
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
        ja: "直近 {window} の失敗 {failed} 件中 {count} 件（{percent:.0}%）が「{name}」で、その前の {window} は {before} 件",
        en: "{count} of the {failed} failures of the last {window} ({percent:.0} %) are {name}; {before} in the {window} before",
    )
}

/// A dominant cause that no step answers.
#[must_use]
pub fn for_people(language: Language, why: &str, look_at: &str) -> String {
    text!(language, ja: "{why}。これに応えるステップはない。{look_at}", en: "{why}; no step answers that: {look_at}")
}

/// The fields that failed, at the end of a sentence.
#[must_use]
pub fn fields(language: Language, fields: &str) -> String {
    text!(language, ja: "失敗した項目: {fields}", en: "the fields: {fields}")
}

/// There are failures, and none of their causes stands out.
#[must_use]
pub fn no_dominant_cause(language: Language, failed: i64, causes: &str, least: f64) -> String {
    text!(
        language,
        ja: "失敗 {failed} 件に、{least:.0}% 以上を占める原因がない: {causes}",
        en: "none of the causes of {failed} failures has {least:.0} % of them: {causes}",
    )
}

/// Nothing has failed.
#[must_use]
pub fn nothing_failed(language: Language, window: &str, closed: i64) -> String {
    text!(
        language,
        ja: "直近 {window} に終了した {closed} 件に、人が閉じたもの以外の失敗はない",
        en: "of the {closed} that were closed in the last {window} none failed but what a person closed",
    )
}

/// Too few have failed to say why.
#[must_use]
pub fn too_few(language: Language, failed: i64, least: i64) -> String {
    text!(
        language,
        ja: "失敗は {failed} 件だけで、主な原因を言うには {least} 件が必要である",
        en: "only {failed} failed: a cause is named from {least} on",
    )
}

/// A schedule's look while nothing is wrong.
#[must_use]
pub fn no_incident(language: Language, alarm: &str) -> String {
    text!(language, ja: "{alarm} のインシデントは開いていない", en: "no incident of {alarm} is open")
}

/// Why a step cannot be started.
#[must_use]
pub fn not_started(language: Language, hindrance: Hindrance, own: &str, step: &str) -> String {
    match hindrance {
        Hindrance::Depth => text!(
            language,
            ja: "この実行は別のステップから始まった連鎖の上限にあるため、{step} を開始しない",
            en: "{step} is not started: steps led to this run already, as many as may",
        ),
        Hindrance::Name => text!(
            language,
            ja: "{step} の関数名が分からないため開始できない。この関数の名前は <prefix>{own} でなければならない",
            en: "{step} cannot be started, because its function's name is not known: this function must be named <prefix>{own}",
        ),
    }
}

/// A code that is none of the application's.
#[must_use]
pub fn unknown_code(language: Language, code: &str, count: i64) -> String {
    text!(
        language,
        ja: "コード {code}（{count} 件）はどのステップも知らない。例の処理のログを確認する",
        en: "no step knows the code {code} ({count} times): look at the examples' logs",
    )
}

/// A type of process that fails far more often than the others.
#[must_use]
pub fn type_fails(language: Language, name: &str, (failed, closed, percent): (i64, i64, f64), others: f64) -> String {
    text!(
        language,
        ja: "{name} に失敗が集中している: {closed} 件中 {failed} 件（{percent:.0}%）、ほかの種類は {others:.0}%",
        en: "{name} fails far more often than the others: {failed} of {closed} ({percent:.0} %), the others {others:.0} %",
    )
}

/// The worker's log could not be read.
#[must_use]
pub fn log_not_read(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "ワーカーのログは読めなかったため、行だけで判断した: {why}",
        en: "the worker's log could not be read, so this rests on the rows alone: {why}",
    )
}

/// There is no log to read.
#[must_use]
pub fn no_log_group(language: Language, group: &str) -> String {
    text!(
        language,
        ja: "ロググループ {group} が存在しない。WORKER_FUNCTION_NAME を確認する",
        en: "the log group {group} does not exist; check WORKER_FUNCTION_NAME",
    )
}

/// The log did not answer in time.
#[must_use]
pub fn log_too_slow(language: Language) -> String {
    text!(language, ja: "時間内に応答がない", en: "no answer in time")
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
        en: "Failures from {from} to {to}: {failed} of {closed} that were closed ({percent:.1} %); in as long before that, {failed_before} of {closed_before}",
    )
}

/// A line of the report: an error's share. `examples` are process ids.
#[must_use]
pub fn error(language: Language, what: &str, count: i64, share: f64, before: i64, examples: &str) -> String {
    text!(
        language,
        ja: "{what}: {count} 件（{share:.1}%）、その前は {before} 件。例: {examples}",
        en: "{what}: {count} ({share:.1} %), {before} before; such as {examples}",
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
pub fn log_read(language: Language, lines: usize, requests: u32, beside: &str) -> String {
    text!(
        language,
        ja: "ログ: エラー行 {lines} 行を {requests} 回の要求で読んだ。失敗した行にないもの: {beside}",
        en: "log: {lines} lines of errors, read with {requests} requests; not of a failed row: {beside}",
    )
}

/// How far the log was read, where not to its end.
#[must_use]
pub fn log_read_until(language: Language, until: &str) -> String {
    text!(
        language,
        ja: "ログは予算の範囲でしか読んでいない。{until} より後は読んでいないものがある",
        en: "the log was read within a budget: not all after {until}",
    )
}

/// The report's word for nothing.
#[must_use]
pub fn nothing(language: Language) -> String {
    text!(language, ja: "なし", en: "nothing")
}

/// The report's last line: what is to be done.
#[must_use]
pub fn answered_by(language: Language, why: &str, step: &str) -> String {
    text!(language, ja: "主な原因: {why}。{step} が応える", en: "dominant cause: {why}; {step} answers")
}

/// An event about one process.
#[must_use]
pub fn about_all_failures(language: Language) -> String {
    text!(
        language,
        ja: "triage-errors は一定期間の失敗全体を調べる。{{\"window\": \"1h\"}} を送ること（1 件の処理は、その processId を analyze-logs に送る）",
        en: "triage-errors looks at all failures of a time: send {{\"window\": \"1h\"}} (for one process, send its processId to analyze-logs)",
    )
}
