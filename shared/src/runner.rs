//! Runs a step: everything that all steps need alike (design, section 3).
//!
//! Decode, gather, plan, guard, apply, look again where something moved, record, report. A function's `main` only names its step.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use chrono::Utc;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use crate::actions::{self, Action, ActionResult, Outcome, Undo, set_row_status};
use crate::config::Config;
use crate::database::Database;
use crate::decide::Look;
use crate::domain::{Mode, ProcessId};
use crate::error::Error;
use crate::guard::{Demand, Facts, Guarded, guard};
use crate::ledger::{self, Run};
use crate::manifest::{LedgerKind, Manifest};
use crate::notify;
use crate::processes;
use crate::report::{Done, DoneOutcome, KEPT, Metric, Report, Verification, embedded_metrics};
use crate::step::{Cursor, Finding, Plan, Planned, Question, Session, Skipped, Step};
use crate::step_functions::StepFunctions;
use crate::table::Table;
use crate::texts;
use crate::trigger::{self, AlarmState, Scope, Trigger};

/// How often a row that moved under us is decided on anew before it is left and told (design, section 5).
const LOST_AT_MOST: usize = 3;

/// What a run keeps of its Lambda's time for its record and its answer: a tenth, and no more than this.
const RESERVE: Duration = Duration::from_secs(10);

/// Runs a step as a Lambda function, for as long as Lambda wants.
///
/// # Errors
/// Those of the Lambda Runtime API. What is wrong with the configuration is answered to every event instead, so that it
/// is read where the operator looks.
pub async fn run<S: Step>(step: S) -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let function = &Function::new(step, |name| std::env::var(name).ok()).await;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        let deadline = Duration::from_millis(event.context.deadline);
        let left = deadline.saturating_sub(Duration::from_millis(Utc::now().timestamp_millis().unsigned_abs()));
        let function = function.as_ref().map_err(Diagnostic::from)?;
        Box::pin(function.handle(event.payload, left)).await.map_err(|error| Diagnostic::from(&error))
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

/// How a trigger is to be answered.
struct Order {
    question: Question,
    demand: Demand,
    /// (kind, target) of the actions that a person approved.
    approved: Option<Vec<(String, String)>>,
}

