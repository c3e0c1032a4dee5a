//! What is to be done about the failures: pure.

use crate::texts;
use chrono::TimeDelta;
use chrono::{DateTime, Utc};
use remediation::act::actions::start_step::Hindrance;
use remediation::act::actions::start_step::StartStep;
use remediation::failure::cause::Cause;
use remediation::failure::transient::is_known;
use remediation::gather::alarms::Standing;
use remediation::gather::config::Config;
use remediation::run::incident::Look;
use remediation::run::step::{Audience, Finding, Often, Plan, Planned, Skipped};
use serde_json::{Value, json};

use crate::dominant::{self, Share, Verdict, answer};
use crate::evidence::{Evidence, Looked};
use crate::log::Log;
use crate::report;
use crate::rows::{Failures, Rows};

/// This step.
pub const STEP: &str = "triage-errors";

/// The alarm whose incident this step looks into.
pub const ALARM: &str = "error-rate";

pub fn plan(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
    match evidence {
        Evidence::NoIncident(look) => no_incident(look, config),
        Evidence::Looked(looked) => of_failures(looked, config, now),
    }
}

/// Nothing to look into; that this is not known is told.
fn no_incident(look: &Look, config: &Config) -> Plan {
    let why = look.why_not(config.language);
    let mut plan = Plan::default();
    match (&look.standing, why) {
        (Standing::Unreadable(_), Some(why)) => {
            let finding = Finding::new("alarm_unreadable", ALARM, why, Value::Null);
            plan.findings.push(finding.told(Audience::People, Often::ONCE_A_DAY));
        }
        (_, why) => {
            let why = why.unwrap_or_else(|| texts::no_incident(config.language, ALARM));
            plan.skipped.push(Skipped::new(ALARM.to_owned(), why));
        }
    }
    plan
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
            plan.skipped.push(Skipped::new(table, why));
        }
        Verdict::TooFew => {
            let why = texts::too_few(language, failed, looked.policy.least_count);
            plan.skipped.push(Skipped::new(table, why));
        }
        Verdict::None => {
            let listed = report::listed(&causes, config);
            let message = texts::no_dominant_cause(language, failed, &listed, looked.policy.dominant_percent);
            let counts: Vec<Value> =
                causes.iter().map(|share| json!({ "cause": share.cause, "count": share.count })).collect();
            let evidence = json!({ "failed": failed, "closed": rows.closed, "causes": counts });
            plan.findings.push(for_people(Finding::new("no_dominant_cause", table, message, evidence), looked));
        }
        Verdict::Dominant(share) => {
            let why = report::sentence(share, &causes, looked, config);
            of_dominant(&mut plan, share, why, looked, config);
        }
    }
    about_codes(&mut plan, rows, &verdict, config);
    plan.findings.extend(dominant::striking(rows, &looked.policy).into_iter().map(|(of_type, others)| {
        let percent = dominant::part(of_type.failed, of_type.closed);
        let message = texts::type_fails(language, &of_type.kind, percent, others);
        let evidence = json!({ "failed": of_type.failed, "closed": of_type.closed, "othersPercent": others });
        for_people(Finding::new("type_fails", of_type.kind.as_str(), message, evidence), looked)
    }));
    if let Log::Unread(why) = &looked.log {
        let message = texts::log_not_read(language, why);
        let finding =
            Finding::new("log_not_read", config.worker_function.as_deref().unwrap_or("worker"), message, Value::Null);
        plan.findings.push(for_people(finding, looked));
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
        let finding = Finding::new("dominant_cause_for_people", target, message, evidence);
        plan.findings.push(for_people(finding, looked));
        return;
    };
    evidence["answeredBy"] = step.into();
    plan.findings.push(Finding::new("dominant_cause", target, why.as_str(), evidence));
    match StartStep::new(config, STEP, step, looked.depth) {
        Ok(start) => plan.actions.push(Planned::new(start, why)),
        Err(hindrance @ Hindrance::Depth) => {
            let why = texts::not_started(language, hindrance, STEP, step);
            plan.skipped.push(Skipped::new(format!("step {step}"), why));
        }
        Err(hindrance @ Hindrance::Name) => {
            let message = texts::not_started(language, hindrance, STEP, step);
            let evidence = json!({ "ownFunction": config.own_function });
            let finding = Finding::new("step_unknown", format!("step {step}"), message, evidence);
            plan.findings.push(for_people(finding, looked));
        }
    }
}

/// People hear of it, once in a while.
fn for_people(finding: Finding, looked: &Looked) -> Finding {
    finding.told(Audience::People, Often::OnceIn(TimeDelta::hours(i64::from(looked.policy.tell_again_hours))))
}

/// Codes that nobody knows, with examples; but for the dominant one, of which people hear already.
fn about_codes(plan: &mut Plan, rows: &Rows, verdict: &Verdict, config: &Config) {
    for share in dominant::causes(rows) {
        let Cause::Other(code) = &share.cause else { continue };
        if is_known(code, config.policy.words) {
            continue;
        }
        if matches!(verdict, Verdict::Dominant(dominant) if dominant.cause == share.cause) {
            continue;
        }
        let message = texts::unknown_code(config.language, code, share.count);
        let evidence = json!({ "count": share.count, "examples": examples(rows, &share.cause) });
        // People hear of a code once: it is the profile's to say what it means.
        let once = Often::Once(DateTime::UNIX_EPOCH);
        plan.findings.push(Finding::new("unknown_code", code.as_str(), message, evidence).told(Audience::People, once));
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
