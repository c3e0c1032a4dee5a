//! What to do about an error of PostgreSQL or AWS, in both languages.

use crate::domain::Language;
use crate::text;

/// The SQLSTATE of a write where only reads are taken.
pub(super) const READ_ONLY: &str = "25006";

/// SQLSTATEs of a statement that is not there, is there already, or is another client's, so that its parameters do not fit: a pooler has given
/// us another server connection. On a connection of its own a run meets none of them.
pub(super) const MIXED_UP: [&str; 5] = ["26000", "42P05", "08P01", "22021", "22P03"];

/// Lambda retries and keeps asynchronous events only: whoever sent one by hand has the answer, and nothing else.
pub(super) fn again(language: Language) -> String {
    text!(
        language,
        ja: "手動で送ったイベントなら、もう一度送る。スケジュールは次回また確認し、それ以外は Lambda が再試行した後デッドレターキューに残す",
        en: "If you sent this event, send it again; a schedule looks again by itself, any other event is retried by Lambda and then kept in the dead-letter queue",
    )
}

/// By PostgreSQL's own code, where it answered; else by whether it could not be reached.
pub(super) fn database(language: Language, code: Option<&str>, unreachable: bool) -> String {
    match code {
        Some("28P01" | "28000") => text!(
            language,
            ja: "ユーザーまたはパスワードが拒否された。DATABASE_URL、またはシークレットの内容とローテーションの有無を確認する",
            en: "The user or password was refused: check DATABASE_URL, or the secret and whether it was rotated",
        ),
        Some("3D000") => text!(
            language,
            ja: "データベースが存在しない。DATABASE_URL またはシークレットのデータベース名を確認する",
            en: "The database does not exist: check the name in DATABASE_URL or in the secret",
        ),
        Some("42501") => text!(
            language,
            ja: "データベースユーザーの権限が不足している。アプリケーションのテーブルへの SELECT と UPDATE、スキーマ remediation への全権限が必要",
            en: "The database user lacks a privilege: it needs SELECT and UPDATE on the application's table and all on schema remediation",
        ),
        Some("42P01" | "3F000" | "42703") => text!(
            language,
            ja: "スキーマ remediation のテーブルまたは列がない。migrate 関数を {{\"all\":true}} で呼び出す",
            en: "A table or column of schema remediation is missing: invoke the migrate function with {{\"all\":true}}",
        ),
        Some("26000" | "42P05" | "08P01") => text!(
            language,
            ja: "データベースの前段にトランザクションモードのプーラー（PgBouncer）があり、プリペアドステートメントがトランザクションをまたげない。セッションモードを使うか、PgBouncer 1.21 以降で max_prepared_statements を 1 以上にするか、データベースに直接接続する",
            en: "A pooler (PgBouncer) in transaction mode stands before the database, and prepared statements do not outlive a transaction there: use its session mode, or PgBouncer 1.21 or later with max_prepared_statements above 0, or connect to the database itself",
        ),
        Some(READ_ONLY) => text!(
            language,
            ja: "データベースが読み取り専用。フェイルオーバー後に名前がまだ旧ライターを指しているか、DATABASE_URL がリーダーを指している。default_transaction_read_only も確認する",
            en: "The database takes reads only: after a failover the name may still lead to the old writer, or DATABASE_URL leads to a reader; check default_transaction_read_only too",
        ),
        Some("57014") => text!(
            language,
            ja: "許容時間を超えた。テーブルがロックされているか（pg_locks の WHERE NOT granted で確認）、データベースが遅い",
            en: "It took longer than allowed: the table may be locked (see pg_locks WHERE NOT granted), or the database is slow",
        ),
        Some("55P03") => text!(
            language,
            ja: "行が他のセッションにロックされたまま。次の回に再試行する",
            en: "A row stayed locked by another session: the next run tries again",
        ),
        Some("53300") => text!(
            language,
            ja: "接続がすべて使用中。使用者は pg_stat_activity で分かる。このユーザー用に接続を予約しておけば、relieve-database が止まったセッションを終了できる。PostgreSQL 16 では reserved_connections と GRANT pg_use_reserved_connections、RDS では rds.rds_superuser_reserved_connections と GRANT rds_superuser を使う。このシステムの全関数が同時に使う数より多く予約する",
            en: "All connections are in use: pg_stat_activity shows who holds them. relieve-database can end hanging sessions if connections are reserved for its user: on PostgreSQL 16 by reserved_connections and GRANT pg_use_reserved_connections, on RDS by rds.rds_superuser_reserved_connections and GRANT rds_superuser; reserve more than all functions of this system hold together",
        ),
        None if unreachable => {
            let again = again(language);
            text!(
                language,
                ja: "接続できない。データベースの稼働状態、ホストとポート、関数のサブネットとセキュリティグループを確認する。{again}",
                en: "It cannot be reached: check that it is up, the host and port, and the function's subnets and security groups. {again}",
            )
        }
        Some(_) | None => again(language),
    }
}

/// By AWS's own code.
pub(super) fn aws(language: Language, code: &str) -> String {
    match code {
        "AccessDenied" | "AccessDeniedException" => text!(
            language,
            ja: "関数のロールにこの権限がない（ステップのマニフェストには宣言済み）。CDK アプリを再デプロイする。解消しなければ、アクセス許可の境界またはサービスコントロールポリシーを確認する",
            en: "The function's role lacks this permission, which the step's manifest declares: deploy the CDK app again; if that does not help, look for a permissions boundary or a service control policy",
        ),
        "ThrottlingException" | "TooManyRequestsException" | "Throttling" => text!(
            language,
            ja: "アカウントのリクエスト上限に達した。次の回に続ける。続く場合は上限の引き上げを申請する",
            en: "The account's request quota is used up: the next run continues; if this persists, request a higher quota",
        ),
        "ExecutionDoesNotExist" => text!(
            language,
            ja: "Step Functions は実行を 90 日間しか保持しない。行そのものを確認する",
            en: "Step Functions keeps executions for 90 days only: look at the row itself",
        ),
        "StateMachineDoesNotExist" => {
            text!(language, ja: "STATE_MACHINE_ARN を確認する", en: "Check STATE_MACHINE_ARN")
        }
        "ResourceNotFoundException" => text!(
            language,
            ja: "このアカウントとリージョンに存在しない。ARN を確認する",
            en: "It does not exist in this account and region: check the ARN",
        ),
        "ExpiredTokenException" | "UnrecognizedClientException" => {
            text!(language, ja: "関数の認証情報が無効", en: "The function's credentials are not valid")
        }
        "Timeout" | "NoAnswer" => {
            let route = route(language);
            text!(language, ja: "{route}。その後、イベントをもう一度送る", en: "{route}, then send the event again")
        }
        _ => again(language),
    }
}

/// Where no answer came.
pub(super) fn route(language: Language) -> String {
    text!(
        language,
        ja: "関数から AWS への経路（サブネットの NAT ゲートウェイまたはインターフェイスエンドポイント）を確認する",
        en: "Check the function's route to AWS (a NAT gateway or an interface endpoint in its subnets)",
    )
}
