//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// The headline.
#[must_use]
pub fn title(language: Language, window: &str) -> String {
    text!(
        language,
        ja: "パフォーマンス分析 {window}（受付から完了までの秒数。同じ長さの直前の期間と比較）",
        en: "Performance, {window} (seconds from acceptance to completion; compared with the window of the same length before)",
    )
}

/// All types together.
#[must_use]
pub fn all_types(language: Language) -> String {
    text!(language, ja: "全種別", en: "all types")
}

/// The window before.
#[must_use]
pub fn before(language: Language) -> String {
    text!(language, ja: "前", en: "before")
}

/// The window.
#[must_use]
pub fn now(language: Language) -> String {
    text!(language, ja: "今", en: "now")
}

/// Neither window has a completed process.
#[must_use]
pub fn nothing_completed(language: Language) -> String {
    text!(language, ja: "どちらの期間にも完了した処理がない", en: "nothing was completed in either window")
}

/// A type that got slower; average and p95 in seconds, (before, now).
#[must_use]
pub fn slower(language: Language, kind: &str, average: (f64, f64), p95: (f64, f64)) -> String {
    let (average_before, average_now) = average;
    let (p95_before, p95_now) = p95;
    let (average, p95) = (risen(average), risen(p95));
    text!(
        language,
        ja: "{kind} が遅くなった: 平均 {average_before:.1} → {average_now:.1} 秒（{average}）、p95 {p95_before:.1} → {p95_now:.1} 秒（{p95}）",
        en: "{kind} got slower: average {average_before:.1} → {average_now:.1} s ({average}), p95 {p95_before:.1} → {p95_now:.1} s ({p95})",
    )
}

fn risen((before, now): (f64, f64)) -> String {
    if before > 0.0 { format!("{:+.0} %", 100.0 * (now - before) / before) } else { "-".to_owned() }
}

/// A type that cannot be compared.
#[must_use]
pub fn too_few(language: Language, now: i64, before: i64, needed: i64) -> String {
    text!(
        language,
        ja: "比較できない: 完了は今 {now} 件、前 {before} 件（それぞれ {needed} 件必要）。\"window\" を広げる（例: \"7d\"）",
        en: "not known whether it got slower: {now} completed now, {before} before, and {needed} of each are needed; a longer \"window\" (\"7d\") has more",
    )
}

/// The largest run used nearly all memory.
#[must_use]
pub fn memory_short(language: Language, percent: f64, memory: f64) -> String {
    text!(
        language,
        ja: "メモリが不足気味: 最大の実行が {memory:.0} MB の {percent:.0}% を使った → raise-worker-memory に {{}}",
        en: "memory is short: the largest run used {percent:.0} % of {memory:.0} MB → send {{}} to raise-worker-memory",
    )
}

/// More runs began cold.
#[must_use]
pub fn cold_starts(language: Language, before: f64, now: f64) -> String {
    text!(
        language,
        ja: "コールドスタートが増えた: 実行の {before:.0}% → {now:.0}% → provision-worker-concurrency に {{}}",
        en: "more cold starts: {before:.0} % → {now:.0} % of the runs → send {{}} to provision-worker-concurrency",
    )
}

/// More processes were tried again.
#[must_use]
pub fn retries(language: Language, before: f64, now: f64) -> String {
    text!(
        language,
        ja: "再試行が増えた: 完了した処理の {before:.0}% → {now:.0}%（所要時間には前の試行も含まれる）→ triage-errors に {{}}",
        en: "more retries: {before:.0} % → {now:.0} % of what was completed, and the time has every attempt in it → send {{}} to triage-errors",
    )
}

/// The worker itself takes longer.
#[must_use]
pub fn worker_slower(language: Language, before: f64, now: f64) -> String {
    text!(
        language,
        ja: "ワーカー自体が遅い: p95 {before:.1} → {now:.1} 秒。Bedrock の応答時間とプロンプトの大きさを確認する。タイムアウトが近ければ extend-worker-timeout に {{}}",
        en: "the worker itself is slower: p95 {before:.1} → {now:.1} s; look at Bedrock's latency and the prompts' size; where its timeout is near → send {{}} to extend-worker-timeout",
    )
}

/// The time is lost around the worker.
#[must_use]
pub fn around_the_worker(language: Language, before: f64, now: f64) -> String {
    text!(
        language,
        ja: "ワーカーの時間は変わらない（p95 {before:.1} → {now:.1} 秒）。前後の待ち（同時実行数、スロットリング、データベース）で失われている → throttle-worker、relieve-database、tune-database に {{}}",
        en: "the worker takes as long as before (p95 {before:.1} → {now:.1} s): the time is lost around it, waiting for concurrency, throttled, or in the database → send {{}} to throttle-worker, relieve-database, tune-database",
    )
}

