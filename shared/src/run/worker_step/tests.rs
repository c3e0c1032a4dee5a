use chrono::TimeDelta;
use uuid::Uuid;

use super::load::usd_a_month;
use super::queue::UnderWay;
use super::*;
use crate::act::actions::change_worker::Purpose;
use crate::domain::Language;
use crate::finding::{Audience, Often};
use crate::gather::alarms::Standing;
use crate::gather::state_machine::{Caller, Limit, Retries};
use crate::gather::worker::configuration::Configuration;
use crate::gather::worker::seen::Alias;
use crate::gather::worker::seen::Seen;
use crate::run::step::Planned;

fn config(alias: Option<&str>) -> Config {
    Config::read(|name| match name {
        "DATABASE_URL" => Some("postgres://user@host/db".to_owned()),
        "STATE_MACHINE_ARN" => Some("arn:aws:states:us-east-1:1:stateMachine:ai".to_owned()),
        "TEXT_LANGUAGE" => Some("en".to_owned()),
        "WORKER_ALIAS" => alias.map(str::to_owned),
        _ => None,
    })
    .unwrap()
}

fn called_by(qualifiers: &[Option<&str>]) -> Callers {
    let task = |qualifier: &Option<&str>| Caller {
        state: "Generate".into(),
        qualifier: qualifier.map(str::to_owned),
        timeout: Limit::Seconds(900),
        retries: Retries::default(),
    };
    Callers { tasks: qualifiers.iter().map(task).collect(), unknown: vec![], machine_timeout: Limit::None }
}

/// A worker of 600 s, settled, that is called as the setting says.
fn evidence(wants: Wants) -> Evidence {
    let mut latest = Configuration::default();
    (latest.state, latest.last_update) = ("Active".into(), "Successful".into());
    latest.timeout_seconds = Some(600);
    let seen = Seen { setting: Setting::Timeout, latest, alias: None, value: Some(600) };
    let rules = Rules {
        step: "extend-worker-timeout".into(),
        setting: Setting::Timeout,
        alarm: "worker-near-timeout",
        may_be: 300..=900,
    };
    Evidence::new(rules, "function ai-generation-worker".into(), seen, Ok(called_by(&[None])), wants)
}

fn now() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn incident() -> Wants {
    Wants::Incident("remediation-worker-near-timeout".into())
}

/// A change from 300 s whose time was over a minute ago.
fn lease(to: u32) -> Lease {
    Lease {
        action_id: Uuid::from_u128(7),
        step: "extend-worker-timeout".into(),
        kind: "set-worker-timeout".into(),
        target: "function ai-generation-worker".into(),
        before: json!({ "timeoutSeconds": 300 }),
        after: json!({ "timeoutSeconds": to }),
        revert_at: now() - TimeDelta::minutes(1),
        confirmed_at: None,
        ended_at: None,
        ended: None,
        failures: 0,
    }
}

/// The kinds of its actions, the codes of its findings, and why it leaves what alone.
fn outcome(evidence: &Evidence, config: &Config, judgement: Judgement) -> (Vec<String>, Vec<&'static str>, String) {
    let plan = plan(evidence, config, now(), |_| judgement);
    let action = |planned: &Planned| match planned.action.terms() {
        Some(terms) => format!("{} {terms}", planned.action.kind()),
        None => planned.action.kind().to_owned(),
    };
    (
        plan.actions.iter().map(action).collect(),
        plan.findings.iter().map(|finding| finding.code).collect(),
        plan.skipped.iter().map(|skipped| skipped.why.as_str()).collect::<Vec<_>>().join("; "),
    )
}

fn change() -> Judgement {
    Judgement::Change { to: Some(900), usd_a_month: None, bound: None }
}