impl<S: Step> Function<S> {
    async fn new(step: S, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let manifest = Manifest::parse(S::MANIFEST)?;
        let config = Config::read(lookup)?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(8))
            .operation_timeout(Duration::from_secs(20))
            .build();
        let aws = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await;
        let name: &'static str = manifest.name.clone().leak();
        Ok(Self {
            step_functions: StepFunctions::new(&aws, &config.state_machine_arn),
            kept: Mutex::new(Kept { database: Database::new(config.database.clone(), name), table: None }),
            step,
            manifest,
            name,
            config,
            aws,
        })
    }

    /// Answers one event within `left`.
    async fn handle(&self, event: Value, left: Duration) -> Result<Report, Error> {
        let trigger = trigger::decode(event, &self.config.result_path, S::PARAMETERS)?;
        let stop_at = Instant::now() + left.saturating_sub(RESERVE.min(left / 10));
        let run = Run {
            id: Uuid::now_v7(),
            step: self.name,
            started_at: Utc::now(),
            trigger: trigger.describe(),
            reason: match &trigger {
                Trigger::Operator(ask) => ask.reason.clone(),
                Trigger::Alarm(_) | Trigger::Execution(_) | Trigger::Schedule(_) => None,
            },
        };
        let mut kept = self.kept.lock().await;
        let answer = match Box::pin(self.attempt(&mut kept, &trigger, &run, stop_at)).await {
            // A connection may be reset while its container is frozen. Every write is a compare-and-set, so doing all of
            // it again is safe, whatever was already done.
            Err(error) if error.is_connection_lost() => {
                tracing::warn!(%error, "the connection was lost: trying once more on a new one");
                kept.database.forget();
                Box::pin(self.attempt(&mut kept, &trigger, &run, stop_at)).await
            }
            answer => answer,
        };
        if let Err(error) = &answer {
            tracing::error!(errorType = error.kind(), %error, runId = %run.id, trigger = %run.trigger, "the run failed");
            self.record_failure(&mut kept, &run, error).await;
        }
        answer
    }

    /// What the ledger can still be told of a run that failed; a database that is down cannot be told anything.
    async fn record_failure(&self, kept: &mut Kept, run: &Run, error: &Error) {
        let told = match kept.database.connection(&self.aws).await {
            Ok(db) => ledger::fail(db, run, error).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            kept.database.forget();
            tracing::warn!(%error, runId = %run.id, "the failure could not be recorded");
        }
    }

    async fn attempt(&self, kept: &mut Kept, trigger: &Trigger, run: &Run, stop_at: Instant) -> Result<Report, Error> {
        let mut session = Session {
            config: &self.config,
            db: kept.database.connection(&self.aws).await?,
            step_functions: &self.step_functions,
            started_at: run.started_at,
            stop_at,
            table: &mut kept.table,
        };
        let mut tally = Tally::new(run);
        if let Trigger::Alarm(change) = trigger {
            ledger::incident(session.db, change).await?;
            if change.state != AlarmState::Alarm {
                tally.summary = Some(texts::alarm_over(self.config.language, &change.alarm));
                return self.close(&mut session, run, tally, None).await;
            }
        }
        let order = self.order(&mut session, trigger, run).await?;
        if let Trigger::Operator(ask) = trigger
            && let Scope::Undo(of) = ask.scope
        {
            let undo = Undo::read(session.db, of).await?;
            let reason = run.reason.clone().unwrap_or_else(|| format!("undo of action {of}"));
            let wanted = vec![Planned::new(Action::Undo(undo), reason)];
            self.carry_out(&mut session, run, wanted, &order.demand, &mut tally).await?;
            return self.close(&mut session, run, tally, None).await;
        }
        let cursor = self.look_until_settled(&mut session, run, order, &mut tally).await?;
        self.close(&mut session, run, tally, cursor).await
    }

    /// What a trigger asks for, and how far it may go.
    async fn order(&self, session: &mut Session<'_>, trigger: &Trigger, run: &Run) -> Result<Order, Error> {
        let mut asked = Mode::Act;
        let (mut limit, mut approved) = (None, None);
        let question = match trigger {
            Trigger::Alarm(change) => {
                if change.suppressed_by.is_some() {
                    asked = Mode::Observe;
                }
                self.sweep(session).await?
            }
            Trigger::Execution(change) => Question::Change(change.clone()),
            Trigger::Schedule(schedule) => {
                asked = schedule.mode.unwrap_or(asked);
                self.sweep(session).await?
            }
            Trigger::Operator(ask) => {
                asked = ask.mode.unwrap_or(asked);
                limit = ask.limit;
                match &ask.scope {
                    Scope::Everything => {
                        asked = Mode::Observe;
                        Question::Sweep(Cursor::default())
                    }
                    Scope::All | Scope::Undo(_) => Question::Sweep(Cursor::default()),
                    Scope::Process(id) => Question::Process(*id),
                    Scope::Execution(arn) => Question::Execution(arn.clone()),
                    Scope::Approve(plan) => {
                        if self.configured_mode() == Mode::Observe {
                            return Err(Error::Refused(
                                "`approve`: this installation only observes; raise REMEDIATION_MODE to propose or act first".to_owned(),
                            ));
                        }
                        let targets = ledger::approve(session.db, run, *plan).await?;
                        let processes = processes::of_targets(session.db, &targets).await?;
                        approved = Some(targets);
                        Question::Again(processes.into_iter().map(|id| (id, Look::Sweep)).collect())
                    }
                }
            }
        };
        let demand = Demand {
            mode: self.configured_mode().min(asked),
            approved: approved.is_some(),
            population: 0,
            limit,
            done: 0,
            language: self.config.language,
        };
        Ok(Order { question, demand, approved })
    }

    fn configured_mode(&self) -> Mode {
        if S::OWN_SCHEMA_ONLY { self.manifest.mode } else { self.config.mode.min(self.manifest.mode) }
    }

    async fn sweep(&self, session: &mut Session<'_>) -> Result<Question, Error> {
        Ok(Question::Sweep(match self.manifest.ledger {
            LedgerKind::Database => ledger::cursor(session.db, self.name).await?,
            LedgerKind::Log => Cursor::default(),
        }))
    }

    /// Gather, plan, act; and again for what moved meanwhile, or was only stopped so far.
    async fn look_until_settled(
        &self,
        session: &mut Session<'_>,
        run: &Run,
        order: Order,
        tally: &mut Tally,
    ) -> Result<Option<Cursor>, Error> {
        let Order { mut question, mut demand, approved } = order;
        let mut cursor = None;
        let mut lost = 0;
        loop {
            let evidence = Box::pin(self.step.gather(session, &question)).await?;
            let mut plan = self.step.plan(&evidence, &self.config, Utc::now());
            // A sweep's evidence is as large as its plan, and the plan says all that counts from here on.
            drop(evidence);
            if let Some(approved) = &approved {
                // The plan is made anew; of it, only what was approved is done, and what its own stops bring about.
                plan.actions.retain(|planned| {
                    let action = &planned.action;
                    let same = |(kind, target): &(String, String)| kind == action.kind() && *target == action.target();
                    approved.iter().any(same) || tally.stopped.contains(&action.target())
                });
            }
            let look_of = look_of(&question);
            let wanted = tally.take_in(plan, &mut cursor);
            // What is looked at again was counted when it was looked at first.
            demand.population = tally.population;
            demand.done = tally.applied();
            let outcomes = self.carry_out(session, run, wanted, &demand, tally).await?;
            if let (Some(cursor), Some(after)) = (&mut cursor, outcomes.stopped_after) {
                cursor.after = Some(after);
            }
            let again: Vec<(ProcessId, Look)> = outcomes
                .again
                .iter()
                .map(|(id, by_us)| (*id, if *by_us { Look::Event } else { look_of(*id) }))
                .collect();
            if again.is_empty() {
                return Ok(cursor);
            }
            lost += usize::from(outcomes.again.iter().any(|(_, by_us)| !by_us));
            if lost > LOST_AT_MOST || Instant::now() >= session.stop_at {
                let told = outcomes.again.iter().map(|(id, _)| self.contested(*id));
                tally.findings.extend(told);
                return Ok(cursor);
            }
            question = Question::Again(again);
        }
    }

    fn contested(&self, id: ProcessId) -> Finding {
        Finding {
            code: "contested",
            message: texts::contested(self.config.language),
            target: id.to_string(),
            evidence: json!({ "looks": LOST_AT_MOST + 1 }),
        }
    }

    /// Guards what is wanted, and applies what may be.
    async fn carry_out(
        &self,
        session: &mut Session<'_>,
        run: &Run,
        wanted: Vec<Planned>,
        demand: &Demand,
        tally: &mut Tally,
    ) -> Result<CarriedOut, Error> {
        tally.mode.get_or_insert(demand.mode);
        if wanted.is_empty() {
            return Ok(CarriedOut::default());
        }
        let facts = match self.manifest.ledger {
            LedgerKind::Database => {
                let targets: Vec<String> = wanted.iter().map(|planned| planned.action.target()).collect();
                ledger::facts(session.db, self.name, &targets).await?
            }
            LedgerKind::Log => Facts::default(),
        };
        let Guarded { mode, apply, hold, over, leave } = guard(wanted, *demand, &self.manifest.limits, &facts);
        let mode = mode.unwrap_or(demand.mode);
        tally.mode = Some(mode);
        tally.skipped.extend(leave.into_iter().map(|(planned, why)| Skipped { target: planned.action.target(), why }));
        if let Some(message) = &over {
            tally.findings.push(Finding {
                code: "over_limit",
                message: message.clone(),
                target: self.name.to_owned(),
                evidence: json!({ "held": hold.len(), "population": demand.population }),
            });
        }
        self.hold(session, run, mode, hold, over.as_deref(), tally).await?;
        self.apply(session, run, apply, tally).await
    }

    /// What is wanted and may not be done is told, or stored to wait for approval.
    async fn hold(
        &self,
        session: &mut Session<'_>,
        run: &Run,
        mode: Mode,
        hold: Vec<Planned>,
        over: Option<&str>,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        if hold.is_empty() {
            return Ok(());
        }
        let outcome = if mode == Mode::Observe || self.manifest.ledger == LedgerKind::Log {
            DoneOutcome::Planned
        } else {
            let (plan, new) = ledger::propose(session.db, run, &hold, over.unwrap_or("mode: propose")).await?;
            tally.plan = Some(plan);
            tally.new_plan |= new;
            DoneOutcome::Proposed
        };
        let told = KEPT.saturating_sub(tally.actions.len());
        tally.actions.extend(hold.into_iter().enumerate().map(|(at, planned)| {
            let (before, after) = (at < told).then(|| planned.action.preview()).unzip();
            done(&planned, outcome, before, after, None)
        }));
        Ok(())
    }

    async fn apply(
        &self,
        session: &mut Session<'_>,
        run: &Run,
        apply: Vec<Planned>,
        tally: &mut Tally,
    ) -> Result<CarriedOut, Error> {
        let mut carried_out = CarriedOut::default();
        let rows = set_row_status::of_this_kind(&apply);
        let mut left = apply.len();
        for batch in rows.chunks(set_row_status::BATCH) {
            if Instant::now() >= session.stop_at {
                break;
            }
            let table = session.table().await?;
            let told = KEPT.saturating_sub(tally.actions.len());
            let outcomes = set_row_status::apply(session.db, &table, run, batch, told).await?;
            left -= batch.len();
            carried_out.stopped_after = batch.last().map(|(_, action)| action.process.id);
            for ((planned, _), outcome) in batch.iter().zip(outcomes) {
                carried_out.take(tally, planned, outcome, self.config.language);
            }
        }
        for planned in &apply {
            if Instant::now() >= session.stop_at {
                break;
            }
            let outcome = match &planned.action {
                Action::SetRowStatus(_) => continue,
                Action::StopExecution(action) => actions::stop_execution::apply(session, run, planned, action).await?,
                Action::Undo(action) => {
                    let table = session.table().await?;
                    actions::undo::apply(session.db, &table, run, planned, action).await?
                }
                Action::Migrate(action) => actions::migrate::apply(session.db, planned, action).await?,
            };
            left -= 1;
            carried_out.take(tally, planned, outcome, self.config.language);
        }
        if left == 0 {
            carried_out.stopped_after = None;
        } else {
            tally.unfinished = Some(texts::out_of_time(self.config.language, left));
        }
        Ok(carried_out)
    }

    /// Records the run, and says it to everybody who has to know.
    async fn close(
        &self,
        session: &mut Session<'_>,
        run: &Run,
        tally: Tally,
        cursor: Option<Cursor>,
    ) -> Result<Report, Error> {
        let elapsed = Utc::now() - run.started_at;
        let mut metrics = tally.metrics(elapsed);
        let new_plan = tally.new_plan;
        let mut report = tally.into_report(self.name, run, self.config.language);
        let applied = report.applied();
        let swept = cursor.is_some();
        if let Err(error) = notify::tell(&self.config, &self.aws, &report, swept, new_plan).await {
            report.findings.push(Finding {
                code: "not_told",
                message: error.to_string(),
                target: self.config.notify_topic_arn.clone().unwrap_or_default(),
                evidence: Value::Null,
            });
            metrics.push(Metric::count("NotificationsFailed", 1));
        }
        report.shorten();
        // Where an operator looked, or nothing was changed, the next sweep still goes on where the last one stopped.
        let cursor = cursor.filter(|_| report.mode == Mode::Act);
        match self.manifest.ledger {
            LedgerKind::Database => ledger::finish(session.db, run, &report, applied, cursor.as_ref()).await?,
            LedgerKind::Log => tracing::info!(ledger = %json!(report), "ledger entry"),
        }
        println!("{}", embedded_metrics(self.name, &metrics, Utc::now().timestamp_millis()));
        tracing::info!(runId = %run.id, mode = %report.mode, applied, summary = %report.summary, "done");
        Ok(report)
    }
}

