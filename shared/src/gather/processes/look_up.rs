//! What only Step Functions can tell of processes: asked one by one and paced.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::Instant;

use crate::decide::{Closing, Verdict, decide};
use crate::domain::{DEADLINE_ERROR, Ending, Execution, ExecutionArn, ExecutionStatus, Language, ProcessId, Words};
use crate::failure;
use crate::finding::{Audience, Finding, Often};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::executions;
use crate::gather::processes::case::{Case, Link, Newest};
use crate::gather::processes::list::CLOCK_SKEW;
use crate::gather::session::Session;
use crate::gather::step_functions::{Seen, StepFunctions};
use crate::gather::texts;

/// How far the looking up came. The cases that it did not reach are unknown.
#[derive(Debug, Default)]
pub(crate) struct LookedUp {
    /// What Step Functions refused, if it did.
    pub refused: Option<Error>,
    /// How many cases there was no time for.
    pub left: usize,
    /// What is to be told of single executions that could not be looked up.
    pub findings: Vec<Finding>,
}

/// What is looked up, and how.
pub(crate) struct Ask<'a> {
    /// How far back the list of executions was read: only then is "none" known to be none.
    pub since: Option<DateTime<Utc>>,
    /// What Step Functions has refused before: it is not asked any more then.
    pub refused: Option<Error>,
    /// Executions that are known well enough.
    pub known: Option<&'a HashSet<ExecutionArn>>,
    /// When what is not looked up yet is left.
    pub stop_at: Instant,
}

impl Ask<'_> {
    /// Whatever is wanted, without the list.
    pub(crate) const fn until(stop_at: Instant) -> Self {
        Self { since: None, refused: None, known: None, stop_at }
    }
}

/// So many executions that are refused one after the other are no longer about these executions: the role lacks the permission as such.
const REFUSED_IN_A_ROW: usize = 5;

/// Bytes of results that are kept in memory at once: an execution's output may be 256 KiB.
const RESULTS_AT_ONCE: usize = 32 << 20;

/// How long Step Functions remembers an execution that is over.
const REMEMBERED: TimeDelta = TimeDelta::days(90);

/// Looks up, one by one and paced, what the database cannot tell.
pub(crate) async fn look_up(
    session: &mut Session<'_>,
    cases: &mut [Case],
    Ask { since, refused, known, stop_at }: Ask<'_>,
) -> Result<LookedUp, Error> {
    let (config, now) = (session.config, session.now);
    let language = config.language;
    let unlisted = refused.as_ref().map_or_else(|| texts::not_listed(language), |error| error.told(language));
    for case in cases.iter_mut().filter(|case| is_unseen(case)) {
        let is_listed = since.is_some_and(|since| since <= case.process.created_at - CLOCK_SKEW);
        // What another state machine runs is in no list.
        if !is_listed || !session.step_functions.lists_all() {
            case.newest = Newest::Unknown(unlisted.clone());
        }
    }
    if refused.is_some() {
        leave_unknown(cases, config, None, now, &unlisted);
        return Ok(LookedUp { refused, ..LookedUp::default() });
    }
    let mut alone: Vec<Refused> = Vec::new();
    let (mut in_a_row, mut results) = (0, 0);
    for at in 0..cases.len() {
        if !is_asked(&cases[at], config, known, now) {
            continue;
        }
        if Instant::now() >= stop_at || results >= RESULTS_AT_ONCE {
            let left = leave_unknown(&mut cases[at..], config, known, now, &texts::no_time_left(language));
            return Ok(LookedUp { left, findings: findings(&alone, config), ..LookedUp::default() });
        }
        match complete(session, &mut cases[at]).await {
            Ok(()) => {
                in_a_row = 0;
                results += result_of(&cases[at]);
            }
            Err(error) if error.is_about_the_target() && in_a_row + 1 < REFUSED_IN_A_ROW => {
                in_a_row += 1;
                alone.extend(refused_alone(&mut cases[at], &error, config, now));
            }
            Err(error) => {
                let refused = recoverable(error)?;
                let why = refused.as_ref().map(|error| error.told(language)).unwrap_or_default();
                leave_unknown(&mut cases[at..], config, known, now, &why);
                // What refuses them all is told once.
                return Ok(LookedUp { refused, findings: findings(&alone, config), ..LookedUp::default() });
            }
        }
    }
    Ok(LookedUp { findings: findings(&alone, config), ..LookedUp::default() })
}

