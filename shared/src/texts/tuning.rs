//! What `tune-database` says, and what becomes of an index.

use std::time::Duration;

use crate::domain::Language;
use crate::indexes::{Hindrance, InTheWay};

/// An INVALID index bears the name.
#[must_use]
pub fn left_over_in_the_way(language: Language) -> String {
    text!(
        language,
        ja: "同じ名前の INVALID なインデックスが残っているため作成しない。先にそれを削除する（次の計画に含まれる）",
        en: "not begun: an INVALID index of this name is still there and has to go first; the next plan has it",
    )
}

/// Something else bears the name.
#[must_use]
pub fn name_taken(language: Language, definition: Option<&str>) -> String {
    let it = definition.unwrap_or("-");
    text!(
        language,
        ja: "この名前は別のものに使われているため作成できない（{it}）。名前を変えるか、手で作成する",
        en: "something else bears this name ({it}), so the index cannot be made: rename that, or make the index by hand under another name",
    )
}

/// The run's time is nearly over.
#[must_use]
pub fn too_late(language: Language, left: Duration) -> String {
    let left = left.as_secs();
    text!(
        language,
        ja: "この実行の残り時間が {left} 秒しかないため、作成を始めない。もう一度 {{\"all\": true}} を送り、新しい計画を承認する",
        en: "not begun: only {left} s of this run are left; send {{\"all\": true}} once more and approve the new plan",
    )
}

/// Something is in the way of a build.
#[must_use]
pub fn in_the_way(language: Language, all: &[InTheWay]) -> String {
    let who = hindrances(language, all);
    text!(
        language,
        ja: "作成を始めない。作成が待たされるため: {who}。終わってから（または relieve-database で終わらせてから）{{\"all\": true}} を送り、新しい計画を承認する",
        en: "not begun, because it would have to wait for: {who}. Once that is over (relieve-database may end it), send {{\"all\": true}} and approve the new plan",
    )
}

/// Something would be in the way of a build, were it approved now.
#[must_use]
pub fn would_wait(language: Language, all: &[InTheWay]) -> String {
    let who = hindrances(language, all);
    text!(
        language,
        ja: "今承認しても作成は始まらない。待つ相手: {who}",
        en: "approved now, nothing would be built, because a build would have to wait for: {who}",
    )
}

fn hindrances(language: Language, all: &[InTheWay]) -> String {
    let each = all.iter().map(|one| {
        let pid = one.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let who = one.who.as_deref().filter(|who| !who.is_empty()).unwrap_or("-");
        let seconds = one.seconds.map_or_else(|| "?".to_owned(), |seconds| format!("{seconds:.0}"));
        match one.kind {
            Hindrance::Transaction => text!(
                language,
                ja: "pid {pid}（{who}）のトランザクションが {seconds} 秒開いたまま",
                en: "pid {pid} ({who}), whose transaction has been open for {seconds} s",
            ),
            Hindrance::Prepared => text!(
                language,
                ja: "準備済みトランザクション {who} が {seconds} 秒残ったまま",
                en: "the prepared transaction {who}, {seconds} s old",
            ),
            Hindrance::Unseen => text!(
                language,
                ja: "pid {pid} のトランザクション（開始時刻を見る権限がない。GRANT pg_read_all_stats で見える）",
                en: "pid {pid}, whose transaction this user may not look into (GRANT pg_read_all_stats opens it)",
            ),
            Hindrance::Maintenance => text!(
                language,
                ja: "pid {pid}（{who}）がテーブルを変更、VACUUM、またはインデックス作成中",
                en: "pid {pid} ({who}), which alters, vacuums or indexes the table",
            ),
        }
    });
    each.collect::<Vec<_>>().join("; ")
}

/// A lock or an older transaction was waited for in vain.
#[must_use]
pub fn waited(language: Language, lock: Duration, now: &[InTheWay]) -> String {
    let (seconds, who) = (lock.as_secs_f64(), hindrances(language, now));
    let who = if who.is_empty() { "-".to_owned() } else { who };
    text!(
        language,
        ja: "ロックまたは古いトランザクションを {seconds} 秒待っても終わらなかった（今開いているもの: {who}）",
        en: "a lock or an older transaction did not go away within {seconds} s (open now: {who})",
    )
}

