//! The rows that a sweep looks at, page by page, and the executions that run beside them.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;
use tokio::time::Instant;

use crate::decide::Look;
use crate::domain::ProcessId;
use crate::finding::Finding;
use crate::gather::error::Error;
use crate::gather::processes::case::{self, CASES, Case, Evidence, Extent, NEWEST};
use crate::gather::processes::clock::{self, Apart};
use crate::gather::processes::lately;
use crate::gather::processes::list::{CLOCK_SKEW, list, unowned};
use crate::gather::processes::look_up::{Ask, LookedUp, look_up, recoverable, unavailable};
use crate::gather::processes::odd::{self, Odd};
use crate::gather::session::{Cursor, Session};
use crate::gather::table::Table;
use crate::gather::texts;

/// Which rows a sweep looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Open rows, and rows closed in the last day whose execution tells another story.
    OpenOrLatelyClosed,
    /// Open rows whose deadline has passed.
    PastDeadline,
    /// Cancelled rows, however old, of which any execution is known to run.
    CancelledButRunning,
    /// PROCESSING rows that nobody has written for so long.
    Stalled(TimeDelta),
    /// Rows closed as failed in the last day.
    LatelyFailed,
}

/// Rows that are looked at and decided on at once: some four kilobytes each in memory until they are written.
const ROWS_AT_ONCE: usize = 20_000;

/// Rows that are only counted.
const ROWS_COUNTED: usize = 100_000;

/// Everything that is a sweep's business, from where the last one stopped.
pub(crate) async fn sweep(session: &mut Session<'_>, cursor: &Cursor, filter: Filter) -> Result<Evidence, Error> {
    let language = session.config.language;
    let table = session.table().await?;
    if cursor.goes_on {
        return go_on(session, &table, cursor, filter).await;
    }
    let looked_for = match filter {
        Filter::OpenOrLatelyClosed | Filter::PastDeadline | Filter::Stalled(_) | Filter::LatelyFailed => {
            "{status} IN ({open})"
        }
        Filter::CancelledButRunning => "{is cancelled}",
    };
    let (population, mut extent, oldest_unknown, mut findings) = extent(session, &table, filter, looked_for).await?;
    let mut trouble = None;

    // At most half of the time goes into the list, and a quarter is kept for what is to be done about all that was read.
    let quarter = session.stop_at.saturating_duration_since(Instant::now()) / 4;
    let half = session.stop_at - 2 * quarter;
    // Of rows that name their executions, the list has nothing to tell that looking them up would not.
    let oldest_unknown = oldest_unknown.filter(|_| !table.has("arn"));
    let wanted = oldest_unknown.map_or(session.now, |created| created - CLOCK_SKEW);
    let overlap = session.config.policy.process_deadline + CLOCK_SKEW;
    let back_to = wanted.min(session.now - overlap);
    let listed = match list(session, cursor.listed.clone(), back_to, overlap, half).await {
        Ok(read) => {
            findings.extend(unowned(&read.unowned, language));
            trouble = read.refused;
            Some(read.listed)
        }
        // Rows without an execution are left alone, all others go on.
        Err(error) if error.is_about_the_target() => {
            findings.push(unavailable(&error, session.config.language));
            None
        }
        Err(error) => {
            trouble = trouble.or(recoverable(error)?);
            None
        }
    };

    extent.running = match filter {
        // Only now: of what the list has just told, too, a part is a part.
        Filter::OpenOrLatelyClosed | Filter::PastDeadline | Filter::Stalled(_) | Filter::LatelyFailed => {
            count(running(session).await?)
        }
        // That most of what runs is cancelled may be its users' wish; that most of everything is, is not.
        Filter::CancelledButRunning => population,
    };

    let since = listed.as_ref().map(|listed| listed.since);
    let page = page(session, &table, filter, (cursor.after, since), (trouble, session.stop_at - quarter)).await?;
    findings.extend(page.findings);
    if filter == Filter::OpenOrLatelyClosed {
        findings.extend(odd::executions(session.db, language).await?);
        findings.extend(page.apart.map(|apart| apart.finding(&session.config.table, language)));
    }
    if page.after.is_some() || cursor.after.is_some() {
        (extent.closings, extent.stops) = still_wanted(session, &table, filter).await?;
        extent.corrections = still_wrong(session, &table, filter).await?;
    }
    let overtaken = still_running(session, &table, filter).await?;
    let cursor = Cursor { after: page.after, listed: listed.or_else(|| cursor.listed.clone()), goes_on: false };
    let short_of = cursor.listed.as_ref().map(|listed| listed.since).filter(|since| *since > back_to);
    let short_of = short_of.map(|since| texts::list_short_of(language, since, back_to));
    let (cases, unfinished) = (page.cases, page.unfinished.or(short_of));
    Ok(Evidence { cases, overtaken, population, extent: Some(extent), findings, cursor: Some(cursor), unfinished })
}

