//! Whether anything was measured since the last change took effect: a further step rests on nothing else (design, 6.7).

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::act::actions::change_worker::ChangeWorker;
use crate::act::ledger::entries::UNDO;
use crate::gather::alarms::Alarms;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::worker::setting::Setting;
use crate::run::incident::Look;

/// How far back each measurement of check-health looks: what it measures sooner after a change is of before.
pub const MEASURED_OVER: TimeDelta = TimeDelta::minutes(5);

/// What was measured since the last change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measured {
    /// There was no change before, or a person decides.
    Needless,
    /// It is still bad.
    Since,
    /// Nothing that is bad.
    Nothing {
        /// When the last change took effect.
        last: DateTime<Utc>,
    },
    /// CloudWatch did not tell: why.
    Unknown(String),
}

/// Looks for it, at the least cost: what the alarm's own change of state says, else what CloudWatch measured.
///
/// # Errors
/// [`Error::Database`]. What CloudWatch refuses is [`Measured::Unknown`].
pub(super) async fn measured(
    session: &mut Session<'_>,
    setting: Setting,
    target: &str,
    look: &Look,
) -> Result<Measured, Error> {
    let Some(last) = last_effect(session.db, target, setting).await? else { return Ok(Measured::Needless) };
    let from = last + MEASURED_OVER;
    // It went off again afterwards.
    if look.incident.as_ref().is_some_and(|incident| incident.opened_at >= from) {
        return Ok(Measured::Since);
    }
    let Some(alarm) = &look.alarm else { return Ok(Measured::Nothing { last }) };
    let alarms = Alarms::of(session.aws, alarm);
    let asked = async {
        let told = match &look.told {
            Some(told) => Some(told.clone()),
            None => alarms.describe(alarm, session.config).await?,
        };
        match told {
            Some(told) => alarms.measured(&told, from, session.now).await,
            None => Ok(false),
        }
    };
    Ok(match asked.await {
        Ok(true) => Measured::Since,
        Ok(false) => Measured::Nothing { last },
        Err(error) => Measured::Unknown(error.told(session.config.language)),
    })
}

/// When the last change that moves what the setting is judged by took effect.
async fn last_effect(db: &mut PgConnection, target: &str, setting: Setting) -> Result<Option<DateTime<Utc>>, Error> {
    let moved = setting.judged_after();
    let kinds: Vec<&str> = moved.iter().map(|setting| setting.kind()).collect();
    sqlx::query_scalar(
        "SELECT max(a.closed_at) FROM remediation.actions a
          WHERE a.target = $1 AND a.outcome = 'applied' AND a.created_at > now() - interval '31 days'
            AND (a.kind = ANY ($2)
                 OR a.kind = ANY ($3) AND EXISTS (SELECT FROM remediation.actions of
                                                   WHERE of.id = CASE WHEN a.cause ~ '^[0-9a-f-]{36}$' THEN a.cause::uuid END
                                                     AND of.kind = ANY ($2)))",
    )
    .bind(target)
    .bind(kinds)
    .bind([ChangeWorker::REVERT, UNDO].as_slice())
    .fetch_one(db)
    .await
    .map_err(Error::database("reading when the worker was changed last"))
}
