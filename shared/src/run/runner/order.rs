//! What a trigger asks of a step, and taking back what was done.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::act::guard::Demand;
use crate::act::ledger::plans::{self, Approval};
use crate::act::ledger::runs::{self, Run};
use crate::act::undoing::{self, Named};
use crate::decide::Look;
use crate::domain::Mode;
use crate::gather::error::Error;
use crate::gather::manifest::LedgerKind;
use crate::gather::session::{Cursor, Question, Session};
use crate::gather::trigger::{Scope, Trigger};
use crate::guard::Shares;
use crate::run::processes;
use crate::run::rounds::{Order, Rounds};
use crate::run::runner::Function;
use crate::run::step::Step;
use crate::run::tally::Tally;
use crate::run::texts;

/// A connection that was kept may have died without a word (a failover): a sweep's first statement proves it within a quarter of
/// the time, and within this, so that there is time for a new one.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

impl<S: Step> Function<S> {
    /// Takes back one action, or page by page, the last first, all that a run has done.
    pub(super) async fn undo(
        &self,
        session: &mut Session<'_>,
        rounds: &Rounds<'_, S>,
        id: Uuid,
        demand: &Demand,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let language = self.config.language;
        let reason = session.reason.map_or_else(|| texts::undo_asked(language, id), str::to_owned);
        match undoing::named(session.db, id, language).await? {
            // It was taken back before the connection was lost.
            Named::Action if tally.applied() > 0 => {}
            Named::Action => {
                let wanted = undoing::action(session.db, id, S::KINDS, &reason, language).await?;
                rounds.carry_out(session, vec![wanted], demand, tally).await?;
            }
            Named::Run => {
                let mut before = None;
                loop {
                    let page = undoing::run(session.db, rounds.run.id, id, before, S::KINDS, &reason, language).await?;
                    tally.skipped.extend(page.skipped);
                    rounds.carry_out(session, page.undos, demand, tally).await?;
                    before = page.before;
                    if before.is_none() || tally.unfinished.is_some() {
                        break;
                    }
                }
            }
        }
        tally.summary = Some(tally.undone(language));
        Ok(())
    }

    /// What a trigger asks for, and how far it may go.
    pub(super) async fn order(&self, session: &mut Session<'_>, trigger: &Trigger, run: &Run) -> Result<Order, Error> {
        let mut asked = Mode::Act;
        let (mut limit, mut approval, mut by_name) = (None, None, false);
        let question = match trigger {
            Trigger::Alarm(change) => {
                if change.suppressed_by.is_some() {
                    asked = Mode::Observe;
                }
                self.sweep(session).await?
            }
            Trigger::Execution(change) => Question::Change(change.clone()),
            Trigger::Schedule(schedule) => {
                asked = schedule.mode.unwrap_or(asked);
                self.sweep(session).await?
            }
            Trigger::Operator(ask) => {
                asked = ask.mode.unwrap_or(asked);
                limit = ask.limit;
                let commands = S::COMMANDS.iter().any(|command| ask.parameters.contains_key(*command));
                by_name = ask.depth == 0 && (commands || matches!(ask.scope, Scope::Process(_) | Scope::Execution(_)));
                match &ask.scope {
                    Scope::Everything | Scope::Report(_) => {
                        if !commands {
                            asked = Mode::Observe;
                        }
                        Question::Sweep(Cursor::default())
                    }
                    Scope::All | Scope::Undo(_) => Question::Sweep(Cursor::default()),
                    Scope::Process(id) => Question::Process(session.known_id(*id).await?),
                    Scope::Execution(arn) => Question::Execution(arn.clone()),
                    Scope::Approve(plan) => {
                        if self.configured_mode() == Mode::Observe {
                            return Err(Error::Refused(texts::only_observes(self.config.language)));
                        }
                        if self.config.approval_requires_by && run.by.is_none() {
                            return Err(Error::Refused(texts::says_not_who(self.config.language)));
                        }
                        let plan = plans::read(session.db, run, *plan, self.config.language).await?;
                        let question = if plan.complete {
                            let mut processes = processes::of_targets(session.db, &plan.wishes).await?;
                            processes.retain(|id| !plan.stopped.contains(id));
                            // What became of a stop is not left to settle.
                            let stopped = plan.stopped.iter().map(|id| (*id, Look::Event));
                            Question::Again(processes.into_iter().map(|id| (id, Look::Sweep)).chain(stopped).collect())
                        } else {
                            Question::Sweep(Cursor::default())
                        };
                        approval = Some(Approval::of(plan));
                        question
                    }
                }
            }
        };
        let demand = Demand {
            mode: self.configured_mode().min(asked),
            own: self.manifest.mode.min(asked),
            approved: approval.is_some(),
            by_name,
            sweeps: matches!(question, Question::Sweep(_)),
            population: 0,
            shares: Shares::default(),
            limit,
            done: 0,
            language: self.config.language,
        };
        Ok(Order { question, demand, approval })
    }

    pub(super) fn configured_mode(&self) -> Mode {
        self.config.mode.min(self.manifest.mode)
    }

    async fn sweep(&self, session: &mut Session<'_>) -> Result<Question, Error> {
        Ok(Question::Sweep(match self.manifest.ledger {
            LedgerKind::Database => {
                let bound = FIRST_ANSWER.min(session.stop_at.saturating_duration_since(Instant::now()) / 4);
                tokio::time::timeout(bound, runs::cursor(session.db, self.name))
                    .await
                    .unwrap_or_else(|_| Err(Error::silence("reading where the last run stopped", bound)))?
            }
            LedgerKind::Log => Cursor::default(),
        }))
    }
}
