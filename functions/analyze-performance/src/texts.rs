//! What this step says, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::text;

/// The headline.
#[must_use]
pub fn title(language: Language, window: &str) -> String {
    text!(
        language,
        ja: "パフォーマンス分析 {window}（受付から完了までの秒数。直前の同じ長さの期間と比較）",
        en: "Performance, {window} (seconds from acceptance to completion, compared with the preceding window of the same length)",
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

/// The heads of the table of types: the type, the window, how many, and seconds.
#[must_use]
pub fn heads(language: Language) -> [String; 8] {
    let [average, p50, p95, max] = heads_of_seconds(language);
    let least = text!(language, ja: "最小(秒)", en: "min s");
    [String::new(), String::new(), count(language), average, p50, p95, max, least]
}

/// The heads of the worker's table: the window, how many, seconds, memory, cold starts and their initialization.
#[must_use]
pub fn worker_heads(language: Language) -> [String; 11] {
    let [average, p50, p95, max] = heads_of_seconds(language);
    [
        String::new(),
        count(language),
        average,
        p50,
        p95,
        max,
        text!(language, ja: "平均(MB)", en: "avg MB"),
        text!(language, ja: "最大(MB)", en: "max MB"),
        text!(language, ja: "割当(MB)", en: "of MB"),
        text!(language, ja: "コールド", en: "cold"),
        text!(language, ja: "初期化(ms)", en: "init ms"),
    ]
}

fn count(language: Language) -> String {
    text!(language, ja: "件数", en: "n")
}

fn heads_of_seconds(language: Language) -> [String; 4] {
    [
        text!(language, ja: "平均(秒)", en: "avg s"),
        text!(language, ja: "p50(秒)", en: "p50 s"),
        text!(language, ja: "p95(秒)", en: "p95 s"),
        text!(language, ja: "最大(秒)", en: "max s"),
    ]
}

/// Neither window has a completed process.
#[must_use]
pub fn nothing_completed(language: Language) -> String {
    text!(language, ja: "どちらの期間にも完了した処理なし", en: "no process completed in either window")
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

/// A type that cannot be compared: so many were completed (now, before). `window` is what was looked at.
#[must_use]
pub fn too_few(language: Language, (now, before): (i64, i64), needed: i64, window: TimeDelta) -> String {
    let few = text!(
        language,
        ja: "遅くなったか判定できない: 完了は今 {now} 件、前 {before} 件（それぞれ {needed} 件必要）",
        en: "cannot tell whether it got slower: {now} completed now and {before} before, at least {needed} of each are needed",
    );
    // Only a window that is longer than the one that was asked for has more.
    let Some(longer) = [7, 31].into_iter().find(|days| TimeDelta::days(*days) > window) else { return few };
    text!(
        language,
        ja: "{few}。\"window\" を広げる（例: \"{longer}d\"）",
        en: "{few}; send a longer \"window\" (\"{longer}d\")",
    )
}

/// The largest run used nearly all memory.
#[must_use]
pub fn memory_short(language: Language, percent: f64, memory: f64) -> String {
    text!(
        language,
        ja: "メモリ逼迫: 最大の実行が {memory:.0} MB の {percent:.0}% を使用 → raise-worker-memory に {{}} を送る",
        en: "memory is running short: the largest run used {percent:.0} % of {memory:.0} MB → send {{}} to raise-worker-memory",
    )
}

/// More runs began cold.
#[must_use]
pub fn cold_starts(language: Language, before: f64, now: f64) -> String {
    text!(
        language,
        ja: "コールドスタート増加: 実行の {before:.0}% → {now:.0}% → provision-worker-concurrency に {{}} を送る",
        en: "more cold starts: {before:.0} % → {now:.0} % of runs → send {{}} to provision-worker-concurrency",
    )
}

/// More processes were tried again.
#[must_use]
pub fn retries(language: Language, before: f64, now: f64) -> String {
    text!(
        language,
        ja: "再試行の増加: 完了した処理の {before:.0}% → {now:.0}%（所要時間は全試行の合計）→ triage-errors に {{}} を送る",
        en: "more retries: {before:.0} % → {now:.0} % of completed processes (durations include every attempt) → send {{}} to triage-errors",
    )
}

/// The worker itself takes longer.
#[must_use]
pub fn worker_slower(language: Language, before: f64, now: f64) -> String {
    text!(
        language,
        ja: "ワーカー自体が遅い: p95 {before:.1} → {now:.1} 秒。Bedrock の応答時間とプロンプトの大きさを確認する。タイムアウトが近ければ extend-worker-timeout に {{}} を送る",
        en: "the worker itself is slower: p95 {before:.1} → {now:.1} s; check Bedrock's latency and the size of the prompts; if it is close to its timeout → send {{}} to extend-worker-timeout",
    )
}

/// The time is lost around the worker.
#[must_use]
pub fn around_the_worker(language: Language, before: f64, now: f64) -> String {
    text!(
        language,
        ja: "ワーカーの時間は変わらない（p95 {before:.1} → {now:.1} 秒）。前後の待ち（同時実行数、スロットリング、データベース）が原因 → throttle-worker、relieve-database、tune-database に {{}} を送る",
        en: "the worker takes as long as before (p95 {before:.1} → {now:.1} s): the time is lost around it (waiting for concurrency, throttling, the database) → send {{}} to throttle-worker, relieve-database, tune-database",
    )
}

/// Too little is known of the worker's runs.
#[must_use]
pub fn worker_not_known(language: Language) -> String {
    text!(
        language,
        ja: "ワーカーの変化は不明（下記参照、または実行回数が少ない）",
        en: "what changed in the worker is unknown (see below, or too few runs)",
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
    text!(language, ja: "ワーカーの実行状況は不明: {why}", en: "the worker's runs are unknown: {why}")
}

/// What the queries have cost.
#[must_use]
pub fn cost(language: Language, gigabytes: f64, usd: f64) -> String {
    text!(
        language,
        ja: "Logs Insights のスキャン量 {gigabytes:.3} GB（約 {usd:.4} USD）",
        en: "Logs Insights scanned {gigabytes:.3} GB (about {usd:.4} USD)",
    )
}

/// The queries would cost more than they may; the window that would not, in hours.
#[must_use]
pub fn too_expensive(language: Language, usd: f64, most: f64, hours: f64) -> String {
    let raised = (usd * 110.0).ceil() / 100.0;
    let fits = if hours >= 1.0 {
        text!(language, ja: "上限に収めるには {{\"window\": \"{hours:.0}h\"}}、または", en: "{{\"window\": \"{hours:.0}h\"}} would fit; or send")
    } else {
        text!(language, ja: "上限に収まる期間はない。", en: "no window would fit; send")
    };
    text!(
        language,
        ja: "Logs Insights のクエリは未実行: 見積もり {usd:.2} USD が上限 {most:.2} USD を超過。{fits} {{\"maxUsd\": {raised:.2}}} を送る",
        en: "the Logs Insights query was not run: it would cost about {usd:.2} USD, over the limit of {most:.2} USD; {fits} {{\"maxUsd\": {raised:.2}}}",
    )
}

/// An estimate that says nothing.
#[must_use]
pub fn estimate_unreadable(language: Language) -> String {
    text!(
        language,
        ja: "Logs Insights の見積もりを読み取れず費用が不明なため、クエリは未実行",
        en: "the Logs Insights estimate could not be read: the cost is unknown, so the query was not run",
    )
}

/// A row that says less than was asked for.
#[must_use]
pub fn row_unreadable(language: Language, field: &str) -> String {
    text!(
        language,
        ja: "Logs Insights の結果に {field} がない",
        en: "the Logs Insights result lacks {field}",
    )
}

/// A log group that does not exist.
#[must_use]
pub fn no_log_group(language: Language, group: &str) -> String {
    text!(
        language,
        ja: "ロググループ {group} が存在しない。WORKER_FUNCTION_NAME を確認する",
        en: "log group {group} does not exist: check WORKER_FUNCTION_NAME",
    )
}

/// The account's queries are used up.
#[must_use]
pub fn too_many_queries(language: Language) -> String {
    text!(
        language,
        ja: "アカウントの Logs Insights の同時クエリ数が上限に到達（LimitExceededException、ダッシュボードのクエリを含む）。しばらくして再度送る",
        en: "the account has reached its limit of concurrent Logs Insights queries (LimitExceededException; dashboards count too): send the event again later",
    )
}

/// A query that took too long.
#[must_use]
pub fn query_too_slow(language: Language) -> String {
    text!(
        language,
        ja: "Logs Insights のクエリが時間内に終わらず停止。\"window\" を狭める",
        en: "the Logs Insights query did not finish in time and was stopped: send a shorter \"window\"",
    )
}

/// A query that ended without a result.
#[must_use]
pub fn query_ended(language: Language, status: &str) -> String {
    text!(
        language,
        ja: "Logs Insights のクエリが {status} で終了。再度送る",
        en: "the Logs Insights query ended in {status}: send the event again",
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
