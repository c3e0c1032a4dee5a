//! Makes schema `remediation` and brings it up to date, at every deployment; and, where an operator asks for it, puts the fence on
//! the application's table or takes it away.
//!
//! It creates the ledger, so its runs are recorded in the log. The schema does not belong to the application, so an installation that only
//! observes gets it as well. The fence is on the application's table, so it needs the installation's mode `act`.

mod texts;

use chrono::{DateTime, Utc};
use remediation::act::actions::fence::{Change, State};
use remediation::act::actions::{Action, Fence, Migrate};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::indexes::{self, Missing};
use remediation::gather::trigger::TriggerError;
use remediation::run::step::{Finding, Plan, Planned, Question, Session, Skipped, Step};
use serde_json::json;

struct MigrateSchema;

struct Evidence {
    missing: Option<Migrate>,
    /// What is wrong with the application's table, which every other step will need.
    table: Option<Error>,
    fence: State,
    /// What is asked for the fence, and what has to be done for it.
    asked: Option<(Change, Option<Fence>)>,
    /// Optional indexes that the application's table does not have.
    indexes: Vec<Missing>,
}

/// The operator's parameter.
const FENCE: &str = "fence";

fn asked(session: &Session<'_>) -> Result<Option<Change>, Error> {
    match session.parameters.get(FENCE) {
        None => Ok(None),
        Some(value) if value == "install" => Ok(Some(Change::Install)),
        Some(value) if value == "remove" => Ok(Some(Change::Remove)),
        Some(value) => Err(Error::Trigger(TriggerError::Field {
            path: FENCE.to_owned(),
            found: value.to_string().chars().take(100).collect(),
            expected: "\"install\" or \"remove\"".into(),
        })),
    }
}

impl Step for MigrateSchema {
    type Evidence = Evidence;

    const OWN_SCHEMA_ONLY: bool = true;
    const PARAMETERS: &'static [&'static str] = &[FENCE];
    const COMMANDS: &'static [&'static str] = &[FENCE];

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let asked = asked(session)?;
        if !matches!(question, Question::Sweep(_)) {
            return Err(Error::Refused(
                "migrate looks after the whole schema: send {\"all\": true}, or {} to see what is missing; for the fence, {\"fence\": \"install\"} or {\"fence\": \"remove\"} alone"
                    .to_owned(),
            ));
        }
        // The fence can be taken away whatever else is wrong.
        let missing = match asked {
            Some(Change::Remove) => None,
            Some(Change::Install) | None => Migrate::missing(session.db).await?,
        };
        let table = session.table().await;
        let indexes = match &table {
            Ok(table) => indexes::missing(session.db, table).await?,
            Err(_) => Vec::new(),
        };
        let fence = State::read(session.db, table.as_deref().ok()).await?;
        let (asked, table) = match (asked, table) {
            (None, table) => (None, table.err()),
            (Some(Change::Install), Err(error)) => return Err(error),
            (Some(change), table) => {
                let name = session.config.table.to_string();
                let wanted = Fence::missing(change, fence, name, table.as_deref().ok())?;
                (Some((change, wanted)), table.err())
            }
        };
        Ok(Evidence { missing, table, indexes, fence, asked })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, _: DateTime<Utc>) -> Plan {
        let Evidence { missing, table, indexes, fence, asked } = evidence;
        let migrate = missing.iter().map(|missing| {
            let reason = texts::migrate(config.language, missing.from, missing.to);
            Planned::new(Action::Migrate(missing.clone()), reason)
        });
        let wanted = asked.iter().filter_map(|(change, wanted)| {
            let reason = texts::fence(config.language, *change);
            wanted.as_ref().map(|wanted| Planned::new(Action::Fence(wanted.clone()), reason))
        });
        let unfit = table.iter().map(|error| Finding {
            code: "table_unfit",
            message: error.to_string(),
            target: "PROCESSING_STATE_TABLE".to_owned(),
            evidence: serde_json::Value::Null,
        });
        let outdated = (asked.is_none() && *fence == State::Outdated).then(|| Finding {
            code: "fence_outdated",
            message: texts::fence_outdated(config.language),
            target: config.table.to_string(),
            evidence: json!({ "toDoIt": { FENCE: "install" } }),
        });
        let already_so = asked.iter().filter(|(_, wanted)| wanted.is_none()).map(|_| Skipped {
            target: config.table.to_string(),
            why: texts::fence_already_so(config.language, *fence),
        });
        Plan {
            // The schema first: the fence needs it.
            actions: migrate.chain(wanted).collect(),
            findings: unfit.chain(outdated).collect(),
            skipped: already_so.collect(),
            population: 1,
            // Where the fence is changed, the action says what it was and is.
            report: Some(match asked {
                Some((_, Some(_))) => json!({ "optionalIndexes": indexes }),
                Some((_, None)) | None => json!({ "optionalIndexes": indexes, FENCE: fence.as_str() }),
            }),
            ..Plan::default()
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(MigrateSchema).await
}
