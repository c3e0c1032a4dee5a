//! How many runs at once the worker should be left with: pure.

use crate::texts;
use remediation::domain::Language;
use remediation::gather::worker::setting::Setting;
use remediation::run::worker_step::texts as worker;
use remediation::run::worker_step::{Judgement, Wants};
use serde_json::json;

use crate::evidence::Evidence;
use crate::policy::Policy;

/// One step down, or what a person names; never to a halt, and only where the state machine tries again what is refused then.
pub fn judge(evidence: &Evidence, policy: &Policy, language: Language) -> Judgement {
    if let Some(nothing) = evidence.worker.nothing_wanted(language) {
        return nothing;
    }
    let now = evidence.worker.seen.value;
    if now == Some(0) {
        return Judgement::Leave(texts::stopped(language));
    }
    let named = match evidence.worker.wants {
        Wants::Asked { to } => to,
        Wants::Incident(_) | Wants::Nothing => None,
    };
    let to = match named {
        Some(to) => to,
        None if now.is_some_and(|now| now <= policy.floor) => {
            let message = texts::at_floor(language, policy.floor, &texts::quota(language));
            return Judgement::Tell("at_floor", message, json!({ "reservedConcurrency": now }));
        }
        // Where nothing is reserved, what runs now is what the model is asked by.
        None => lowered(now.unwrap_or_else(|| evidence.running.max(policy.floor + 1)), policy),
    };
    if Some(to) == now {
        return Judgement::Leave(worker::already_so(language, Setting::ReservedConcurrency, now));
    }
    // A person who names a number has decided.
    if named.is_none()
        && let Some(refusal) = not_retried(evidence, policy, language)
    {
        return refusal;
    }
    let Some(unreserved) = evidence.unreserved else { return Judgement::Leave(worker::unreserved_known(language)) };
    let left = unreserved.saturating_add(now.unwrap_or(0)).saturating_sub(to);
    // Less than before leaves more, however little that is.
    if to > now.unwrap_or(0) && left < policy.kept_unreserved {
        let message = worker::account_limit(language, to, unreserved, policy.kept_unreserved);
        return Judgement::Tell("account_limit", message, json!({ "unreserved": unreserved, "to": to }));
    }
    Judgement::Change { to: Some(to), usd_a_month: Some(0.0) }
}

/// The next step down.
fn lowered(from: u32, policy: &Policy) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a u32 is one")]
    let part = (f64::from(from) * policy.factor).floor() as u32;
    part.max(policy.floor)
}

/// What Lambda refuses would be lost, or nobody knows.
fn not_retried(evidence: &Evidence, policy: &Policy, language: Language) -> Option<Judgement> {
    let tasks = match &evidence.worker.callers {
        Ok(callers) => &callers.tasks,
        Err(why) => return Some(Judgement::Leave(texts::retries_unknown(language, why))),
    };
    let hasty = tasks.iter().find(|task| task.retries.seconds < f64::from(policy.retry_seconds))?;
    let seconds = hasty.retries.seconds;
    let message = texts::not_retried(language, &hasty.state, seconds, policy.retry_seconds);
    let read = json!({ "state": hasty.state, "attempts": hasty.retries.attempts, "seconds": seconds });
    Some(Judgement::Tell("not_retried", message, read))
}