/// The server ended the build.
#[must_use]
pub fn ended_by_the_server(language: Language, statement: &str) -> String {
    text!(
        language,
        ja: "この実行の時間内に作成が終わらず、サーバーが打ち切った。psql で手で実行する: {statement}",
        en: "the build did not come to its end within this run, so the server ended it: run it by hand, from psql: {statement}",
    )
}

/// A right is missing.
#[must_use]
pub fn not_allowed(language: Language, error: &str, statement: &str) -> String {
    text!(
        language,
        ja: "{error}。インデックスはテーブルの所有者しか作れない。所有者として実行する: {statement}",
        en: "{error}. Only the table's owner may make an index: run it as the owner: {statement}",
    )
}

/// PostgreSQL refused.
#[must_use]
pub fn refused(language: Language, error: &str) -> String {
    text!(language, ja: "PostgreSQL が拒否した: {error}", en: "PostgreSQL refuses it: {error}")
}

/// What became of what a failed build left behind.
#[must_use]
pub fn cleaned_up(language: Language, dropped: bool) -> String {
    if dropped {
        text!(language, ja: "残った INVALID なインデックスは削除した", en: "the INVALID index that it left behind was dropped")
    } else {
        text!(
            language,
            ja: "INVALID なインデックスが残っている（書き込みのたびに負担になる）。次の計画がそれを削除する",
            en: "it left an INVALID index behind, which costs every write; the next plan drops it",
        )
    }
}

/// A build ended well, and the index is not there.
#[must_use]
pub fn not_there(language: Language) -> String {
    text!(
        language,
        ja: "文は成功したが、有効なインデックスが見つからない",
        en: "the statement succeeded, and there is no valid index of this name on the table afterwards",
    )
}

/// A drop ended well, and the index is there.
#[must_use]
pub fn still_there(language: Language) -> String {
    text!(language, ja: "インデックスがまだ残っている", en: "the index is still there")
}

/// A drop was refused.
#[must_use]
pub fn not_dropped(language: Language, error: &str) -> String {
    text!(
        language,
        ja: "削除できなかった: {error}。同じことをもう一度行える（残った INVALID なインデックスは次の計画にも含まれる）",
        en: "it could not be dropped: {error}. The same may be tried again; what is left INVALID is in the next plan too",
    )
}

/// The index that is to be taken away is another one by now.
#[must_use]
pub fn another_index(language: Language) -> String {
    text!(
        language,
        ja: "作成したときのインデックスはもうない（削除されたか、別の定義になっている）ため、何もしない",
        en: "the index that was made is gone or has another definition by now: it is left as it is",
    )
}

/// The run that built it ended before the build.
#[must_use]
pub fn interrupted(language: Language) -> String {
    text!(
        language,
        ja: "作成中の実行が途中で終わり、有効なインデックスはできていない",
        en: "the run that built it ended before the build did, and there is no valid index",
    )
}

/// An index is there.
#[must_use]
pub fn present(language: Language, name: &str) -> String {
    text!(language, ja: "既にある（{name}）", en: "already so: {name} is there")
}

/// An index is being built.
#[must_use]
pub fn building(language: Language, pid: i32, phase: Option<&str>, percent: Option<f64>) -> String {
    let phase = phase.unwrap_or("-");
    let percent = percent.map_or_else(|| "?".to_owned(), |percent| format!("{percent:.0}"));
    text!(
        language,
        ja: "pid {pid} が作成中である（{phase}、{percent} %）。終わるまで触らない",
        en: "pid {pid} is building it ({phase}, {percent} %): left alone until that is over",
    )
}

/// Why an index is to be made.
#[must_use]
pub fn missing(language: Language, serves: &str, rows: Option<i64>, table: i64, index: Option<i64>) -> String {
    let (table, index) = (bytes(table), index.map_or_else(|| "?".to_owned(), bytes));
    let rows = rows.map_or_else(|| "?".to_owned(), |rows| rows.to_string());
    text!(
        language,
        ja: "インデックスがない（用途: {serves}）。テーブルは {table}、約 {rows} 行。インデックスは最大約 {index}。書き込みを止めずに作成する",
        en: "it is missing, and serves {serves}. The table has {table} and about {rows} rows, the index will have {index} at most; it is built without holding up writes",
    )
}

