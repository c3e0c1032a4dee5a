//! Executions that a sweep looked up a while ago, and that still ran then.
//!
//! What is held back or only proposed would else be asked for again by every sweep until somebody approves it, and take from the
//! application's share of the account's DescribeExecution calls. Nothing is changed on such a look: a stop looks once more.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::ExecutionArn;
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::processes::case::Case;
use crate::gather::processes::look_up::wants_look_up;
use crate::gather::session::Session;

/// A look is good for a quarter of the time that the execution was past its deadline, and for so long at the most.
const AT_MOST: TimeDelta = TimeDelta::hours(1);

/// Those of these cases' executions whose last look is still good.
pub(super) async fn looked_up(session: &mut Session<'_>, cases: &[Case]) -> Result<HashSet<ExecutionArn>, Error> {
    let running = past_deadline(cases, session.config, session.now);
    if running.is_empty() {
        return Ok(HashSet::new());
    }
    let looks: Vec<(String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT execution_arn, looked_up_at FROM remediation.executions
          WHERE execution_arn = ANY ($1) AND status = 'RUNNING' AND looked_up_at > $2",
    )
    .bind(running.keys().map(|arn| arn.as_str()).collect::<Vec<_>>())
    .bind(session.now - AT_MOST)
    .fetch_all(&mut *session.db)
    .await
    .map_err(Error::database("reading which executions were looked up lately"))?;
    let now = session.now;
    let good = looks.into_iter().filter_map(|(arn, at)| Some((arn.parse().ok()?, at)));
    Ok(good
        .filter(|(arn, at)| running.get(arn).is_some_and(|due| is_good(*at, *due, now)))
        .map(|(arn, _)| arn)
        .collect())
}

/// Remembers that those of them that still run were looked up now.
pub(super) async fn remember(
    session: &mut Session<'_>,
    cases: &[Case],
    before: &HashSet<ExecutionArn>,
) -> Result<(), Error> {
    let running = past_deadline(cases, session.config, session.now);
    let looked_up: Vec<&str> = running.keys().filter(|arn| !before.contains(arn)).map(|arn| arn.as_str()).collect();
    if looked_up.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE remediation.executions SET looked_up_at = $2 WHERE execution_arn = ANY ($1) AND status = 'RUNNING'",
    )
    .bind(looked_up)
    .bind(session.now)
    .execute(&mut *session.db)
    .await
    .map(drop)
    .map_err(Error::database("remembering which executions were looked up"))
}

/// The executions that run past their deadline, and when that was.
fn past_deadline(cases: &[Case], config: &Config, now: DateTime<Utc>) -> HashMap<ExecutionArn, DateTime<Utc>> {
    let due = |case: &Case| {
        // Few of a page run: only these are decided on here.
        let execution = case.newest.running().filter(|_| wants_look_up(case, config, now))?;
        let deadline = config.policy.of(&case.process).process_deadline;
        Some((execution.arn.clone(), execution.attempt_started_at() + deadline))
    };
    cases.iter().filter_map(due).collect()
}

fn is_good(looked_up: DateTime<Utc>, due: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    looked_up > due && now - looked_up < ((now - due) / 4).min(AT_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_good_for_a_quarter_of_the_time_past_the_deadline_and_for_an_hour_at_the_most() {
        let now = DateTime::from_timestamp(1_795_482_000, 0).unwrap();
        // (seconds past the deadline, seconds since the look, good)
        for (past, since, good) in [
            (-10, 1, false),
            (0, 0, false),
            (20, 25, false),
            (20, 4, true),
            (20, 5, false),
            (400, 99, true),
            (400, 100, false),
            (100_000, 3599, true),
            (100_000, 3600, false),
        ] {
            let ago = |seconds| now - TimeDelta::seconds(seconds);
            assert_eq!(
                is_good(ago(since), ago(past), now),
                good,
                "{past} s past the deadline, looked up {since} s ago"
            );
        }
    }
}
