//! Publishes the worker's code once more as it is, so that environments which are stuck are replaced (guide: 5 step 3).
//!
//! What replaces environments is [an update of the function][1]: Lambda then starts new ones for new calls. The smallest update is of the
//! description, which no code sees: for callers of `$LATEST` that is all; for an alias a version is published from it, whose environments
//! are its own, and the alias moved. UpdateFunctionCode would need the package, and a changed environment variable the values of all others.
//!
//! [1]: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html

mod texts;

use chrono::{DateTime, Utc};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::worker::setting::Setting;
use remediation::run::step::Kind;
use remediation::run::step::{Finding, Plan, Question, Session, Step};
use remediation::run::worker_step::{self, Judgement, Rules, Wants};
use serde_json::json;

const MANIFEST: &str = include_str!("../manifest.toml");

/// As many running executions as one call lists.
const COUNTED: i32 = 1000;

struct RedeployWorker;

/// What was read.
struct Evidence {
    /// What every worker step reads.
    worker: worker_step::Evidence,
    /// Executions that run now, and whether there are more than that.
    running: (usize, bool),
}

impl Step for RedeployWorker {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = worker_step::REDEPLOYMENT;

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let rules = Rules {
            step: "redeploy-worker".to_owned(),
            setting: Setting::Redeployment,
            // None starts it.
            alarm: "redeploy-worker",
            may_be: 0..=0,
        };
        let worker = worker_step::gather(session, question, rules).await?;
        let page = session.step_functions.running(COUNTED).await?;
        Ok(Evidence { worker, running: (page.executions.len(), page.next.is_some()) })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        let language = config.language;
        let mut plan = worker_step::plan(&evidence.worker, config, now, |worker| match worker.wants {
            Wants::Asked { .. } => {
                Judgement::Change { to: u32::try_from(now.timestamp()).ok(), usd_a_month: Some(0.0), bound: None }
            }
            Wants::Incident(_) | Wants::Nothing => Judgement::Leave(texts::asked_only(language)),
        });
        let (count, more) = evidence.running;
        let said = if more { format!("{count}+") } else { count.to_string() };
        let (target, message) = (evidence.worker.target.as_str(), texts::running(language, &said));
        let read = json!({ "running": count, "more": more });
        plan.findings.push(Finding::new("executions_running", target, message, read));
        plan
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(RedeployWorker).await
}
