//! What is known of executions (`remediation.executions`): filled from every event, every list and every description.
//!
//! It dedupes and orders events, and lets a sweep ask Step Functions once for a thousand executions.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use tokio::time::Instant;

use crate::domain::{Execution, ExecutionArn, ProcessId};
use crate::gather::error::Error;
use crate::gather::pace::SharedPace;
use crate::gather::step_functions::{Odd, Seen, StepFunctions};
use crate::gather::table::Table;
use crate::gather::trigger::result_path::ResultPath;
use crate::{redact, stored};

/// Takes in what was seen; what is known to be newer stays.
pub(crate) const REMEMBER: &str = include_str!("executions/remember.sql");

/// Executions whose names tell no process are asked for their input one by one: at most so many in a run.
const NAMELESS_A_RUN: usize = 50;

/// Remembers what was seen.
///
/// # Errors
/// [`Error::Database`].
pub async fn remember(db: &mut PgConnection, seen: &[Seen]) -> Result<(), Error> {
    if seen.is_empty() {
        return Ok(());
    }
    bind(sqlx::query(REMEMBER), seen).execute(db).await.map(drop).map_err(Error::database("remembering executions"))
}

/// Remembers executions whose status nobody knows, so that their processes are left alone.
///
/// # Errors
/// [`Error::Database`].
pub async fn remember_odd(db: &mut PgConnection, odd: &[Odd]) -> Result<(), Error> {
    if odd.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("executions/remember_odd.sql"))
        .bind(odd.iter().map(|odd| odd.arn.as_str().to_owned()).collect::<Vec<_>>())
        .bind(odd.iter().map(|odd| odd.process.map(String::from)).collect::<Vec<_>>())
        .bind(odd.iter().map(|odd| stored::text(&odd.status)).collect::<Vec<_>>())
        .bind(odd.iter().map(|odd| odd.redrive_count).collect::<Vec<_>>())
        .bind(odd.iter().map(|odd| odd.started_at).collect::<Vec<_>>())
        .execute(db)
        .await
        .map(drop)
        .map_err(Error::database("remembering executions whose status is not known"))
}

/// Binds `$1` to `$11` of [`REMEMBER`].
pub(crate) fn bind<'q>(query: Query<'q, Postgres, PgArguments>, seen: &[Seen]) -> Query<'q, Postgres, PgArguments> {
    let each = || seen.iter().map(|seen| &seen.execution);
    let ending = |execution: &Execution, part: fn(&crate::domain::Ending) -> &Option<String>| {
        execution
            .ending
            .as_ref()
            .and_then(|ending| part(ending).as_deref().map(redact::document).as_deref().map(stored::text))
    };
    query
        .bind(each().map(|execution| execution.arn.as_str().to_owned()).collect::<Vec<_>>())
        .bind(seen.iter().map(|seen| seen.process.map(String::from)).collect::<Vec<_>>())
        .bind(each().map(|execution| execution.status.as_str().to_owned()).collect::<Vec<_>>())
        .bind(each().map(|execution| execution.redrive_count).collect::<Vec<_>>())
        .bind(each().map(|execution| execution.started_at).collect::<Vec<_>>())
        .bind(each().map(|execution| execution.redriven_at).collect::<Vec<_>>())
        .bind(each().map(|execution| execution.stopped_at).collect::<Vec<_>>())
        .bind(each().map(|execution| ending(execution, |ending| &ending.error)).collect::<Vec<_>>())
        .bind(each().map(|execution| ending(execution, |ending| &ending.cause)).collect::<Vec<_>>())
        .bind(each().map(|execution| execution.ending.is_some()).collect::<Vec<_>>())
        .bind(each().map(|execution| execution.says_failed).collect::<Vec<_>>())
}

/// How far back the list of executions has been read; kept from run to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Everything that was started between here …
    pub since: DateTime<Utc>,
    /// … and here has been seen.
    pub until: DateTime<Utc>,
    /// Where the list goes on before `since`; it is valid for a day.
    pub token: Option<String>,
}

/// A listed execution whose process nobody could tell: its name does not, and it may not be described.
#[derive(Debug)]
pub struct Unowned {
    /// Which one.
    pub arn: ExecutionArn,
    /// It belongs to no process that was created later.
    pub started_at: DateTime<Utc>,
    /// Why not.
    pub error: Error,
}

/// What reading the list of executions brought.
#[derive(Debug)]
pub struct Read {
    /// How far back it was read without a gap.
    pub listed: Listed,
    /// What is a gap in it.
    pub unowned: Vec<Unowned>,
    /// What Step Functions refused on the way.
    pub refused: Option<Error>,
}

