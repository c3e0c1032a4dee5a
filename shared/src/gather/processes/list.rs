//! The list of executions, read as far back as what is asked about processes needs it.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::decide::{Look, Verdict, decide};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::executions::{self, Listed};
use crate::gather::processes::case::{Case, Evidence, Newest};
use crate::gather::session::Session;

/// An execution may seem to start a little before its row was created: two clocks.
pub(crate) const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// Reads the list of executions back to `wanted`.
pub(crate) async fn list(
    session: &mut Session<'_>,
    known: Option<Listed>,
    wanted: DateTime<Utc>,
    overlap: TimeDelta,
    stop_at: Instant,
) -> Result<Listed, Error> {
    let table = session.table().await?;
    let (of, result_path) = ((session.step_functions, &*table), &session.config.result_path);
    executions::list(session.db, of, result_path, known, wanted, overlap, stop_at).await
}

/// Reads the list of executions before a row is closed that may have been re-opened: the event of its new execution may be lost
/// or late, and the old one would close a row that is under way. A row that was never retried has no other execution. Says whether
/// it was read; what was known has to be read again then.
pub(crate) async fn list_before_closing(session: &mut Session<'_>, cases: &[Case]) -> Result<bool, Error> {
    let policy = &session.config.policy;
    let started = |case: &Case| match &case.newest {
        Newest::Known(Some(newest)) if case.look == Look::Event && case.process.retries != Some(0) => {
            let closes = decide(&case.process, Some(newest), case.look, policy, session.now).verdict;
            matches!(closes, Verdict::Close(_)).then(|| newest.started_at.max(session.now - TimeDelta::days(1)))
        }
        Newest::Known(_) | Newest::Unknown(_) => None,
    };
    let Some(wanted) = cases.iter().filter_map(started).min() else { return Ok(false) };
    list(session, None, wanted, TimeDelta::zero(), session.stop_at).await?;
    Ok(true)
}

/// Reads the list of executions back to where anything may still run, so that the newest execution that is known of a process
/// is its newest.
///
/// # Errors
/// [`Error::Aws`], [`Error::Database`].
pub async fn list_lately(session: &mut Session<'_>) -> Result<(), Error> {
    let since = session.now - session.config.policy.process_deadline - CLOCK_SKEW;
    list(session, None, since, TimeDelta::zero(), session.stop_at).await.map(drop)
}

/// Whether a sweep's list reached back to where anything may still run.
#[must_use]
pub fn is_listed_lately(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> bool {
    let listed = evidence.cursor.as_ref().and_then(|cursor| cursor.listed.as_ref());
    listed.is_some_and(|listed| listed.until >= now && listed.since <= now - config.policy.process_deadline)
}
