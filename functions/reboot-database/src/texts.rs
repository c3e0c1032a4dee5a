//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// The installation names no instance.
#[must_use]
pub fn unnamed(language: Language) -> String {
    text!(
        language,
        ja: "対象のインスタンスが未設定: 環境変数 DATABASE_INSTANCE_ID（CDK の databaseInstanceId）に RDS インスタンスの識別子を設定する",
        en: "no instance configured: set DATABASE_INSTANCE_ID (databaseInstanceId in the CDK app) to the RDS instance's identifier",
    )
}

/// RDS did not describe the instance.
#[must_use]
pub fn not_described(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "RDS に状態を照会できず、再起動の可否を判断できない: {why}",
        en: "the instance could not be read from RDS, so it is unknown whether a reboot is safe: {why}",
    )
}

/// A reboot is the remedy, and nothing forbids it.
#[must_use]
pub fn proposed(language: Language, command: &str, reach: &str) -> String {
    text!(
        language,
        ja: "再起動を妨げる要因なし。データベース: {reach}。再起動すると全接続が切れ、数十秒から数分停止する。人が実行する: {command}",
        en: "nothing prevents a reboot. The database: {reach}. A reboot drops all connections and takes seconds to minutes; a person runs it: {command}",
    )
}

/// It is done by a person.
#[must_use]
pub fn by_hand(language: Language) -> String {
    text!(
        language,
        ja: "このステップは再起動を実行しない。findings のコマンドを人が実行する",
        en: "this step does not reboot anything: a person runs the command in `findings`",
    )
}

/// The standby could take over.
#[must_use]
pub fn multi_az(language: Language, command: &str) -> String {
    text!(
        language,
        ja: "マルチ AZ のため、スタンバイへの切り替えを伴う再起動も可能: {command} --force-failover",
        en: "It has a standby (Multi-AZ); to let that take over: {command} --force-failover",
    )
}

/// A reboot would apply changes of parameters.
#[must_use]
pub fn would_apply(language: Language, groups: &str) -> String {
    text!(
        language,
        ja: "再起動待ちのパラメータグループの変更も適用される: {groups}",
        en: "The reboot would also apply pending parameter group changes: {groups}",
    )
}

/// Another instance is fit to take over.
#[must_use]
pub fn fail_over(language: Language, command: &str) -> String {
    text!(
        language,
        ja: "クラスターの書き込みインスタンスで、切り替え可能な読み取りインスタンスがあるため再起動しない。より速いフェイルオーバーを行い、障害インスタンスは調査用に残す: {command}",
        en: "the instance is its cluster's writer and a reader is available: fail over instead, which is faster and keeps the faulty instance for analysis: {command}",
    )
}

/// A reboot is not proposed.
#[must_use]
pub fn not_rebooted(language: Language, reasons: &str) -> String {
    text!(language, ja: "再起動を提案しない: {reasons}", en: "no reboot proposed: {reasons}")
}

/// Something is not in the one status that allows a reboot.
#[must_use]
pub fn not_available(language: Language, id: &str, status: &str) -> String {
    text!(
        language,
        ja: "{id} の状態が {status}（再起動できるのは available のときのみ）。完了まで待つ",
        en: "{id} is {status} and can only be rebooted when available: wait until it is",
    )
}

/// Nobody knows whether the instance is the cluster's writer.
#[must_use]
pub fn no_role(language: Language, cluster: &str) -> String {
    text!(
        language,
        ja: "クラスター {cluster} の構成にこのインスタンスがなく、書き込みインスタンスか不明",
        en: "cluster {cluster} does not list this instance, so it is unknown whether it is the writer",
    )
}

/// Modifications wait.
#[must_use]
pub fn pending(language: Language, names: &str) -> String {
    text!(
        language,
        ja: "保留中の変更あり（再起動で適用されることがある）: {names}。先に適用するか取り消す",
        en: "modifications are pending that a reboot may apply: {names}; apply or cancel them first",
    )
}

/// A backup runs, or has just run.
#[must_use]
pub fn backup(language: Language, message: &str, minutes: i64) -> String {
    text!(
        language,
        ja: "バックアップが実行中か、終わったばかり（{minutes} 分前: {message}）",
        en: "a backup is running or has just ended ({minutes} min ago: {message})",
    )
}

