//! Makes schema `remediation` and brings it up to date, at every deployment.
//!
//! It makes the ledger, so it is recorded in the log; and it changes nothing of the application's, so an installation that only
//! observes gets its schema all the same.

use chrono::{DateTime, Utc};
use remediation::actions::{Action, Migrate};
use remediation::config::Config;
use remediation::error::Error;
use remediation::indexes::{self, Missing};
use remediation::step::{Finding, Plan, Planned, Question, Session, Step};
use serde_json::json;

struct MigrateSchema;

struct Evidence {
    missing: Option<Migrate>,
    /// What is wrong with the application's table, which every other step will need.
    table: Option<Error>,
    /// Optional indexes that the application's table does not have.
    indexes: Vec<Missing>,
}

impl Step for MigrateSchema {
    type Evidence = Evidence;

    const OWN_SCHEMA_ONLY: bool = true;

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        if !matches!(question, Question::Sweep(_)) {
            return Err(Error::Refused(
                "migrate looks after the whole schema: send {\"all\": true}, or {} to see what is missing".to_owned(),
            ));
        }
        let missing = Migrate::missing(session.db).await?;
        let (table, indexes) = match session.table().await {
            Ok(table) => (None, indexes::missing(session.db, &table).await?),
            Err(error) => (Some(error), Vec::new()),
        };
        Ok(Evidence { missing, table, indexes })
    }

    fn plan(&self, evidence: &Evidence, _: &Config, _: DateTime<Utc>) -> Plan {
        let action = |missing: &Migrate| {
            let reason = format!("schema remediation is at version {}, this build needs {}", missing.from, missing.to);
            Planned::new(Action::Migrate(missing.clone()), reason)
        };
        let finding = |error: &Error| Finding {
            code: "table_unfit",
            message: error.to_string(),
            target: "PROCESSING_STATE_TABLE".to_owned(),
            evidence: serde_json::Value::Null,
        };
        Plan {
            actions: evidence.missing.iter().map(action).collect(),
            findings: evidence.table.iter().map(finding).collect(),
            population: 1,
            report: Some(json!({ "optionalIndexes": evidence.indexes })),
            ..Plan::default()
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::runner::run(MigrateSchema).await
}
