//! What the application, Step Functions, users and people do.

use remediation_decide::domain::{ExecutionStatus, ProcessStatus};

use super::action::Action;
use super::state::{At, Attempt, Cancel, Row, Run, Stamp, State, Step, Stopped};

impl State {
    /// What the others can do.
    pub fn others(&self, mut act: impl FnMut(Action)) {
        if self.starting.is_some() && self.runs.iter().any(Option::is_none) {
            act(Action::Start);
        }
        // The second assumption.
        let reopening = self.starting.is_some() && self.runs[0].is_some();
        let mut works = false;
        for (run, index) in self.runs.iter().zip(0..) {
            let Some(run) = run.as_ref() else { continue };
            let may_be_redriven = matches!(
                run.now.status,
                ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted
            );
            let newest = self.runs[usize::from(index)..].iter().flatten().count() == 1;
            if self.may_redrive && newest && may_be_redriven && run.exists() && !reopening {
                act(Action::Redriven(index));
            }
            if !run.runs() {
                continue;
            }
            match run.at {
                At::Begin => {
                    if !reopening {
                        act(Action::FirstStep { run: index, lost: false });
                    }
                    act(Action::FirstStep { run: index, lost: true });
                }
                At::Task => {
                    works = true;
                    act(Action::TaskSucceeds { run: index, result: true });
                    act(Action::TaskSucceeds { run: index, result: false });
                    act(Action::TaskReturnsFailure(index));
                    act(Action::TaskFails { run: index, again: false });
                    act(Action::TaskFails { run: index, again: true });
                }
                At::Complete => {
                    if !reopening {
                        act(Action::WorkflowCompletes { run: index, lost: false });
                    }
                    act(Action::WorkflowCompletes { run: index, lost: true });
                }
                At::Handle => {
                    if !reopening {
                        act(Action::WorkflowFails { run: index, lost: false });
                    }
                    act(Action::WorkflowFails { run: index, lost: true });
                }
                At::Success | At::Fail => act(Action::Ends(index)),
                At::Still | At::Registered => {}
            }
            act(Action::TimesOut(index));
            act(Action::StoppedByHand(index));
        }
        if works && !reopening {
            act(Action::Progress);
            act(Action::WorkerWritesFailed);
        }
        if self.late && !reopening {
            act(Action::LateProgress);
            for status in [ProcessStatus::Processing, ProcessStatus::Completed, ProcessStatus::Failed] {
                act(Action::Late(status));
            }
        }
        match self.cancel {
            Cancel::Possible if self.row.status.is_open() => act(Action::CancelBegins),
            Cancel::UnderWay => act(Action::CancelWrites),
            Cancel::Written => act(Action::CancelExplains),
            Cancel::Possible | Cancel::Done => {}
        }
        if matches!(self.row.status, ProcessStatus::Failed | ProcessStatus::Timeout) && !self.user_retried {
            act(Action::UserRetries);
        }
        act(Action::Tick);
    }

    /// Does what is another's; `None` for what is ours.
    pub fn by_others(&mut self, action: Action, counted: bool) -> Option<()> {
        let s = self;
        let closed = |row: &mut Row, status| {
            row.status = status;
            row.completed = Some(Stamp::NOW);
        };
        match action {
            Action::Start => {
                s.starting = None;
                let free = s.runs.iter().position(Option::is_none).unwrap();
                s.runs[free] = Some(Run::STARTED);
            }
            Action::FirstStep { run, lost } => {
                s.run(run).at = At::Task;
                if !lost {
                    s.write(|row| {
                        row.status = ProcessStatus::Processing;
                        row.completed = None;
                    });
                }
            }
            Action::Progress | Action::LateProgress => s.write(|_| ()),
            Action::WorkerWritesFailed => s.write(|row| {
                row.status = ProcessStatus::Failed;
                row.completed = None;
            }),
            Action::TaskSucceeds { run, result } => {
                s.run(run).at = At::Complete;
                s.run(run).now.has_result = result;
            }
            Action::TaskReturnsFailure(run) => {
                s.run(run).at = At::Complete;
                s.run(run).now.says_failed = true;
            }
            Action::TaskFails { run, again } => {
                s.late = true;
                s.run(run).at = if again { At::Task } else { At::Handle };
            }
            Action::WorkflowCompletes { run, lost } => {
                s.run(run).at = At::Success;
                let Attempt { has_result, says_failed, .. } = s.run(run).now;
                if !lost {
                    s.write(|row| {
                        closed(row, ProcessStatus::Completed);
                        row.has_result |= has_result;
                        row.has_error = says_failed;
                    });
                }
            }
            Action::WorkflowFails { run, lost } => {
                s.run(run).at = At::Fail;
                if !lost {
                    s.write(|row| closed(row, ProcessStatus::Failed));
                }
            }
            Action::Ends(run) => {
                let succeeded = s.run(run).at == At::Success;
                s.run(run).end(if succeeded { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed });
            }
            Action::TimesOut(run) => {
                s.late = true;
                s.run(run).end(ExecutionStatus::TimedOut);
            }
            Action::StoppedByHand(run) => {
                s.late = true;
                s.run(run).now.stopped = Stopped::ByHand;
                s.run(run).end(ExecutionStatus::Aborted);
            }
            Action::Redriven(run) => s.redrive(run),
            Action::Late(status) => s.write(|row| {
                row.status = status;
                row.completed = (status == ProcessStatus::Completed).then_some(Stamp::NOW);
                row.has_result |= status == ProcessStatus::Completed;
                row.has_error = false;
            }),
            Action::CancelBegins => s.cancel = Cancel::UnderWay,
            Action::CancelWrites => {
                s.cancel = Cancel::Written;
                s.write(|row| closed(row, ProcessStatus::Cancelled));
            }
            // FAILED with that code is CANCELLED: whatever was written in between is overruled.
            Action::CancelExplains => {
                s.cancel = Cancel::Done;
                s.write(|row| closed(row, ProcessStatus::Cancelled));
            }
            Action::UserRetries => {
                s.user_retried = true;
                s.starting = Some(0);
                s.write(|row| {
                    row.status = ProcessStatus::Pending;
                    row.completed = None;
                    row.retries += u8::from(counted);
                });
            }
            Action::Tick => s.tick(),
            Action::Event { .. }
            | Action::SweepBegins { .. }
            | Action::HandBegins
            | Action::Ours(_)
            | Action::Dies(_)
            | Action::RetryLooks { .. }
            | Action::RetryGoesOn
            | Action::RetryRefused
            | Action::RetryDies
            | Action::RetryResolved => return None,
        }
        Some(())
    }

    /// The same execution runs again, in another attempt. No step that has looked can know.
    fn redrive(&mut self, index: u8) {
        self.may_redrive = false;
        let run = self.run(index);
        let now = Attempt { in_ledger: false, ..Run::STARTED.now };
        *run = Run { at: At::Task, now, before: Some(run.now), redriven: true };
        for (blind, step) in self.blind.iter_mut().zip(&self.steps) {
            *blind |= *step != Step::Idle;
        }
    }
}
