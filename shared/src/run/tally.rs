//! What a run has come to so far, and the report that it becomes.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{TimeDelta, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::act::action::kind::Kind;
use crate::act::action::{ActionResult, Class, Outcome, Planned};
use crate::act::ledger::runs::Run;
use crate::act::plan::Plan;
use crate::act::report::{Alike, Done, DoneOutcome, KEPT, Report, Tries, Verification};
use crate::domain::{Language, Mode, ProcessId};
use crate::finding::{Finding, Metric, Skipped};
use crate::gather::session::Cursor;
use crate::guard::Shares;
use crate::run::texts;

/// What came of one round.
#[derive(Default)]
pub(super) struct CarriedOut {
    /// Whose rows have to be decided on anew.
    pub again: Vec<Moved>,
    /// The last row that was handled, where Lambda's deadline, or the red button, came before the last action.
    pub stopped_after: Option<ProcessId>,
    /// The red button, or the step's own control, ended it.
    pub ended: bool,
}

/// A process that is no longer as it was decided on.
pub(super) struct Moved {
    pub process: ProcessId,
    /// What was to be changed: the process itself, or what was looked at for its sake.
    pub target: String,
    /// Its execution was to be stopped: what became of that has just happened, and is not left to settle.
    pub stop: bool,
    /// Somebody else moved it first.
    pub lost: bool,
}

impl CarriedOut {
    pub fn take(&mut self, tally: &mut Tally, planned: &Planned, kind: &Kind, outcome: Outcome, language: Language) {
        let Outcome { result, before, after, again, .. } = outcome;
        let stop = planned.action.class() == Class::Stop;
        if let Some(process) = again {
            let (target, lost) = (planned.action.target(), result == ActionResult::Superseded);
            self.again.push(Moved { process, target, stop, lost });
            if stop {
                tally.stopped.insert(process.to_string());
            }
        }
        let (outcome, trouble) = match result {
            ActionResult::Applied => {
                tally.verified += 1;
                let since = planned.action.broken_since();
                tally.remedied_after.extend(since.map(|since| (Utc::now() - since).as_seconds_f64().max(0.0)));
                (DoneOutcome::Applied, None)
            }
            ActionResult::Unverified(why) => {
                tally.unverified += 1;
                (DoneOutcome::Applied, Some(why))
            }
            ActionResult::Failed(why) => {
                tally.leaves_some = true;
                (DoneOutcome::Failed, Some(why))
            }
            ActionResult::NotNow(why) => {
                tally.leaves_some = true;
                (DoneOutcome::Superseded, Some(why))
            }
            ActionResult::Superseded => (DoneOutcome::Superseded, None),
            ActionResult::Busy => {
                tally.leaves_some = true;
                tally.skipped.push(Skipped::new(planned.action.target(), texts::busy(language)));
                return;
            }
        };
        let helped = outcome == DoneOutcome::Superseded || outcome == DoneOutcome::Applied && trouble.is_none();
        if !helped && !tally.tried_before.contains(&planned.action.target()) {
            tally.failed_anew += 1;
        }
        let is_told = kind.is_told();
        if !tally.is_kept(outcome, is_told) {
            let (kind, is_users_wish) = (planned.action.kind(), planned.action.is_users_wish());
            let alike = Alike { outcome, kind, is_told, is_users_wish };
            *tally.unkept.entry(alike).or_default() += 1;
            return;
        }
        let is_undoable = kind.no_undo(planned.action.kind(), &planned.action.target(), language).is_none();
        let done = done(planned, outcome, (before, after), trouble);
        tally.actions.push(Done { is_told, is_undoable, ..done });
    }
}

/// What was planned, as it may be shown; what was done of it, people hear of as its kind says.
fn done(
    planned: &Planned,
    outcome: DoneOutcome,
    (before, after): (Option<Value>, Option<Value>),
    trouble: Option<String>,
) -> Done {
    let reason = match trouble {
        Some(trouble) => format!("{} — {trouble}", planned.reason),
        None => planned.reason.clone(),
    };
    Done {
        id: planned.id,
        kind: planned.action.kind(),
        target: planned.action.target(),
        before,
        after,
        outcome,
        reason,
        is_told: false,
        is_users_wish: planned.action.is_users_wish(),
        is_undoable: false,
    }
    .redacted()
}

