//! Every variant of the table holds the same rows.

use chrono::{TimeDelta, Utc};
use harness::Postgres;
use patient::table::{self, Row, Variant};
use serde_json::json;

#[tokio::test]
async fn what_was_inserted_is_read_back_in_every_variant() -> Result<(), Box<dyn std::error::Error>> {
    let now = Utc::now();
    for variant in Variant::ALL {
        let database = Postgres::shared().await?.database(variant.name).await?;
        table::create(database.pool(), &variant).await?;
        let closed = Row {
            progress: 100,
            result: Some(json!({"items": [1]})),
            retry_count: if variant.complete { 2 } else { 0 },
            ..Row::pending(now - TimeDelta::minutes(3)).became("COMPLETED", now)
        };
        let open = Row::pending(now);
        table::insert(database.pool(), &variant, &[closed.clone(), open.clone()]).await?;
        assert_eq!(
            table::read(database.pool(), &variant, closed.id).await?.as_ref(),
            Some(&closed),
            "{}",
            variant.name
        );
        assert_eq!(table::read(database.pool(), &variant, open.id).await?, Some(open), "{}", variant.name);
        assert_eq!(table::read(database.pool(), &variant, uuid::Uuid::new_v4()).await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn history_is_closed_and_of_the_last_thirty_days() -> Result<(), Box<dyn std::error::Error>> {
    let now = Utc::now();
    for variant in Variant::ALL {
        let database = Postgres::shared().await?.database(variant.name).await?;
        table::create(database.pool(), &variant).await?;
        table::history(database.pool(), &variant, 10_000, now).await?;
        let sql = "SELECT count(*), count(*) FILTER (WHERE status::text = 'COMPLETED' AND result IS NOT NULL),
                          min({created_at}{utc}) > $1 - interval '31 days', max({completed_at}{utc}) < $1
                     FROM {processes} WHERE status::text NOT IN ('PENDING', 'PROCESSING')";
        let seen: (i64, i64, bool, bool) =
            sqlx::query_as(sqlx::AssertSqlSafe(variant.spell(sql))).bind(now).fetch_one(database.pool()).await?;
        assert_eq!(seen, (10_000, 9_200, true, true), "{}", variant.name);
    }
    Ok(())
}
