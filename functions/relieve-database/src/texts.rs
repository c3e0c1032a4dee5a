//! What this step says, in Japanese (as the guide is) and in English.

use chrono::TimeDelta;
use remediation::act::actions::end_session::Ending;
use remediation::domain::Language;
use remediation::gather::sessions::{Protection, State};
use remediation::run::texts::duration;
use remediation::text;

fn span(language: Language, seconds: i64) -> String {
    duration(language, TimeDelta::seconds(seconds))
}

/// Why a session is never ended.
#[must_use]
pub fn protection(language: Language, protection: Protection, database: &str) -> String {
    match protection {
        Protection::Own => {
            text!(language, ja: "この自動復旧システム自身のセッション", en: "it is this system's own session")
        }
        Protection::Unseen => text!(
            language,
            ja: "中身を参照できない（GRANT pg_monitor で参照可能）",
            en: "this user cannot inspect it (fix: GRANT pg_monitor)",
        ),
        Protection::Replication => {
            text!(language, ja: "レプリケーション用のセッション", en: "it serves replication")
        }
        Protection::Vacuum => {
            text!(language, ja: "VACUUM または ANALYZE を実行中", en: "it is running VACUUM or ANALYZE")
        }
        Protection::Background => {
            text!(language, ja: "サーバー自身のプロセス", en: "it is the server's own process")
        }
        Protection::OtherDatabase => {
            text!(language, ja: "別のデータベース {database} のセッション", en: "it belongs to another database, {database}")
        }
        Protection::Superuser => text!(language, ja: "スーパーユーザーのセッション", en: "it is a superuser's session"),
        Protection::Migration => text!(
            language,
            ja: "スキーマを変更中か、スキーマ変更だけが取るロックを保持または要求中（マイグレーション）",
            en: "it is a migration: it changes the schema, or holds or wants a lock that only a schema change takes",
        ),
    }
}

/// Why a session of an unlisted application is never ended.
#[must_use]
pub fn not_listed(language: Language, application: &str) -> String {
    text!(
        language,
        ja: "アプリケーション名 `{application}` が DATABASE_APPLICATION_NAMES にない",
        en: "its application name `{application}` is not in DATABASE_APPLICATION_NAMES",
    )
}

/// Why a session that may be ended cannot be.
#[must_use]
pub fn may_not_signal(language: Language, user: &str) -> String {
    text!(
        language,
        ja: "データベースユーザー {user} に他ユーザーのセッションを終了する権限がない",
        en: "database user {user} may not end other users' sessions",
    )
}

/// What grants that.
#[must_use]
pub fn grant_signal(language: Language, user: &str, count: usize) -> String {
    text!(
        language,
        ja: "終了すべきセッション {count} 件の終了権限なし: GRANT pg_signal_backend TO {user}",
        en: "sessions to end that this user may not end: {count}; fix: GRANT pg_signal_backend TO {user}",
    )
}

/// An application whose sessions would have been ended.
#[must_use]
pub fn application_left(language: Language, application: &str, count: usize) -> String {
    text!(
        language,
        ja: "アプリケーション名 `{application}` のセッション {count} 件が上限時間を超過。名前が DATABASE_APPLICATION_NAMES（CDK の databaseApplicationNames）にないため終了しない。名前のないクライアントは `user:<ユーザー>` または `user:<ユーザー>@<CIDR>` として加えるか、接続 URL の application_name で名前を付ける",
        en: "sessions of application name `{application}` over their age limit: {count}; not ended, because the name is not in DATABASE_APPLICATION_NAMES (databaseApplicationNames in the CDK app). A client without a name is added as `user:<user>` or `user:<user>@<CIDR>`, or gets a name by application_name in its connection URL",
    )
}

/// A session that others wait for and that only a person may end.
#[must_use]
pub fn blocker_left(language: Language, blocked: usize, seconds: i64, why: &str, pid: i32) -> String {
    let seconds = span(language, seconds);
    text!(
        language,
        ja: "{blocked} 件のセッションが最長 {seconds}このセッションを待っているが、自動では終了しない: {why}。終了すると人が判断した場合: SELECT pg_terminate_backend({pid})",
        en: "{blocked} blocked behind this session for up to {seconds}, but it is not ended automatically: {why}. If a person decides to end it: SELECT pg_terminate_backend({pid})",
    )
}

