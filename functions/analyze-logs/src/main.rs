//! The guide's log analysis script: one process as one story in time order. It looks, and changes nothing.
//!
//! Row, executions with the events of their histories, log lines of all the application's functions, and what the ledger has done about
//! it. What it cannot read it says, and hides nothing else; secrets, prompts and results are not even asked for where that can be
//! helped, and taken out where it cannot.

mod entries;
mod line;
mod policy;
mod read;
mod story;
mod texts;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::domain::{ExecutionArn, ProcessId};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::parameters::Parameters;
use remediation::run::processes;
use remediation::run::step::{Plan, Question, Session, Skipped, Step};
use remediation::run::texts as common;

use crate::policy::Policy;
use crate::read::Evidence;
use crate::story::Story;

const MANIFEST: &str = include_str!("../manifest.toml");

/// The parameter that says how far back to look.
const WINDOW: &str = "window";

/// The longest that can be asked for: Step Functions forgets executions after 90 days.
const LONGEST: u32 = 90 * 86_400;

struct AnalyzeLogs {
    policy: Policy,
}

impl Step for AnalyzeLogs {
    type Evidence = Evidence;

    const PARAMETERS: &'static [&'static str] = &[WINDOW];

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let window: Option<TimeDelta> = Parameters(session.parameters).span(WINDOW, 60..=LONGEST)?;
        let process = match question {
            Question::Process(id) => *id,
            Question::Execution(arn) => of_execution(session, arn).await?,
            Question::Sweep(_) | Question::Change(_) | Question::Again(_) => {
                return Err(Error::Refused(texts::about_one_process(session.config.language)));
            }
        };
        read::read(session, &self.policy, process, window).await
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        let looked = processes::plan(&evidence.decided, config, now);
        let not_read = evidence.not_read.iter().map(|(what, why)| Skipped::new(what.clone(), why.clone()));
        let story = Story::tell(evidence, &looked, &self.policy, config, now);
        let mut findings = looked.findings;
        findings.extend(story.to_be_put_right());
        Plan {
            findings,
            skipped: looked.skipped.into_iter().chain(not_read).collect(),
            population: 1,
            report: Some(story.report()),
            ..Plan::default()
        }
    }
}

/// The process of an execution, from its input, else from its name.
async fn of_execution(session: &mut Session<'_>, arn: &ExecutionArn) -> Result<ProcessId, Error> {
    session.step_functions.own(arn, session.config.language)?;
    let of_name = session.config.policy.words.owner.of_name(arn);
    let process = match session.step_functions.describe(arn, &session.config.result_path).await {
        Ok(seen) => seen.process,
        Err(error) if of_name.is_some() && matches!(error, Error::Aws { .. }) => of_name,
        Err(error) => return Err(error),
    };
    let unknown = || Error::Refused(common::process_unknown(session.config.language, arn.name()));
    session.known_id(process.ok_or_else(unknown)?).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(AnalyzeLogs { policy: manifest::policy(MANIFEST)? }).await
}

#[cfg(test)]
mod tests;