#[test]
fn nothing_is_changed_while_something_stands_in_the_way_of_it() {
    let with = |alter: &dyn Fn(&mut Evidence)| {
        let mut evidence = evidence(incident());
        alter(&mut evidence);
        evidence
    };
    let by_value = |alter: &dyn Fn(&mut Evidence)| {
        let mut evidence = evidence(Wants::Asked { to: Some(900) });
        alter(&mut evidence);
        evidence
    };
    let none = |evidence: &mut Evidence| evidence.callers = Ok(called_by(&[]));
    let unread = |evidence: &mut Evidence| evidence.callers = Err("AccessDenied".into());
    let done = "set-worker-timeout {\"timeoutSeconds\":900}";
    let clear = config(None);
    let alias = config(Some("live"));
    // (evidence, settings, actions, findings, a part of what is said)
    for (at, (evidence, config, actions, findings, said)) in [
        (with(&|_| {}), &clear, vec![done], vec!["worker_change"], ""),
        (with(&|e| e.seen.latest.last_update = "InProgress".into()), &clear, vec![], vec![], "deployment in progress"),
        (with(&|e| e.seen.latest.last_update = "Failed".into()), &clear, vec![], vec!["update_failed"], ""),
        (with(&unread), &clear, vec![], vec!["callers_unknown"], ""),
        (by_value(&unread), &clear, vec![done], vec!["worker_change"], ""),
        (with(&none), &clear, vec![], vec!["callers_unknown"], ""),
        (by_value(&none), &clear, vec![done], vec!["worker_change"], ""),
        (with(&|_| {}), &alias, vec![], vec!["alias_mismatch"], ""),
        (by_value(&|_| {}), &alias, vec![], vec!["alias_mismatch"], ""),
        (with(&|e| e.callers = Ok(called_by(&[Some("7")]))), &clear, vec![], vec!["alias_mismatch"], ""),
        // One of its callers is enough.
        (with(&|e| e.callers = Ok(called_by(&[Some("live"), None]))), &clear, vec![done], vec!["worker_change"], ""),
    ]
    .into_iter()
    .enumerate()
    {
        let (acts, told, why) = outcome(&evidence, config, change());
        assert_eq!((acts, told), (actions.into_iter().map(str::to_owned).collect(), findings), "case {at}: {why}");
        assert!(why.contains(said), "case {at}: {why}");
    }
}

#[test]
fn what_the_judgement_leaves_is_left_whatever_stands_in_the_way() {
    let mut evidence = evidence(Wants::Nothing);
    evidence.seen.latest.last_update = "Failed".into();
    let left = outcome(&evidence, &config(None), Judgement::Leave("quiet".into()));
    assert_eq!(left, (vec![], vec![], "quiet".to_owned()));
}

#[test]
fn what_publishing_would_release_keeps_a_change_and_a_revert_from_being_made() {
    let mut evidence = evidence(Wants::Nothing);
    evidence.callers = Ok(called_by(&[Some("live")]));
    let mut published = evidence.seen.latest.clone();
    published.code_sha256 = Some("other".into());
    evidence.seen.alias = Some(Alias { name: "live".into(), revision_id: None, is_weighted: false, published });
    evidence.leases = vec![lease(600)];
    let config = config(Some("live"));
    let (actions, findings, _) = outcome(&evidence, &config, Judgement::Leave("quiet".into()));
    assert_eq!((actions, findings), (vec![], vec!["latest_differs"]));
    evidence.wants = incident();
    evidence.look = Look::of(Some(&"remediation-worker-near-timeout".to_owned()));
    let (actions, findings, why) = outcome(&evidence, &config, change());
    assert_eq!((actions, findings), (vec![], vec!["latest_differs"]), "{why}");
}

#[test]
fn a_lease_whose_time_is_over_is_put_back_or_ended_and_stays_while_the_alarm_is_on() {
    let asked = || Wants::Asked { to: None };
    let put_back = "revert-worker {\"timeoutSeconds\":300}";
    // (who wants something, what it is now, what the change made it, what is done, what is said)
    for (wants, value, to, actions, said) in [
        (Wants::Nothing, 600, 600, vec![put_back], ""),
        (asked(), 600, 600, vec![put_back], ""),
        (incident(), 600, 600, vec![], "kept while the incident"),
        (Wants::Nothing, 600, 900, vec!["end-lease"], ""),
        (incident(), 600, 900, vec!["end-lease"], ""),
        (Wants::Nothing, 300, 600, vec!["end-lease"], ""),
    ] {
        let mut evidence = evidence(wants.clone());
        evidence.leases = vec![lease(to)];
        evidence.seen.value = Some(value);
        let (done, _, why) = outcome(&evidence, &config(None), Judgement::Leave("quiet".into()));
        assert_eq!(done, actions, "{wants:?} {value} {to}: {why}");
        assert!(why.contains(said), "{why}");
    }
}

