//! Whether the instance may be rebooted: pure. Everything that prevents it is reported at once.

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::domain::Language;
use remediation::run::step::{Finding, Plan, Skipped};
use serde_json::{Value, json};

use crate::instance::{Cluster, Event, Instance};
use crate::policy::Policy;
use crate::reach::Reach;

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The instance's identifier, as it is set.
    pub id: String,
    /// What RDS says, or why that could not be had.
    pub described: Result<Instance, String>,
    pub reach: Reach,
    /// A person wants it although the database answers.
    pub asked: bool,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// It may be rebooted, with this command.
    Reboot(String),
    /// Another instance of the cluster is fit to take over, with this command.
    FailOver(String),
    /// Not, for these reasons.
    No(Vec<String>),
}

pub fn plan(evidence: &Evidence, policy: &Policy, language: Language, now: DateTime<Utc>) -> Plan {
    let verdict = judge(evidence, policy, language, now);
    let (code, message, command, why_not) = match &verdict {
        Verdict::Reboot(command) => {
            let multi_az = evidence.described.as_ref().is_ok_and(|instance| instance.multi_az);
            let groups = evidence.described.as_ref().map(|instance| instance.parameter_groups.join(", "));
            let message = texts::proposed(language, command, &reach(&evidence.reach, language));
            let more = [
                multi_az.then(|| texts::multi_az(language, command)),
                groups.ok().filter(|groups| !groups.is_empty()).map(|groups| texts::would_apply(language, &groups)),
            ];
            let message = [message].into_iter().chain(more.into_iter().flatten()).collect::<Vec<_>>().join(" ");
            ("reboot_proposed", message, Some(command), texts::by_hand(language))
        }
        Verdict::FailOver(command) => {
            let message = texts::fail_over(language, command);
            ("failover_instead", message.clone(), Some(command), message)
        }
        Verdict::No(reasons) => {
            let message = texts::not_rebooted(language, &reasons.join("; "));
            ("reboot_refused", message.clone(), None, message)
        }
    };
    Plan {
        findings: vec![Finding::new(code, evidence.id.as_str(), message.as_str(), json!({ "command": command }))],
        skipped: vec![Skipped::new(evidence.id.clone(), why_not)],
        population: 1,
        report: Some(report(evidence, command, &message, language, now)),
        ..Plan::default()
    }
}

fn judge(evidence: &Evidence, policy: &Policy, language: Language, now: DateTime<Utc>) -> Verdict {
    let instance = match &evidence.described {
        Ok(instance) => instance,
        Err(why) => return Verdict::No(vec![texts::not_described(language, why)]),
    };
    let mut reasons = forbidden(instance, policy, language, now);
    reasons.extend(not_the_remedy(evidence, language));
    if !reasons.is_empty() {
        return Verdict::No(reasons);
    }
    let fit = |cluster: &&Cluster| cluster.writer == Some(true);
    let others = instance.cluster.as_ref().filter(fit).into_iter().flat_map(|cluster| {
        cluster.others.iter().filter(|other| other.status == AVAILABLE).map(|other| (&cluster.id, &other.id))
    });
    match others.min() {
        Some((cluster, reader)) => Verdict::FailOver(format!(
            "aws rds failover-db-cluster --db-cluster-identifier {cluster} --target-db-instance-identifier {reader}"
        )),
        None => Verdict::Reboot(format!("aws rds reboot-db-instance --db-instance-identifier {}", instance.id)),
    }
}

/// The only status in which RDS reboots an instance, or one is fit to take over.
const AVAILABLE: &str = "available";

