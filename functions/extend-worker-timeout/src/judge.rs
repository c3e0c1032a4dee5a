//! Which timeout the worker should have: pure.

use crate::texts;
use remediation::domain::Language;
use remediation::gather::state_machine::{Callers, Limit};
use remediation::gather::worker::setting::Setting;
use remediation::run::worker_step::load::{Load, usd_a_month};
use remediation::run::worker_step::raise::Steps;
use remediation::run::worker_step::texts as worker;
use remediation::run::worker_step::{Evidence, Judgement, Wants};
use serde_json::json;

/// One step further, or what a person names; no further than the state machine waits.
pub fn judge(evidence: &Evidence, policy: &Steps, language: Language) -> Judgement {
    let Evidence { wants, seen, callers, load, .. } = evidence;
    if let Some(nothing) = evidence.nothing_wanted(language) {
        return nothing;
    }
    let Some(now) = seen.value else { return Judgement::Leave(worker::value_unknown(language)) };
    let named = match wants {
        Wants::Asked { to } => *to,
        Wants::Incident(_) | Wants::Nothing => None,
    };
    let wanted = match named {
        Some(to) if to == now => return Judgement::Leave(worker::already_so(language, Setting::Timeout, Some(now))),
        Some(to) => to,
        None if now >= policy.ceiling => {
            let told = worker::at_ceiling(language, Setting::Timeout, Some(now), &texts::instead_of_time(language));
            return Judgement::Tell("at_ceiling", told, json!({ "timeoutSeconds": now, "ceiling": policy.ceiling }));
        }
        None => now.saturating_add(policy.step).max(policy.floor).min(policy.ceiling),
    };
    let to = match (callers.as_ref().map(|callers| waits(callers, wanted)), named) {
        // A shorter one is never in vain.
        _ if wanted < now => wanted,
        // Nobody knows how long it is waited for. By itself nothing is changed then; a person has decided.
        (Err(_), _) | (Ok(Waits::Unknown), Some(_)) | (Ok(Waits::LongEnough), _) => wanted,
        (Ok(Waits::Unknown), None) => {
            let told = worker::callers_unknown(language, &texts::limit_unknown(language));
            return Judgement::Tell("callers_unknown", told, json!(null));
        }
        (Ok(Waits::Only { seconds, .. }), None) if seconds > now => seconds,
        (Ok(only @ Waits::Only { .. }), _) => return wins(callers, only, wanted, language),
    };
    let extra = f64::from(to.saturating_sub(now));
    Judgement::Change { to: Some(to), usd_a_month: cost(seen.called().memory_mb, *load, extra, policy) }
}

/// How long the state machine waits for the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// For as long as is wanted.
    LongEnough,
    /// For less.
    Only {
        seconds: u32,
        /// It is the task's own limit, not the machine's.
        task: bool,
    },
    /// Only an execution tells.
    Unknown,
}

fn waits(callers: &Callers, wanted: u32) -> Waits {
    let (task, machine) = (callers.task_timeout(), callers.machine_timeout);
    match task.and(machine) {
        Limit::Unknown => Waits::Unknown,
        Limit::Seconds(seconds) if seconds < wanted => Waits::Only { seconds, task: task == Limit::Seconds(seconds) },
        Limit::Seconds(_) | Limit::None => Waits::LongEnough,
    }
}

/// A longer timeout of the function alone would be of no use: what to change instead.
fn wins(callers: &Result<Callers, String>, only: Waits, wanted: u32, language: Language) -> Judgement {
    let states: Vec<&str> = callers.iter().flat_map(|callers| &callers.tasks).map(|task| task.state.as_str()).collect();
    let (seconds, line, told) = match only {
        Waits::Only { seconds, task: true } => {
            let line = format!("taskTimeout: sfn.Timeout.duration(cdk.Duration.seconds({wanted}))");
            let told = texts::task_timeout_wins(language, &states.join(", "), seconds, &line);
            (Some(seconds), line, told)
        }
        Waits::Only { seconds, task: false } => {
            let line = format!("timeout: cdk.Duration.seconds({wanted})");
            let told = texts::machine_timeout_wins(language, seconds, &line);
            (Some(seconds), line, told)
        }
        Waits::LongEnough | Waits::Unknown => (None, String::new(), texts::limit_unknown(language)),
    };
    let read = json!({ "states": states, "seconds": seconds, "wanted": wanted, "cdk": line });
    Judgement::Tell("task_timeout_wins", told, read)
}

/// What runs into the timeout runs so much longer, at the most.
fn cost(megabytes: Option<u32>, load: Option<Load>, extra_seconds: f64, policy: &Steps) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let timed_out = load?.timed_out as f64;
    Some(usd_a_month(megabytes?, timed_out * extra_seconds, policy.usd_per_gb_second))
}

#[cfg(test)]
mod tests;
