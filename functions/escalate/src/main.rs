//! Tells people of incidents that nobody has fixed (guide, contacts): L1 at once where nothing could be done, else when an incident is not over
//! in its time; L2 and L3 later, until one of them acknowledges it or it has stayed over.
//!
//! An incident is an alarm from ALARM to OK. Before anybody is told, CloudWatch is asked whether it is still one.

mod evidence;
mod message;
mod plan;
mod texts;
mod why;

use chrono::{DateTime, Utc};
use remediation::act::actions::acknowledge::Acknowledge;
use remediation::act::actions::tell_level::TellLevel;
use remediation::act::escalation;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::parameters::Parameters;
use remediation::gather::trigger::Trigger;
use remediation::run::incident;
use remediation::run::step::{Kind, Plan, Question, Session, Step};

use crate::evidence::{Evidence, Looked, Seen, known};

/// The parameter by which a person takes an incident over.
const ACKNOWLEDGE: &str = "acknowledge";

/// As many open incidents are looked at in one run; of more, those of which somebody is still to be told come first.
const AT_MOST: i64 = 1000;

struct Escalate;

impl Step for Escalate {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<TellLevel>(), Kind::of::<Acknowledge>()];

    const PARAMETERS: &'static [&'static str] = &[ACKNOWLEDGE];
    const COMMANDS: &'static [&'static str] = &[ACKNOWLEDGE];

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let language = session.config.language;
        if !matches!(question, Question::Sweep(_) | Question::Again(_)) {
            return Err(Error::Refused(texts::about_incidents(language)));
        }
        if let Some(id) = Parameters(session.parameters).id(ACKNOWLEDGE)? {
            let by = match session.trigger {
                Trigger::Operator(ask) => ask.by.clone(),
                Trigger::Alarm(_) | Trigger::Execution(_) | Trigger::Schedule(_) => None,
            };
            let by = by.ok_or_else(|| Error::Refused(texts::needs_by(language)))?;
            let named = escalation::named(session.db, id).await?;
            let named = named.ok_or_else(|| Error::Refused(texts::no_incident(language, id)))?;
            return Ok(Evidence::Acknowledge { named, by });
        }
        let (open, of) = escalation::open(session.db, &session.config.state_machine_arn, AT_MOST).await?;
        let standings = incident::stand(session, &open).await?;
        let mut known = known(session, &open, &standings).await?;
        let seen = open.into_iter().zip(standings).map(|(open, standing)| {
            let known = known.remove(&open.root).unwrap_or_default();
            Seen { open, standing, known }
        });
        Ok(Evidence::Looked(Looked { seen: seen.collect(), of: usize::try_from(of).unwrap_or_default() }))
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        match evidence {
            Evidence::Acknowledge { named, by } => plan::acknowledge(named, by, config.language, now),
            Evidence::Looked(looked) => plan::escalate(looked, config, now),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(Escalate).await
}

#[cfg(test)]
mod tests;
