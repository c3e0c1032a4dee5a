//! The state as decisions see it, and the real functions that are asked about it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use chrono::{DateTime, Utc};
use remediation_decide::decide::listing::Begun;
use remediation_decide::decide::{Decision, Look, Verdict};
use remediation_decide::domain::{
    DEADLINE_ERROR, Ending, Execution, ExecutionArn, ExecutionStatus, Process, ProcessId,
};
use remediation_decide::guard::Class;

use super::held;
use super::rules::{Invariant, Rules};
use super::state::{Attempt, Known, Listed, Row, Run, Stamp, State, Step, Stopped};

/// A row and an execution as decisions see them, whether a newer one has overtaken it, and when: equal ones are decided once.
type Question = (Row, Option<(Attempt, bool)>, bool, Look, u8);

/// What an operator asks for by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHand {
    /// `{"processId"}`.
    Look,
    /// `{"processId", "cancel": true}`.
    Cancel,
}

pub struct Checker {
    pub rules: Rules,
    pub by_hand: ByHand,
    /// Every new attempt raises the row's count.
    pub counted: bool,
    at: DateTime<Utc>,
    process: ProcessId,
    arns: [ExecutionArn; 2],
    decided: HashMap<Question, Decision, BuildHasherDefault<Multiply>>,
    /// What the guard says of a closing and of a stop: whether it lets it through where nothing is in its way, and where something is.
    guarded: [(bool, bool); 2],
}

impl Checker {
    pub fn new(rules: Rules, by_hand: ByHand, counted: bool) -> Self {
        let id = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";
        let arn = |ms: u32| format!("arn:aws:states:r:1:execution:ai:{id}-{ms}").parse().unwrap();
        Self {
            rules,
            by_hand,
            counted,
            at: DateTime::from_timestamp(1_764_000_000, 0).unwrap(),
            process: id.parse().unwrap(),
            arns: [arn(1), arn(2)],
            decided: HashMap::default(),
            guarded: [Class::Closing, Class::Stop].map(|class| {
                (held::lets_through(rules.guard, class), held::lets_through_what_is_held(rules.guard, class))
            }),
        }
    }

    /// Whether the guard lets a step's change through where nothing is in its way.
    pub fn lets_through(&self, step: &Step) -> bool {
        self.guarded(step).is_none_or(|(free, _)| free)
    }

    /// A step is held where it stands: a change that it is about to make is not made.
    pub fn holds(&self, step: &Step) -> Result<(), Invariant> {
        match self.guarded(step) {
            Some((_, true)) => Err(Invariant::WhatIsHeldIsNotDone),
            Some((_, false)) | None => Ok(()),
        }
    }

    /// What the guard says of the change that a step is about to make.
    fn guarded(&self, step: &Step) -> Option<(bool, bool)> {
        match step {
            Step::Write { .. } => Some(self.guarded[0]),
            Step::Stop { .. } => Some(self.guarded[1]),
            Step::Idle
            | Step::List
            | Step::Read { .. }
            | Step::Describe { .. }
            | Step::Reread { .. }
            | Step::Remember { .. } => None,
        }
    }

    /// When a look began so many ticks ago.
    pub fn now(&self, now_age: u8) -> DateTime<Utc> {
        Stamp { age: now_age, order: 100 }.time(self.at)
    }

    pub fn process(&self, row: &Row) -> Process {
        Process {
            id: self.process,
            version: 0,
            status: row.status,
            progress: 0,
            has_result: row.has_result,
            error_code: row.has_error.then(|| "AI_ERROR".to_owned()),
            retries: self.counted.then_some(i32::from(row.retries)),
            created_at: Stamp { age: row.created_age, order: 0 }.time(self.at),
            updated_at: row.updated.time(self.at),
            completed_at: row.completed.map(|stamp| stamp.time(self.at)),
            deadline: None,
        }
    }

    /// An attempt of an execution, as far as it is known.
    pub fn execution(&self, index: u8, attempt: &Attempt, redriven: bool) -> Execution {
        let over = attempt.known >= Known::Over;
        let started = attempt.started.time(self.at);
        Execution {
            arn: self.arns[usize::from(index)].clone(),
            status: if over { attempt.status } else { ExecutionStatus::Running },
            redrive_count: i32::from(redriven),
            // A redrive keeps the start, which was before whatever is measured: for the first execution before the second one's too.
            started_at: if redriven && index == 0 { self.at - super::state::TICK * 100 } else { started },
            redriven_at: redriven.then_some(started),
            stopped_at: over.then(|| attempt.ended.time(self.at)),
            ending: (attempt.known == Known::Ending).then(|| Ending {
                error: match attempt.stopped {
                    Stopped::Not => {
                        let failed = attempt.status == ExecutionStatus::Failed || attempt.says_failed;
                        failed.then(|| "AI_ERROR".to_owned())
                    }
                    Stopped::ForDeadline => Some(DEADLINE_ERROR.to_owned()),
                    Stopped::ForCancel | Stopped::ByHand => Some("ManualCancellation".to_owned()),
                },
                cause: None,
                result: attempt.has_result.then(|| serde_json::Value::Bool(true).into()),
            }),
            stopped_for_deadline: attempt.in_ledger,
            says_failed: (attempt.known == Known::Ending && attempt.status == ExecutionStatus::Succeeded)
                .then_some(attempt.says_failed),
        }
    }

    /// An execution as it is known.
    pub fn known(&self, index: u8, run: &Run) -> Option<Execution> {
        run.known().map(|(attempt, redriven)| self.execution(index, attempt, redriven))
    }

