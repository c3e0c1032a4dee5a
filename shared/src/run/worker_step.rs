//! What all steps that change the worker share: what they read, what keeps them from a change, and how their changes are reverted.
//!
//! The judgement (whether the worker should have another value, and which) stays in each function's folder.

pub mod texts;

use std::collections::HashSet;
use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::act::actions::Action;
use crate::act::actions::change_worker::texts as change;
use crate::act::actions::change_worker::{self, ChangeWorker, Purpose};
use crate::act::actions::close_lease::{Close, CloseLease};
use crate::act::lease::{self, End, FAILURES, Lease, REVERT_AFTER, REVERT_AFTER_BOUNDS};
use crate::act::ledger::incidents;
use crate::act::ledger::told;
use crate::domain::Language;
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::manifest::{self, Manifest};
use crate::gather::parameters::Parameters;
use crate::gather::state_machine::Callers;
use crate::gather::table::Table;
use crate::gather::trigger::{Ask, Scope, Trigger, TriggerError};
use crate::gather::worker::{Seen, Setting, Worker};
use crate::run::step::{Finding, Plan, Planned, Question, Session, Skipped, Step};

/// The parameter that names the value.
const TO: &str = "to";
/// The parameter that names the change that is to stay.
const CONFIRM: &str = "confirm";
/// The parameter that says how long a change stays.
const REVERT_AFTER_NAME: &str = "revertAfter";

/// [`crate::run::step::Step::PARAMETERS`] of a worker step.
pub const PARAMETERS: &[&str] = &[TO, CONFIRM, REVERT_AFTER_NAME];
/// [`crate::run::step::Step::COMMANDS`] of a worker step.
pub const COMMANDS: &[&str] = &[TO, CONFIRM];

/// How far back the worker's load is counted.
const WEEK: TimeDelta = TimeDelta::days(7);

/// What a worker step is about.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The step's name.
    pub step: String,
    /// What it changes.
    pub setting: Setting,
    /// The alarm whose open incident it answers, without the installation's prefix.
    pub alarm: &'static str,
    /// What a person may ask for with `to`.
    pub may_be: RangeInclusive<u32>,
}

/// How far a number is raised, and by how much at a time: `[policy]` of a step's manifest.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// Not less than this, in the setting's unit.
    pub floor: u32,
    /// So much at a time.
    pub step: u32,
    /// Not more than this.
    pub ceiling: u32,
    /// What a GB-second of Lambda costs, in USD.
    pub usd_per_gb_second: f64,
}

impl Steps {
    /// Reads `[policy]` of a manifest.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming every key that is missing or makes no sense, beyond what Lambda takes for one.
    pub fn parse(manifest: &str, setting: Setting) -> Result<Self, Error> {
        let steps: Self = manifest::policy(manifest)?;
        let bounds = setting.bounds();
        let checks = [
            ("floor", bounds.contains(&steps.floor), format!("from {} to {}", bounds.start(), bounds.end())),
            (
                "ceiling",
                bounds.contains(&steps.ceiling) && steps.ceiling >= steps.floor,
                format!("from the floor, {}, to {}, which is Lambda's own limit", steps.floor, bounds.end()),
            ),
            ("step", steps.step >= 1, "1 or more".to_owned()),
            ("usd_per_gb_second", steps.usd_per_gb_second >= 0.0, "0 or more".to_owned()),
        ];
        let faults: Vec<String> = checks
            .into_iter()
            .filter(|(_, holds, _)| !holds)
            .map(|(key, _, may_be)| format!("manifest.toml: [policy]: `{key}` must be {may_be}"))
            .collect();
        if faults.is_empty() { Ok(steps) } else { Err(Error::Configuration(faults)) }
    }

    /// What a person may ask for.
    #[must_use]
    pub const fn may_be(&self) -> RangeInclusive<u32> {
        self.floor..=self.ceiling
    }
}

