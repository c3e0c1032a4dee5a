//! What is read of processes: rows with their newest executions, by what a run is asked.

pub mod cancel;
pub mod case;
mod clock;
mod lately;
pub mod list;
pub mod look_up;
pub mod odd;
pub mod sweep;

use chrono::TimeDelta;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row};

use crate::decide::Look;
use crate::domain::{Execution, ExecutionArn, ProcessId};
use crate::finding::{Audience, Finding, Often};
use crate::gather::error::Error;
use crate::gather::executions;
use crate::gather::processes::case::{CASES, Case, Evidence, Link, Newest, no_such_row, of_processes};
use crate::gather::processes::list::{CLOCK_SKEW, Lists, list, whole};
use crate::gather::processes::look_up::{Ask, LookedUp, complete, is_unseen, look_up, recoverable, unavailable};
use crate::gather::processes::sweep::{Filter, sweep};
use crate::gather::session::{Question, Session};
use crate::gather::step_functions::{Odd, Seen};
use crate::gather::texts;
use crate::gather::trigger::ExecutionChange;

/// Reads what a question is about, and looks up in Step Functions what the database cannot tell.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`]; [`Error::Aws`] where the question is about one process and cannot be answered
/// without; [`Error::Refused`] for an execution of another state machine.
pub async fn read(session: &mut Session<'_>, question: &Question, filter: Filter) -> Result<Evidence, Error> {
    match question {
        Question::Change(change) => of_change(session, change).await,
        Question::Execution(arn) => {
            session.step_functions.own(arn, session.config.language)?;
            let seen = session.step_functions.describe(arn, &session.config.result_path).await?;
            let change = ExecutionChange {
                execution: seen.execution,
                process: seen.process,
                event_id: None,
                unknown_status: None,
            };
            of_change(session, &change).await
        }
        Question::Process(id) => of_process(session, *id).await,
        Question::Again(processes) => again(session, processes).await,
        Question::Sweep(cursor) => sweep(session, cursor, filter).await,
    }
}

