//! What it decides, as tables.

use chrono::TimeDelta;
use remediation::act::actions::change_worker::{ChangeWorker, Purpose};
use remediation::act::lease::{FAILURES, Lease};
use remediation::domain::Language;
use remediation::gather::state_machine::{Caller, Callers, Limit, Retrier, Retries};
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
        provisioned: None,
        run_seconds: None,
        quiet: Quiet::Unknown,
        cause: None,
        approving: false,
    }
}

fn callers(tasks: Vec<Caller>) -> Callers {
    Callers { tasks, unknown: vec![], machine_timeout: Limit::None }
}

fn task(attempts: u32, seconds: f64) -> Caller {
    let (state, retries) = ("ExecuteAIGeneration".to_owned(), Retries { attempts, seconds, retrier: None });
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
        Judgement::Change { to, usd_a_month, .. } => {
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
        // Nothing that runs asks the model.
        (None, 0, incident(), Err("nothing is running, so there is nothing to throttle")),
        (None, 0, asked(None), Err("nothing is running, so there is nothing to throttle")),
        (Some(20), 0, asked(None), Err("nothing is running, so there is nothing to throttle")),
        (Some(20), 0, asked(Some(7)), Ok(7)),
        (Some(20), 0, incident(), Ok(10)),
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

fn retrier(by_name: bool, interval: f64, rate: f64, at_most: Option<f64>, jitter: bool) -> Retrier {
    Retrier { by_name, interval, rate, at_most, jitter }
}

#[test]
fn the_advice_is_about_the_retrier_that_matches_first() {
    // (the retrier, its attempts, how long runs take, what is advised)
    for (found, attempts, run_seconds, told) in [
        (
            None,
            0,
            None,
            "add `addRetry({ errors: ['Lambda.TooManyRequestsException'], interval: cdk.Duration.seconds(5), maxAttempts: 3,",
        ),
        (Some(retrier(true, 1.0, 2.0, None, false)), 3, None, "change the existing retrier to `maxAttempts: 5`"),
        (
            Some(retrier(true, 1.0, 1.0, None, false)),
            3,
            None,
            "to `interval: cdk.Duration.seconds(5), maxAttempts: 3, backoffRate: 2`",
        ),
        (Some(retrier(true, 1.0, 2.0, Some(2.0), false)), 3, None, "backoffRate: 2; no maxDelay`"),
        (Some(retrier(true, 1.0, 2.0, None, true)), 3, None, "change the existing retrier to `maxAttempts: 6`"),
        (Some(retrier(false, 1.0, 2.0, None, false)), 3, None, "before the existing retrier"),
        // It has to outlast what holds the place.
        (Some(retrier(true, 1.0, 2.0, None, false)), 6, Some(200.0), "(3 min 20 s needed)"),
        (Some(retrier(true, 1.0, 2.0, None, false)), 6, Some(200.0), "`maxAttempts: 8`"),
    ] {
        let seconds = found.map_or(0.0, |found| found.seconds(attempts));
        let mut read = Evidence { run_seconds, ..evidence(Some(20), incident()) };
        let caller = Caller { retries: Retries { attempts, seconds, retrier: found }, ..task(0, 0.0) };
        read.worker.callers = Ok(callers(vec![caller]));
        let Judgement::Tell(code, said, _) = judge::judge(&read, &policy(), Language::En) else { panic!("{found:?}") };
        assert_eq!(code, "not_retried");
        assert!(said.contains(told), "{found:?}: {said}");
    }
    let mut patient = Evidence { run_seconds: Some(100.0), ..evidence(Some(20), incident()) };
    assert_eq!(judged(&patient), Ok(10));
    patient.run_seconds = Some(127.0);
    assert_eq!(judged(&patient), Err("not_retried".to_owned()));
}

#[test]
fn no_less_is_reserved_than_is_kept_ready() {
    // (reserved, kept ready, who wants it, what comes of it)
    for (now, provisioned, wants, expected) in [
        (Some(20), Some(12), incident(), Ok(12)),
        (Some(20), Some(5), incident(), Ok(10)),
        (Some(12), Some(12), incident(), Err("at_floor")),
        (None, Some(10), incident(), Ok(10)),
        (Some(20), Some(5), asked(Some(4)), Err("at_floor")),
        (Some(20), Some(5), asked(Some(5)), Ok(5)),
    ] {
        let read = Evidence { provisioned, ..evidence(now, wants.clone()) };
        assert_eq!(judged(&read), expected.map_err(str::to_owned), "{now:?} {provisioned:?} {wants:?}");
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
