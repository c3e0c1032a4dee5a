//! Starts processes anew whose failure may have passed (guide: 4, AI_ERROR).
//!
//! A retry costs a model call, so it is asked for little: only failures that are known to pass, few times, each at another
//! moment, and one at a time while most of them fail. What does not pass is told once.

mod backoff;
mod breaker;
mod judge;
mod policy;
mod texts;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::resolve_retry::ResolveRetry;
use remediation::act::actions::retry_process::probe::ProbeState;
use remediation::act::actions::retry_process::{RetryCause, RetryProcess};
use remediation::act::ledger::facts;
use remediation::act::ledger::told;
use remediation::decide::Look;
use remediation::domain::{Execution, Language, ProcessId, Words};
use remediation::failure::UNKNOWN;
use remediation::failure::cause::Cause;
use remediation::failure::transient::is_transient;
use remediation::gather;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::manifest::Manifest;
use remediation::gather::processes::case::{self, Case, Newest};
use remediation::gather::processes::list::{is_listed_lately, list_lately};
use remediation::gather::processes::look_up::look_up_endings;
use remediation::gather::processes::sweep::Filter;
use remediation::gather::trigger::AlarmState;
use remediation::run::step::{Audience, Finding, Kind, Often, Plan, Planned, Question, Session, Skipped, Step};
use remediation::run::texts as common;
use serde_json::json;
use sqlx::Row;
use tokio::time::Instant;

use crate::breaker::{Allowed, Breaker, Closed};
use crate::judge::{History, Judgement, Left, judge, wants_ending};
use crate::policy::Policy;

const PERMANENT: &str = "permanent_failure";
const EXHAUSTED: &str = "attempts_exhausted";

/// What a retry needs after it is due: it must not begin when its run has to end.
const TO_START: Duration = Duration::from_secs(5);

struct RetryFailedProcesses;

struct Evidence {
    processes: case::Evidence,
    /// Whether a newer execution than the newest that is known would have been seen.
    listed: bool,
    histories: HashMap<ProcessId, History>,
    closed: Closed,
    probe: Option<ProbeState>,
    policy: Policy,
    tries_a_day: u32,
    /// Until when this run can wait for what is due.
    wait_until: DateTime<Utc>,
}

impl Step for RetryFailedProcesses {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<RetryProcess>(), Kind::of::<ResolveRetry>()];

    const ALARM_STATES: &'static [AlarmState] = &[AlarmState::Ok];

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let policy = Policy::parse(self.manifest())?;
        let manifest = Manifest::parse(self.manifest())?;
        let (mut processes, listed) = failed(session, question).await?;
        let histories = histories(session, &manifest.name, &processes.cases).await?;
        let a_quarter = session.stop_at.saturating_duration_since(Instant::now()) / 4;
        let words = session.config.policy.words;
        let wanted =
            |case: &Case| histories.get(&case.process.id).is_some_and(|history| wants_ending(case, history, words));
        leave_to_people(session, &manifest.name, &mut processes.cases, wanted).await?;
        let until = session.stop_at - a_quarter;
        let refused = look_up_endings(session, &mut processes.cases, wanted, until).await?;
        processes.findings.extend(refused);

        let deadline = session.config.policy.process_deadline;
        let probe = RetryProcess::last_probe(session.db, &manifest.name)
            .await
            .map_err(Error::database("reading the last probe"))?;
        let probe = probe.map(|probe| probe.state(deadline, session.now));
        let closed = closed(session, breaker::since(probe, session.now)).await?;
        let left = session.stop_at.saturating_duration_since(Instant::now()).saturating_sub(TO_START);
        let wait_until = Utc::now() + TimeDelta::from_std(left).unwrap_or_default();
        let tries_a_day = manifest.limits.attempts_per_target;
        Ok(Evidence { processes, listed, histories, closed, probe, policy, tries_a_day, wait_until })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan(evidence, config, now)
    }
}

