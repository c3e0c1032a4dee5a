//! Runs a step: everything that all steps need alike (design, section 3).
//!
//! Decode, gather, plan, guard, apply, look again where something moved, record, report. A function's `main` only names its step.

mod order;

use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use chrono::{TimeDelta, Utc};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use crate::act::actions::undo::Undo;
use crate::act::ledger::plans;
use crate::act::ledger::runs::{self, Run};
use crate::act::ledger::{entries, incidents};
use crate::act::plan::Plan;
use crate::act::report::Report;
use crate::domain::{Language, Mode};
use crate::finding::{Finding, Metric};
use crate::gather::config::Config;
use crate::gather::database::Database;
use crate::gather::error::Error;
use crate::gather::manifest::{LedgerKind, Manifest};
use crate::gather::session::{Cursor, Outside, Session};
use crate::gather::step_functions::StepFunctions;
use crate::gather::table::Table;
use crate::gather::trigger::{self, Ask, Scope, Trigger};
use crate::run::answer::{self, Answer, Started};
use crate::run::incident;
use crate::run::metrics::embedded_metrics;
use crate::run::notify;
use crate::run::off;
use crate::run::review;
use crate::run::rounds::Rounds;
use crate::run::step::{Kind, Step};
use crate::run::tally::{Tally, would_do};
use crate::run::texts;

/// What a run keeps of its Lambda's time for its record and its answer: a tenth, and no more than this.
const RESERVE: Duration = Duration::from_secs(10);

/// Runs a step as a Lambda function, for as long as Lambda wants.
///
/// # Errors
/// Those of the Lambda Runtime API. What is wrong with the configuration is answered to every event instead, so that it
/// is read where the operator looks.
pub async fn run<S: Step>(step: S) -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let manifest = step.manifest();
    let function = &Function::new(step, |name| std::env::var(name).ok()).await;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        let deadline = Duration::from_millis(event.context.deadline);
        let left = deadline.saturating_sub(Duration::from_millis(Utc::now().timestamp_millis().unsigned_abs()));
        let started = Started::of(&event.payload);
        let function = match function {
            Ok(function) => function,
            Err(error) => {
                tracing::error!(errorType = error.kind(), %error, "the run failed");
                let name = Manifest::parse(manifest).map(|manifest| manifest.name).unwrap_or_default();
                return answer::failed(&name, started, error, Language::default());
            }
        };
        match Box::pin(function.handle(event.payload, &event.context.request_id, left)).await {
            Ok(report) => Ok(Answer::Report(Box::new(report))),
            Err(error) => answer::failed(function.name, started, &error, function.config.language),
        }
    }))
    .await
}

/// A step with all that it needs, kept for the life of a container.
struct Function<S> {
    step: S,
    manifest: Manifest,
    /// Lives as long as the container: leaked once, at start.
    name: &'static str,
    config: Config,
    aws: SdkConfig,
    step_functions: StepFunctions,
    kept: Mutex<Kept>,
}

/// What one event leaves for the next.
struct Kept {
    database: Database,
    table: Option<Arc<Table>>,
}