/// A prepared transaction.
#[must_use]
pub fn prepared(language: Language, gid: &str, owner: &str, seconds: i64, blocked: usize) -> String {
    let seconds = span(language, seconds);
    let gid = gid.replace('\'', "''");
    text!(
        language,
        ja: "{owner} の準備済みトランザクションが {seconds}前から残り、ロックを保持（準備済みトランザクションを待つセッション: {blocked} 件）。セッションがないため終了できない。コーディネーターが確定しないなら: ROLLBACK PREPARED '{gid}'",
        en: "a prepared transaction of {owner} is {seconds} old and keeps its locks (sessions waiting for prepared transactions: {blocked}). It has no session to end. Unless its coordinator will still commit it: ROLLBACK PREPARED '{gid}'",
    )
}

/// Connections run short.
#[must_use]
pub fn scarce(language: Language, used: i64, available: i64, idle: usize, holders: &str) -> String {
    text!(
        language,
        ja: "接続 {available} 本中 {used} 本を使用中（うち {idle} 本はトランザクションのないアイドルで、自動では終了しない）。多い順: {holders}。アプリケーションの connection_limit × 同時実行数がこの数に収まるか確認し、収まらなければ下げるか、RDS Proxy を使うか、max_connections を上げる。1 件だけ終了するには {{\"pid\": <pid>}} を送る",
        en: "{used} of {available} connections in use, {idle} of them idle outside a transaction (these are never ended automatically); most by: {holders}. Check that connection_limit × concurrency of the application's functions stays below that; if not, lower it, use RDS Proxy, or raise max_connections; to end a single session, send {{\"pid\": <pid>}}",
    )
}

/// Why a root that is idle in a transaction is ended.
#[must_use]
pub fn idle_root(language: Language, idle: i64, blocked: usize, waiting: i64) -> String {
    let (idle, waiting) = (span(language, idle), span(language, waiting));
    text!(
        language,
        ja: "トランザクションを開いたまま {idle}停止し、{blocked} 件のセッションを最長 {waiting}待たせている。実行中の文がないため、キャンセルでは解放されない",
        en: "idle in transaction for {idle}, {blocked} blocked behind it for up to {waiting}; it has no statement to cancel",
    )
}

/// Why the statement of a root is cancelled.
#[must_use]
pub fn active_root(language: Language, blocked: usize, waiting: i64) -> String {
    let waiting = span(language, waiting);
    text!(
        language,
        ja: "{blocked} 件のセッションを最長 {waiting}待たせている",
        en: "{blocked} blocked behind it for up to {waiting}",
    )
}

/// Why a statement is cancelled that nobody waits for.
#[must_use]
pub fn long_statement(language: Language, seconds: i64, limit: i64) -> String {
    let (seconds, limit) = (span(language, seconds), span(language, limit));
    text!(
        language,
        ja: "文が {seconds}実行中（上限 {limit}）",
        en: "its statement has been running for {seconds}, over the limit of {limit}",
    )
}

/// Cancelling has not helped.
#[must_use]
pub fn after_cancel(language: Language, reason: &str) -> String {
    text!(
        language,
        ja: "{reason}。このトランザクションの文をキャンセルしたが、まだ続いている",
        en: "{reason}; a statement of this transaction was already cancelled, but the transaction is still open",
    )
}

/// Why a session is ended that nobody waits for.
#[must_use]
pub fn idle_and_scarce(language: Language, idle: i64, used: i64, available: i64) -> String {
    let idle = span(language, idle);
    text!(
        language,
        ja: "接続が不足（{available} 本中 {used} 本使用）し、トランザクションを開いたまま {idle}停止",
        en: "idle in transaction for {idle} while connections are scarce ({used} of {available} in use)",
    )
}

