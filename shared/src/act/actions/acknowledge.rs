//! Notes that a person looks after an incident, so that nobody else is told of it (guide, contacts).
//!
//! A change of our own record: the incident and its ledger entry are one transaction, as a compare-and-set on an incident that nobody has
//! acknowledged. It holds until the incident is over; to take it back lets the escalation go on.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::escalation::target;
use crate::act::ledger::entries::{self, Begin};
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::{stored, text};

/// An incident that a person looks after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledge {
    /// The first of those that are one incident.
    pub root: Uuid,
    /// Its alarm.
    pub alarm: String,
    /// Who.
    pub by: String,
}

const ACKNOWLEDGING: &str = "acknowledging an incident";

impl Acknowledge {
    /// As the ledger spells it.
    pub const KIND: &'static str = "acknowledge-incident";

    fn image(&self, by: Option<&str>, at: Option<DateTime<Utc>>) -> Value {
        json!({ "alarm": self.alarm, "acknowledgedBy": by, "at": at })
    }

    /// Writes who looks after it, where nobody does.
    async fn write(&self, db: &mut PgConnection) -> Result<Option<DateTime<Utc>>, Error> {
        sqlx::query_scalar(
            "UPDATE remediation.incidents SET acknowledged_at = clock_timestamp(), acknowledged_by = $2
              WHERE id = $1 AND acknowledged_at IS NULL RETURNING acknowledged_at",
        )
        .bind(self.root)
        .bind(stored::text(&self.by))
        .fetch_optional(db)
        .await
        .map_err(Error::database(ACKNOWLEDGING))
    }
}

impl Action for Acknowledge {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        target(self.root)
    }

    fn preview(&self) -> (Value, Value) {
        (self.image(None, None), self.image(Some(&self.by), None))
    }

    fn class(&self) -> Class {
        Class::Own
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
        let mut transaction = session.db.begin().await.map_err(Error::database(ACKNOWLEDGING))?;
        let at = action.write(&mut transaction).await?;
        let before = action.image(None, None);
        let after = at.map(|at| action.image(Some(&action.by), Some(at)));
        if let Some(after) = &after {
            entries::record(&mut transaction, run, planned, Some(&before), Some(after)).await?;
        }
        transaction.commit().await.map_err(Error::database(ACKNOWLEDGING))?;
        let result = if after.is_some() { ActionResult::Applied } else { ActionResult::Superseded };
        Ok(Outcome { id: planned.id, result, before: Some(before), after, again: None })
    }

    fn no_undo(_: &str, _: &str, _: Language) -> Option<String> {
        None
    }

    /// Nobody looks after it any more, unless somebody else does.
    async fn undo(session: &mut Session<'_>, run: &Run, planned: &Planned, undone: &Entry) -> Result<Outcome, Error> {
        let outcome =
            |result, after| Ok(Outcome { id: planned.id, result, before: undone.after.clone(), after, again: None });
        let begin =
            Begin { undoes: Some(undone.id), before: undone.after.as_ref(), takes_over: true, ..Begin::default() };
        if !entries::begin(session.db, run, planned, &begin).await? {
            return outcome(ActionResult::Busy, None);
        }
        let cleared = sqlx::query(
            "UPDATE remediation.incidents SET acknowledged_at = NULL, acknowledged_by = NULL
              WHERE 'incident ' || id = $1 AND acknowledged_at = $2::timestamptz",
        )
        .bind(&undone.target)
        .bind(undone.after.as_ref().and_then(|after| after["at"].as_str()))
        .execute(&mut *session.db)
        .await
        .map_err(Error::database(ACKNOWLEDGING))?;
        let (result, after) = if cleared.rows_affected() == 1 {
            (ActionResult::Applied, undone.before.clone())
        } else {
            let why = text!(
                session.config.language,
                ja: "その後に変更されたため、元に戻さなかった",
                en: "it has changed since: left unchanged",
            );
            (ActionResult::Failed(why), None)
        };
        entries::close(session.db, planned.id, &result, after.as_ref()).await?;
        outcome(result, after)
    }

    /// What a crash left open is only an undo, which a person asks for again.
    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        for entry in open {
            let why = text!(
                session.config.language,
                ja: "実行が途中で終了した。必要なら再度 undo する",
                en: "the run ended in the midst of it; if it is still wanted, ask for the undo again",
            );
            entries::close(session.db, entry.id, &ActionResult::Failed(why), None).await?;
        }
        Ok(Vec::new())
    }
}