/// What a run has come to so far.
#[derive(Default)]
pub(super) struct Tally {
    trigger: Value,
    pub mode: Option<Mode>,
    pub population: usize,
    pub shares: Shares,
    /// How many changes were made of which kinds, for the ramp.
    made: HashMap<&'static [&'static str], usize>,
    /// Changes that left their users no better off.
    no_better: usize,
    /// Targets that were tried before within a day.
    pub tried_before: HashSet<String>,
    /// Changes that did not help on other ones.
    failed_anew: usize,
    pub findings: Vec<Finding>,
    /// The first of what was done, of each outcome: nobody reads thousands of them.
    pub actions: Vec<Done>,
    /// How many more there are.
    unkept: BTreeMap<Alike, usize>,
    pub skipped: Vec<Skipped>,
    /// What is wanted and may not be done, for the plan that is stored at the end.
    pub held: Vec<Planned>,
    /// Why.
    pub over: Option<String>,
    /// Changes that were wanted so far of what is counted over everything.
    wanted: usize,
    /// There are rows that this run has not read.
    has_more: bool,
    verified: usize,
    unverified: usize,
    measured: Vec<Metric>,
    remedied_after: Vec<f64>,
    report: Option<Value>,
    pub plan: Option<Uuid>,
    /// People have not heard of this plan yet.
    pub plan_is_news: bool,
    pub unfinished: Option<String>,
    pub summary: Option<String>,
    /// Some of it may still be done: a person asked for no more, or it could not be done now.
    pub leaves_some: bool,
    /// Processes whose executions this run has stopped.
    pub stopped: HashSet<String>,
    /// The event that would do what was only told, where the run itself knows.
    pub to_do_it: Option<Value>,
}

impl Tally {
    pub fn new(run: &Run) -> Self {
        Self { trigger: run.trigger.clone(), ..Self::default() }
    }

    /// Keeps what a plan tells; what it wants, and the first round's cursor, go back.
    pub fn take_in(&mut self, plan: Plan, cursor: &mut Option<Cursor>) -> Vec<Planned> {
        let Plan { actions, findings, skipped, population, shares, metrics, report, cursor: next, unfinished } = plan;
        self.findings.extend(findings);
        self.skipped.extend(skipped);
        self.population = self.population.max(population);
        if self.shares.is_empty() {
            self.shares = shares;
        }
        self.measured.extend(metrics);
        self.report = report.or(self.report.take());
        self.unfinished = unfinished.or(self.unfinished.take());
        self.wanted += actions.iter().filter(|planned| self.is_counted(planned.action.class())).count();
        self.has_more = next.as_ref().map_or(self.has_more, |next| next.after.is_some());
        *cursor = next.or(cursor.take());
        actions
    }

    fn is_counted(&self, class: Class) -> bool {
        self.shares.get(&class).is_some_and(|share| share.wanted > 0)
    }

    /// How many changes are wanted and not made, with those that are known of by their count alone.
    pub fn held_in_all(&self) -> usize {
        let in_all: usize = self.shares.values().map(|share| share.wanted).sum();
        let unread = if self.has_more && !self.held.is_empty() { in_all.saturating_sub(self.wanted) } else { 0 };
        self.held.len() + unread
    }

    /// Drops what earlier looks told of these processes.
    pub fn forget(&mut self, processes: &[Moved]) {
        let targets: HashSet<String> =
            processes.iter().flat_map(|moved| [moved.process.to_string(), moved.target.clone()]).collect();
        self.findings.retain(|finding| !targets.contains(&finding.target));
        self.skipped.retain(|skipped| !targets.contains(&skipped.target));
    }

    /// Starts from what this very run did before it lost its connection: limits and record hold.
    pub fn begin_again(&mut self, before: Vec<Done>) {
        self.verified = before.iter().filter(|done| done.outcome == DoneOutcome::Applied).count();
        self.actions = before;
    }

    /// Nothing of what was approved is left for another time.
    pub fn is_all_done(&self) -> bool {
        self.held.is_empty() && self.unfinished.is_none() && !self.leaves_some
    }

    /// What an undo has come to, in one sentence.
    pub fn undone(&self, language: Language) -> String {
        texts::undo_summary(language, |outcome| self.count(outcome), self.skipped.len())
    }