/// A person wants it.
#[must_use]
pub fn asked(language: Language, ending: Ending) -> String {
    match ending {
        Ending::Cancel => {
            text!(language, ja: "運用者が文のキャンセルを指示", en: "an operator asked to cancel its statement")
        }
        Ending::Terminate => {
            text!(language, ja: "運用者がセッションの終了を指示", en: "an operator asked to end the session")
        }
    }
}

/// What a person named is not there.
#[must_use]
pub fn gone(language: Language) -> String {
    text!(
        language,
        ja: "該当するセッションなし（終了済みか、pid が違う）",
        en: "no such session: it has already ended, or the pid is wrong",
    )
}

/// A root below its age.
#[must_use]
pub fn not_long_yet(language: Language, blocked: usize, waiting: i64, limit: i64) -> String {
    let (waiting, limit) = (span(language, waiting), span(language, limit));
    text!(
        language,
        ja: "{blocked} 件のセッションが待っているが、まだ最長 {waiting}（上限 {limit}）",
        en: "{blocked} blocked behind it, but only for {waiting} at most so far (limit {limit})",
    )
}

/// A root that does nothing, outside a transaction.
#[must_use]
pub fn holds_while_idle(language: Language) -> String {
    text!(
        language,
        ja: "トランザクションの外でセッション単位のロック（advisory lock など）を保持。排他制御に使われている可能性がある",
        en: "it holds a session-level lock (such as an advisory lock) outside a transaction, which may guard something",
    )
}

/// A session whose state is not told.
#[must_use]
pub fn state_unknown(language: Language) -> String {
    text!(
        language,
        ja: "状態が不明（track_activities が無効の可能性）",
        en: "the server does not report what it is doing (track_activities may be off)",
    )
}

/// A victim.
#[must_use]
pub fn waits_itself(language: Language, by: &str) -> String {
    text!(language, ja: "自身が {by} を待っている（原因はそちら）", en: "it is waiting itself, for {by}, which is the cause")
}

/// Sessions that wait for each other.
#[must_use]
pub fn deadlock(language: Language) -> String {
    text!(
        language,
        ja: "互いに待っている（デッドロック）。PostgreSQL が deadlock_timeout 後に自動で解消する",
        en: "deadlock: these sessions wait for each other; PostgreSQL resolves it after deadlock_timeout",
    )
}

/// An idle one that does no harm.
#[must_use]
pub fn blocks_nobody(language: Language, idle: i64) -> String {
    let idle = span(language, idle);
    text!(
        language,
        ja: "トランザクションを開いたまま {idle}停止しているが、誰も待たせておらず、接続も不足していない",
        en: "idle in transaction for {idle}, but nobody waits for it and connections are not scarce",
    )
}

/// An idle one that need not go.
#[must_use]
pub fn enough(language: Language, idle: i64) -> String {
    let idle = span(language, idle);
    text!(
        language,
        ja: "トランザクションを開いたまま {idle}停止しているが、より古いものの終了で接続は足りる",
        en: "idle in transaction for {idle}, but ending older ones is enough",
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
        en: "Database sessions, {at}: {used} of {available} connections in use ({percent:.0} %), blocked sessions: {blocked}",
    )
}

/// The headings of the report's parts: connections, chains, long statements.
#[must_use]
pub fn headings(language: Language, limit: i64) -> [String; 3] {
    let limit = span(language, limit);
    [
        text!(language, ja: "アプリケーションと状態ごとの接続", en: "Connections by application and state"),
        text!(language, ja: "待たせているセッションと待っているセッション", en: "Who waits for whom"),
        text!(language, ja: "{limit}を超えて実行中の文", en: "Statements running for more than {limit}"),
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
    let seconds = span(language, seconds);
    text!(
        language,
        ja: "{pid} {application}（{state} {seconds}）: {statement}",
        en: "{pid} {application} ({state} for {seconds}): {statement}",
    )
}

/// A session in the report that waits.
#[must_use]
pub fn waiting(language: Language, pid: i32, application: &str, seconds: i64, statement: &str) -> String {
    let seconds = span(language, seconds);
    text!(
        language,
        ja: "{pid} {application}（{seconds}待ち）: {statement}",
        en: "{pid} {application} (waiting for {seconds}): {statement}",
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