impl<S: Step> Function<S> {
    async fn new(step: S, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let manifest = Manifest::parse(step.manifest())?;
        let config = Config::read(lookup)?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(8))
            .operation_timeout(Duration::from_secs(20))
            .build();
        let aws = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await;
        let name: &'static str = manifest.name.clone().leak();
        Ok(Self {
            step_functions: StepFunctions::new(&aws, &config.state_machine_arn, config.policy.words)
                .of_machines(&config.profile.machines),
            kept: Mutex::new(Kept { database: Database::new(config.database.clone(), name), table: None }),
            step,
            manifest,
            name,
            config,
            aws,
        })
    }

    /// Answers one event within `left`.
    async fn handle(&self, event: Value, request_id: &str, left: Duration) -> Result<Report, Error> {
        let trigger =
            trigger::decode::decode(event, self.config.policy.words, &self.config.result_path, S::PARAMETERS)?;
        let reserve = RESERVE.min(left / 10);
        let stop_at = Instant::now() + left.saturating_sub(reserve);
        let last_moment = stop_at + reserve / 2;
        let (reason, by) = match &trigger {
            Trigger::Operator(ask) => (ask.reason.clone(), ask.by.clone()),
            Trigger::Alarm(_) | Trigger::Execution(_) | Trigger::Schedule(_) => (None, None),
        };
        let run = Run {
            id: Uuid::now_v7(),
            step: self.name,
            started_at: Utc::now(),
            trigger: trigger.describe(),
            reason,
            by,
            request_id: request_id.to_owned(),
            alive_until: Utc::now() + TimeDelta::from_std(left).unwrap_or_default(),
        };
        let mut kept = self.kept.lock().await;
        let answer = match self.attempt_until(last_moment, &mut kept, &trigger, (&run, false), stop_at).await {
            // A connection may be reset while its container is frozen. Every write is a compare-and-set, so doing all of
            // it again is safe, whatever was already done.
            Err(error) if error.is_connection_lost() => {
                tracing::warn!(%error, "the connection was lost: trying once more on a new one");
                kept.database.forget();
                self.attempt_until(last_moment, &mut kept, &trigger, (&run, true), stop_at).await
            }
            answer => answer,
        };
        let answer = match answer {
            // What the database refuses (a right, a schema that is not there) keeps a step from it as a lost connection does.
            Err(error) if matches!(error, Error::Database { .. }) || !kept.database.is_connected() => {
                if error.is_connection_lost() {
                    kept.database.forget();
                }
                self.without_database(last_moment, &trigger, &run, error).await
            }
            answer => answer,
        };
        if let Err(error) = &answer {
            // The table may have been altered since its catalogue was read.
            kept.table = None;
            tracing::error!(errorType = error.kind(), %error, runId = %run.id, trigger = %run.trigger, "the run failed");
            self.record_failure(&mut kept, &run, error).await;
        }
        answer
    }

    /// What the ledger can still be told of a run that failed; a database that is down cannot be told anything.
    async fn record_failure(&self, kept: &mut Kept, run: &Run, error: &Error) {
        let told = match kept.database.connection(&self.aws).await {
            Ok(db) => runs::fail(db, run, error, self.config.language).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            kept.database.forget();
            tracing::warn!(%error, runId = %run.id, "the failure could not be recorded");
        }
    }

    /// An attempt that comes to an end before Lambda ends it, so that even a lock on the whole table is an error that says so. What
    /// was sent to the database may still be done there, once the lock is gone: as the same compare-and-set, with its ledger entry.
    async fn attempt_until(
        &self,
        last_moment: Instant,
        kept: &mut Kept,
        trigger: &Trigger,
        run: (&Run, bool),
        stop_at: Instant,
    ) -> Result<Report, Error> {
        let attempt = Box::pin(self.attempt(kept, trigger, run, stop_at));
        if let Ok(answer) = tokio::time::timeout_at(last_moment, attempt).await {
            return answer;
        }
        kept.database.forget();
        Err(Error::OutOfTime)
    }

    /// The answer of a step that can look elsewhere while the database is down; of any other, why there is none.
    async fn without_database(
        &self,
        last_moment: Instant,
        trigger: &Trigger,
        run: &Run,
        why: Error,
    ) -> Result<Report, Error> {
        let everything = match trigger {
            Trigger::Schedule(_) => true,
            Trigger::Alarm(change) => S::ALARM_STATES.contains(&change.state),
            Trigger::Operator(ask) => matches!(ask.scope, Scope::Everything | Scope::All),
            Trigger::Execution(_) => false,
        };
        if !everything || matches!(why, Error::OutOfTime) {
            return Err(why);
        }
        let outside =
            Outside { config: &self.config, step_functions: &self.step_functions, aws: &self.aws, now: run.started_at };
        let gather = self.step.gather_without_database(&outside, &why);
        let Ok(Some(evidence)) = tokio::time::timeout_at(last_moment, gather).await else { return Err(why) };
        let mut tally = Tally::new(run);
        let mut plan = self.step.plan(&evidence, &self.config, outside.now);
        // No action without the ledger.
        plan.actions.clear();
        tally.take_in(plan, &mut None);
        self.close(None, run, tally, None).await
    }

    /// `begins_again`: the run has lost its connection, and may have done something before.
    async fn attempt(
        &self,
        kept: &mut Kept,
        trigger: &Trigger,
        (run, begins_again): (&Run, bool),
        stop_at: Instant,
    ) -> Result<Report, Error> {
        // Whoever only looks can still say so, and so can `migrate`.
        if !S::KINDS.is_empty() && self.manifest.ledger == LedgerKind::Database {
            self.config.profile_is_right()?;
        }
        let db = kept.database.connection(&self.aws).await?;
        let parameters = match trigger {
            // What was proposed for the sake of a parameter is decided anew with it.
            Trigger::Operator(Ask { scope: Scope::Approve(plan), .. }) => plans::parameters(db, *plan).await?,
            Trigger::Operator(ask) => ask.parameters.clone(),
            Trigger::Alarm(_) | Trigger::Execution(_) | Trigger::Schedule(_) => Map::new(),
        };
        let mut session = Session {
            config: &self.config,
            db,
            step_functions: &self.step_functions,
            aws: &self.aws,
            trigger,
            parameters: &parameters,
            reason: run.reason.as_deref(),
            now: run.started_at,
            stop_at,
            table: &mut kept.table,
        };
        let mut tally = Tally::new(run);
        if begins_again {
            let kinds: Vec<Kind> = S::KINDS.iter().copied().chain([Kind::of::<Undo>()]).collect();
            tally.begin_again(entries::of_run(session.db, run.id, &kinds, self.config.language).await?);
        }
        if let Trigger::Alarm(change) = trigger {
            if let Some(alarm) = incident::alarm_of(change, &self.config) {
                incidents::incident(session.db, change, &alarm, &self.config.state_machine_arn).await?;
            }
            if !S::ALARM_STATES.contains(&change.state) {
                tally.summary = Some(texts::alarm_not_on(self.config.language, &change.alarm, change.state));
                return self.close(Some(session.db), run, tally, None).await;
            }
        }
        if let Trigger::Operator(Ask { scope: Scope::Report(span), .. }) = trigger {
            let table = session.table().await?;
            let review = review::read(session.db, &table, session.now - *span).await?;
            tally.report(review.summary(*span, self.config.language), json!(review));
            return self.close(Some(session.db), run, tally, None).await;
        }
        if let Some(off) = off::step_off(&self.config, self.name) {
            tally.summary = Some(off.message.clone());
            tally.take_in(Plan { findings: vec![off], ..Plan::default() }, &mut None);
            return self.close(Some(session.db), run, tally, None).await;
        }
        let rounds = Rounds { step: &self.step, manifest: &self.manifest, config: &self.config, run };
        let order = self.order(&mut session, trigger, run).await?;
        let approves = order.approval.is_some();
        tally.to_do_it = Some(would_do(&run.trigger, S::COMMANDS));
        let cursor = match trigger {
            Trigger::Operator(Ask { scope: Scope::Undo(id), .. }) => {
                self.undo(&mut session, &rounds, *id, &order.demand, &mut tally).await?;
                None
            }
            Trigger::Operator(Ask { scope: Scope::Approve(plan), .. }) => {
                let cursor = rounds.until_settled(&mut session, order, &mut tally).await?;
                if tally.mode == Some(Mode::Act) {
                    plans::approved(session.db, run, *plan, tally.is_all_done()).await?;
                    // What is left of it waits in it.
                    tally.plan = (!tally.is_all_done()).then_some(*plan);
                }
                cursor
            }
            Trigger::Alarm(_) | Trigger::Execution(_) | Trigger::Schedule(_) | Trigger::Operator(_) => {
                rounds.until_settled(&mut session, order, &mut tally).await?
            }
        };
        if !approves {
            rounds.store_plan(&mut session, &mut tally).await?;
        }
        self.close(Some(session.db), run, tally, cursor).await
    }

    /// Records the run, in the log where there is no database, and says it to everybody who has to know.
    async fn close(
        &self,
        mut db: Option<&mut PgConnection>,
        run: &Run,
        tally: Tally,
        cursor: Option<Cursor>,
    ) -> Result<Report, Error> {
        let elapsed = Utc::now() - run.started_at;
        let mut metrics = tally.metrics(elapsed);
        let plan_is_news = tally.plan_is_news;
        let mut report = tally.into_report(self.name, run, self.config.language);
        let applied = report.applied();
        let occasion = (cursor.is_some(), plan_is_news);
        if let Err(error) = notify::tell(&self.config, &self.aws, db.as_deref_mut(), &mut report, occasion).await {
            let topic = self.config.notify_topic_arn.clone().unwrap_or_default();
            report.findings.push(Finding::new("not_told", topic, error.told(self.config.language), Value::Null));
            metrics.push(Metric::count("NotificationsFailed", 1));
        }
        report.shorten();
        // An operator's look does not move the place where the next sweep goes on.
        let cursor = cursor.filter(|_| report.trigger["kind"] != "operator");
        match (self.manifest.ledger, db) {
            (LedgerKind::Database, Some(db)) => match runs::finish(db, run, &report, applied, cursor.as_ref()).await {
                // Nothing was done, and what was read can be told all the same.
                Err(error) if error.is_read_only() && applied == 0 => {
                    report.unrecorded(&error.told(self.config.language))
                }
                finished => finished?,
            },
            (LedgerKind::Log, _) | (LedgerKind::Database, None) => {
                tracing::info!(ledger = %json!(report), "ledger entry");
            }
        }
        if let Some(text) = report.report.as_ref().and_then(|own| own["text"].as_array()) {
            let lines: Vec<&str> = text.iter().filter_map(Value::as_str).collect();
            tracing::info!(runId = %run.id, "{}", lines.join("\n"));
        }
        println!("{}", embedded_metrics(self.name, &metrics, Utc::now().timestamp_millis()));
        tracing::info!(runId = %run.id, mode = %report.mode, applied, summary = %report.summary, "done");
        Ok(report)
    }
}

#[cfg(test)]
mod tests;
