//! Sets what an installation allows a step, or with row `*` every step: the red button (design, 6.1).
//!
//! A change of our own record: the row, its ledger entry and, by the table's own trigger, its history are one transaction. To press the
//! red button compares with nothing: whoever was quicker, from then on nothing is done.

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::controls::{Allowance, EVERYWHERE, Row, unreadable};
use crate::act::ledger::entries::UNDO;
use crate::act::ledger::runs::Run;
use crate::domain::{Language, Mode};
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::{stored, text};

/// A control that is to be set.
#[derive(Debug, Clone, PartialEq)]
pub struct SetControl {
    /// The step, or [`EVERYWHERE`].
    pub step: String,
    /// The row as it was read: the write compares it.
    pub found: Option<Row>,
    /// What becomes of it.
    pub to: Wanted,
    /// Who wants it.
    pub by: String,
    /// Why, in that person's words.
    pub reason: Option<String>,
}

/// What becomes of a control.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// It only observes from now on; its limits stay as they are then.
    Stop,
    /// It is exactly this.
    Exactly(Allowance),
}

impl Wanted {
    /// What a row that allows this comes to.
    #[must_use]
    pub fn of(&self, now: &Allowance) -> Allowance {
        match self {
            Self::Stop => Allowance { mode: Some(Mode::Observe), ..now.clone() },
            Self::Exactly(to) => to.clone(),
        }
    }

    const fn cause(&self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Exactly(_) => "set",
        }
    }
}

impl SetControl {
    /// As the ledger spells it.
    pub const KIND: &'static str = "set-control";
}

impl Action for SetControl {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        target(&self.step)
    }

    fn preview(&self) -> (Value, Value) {
        let now = self.found.as_ref().map(|row| row.allows.clone()).unwrap_or_default();
        (image(self.found.as_ref()), json!(self.to.of(&now)))
    }

    fn class(&self) -> Class {
        Class::Own
    }

    fn terms(&self) -> Option<String> {
        Some(self.preview().1.to_string())
    }

    fn is_told() -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    fn is_own_record() -> bool {
        true
    }

    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let version = |row: Option<&Row>| row.map(|row| row.updated_at);
        let write = Write {
            step: &action.step,
            by: Some(&action.by),
            reason: action.reason.as_deref(),
            cause: action.to.cause(),
            kind: Self::KIND,
            undo_of: None,
            language: session.config.language,
        };
        let decide = |row: Option<&Row>| match action.to {
            Wanted::Exactly(_) if version(row) != version(action.found.as_ref()) => None,
            Wanted::Stop | Wanted::Exactly(_) => Some(action.to.of(&allowed(row))),
        };
        let (before, after) = write.carry_out(session.db, run, planned, decide).await?;
        let result = if after.is_some() { ActionResult::Applied } else { ActionResult::Superseded };
        Ok(Outcome { id: planned.id, result, before: Some(before), after, again: None })
    }

    fn no_undo(_: &str, _: &str, _: Language) -> Option<String> {
        None
    }

    /// If it is still as that change left it.
    async fn undo(session: &mut Session<'_>, run: &Run, planned: &Planned, undone: &Entry) -> Result<Outcome, Error> {
        let language = session.config.language;
        let read = |image: &Option<Value>| {
            let part = |name: &str| image.as_ref().and_then(|image| image.get(name)).cloned().unwrap_or_default();
            let allows = json!({ "mode": part("mode"), "actions_per_run": part("actionsPerRun"),
                                 "actions_per_hour": part("actionsPerHour"), "share": part("share") });
            serde_json::from_value::<Allowance>(allows).map_err(|error| {
                Error::Refused(text!(
                    language,
                    ja: "`undo`: 記録された値を読めない: {error}",
                    en: "`undo`: the recorded values cannot be read: {error}",
                ))
            })
        };
        let (left, back) = (read(&undone.after)?, read(&undone.before)?);
        let write = Write {
            step: undone.target.strip_prefix(&target("")).unwrap_or(EVERYWHERE),
            by: run.by.as_deref(),
            reason: run.reason.as_deref(),
            cause: "undo",
            kind: UNDO,
            undo_of: Some(undone.id),
            language,
        };
        let decide = |row: Option<&Row>| (allowed(row) == left).then(|| back.clone());
        let (before, after) = write.carry_out(session.db, run, planned, decide).await?;
        let result = match after {
            Some(_) => ActionResult::Applied,
            None => ActionResult::Failed(text!(
                language,
                ja: "その後に他者が変更したため、元に戻さなかった",
                en: "somebody has changed it since: left unchanged",
            )),
        };
        Ok(Outcome { id: planned.id, result, before: Some(before), after, again: None })
    }

    /// It is recorded in the transaction in which it is made: none is ever left open.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}

