//! The connection: refused, lost, and made anew with what the secret says then.

use aws_sdk_secretsmanager::Client as Secrets;
use harness::{APPLICATION, Aws, CountingProxy, Database as Tested_, Postgres};
use remediation::gather::config::access::DatabaseAccess;
use remediation::gather::database::Database;
use remediation::gather::error::Error;
use serde_json::json;
use uuid::Uuid;

use crate::support::Tested;

fn by_url(url: String) -> Database {
    Database::new(DatabaseAccess::Url(url), "test-step")
}

fn by_secret(arn: String) -> Database {
    let access = DatabaseAccess::Secret { arn, host: None, port: 5432, name: "postgres".to_owned() };
    Database::new(access, "test-step")
}

async fn answers(database: &mut Database, aws: &aws_config::SdkConfig) -> Result<String, Error> {
    let db = database.connection(aws).await?;
    sqlx::query_scalar("SELECT current_setting('application_name')")
        .fetch_one(db)
        .await
        .map_err(Error::database("asking for the name"))
}

async fn nowhere() -> aws_config::SdkConfig {
    harness::aws::config("http://127.0.0.1:9").await
}

#[tokio::test]
async fn one_connection_is_made_and_kept_and_says_whose_it_is() -> Tested {
    let database = Postgres::shared().await?.database("kept").await?;
    let proxy = CountingProxy::start(database.port()).await?;
    let mut kept = by_url(database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1));
    for _ in 0..3 {
        assert_eq!(answers(&mut kept, &nowhere().await).await?, "remediation/test-step");
    }
    assert_eq!(proxy.connections(), 1);
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_says_what_to_check_and_is_not_printed() -> Tested {
    let database = Postgres::shared().await?.database("password").await?;
    let error = answers(&mut by_url(database.url_as(APPLICATION.0, "hunter2")), &nowhere().await).await.unwrap_err();
    let told = error.to_string();
    assert!(told.contains("connecting") && told.contains("check DATABASE_URL"), "{told}");
    assert!(!told.contains("hunter2") && !error.is_connection_lost(), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named() -> Tested {
    let database = Postgres::shared().await?.database("no_database").await?;
    let url = database.url().replace(database.name(), "no_such_database");
    let told = answers(&mut by_url(url), &nowhere().await).await.unwrap_err().to_string();
    assert!(told.contains("no_such_database") && told.contains("check the name"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_down_is_an_error_that_a_new_connection_may_cure() -> Tested {
    let database = Postgres::shared().await?.database("down").await?;
    let proxy = CountingProxy::start(database.port()).await?;
    let mut lost = by_url(database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1));
    answers(&mut lost, &nowhere().await).await?;

    proxy.cut();
    let error = answers(&mut lost, &nowhere().await).await.unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
    lost.forget();
    answers(&mut lost, &nowhere().await).await?;

    proxy.refuse().await;
    lost.forget();
    let error = answers(&mut lost, &nowhere().await).await.unwrap_err();
    assert!(error.is_connection_lost() && error.to_string().contains("check that it is up"), "{error}");
    proxy.accept().await?;
    answers(&mut lost, &nowhere().await).await?;
    Ok(())
}

#[tokio::test]
async fn a_session_that_the_server_ends_is_a_lost_connection() -> Tested {
    let database = Postgres::shared().await?.database("terminated").await?;
    let mut lost = by_url(database.url());
    answers(&mut lost, &nowhere().await).await?;
    database
        .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'remediation/test-step'")
        .await?;
    let error = answers(&mut lost, &nowhere().await).await.unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up() -> Tested {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("postgres://u:p@127.0.0.1:{}/d?sslmode=disable", listener.local_addr()?.port());
    let began = std::time::Instant::now();
    let error = answers(&mut by_url(url), &nowhere().await).await.unwrap_err();
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
    assert!(error.to_string().contains("no answer within"), "{error}");
    Ok(())
}

/// A secret as RDS keeps it, for a user of the database's own.
fn secret(database: &Tested_, user: &str, password: &str) -> String {
    json!({
        "engine": "postgres", "host": "127.0.0.1", "port": database.port(), "dbname": database.name(),
        "username": user, "password": password, "sslmode": "disable",
    })
    .to_string()
}

#[tokio::test]
async fn after_a_rotation_the_new_secret_is_read_once_the_connection_is_lost() -> Tested {
    let aws = Aws::shared().await?;
    let secrets = Secrets::new(aws.sdk_config());
    let database = Postgres::shared().await?.database("rotation").await?;
    let user = format!("rotated_{}", &Uuid::new_v4().simple().to_string()[..8]);
    database.execute_as_superuser(&format!("CREATE ROLE {user} LOGIN PASSWORD 'first'")).await?;
    let made = secrets.create_secret().name(&user).secret_string(secret(&database, &user, "first")).send().await?;
    let arn = made.arn().ok_or("no ARN")?.to_owned();
    let mut kept = by_secret(arn.clone());
    answers(&mut kept, aws.sdk_config()).await?;

    database.execute_as_superuser(&format!("ALTER ROLE {user} PASSWORD 'second'")).await?;
    answers(&mut kept, aws.sdk_config()).await?;
    kept.forget();
    let told = answers(&mut kept, aws.sdk_config()).await.unwrap_err().to_string();
    assert!(told.contains("whether it was rotated"), "{told}");

    secrets.put_secret_value().secret_id(&arn).secret_string(secret(&database, &user, "second")).send().await?;
    answers(&mut kept, aws.sdk_config()).await?;
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_an_error_of_aws_that_names_the_call() -> Tested {
    let aws = Aws::shared().await?;
    let arn = "arn:aws:secretsmanager:ap-northeast-1:000000000000:secret:none-AbCdEf".to_owned();
    let error = answers(&mut by_secret(arn), aws.sdk_config()).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, Error::Aws { call: "GetSecretValue", .. }) && told.contains("check the ARN"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_named() -> Tested {
    let database = Postgres::shared().await?.database("pooler").await?;
    let mut made = by_url(database.url());
    let db = made.connection(&nowhere().await).await?;
    // What another client has left on the server's connection that the pooler gives us.
    sqlx::raw_sql("PREPARE sqlx_s_1 AS SELECT 1; PREPARE sqlx_s_2 AS SELECT 1").execute(&mut *db).await?;
    let error = answers(&mut made, &nowhere().await).await.unwrap_err().to_string();
    assert!(error.contains("PgBouncer") && error.contains("transaction mode"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_address_of_ipv6_in_a_url_connects() -> Tested {
    let database = Postgres::shared().await?.database("ipv6").await?;
    let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else { return Ok(()) };
    let port = listener.local_addr()?.port();
    let server = database.port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let Ok(mut server) = tokio::net::TcpStream::connect(("127.0.0.1", server)).await else { return };
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    let (user, password) = APPLICATION;
    let url = format!("postgres://{user}:{password}@[::1]:{port}/{}", database.name());
    assert_eq!(answers(&mut by_url(url), &nowhere().await).await?, "remediation/test-step");
    Ok(())
}
