//! Our steps, in parts: the others act in between, and a step may die, or be held by the guard, at each of them.

use remediation_decide::decide::cancel::Cancelling;
use remediation_decide::decide::{Closing, Look, StopCause, Verdict};
use remediation_decide::domain::{ExecutionStatus, ProcessStatus, WORDS};
use remediation_decide::severity::is_stopped_by_person;

use super::action::Action;
use super::ask::{ByHand, Checker};
use super::rules::Invariant;
use super::state::{DEADLINE_TICKS, HAND, Known, Listed, Run, SWEEP, SYNC, Stamp, State, Step, Stopped};

impl State {
    /// When our steps can go on, begin or die.
    pub fn ours(&self, steps: [bool; 3], mut act: impl FnMut(Action)) {
        if self.steps[SYNC] == Step::Idle && steps[SYNC] {
            for (run, index) in self.runs.iter().zip(0..) {
                let Some(run) = run.as_ref().filter(|run| run.exists()) else { continue };
                act(Action::Event { run: index, redriven: run.redriven, over: false });
                if !run.runs() {
                    act(Action::Event { run: index, redriven: run.redriven, over: true });
                }
                if run.before.is_some() {
                    act(Action::Event { run: index, redriven: false, over: true });
                }
            }
        }
        if self.steps[SWEEP] == Step::Idle && steps[SWEEP] {
            act(Action::SweepBegins { lagging: false });
            let exist = self.runs.iter().flatten().filter(|run| run.exists());
            if exist.into_iter().any(|run| run.now.started.age == 0 || (!run.runs() && run.now.ended.age == 0)) {
                act(Action::SweepBegins { lagging: true });
            }
        }
        if self.operator && steps[HAND] && self.steps[HAND] == Step::Idle {
            act(Action::HandBegins);
        }
        for step in [SYNC, SWEEP, HAND] {
            if self.steps[step] != Step::Idle {
                act(Action::Ours(step));
                act(Action::Dies(step));
            }
        }
    }
}

impl Checker {
    /// What comes of an action.
    pub fn apply(&mut self, mut state: State, action: Action) -> Result<State, Invariant> {
        let s = &mut state;
        let looks = |look, listed| Step::Read { look, listed, now_age: 0, there: 0 };
        match action {
            Action::Event { run, redriven, over } => {
                self.learn(s, run, redriven, if over { Known::Over } else { Known::Running });
                s.steps[SYNC] = looks(Look::Event, Listed::No);
            }
            Action::SweepBegins { lagging } => {
                s.blind[SWEEP] = self.list(s, lagging);
                s.steps[SWEEP] = looks(Look::Sweep, Listed::Open);
            }
            Action::HandBegins => {
                s.operator = false;
                s.steps[HAND] = Step::List;
            }
            Action::Ours(step) => self.go_on(s, step)?,
            Action::Dies(step) => {
                self.holds(&s.steps[step])?;
                s.steps[step] = Step::Idle;
            }
            Action::RetryLooks { .. }
            | Action::RetryGoesOn
            | Action::RetryRefused
            | Action::RetryDies
            | Action::RetryResolved => self.retry(s, action)?,
            of_others => {
                s.by_others(of_others, self.counted).unwrap();
                if let (Action::Redriven(run), false) = (of_others, self.rules.ledger_has_redrive) {
                    let run = s.run(run);
                    run.now.in_ledger = run.before.is_some_and(|before| before.in_ledger);
                }
            }
        }
        for step in &mut state.steps {
            if let Step::Write { closing, row_moved, known_moved, there } = step
                && ((*row_moved && self.rules.compares_row) || *known_moved)
            {
                // A write that will lose is like any other that will.
                (*closing, *row_moved, *known_moved, *there) = (Closing::Failed, true, true, 0);
            }
        }
        Ok(state.settled())
    }

    fn is_by_hand(&self, step: usize, what: ByHand) -> bool {
        step == HAND && self.by_hand == what
    }

