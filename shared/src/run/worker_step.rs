//! What all steps that change the worker share: what they read, what keeps them from a change, and how their changes are reverted.
//!
//! The judgement (whether the worker should have another value, and which) stays in each function's folder.

mod evidence;
mod leases;
pub mod load;
pub mod queue;
pub mod raise;
pub mod since;
pub mod texts;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

pub use self::evidence::{Evidence, Judgement, Rules, Wants};
use self::evidence::{differs, tell};
use self::load::Load;
use self::since::Measured;
use crate::act::actions::change_worker::ChangeWorker;
use crate::act::actions::change_worker::texts as change;
use crate::act::actions::close_lease::CloseLease;
use crate::act::lease::{self, Lease, REVERT_AFTER, REVERT_AFTER_BOUNDS};
use crate::domain::{Both, Language};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::parameters::Parameters;
use crate::gather::state_machine::Callers;
use crate::gather::trigger::{Ask, Scope, Trigger, TriggerError};
use crate::gather::worker::Worker;
use crate::gather::worker::setting::Setting;
use crate::run::incident::{self, Look};
use crate::run::step::{Finding, Kind, Plan, Question, Session, Skipped};

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
                rule: Both::of(texts::confirmed_as_made),
            }));
        }
        Some(action) => Some(to_confirm(session.db, action, &rules, session.config.language).await?),
        None => None,
    };
    let seen = Worker::new(session.aws, session.config)?.read(rules.setting).await?;
    let callers = match session.step_functions.definition().await {
        Ok(definition) => Ok(definition.callers(session.step_functions.state_machine_arn(), session.config.worker()?)),
        Err(error) => Err(error.told(session.config.language)),
    };
    let target = Worker::target(session.config)?;
    let leases = lease::open(session.db, &rules.step).await?;
    // A lease ends at its time, unless the alarm is in ALARM now; and reserved concurrency goes up again only while it is OK.
    let asks = leases
        .iter()
        .any(|lease| lease.revert_at <= session.now || lease.setting() == Some(Setting::ReservedConcurrency));
    let look = incident::look(session, &rules.step, rules.alarm, asks).await?;
    let (wants, approving) = wants(session.trigger, &look, to);
    let bound = match session.trigger {
        // A person decides; another step's word is as good as the alarm's.
        Trigger::Operator(ask) => ask.depth > 0 && to.is_none(),
        Trigger::Alarm(_) | Trigger::Schedule(_) | Trigger::Execution(_) => matches!(wants, Wants::Incident(_)),
    };
    let measured =
        if bound { since::measured(session, rules.setting, &target, &look).await? } else { Measured::Needless };
    let under_way = queue::under_way(session.db, session.config).await?;
    let load = match session.table().await {
        Ok(table) => load::load(session.db, &table, session.now).await?,
        Err(Error::Table(_)) => None,
        Err(error) => return Err(error),
    };
    let revert_after = revert_after.unwrap_or(REVERT_AFTER);
    let evidence = Evidence::new(rules, target, seen, callers, wants);
    let process_deadline = u32::try_from(session.config.policy.process_deadline.num_seconds()).ok();
    Ok(Evidence {
        process_deadline,
        look,
        measured,
        under_way,
        revert_after,
        load,
        leases,
        approving,
        confirm,
        ..evidence
    })
}

/// The lease of an action that a person wants to stay.
async fn to_confirm(
    db: &mut PgConnection,
    action: uuid::Uuid,
    rules: &Rules,
    language: Language,
) -> Result<Lease, Error> {
    let refused = |why: String| Err(Error::Refused(format!("`{CONFIRM}` {action}: {why}")));
    match lease::of_action(db, action).await? {
        None => refused(texts::nothing_to_confirm(language)),
        Some(lease) if lease.step != rules.step => refused(change::anothers(language, &lease.step)),
        Some(Lease { ended: Some(ended), ended_at: Some(at), .. }) => refused(texts::lease_ended(language, &ended, at)),
        Some(lease) => Ok(lease),
    }
}

fn wants(trigger: &Trigger, look: &Look, to: Option<u32>) -> (Wants, bool) {
    match trigger {
        Trigger::Operator(Ask { scope, .. }) => (Wants::Asked { to }, matches!(scope, Scope::Approve(_))),
        // An event that came late, or twice, opens nothing.
        Trigger::Alarm(_) | Trigger::Schedule(_) | Trigger::Execution(_) => {
            (look.acts_on().map_or(Wants::Nothing, |alarm| Wants::Incident(alarm.to_owned())), false)
        }
    }
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
        leases::confirm(&mut plan, evidence, lease, language);
        return plan;
    }
    let judgement = match (judge(evidence), evidence.unmeasured(language).or_else(|| obstacle(evidence, config))) {
        (Judgement::Change { .. } | Judgement::Tell(..), Some(obstacle)) => obstacle,
        (judgement, _) => judgement,
    };
    let changes = matches!(judgement, Judgement::Change { .. });
    match judgement {
        Judgement::Change { to, usd_a_month, bound } => {
            let from = evidence.seen.value;
            let (setting, revert_after) = (evidence.rules.setting, evidence.revert_after);
            let said = texts::change(language, setting, (from, to), usd_a_month, revert_after);
            let message = std::iter::once(said).chain(bound).collect::<Vec<_>>().join("; ");
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
        leases::leases(&mut plan, evidence, language, now);
    }
    plan
}

/// What keeps every step from changing the worker.
fn obstacle(evidence: &Evidence, config: &Config) -> Option<Judgement> {
    let (seen, language) = (&evidence.seen, config.language);
    if let Some(other) = &evidence.under_way {
        return Some(Judgement::Leave(other.words(language)));
    }
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