/// A step that raises a number of the worker by [`Steps`].
#[derive(Debug)]
pub struct Raise {
    manifest: &'static str,
    rules: Rules,
    steps: Steps,
    judge: fn(&Evidence, &Steps, Language) -> Judgement,
}

impl Raise {
    /// By its manifest; `judge` is its judgement.
    ///
    /// # Errors
    /// [`Error::Configuration`] where the manifest makes no sense.
    pub fn new(
        manifest: &'static str,
        setting: Setting,
        alarm: &'static str,
        judge: fn(&Evidence, &Steps, Language) -> Judgement,
    ) -> Result<Self, Error> {
        let (step, steps) = (Manifest::parse(manifest)?.name, Steps::parse(manifest, setting)?);
        Ok(Self { manifest, rules: Rules { step, setting, alarm, may_be: steps.may_be() }, steps, judge })
    }
}

impl Step for Raise {
    type Evidence = Evidence;

    const PARAMETERS: &'static [&'static str] = PARAMETERS;
    const COMMANDS: &'static [&'static str] = COMMANDS;

    fn manifest(&self) -> &'static str {
        self.manifest
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        gather(session, question, self.rules.clone()).await
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan(evidence, config, now, |evidence| (self.judge)(evidence, &self.steps, config.language))
    }
}

/// What was read.
#[derive(Debug)]
pub struct Evidence {
    /// What the step is about.
    pub rules: Rules,
    /// [`Worker::target`].
    pub target: String,
    /// The worker.
    pub seen: Seen,
    /// How the state machine calls it; or why that is not known.
    pub callers: Result<Callers, String>,
    /// Who wants a change.
    pub wants: Wants,
    /// How long a change stays.
    pub revert_after: TimeDelta,
    /// What the worker had to do; `None`: it could not be counted.
    pub load: Option<Load>,
    /// The step's own open leases.
    pub leases: Vec<Lease>,
    /// A plan is being approved: all of it is planned anew.
    approving: bool,
    confirm: Option<Lease>,
    told: HashSet<String>,
}

/// Who wants a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// A person, or another step.
    Asked {
        /// The value that was named; `None`: one step further.
        to: Option<u32>,
    },
    /// The incident of this alarm is open.
    Incident(String),
    /// Nobody.
    Nothing,
}

/// What the worker had to do in the last seven days.
#[derive(Debug, Clone, Copy, PartialEq, sqlx::FromRow)]
pub struct Load {
    /// Processes that ended.
    pub ended: i64,
    /// How long they took on average, from creation to end: longer than the worker itself.
    pub average_seconds: Option<f64>,
    /// Those of them that ran out of time.
    pub timed_out: i64,
}

/// What a step's judgement comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// The worker should have another value.
    Change {
        /// Which.
        to: Option<u32>,
        /// What that costs at most; `None`: not known.
        usd_a_month: Option<f64>,
    },
    /// Nothing is to be done, and why.
    Leave(String),
    /// Something is wrong that this step does not change: a finding's code, its sentence, and what was read.
    Tell(&'static str, String, Value),
}

/// What `seconds` of a week cost in a month of 30 days with so much memory.
///
/// Lambda is billed by memory × duration: <https://aws.amazon.com/lambda/pricing/>.
#[must_use]
pub fn usd_a_month(megabytes: u32, seconds_a_week: f64, usd_per_gb_second: f64) -> f64 {
    f64::from(megabytes) / 1024.0 * seconds_a_week * usd_per_gb_second * 30.0 / 7.0
}

