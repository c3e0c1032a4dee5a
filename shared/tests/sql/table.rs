//! The application's table in every form that it has in the field, and in some that it must not have.

use harness::Postgres;
use patient::table::{self, Row, Variant};
use remediation::domain::Language;
use remediation::domain::ProcessStatus::{Completed, Timeout};
use remediation::gather::error::Error;
use remediation::gather::table::Table;
use remediation::gather::table_name::TableName;

use crate::support::{Tested, World, closing, planned, seconds_ago};

/// Reads the catalogue of a table that was made by these statements.
async fn read(statements: &str) -> Result<Table, Error> {
    let database = Postgres::shared().await.unwrap().database("table").await.unwrap();
    database.execute(statements).await.unwrap();
    let name = TableName { schema: "public".into(), table: "processing_state".into() };
    Table::read(&name, Language::En, &mut database.connect().await.unwrap()).await
}

/// A table in which one column is defined otherwise; `None` leaves it out.
async fn read_with(column: &str, definition: Option<&str>) -> Result<Table, Error> {
    let columns = [
        ("id", "uuid PRIMARY KEY"),
        ("status", "text"),
        ("progress", "smallint"),
        ("result", "jsonb"),
        ("error", "jsonb"),
        ("created_at", "timestamptz"),
        ("updated_at", "timestamptz"),
        ("completed_at", "timestamptz"),
    ];
    let columns: Vec<String> = columns
        .into_iter()
        .filter_map(|(name, usual)| {
            let definition = if name == column { definition? } else { usual };
            Some(format!("{name} {definition}"))
        })
        .collect();
    read(&format!("CREATE TABLE processing_state ({})", columns.join(", "))).await
}

fn refusal(read: Result<Table, Error>) -> String {
    match read {
        Err(error @ Error::Table(_)) => error.to_string(),
        other => panic!("{other:?} instead of a refusal"),
    }
}

