//! The list of executions, read as far back as what is asked about processes needs it.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::Instant;

use crate::decide::decide;
use crate::decide::listing::{Begun, lists_first};
use crate::domain::{Execution, Language, ProcessId};
use crate::finding::{Audience, Finding, Often};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::executions::{self, Listed, Read, Unowned};
use crate::gather::processes::case::{Case, Evidence, Link, Newest};
use crate::gather::session::Session;
use crate::gather::texts;

/// An execution may seem to start a little before its row was created: two clocks.
pub(crate) const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// Reads the list of executions back to `wanted`.
pub(crate) async fn list(
    session: &mut Session<'_>,
    known: Option<Listed>,
    wanted: DateTime<Utc>,
    overlap: TimeDelta,
    stop_at: Instant,
) -> Result<Read, Error> {
    let table = session.table().await?;
    let (of, result_path) = ((session.step_functions, &*table), &session.config.result_path);
    executions::list(session.db, of, result_path, known, wanted, overlap, stop_at).await
}

/// A list that nothing may have ended but time, or an execution whose process nobody can tell.
pub(crate) fn whole(Read { listed, refused, .. }: Read) -> Result<Listed, Error> {
    refused.map_or(Ok(listed), Err)
}

/// What is told of executions whose process nobody can tell.
pub(crate) fn unowned(unowned: &[Unowned], language: Language) -> Option<Finding> {
    let Unowned { arn, error, .. } = unowned.first()?;
    let message = texts::executions_unowned(language, unowned.len(), arn.name(), &error.told(language));
    let finding = Finding::new("execution_unreadable", arn.to_string(), message, json!({ "count": unowned.len() }));
    Some(finding.told(Audience::People, Often::ONCE_A_DAY))
}

/// How often the list is read for one question: whose executions keep ending meanwhile is left for the next look.
const LISTS_AT_MOST: usize = 4;

/// The lists that one question has read, and what was known of each process when the last of them was begun.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    read: usize,
    begun: HashMap<ProcessId, Begun>,
    /// It came so far back only, for want of time.
    cut: bool,
}

impl Lists {
    /// Reads the list of executions back to `wanted`, for what is known of these processes.
    pub(crate) async fn read(
        &mut self,
        session: &mut Session<'_>,
        cases: &[Case],
        wanted: DateTime<Utc>,
        stop_at: Instant,
    ) -> Result<Listed, Error> {
        if cases.iter().all(|case| case.link != Link::Told) {
            // Their rows tell.
            return Ok(Listed { since: DateTime::UNIX_EPOCH, until: session.now, token: None });
        }
        self.begun = cases.iter().map(|case| (case.process.id, Begun::of(&case.process, known(case)))).collect();
        let listed = whole(list(session, None, wanted, TimeDelta::zero(), stop_at).await?)?;
        self.read += 1;
        self.cut = listed.since > wanted;
        Ok(listed)
    }

    /// Reads the list of executions before a row is closed that may have been re-opened: the event of its new execution may be lost
    /// or late, and the old one would close a row that is under way ([`lists_first`]). Says whether it was read; what was known has to be
    /// read again then, and this to be asked again. Whom the list cannot tell of is left undecided.
    pub(crate) async fn read_before_closing(
        &mut self,
        session: &mut Session<'_>,
        cases: &mut [Case],
    ) -> Result<bool, Error> {
        let (config, now) = (session.config, session.now);
        let wants = |lists: &Self, case: &Case| match &case.newest {
            Newest::Known(newest) => {
                let verdict = decide(&case.process, newest.as_ref(), case.look, &config.policy, now).verdict;
                let listed = lists.begun.get(&case.process.id).filter(|_| !lists.cut);
                case.link == Link::Told
                    && newest.is_some()
                    && lists_first(&case.process, newest.as_ref(), case.look, verdict, listed)
            }
            Newest::Unknown(_) => false,
        };
        if self.cut || self.read >= LISTS_AT_MOST {
            let language = config.language;
            let why = if self.cut { texts::not_listed(language) } else { texts::keeps_ending(language) };
            for case in cases.iter_mut() {
                if wants(self, case) {
                    case.newest = Newest::Unknown(why.clone());
                }
            }
            return Ok(false);
        }
        let started = |case: &Case| known(case).map(|newest| newest.started_at.max(now - TimeDelta::days(1)));
        let Some(wanted) = cases.iter().filter(|case| wants(self, case)).filter_map(started).min() else {
            return Ok(false);
        };
        self.read(session, cases, wanted, session.stop_at).await?;
        Ok(true)
    }
}

fn known(case: &Case) -> Option<&Execution> {
    match &case.newest {
        Newest::Known(newest) => newest.as_ref(),
        Newest::Unknown(_) => None,
    }
}

/// Reads the list of executions back to where anything may still run, so that the newest execution that is known of a process
/// is its newest; says whether all of them are known then.
///
/// # Errors
/// [`Error::Aws`], [`Error::Database`].
pub async fn list_lately(session: &mut Session<'_>) -> Result<bool, Error> {
    let since = session.now - session.config.policy.process_deadline - CLOCK_SKEW;
    let read = list(session, None, since, TimeDelta::zero(), session.stop_at).await?;
    Ok(read.refused.is_none() && read.unowned.is_empty())
}

/// Whether a sweep's list reached back to where anything may still run.
#[must_use]
pub fn is_listed_lately(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> bool {
    let listed = evidence.cursor.as_ref().and_then(|cursor| cursor.listed.as_ref());
    listed.is_some_and(|listed| listed.until >= now && listed.since <= now - config.policy.process_deadline)
}