/// The processes that a question is about, and whether the newest execution that is known of each is its newest.
async fn failed(session: &mut Session<'_>, question: &Question) -> Result<(case::Evidence, bool), Error> {
    let arn = match question {
        Question::Sweep(_) => {
            let evidence = gather::processes::read(session, question, Filter::LatelyFailed).await?;
            let listed = is_listed_lately(&evidence, session.config, session.now);
            return Ok((evidence, listed));
        }
        Question::Again(_) => {
            let listed = match list_lately(session).await {
                Ok(all) => all,
                Err(Error::Aws { .. }) => false,
                Err(error) => return Err(error),
            };
            return Ok((gather::processes::read(session, question, Filter::LatelyFailed).await?, listed));
        }
        Question::Process(_) => {
            return Ok((gather::processes::read(session, question, Filter::LatelyFailed).await?, true));
        }
        Question::Execution(arn) => arn,
        Question::Change(change) => &change.execution.arn,
    };
    session.step_functions.own(arn, session.config.language)?;
    let seen = session.step_functions.describe(arn, &session.config.result_path).await?;
    let Some(process) = seen.process else {
        return Err(Error::Refused(common::process_unknown(session.config.language, arn.name())));
    };
    Ok((gather::processes::read(session, &Question::Process(process), Filter::LatelyFailed).await?, true))
}

/// What decides beside rows and executions.
async fn histories(
    session: &mut Session<'_>,
    step: &str,
    cases: &[Case],
) -> Result<HashMap<ProcessId, History>, Error> {
    let reading = "reading what was done about failed processes";
    let table = session.table().await?;
    let targets: Vec<String> = cases.iter().map(|case| case.process.id.to_string()).collect();
    let facts = facts::facts(session.db, step, RetryFailedProcesses::KINDS, &targets).await?;
    let rows = sqlx::query(table.sql(include_str!("history.sql")))
        .bind(cases.iter().map(|case| case.process.id.to_string()).collect::<Vec<_>>())
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database(reading))?;
    // What was undone rests as long as its attempt.
    let attempt = |case: &Case| match &case.newest {
        Newest::Known(Some(newest)) => newest.attempt_started_at(),
        Newest::Known(None) | Newest::Unknown(_) => case.process.created_at,
    };
    let attempts: HashMap<ProcessId, DateTime<Utc>> =
        cases.iter().map(|case| (case.process.id, attempt(case))).collect();
    rows.iter()
        .map(|row| {
            let count =
                |column: &str| row.try_get::<i64, _>(column).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
            let id = row
                .try_get::<&str, _>("id")?
                .parse::<ProcessId>()
                .map_err(|error| sqlx::Error::Decode(error.into()))?;
            let target = facts.targets.get(&id.to_string()).cloned().unwrap_or_default();
            let history = History {
                message: row.try_get("message")?,
                superseded: row.try_get("superseded")?,
                executions: count("executions")?,
                retries: count("retries")?,
                busy: row.try_get("busy")?,
                tried_today: target.attempts,
                undone: target.undone.is_some_and(|undone| attempts.get(&id).is_some_and(|attempt| *attempt <= undone)),
            };
            Ok((id, history))
        })
        .collect::<Result<_, sqlx::Error>>()
        .map_err(Error::database(reading))
}

/// What people were told of since it failed is not asked for again, but for a person who asks: every sweep of a day meets it.
async fn leave_to_people(
    session: &mut Session<'_>,
    step: &str,
    cases: &mut [Case],
    wanted: impl Fn(&Case) -> bool,
) -> Result<(), Error> {
    let mut wanted: Vec<&mut Case> = cases.iter_mut().filter(|case| wanted(case)).collect();
    let since = wanted.iter().map(|case| case.process.closed_at()).min();
    let Some(since) = since.filter(|_| !session.trigger.is_by_person()) else { return Ok(()) };
    let mut told = told::told(session.db, step, since, &[PERMANENT, EXHAUSTED]).await?;
    told.sort_by_key(|told| told.at);
    let told: HashMap<String, DateTime<Utc>> = told.into_iter().map(|told| (told.target, told.at)).collect();
    for case in &mut wanted {
        let at = told.get(&case.process.id.to_string());
        if at.is_some_and(|at| *at > case.process.closed_at()) {
            case.newest = Newest::Unknown(common::told_already(session.config.language));
        }
    }
    Ok(())
}

