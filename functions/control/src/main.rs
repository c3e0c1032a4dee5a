//! The red button, and what each step may do: set by a person, in force from the next batch on, lifted by no deployment.
//!
//! It changes nothing but schema `remediation`, so that no mode, no limit and no history of the target holds up whoever presses it.

mod ask;
mod change;
mod in_force;
#[cfg(test)]
mod tests;
mod texts;

use chrono::{DateTime, Utc};
use remediation::act::actions::set_control::SetControl;
use remediation::act::ledger::controls::{self, Allowance, Change, EVERYWHERE, Row};
use remediation::act::texts::bound;
use remediation::domain::Mode;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest::Manifest;
use remediation::gather::parameters::Parameters;
use remediation::gather::trigger::Trigger;
use remediation::run::step::{Finding, Kind, Plan, Planned, Question, Session, Skipped, Step};
use serde_json::json;

use change::Ask;
use in_force::Ran;

/// Of every step that this build brings.
const MANIFESTS: &[&str] = include!(concat!(env!("OUT_DIR"), "/manifests.rs"));

/// As many changes as an answer tells.
const CHANGES: i64 = 20;

struct SetControls;

struct Evidence {
    manifests: Vec<Manifest>,
    rows: Vec<Row>,
    ran: Vec<Ran>,
    history: Vec<Change>,
    asked: Option<Ask>,
    /// Whether the event may change anything.
    acts: bool,
}

impl Step for SetControls {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<SetControl>()];

    const PARAMETERS: &'static [&'static str] = ask::PARAMETERS;
    const COMMANDS: &'static [&'static str] = ask::COMMANDS;

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        if !matches!(question, Question::Sweep(_) | Question::Again(_)) {
            return Err(Error::Refused(texts::about_steps(session.config.language)));
        }
        let manifests = MANIFESTS.iter().map(|text| Manifest::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let steps: Vec<String> = manifests.iter().map(|manifest| manifest.name.clone()).collect();
        let (by, mode) = match session.trigger {
            Trigger::Operator(ask) => (ask.by.as_deref(), ask.mode),
            Trigger::Alarm(_) | Trigger::Execution(_) | Trigger::Schedule(_) => (None, None),
        };
        let asked = ask::read(Parameters(session.parameters), &steps, by, session.reason, session.config.language)?;
        let ran = sqlx::query_as(include_str!("ran.sql"))
            .fetch_all(&mut *session.db)
            .await
            .map_err(Error::database("reading when the steps ran"))?;
        Ok(Evidence {
            rows: controls::all(session.db).await?,
            history: controls::history(session.db, CHANGES).await?,
            manifests,
            ran,
            asked,
            acts: mode.is_none_or(|mode| mode == Mode::Act),
        })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        let language = config.language;
        let Evidence { manifests, rows, ran, history, asked, acts } = evidence;
        let mut plan = Plan { population: manifests.len(), ..Plan::default() };
        let mut rows = rows.clone();
        if let Some(ask) = asked {
            let found = rows.iter().find(|row| row.step == ask.step).cloned();
            let allowed = found.as_ref().map(|row| row.allows.clone()).unwrap_or_default();
            let to = ask.verb.of(&allowed);
            if to.of(&allowed) == allowed {
                let why = found.as_ref().and_then(Row::bound).map_or_else(
                    || texts::unbound(language, &ask.step),
                    |now| texts::already_so(language, &bound(language, &now)),
                );
                plan.skipped.push(Skipped::new(ask.step.clone(), why));
            } else {
                if *acts {
                    // The answer tells what is in force then.
                    rows.retain(|row| row.step != ask.step);
                    rows.push(written(ask, to.of(&allowed), now));
                }
                let (step, by, reason) = (ask.step.clone(), ask.by.clone(), ask.reason.clone());
                let action = SetControl { step, found, to, by, reason };
                plan.actions.push(Planned::new(action, texts::asked(language, ask)));
            }
        }
        let pressed = rows.iter().filter(|row| row.step == EVERYWHERE).find_map(Row::bound);
        plan.findings.extend(pressed.map(|pressed| {
            let message = texts::to_lift(language, &bound(language, &pressed));
            let evidence =
                json!({ "mode": pressed.mode, "by": pressed.by, "since": pressed.since, "reason": pressed.reason });
            Finding::new("stopped", EVERYWHERE, message, evidence)
        }));
        plan.report = Some(in_force::report(config.mode, manifests, &rows, ran, history));
        plan
    }
}

/// The row as it is once it is written.
fn written(ask: &Ask, allows: Allowance, now: DateTime<Utc>) -> Row {
    Row {
        step: ask.step.clone(),
        allows,
        changed_by: Some(ask.by.clone()),
        reason: ask.reason.clone(),
        updated_at: now,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(SetControls).await
}