#[tokio::test]
async fn every_variant_is_understood() -> Tested {
    for variant in Variant::ALL {
        let database = Postgres::shared().await?.database(variant.name).await?;
        table::create(database.pool(), &variant).await?;
        let name = TableName { schema: variant.schema.into(), table: variant.table.into() };
        let read = Table::read(&name, Language::En, &mut database.connect().await?).await?;
        assert_eq!(read.relation(), format!("\"{}\".\"{}\"", variant.schema, variant.table));
        read.require(Timeout)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_column_is_named_in_both_spellings() {
    for (column, told) in [
        ("id", "no column `id`"),
        ("status", "no column `status`"),
        ("progress", "no column `progress`"),
        ("result", "no column `result`"),
        ("error", "no column `error`"),
        ("created_at", "no column `created_at` (or \"createdAt\")"),
        ("updated_at", "no column `updated_at` (or \"updatedAt\")"),
        ("completed_at", "no column `completed_at` (or \"completedAt\")"),
    ] {
        let error = refusal(read_with(column, None).await);
        assert!(error.contains(told) && error.contains("public.processing_state"), "{error}");
    }
}

#[tokio::test]
async fn a_column_of_another_type_is_named_with_the_types_that_serve() {
    for (column, definition, told) in [
        ("id", "bigint", "column `id` of table public.processing_state is of type bigint, but must be uuid"),
        ("status", "integer", "is of type integer, but must be text or character varying or enum"),
        ("progress", "double precision", "is of type double precision, but must be smallint or integer"),
        ("result", "text", "column `result`"),
        ("error", "json", "column `error`"),
        ("updated_at", "date", "column `updated_at`"),
        ("completed_at", "bigint", "column `completed_at`"),
    ] {
        let error = refusal(read_with(column, Some(definition)).await);
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn text_varchar_and_plain_integers_serve_as_well() -> Tested {
    for (column, definition) in [
        ("status", "text"),
        ("status", "varchar"),
        ("status", "varchar(20)"),
        ("progress", "integer"),
        ("completed_at", "timestamp"),
        ("completed_at", "timestamptz(3)"),
    ] {
        read_with(column, Some(definition)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_enum_without_a_label_that_is_needed_is_refused_with_those_that_it_has() {
    let error = refusal(
        read(
            r#"CREATE TYPE "ProcessingStatus" AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED');
               CREATE TABLE processing_state (id uuid, status "ProcessingStatus", progress int2, result jsonb, error jsonb,
                   created_at timestamptz, updated_at timestamptz, completed_at timestamptz)"#,
        )
        .await,
    );
    assert!(error.contains("`status`") && error.contains("has no value CANCELLED"), "{error}");
    assert!(error.contains("PENDING, PROCESSING, COMPLETED, FAILED"), "{error}");
}

#[tokio::test]
async fn an_enum_without_timeout_serves_unless_timeout_is_to_be_written() -> Tested {
    let table = read(
        r#"CREATE TYPE "ProcessingStatus" AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED');
           CREATE TABLE processing_state (id uuid, status "ProcessingStatus", progress int2, result jsonb, error jsonb,
               created_at timestamptz, updated_at timestamptz, completed_at timestamptz)"#,
    )
    .await?;
    let error = table.require(Timeout).unwrap_err().to_string();
    assert!(error.contains("has no value TIMEOUT"), "{error}");
    table.require(Completed)?;
    Ok(())
}

#[tokio::test]
async fn a_table_that_is_not_there_is_named_with_the_setting_that_names_it() {
    let error = refusal(read("SELECT 1").await);
    assert!(error.contains("public.processing_state") && error.contains("PROCESSING_STATE_TABLE"), "{error}");
    // A view has no row versions to compare.
    let error = refusal(read("CREATE VIEW processing_state AS SELECT 1 AS id").await);
    assert!(error.contains("public.processing_state"), "{error}");
}

#[tokio::test]
async fn a_status_that_its_varchar_cannot_hold_is_not_written_in_part() -> Tested {
    let mut world = World::new("short_varchar").await;
    world.execute("ALTER TABLE {processes} ALTER status TYPE varchar(8)").await;
    world.table = Table::read(&world.config.table, world.config.language, &mut world.db).await?.into();
    let row = Row::pending(seconds_ago(60));
    world.insert(std::slice::from_ref(&row)).await;
    let wanted = closing(&world.process(row.id).await, None, Completed);
    let action = planned(wanted.clone());
    let outcome = world.set_as(&action, &wanted).await;
    assert_eq!(world.row(row.id).await, row, "{outcome:?}");
    Ok(())
}

#[tokio::test]
async fn what_a_newer_request_is_told_by_may_be_of_any_type_or_missing() -> Tested {
    let complete = "ALTER TABLE processing_state ADD user_id bigint, ADD type smallint, ADD target_id varchar(40)";
    for (columns, tells) in
        [(complete, true), ("ALTER TABLE processing_state ADD user_id bigint, ADD type text", false)]
    {
        let world = World::of("optional", &patient::table::EARLY).await;
        world.execute("ALTER TABLE {processes} DROP user_id, DROP type").await;
        world.execute(columns).await;
        let table =
            Table::read(&world.config.table, world.config.language, &mut world.database.connect().await?).await?;
        assert_eq!(table.has("target_id"), tells);
        world
            .execute("INSERT INTO {processes} (id, updated_at, created_at) SELECT gen_random_uuid(), now(), now() - n * interval '1 hour' FROM generate_series(0, 1) n")
            .await;
        world
            .execute(if tells { "UPDATE {processes} SET user_id = 1, type = 2, target_id = 't'" } else { "SELECT" })
            .await;
        let superseded: Vec<bool> =
            sqlx::query_scalar(table.sql("SELECT {superseded} FROM {table} p ORDER BY {created_at}"))
                .fetch_all(world.database.pool())
                .await?;
        assert_eq!(superseded, [tells, false], "only the older one, and only where it can be told");
    }
    Ok(())
}
