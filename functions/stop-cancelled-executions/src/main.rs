//! Stops what still runs for cancelled processes, and cancels one by hand (guide: 5).
//!
//! The application's own cancel stops an execution by a name that none ever has, so what it cancels runs on. The sweep finds the
//! executions of cancelled rows by what is known of them; `{"processId", "cancel": true}` cancels row and executions together.

use chrono::{DateTime, Utc};
use remediation::gather;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::processes::cancel;
use remediation::gather::processes::case::Evidence;
use remediation::gather::processes::sweep::Filter;
use remediation::run::processes;
use remediation::run::step::Kind;
use remediation::run::step::{Plan, Question, Session, Step};

struct StopCancelledExecutions;

/// What was read, and what for.
enum Seen {
    /// For the decision table.
    Processes(Evidence),
    /// For a person who wants it cancelled, and the person's reason.
    ToCancel(Evidence, Option<String>),
}

impl Step for StopCancelledExecutions {
    type Evidence = Seen;

    const KINDS: &'static [Kind] = processes::KINDS;

    const PARAMETERS: &'static [&'static str] = &[cancel::PARAMETER];

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Seen, Error> {
        // The same in every look of a run: what was stopped is looked at again for the same wish.
        if cancel::is_wanted(session.parameters, session.config.language)? {
            let reason = session.reason.map(str::to_owned);
            return Ok(Seen::ToCancel(cancel::read(session, question).await?, reason));
        }
        gather::processes::read(session, question, Filter::CancelledButRunning).await.map(Seen::Processes)
    }

    fn plan(&self, seen: &Seen, config: &Config, now: DateTime<Utc>) -> Plan {
        match seen {
            Seen::Processes(evidence) => processes::plan(evidence, config, now),
            Seen::ToCancel(evidence, reason) => processes::cancel::plan(evidence, reason.as_deref(), config, now),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(StopCancelledExecutions).await
}
