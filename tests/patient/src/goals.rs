//! What the processes work for: a goal has sub-goals, a sub-goal has actions.

use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::table::Variant;

/// A goal with all that is under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Its row.
    pub id: Uuid,
    /// `ACTIVE`, `COMPLETED`, `PAUSED`, `CANCELLED`.
    pub status: String,
    /// In their order.
    pub sub_goals: Vec<SubGoal>,
}

/// A sub-goal with its actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubGoal {
    /// Its row.
    pub id: Uuid,
    /// 0 to 100.
    pub progress: i16,
    /// In their order.
    pub actions: Vec<Action>,
}

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// Its row.
    pub id: Uuid,
    /// 0 to 100.
    pub progress: i16,
}

impl Goal {
    /// A goal with one sub-goal for each of these progresses, and under each an action that is as far.
    #[must_use]
    pub fn new(status: &str, progresses: &[i16]) -> Self {
        let action = |progress| Action { id: Uuid::new_v4(), progress };
        let sub_goal = |progress| SubGoal { id: Uuid::new_v4(), progress, actions: vec![action(progress)] };
        let sub_goals = progresses.iter().copied().map(sub_goal).collect();
        Self { id: Uuid::new_v4(), status: status.into(), sub_goals }
    }

    /// Inserts it.
    ///
    /// # Errors
    /// What PostgreSQL answers.
    pub async fn insert(&self, pool: &PgPool, variant: &Variant) -> Result<()> {
        let failed = || Error::when(format!("insert goal {}", self.id));
        let goal = variant.spell(
            "INSERT INTO {schema}.goals (id, {user_id}, title, status, {updated_at})
             VALUES ($1, gen_random_uuid(), '毎日走る', $2::{goal status type}, now(){utc})",
        );
        sqlx::query(AssertSqlSafe(goal)).bind(self.id).bind(&self.status).execute(pool).await.map_err(failed())?;
        for (position, SubGoal { id, progress, actions }) in (0_i16..).zip(&self.sub_goals) {
            let sub_goal = variant.spell(
                "INSERT INTO {schema}.sub_goals (id, {goal_id}, title, position, progress, {updated_at})
                 VALUES ($1, $2, 'サブ目標', $3, $4, now(){utc})",
            );
            let query = sqlx::query(AssertSqlSafe(sub_goal)).bind(id).bind(self.id).bind(position).bind(progress);
            query.execute(pool).await.map_err(failed())?;
            for (position, Action { id: action, progress }) in (0_i16..).zip(actions) {
                let sql = variant.spell(
                    "INSERT INTO {schema}.actions (id, {sub_goal_id}, title, position, progress, {updated_at})
                     VALUES ($1, $2, 'アクション', $3, $4, now(){utc})",
                );
                let query = sqlx::query(AssertSqlSafe(sql)).bind(action).bind(id).bind(position).bind(progress);
                query.execute(pool).await.map_err(failed())?;
            }
        }
        Ok(())
    }
}

/// A goal's status; `None` where there is no such goal.
///
/// # Errors
/// What PostgreSQL answers.
pub async fn status(pool: &PgPool, variant: &Variant, id: Uuid) -> Result<Option<String>> {
    let sql = variant.spell("SELECT status::text FROM {schema}.goals WHERE id = $1");
    let status = sqlx::query_scalar(AssertSqlSafe(sql)).bind(id).fetch_optional(pool).await;
    status.map_err(Error::when(format!("read goal {id}")))
}
