//! Runs a step: everything that all steps need alike (design, section 3).
//!
//! Decode, gather, plan, guard, apply, look again where something moved, record, report. A function's `main` only names its step.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use chrono::Utc;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use crate::act::actions::{self, Action, ActionResult, Outcome, Undo, set_row_status};
use crate::act::guard::{Demand, Facts, Guarded, guard};
use crate::act::ledger::controls::{self, Bound, Control};
use crate::act::ledger::facts;
use crate::act::ledger::incidents;
use crate::act::ledger::plans;
use crate::act::ledger::plans::Wish;
use crate::act::ledger::runs;
use crate::act::ledger::runs::Run;
use crate::act::report::{Done, DoneOutcome, KEPT, Report, Verification};
use crate::decide::Look;
use crate::domain::{Mode, ProcessId};
use crate::finding::Metric;
use crate::gather::config::Config;
use crate::gather::database::Database;
use crate::gather::error::Error;
use crate::gather::manifest::{LedgerKind, Manifest};
use crate::gather::step_functions::StepFunctions;
use crate::gather::table::Table;
use crate::gather::trigger::{self, Ask, Scope, Trigger};
use crate::run::metrics::embedded_metrics;
use crate::run::notify;
use crate::run::processes;
use crate::run::step::{Cursor, Finding, Outside, Plan, Planned, Question, Session, Skipped, Step};
use crate::run::texts;

/// How often a row that moved under us is decided on anew before it is left and told (design, section 5).
const LOST_AT_MOST: usize = 3;

/// What a run keeps of its Lambda's time for its record and its answer: a tenth, and no more than this.
const RESERVE: Duration = Duration::from_secs(10);