/// What was closed since then, and how much of it by failures that may pass.
async fn closed(session: &mut Session<'_>, since: DateTime<Utc>) -> Result<Closed, Error> {
    /// Whether they failed, code, message, the execution's error; how many they are.
    type Group = (bool, Option<String>, Option<String>, Option<String>, i64);
    let table = session.table().await?;
    let groups: Vec<Group> = sqlx::query_as(table.sql(include_str!("closed.sql")))
        .bind(since)
        .bind(UNKNOWN)
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database("counting what was closed lately"))?;
    let mut closed = Closed::default();
    for (failed, code, message, error, count) in groups {
        closed.all += count;
        if failed && is_transient(code.as_deref(), message.as_deref(), error.as_deref(), session.config.policy.words) {
            closed.transient += count;
        }
    }
    Ok(closed)
}

/// A process that may be tried once more, before the breaker has had its say.
struct Candidate<'a> {
    case: &'a Case,
    basis: &'a Execution,
    attempts: u32,
    due: DateTime<Utc>,
}

fn plan(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
    let Evidence { processes, policy, histories, .. } = evidence;
    let language = config.language;
    let mut plan = Plan {
        findings: processes.findings.clone(),
        population: processes.population,
        cursor: processes.cursor.clone(),
        unfinished: processes.unfinished.clone(),
        ..Plan::default()
    };
    let mut candidates = Vec::new();
    for case in &processes.cases {
        let Some(history) = histories.get(&case.process.id) else { continue };
        let judgement = judge(case, history, policy, evidence.tries_a_day, &config.policy, now);
        let skipped = |why: String| Skipped::new(case.process.id.to_string(), why);
        match (judgement, &case.newest) {
            (Judgement::Retry { attempts, throttled }, Newest::Known(Some(basis))) if evidence.listed => {
                // A crowd that an outage held back is spread from now on; one process, from when it failed.
                let base = if case.look == Look::Event { case.process.closed_at() } else { now };
                let due = base + backoff::delay(policy, case.process.id, attempts - 1, throttled);
                candidates.push(Candidate { case, basis, attempts, due });
            }
            (Judgement::Retry { .. }, _) => plan.skipped.push(skipped(texts::not_listed_lately(language))),
            (Judgement::Permanent, _) => {
                let (code, message) = (case.process.error_code.as_deref(), history.message.as_deref());
                // A row without a code of its own is told by its execution's error.
                let newest = if let Newest::Known(newest) = &case.newest { newest.as_ref() } else { None };
                let code = code.or_else(|| newest.and_then(judge::error_of));
                let told = texts::permanent_failure(language, code, message);
                plan.findings.push(finding(PERMANENT, told, case, history, config.policy.words));
            }
            (Judgement::Exhausted { attempts }, _) => {
                let (code, message) = (case.process.error_code.as_deref(), history.message.as_deref());
                let told = texts::attempts_exhausted(language, attempts, code, message);
                plan.findings.push(finding(EXHAUSTED, told, case, history, config.policy.words));
            }
            (Judgement::Leave(left @ Left::TriedToday(_)), _) => {
                plan.skipped.push(skipped(why_left(language, left)));
                let target = case.process.id.to_string();
                let told = common::used_up(language, &target);
                let finding = Finding::new("attempts_used_up", target, told, json!(null));
                plan.findings.push(finding.told(Audience::People, Often::ONCE_A_DAY));
            }
            (Judgement::Leave(left), _) => plan.skipped.push(skipped(why_left(language, left))),
        }
    }
    // Who is due first is tried first: nobody waits behind one who waits longer.
    candidates.sort_by_key(|candidate| (candidate.due, candidate.case.process.id));
    let breaker = breaker::breaker(evidence.closed, evidence.probe, policy, now);
    for (place, candidate) in candidates.into_iter().enumerate() {
        match try_again(&candidate, place == 0, breaker, evidence, config, now) {
            Ok(planned) => plan.actions.push(planned),
            Err(why) => plan.skipped.push(Skipped::new(candidate.case.process.id.to_string(), why)),
        }
    }
    plan
}

