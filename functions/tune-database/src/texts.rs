//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::gather::indexes::State;
use remediation::text;

/// An index is there.
#[must_use]
pub fn present(language: Language, name: &str) -> String {
    text!(language, ja: "作成済み（{name}）", en: "already exists: {name}")
}

/// An index is being built.
#[must_use]
pub fn building(language: Language, pid: i32, phase: Option<&str>, percent: Option<f64>) -> String {
    let phase = phase.unwrap_or("-");
    let percent = percent.map_or_else(|| "?".to_owned(), |percent| format!("{percent:.0}"));
    text!(
        language,
        ja: "pid {pid} が作成中（{phase}、{percent} %）のためスキップ",
        en: "pid {pid} is building it ({phase}, {percent} %): skipped until it is done",
    )
}

/// Why an index is to be made.
#[must_use]
pub fn missing(language: Language, serves: &str, rows: Option<i64>, table: i64, index: Option<i64>) -> String {
    let (table, index) = (bytes(table), index.map_or_else(|| "?".to_owned(), bytes));
    let rows = rows.map_or_else(|| "?".to_owned(), |rows| rows.to_string());
    text!(
        language,
        ja: "インデックスなし（用途: {serves}）。テーブルは {table}、約 {rows} 行。インデックスは最大約 {index}。書き込みを止めずに作成する",
        en: "index missing (for: {serves}). The table is {table} with about {rows} rows, the index will be {index} at most; it is built without blocking writes",
    )
}

/// Why an INVALID index is to go.
#[must_use]
pub fn left_over(language: Language) -> String {
    text!(
        language,
        ja: "失敗した作成の残り（INVALID）。検索に使われず、書き込みの負荷だけになる",
        en: "left INVALID by a failed build: no query uses it, but every write pays for it",
    )
}

/// The table belongs to somebody else.
#[must_use]
pub fn needs_owner(language: Language, owner: &str, user: &str, statement: &str) -> String {
    text!(
        language,
        ja: "インデックスなし。作成できるのはテーブルの所有者 {owner} のみ。{owner} として実行する: {statement}（または GRANT {owner} TO {user}）",
        en: "index missing, and only the table's owner, {owner}, may create it; run as {owner}: {statement} (or GRANT {owner} TO {user})",
    )
}

/// An INVALID index that is none of ours.
#[must_use]
pub fn foreign_invalid(language: Language, statement: &str) -> String {
    text!(
        language,
        ja: "INVALID なインデックス。検索に使われず、書き込みの負荷だけになる。作り直すか削除する: {statement}",
        en: "INVALID index: no query uses it, but every write pays for it. Rebuild it or drop it: {statement}",
    )
}

/// A table that is read from its beginning to its end over and over.
#[must_use]
pub fn sequential_scans(language: Language, rows: i64, scans: i64, by_index: i64) -> String {
    text!(
        language,
        ja: "約 {rows} 行のテーブルの全件走査 {scans} 回（インデックス走査 {by_index} 回）。遅い文の条件列にインデックスがあるか確認する",
        en: "full scans of about {rows} rows: {scans} (index scans: {by_index}); check whether the columns that the slow statements filter by are indexed",
    )
}

/// There are no statistics of statements.
#[must_use]
pub fn no_statements(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "文ごとの統計なし（{why}）。RDS のパラメータグループで shared_preload_libraries に pg_stat_statements を加えて再起動し、CREATE EXTENSION pg_stat_statements を実行する",
        en: "no statement statistics ({why}): add pg_stat_statements to shared_preload_libraries in the RDS parameter group, reboot, and run CREATE EXTENSION pg_stat_statements",
    )
}

/// The extension is not there.
#[must_use]
pub fn no_extension(language: Language) -> String {
    text!(
        language,
        ja: "このデータベースに拡張 pg_stat_statements がない",
        en: "this database does not have the extension pg_stat_statements",
    )
}

/// Some statements may not be read.
#[must_use]
pub fn statements_hidden(language: Language, count: i64, user: &str) -> String {
    text!(
        language,
        ja: "他ユーザーの {count} 文は参照権限なし: GRANT pg_read_all_stats TO {user}",
        en: "statements of other users that cannot be read: {count}; fix: GRANT pg_read_all_stats TO {user}",
    )
}

/// The first line of the report.
#[must_use]
pub fn title(language: Language, at: &str, missing: usize, invalid: usize) -> String {
    text!(
        language,
        ja: "データベースの調整（{at}）: 不足インデックス {missing}、INVALID {invalid}",
        en: "Database tuning, {at}: missing indexes {missing}, INVALID {invalid}",
    )
}

/// The headings of the report: by mean time, by total time, indexes, tables that are read whole.
#[must_use]
pub fn headings(language: Language) -> [String; 4] {
    [
        text!(language, ja: "平均時間の長い文", en: "Slowest statements by mean time"),
        text!(language, ja: "合計時間の長い文", en: "Statements by total time"),
        text!(language, ja: "インデックス", en: "Indexes"),
        text!(language, ja: "全件走査の多いテーブル", en: "Tables with many full scans"),
    ]
}

/// A statement of the report.
#[must_use]
pub fn statement(language: Language, mean: f64, calls: i64, total: f64, rows: i64, query: &str) -> String {
    let total = total / 1000.0;
    text!(
        language,
        ja: "平均 {mean:.1} ms、{calls} 回、合計 {total:.1} 秒、{rows} 行: {query}",
        en: "{mean:.1} ms on average, {calls} calls, {total:.1} s in total, {rows} rows: {query}",
    )
}

/// A number of bytes as people read it.
#[must_use]
pub fn bytes(bytes: i64) -> String {
    let mut size = bytes.max(0);
    for unit in ["B", "kB", "MB", "GB"] {
        if size < 10_240 {
            return format!("{size} {unit}");
        }
        size /= 1024;
    }
    format!("{size} TB")
}

/// The right to create something in the table's schema is missing.
#[must_use]
pub fn needs_schema(language: Language, schema: &str, user: &str) -> String {
    text!(
        language,
        ja: "インデックスなし。スキーマ {schema} に作成する権限がない: GRANT CREATE ON SCHEMA {schema} TO {user}",
        en: "index missing, and this user may not create it in schema {schema}: GRANT CREATE ON SCHEMA {schema} TO {user}",
    )
}

/// An event about one process.
#[must_use]
pub fn about_the_whole(language: Language) -> String {
    text!(
        language,
        ja: "tune-database はデータベース全体を調べる。確認だけなら {{}}、計画を作るには {{\"all\": true}}、実行するには {{\"approve\": \"<planId>\"}} を送ること",
        en: "tune-database looks at the whole database: send {{}} to look, {{\"all\": true}} for a plan, {{\"approve\": \"<planId>\"}} to run it",
    )
}

/// The state of an index, in the report's text.
#[must_use]
pub fn state(language: Language, state: &State) -> String {
    match state {
        State::Present(_) => text!(language, ja: "あり", en: "present"),
        State::Missing => text!(language, ja: "なし", en: "missing"),
        State::Invalid(_) => text!(language, ja: "INVALID", en: "INVALID"),
        State::Building { .. } => text!(language, ja: "作成中", en: "being built"),
        State::Taken(_) => text!(language, ja: "名前が使用済み", en: "name taken"),
    }
}
