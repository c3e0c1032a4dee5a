//! What this step says, in Japanese (as the guide is) and in English.

use remediation::domain::Language;
use remediation::text;

/// The installation names no instance.
#[must_use]
pub fn unnamed(language: Language) -> String {
    text!(
        language,
        ja: "対象のインスタンスが設定されていない: 環境変数 DATABASE_INSTANCE_ID（CDK アプリの設定 databaseInstanceId）に RDS インスタンスの識別子を設定する",
        en: "no instance is named: set DATABASE_INSTANCE_ID (the CDK app's databaseInstanceId) to the RDS instance's identifier",
    )
}

/// RDS did not describe the instance.
#[must_use]
pub fn not_described(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "RDS に状態を確認できないため判断できない: {why}",
        en: "what RDS says of the instance could not be read, so nothing is known that would allow it: {why}",
    )
}

/// A reboot is the remedy, and nothing forbids it.
#[must_use]
pub fn proposed(language: Language, command: &str, reach: &str) -> String {
    text!(
        language,
        ja: "再起動を妨げるものはない。データベース: {reach}。再起動すると全接続が切れ、数十秒から数分停止する。人が実行する: {command}",
        en: "nothing forbids a reboot. The database: {reach}. A reboot ends all connections and takes from seconds to minutes; for a person to run: {command}",
    )
}

/// It is done by a person.
#[must_use]
pub fn by_hand(language: Language) -> String {
    text!(
        language,
        ja: "この手順は再起動を実行しない。findings のコマンドを人が実行する",
        en: "this step reboots nothing: a person runs the command in `findings`",
    )
}

/// The standby could take over.
#[must_use]
pub fn multi_az(language: Language, command: &str) -> String {
    text!(
        language,
        ja: "マルチ AZ なので、スタンバイに切り替えて再起動することもできる: {command} --force-failover",
        en: "It has a standby (Multi-AZ), which takes over with: {command} --force-failover",
    )
}

/// A reboot would apply changes of parameters.
#[must_use]
pub fn would_apply(language: Language, groups: &str) -> String {
    text!(
        language,
        ja: "再起動待ちのパラメータグループの変更も適用される: {groups}",
        en: "It would apply the changes of parameters that wait for a reboot, too: {groups}",
    )
}

/// Another instance is fit to take over.
#[must_use]
pub fn fail_over(language: Language, command: &str) -> String {
    text!(
        language,
        ja: "クラスターの書き込みインスタンスで、切り替え可能な読み取りインスタンスがあるため再起動しない。フェイルオーバーの方が速い: {command}",
        en: "it is its cluster's writer, and a reader is available: fail over instead, which is quicker and leaves the sick instance to be looked at: {command}",
    )
}

/// A reboot is not proposed.
#[must_use]
pub fn not_rebooted(language: Language, reasons: &str) -> String {
    text!(language, ja: "再起動を提案しない: {reasons}", en: "no reboot: {reasons}")
}

/// Something is not in the one status that allows a reboot.
#[must_use]
pub fn not_available(language: Language, id: &str, status: &str) -> String {
    text!(
        language,
        ja: "{id} の状態が {status} である（available のときだけ再起動できる）。終わるまで待つ",
        en: "{id} is {status}, and only what is available is rebooted: wait until that is over",
    )
}

/// Nobody knows whether the instance is the cluster's writer.
#[must_use]
pub fn no_role(language: Language, cluster: &str) -> String {
    text!(
        language,
        ja: "クラスター {cluster} の構成にこのインスタンスがなく、書き込みインスタンスかどうか分からない",
        en: "cluster {cluster} does not list this instance, so nobody knows whether it is the writer",
    )
}

/// Modifications wait.
#[must_use]
pub fn pending(language: Language, names: &str) -> String {
    text!(
        language,
        ja: "保留中の変更があり、再起動で適用されることがある: {names}。先に適用するか取り消す",
        en: "modifications are pending, which a reboot may apply: {names}; apply them or take them back first",
    )
}

/// A backup runs, or has just run.
#[must_use]
pub fn backup(language: Language, message: &str, minutes: i64) -> String {
    text!(
        language,
        ja: "バックアップが実行中か、終わったばかりである（{minutes} 分前: {message}）",
        en: "a backup runs, or ended within this minute ({minutes} min ago: {message})",
    )
}

/// It failed over a moment ago.
#[must_use]
pub fn failed_over(language: Language, message: &str, minutes: i64, after: i64) -> String {
    text!(
        language,
        ja: "{minutes} 分前にフェイルオーバーがあった（{message}）。{after} 分は様子を見る",
        en: "it failed over {minutes} min ago ({message}): give it {after} min",
    )
}

/// It was restarted a while ago.
#[must_use]
pub fn restarted(language: Language, message: &str, minutes: i64, after: i64) -> String {
    text!(
        language,
        ja: "{minutes} 分前に再起動または停止している（{message}）。{after} 分以内の 2 回目は提案しない。ログと原因を調べる",
        en: "it restarted or shut down {minutes} min ago ({message}): within {after} min a second restart is no remedy; look at its log for the cause",
    )
}

/// The database answers.
#[must_use]
pub fn it_answers(language: Language) -> String {
    text!(
        language,
        ja: "データベースは応答している。接続数や待ちには relieve-database を使う。それでも再起動するなら {{\"all\": true}} を送る",
        en: "the database answers: for its connections and blocked sessions, relieve-database is the remedy; send {{\"all\": true}} for the command all the same",
    )
}

/// The database is starting or ending.
#[must_use]
pub fn it_is_starting(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "データベースは起動中、停止中または復旧中である（{why}）。終わるまで待つ",
        en: "the database is starting, ending or recovering, and a reboot would begin that anew ({why}): wait until it is over",
    )
}

/// The database does not let us in.
#[must_use]
pub fn it_refuses(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "データベースは応答しているが接続を拒否している（{why}）。再起動では直らない",
        en: "the database answers, and does not let us in, which no reboot mends ({why})",
    )
}

/// The database was not asked.
#[must_use]
pub fn it_was_not_asked(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "データベースに接続を試みられなかった（{why}）。先に設定または権限を直す",
        en: "the database was not even asked ({why}): put that right first",
    )
}

/// The database answers, in the report.
#[must_use]
pub fn answers(language: Language) -> String {
    text!(language, ja: "応答している", en: "it answers")
}

/// All connections are in use.
#[must_use]
pub fn is_full(language: Language, why: &str) -> String {
    text!(
        language,
        ja: "接続に空きがない（{why}）。先に rds_superuser の予約接続で pg_stat_activity を見て終わらせられるものを終わらせる",
        en: "it has no connection left ({why}); first try one that is reserved, as rds_superuser, and end in pg_stat_activity what may end",
    )
}

/// The first line of the report.
#[must_use]
pub fn title(language: Language, id: &str, at: &str) -> String {
    text!(language, ja: "インスタンス {id} の再起動の可否（{at}）", en: "May instance {id} be rebooted? {at}")
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
        en: "Instance: {status}, {engine}, Multi-AZ: {multi_az}, restorable until {restorable}",
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
        en: "reboot-database looks at the one instance that is set: send {{}}, or {{\"all\": true}} for its command although the database answers",
    )
}

/// RDS does not know the instance.
#[must_use]
pub fn no_instance(language: Language, id: &str) -> String {
    text!(
        language,
        ja: "RDS にインスタンス `{id}` がない。DATABASE_INSTANCE_ID（CDK アプリの databaseInstanceId）を確認すること",
        en: "RDS describes no instance `{id}`: check DATABASE_INSTANCE_ID (the CDK app's databaseInstanceId)",
    )
}
