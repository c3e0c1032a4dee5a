//! What is to be done about the failures: pure.

use std::collections::BTreeSet;

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::start_step::Hindrance;
use remediation::act::actions::{Action, StartStep};
use remediation::failure::Cause;
use remediation::gather::config::Config;
use remediation::run::step::{Finding, Plan, Planned, Skipped};
use remediation::run::texts as common;
use serde_json::{Value, json};

use crate::dominant::{self, Share, Verdict, answer};
use crate::log::Log;
use crate::policy::Policy;
use crate::report;
use crate::rows::{Failures, Rows};
use crate::{ALARM, STEP};

/// For people, because no step answers.
pub const FOR_PEOPLE: &str = "dominant_cause_for_people";
/// For people, because no cause stands out.
pub const NO_DOMINANT: &str = "no_dominant_cause";
/// For people, because the step that answers cannot be started from here.
pub const UNKNOWN_STEP: &str = "step_unknown";

/// What was read.
pub enum Evidence {
    /// A schedule's look while the alarm has no open incident: nothing was read.
    NoIncident,
    /// The failures.
    Looked(Box<Looked>),
}

/// The failures, and what decides beside them.
pub struct Looked {
    pub policy: Policy,
    /// How far back was looked.
    pub window: TimeDelta,
    pub rows: Rows,
    pub log: Log,
    /// How many runs led to this one.
    pub depth: u8,
    /// A person asks for it, and gets every finding, also one that was reported before.
    pub by_person: bool,
    /// What people were told lately: codes and targets of findings.
    pub told: BTreeSet<(String, String)>,
}

pub fn plan(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
    match evidence {
        Evidence::NoIncident => {
            let why = texts::no_incident(config.language, ALARM);
            Plan { skipped: vec![Skipped { target: ALARM.to_owned(), why }], ..Plan::default() }
        }
        Evidence::Looked(looked) => of_failures(looked, config, now),
    }
}

fn of_failures(looked: &Looked, config: &Config, now: DateTime<Utc>) -> Plan {
    let (language, rows) = (config.language, &looked.rows);
    let causes = dominant::causes(rows);
    let verdict = dominant::verdict(&causes, &looked.policy);
    let failed = dominant::total(&causes);
    let mut plan = Plan {
        population: usize::try_from(rows.failed).unwrap_or(usize::MAX),
        report: Some(report::report(looked, &causes, &verdict, config, now)),
        ..Plan::default()
    };
    let table = config.table.to_string();
    match &verdict {
        Verdict::Nothing => {
            let why = texts::nothing_failed(language, &looked.spelt(), rows.closed);
            plan.skipped.push(Skipped { target: table, why });
        }
        Verdict::TooFew => {
            let why = texts::too_few(language, failed, looked.policy.least_count);
            plan.skipped.push(Skipped { target: table, why });
        }
        Verdict::None => {
            let listed = report::listed(&causes, config);
            let message = texts::no_dominant_cause(language, failed, &listed, looked.policy.dominant_percent);
            let counts: Vec<Value> =
                causes.iter().map(|share| json!({ "cause": share.cause, "count": share.count })).collect();
            let evidence = json!({ "failed": failed, "closed": rows.closed, "causes": counts });
            tell(&mut plan, looked, config, Finding { code: NO_DOMINANT, message, target: table, evidence });
        }
        Verdict::Dominant(share) => {
            let why = report::sentence(share, &causes, looked, config);
            of_dominant(&mut plan, share, why, looked, config);
        }
    }
    about_codes(&mut plan, rows, &verdict, config);
    plan.findings.extend(dominant::striking(rows, &looked.policy).into_iter().map(|(of_type, others)| Finding {
        code: "type_fails",
        message: texts::type_fails(language, &of_type.kind, dominant::part(of_type.failed, of_type.closed), others),
        target: of_type.kind.clone(),
        evidence: json!({ "failed": of_type.failed, "closed": of_type.closed, "othersPercent": others }),
    }));
    if let Log::Unread(why) = &looked.log {
        plan.findings.push(Finding {
            code: "log_not_read",
            message: texts::log_not_read(language, why),
            target: config.worker_function.clone(),
            evidence: Value::Null,
        });
    }
    plan
}

/// Starts the step that answers a cause, or tells people where none does.
fn of_dominant(plan: &mut Plan, share: &Share, why: String, looked: &Looked, config: &Config) {
    let language = config.language;
    let target = share.cause.as_str().to_owned();
    let mut evidence = json!({
        "cause": share.cause,
        "count": share.count,
        "before": share.before,
        "examples": examples(&looked.rows, &share.cause),
    });
    let Some(step) = answer(&share.cause) else {
        let mut look_at = texts::look_at(language, &share.cause);
        if share.cause == Cause::Validation && !looked.rows.fields.is_empty() {
            look_at = format!("{look_at}. {}", texts::fields(language, &looked.fields()));
            evidence["fields"] = json!(looked.rows.fields);
        }
        let message = texts::for_people(language, &why, &look_at);
        tell(plan, looked, config, Finding { code: FOR_PEOPLE, message, target, evidence });
        return;
    };
    evidence["answeredBy"] = step.into();
    plan.findings.push(Finding { code: "dominant_cause", message: why.clone(), target, evidence });
    match StartStep::new(config, STEP, step, looked.depth) {
        Ok(start) => plan.actions.push(Planned::new(Action::StartStep(start), why)),
        Err(hindrance @ Hindrance::Depth) => {
            let why = texts::not_started(language, hindrance, STEP, step);
            plan.skipped.push(Skipped { target: format!("step {step}"), why });
        }
        Err(hindrance @ Hindrance::Name) => {
            let finding = Finding {
                code: UNKNOWN_STEP,
                message: texts::not_started(language, hindrance, STEP, step),
                target: format!("step {step}"),
                evidence: json!({ "ownFunction": config.own_function }),
            };
            tell(plan, looked, config, finding);
        }
    }
}

/// Tells people, unless they were told already and nobody asks.
fn tell(plan: &mut Plan, looked: &Looked, config: &Config, finding: Finding) {
    if !looked.by_person && looked.told.contains(&(finding.code.to_owned(), finding.target.clone())) {
        plan.skipped.push(Skipped { target: finding.target, why: common::told_already(config.language) });
    } else {
        plan.findings.push(finding);
    }
}

/// Codes that nobody knows, with examples; but for the dominant one, of which people hear already.
fn about_codes(plan: &mut Plan, rows: &Rows, verdict: &Verdict, config: &Config) {
    for share in dominant::causes(rows) {
        let Cause::Other(code) = &share.cause else { continue };
        if matches!(verdict, Verdict::Dominant(dominant) if dominant.cause == share.cause) {
            continue;
        }
        plan.findings.push(Finding {
            code: "unknown_code",
            message: texts::unknown_code(config.language, code, share.count),
            target: code.clone(),
            evidence: json!({ "count": share.count, "examples": examples(rows, &share.cause) }),
        });
    }
}

/// Processes that stand for a cause, the newest of each code and type.
fn examples(rows: &Rows, cause: &Cause) -> Value {
    let of_cause = rows.errors.iter().filter(|failures| failures.cause == *cause);
    let some =
        |failures: &Failures| {
            failures.examples.iter().map(|example| {
            json!({ "code": failures.code, "processId": example.process_id, "message": example.message })
        }).collect::<Vec<_>>()
        };
    of_cause.flat_map(some).take(5).collect()
}
