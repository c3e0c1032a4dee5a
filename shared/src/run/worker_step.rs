//! What all steps that change the worker share: what they read, what keeps them from a change, and how their changes are reverted.
//!
//! The judgement (whether the worker should have another value, and which) stays in each function's folder.

pub mod load;
pub mod raise;
pub mod texts;

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::act::actions::change_worker::texts as change;
use crate::act::actions::change_worker::{ChangeWorker, Purpose};
use crate::act::actions::close_lease::{Close, CloseLease};
use crate::act::lease::{self, End, FAILURES, Lease, REVERT_AFTER, REVERT_AFTER_BOUNDS};
use crate::act::ledger::incidents;
use crate::domain::Language;
use crate::finding::{Audience, Often};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::parameters::Parameters;
use crate::gather::state_machine::Callers;
use crate::gather::trigger::{Ask, Scope, Trigger, TriggerError};
use crate::gather::worker::Worker;
use crate::gather::worker::seen::Seen;
use crate::gather::worker::setting::Setting;
use crate::run::step::{Finding, Kind, Plan, Planned, Question, Session, Skipped};
use crate::run::worker_step::load::Load;

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

/// What a step makes that sets one thing of the worker, and puts it back.
const fn kinds(names: &'static [&'static str]) -> [Kind; 2] {
    [Kind::of::<ChangeWorker>().only(names), Kind::of::<CloseLease>()]
}

/// Of a step that sets the timeout or the memory.
pub const NUMBERS: &[Kind] = &kinds(&[Setting::Timeout.kind(), Setting::Memory.kind(), ChangeWorker::REVERT]);
/// Of a step that sets the reserved concurrency.
pub const RESERVED_CONCURRENCY: &[Kind] = &kinds(&[Setting::ReservedConcurrency.kind(), ChangeWorker::REVERT]);
/// Of a step that sets the provisioned concurrency.
pub const PROVISIONED_CONCURRENCY: &[Kind] = &kinds(&[Setting::ProvisionedConcurrency.kind(), ChangeWorker::REVERT]);
/// Of a step that publishes the worker's code once more.
pub const REDEPLOYMENT: &[Kind] = &kinds(&[Setting::Redeployment.kind(), ChangeWorker::REVERT]);

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
    /// Something is wrong that needs a person, who is told once a day: a finding's code, its sentence, and what was read.
    Tell(&'static str, String, Value),
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
            return Err(Error::Refused(texts::about_the_worker(session.config.language, &rules.step)));
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
    let seen = Worker::new(session.aws, session.config).read(rules.setting).await?;
    let callers = match session.step_functions.definition().await {
        Ok(definition) => {
            Ok(definition.callers(session.step_functions.state_machine_arn(), &session.config.worker_function))
        }
        Err(error) => Err(error.to_string()),
    };
    let target = Worker::target(session.config);
    let (wants, approving) = wants(session, &rules, to).await?;
    let load = match session.table().await {
        Ok(table) => load::load(session.db, &table, session.now).await?,
        Err(Error::Table(_)) => None,
        Err(error) => return Err(error),
    };
    let leases = lease::open(session.db, &rules.step).await?;
    let revert_after = revert_after.unwrap_or(REVERT_AFTER);
    let evidence = Evidence::new(rules, target, seen, callers, wants);
    Ok(Evidence { revert_after, load, leases, approving, confirm, ..evidence })
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
            let read = json!({
                "from": from,
                "to": to,
                "usdAMonthAtMost": usd_a_month,
                "cdk": setting.cdk_line(to),
                "load": evidence.load.as_ref().map(Load::image),
            });
            plan.findings.push(Finding::new("worker_change", evidence.target.as_str(), message, read));
            plan.actions.push(evidence.change(to, language));
        }
        Judgement::Leave(why) => plan.skipped.push(Skipped::new(evidence.target.clone(), why)),
        Judgement::Tell(code, message, read) => tell(&mut plan, evidence, code, message, read),
    }
    // A change takes the place of the lease that is open.
    if !changes || evidence.approving {
        leases(&mut plan, evidence, language, now);
    }
    plan
}

