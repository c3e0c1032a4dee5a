//! What becomes of the step's own leases: pure (design, 6.10).

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::act::actions::change_worker::texts as change;
use crate::act::actions::close_lease::{Close, CloseLease};
use crate::act::lease::{End, FAILURES, Lease};
use crate::domain::Language;
use crate::gather::alarms::Standing;
use crate::run::step::{Finding, Plan, Planned, Skipped};
use crate::run::worker_step::evidence::{Evidence, Judgement, differs, tell};
use crate::run::worker_step::texts;

/// What is to become of leases whose time is over.
pub(super) fn leases(plan: &mut Plan, evidence: &Evidence, language: Language, now: DateTime<Utc>) {
    let setting = evidence.rules.setting;
    for lease in &evidence.leases {
        let own = lease.target == evidence.target && lease.setting() == Some(setting);
        let over = lease.revert_at <= now;
        // What a person has deployed meanwhile ends it at once, the value of before as well: a later look might find our value again, of
        // theirs. What is still under way may have any value.
        let still = setting.value_in(&lease.after) == evidence.seen.value;
        let changed = own && !still && evidence.seen.under_way().is_none() && evidence.under_way.is_none();
        if !over && !changed {
            continue;
        }
        let target = format!("lease {}", lease.action_id);
        if !own {
            let read = json!({ "lease": lease.action_id, "target": lease.target });
            tell(plan, evidence, "lease_elsewhere", texts::lease_elsewhere(language, &lease.target), read);
            continue;
        }
        let (before, after) = (setting.value_in(&lease.before), setting.value_in(&lease.after));
        let end = |end, reason| {
            let action = CloseLease { lease: lease.clone(), how: Close::End(end) };
            Planned::new(action, reason)
        };
        match (&evidence.look.standing, evidence.seen.value) {
            (_, value) if over && value == before => {
                plan.actions.push(end(End::Reverted, texts::lease_already_back(language)));
            }
            (_, value) if value != after => {
                plan.actions.push(end(End::Changed, texts::lease_changed(language, setting, value)));
            }
            (Standing::On, _) => {
                plan.skipped.push(Skipped::new(target, texts::lease_kept(language, evidence.alarm())));
            }
            (Standing::Unreadable(why), _) if !evidence.approving => {
                let read = json!({ "lease": lease.action_id, "alarm": evidence.alarm() });
                let told = texts::lease_unreadable(language, evidence.alarm(), why);
                if plan.findings.iter().any(|finding| finding.code == "alarm_unreadable") {
                    plan.skipped.push(Skipped::new(target, told));
                } else {
                    tell(plan, evidence, "alarm_unreadable", told, read);
                }
            }
            (
                Standing::HeldBack(_)
                | Standing::Ok(_)
                | Standing::Gone
                | Standing::Silent(_)
                | Standing::Waiting
                | Standing::Unreadable(_)
                | Standing::NotAsked,
                _,
            ) => {
                let other = evidence.under_way.as_ref().map(|other| other.words(language));
                let deploys = || evidence.seen.under_way().map(|what| change::under_way(language, &what));
                match (other.or_else(deploys), differs(&evidence.seen, language)) {
                    (Some(why), _) => plan.skipped.push(Skipped::new(target, why)),
                    (None, Some(Judgement::Tell(code, message, read))) => {
                        tell(plan, evidence, code, message, read);
                    }
                    (None, _) if lease.failures >= FAILURES && !evidence.approving => {
                        let read = json!({ "lease": lease.action_id, "failures": lease.failures });
                        tell(plan, evidence, "revert_failed", texts::revert_failed(language, lease.failures), read);
                    }
                    (None, _) => plan.actions.push(evidence.revert(lease, language)),
                }
            }
        }
    }
}

/// A person wants a change to stay.
pub(super) fn confirm(plan: &mut Plan, evidence: &Evidence, lease: &Lease, language: Language) {
    let setting = evidence.rules.setting;
    let line = setting.cdk_line(setting.value_in(&lease.after));
    let read = json!({ "cdk": line, "before": lease.before, "after": lease.after });
    let message = texts::set_in_cdk(language, &line);
    plan.findings.push(Finding::new("set_in_cdk", lease.target.as_str(), message, read));
    if lease.confirmed_at.is_some() {
        let target = format!("lease {}", lease.action_id);
        plan.skipped.push(Skipped::new(target, texts::confirmed_already(language)));
        return;
    }
    let action = CloseLease { lease: lease.clone(), how: Close::Confirm };
    plan.actions.push(Planned::new(action, texts::confirmed(language)));
}
