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
    let known = callers.as_ref().map(|callers| callers.task_timeout().and(callers.machine_timeout));
    // A shorter one is never in vain. Nobody knows how long it is waited for: by itself nothing is changed then; a person has decided.
    if wanted > now && named.is_none() && known == Ok(Limit::Unknown) {
        let told = worker::callers_unknown(language, &texts::limit_unknown(language));
        return Judgement::Tell("callers_unknown", told, json!(null));
    }
    let bounds = if wanted > now { bounds(evidence, wanted) } else { Vec::new() };
    let (to, bound) = match bounds.iter().map(|bound| bound.seconds).min() {
        None => (wanted, None),
        Some(least) if least > now && named.is_none() => (least, Some(said(&bounds, callers, wanted, language))),
        Some(_) => {
            let read = json!({
                "states": states(callers),
                "wanted": wanted,
                "limits": bounds.iter().map(|bound| json!({
                    "limit": bound.what.name(),
                    "seconds": bound.seconds,
                    "set": bound.what.line(wanted),
                })).collect::<Vec<_>>(),
            });
            return Judgement::Tell("task_timeout_wins", said(&bounds, callers, wanted, language), read);
        }
    };
    let extra = f64::from(to.saturating_sub(now));
    Judgement::Change { to: Some(to), usd_a_month: cost(seen.called().memory_mb, *load, extra, policy), bound }
}

/// What an execution does before and after the worker, in seconds: so much sooner than the process's deadline the worker has to end.
const AROUND: u32 = 60;

/// Who ends a run of the worker before the function's own timeout would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Task,
    Machine,
    /// fail-timed-out-processes stops what runs past it.
    Deadline,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Machine => "state machine",
            Self::Deadline => "PROCESS_DEADLINE_SECONDS",
        }
    }

    /// What to set so that the worker may run for so long.
    fn line(self, wanted: u32) -> String {
        match self {
            Self::Task => format!("taskTimeout: sfn.Timeout.duration(cdk.Duration.seconds({wanted}))"),
            Self::Machine => format!("timeout: cdk.Duration.seconds({wanted})"),
            Self::Deadline => format!("PROCESS_DEADLINE_SECONDS={}", wanted.saturating_add(AROUND)),
        }
    }
}

/// A limit that binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    what: What,
    seconds: u32,
}

/// Every limit that is below what is wanted: to raise one of them alone would be in vain.
fn bounds(evidence: &Evidence, wanted: u32) -> Vec<Bound> {
    let waits = |limit: fn(&Callers) -> Limit| match evidence.callers.as_ref().map(limit) {
        Ok(Limit::Seconds(seconds)) => Some(seconds),
        Ok(Limit::None | Limit::Unknown) | Err(_) => None,
    };
    let limits = [
        (What::Task, waits(Callers::task_timeout)),
        (What::Machine, waits(|callers| callers.machine_timeout)),
        (What::Deadline, evidence.process_deadline.map(|deadline| deadline.saturating_sub(AROUND))),
    ];
    let bound = |(what, seconds): (What, Option<u32>)| Some(Bound { what, seconds: seconds? });
    limits.into_iter().filter_map(bound).filter(|bound| bound.seconds < wanted).collect()
}

/// What to change instead, or first: of every limit.
fn said(bounds: &[Bound], callers: &Result<Callers, String>, wanted: u32, language: Language) -> String {
    let sentence = |bound: &Bound| {
        let (seconds, line) = (bound.seconds, bound.what.line(wanted));
        match bound.what {
            What::Task => texts::task_timeout_wins(language, &states(callers).join(", "), seconds, &line),
            What::Machine => texts::machine_timeout_wins(language, seconds, &line),
            What::Deadline => texts::deadline_wins(language, seconds.saturating_add(AROUND), &line),
        }
    };
    bounds.iter().map(sentence).collect::<Vec<_>>().join("; ")
}

fn states(callers: &Result<Callers, String>) -> Vec<&str> {
    callers.iter().flat_map(|callers| &callers.tasks).map(|task| task.state.as_str()).collect()
}

/// What runs into the timeout runs so much longer, at the most.
fn cost(megabytes: Option<u32>, load: Option<Load>, extra_seconds: f64, policy: &Steps) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let timed_out = load?.timed_out as f64;
    Some(usd_a_month(megabytes?, timed_out * extra_seconds, policy.usd_per_gb_second))
}

#[cfg(test)]
mod tests;
