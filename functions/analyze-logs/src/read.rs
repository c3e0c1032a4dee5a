//! What is known of one process, and where.

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::domain::{ExecutionArn, ExecutionStatus, ParseError, ProcessId};
use remediation::gather;
use remediation::gather::error::Error;
use remediation::gather::history::History;
use remediation::gather::logs::group::Source;
use remediation::gather::logs::{self, Budget, Line, Logs, Search, Stopped};
use remediation::gather::processes::case::{self, Newest, known_one};
use remediation::gather::processes::sweep::Filter;
use remediation::gather::texts::log_refused;
use remediation::run::step::{Question, Session};
use serde_json::Value;
use sqlx::FromRow;
use tokio::time::Instant;
use uuid::Uuid;

use crate::policy::Policy;

/// What was read.
#[derive(Debug)]
pub struct Evidence {
    pub process: ProcessId,
    pub row: Option<Row>,
    /// What the decision table looks at; no case where there is no row.
    pub decided: case::Evidence,
    /// The newest first.
    pub executions: Vec<Told>,
    /// Each with the function that logged it.
    pub lines: Vec<(String, Line)>,
    pub actions: Vec<Action>,
    pub refused: Vec<Refused>,
    pub runs: Vec<Run>,
    /// What could not be read, and why.
    pub not_read: Vec<(String, String)>,
    /// Of the logs.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// The application's row.
#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub status: String,
    pub kind: Option<String>,
    pub target: Option<String>,
    pub progress: Option<i32>,
    pub retries: Option<i32>,
    pub error: Option<Value>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

/// An execution, and its history where Step Functions tells it.
#[derive(Debug, Clone)]
pub struct Told {
    pub arn: ExecutionArn,
    pub status: ExecutionStatus,
    pub redrives: i32,
    pub started_at: DateTime<Utc>,
    pub redriven_at: Option<DateTime<Utc>>,
    pub stopped_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
    pub history: History,
}

/// An action of the ledger.
#[derive(Debug, Clone, FromRow)]
pub struct Action {
    pub id: Uuid,
    pub step: String,
    pub kind: String,
    pub target: String,
    pub cause: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub outcome: String,
    pub reason: String,
    pub created_at: DateTime<Utc>,
}

/// What the fence refused.
#[derive(Debug, Clone, FromRow)]
pub struct Refused {
    pub why: String,
    pub times: i32,
    pub at: DateTime<Utc>,
    pub by: Option<String>,
    pub status: Option<String>,
}

/// A run that was about this process.
#[derive(Debug, Clone, FromRow)]
pub struct Run {
    pub step: String,
    pub started_at: DateTime<Utc>,
    pub kind: String,
    pub mode: Option<String>,
    pub summary: Option<String>,
    pub error: Option<String>,
}

/// An execution as `remediation.executions` has it.
#[derive(Debug, FromRow)]
struct Known {
    execution_arn: String,
    status: String,
    redrive_count: i32,
    started_at: DateTime<Utc>,
    redriven_at: Option<DateTime<Utc>>,
    stopped_at: Option<DateTime<Utc>>,
    error: Option<String>,
}

/// Reads everything. The database has to answer; what AWS refuses is reported, and does not affect the rest.
pub async fn read(
    session: &mut Session<'_>,
    policy: &Policy,
    process: ProcessId,
    window: Option<TimeDelta>,
) -> Result<Evidence, Error> {
    let (began, stop_at) = (Instant::now(), session.stop_at);
    let left = stop_at.saturating_duration_since(began);
    let mut evidence = Evidence {
        process,
        row: row(session, process).await?,
        decided: case::Evidence::default(),
        executions: Vec::new(),
        lines: Vec::new(),
        actions: Vec::new(),
        refused: Vec::new(),
        runs: Vec::new(),
        not_read: Vec::new(),
        from: session.now,
        to: session.now,
    };
    // The list of executions may be long: a quarter of the time at the most, so that the rest is told in any case.
    session.stop_at = began + left / 4;
    let decided = decided(session, &mut evidence).await;
    session.stop_at = stop_at;
    evidence.decided = decided?;
    executions(session, policy, &mut evidence, began + left / 2).await?;
    ledger(session, policy, &mut evidence).await?;
    (evidence.from, evidence.to) = span(&evidence, policy, window, session.now);
    runs(session, policy, &mut evidence).await?;
    lines(session, policy, &mut evidence, began + left / 8 * 7).await;
    Ok(evidence)
}

async fn row(session: &mut Session<'_>, process: ProcessId) -> Result<Option<Row>, Error> {
    let table = session.table().await?;
    sqlx::query_as(table.sql(include_str!("row.sql")))
        .bind(process.as_str())
        .fetch_optional(&mut *session.db)
        .await
        .map_err(Error::database("reading the row"))
}

/// What the decision table needs; where Step Functions cannot be asked, it does not decide.
async fn decided(session: &mut Session<'_>, evidence: &mut Evidence) -> Result<case::Evidence, Error> {
    let Some(mut case) = known_one(session, evidence.process).await? else {
        return Ok(case::Evidence::default());
    };
    match gather::processes::read(session, &Question::Process(evidence.process), Filter::OpenOrLatelyClosed).await {
        // What is listed is written down, which a reader of the database cannot do.
        Err(error) if matches!(error, Error::Aws { .. }) || error.is_read_only() => {
            let why = error.told(session.config.language);
            evidence.not_read.push(("Step Functions".to_owned(), why.clone()));
            case.newest = Newest::Unknown(why);
            Ok(case::Evidence { cases: vec![case], population: 1, ..case::Evidence::default() })
        }
        looked => looked,
    }
}

/// The process's executions, the newest first, as Step Functions tells them now.
async fn executions(
    session: &mut Session<'_>,
    policy: &Policy,
    evidence: &mut Evidence,
    until: Instant,
) -> Result<(), Error> {
    let language = session.config.language;
    let mut known: Vec<Known> = sqlx::query_as(
        "SELECT execution_arn, status, redrive_count, started_at, redriven_at, stopped_at, error
           FROM remediation.executions WHERE process_id = $1 ORDER BY started_at DESC, execution_arn DESC LIMIT $2",
    )
    .bind(evidence.process.as_str())
    .bind(limit(policy.executions))
    .fetch_all(&mut *session.db)
    .await
    .map_err(Error::database("reading what is known of executions"))?;
    if known.len() > policy.executions {
        known.truncate(policy.executions);
        evidence.not_read.push(("Step Functions".to_owned(), texts::older_executions(language, policy.executions)));
    }
    let mut refused: Option<String> = None;
    for known in known {
        let mut told = Told::known(known)?;
        if refused.is_none() && Instant::now() >= until {
            refused = Some(remediation::run::texts::no_time_left(language));
        }
        let why = match &refused {
            Some(why) => Some(why.clone()),
            None => match ask(session, policy, &mut told).await {
                Ok(why) => why,
                Err(error @ Error::Aws { .. }) => {
                    refused = Some(error.told(language));
                    refused.clone()
                }
                Err(error) => return Err(error),
            },
        };
        evidence.not_read.extend(why.map(|why| (told.arn.name().to_owned(), why)));
        evidence.executions.push(told);
    }
    Ok(())
}

/// Asks Step Functions about an execution; why it does not tell all, where it does not.
async fn ask(session: &Session<'_>, policy: &Policy, told: &mut Told) -> Result<Option<String>, Error> {
    match session.step_functions.describe(&told.arn, &session.config.result_path).await {
        Ok(seen) => {
            let execution = seen.execution;
            told.status = execution.status;
            told.redrives = execution.redrive_count;
            told.started_at = execution.started_at;
            told.redriven_at = execution.redriven_at;
            told.stopped_at = execution.stopped_at;
            told.error = execution.ending.and_then(|ending| ending.error);
        }
        Err(error) if error.is_execution_gone() => return Ok(Some(error.told(session.config.language))),
        Err(error) => return Err(error),
    }
    told.history = session.step_functions.history(&told.arn, policy.events_per_execution).await?;
    Ok(told.history.more.then(|| texts::earlier_events(session.config.language, told.history.events.len())))
}

impl Told {
    fn known(known: Known) -> Result<Self, Error> {
        let unreadable =
            |error: ParseError| Error::said(|language| format!("remediation.executions: {}", error.told(language)));
        Ok(Self {
            arn: known.execution_arn.parse().map_err(unreadable)?,
            status: known.status.parse().map_err(unreadable)?,
            redrives: known.redrive_count,
            started_at: known.started_at,
            redriven_at: known.redriven_at,
            stopped_at: known.stopped_at,
            error: known.error,
            history: History::default(),
        })
    }
}

/// What was done about the process and its executions, and what the fence refused.
async fn ledger(session: &mut Session<'_>, policy: &Policy, evidence: &mut Evidence) -> Result<(), Error> {
    let mut targets = arns(evidence);
    targets.push(evidence.process.to_string());
    evidence.actions = sqlx::query_as(
        "SELECT id, step, kind, target, cause, before, after, outcome, reason, created_at
           FROM remediation.actions WHERE target = ANY ($1) ORDER BY created_at DESC, id DESC LIMIT $2",
    )
    .bind(targets)
    .bind(limit(policy.ledger_entries))
    .fetch_all(&mut *session.db)
    .await
    .map_err(Error::database("reading the ledger"))?;
    evidence.refused = sqlx::query_as(
        "SELECT why, times, refused_at AS at, application_name AS by, attempted ->> 'status' AS status
           FROM remediation.refused_writes WHERE process_id = $1 ORDER BY refused_at DESC LIMIT $2",
    )
    .bind(evidence.process.as_str())
    .bind(limit(policy.ledger_entries))
    .fetch_all(&mut *session.db)
    .await
    .map_err(Error::database("reading what the fence refused"))?;
    let language = session.config.language;
    let mut shorten = |name: &str, length: usize| {
        if length > policy.ledger_entries {
            evidence.not_read.push((name.to_owned(), texts::older_entries(language, policy.ledger_entries)));
        }
        length.min(policy.ledger_entries)
    };
    let (actions, refused) = (
        shorten("remediation.actions", evidence.actions.len()),
        shorten("remediation.refused_writes", evidence.refused.len()),
    );
    evidence.actions.truncate(actions);
    evidence.refused.truncate(refused);
    Ok(())
}

/// The runs that an event about the process, or a person who asked for it, started.
async fn runs(session: &mut Session<'_>, policy: &Policy, evidence: &mut Evidence) -> Result<(), Error> {
    evidence.runs = sqlx::query_as(include_str!("runs.sql"))
        .bind(evidence.process.to_string())
        .bind(evidence.from)
        .bind(evidence.to)
        .bind(arns(evidence))
        .bind("analyze-logs")
        .bind(limit(policy.ledger_entries))
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database("reading the runs about the process"))?;
    if evidence.runs.len() > policy.ledger_entries {
        evidence.runs.truncate(policy.ledger_entries);
        let why = texts::older_entries(session.config.language, policy.ledger_entries);
        evidence.not_read.push(("remediation.runs".to_owned(), why));
    }
    Ok(())
}

