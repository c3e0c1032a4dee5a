//! What this step says, in Japanese (as the guide is) and in English.

use remediation::act::actions::end_session::Ending;
use remediation::domain::Language;
use remediation::gather::sessions::{Protection, State};
use remediation::text;

/// Why a session is never ended.
#[must_use]
pub fn protection(language: Language, protection: Protection, database: &str) -> String {
    match protection {
        Protection::Own => {
            text!(language, ja: "この自動復旧システム自身のセッションである", en: "it is this system's own session")
        }
        Protection::Unseen => text!(
            language,
            ja: "中身が見えないため何もしない（GRANT pg_monitor で見えるようになる）",
            en: "this user may not look into it (GRANT pg_monitor opens it)",
        ),
        Protection::Replication => {
            text!(language, ja: "レプリケーション用のセッションである", en: "it serves replication")
        }
        Protection::Vacuum => text!(language, ja: "VACUUM または ANALYZE を実行している", en: "it vacuums or analyzes"),
        Protection::Background => {
            text!(language, ja: "サーバー自身のプロセスである", en: "it is the server's own process")
        }
        Protection::OtherDatabase => {
            text!(language, ja: "別のデータベース {database} のセッションである", en: "it works in another database, {database}")
        }
        Protection::Superuser => text!(language, ja: "スーパーユーザーのセッションである", en: "it is a superuser's"),
        Protection::Migration => text!(
            language,
            ja: "スキーマを変更中か、スキーマ変更だけが取るロックを持っている（マイグレーション）",
            en: "it changes the schema, or holds or wants a lock that only such a change takes: a migration",
        ),
    }
}

/// Why a session of an unlisted application is never ended.
#[must_use]
pub fn not_listed(language: Language, application: &str) -> String {
    text!(
        language,
        ja: "アプリケーション名 `{application}` は DATABASE_APPLICATION_NAMES にない",
        en: "DATABASE_APPLICATION_NAMES does not have its application name `{application}`",
    )
}

/// Why a session that may be ended cannot be.
#[must_use]
pub fn may_not_signal(language: Language, user: &str) -> String {
    text!(
        language,
        ja: "データベースユーザー {user} には他のユーザーのセッションを終了する権限がない",
        en: "database user {user} may not signal sessions of another user",
    )
}

/// What grants that.
#[must_use]
pub fn grant_signal(language: Language, user: &str, count: usize) -> String {
    text!(
        language,
        ja: "{count} 件のセッションを終了する権限がない: GRANT pg_signal_backend TO {user}",
        en: "{count} sessions that should be ended may not be signalled: GRANT pg_signal_backend TO {user}",
    )
}

/// An application whose sessions would have been ended.
#[must_use]
pub fn application_left(language: Language, application: &str, count: usize) -> String {
    text!(
        language,
        ja: "アプリケーション名 `{application}` のセッション {count} 件は上限時間を超えているが、DATABASE_APPLICATION_NAMES（CDK の databaseApplicationNames）にないため残した。空の名前は接続 URL の application_name で付けられる",
        en: "{count} sessions of application name `{application}` are over their age and were left: DATABASE_APPLICATION_NAMES (the CDK app's databaseApplicationNames) does not have it. A client without a name gets one by application_name in its connection URL",
    )
}

/// A session that others wait for and that only a person may end.
#[must_use]
pub fn blocker_left(language: Language, blocked: usize, seconds: i64, why: &str, pid: i32) -> String {
    text!(
        language,
        ja: "{blocked} 件のセッションが最長 {seconds} 秒このセッションを待っているが、自動では終了しない: {why}。人が判断して終了する場合: SELECT pg_terminate_backend({pid})",
        en: "{blocked} sessions wait for it, for up to {seconds} s, and it is left: {why}. Where a person decides otherwise: SELECT pg_terminate_backend({pid})",
    )
}

/// A prepared transaction.
#[must_use]
pub fn prepared(language: Language, gid: &str, owner: &str, seconds: i64, blocked: usize) -> String {
    let gid = gid.replace('\'', "''");
    text!(
        language,
        ja: "{owner} の準備済みトランザクションが {seconds} 秒前から残り、ロックを持ったままである（準備済みトランザクションを待つセッション: {blocked} 件）。セッションがないため終了できない。調整役が確定しないなら: ROLLBACK PREPARED '{gid}'",
        en: "a prepared transaction of {owner} has been waiting for {seconds} s and keeps its locks (sessions that wait for prepared transactions: {blocked}). It has no session to end. Unless its coordinator will still commit it: ROLLBACK PREPARED '{gid}'",
    )
}

