//! Counts failures, names the dominant cause, and starts the step that answers it (guide, 2 and its part on each error).
//!
//! The rows are exact, so they decide. The worker's log tells beside them what no row does: errors that were tried again, or never
//! reached a row. People are notified of a cause that no step handles, and if no cause stands out.

mod dominant;
mod evidence;
mod log;
mod plan;
mod policy;
mod report;
mod rows;
mod texts;

use remediation::act::actions::start_step::StartStep;
use remediation::run::step::Kind;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::parameters::Parameters;
use remediation::gather::trigger::Trigger;
use remediation::run::incident;
use remediation::run::step::{Plan, Question, Session, Step};

use crate::evidence::{Evidence, Looked};
use crate::plan::ALARM;
use crate::policy::Policy;

const MANIFEST: &str = include_str!("../manifest.toml");

/// The parameter that says how far back to look, and its bounds in seconds.
const WINDOW: &str = "window";
const BOUNDS: std::ops::RangeInclusive<u32> = 300..=604_800;

struct TriageErrors {
    policy: Policy,
}

impl Step for TriageErrors {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<StartStep>()];

    const PARAMETERS: &'static [&'static str] = &[WINDOW];

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        if !matches!(question, Question::Sweep(_) | Question::Again(_)) {
            return Err(Error::Refused(texts::about_all_failures(session.config.language)));
        }
        let asked = Parameters(session.parameters).span(WINDOW, BOUNDS)?;
        let scheduled = matches!(session.trigger, Trigger::Schedule(_));
        if scheduled {
            let look = incident::look(session, plan::STEP, ALARM, false).await?;
            if look.acts_on().is_none() {
                return Ok(Evidence::NoIncident(Box::new(look)));
            }
        }
        let window = asked.unwrap_or_else(|| TimeDelta::minutes(i64::from(self.policy.window_minutes)));
        Ok(Evidence::Looked(Box::new(Looked {
            policy: self.policy,
            window,
            rows: rows::read(session, window).await?,
            log: log::read(session, window, &self.policy).await?,
            depth: session.trigger.depth(),
        })))
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan::plan(evidence, config, now)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(TriageErrors { policy: manifest::policy(MANIFEST)? }).await
}

#[cfg(test)]
mod tests;