/// The next rows of a sweep, in the run that has dealt with those before them.
async fn go_on(session: &mut Session<'_>, table: &Table, cursor: &Cursor, filter: Filter) -> Result<Evidence, Error> {
    let quarter = session.stop_at.saturating_duration_since(Instant::now()) / 4;
    let since = cursor.listed.as_ref().map(|listed| listed.since);
    let Page { cases, after, findings, unfinished, .. } =
        page(session, table, filter, (cursor.after, since), (None, session.stop_at - quarter)).await?;
    let cursor = Cursor { after, ..cursor.clone() };
    Ok(Evidence { cases, findings, cursor: Some(cursor), unfinished, ..Evidence::default() })
}

/// The rows of a sweep that are looked at at once.
struct Page {
    cases: Vec<Case>,
    /// There are more behind this one.
    after: Option<ProcessId>,
    findings: Vec<Finding>,
    unfinished: Option<String>,
    /// Their times are those of another zone.
    apart: Option<Apart>,
}

/// Reads the rows behind `after`, and looks up what only Step Functions can tell of them, whose list was read back to `since`: unless it has
/// refused that, and until then.
async fn page(
    session: &mut Session<'_>,
    table: &Table,
    filter: Filter,
    (after, since): (Option<ProcessId>, Option<DateTime<Utc>>),
    (trouble, until): (Option<Error>, Instant),
) -> Result<Page, Error> {
    let language = session.config.language;
    let Candidates { mut cases, odd, more, last } = candidates(session, table, filter, after, ROWS_AT_ONCE).await?;
    let mut findings = odd::findings(&odd, &session.config.table, language);
    let known = lately::looked_up(session, &cases).await?;
    let ask = Ask { since, refused: trouble, known: Some(&known), stop_at: until };
    let LookedUp { refused, left, findings: alone } = look_up(session, &mut cases, ask).await?;
    lately::remember(session, &cases, &known).await?;
    findings.extend(alone);
    findings.extend(refused.as_ref().map(|error| unavailable(error, language)));
    let unfinished = (left > 0).then(|| texts::out_of_time(language, left));
    let apart = clock::apart(&cases);
    if let Some(apart) = apart {
        apart.hold(&mut cases, language);
    }
    Ok(Page { cases, after: last.filter(|_| more), findings, unfinished, apart })
}

/// The processes as the database knows them, without a look at Step Functions: for a step that only counts.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn known(session: &mut Session<'_>, filter: Filter) -> Result<Evidence, Error> {
    let table = session.table().await?;
    // Whose execution is not known is asked by who looks it up.
    let (population, _, _, mut findings) = extent(session, &table, filter, "false").await?;
    let Candidates { cases, odd, .. } = candidates(session, &table, filter, None, ROWS_COUNTED).await?;
    findings.extend(odd::findings(&odd, &session.config.table, session.config.language));
    Ok(Evidence { cases, population, findings, ..Evidence::default() })
}