fn look_of(question: &Question) -> impl Fn(ProcessId) -> Look + use<> {
    let (default, each) = match question {
        Question::Change(_) | Question::Process(_) | Question::Execution(_) => (Look::Event, HashMap::new()),
        Question::Sweep(_) => (Look::Sweep, HashMap::new()),
        Question::Again(processes) => (Look::Sweep, processes.iter().copied().collect()),
    };
    move |id| each.get(&id).copied().unwrap_or(default)
}

fn done(
    planned: &Planned,
    outcome: DoneOutcome,
    before: Option<Value>,
    after: Option<Value>,
    trouble: Option<String>,
) -> Done {
    let reason = match trouble {
        Some(trouble) => format!("{} — {trouble}", planned.reason),
        None => planned.reason.clone(),
    };
    Done {
        id: planned.id,
        kind: planned.action.kind(),
        target: planned.action.target(),
        before,
        after,
        outcome,
        reason,
    }
}

/// What came of one round.
#[derive(Default)]
struct CarriedOut {
    /// Whose rows have to be decided on anew, and whether that is our own doing (a stop).
    again: Vec<(ProcessId, bool)>,
    /// The last row that was handled, where Lambda's deadline came before the last action.
    stopped_after: Option<ProcessId>,
}

impl CarriedOut {
    fn take(&mut self, tally: &mut Tally, planned: &Planned, outcome: Outcome, language: crate::domain::Language) {
        let Outcome { result, before, after, again, .. } = outcome;
        let stopped = matches!(planned.action, Action::StopExecution(_));
        if let Some(id) = again {
            self.again.push((id, stopped));
            if stopped {
                tally.stopped.push(id.to_string());
            }
        }
        let (outcome, trouble) = match result {
            ActionResult::Applied => {
                tally.verified += 1;
                if let Action::SetRowStatus(action) = &planned.action {
                    let since = action.basis.as_ref().and_then(|execution| execution.stopped_at);
                    tally.remedied_after.extend(since.map(|since| (Utc::now() - since).as_seconds_f64().max(0.0)));
                }
                (DoneOutcome::Applied, None)
            }
            ActionResult::Unverified(why) => {
                tally.unverified += 1;
                (DoneOutcome::Applied, Some(why))
            }
            ActionResult::Failed(why) => (DoneOutcome::Failed, Some(why)),
            ActionResult::Superseded => (DoneOutcome::Superseded, None),
            ActionResult::Busy => {
                tally.skipped.push(Skipped { target: planned.action.target(), why: texts::busy(language) });
                return;
            }
        };
        tally.actions.push(done(planned, outcome, before, after, trouble));
    }
}

