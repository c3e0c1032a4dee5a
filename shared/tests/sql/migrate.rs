//! Schema `remediation`: made once, whoever comes, and nothing else is touched.

use harness::Postgres;
use remediation::act::action::ActionResult;
use remediation::act::actions::migrate;
use remediation::act::actions::migrate::Migrate;
use remediation::domain::Language;
use remediation::gather::error::Error;
use sqlx::PgConnection;

use crate::support::{Tested, planned};

async fn apply(db: &mut PgConnection, action: &Migrate) -> Result<ActionResult, Error> {
    let planned = planned(action.clone());
    migrate::apply(db, &planned, action, Language::En).await.map(|outcome| outcome.result)
}

async fn tables_of(db: &mut PgConnection, schema: &str) -> Vec<String> {
    sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1")
        .bind(schema)
        .fetch_all(db)
        .await
        .unwrap()
}

const TABLES: [&str; 14] = [
    "actions",
    "admissions",
    "controls",
    "controls_history",
    "executions",
    "incidents",
    "leases",
    "migrations",
    "paces",
    "plans",
    "progress",
    "refused_writes",
    "runs",
    "told",
];

#[tokio::test]
async fn a_fresh_database_gets_the_schema_and_nothing_is_made_in_public() -> Tested {
    let database = Postgres::shared().await?.database("fresh").await?;
    let mut db = database.connect().await?;
    let before = tables_of(&mut db, "public").await;
    let action = Migrate::missing(&mut db).await?.ok_or("nothing is missing")?;
    assert_eq!(action.from, 0);
    assert_eq!(apply(&mut db, &action).await?, ActionResult::Applied);
    assert_eq!(tables_of(&mut db, "remediation").await, TABLES);
    assert_eq!(tables_of(&mut db, "public").await, before);
    let functions: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'rank'",
    )
    .fetch_one(&mut db)
    .await?;
    assert_eq!(functions, 0);
    Ok(())
}

#[tokio::test]
async fn a_second_migration_finds_nothing_missing_and_is_harmless_all_the_same() -> Tested {
    let database = Postgres::shared().await?.database("twice").await?;
    let mut db = database.connect().await?;
    let action = Migrate::missing(&mut db).await?.ok_or("nothing is missing")?;
    apply(&mut db, &action).await?;
    assert_eq!(Migrate::missing(&mut db).await?, None);
    assert_eq!(apply(&mut db, &action).await?, ActionResult::Applied);
    Ok(())
}

#[tokio::test]
async fn migrations_at_the_same_time_wait_for_each_other() -> Tested {
    let database = Postgres::shared().await?.database("at_once").await?;
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(4));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (database, barrier) = (database.clone(), barrier.clone());
        all.spawn(async move {
            let mut db = database.connect().await.unwrap();
            let action = Migrate::missing(&mut db).await.unwrap().unwrap();
            barrier.wait().await;
            apply(&mut db, &action).await
        });
    }
    for result in all.join_all().await {
        assert_eq!(result?, ActionResult::Applied);
    }
    let applied: i64 = sqlx::query_scalar("SELECT count(*) FROM remediation.migrations WHERE version = 1")
        .fetch_one(database.pool())
        .await?;
    assert_eq!(applied, 1);
    Ok(())
}

#[tokio::test]
async fn a_schema_that_is_newer_than_this_build_is_refused_and_left() -> Tested {
    let database = Postgres::shared().await?.database("newer").await?;
    let mut db = database.connect().await?;
    let action = Migrate::missing(&mut db).await?.ok_or("nothing is missing")?;
    apply(&mut db, &action).await?;
    database
        .execute(
            "INSERT INTO remediation.migrations (version, description, installed_on, success, checksum, execution_time)
             VALUES (9999, 'of tomorrow', now(), true, '', 0)",
        )
        .await?;
    let error = Migrate::missing(&mut db).await.unwrap_err();
    assert!(matches!(error, Error::Said(_)) && error.to_string().contains("at version 9999"), "{error}");
    assert!(matches!(apply(&mut db, &action).await, Err(Error::Said(_))));
    assert_eq!(tables_of(&mut db, "remediation").await, TABLES);
    Ok(())
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind_and_can_be_tried_again() -> Tested {
    let database = Postgres::shared().await?.database("failing").await?;
    let mut db = database.connect().await?;
    // Somebody's own table is in the way, of the one that is made last.
    database.execute("CREATE SCHEMA remediation; CREATE TABLE remediation.controls (mine text)").await?;
    let action = Migrate::missing(&mut db).await?.ok_or("nothing is missing")?;
    let error = apply(&mut db, &action).await.unwrap_err();
    assert!(matches!(error, Error::Said(_)) && error.to_string().contains("controls"), "{error}");
    assert_eq!(tables_of(&mut db, "remediation").await, ["controls", "migrations"]);
    let recorded: i64 = sqlx::query_scalar("SELECT count(*) FROM remediation.migrations").fetch_one(&mut db).await?;
    assert_eq!(recorded, 0);

    database.execute("DROP TABLE remediation.controls").await?;
    assert_eq!(apply(&mut db, &action).await?, ActionResult::Applied);
    assert_eq!(tables_of(&mut db, "remediation").await, TABLES);
    Ok(())
}

#[tokio::test]
async fn a_user_that_may_not_create_is_told_which_right_it_lacks() -> Tested {
    let database = Postgres::shared().await?.database("no_right").await?;
    database.execute_as_superuser(&format!("ALTER DATABASE {} OWNER TO postgres", database.name())).await?;
    let mut db = database.connect().await?;
    let action = Migrate::missing(&mut db).await?.ok_or("nothing is missing")?;
    let error = apply(&mut db, &action).await.unwrap_err().to_string();
    assert!(error.contains("permission denied") && error.contains("needs CREATE on the database"), "{error}");
    Ok(())
}