fn target(step: &str) -> String {
    format!("control {step}")
}

/// What a row allows, by whom, since when and why.
fn image(row: Option<&Row>) -> Value {
    let Some(row) = row else { return json!(Allowance::default()) };
    let mut image = json!(row.allows);
    image["by"] = json!(row.changed_by);
    image["since"] = json!(row.updated_at);
    image["reason"] = json!(row.reason);
    image
}

fn allowed(row: Option<&Row>) -> Allowance {
    row.map(|row| row.allows.clone()).unwrap_or_default()
}

/// A change of a row, and what is recorded of it.
struct Write<'a> {
    step: &'a str,
    /// The database's user where nobody is named.
    by: Option<&'a str>,
    reason: Option<&'a str>,
    cause: &'a str,
    kind: &'a str,
    undo_of: Option<Uuid>,
    language: Language,
}

impl Write<'_> {
    /// Writes what `decide` makes of the row as it is now, and records it; its images before and, where it was written, after.
    async fn carry_out(
        &self,
        db: &mut PgConnection,
        run: &Run,
        planned: &Planned,
        decide: impl Fn(Option<&Row>) -> Option<Allowance>,
    ) -> Result<(Value, Option<Value>), Error> {
        let mut transaction = db.begin().await.map_err(Error::database(SETTING))?;
        let found = self.lock(&mut transaction).await?;
        let before = image(found.as_ref());
        let Some(to) = decide(found.as_ref()) else {
            transaction.rollback().await.map_err(Error::database(SETTING))?;
            return Ok((before, None));
        };
        let written = self.write(&mut transaction, &to).await?;
        let after = image(Some(&written));
        sqlx::query(
            "INSERT INTO remediation.actions
                    (id, run_id, step, kind, target, cause, before, after, outcome, reason, undo_of, closed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'applied', $9, $10, clock_timestamp())",
        )
        .bind(planned.id)
        .bind(run.id)
        .bind(run.step)
        .bind(self.kind)
        .bind(target(self.step))
        .bind(self.cause)
        .bind(&before)
        .bind(&after)
        .bind(stored::text(&planned.reason))
        .bind(self.undo_of)
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(SETTING))?;
        transaction.commit().await.map_err(Error::database(SETTING))?;
        Ok((before, Some(after)))
    }

    /// The row as it is now; nobody else changes a control before the transaction ends.
    async fn lock(&self, db: &mut PgConnection) -> Result<Option<Row>, Error> {
        sqlx::raw_sql("SET LOCAL lock_timeout = '3s'; LOCK TABLE remediation.controls IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *db)
            .await
            .map_err(|error| match error.as_database_error().and_then(|error| error.code()).as_deref() {
                Some("55P03") => Error::Refused(text!(
                    self.language,
                    ja: "remediation.controls が 3 秒間ロックされたままのため、変更しなかった。再試行する。ロックの保持者: SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = 'remediation.controls'::regclass)",
                    en: "remediation.controls stayed locked by somebody else for 3 s, so nothing was changed: try again; who holds it: SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = 'remediation.controls'::regclass)",
                )),
                _ => Error::database(SETTING)(error),
            })?;
        let row: Option<Value> = sqlx::query_scalar("SELECT to_jsonb(c) FROM remediation.controls c WHERE c.step = $1")
            .bind(self.step)
            .fetch_optional(db)
            .await
            .map_err(Error::database(SETTING))?;
        row.map(read).transpose()
    }

    async fn write(&self, db: &mut PgConnection, to: &Allowance) -> Result<Row, Error> {
        let written: Value = sqlx::query_scalar(
            "INSERT INTO remediation.controls AS c
                    (step, mode, actions_per_run, actions_per_hour, share, reason, changed_by, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, session_user), clock_timestamp())
                 ON CONFLICT (step)
                    DO UPDATE SET mode = excluded.mode, actions_per_run = excluded.actions_per_run,
                                  actions_per_hour = excluded.actions_per_hour, share = excluded.share,
                                  reason = excluded.reason, changed_by = excluded.changed_by, updated_at = excluded.updated_at
             RETURNING to_jsonb(c)",
        )
        .bind(self.step)
        .bind(to.mode.map(Mode::as_str))
        .bind(to.actions_per_run.and_then(|limit| i32::try_from(limit).ok()))
        .bind(to.actions_per_hour.and_then(|limit| i32::try_from(limit).ok()))
        .bind(to.share)
        .bind(self.reason.map(stored::text))
        .bind(self.by.map(stored::text))
        .fetch_one(db)
        .await
        .map_err(Error::database(SETTING))?;
        read(written)
    }
}

const SETTING: &str = "setting a control";

fn read(row: Value) -> Result<Row, Error> {
    serde_json::from_value(row).map_err(unreadable)
}