/// The length of the result that was read of a case.
fn result_of(case: &Case) -> usize {
    let Newest::Known(Some(Execution { ending: Some(ending), .. })) = &case.newest else { return 0 };
    ending.result.as_ref().map_or(0, |result| result.text().len())
}

/// An execution that could not be looked up, and why.
pub(crate) struct Refused {
    target: String,
    /// Step Functions does not know it, although it is younger than what Step Functions forgets.
    gone: bool,
    why: String,
}

/// Leaves a case undecided whose own execution could not be looked up.
pub(crate) fn refused_alone(case: &mut Case, error: &Error, config: &Config, now: DateTime<Utc>) -> Option<Refused> {
    let Newest::Known(Some(execution)) = &case.newest else { return None };
    let gone = error.is_execution_gone();
    let why = if gone {
        let age = now - execution.started_at;
        texts::gone_too_young(config.language, execution.arn.as_str(), age)
    } else {
        error.told(config.language)
    };
    let target = execution.arn.to_string();
    case.newest = Newest::Unknown(why.clone());
    Some(Refused { target, gone, why })
}

/// What is told of executions that could not be looked up: a few by name, the rest by number.
pub(crate) fn findings(refused: &[Refused], config: &Config) -> Vec<Finding> {
    const NAMED: usize = 10;
    let of = |code, target: &str, message: String| {
        Finding::new(code, target, message, json!({ "count": refused.len() })).told(Audience::People, Often::ONCE_A_DAY)
    };
    let named = refused.iter().take(NAMED).map(|Refused { target, gone, why }| {
        let code = if *gone { "execution_gone_too_soon" } else { "execution_unreadable" };
        of(code, target, texts::left_alone(config.language, why))
    });
    let left = refused.len().saturating_sub(NAMED);
    let rest = (left > 0).then(|| {
        of("execution_unreadable", "Step Functions", texts::more_unreadable_executions(config.language, left))
    });
    named.chain(rest).collect()
}

/// Whether a row that needs an execution has none that is known: there may be one all the same.
pub(crate) fn is_unseen(case: &Case) -> bool {
    case.link == Link::Told && matches!(case.newest, Newest::Known(None)) && case.process.status.is_open()
}

/// Leaves those undecided that still want to be looked up; how many they are.
fn leave_unknown(
    cases: &mut [Case],
    config: &Config,
    known: Option<&HashSet<ExecutionArn>>,
    now: DateTime<Utc>,
    why: &str,
) -> usize {
    let mut left = 0;
    for case in cases.iter_mut().filter(|case| is_asked(case, config, known, now)) {
        case.newest = Newest::Unknown(why.to_owned());
        left += 1;
    }
    left
}

/// Whether a case is looked up: it wants that, and is not among those that are known well enough.
fn is_asked(case: &Case, config: &Config, known: Option<&HashSet<ExecutionArn>>, now: DateTime<Utc>) -> bool {
    let is_known = |known: &HashSet<_>| case.newest.running().is_some_and(|execution| known.contains(&execution.arn));
    wants_look_up(case, config, now) && !known.is_some_and(is_known)
}

fn is_certain(ending: &Ending, words: &Words) -> bool {
    failure::is_certain(ending.error.as_deref(), ending.cause.as_deref(), words)
}

