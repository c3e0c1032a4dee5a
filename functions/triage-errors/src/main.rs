//! Counts failures, names the dominant cause, and starts the step that answers it (guide, 2 and its part on each error).
//!
//! The rows are exact, so they decide. The worker's log tells beside them what no row does: errors that were tried again, or never
//! reached a row. People are notified of a cause that no step handles, and if no cause stands out.

mod dominant;
mod log;
mod plan;
mod policy;
mod report;
mod rows;
mod texts;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::start_step;
use remediation::act::ledger::incidents;
use remediation::act::ledger::told;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::parameters::Parameters;
use remediation::gather::trigger::Trigger;
use remediation::run::step::{Plan, Question, Session, Step};

use crate::plan::{Evidence, FOR_PEOPLE, Looked, NO_DOMINANT, UNKNOWN_STEP};
use crate::policy::Policy;

const STEP: &str = "triage-errors";
const MANIFEST: &str = include_str!("../manifest.toml");

/// The alarm whose incident this step looks into.
const ALARM: &str = "error-rate";

/// The parameter that says how far back to look, and its bounds in seconds.
const WINDOW: &str = "window";
const BOUNDS: std::ops::RangeInclusive<u32> = 300..=604_800;

struct TriageErrors {
    policy: Policy,
}

impl Step for TriageErrors {
    type Evidence = Evidence;

    const PARAMETERS: &'static [&'static str] = &[WINDOW];

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        if !matches!(question, Question::Sweep(_) | Question::Again(_)) {
            return Err(Error::Refused(
                "triage-errors looks at all failures of a time: send {\"window\": \"1h\"} (for one process, send its processId to analyze-logs)".to_owned(),
            ));
        }
        let asked = Parameters(session.parameters).span(WINDOW, BOUNDS)?;
        start_step::resolve_abandoned(session.db).await?;
        let scheduled = matches!(session.trigger, Trigger::Schedule(_));
        if scheduled && incidents::open_incident(session.db, ALARM).await?.is_none() {
            return Ok(Evidence::NoIncident);
        }
        let window = asked.unwrap_or_else(|| TimeDelta::minutes(i64::from(self.policy.window_minutes)));
        let depth = session.trigger.depth();
        Ok(Evidence::Looked(Box::new(Looked {
            policy: self.policy,
            window,
            rows: rows::read(session, window).await?,
            log: log::read(session, window, &self.policy).await?,
            depth,
            by_person: matches!(session.trigger, Trigger::Operator(_)) && depth == 0,
            told: told(session, &self.policy).await?,
        })))
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan::plan(evidence, config, now)
    }
}

/// What people were told lately.
async fn told(session: &mut Session<'_>, policy: &Policy) -> Result<BTreeSet<(String, String)>, Error> {
    let since = session.now - TimeDelta::hours(i64::from(policy.tell_again_hours));
    let told = told::told(session.db, STEP, since, &[FOR_PEOPLE, NO_DOMINANT, UNKNOWN_STEP]).await?;
    Ok(told.into_iter().map(|told| (told.code, told.target)).collect())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(TriageErrors { policy: manifest::policy(MANIFEST)? }).await
}

#[cfg(test)]
mod tests;