/// Too little is known of the worker's runs.
#[must_use]
pub fn worker_not_known(language: Language) -> String {
    text!(
        language,
        ja: "ワーカーで何が変わったかは分からない（下記、または実行回数が少ない）",
        en: "what moved in the worker is not known (see below, or too few runs)",
    )
}

/// The headline of the worker's numbers.
#[must_use]
pub fn worker_title(language: Language) -> String {
    text!(language, ja: "ワーカーの実行（ログの REPORT 行から）", en: "The worker's runs, from the REPORT lines of its log")
}

/// Why nothing is known of the worker.
#[must_use]
pub fn worker_why(language: Language, why: &str) -> String {
    text!(language, ja: "ワーカーの実行は分からない: {why}", en: "the worker's runs are not known: {why}")
}

/// What the queries have cost.
#[must_use]
pub fn cost(language: Language, gigabytes: f64, usd: f64) -> String {
    text!(
        language,
        ja: "Logs Insights は {gigabytes:.3} GB を走査した（約 {usd:.4} USD）",
        en: "Logs Insights scanned {gigabytes:.3} GB (some {usd:.4} USD)",
    )
}

/// The queries would cost more than they may; the window that would not, in hours.
#[must_use]
pub fn too_expensive(language: Language, usd: f64, most: f64, hours: f64) -> String {
    let raised = (usd * 110.0).ceil() / 100.0;
    let fits = if hours >= 1.0 {
        text!(language, ja: "{{\"window\": \"{hours:.0}h\"}} なら収まる。または", en: "{{\"window\": \"{hours:.0}h\"}} would not; or send")
    } else {
        text!(language, ja: "収まる期間はない。", en: "no window would not; send")
    };
    text!(
        language,
        ja: "Logs Insights の見積もりは {usd:.2} USD で、上限 {most:.2} USD を超えるため実行しなかった。{fits} {{\"maxUsd\": {raised:.2}}} を送る",
        en: "Logs Insights would cost some {usd:.2} USD, over the limit of {most:.2}, so it was not asked; {fits} {{\"maxUsd\": {raised:.2}}}",
    )
}

/// An estimate that says nothing.
#[must_use]
pub fn estimate_unreadable(language: Language) -> String {
    text!(
        language,
        ja: "Logs Insights の見積もりを読み取れなかったため、費用が分からず実行しなかった",
        en: "the estimate of Logs Insights could not be read: what the query costs is not known, so it was not run",
    )
}

/// A row that says less than was asked for.
#[must_use]
pub fn row_unreadable(language: Language, field: &str) -> String {
    text!(
        language,
        ja: "Logs Insights の結果に {field} がない",
        en: "the answer of Logs Insights lacks {field}",
    )
}

/// A log group that does not exist.
#[must_use]
pub fn no_log_group(language: Language, group: &str) -> String {
    text!(
        language,
        ja: "ロググループ {group} が存在しない。WORKER_FUNCTION_NAME を確認する",
        en: "the log group {group} does not exist: check WORKER_FUNCTION_NAME",
    )
}

/// The account's queries are used up.
#[must_use]
pub fn too_many_queries(language: Language) -> String {
    text!(
        language,
        ja: "アカウントの Logs Insights の同時クエリ数が上限に達している（LimitExceededException）。ダッシュボードのクエリも数えられる。しばらくして再度送る",
        en: "the account's Logs Insights queries are used up (LimitExceededException; those of dashboards count): send the event again later",
    )
}

/// A query that took too long.
#[must_use]
pub fn query_too_slow(language: Language) -> String {
    text!(
        language,
        ja: "Logs Insights のクエリが時間内に終わらなかったため停止した。\"window\" を狭める",
        en: "the Logs Insights query did not end in time and was stopped: send a shorter \"window\"",
    )
}

/// A query that ended without a result.
#[must_use]
pub fn query_ended(language: Language, status: &str) -> String {
    text!(
        language,
        ja: "Logs Insights のクエリが {status} で終わった。再度送る",
        en: "the Logs Insights query ended {status}: send the event again",
    )
}

/// An event about one process.
#[must_use]
pub fn about_the_whole(language: Language) -> String {
    text!(
        language,
        ja: "analyze-performance はシステム全体を調べる。{{}} または {{\"window\": \"7d\"}} を送ること（1 件の処理は、その processId を analyze-logs に送る）",
        en: "analyze-performance looks at the whole system: send {{}}, or {{\"window\": \"7d\"}} (for one process, send its processId to analyze-logs)",
    )
}
