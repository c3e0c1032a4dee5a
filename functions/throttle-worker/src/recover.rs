//! How the worker gets its concurrency back: pure.

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::change_worker::Purpose;
use remediation::act::actions::change_worker::texts as change;
use remediation::act::lease::FAILURES;
use remediation::domain::Language;
use remediation::gather::worker::setting::Setting;
use remediation::run::step::Planned;
use remediation::run::worker_step::Wants;
use remediation::run::worker_step::texts as worker;

use crate::evidence::{Evidence, Quiet};
use crate::policy::Policy;

/// A change does not stay for less than this.
const AT_LEAST: TimeDelta = TimeDelta::minutes(5);

/// One step up where it has been quiet, and in the end what people had reserved. `None` where there is nothing of ours to raise.
///
/// # Errors
/// Why it waits.
pub fn recover(
    evidence: &Evidence,
    policy: &Policy,
    language: Language,
    now: DateTime<Utc>,
) -> Result<Option<Planned>, String> {
    let (seen, alarm) = (&evidence.worker.seen, evidence.worker.rules.alarm);
    let setting = Setting::ReservedConcurrency;
    let ours = evidence.worker.leases.iter().find(|lease| {
        lease.setting() == Some(setting)
            && lease.target == evidence.worker.target
            && setting.value_in(&lease.after) == seen.value
    });
    let (Some(lease), Some(value)) = (ours, seen.value) else { return Ok(None) };
    if evidence.worker.wants != Wants::Nothing && !evidence.approving {
        return Ok(None);
    }
    if evidence.cause.as_deref() == Some("asked") {
        return Err(texts::a_persons(language));
    }
    let quiet_for = TimeDelta::minutes(i64::from(policy.quiet_minutes));
    let quiet = match evidence.quiet {
        Quiet::Now => true,
        Quiet::Since(since) => now - since >= quiet_for,
        Quiet::Unknown => false,
    };
    if !quiet {
        return Err(texts::not_quiet_yet(language, policy.quiet_minutes));
    }
    if lease.failures >= FAILURES {
        return Err(worker::revert_failed(language, lease.failures));
    }
    let before = setting.value_in(&lease.before);
    let next = raised(value, policy);
    // Where nothing was reserved, what no longer holds back anything that runs can go.
    let enough = before.unwrap_or(evidence.running);
    if next >= enough {
        let reason = texts::restored(language, alarm, &change::amount(setting, before));
        return Ok(Some(evidence.worker.action(before, Purpose::Revert(lease.action_id), reason)));
    }
    let reason = texts::recovered(language, alarm, &change::amount(setting, Some(next)));
    // It is put back when it would have been.
    let revert_after = (lease.revert_at - now).max(AT_LEAST);
    let purpose = Purpose::Set { cause: "recovered", revert_after: Some(revert_after) };
    Ok(Some(evidence.worker.action(Some(next), purpose, reason)))
}

/// The next step up.
fn raised(from: u32, policy: &Policy) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let back = (f64::from(from) / policy.factor).ceil() as u32;
    back.max(from.saturating_add(1))
}
