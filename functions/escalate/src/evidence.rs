//! What is read of incidents: how their alarms stand, and what the steps have done about them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use remediation::act::escalation::{Named, Open};
use remediation::gather::alarms::{AlarmArn, Standing};
use remediation::gather::config::escalation::Level;
use remediation::gather::error::Error;
use remediation::gather::trigger::Trigger;
use remediation::run::incident;
use remediation::run::step::Session;
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

/// This step.
pub const STEP: &str = "escalate";

/// What is read.
pub enum Evidence {
    /// The incidents that are open.
    Looked(Looked),
    /// The one that a person takes over.
    Acknowledge {
        /// The incident.
        named: Named,
        /// Who.
        by: String,
    },
}

/// The incidents that are open.
pub struct Looked {
    /// Those that were looked at.
    pub seen: Vec<Seen>,
    /// How many there are.
    pub of: usize,
}

/// An incident that is open.
#[derive(Debug, Clone)]
pub struct Seen {
    /// As the ledger has it.
    pub open: Open,
    /// As its alarm has it.
    pub standing: Standing,
    /// What was done about it. Nothing is read of what nobody is to be told.
    pub known: Known,
}

/// What the steps have done about an incident since it began.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// Its event came to this step: no other one answers it.
    pub own: bool,
    /// The steps that answer it, and those which they started.
    pub steps: Vec<Answering>,
    /// The last changes that these steps made or tried, the newest first.
    pub actions: Vec<Made>,
    /// How many there were in all.
    pub made: i64,
}

/// A step that answers an incident.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answering {
    /// Its name.
    pub step: String,
    /// What went wrong with its newest run: the error that it ended in, or what it says of changes that failed.
    pub failed: Option<String>,
    /// The limit that it has met, in its words.
    pub limit: Option<String>,
    /// What it has told people without changing anything, the newest first: a few.
    pub needs: Vec<String>,
    /// The plan that it may not carry out by itself, and what that waits on.
    pub plan: Option<Uuid>,
    /// That a person may approve it.
    pub approvable: bool,
    /// Why it waits.
    pub waits_on: Option<String>,
}

/// A change that a step made, or tried to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Made {
    /// Its identity.
    pub id: Uuid,
    /// Whose.
    pub step: String,
    /// What.
    pub kind: String,
    /// To what.
    pub target: String,
    /// Why; of one that failed, what went wrong as well.
    pub reason: String,
    /// Whether it was made.
    pub applied: bool,
}

/// What was done about those of which somebody may be told, by their roots.
///
/// # Errors
/// [`Error::Database`].
pub async fn known(
    session: &mut Session<'_>,
    open: &[Open],
    standings: &[Standing],
) -> Result<HashMap<Uuid, Known>, Error> {
    let may_be_told = |(open, standing): &(&Open, &Standing)| {
        !standing.is_over() && open.acknowledged_at.is_none() && open.delivery(Level::L3).told_at.is_none()
    };
    let asked: Vec<&Open> = open.iter().zip(standings).filter(may_be_told).map(|(open, _)| open).collect();
    let since: Vec<DateTime<Utc>> = asked.iter().map(|open| open.began_at).collect();
    let column = |value: fn(&&Open) -> String| asked.iter().map(value).collect::<Vec<_>>();
    let rows: Vec<(Uuid, Json<Known>)> = sqlx::query_as(include_str!("done.sql"))
        .bind(asked.iter().map(|open| open.root).collect::<Vec<_>>())
        .bind(column(|open| open.alarm.clone()))
        .bind(asked.iter().map(|open| open.alarm_arn.clone()).collect::<Vec<_>>())
        .bind(since)
        .bind(STEP)
        .fetch_all(&mut *session.db)
        .await
        .map_err(Error::database("reading what was done about the incidents"))?;
    let mut known: HashMap<Uuid, Known> = rows.into_iter().map(|(root, known)| (root, known.0)).collect();
    // The run at hand has no record yet.
    if let Trigger::Alarm(change) = session.trigger
        && let Some(alarm) = incident::alarm_of(change, session.config)
        && let Some(open) = asked.iter().find(|open| is_of(open, &alarm))
    {
        known.entry(open.root).or_default().own = true;
    }
    Ok(known)
}

/// Whether an incident is of this very alarm: by its ARN, which what an older build has recorded lacks.
fn is_of(open: &Open, alarm: &AlarmArn) -> bool {
    open.alarm == alarm.name && open.alarm_arn.as_ref().is_none_or(|arn| *arn == alarm.arn)
}
