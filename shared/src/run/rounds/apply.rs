//! Carries out what the guard lets through, a little first (design, 6.2).
//!
//! One change, then ten, then a hundred, then the rest. Before the next are made, the last are judged by how bad it is for their users now,
//! as it was read back: where that is not less bad than before, a rule is wrong. Then the run ends, what it did last is taken back as far as
//! that can be, and the rest waits for a person.

use chrono::Utc;
use serde_json::json;
use tokio::time::Instant;

use super::{Rounds, kind_of};
use crate::act::action::kind::Kind;
use crate::act::action::{ActionResult, Class, Outcome, Planned};
use crate::act::actions::undo::Undo;
use crate::act::guard::Demand;
use crate::act::ledger::controls::Bound;
use crate::act::report::KEPT;
use crate::act::undoing;
use crate::domain::Mode;
use crate::finding::{Audience, Finding, Often};
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::guard;
use crate::run::step::Step;
use crate::run::tally::{CarriedOut, Tally};
use crate::run::texts;

/// Why the rest is not done now.
enum Ended {
    /// The red button, or the step's own control.
    Bound(Bound),
    /// What was done has not helped.
    NoBetter,
}

impl<S: Step> Rounds<'_, S> {
    /// The red button is asked for again before every batch and every single action (design, 6.1); what comes first was asked for a moment
    /// ago, with the limits. `needs`: less than this mode ends it.
    pub(super) async fn apply(
        &self,
        session: &mut Session<'_>,
        mut apply: Vec<Planned>,
        needs: Mode,
        demand: &Demand,
        tally: &mut Tally,
    ) -> Result<CarriedOut, Error> {
        let mut carried_out = CarriedOut::default();
        let batch_of = |planned: &Planned| kind_of::<S>(planned.action.kind()).map_or(1, |kind| kind.batch());
        // Rows first, many in one statement.
        apply.sort_by_key(|planned| batch_of(planned) == 1);
        let (mut done, mut ended) = (0, None);
        let mut refused: Vec<(String, String)> = Vec::new();
        'all: for of_a_kind in apply.chunk_by(|one, other| one.action.kind() == other.action.kind()) {
            let Some(kind) = kind_of::<S>(of_a_kind[0].action.kind()) else { continue };
            let mut rows = of_a_kind;
            while !rows.is_empty() {
                let (batch, rest) = rows.split_at(ramp(tally.made_of(kind.names()), &kind).min(rows.len()));
                let due = batch.iter().filter_map(|planned| planned.action.not_before()).max();
                let wait = due.and_then(|due| (due - Utc::now()).to_std().ok());
                if let Some(wait) = wait {
                    tokio::time::sleep_until((Instant::now() + wait).min(session.stop_at)).await;
                }
                if Instant::now() >= session.stop_at {
                    break 'all;
                }
                if (done > 0 || wait.is_some()) && batch[0].action.class() != Class::Own {
                    let bound = self.control(session).await?.bound.filter(|bound| bound.mode < needs);
                    ended = bound.map(Ended::Bound);
                }
                if ended.is_some() {
                    break 'all;
                }
                rows = rest;
                let told = KEPT.saturating_sub(tally.actions.len());
                let outcomes = kind.apply(session, self.run, batch, told).await?;
                done += batch.len();
                if kind.batch() > 1 {
                    let last = batch.last().and_then(|planned| planned.action.process());
                    carried_out.stopped_after = last.filter(|_| !rows.is_empty());
                }
                let worse: Vec<&Planned> = batch
                    .iter()
                    .zip(&outcomes)
                    .filter(|(planned, outcome)| !demand.by_name && self.is_no_better(planned, outcome))
                    .map(|(planned, _)| planned)
                    .collect();
                tally.made(kind.names(), batch.len());
                for (planned, outcome) in batch.iter().zip(outcomes) {
                    let is_row = kind.batch() > 1 && planned.action.process().is_some();
                    if let (true, ActionResult::Failed(why)) = (is_row, &outcome.result) {
                        refused.push((planned.action.target(), why.clone()));
                    }
                    carried_out.take(tally, planned, &kind, outcome, self.language());
                }
                if !worse.is_empty() {
                    self.take_back(session, &worse, &kind, tally, &mut carried_out).await?;
                    ended = Some(Ended::NoBetter);
                    break 'all;
                }
            }
        }
        tally.findings.extend(self.refused(&refused));
        let rest = apply.split_off(done);
        let Some(ended) = ended else {
            if !rest.is_empty() {
                tally.unfinished = Some(texts::out_of_time(self.language(), rest.len()));
            }
            return Ok(carried_out);
        };
        let (why, mode) = match ended {
            Ended::Bound(bound) => {
                tally.findings.push(self.bound(&bound, rest.len()));
                (texts::bound(self.language(), &bound), bound.mode)
            }
            Ended::NoBetter => (texts::no_better(self.language()), Mode::Propose),
        };
        carried_out.ended = true;
        tally.unfinished = Some(texts::ended_by(self.language(), &why, rest.len()));
        tally.mode = Some(mode);
        tally.held.extend(rest);
        tally.over = Some(why);
        Ok(carried_out)
    }

    /// What is told of rows that the table refuses, or keeps as they are: one finding, with a few of them by name.
    fn refused(&self, refused: &[(String, String)]) -> Option<Finding> {
        const NAMED: usize = 5;
        let (first, why) = refused.first()?;
        let named: Vec<&str> = refused.iter().take(NAMED).map(|(target, _)| target.as_str()).collect();
        let target = if refused.len() == 1 { first.clone() } else { self.config.table.to_string() };
        let message = texts::rows_refused(self.language(), refused.len(), why, &named.join(", "));
        let evidence = json!({ "count": refused.len(), "processes": named });
        Some(Finding::new("row_refused", target, message, evidence))
    }

    /// Whether a change that was made has left its user no better off.
    fn is_no_better(&self, planned: &Planned, outcome: &Outcome) -> bool {
        let was_made = matches!(outcome.result, ActionResult::Applied | ActionResult::Unverified(_));
        let judge = || planned.action.severity(outcome.after.as_ref(), &self.config.policy, Utc::now());
        was_made && judge().is_some_and(|(before, after)| after >= before)
    }

    /// Takes back what has not helped, as far as that can be, and tells people at once.
    async fn take_back(
        &self,
        session: &mut Session<'_>,
        worse: &[&Planned],
        kind: &Kind,
        tally: &mut Tally,
        carried_out: &mut CarriedOut,
    ) -> Result<(), Error> {
        let language = self.language();
        let undoes = Kind::of::<Undo>();
        for planned in worse {
            let target = planned.action.target();
            let way_back = kind.no_undo(planned.action.kind(), &target, language);
            let evidence = json!({ "kind": planned.action.kind(), "action": planned.id, "reason": planned.reason });
            let message = texts::made_no_better(language, &target, way_back.as_deref());
            let finding = Finding::new("no_better", target, message, evidence);
            tally.findings.push(finding.told(Audience::PeopleAtOnce, Often::Always));
            if way_back.is_none() {
                let why = texts::no_better(language);
                let undo = undoing::action(session.db, planned.id, S::KINDS, &why, language).await?;
                for outcome in undoes.apply(session, self.run, std::slice::from_ref(&undo), 1).await? {
                    carried_out.take(tally, &undo, &undoes, outcome, language);
                }
            }
            tally.no_better(way_back.is_none());
        }
        Ok(())
    }
}

/// How many are made next of a kind of which a run has made so many.
fn ramp(made: usize, kind: &Kind) -> usize {
    if !kind.ramps() {
        return kind.batch();
    }
    guard::ramp(made).min(kind.batch())
}
