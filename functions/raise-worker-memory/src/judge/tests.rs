use remediation::gather::state_machine::{Caller, Callers, Limit, Retries};
use remediation::gather::worker::configuration::Configuration;
use remediation::gather::worker::seen::Seen;
use remediation::run::worker_step::Rules;

use super::*;

fn policy() -> Steps {
    Steps::parse(crate::MANIFEST, Setting::Memory).unwrap()
}

fn evidence(now: Option<u32>, wants: Wants) -> Evidence {
    let mut latest = Configuration::default();
    latest.memory_mb = now;
    let seen = Seen { setting: Setting::Memory, latest, alias: None, value: now };
    let (step, alarm) = ("raise-worker-memory".to_owned(), "worker-memory");
    let rules = Rules { step, setting: Setting::Memory, alarm, may_be: policy().may_be() };
    let (timeout, retries) = (Limit::Seconds(300), Retries::default());
    let task = Caller { state: "ExecuteAIGeneration".into(), qualifier: None, timeout, retries };
    let callers = Callers { tasks: vec![task], unknown: vec![], machine_timeout: Limit::None };
    Evidence::new(rules, "function ai-generation-worker".into(), seen, Ok(callers), wants)
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
fn the_next_step_up_to_the_guides_2048() {
    let incident = || Wants::Incident("remediation-worker-memory".into());
    for (now, expected) in [
        (128, Ok(512)),
        (256, Ok(512)),
        (512, Ok(1024)),
        (600, Ok(1024)),
        (1024, Ok(1536)),
        (1536, Ok(2048)),
        (1769, Ok(2048)),
        (2048, Err("at_ceiling")),
        (10_240, Err("at_ceiling")),
    ] {
        for wants in [incident(), Wants::Asked { to: None }] {
            assert_eq!(outcome(&evidence(Some(now), wants)), expected.map_err(str::to_owned), "{now}");
        }
    }
    assert_eq!(outcome(&evidence(None, incident())), Err("Lambda did not return the current value".to_owned()));
}

#[test]
fn a_person_names_the_value_and_without_person_or_incident_nothing_is_done() {
    for (wants, expected) in [
        (Wants::Asked { to: Some(1769) }, Ok(1769)),
        (Wants::Asked { to: Some(512) }, Ok(512)),
        (Wants::Asked { to: Some(1024) }, Err("already 1024 MB")),
        (Wants::Nothing, Err("alarm worker-memory has no open incident")),
    ] {
        assert_eq!(outcome(&evidence(Some(1024), wants.clone())), expected.map_err(str::to_owned), "{wants:?}");
    }
}

#[test]
fn it_costs_what_every_run_has_more_for_as_long_as_its_process_takes() {
    let mut evidence = evidence(Some(1024), Wants::Asked { to: Some(2048) });
    for (load, usd) in [
        (None, None),
        (Some((0, None)), Some(0.0)),
        // 7000 × 60 s × 1 GB × 0.0000166667 USD × 30 / 7
        (Some((7000, Some(60.0))), Some(30.0)),
    ] {
        evidence.load = load.map(|(ended, average_seconds)| Load { ended, average_seconds, timed_out: 3 });
        let Judgement::Change { usd_a_month, .. } = judge(&evidence, &policy(), Language::En) else {
            panic!("a change")
        };
        assert_eq!(usd_a_month.map(f64::round), usd, "{load:?}");
    }
}

#[test]
fn the_manifest_ends_within_lambdas_own_limit() {
    let Steps { floor, step, ceiling, .. } = policy();
    assert_eq!((floor, step, ceiling), (512, 512, 2048));
    let manifest = crate::MANIFEST.replace("\nceiling = 2048\n", "\nceiling = 10241\n");
    let error = Steps::parse(&manifest, Setting::Memory).unwrap_err().to_string();
    assert!(error.contains("`ceiling` must be from the floor, 512, to 10240"), "{error}");
}
