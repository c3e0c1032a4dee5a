//! Confirms a lease, so that its change stays, or ends one that has nothing left to put back (design, 6.10).
//!
//! Changes nothing but our own record, so there is no inverse: a change that is not wanted after all is taken back itself.

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{ActionResult, Outcome};
use crate::act::lease::{self, End, Lease};
use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::gather::error::Error;
use crate::stored;

/// A lease that is to be closed.
#[derive(Debug, Clone, PartialEq)]
pub struct CloseLease {
    /// The lease as it was read.
    pub lease: Lease,
    /// How.
    pub how: Close,
}

/// How a lease is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// A person wants the change to stay.
    Confirm,
    /// The setting is no longer as the change left it.
    End(End),
}

impl CloseLease {
    /// As the ledger spells it.
    pub const CONFIRM: &'static str = "confirm-lease";
    /// As the ledger spells it.
    pub const END: &'static str = "end-lease";

    pub(super) const fn kind(&self) -> &'static str {
        match self.how {
            Close::Confirm => Self::CONFIRM,
            Close::End(_) => Self::END,
        }
    }

    pub(super) fn target(&self) -> String {
        format!("lease {}", self.lease.action_id)
    }

    pub(super) fn preview(&self) -> (Value, Value) {
        let Lease { target, before, after, revert_at, .. } = &self.lease;
        let open = json!({ "of": target, "before": before, "after": after, "revertAt": revert_at });
        let mut closed = open.clone();
        match self.how {
            Close::Confirm => closed["revertAt"] = Value::Null,
            Close::End(end) => closed["ended"] = end.as_str().into(),
        }
        (open, closed)
    }
}

/// Closes the lease and records it, in one transaction.
///
/// # Errors
/// [`Error::Database`].
pub async fn apply(db: &mut PgConnection, run: &Run, planned: &Planned, action: &CloseLease) -> Result<Outcome, Error> {
    let closing = "closing a lease";
    let mut transaction = db.begin().await.map_err(Error::database(closing))?;
    let closed = match action.how {
        Close::Confirm => lease::confirm(&mut transaction, action.lease.action_id, run.id).await?,
        Close::End(end) => lease::end(&mut transaction, action.lease.action_id, end).await?,
    };
    let (before, after) = action.preview();
    if closed {
        sqlx::query(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, before, after, outcome, reason, closed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'applied', $8, clock_timestamp())",
        )
        .bind(planned.id)
        .bind(run.id)
        .bind(run.step)
        .bind(action.kind())
        .bind(action.target())
        .bind(&before)
        .bind(&after)
        .bind(stored::text(&planned.reason))
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(closing))?;
    }
    transaction.commit().await.map_err(Error::database(closing))?;
    let result = if closed { ActionResult::Applied } else { ActionResult::Superseded };
    Ok(Outcome { id: planned.id, result, before: Some(before), after: closed.then_some(after), again: None })
}