/// What a run has come to so far.
struct Tally {
    trigger: Value,
    mode: Option<Mode>,
    population: usize,
    findings: Vec<Finding>,
    actions: Vec<Done>,
    skipped: Vec<Skipped>,
    verified: usize,
    unverified: usize,
    measured: Vec<Metric>,
    remedied_after: Vec<f64>,
    report: Option<Value>,
    plan: Option<Uuid>,
    new_plan: bool,
    unfinished: Option<String>,
    summary: Option<String>,
    /// Processes whose executions this run has stopped.
    stopped: Vec<String>,
}

impl Tally {
    fn new(run: &Run) -> Self {
        Self {
            trigger: run.trigger.clone(),
            mode: None,
            population: 0,
            findings: Vec::new(),
            actions: Vec::new(),
            skipped: Vec::new(),
            verified: 0,
            unverified: 0,
            measured: Vec::new(),
            remedied_after: Vec::new(),
            report: None,
            plan: None,
            new_plan: false,
            unfinished: None,
            summary: None,
            stopped: Vec::new(),
        }
    }

    /// Keeps what a plan tells; what it wants, and the first round's cursor, go back.
    fn take_in(&mut self, plan: Plan, cursor: &mut Option<Cursor>) -> Vec<Planned> {
        let Plan { actions, findings, skipped, population, metrics, report, cursor: next, unfinished } = plan;
        self.findings.extend(findings);
        self.skipped.extend(skipped);
        self.population = self.population.max(population);
        self.measured.extend(metrics);
        self.report = report.or(self.report.take());
        self.unfinished = unfinished.or(self.unfinished.take());
        *cursor = next.or(cursor.take());
        actions
    }

