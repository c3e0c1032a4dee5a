//! What the limits are counted by.

use serde::Deserialize;
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::act::action::kind::Kind;
use crate::act::guard::{Facts, TargetFacts};
use crate::act::ledger::controls::Control;
use crate::act::ledger::entries::UNDO;
use crate::act::ledger::runs::Run;
use crate::act::texts;
use crate::gather::error::Error;

/// What a run asks to be admitted to, so that no other takes the same room at the same time.
#[derive(Debug)]
pub struct Admission<'a> {
    /// Who asks.
    pub run: &'a Run,
    /// How many actions that the limits bind it wants to make. 0 asks for nothing.
    pub wanted: usize,
    /// How many it has made already.
    pub done: usize,
    /// How many one run may make, where the step's controls say nothing else.
    pub per_run: usize,
    /// It looks at everything: what other such runs do at the same time counts as its own.
    pub sweeps: bool,
}

/// Reads what the limits are counted by: what its controls leave the step, its actions of the last hour, and what was done to these targets. Of `kinds`, those
/// that say so count a failure as a try.
///
/// # Errors
/// [`Error::Database`]; without an answer nothing is done.
pub async fn facts(db: &mut PgConnection, step: &str, kinds: &[Kind], targets: &[String]) -> Result<Facts, Error> {
    read(db, step, kinds, targets, None).await
}

/// The same, for a run that goes on to act: what it may do is taken from the step's limits in the transaction in which they are counted.
///
/// # Errors
/// [`Error::Database`]; without an answer nothing is done.
pub async fn admit(
    db: &mut PgConnection,
    admission: &Admission<'_>,
    kinds: &[Kind],
    targets: &[String],
) -> Result<Facts, Error> {
    read(db, admission.run.step, kinds, targets, Some(admission)).await
}

/// What the step's limits have given away, where room was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    last_hour: usize,
    beside: usize,
}

async fn read(
    db: &mut PgConnection,
    step: &str,
    kinds: &[Kind],
    targets: &[String],
    admission: Option<&Admission<'_>>,
) -> Result<Facts, Error> {
    let counted: Vec<&str> =
        kinds.iter().flat_map(|kind| kind.names().iter().copied().filter(|name| kind.counts_failures(name))).collect();
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let (controls, last_hour, unhelpful, targets, given): (Value, i64, Option<bool>, Value, Option<Json<Given>>) =
        sqlx::query_as(include_str!("facts.sql"))
            .bind(step)
            .bind(targets)
            .bind(counted)
            .bind(UNDO)
            .bind(admission.map(|asks| asks.run.id))
            .bind(admission.map_or(0, |asks| number(asks.wanted)))
            .bind(admission.map(|asks| number(asks.per_run)))
            .bind(admission.map(|asks| asks.sweeps))
            .bind(admission.map(|asks| asks.run.started_at))
            .bind(admission.map(|asks| asks.run.alive_until))
            .bind(admission.map_or(0, |asks| number(asks.done)))
            .fetch_one(db)
            .await
            .map_err(Error::database("reading the limits"))?;
    let targets = serde_json::from_value::<std::collections::HashMap<String, TargetFacts>>(targets)
        .map_err(|error| Error::said(|language| texts::targets_unreadable(language, &error.to_string())))?;
    Ok(Facts {
        control: Control::read(controls)?,
        did_not_help: unhelpful.unwrap_or(false),
        actions_last_hour: given
            .as_ref()
            .map_or_else(|| usize::try_from(last_hour).unwrap_or(usize::MAX), |given| given.last_hour),
        beside: given.map_or(0, |given| given.beside),
        targets,
    })
}
