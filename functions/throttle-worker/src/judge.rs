//! How many runs at once the worker should be left with: pure.

use crate::texts;
use remediation::domain::Language;
use remediation::gather::state_machine::{Retrier, Retries};
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
    // What does not run asks no model: without a throttled one there is nothing to measure a step by.
    if named.is_none() && evidence.running == 0 && (now.is_none() || evidence.worker.look.acts_on().is_none()) {
        return Judgement::Leave(texts::nothing_runs(language));
    }
    let ready = evidence.provisioned.unwrap_or(0);
    let floor = policy.floor.max(ready);
    let to = match named {
        Some(to) if to < ready => {
            let message = texts::provisioned(language, to, ready);
            return Judgement::Tell("at_floor", message, json!({ "provisionedConcurrency": ready, "to": to }));
        }
        Some(to) => to,
        None if now.is_some_and(|now| now <= floor) => {
            let quota = texts::quota(language);
            let message = match ready {
                ready if ready > policy.floor => texts::at_provisioned(language, ready, &quota),
                _ => texts::at_floor(language, policy.floor, &quota),
            };
            let read = json!({ "reservedConcurrency": now, "provisionedConcurrency": evidence.provisioned });
            return Judgement::Tell("at_floor", message, read);
        }
        // Where nothing is reserved, what runs now is what the model is asked by.
        None => lowered(now.unwrap_or_else(|| evidence.running.max(policy.floor + 1)), policy.factor).max(floor),
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
    Judgement::Change { to: Some(to), usd_a_month: Some(0.0), bound: None }
}

/// The next step down.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a u32 is one")]
fn lowered(from: u32, factor: f64) -> u32 {
    (f64::from(from) * factor).floor() as u32
}

/// What Lambda refuses would be lost, or nobody knows.
fn not_retried(evidence: &Evidence, policy: &Policy, language: Language) -> Option<Judgement> {
    let tasks = match &evidence.worker.callers {
        Ok(callers) => &callers.tasks,
        Err(why) => return Some(Judgement::Leave(texts::retries_unknown(language, why))),
    };
    // A place is free once a run is over: what is tried for less long than that may never find one.
    let needed = evidence.run_seconds.unwrap_or(0.0).max(f64::from(policy.retry_seconds));
    let hasty = tasks.iter().find(|task| task.retries.seconds < needed)?;
    let Retries { attempts, seconds, retrier } = hasty.retries;
    let advice = match retrier {
        None => texts::add_retrier(language, &hasty.state, seconds, needed, &line(5.0, enough(5.0, 2.0, needed), 2.0)),
        // It stands for any error, and the first one that matches is the one that counts.
        Some(retrier) if !retrier.by_name => {
            let line = line(5.0, enough(5.0, 2.0, needed), 2.0);
            texts::put_retrier_before(language, &hasty.state, seconds, needed, &line)
        }
        Some(retrier) => {
            let change = numbers(retrier, attempts, needed);
            texts::change_retrier(language, &hasty.state, seconds, needed, &change)
        }
    };
    let read = json!({
        "state": hasty.state,
        "attempts": attempts,
        "seconds": seconds,
        "neededSeconds": needed,
        "runSeconds": evidence.run_seconds,
        "listsTheError": retrier.map(|retrier| retrier.by_name),
    });
    Some(Judgement::Tell("not_retried", advice, read))
}

/// More attempts than this in a row are no patience any more, but a load of its own.
const ATTEMPTS: u32 = 12;

/// So many attempts, with pauses that grow, take so long.
fn enough(interval: f64, rate: f64, needed: f64) -> u32 {
    let retrier = Retrier { by_name: true, interval, rate, at_most: None, jitter: false };
    (1..=ATTEMPTS).find(|attempts| retrier.seconds(*attempts) >= needed).unwrap_or(ATTEMPTS)
}

/// Which of the retrier's own numbers to change: the attempts, where that is enough; else the first pause as well, without a bound on the
/// others.
fn numbers(retrier: Retrier, attempts: u32, needed: f64) -> String {
    if let Some(more) = (attempts..=ATTEMPTS).find(|attempts| retrier.seconds(*attempts) >= needed) {
        return format!("maxAttempts: {more}");
    }
    // Jitter halves what the pauses come to.
    let needed = if retrier.jitter { needed * 2.0 } else { needed };
    let (interval, rate) = (retrier.interval.max(5.0), retrier.rate.max(2.0));
    let bound = retrier.at_most.map_or("", |_| "; no maxDelay");
    format!("{}{bound}", settings(interval, enough(interval, rate, needed), rate))
}

fn settings(interval: f64, attempts: u32, rate: f64) -> String {
    format!("interval: cdk.Duration.seconds({interval}), maxAttempts: {attempts}, backoffRate: {rate}")
}

fn line(interval: f64, attempts: u32, rate: f64) -> String {
    let settings = settings(interval, attempts, rate);
    format!("addRetry({{ errors: ['Lambda.TooManyRequestsException'], {settings} }})")
}
