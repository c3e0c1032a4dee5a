//! The server, its databases, and that nothing of them remains.

use harness::{APPLICATION, Error, Postgres, Result, SUPERUSER};
use sqlx::Connection;

#[tokio::test]
async fn every_test_has_a_database_of_its_own() -> Result<()> {
    let postgres = Postgres::shared().await?;
    let (one, other) = tokio::try_join!(postgres.database("Isolation test"), postgres.database("Isolation test"))?;
    one.execute("CREATE TABLE mine (id int)").await?;
    other.execute("CREATE TABLE mine (id int)").await?;
    assert_ne!(one.name(), other.name());
    Ok(())
}

#[tokio::test]
async fn the_application_owns_its_database_and_is_no_superuser() -> Result<()> {
    let database = Postgres::shared().await?.database("rights").await?;
    let (user, superuser, encoding): (String, bool, String) = sqlx::query_as(
        "SELECT current_user::text, rolsuper, current_setting('server_encoding')
         FROM pg_roles WHERE rolname = current_user",
    )
    .fetch_one(database.pool())
    .await
    .map_err(query)?;
    assert_eq!((user.as_str(), superuser, encoding.as_str()), (APPLICATION.0, false, "UTF8"));
    database.execute("CREATE SCHEMA remediation; SELECT count(*) FROM pg_stat_statements").await?;
    database.execute_as_superuser("REVOKE CONNECT ON DATABASE template1 FROM PUBLIC").await
}

#[tokio::test]
async fn the_server_lives_in_tokyo_for_clients_that_do_not_ask_for_utc_as_sqlx_does() -> Result<()> {
    let postgres = Postgres::shared().await?;
    let database = postgres.database("zone").await?;
    let psql = std::process::Command::new(postgres.programs().join("psql"))
        .args([database.url().as_str(), "--no-psqlrc", "--tuples-only", "--no-align", "--command=SHOW timezone"])
        .output()
        .map_err(|source| Error::Io { doing: "run psql".into(), source })?;
    assert_eq!(String::from_utf8_lossy(&psql.stdout).trim(), "Asia/Tokyo", "{}", String::from_utf8_lossy(&psql.stderr));
    let of_sqlx: String = sqlx::query_scalar("SHOW timezone").fetch_one(database.pool()).await.map_err(query)?;
    assert_eq!(of_sqlx, "UTC");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_refused() -> Result<()> {
    let database = Postgres::shared().await?.database("password").await?;
    sqlx::PgConnection::connect(&database.url()).await.map_err(query)?;
    sqlx::PgConnection::connect(&database.url_as(SUPERUSER.0, SUPERUSER.1)).await.map_err(query)?;
    let refused =
        sqlx::PgConnection::connect(&database.url_as(APPLICATION.0, "wrong")).await.err().map(|e| e.to_string());
    assert!(
        refused.as_deref().is_some_and(|message| message.contains("password authentication failed")),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_server_of_its_own_takes_settings_and_is_gone_when_stopped() -> Result<()> {
    let mut postgres = Postgres::builder().setting("work_mem", "7MB").setting("max_connections", "12").start().await?;
    let database = postgres.database("settings").await?;
    let seen: (String, String) =
        sqlx::query_as("SELECT current_setting('work_mem'), current_setting('max_connections')")
            .fetch_one(database.pool())
            .await
            .map_err(query)?;
    assert_eq!(seen, ("7MB".to_owned(), "12".to_owned()));
    let started = std::time::Instant::now();
    postgres.stop();
    assert!(started.elapsed().as_secs() < 3, "stopping took {:?}", started.elapsed());
    assert!(sqlx::PgConnection::connect(&database.url()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let refused = Postgres::builder().setting("max_connections", "no number").start().await.err();
    assert!(matches!(&refused, Some(Error::Ended { output, .. }) if output.contains("max_connections")), "{refused:?}");
}

fn query(source: sqlx::Error) -> Error {
    Error::Database { doing: "query".into(), source }
}