/// Cancelled rows, each beside an execution of it that is known to run, the newest or an overtaken one, without a look at Step
/// Functions: for a step that only counts.
///
/// # Errors
/// [`Error::Database`], [`Error::Table`].
pub async fn uncancelled(session: &mut Session<'_>) -> Result<Vec<Case>, Error> {
    let table = session.table().await?;
    let Candidates { mut cases, .. } =
        candidates(session, &table, Filter::CancelledButRunning, None, ROWS_COUNTED).await?;
    cases.extend(still_running(session, &table, Filter::CancelledButRunning).await?);
    Ok(cases)
}

/// How many rows a sweep is about, what there is beside them, since when there is one of those `looked_for` without a known execution, and what is to be told of rows whose status nobody knows.
async fn extent(
    session: &mut Session<'_>,
    table: &Table,
    filter: Filter,
    looked_for: &str,
) -> Result<(usize, Extent, Option<DateTime<Utc>>, Vec<Finding>), Error> {
    /// Rows, open rows, the oldest without an execution, rows of an unknown status, some of these statuses, rows of the future, by how
    /// many seconds.
    type Counted = (i64, i64, Option<DateTime<Utc>>, i64, Vec<String>, i64, Option<i64>);
    let sql = include_str!("extent.sql").replace("{looked for}", looked_for);
    let (population, open, oldest, unknown, statuses, future, by): Counted = sqlx::query_as(table.sql(&sql))
        .bind(session.now - TimeDelta::days(1))
        .fetch_one(&mut *session.db)
        .await
        .map_err(Error::database("counting processes"))?;
    let extent = Extent { open: count(open), lately_closed: count(population - open - unknown), ..Extent::default() };
    let config = session.config;
    let mut told = Vec::new();
    // One step tells of them.
    if filter == Filter::OpenOrLatelyClosed {
        told.extend(odd::unknown_statuses(count(unknown), &statuses, &config.table, config.language));
        told.extend(clock::ahead(future, by.map(TimeDelta::seconds), &config.table, config.language));
    }
    Ok((count(population), extent, oldest, told))
}

/// How many executions are known to run.
async fn running(session: &mut Session<'_>) -> Result<i64, Error> {
    sqlx::query_scalar("SELECT count(*) FROM remediation.executions WHERE status = 'RUNNING'")
        .fetch_one(&mut *session.db)
        .await
        .map_err(Error::database("counting processes"))
}

fn count(rows: i64) -> usize {
    usize::try_from(rows).unwrap_or_default()
}

/// How many rows would be closed, and executions stopped, by all the runs that a sweep takes.
async fn still_wanted(session: &mut Session<'_>, table: &Table, filter: Filter) -> Result<(usize, usize), Error> {
    let only_due = match filter {
        Filter::OpenOrLatelyClosed => false,
        Filter::PastDeadline | Filter::Stalled(_) => true,
        // They close nothing, and all that they stop runs, which is little.
        Filter::CancelledButRunning | Filter::LatelyFailed => return Ok((0, 0)),
    };
    let AssertSqlSafe(sql) =
        table.sql(&format!("{}{NEWEST} WHERE {{status}} IN ({{open}})) open", include_str!("wanted.sql")));
    let (policy, now) = (&session.config.policy, session.now);
    let (closings, stops): (i64, i64) = sqlx::query_as(AssertSqlSafe(sql))
        .bind(only_due)
        .bind(now - policy.start_deadline)
        .bind(now - policy.process_deadline)
        .fetch_one(&mut *session.db)
        .await
        .map_err(Error::database("counting what is wanted"))?;
    Ok((count(closings), count(stops)))
}

