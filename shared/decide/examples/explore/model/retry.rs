//! Our retry of a failed process, in parts: what dies in between, or got no answer, is resolved by a later run, or never.

use remediation_decide::domain::{ExecutionStatus, ProcessStatus};

use super::action::Action;
use super::ask::{Checker, know};
use super::rules::Invariant;
use super::state::{At, DEADLINE_TICKS, Known, Retry, Row, Run, State};

impl State {
    /// When our retry can go on.
    pub fn retries(&self, mut act: impl FnMut(Action)) {
        // The run that has begun it, or its last call, ends before the execution's deadline.
        let waits = self.runs[1].filter(|run| !run.exists()).map(|run| run.now.started.age);
        match self.retry {
            Retry::Possible => {
                act(Action::RetryLooks { lagging: false });
                let exist = self.runs.iter().flatten();
                if exist.into_iter().any(|run| run.now.started.age == 0 || (!run.runs() && run.now.ended.age == 0)) {
                    act(Action::RetryLooks { lagging: true });
                }
            }
            Retry::Decided { .. } => act(Action::RetryGoesOn),
            Retry::Begun { left: false, .. } => {
                if waits.is_some_and(|age| age < DEADLINE_TICKS) {
                    act(Action::RetryGoesOn);
                }
                act(Action::RetryRefused);
                act(Action::RetryDies);
            }
            // A call without an answer may have got through, or get through yet: before anybody looks, minutes later.
            Retry::Begun { left: true, .. } if waits == Some(0) => act(Action::RetryGoesOn),
            Retry::Begun { left: true, .. } => act(Action::RetryResolved),
            Retry::Done => {}
        }
    }
}

impl Checker {
    /// The next part of our retry.
    pub fn retry(&mut self, s: &mut State, action: Action) -> Result<(), Invariant> {
        match (action, s.retry) {
            (Action::RetryLooks { lagging }, _) => {
                self.list(s, lagging);
                if self.may_retry(s) {
                    s.retry = Retry::Decided { moved: false };
                }
            }
            (Action::RetryGoesOn, Retry::Decided { moved: true }) if self.rules.retry_compares => {
                s.retry = Retry::Possible;
            }
            (Action::RetryGoesOn, Retry::Decided { .. }) => {
                if s.newest().is_none_or(Run::runs) {
                    return Err(Invariant::RetriesAreOfWhatIsOver);
                }
                if !matches!(s.row.status, ProcessStatus::Failed | ProcessStatus::Timeout) {
                    return Err(Invariant::CompletedAndCancelledStand);
                }
                let before = s.row;
                s.write(|row| {
                    row.status = ProcessStatus::Pending;
                    row.completed = None;
                    row.retries += u8::from(self.counted);
                });
                let mut registered = Run { at: At::Registered, ..Run::STARTED };
                if self.rules.retry_registers {
                    registered.now.known = Known::Running;
                }
                know(s, |s| s.runs[1] = Some(registered));
                s.retry = Retry::Begun { before, moved: false, left: false };
            }
            (Action::RetryGoesOn, Retry::Begun { left, .. }) => {
                let known = s.run(1).now.known;
                let mut started = Run::STARTED;
                started.now.known = known;
                s.runs[1] = Some(started);
                if !left {
                    s.retry = Retry::Done;
                }
            }
            (Action::RetryDies, Retry::Begun { before, moved, .. }) => {
                s.retry = Retry::Begun { before, moved, left: true };
            }
            (Action::RetryRefused, Retry::Begun { before, moved, .. }) => put_back(s, before, moved)?,
            (Action::RetryResolved, Retry::Begun { before, moved, .. }) if !s.exists(1) => {
                put_back(s, before, moved)?;
            }
            (Action::RetryResolved, _) => s.retry = Retry::Done,
            (action, retry) => unreachable!("{action} beside {retry:?}"),
        }
        Ok(())
    }

    /// Whether our retry may be decided on, as far as is known: the row failed, its newest execution is over, both have settled.
    fn may_retry(&self, s: &State) -> bool {
        let row = &s.row;
        matches!(row.status, ProcessStatus::Failed | ProcessStatus::Timeout)
            && !row.has_result
            && row.completed.unwrap_or(row.updated).age >= 1
            && s.runs[1].is_none()
            && s.newest_known().is_some_and(|(index, run)| {
                let known = self.known(index, &run);
                run.known_over()
                    && run.known().is_some_and(|(attempt, _)| attempt.ended.age >= 1)
                    && known.is_some_and(|known| {
                        known.outcome() != ExecutionStatus::Succeeded
                            && (known.outcome() != ExecutionStatus::Aborted || known.is_stopped_for_deadline())
                    })
            })
    }
}

/// A row that was re-opened for an execution that was not started is given back what it had, if nobody moved it; that
/// execution is forgotten.
fn put_back(s: &mut State, before: Row, moved: bool) -> Result<(), Invariant> {
    if !moved {
        if s.runs[1].is_some_and(|run| run.runs()) {
            return Err(Invariant::NothingRunsWhenWeClose);
        }
        let created_age = s.row.created_age;
        s.write(|row| *row = before);
        (s.row.created_age, s.row.updated) = (created_age, before.updated);
    }
    // What was given up by the decision table is known as over, and stays so.
    if s.runs[1].is_some_and(|run| !run.exists() && run.now.status == ExecutionStatus::Running) {
        know(s, |s| s.runs[1] = None);
    }
    s.retry = Retry::Done;
    Ok(())
}
