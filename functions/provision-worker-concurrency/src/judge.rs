//! How many environments should be kept ready: pure.

use crate::texts;
use remediation::act::actions::change_worker::texts as change;
use remediation::domain::Language;
use remediation::gather::worker::setting::Setting;
use remediation::run::worker_step::texts as worker;
use remediation::run::worker_step::{self, Judgement, Wants};
use serde_json::{Value, json};

use crate::policy::Policy;

/// What was read.
pub struct Evidence {
    /// What every worker step reads.
    pub worker: worker_step::Evidence,
    /// The function's reserved concurrency: no more environments than that.
    pub reserved: Option<u32>,
    /// Runs that the account has left.
    pub unreserved: Option<u32>,
}

/// A month of 30 days.
const SECONDS_A_MONTH: f64 = 30.0 * 86_400.0;

/// One step further, or what a person names, as far as function and account have room for it.
pub fn judge(evidence: &Evidence, policy: &Policy, language: Language) -> Judgement {
    let Evidence { worker: core, reserved, unreserved } = evidence;
    if let Some(nothing) = core.nothing_wanted(language) {
        return nothing;
    }
    let Some(alias) = &core.seen.alias else {
        return Judgement::Tell("needs_alias", change::needs_alias(language), Value::Null);
    };
    let now = core.seen.value;
    let failed = alias.published.allocation.as_ref().filter(|allocation| allocation.status == "FAILED");
    let named = match core.wants {
        Wants::Asked { to } => to,
        Wants::Incident(_) | Wants::Nothing => None,
    };
    // More of what cannot be had would not be had either; a person may ask for less.
    if let (Some(failed), None) = (failed, named) {
        let message = change::allocation_failed(language, failed.reason.as_deref().unwrap_or("-"));
        return Judgement::Tell("allocation_failed", message, json!({ "requested": failed.requested }));
    }
    let to = match named {
        Some(to) => to,
        None if now.is_some_and(|now| now >= policy.ceiling) => {
            let instead = texts::instead_of_environments(language);
            let message = worker::at_ceiling(language, Setting::ProvisionedConcurrency, now, &instead);
            return Judgement::Tell("at_ceiling", message, json!({ "provisionedConcurrency": now }));
        }
        None => now.map_or(policy.floor, |now| now.saturating_add(policy.step)).max(policy.floor).min(policy.ceiling),
    };
    if Some(to) == now && failed.is_none() {
        return Judgement::Leave(worker::already_so(language, Setting::ProvisionedConcurrency, now));
    }
    let more = to.saturating_sub(now.unwrap_or(0));
    if more > 0 {
        match (*reserved, *unreserved) {
            (Some(reserved), _) if to > reserved => {
                let message = texts::over_reserved(language, to, reserved);
                return Judgement::Tell("account_limit", message, json!({ "reserved": reserved, "to": to }));
            }
            (Some(_), _) => {}
            (None, None) => return Judgement::Leave(worker::unreserved_known(language)),
            (None, Some(unreserved)) if unreserved.saturating_sub(more) < policy.kept_unreserved => {
                let message = worker::account_limit(language, to, unreserved, policy.kept_unreserved);
                return Judgement::Tell("account_limit", message, json!({ "unreserved": unreserved, "to": to }));
            }
            (None, Some(_)) => {}
        }
    }
    let gigabytes = alias.published.memory_mb.map(|megabytes| f64::from(megabytes) / 1024.0);
    let usd = gigabytes.map(|gigabytes| f64::from(more) * gigabytes * SECONDS_A_MONTH * policy.usd_per_gb_second);
    Judgement::Change { to: Some(to), usd_a_month: usd, bound: None }
}

#[cfg(test)]
mod tests;
