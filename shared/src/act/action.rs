//! What an action is: one change to one target, which says everything about itself (design, section 3).
//!
//! A kind of change is one file in `actions/` that implements [`Action`]. Whoever handles actions (the run, the guard, the ledger, the undo)
//! knows this trait and [`Kind`](kind::Kind), and no kind by its name.

pub mod kind;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::act::ledger::runs::Run;
use crate::decide::Policy;
use crate::domain::{Language, ProcessId};
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::redact;
use crate::severity::Severity;

pub use crate::guard::Class;

/// A kind of change, and one change of it to one target.
///
/// Each records itself in the ledger before, or in the very statement in which, it changes anything, as a compare-and-set on what was read;
/// and it reads back what it changed: [`ActionResult::Applied`] means verified.
pub trait Action: Any + Debug + Send + Sync {
    /// Its kind, as the ledger spells it; one of [`Action::kinds`].
    fn kind(&self) -> &'static str;

    /// What it changes, as the ledger spells it. One change at a time is made to one target.
    fn target(&self) -> String;

    /// What is there now and what shall be, for a plan that is only told.
    fn preview(&self) -> (Value, Value);

    /// What it is a part of, where the part of something that may be changed at once is limited (design, 6.2).
    fn class(&self) -> Class;

    /// What a person who approves it has to have agreed to, beside its kind and target: where that has become another, the approval
    /// does not cover it. `None` where kind and target say all.
    fn terms(&self) -> Option<String> {
        None
    }

    /// The versions that the decision rests on, of row, execution or function, for a plan. An execution's ARN is its `execution`.
    fn rests_on(&self) -> Value {
        Value::Null
    }

    /// Whether it only ends what was begun, and counted, before: no history and no limit hinders that.
    fn is_end(&self) -> bool {
        false
    }

    /// Whether it takes back what was done: a person's will, which no history of the target hinders.
    fn is_undo(&self) -> bool {
        false
    }

    /// Whether only actions of its own kind are its target's history: of a worker, one setting says nothing of another.
    fn is_apart(&self) -> bool {
        false
    }