/// Step Functions refills 2 to 5 calls a second: the application has a share of them.
const LIST: SharedPace = SharedPace { quota: "states:ListExecutions", per_second: 2.0, burst: 20.0 };

/// Reads the list of executions, newest first, until everything that was started after `wanted` has been seen; what Step Functions refuses
/// on the way comes back beside what was read. One that may not be described keeps nobody else from being seen: the list counts as read
/// back to that one.
///
/// What an earlier run has read is not read again, but for its last `overlap`: executions that ran then may be over now.
/// Where `stop_at` comes first, the answer says how far it came, and the next run goes on there.
///
/// # Errors
/// [`Error::Aws`], [`Error::Database`].
pub async fn list(
    db: &mut PgConnection,
    (step_functions, table): (&StepFunctions, &Table),
    result_path: &ResultPath,
    known: Option<Listed>,
    wanted: DateTime<Utc>,
    overlap: TimeDelta,
    stop_at: Instant,
) -> Result<Read, Error> {
    let mut unowned = Vec::new();
    let (mut listed, refused) =
        read_back(db, (step_functions, table), result_path, known, (wanted, overlap), stop_at, &mut unowned).await?;
    if let Some(gap) = unowned.iter().map(|of: &Unowned| of.started_at).max() {
        // The next run begins anew, and asks for it again.
        listed = Listed { since: listed.since.max(gap), token: None, ..listed };
    }
    Ok(Read { listed, unowned, refused })
}

async fn read_back(
    db: &mut PgConnection,
    of: (&StepFunctions, &Table),
    result_path: &ResultPath,
    known: Option<Listed>,
    (wanted, overlap): (DateTime<Utc>, TimeDelta),
    stop_at: Instant,
    unowned: &mut Vec<Unowned>,
) -> Result<(Listed, Option<Error>), Error> {
    let until = Utc::now();
    let mut listed = Listed { since: until, until, token: None };
    let goes_on = known.filter(|known| known.since <= wanted || known.token.is_some());
    let recent = goes_on.as_ref().map_or(wanted, |known| (known.until - overlap).max(wanted));
    let mut nameless = 0;
    match read(db, of, result_path, &mut listed, recent, stop_at, (&mut nameless, &mut *unowned)).await {
        // What is known is worth more than what leaves a gap to it.
        Err(error @ Error::Aws { .. }) if goes_on.is_none() && listed.since < until => {
            return Ok((listed, Some(error)));
        }
        done => done?,
    }
    let Some(known) = goes_on.filter(|known| listed.since <= known.until) else { return Ok((listed, None)) };
    listed.since = listed.since.min(known.since);
    listed.token = known.token;
    match read(db, of, result_path, &mut listed, wanted, stop_at, (&mut nameless, unowned)).await {
        // The token has expired: the next run begins anew.
        Err(Error::Aws { code, .. }) if code == "InvalidToken" => listed.token = None,
        Err(error @ Error::Aws { .. }) => return Ok((listed, Some(error))),
        done => done?,
    }
    Ok((listed, None))
}

/// Says whose these executions are, as the table has it: what a row names is that row's, and an id has the one spelling that it has there.
/// The processes whose rows name theirs come back, by ARN.
///
/// # Errors
/// [`Error::Database`].
pub(crate) async fn own(
    db: &mut PgConnection,
    table: &Table,
    seen: &mut [Seen],
) -> Result<HashMap<String, ProcessId>, Error> {
    let named = named_by_rows(db, table, seen).await?;
    for seen in seen {
        let of_row = named.get(seen.execution.arn.as_str()).copied();
        seen.process = of_row.or_else(|| table.spelt(seen.process));
    }
    Ok(named)
}

