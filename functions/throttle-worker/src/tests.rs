//! What it decides, as tables.

use chrono::TimeDelta;
use remediation::act::actions::change_worker::{ChangeWorker, Purpose};
use remediation::act::lease::{FAILURES, Lease};
use remediation::domain::Language;
use remediation::gather::state_machine::{Caller, Callers, Limit, Retries};
use remediation::gather::worker::configuration::Configuration;
use remediation::gather::worker::seen::Seen;
use remediation::run::worker_step::{Judgement, Wants};
use uuid::Uuid;

use super::*;

const NOW: DateTime<Utc> = DateTime::from_timestamp(1_795_482_000, 0).unwrap();
const TARGET: &str = "function ai-generation-worker";
const LEASE: Uuid = Uuid::from_u128(7);

fn policy() -> Policy {
    Policy::read(MANIFEST).unwrap()
}

fn evidence(now: Option<u32>, wants: Wants) -> Evidence {
    let latest = Configuration::default();
    let seen = Seen { setting: Setting::ReservedConcurrency, latest, alias: None, value: now };
    let may_be = policy().floor..=policy().ceiling;
    let rules = Rules { step: STEP.to_owned(), setting: Setting::ReservedConcurrency, alarm: ALARM, may_be };
    Evidence {
        worker: worker_step::Evidence::new(rules, TARGET.to_owned(), seen, Ok(callers(vec![task(6, 126.0)])), wants),
        running: 12,
        unreserved: Some(900),
        quiet: Quiet::Unknown,
        cause: None,
        approving: false,
    }
}

fn callers(tasks: Vec<Caller>) -> Callers {
    Callers { tasks, unknown: vec![], machine_timeout: Limit::None }
}

fn task(attempts: u32, seconds: f64) -> Caller {
    let (state, retries) = ("ExecuteAIGeneration".to_owned(), Retries { attempts, seconds });
    Caller { state, qualifier: None, timeout: Limit::None, retries }
}

fn incident() -> Wants {
    Wants::Incident("remediation-bedrock-throttles".to_owned())
}

fn asked(to: Option<u32>) -> Wants {
    Wants::Asked { to }
}

/// The new value, or the finding's code, or what is said of leaving it.
fn judged(evidence: &Evidence) -> Result<u32, String> {
    match judge::judge(evidence, &policy(), Language::En) {
        Judgement::Change { to, usd_a_month } => {
            assert_eq!(usd_a_month, Some(0.0), "it costs nothing");
            Ok(to.unwrap())
        }
        Judgement::Tell(code, ..) => Err(code.to_owned()),
        Judgement::Leave(why) => Err(why),
    }
}

#[test]
fn each_step_is_half_of_what_there_was_and_never_a_halt() {
    // (reserved, executions that run, who wants it, what comes of it)
    for (now, running, wants, expected) in [
        (Some(20), 3, incident(), Ok(10)),
        (Some(5), 3, incident(), Ok(2)),
        (Some(2), 3, incident(), Ok(1)),
        (Some(1), 3, incident(), Err("at_floor")),
        // Nothing reserved: from what runs.
        (None, 12, incident(), Ok(6)),
        (None, 1, incident(), Ok(1)),
        (None, 0, incident(), Ok(1)),
        (Some(20), 3, asked(None), Ok(10)),
        (Some(20), 3, asked(Some(7)), Ok(7)),
        (Some(20), 3, asked(Some(20)), Err("already 20")),
        (
            Some(0),
            3,
            incident(),
            Err("its reserved concurrency is 0: a person has stopped the worker, so it is left unchanged"),
        ),
        (
            Some(0),
            3,
            asked(Some(5)),
            Err("its reserved concurrency is 0: a person has stopped the worker, so it is left unchanged"),
        ),
        (Some(20), 3, Wants::Nothing, Err("alarm bedrock-throttles has no open incident")),
    ] {
        let read = Evidence { running, ..evidence(now, wants.clone()) };
        assert_eq!(judged(&read), expected.map_err(str::to_owned), "{now:?} {running} {wants:?}");
    }
}

#[test]
fn concurrency_is_lowered_only_where_what_lambda_refuses_is_tried_again() {
    let unknown = || Err("AccessDeniedException".to_owned());
    // (how the tasks try again, who wants it, what comes of it)
    for (throttled, wants, expected) in [
        (Ok(vec![task(6, 126.0)]), incident(), Ok(10)),
        (Ok(vec![task(3, 30.0)]), incident(), Ok(10)),
        (Ok(vec![task(2, 3.0)]), incident(), Err("not_retried")),
        (Ok(vec![task(0, 0.0)]), incident(), Err("not_retried")),
        (Ok(vec![task(6, 126.0), task(0, 0.0)]), incident(), Err("not_retried")),
        (Ok(vec![task(0, 0.0)]), asked(None), Err("not_retried")),
        (
            unknown(),
            incident(),
            Err(
                "it is unknown whether the state machine retries rejected calls (AccessDeniedException), so nothing is changed",
            ),
        ),
        // A person who names a number has decided.
        (Ok(vec![task(0, 0.0)]), asked(Some(4)), Ok(4)),
        (unknown(), asked(Some(4)), Ok(4)),
    ] {
        let mut read = evidence(Some(20), wants.clone());
        read.worker.callers = throttled.clone().map(callers);
        assert_eq!(judged(&read), expected.map_err(str::to_owned), "{throttled:?} {wants:?}");
    }
}

