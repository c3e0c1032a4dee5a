//! Makes schema `remediation` and brings it up to date. Never touches the application's tables.

use serde_json::json;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;

use super::{ActionResult, Outcome};
use crate::act::plan::Planned;
use crate::gather::error::Error;

/// The migrations that are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrate {
    /// The version that is there; 0 for none.
    pub from: i64,
    /// The version that this build brings.
    pub to: i64,
}

impl Migrate {
    /// As the log spells it.
    pub const KIND: &'static str = "migrate";

    /// What is missing here; `None` where nothing is.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Refused`] where the schema is newer than this build.
    pub async fn missing(db: &mut PgConnection) -> Result<Option<Self>, Error> {
        let reading = "reading the schema's version";
        let exists: bool = sqlx::query_scalar("SELECT to_regclass('remediation.migrations') IS NOT NULL")
            .fetch_one(&mut *db)
            .await
            .map_err(Error::database(reading))?;
        let from = if exists {
            sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM remediation.migrations WHERE success")
                .fetch_one(db)
                .await
                .map_err(Error::database(reading))?
        } else {
            0
        };
        let to = migrations().iter().map(|migration| migration.version).max().unwrap_or(0);
        match from {
            from if from < to => Ok(Some(Self { from, to })),
            from if from == to => Ok(None),
            from => Err(Error::Refused(format!(
                "schema remediation is at version {from} and this build knows {to}: deploy the build that made it, or a newer one"
            ))),
        }
    }
}

fn migrations() -> Migrator {
    let mut migrations = sqlx::migrate!("./migrations");
    migrations.create_schema("remediation");
    migrations.dangerous_set_table_name("remediation.migrations");
    migrations
}

/// Brings the schema up to date. Two of them at once wait for each other.
///
/// # Errors
/// [`Error::Refused`] with the migration that failed; it has left nothing behind.
pub async fn apply(db: &mut PgConnection, planned: &Planned, action: &Migrate) -> Result<Outcome, Error> {
    migrations().run_direct(None, &mut *db, false).await.map_err(|error| {
        Error::Refused(format!(
            "schema remediation cannot be brought to version {}: {error}. The database user needs CREATE on the database",
            action.to
        ))
    })?;
    let result = match Migrate::missing(db).await? {
        None => ActionResult::Applied,
        Some(missing) => ActionResult::Failed(format!("the schema is still at version {}", missing.from)),
    };
    Ok(Outcome {
        id: planned.id,
        result,
        before: Some(json!({ "version": action.from })),
        after: Some(json!({ "version": action.to })),
        again: None,
    })
}
