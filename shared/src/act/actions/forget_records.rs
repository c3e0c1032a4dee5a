//! Deletes what is older than its retention (design, 6.4): the record has an end.
//!
//! In bounded steps, each a transaction of its own, until there is nothing left or no time: the next day goes on. It is recorded in the
//! log alone, as a migration is: what it takes from the ledger is not put into it again. What is gone is gone, so it has no undo.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::config::Retention;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::table::Table;
use crate::text;

/// What is older than its retention.
#[derive(Debug, Clone, PartialEq)]
pub struct ForgetRecords {
    /// How much there is, by table: as far as [`LOOKED_AT`].
    pub older: Vec<Older>,
}

/// How much of a table is older than its retention.
#[derive(Debug, Clone, PartialEq)]
pub struct Older {
    /// The table.
    pub table: &'static str,
    /// How many rows, [`LOOKED_AT`] at the most.
    pub rows: i64,
}

/// As many old rows as a look counts.
pub const LOOKED_AT: i64 = 10_000;

/// Something that has a retention.
struct Kept {
    table: &'static str,
    /// By which it is old. An index begins with it, or with `step` and it.
    time: &'static str,
    /// Whether its index begins with `step`.
    by_step: bool,
    for_how_long: fn(&Retention) -> TimeDelta,
    /// Of row `t`: that nothing rests on it any more. What is asked of another table is a value, not a join: that is looked up by its
    /// key, whatever the planner thinks of the sizes.
    old: &'static str,
    /// Rows in one step. Few where a row may be megabytes.
    at_once: i64,
}

/// In this order: the small tables first, so that a long ledger does not keep them waiting for days; a plan before its run.
const KEPT: [Kept; 10] = [
    Kept {
        table: "controls_history",
        time: "changed_at",
        by_step: false,
        for_how_long: |retention| retention.actions,
        old: "true",
        at_once: 5000,
    },
    Kept {
        table: "incidents",
        time: "closed_at",
        by_step: false,
        for_how_long: |retention| retention.actions,
        old: "true",
        at_once: 5000,
    },
    Kept {
        table: "leases",
        time: "ended_at",
        by_step: false,
        for_how_long: |retention| retention.actions,
        // It is open again where the change that took its place is taken back.
        old: "(SELECT count(*) = 0 FROM remediation.leases l WHERE l.supersedes = t.action_id AND l.ended_at IS NULL)",
        at_once: 5000,
    },
    Kept {
        table: "plans",
        time: "seen_at",
        by_step: false,
        for_how_long: |retention| retention.runs,
        old: "t.approved_at IS NULL",
        at_once: 100,
    },
    Kept {
        table: "plans",
        time: "seen_at",
        by_step: false,
        for_how_long: |retention| retention.actions,
        old: "t.approved_at IS NOT NULL",
        at_once: 100,
    },
    Kept {
        table: "refused_writes",
        time: "refused_at",
        by_step: false,
        for_how_long: |retention| retention.refused_writes,
        old: "true",
        at_once: 5000,
    },
    Kept {
        table: "runs",
        time: "started_at",
        by_step: true,
        for_how_long: |retention| retention.runs,
        old: "t.applied = 0 AND t.verification IS DISTINCT FROM 'failed' AND {unneeded run}",
        at_once: 5000,
    },
    Kept {
        table: "runs",
        time: "started_at",
        by_step: true,
        for_how_long: |retention| retention.actions,
        old: "(t.applied > 0 OR t.verification = 'failed') AND {unneeded run}",
        at_once: 5000,
    },
    Kept {
        table: "executions",
        time: "started_at",
        by_step: false,
        for_how_long: |retention| retention.executions,
        // While its row is open, it speaks for it.
        old: "t.status NOT IN ('RUNNING', 'PENDING_REDRIVE')
              AND coalesce((SELECT {status} NOT IN ({open}) FROM {rows} p WHERE {id} = {as id t.process_id}), true)",
        at_once: 5000,
    },
    Kept {
        table: "actions",
        time: "created_at",
        by_step: true,
        for_how_long: |retention| retention.actions,
        // Nothing is under way on its target, itself included; and nobody may still want the setting of the worker back.
        old: "(SELECT count(*) = 0 FROM remediation.actions u WHERE u.target = t.target AND u.outcome = 'applying')
              AND coalesce((SELECT l.ended_at IS NOT NULL FROM remediation.leases l WHERE l.action_id = t.id), true)",
        at_once: 5000,
    },
];

/// A plan is approved with what its run was asked with, and a step goes on where its last sweep stopped.
const UNNEEDED_RUN: &str = "(SELECT count(*) = 0 FROM remediation.plans n WHERE n.run_id = t.id)
              AND (t.cursor IS NULL
                   OR t.id IS DISTINCT FROM (SELECT n.id FROM remediation.runs n WHERE n.step = t.step AND n.cursor IS NOT NULL
                                              ORDER BY n.started_at DESC LIMIT 1))";

impl ForgetRecords {
    /// As the log spells it.
    pub const KIND: &'static str = "forget-records";
    const TARGET: &'static str = "schema remediation";