/// Whether only Step Functions can tell what is to be done.
pub(super) fn wants_look_up(case: &Case, config: &Config, now: DateTime<Utc>) -> bool {
    let Newest::Known(newest) = &case.newest else { return false };
    if case.link == Link::Unseen {
        return true;
    }
    let decision = decide(&case.process, newest.as_ref(), case.look, &config.policy, now);
    match (decision.verdict, newest) {
        (Verdict::Inspect, _) => true,
        // It may be over, and the event that said so was lost. The list has told of those that started lately.
        (Verdict::Leave | Verdict::Stop(_), Some(execution)) => {
            !execution.status.is_over()
                && now - execution.attempt_started_at() > config.policy.of(&case.process).process_deadline
        }
        (Verdict::Close(Closing::Failed), Some(execution)) => says_nothing(execution, config.policy.words),
        (Verdict::Close(_), _) | (Verdict::Leave | Verdict::Stop(_), None) => false,
    }
}

/// Whether the words that an execution failed with are only a `Fail` state's. What an output says of its failure is all there is: no task
/// of it failed.
fn says_nothing(execution: &Execution, words: &Words) -> bool {
    let ending = execution.ending.as_ref();
    execution.status != ExecutionStatus::Succeeded && ending.is_some_and(|ending| !is_certain(ending, words))
}

/// Describes a case's execution where that is wanted, and reads the task that led to its end where its own words say nothing.
pub(crate) async fn complete(session: &mut Session<'_>, case: &mut Case) -> Result<(), Error> {
    let (config, now) = (session.config, session.now);
    let verdict = |case: &Case| match &case.newest {
        Newest::Known(newest) => decide(&case.process, newest.as_ref(), case.look, &config.policy, now).verdict,
        Newest::Unknown(_) => Verdict::Leave,
    };
    if !wants_look_up(case, config, now) {
        return Ok(());
    }
    if verdict(case) != Verdict::Close(Closing::Failed)
        && let Newest::Known(Some(execution)) = &mut case.newest
    {
        let owner = (case.link != Link::Told).then_some(case.process.id);
        *execution = described(session, (case.process.id, owner), execution).await?;
        if case.link == Link::Unseen {
            case.link = Link::Named(execution.arn.clone());
        }
    }
    if verdict(case) == Verdict::Close(Closing::Failed)
        && let Newest::Known(Some(execution)) = &mut case.newest
        && says_nothing(execution, config.policy.words)
        && let Execution { arn, ending: Some(ending), .. } = execution
        && let Some(of_task) = task_ending(session.step_functions, arn, ending).await?
        && is_certain(&of_task, config.policy.words)
    {
        *ending = of_task;
    }
    Ok(())
}

/// An execution as Step Functions tells it now, which is remembered.
async fn described(
    session: &mut Session<'_>,
    (process, owner): (ProcessId, Option<ProcessId>),
    known: &Execution,
) -> Result<Execution, Error> {
    let config = session.config;
    let mut seen = match session.step_functions.describe(&known.arn, &config.result_path).await {
        // Of what is younger than Step Functions forgets, this says nothing: it may be another region's, or its machine was made anew.
        Err(error)
            if error.is_execution_gone()
                && (known.status.is_over() || session.now - known.attempt_started_at() > REMEMBERED) =>
        {
            Seen { process: Some(process), execution: forgotten(known, &error, config) }
        }
        told => told?,
    };
    // Its row has the word.
    seen.process = match owner {
        Some(owner) => Some(owner),
        None => session.table().await?.spelt(seen.process),
    };
    executions::remember(session.db, std::slice::from_ref(&seen)).await?;
    // The ledger was asked about the redrive that was known.
    let same = seen.execution.redrive_count == known.redrive_count;
    Ok(Execution { stopped_for_deadline: same && known.stopped_for_deadline, ..seen.execution })
}

/// What the task that led to an execution's end failed with, where the execution's own words (a `Fail` state's, or Step Functions' of a handler) say nothing; `None`
/// where they do, and where its history is gone.
///
/// # Errors
/// [`Error::Aws`].
pub async fn task_ending(
    step_functions: &StepFunctions,
    arn: &ExecutionArn,
    ending: &Ending,
) -> Result<Option<Ending>, Error> {
    if is_certain(ending, step_functions.words) {
        return Ok(None);
    }
    let told = match step_functions.leading_failure(arn).await {
        Err(error) if error.is_execution_gone() => None,
        told => told?,
    };
    Ok(told.map(|(error, cause)| Ending { error, cause, result: None }))
}