/// The action for a candidate, or why it has to wait.
fn try_again(
    candidate: &Candidate<'_>,
    first: bool,
    breaker: Breaker,
    evidence: &Evidence,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<Planned, String> {
    let Candidate { case, basis, attempts, due } = *candidate;
    let language = config.language;
    let by_person = case.look == Look::Event;
    let code = case.process.error_code.as_deref();
    let retried = texts::retried(language, attempts + 1, evidence.policy.attempts, code, basis.arn.name());
    let (cause, reason) = match breaker {
        Breaker::Closed => (RetryCause::Transient, retried),
        Breaker::Open { percent, probe } => match probe {
            Allowed::Now if first => (RetryCause::Probe, texts::probed(language, percent, &retried)),
            Allowed::From(_) if by_person => (RetryCause::Probe, texts::probed(language, percent, &retried)),
            Allowed::From(at) => return Err(texts::waits_after_probe(language, percent, at - now)),
            Allowed::Now | Allowed::UnderWay => return Err(texts::waits_for_probe(language, percent)),
        },
    };
    if due > evidence.wait_until {
        return Err(texts::due_later(language, due - now));
    }
    let action = RetryProcess {
        process: case.process.clone(),
        basis: basis.clone(),
        attempt: attempts + 1,
        cause,
        not_before: due,
    };
    Ok(Planned::new(action, reason))
}

/// What needs a person: people hear of each failure once.
fn finding(code: &'static str, message: String, case: &Case, history: &History, words: &Words) -> Finding {
    let evidence = json!({
        "status": case.process.status,
        "code": case.process.error_code,
        "message": history.message,
        "attempts": judge::attempts(case, history),
        "executionArn": match &case.newest {
            Newest::Known(Some(newest)) => Some(&newest.arn),
            Newest::Known(None) | Newest::Unknown(_) => None,
        },
    });
    // What a user wrote, the user has been told.
    let row_code = case.process.error_code.as_deref();
    let is_users_fault = Cause::of(row_code, history.message.as_deref(), None, words) == Cause::Validation;
    let audience = if is_users_fault { Audience::Nobody } else { Audience::People };
    let finding = Finding::new(code, case.process.id.to_string(), message, evidence);
    finding.told(audience, Often::Once(case.process.closed_at()))
}

fn why_left(language: Language, left: Left) -> String {
    match left {
        Left::NotFailed(status) => texts::row_not_failed(language, status),
        Left::ClosedByPerson => texts::closed_by_person(language),
        Left::StoppedByPerson => texts::stopped_by_person(language),
        Left::HasResult => texts::failed_with_result(language),
        Left::Superseded => texts::superseded(language),
        Left::Busy => common::busy(language),
        Left::Undone => common::undone(language),
        Left::TriedToday(attempts) => common::attempts(language, attempts),
        Left::NoExecution => texts::no_execution(language),
        Left::NotLookedUp(why) => texts::not_looked_up(language, &why),
        Left::Running => texts::execution_not_over(language),
        Left::Succeeded => texts::execution_succeeded(language),
        Left::Settling(left) => texts::failed_just_now(language, left),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(RetryFailedProcesses).await
}

#[cfg(test)]
mod tests;
