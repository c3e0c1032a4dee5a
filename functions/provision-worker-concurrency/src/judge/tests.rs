use remediation::gather::state_machine::{Callers, Limit};
use remediation::gather::worker::configuration::{Allocation, Configuration};
use remediation::gather::worker::seen::{Alias, Seen};
use remediation::run::worker_step::Rules;

use super::*;

fn policy() -> Policy {
    Policy::read(include_str!("../../manifest.toml")).unwrap()
}

fn evidence(now: Option<u32>, status: &str, wants: Wants) -> Evidence {
    let mut published = Configuration::default();
    published.memory_mb = Some(1024);
    published.allocation = now.map(|requested| Allocation {
        requested,
        status: status.to_owned(),
        reason: (status == "FAILED").then(|| "FUNCTION_ERROR_INIT_FAILURE".to_owned()),
    });
    let alias = Alias { name: "live".to_owned(), revision_id: None, is_weighted: false, published };
    let (setting, latest) = (Setting::ProvisionedConcurrency, Configuration::default());
    let seen = Seen { setting, latest, alias: Some(alias), value: now };
    let may_be = policy().may_be();
    let rules = Rules { step: "provision-worker-concurrency".into(), setting, alarm: "worker-cold-starts", may_be };
    let callers = Callers { tasks: vec![], unknown: vec![], machine_timeout: Limit::None };
    let worker = worker_step::Evidence::new(rules, "function worker:live".into(), seen, Ok(callers), wants);
    Evidence { worker, reserved: None, unreserved: Some(1000) }
}

fn incident() -> Wants {
    Wants::Incident("remediation-worker-cold-starts".into())
}

/// The new value, or the finding's code, or what is said of leaving it.
fn outcome(evidence: &Evidence) -> Result<u32, String> {
    match judge(evidence, &policy(), Language::En) {
        Judgement::Change { to, .. } => Ok(to.unwrap()),
        Judgement::Tell(code, ..) => Err(code.to_owned()),
        Judgement::Leave(why) => Err(why),
    }
}

#[test]
fn five_more_at_a_time_up_to_the_ceiling_or_what_a_person_names() {
    let asked = |to| Wants::Asked { to };
    // (now, its status, who wants it, what comes of it)
    for (now, status, wants, expected) in [
        (None, "", incident(), Ok(5)),
        (Some(2), "READY", incident(), Ok(7)),
        (Some(5), "READY", incident(), Ok(10)),
        (Some(18), "READY", incident(), Ok(20)),
        (Some(20), "READY", incident(), Err("at_ceiling")),
        (Some(25), "READY", incident(), Err("at_ceiling")),
        (None, "", asked(None), Ok(5)),
        (Some(5), "READY", asked(Some(12)), Ok(12)),
        (Some(12), "READY", asked(Some(12)), Err("already 12")),
        (Some(12), "READY", asked(Some(6)), Ok(6)),
        (Some(12), "FAILED", incident(), Err("allocation_failed")),
        (Some(12), "FAILED", asked(Some(6)), Ok(6)),
        (Some(12), "FAILED", asked(Some(12)), Ok(12)),
        (Some(5), "READY", Wants::Nothing, Err("alarm worker-cold-starts has no open incident")),
    ] {
        let came = outcome(&evidence(now, status, wants.clone()));
        assert_eq!(came, expected.map_err(str::to_owned), "{now:?} {status} {wants:?}");
    }
}

#[test]
fn a_worker_that_is_called_without_an_alias_is_left_with_what_to_do_first() {
    for wants in [incident(), Wants::Asked { to: Some(5) }] {
        let mut read = evidence(None, "", wants);
        read.worker.seen.alias = None;
        assert_eq!(outcome(&read), Err("needs_alias".to_owned()));
    }
}

#[test]
fn no_more_than_function_and_account_have_room_for() {
    let unknown = "Lambda did not return how much concurrency the account has left, so nothing is changed";
    // (now, the function's reserved concurrency, the account's unreserved, what comes of it)
    for (now, reserved, unreserved, expected) in [
        (None, Some(5), Some(100), Ok(5)),
        (None, Some(4), Some(1000), Err("account_limit")),
        (Some(5), Some(9), Some(1000), Err("account_limit")),
        (None, None, Some(105), Ok(5)),
        (None, None, Some(104), Err("account_limit")),
        (Some(5), None, Some(105), Ok(10)),
        (None, None, None, Err(unknown)),
    ] {
        let read = Evidence { reserved, unreserved, ..evidence(now, "READY", incident()) };
        assert_eq!(outcome(&read), expected.map_err(str::to_owned), "{now:?} {reserved:?} {unreserved:?}");
    }
}

#[test]
fn it_costs_what_is_kept_ready_beyond_what_was() {
    let usd = |now, memory_mb| {
        let mut read = evidence(now, "READY", incident());
        read.worker.seen.alias.as_mut().unwrap().published.memory_mb = memory_mb;
        match judge(&read, &policy(), Language::En) {
            Judgement::Change { usd_a_month, .. } => usd_a_month,
            other => panic!("{other:?}"),
        }
    };
    // 5 × 1 GB × 2,592,000 s × 0.0000041667 USD.
    assert!(usd(None, Some(1024)).is_some_and(|usd| (usd - 54.0).abs() < 0.01));
    assert!(usd(Some(18), Some(512)).is_some_and(|usd| (usd - 10.8).abs() < 0.01));
    assert_eq!(usd(None, None), None, "not known");
}
