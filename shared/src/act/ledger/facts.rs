//! What the limits are counted by.

use serde_json::Value;
use sqlx::PgConnection;

use crate::act::action::Kind;
use crate::act::guard::{Facts, TargetFacts};
use crate::act::ledger::controls::Control;
use crate::act::ledger::entries::UNDO;
use crate::gather::error::Error;

/// Reads what the limits are counted by: what its controls leave the step, its actions of the last hour, and what was done to these targets. Of `kinds`, those
/// that say so count a failure as a try.
///
/// # Errors
/// [`Error::Database`]; without an answer nothing is done.
pub async fn facts(db: &mut PgConnection, step: &str, kinds: &[Kind], targets: &[String]) -> Result<Facts, Error> {
    let counted: Vec<&str> =
        kinds.iter().flat_map(|kind| kind.names().iter().copied().filter(|name| kind.counts_failures(name))).collect();
    let (controls, last_hour, unhelpful, targets): (Value, i64, Option<bool>, Value) =
        sqlx::query_as(include_str!("facts.sql"))
            .bind(step)
            .bind(targets)
            .bind(counted)
            .bind(UNDO)
            .fetch_one(db)
            .await
            .map_err(Error::database("reading the limits"))?;
    let targets = serde_json::from_value::<std::collections::HashMap<String, TargetFacts>>(targets)
        .map_err(|error| Error::Refused(format!("the ledger's history of the targets cannot be read: {error}")))?;
    Ok(Facts {
        control: Control::read(controls)?,
        did_not_help: unhelpful.unwrap_or(false),
        actions_last_hour: usize::try_from(last_hour).unwrap_or(usize::MAX),
        targets,
    })
}