#[test]
fn a_lease_ends_on_time_unless_its_alarm_is_on_now() {
    let put_back = "revert-worker {\"timeoutSeconds\":300}";
    // (how the alarm stands, what is done, what is told)
    for (standing, actions, findings) in [
        (Standing::On, vec![], vec![]),
        (Standing::HeldBack("maintenance".into()), vec![put_back], vec![]),
        (Standing::Ok(None), vec![put_back], vec![]),
        (Standing::Gone, vec![put_back], vec![]),
        (Standing::Silent(now()), vec![put_back], vec![]),
        (Standing::Waiting, vec![put_back], vec![]),
        (Standing::Unreadable("AccessDenied".into()), vec![], vec!["alarm_unreadable"]),
    ] {
        // Whoever starts the run.
        for wants in [Wants::Nothing, Wants::Asked { to: None }] {
            let mut evidence = evidence(wants);
            evidence.leases = vec![lease(600)];
            evidence.look.standing = standing.clone();
            let (done, told, why) = outcome(&evidence, &config(None), Judgement::Leave("quiet".into()));
            assert_eq!(
                (done, told),
                (actions.iter().map(|&kind| kind.to_owned()).collect(), findings.clone()),
                "{why}"
            );
        }
    }
}

#[test]
fn what_was_deployed_meanwhile_ends_a_lease_at_once() {
    let mut evidence = evidence(Wants::Nothing);
    evidence.leases = vec![Lease { revert_at: now() + TimeDelta::hours(20), ..lease(600) }];
    let quiet = || Judgement::Leave("quiet".into());
    evidence.seen.value = Some(450);
    let (actions, _, why) = outcome(&evidence, &config(None), quiet());
    assert_eq!(actions, ["end-lease"], "{why}");
    // Not while anybody changes it.
    evidence.seen.latest.last_update = "InProgress".into();
    assert!(outcome(&evidence, &config(None), quiet()).0.is_empty());
    evidence.seen.latest.last_update = "Successful".into();
    // The value of before as well: it is theirs now.
    evidence.seen.value = Some(300);
    let (actions, _, why) = outcome(&evidence, &config(None), quiet());
    assert_eq!(actions, ["end-lease"], "{why}");
    evidence.seen.value = Some(600);
    assert!(outcome(&evidence, &config(None), quiet()).0.is_empty());
}

#[test]
fn there_is_no_further_step_without_a_newer_measurement() {
    let ceiling = || Judgement::Tell("at_ceiling", "a leak".into(), Value::Null);
    // (what was measured, who wants it, what is judged, what is done, what is told, what is said)
    for (measured, judgement, actions, findings, said) in [
        (Measured::Needless, change(), 1, vec!["worker_change"], ""),
        (Measured::Since, change(), 1, vec!["worker_change"], ""),
        (Measured::Nothing { last: now() }, change(), 0, vec![], "nothing bad has been measured since"),
        // Nobody is told of a leak either.
        (Measured::Nothing { last: now() }, ceiling(), 0, vec![], "nothing bad has been measured since"),
        (Measured::Unknown("AccessDenied".into()), change(), 0, vec!["alarm_unreadable"], ""),
    ] {
        let mut evidence = evidence(incident());
        evidence.measured = measured.clone();
        let (done, told, why) = outcome(&evidence, &config(None), judgement);
        assert_eq!((done.len(), told), (actions, findings), "{measured:?}: {why}");
        assert!(why.contains(said), "{measured:?}: {why}");
    }
}

#[test]
fn an_incident_that_its_alarm_does_not_bear_out_is_no_reason_to_act() {
    let since = now() - TimeDelta::hours(1);
    // (how the alarm stands, whether the incident was closed, what is said)
    for (standing, closed, said) in [
        (Standing::NotAsked, false, "has no open incident"),
        (Standing::Ok(Some(since)), true, "has been OK since"),
        (Standing::Ok(None), false, "has no open incident"),
        (Standing::Gone, true, "no longer exists"),
        (Standing::Silent(since), true, "has had no data since"),
        (Standing::Unreadable("AccessDenied".into()), false, "could not be read from CloudWatch"),
    ] {
        let mut evidence = evidence(Wants::Nothing);
        (evidence.look.standing, evidence.look.closed) = (standing.clone(), closed);
        let (found, is_told) = match evidence.nothing_wanted(Language::En) {
            Some(Judgement::Leave(why)) => (why, false),
            Some(Judgement::Tell("alarm_unreadable", why, _)) => (why, true),
            other => panic!("{standing:?}: {other:?}"),
        };
        assert!(found.contains(said), "{standing:?}: {found}");
        assert_eq!(is_told, matches!(standing, Standing::Unreadable(_)), "{standing:?}");
    }
    assert_eq!(evidence(incident()).nothing_wanted(Language::En), None);
}