/// Connections run short.
#[must_use]
pub fn scarce(language: Language, used: i64, available: i64, holders: &str) -> String {
    text!(
        language,
        ja: "接続 {available} 本のうち {used} 本が使われている。多い順: {holders}。アプリケーションの connection_limit × 同時実行数がこの数に収まるか確認し、収まらなければ下げるか、RDS Proxy を使うか、max_connections を上げる",
        en: "{used} of {available} connections are used, most of them by: {holders}. Check that connection_limit × concurrency of the application's functions stays below that; if not, lower it, use RDS Proxy, or raise max_connections",
    )
}

/// Why a root that is idle in a transaction is ended.
#[must_use]
pub fn idle_root(language: Language, idle: i64, blocked: usize, waiting: i64) -> String {
    text!(
        language,
        ja: "トランザクションを開いたまま {idle} 秒何もせず、{blocked} 件のセッションを最長 {waiting} 秒待たせている。実行中の文がないため、キャンセルでは解放されない",
        en: "idle in its transaction for {idle} s while {blocked} sessions wait for it, for up to {waiting} s; it has no statement to cancel",
    )
}

/// Why the statement of a root is cancelled.
#[must_use]
pub fn active_root(language: Language, blocked: usize, waiting: i64) -> String {
    text!(
        language,
        ja: "{blocked} 件のセッションを最長 {waiting} 秒待たせている",
        en: "{blocked} sessions wait for it, for up to {waiting} s",
    )
}

/// Why a statement is cancelled that nobody waits for.
#[must_use]
pub fn long_statement(language: Language, seconds: i64, limit: i64) -> String {
    text!(
        language,
        ja: "文が {seconds} 秒実行中である（上限 {limit} 秒）",
        en: "its statement has been running for {seconds} s, over the limit of {limit} s",
    )
}

/// Cancelling has not helped.
#[must_use]
pub fn after_cancel(language: Language, reason: &str) -> String {
    text!(
        language,
        ja: "{reason}。このトランザクションの文は既にキャンセルしたが、続いている",
        en: "{reason}; a statement of this transaction was cancelled before, and it goes on",
    )
}

/// Why a session is ended that nobody waits for.
#[must_use]
pub fn idle_and_scarce(language: Language, idle: i64, used: i64, available: i64) -> String {
    text!(
        language,
        ja: "接続が不足している（{available} 本中 {used} 本使用）のに、トランザクションを開いたまま {idle} 秒何もしていない",
        en: "idle in its transaction for {idle} s while connections are scarce ({used} of {available} are used)",
    )
}

/// A person wants it.
#[must_use]
pub fn asked(language: Language, ending: Ending) -> String {
    match ending {
        Ending::Cancel => {
            text!(language, ja: "運用者が文の中止を求めた", en: "an operator wants its statement cancelled")
        }
        Ending::Terminate => {
            text!(language, ja: "運用者がセッションの終了を求めた", en: "an operator wants the session ended")
        }
    }
}

/// What a person named is not there.
#[must_use]
pub fn gone(language: Language) -> String {
    text!(
        language,
        ja: "そのようなセッションはない。既に終了したか、pid が違う",
        en: "there is no such session: it has ended, or the pid is another one",
    )
}

/// A root below its age.
#[must_use]
pub fn not_long_yet(language: Language, blocked: usize, waiting: i64, limit: i64) -> String {
    text!(
        language,
        ja: "{blocked} 件のセッションが待っているが、まだ最長 {waiting} 秒である（上限 {limit} 秒）",
        en: "{blocked} sessions wait for it, for {waiting} s at most so far; the limit is {limit} s",
    )
}

/// A root that does nothing, outside a transaction.
#[must_use]
pub fn holds_while_idle(language: Language) -> String {
    text!(
        language,
        ja: "トランザクションの外でセッション単位のロック（advisory lock など）を持っている。何かを守っている可能性がある",
        en: "it holds a lock of its session (an advisory lock) outside a transaction, which may guard something",
    )
}

/// A session whose state is not told.
#[must_use]
pub fn state_unknown(language: Language) -> String {
    text!(
        language,
        ja: "状態が分からない（track_activities が無効か）",
        en: "the server does not say what it is doing (track_activities may be off)",
    )
}

