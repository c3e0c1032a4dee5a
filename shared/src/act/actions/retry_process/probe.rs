//! The probe: while most fail, one is tried, and what becomes of it tells whether the others may be.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, Row};

use crate::domain::ExecutionStatus;

/// The last probe, as the ledger and what is known of executions have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// When it was begun.
    pub begun_at: DateTime<Utc>,
    /// It is being started just now, or was left so.
    pub applying: bool,
    /// Its execution's status and start, where it is known.
    pub execution: Option<(ExecutionStatus, DateTime<Utc>)>,
    /// When its execution ended.
    pub stopped_at: Option<DateTime<Utc>>,
}

/// What a probe has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeState {
    /// Nothing yet.
    UnderWay,
    /// What had failed works again.
    Succeeded {
        /// Since then.
        at: DateTime<Utc>,
    },
    /// It does not, or nobody can tell.
    Failed {
        /// Since then.
        at: DateTime<Utc>,
    },
}

impl Probe {
    /// The last one of a day: of this step, as the ledger spells its kind and its cause.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub(super) async fn last(
        db: &mut PgConnection,
        kind: &str,
        cause: &str,
        step: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        let row =
            sqlx::query(include_str!("probe/last.sql")).bind(kind).bind(cause).bind(step).fetch_optional(db).await?;
        let Some(row) = row else { return Ok(None) };
        let status = row.try_get::<Option<&str>, _>("status")?.and_then(|status| status.parse().ok());
        Ok(Some(Self {
            begun_at: row.try_get("begun_at")?,
            applying: row.try_get("applying")?,
            execution: status.zip(row.try_get("started_at")?),
            stopped_at: row.try_get("stopped_at")?,
        }))
    }

    /// What it has shown by now. One that runs past `deadline` has failed: nothing must keep the others waiting for ever.
    #[must_use]
    pub fn state(&self, deadline: TimeDelta, now: DateTime<Utc>) -> ProbeState {
        use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
        if self.applying {
            return ProbeState::UnderWay;
        }
        let ended = self.stopped_at.unwrap_or(self.begun_at);
        match self.execution {
            Some((Running | PendingRedrive, started_at)) if now < started_at + deadline => ProbeState::UnderWay,
            Some((Running | PendingRedrive, started_at)) => ProbeState::Failed { at: started_at + deadline },
            Some((Succeeded, _)) => ProbeState::Succeeded { at: ended },
            Some((Failed | TimedOut | Aborted, _)) | None => ProbeState::Failed { at: ended },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_under_way_until_its_execution_is_over_or_past_its_deadline() {
        use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
        let at = |seconds: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let (failed, succeeded) = (|s| ProbeState::Failed { at: at(s) }, |s| ProbeState::Succeeded { at: at(s) });
        // (it is being started, its execution's status, its end, now, what it has shown); begun at 100, started at 101
        for (applying, status, stopped, now, expected) in [
            (true, None, None, 110, ProbeState::UnderWay),
            (true, Some(Running), None, 5000, ProbeState::UnderWay),
            (false, Some(Running), None, 1000, ProbeState::UnderWay),
            (false, Some(Running), None, 1001, failed(1001)),
            (false, Some(PendingRedrive), Some(150), 1000, ProbeState::UnderWay),
            (false, Some(PendingRedrive), Some(150), 1001, failed(1001)),
            (false, Some(Succeeded), Some(130), 140, succeeded(130)),
            (false, Some(Failed), Some(130), 140, failed(130)),
            (false, Some(TimedOut), Some(700), 740, failed(700)),
            (false, Some(Aborted), Some(130), 140, failed(130)),
            (false, Some(Failed), None, 140, failed(100)),
            (false, None, None, 140, failed(100)),
        ] {
            let execution = status.map(|status| (status, at(101)));
            let probe = Probe { begun_at: at(100), applying, execution, stopped_at: stopped.map(at) };
            assert_eq!(probe.state(TimeDelta::seconds(900), at(now)), expected, "{probe:?} at {now}");
        }
    }
}