/// How many rows that were closed lately would get another end by all the runs that a sweep takes.
async fn still_wrong(session: &mut Session<'_>, table: &Table, filter: Filter) -> Result<usize, Error> {
    match filter {
        Filter::OpenOrLatelyClosed => {}
        Filter::PastDeadline | Filter::Stalled(_) | Filter::CancelledButRunning | Filter::LatelyFailed => return Ok(0),
    }
    let AssertSqlSafe(sql) =
        table.sql(&format!("SELECT count(*) FROM {{rows}} p {NEWEST} {}", include_str!("wrong.sql")));
    let wrong: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(session.now - TimeDelta::days(1))
        .fetch_one(&mut *session.db)
        .await
        .map_err(Error::database("counting what is wanted"))?;
    Ok(count(wrong))
}

/// The rows of a sweep in the order of their ids.
struct Candidates {
    cases: Vec<Case>,
    odd: Vec<Odd>,
    /// Whether there are more of them …
    more: bool,
    /// … behind this one, which may be odd.
    last: Option<ProcessId>,
}

async fn candidates(
    session: &mut Session<'_>,
    table: &Table,
    filter: Filter,
    after: Option<ProcessId>,
    at_most: usize,
) -> Result<Candidates, Error> {
    let config = session.config;
    let condition = match filter {
        Filter::OpenOrLatelyClosed => include_str!("open_or_lately_closed.sql"),
        Filter::PastDeadline => include_str!("past_deadline.sql"),
        Filter::CancelledButRunning => include_str!("cancelled_but_running.sql"),
        Filter::Stalled(_) => include_str!("stalled.sql"),
        Filter::LatelyFailed => include_str!("lately_failed.sql"),
    };
    let (policy, now) = (&session.config.policy, session.now);
    // A page that ends where the rows end is the last one: one more is asked for.
    let query = sqlx::query(table.sql(&format!("{CASES}{condition}")))
        .bind(after.map_or_else(|| table.before_all_ids().to_owned(), String::from))
        .bind(i64::try_from(at_most + 1).unwrap_or(i64::MAX));
    let query = match filter {
        Filter::OpenOrLatelyClosed | Filter::LatelyFailed => query.bind(now - TimeDelta::days(1)),
        Filter::PastDeadline => query.bind(now - policy.start_deadline).bind(now - policy.process_deadline),
        Filter::CancelledButRunning => query,
        Filter::Stalled(after) => query.bind(now - after),
    };
    let mut read = Candidates { cases: Vec::new(), odd: Vec::new(), more: false, last: after };
    // Row by row: PostgreSQL's rows are several times as large as what is kept of them.
    let mut rows = query.fetch(&mut *session.db);
    while let Some(row) = rows.try_next().await.map_err(Error::database("reading the candidates"))? {
        read.more = read.cases.len() + read.odd.len() == at_most;
        if read.more {
            continue;
        }
        // The next page begins behind it, odd or not.
        match case::read(&row, |_| Look::Sweep, config) {
            Ok(case) => {
                read.last = Some(case.process.id);
                read.cases.push(case);
            }
            Err(odd) => {
                read.last = odd.process.or(read.last);
                read.odd.push(odd);
            }
        }
    }
    Ok(read)
}

/// Executions that still run although a newer one of the same process was started, as far as they are a filter's business.
pub(crate) async fn still_running(
    session: &mut Session<'_>,
    table: &Table,
    filter: Filter,
) -> Result<Vec<Case>, Error> {
    let reading = "reading overtaken executions";
    let condition = match filter {
        Filter::PastDeadline | Filter::Stalled(_) | Filter::LatelyFailed => return Ok(Vec::new()),
        Filter::OpenOrLatelyClosed => "",
        Filter::CancelledButRunning => " AND {is cancelled}",
    };
    let overtaken = concat!(include_str!("cases.sql"), include_str!("overtaken.sql"));
    let rows = sqlx::query(table.sql(&format!("{overtaken}{condition}")))
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database(reading))?;
    // Odd rows are told where the rows themselves are read.
    Ok(case::cases(&rows, |_| Look::Sweep, session.config).0)
}
