use remediation::gather::state_machine::{Caller, Retries};
use remediation::gather::worker::configuration::Configuration;
use remediation::gather::worker::seen::Seen;
use remediation::run::worker_step::Rules;

use super::*;

fn policy() -> Steps {
    Steps::parse(crate::MANIFEST, Setting::Timeout).unwrap()
}

fn callers(task: Limit, machine: Limit) -> Callers {
    let (timeout, retries) = (task, Retries::default());
    let task = Caller { state: "ExecuteAIGeneration".into(), qualifier: None, timeout, retries };
    Callers { tasks: vec![task], unknown: vec![], machine_timeout: machine }
}

fn evidence(now: Option<u32>, callers: Result<Callers, String>, wants: Wants) -> Evidence {
    let mut latest = Configuration::default();
    latest.timeout_seconds = now;
    latest.memory_mb = Some(1024);
    let seen = Seen { setting: Setting::Timeout, latest, alias: None, value: now };
    let (step, alarm) = ("extend-worker-timeout".to_owned(), "worker-near-timeout");
    let rules = Rules { step, setting: Setting::Timeout, alarm, may_be: policy().may_be() };
    Evidence::new(rules, "function ai-generation-worker".into(), seen, callers, wants)
}

fn incident() -> Wants {
    Wants::Incident("remediation-worker-near-timeout".into())
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
fn one_step_further_within_floor_ceiling_and_what_the_state_machine_waits() {
    use Limit::{None as Endless, Seconds};
    // (now, the task's limit, the machine's, what comes of it)
    for (now, task, machine, expected) in [
        (300, Endless, Endless, Ok(600)),
        (300, Seconds(900), Seconds(1800), Ok(600)),
        (600, Endless, Endless, Ok(900)),
        (700, Endless, Endless, Ok(900)),
        (3, Endless, Endless, Ok(303)),
        (899, Endless, Endless, Ok(900)),
        (900, Endless, Endless, Err("at_ceiling")),
        // Where the task or the machine gives up earlier, that far and no further.
        (240, Seconds(300), Seconds(600), Ok(300)),
        (300, Seconds(450), Endless, Ok(450)),
        (300, Endless, Seconds(450), Ok(450)),
        (300, Seconds(300), Seconds(600), Err("task_timeout_wins")),
        (300, Seconds(200), Seconds(600), Err("task_timeout_wins")),
        (300, Endless, Seconds(300), Err("task_timeout_wins")),
        (300, Limit::Unknown, Endless, Err("callers_unknown")),
        (300, Seconds(900), Limit::Unknown, Err("callers_unknown")),
    ] {
        let evidence = evidence(Some(now), Ok(callers(task, machine)), incident());
        assert_eq!(outcome(&evidence), expected.map_err(str::to_owned), "{now}, {task:?}, {machine:?}");
    }
}

#[test]
fn a_person_names_the_value_and_the_state_machine_still_has_the_last_word() {
    use Limit::{None as Endless, Seconds};
    for (now, to, task, expected) in [
        (300, Some(480), Endless, Ok(480)),
        (300, Some(480), Limit::Unknown, Ok(480)),
        (300, Some(480), Seconds(480), Ok(480)),
        (300, Some(480), Seconds(479), Err("task_timeout_wins")),
        (600, Some(300), Seconds(200), Ok(300)),
        (300, Some(300), Endless, Err("already 300 s")),
        (300, None, Endless, Ok(600)),
        (300, None, Limit::Unknown, Err("callers_unknown")),
    ] {
        let evidence = evidence(Some(now), Ok(callers(task, Endless)), Wants::Asked { to });
        assert_eq!(outcome(&evidence), expected.map_err(str::to_owned), "{now}, {to:?}, {task:?}");
    }
}

#[test]
fn without_an_incident_or_a_person_nothing_is_done() {
    let evidence = evidence(Some(300), Ok(callers(Limit::None, Limit::None)), Wants::Nothing);
    assert_eq!(outcome(&evidence), Err("alarm worker-near-timeout has no open incident".to_owned()));
}

#[test]
fn what_lambda_does_not_tell_is_not_guessed() {
    let evidence = evidence(None, Ok(callers(Limit::None, Limit::None)), incident());
    assert_eq!(outcome(&evidence), Err("Lambda did not return the current value".to_owned()));
}

#[test]
fn the_finding_names_the_state_and_the_value_to_set() {
    for (task, machine, told) in [
        (Limit::Seconds(300), Limit::Seconds(600), "taskTimeout: sfn.Timeout.duration(cdk.Duration.seconds(600))"),
        (Limit::None, Limit::Seconds(300), "more than `timeout: cdk.Duration.seconds(600)` for the state machine"),
    ] {
        let evidence = evidence(Some(300), Ok(callers(task, machine)), incident());
        let Judgement::Tell(_, message, read) = judge(&evidence, &policy(), Language::En) else { panic!("a finding") };
        assert!(message.contains(told), "{message}");
        // That is the one that binds.
        assert_eq!(read["limits"].as_array().map(Vec::len), Some(1), "{read}");
        assert_eq!((&read["states"], &read["wanted"]), (&json!(["ExecuteAIGeneration"]), &json!(600)), "{read}");
    }
}

#[test]
fn every_limit_that_binds_is_named_and_the_deadline_is_one_of_them() {
    use Limit::{None as Endless, Seconds};
    // (now, the task's limit, the machine's, the process's deadline, who wants what, what comes of it, the limits that are named)
    for (now, task, machine, deadline, to, expected, named) in [
        (600, Endless, Endless, Some(1800), None, Ok(900), vec![]),
        (600, Endless, Endless, Some(960), None, Ok(900), vec![]),
        // As far as all of them allow, and it is said what holds it back.
        (600, Endless, Endless, Some(900), None, Ok(840), vec!["PROCESS_DEADLINE_SECONDS=960"]),
        (
            300,
            Seconds(450),
            Seconds(500),
            Some(540),
            None,
            Ok(450),
            vec!["seconds(600)", "PROCESS_DEADLINE_SECONDS=660"],
        ),
        (840, Endless, Endless, Some(900), None, Err("task_timeout_wins"), vec!["PROCESS_DEADLINE_SECONDS=960"]),
        (
            600,
            Seconds(600),
            Seconds(600),
            Some(660),
            None,
            Err("task_timeout_wins"),
            vec!["task ExecuteAIGeneration", "state machine itself", "PROCESS_DEADLINE_SECONDS=960"],
        ),
        (300, Endless, Endless, Some(900), Some(900), Err("task_timeout_wins"), vec!["PROCESS_DEADLINE_SECONDS=960"]),
        (300, Endless, Endless, Some(900), Some(840), Ok(840), vec![]),
        // A shorter one is never in vain.
        (900, Seconds(300), Endless, Some(600), Some(600), Ok(600), vec![]),
    ] {
        let wants = if to.is_some() { Wants::Asked { to } } else { incident() };
        let mut evidence = evidence(Some(now), Ok(callers(task, machine)), wants);
        evidence.process_deadline = deadline;
        let said = match judge(&evidence, &policy(), Language::En) {
            Judgement::Change { bound, .. } => bound.unwrap_or_default(),
            Judgement::Tell(_, said, _) | Judgement::Leave(said) => said,
        };
        assert_eq!(outcome(&evidence), expected.map_err(str::to_owned), "{now} {deadline:?} {to:?}: {said}");
        assert!(named.iter().all(|part| said.contains(part)), "{now} {deadline:?}: {said}");
        assert_eq!(said.is_empty(), named.is_empty(), "{said}");
    }
}

#[test]
fn it_costs_what_the_runs_that_ran_out_of_time_may_take_more() {
    let mut evidence = evidence(Some(300), Ok(callers(Limit::None, Limit::None)), incident());
    // (processes that ran out of time in a week, USD a month at most)
    for (load, usd) in [
        (None, None),
        (Some(0), Some(0.0)),
        // 70 × 300 s × 1 GB × 0.0000166667 USD × 30 / 7
        (Some(70), Some(1.50)),
    ] {
        evidence.load = load.map(|timed_out| Load { ended: 500, average_seconds: Some(60.0), timed_out });
        let Judgement::Change { usd_a_month, .. } = judge(&evidence, &policy(), Language::En) else {
            panic!("a change")
        };
        assert_eq!(usd_a_month.map(|usd| (usd * 100.0).round() / 100.0), usd, "{load:?}");
    }
}

#[test]
fn the_manifest_has_the_guides_numbers_and_none_beyond_lambdas() {
    let Steps { floor, step, ceiling, .. } = policy();
    assert_eq!((floor, step, ceiling), (300, 300, 900));
    for (line, instead, told) in [
        ("ceiling = 900", "ceiling = 901", "`ceiling` must be from the floor, 300, to 900"),
        ("ceiling = 900", "ceiling = 200", "`ceiling` must be"),
        ("floor = 300", "floor = 0", "`floor` must be from 1 to 900"),
        ("step = 300", "step = 0", "`step` must be 1 or more"),
        ("step = 300", "", "missing field `step`"),
    ] {
        let manifest = crate::MANIFEST.replace(&format!("\n{line}\n"), &format!("\n{instead}\n"));
        let error = Steps::parse(&manifest, Setting::Timeout).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}
