//! Confirms a lease, so that its change stays, or ends one that has nothing left to put back (design, 6.10).
//!
//! Changes nothing but our own record, so there is no inverse: a change that is not wanted after all is taken back itself.

use serde_json::{Value, json};
use sqlx::Connection;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::lease::{self, End, Lease};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::text;

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
}

impl Action for CloseLease {
    fn kind(&self) -> &'static str {
        match self.how {
            Close::Confirm => Self::CONFIRM,
            Close::End(_) => Self::END,
        }
    }

    fn target(&self) -> String {
        format!("lease {}", self.lease.action_id)
    }

    fn preview(&self) -> (Value, Value) {
        let Lease { target, before, after, revert_at, .. } = &self.lease;
        let open = json!({ "of": target, "before": before, "after": after, "revertAt": revert_at });
        let mut closed = open.clone();
        match self.how {
            Close::Confirm => closed["revertAt"] = Value::Null,
            Close::End(end) => closed["ended"] = end.as_str().into(),
        }
        (open, closed)
    }

    fn class(&self) -> Class {
        Class::Lease
    }

    fn is_end(&self) -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::CONFIRM, Self::END]
    }

    /// Closes the lease and records it, in one transaction.
    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let closing = "closing a lease";
        let mut transaction = session.db.begin().await.map_err(Error::database(closing))?;
        let closed = match action.how {
            Close::Confirm => lease::confirm(&mut transaction, action.lease.action_id, run.id).await?,
            Close::End(end) => lease::end(&mut transaction, action.lease.action_id, end).await?,
        };
        let (before, after) = action.preview();
        if closed {
            entries::record(&mut transaction, run, planned, Some(&before), Some(&after)).await?;
        }
        transaction.commit().await.map_err(Error::database(closing))?;
        let result = if closed { ActionResult::Applied } else { ActionResult::Superseded };
        Ok(Outcome { id: planned.id, result, before: Some(before), after: closed.then_some(after), again: None })
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(text!(
            language,
            ja: "リースの記録は戻せない。変更そのものが不要なら、その変更を undo する",
            en: "a lease is only our record of a change; if the change is not wanted, undo the change itself",
        ))
    }

    /// It is recorded in the transaction in which it is made: none is ever left open.
    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}