/// An event's own execution, remembered and compared with what is known, in one round trip.
async fn of_change(session: &mut Session<'_>, change: &ExecutionChange) -> Result<Evidence, Error> {
    let config = session.config;
    session.step_functions.own(&change.execution.arn, session.config.language)?;
    if let Some(status) = &change.unknown_status {
        return of_unknown_status(session, change, status).await;
    }
    let mut seen = Seen { execution: change.execution.clone(), process: change.process };
    if seen.process.is_none() {
        // The event came without its input, and the name tells nothing.
        seen = match session.step_functions.describe(&seen.execution.arn, &config.result_path).await {
            // Nobody can tell any more whose it was.
            Err(error) if error.is_execution_gone() => seen,
            described => described?,
        };
    }
    let table = session.table().await?;
    let named = executions::own(session.db, &table, std::slice::from_mut(&mut seen)).await?;
    // What is known of an execution is never overwritten by a guess from its name.
    let of_name = config.policy.words.owner.of_name(&seen.execution.arn);
    let guessed = named.is_empty() && seen.process.is_some() && seen.process == of_name;
    let AssertSqlSafe(cases) = table.sql(&format!(
        "{CASES} WHERE {{id}} = (CASE WHEN $15 THEN coalesce((SELECT k.process_id FROM remediation.executions k
                                                               WHERE k.execution_arn = $12), $13)
                                      ELSE $13 END)::{{id type}}"
    ));
    let sql = format!(
        "WITH remembered AS ({})
         SELECT c.*, EXISTS (SELECT FROM remediation.actions a
                              WHERE a.target = $12 AND a.kind = 'stop-execution' AND a.cause = 'deadline'
                                AND a.outcome = 'applied'
                                AND coalesce((a.before ->> 'redriveCount')::int4, 0) = $14) AS event_stopped_for_deadline
           FROM ({cases}) c",
        executions::REMEMBER
    );
    let row = executions::bind(sqlx::query(AssertSqlSafe(sql)), std::slice::from_ref(&seen))
        .bind(seen.execution.arn.as_str())
        .bind(seen.process.map(String::from))
        .bind(seen.execution.redrive_count)
        .bind(guessed)
        .fetch_optional(&mut *session.db)
        .await
        .map_err(Error::database("reading the process of an execution"))?;
    let Some(row) = row else {
        // A name that begins like that of a process which has no row: its input tells whose it is.
        if guessed
            && seen.process == change.process
            && let Some(owner) = owner(session, &seen.execution.arn).await
            && Some(owner) != seen.process
        {
            let change = ExecutionChange { process: Some(owner), ..change.clone() };
            return Box::pin(of_change(session, &change)).await;
        }
        let evidence = json!({ "executionArn": seen.execution.arn, "status": seen.execution.status });
        let finding = match seen.process {
            Some(id) => Finding::new(
                "row_missing",
                id.to_string(),
                texts::row_missing(config.language, &id.to_string()),
                evidence,
            ),
            None => Finding::new(
                "process_unknown",
                seen.execution.arn.to_string(),
                texts::process_unknown(config.language, seen.execution.arn.name()),
                evidence,
            ),
        };
        return Ok(Evidence { population: 1, findings: vec![finding], ..Evidence::default() });
    };
    let reading = "reading the process of an execution";
    seen.execution.stopped_for_deadline =
        row.try_get("event_stopped_for_deadline").map_err(Error::database(reading))?;
    let (mut cases, odd) = case::cases(std::slice::from_ref(&row), |_| Look::Event, config);
    let Some(mut case) = cases.pop() else {
        let findings = odd::findings(&odd, &config.table, config.language);
        return Ok(Evidence { population: 1, findings, ..Evidence::default() });
    };
    case.take_in(seen.execution);
    let mut findings = complete_or_tell(session, &mut case).await?;
    let mut cases = vec![case];
    let mut lists = Lists::default();
    while lists.read_before_closing(session, &mut cases).await? {
        let seen = match &cases[0].newest {
            Newest::Known(Some(seen)) => seen.clone(),
            Newest::Known(None) | Newest::Unknown(_) => return Ok(Evidence::default()),
        };
        cases = of_processes(session, &[(cases[0].process.id, Look::Event)]).await?.cases;
        for case in &mut cases {
            case.take_in(seen.clone());
            findings.extend(complete_or_tell(session, case).await?);
        }
    }
    Ok(Evidence { population: 1, cases, findings, ..Evidence::default() })
}

/// An event with a status that nobody knows: kept, so that its process is left alone, and told.
async fn of_unknown_status(
    session: &mut Session<'_>,
    change: &ExecutionChange,
    status: &str,
) -> Result<Evidence, Error> {
    let Execution { arn, redrive_count, started_at, .. } = change.execution.clone();
    let message = texts::executions_of_unknown_status(session.config.language, 1, status, arn.name());
    let finding = Finding::new("execution_status_unknown", status, message, json!({ "executionArn": arn }))
        .told(Audience::People, Often::ONCE_A_DAY);
    let odd = Odd { arn, process: change.process, status: status.to_owned(), redrive_count, started_at };
    executions::remember_odd(session.db, std::slice::from_ref(&odd)).await?;
    Ok(Evidence { population: 1, findings: vec![finding], ..Evidence::default() })
}

/// The process that an execution's input names, as far as Step Functions tells it: that it has no row is told in any case.
async fn owner(session: &Session<'_>, arn: &ExecutionArn) -> Option<ProcessId> {
    session.step_functions.owner(arn).await.ok().flatten()
}

/// Completes a case. An execution that Step Functions does not know although it should leaves it undecided, and that is told; sending the
/// event again would not help.
async fn complete_or_tell(session: &mut Session<'_>, case: &mut Case) -> Result<Vec<Finding>, Error> {
    match complete(session, case).await {
        Err(error) if error.is_execution_gone() => {
            let refused = look_up::refused_alone(case, &error, session.config, session.now);
            Ok(look_up::findings(refused.as_slice(), session.config))
        }
        completed => completed.map(|()| Vec::new()),
    }
}

