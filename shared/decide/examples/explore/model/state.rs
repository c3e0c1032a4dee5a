//! Everything there is around one process, at one moment, and the abstract time in which it happens.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use remediation_decide::decide::{Closing, Look, StopCause};
use remediation_decide::domain::{ExecutionStatus, ProcessStatus};

/// Ages are counted in ticks; from here on they are all alike: three ticks of the longest deadline, and one that a look's
/// `now` may lie back.
pub const OLDEST: u8 = 4;
/// A tick's length. Deadlines lie half a tick before theirs, so that only ticks decide about them.
pub const TICK: TimeDelta = TimeDelta::seconds(60);
/// Ticks after which `PROCESS_DEADLINE_SECONDS` has passed.
pub const DEADLINE_TICKS: u8 = 3;
/// Ticks in which a started execution appears, if it ever does: one less than `START_DEADLINE_SECONDS`.
pub const START_TICKS: u8 = 1;

/// When something happened: how many ticks ago, and its place in the order of all that the state remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    pub age: u8,
    pub order: u8,
}

impl Stamp {
    pub const NOW: Self = Self { age: 0, order: u8::MAX };

    pub fn time(self, at: DateTime<Utc>) -> DateTime<Utc> {
        at - TICK * i32::from(self.age) + TimeDelta::milliseconds(i64::from(self.order))
    }
}

/// The application's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    pub status: ProcessStatus,
    pub has_result: bool,
    /// It has an error beside COMPLETED, or a result that says that the work failed.
    pub has_error: bool,
    /// How often it was started anew, where that is counted.
    pub retries: u8,
    pub created_age: u8,
    pub updated: Stamp,
    pub completed: Option<Stamp>,
}

/// Where a running workflow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// Before UpdateStatusToProcessing.
    Begin,
    /// In ExecuteAIGeneration.
    Task,
    /// Before UpdateStatusToCompleted.
    Complete,
    /// Before HandleError or HandleTimeout.
    Handle,
    /// Before the end of its success.
    Success,
    /// Before its `Fail` state.
    Fail,
    /// It has ended, or nothing of it moves any more.
    Still,
    /// It is registered for a retry of ours, and was not started: it does not exist.
    Registered,
}

/// What `remediation.executions` has of an attempt of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Known {
    Nothing,
    Running,
    /// Its status and times.
    Over,
    /// Its error and output too.
    Ending,
}

/// With what error an execution was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stopped {
    Not,
    /// By us.
    ForDeadline,
    /// By us, for a row or a person that wants it cancelled.
    ForCancel,
    /// By a person.
    ByHand,
}

/// An execution between two redrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub status: ExecutionStatus,
    pub started: Stamp,
    /// The same as `started` while it runs.
    pub ended: Stamp,
    pub has_result: bool,
    /// Its output says that it failed, however it ends.
    pub says_failed: bool,
    pub stopped: Stopped,
    pub known: Known,
    /// The ledger's action says that we stopped it for its deadline.
    pub in_ledger: bool,
}

/// An execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    pub at: At,
    pub now: Attempt,
    /// What it was before a redrive that nobody of us knows of yet.
    pub before: Option<Attempt>,
    pub redriven: bool,
}

impl Run {
    pub const STARTED: Self = Self {
        at: At::Begin,
        now: Attempt {
            status: ExecutionStatus::Running,
            started: Stamp::NOW,
            ended: Stamp::NOW,
            has_result: false,
            says_failed: false,
            stopped: Stopped::Not,
            known: Known::Nothing,
            in_ledger: false,
        },
        before: None,
        redriven: false,
    };

    pub fn exists(&self) -> bool {
        self.at != At::Registered
    }

    pub fn runs(&self) -> bool {
        self.now.status == ExecutionStatus::Running && self.exists()
    }

    pub fn end(&mut self, status: ExecutionStatus) {
        self.now.status = status;
        self.at = At::Still;
        self.now.ended = Stamp::NOW;
    }

    /// The attempt that is known, and whether it is the one after the redrive.
    pub fn known(&self) -> Option<(&Attempt, bool)> {
        if self.now.known > Known::Nothing {
            return Some((&self.now, self.redriven));
        }
        self.before.as_ref().filter(|before| before.known > Known::Nothing).map(|before| (before, false))
    }