    /// How many changes were made of these kinds.
    pub fn made_of(&self, kinds: &'static [&'static str]) -> usize {
        self.made.get(kinds).copied().unwrap_or_default()
    }

    pub fn made(&mut self, kinds: &'static [&'static str], count: usize) {
        *self.made.entry(kinds).or_default() += count;
    }

    /// A change was no help; it was `undone` again, which is none either.
    pub fn no_better(&mut self, undone: bool) {
        self.no_better += 1;
        self.verified = self.verified.saturating_sub(1 + usize::from(undone));
    }

    fn tries(&self) -> Tries {
        let failed = self.count(DoneOutcome::Failed) + self.no_better;
        Tries {
            tried: self.verified + self.unverified + failed,
            helped: self.verified,
            failed,
            failed_anew: self.failed_anew + self.no_better,
        }
    }

    /// Answers with a report that is none of the step's own.
    pub fn report(&mut self, summary: String, report: Value) {
        (self.mode, self.summary, self.report) = (Some(Mode::Observe), Some(summary), Some(report));
    }

    pub fn applied(&self) -> usize {
        self.count(DoneOutcome::Applied)
    }

    fn held_as(&self) -> DoneOutcome {
        if self.plan.is_some() { DoneOutcome::Proposed } else { DoneOutcome::Planned }
    }

    fn count(&self, outcome: DoneOutcome) -> usize {
        let held = if outcome == self.held_as() { self.held_in_all() } else { 0 };
        let unkept: usize =
            self.unkept.iter().filter(|(alike, _)| alike.outcome == outcome).map(|(_, count)| count).sum();
        held + unkept + self.actions.iter().filter(|done| done.outcome == outcome).count()
    }

    fn is_kept(&self, outcome: DoneOutcome, is_told: bool) -> bool {
        self.actions.iter().filter(|done| done.outcome == outcome && done.is_told == is_told).count() < KEPT
    }

    pub fn metrics(&self, elapsed: TimeDelta) -> Vec<Metric> {
        let mut metrics = vec![
            Metric::count("ActionsApplied", self.applied()),
            Metric::count("ActionsFailed", self.count(DoneOutcome::Failed)),
            Metric::count("ActionsProposed", self.count(DoneOutcome::Proposed)),
            Metric::count("Findings", self.findings.len()),
            Metric::new("RunDuration", "Milliseconds", elapsed.as_seconds_f64() * 1000.0),
        ];
        if !self.remedied_after.is_empty() {
            metrics.push(Metric { name: "TimeToRemedy", unit: "Seconds", values: self.remedied_after.clone() });
        }
        metrics.extend(self.measured.iter().cloned());
        metrics
    }

    pub fn into_report(mut self, step: &'static str, run: &Run, language: Language) -> Report {
        let moved = self.count(DoneOutcome::Superseded);
        let verification = match (self.count(DoneOutcome::Failed) + self.no_better, self.unverified, self.verified) {
            (1.., ..) => Verification::Failed,
            (0, 0, 1..) => Verification::Verified,
            (0, 0, 0) if moved == 0 => Verification::NotApplicable,
            (0, ..) => Verification::Unverified,
        };
        let tries = self.tries();
        let counts = |outcome| self.count(outcome);
        let mut summary = self.summary.clone().unwrap_or_else(|| {
            texts::summary(language, self.population, counts, self.findings.len(), self.skipped.len())
        });
        if let Some(unfinished) = &self.unfinished {
            summary = format!("{summary} — {unfinished}");
        }
        let waiting = self.plan.map(|plan| json!({ "approve": plan }));
        let to_do_it = waiting.or_else(|| self.to_do_it.take().filter(|_| !self.held.is_empty()));
        // Nobody reads thousands of them; the plan, and the ledger, have them all.
        let shown = KEPT.min(self.held.len());
        let outcome = self.held_as();
        let mut omitted = Map::new();
        let left_out = self.held_in_all() - shown + self.unkept.values().sum::<usize>();
        if left_out > 0 {
            omitted.insert("actions".to_owned(), left_out.into());
        }
        self.actions.extend(self.held[..shown].iter().map(|planned| {
            let (before, after) = planned.action.preview();
            done(planned, outcome, (Some(before), Some(after)), None)
        }));
        Report {
            summary,
            step,
            run_id: run.id,
            mode: self.mode.unwrap_or(Mode::Observe),
            to_do_it,
            trigger: self.trigger,
            findings: self.findings,
            actions: self.actions,
            unkept: self.unkept,
            skipped: self.skipped,
            verification,
            plan_id: self.plan,
            told: None,
            tries,
            report: self.report,
            omitted,
        }
    }
}

/// The operator's event that does what a run has only told: of the step's own `commands`, one says by itself what is to be done.
pub(super) fn would_do(trigger: &Value, commands: &[&str]) -> Value {
    let mut event = trigger.get("parameters").cloned().unwrap_or_else(|| json!({}));
    // An alarm has a reason of its own.
    let asked = if trigger["kind"] == "operator" { ["limit", "reason", "by"].as_slice() } else { &[] };
    for (field, value) in asked.iter().filter_map(|field| Some((field, trigger.get(field)?))) {
        event[*field] = value.clone();
    }
    if commands.iter().any(|command| event.get(command).is_some()) {
        return event;
    }
    match ["processId", "executionArn", "approve", "undo"]
        .into_iter()
        .find_map(|field| Some((field, trigger.get(field)?)))
    {
        Some((field, target)) => event[field] = target.clone(),
        None => event["all"] = true.into(),
    }
    event
}