    /// What is older than its retention; `None` where nothing is. Without the application's table, nothing is known of executions.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn wanted(
        db: &mut PgConnection,
        retention: &Retention,
        table: Option<&Table>,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, Error> {
        let mut older: Vec<Older> = Vec::new();
        for kept in &KEPT {
            let Some(looking) = kept.sql(table, LOOK) else { continue };
            let before = now - (kept.for_how_long)(retention);
            let mut rows = 0;
            for step in kept.steps(db).await? {
                rows += sqlx::query_scalar::<_, i64>(AssertSqlSafe(looking.as_str()))
                    .bind(before)
                    .bind(LOOKED_AT)
                    .bind(step)
                    .fetch_one(&mut *db)
                    .await
                    .map_err(Error::database("looking for what is older than its retention"))?;
            }
            match older.iter_mut().find(|older| older.table == kept.table) {
                Some(older) => older.rows = (older.rows + rows).min(LOOKED_AT),
                None => older.push(Older { table: kept.table, rows: rows.min(LOOKED_AT) }),
            }
        }
        older.retain(|older| older.rows > 0);
        Ok((!older.is_empty()).then_some(Self { older }))
    }
}

impl Action for ForgetRecords {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        Self::TARGET.to_owned()
    }

    fn preview(&self) -> (Value, Value) {
        let said = |older: &Older| {
            let rows = if older.rows < LOOKED_AT { json!(older.rows) } else { json!(format!("{LOOKED_AT} or more")) };
            (older.table.to_owned(), rows)
        };
        let older: Map<String, Value> = self.older.iter().map(said).collect();
        (json!({ "older": older }), json!({ "older": {} }))
    }

    fn class(&self) -> Class {
        Class::Own
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    /// As long as there is time. What is deleted by then is gone, and the next day goes on.
    async fn apply(session: &mut Session<'_>, _: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let table = session.table().await.ok();
        let retention = &session.config.retention;
        let mut deleted: Map<String, Value> = Map::new();
        let mut in_time = true;
        'all: for kept in &KEPT {
            let Some(deleting) = kept.sql(table.as_deref(), include_str!("forget_records.sql")) else { continue };
            let before = session.now - (kept.for_how_long)(retention);
            for step in kept.steps(session.db).await? {
                let mut from: Option<DateTime<Utc>> = None;
                loop {
                    in_time = Instant::now() + A_STEP < session.stop_at;
                    if !in_time {
                        break 'all;
                    }
                    let (rows, until): (i64, Option<DateTime<Utc>>) = sqlx::query_as(AssertSqlSafe(deleting.as_str()))
                        .bind(before)
                        .bind(from)
                        .bind(kept.at_once)
                        .bind(step.as_deref())
                        .fetch_one(&mut *session.db)
                        .await
                        .map_err(Error::database("deleting what is older than its retention"))?;
                    let sum = deleted.get(kept.table).and_then(Value::as_i64).unwrap_or_default() + rows;
                    if sum > 0 {
                        deleted.insert(kept.table.to_owned(), sum.into());
                    }
                    if rows < kept.at_once {
                        break;
                    }
                    from = until;
                }
            }
        }
        let mut after = json!({ "deleted": deleted });
        if !in_time {
            after["unfinished"] = true.into();
        }
        Ok(Outcome {
            id: planned.id,
            result: ActionResult::Applied,
            before: Some(action.preview().0),
            after: Some(after),
            again: None,
        })
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(text!(language, ja: "削除した記録は戻せない", en: "deleted records cannot be restored"))
    }

    /// The log is its ledger.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}

const LOOK: &str = "SELECT count(*) FROM (SELECT FROM remediation.{relation} t WHERE {of the step}{old} AND t.{time} < $1 ORDER BY t.{time} LIMIT $2) old";

impl Kept {
    /// A statement in this table's spelling; `None` where it needs the application's table, and that cannot be read.
    fn sql(&self, table: Option<&Table>, template: &str) -> Option<String> {
        // The last parameter is the step; where it does not count, there is one all the same.
        let step = if template == LOOK { "$3" } else { "$4" };
        let of_the_step =
            if self.by_step { format!("t.step = {step} AND ") } else { format!("{step}::text IS NULL AND ") };
        let sql = template
            .replace("{relation}", self.table)
            .replace("{of the step}", &of_the_step)
            .replace("{old}", self.old)
            .replace("{unneeded run}", UNNEEDED_RUN)
            .replace("{time}", self.time);
        match table {
            Some(table) => Some(table.sql(&sql).0),
            None => (!sql.contains("{rows}")).then_some(sql),
        }
    }

    /// The steps that the table has rows of: one after the other, by its index. There are few.
    async fn steps(&self, db: &mut PgConnection) -> Result<Vec<Option<String>>, Error> {
        if !self.by_step {
            return Ok(vec![None]);
        }
        let sql = format!("SELECT min(step) FROM remediation.{} WHERE step > $1", self.table);
        let (mut steps, mut last) = (Vec::new(), String::new());
        loop {
            let next: Option<String> = sqlx::query_scalar(AssertSqlSafe(sql.as_str()))
                .bind(last)
                .fetch_one(&mut *db)
                .await
                .map_err(Error::database("reading whose records there are"))?;
            let Some(step) = next else { return Ok(steps) };
            last = step.clone();
            steps.push(Some(step));
        }
    }
}

/// What a step may take: none is begun that the end of the run would cut off.
const A_STEP: Duration = Duration::from_secs(5);