/// Why an INVALID index is to go.
#[must_use]
pub fn left_over(language: Language) -> String {
    text!(
        language,
        ja: "失敗した作成の残り（INVALID）で、検索に使われず書き込みの負担だけになる",
        en: "a failed build left it behind INVALID: no query uses it, and every write pays for it",
    )
}

/// The table belongs to somebody else.
#[must_use]
pub fn needs_owner(language: Language, owner: &str, user: &str, statement: &str) -> String {
    text!(
        language,
        ja: "インデックスがないが、テーブルの所有者 {owner} しか作れない。{owner} として実行する: {statement}（または GRANT {owner} TO {user}）",
        en: "it is missing, and only the table's owner, {owner}, may make it: run as {owner}: {statement} (or GRANT {owner} TO {user})",
    )
}

/// An INVALID index that is none of ours.
#[must_use]
pub fn foreign_invalid(language: Language, statement: &str) -> String {
    text!(
        language,
        ja: "INVALID なインデックスで、検索に使われず書き込みの負担だけになる。作り直すか削除する: {statement}",
        en: "it is INVALID: no query uses it, and every write pays for it. Build it anew, or drop it: {statement}",
    )
}

/// A table that is read from its beginning to its end over and over.
#[must_use]
pub fn sequential_scans(language: Language, rows: i64, scans: i64, by_index: i64) -> String {
    text!(
        language,
        ja: "約 {rows} 行のテーブルが {scans} 回全件走査されている（インデックス走査は {by_index} 回）。遅い文の条件列にインデックスがあるか確認する",
        en: "about {rows} rows, read from beginning to end {scans} times (by an index {by_index} times): see whether the columns that the slow statements ask by are indexed",
    )
}

/// There are no statistics of statements.
#[must_use]
pub fn no_statements(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "文ごとの統計がない（{why}）。RDS のパラメータグループで shared_preload_libraries に pg_stat_statements を加えて再起動し、CREATE EXTENSION pg_stat_statements を実行する",
        en: "there are no statistics of statements ({why}): add pg_stat_statements to shared_preload_libraries in the RDS parameter group, reboot, and run CREATE EXTENSION pg_stat_statements",
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
        ja: "他のユーザーの {count} 文は内容を読む権限がない: GRANT pg_read_all_stats TO {user}",
        en: "{count} statements of other users may not be read: GRANT pg_read_all_stats TO {user}",
    )
}

/// The first line of the report.
#[must_use]
pub fn title(language: Language, at: &str, missing: usize, invalid: usize) -> String {
    text!(
        language,
        ja: "データベースの調整（{at}）: 足りないインデックス {missing}、INVALID {invalid}",
        en: "Tuning of the database, {at}: {missing} indexes missing, {invalid} INVALID",
    )
}

/// The headings of the report: by mean time, by total time, indexes, tables that are read whole.
#[must_use]
pub fn headings(language: Language) -> [&'static str; 4] {
    match language {
        Language::Ja => ["平均時間の長い文", "合計時間の長い文", "インデックス", "全件走査の多いテーブル"],
        Language::En => [
            "Slowest statements by mean time",
            "Statements by total time",
            "Indexes",
            "Tables that are read from beginning to end",
        ],
    }
}

/// A statement of the report.
#[must_use]
pub fn statement(language: Language, mean: f64, calls: i64, total: f64, rows: i64, query: &str) -> String {
    let total = total / 1000.0;
    text!(
        language,
        ja: "平均 {mean:.1} ms、{calls} 回、合計 {total:.1} 秒、{rows} 行: {query}",
        en: "{mean:.1} ms on average, {calls} calls, {total:.1} s in all, {rows} rows: {query}",
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
        ja: "インデックスがないが、スキーマ {schema} に作る権限がない: GRANT CREATE ON SCHEMA {schema} TO {user}",
        en: "it is missing, and nothing may be created in schema {schema}: GRANT CREATE ON SCHEMA {schema} TO {user}",
    )
}