    fn applied(&self) -> usize {
        self.actions.iter().filter(|done| done.outcome == DoneOutcome::Applied).count()
    }

    fn count(&self, outcome: DoneOutcome) -> usize {
        self.actions.iter().filter(|done| done.outcome == outcome).count()
    }

    fn metrics(&self, elapsed: chrono::TimeDelta) -> Vec<Metric> {
        let mut metrics = vec![
            Metric::count("ActionsApplied", self.applied()),
            Metric::count("ActionsFailed", self.count(DoneOutcome::Failed)),
            Metric::count("ActionsProposed", self.count(DoneOutcome::Proposed)),
            Metric::count("Findings", self.findings.len()),
            Metric::new("RunDuration", "Milliseconds", elapsed.as_seconds_f64() * 1000.0),
        ];
        if !self.remedied_after.is_empty() {
            metrics.push(Metric { name: "TimeToRemedy", unit: "Seconds", values: self.remedied_after.clone() });
        }
        metrics.extend(self.measured.iter().cloned());
        metrics
    }

    fn into_report(self, step: &'static str, run: &Run, language: crate::domain::Language) -> Report {
        let verification = match (self.count(DoneOutcome::Failed), self.unverified, self.verified) {
            (1.., ..) => Verification::Failed,
            (0, 0, 1..) => Verification::Verified,
            (0, ..) => Verification::Unverified,
        };
        let counts = |outcome| self.count(outcome);
        let mut summary = self.summary.clone().unwrap_or_else(|| {
            texts::summary(language, self.population, counts, self.findings.len(), self.skipped.len())
        });
        if let Some(unfinished) = &self.unfinished {
            summary = format!("{summary} — {unfinished}");
        }
        let waiting = self.plan.map(|plan| json!({ "approve": plan }));
        let planned = self.count(DoneOutcome::Planned) > 0;
        Report {
            summary,
            step,
            run_id: run.id,
            mode: self.mode.unwrap_or(Mode::Observe),
            to_do_it: waiting.or_else(|| planned.then(|| would_do(&self.trigger))),
            trigger: self.trigger,
            findings: self.findings,
            actions: self.actions,
            skipped: self.skipped,
            verification,
            plan_id: self.plan,
            report: self.report,
            omitted: serde_json::Map::new(),
        }
    }
}

/// The operator's event that does what a run has only told.
fn would_do(trigger: &Value) -> Value {
    for field in ["processId", "executionArn", "undo"] {
        if let Some(target) = trigger.get(field) {
            return json!({ field: target });
        }
    }
    json!({ "all": true })
}
