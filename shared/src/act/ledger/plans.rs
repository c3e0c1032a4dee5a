//! The plans that wait for approval: `remediation.plans`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::act::actions::Action;
use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::domain::Mode;
use crate::gather::error::Error;
use crate::stored;

/// What a plan holds of an action: enough to know the same one again when it is planned anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wish {
    /// Its kind.
    pub kind: String,
    /// What it changes.
    pub target: String,
    /// What else a person has to have agreed to ([`Action::terms`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

impl Wish {
    /// Of an action.
    #[must_use]
    pub fn of(action: &Action) -> Self {
        Self { kind: action.kind().to_owned(), target: action.target(), terms: action.terms() }
    }
}

/// The step's own parameters of the run that stored a plan: approving it means the same wish.
///
/// # Errors
/// [`Error::Database`].
pub async fn parameters(db: &mut PgConnection, plan: Uuid) -> Result<Map<String, Value>, Error> {
    let parameters: Option<Value> = sqlx::query_scalar(
        "SELECT r.trigger -> 'parameters' FROM remediation.plans p JOIN remediation.runs r ON r.id = p.run_id
          WHERE p.id = $1",
    )
    .bind(plan)
    .fetch_optional(db)
    .await
    .map_err(Error::database("reading what a plan was asked for with"))?
    .flatten();
    Ok(parameters.and_then(|parameters| parameters.as_object().cloned()).unwrap_or_default())
}

/// Stores what a step wants and may not do by itself; a plan of the last day that already waits for the same actions, and was asked for
/// with the same parameters, is enough. Returns the plan's identity and whether it is new.
///
/// # Errors
/// [`Error::Database`].
pub async fn propose(db: &mut PgConnection, run: &Run, wanted: &[Planned], why: &str) -> Result<(Uuid, bool), Error> {
    let mut actions: Vec<Value> = wanted.iter().map(|planned| json!(Wish::of(&planned.action))).collect();
    actions.sort_by_key(Value::to_string);
    let waiting: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM remediation.plans
          WHERE step = $1 AND approved_at IS NULL AND actions = $2 AND created_at > now() - interval '1 day'
            AND $3 = coalesce((SELECT r.trigger -> 'parameters' FROM remediation.runs r WHERE r.id = run_id), '{}')
          ORDER BY created_at DESC LIMIT 1",
    )
    .bind(run.step)
    .bind(Value::from(actions.clone()))
    .bind(run.trigger.get("parameters").map_or_else(|| json!({}), stored::json))
    .fetch_optional(&mut *db)
    .await
    .map_err(Error::database("reading the plans that wait"))?;
    if let Some(id) = waiting {
        return Ok((id, false));
    }
    let id = Uuid::now_v7();
    sqlx::query("INSERT INTO remediation.plans (id, run_id, step, actions, reason) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(run.id)
        .bind(run.step)
        .bind(Value::from(actions))
        .bind(why)
        .execute(db)
        .await
        .map_err(Error::database("storing a plan"))?;
    Ok((id, true))
}

/// Takes a plan for approval: its actions. A plan is taken once, by one run; that run may begin anew on
/// another connection. Where the step only observes, by `mode` or by its control, the plan is read and waits on.
///
/// # Errors
/// [`Error::Refused`] where there is none, or it was approved already; [`Error::Database`].
pub async fn approve(db: &mut PgConnection, run: &Run, plan: Uuid, mode: Mode) -> Result<Vec<Wish>, Error> {
    let reading = "reading the plan";
    let actions: Option<Value> = sqlx::query_scalar(
        "UPDATE remediation.plans
            SET approved_at = CASE WHEN acts THEN now() END, approved_by = CASE WHEN acts THEN $3 END
           FROM (SELECT $4 AND NOT EXISTS (
                        SELECT FROM remediation.controls WHERE step IN ($2, '*') AND mode = 'observe') AS acts) may
          WHERE id = $1 AND step = $2 AND (approved_at IS NULL OR approved_by = $3) RETURNING actions",
    )
    .bind(plan)
    .bind(run.step)
    .bind(run.id)
    .bind(mode != Mode::Observe)
    .fetch_optional(&mut *db)
    .await
    .map_err(Error::database(reading))?;
    let Some(actions) = actions else {
        let found: Option<(String, Option<DateTime<Utc>>)> =
            sqlx::query_as("SELECT step, approved_at FROM remediation.plans WHERE id = $1")
                .bind(plan)
                .fetch_optional(db)
                .await
                .map_err(Error::database(reading))?;
        return Err(Error::Refused(match found {
            Some((step, _)) if step != run.step => format!("`approve` {plan}: the plan is {step}'s; send it there"),
            Some((_, Some(at))) => format!("`approve` {plan}: the plan was approved already, at {at}"),
            _ => format!(
                "`approve` {plan}: there is no such plan; see the `proposed` entries of a result, or remediation.plans"
            ),
        }));
    };
    serde_json::from_value(actions)
        .map_err(|error| Error::Refused(format!("`approve` {plan}: the stored plan cannot be read: {error}")))
}
