//! Who is told of which incident now: pure.

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::acknowledge::Acknowledge;
use remediation::act::actions::tell_level::TellLevel;
use remediation::act::escalation::{self, Delivery, Named, Open};
use remediation::act::ledger::incidents::FLAPS_WITHIN;
use remediation::domain::Language;
use remediation::gather::alarms::Standing;
use remediation::gather::config::Config;
use remediation::gather::config::escalation::{Escalation, Level};
use remediation::run::incident::texts as alarm;
use remediation::run::step::{Audience, Finding, Often, Plan, Planned, Skipped};
use serde_json::{Value, json};

use crate::evidence::{Looked, STEP, Seen};
use crate::message::message;
use crate::texts;
use crate::why::{Why, why};

/// As many incidents are named in a finding, and as many in the report.
const NAMED: usize = 5;
const REPORTED: usize = 100;

/// The levels that are to be told of an incident now.
pub fn due(open: &Open, why: Option<&Why>, settings: &Escalation, now: DateTime<Utc>) -> Vec<Level> {
    if open.acknowledged_at.is_some() {
        return Vec::new();
    }
    let has_failed = |level| {
        let Delivery { told_at, failed, .. } = open.delivery(level);
        told_at.is_none() && failed > 0
    };
    let is_due = |level: Level| match level.below() {
        None => why.is_some(),
        Some(below) => now - open.began_at >= settings.delay(level) || has_failed(below),
    };
    let may_be_tried = |level| {
        let Delivery { told_at, failed, failed_at, under_way } = open.delivery(level);
        told_at.is_none() && !under_way && failed_at.is_none_or(|at| now - at >= pause(failed))
    };
    Level::ALL.into_iter().filter(|level| is_due(*level) && may_be_tried(*level)).collect()
}

/// How long a message that has failed so often waits until it is tried again.
fn pause(failed: i32) -> TimeDelta {
    TimeDelta::minutes(i64::from(failed.saturating_mul(failed).min(30)))
}

/// What is done about the incidents that are open.
pub fn escalate(looked: &Looked, config: &Config, now: DateTime<Utc>) -> Plan {
    let language = config.language;
    let mut plan = Plan { population: looked.seen.len(), ..Plan::default() };
    let (mut open, mut unreadable, mut unsolved, mut unheard) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut wanted: Vec<(bool, DateTime<Utc>, Planned)> = Vec::new();
    for seen in &looked.seen {
        let name = seen.open.alarm.as_str();
        if let Some(why) = left_alone(seen, now, language) {
            plan.skipped.push(Skipped::new(escalation::target(seen.open.root), why));
            continue;
        }
        if let Standing::Unreadable(why) = &seen.standing {
            unreadable.push((name, why.as_str()));
        }
        let why = why(&seen.known, now - seen.open.began_at, config.escalation.after);
        let due = due(&seen.open, why.as_ref(), &config.escalation, now);
        let (told, ends) = (told(&seen.open), seen.open.acknowledged_at.or(seen.open.delivery(Level::L3).told_at));
        if due.is_empty() {
            plan.skipped
                .push(Skipped::new(escalation::target(seen.open.root), waits(&seen.open, why.is_some(), config)));
        }
        if let Some(since) = ends {
            unsolved.push((name, since));
        }
        if told.is_empty() && Level::ALL.iter().all(|level| seen.open.delivery(*level).failed > 0) {
            unheard.push(name);
        }
        open.push(json!({
            "incident": seen.open.root, "alarm": name, "since": seen.open.began_at, "told": told,
            "acknowledgedBy": seen.open.acknowledged_by,
            "why": why.as_ref().map(|why| texts::why(language, why)),
        }));
        for level in due {
            let said = texts::told(language, level, name, why.as_ref());
            let action = TellLevel {
                root: seen.open.root,
                alarm: name.to_owned(),
                level,
                topic: config.escalation.topic(level).map(str::to_owned),
                message: message(seen, level, why.as_ref(), config, now),
            };
            let is_overdue = matches!(why, None | Some(Why::Overdue(_)));
            wanted.push((is_overdue, seen.open.began_at, Planned::new(action, said)));
        }
    }
    // The worst first: what nobody works on, then what is oldest.
    wanted.sort_by_key(|(is_overdue, began_at, _)| (*is_overdue, *began_at));
    plan.actions = wanted.into_iter().map(|(.., planned)| planned).collect();
    plan.findings.extend(findings(language, now, &unreadable, &unsolved, &unheard));
    let more = looked.of.saturating_sub(looked.seen.len());
    plan.unfinished = (more > 0).then(|| texts::too_many(language, looked.of, looked.seen.len()));
    let count = open.len();
    open.truncate(REPORTED);
    plan.report = Some(json!({ "incidents": open, "more": count - open.len() + more }));
    plan
}

