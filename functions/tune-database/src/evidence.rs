//! What is read of the database.

use chrono::TimeDelta;
use remediation::gather::error::Error;
use remediation::gather::indexes::{self, InTheWay, Proposed};
use remediation::run::step::Session;
use serde::Serialize;

use crate::policy::Policy;
use crate::statements::{self, Statements};

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub table: Table,
    pub proposed: Vec<Proposed>,
    pub in_the_way: Vec<InTheWay>,
    /// INVALID indexes that are none of ours.
    pub invalid: Vec<Invalid>,
    pub statements: Statements,
    pub scans: Vec<Scan>,
}

/// The application's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Table {
    pub owner: String,
    /// Ours, quoted where it must be.
    pub user: String,
    /// Whether this user has the owner's rights.
    pub owned: bool,
    /// Whether this user may create something in the table's schema.
    pub creates: bool,
    pub schema: String,
    pub bytes: i64,
    /// As ANALYZE has counted; none where it never did.
    pub rows: Option<i64>,
}

/// An INVALID index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Invalid {
    /// Qualified, and quoted where it must be.
    pub name: String,
    pub definition: String,
}

/// A table that is read from beginning to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Scan {
    pub table: String,
    pub rows: i64,
    pub scans: i64,
    pub rows_read: i64,
    pub by_index: i64,
}

/// Reads it all.
pub async fn read(session: &mut Session<'_>, policy: &Policy) -> Result<Evidence, Error> {
    let table = session.table().await?;
    let db = &mut *session.db;
    let proposed = indexes::proposed(db, &table).await?;
    let relation = table.relation();
    let facts = sqlx::query_as(include_str!("table.sql"))
        .bind(&relation)
        .fetch_one(&mut *db)
        .await
        .map_err(Error::database("reading the table's size and owner"))?;
    let names: Vec<&str> = proposed.iter().map(|index| index.name).collect();
    let invalid = sqlx::query_as(include_str!("invalid.sql"))
        .bind(&relation)
        .bind(&names)
        .fetch_all(&mut *db)
        .await
        .map_err(Error::database("looking for INVALID indexes"))?;
    let scans = sqlx::query_as(include_str!("scans.sql"))
        .bind(&relation)
        .bind(i64::from(policy.scanned_rows))
        .bind(i64::from(policy.scans))
        .fetch_all(&mut *db)
        .await
        .map_err(Error::database("reading how tables are read"))?;
    let age: TimeDelta = policy.care().transaction;
    let in_the_way = indexes::in_the_way(db, &table, age).await?;
    let statements = statements::read(db).await?;
    Ok(Evidence { table: facts, proposed, in_the_way, invalid, statements, scans })
}