/// What forbids a reboot now, whatever the database itself says.
fn forbidden(instance: &Instance, policy: &Policy, language: Language, now: DateTime<Utc>) -> Vec<String> {
    let mut reasons = Vec::new();
    if instance.status != AVAILABLE {
        reasons.push(texts::not_available(language, &instance.id, &instance.status));
    }
    if let Some(Cluster { id, status, .. }) = instance.cluster.as_ref().filter(|cluster| cluster.status != AVAILABLE) {
        reasons.push(texts::not_available(language, id, status));
    }
    if let Some(Cluster { id, .. }) = instance.cluster.as_ref().filter(|cluster| cluster.writer.is_none()) {
        reasons.push(texts::no_role(language, id));
    }
    if !instance.pending.is_empty() {
        reasons.push(texts::pending(language, &instance.pending.join(", ")));
    }
    let last = |category: &str| instance.events.iter().rev().find(|event| is(event, category));
    let within = |event: &&Event, span: TimeDelta| now - event.at < span;
    if let Some(event) = last("backup").filter(|event| !is_finished(event) || within(event, TimeDelta::minutes(1))) {
        reasons.push(texts::backup(language, &event.message, minutes(event, now)));
    }
    if let Some(event) = last("failover").filter(|event| within(event, policy.after_failover())) {
        let after = policy.after_failover().num_minutes();
        reasons.push(texts::failed_over(language, &event.message, minutes(event, now), after));
    }
    if let Some(event) = last("availability").filter(|event| within(event, policy.after_restart())) {
        let after = policy.after_restart().num_minutes();
        reasons.push(texts::restarted(language, &event.message, minutes(event, now), after));
    }
    reasons
}

fn is(event: &Event, category: &str) -> bool {
    event.categories.iter().any(|own| own.eq_ignore_ascii_case(category))
}

/// "Backing up DB instance" begins a backup, "Finished DB Instance backup" ends it.
fn is_finished(event: &Event) -> bool {
    event.message.starts_with("Finished")
}

fn minutes(event: &Event, now: DateTime<Utc>) -> i64 {
    (now - event.at).num_minutes().max(0)
}

/// Why a reboot is no answer to how the database answers, where it is none.
fn not_the_remedy(evidence: &Evidence, language: Language) -> Option<String> {
    match &evidence.reach {
        Reach::Silent(_) | Reach::Full(_) => None,
        Reach::Answers => (!evidence.asked).then(|| texts::it_answers(language)),
        Reach::Starting(why) => Some(texts::it_is_starting(language, why)),
        Reach::Refuses(why) => Some(texts::it_refuses(language, why)),
        Reach::Untried(why) => Some(texts::it_was_not_asked(language, why)),
    }
}

fn reach(reach: &Reach, language: Language) -> String {
    match reach {
        Reach::Answers => texts::answers(language),
        Reach::Full(why) => texts::is_full(language, why),
        Reach::Silent(why) | Reach::Starting(why) | Reach::Refuses(why) | Reach::Untried(why) => why.clone(),
    }
}

fn report(
    evidence: &Evidence,
    command: Option<&String>,
    verdict: &str,
    language: Language,
    now: DateTime<Utc>,
) -> Value {
    let mut text = vec![texts::title(language, &evidence.id, &now.format("%Y-%m-%d %H:%M:%S UTC").to_string())];
    text.push(texts::database(language, &reach(&evidence.reach, language)));
    match &evidence.described {
        Err(why) => text.push(texts::not_described(language, why)),
        Ok(instance) => {
            let none = "-".to_owned();
            let restorable = instance.restorable_until.map_or(none, |at| at.format("%H:%M:%S UTC").to_string());
            text.push(texts::instance(language, &instance.status, &instance.engine, instance.multi_az, &restorable));
            if let Some(cluster) = &instance.cluster {
                let others = cluster.others.iter().map(|other| format!("{} ({})", other.id, other.status));
                let others = others.collect::<Vec<_>>().join(", ");
                text.push(texts::cluster(
                    language,
                    &cluster.id,
                    &cluster.status,
                    cluster.writer == Some(true),
                    &others,
                ));
            }
            text.extend(instance.events.iter().map(|event| {
                format!("  {} {} [{}]", event.at.format("%H:%M:%S"), event.message, event.categories.join(", "))
            }));
        }
    }
    text.push(verdict.to_owned());
    json!({
        "text": text,
        "database": evidence.reach,
        "instance": evidence.described.as_ref().ok(),
        "command": command,
    })
}

#[cfg(test)]
mod tests;
