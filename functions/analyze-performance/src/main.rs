//! The guide's performance analysis script: how long processes take by type, from their rows, and what the worker needs for it, from its
//! log; both compared with the window before. It looks, and changes nothing.

mod durations;
mod insights;
mod judge;
mod policy;
mod report;
mod texts;
mod worker;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::gather::config::{Config, WORKER_FUNCTION_NAME};
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::parameters::Parameters;
use remediation::gather::trigger::Trigger;
use remediation::run::step::{Plan, Question, Session, Step};
use remediation::text;

use crate::durations::Windows;
use crate::policy::Policy;
use crate::report::Evidence;

const MANIFEST: &str = include_str!("../manifest.toml");

/// The parameter that says how long the windows are.
const WINDOW: &str = "window";
/// The parameter that says what Logs Insights may cost.
const MAX_USD: &str = "maxUsd";

/// The most that can be asked for; the windows are of an hour to 31 days.
const MOST_USD: f64 = 100.0;

/// What is kept of the time for the query's end to be asked for, and for the answer.
const RESERVE: Duration = Duration::from_secs(5);

struct AnalyzePerformance {
    policy: Policy,
}

impl Step for AnalyzePerformance {
    type Evidence = Evidence;

    const PARAMETERS: &'static [&'static str] = &[WINDOW, MAX_USD];

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        if !matches!(question, Question::Sweep(_)) {
            return Err(Error::Refused(texts::about_the_whole(session.config.language)));
        }
        let parameters = Parameters(session.parameters);
        let hours = match session.trigger {
            Trigger::Schedule(_) => self.policy.scheduled_window_hours,
            Trigger::Operator(_) | Trigger::Alarm(_) | Trigger::Execution(_) => self.policy.window_hours,
        };
        let window = parameters.span(WINDOW, 3600..=31 * 86_400)?.unwrap_or(TimeDelta::hours(hours));
        let expected = |language| {
            text!(
                language,
                ja: "0 を超え {MOST_USD} 以下の数（米ドル）",
                en: "a number of US dollars, over 0 and up to {MOST_USD}",
            )
        };
        let max_usd =
            parameters.read(MAX_USD, expected, |value| value.as_f64().filter(|usd| *usd > 0.0 && *usd <= MOST_USD))?;
        let max_usd = max_usd.unwrap_or(self.policy.max_usd);
        let now = session.now;
        let windows = Windows { before: now - window * 2, from: now - window, to: now };
        let durations = durations::read(session, windows).await?;
        let config = session.config;
        let max_bytes = max_usd / self.policy.usd_per_gb * 1e9;
        let until =
            session.stop_at - RESERVE.min(session.stop_at.saturating_duration_since(tokio::time::Instant::now()) / 4);
        let look = worker::look(session.aws, config, windows, max_bytes, until).await;
        let worker_function = config.worker_function.clone().unwrap_or_else(|| WORKER_FUNCTION_NAME.to_owned());
        Ok(Evidence { windows, durations, look, max_usd, worker_function })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, _: DateTime<Utc>) -> Plan {
        report::plan(evidence, &self.policy, config.language)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(AnalyzePerformance { policy: manifest::policy(MANIFEST)? }).await
}

#[cfg(test)]
mod tests;
