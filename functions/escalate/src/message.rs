//! What people are told of one incident: what is wrong and since when, why it is told, what was done and why that was safe, what to do now,
//! and how to acknowledge it.

use chrono::{DateTime, Utc};
use remediation::gather::alarms::Standing;
use remediation::gather::config::Config;
use remediation::gather::config::escalation::Level;
use remediation::redact;
use remediation::run::texts::duration;
use serde_json::json;

use crate::evidence::{Made, STEP, Seen};
use crate::texts;
use crate::why::Why;

/// Characters of what others have written: a reason, an error, CloudWatch's words.
const QUOTED: usize = 300;

/// The function of a step, by the name that an operator finds it by.
fn function(config: &Config, step: &str) -> String {
    config.function_of(step, STEP).unwrap_or_else(|| step.to_owned())
}

/// What a level is told of one incident.
pub fn message(seen: &Seen, level: Level, why: Option<&Why>, config: &Config, now: DateTime<Utc>) -> String {
    let language = config.language;
    let (open, known) = (&seen.open, &seen.known);
    let age = duration(language, now - open.began_at);
    let mut lines = vec![texts::wrong(language, level, &open.alarm, open.began_at, &age)];
    lines.extend(open.reason.as_deref().map(|reason| texts::cloudwatch(language, &redact::cut(reason, QUOTED))));
    match &seen.standing {
        Standing::Unreadable(why) => lines.push(texts::state_unread(language, &redact::cut(why, QUOTED))),
        Standing::Waiting => lines.push(texts::no_data(language)),
        Standing::On
        | Standing::HeldBack(_)
        | Standing::Ok(_)
        | Standing::Gone
        | Standing::Silent(_)
        | Standing::NotAsked => {}
    }
    lines.extend(why.map(|why| texts::because(language, &redact::cut(&texts::why(language, why), QUOTED))));
    lines.extend(below(seen, level, config));

    if known.actions.is_empty() {
        lines.push(texts::nothing_done(language));
    } else {
        lines.push(texts::done(language, known.made));
        lines.extend(known.actions.iter().map(|made| line(made, config)));
    }

    lines.push(texts::to_do(language));
    for answering in &known.steps {
        lines.extend(answering.needs.iter().map(|need| format!("! {}", redact::cut(need, QUOTED))));
        if let Some(plan) = answering.plan.filter(|_| answering.approvable) {
            let event = json!({ "approve": plan, "by": "…" }).to_string();
            lines.push(texts::send(language, &event, &function(config, &answering.step)));
        }
        lines.push(texts::runbook(language, &answering.step));
    }
    if known.steps.is_empty() {
        lines.push(texts::runbook_of_alarm(language, &open.alarm));
    }
    let event = json!({ "acknowledge": open.root, "by": "…" }).to_string();
    lines.push(texts::acknowledge(language, &event, &function(config, STEP)));
    let next = Level::ALL.into_iter().find(|next| next.below() == Some(level));
    let next = next.filter(|next| open.delivery(*next).told_at.is_none());
    lines
        .extend(next.map(|next| texts::next(language, next, (open.began_at + config.escalation.delay(next)).max(now))));
    lines.join("\n")
}

/// Who was told before, or could not be.
fn below(seen: &Seen, level: Level, config: &Config) -> Option<String> {
    let below = level.below()?;
    let delivery = seen.open.delivery(below);
    match delivery.told_at {
        Some(at) => Some(texts::below_told(config.language, below, at)),
        None => (delivery.failed > 0).then(|| texts::below_failed(config.language, below)),
    }
}

/// A change, why it was made, and how it is taken back.
fn line(made: &Made, config: &Config) -> String {
    let Made { id, step, kind, target, reason, applied } = made;
    let mark = if *applied { "✓" } else { "✗" };
    let line = format!("{mark} {kind} {target}: {}", redact::cut(reason, QUOTED));
    if !applied {
        return line;
    }
    let event = json!({ "undo": id, "by": "…" }).to_string();
    format!("{line} ({})", texts::undo(config.language, &event, &function(config, step)))
}