/// Reads all that a worker step decides by.
///
/// # Errors
/// [`Error::Refused`] for a question about one process, and where the worker does not exist; [`Error::Trigger`] for a parameter that is
/// wrong; [`Error::Aws`], [`Error::Database`].
pub async fn gather(session: &mut Session<'_>, question: &Question, rules: Rules) -> Result<Evidence, Error> {
    match question {
        Question::Sweep(_) | Question::Again(_) => {}
        Question::Process(_) | Question::Execution(_) | Question::Change(_) => {
            return Err(Error::Refused(texts::about_the_worker(&rules.step)));
        }
    }
    let parameters = Parameters(session.parameters);
    let to = parameters.whole(TO, rules.may_be.clone())?;
    let revert_after = parameters.span(REVERT_AFTER_NAME, REVERT_AFTER_BOUNDS)?;
    let confirm = match parameters.id(CONFIRM)? {
        Some(_) if to.is_some() || revert_after.is_some() => {
            return Err(Error::Trigger(TriggerError::Contradiction {
                one: CONFIRM.to_owned(),
                other: if to.is_some() { TO } else { REVERT_AFTER_NAME }.to_owned(),
                rule: "a change is confirmed exactly as it was made; only `mode` and `reason` may go with it",
            }));
        }
        Some(action) => Some(to_confirm(session.db, action, &rules).await?),
        None => None,
    };
    change_worker::resolve_abandoned(session, &rules.step, rules.setting).await?;
    let seen = Worker::new(session.aws, session.config).read(rules.setting).await?;
    let callers = match session.step_functions.definition().await {
        Ok(definition) => {
            Ok(definition.callers(session.step_functions.state_machine_arn(), &session.config.worker_function))
        }
        Err(error) => Err(error.to_string()),
    };
    let target = Worker::target(session.config);
    let (wants, approving) = wants(session, &rules, to).await?;
    let told = match session.trigger {
        Trigger::Operator(_) => HashSet::new(),
        Trigger::Alarm(_) | Trigger::Execution(_) | Trigger::Schedule(_) => {
            let told = told::told(session.db, &rules.step, session.now - told::TOLD_FOR, &TOLD_ONCE).await?;
            told.into_iter().filter(|told| told.target == target).map(|told| told.code).collect()
        }
    };
    let load = match session.table().await {
        Ok(table) => load(session.db, &table, session.now).await?,
        Err(Error::Table(_)) => None,
        Err(error) => return Err(error),
    };
    let leases = lease::open(session.db, &rules.step).await?;
    let revert_after = revert_after.unwrap_or(REVERT_AFTER);
    let evidence = Evidence::new(rules, target, seen, callers, wants);
    Ok(Evidence { revert_after, load, leases, approving, confirm, told, ..evidence })
}

/// The lease of an action that a person wants to stay.
async fn to_confirm(db: &mut PgConnection, action: uuid::Uuid, rules: &Rules) -> Result<Lease, Error> {
    let refused = |why: String| Err(Error::Refused(format!("`{CONFIRM}` {action}: {why}")));
    match lease::of_action(db, action).await? {
        None => {
            refused("no such change of the worker; see `actions[].id` of a result, or remediation.leases".to_owned())
        }
        Some(lease) if lease.step != rules.step => refused(format!("it belongs to {}: send it there", lease.step)),
        Some(Lease { ended: Some(ended), ended_at: Some(at), .. }) => {
            refused(format!("its lease has already ended ({ended}, {at}): nothing left to confirm"))
        }
        Some(lease) => Ok(lease),
    }
}

async fn wants(session: &mut Session<'_>, rules: &Rules, to: Option<u32>) -> Result<(Wants, bool), Error> {
    let alarm = match session.trigger {
        Trigger::Operator(Ask { scope, .. }) => {
            return Ok((Wants::Asked { to }, matches!(scope, Scope::Approve(_))));
        }
        // An event that came late, or twice, opens nothing.
        Trigger::Alarm(change) => change.alarm.as_str(),
        Trigger::Schedule(_) | Trigger::Execution(_) => rules.alarm,
    };
    let open = incidents::open_incident(session.db, alarm).await?;
    Ok((open.map_or(Wants::Nothing, Wants::Incident), false))
}

