//! Plans: what a step wants and may not do by itself, as documents in `remediation.plans` (design, 6.4 and 6.12).
//!
//! A plan never changes. The same wish again is the same plan; another one supersedes it. Its size is bounded: of more than
//! [`AT_MOST`] changes it has their kinds, terms and counts, and a sample.

mod document;

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sqlx::{Connection, FromRow, PgConnection};
use uuid::Uuid;

use crate::act::action::{Action, Planned};
use crate::act::ledger::runs::Run;
use crate::act::texts;
use crate::domain::{Language, Mode, ProcessId};
use crate::gather::error::Error;
use crate::stored;

pub use document::{AT_MOST, Group, Wish};

use document::Document;

/// A plan as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its identity.
    pub id: Uuid,
    /// When it was made: what came later is none of it.
    pub created_at: DateTime<Utc>,
    /// The changes, all of them or a sample.
    pub wishes: Vec<Wish>,
    /// How many of which kind and terms.
    pub groups: Vec<Group>,
    /// Whether `wishes` are all.
    pub complete: bool,
    /// Of which processes an execution was stopped since then, as wanted, and nothing else was done yet: what that brings about is left.
    pub stopped: Vec<ProcessId>,
}

/// What became of a wish to store a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The plan.
    pub id: Uuid,
    /// It was not there yet.
    pub is_new: bool,
    /// It wants something else than the one before it, or ten times as much: people have not heard of it.
    pub is_news: bool,
}

/// What a run looked at, so that a plan of one process supersedes no plan of all.
fn scope(run: &Run) -> String {
    let asked = ["processId", "executionArn", "undo", "parameters"]
        .into_iter()
        .filter_map(|field| Some((field.to_owned(), run.trigger.get(field)?.clone())))
        .collect::<Map<String, Value>>();
    if asked.is_empty() { "all".to_owned() } else { Value::Object(asked).to_string() }
}

/// The plan that waits.
#[derive(Clone, Copy, FromRow)]
struct Last {
    id: Uuid,
    digest: Option<Uuid>,
    shape: Option<Uuid>,
    of_today: bool,
    /// A part of it was approved.
    begun: bool,
}

/// Stores what a step wants and does not do: what it has read of that, and how many changes there are in all. One of the last day that waits for the same is that one; another one of the same scope is
/// superseded, unless that was approved in part, and this is what is left of it.
///
/// # Errors
/// [`Error::Database`].
pub async fn store(
    db: &mut PgConnection,
    run: &Run,
    mode: Mode,
    (wanted, in_all): (&[Planned], usize),
    why: &str,
) -> Result<Stored, Error> {
    let storing = "storing a plan";
    let document = Document::of(wanted, in_all);
    let scope = scope(run);
    let mut transaction = db.begin().await.map_err(Error::database(storing))?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('remediation:plan:' || $1 || $2, 0))")
        .bind(run.step)
        .bind(&scope)
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(storing))?;
    let last: Option<Last> = sqlx::query_as(
        "SELECT id, digest, shape, created_at > now() - interval '1 day' AS of_today, approved_at IS NOT NULL AS begun
           FROM remediation.plans
          WHERE step = $1 AND scope = $2 AND mode = $3 AND superseded_at IS NULL AND done_at IS NULL",
    )
    .bind(run.step)
    .bind(&scope)
    .bind(mode.as_str())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(Error::database(storing))?;
    if let Some(last @ Last { id, of_today: true, .. }) = last
        && (last.digest == Some(document.digest) || last.begun && has_all(&mut transaction, id, wanted).await?)
    {
        sqlx::query("UPDATE remediation.plans SET seen = seen + 1, seen_at = clock_timestamp() WHERE id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::database(storing))?;
        transaction.commit().await.map_err(Error::database(storing))?;
        return Ok(Stored { id, is_new: false, is_news: false });
    }
    let id = Uuid::now_v7();
    sqlx::query(include_str!("store_plan.sql"))
        .bind(id)
        .bind(run.id)
        .bind(run.step)
        .bind(stored::json(&json!(document.actions)))
        .bind(stored::text(why))
        .bind(mode.as_str())
        .bind(&scope)
        .bind(document.digest)
        .bind(document.shape)
        .bind(last.map(|last| last.id))
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(json!(document.groups))
        .bind(i64::try_from(in_all).unwrap_or(i64::MAX))
        .bind(document.complete)
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(storing))?;
    transaction.commit().await.map_err(Error::database(storing))?;
    let is_news = last.is_none_or(|last| !last.of_today || last.shape != Some(document.shape));
    Ok(Stored { id, is_new: true, is_news })
}

/// Whether a plan has all that is wanted.
async fn has_all(db: &mut PgConnection, id: Uuid, wanted: &[Planned]) -> Result<bool, Error> {
    let plan = Row::read(db, id).await?.and_then(|row| row.plan().ok());
    let approval = plan.map(Approval::of);
    Ok(approval.is_some_and(|approval| wanted.iter().all(|planned| approval.covers(planned.action.as_ref()))))
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    step: String,
    mode: String,
    created_at: DateTime<Utc>,
    actions: Value,
    groups: Value,
    complete: bool,
    superseded_at: Option<DateTime<Utc>>,
    superseded_by: Option<Uuid>,
    approved_by: Option<Uuid>,
    done_at: Option<DateTime<Utc>>,
}

