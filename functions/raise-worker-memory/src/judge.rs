//! How much memory the worker should have: pure.

use crate::texts;
use remediation::domain::Language;
use remediation::gather::worker::setting::Setting;
use remediation::run::worker_step::load::{Load, usd_a_month};
use remediation::run::worker_step::raise::Steps;
use remediation::run::worker_step::texts as worker;
use remediation::run::worker_step::{Evidence, Judgement, Wants};
use serde_json::json;

/// The next multiple of the step, or what a person names.
pub fn judge(evidence: &Evidence, policy: &Steps, language: Language) -> Judgement {
    if let Some(nothing) = evidence.nothing_wanted(language) {
        return nothing;
    }
    let Some(now) = evidence.seen.value else { return Judgement::Leave(worker::value_unknown(language)) };
    let to = match evidence.wants {
        Wants::Asked { to: Some(to) } if to == now => {
            return Judgement::Leave(worker::already_so(language, Setting::Memory, Some(now)));
        }
        Wants::Asked { to: Some(to) } => to,
        _ if now >= policy.ceiling => {
            let told = worker::at_ceiling(language, Setting::Memory, Some(now), &texts::instead_of_memory(language));
            return Judgement::Tell("at_ceiling", told, json!({ "memoryMb": now, "ceiling": policy.ceiling }));
        }
        Wants::Asked { to: None } | Wants::Incident(_) | Wants::Nothing => {
            let next = (now / policy.step).saturating_add(1).saturating_mul(policy.step);
            next.max(policy.floor).min(policy.ceiling)
        }
    };
    let usd_a_month = cost(evidence.load, to.saturating_sub(now), policy);
    Judgement::Change { to: Some(to), usd_a_month, bound: None }
}

/// Every run has so much more, for as long as its process took: the worker's own part of that is shorter, and shorter still with more
/// memory, since its processor grows with it.
fn cost(load: Option<Load>, extra_megabytes: u32, policy: &Steps) -> Option<f64> {
    let load = load?;
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let seconds = load.ended as f64 * load.average_seconds.unwrap_or_default();
    Some(usd_a_month(extra_megabytes, seconds, policy.usd_per_gb_second))
}

#[cfg(test)]
mod tests;
