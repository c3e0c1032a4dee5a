//! Relieves the database (guide, DATABASE_ERROR and 1 "データベース接続の問題"): it tells who holds the connections, who waits for
//! whom and what runs for long, and ends the application's sessions that others wait for, that run for too long, or that are idle in a
//! transaction while connections are scarce.
//!
//! It needs one connection, which may be a reserved one: so it works when nobody else gets in any more.

mod chains;
mod evidence;
mod plan;
mod report;
mod texts;

use chrono::{DateTime, Utc};
use remediation::act::actions::end_session;
use remediation::act::actions::end_session::EndSession;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::parameters::Parameters;
use remediation::gather::sessions::{self, Overview};
use remediation::run::step::{Kind, Plan, Question, Session, Step};

use crate::evidence::Evidence;
use crate::plan::Policy;

const MANIFEST: &str = include_str!("../manifest.toml");

/// The parameter by which a person names a session.
const PID: &str = "pid";

struct RelieveDatabase {
    policy: Policy,
}

impl Step for RelieveDatabase {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<EndSession>()];

    const PARAMETERS: &'static [&'static str] = &[PID];
    const COMMANDS: &'static [&'static str] = &[PID];

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        match question {
            // After an approval too, all is looked at anew: of it, only what was approved is done.
            Question::Sweep(_) | Question::Again(_) => {}
            Question::Change(_) | Question::Process(_) | Question::Execution(_) => {
                return Err(Error::Refused(texts::about_sessions(session.config.language)));
            }
        }
        let asked =
            Parameters(session.parameters).whole(PID, 1..=i32::MAX.unsigned_abs())?.and_then(|pid| pid.try_into().ok());
        let overview = Overview::read(session.db).await?;
        let (backends, at) = sessions::backends(session.db).await?;
        Ok(Evidence {
            at,
            overview,
            prepared: sessions::prepared(session.db).await?,
            cancelled: end_session::cancelled(session.db, &backends).await?,
            user: sessions::current_user(session.db).await?,
            backends,
            asked,
        })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, _: DateTime<Utc>) -> Plan {
        plan::plan(evidence, config, &self.policy)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(RelieveDatabase { policy: manifest::policy(MANIFEST)? }).await
}

#[cfg(test)]
mod tests;
