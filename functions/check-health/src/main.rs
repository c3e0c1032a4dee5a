//! The guide's health check script: its five checks, and two of the worker's own, as one report, and the metrics that the
//! alarms watch.
//!
//! Each check has its own time, and one that fails does not affect the others. What counts as wrong is decided by the same decision
//! table as in the steps that fix things, so no alarm is raised for what they would skip. It changes nothing.

mod capacity;
mod check;
mod executions;
mod functions;
mod last_hour;
mod limit;
mod models;
mod policy;
mod processes;
mod server;
mod state;
mod text;
mod texts;
mod worker;

use std::time::Duration;

use crate::state::CheckState;
use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use remediation::gather::config::{Config, WORKER_FUNCTION_NAME};
use remediation::gather::error::Error;
use remediation::gather::manifest;
use remediation::gather::step_functions::{Page, StepFunctions};
use remediation::run::off;
use remediation::run::step::Metric;
use remediation::run::step::{Outside, Plan, Question, Session, Step};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::{Instant, timeout};

use crate::capacity::Capacity;
use crate::check::{Check, Look};
use crate::functions::Function;
use crate::last_hour::LastHour;
use crate::policy::{MANIFEST, Policy};
use crate::processes::Processes;
use crate::server::Server;
use crate::worker::Worker;

/// Beyond its own limit, for the server to say that it has ended a statement.
const GRACE: Duration = Duration::from_secs(1);

struct CheckHealth {
    policy: Policy,
}

struct Health {
    functions: Look<Vec<Function>>,
    executions: Look<Page>,
    worker: Option<OfWorker>,
    rest: InDatabase,
}

/// The checks of the worker, where it is known which that is.
struct OfWorker {
    name: String,
    runs: Look<Worker>,
    capacity: Look<Capacity>,
}

/// The checks that need the database.
struct InDatabase {
    server: Look<Server>,
    processes: Look<Processes>,
    last_hour: Look<LastHour>,
}

impl Step for CheckHealth {
    type Evidence = Health;

    fn manifest(&self) -> &'static str {
        MANIFEST
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Health, Error> {
        if !matches!(question, Question::Sweep(_)) {
            return Err(Error::Refused(texts::about_the_whole(session.config.language)));
        }
        let (config, limit) = (session.config, self.policy.limit);
        let (aws, step_functions, now) = (session.aws, session.step_functions, session.now);
        let ((functions, worker), executions, rest) = tokio::join!(
            of_lambda(aws, step_functions, config, limit, now),
            executions::look(step_functions, limit, config.language),
            in_database(session, limit),
        );
        Ok(Health { functions, executions, worker, rest: rest? })
    }

    async fn gather_without_database(&self, outside: &Outside<'_>, why: &Error) -> Option<Health> {
        let (config, limit) = (outside.config, self.policy.limit);
        let ((functions, worker), executions) = tokio::join!(
            of_lambda(outside.aws, outside.step_functions, config, limit, outside.now),
            executions::look(outside.step_functions, limit, config.language),
        );
        let took = Duration::ZERO;
        let without = || texts::check_needs_database(config.language);
        let rest = InDatabase {
            server: Look { found: Err(why.told(config.language)), took },
            processes: Look { found: Err(without()), took },
            last_hour: Look { found: Err(without()), took },
        };
        Some(Health { functions, executions, worker, rest })
    }