/// What each function has logged of the process. What one function does not need of the requests is left for the next.
async fn lines(session: &mut Session<'_>, policy: &Policy, evidence: &mut Evidence, until: Instant) {
    let (config, language) = (session.config, session.config.language);
    let sources = Source::of(config, &config.application_functions);
    let logs = Logs::new(session.aws);
    let mut requests = policy.log_requests;
    for (at, source) in sources.iter().enumerate() {
        let name = source.name().to_owned();
        let group = match source.group(session.aws, config).await {
            Ok(group) => group.name,
            Err(error) => {
                evidence.not_read.push((name, error.told(language)));
                continue;
            }
        };
        let search = Search {
            group,
            pattern: Some(logs::phrase(&evidence.process.to_string())),
            from: evidence.from,
            to: evidence.to,
        };
        let waiting = u32::try_from(sources.len() - at).unwrap_or(u32::MAX);
        let budget = Budget {
            requests: requests.div_ceil(waiting),
            lines: policy.log_lines.saturating_sub(evidence.lines.len()),
            until,
        };
        let why = match logs.search(Some(&mut *session.db), &search, budget).await {
            Ok(found) => {
                requests -= found.requests;
                let last = found.lines.last().map(|line| line.at);
                evidence.lines.extend(found.lines.into_iter().map(|line| (name.clone(), line)));
                found.stopped.map(|stopped| match stopped {
                    Stopped::NoGroup => texts::no_group(language),
                    Stopped::Budget => texts::log_budget(language, found.requests, last),
                })
            }
            Err(error) => Some(log_refused(language, &search.group, &error)),
        };
        evidence.not_read.extend(why.map(|why| (search.group, why)));
    }
}