/// Asks Step Functions what the executions of some closed rows ended with: their own words, and the leading task's where
/// those say nothing. What it refuses leaves the rest unknown, and comes back to be told.
///
/// # Errors
/// [`Error::Database`].
pub async fn look_up_endings(
    session: &mut Session<'_>,
    cases: &mut [Case],
    wanted: impl Fn(&Case) -> bool,
    stop_at: Instant,
) -> Result<Vec<Finding>, Error> {
    let mut trouble: Option<(String, Option<Finding>)> = None;
    let (config, now) = (session.config, session.now);
    let (mut alone, mut in_a_row) = (Vec::new(), 0);
    for case in cases.iter_mut().filter(|case| wanted(case)) {
        if trouble.is_none() && Instant::now() >= stop_at {
            trouble = Some((texts::no_time_left(config.language), None));
        }
        if trouble.is_none() {
            match learn_ending(session, case).await {
                Ok(()) => in_a_row = 0,
                Err(error) if error.is_about_the_target() && in_a_row + 1 < REFUSED_IN_A_ROW => {
                    in_a_row += 1;
                    alone.extend(refused_alone(case, &error, config, now));
                    continue;
                }
                Err(error) => {
                    if let Some(refused) = recoverable(error)? {
                        trouble = Some((refused.told(config.language), Some(unavailable(&refused, config.language))));
                    }
                }
            }
        }
        if let Some((why, _)) = &trouble {
            case.newest = Newest::Unknown(why.clone());
        }
    }
    let mut findings = findings(&alone, config);
    findings.extend(trouble.and_then(|(_, finding)| finding));
    Ok(findings)
}

async fn learn_ending(session: &mut Session<'_>, case: &mut Case) -> Result<(), Error> {
    let id = case.process.id;
    let owner = (case.link != Link::Told).then_some(id);
    let Newest::Known(Some(execution)) = &mut case.newest else { return Ok(()) };
    if execution.ending.is_none() {
        *execution = described(session, (id, owner), execution).await?;
    }
    if execution.status == ExecutionStatus::Failed
        && let Some(ending) = &mut execution.ending
        && let Some(of_task) = task_ending(session.step_functions, &execution.arn, ending).await?
    {
        *ending = of_task;
    }
    Ok(())
}

/// An execution that Step Functions no longer knows (after 90 days, or gone with its state machine) is over. How it ended nobody
/// can tell any more: one that was still running, as far as is known, ran out of its time.
fn forgotten(known: &Execution, error: &Error, config: &Config) -> Execution {
    let deadline = known.attempt_started_at() + config.policy.process_deadline;
    Execution {
        status: if known.status.is_over() { known.status } else { ExecutionStatus::TimedOut },
        stopped_at: known.stopped_at.or(Some(deadline)),
        ending: Some(Ending {
            // What the ledger has of its end is all that is left of it.
            error: known.stopped_for_deadline.then(|| DEADLINE_ERROR.to_owned()),
            cause: Some(error.told(config.language)),
            result: None,
        }),
        // Nobody can tell any more that it did.
        says_failed: known.status.is_over().then_some(known.says_failed.unwrap_or(false)),
        ..known.clone()
    }
}

/// If Step Functions refuses look-ups as such, no more are made, and that is a finding; what needs no look-up continues.
pub(crate) fn recoverable(error: Error) -> Result<Option<Error>, Error> {
    match error {
        error @ (Error::Aws { .. } | Error::Refused(_) | Error::Said(_)) => Ok(Some(error)),
        error => Err(error),
    }
}

/// The code of the finding that Step Functions refused a look-up.
pub(crate) const UNAVAILABLE: &str = "step_functions_unavailable";

/// As long as that lasts, nothing that needs a look-up is closed: its sentence says what to do.
pub(crate) fn unavailable(error: &Error, language: Language) -> Finding {
    Finding::new(UNAVAILABLE, "Step Functions".to_owned(), error.told(language), json!({ "errorType": error.kind() }))
        .told(Audience::People, Often::ONCE_A_DAY)
}
