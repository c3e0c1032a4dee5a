//! What the limits are counted by.

use serde_json::Value;
use sqlx::PgConnection;

use crate::act::action::Kind;
use crate::act::guard::{Control, Facts, TargetFacts};
use crate::domain::Mode;
use crate::gather::error::Error;

/// Reads what the limits are counted by: the step's control, its actions of the last hour, and what was done to these targets. Of `kinds`, those
/// that say so count a failure as a try.
///
/// # Errors
/// [`Error::Database`]; without an answer nothing is done.
pub async fn facts(db: &mut PgConnection, step: &str, kinds: &[Kind], targets: &[String]) -> Result<Facts, Error> {
    let counted: Vec<&str> =
        kinds.iter().flat_map(|kind| kind.names().iter().copied().filter(|name| kind.counts_failures(name))).collect();
    type Row = (Option<String>, Option<i32>, Option<i32>, Option<f64>, i64, Option<bool>, Value);
    let (mode, per_run, per_hour, share, last_hour, unhelpful, targets): Row =
        sqlx::query_as(include_str!("facts.sql"))
            .bind(step)
            .bind(targets)
            .bind(counted)
            .fetch_one(db)
            .await
            .map_err(Error::database("reading the limits"))?;
    let count = |limit: Option<i32>| limit.and_then(|limit| usize::try_from(limit).ok());
    let mode = mode.map(|mode| mode.parse::<Mode>()).transpose().map_err(|error| Error::Refused(error.to_string()))?;
    let targets = serde_json::from_value::<std::collections::HashMap<String, TargetFacts>>(targets)
        .map_err(|error| Error::Refused(format!("the ledger's history of the targets cannot be read: {error}")))?;
    Ok(Facts {
        control: Control { mode, actions_per_run: count(per_run), actions_per_hour: count(per_hour), share },
        did_not_help: unhelpful.unwrap_or(false),
        actions_last_hour: usize::try_from(last_hour).unwrap_or(usize::MAX),
        targets,
    })
}