    /// The next part of one of our steps.
    fn go_on(&mut self, s: &mut State, step: usize) -> Result<(), Invariant> {
        let anew = if self.is_by_hand(step, ByHand::Cancel) {
            Step::List
        } else {
            Step::Read { look: Look::Event, listed: Listed::No, now_age: 0, there: 0 }
        };
        s.steps[step] = match s.steps[step] {
            held if !self.lets_through(&held) => Step::Idle,
            Step::Idle => Step::Idle,
            Step::List => {
                let listed = self.begun(s);
                self.list(s, false);
                s.blind[step] = false;
                let there =
                    if self.is_by_hand(step, ByHand::Cancel) { s.runs.iter().flatten().count() as u8 } else { 0 };
                Step::Read { look: Look::Event, listed, now_age: 0, there }
            }
            Step::Read { listed, now_age, there, .. } if self.is_by_hand(step, ByHand::Cancel) => {
                self.wish(s, listed, now_age, there)?
            }
            Step::Read { look, listed, now_age, .. } => self.read(s, step, look, listed, now_age)?,
            Step::Write { closing, row_moved, known_moved, there } => {
                if (row_moved && self.rules.compares_row) || known_moved {
                    // Lost. A sweep leaves the row to the next one, the others read and decide again.
                    if step == SWEEP { Step::Idle } else { anew }
                } else {
                    let wished = self.is_by_hand(step, ByHand::Cancel) && closing == Closing::Cancelled;
                    let blind = s.blind[step];
                    s.steps[step] = Step::Idle;
                    self.close(s, step, closing, wished.then_some(there), blind)?;
                    Step::Idle
                }
            }
            // One open action at a time on an execution: this one is already being handled.
            Step::Describe { run, .. } if s.is_being_stopped(run, step) => Step::Idle,
            Step::Describe { run, .. } if s.runs[usize::from(run)].is_none() => anew,
            Step::Describe { run, .. } if !s.exists(run) => {
                // Step Functions does not know it. Past its deadline it is given up; before, there is nothing to stop.
                if s.run(run).now.started.age < DEADLINE_TICKS {
                    Step::Idle
                } else {
                    s.run(run).now.status = ExecutionStatus::TimedOut;
                    s.run(run).now.ended = Stamp::NOW;
                    self.learn(s, run, false, Known::Ending);
                    anew
                }
            }
            Step::Describe { run, redriven, cause } => {
                let of = s.run(run);
                if of.runs() && of.redriven == redriven {
                    Step::Stop { run, redriven, cause }
                } else {
                    self.describe(s, run);
                    anew
                }
            }
            Step::Stop { run, redriven, cause } => {
                stop(s, run, cause);
                Step::Reread { run, redriven }
            }
            Step::Reread { run, redriven } => {
                // What has ended by itself, or was redriven since, supersedes the action.
                if let Some(attempt) = s.run(run).attempt(redriven) {
                    attempt.in_ledger = attempt.stopped == Stopped::ForDeadline;
                }
                Step::Remember { run }
            }
            Step::Remember { run } => {
                self.describe(s, run);
                anew
            }
        };
        Ok(())
    }

    /// DescribeExecution: it never lags.
    fn describe(&self, s: &mut State, run: u8) {
        let of = *s.run(run);
        self.learn(s, run, of.redriven, if of.runs() { Known::Running } else { Known::Ending });
    }

    /// Reads the row and what is known of its executions, and decides for a person who wants it cancelled.
    fn wish(&mut self, s: &mut State, listed: Listed, now_age: u8, there: u8) -> Result<Step, Invariant> {
        let newest = self.speaking(s);
        let of = newest.as_ref().map(|(index, run)| (*index, run));
        let table = self.decide(&s.row, of, false, Look::Event, now_age);
        if self.lists_first(&s.row, of, Look::Event, table.verdict, listed) {
            return Ok(Step::List);
        }
        let overtaken = matches!((newest, s.runs[0]), (Some((1, _)), Some(old)) if old.known_running());
        let (process, execution) = (self.process(&s.row), of.and_then(|(index, run)| self.known(index, run)));
        let write = |closing| Step::Write { closing, row_moved: false, known_moved: false, there };
        let now = self.now(now_age);
        Ok(match (self.rules.cancel)(&process, execution.as_ref(), overtaken, &self.rules.policy, now) {
            Cancelling::Stop if s.row.status == ProcessStatus::Completed => return Err(Invariant::StopsAreDue),
            Cancelling::Stop => {
                let run = if overtaken { 0 } else { newest.map_or(0, |(index, _)| index) };
                let redriven = s.run(run).known().is_some_and(|(_, redriven)| redriven);
                Step::Describe { run, redriven, cause: StopCause::Cancelled }
            }
            Cancelling::Close => write(Closing::Cancelled),
            Cancelling::AlreadySo(_) => Step::Idle,
            Cancelling::Not(decision) => match (decision.verdict, newest) {
                (Verdict::Close(closing), _) => write(closing),
                (Verdict::Inspect, Some((index, _))) => {
                    self.describe(s, index);
                    Step::Read { look: Look::Event, listed, now_age, there }
                }
                (Verdict::Leave, _) => Step::Idle,
                (Verdict::Stop(_), _) | (Verdict::Inspect, None) => unreachable!("what runs is stopped for the wish"),
            },
        })
    }