    /// The newest execution as it is, whoever knows of it.
    pub fn truth(&self, state: &State) -> Option<Execution> {
        let (index, run) =
            [0, 1].into_iter().zip(&state.runs).filter_map(|(index, run)| Some((index, (*run)?))).next_back()?;
        let known = match (run.exists(), run.runs()) {
            // It was registered, and never started: that is all there is of it.
            (false, _) => run.now.known,
            (true, true) => Known::Running,
            (true, false) => Known::Ending,
        };
        Some(self.execution(index, &Attempt { known, ..run.now }, run.redriven))
    }

    /// The execution that speaks for the process, of those that are known.
    pub fn speaking(&self, state: &State) -> Option<(u8, Run)> {
        let [old, new] = state.runs.map(|run| run.filter(|run| run.known().is_some()));
        match (old, new) {
            (Some(old), Some(new)) => {
                let speaks = self.known(0, &old)?.speaks_over(&self.known(1, &new)?);
                Some(if speaks { (0, old) } else { (1, new) })
            }
            (Some(old), None) => Some((0, old)),
            (None, new) => new.map(|new| (1, new)),
        }
    }

    /// Asks the decision about the row and one execution, as far as it is known.
    pub fn decide(&mut self, row: &Row, run: Option<(u8, &Run)>, overtaken: bool, look: Look, now_age: u8) -> Decision {
        let asked = run.and_then(|(_, run)| run.known().map(|(attempt, redriven)| (*attempt, redriven)));
        let question = (*row, asked, overtaken, look, now_age);
        if let Some(decision) = self.decided.get(&question) {
            return *decision;
        }
        let (process, now, rules) = (self.process(row), self.now(now_age), &self.rules);
        let execution = run.and_then(|(index, run)| self.known(index, run));
        let decision = match &execution {
            Some(execution) if overtaken => (rules.overtaken)(&process, execution, look, &rules.policy, now),
            newest => (rules.decide)(&process, newest.as_ref(), look, &rules.policy, now),
        };
        self.decided.insert(question, decision);
        decision
    }

    /// Whether the list has to be read before a verdict is carried out.
    pub fn lists_first(
        &self,
        row: &Row,
        run: Option<(u8, &Run)>,
        look: Look,
        verdict: Verdict,
        listed: Listed,
    ) -> bool {
        if !matches!(verdict, Verdict::Close(_)) {
            return false;
        }
        let newest = run.and_then(|(index, run)| self.known(index, run));
        let process = self.process(row);
        let listed = match listed {
            Listed::No => None,
            Listed::Open => Some(Begun::of(&process, None)),
            Listed::Moved => Some(Begun::of(&Process { version: process.version + 1, ..process.clone() }, None)),
            Listed::Over { run, redriven } => {
                let over = Attempt { known: Known::Over, status: ExecutionStatus::Failed, ..Run::STARTED.now };
                Some(Begun::of(&process, Some(&self.execution(run, &over, redriven))))
            }
        };
        (self.rules.lists_first)(&process, newest.as_ref(), look, verdict, listed.as_ref())
    }

    /// What is known when a list is begun.
    pub fn begun(&self, state: &State) -> Listed {
        match self.speaking(state) {
            Some((run, of)) if of.known_over() => {
                Listed::Over { run, redriven: of.known().is_some_and(|(_, redriven)| redriven) }
            }
            Some(_) | None => Listed::Open,
        }
    }

    /// Something is learnt of an execution; less than what is known changes nothing.
    pub fn learn(&self, state: &mut State, index: u8, redriven: bool, known: Known) {
        let Some(run) = state.runs[usize::from(index)] else { return };
        let before = run.known();
        let mut learnt = run;
        let Some(attempt) = learnt.attempt(redriven) else { return };
        if attempt.known >= known {
            return;
        }
        attempt.known = known;
        let seen = *attempt;
        let news = match before {
            None => true,
            Some((attempt, of)) if of == redriven && attempt.known >= Known::Over => true,
            Some((attempt, of)) => {
                self.execution(index, &seen, redriven).supersedes(&self.execution(index, attempt, of))
            }
        };
        if news {
            know(state, |state| state.runs[usize::from(index)] = Some(learnt));
        }
    }

    /// ListExecutions. What changed since the last tick, a lagging list does not show. Whether it hid a redrive.
    pub fn list(&self, state: &mut State, lagging: bool) -> bool {
        let mut hid = false;
        for index in [0, 1] {
            let Some(run) = state.runs[usize::from(index)].filter(Run::exists) else { continue };
            if lagging && run.now.started.age == 0 {
                if run.redriven {
                    hid = true;
                    self.learn(state, index, false, Known::Over);
                }
                continue;
            }
            let shows_running = run.runs() || (lagging && run.now.ended.age == 0);
            self.learn(state, index, run.redriven, if shows_running { Known::Running } else { Known::Over });
        }
        hid
    }
}

/// What is known of executions changes: whoever rests on the newest of them finds it moved.
pub fn know(state: &mut State, change: impl FnOnce(&mut State)) {
    let said = |state: &State| {
        state.newest_known().map(|(index, run)| (index, run.known_over(), run.known().is_some_and(|(_, of)| of)))
    };
    let before = said(state);
    change(state);
    if before != said(state) {
        for step in &mut state.steps {
            if let super::state::Step::Write { known_moved, .. } = step {
                *known_moved = true;
            }
        }
        if let super::state::Retry::Decided { moved } = &mut state.retry {
            *moved = true;
        }
    }
}

/// A multiplicative hash: the standard one's resistance to hostile keys is not needed here and costs half the time.
#[derive(Default)]
pub struct Multiply(u64);

impl Hasher for Multiply {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}