/// A victim.
#[must_use]
pub fn waits_itself(language: Language, by: &str) -> String {
    text!(language, ja: "自身が {by} を待っている。原因はそちらにある", en: "it waits itself, for {by}: that is where the cause is")
}

/// Sessions that wait for each other.
#[must_use]
pub fn deadlock(language: Language) -> String {
    text!(
        language,
        ja: "互いに待っている（デッドロック）。PostgreSQL が deadlock_timeout 後に自ら解消する",
        en: "these wait for each other: a deadlock, which PostgreSQL itself ends after deadlock_timeout",
    )
}

/// An idle one that does no harm.
#[must_use]
pub fn blocks_nobody(language: Language, idle: i64) -> String {
    text!(
        language,
        ja: "トランザクションを開いたまま {idle} 秒何もしていないが、誰も待たせておらず、接続も不足していない",
        en: "idle in its transaction for {idle} s, but nobody waits for it and connections are not scarce",
    )
}

/// An idle one that need not go.
#[must_use]
pub fn enough(language: Language, idle: i64) -> String {
    text!(
        language,
        ja: "トランザクションを開いたまま {idle} 秒何もしていないが、もっと古いものを終了すれば接続は足りる",
        en: "idle in its transaction for {idle} s, but ending the older ones is enough",
    )
}

/// What a session is called, for people.
#[must_use]
pub fn state(language: Language, state: State) -> String {
    match state {
        State::Active => text!(language, ja: "実行中", en: "active"),
        State::Idle => text!(language, ja: "待機", en: "idle"),
        State::IdleInTransaction => text!(language, ja: "トランザクション中に停止", en: "idle in transaction"),
        State::IdleInTransactionAborted => {
            text!(language, ja: "失敗したトランザクション中に停止", en: "idle in transaction (aborted)")
        }
        State::Unknown => text!(language, ja: "不明", en: "unknown"),
    }
}

/// The report's first line.
#[must_use]
pub fn title(language: Language, at: &str, used: i64, available: i64, percent: f64, blocked: i64) -> String {
    text!(
        language,
        ja: "データベースのセッション {at}: 接続 {available} 本中 {used} 本を使用（{percent:.0} %）、ロック待ち {blocked} 件",
        en: "Sessions of the database, {at}: {used} of {available} connections are used ({percent:.0} %), blocked sessions: {blocked}",
    )
}

/// The headings of the report's parts: connections, chains, long statements.
#[must_use]
pub fn headings(language: Language, limit: i64) -> [String; 3] {
    [
        text!(language, ja: "アプリケーションと状態ごとの接続", en: "Connections by application and state"),
        text!(language, ja: "待たせているセッションと待っているセッション", en: "Who waits for whom"),
        text!(language, ja: "{limit} 秒を超えて実行中の文", en: "Statements that run for more than {limit} s"),
    ]
}

/// An empty part of the report.
#[must_use]
pub fn none(language: Language) -> String {
    text!(language, ja: "なし", en: "none")
}

/// A session in the report.
#[must_use]
pub fn session(language: Language, pid: i32, application: &str, state: &str, seconds: i64, statement: &str) -> String {
    text!(
        language,
        ja: "{pid} {application}（{state} {seconds} 秒）: {statement}",
        en: "{pid} {application} ({state} for {seconds} s): {statement}",
    )
}

/// A session in the report that waits.
#[must_use]
pub fn waiting(language: Language, pid: i32, application: &str, seconds: i64, statement: &str) -> String {
    text!(
        language,
        ja: "{pid} {application}（{seconds} 秒待ち）: {statement}",
        en: "{pid} {application} (waits for {seconds} s): {statement}",
    )
}

/// Sessions that only a prepared transaction holds up.
#[must_use]
pub fn prepared_root(language: Language) -> String {
    text!(language, ja: "準備済みトランザクション", en: "a prepared transaction")
}

/// An event about one process.
#[must_use]
pub fn about_sessions(language: Language) -> String {
    text!(
        language,
        ja: "relieve-database は処理ではなくデータベースのセッションを調べる。{{}}、{{\"all\": true}}、または {{\"pid\": <セッションのプロセス ID>}} を送ること",
        en: "relieve-database looks at the sessions of the database, not at a process: send {{}}, {{\"all\": true}} or {{\"pid\": <a session's process id>}}",
    )
}