/// Why an incident is nobody's business now; `None` where it goes on.
fn left_alone(seen: &Seen, now: DateTime<Utc>, language: Language) -> Option<String> {
    let name = seen.open.alarm.as_str();
    match &seen.standing {
        Standing::Ok(since) => Some(alarm::ok(language, name, *since)),
        Standing::Gone => Some(alarm::gone(language, name)),
        Standing::Silent(since) => Some(alarm::silent(language, name, *since)),
        Standing::HeldBack(by) => Some(texts::held_back(language, name, by)),
        // Where it cannot be asked, what the last event told counts.
        Standing::On | Standing::Waiting | Standing::Unreadable(_) | Standing::NotAsked => {
            seen.open.held_back(now).map(|by| texts::held_back(language, name, by))
        }
    }
}

/// What an incident waits for of which nobody is told now.
fn waits(open: &Open, is_told: bool, config: &Config) -> String {
    let (language, name) = (config.language, open.alarm.as_str());
    if let (Some(at), Some(by)) = (open.acknowledged_at, &open.acknowledged_by) {
        return texts::is_acknowledged(language, name, by, at);
    }
    let at = |level| open.began_at + config.escalation.delay(level);
    let tried = |level: &Level| open.delivery(*level).failed > 0 || open.delivery(*level).under_way;
    match Level::ALL.into_iter().find(|level| open.delivery(*level).told_at.is_none()) {
        None => texts::all_told(language, name, open.delivery(Level::L3).told_at.unwrap_or(open.began_at)),
        Some(level) if tried(&level) => texts::tried_again(language, name, level),
        Some(Level::L1) if !is_told => texts::in_time(language, name, at(Level::L1)),
        Some(level) => texts::later(language, name, level, at(level)),
    }
}

/// The levels that were told, and when.
fn told(open: &Open) -> serde_json::Map<String, Value> {
    let told = |level: Level| Some((level.as_str().to_owned(), json!(open.delivery(level).told_at?)));
    Level::ALL.into_iter().filter_map(told).collect()
}

/// What is worth telling of all of them: one finding of a kind, however many they are.
fn findings(
    language: Language,
    now: DateTime<Utc>,
    unreadable: &[(&str, &str)],
    unsolved: &[(&str, DateTime<Utc>)],
    unheard: &[&str],
) -> Vec<Finding> {
    let named = |names: Vec<&str>| names.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    let mut findings = Vec::new();
    if let Some((_, why)) = unreadable.first() {
        let names = named(unreadable.iter().map(|(name, _)| *name).collect());
        let message = texts::unreadable(language, unreadable.len(), &names, why);
        let finding = Finding::new("alarm_unreadable", STEP, message, json!({ "count": unreadable.len() }));
        findings.push(finding.told(Audience::People, Often::ONCE_A_DAY));
    }
    if !unheard.is_empty() {
        let message = texts::unheard(language, unheard.len(), &named(unheard.to_vec()));
        let finding = Finding::new("nobody_told", STEP, message, json!({ "count": unheard.len() }));
        findings.push(finding.told(Audience::PeopleAtOnce, Often::OnceIn(TimeDelta::hours(1))));
    }
    if let Some(since) = unsolved.iter().map(|(_, since)| *since).min() {
        let names = named(unsolved.iter().map(|(name, _)| *name).collect());
        let message = texts::unsolved(language, unsolved.len(), &names);
        // Whoever was told an hour ago works on it.
        let lasts = now - since >= TimeDelta::days(1);
        let finding =
            Finding::new("incident_unsolved", STEP, message, json!({ "count": unsolved.len(), "since": since }));
        findings.push(if lasts { finding.told(Audience::People, Often::ONCE_A_DAY) } else { finding });
    }
    findings
}

/// A person takes an incident over.
pub fn acknowledge(named: &Named, by: &str, language: Language, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan { population: 1, ..Plan::default() };
    let Named { root, alarm, over_at, acknowledged_at, acknowledged_by, .. } = named;
    // One that is just over may begin again, and is the same then.
    let over = over_at.filter(|at| now - *at > FLAPS_WITHIN);
    let why = match (over, acknowledged_at, acknowledged_by) {
        (Some(at), ..) => Some(texts::is_over(language, alarm, at)),
        (None, Some(at), Some(by)) => Some(texts::is_acknowledged(language, alarm, by, *at)),
        (None, ..) => None,
    };
    match why {
        Some(why) => plan.skipped.push(Skipped::new(escalation::target(*root), why)),
        None => {
            let action = Acknowledge { root: *root, alarm: alarm.clone(), by: by.to_owned() };
            plan.actions.push(Planned::new(action, texts::acknowledges(language, alarm, by)));
        }
    }
    plan
}