#[test]
fn what_another_step_has_under_way_is_waited_for() {
    let other = UnderWay { step: "raise-worker-memory".into(), kind: "set-worker-memory".into(), created_at: now() };
    let mut evidence = evidence(incident());
    evidence.under_way = Some(other.clone());
    let (actions, _, why) = outcome(&evidence, &config(None), change());
    assert!(actions.is_empty() && why.contains("raise-worker-memory has been changing the worker since"), "{why}");
    // A revert waits as well.
    let mut evidence = self::evidence(Wants::Nothing);
    (evidence.under_way, evidence.leases) = (Some(other), vec![lease(600)]);
    let (actions, _, why) = outcome(&evidence, &config(None), Judgement::Leave("quiet".into()));
    assert!(actions.is_empty() && why.contains("waiting for it"), "{why}");
}

#[test]
fn a_lease_in_its_time_or_of_another_worker_is_left_alone() {
    let mut evidence = evidence(Wants::Nothing);
    evidence.leases = vec![Lease { revert_at: now() + TimeDelta::seconds(1), ..lease(600) }];
    let quiet = || Judgement::Leave("quiet".into());
    assert_eq!(outcome(&evidence, &config(None), quiet()), (vec![], vec![], "quiet".to_owned()));

    evidence.leases = vec![Lease { target: "function ai-generation-worker:live".into(), ..lease(600) }];
    let (actions, findings, _) = outcome(&evidence, &config(None), quiet());
    assert_eq!((actions, findings), (vec![], vec!["lease_elsewhere"]));
    let told = plan(&evidence, &config(None), now(), |_| quiet()).findings.remove(0);
    assert_eq!((told.audience, told.often), (Audience::People, Often::ONCE_A_DAY));

    // What fails again and again needs a person.
    evidence.leases = vec![Lease { failures: 2, ..lease(600) }];
    assert_eq!(outcome(&evidence, &config(None), quiet()).0, ["revert-worker {\"timeoutSeconds\":300}"]);
    evidence.leases = vec![Lease { failures: 3, ..lease(600) }];
    let (actions, findings, _) = outcome(&evidence, &config(None), quiet());
    assert_eq!((actions, findings), (vec![], vec!["revert_failed"]));

    // While somebody deploys it waits as well.
    evidence.leases = vec![lease(600)];
    evidence.seen.latest.state = "Pending".into();
    let (actions, _, why) = outcome(&evidence, &config(None), quiet());
    assert!(actions.is_empty() && why.contains("deployment in progress"), "{why}");
}

#[test]
fn a_change_takes_the_place_of_the_lease_and_an_approval_covers_both() {
    let mut evidence = evidence(Wants::Asked { to: None });
    evidence.leases = vec![lease(600)];
    let kinds = |evidence: &Evidence| {
        let plan = plan(evidence, &config(None), now(), |_| change());
        plan.actions.iter().map(|planned| planned.action.kind()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&evidence), ["set-worker-timeout"]);
    evidence.approving = true;
    assert_eq!(kinds(&evidence), ["set-worker-timeout", "revert-worker"]);
}

#[test]
fn a_confirmation_is_all_that_is_done_and_only_once() {
    let mut evidence = evidence(Wants::Asked { to: None });
    evidence.confirm = Some(lease(600));
    evidence.leases = vec![lease(600)];
    let (actions, findings, _) = outcome(&evidence, &config(None), change());
    assert_eq!((actions, findings), (vec!["confirm-lease".to_owned()], vec!["set_in_cdk"]));
    evidence.confirm = Some(Lease { confirmed_at: Some(now()), ..lease(600) });
    let (actions, findings, why) = outcome(&evidence, &config(None), change());
    assert_eq!((actions, findings), (vec![], vec!["set_in_cdk"]));
    assert!(why.contains("already confirmed"), "{why}");
}

#[test]
fn only_what_puts_back_is_an_end_that_no_limit_hinders() {
    let evidence = evidence(incident());
    let change = evidence.change(Some(900), Language::En);
    let revert = evidence.revert(&lease(600), Language::En);
    assert_eq!((change.action.is_end(), revert.action.is_end()), (false, true));
    assert!(Kind::of::<ChangeWorker>().is_told());
    let made: &ChangeWorker = change.action.downcast().unwrap();
    assert_eq!(made.purpose, Purpose::Set { cause: "incident", revert_after: Some(TimeDelta::hours(24)) });
    assert_eq!(change.reason, "alarm remediation-worker-near-timeout has an open incident: from 600 s to 900 s");
}

#[test]
fn a_price_is_of_memory_and_time() {
    // 1 GB for 7 × 3600 s a week is 30 h a month.
    let usd = usd_a_month(1024, 7.0 * 3600.0, 0.0000166667);
    assert!((usd - 1.80).abs() < 0.001, "{usd}");
    assert!(usd_a_month(0, 1e6, 1.0).abs() < f64::EPSILON);
}
