//! The proxy in front of PostgreSQL: what it counts, and how it fails.

use harness::{APPLICATION, CountingProxy, Database, Error, Postgres, Result};
use sqlx::{Connection, PgConnection};

async fn connect(database: &Database, proxy: &CountingProxy) -> sqlx::Result<PgConnection> {
    PgConnection::connect(&database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1)).await
}

fn query(source: sqlx::Error) -> Error {
    Error::Database { doing: "query".into(), source }
}

#[tokio::test]
async fn round_trips_and_statements_are_counted_but_not_the_start() -> Result<()> {
    let database = Postgres::shared().await?.database("count").await?;
    let proxy = CountingProxy::start(database.port()).await?;
    let mut connection = connect(&database, &proxy).await.map_err(query)?;
    assert_eq!((proxy.count(), proxy.statements(), proxy.connections()), (0, 0, 1));
    // A new statement is prepared in a round trip of its own; a known one takes a single one.
    for expected in [2, 1, 1] {
        proxy.reset();
        let rows: Vec<i32> = sqlx::query_scalar("SELECT generate_series(1, $1)")
            .bind(9_000)
            .fetch_all(&mut connection)
            .await
            .map_err(query)?;
        assert_eq!(rows.len(), 9_000);
        assert_eq!((proxy.count(), proxy.statements()), (expected, 1));
    }
    proxy.reset();
    sqlx::raw_sql("SELECT 1; SELECT 2").execute(&mut connection).await.map_err(query)?;
    assert_eq!(proxy.count(), 1, "one message, one round trip");
    Ok(())
}

#[tokio::test]
async fn a_refused_encryption_does_not_confuse_it() -> Result<()> {
    let database = Postgres::shared().await?.database("prefer").await?;
    let proxy = CountingProxy::start(database.port()).await?;
    let url = database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1).replace("disable", "prefer");
    let mut connection = PgConnection::connect(&url).await.map_err(query)?;
    sqlx::raw_sql("SELECT 1").execute(&mut connection).await.map_err(query)?;
    assert_eq!((proxy.count(), proxy.statements()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_cut_ends_what_is_open_and_lets_new_connections_through() -> Result<()> {
    let database = Postgres::shared().await?.database("cut").await?;
    let proxy = CountingProxy::start(database.port()).await?;
    let mut connection = connect(&database, &proxy).await.map_err(query)?;
    proxy.cut();
    let failed = sqlx::raw_sql("SELECT 1").execute(&mut connection).await.err();
    assert!(matches!(&failed, Some(sqlx::Error::Io(_))), "{failed:?}");
    connect(&database, &proxy).await.map_err(query)?.ping().await.map_err(query)
}

#[tokio::test]
async fn refused_connections_are_refused_until_it_accepts_again() -> Result<()> {
    let database = Postgres::shared().await?.database("refuse").await?;
    let proxy = CountingProxy::start(database.port()).await?;
    let mut open = connect(&database, &proxy).await.map_err(query)?;
    proxy.refuse().await;
    let refused = connect(&database, &proxy).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("refused"), "{refused}");
    open.ping().await.map_err(query)?;
    proxy.accept().await?;
    connect(&database, &proxy).await.map_err(query)?.ping().await.map_err(query)
}

#[tokio::test]
async fn nothing_goes_through_while_it_is_silent_and_everything_afterwards() -> Result<()> {
    let database = Postgres::shared().await?.database("silent").await?;
    let proxy = CountingProxy::start(database.port()).await?;
    let mut connection = connect(&database, &proxy).await.map_err(query)?;
    proxy.reset();
    proxy.silence(true);
    let mut asked = tokio::spawn(async move { sqlx::raw_sql("SELECT 1").execute(&mut connection).await.map(drop) });
    // Longer than any answer takes that is not held back.
    let answered = tokio::time::timeout(std::time::Duration::from_millis(500), &mut asked).await;
    assert!(answered.is_err(), "{answered:?}");
    let opened = tokio::net::TcpStream::connect(("127.0.0.1", proxy.port())).await;
    assert!(opened.is_ok(), "a connection can be opened all the while: {opened:?}");
    proxy.silence(false);
    asked.await.map_err(|error| Error::Usage(error.to_string()))?.map_err(query)?;
    assert_eq!(proxy.count(), 1);
    Ok(())
}