/// The time that the logs are read for: the operator's window, else the process's own time with a little around it.
pub fn span(
    evidence: &Evidence,
    policy: &Policy,
    window: Option<TimeDelta>,
    now: DateTime<Utc>,
) -> (DateTime<Utc>, DateTime<Utc>) {
    if let Some(window) = window {
        return (now - window, now);
    }
    let executions = evidence.executions.iter();
    let began =
        evidence.row.iter().map(|row| row.created_at).chain(executions.clone().map(|told| told.started_at)).min();
    let runs = executions.clone().any(|told| !told.status.is_over());
    let open = evidence.row.as_ref().is_none_or(|row| row.completed_at.is_none());
    let ends = executions.filter_map(|told| told.stopped_at);
    let ends = ends.chain(evidence.row.iter().flat_map(|row| [Some(row.updated_at), row.completed_at]).flatten());
    let ended = ends.chain(evidence.actions.iter().map(|action| action.created_at)).max().filter(|_| !open && !runs);
    let from = began.map_or(now - TimeDelta::days(1), |at| at - TimeDelta::seconds(policy.before_seconds));
    let to = ended.map_or(now, |at| (at + TimeDelta::seconds(policy.after_seconds)).min(now));
    (from, to)
}

fn arns(evidence: &Evidence) -> Vec<String> {
    evidence.executions.iter().map(|told| told.arn.to_string()).collect()
}

/// One more than may be shown tells that there are more.
fn limit(shown: usize) -> i64 {
    i64::try_from(shown + 1).unwrap_or(i64::MAX)
}
