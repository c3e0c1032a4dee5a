//! Makes schema `remediation` and brings it up to date. Never touches the application's tables.

use serde_json::{Value, json};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::text;

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
    /// [`Error::Database`]; [`Error::Said`] where the schema is newer than this build.
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
            from => Err(Error::said(|language| {
                text!(
                    language,
                    ja: "スキーマ remediation はバージョン {from} だが、このビルドが知るのは {to} まで。作成したビルドまたは新しいビルドをデプロイする",
                    en: "schema remediation is at version {from} and this build knows {to}: deploy the build that made it, or a newer one",
                )
            })),
        }
    }
}

impl Action for Migrate {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        "schema remediation".to_owned()
    }

    fn preview(&self) -> (Value, Value) {
        (json!({ "version": self.from }), json!({ "version": self.to }))
    }

    fn class(&self) -> Class {
        Class::Own
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    async fn apply(session: &mut Session<'_>, _: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        apply(session.db, planned, action, session.config.language).await
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(text!(
            language,
            ja: "スキーマの移行は戻せない。古いビルドの migrate は新しいスキーマを拒否する",
            en: "a schema migration cannot be undone; the migrate function of an older build refuses the newer schema",
        ))
    }

    /// The log is its ledger, and a migration that did not end has left nothing behind.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
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
/// [`Error::Said`] with the migration that failed; it has left nothing behind.
pub async fn apply(
    db: &mut PgConnection,
    planned: &Planned,
    action: &Migrate,
    language: Language,
) -> Result<Outcome, Error> {
    migrations().run_direct(None, &mut *db, false).await.map_err(|error| {
        let to = action.to;
        Error::said(|language| {
            text!(
                language,
                ja: "スキーマ remediation をバージョン {to} に更新できない: {error}。データベースユーザーにはデータベースへの CREATE 権限が必要",
                en: "schema remediation cannot be brought to version {to}: {error}. The database user needs CREATE on the database",
            )
        })
    })?;
    let result = match Migrate::missing(db).await? {
        None => ActionResult::Applied,
        Some(missing) => {
            let from = missing.from;
            ActionResult::Failed(text!(
                language,
                ja: "スキーマはまだバージョン {from} のまま",
                en: "the schema is still at version {from}",
            ))
        }
    };
    Ok(Outcome {
        id: planned.id,
        result,
        before: Some(json!({ "version": action.from })),
        after: Some(json!({ "version": action.to })),
        again: None,
    })
}