impl Row {
    async fn read(db: &mut PgConnection, id: Uuid) -> Result<Option<Self>, Error> {
        sqlx::query_as(
            "SELECT id, step, mode, created_at, actions, groups, complete, superseded_at, superseded_by, approved_by, done_at
               FROM remediation.plans WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(db)
        .await
        .map_err(Error::database("reading the plan"))
    }

    fn plan(self) -> Result<Plan, serde_json::Error> {
        let Self { id, created_at, actions, groups, complete, .. } = self;
        let (wishes, groups) = (serde_json::from_value(actions)?, serde_json::from_value(groups)?);
        Ok(Plan { id, created_at, wishes, groups, complete, stopped: Vec::new() })
    }
}

/// Reads what is left of a plan that a run is to carry out. One that this very run has done (it lost its connection and began again) is
/// read again.
///
/// # Errors
/// [`Error::Refused`] where there is none, or it is another step's, superseded, done, or was never proposed; [`Error::Database`].
pub async fn read(db: &mut PgConnection, run: &Run, id: Uuid, language: Language) -> Result<Plan, Error> {
    let refused = |why: String| Err(Error::Refused(format!("`approve` {id}: {why}")));
    let Some(row) = Row::read(db, id).await? else { return refused(texts::no_such_plan(language)) };
    if row.step != run.step {
        return refused(texts::anothers_plan(language, &row.step));
    }
    if let Some(at) = row.done_at.filter(|_| row.approved_by != Some(run.id)) {
        return refused(texts::plan_done(language, at));
    }
    if let Some(at) = row.superseded_at {
        return refused(texts::plan_superseded(language, at, row.superseded_by));
    }
    if row.mode == Mode::Observe.as_str() {
        return refused(texts::plan_observed(language));
    }
    let mut plan = match row.plan() {
        Ok(plan) => plan,
        Err(error) => return refused(texts::plan_unreadable(language, &error.to_string())),
    };
    let targets: Vec<&str> = plan.wishes.iter().map(|wish| wish.target.as_str()).collect();
    let done: HashSet<(String, String)> = sqlx::query_as::<_, (String, String)>(
        "SELECT kind, target FROM remediation.actions
          WHERE target = ANY ($1) AND step = $2 AND outcome = 'applied' AND created_at >= $3",
    )
    .bind(targets)
    .bind(run.step)
    .bind(plan.created_at)
    .fetch_all(&mut *db)
    .await
    .map_err(Error::database("reading what of the plan is done"))?
    .into_iter()
    .collect();
    let stopped: Vec<String> = sqlx::query_scalar(include_str!("stopped.sql"))
        .bind(run.step)
        .bind(plan.created_at)
        .bind(plan.complete.then(|| plan.wishes.iter().map(|wish| wish.target.as_str()).collect::<Vec<_>>()))
        .fetch_all(db)
        .await
        .map_err(Error::database("reading what the plan has stopped"))?;
    plan.stopped = stopped.iter().filter_map(|id| id.parse().ok()).collect();
    plan.wishes.retain(|wish| !done.contains(&(wish.kind.clone(), wish.target.clone())));
    Ok(plan)
}

/// Notes that a run has carried out a plan, or a part of it; `done`: nothing of it is left.
///
/// # Errors
/// [`Error::Database`].
pub async fn approved(db: &mut PgConnection, run: &Run, plan: Uuid, done: bool) -> Result<(), Error> {
    sqlx::query(
        "UPDATE remediation.plans
            SET approved_at = coalesce(approved_at, clock_timestamp()), approved_by = $2,
                done_at = coalesce(done_at, CASE WHEN $3 THEN clock_timestamp() END)
          WHERE id = $1",
    )
    .bind(plan)
    .bind(run.id)
    .bind(done)
    .execute(db)
    .await
    .map(drop)
    .map_err(Error::database("noting an approval"))
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

/// What an approval covers: just what the plan says.
#[derive(Debug)]
pub struct Approval {
    plan: Plan,
    wishes: HashSet<Wish>,
}

/// Why an approval does not cover an action, or what it wanted has not come up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// Something else is wanted of the target now.
    Otherwise {
        /// What was approved.
        approved: Option<String>,
        /// What is wanted now.
        now: Option<String>,
    },
    /// Nothing is wanted of the target any more.
    Gone,
}

impl Approval {
    /// Of a plan.
    #[must_use]
    pub fn of(plan: Plan) -> Self {
        Self { wishes: plan.wishes.iter().cloned().collect(), plan }
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether it covers an action: the very kind, target and terms; or, where the plan has but a sample, one of the same kind and terms
    /// that was there when the plan was made.
    #[must_use]
    pub fn covers(&self, action: &dyn Action) -> bool {
        let wish = Wish::of(action);
        if self.plan.complete {
            return self.wishes.contains(&wish);
        }
        let is_of_it = |group: &Group| group.kind == wish.kind && group.terms == wish.terms;
        self.plan.groups.iter().any(is_of_it)
            && action.attempt_since().is_none_or(|since| since <= self.plan.created_at)
    }

    /// What of the plan has moved, by all that is wanted now.
    #[must_use]
    pub fn moved(&self, wanted: &[Planned]) -> Vec<(String, Moved)> {
        if !self.plan.complete {
            return Vec::new();
        }
        let now: BTreeMap<String, Wish> =
            wanted.iter().map(|planned| (planned.action.target(), Wish::of(planned.action.as_ref()))).collect();
        let mut moved = Vec::new();
        for wish in &self.plan.wishes {
            match now.get(&wish.target) {
                Some(now) if now == wish => {}
                Some(now) => {
                    moved.push((wish.target.clone(), Moved::Otherwise { approved: spelt(wish), now: spelt(now) }))
                }
                None => moved.push((wish.target.clone(), Moved::Gone)),
            }
        }
        moved
    }
}

fn spelt(wish: &Wish) -> Option<String> {
    Some(match &wish.terms {
        Some(terms) => format!("{} {terms}", wish.kind),
        None => wish.kind.clone(),
    })
}