    /// Since when the attempt goes on that it is about: what was undone before then was another attempt (design, 6.6). `None` where the
    /// target has no attempts.
    fn attempt_since(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// When it is due: until then it waits, and what is allowed is asked for again.
    fn not_before(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// The process it is about: a sweep that ran out of time goes on behind it.
    fn process(&self) -> Option<ProcessId> {
        None
    }

    /// How bad it was for the user, and how bad it is where the target now reads `after`: what does not become less bad is not done on a
    /// large scale (design, 6.2). `None` where it is no matter of a user's process.
    fn severity(&self, _after: Option<&Value>, _policy: &Policy, _now: DateTime<Utc>) -> Option<(Severity, Severity)> {
        None
    }

    /// Whether it only carries out what the process's own user wants, a cancel: it wakes nobody.
    fn is_users_wish(&self) -> bool {
        false
    }

    /// Since when what it fixes was broken, where that is known (`TimeToRemedy`).
    fn broken_since(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// The kinds of this type, as the ledger spells them.
    fn kinds() -> &'static [&'static str]
    where
        Self: Sized;

    /// Whether people hear of it whenever it is done. One process that is fixed by its own event wakes nobody.
    #[must_use]
    fn is_told() -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Whether one of this kind that failed counts as a try, as one that was applied does: what the outside refuses is not tried for ever.
    #[must_use]
    fn counts_failures(_kind: &str) -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Whether it changes nothing but our own record, so that to take it back does so, too ([`Class::Own`]).
    #[must_use]
    fn is_own_record() -> bool
    where
        Self: Sized,
    {
        false
    }

    /// How many are made in one statement.
    #[must_use]
    fn batch() -> usize
    where
        Self: Sized,
    {
        1
    }

    /// Whether many of them begin with a few, so that a wrong rule does little harm. What only tells people does none.
    #[must_use]
    fn ramps() -> bool
    where
        Self: Sized,
    {
        true
    }

    /// SQL that tells what became by now of changes of these kinds which were wanted and not made: of each row of `wanted` (`step`, `kind`,
    /// `target`, `before`, `after`) whose kind is one of `{kinds}`, its `step`, `kind` and `target`, the target's status `now`, and whether it
    /// `became` what was wanted: `right`, `otherwise`, `open` (it is as it was), or NULL. `None` where the database cannot tell.
    #[must_use]
    fn became() -> Option<&'static str>
    where
        Self: Sized,
    {
        None
    }

    /// Carries one out and reads it back.
    ///
    /// # Errors
    /// The ledger's own failure, and a lost connection. What the outside refuses is an outcome.
    fn apply(
        session: &mut Session<'_>,
        run: &Run,
        planned: &Planned,
        action: &Self,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send
    where
        Self: Sized;

    /// Carries out as many as [`Action::batch`] says. The first `told` of the outcomes come with their images, the ledger has all.
    ///
    /// # Errors
    /// As [`Action::apply`].
    fn apply_batch(
        session: &mut Session<'_>,
        run: &Run,
        batch: &[(&Planned, &Self)],
        _told: usize,
    ) -> impl Future<Output = Result<Vec<Outcome>, Error>> + Send
    where
        Self: Sized,
    {
        async move {
            let mut outcomes = Vec::with_capacity(batch.len());
            for (planned, action) in batch {
                outcomes.push(Self::apply(session, run, planned, action).await?);
            }
            Ok(outcomes)
        }
    }

    /// Why a change of this kind cannot be taken back; `None` where [`Action::undo`] does so.
    fn no_undo(kind: &str, target: &str, language: Language) -> Option<String>
    where
        Self: Sized;

    /// Takes a change back: its inverse, as a compare-and-set on what it left behind.
    ///
    /// # Errors
    /// As [`Action::apply`]; [`Error::Refused`] where there is no way back.
    fn undo(
        session: &mut Session<'_>,
        _run: &Run,
        _planned: &Planned,
        entry: &Entry,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send
    where
        Self: Sized,
    {
        let why = Self::no_undo(&entry.kind, &entry.target, session.config.language).unwrap_or_default();
        async move { Err(Error::Refused(why)) }
    }

    /// Closes, by looking, entries of this kind (or of the undo of one) that were recorded by runs that can no longer be alive. What can
    /// only be closed by another change comes back as that change.
    ///
    /// # Errors
    /// As [`Action::apply`], and what the look meets.
    fn resolve(session: &mut Session<'_>, open: &[Entry]) -> impl Future<Output = Result<Vec<Planned>, Error>> + Send
    where
        Self: Sized;
}

impl dyn Action {
    /// The action as what it is.
    #[must_use]
    pub fn downcast<A: Action>(&self) -> Option<&A> {
        (self as &dyn Any).downcast_ref()
    }
}

/// An action that a step wants, with the one sentence that says why.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its identity in the ledger.
    pub id: Uuid,
    /// What to do.
    pub action: Arc<dyn Action>,
    /// Why.
    pub reason: String,
}

impl Planned {
    /// An action with an identity of its own.
    #[must_use]
    pub fn new(action: impl Action, reason: String) -> Self {
        Self::with_id(Uuid::now_v7(), action, reason)
    }

    /// An action that has its identity in the ledger already. Its reason loses here, before ledger, log, answer and message, what nobody may
    /// see.
    #[must_use]
    pub fn with_id(id: Uuid, action: impl Action, reason: String) -> Self {
        Self { id, action: Arc::new(action), reason: redact::text(&reason) }
    }
}

/// An action as the ledger has it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Entry {
    /// Its identity.
    pub id: Uuid,
    /// The run that made it.
    pub run_id: Uuid,
    /// That run's step.
    pub step: String,
    /// Its kind; of an undo, the kind of what was undone.
    pub kind: String,
    /// What it changed.
    pub target: String,
    /// Why, in a word.
    pub cause: Option<String>,
    /// What it found.
    pub before: Option<Value>,
    /// What it left behind, or was to.
    pub after: Option<Value>,
    /// What it takes back, where it is an undo.
    pub undoes: Option<Uuid>,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The action's identity in the ledger.
    pub id: Uuid,
    /// What became of it.
    pub result: ActionResult,
    /// The target before.
    pub before: Option<Value>,
    /// The target after, as it was read back.
    pub after: Option<Value>,
    /// Whose row has to be decided on anew: it, or its execution, is no longer what the decision rested on.
    pub again: Option<ProcessId>,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionResult {
    /// Done, and read back as wanted.
    Applied,
    /// Done, and read back otherwise, or not to be read back.
    Unverified(String),
    /// Not done.
    Failed(String),
    /// Not done: somebody else was quicker, so that the decision no longer holds.
    Superseded,
    /// Not done, for a reason that is over by the next look, which tries again: a deployment is under way. It is no attempt.
    NotNow(String),
    /// Not done: another run works on the same target.
    Busy,
}