    /// Whether what is known is that it is over.
    pub fn known_over(&self) -> bool {
        self.known().is_some_and(|(attempt, _)| attempt.known >= Known::Over)
    }

    /// Whether what is known is that it runs.
    pub fn known_running(&self) -> bool {
        self.known().is_some_and(|(attempt, _)| attempt.known == Known::Running)
    }

    /// The attempt of this redrive, where it is remembered.
    pub fn attempt(&mut self, redriven: bool) -> Option<&mut Attempt> {
        if redriven == self.redriven { Some(&mut self.now) } else { self.before.as_mut() }
    }
}

/// The list that a step has read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listed {
    /// None.
    No,
    /// When it was begun, the newest known execution was not known to be over.
    Open,
    /// It was known that this one was over, in this redrive.
    Over { run: u8, redriven: bool },
    /// So it was of one, and the row has moved since.
    Moved,
}

impl Listed {
    const fn moved(self) -> Self {
        match self {
            Self::No | Self::Open => self,
            Self::Over { .. } | Self::Moved => Self::Moved,
        }
    }
}

/// One of our steps, where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Idle,
    /// About to read the row and what is known, and to decide. `now_age`: when the look began. `there`: of a cancel by hand, how many
    /// executions its list showed.
    Read {
        look: Look,
        listed: Listed,
        now_age: u8,
        there: u8,
    },
    /// About to list all executions.
    List,
    /// About to write. Whether somebody moved the row, or what is known of its newest execution, since it was read.
    Write {
        closing: Closing,
        row_moved: bool,
        known_moved: bool,
        there: u8,
    },
    /// About to look at the execution once more before it is stopped.
    Describe {
        run: u8,
        redriven: bool,
        cause: StopCause,
    },
    /// About to stop it.
    Stop {
        run: u8,
        redriven: bool,
        cause: StopCause,
    },
    /// About to read it until it is over, and to close the ledger's action by that.
    Reread {
        run: u8,
        redriven: bool,
    },
    /// About to remember what was read.
    Remember {
        run: u8,
    },
}

/// A user's cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cancel {
    Possible,
    /// The handler saw an open row and is about to write.
    UnderWay,
    /// It has written CANCELLED, and is about to write FAILED with the code of a cancel.
    Written,
    Done,
}

/// Our retry of a failed process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    Possible,
    /// It has seen a failed row and an execution that is over, and is about to re-open the row.
    Decided {
        moved: bool,
    },
    /// The row is re-opened and an execution registered; that is to be started. `left`: by a run that died, or had no answer.
    Begun {
        before: Row,
        moved: bool,
        left: bool,
    },
    Done,
}

/// Everything there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub row: Row,
    pub runs: [Option<Run>; 2],
    /// Ticks since the row was opened, while its StartExecution has not been called.
    pub starting: Option<u8>,
    /// Something that outlived its task or its execution may still write.
    pub late: bool,
    pub cancel: Cancel,
    pub user_retried: bool,
    /// Whether a person may still redrive an execution.
    pub may_redrive: bool,
    /// Whether an operator may still ask by hand.
    pub operator: bool,
    pub retry: Retry,
    pub steps: [Step; 3],
    /// For each of our steps, whether an execution was redriven since it looked at the list, or behind a list that lagged.
    pub blind: [bool; 3],
}

/// The step that events start.
pub const SYNC: usize = 0;
/// The step that a schedule starts.
pub const SWEEP: usize = 1;
/// The step that an operator starts for this process.
pub const HAND: usize = 2;

/// Our steps, for people.
pub const NAMES: [&str; 3] = ["sync", "sweep", "by hand"];

impl State {
    /// A row just accepted, its execution about to be started.
    pub const ACCEPTED: Self = Self {
        row: Row {
            status: ProcessStatus::Pending,
            has_result: false,
            has_error: false,
            retries: 0,
            created_age: 0,
            updated: Stamp { age: 0, order: 0 },
            completed: None,
        },
        runs: [None, None],
        starting: Some(0),
        late: false,
        cancel: Cancel::Possible,
        user_retried: false,
        may_redrive: false,
        operator: false,
        retry: Retry::Done,
        steps: [Step::Idle; 3],
        blind: [false; 3],
    };