/// Counts for no longer than a few seconds: a price is worth no more. `None` where that is not enough.
async fn load(db: &mut PgConnection, table: &Table, now: DateTime<Utc>) -> Result<Option<Load>, Error> {
    let counting = "counting what the worker had to do";
    let mut transaction = db.begin().await.map_err(Error::database(counting))?;
    sqlx::raw_sql("SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = 5000")
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(counting))?;
    let counted = sqlx::query_as(table.sql(include_str!("worker_step/load.sql")))
        .bind(now - WEEK)
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::database(counting));
    transaction.rollback().await.map_err(Error::database(counting))?;
    match counted {
        Ok(load) => Ok(Some(load)),
        Err(error) if error.is_connection_lost() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Findings that need a person: people are notified, but only once in a while, however often they are seen.
pub const TOLD_ONCE: [&str; 13] = [
    "account_limit",
    "alias_mismatch",
    "allocation_failed",
    "at_ceiling",
    "at_floor",
    "callers_unknown",
    "latest_differs",
    "lease_elsewhere",
    "needs_alias",
    "not_retried",
    "revert_failed",
    "task_timeout_wins",
    "update_failed",
];

/// The plan of a worker step: what `judge` says, if nothing keeps it from that; and its leases.
#[must_use]
pub fn plan(
    evidence: &Evidence,
    config: &Config,
    now: DateTime<Utc>,
    judge: impl FnOnce(&Evidence) -> Judgement,
) -> Plan {
    let language = config.language;
    let mut plan = Plan { population: 1, report: Some(report(evidence)), ..Plan::default() };
    if let Some(lease) = &evidence.confirm {
        confirm(&mut plan, evidence, lease, language);
        return plan;
    }
    let judgement = match (judge(evidence), obstacle(evidence, config)) {
        (Judgement::Change { .. } | Judgement::Tell(..), Some(obstacle)) => obstacle,
        (judgement, _) => judgement,
    };
    let changes = matches!(judgement, Judgement::Change { .. });
    match judgement {
        Judgement::Change { to, usd_a_month } => {
            let from = evidence.seen.value;
            let (setting, revert_after) = (evidence.rules.setting, evidence.revert_after);
            let message = texts::change(language, setting, (from, to), usd_a_month, revert_after);
            plan.findings.push(Finding {
                code: "worker_change",
                message,
                target: evidence.target.clone(),
                evidence: json!({
                    "from": from, "to": to, "usdAMonthAtMost": usd_a_month, "cdk": setting.cdk_line(to), "load": evidence.load_json(),
                }),
            });
            plan.actions.push(evidence.change(to, language));
        }
        Judgement::Leave(why) => plan.skipped.push(Skipped { target: evidence.target.clone(), why }),
        Judgement::Tell(code, message, read) => tell(&mut plan, evidence, code, message, read, language),
    }
    // A change takes the place of the lease that is open.
    if !changes || evidence.approving {
        leases(&mut plan, evidence, language, now);
    }
    plan
}

fn tell(plan: &mut Plan, evidence: &Evidence, code: &'static str, message: String, read: Value, language: Language) {
    let target = evidence.target.clone();
    if evidence.told.contains(code) {
        plan.skipped.push(Skipped { target, why: format!("{code}: {}", crate::run::texts::told_already(language)) });
    } else {
        plan.findings.push(Finding { code, message, target, evidence: read });
    }
}

/// What keeps every step from changing the worker.
fn obstacle(evidence: &Evidence, config: &Config) -> Option<Judgement> {
    let (seen, language) = (&evidence.seen, config.language);
    if let Some(what) = seen.under_way() {
        return Some(Judgement::Leave(change::under_way(language, &what)));
    }
    if let Some(why) = seen.latest.failure().or_else(|| seen.called().failure()) {
        return Some(Judgement::Tell("update_failed", change::update_failed(language, &why), seen.image()));
    }
    let by_value = matches!(evidence.wants, Wants::Asked { to: Some(_) }) || !evidence.rules.setting.is_revertible();
    let alias = config.worker_alias.as_deref();
    match &evidence.callers {
        Err(_) if by_value => {}
        Err(why) => {
            return Some(Judgement::Tell("callers_unknown", texts::callers_unknown(language, why), Value::Null));
        }
        Ok(callers) if callers.tasks.is_empty() => {
            let why = texts::no_caller(language, &callers.unknown);
            let told =
                Judgement::Tell("callers_unknown", texts::callers_unknown(language, &why), callers_json(callers));
            return Some(told).filter(|_| !by_value).or_else(|| differs(seen, language));
        }
        Ok(callers) if !callers.tasks.iter().any(|task| task.qualifier.as_deref() == alias) => {
            let called: Vec<&str> =
                callers.tasks.iter().map(|task| task.qualifier.as_deref().unwrap_or("$LATEST")).collect();
            let message = texts::alias_mismatch(language, &called.join(", "), alias);
            return Some(Judgement::Tell("alias_mismatch", message, callers_json(callers)));
        }
        Ok(_) => {}
    }
    differs(seen, language)
}

fn differs(seen: &Seen, language: Language) -> Option<Judgement> {
    let parts = seen.unreleased();
    let message = change::latest_differs(language, &parts.join(", "));
    (!parts.is_empty()).then(|| Judgement::Tell("latest_differs", message, json!({ "differs": parts })))
}

/// What is to become of leases whose time is over.
fn leases(plan: &mut Plan, evidence: &Evidence, language: Language, now: DateTime<Utc>) {
    let setting = evidence.rules.setting;
    for lease in evidence.leases.iter().filter(|lease| lease.revert_at <= now) {
        let target = format!("lease {}", lease.action_id);
        if lease.target != evidence.target || lease.setting() != Some(setting) {
            let read = json!({ "lease": lease.action_id, "target": lease.target });
            tell(plan, evidence, "lease_elsewhere", texts::lease_elsewhere(language, &lease.target), read, language);
            continue;
        }
        let (before, after) = (setting.value_in(&lease.before), setting.value_in(&lease.after));
        let end = |end, reason| {
            let action = CloseLease { lease: lease.clone(), how: Close::End(end) };
            Planned::new(Action::CloseLease(action), reason)
        };
        match (&evidence.wants, evidence.seen.value) {
            (_, value) if value == before => {
                plan.actions.push(end(End::Reverted, texts::lease_already_back(language)));
            }
            (_, value) if value != after => {
                plan.actions.push(end(End::Changed, texts::lease_changed(language, setting, value)));
            }
            (Wants::Incident(alarm), _) => {
                plan.skipped.push(Skipped { target, why: texts::lease_kept(language, alarm) });
            }
            (Wants::Asked { .. } | Wants::Nothing, _) => {
                match (evidence.seen.under_way(), differs(&evidence.seen, language)) {
                    (Some(what), _) => plan.skipped.push(Skipped { target, why: change::under_way(language, &what) }),
                    (None, Some(Judgement::Tell(code, message, read))) => {
                        tell(plan, evidence, code, message, read, language)
                    }
                    (None, _) if lease.failures >= FAILURES && !evidence.approving => {
                        let read = json!({ "lease": lease.action_id, "failures": lease.failures });
                        tell(
                            plan,
                            evidence,
                            "revert_failed",
                            texts::revert_failed(language, lease.failures),
                            read,
                            language,
                        );
                    }
                    (None, _) => plan.actions.push(evidence.revert(lease, language)),
                }
            }
        }
    }
}

/// A person wants a change to stay.
fn confirm(plan: &mut Plan, evidence: &Evidence, lease: &Lease, language: Language) {
    let setting = evidence.rules.setting;
    let line = setting.cdk_line(setting.value_in(&lease.after));
    plan.findings.push(Finding {
        code: "set_in_cdk",
        message: texts::set_in_cdk(language, &line),
        target: lease.target.clone(),
        evidence: json!({ "cdk": line, "before": lease.before, "after": lease.after }),
    });
    if lease.confirmed_at.is_some() {
        let target = format!("lease {}", lease.action_id);
        plan.skipped.push(Skipped { target, why: texts::confirmed_already(language) });
        return;
    }
    let action = CloseLease { lease: lease.clone(), how: Close::Confirm };
    plan.actions.push(Planned::new(Action::CloseLease(action), texts::confirmed(language)));
}

impl Evidence {
    /// What decides at least: the load is not known, and there are no leases.
    #[must_use]
    pub fn new(rules: Rules, target: String, seen: Seen, callers: Result<Callers, String>, wants: Wants) -> Self {
        Self {
            rules,
            target,
            seen,
            callers,
            wants,
            revert_after: REVERT_AFTER,
            load: None,
            leases: Vec::new(),
            approving: false,
            confirm: None,
            told: HashSet::new(),
        }
    }

    /// The action that gives the worker another value, with its reason.
    #[must_use]
    pub fn change(&self, to: Option<u32>, language: Language) -> Planned {
        let (setting, from) = (self.rules.setting, self.seen.value);
        let (cause, reason) = match &self.wants {
            Wants::Incident(alarm) => ("incident", texts::for_incident(language, alarm, setting, from, to)),
            Wants::Asked { .. } | Wants::Nothing => ("asked", texts::for_operator(language, setting, from, to)),
        };
        let revert_after = setting.is_revertible().then_some(self.revert_after);
        self.action(to, Purpose::Set { cause, revert_after }, reason)
    }

    /// The action that reverts what a lease of this step has changed.
    #[must_use]
    pub fn revert(&self, lease: &Lease, language: Language) -> Planned {
        let to = self.rules.setting.value_in(&lease.before);
        let reason = texts::lease_over(language, self.rules.setting, to, lease.revert_at);
        self.action(to, Purpose::Revert(lease.action_id), reason)
    }

    /// An action on the worker as it was read.
    #[must_use]
    pub fn action(&self, to: Option<u32>, purpose: Purpose, reason: String) -> Planned {
        let change = ChangeWorker { seen: self.seen.clone(), target: self.target.clone(), to, purpose };
        Planned::new(Action::ChangeWorker(Box::new(change)), reason)
    }

    /// Why nothing is to be done, where nobody wants a change.
    #[must_use]
    pub fn nothing_wanted(&self, language: Language) -> Option<Judgement> {
        let nothing = self.wants == Wants::Nothing;
        nothing.then(|| Judgement::Leave(texts::no_incident(language, self.rules.alarm)))
    }

    fn load_json(&self) -> Value {
        self.load.map_or(Value::Null, |load| {
            json!({
                "days": WEEK.num_days(),
                "ended": load.ended,
                "averageSeconds": load.average_seconds,
                "timedOut": load.timed_out,
            })
        })
    }
}

/// What the step has read, for the operator.
fn report(evidence: &Evidence) -> Value {
    json!({
        "worker": { "target": evidence.target, "called": evidence.seen.image(), "latest": {
            "timeoutSeconds": evidence.seen.latest.timeout_seconds,
            "memoryMb": evidence.seen.latest.memory_mb,
            "state": evidence.seen.latest.state,
            "lastUpdateStatus": evidence.seen.latest.last_update,
        } },
        "callers": evidence.callers.as_ref().map_or_else(|why| json!({ "notKnown": why }), callers_json),
        "load": evidence.load_json(),
        "leases": evidence.leases.iter().map(|lease| json!({
            "confirm": lease.action_id,
            "before": lease.before,
            "after": lease.after,
            "revertAt": lease.revert_at,
        })).collect::<Vec<_>>(),
    })
}

fn callers_json(callers: &Callers) -> Value {
    use crate::gather::state_machine::Limit;
    let limit = |limit: Limit| match limit {
        Limit::None => json!("none"),
        Limit::Seconds(seconds) => json!(seconds),
        Limit::Unknown => json!("not known"),
    };
    json!({
        "tasks": callers.tasks.iter().map(|task| json!({
            "state": task.state,
            "qualifier": task.qualifier,
            "timeoutSeconds": limit(task.timeout),
        })).collect::<Vec<_>>(),
        "notKnown": callers.unknown,
        "machineTimeoutSeconds": limit(callers.machine_timeout),
    })
}

#[cfg(test)]
mod tests;