    fn plan(&self, health: &Health, config: &Config, now: DateTime<Utc>) -> Plan {
        let language = config.language;
        let [worker, capacity] = match &health.worker {
            Some(OfWorker { name, runs, capacity }) => [
                worker::judge(runs, name, capacity.found.as_ref().ok(), &self.policy, language),
                capacity::judge(capacity, name, &self.policy, language),
            ],
            None => [worker::NAME, capacity::NAME].map(|check| Check::off(check, language, WORKER_FUNCTION_NAME)),
        };
        let checks = [
            functions::judge(&health.functions, language),
            executions::judge(&health.executions, config, now),
            server::judge(&health.rest.server, &self.policy, language),
            processes::judge(&health.rest.processes, config, now),
            last_hour::judge(&health.rest.last_hour, &self.policy, language),
            worker,
            capacity,
        ];
        let failed = checks.iter().filter(|check| check.state == CheckState::Failed).count();
        let mut metrics = vec![Metric::count("ChecksFailed", failed)];
        metrics.extend(checks.iter().flat_map(|check| check.metrics.iter().cloned()));
        Plan {
            findings: checks
                .iter()
                .flat_map(|check| check.failed().into_iter().chain(check.findings.iter().cloned()))
                .chain(off::steps_off(config))
                .collect(),
            population: health.rest.processes.found.as_ref().map_or(0, |found| found.evidence.population),
            metrics,
            report: Some(json!({
                "text": text::lines(&checks, language, now),
                "checks": checks.iter().map(Check::json).collect::<Vec<_>>(),
            })),
            ..Plan::default()
        }
    }
}

/// The functions, and then the worker's log and what CloudWatch measured: where that is stands in its configuration.
async fn of_lambda(
    aws: &SdkConfig,
    step_functions: &StepFunctions,
    config: &Config,
    limit: Duration,
    now: DateTime<Utc>,
) -> (Look<Vec<Function>>, Option<OfWorker>) {
    let functions = functions::look(aws, step_functions, config, limit).await;
    let Some(name) = &config.worker_function else { return (functions, None) };
    let (runs, capacity) = tokio::join!(
        worker::look(aws, (config, name), &functions, limit, now),
        capacity::look(aws, (config, name), &functions, limit, now),
    );
    (functions, Some(OfWorker { name: name.clone(), runs, capacity }))
}

/// One check after the other, on the one connection.
async fn in_database(session: &mut Session<'_>, limit: Duration) -> Result<InDatabase, Error> {
    let started = Instant::now();
    let read = async {
        begin(session.db, limit).await?;
        server::read(session.db).await
    };
    let read = timeout(limit + GRACE, read).await.ok();
    let server = ended(session, limit, started, read).await?;

    let started = Instant::now();
    let read = async {
        begin(session.db, limit).await?;
        processes::read(session).await
    };
    let read = timeout(limit + GRACE, read).await.ok();
    let processes = ended(session, limit, started, read).await?;

    let started = Instant::now();
    let read = async {
        begin(session.db, limit).await?;
        last_hour::read(session).await
    };
    let read = timeout(limit + GRACE, read).await.ok();
    let last_hour = ended(session, limit, started, read).await?;
    if processes.found.is_err() || last_hour.found.is_err() {
        // The table may have been altered since its catalogue was read.
        *session.table = None;
    }
    Ok(InDatabase { server, processes, last_hour })
}

/// The server itself ends what takes longer. `SET LOCAL`, because behind RDS Proxy the next transaction may be somebody else's.
async fn begin(db: &mut PgConnection, limit: Duration) -> Result<(), Error> {
    let sql = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {}", limit.as_millis());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await.map(drop).map_err(Error::database("beginning a check"))
}

/// What a check came to, `None` where it did not end in time. Its transaction is rolled back: a connection that does not answer even to
/// that within the time that the server gives a statement is lost, and so is the run on it.
async fn ended<T>(
    session: &mut Session<'_>,
    limit: Duration,
    started: Instant,
    read: Option<Result<T, Error>>,
) -> Result<Look<T>, Error> {
    let look = match read {
        Some(Err(error)) if error.is_connection_lost() => return Err(error),
        Some(read) => Look::new(started, read.map_err(|error| error.told(session.config.language))),
        None => Look::new(started, Err(texts::check_too_slow(session.config.language, limit))),
    };
    match timeout(limit + GRACE, sqlx::raw_sql("ROLLBACK").execute(&mut *session.db)).await {
        Ok(rolled_back) => rolled_back.map(|_| look).map_err(Error::database("ending a check")),
        Err(_) => Err(Error::silence("ending a check", limit + GRACE)),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(CheckHealth { policy: manifest::policy(MANIFEST)? }).await
}

#[cfg(test)]
mod tests;
