//! A kind of action without one at hand.

use std::fmt::Debug;
use std::pin::Pin;

use crate::act::action::{Action, Entry, Outcome, Planned};
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;

type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
type ApplyBatch = for<'a, 'b> fn(&'a mut Session<'b>, &'a Run, &'a [Planned], usize) -> Doing<'a, Vec<Outcome>>;

/// A kind of change without one at hand: what a step may do is a list of these.
#[derive(Clone, Copy)]
pub struct Kind {
    names: fn() -> &'static [&'static str],
    /// Those of the names that the step has, where it does not have all.
    only: Option<&'static [&'static str]>,
    is_told: fn() -> bool,
    counts_failures: fn(&str) -> bool,
    batch: fn() -> usize,
    ramps: fn() -> bool,
    is_own_record: fn() -> bool,
    apply: ApplyBatch,
    no_undo: fn(&str, &str, Language) -> Option<String>,
    undo: for<'a, 'b> fn(&'a mut Session<'b>, &'a Run, &'a Planned, &'a Entry) -> Doing<'a, Outcome>,
    resolve: for<'a, 'b> fn(&'a mut Session<'b>, &'a [Entry]) -> Doing<'a, Vec<Planned>>,
}

impl Kind {
    /// The kind of these actions.
    #[must_use]
    pub const fn of<A: Action>() -> Self {
        Self {
            names: A::kinds,
            only: None,
            is_told: A::is_told,
            counts_failures: A::counts_failures,
            batch: A::batch,
            ramps: A::ramps,
            is_own_record: A::is_own_record,
            apply: |session, run, batch, told| {
                Box::pin(async move {
                    let batch: Vec<(&Planned, &A)> =
                        batch.iter().filter_map(|planned| Some((planned, planned.action.downcast()?))).collect();
                    A::apply_batch(session, run, &batch, told).await
                })
            },
            no_undo: A::no_undo,
            undo: |session, run, planned, entry| Box::pin(A::undo(session, run, planned, entry)),
            resolve: |session, open| Box::pin(A::resolve(session, open)),
        }
    }

    /// The same kind, of which a step has these names only.
    #[must_use]
    pub const fn only(self, names: &'static [&'static str]) -> Self {
        Self { only: Some(names), ..self }
    }

    /// As the ledger spells them.
    #[must_use]
    pub fn names(&self) -> &'static [&'static str] {
        self.only.unwrap_or_else(|| (self.names)())
    }

    /// The name among these that is spelt so.
    #[must_use]
    pub fn name(&self, spelt: &str) -> Option<&'static str> {
        self.names().iter().find(|name| **name == spelt).copied()
    }

    /// [`Action::is_told`].
    #[must_use]
    pub fn is_told(&self) -> bool {
        (self.is_told)()
    }

    /// [`Action::counts_failures`].
    #[must_use]
    pub fn counts_failures(&self, kind: &str) -> bool {
        (self.counts_failures)(kind)
    }

    /// [`Action::batch`].
    #[must_use]
    pub fn batch(&self) -> usize {
        (self.batch)()
    }

    /// [`Action::ramps`].
    #[must_use]
    pub fn ramps(&self) -> bool {
        (self.ramps)()
    }

    /// [`Action::is_own_record`].
    #[must_use]
    pub fn is_own_record(&self) -> bool {
        (self.is_own_record)()
    }

    /// [`Action::apply_batch`], of actions of this kind.
    ///
    /// # Errors
    /// Those of the action.
    pub async fn apply(
        &self,
        session: &mut Session<'_>,
        run: &Run,
        batch: &[Planned],
        told: usize,
    ) -> Result<Vec<Outcome>, Error> {
        (self.apply)(session, run, batch, told).await
    }

    /// [`Action::no_undo`].
    #[must_use]
    pub fn no_undo(&self, kind: &str, target: &str, language: Language) -> Option<String> {
        (self.no_undo)(kind, target, language)
    }

    /// [`Action::undo`].
    ///
    /// # Errors
    /// Those of the action.
    pub async fn undo(
        &self,
        session: &mut Session<'_>,
        run: &Run,
        planned: &Planned,
        entry: &Entry,
    ) -> Result<Outcome, Error> {
        (self.undo)(session, run, planned, entry).await
    }

    /// [`Action::resolve`].
    ///
    /// # Errors
    /// Those of the action.
    pub async fn resolve(&self, session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        (self.resolve)(session, open).await
    }
}

impl Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kind").field(&self.names()).finish()
    }
}
