//! The rounds of a run: gather, plan, guard, apply; and again for what moved meanwhile, or was only stopped so far.

mod apply;

use std::collections::{HashMap, HashSet};

use chrono::Utc;
use serde_json::json;
use tokio::time::Instant;

use crate::act::action::kind::Kind;
use crate::act::action::{Class, Planned};
use crate::act::actions::undo::Undo;
use crate::act::guard::{Demand, Facts, Guarded, guard};
use crate::act::ledger::controls::{self, Bound, Control};
use crate::act::ledger::entries;
use crate::act::ledger::facts::{self, Admission};
use crate::act::ledger::plans::{self, Approval, Moved as PlanMoved};
use crate::act::ledger::runs::Run;
use crate::act::lint::{Severity, lint};
use crate::act::plan::Plan;
use crate::decide::Look;
use crate::domain::{Language, Mode, ProcessId};
use crate::finding::{Audience, Finding, Often, Skipped};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::manifest::{LedgerKind, Manifest};
use crate::gather::processes::look_up::UNAVAILABLE;
use crate::gather::session::{Cursor, Question, Session};
use crate::run::step::Step;
use crate::run::tally::{CarriedOut, Moved, Tally};
use crate::run::telling;
use crate::run::texts;

/// How often a row that moved under us is decided on anew before it is left and told (design, section 5).
const LOST_AT_MOST: usize = 3;

/// How many pages of rows a run looks at: it keeps in mind what it has to tell of each row.
const PAGES_AT_MOST: usize = 5;

/// How a trigger is to be answered.
pub(super) struct Order {
    pub question: Question,
    pub demand: Demand,
    /// What a person approved.
    pub approval: Option<Approval>,
}

/// A step at work on one event.
pub(super) struct Rounds<'a, S> {
    pub step: &'a S,
    pub manifest: &'a Manifest,
    pub config: &'a Config,
    pub run: &'a Run,
}

/// The kinds of changes that a step makes, and the undo, which all steps make of them.
pub(super) fn kind_of<S: Step>(name: &str) -> Option<Kind> {
    const UNDOES: Kind = Kind::of::<Undo>();
    S::KINDS.iter().chain([&UNDOES]).find(|kind| kind.name(name).is_some()).copied()
}