/// What needs a person: people are told of it, once a day, however often it is seen.
fn tell(plan: &mut Plan, evidence: &Evidence, code: &'static str, message: String, read: Value) {
    let finding = Finding::new(code, evidence.target.as_str(), message, read);
    plan.findings.push(finding.told(Audience::People, Often::ONCE_A_DAY));
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
            let told = Judgement::Tell("callers_unknown", texts::callers_unknown(language, &why), callers.image());
            return Some(told).filter(|_| !by_value).or_else(|| differs(seen, language));
        }
        Ok(callers) if !callers.tasks.iter().any(|task| task.qualifier.as_deref() == alias) => {
            let called: Vec<&str> =
                callers.tasks.iter().map(|task| task.qualifier.as_deref().unwrap_or("$LATEST")).collect();
            let message = texts::alias_mismatch(language, &called.join(", "), alias);
            return Some(Judgement::Tell("alias_mismatch", message, callers.image()));
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
            tell(plan, evidence, "lease_elsewhere", texts::lease_elsewhere(language, &lease.target), read);
            continue;
        }
        let (before, after) = (setting.value_in(&lease.before), setting.value_in(&lease.after));
        let end = |end, reason| {
            let action = CloseLease { lease: lease.clone(), how: Close::End(end) };
            Planned::new(action, reason)
        };
        match (&evidence.wants, evidence.seen.value) {
            (_, value) if value == before => {
                plan.actions.push(end(End::Reverted, texts::lease_already_back(language)));
            }
            (_, value) if value != after => {
                plan.actions.push(end(End::Changed, texts::lease_changed(language, setting, value)));
            }
            (Wants::Incident(alarm), _) => {
                plan.skipped.push(Skipped::new(target, texts::lease_kept(language, alarm)));
            }
            (Wants::Asked { .. } | Wants::Nothing, _) => {
                match (evidence.seen.under_way(), differs(&evidence.seen, language)) {
                    (Some(what), _) => plan.skipped.push(Skipped::new(target, change::under_way(language, &what))),
                    (None, Some(Judgement::Tell(code, message, read))) => {
                        tell(plan, evidence, code, message, read);
                    }
                    (None, _) if lease.failures >= FAILURES && !evidence.approving => {
                        let read = json!({ "lease": lease.action_id, "failures": lease.failures });
                        tell(plan, evidence, "revert_failed", texts::revert_failed(language, lease.failures), read);
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
    let read = json!({ "cdk": line, "before": lease.before, "after": lease.after });
    let message = texts::set_in_cdk(language, &line);
    plan.findings.push(Finding::new("set_in_cdk", lease.target.as_str(), message, read));
    if lease.confirmed_at.is_some() {
        let target = format!("lease {}", lease.action_id);
        plan.skipped.push(Skipped::new(target, texts::confirmed_already(language)));
        return;
    }
    let action = CloseLease { lease: lease.clone(), how: Close::Confirm };
    plan.actions.push(Planned::new(action, texts::confirmed(language)));
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
        Planned::new(change, reason)
    }

    /// Why nothing is to be done, where nobody wants a change.
    #[must_use]
    pub fn nothing_wanted(&self, language: Language) -> Option<Judgement> {
        let nothing = self.wants == Wants::Nothing;
        nothing.then(|| Judgement::Leave(texts::no_incident(language, self.rules.alarm)))
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
        "callers": evidence.callers.as_ref().map_or_else(|why| json!({ "notKnown": why }), Callers::image),
        "load": evidence.load.as_ref().map(Load::image),
        "leases": evidence.leases.iter().map(|lease| json!({
            "confirm": lease.action_id,
            "before": lease.before,
            "after": lease.after,
            "revertAt": lease.revert_at,
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
