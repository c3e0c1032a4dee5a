//! The last resort for a database that does not answer (guide, DATABASE_ERROR 4): a reboot of its instance.
//!
//! It describes first, refuses while something forbids it, and never reboots anything itself: where nothing forbids it, it answers with the
//! command for a person to run. An approval could not be stored while the database is down.

mod instance;
mod plan;
mod policy;
mod reach;
mod texts;

use chrono::{DateTime, Utc};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::trigger::{Ask, Scope, Trigger};
use remediation::run::step::{Outside, Plan, Question, Session, Step};

use crate::plan::Evidence;
use crate::policy::Policy;
use crate::reach::Reach;

const MANIFEST: &str = include_str!("../manifest.toml");

struct RebootDatabase {
    policy: Policy,
}

impl Step for RebootDatabase {
    type Evidence = Evidence;

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        if !matches!(question, Question::Sweep(_)) {
            return Err(Error::Refused(texts::about_the_instance(session.config.language)));
        }
        let config = session.config;
        let Some(id) = &config.database_instance else { return Err(Error::Refused(texts::unnamed(config.language))) };
        let asked = matches!(session.trigger, Trigger::Operator(Ask { scope: Scope::All, .. }));
        let (reach, described) =
            tokio::join!(Reach::ask(session.db, config.language), instance::describe(session.aws, id, config.language));
        Ok(Evidence {
            id: id.clone(),
            described: described.map_err(|error| error.told(config.language)),
            reach: reach?,
            asked,
        })
    }

    async fn gather_without_database(&self, outside: &Outside<'_>, why: &Error) -> Option<Evidence> {
        let (id, described) = match &outside.config.database_instance {
            Some(id) => {
                let described = instance::describe(outside.aws, id, outside.config.language).await;
                (id.clone(), described.map_err(|error| error.told(outside.config.language)))
            }
            None => ("DATABASE_INSTANCE_ID".to_owned(), Err(texts::unnamed(outside.config.language))),
        };
        Some(Evidence { id, described, reach: Reach::of(why, outside.config.language), asked: false })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan::plan(evidence, &self.policy, config.language, now)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(RebootDatabase { policy: Policy::read(MANIFEST)? }).await
}