#[test]
fn reserving_leaves_the_account_what_aws_demands() {
    // (reserved, unreserved in the account, who wants it, what comes of it)
    for (now, unreserved, wants, expected) in [
        (None, Some(106), incident(), Ok(6)),
        (None, Some(105), incident(), Err("account_limit")),
        (None, Some(10), incident(), Err("account_limit")),
        (
            None,
            None,
            incident(),
            Err("Lambda did not return how much concurrency the account has left, so nothing is changed"),
        ),
        // Less than before leaves more.
        (Some(20), Some(100), incident(), Ok(10)),
        (Some(20), Some(110), asked(Some(30)), Ok(30)),
        (Some(20), Some(110), asked(Some(31)), Err("account_limit")),
    ] {
        let read = Evidence { unreserved, ..evidence(now, wants.clone()) };
        assert_eq!(judged(&read), expected.map_err(str::to_owned), "{now:?} {unreserved:?} {wants:?}");
    }
}

fn lease(before: Option<u32>, after: u32) -> Lease {
    let setting = Setting::ReservedConcurrency;
    Lease {
        action_id: LEASE,
        step: STEP.to_owned(),
        kind: setting.kind().to_owned(),
        target: TARGET.to_owned(),
        before: setting.image(before),
        after: setting.image(Some(after)),
        revert_at: NOW + TimeDelta::hours(20),
        confirmed_at: None,
        ended_at: None,
        ended: None,
        failures: 0,
    }
}

/// What raising comes to: the value, and whether that puts back what people had.
fn raised(evidence: &Evidence) -> Result<Option<(Option<u32>, bool)>, String> {
    let planned = recover::recover(evidence, &policy(), Language::En, NOW)?;
    Ok(planned.map(|planned| {
        let change: &ChangeWorker = planned.action.downcast().unwrap();
        let puts_back = match change.purpose {
            Purpose::Revert(of) => {
                assert_eq!(of, LEASE);
                true
            }
            Purpose::Set { cause, revert_after } => {
                assert_eq!((cause, revert_after), ("recovered", Some(TimeDelta::hours(20))), "when it would have been");
                false
            }
        };
        (change.to, puts_back)
    }))
}

#[test]
fn once_it_is_quiet_concurrency_goes_up_step_by_step_to_exactly_what_it_was() {
    // (what people had, now, executions that run, what comes of it)
    for (before, now, running, expected) in [
        (Some(20), 2, 30, (Some(4), false)),
        (Some(20), 5, 30, (Some(10), false)),
        (Some(20), 10, 30, (Some(20), true)),
        (Some(15), 10, 30, (Some(15), true)),
        (Some(3), 1, 0, (Some(2), false)),
        // Nothing was reserved: until nothing that runs is held back any more.
        (None, 1, 12, (Some(2), false)),
        (None, 6, 13, (Some(12), false)),
        (None, 6, 12, (None, true)),
        (None, 1, 0, (None, true)),
    ] {
        let mut read = Evidence { running, quiet: Quiet::Now, ..evidence(Some(now), Wants::Nothing) };
        read.cause = Some("incident".to_owned());
        read.worker.leases = vec![lease(before, now)];
        assert_eq!(raised(&read), Ok(Some(expected)), "{before:?} {now} {running}");
    }
}

#[test]
fn nothing_goes_up_before_it_is_quiet_or_against_a_persons_will() {
    let ready = |quiet, cause: &str| {
        let mut read = Evidence { quiet, cause: Some(cause.to_owned()), ..evidence(Some(5), Wants::Nothing) };
        read.worker.leases = vec![lease(Some(20), 5)];
        read
    };
    let minutes = |minutes| Quiet::Since(NOW - TimeDelta::minutes(minutes));
    let wait = "concurrency is raised again once the alarm has been OK for 15 min";
    let persons = "this concurrency was set by a person: left unchanged until its lease expires";
    for (quiet, cause, expected) in [
        (Quiet::Now, "incident", Ok(true)),
        (minutes(15), "incident", Ok(true)),
        (minutes(15), "recovered", Ok(true)),
        (minutes(14), "incident", Err(wait)),
        (Quiet::Unknown, "incident", Err(wait)),
        (Quiet::Now, "asked", Err(persons)),
    ] {
        let came = raised(&ready(quiet, cause)).map(|raised| raised.is_some());
        assert_eq!(came, expected.map_err(str::to_owned), "{quiet:?} {cause}");
    }
    // A person is asked to look instead, as with a lease that is over.
    let mut failing = ready(Quiet::Now, "incident");
    failing.worker.leases[0].failures = FAILURES;
    assert!(raised(&failing).unwrap_err().contains("3 times"));
    // While it lasts, with nothing of ours, or where somebody has changed it since.
    let mut lasts = ready(Quiet::Now, "incident");
    lasts.worker.wants = incident();
    let mut nothing = ready(Quiet::Now, "incident");
    nothing.worker.leases.clear();
    let mut changed = ready(Quiet::Now, "incident");
    changed.worker.seen.value = Some(8);
    for read in [lasts, nothing, changed] {
        assert_eq!(raised(&read), Ok(None));
    }
}