/// A connection that was kept may have died without a word (a failover): a sweep's first statement proves it within a quarter of
/// the time, and within this, so that there is time for a new one.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

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
        Box::pin(function.handle(event.payload, &event.context.request_id, left))
            .await
            .map_err(|error| Diagnostic::from(&error))
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
    /// The actions that a person approved.
    approved: Option<HashSet<Wish>>,
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
    async fn handle(&self, event: Value, request_id: &str, left: Duration) -> Result<Report, Error> {
        let trigger = trigger::decode(event, &self.config.result_path, S::PARAMETERS)?;
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
        };
        let mut kept = self.kept.lock().await;
        let answer = match self.attempt_until(last_moment, &mut kept, &trigger, &run, stop_at).await {
            // A connection may be reset while its container is frozen. Every write is a compare-and-set, so doing all of
            // it again is safe, whatever was already done.
            Err(error) if error.is_connection_lost() => {
                tracing::warn!(%error, "the connection was lost: trying once more on a new one");
                kept.database.forget();
                self.attempt_until(last_moment, &mut kept, &trigger, &run, stop_at).await
            }
            answer => answer,
        };
        let answer = match answer {
            Err(error) if error.is_connection_lost() || !kept.database.is_connected() => {
                kept.database.forget();
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
            Ok(db) => runs::fail(db, run, error).await,
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
        run: &Run,
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

    async fn attempt(&self, kept: &mut Kept, trigger: &Trigger, run: &Run, stop_at: Instant) -> Result<Report, Error> {
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
        if let Trigger::Alarm(change) = trigger {
            incidents::incident(session.db, change).await?;
            if !S::ALARM_STATES.contains(&change.state) {
                tally.summary = Some(texts::alarm_not_on(self.config.language, &change.alarm, change.state));
                return self.close(Some(session.db), run, tally, None).await;
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
            return self.close(Some(session.db), run, tally, None).await;
        }
        let cursor = self.look_until_settled(&mut session, run, order, &mut tally).await?;
        self.close(Some(session.db), run, tally, cursor).await
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
                        if !S::COMMANDS.iter().any(|command| ask.parameters.contains_key(*command)) {
                            asked = Mode::Observe;
                        }
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
                        let targets = plans::approve(session.db, run, *plan, self.configured_mode().min(asked)).await?;
                        let processes = processes::of_targets(session.db, &targets).await?;
                        approved = Some(targets.into_iter().collect());
                        Question::Again(processes.into_iter().map(|id| (id, Look::Sweep)).collect())
                    }
                }
            }
        };
        let demand = Demand {
            mode: self.configured_mode().min(asked),
            own: self.manifest.mode.min(asked),
            approved: approved.is_some(),
            population: 0,
            limit,
            done: 0,
            language: self.config.language,
        };
        Ok(Order { question, demand, approved })
    }

    fn configured_mode(&self) -> Mode {
        self.config.mode.min(self.manifest.mode)
    }

    async fn sweep(&self, session: &mut Session<'_>) -> Result<Question, Error> {
        Ok(Question::Sweep(match self.manifest.ledger {
            LedgerKind::Database => {
                let bound = FIRST_ANSWER.min(session.stop_at.saturating_duration_since(Instant::now()) / 4);
                tokio::time::timeout(bound, runs::cursor(session.db, self.name))
                    .await
                    .unwrap_or_else(|_| Err(Error::silence("reading where the last run stopped", bound)))?
            }
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
            session.now = Utc::now();
            let evidence = Box::pin(self.step.gather(session, &question)).await?;
            let mut plan = self.step.plan(&evidence, &self.config, session.now);
            // A sweep's evidence is as large as its plan, and the plan says all that counts from here on.
            drop(evidence);
            if let Some(approved) = &approved {
                // The plan is made anew; of it, only what was approved is done, and what its own stops bring about.
                plan.actions.retain(|planned| {
                    let wish = Wish::of(&planned.action);
                    approved.contains(&wish) || tally.stopped.contains(&wish.target)
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
            let CarriedOut { again: mut moved, ended, .. } = outcomes;
            if ended {
                return Ok(cursor);
            }
            // What was said of them no longer holds; the next look says it anew, and once.
            tally.forget(&moved);
            lost += usize::from(moved.iter().any(|moved| moved.lost));
            if lost > LOST_AT_MOST {
                tally
                    .findings
                    .extend(moved.iter().filter(|moved| moved.lost).map(|moved| self.contested(moved.process)));
                moved.retain(|moved| !moved.lost);
            }
            if moved.is_empty() {
                return Ok(cursor);
            }
            if Instant::now() >= session.stop_at {
                tally.unfinished = Some(texts::out_of_time(self.config.language, moved.len()));
                return Ok(cursor);
            }
            let look = |moved: &Moved| if moved.stop { Look::Event } else { look_of(moved.process) };
            question = Question::Again(moved.iter().map(|moved| (moved.process, look(moved))).collect());
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
                facts::facts(session.db, self.name, &targets).await?
            }
            LedgerKind::Log => Facts { control: self.control(session).await?, ..Facts::default() },
        };
        let Guarded { mode, apply, hold, over, leave } = guard(wanted, *demand, &self.manifest.limits, &facts);
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
        if !hold.is_empty()
            && let Some(bound) = facts.control.bound.as_ref().filter(|bound| bound.step.is_none())
        {
            tally.findings.push(self.bound(bound, hold.len()));
        }
        self.hold(session, run, mode, hold, over.as_deref(), tally).await?;
        let by_person = demand.approved || apply.iter().all(|planned| planned.action.is_undo());
        let needs = if by_person { Mode::Propose } else { Mode::Act };
        self.apply(session, run, apply, needs, tally).await
    }

    /// What the controls leave this step now. A step whose ledger is the log goes on where nobody can be asked (design, 6.8).
    async fn control(&self, session: &mut Session<'_>) -> Result<Control, Error> {
        match (controls::in_force(session.db, self.name).await, self.manifest.ledger) {
            (Err(error), LedgerKind::Log) => {
                tracing::warn!(%error, "what is allowed cannot be asked");
                Ok(Control::default())
            }
            (control, LedgerKind::Log | LedgerKind::Database) => control,
        }
    }

    fn bound(&self, bound: &Bound, held: usize) -> Finding {
        Finding {
            code: "stopped",
            message: texts::bound(self.config.language, bound),
            target: bound.step.as_deref().unwrap_or(controls::EVERYWHERE).to_owned(),
            evidence: json!({ "mode": bound.mode, "by": bound.by, "since": bound.since, "reason": bound.reason, "held": held }),
        }
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
            let (plan, new) = plans::propose(session.db, run, &hold, over.unwrap_or("mode: propose")).await?;
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
        mut apply: Vec<Planned>,
        needs: Mode,
        tally: &mut Tally,
    ) -> Result<CarriedOut, Error> {
        let mut carried_out = CarriedOut::default();
        let mut done = HashSet::with_capacity(apply.len());
        // The red button is asked for again before every batch and every single action (design, 6.1). What comes first was asked for a
        // moment ago, with the limits.
        let mut bound = None;
        let rows = set_row_status::of_this_kind(&apply);
        let (mut left, mut rows_left) = (apply.len(), rows.len());
        for batch in rows.chunks(set_row_status::BATCH) {
            if Instant::now() >= session.stop_at {
                break;
            }
            if !done.is_empty() {
                bound = self.control(session).await?.bound.filter(|bound| bound.mode < needs);
            }
            if bound.is_some() {
                break;
            }
            let table = session.table().await?;
            let told = KEPT.saturating_sub(tally.actions.len());
            let outcomes = set_row_status::apply(session.db, &table, run, batch, told).await?;
            done.extend(batch.iter().map(|(planned, _)| planned.id));
            left -= batch.len();
            rows_left -= batch.len();
            let last = batch.last().map(|(_, action)| action.process.id);
            carried_out.stopped_after = last.filter(|_| rows_left > 0);
            for ((planned, _), outcome) in batch.iter().zip(outcomes) {
                carried_out.take(tally, planned, outcome, self.config.language);
            }
        }
        for planned in &apply {
            if bound.is_some() || Instant::now() >= session.stop_at {
                break;
            }
            if matches!(planned.action, Action::SetRowStatus(_)) {
                continue;
            }
            if !done.is_empty() && !planned.action.is_own_record() {
                bound = self.control(session).await?.bound.filter(|bound| bound.mode < needs);
                if bound.is_some() {
                    break;
                }
            }
            let Some(outcome) = actions::apply(session, run, planned).await? else { continue };
            done.insert(planned.id);
            left -= 1;
            carried_out.take(tally, planned, outcome, self.config.language);
        }
        if let Some(bound) = bound {
            carried_out.ended = true;
            apply.retain(|planned| !done.contains(&planned.id));
            let why = texts::bound(self.config.language, &bound);
            tally.unfinished = Some(texts::ended_by(self.config.language, &why, apply.len()));
            tally.findings.push(self.bound(&bound, apply.len()));
            self.hold(session, run, bound.mode, apply, Some(&why), tally).await?;
        } else if left > 0 {
            tally.unfinished = Some(texts::out_of_time(self.config.language, left));
        }
        Ok(carried_out)
    }

    /// Records the run, in the log where there is no database, and says it to everybody who has to know.
    async fn close(
        &self,
        db: Option<&mut PgConnection>,
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
        // An operator's look does not move the place where the next sweep goes on.
        let cursor = cursor.filter(|_| report.trigger["kind"] != "operator");
        match (self.manifest.ledger, db) {
            (LedgerKind::Database, Some(db)) => runs::finish(db, run, &report, applied, cursor.as_ref()).await?,
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
        is_told: planned.action.is_told(),
    }
}

/// What came of one round.
#[derive(Default)]
struct CarriedOut {
    /// Whose rows have to be decided on anew.
    again: Vec<Moved>,
    /// The last row that was handled, where Lambda's deadline, or the red button, came before the last action.
    stopped_after: Option<ProcessId>,
    /// The red button, or the step's own control, ended it.
    ended: bool,
}

/// A process that is no longer as it was decided on.
struct Moved {
    process: ProcessId,
    /// What was to be changed: the process itself, or what was looked at for its sake.
    target: String,
    /// Its execution was to be stopped: what became of that has just happened, and is not left to settle.
    stop: bool,
    /// Somebody else moved it first.
    lost: bool,
}

impl CarriedOut {
    fn take(&mut self, tally: &mut Tally, planned: &Planned, outcome: Outcome, language: crate::domain::Language) {
        let Outcome { result, before, after, again, .. } = outcome;
        let stop = matches!(planned.action, Action::StopExecution(_));
        if let Some(process) = again {
            let (target, lost) = (planned.action.target(), result == ActionResult::Superseded);
            self.again.push(Moved { process, target, stop, lost });
            if stop {
                tally.stopped.insert(process.to_string());
            }
        }
        let (outcome, trouble) = match result {
            ActionResult::Applied => {
                tally.verified += 1;
                // Where the status stays, the row was not broken by its execution's end.
                if let Action::SetRowStatus(action) = &planned.action
                    && !planned.action.keeps_status()
                {
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
            ActionResult::NotNow(why) => (DoneOutcome::Superseded, Some(why)),
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
#[derive(Default)]
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
    stopped: HashSet<String>,
}

impl Tally {
    fn new(run: &Run) -> Self {
        Self { trigger: run.trigger.clone(), ..Self::default() }
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

    /// Drops what earlier looks told of these processes.
    fn forget(&mut self, processes: &[Moved]) {
        let targets: HashSet<String> =
            processes.iter().flat_map(|moved| [moved.process.to_string(), moved.target.clone()]).collect();
        self.findings.retain(|finding| !targets.contains(&finding.target));
        self.skipped.retain(|skipped| !targets.contains(&skipped.target));
    }

    fn applied(&self) -> usize {
        self.count(DoneOutcome::Applied)
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
    let mut event = trigger.get("parameters").cloned().unwrap_or_else(|| json!({}));
    match ["processId", "executionArn", "undo"].into_iter().find_map(|field| Some((field, trigger.get(field)?))) {
        Some((field, target)) => event[field] = target.clone(),
        None => event["all"] = true.into(),
    }
    event
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use harness::{APPLICATION, CountingProxy, Database, Postgres};
    use patient::table::{self, GUIDE};

    use super::*;

    const MANIFEST: &str = "name = \"test-step\"";

    /// Counts the open rows, and wants nothing.
    struct Counts;

    impl Step for Counts {
        type Evidence = i64;
        fn manifest(&self) -> &'static str {
            MANIFEST
        }

        async fn gather(&self, session: &mut Session<'_>, _: &Question) -> Result<i64, Error> {
            let table = session.table().await?;
            sqlx::query_scalar(table.sql("SELECT count(*) FROM {table} p WHERE {status} = 'PENDING'::text{as status}"))
                .fetch_one(&mut *session.db)
                .await
                .map_err(Error::database("counting"))
        }

        fn plan(&self, counted: &i64, _: &Config, _: DateTime<Utc>) -> Plan {
            Plan { report: Some(json!(counted)), ..Plan::default() }
        }
    }

    async fn made(hint: &str) -> Database {
        let database = Postgres::shared().await.unwrap().database(hint).await.unwrap();
        table::create(database.pool(), &GUIDE).await.unwrap();
        let mut db = database.connect().await.unwrap();
        let action = actions::Migrate::missing(&mut db).await.unwrap().unwrap();
        let planned = Planned::new(Action::Migrate(action.clone()), "the test needs it".into());
        actions::migrate::apply(&mut db, &planned, &action).await.unwrap();
        database
    }

    async fn function(url: String) -> Function<Counts> {
        let arn = "arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing";
        let lookup = |name: &str| match name {
            "DATABASE_URL" => Some(url.clone()),
            "STATE_MACHINE_ARN" => Some(arn.to_owned()),
            _ => None,
        };
        Function::new(Counts, lookup).await.unwrap()
    }

    async fn handle(function: &Function<Counts>) -> Result<Report, Error> {
        Box::pin(function.handle(json!({ "all": true }), "request", Duration::from_secs(60))).await
    }

    #[tokio::test]
    async fn a_table_that_was_altered_is_read_anew_by_the_next_event() {
        let database = made("altered").await;
        let function = function(database.url()).await;
        assert_eq!(handle(&function).await.unwrap().report, Some(json!(0)));

        database
            .execute(
                "CREATE TYPE status AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED');
                 ALTER TABLE processing_state ALTER status DROP DEFAULT, ALTER status TYPE status USING status::status",
            )
            .await
            .unwrap();
        handle(&function).await.unwrap_err();
        assert_eq!(handle(&function).await.unwrap().report, Some(json!(0)));
        let errors: i64 =
            sqlx::query_scalar("SELECT count(error) FROM remediation.runs").fetch_one(database.pool()).await.unwrap();
        assert_eq!(errors, 1, "the failure is on record");
    }

    #[tokio::test]
    async fn a_connection_that_was_lost_while_the_container_slept_costs_one_more_try() {
        let database = made("slept").await;
        let proxy = CountingProxy::start(database.port()).await.unwrap();
        let function = function(database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1)).await;
        handle(&function).await.unwrap();
        proxy.cut();
        handle(&function).await.unwrap();
        assert_eq!(proxy.connections(), 2);
        let runs: (i64, i64) = sqlx::query_as("SELECT count(*), count(error) FROM remediation.runs")
            .fetch_one(database.pool())
            .await
            .unwrap();
        assert_eq!(runs, (2, 0));
    }

    #[tokio::test]
    async fn while_the_database_is_down_every_event_says_so_and_the_next_one_tries_anew() {
        let database = made("down").await;
        let proxy = CountingProxy::start(database.port()).await.unwrap();
        let function = function(database.url_through(proxy.port(), APPLICATION.0, APPLICATION.1)).await;
        proxy.refuse().await;
        let error = handle(&function).await.unwrap_err();
        assert!(error.is_connection_lost() && error.to_string().contains("check that it is up"), "{error}");
        proxy.accept().await.unwrap();
        handle(&function).await.unwrap();
    }
}