impl Case {
    /// Takes in what an event tells of an execution of it, unless its row names another one.
    fn take_in(&mut self, seen: Execution) {
        let is_anothers = match (&self.link, &self.newest) {
            (Link::Told, _) => false,
            (Link::None, _) => true,
            (Link::Named(arn), _) => *arn != seen.arn,
            (Link::Unseen, Newest::Known(Some(unseen))) => unseen.arn != seen.arn,
            (Link::Unseen, Newest::Known(None) | Newest::Unknown(_)) => true,
        };
        if let Newest::Known(known) = &mut self.newest
            && !is_anothers
        {
            if self.link == Link::Unseen {
                self.link = Link::Named(seen.arn.clone());
            }
            *known = Some(newer(known.take(), seen));
        }
    }
}

/// Which of two speaks for the process, and what is known of it.
fn newer(known: Option<Execution>, seen: Execution) -> Execution {
    match known {
        None => seen,
        Some(known) if known.arn == seen.arn => {
            let tells_more = (known.redrive_count, known.status) == (seen.redrive_count, seen.status)
                && (known.ending.is_none()
                    || known.says_failed.is_none() && seen.says_failed.is_some()
                    || seen.ending.as_ref().is_some_and(|ending| ending.result.is_some()));
            if seen.supersedes(&known) || tells_more { seen } else { known }
        }
        Some(known) if seen.speaks_over(&known) => seen,
        Some(known) => known,
    }
}

/// One process that somebody asks for: its executions are listed, whatever is known of them.
async fn of_process(session: &mut Session<'_>, id: ProcessId) -> Result<Evidence, Error> {
    let asked = [(id, Look::Event)];
    let known = of_processes(session, &asked).await?;
    let Some(case) = known.cases.first() else {
        // What a policy may hide is not known not to be there.
        let table = session.table().await?;
        let is_none = known.findings.is_empty() && !table.hides_rows();
        return if is_none { Err(no_such_row(id, session.config)) } else { Ok(known) };
    };
    // Sweeps list every execution within minutes. A day of the list is enough to find what was started after the newest
    // that is known; without one, it is read back to the row's creation.
    let wanted = match &case.newest {
        Newest::Known(Some(newest)) => newest.started_at.max(session.now - TimeDelta::days(1)),
        Newest::Known(None) | Newest::Unknown(_) => case.process.created_at - CLOCK_SKEW,
    };
    let stop_at = session.stop_at;
    let mut lists = Lists::default();
    let listed = lists.read(session, &known.cases, wanted, stop_at).await?;
    loop {
        let mut evidence = of_processes(session, &asked).await?;
        let looked_up =
            look_up(session, &mut evidence.cases, Ask { since: Some(listed.since), ..Ask::until(stop_at) }).await?;
        let LookedUp { refused, findings, .. } = looked_up;
        evidence.findings.extend(findings);
        if let Some(refused) = refused {
            return Err(refused);
        }
        if !lists.read_before_closing(session, &mut evidence.cases).await? {
            return Ok(evidence);
        }
    }
}

/// Some processes once more. That one of them had no execution when it was looked at before, maybe hours ago and for a plan,
/// proves nothing now.
async fn again(session: &mut Session<'_>, processes: &[(ProcessId, Look)]) -> Result<Evidence, Error> {
    let mut evidence = of_processes(session, processes).await?;
    let mut lists = Lists::default();
    let (mut since, mut refused) = (None, None);
    let unseen = evidence.cases.iter().filter(|case| is_unseen(case)).map(|case| case.process.created_at).min();
    if let Some(created_at) = unseen {
        match list(session, None, created_at - CLOCK_SKEW, TimeDelta::zero(), session.stop_at).await.and_then(whole) {
            Ok(listed) => {
                since = Some(listed.since);
                evidence = of_processes(session, processes).await?;
            }
            Err(error) => refused = recoverable(error)?,
        }
    }
    let stop_at = session.stop_at;
    loop {
        let ask = Ask { since, refused: refused.take(), ..Ask::until(stop_at) };
        let looked_up = look_up(session, &mut evidence.cases, ask).await?;
        let is_refused = looked_up.refused.is_some();
        evidence.findings.extend(looked_up.refused.as_ref().map(|error| unavailable(error, session.config.language)));
        evidence.findings.extend(looked_up.findings);
        if is_refused || !lists.read_before_closing(session, &mut evidence.cases).await? {
            return Ok(evidence);
        }
        evidence = of_processes(session, processes).await?;
    }
}