async fn named_by_rows(
    db: &mut PgConnection,
    table: &Table,
    seen: &[Seen],
) -> Result<HashMap<String, ProcessId>, Error> {
    if !table.has("arn") {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> =
        sqlx::query_as(table.sql("SELECT {arn}::text, {id text} FROM {rows} p WHERE {arn} = ANY ($1)"))
            .bind(seen.iter().map(|seen| seen.execution.arn.as_str()).collect::<Vec<_>>())
            .fetch_all(db)
            .await
            .map_err(Error::database("reading whose executions these are"))?;
    Ok(rows.into_iter().filter_map(|(arn, id)| Some((arn, id.parse().ok()?))).collect())
}

/// How many of these executions lead to no row.
///
/// # Errors
/// [`Error::Database`].
pub async fn unlinked(db: &mut PgConnection, table: &Table, seen: &[Seen]) -> Result<usize, Error> {
    let named = named_by_rows(db, table, seen).await?;
    let ids = seen.iter().filter(|seen| !named.contains_key(seen.execution.arn.as_str()));
    let ids: Vec<String> = ids.filter_map(|seen| table.spelt(seen.process)).map(String::from).collect();
    let by_id: i64 = sqlx::query_scalar(table.sql(
        "SELECT count(*) FROM unnest($1::text[]) AS s(id) WHERE EXISTS (SELECT FROM {rows} p WHERE {id} = s.id::{id type})",
    ))
    .bind(&ids)
    .fetch_one(db)
    .await
    .map_err(Error::database("reading whose executions these are"))?;
    Ok(seen.len() - named.len() - usize::try_from(by_id).unwrap_or_default())
}

/// Those of a page of whose process nobody knows: the name tells none, or one that has no row, and it was never asked for. Whatever is
/// remembered was asked for.
async fn of_nobody_known(db: &mut PgConnection, table: &Table, page: &[Seen]) -> Result<HashSet<String>, Error> {
    let unknown: Vec<String> = sqlx::query_scalar(table.sql(include_str!("executions/of_nobody_known.sql")))
        .bind(page.iter().map(|seen| seen.execution.arn.as_str()).collect::<Vec<_>>())
        .bind(page.iter().map(|seen| seen.process.map(String::from)).collect::<Vec<_>>())
        .fetch_all(db)
        .await
        .map_err(Error::database("reading which executions are known"))?;
    Ok(unknown.into_iter().collect())
}

async fn read(
    db: &mut PgConnection,
    (step_functions, table): (&StepFunctions, &Table),
    result_path: &ResultPath,
    listed: &mut Listed,
    back_to: DateTime<Utc>,
    stop_at: Instant,
    (nameless, unowned): (&mut usize, &mut Vec<Unowned>),
) -> Result<(), Error> {
    let mut guesses = NAMELESS_A_RUN;
    while listed.since > back_to && Instant::now() < stop_at && LIST.wait(db, stop_at).await? {
        let mut page = step_functions.list(listed.token.as_deref()).await?;
        own(db, table, &mut page.executions).await?;
        let told = |seen: Seen| Seen { process: table.spelt(seen.process), ..seen };
        let nobodys =
            if table.has("arn") { HashSet::new() } else { of_nobody_known(db, table, &page.executions).await? };
        let mut seen = Vec::with_capacity(page.executions.len());
        let mut not_asked = 0;
        for execution in page.executions.drain(..) {
            let arn = &execution.execution.arn;
            if !nobodys.contains(arn.as_str()) {
                seen.push(execution);
            } else if execution.process.is_some() {
                // Its row may be gone, or another process was meant: asking is a courtesy that holds up nothing.
                let asked = if guesses > 0 { step_functions.describe(arn, result_path).await.ok() } else { None };
                guesses = if asked.is_some() { guesses - 1 } else { 0 };
                seen.push(asked.map_or(execution, told));
            } else if *nameless < NAMELESS_A_RUN {
                *nameless += 1;
                match step_functions.describe(arn, result_path).await {
                    Err(error) if error.is_execution_gone() => seen.push(execution),
                    Err(error) if error.is_about_the_target() => {
                        let Execution { arn, started_at, .. } = execution.execution;
                        unowned.push(Unowned { arn, started_at, error });
                    }
                    asked => seen.push(told(asked?)),
                }
            } else {
                not_asked += 1;
            }
        }
        for odd in page.odd.iter_mut().filter(|odd| odd.process.is_none()).take(NAMELESS_A_RUN) {
            match step_functions.owner(&odd.arn).await {
                Err(error) if error.is_about_the_target() => {
                    unowned.push(Unowned { arn: odd.arn.clone(), started_at: odd.started_at, error });
                }
                owner => odd.process = table.spelt(owner?),
            }
        }
        remember_odd(db, &page.odd).await?;
        remember(db, &seen).await?;
        if not_asked > 0 {
            // Whose these are is not known: the page is read again by the next run, which asks for the next ones.
            return Ok(());
        }
        page.executions = seen;
        let started = page.executions.iter().map(|seen| seen.execution.started_at);
        let oldest = started.chain(page.odd.iter().map(|odd| odd.started_at)).min();
        listed.since = oldest.unwrap_or(listed.since).min(listed.since);
        listed.token = page.next;
        if listed.token.is_none() {
            // The list's end: there is nothing older, as far as Step Functions remembers (90 days).
            listed.since = DateTime::UNIX_EPOCH;
        }
    }
    Ok(())
}
