//! Tells people what was wrong, what was done, why, and how to undo it; or doesn't wake them.

mod digest;
mod parts;
mod texts;

use std::cmp::Reverse;

use aws_config::SdkConfig;
use sqlx::PgConnection;

use self::parts::Occasion;
use crate::act::ledger::told::{self, Due};
use crate::act::report::{Done, DoneOutcome, Report};
use crate::act::topic::{AT_ONCE, URGENCY, publish};
use crate::domain::Language;
use crate::finding::{Audience, Finding};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::run::texts as common;

/// Actions, and findings, that one message names; the ledger has them all.
const NAMED: usize = 20;

/// Publishes a run's message to `NOTIFY_TOPIC_ARN`, where there is one and there is something to tell, and says in the report whether people
/// heard of it.
///
/// A sweep's changes are told in one message. A single process that was put right by its own event wakes nobody, nor does what its own user
/// wanted; what failed, waits for approval, went over a limit, or is told whenever it is done ([`crate::act::action::Action::is_told`]) does,
/// and so does a finding that is made for people. Of each kind of thing there is one message in an hour, from whatever container; what comes
/// in between is counted in the next one. Without a ledger everything is told.
///
/// # Errors
/// [`Error::Aws`]: the run itself stands, and the next one tells it.
pub async fn tell(
    config: &Config,
    aws: &SdkConfig,
    mut db: Option<&mut PgConnection>,
    report: &mut Report,
    (swept, new_plan): (bool, bool),
) -> Result<(), Error> {
    let Some(topic) = &config.notify_topic_arn else { return Ok(()) };
    let occasion = Occasion::of(report, swept, new_plan);
    let parts = parts::parts(report, occasion);
    if parts.is_empty() && !occasion.is_scheduled {
        return Ok(());
    }
    let all = || {
        let now = parts.iter().filter(|part| !part.is_digest);
        now.map(|part| Due { step: part.step.clone(), kind: part.kind.clone(), more: 0 }).collect()
    };
    let due = match &mut db {
        Some(db) => match told::claim(db, &parts, occasion.is_scheduled).await {
            Err(error) if error.is_connection_lost() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "what people were told cannot be asked");
                all()
            }
            due => due?,
        },
        None => all(),
    };
    let is_own = |due: &&Due| parts.iter().any(|part| (&part.step, &part.kind) == (&due.step, &due.kind));
    let (digest, due): (Vec<Due>, Vec<Due>) = due.into_iter().partition(parts::is_digest);
    let own = due.iter().find(is_own).is_some();
    if parts.iter().any(|part| !part.is_digest) {
        report.told = Some(own);
    }
    let mut sent = Ok(());
    if !due.is_empty() {
        let text = if own { message(report, &due, config.language) } else { texts::waited(config.language, &due) };
        let about =
            if own { format!("[{}] {}", report.step, report.mode) } else { format!("[{}]", digest::EVERYWHERE) };
        sent = publish(aws, topic, &about, &text, &[(URGENCY, urgency(&due))]).await.map(drop);
    }
    if sent.is_ok()
        && !digest.is_empty()
        && let Some(db) = &mut db
    {
        let observed = told::observed(db).await?;
        let about = format!("[{}] observe", digest::EVERYWHERE);
        let text = digest::message(&observed, config.language);
        sent = publish(aws, topic, &about, &text, &[(URGENCY, urgency(&digest))]).await.map(drop);
    }
    if sent.is_err() {
        report.told = report.told.map(|_| false);
        if let Some(db) = db {
            let all: Vec<Due> = due.into_iter().chain(digest).collect();
            if let Err(error) = told::give_back(db, &all).await {
                tracing::warn!(%error, "that people were not told could not be written");
            }
        }
    }
    sent
}

/// How urgent it is to tell people what is due.
fn urgency(due: &[Due]) -> &'static str {
    if due.iter().any(parts::is_at_once) { AT_ONCE } else { "normal" }
}

fn message(report: &Report, due: &[Due], language: Language) -> String {
    let mut lines = vec![report.summary.clone(), String::new()];
    lines.extend(report.actions.iter().take(NAMED).map(line));
    let actions = report.actions_in_all();
    if actions > NAMED {
        lines.push(common::more_actions(language, actions - NAMED, report.run_id));
    }
    // What cannot wait stands first, and is never cut off; then what is for people.
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| Reverse(finding.audience));
    let at_once = findings.iter().filter(|finding| finding.audience == Audience::PeopleAtOnce).count();
    let named = findings.into_iter().take(at_once + NAMED);
    lines.extend(named.map(|finding| format!("! {} {}: {}", finding.code, finding.target, finding.message)));
    lines.extend(due.iter().filter(|due| due.more > 0).map(|due| texts::more_like_this(language, due)));
    if let Some(plan) = report.plan_id {
        lines.push(format!("→ {}: {{\"approve\": \"{plan}\"}}", report.step));
    }
    lines.join("\n")
}

fn line(done: &Done) -> String {
    // A row's status; of anything else, the whole image, which is small then.
    let status = |image: &Option<serde_json::Value>| match image {
        None => "-".to_owned(),
        Some(image) => {
            image["status"].as_str().map_or_else(|| image.to_string().chars().take(200).collect(), str::to_owned)
        }
    };
    let outcome = match done.outcome {
        DoneOutcome::Applied => "✓",
        DoneOutcome::Failed => "✗",
        DoneOutcome::Superseded => "–",
        DoneOutcome::Proposed | DoneOutcome::Planned => "?",
    };
    let undo = if done.outcome == DoneOutcome::Applied && done.is_undoable {
        format!(" (undo: {{\"undo\": \"{}\"}})", done.id)
    } else {
        String::new()
    };
    format!(
        "{outcome} {} {}: {} → {}: {}{undo}",
        done.kind,
        done.target,
        status(&done.before),
        status(&done.after),
        done.reason
    )
}

#[cfg(test)]
mod tests;