    /// Reads the row and what is known of its executions, and decides.
    fn read(&mut self, s: &mut State, step: usize, look: Look, listed: Listed, now_age: u8) -> Result<Step, Invariant> {
        let newest = self.speaking(s);
        let of = newest.as_ref().map(|(index, run)| (*index, run));
        let decision = self.decide(&s.row, of, false, look, now_age);
        match (decision.verdict, newest) {
            (verdict @ Verdict::Close(_), _) if self.lists_first(&s.row, of, look, verdict, listed) => Ok(Step::List),
            (Verdict::Close(closing), _) => Ok(Step::Write { closing, row_moved: false, known_moved: false, there: 0 }),
            (Verdict::Inspect, Some((index, _))) => {
                self.describe(s, index);
                Ok(Step::Read { look, listed, now_age, there: 0 })
            }
            (Verdict::Stop(cause), Some((index, run))) => self.stops(s, step, (index, &run), cause, now_age),
            (Verdict::Inspect | Verdict::Stop(_), None) => unreachable!("nothing to inspect or to stop"),
            (Verdict::Leave, _) => {
                if let (Some((1, _)), Some(old)) = (newest, s.runs[0])
                    && old.known_running()
                    && let Verdict::Stop(cause) = self.decide(&s.row, Some((0, &old)), true, look, now_age).verdict
                {
                    return self.stops(s, step, (0, &old), cause, now_age);
                }
                Ok(Step::Idle)
            }
        }
    }

    /// A stop that was decided on, and what must hold for it: it is due, and makes it less bad as far as is known.
    fn stops(
        &self,
        s: &State,
        step: usize,
        (run, of): (u8, &Run),
        cause: StopCause,
        now_age: u8,
    ) -> Result<Step, Invariant> {
        let Some((attempt, redriven)) = of.known() else { return Ok(Step::Idle) };
        let due = match cause {
            StopCause::Deadline => attempt.started.age >= DEADLINE_TICKS + now_age,
            StopCause::Cancelled => s.row.status == ProcessStatus::Cancelled,
        };
        if !due {
            return Err(Invariant::StopsAreDue);
        }
        let (process, execution) = (self.process(&s.row), self.execution(run, attempt, redriven));
        let mut stopped = execution.clone();
        stopped.status = ExecutionStatus::Aborted;
        stopped.stopped_at = Some(self.now(0));
        stopped.stopped_for_deadline = cause == StopCause::Deadline;
        let (row, cancelled) = (s.row.status, cause == StopCause::Cancelled);
        let judge =
            |execution| (self.rules.judge)(row, &process, Some(execution), cancelled, &self.rules.policy, self.now(0));
        if step != HAND && judge(&stopped) >= judge(&execution) {
            return Err(Invariant::TheRampGoesOn);
        }
        Ok(Step::Describe { run, redriven, cause })
    }

