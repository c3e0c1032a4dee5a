//! Finds what makes the database slow (guide, 3): the slowest statements, indexes that are missing, and what failed builds left behind.
//!
//! By itself it only tells and proposes. Once a person approves a plan, its indexes are made one after the other, without holding up the
//! application ([`remediation::act::actions::create_index`]).

mod evidence;
mod plan;
mod policy;
mod statements;
mod texts;

use chrono::{DateTime, Utc};
use remediation::act::actions::create_index::CreateIndex;
use remediation::act::actions::drop_index::DropInvalidIndex;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::run::step::Kind;
use remediation::run::step::{Plan, Question, Session, Step};

use crate::evidence::Evidence;
use crate::policy::Policy;

const MANIFEST: &str = include_str!("../manifest.toml");

struct TuneDatabase {
    policy: Policy,
}

impl Step for TuneDatabase {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<CreateIndex>(), Kind::of::<DropInvalidIndex>()];

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        match question {
            // Of an approved plan, no target is a process.
            Question::Sweep(_) | Question::Again(_) => evidence::read(session, &self.policy).await,
            Question::Process(_) | Question::Execution(_) | Question::Change(_) => {
                Err(Error::Refused(texts::about_the_whole(session.config.language)))
            }
        }
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan::plan(evidence, self.policy.care(), config.language, now)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(TuneDatabase { policy: Policy::read(MANIFEST)? }).await
}