impl<S: Step> Rounds<'_, S> {
    const fn language(&self) -> Language {
        self.config.language
    }

    /// Gather, plan, act; and again for what moved meanwhile, or was only stopped so far.
    pub async fn until_settled(
        &self,
        session: &mut Session<'_>,
        order: Order,
        tally: &mut Tally,
    ) -> Result<Option<Cursor>, Error> {
        let Order { mut question, mut demand, approval } = order;
        let mut ends = self.ends(session, &question).await?;
        let mut cursor = None;
        let (mut lost, mut first, mut pages) = (0, true, 1);
        if let Some(approval) = &approval {
            tally.stopped.extend(approval.plan().stopped.iter().map(ToString::to_string));
        }
        loop {
            session.now = Utc::now();
            let evidence = Box::pin(self.step.gather(session, &question)).await?;
            let mut plan = self.step.plan(&evidence, self.config, session.now);
            if tally.population == 0
                && let Some(table) = &*session.table
            {
                plan.findings.extend(table.concerns());
            }
            // A sweep's evidence is as large as its plan, and the plan says all that counts from here on.
            drop(evidence);
            plan.actions.splice(0..0, ends.drain(..));
            if let Some(approval) = &approval {
                self.only_approved(&mut plan, approval, first, tally);
            }
            first = false;
            // What could not be looked at is not decided yet.
            tally.leaves_some |= plan.findings.iter().any(|finding| finding.code == UNAVAILABLE);
            let look_of = look_of(&question);
            telling::hush(session, self.manifest, &mut plan.findings, &mut plan.skipped).await?;
            let wanted = tally.take_in(plan, &mut cursor);
            // What is looked at again was counted when it was looked at first.
            demand.population = tally.population;
            demand.shares.clone_from(&tally.shares);
            demand.done = tally.applied();
            let outcomes = self.carry_out(session, wanted, &demand, tally).await?;
            if let (Some(cursor), Some(after)) = (&mut cursor, outcomes.stopped_after) {
                cursor.after = Some(after);
            }
            let CarriedOut { again: mut moved, ended, .. } = outcomes;
            if ended {
                return Ok(cursor);
            }
            // What was said of them no longer holds; the next look says it anew, and once.
            tally.forget(&moved);
            lost += usize::from(moved.iter().any(|moved| moved.lost));
            if lost > LOST_AT_MOST {
                tally
                    .findings
                    .extend(moved.iter().filter(|moved| moved.lost).map(|moved| self.contested(moved.process)));
                moved.retain(|moved| !moved.lost);
            }
            if moved.is_empty() {
                let Some(next) = cursor.take_if(|cursor| cursor.after.is_some()) else { return Ok(cursor) };
                if !tally.is_all_done() {
                    return Ok(Some(next));
                }
                if pages == PAGES_AT_MOST || Instant::now() >= session.stop_at {
                    tally.unfinished = Some(texts::more_next_time(self.language()));
                    return Ok(Some(next));
                }
                (lost, pages) = (0, pages + 1);
                question = Question::Sweep(Cursor { goes_on: true, ..next });
                continue;
            }
            if Instant::now() >= session.stop_at {
                tally.unfinished = Some(texts::out_of_time(self.language(), moved.len()));
                return Ok(cursor);
            }
            let look = |moved: &Moved| if moved.stop { Look::Event } else { look_of(moved.process) };
            question = Question::Again(moved.iter().map(|moved| (moved.process, look(moved))).collect());
        }
    }

    /// Closes, by looking, what runs have left open that can no longer be alive; what only a change can close comes back.
    async fn ends(&self, session: &mut Session<'_>, question: &Question) -> Result<Vec<Planned>, Error> {
        if matches!(question, Question::Change(_)) || S::KINDS.is_empty() || self.manifest.ledger == LedgerKind::Log {
            return Ok(Vec::new());
        }
        let open = entries::abandoned(session.db, S::KINDS).await?;
        let mut ends = Vec::new();
        for kind in S::KINDS {
            let mine: Vec<_> = open.iter().filter(|entry| kind.name(&entry.kind).is_some()).cloned().collect();
            if mine.is_empty() {
                continue;
            }
            match kind.resolve(session, &mine).await {
                Ok(planned) => ends.extend(planned),
                // What AWS does not answer now stays open: the step's own look meets the same, and tells it.
                Err(error @ Error::Aws { .. }) => tracing::warn!(%error, "what was left open could not be looked at"),
                Err(error) => return Err(error),
            }
        }
        // A question about one process changes nothing of another.
        if let Question::Process(id) = question {
            ends.retain(|planned| planned.action.process() == Some(*id));
        }
        Ok(ends)
    }

    /// A plan is made anew; of it, only what was approved is done, and what its own stops bring about. What has moved since is named once.
    fn only_approved(&self, plan: &mut Plan, approval: &Approval, first: bool, tally: &mut Tally) {
        let language = self.language();
        let mut told = HashSet::new();
        if first {
            for (target, moved) in approval.moved(&plan.actions) {
                told.insert(target.clone());
                let why = match moved {
                    PlanMoved::Otherwise { approved, now } => {
                        texts::plan_moved(language, approved.as_deref().unwrap_or("-"), now.as_deref().unwrap_or("-"))
                    }
                    // The step itself may know better why.
                    PlanMoved::Gone if plan.skipped.iter().any(|skipped| skipped.target == target) => continue,
                    PlanMoved::Gone => texts::plan_target_gone(language),
                };
                tally.skipped.push(Skipped::new(target, why));
            }
        }
        plan.actions.retain(|planned| {
            let (action, target) = (planned.action.as_ref(), planned.action.target());
            let is_approved = approval.covers(action) || tally.stopped.contains(&target);
            if first && !is_approved && !told.contains(&target) {
                tally.skipped.push(Skipped::new(target, texts::not_in_plan(language)));
            }
            is_approved
        });
        // What was stopped is closed before anything else is begun: a limit leaves as little as possible half done.
        plan.actions.sort_by_cached_key(|planned| !tally.stopped.contains(&planned.action.target()));
    }

    fn contested(&self, id: ProcessId) -> Finding {
        let message = texts::contested(self.language());
        Finding::new("contested", id.to_string(), message, json!({ "looks": LOST_AT_MOST + 1 }))
            .told(Audience::People, Often::ONCE_A_DAY)
    }

    /// Guards what is wanted, and applies what may be.
    pub async fn carry_out(
        &self,
        session: &mut Session<'_>,
        wanted: Vec<Planned>,
        demand: &Demand,
        tally: &mut Tally,
    ) -> Result<CarriedOut, Error> {
        tally.mode.get_or_insert(demand.mode);
        let wanted = self.sound(wanted, tally);
        if wanted.is_empty() {
            return Ok(CarriedOut::default());
        }
        let facts = match self.manifest.ledger {
            LedgerKind::Database => {
                let targets: Vec<String> = wanted.iter().map(|planned| planned.action.target()).collect();
                let admission = self.admission(&wanted, demand);
                facts::admit(session.db, &admission, S::KINDS, &targets).await?
            }
            LedgerKind::Log => Facts { control: self.control(session).await?, ..Facts::default() },
        };
        let before = facts.targets.iter().filter(|(_, history)| history.attempts > 0);
        tally.tried_before.extend(before.map(|(target, _)| target.clone()));
        let Guarded { mode, apply, hold, over, leave, used_up, limited } =
            guard(wanted, demand.clone(), &self.manifest.limits, &facts);
        tally.mode = Some(mode);
        tally.leaves_some |= limited;
        tally.skipped.extend(leave.into_iter().map(|(planned, why)| Skipped::new(planned.action.target(), why)));
        let mut used_up = self.used_up(used_up);
        telling::hush(session, self.manifest, &mut used_up, &mut tally.skipped).await?;
        tally.findings.extend(used_up);
        if let Some(message) = &over {
            let evidence = json!({ "held": hold.len(), "population": demand.population });
            tally.findings.push(Finding::new("over_limit", self.run.step, message.as_str(), evidence));
        }
        // A person who asks for just this is told of the step's own row, too.
        let by_person = demand.approved || hold.iter().all(|planned| planned.action.is_undo());
        if !hold.is_empty()
            && let Some(bound) = facts.control.bound.as_ref().filter(|bound| bound.step.is_none() || by_person)
        {
            tally.findings.push(self.bound(bound, hold.len()));
        }
        tally.held.extend(hold);
        tally.over = over.or(tally.over.take());
        let by_person = demand.approved || apply.iter().all(|planned| planned.action.is_undo());
        let needs = if by_person { Mode::Propose } else { Mode::Act };
        self.apply(session, apply, needs, demand, tally).await
    }

    /// Room in the limits, for what they bind.
    fn admission(&self, wanted: &[Planned], demand: &Demand) -> Admission<'_> {
        let is_bound = |planned: &&Planned| {
            let action = &planned.action;
            !action.is_undo() && !action.is_end() && action.class() != Class::Own
        };
        let acts = demand.mode == Mode::Act || demand.approved;
        Admission {
            run: self.run,
            wanted: if acts { wanted.iter().filter(is_bound).count() } else { 0 },
            done: demand.done,
            per_run: self.manifest.limits.actions_per_run,
            sweeps: demand.sweeps,
        }
    }

    /// What was tried too often, for people: each target, or of very many how many there are.
    fn used_up(&self, targets: Vec<String>) -> Vec<Finding> {
        const EACH: usize = 20;
        let language = self.language();
        let told = |target: String, message, evidence| {
            Finding::new("attempts_used_up", target, message, evidence).told(Audience::People, Often::ONCE_A_DAY)
        };
        match targets.len() {
            0..=EACH => targets
                .into_iter()
                .map(|target| told(target.clone(), texts::used_up(language, &target), json!(null)))
                .collect(),
            count => {
                let message = texts::many_used_up(language, count);
                vec![told(self.run.step.to_owned(), message, json!({ "count": count, "targets": targets[..EACH] }))]
            }
        }
    }

    /// What the controls leave this step now. A step whose ledger is the log goes on where nobody can be asked (design, 6.8).
    async fn control(&self, session: &mut Session<'_>) -> Result<Control, Error> {
        match (controls::in_force(session.db, self.run.step).await, self.manifest.ledger) {
            (Err(error), LedgerKind::Log) => {
                tracing::warn!(%error, "what is allowed cannot be asked");
                Ok(Control::default())
            }
            (control, LedgerKind::Log | LedgerKind::Database) => control,
        }
    }

    fn bound(&self, bound: &Bound, held: usize) -> Finding {
        let target = bound.step.as_deref().unwrap_or(controls::EVERYWHERE);
        let evidence = json!({
            "mode": bound.mode, "by": bound.by, "since": bound.since, "reason": bound.reason, "held": held,
        });
        Finding::new("stopped", target, texts::bound(self.language(), bound), evidence)
    }

    /// What is left of a plan after the linter has read it: nothing, where it has a fault.
    fn sound(&self, mut wanted: Vec<Planned>, tally: &mut Tally) -> Vec<Planned> {
        let wrong = lint(&wanted, S::KINDS);
        if wrong.is_empty() {
            return wanted;
        }
        let language = self.language();
        let mut faulty = false;
        for (at, wrong) in &wrong {
            let (target, why) =
                (wanted[*at].action.target(), texts::wrong(language, *wrong, wanted[*at].action.kind()));
            match wrong.severity() {
                Severity::Fault => {
                    faulty = true;
                    let evidence = json!({ "kind": wanted[*at].action.kind(), "reason": wanted[*at].reason });
                    let finding = Finding::new("plan_fault", target, why, evidence);
                    tally.findings.push(finding.told(Audience::PeopleAtOnce, Often::ONCE_A_DAY));
                }
                Severity::Warning => tally.skipped.push(Skipped::new(target, why)),
            }
        }
        if faulty {
            return Vec::new();
        }
        let wrong: HashSet<usize> = wrong.into_iter().map(|(at, _)| at).collect();
        let mut places = 0..;
        wanted.retain(|_| places.next().is_some_and(|at| !wrong.contains(&at)));
        wanted
    }

    /// Stores what is wanted and was not done, whatever the mode is: afterwards the ledger can be asked (design, 6.4).
    pub async fn store_plan(&self, session: &mut Session<'_>, tally: &mut Tally) -> Result<(), Error> {
        if tally.held.is_empty() || self.manifest.ledger == LedgerKind::Log {
            return Ok(());
        }
        let mode = tally.mode.unwrap_or(Mode::Observe);
        let language = self.language();
        let why = tally.over.clone().unwrap_or_else(|| texts::waits_on_mode(language, mode));
        let stored = plans::store(session.db, self.run, mode, (&tally.held, tally.held_in_all()), &why).await?;
        if mode != Mode::Observe {
            tally.plan = Some(stored.id);
            tally.plan_is_news |= stored.is_news;
        }
        Ok(())
    }
}

fn look_of(question: &Question) -> impl Fn(ProcessId) -> Look + use<> {
    let (default, each) = match question {
        Question::Change(_) | Question::Process(_) | Question::Execution(_) => (Look::Event, HashMap::new()),
        Question::Sweep(_) => (Look::Sweep, HashMap::new()),
        Question::Again(processes) => (Look::Sweep, processes.iter().copied().collect()),
    };
    move |id| each.get(&id).copied().unwrap_or(default)
}