    /// A row that failed a while ago, as its execution did; something that outlived it may still write.
    pub const FAILED: Self = Self {
        row: Row {
            status: ProcessStatus::Failed,
            updated: Stamp { age: 1, order: 1 },
            completed: Some(Stamp { age: 1, order: 1 }),
            ..Self::ACCEPTED.row
        },
        runs: [
            Some(Run {
                at: At::Still,
                now: Attempt {
                    status: ExecutionStatus::Failed,
                    started: Stamp { age: 1, order: 0 },
                    ended: Stamp { age: 1, order: 2 },
                    known: Known::Over,
                    ..Run::STARTED.now
                },
                ..Run::STARTED
            }),
            None,
        ],
        starting: None,
        late: true,
        retry: Retry::Possible,
        ..Self::ACCEPTED
    };

    /// The newest execution that exists.
    pub fn newest(&self) -> Option<&Run> {
        self.runs.iter().flatten().rfind(|run| run.exists())
    }

    /// The newest execution that is known.
    pub fn newest_known(&self) -> Option<(u8, Run)> {
        let known = |(index, run): (u8, &Option<Run>)| run.filter(|run| run.known().is_some()).map(|run| (index, run));
        [0, 1].into_iter().zip(&self.runs).filter_map(known).next_back()
    }

    pub fn exists(&self, index: u8) -> bool {
        self.runs[usize::from(index)].is_some_and(|run| run.exists())
    }

    pub fn run(&mut self, index: u8) -> &mut Run {
        self.runs[usize::from(index)].as_mut().unwrap()
    }

    /// Whether another step than `by` has its stop of this execution on record, and open.
    pub fn is_being_stopped(&self, index: u8, by: usize) -> bool {
        let stops = |step: &Step| matches!(step, Step::Stop { run, .. } | Step::Reread { run, .. } if *run == index);
        self.steps.iter().enumerate().any(|(step, at)| step != by && stops(at))
    }

    /// Somebody writes the row: whoever has read it before finds it moved.
    pub fn write(&mut self, change: impl FnOnce(&mut Row)) {
        change(&mut self.row);
        self.row.updated = Stamp::NOW;
        for step in &mut self.steps {
            match step {
                Step::Write { row_moved, .. } => *row_moved = true,
                Step::Read { listed, .. } => *listed = listed.moved(),
                _ => {}
            }
        }
        if let Retry::Decided { moved } | Retry::Begun { moved, .. } = &mut self.retry {
            *moved = true;
        }
    }

    /// Whether it is as it should be, or nobody knows: an open row, or something that runs for a row that is not open.
    pub fn is_unfinished(&self) -> bool {
        let runs_on = self.runs.iter().flatten().any(Run::runs);
        self.row.status.is_open() || (runs_on && self.row.status != ProcessStatus::Completed)
    }

    /// The same without the others: nothing of them moves any more, and none of them begins anything. A retry of ours dies where it
    /// stands, and nobody looks after it but the decision table.
    pub fn without_others(&self) -> Self {
        let (cancel, retry) = (Cancel::Done, Retry::Done);
        let mut state = Self {
            starting: None,
            late: false,
            cancel,
            user_retried: true,
            may_redrive: false,
            operator: false,
            retry,
            ..*self
        };
        for run in state.runs.iter_mut().flatten().filter(|run| run.exists()) {
            run.at = At::Still;
        }
        state.settled()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row.status)?;
        for (index, run) in self.runs.iter().enumerate() {
            if let Some(run) = run {
                let again = if run.redriven { ", redriven" } else { "" };
                write!(f, ", execution {index} {}{again} (known: {:?})", run.now.status, run.now.known)?;
            }
        }
        for (name, step) in NAMES.iter().zip(&self.steps) {
            if *step != Step::Idle {
                write!(f, ", {name} {step:?}")?;
            }
        }
        Ok(())
    }
}