    /// Our write, and what must hold for it. `wished`: by a person who cancels, who was shown so many executions. What was redriven behind
    /// our back nobody can see.
    fn close(
        &self,
        s: &mut State,
        step: usize,
        closing: Closing,
        wished: Option<u8>,
        blind: bool,
    ) -> Result<(), Invariant> {
        use ExecutionStatus::{Aborted, Failed, Running, Succeeded, TimedOut};
        let (row, newest) = (s.row, s.newest().copied());
        let says_failed = newest.is_some_and(|run| run.now.status == Succeeded && run.now.says_failed);
        match row.status {
            ProcessStatus::Cancelled => return Err(Invariant::CompletedAndCancelledStand),
            ProcessStatus::Completed if !says_failed => return Err(Invariant::CompletedAndCancelledStand),
            ProcessStatus::Completed
            | ProcessStatus::Pending
            | ProcessStatus::Processing
            | ProcessStatus::Failed
            | ProcessStatus::Timeout => {}
        }
        // For a row that was re-opened, and never got its execution, no other one speaks.
        let registered = s.runs[1].is_some_and(|run| !run.exists());
        let newest = newest.filter(|_| !registered);
        let ended = newest.map(|run| if says_failed { Failed } else { run.now.status });
        let for_deadline = newest.is_some_and(|run| run.now.stopped == Stopped::ForDeadline);
        let completed = matches!(closing, Closing::Completed { .. });
        if let Some(there) = wished {
            let there = &s.runs[..usize::from(there)];
            if !row.status.is_open() {
                return Err(Invariant::CompletedAndCancelledStand);
            }
            if there.iter().flatten().any(Run::runs) && !blind {
                return Err(Invariant::NothingRunsWhenWeClose);
            }
            let succeeded = |run: &Run| run.now.status == Succeeded && !run.now.says_failed;
            if there.iter().flatten().next_back().is_some_and(succeeded) {
                return Err(Invariant::ClosedAsItEnded);
            }
        } else if !blind {
            let fits = match closing {
                Closing::Completed { .. } | Closing::ResultMissing => ended == Some(Succeeded),
                Closing::Failed => ended == Some(Failed),
                Closing::NeverStarted => ended.is_none(),
                Closing::TimedOut => match ended {
                    None | Some(TimedOut) => true,
                    Some(Aborted) => for_deadline,
                    Some(_) => false,
                },
                Closing::Cancelled => ended == Some(Aborted) && !for_deadline,
            };
            match (fits, completed, ended) {
                (true, ..) => {}
                (false, true, _) => return Err(Invariant::CompletedMeansSucceeded),
                (false, false, Some(Running)) => return Err(Invariant::NothingRunsWhenWeClose),
                (false, false, _) => return Err(Invariant::ClosedAsItEnded),
            }
        }
        let status = match closing {
            Closing::Completed { .. } => ProcessStatus::Completed,
            Closing::ResultMissing | Closing::Failed | Closing::NeverStarted => ProcessStatus::Failed,
            Closing::TimedOut => ProcessStatus::Timeout,
            Closing::Cancelled => ProcessStatus::Cancelled,
        };
        self.judge_write(s, step, status, wished.is_some(), blind)?;
        s.write(|row| {
            row.status = status;
            row.completed = Some(match (closing, newest) {
                (Closing::Completed { .. }, Some(run)) => run.now.ended,
                _ => Stamp::NOW,
            });
            row.has_result |= completed && newest.is_some_and(|run| run.now.has_result);
        });
        Ok(())
    }

    /// How bad it is before and after our write: as it was known, which the ramp goes by, and as it is.
    fn judge_write(
        &self,
        s: &State,
        step: usize,
        status: ProcessStatus,
        wished: bool,
        blind: bool,
    ) -> Result<(), Invariant> {
        let process = self.process(&s.row);
        let judge = |status, newest: Option<&_>| {
            let cancelled = wished || newest.is_some_and(|execution| is_stopped_by_person(execution, &WORDS));
            (self.rules.judge)(status, &process, newest, cancelled, &self.rules.policy, self.now(0))
        };
        let known = self.speaking(s).and_then(|(index, run)| self.known(index, &run));
        if step != HAND && judge(status, known.as_ref()) >= judge(s.row.status, known.as_ref()) {
            return Err(Invariant::TheRampGoesOn);
        }
        let truth = self.truth(s);
        if !blind && judge(status, truth.as_ref()) > judge(s.row.status, truth.as_ref()) {
            return Err(Invariant::NeverWorse);
        }
        Ok(())
    }
}

/// StopExecution: it stops whatever attempt runs.
fn stop(s: &mut State, index: u8, cause: StopCause) {
    let run = s.run(index);
    if run.runs() {
        run.now.stopped = match cause {
            StopCause::Deadline => Stopped::ForDeadline,
            StopCause::Cancelled => Stopped::ForCancel,
        };
        run.end(ExecutionStatus::Aborted);
        s.late = true;
    }
}