/// It failed over a moment ago.
#[must_use]
pub fn failed_over(language: Language, message: &str, minutes: i64, after: i64) -> String {
    text!(
        language,
        ja: "{minutes} 分前にフェイルオーバー（{message}）。{after} 分は様子を見る",
        en: "it failed over {minutes} min ago ({message}): wait {after} min after a failover",
    )
}

/// It was restarted a while ago.
#[must_use]
pub fn restarted(language: Language, message: &str, minutes: i64, after: i64) -> String {
    text!(
        language,
        ja: "{minutes} 分前に再起動または停止（{message}）。{after} 分以内の 2 回目は提案しない。ログで原因を調べる",
        en: "it restarted or shut down {minutes} min ago ({message}): a second restart within {after} min is no remedy; look for the cause in its log",
    )
}

/// The database answers.
#[must_use]
pub fn it_answers(language: Language) -> String {
    text!(
        language,
        ja: "データベースは応答している。接続数やロック待ちには relieve-database を使う。それでも再起動するなら {{\"all\": true}} を送る",
        en: "the database answers: use relieve-database for connections and blocked sessions; to get the reboot command anyway, send {{\"all\": true}}",
    )
}

/// The database is starting or ending.
#[must_use]
pub fn it_is_starting(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "データベースは起動中、停止中または復旧中（{why}）。再起動すると最初からやり直しになるため、完了まで待つ",
        en: "the database is starting, stopping or recovering, and a reboot would start that over ({why}): wait until it is over",
    )
}

/// The database does not let us in.
#[must_use]
pub fn it_refuses(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "データベースは応答しているが接続を拒否（{why}）。再起動では直らない",
        en: "the database answers but refuses the connection, which a reboot does not fix ({why})",
    )
}

/// The database was not asked.
#[must_use]
pub fn it_was_not_asked(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "データベースに接続を試行できず（{why}）。先に設定または権限を修正する",
        en: "the database could not even be contacted ({why}): fix that first",
    )
}

/// The database answers, in the report.
#[must_use]
pub fn answers(language: Language) -> String {
    text!(language, ja: "応答あり", en: "it answers")
}

/// All connections are in use.
#[must_use]
pub fn is_full(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "接続に空きなし（{why}）。先に rds_superuser の予約接続で pg_stat_activity を確認し、終了できるものを終了する",
        en: "no connection left ({why}); first connect through a slot reserved for rds_superuser and end what can be ended in pg_stat_activity",
    )
}

/// The first line of the report.
#[must_use]
pub fn title(language: Language, id: &str, at: &str) -> String {
    text!(language, ja: "インスタンス {id} の再起動の可否（{at}）", en: "Can instance {id} be rebooted? {at}")
}

/// The database's line of the report.
#[must_use]
pub fn database(language: Language, reach: &str) -> String {
    text!(language, ja: "データベース: {reach}", en: "Database: {reach}")
}

/// The instance's line of the report.
#[must_use]
pub fn instance(language: Language, status: &str, engine: &str, multi_az: bool, restorable: &str) -> String {
    text!(
        language,
        ja: "インスタンス: {status}、{engine}、マルチ AZ: {multi_az}、復元可能な最新時刻: {restorable}",
        en: "Instance: {status}, {engine}, Multi-AZ: {multi_az}, restorable to {restorable}",
    )
}

/// The cluster's line of the report.
#[must_use]
pub fn cluster(language: Language, id: &str, status: &str, writer: bool, others: &str) -> String {
    text!(
        language,
        ja: "クラスター: {id}、{status}、書き込みインスタンス: {writer}、他: {others}",
        en: "Cluster: {id}, {status}, writer: {writer}, others: {others}",
    )
}

/// An event about one process.
#[must_use]
pub fn about_the_instance(language: Language) -> String {
    text!(
        language,
        ja: "reboot-database は設定された 1 台のインスタンスを調べる。{{}} を送ること。データベースが応答していてもコマンドが必要なら {{\"all\": true}} を送る",
        en: "reboot-database looks at the one configured instance: send {{}}, or {{\"all\": true}} to get the command even though the database answers",
    )
}

/// RDS does not know the instance.
#[must_use]
pub fn no_instance(language: Language, id: &str) -> String {
    text!(
        language,
        ja: "RDS にインスタンス `{id}` がない。DATABASE_INSTANCE_ID（CDK アプリの databaseInstanceId）を確認すること",
        en: "RDS has no instance `{id}`: check DATABASE_INSTANCE_ID (the CDK app's databaseInstanceId)",
    )
}
