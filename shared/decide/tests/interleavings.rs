//! Every interleaving of the application, Step Functions, people and our own steps around one process, explored with the
//! real [`remediation_decide::decide::decide`]: an explicit-state model checker, breadth first, so that what it finds it tells
//! as a shortest trace.
//!
//! # Bounds
//!
//! One process (decisions share nothing between processes), at most two executions of it, two steps of ours at once (one
//! event sync, one sweep, or an operator's cancel by hand beside sync), one cancel and one retry by a user. From the row's
//! acceptance, up to so many things happen:
//!
//! | our steps | cancel | second execution | depth |
//! | --- | --- | --- | --- |
//! | sync and sweep | yes | yes | 9 |
//! | sync and sweep | yes | no | 11 |
//! | sync and sweep | no | no | 13 |
//! | sweep | no | yes | 11 |
//! | sync | no | yes | 10 |
//! | cancel by hand | yes | yes | 10 |
//! | sync and cancel by hand | no | no | 11 |
//!
//! Our own retry is the second execution in searches that begin with a process that has failed, while something of its first
//! execution may still write:
//!
//! | both steps | sweep alone | cancel | depth |
//! | --- | --- | --- | --- |
//! | yes | | yes | 9 |
//! | | yes | no | 13 |
//!
//! From every state on the way the others are then stopped, our steps go on to their ends, and eight sweeps follow, some
//! thirty things more. Everything that may happen later may also never happen, which is how losses and deaths are
//! covered; events may be delivered any number of times.
//!
//! # What is covered
//!
//! - The workflow: its first step's PROCESSING, the task, COMPLETED with or without a result, HandleError and HandleTimeout
//!   (FAILED, then a `Fail` state). Each of its writes is unguarded and may be lost while the workflow goes on.
//! - The worker: progress, FAILED before Step Functions tries the task again, death at any point.
//! - What outlives its task or its execution (`late`): progress, PROCESSING, COMPLETED or FAILED at any later time, as
//!   often as it likes, unguarded.
//! - The whole execution's timeout and a stop by hand, at any point.
//! - A user's cancel, read and written apart, over whatever the row says by then; its StopExecution goes to a name that
//!   does not exist and does nothing. A user's retry, also while the old execution still runs.
//! - Events: whatever was emitted may be delivered never, late, in any order and any number of times.
//! - Our steps in parts: look, read and decide, write; or look again at the execution, stop it, re-read it, start over. The
//!   others act in between, and a step may die at each point. Writes compare the row and the newest known execution.
//! - An operator's cancel by hand, with the real [`cancel`]: list, read the row, stop what runs (the
//!   overtaken one first), re-read, list again, and write the row last. What starts after its last list is the sweep's.
//! - Our retry in parts: list and look, re-open the row and register the execution, start it; or have it refused and put the row
//!   back; or die in between, or get no answer, while the call may get through yet. What is left so is resolved by a later
//!   run, or never.
//! - Reads that lag: a list may show RUNNING, or not yet show an execution, for what changed since the last tick.
//! - Time: ticks at any moment. `SETTLE_SECONDS` passes with one tick, `START_DEADLINE_SECONDS` with two,
//!   `PROCESS_DEADLINE_SECONDS` with three. Between ticks the order of what happened is kept, as the decisions compare it;
//!   ages past every deadline are one age, which keeps the states finite and time unbounded.
//!
//! # What is assumed of the others
//!
//! - An execution starts within `START_DEADLINE_SECONDS` of the write that opened its row, or never.
//! - Between the write that re-opens a row and its StartExecution, two calls of one handler, nothing left of the old
//!   execution writes that row. Where it does, and the old execution also ends just then, nothing in the row or in Step
//!   Functions tells any more that a new one is on its way (only a risen `retry_count` would).
//! - A list that sync or a cancel by hand asks for shows every execution that exists. A retry, its execution's start and the old execution's
//!   end, all within the second or so of a lagging list, are beyond what any reader of that list can know.
//!
//! # What our steps have to keep to, as the checker found
//!
//! - `now` is the time at which a look began, before its list; executions are listed before the row is read.
//! - Sync knows only what events brought; before it closes a row it lists (see
//!   [`sync_must_list_before_it_closes_a_row`]).
//! - After a stop everything is looked at anew, as an event is: our own stop must not count as unsettled.
//! - Executions that a newer one has overtaken are looked at too ([`decide::overtaken`], which is `decide` for them).
//!
//! That a write compares the newest known execution too breaks nothing here when it is dropped: whatever starts an
//! execution writes the row first. It is modelled as the design has it, and is needed where a redrive is.
//!
//! # What is left out
//!
//! - Redrive: no compare-and-set reaches into Step Functions, so a redrive between our last read and our write cannot be
//!   excluded. It heals: a closed row beside a running execution is left, and its late success stands.
//! - Rows closed by hand, `REQUIRE_RESULT`, and a `completed_at` left over from before: the table tests have them.
//! - What the application overwrites. A late worker may re-open or half-write a row that we closed, and a workflow's step
//!   may undo a cancel; nothing but the fence (design, 6.9) prevents that. So the invariants are about what *we* write and
//!   stop, and about where everything ends once the others have stopped writing.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use chrono::{DateTime, TimeDelta, Utc};
use remediation_decide::decide::cancel::{Cancelling, cancel};
use remediation_decide::decide::{self, Closing, Decision, Look, Policy, StopCause, Verdict};
use remediation_decide::domain::{
    DEADLINE_ERROR, Ending, Execution, ExecutionArn, ExecutionStatus, Process, ProcessId, ProcessStatus,
};

/// Ages are counted in ticks; from here on they are all alike: three ticks of the longest deadline, and one that a look's
/// `now` may lie back.
const OLDEST: u8 = 4;
/// A tick's length. Deadlines lie half a tick before theirs, so that only ticks decide about them.
const TICK: TimeDelta = TimeDelta::seconds(60);
/// Ticks after which `PROCESS_DEADLINE_SECONDS` has passed.
const DEADLINE_TICKS: u8 = 3;
/// Ticks in which a started execution appears, if it ever does: one less than `START_DEADLINE_SECONDS`.
const START_TICKS: u8 = 1;
/// Sweeps, one a tick, after which everything must be closed and over once the others stop acting: the deadline, then the
/// start deadline and the settling of what we stopped, and one more that finds nothing to do.
const SWEEPS: usize = 8;

/// When something happened: how many ticks ago, and its place in the order of all that the state remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Stamp {
    age: u8,
    order: u8,
}

impl Stamp {
    const NOW: Self = Self { age: 0, order: u8::MAX };

    fn time(self, at: DateTime<Utc>) -> DateTime<Utc> {
        at - TICK * i32::from(self.age) + TimeDelta::milliseconds(i64::from(self.order))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    status: ProcessStatus,
    has_result: bool,
    created_age: u8,
    updated: Stamp,
    completed: Option<Stamp>,
}

/// Where a running workflow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
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

/// What `remediation.executions` has of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Known {
    Nothing,
    Running,
    /// Its status and times.
    Over,
    /// Its error and output too.
    Ending,
}

/// With what error an execution was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stopped {
    Not,
    ForDeadline,
    ByHand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Run {
    status: ExecutionStatus,
    at: At,
    started: Stamp,
    /// The same as `started` while it runs.
    ended: Stamp,
    has_result: bool,
    stopped: Stopped,
    known: Known,
    /// The ledger's open action says that we stop it for its deadline.
    in_ledger: bool,
}

impl Run {
    const STARTED: Self = Self {
        status: ExecutionStatus::Running,
        at: At::Begin,
        started: Stamp::NOW,
        ended: Stamp::NOW,
        has_result: false,
        stopped: Stopped::Not,
        known: Known::Nothing,
        in_ledger: false,
    };

    fn exists(&self) -> bool {
        self.at != At::Registered
    }

    fn runs(&self) -> bool {
        self.status == ExecutionStatus::Running && self.exists()
    }

    fn end(&mut self, status: ExecutionStatus) {
        self.status = status;
        self.at = At::Still;
        self.ended = Stamp::NOW;
    }

    /// Whether what `known` has is that it is over.
    fn known_over(&self) -> bool {
        self.known >= Known::Over
    }

    fn execution(&self, arn: &ExecutionArn, at: DateTime<Utc>) -> Execution {
        let over = self.known_over();
        Execution {
            arn: arn.clone(),
            status: if over { self.status } else { ExecutionStatus::Running },
            redrive_count: 0,
            started_at: self.started.time(at),
            redriven_at: None,
            stopped_at: over.then(|| self.ended.time(at)),
            ending: (self.known == Known::Ending).then(|| Ending {
                error: match self.stopped {
                    Stopped::Not => (self.status == ExecutionStatus::Failed).then(|| "AI_ERROR".to_owned()),
                    Stopped::ForDeadline => Some(DEADLINE_ERROR.to_owned()),
                    Stopped::ByHand => Some("ManualCancellation".to_owned()),
                },
                cause: None,
                result: self.has_result.then(|| serde_json::json!({"goal": "…"}).into()),
            }),
            stopped_for_deadline: self.in_ledger,
        }
    }
}

/// One of our steps, where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// About to read the row and what is known, and to decide. `now_age`: when the look began. `listed`: whether it has
    /// seen all executions since. `there`: of a cancel by hand, how many executions its list showed.
    Read {
        look: Look,
        listed: bool,
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
        cause: StopCause,
    },
    /// About to stop it.
    Stop {
        run: u8,
    },
    /// About to re-read it until it is over.
    Reread {
        run: u8,
    },
}

/// A user's cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cancel {
    Possible,
    /// The handler saw an open row and is about to write.
    UnderWay,
    Done,
}

/// Our retry of a failed process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Retry {
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

/// Everything there is, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    row: Row,
    runs: [Option<Run>; 2],
    /// Ticks since the row was opened, while its StartExecution has not been called.
    starting: Option<u8>,
    /// Something that outlived its task or its execution may still write.
    late: bool,
    cancel: Cancel,
    user_retried: bool,
    /// Whether an operator may still cancel by hand.
    operator: bool,
    retry: Retry,
    steps: [Step; 3],
}

/// The step that events start.
const SYNC: usize = 0;
/// The step that a schedule starts.
const SWEEP: usize = 1;
/// The step that an operator starts to cancel the process.
const HAND: usize = 2;

/// Our steps, for people.
const NAMES: [&str; 3] = ["sync", "sweep", "cancel by hand"];

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Start,
    FirstStep { run: u8, lost: bool },
    Progress,
    WorkerWritesFailed,
    TaskSucceeds { run: u8, result: bool },
    TaskFails { run: u8, again: bool },
    WorkflowCompletes { run: u8, lost: bool },
    WorkflowFails { run: u8, lost: bool },
    Ends(u8),
    TimesOut(u8),
    StoppedByHand(u8),
    Late(ProcessStatus),
    LateProgress,
    CancelBegins,
    CancelWrites,
    UserRetries,
    Tick,
    Event { run: u8, over: bool },
    SweepBegins { lagging: bool },
    HandBegins,
    Ours(usize),
    Dies(usize),
    RetryLooks { lagging: bool },
    RetryGoesOn,
    RetryRefused,
    RetryDies,
    RetryResolved,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = |step: &usize| NAMES[*step];
        let lost = |lost: &bool| if *lost { ", and its write is lost" } else { "" };
        match self {
            Self::Start => write!(f, "application: StartExecution"),
            Self::FirstStep { run, lost: l } => write!(f, "execution {run}: UpdateStatusToProcessing{}", lost(l)),
            Self::Progress => write!(f, "worker: writes progress"),
            Self::WorkerWritesFailed => write!(f, "worker: writes FAILED"),
            Self::TaskSucceeds { run, result } => write!(f, "execution {run}: the task succeeds, result: {result}"),
            Self::TaskFails { run, again } => {
                write!(f, "execution {run}: the task fails or times out, tried again: {again}")
            }
            Self::WorkflowCompletes { run, lost: l } => {
                write!(f, "execution {run}: UpdateStatusToCompleted{}", lost(l))
            }
            Self::WorkflowFails { run, lost: l } => {
                write!(f, "execution {run}: HandleError or HandleTimeout{}", lost(l))
            }
            Self::Ends(run) => write!(f, "execution {run}: ends"),
            Self::TimesOut(run) => write!(f, "execution {run}: times out as a whole"),
            Self::StoppedByHand(run) => write!(f, "person: stops execution {run}"),
            Self::Late(status) => write!(f, "late Lambda: writes {status}"),
            Self::LateProgress => write!(f, "late Lambda: writes progress"),
            Self::CancelBegins => write!(f, "user: cancels, the handler sees an open row"),
            Self::CancelWrites => write!(f, "user: the handler writes CANCELLED"),
            Self::UserRetries => write!(f, "user: retries, the row is open again"),
            Self::Tick => write!(f, "time passes"),
            Self::Event { run, over } => {
                write!(f, "sync: is told that execution {run} {}", if *over { "ended" } else { "runs" })
            }
            Self::SweepBegins { lagging } => {
                write!(f, "sweep: lists executions{}", if *lagging { ", lagging" } else { "" })
            }
            Self::HandBegins => write!(f, "operator: cancels by hand"),
            Self::Ours(step) => write!(f, "{}: goes on", who(step)),
            Self::Dies(step) => write!(f, "{}: dies", who(step)),
            Self::RetryLooks { lagging } => {
                write!(f, "retry: lists executions{}, and looks", if *lagging { ", lagging" } else { "" })
            }
            Self::RetryGoesOn => write!(f, "retry: re-opens the row, or calls StartExecution"),
            Self::RetryRefused => write!(f, "retry: StartExecution is refused, the row is put back"),
            Self::RetryDies => write!(f, "retry: dies, or gets no answer"),
            Self::RetryResolved => write!(f, "retry: a later run looks what became of the one before"),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row.status)?;
        for (index, run) in self.runs.iter().enumerate() {
            if let Some(run) = run {
                write!(f, ", execution {index} {} (known: {:?})", run.status, run.known)?;
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

/// What must hold in every state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Invariant {
    /// A row is not closed as failed, timed out or cancelled while its newest execution runs; nor cancelled by hand while any
    /// does that was there when executions were listed.
    NothingRunsWhenWeClose,
    /// A row that says COMPLETED or CANCELLED is not written.
    CompletedAndCancelledStand,
    /// COMPLETED is written only where the newest execution succeeded.
    CompletedMeansSucceeded,
    /// FAILED, timed out and CANCELLED are written only where the newest execution ended so, or there is none; by hand, CANCELLED
    /// is written unless it succeeded.
    ClosedAsItEnded,
    /// What is stopped runs past its deadline, or its row was CANCELLED when it was read; by hand, it was not COMPLETED.
    StopsAreDue,
    /// Once the others stop acting, every row is closed and nothing runs past its deadline unnoticed after so many sweeps.
    EverythingEnds,
    /// Once the others stop acting, so do we.
    WeComeToRest,
    /// A process is started anew only while nothing of it runs.
    RetriesAreOfWhatIsOver,
}

/// `decide`, as the real one or as one broken on purpose.
type Decide = fn(&Process, Option<&Execution>, Look, &Policy, DateTime<Utc>) -> Decision;

/// `cancel`, as the real one or as one broken on purpose.
type Wish = fn(&Process, Option<&Execution>, bool, &Policy, DateTime<Utc>) -> Cancelling;

/// How our steps go about it.
#[derive(Clone, Copy)]
struct Rules {
    decide: Decide,
    cancel: Wish,
    policy: Policy,
    /// Sync lists before it closes a row.
    sync_lists: bool,
    /// A write compares the row's version.
    compares_row: bool,
    /// Executions that a newer one has overtaken are looked at.
    sees_overtaken: bool,
    /// Our retry compares the row's version and the newest execution when it re-opens the row.
    retry_compares: bool,
    /// It registers its execution then.
    retry_registers: bool,
}

const POLICY: Policy = Policy {
    process_deadline: TimeDelta::seconds(150),
    start_deadline: TimeDelta::seconds(90),
    settle: TimeDelta::seconds(30),
    require_result: false,
};

const REAL: Rules = Rules {
    decide: decide::decide,
    cancel,
    policy: POLICY,
    sync_lists: true,
    compares_row: true,
    sees_overtaken: true,
    retry_compares: true,
    retry_registers: true,
};

/// A row and an execution as decisions see them: equal ones are decided once.
type Question = (Row, Option<Run>, Look, u8);

struct Checker {
    rules: Rules,
    at: DateTime<Utc>,
    process: ProcessId,
    arns: [ExecutionArn; 2],
    decided: HashMap<Question, Decision, Fast>,
    /// States without the others, known to end well.
    ends_well: HashSet<State, Fast>,
}

impl Checker {
    fn new(rules: Rules) -> Self {
        let id = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";
        let arn =
            |ms: u32| format!("arn:aws:states:ap-northeast-1:123456789012:execution:ai:{id}-{ms}").parse().unwrap();
        Self {
            rules,
            at: DateTime::from_timestamp(1_764_000_000, 0).unwrap(),
            process: id.parse().unwrap(),
            arns: [arn(1), arn(2)],
            decided: HashMap::default(),
            ends_well: HashSet::default(),
        }
    }

    /// Asks the decision about the row and one execution, as far as it is known.
    fn decide(&mut self, row: &Row, run: Option<(usize, &Run)>, look: Look, now_age: u8) -> Decision {
        // Where the workflow stands decides nothing.
        let asked = run.map(|(_, run)| Run { at: At::Still, ..*run });
        if let Some(decision) = self.decided.get(&(*row, asked, look, now_age)) {
            return *decision;
        }
        let (process, execution, now) = self.seen(row, run, now_age);
        let decision = (self.rules.decide)(&process, execution.as_ref(), look, &self.rules.policy, now);
        self.decided.insert((*row, asked, look, now_age), decision);
        decision
    }

    /// The row and one execution as decisions see them, and the time of the look.
    fn seen(&self, row: &Row, run: Option<(usize, &Run)>, now_age: u8) -> (Process, Option<Execution>, DateTime<Utc>) {
        let at = self.at;
        let process = Process {
            id: self.process,
            version: 0,
            status: row.status,
            progress: 0,
            has_result: row.has_result,
            error_code: None,
            retries: None,
            created_at: Stamp { age: row.created_age, order: 0 }.time(at),
            updated_at: row.updated.time(at),
            completed_at: row.completed.map(|stamp| stamp.time(at)),
        };
        let execution = run.map(|(index, run)| run.execution(&self.arns[index], at));
        (process, execution, Stamp { age: now_age, order: 100 }.time(at))
    }
}

impl State {
    /// A row just accepted, its execution about to be started.
    const ACCEPTED: Self = Self {
        row: Row {
            status: ProcessStatus::Pending,
            has_result: false,
            created_age: 0,
            updated: Stamp { age: 0, order: 0 },
            completed: None,
        },
        runs: [None, None],
        starting: Some(0),
        late: false,
        cancel: Cancel::Possible,
        user_retried: false,
        operator: false,
        retry: Retry::Done,
        steps: [Step::Idle; 3],
    };

    /// A row that failed a while ago, as its execution did; something that outlived it may still write.
    const FAILED: Self = Self {
        row: Row {
            status: ProcessStatus::Failed,
            has_result: false,
            created_age: 0,
            updated: Stamp { age: 1, order: 1 },
            completed: Some(Stamp { age: 1, order: 1 }),
        },
        runs: [
            Some(Run {
                status: ExecutionStatus::Failed,
                at: At::Still,
                started: Stamp { age: 1, order: 0 },
                ended: Stamp { age: 1, order: 2 },
                known: Known::Over,
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
    fn newest(&self) -> Option<&Run> {
        self.runs.iter().flatten().rfind(|run| run.exists())
    }

    /// The newest execution that is known.
    fn newest_known(&self) -> Option<(usize, Run)> {
        let known =
            |(index, run): (usize, &Option<Run>)| run.filter(|run| run.known > Known::Nothing).map(|run| (index, run));
        self.runs.iter().enumerate().filter_map(known).next_back()
    }

    /// Whether another step than `by` has its stop of this execution on record, and open.
    fn is_being_stopped(&self, index: u8, by: usize) -> bool {
        let stops = |step: &Step| matches!(step, Step::Stop { run } | Step::Reread { run } if *run == index);
        self.steps.iter().enumerate().any(|(step, at)| step != by && stops(at))
    }

    fn exists(&self, index: u8) -> bool {
        self.runs[usize::from(index)].is_some_and(|run| run.exists())
    }

    fn run(&mut self, index: u8) -> &mut Run {
        self.runs[usize::from(index)].as_mut().unwrap()
    }

    /// Somebody writes the row: whoever has read it before finds it moved.
    fn write(&mut self, change: impl FnOnce(&mut Row)) {
        change(&mut self.row);
        self.row.updated = Stamp::NOW;
        for step in &mut self.steps {
            if let Step::Write { row_moved, .. } = step {
                *row_moved = true;
            }
        }
        if let Retry::Decided { moved } | Retry::Begun { moved, .. } = &mut self.retry {
            *moved = true;
        }
    }

    /// Something is learnt of an execution; less than what is known changes nothing.
    fn learn(&mut self, index: usize, known: Known) {
        self.know(|s| {
            if let Some(run) = &mut s.runs[index] {
                run.known = run.known.max(known);
            }
        });
    }

    /// What is known of executions changes: whoever rests on the newest of them finds it moved.
    fn know(&mut self, change: impl FnOnce(&mut Self)) {
        let said = |newest: Option<(usize, Run)>| newest.map(|(index, run)| (index, run.known_over()));
        let before = said(self.newest_known());
        change(self);
        if before != said(self.newest_known()) {
            for step in &mut self.steps {
                if let Step::Write { known_moved, .. } = step {
                    *known_moved = true;
                }
            }
            if let Retry::Decided { moved } = &mut self.retry {
                *moved = true;
            }
        }
    }

    /// Whether our retry may be decided on, as far as is known: the row failed, its newest execution is over, both have settled.
    fn may_retry(&self) -> bool {
        let row = &self.row;
        matches!(row.status, ProcessStatus::Failed | ProcessStatus::Timeout)
            && !row.has_result
            && row.completed.unwrap_or(row.updated).age >= 1
            && self.runs[1].is_none()
            && self.newest_known().is_some_and(|(_, run)| {
                run.known_over()
                    && run.ended.age >= 1
                    && run.status != ExecutionStatus::Succeeded
                    && (run.status != ExecutionStatus::Aborted || run.in_ledger)
            })
    }

    /// A row that was re-opened for an execution that was not started is given back what it had, if nobody moved it; that
    /// execution is forgotten.
    fn put_back(&mut self, before: Row, moved: bool) -> Result<(), Invariant> {
        if !moved {
            if self.runs[1].is_some_and(|run| run.runs()) {
                return Err(Invariant::NothingRunsWhenWeClose);
            }
            let created_age = self.row.created_age;
            self.write(|row| *row = before);
            (self.row.created_age, self.row.updated) = (created_age, before.updated);
        }
        // What was given up by the decision table is known as over, and stays so.
        if self.runs[1].is_some_and(|run| !run.exists() && run.status == ExecutionStatus::Running) {
            self.know(|s| s.runs[1] = None);
        }
        self.retry = Retry::Done;
        Ok(())
    }

    /// ListExecutions. What changed since the last tick, a lagging list does not show.
    fn list(&mut self, lagging: bool) {
        for index in 0..self.runs.len() {
            let Some(run) = self.runs[index].filter(Run::exists) else { continue };
            let known = match (run.runs(), lagging) {
                (true, true) if run.started.age == 0 => Known::Nothing,
                (false, true) if run.started.age == 0 && run.ended.age == 0 => Known::Nothing,
                (false, true) if run.ended.age == 0 => Known::Running,
                (true, _) => Known::Running,
                (false, _) => Known::Over,
            };
            self.learn(index, known);
        }
    }

    /// Whether a list could lag at all.
    fn may_lag(&self) -> bool {
        let exist = self.runs.iter().flatten().filter(|run| run.exists());
        exist.into_iter().any(|run| run.started.age == 0 || (!run.runs() && run.ended.age == 0))
    }

    /// Time passes. What waited too long for its execution does not get one; a look that began too long ago has died.
    fn tick(&mut self) {
        self.row.created_age = (self.row.created_age + 1).min(OLDEST);
        self.stamps(|stamp| stamp.age = (stamp.age + 1).min(OLDEST));
        self.starting = self.starting.map(|age| age + 1).filter(|age| *age <= START_TICKS);
        for step in &mut self.steps {
            if let Step::Read { now_age, .. } = step {
                *now_age += 1;
                if *now_age > 1 {
                    *step = Step::Idle;
                }
            }
        }
    }

    fn stamps(&mut self, mut each: impl FnMut(&mut Stamp)) {
        each(&mut self.row.updated);
        if let Some(completed) = &mut self.row.completed {
            each(completed);
        }
        for run in self.runs.iter_mut().flatten() {
            each(&mut run.started);
            each(&mut run.ended);
        }
        if let Retry::Begun { before, .. } = &mut self.retry {
            each(&mut before.updated);
            if let Some(completed) = &mut before.completed {
                each(completed);
            }
        }
    }

    /// Equal states look equal: what no longer matters is forgotten, and orders are numbered without gaps.
    fn settled(mut self) -> Self {
        if self.newest_known().is_some() {
            // Only a row without any execution counts from there.
            self.row.created_age = 0;
        }
        if let [Some(old), Some(new)] = &mut self.runs
            && new.known > Known::Nothing
            && new.exists()
            && !old.runs()
        {
            // Nobody asks any more what it ended with, or when.
            *old = Run { status: ExecutionStatus::Failed, at: At::Still, known: Known::Ending, ..Run::STARTED };
            (old.started.age, old.ended.age) = (OLDEST, OLDEST);
        }
        // Whether a row was written after its execution's start is asked of PENDING ones, and a new write is the newest.
        let starts_matter = self.row.status == ProcessStatus::Pending;
        for run in self.runs.iter_mut().flatten() {
            if !starts_matter {
                run.started.order = 0;
            }
            if run.status == ExecutionStatus::Running {
                run.ended = run.started;
            }
            if run.known == Known::Over && matches!(run.status, ExecutionStatus::TimedOut) {
                run.known = Known::Ending;
            }
        }
        let mut present = 0_u32;
        // At most one thing happens at once, so 31 is free for it.
        self.stamps(|stamp| {
            stamp.order = stamp.order.min(31);
            present |= 1 << stamp.order;
        });
        self.stamps(|stamp| stamp.order = (present & ((1 << stamp.order) - 1)).count_ones() as u8);
        self
    }

    /// What the others can do. Our own steps are in [`Checker::ours`].
    fn others(&self, mut act: impl FnMut(Action)) {
        if self.starting.is_some() && self.runs.iter().any(Option::is_none) {
            act(Action::Start);
        }
        // The second assumption.
        let reopening = self.starting.is_some() && self.runs[0].is_some();
        let mut works = false;
        for (run, index) in self.runs.iter().zip(0..) {
            let Some(run) = run.as_ref().filter(|run| run.runs()) else { continue };
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
            Cancel::Possible | Cancel::Done => {}
        }
        if matches!(self.row.status, ProcessStatus::Failed | ProcessStatus::Timeout) && !self.user_retried {
            act(Action::UserRetries);
        }
        act(Action::Tick);
    }

    /// When our steps can go on, begin or die.
    fn ours(&self, steps: [bool; 3], mut act: impl FnMut(Action)) {
        for (run, index) in self.runs.iter().zip(0..) {
            let run = run.as_ref().filter(|run| run.exists());
            if let (Some(run), Step::Idle, true) = (run, self.steps[SYNC], steps[SYNC]) {
                act(Action::Event { run: index, over: false });
                if !run.runs() {
                    act(Action::Event { run: index, over: true });
                }
            }
        }
        if self.steps[SWEEP] == Step::Idle && steps[SWEEP] {
            act(Action::SweepBegins { lagging: false });
            if self.may_lag() {
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
        // The run that has begun it, or its last call, ends before the execution's deadline.
        let in_time = self.runs[1].is_some_and(|run| !run.exists() && run.started.age < DEADLINE_TICKS);
        match self.retry {
            Retry::Possible => {
                act(Action::RetryLooks { lagging: false });
                if self.may_lag() {
                    act(Action::RetryLooks { lagging: true });
                }
            }
            Retry::Decided { .. } => act(Action::RetryGoesOn),
            Retry::Begun { left: false, .. } => {
                if in_time {
                    act(Action::RetryGoesOn);
                }
                act(Action::RetryRefused);
                act(Action::RetryDies);
            }
            Retry::Begun { left: true, .. } => {
                // A call without an answer may have got through, or get through yet: before anybody looks, minutes later.
                if self.runs[1].is_some_and(|run| !run.exists() && run.started.age == 0) {
                    act(Action::RetryGoesOn);
                } else {
                    act(Action::RetryResolved);
                }
            }
            Retry::Done => {}
        }
    }
}

impl Checker {
    fn apply(&mut self, mut state: State, action: Action) -> Result<State, Invariant> {
        let s = &mut state;
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
                s.run(run).has_result = result;
            }
            Action::TaskFails { run, again } => {
                s.late = true;
                s.run(run).at = if again { At::Task } else { At::Handle };
            }
            Action::WorkflowCompletes { run, lost } => {
                s.run(run).at = At::Success;
                let result = s.run(run).has_result;
                if !lost {
                    s.write(|row| {
                        closed(row, ProcessStatus::Completed);
                        row.has_result |= result;
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
                s.run(run).stopped = Stopped::ByHand;
                s.run(run).end(ExecutionStatus::Aborted);
            }
            Action::Late(status) => s.write(|row| {
                row.status = status;
                row.completed = (status == ProcessStatus::Completed).then_some(Stamp::NOW);
                row.has_result |= status == ProcessStatus::Completed;
            }),
            Action::CancelBegins => s.cancel = Cancel::UnderWay,
            Action::CancelWrites => {
                s.cancel = Cancel::Done;
                s.write(|row| closed(row, ProcessStatus::Cancelled));
            }
            Action::UserRetries => {
                s.user_retried = true;
                s.starting = Some(0);
                s.write(|row| {
                    row.status = ProcessStatus::Pending;
                    row.completed = None;
                });
            }
            Action::Tick => s.tick(),
            Action::Event { run, over } => {
                s.learn(usize::from(run), if over { Known::Over } else { Known::Running });
                s.steps[SYNC] = Step::Read { look: Look::Event, listed: false, now_age: 0, there: 0 };
            }
            Action::SweepBegins { lagging } => {
                s.list(lagging);
                s.steps[SWEEP] = Step::Read { look: Look::Sweep, listed: true, now_age: 0, there: 0 };
            }
            Action::HandBegins => {
                s.operator = false;
                s.steps[HAND] = Step::List;
            }
            Action::Ours(step) => self.go_on(s, step)?,
            Action::Dies(step) => s.steps[step] = Step::Idle,
            Action::RetryLooks { lagging } => {
                s.list(lagging);
                if s.may_retry() {
                    s.retry = Retry::Decided { moved: false };
                }
            }
            Action::RetryGoesOn => match s.retry {
                Retry::Decided { moved: true } if self.rules.retry_compares => s.retry = Retry::Possible,
                Retry::Decided { .. } => {
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
                    });
                    if self.rules.retry_registers {
                        s.know(|s| s.runs[1] = Some(Run { at: At::Registered, known: Known::Running, ..Run::STARTED }));
                    } else {
                        s.runs[1] = Some(Run { at: At::Registered, ..Run::STARTED });
                    }
                    s.retry = Retry::Begun { before, moved: false, left: false };
                }
                Retry::Begun { left, .. } => {
                    let known = s.run(1).known;
                    s.runs[1] = Some(Run { known, ..Run::STARTED });
                    if !left {
                        s.retry = Retry::Done;
                    }
                }
                Retry::Possible | Retry::Done => unreachable!("nothing to go on with"),
            },
            Action::RetryRefused => {
                if let Retry::Begun { before, moved, .. } = s.retry {
                    s.put_back(before, moved)?;
                }
            }
            Action::RetryDies => {
                if let Retry::Begun { left, .. } = &mut s.retry {
                    *left = true;
                }
            }
            Action::RetryResolved => match s.retry {
                Retry::Begun { before, moved, .. } if !s.exists(1) => {
                    s.put_back(before, moved)?;
                }
                Retry::Begun { .. } | Retry::Possible | Retry::Decided { .. } | Retry::Done => s.retry = Retry::Done,
            },
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

    /// The next part of one of our steps.
    fn go_on(&mut self, s: &mut State, step: usize) -> Result<(), Invariant> {
        let anew = match step {
            HAND => Step::List,
            _ => Step::Read { look: Look::Event, listed: false, now_age: 0, there: 0 },
        };
        s.steps[step] = match s.steps[step] {
            Step::Idle => Step::Idle,
            Step::List => {
                s.list(false);
                let there = if step == HAND { s.runs.iter().flatten().count() as u8 } else { 0 };
                Step::Read { look: Look::Event, listed: true, now_age: 0, there }
            }
            Step::Read { now_age, there, .. } if step == HAND => self.wish(s, now_age, there)?,
            Step::Read { look, listed, now_age, .. } => self.read(s, look, listed, now_age)?,
            Step::Write { closing, row_moved, known_moved, there } => {
                if (row_moved && self.rules.compares_row) || known_moved {
                    // Lost. A sweep leaves the row to the next one, the others read and decide again.
                    if step == SWEEP { Step::Idle } else { anew }
                } else {
                    s.steps[step] = Step::Idle;
                    match (step, closing) {
                        (HAND, Closing::Cancelled) => close_by_hand(s, there)?,
                        _ => close(s, closing)?,
                    }
                    Step::Idle
                }
            }
            // One open action at a time on an execution: this one is already being handled.
            Step::Describe { run, .. } if s.is_being_stopped(run, step) => Step::Idle,
            Step::Describe { run, .. } if s.runs[usize::from(run)].is_none() => anew,
            Step::Describe { run, .. } if !s.exists(run) => {
                // Step Functions does not know it. Past its deadline it is given up; before, there is nothing to stop.
                if s.run(run).started.age < DEADLINE_TICKS {
                    Step::Idle
                } else {
                    s.run(run).status = ExecutionStatus::TimedOut;
                    s.run(run).ended = Stamp::NOW;
                    s.learn(usize::from(run), Known::Ending);
                    anew
                }
            }
            Step::Describe { run, cause } => {
                if s.run(run).runs() {
                    // The ledger comes first.
                    s.run(run).in_ledger = cause == StopCause::Deadline;
                    Step::Stop { run }
                } else {
                    s.learn(usize::from(run), Known::Ending);
                    anew
                }
            }
            Step::Stop { run } => {
                if s.run(run).runs() {
                    s.late = true;
                    let for_deadline = s.run(run).in_ledger;
                    s.run(run).stopped = if for_deadline { Stopped::ForDeadline } else { Stopped::ByHand };
                    s.run(run).end(ExecutionStatus::Aborted);
                } else if s.run(run).stopped != Stopped::ForDeadline {
                    // It ended by itself: the action is superseded.
                    s.run(run).in_ledger = false;
                }
                Step::Reread { run }
            }
            Step::Reread { run } => {
                s.learn(usize::from(run), Known::Ending);
                anew
            }
        };
        Ok(())
    }

    /// Reads the row and what is known of its executions, and decides for a person who wants it cancelled.
    fn wish(&mut self, s: &mut State, now_age: u8, there: u8) -> Result<Step, Invariant> {
        let newest = s.newest_known();
        let overtaken = matches!((newest, s.runs[0]), (Some((1, _)), Some(old)) if old.known == Known::Running);
        let (process, execution, now) = self.seen(&s.row, newest.as_ref().map(|(index, run)| (*index, run)), now_age);
        let write = |closing| Step::Write { closing, row_moved: false, known_moved: false, there };
        Ok(match (self.rules.cancel)(&process, execution.as_ref(), overtaken, &self.rules.policy, now) {
            Cancelling::Stop if s.row.status == ProcessStatus::Completed => return Err(Invariant::StopsAreDue),
            Cancelling::Stop => {
                let run = if overtaken { 0 } else { newest.map_or(0, |(index, _)| index as u8) };
                Step::Describe { run, cause: StopCause::Cancelled }
            }
            Cancelling::Close => write(Closing::Cancelled),
            Cancelling::AlreadySo(_) => Step::Idle,
            Cancelling::Not(decision) => match (decision.verdict, newest) {
                (Verdict::Close(closing), _) => write(closing),
                (Verdict::Inspect, Some((index, _))) => {
                    s.learn(index, Known::Ending);
                    Step::Read { look: Look::Event, listed: true, now_age, there }
                }
                (Verdict::Leave, _) => Step::Idle,
                (Verdict::Stop(_), _) | (Verdict::Inspect, None) => unreachable!("what runs is stopped for the wish"),
            },
        })
    }

    /// Reads the row and what is known of its executions, and decides.
    fn read(&mut self, s: &mut State, look: Look, listed: bool, now_age: u8) -> Result<Step, Invariant> {
        let newest = s.newest_known();
        let decision = self.decide(&s.row, newest.as_ref().map(|(index, run)| (*index, run)), look, now_age);
        let stop = |index: usize, run: &Run, cause| {
            let due = match cause {
                StopCause::Deadline => run.started.age >= DEADLINE_TICKS + now_age,
                StopCause::Cancelled => s.row.status == ProcessStatus::Cancelled,
            };
            if due { Ok(Step::Describe { run: index as u8, cause }) } else { Err(Invariant::StopsAreDue) }
        };
        match (decision.verdict, newest) {
            (Verdict::Close(_), _) if !listed && self.rules.sync_lists => Ok(Step::List),
            (Verdict::Close(closing), _) => Ok(Step::Write { closing, row_moved: false, known_moved: false, there: 0 }),
            (Verdict::Inspect, Some((index, _))) => {
                s.learn(index, Known::Ending);
                Ok(Step::Read { look, listed, now_age, there: 0 })
            }
            (Verdict::Stop(cause), Some((index, run))) => stop(index, &run, cause),
            (Verdict::Inspect | Verdict::Stop(_), None) => unreachable!("nothing to inspect or to stop"),
            (Verdict::Leave, _) => {
                if let (Some((1, _)), Some(old), true) = (newest, s.runs[0], self.rules.sees_overtaken)
                    && old.known == Known::Running
                    && let Verdict::Stop(cause) = self.decide(&s.row, Some((0, &old)), look, now_age).verdict
                {
                    return stop(0, &old, cause);
                }
                Ok(Step::Idle)
            }
        }
    }

    /// Whether everything ends well once the others stop acting: each step of ours goes on to its end, then there is a
    /// sweep each tick.
    fn ends_well(&mut self, state: &State) -> Result<(), (Invariant, State)> {
        // A retry of ours dies where it stands, and nobody looks after it but the decision table.
        let (cancel, retry) = (Cancel::Done, Retry::Done);
        let mut s = State { starting: None, late: false, cancel, user_retried: true, operator: false, retry, ..*state };
        for run in s.runs.iter_mut().flatten().filter(|run| run.exists()) {
            run.at = At::Still;
        }
        if !self.ends_well.insert(s) {
            return Ok(());
        }
        for step in [SYNC, SWEEP, HAND] {
            s = self.finish(s, step)?;
        }
        let mut moved = true;
        for _ in 0..SWEEPS {
            let before = s;
            s = self.apply(s, Action::Tick).map_err(|broken| (broken, before))?;
            let waited = s;
            s = self.apply(s, Action::SweepBegins { lagging: false }).map_err(|broken| (broken, waited))?;
            s = self.finish(s, SWEEP)?;
            moved = s.row != waited.row
                || s.runs.iter().zip(&waited.runs).any(|(a, b)| a.map(|a| a.status) != b.map(|b| b.status));
        }
        let runs_on = s.runs.iter().flatten().any(Run::runs);
        if s.row.status.is_open() || (runs_on && s.row.status != ProcessStatus::Completed) {
            return Err((Invariant::EverythingEnds, s));
        }
        if moved {
            return Err((Invariant::WeComeToRest, s));
        }
        Ok(())
    }

    /// Lets one step go on to its end, with nobody else acting.
    fn finish(&mut self, mut s: State, step: usize) -> Result<State, (Invariant, State)> {
        // A stop, a list, a write and the looks between them are some twelve parts; two stops are less than thirty.
        for _ in 0..30 {
            if s.steps[step] == Step::Idle {
                return Ok(s);
            }
            s = self.apply(s, Action::Ours(step)).map_err(|broken| (broken, s))?;
        }
        Err((Invariant::WeComeToRest, s))
    }
}

/// Our write, and what must hold for it.
fn close(s: &mut State, closing: Closing) -> Result<(), Invariant> {
    if matches!(s.row.status, ProcessStatus::Completed | ProcessStatus::Cancelled) {
        return Err(Invariant::CompletedAndCancelledStand);
    }
    // For a row that was re-opened, and never got its execution, no other one speaks.
    let registered = s.runs[1].is_some_and(|run| !run.exists());
    let newest = s.newest().copied().filter(|_| !registered);
    let ended = newest.map(|run| run.status);
    let completed = matches!(closing, Closing::Completed { .. });
    if completed {
        if ended != Some(ExecutionStatus::Succeeded) {
            return Err(Invariant::CompletedMeansSucceeded);
        }
    } else if ended == Some(ExecutionStatus::Running) {
        return Err(Invariant::NothingRunsWhenWeClose);
    }
    let (fits, status) = match closing {
        Closing::Completed { .. } => (ended == Some(ExecutionStatus::Succeeded), ProcessStatus::Completed),
        Closing::ResultMissing => (ended == Some(ExecutionStatus::Succeeded), ProcessStatus::Failed),
        Closing::Failed => (ended == Some(ExecutionStatus::Failed), ProcessStatus::Failed),
        Closing::NeverStarted => (ended.is_none(), ProcessStatus::Failed),
        Closing::TimedOut => {
            (matches!(ended, None | Some(ExecutionStatus::TimedOut | ExecutionStatus::Aborted)), ProcessStatus::Timeout)
        }
        Closing::Cancelled => (ended == Some(ExecutionStatus::Aborted), ProcessStatus::Cancelled),
    };
    if !fits {
        return Err(Invariant::ClosedAsItEnded);
    }
    s.write(|row| {
        row.status = status;
        row.completed = Some(match (closing, newest) {
            (Closing::Completed { .. }, Some(run)) => run.ended,
            _ => Stamp::NOW,
        });
        row.has_result |= completed && newest.is_some_and(|run| run.has_result);
    });
    Ok(())
}

/// A cancel by hand, and what must hold for it: of the executions that its list showed none runs, and the newest did not succeed.
fn close_by_hand(s: &mut State, there: u8) -> Result<(), Invariant> {
    if !s.row.status.is_open() {
        return Err(Invariant::CompletedAndCancelledStand);
    }
    let there = &s.runs[..usize::from(there)];
    if there.iter().flatten().any(Run::runs) {
        return Err(Invariant::NothingRunsWhenWeClose);
    }
    if there.iter().flatten().next_back().is_some_and(|run| run.status == ExecutionStatus::Succeeded) {
        return Err(Invariant::ClosedAsItEnded);
    }
    s.write(|row| {
        row.status = ProcessStatus::Cancelled;
        row.completed = Some(Stamp::NOW);
    });
    Ok(())
}

/// What was found wrong, and how it comes about.
#[derive(Debug)]
struct Counterexample {
    broken: Invariant,
    states: usize,
    trace: String,
}

/// How far a search goes.
#[derive(Clone, Copy)]
struct Bounds {
    /// Which of our steps there are: sync, sweep, the cancel by hand.
    steps: [bool; 3],
    /// Whether a user cancels.
    cancel: bool,
    /// Whether a user retries, and so whether there is a second execution.
    retry: bool,
    /// Whether it begins with a failed process, which we start anew.
    ours: bool,
    /// How many things happen at most, before the others stop acting.
    depth: usize,
}

/// Explores everything that can be reached within the bounds. `Ok` has the number of states.
fn explore(rules: Rules, bounds: Bounds) -> Result<usize, Counterexample> {
    let mut checker = Checker::new(rules);
    let first = State {
        cancel: if bounds.cancel { Cancel::Possible } else { Cancel::Done },
        user_retried: !bounds.retry,
        operator: bounds.steps[HAND],
        ..if bounds.ours { State::FAILED } else { State::ACCEPTED }
    };
    let mut states = vec![first];
    let mut came_by: Vec<(usize, Option<Action>)> = vec![(0, None)];
    let mut seen: HashSet<State, Fast> = HashSet::default();
    seen.insert(first);
    let mut next = 0;
    let mut actions = Vec::new();
    // Breadth first: the states of one depth lie side by side.
    let (mut depth, mut deeper) = (0, 1);
    while next < states.len() {
        if next == deeper {
            (depth, deeper) = (depth + 1, states.len());
        }
        let state = states[next];
        if let Err((broken, end)) = checker.ends_well(&state) {
            let last = format!("the others stop acting, {SWEEPS} sweeps later: {end}");
            return Err(Counterexample { broken, states: states.len(), trace: trace(&states, &came_by, next, &last) });
        }
        next += 1;
        if depth == bounds.depth {
            continue;
        }
        actions.clear();
        state.others(|action| actions.push(action));
        state.ours(bounds.steps, |action| actions.push(action));
        for action in &actions {
            match checker.apply(state, *action) {
                Ok(reached) => {
                    if seen.insert(reached) {
                        states.push(reached);
                        came_by.push((next - 1, Some(*action)));
                    }
                }
                Err(broken) => {
                    return Err(Counterexample {
                        broken,
                        states: states.len(),
                        trace: trace(&states, &came_by, next - 1, &action.to_string()),
                    });
                }
            }
        }
    }
    Ok(states.len())
}

/// The way to a state, one line for each thing that happened.
fn trace(states: &[State], came_by: &[(usize, Option<Action>)], mut at: usize, last: &str) -> String {
    let mut lines = vec![format!("→ {last}")];
    while let (from, Some(action)) = came_by[at] {
        lines.push(format!("{action}: {}", states[at]));
        at = from;
    }
    lines.push(format!("accepted: {}", states[at]));
    lines.reverse();
    lines.join("\n")
}

/// A multiplicative hash: the standard one's resistance to hostile keys is not needed here and costs half the time.
#[derive(Default)]
struct Multiply(u64);

type Fast = BuildHasherDefault<Multiply>;

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

/// Both steps, two executions, a cancel and a retry.
const EVERYTHING: Bounds = Bounds { steps: [true, true, false], cancel: true, retry: true, ours: false, depth: 9 };
/// The same after a failure that we retry.
const OURS: Bounds = Bounds { retry: false, ours: true, depth: 9, ..EVERYTHING };

fn holds(bounds: Bounds) {
    let start = std::time::Instant::now();
    match explore(REAL, bounds) {
        Ok(states) => println!("{states} states to depth {}, {:?}", bounds.depth, start.elapsed()),
        Err(Counterexample { broken, states, trace }) => panic!("{broken:?} after {states} states\n{trace}"),
    }
}

#[test]
fn no_interleaving_breaks_an_invariant() {
    holds(EVERYTHING);
}

#[test]
fn no_interleaving_with_one_execution_breaks_an_invariant() {
    holds(Bounds { retry: false, depth: 11, ..EVERYTHING });
}

#[test]
fn no_interleaving_without_a_cancel_or_a_retry_breaks_an_invariant() {
    holds(Bounds { cancel: false, retry: false, depth: 13, ..EVERYTHING });
}

#[test]
fn no_retry_breaks_an_invariant_of_a_sweep() {
    holds(Bounds { steps: [false, true, false], cancel: false, depth: 11, ..EVERYTHING });
}

#[test]
fn no_retry_breaks_an_invariant_of_a_sync() {
    holds(Bounds { steps: [true, false, false], cancel: false, depth: 10, ..EVERYTHING });
}

#[test]
fn no_interleaving_with_a_cancel_by_hand_breaks_an_invariant() {
    holds(Bounds { steps: [false, false, true], depth: 10, ..EVERYTHING });
}

#[test]
fn no_interleaving_of_a_sync_and_a_cancel_by_hand_breaks_an_invariant() {
    holds(Bounds { steps: [true, false, true], cancel: false, retry: false, depth: 11, ..EVERYTHING });
}

#[test]
fn no_retry_of_ours_breaks_an_invariant() {
    holds(OURS);
}

#[test]
fn no_retry_of_ours_breaks_an_invariant_of_a_sweep() {
    holds(Bounds { steps: [false, true, false], cancel: false, depth: 13, ..OURS });
}

#[test]
fn a_retry_that_does_not_compare_what_it_has_seen_is_found() {
    breaks(Invariant::CompletedAndCancelledStand, Rules { retry_compares: false, ..REAL }, OURS);
}

/// The old execution speaks then for the attempt that is about to begin.
#[test]
fn a_retry_that_does_not_register_its_execution_is_found() {
    breaks(
        Invariant::ClosedAsItEnded,
        Rules { retry_registers: false, ..REAL },
        Bounds { steps: [false, true, false], cancel: false, ..OURS },
    );
}

/// Explores a system that is broken on purpose, and wants it found.
#[track_caller]
fn breaks(expected: Invariant, rules: Rules, bounds: Bounds) {
    match explore(rules, bounds) {
        Ok(states) => panic!("nothing found in {states} states"),
        Err(Counterexample { broken, states, trace }) => {
            println!("{broken:?} after {states} states\n{trace}");
            assert_eq!(broken, expected, "{trace}");
        }
    }
}

fn with(decide: Decide) -> Rules {
    Rules { decide, ..REAL }
}

fn closing(decision: Decision, closing: Closing) -> Decision {
    Decision { verdict: Verdict::Close(closing), ..decision }
}

#[test]
fn closing_what_runs_in_time_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match newest {
            Some(Execution { status: ExecutionStatus::Running, .. }) if process.status.is_open() => {
                closing(decision, Closing::TimedOut)
            }
            _ => decision,
        }
    };
    breaks(Invariant::NothingRunsWhenWeClose, with(broken), EVERYTHING);
}

#[test]
fn closing_what_is_past_its_deadline_without_stopping_it_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match decision.verdict {
            Verdict::Stop(StopCause::Deadline) => closing(decision, Closing::TimedOut),
            _ => decision,
        }
    };
    breaks(Invariant::NothingRunsWhenWeClose, with(broken), EVERYTHING);
}

#[test]
fn stopping_what_runs_in_time_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let early = Policy { process_deadline: policy.start_deadline, ..*policy };
        decide::decide(process, newest, look, &early, now)
    };
    breaks(Invariant::StopsAreDue, with(broken), EVERYTHING);
}

#[test]
fn completing_a_failed_execution_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match decision.verdict {
            Verdict::Close(Closing::Failed) => closing(decision, Closing::Completed { result: false }),
            _ => decision,
        }
    };
    breaks(Invariant::CompletedMeansSucceeded, with(broken), EVERYTHING);
}

#[test]
fn calling_a_stop_by_hand_a_failure_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match decision.verdict {
            Verdict::Close(Closing::Cancelled) => closing(decision, Closing::Failed),
            _ => decision,
        }
    };
    breaks(Invariant::ClosedAsItEnded, with(broken), EVERYTHING);
}

#[test]
fn closing_a_cancelled_row_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let mut process = process.clone();
        if process.status == ProcessStatus::Cancelled {
            process.status = ProcessStatus::Processing;
        }
        decide::decide(&process, newest, look, policy, now)
    };
    breaks(Invariant::CompletedAndCancelledStand, with(broken), EVERYTHING);
}

#[test]
fn letting_an_old_execution_speak_for_a_reopened_row_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let mut process = process.clone();
        if let Some(newest) = newest.filter(|newest| newest.status.is_over() && process.status.is_open()) {
            process.updated_at = newest.started_at;
        }
        decide::decide(&process, newest, look, policy, now)
    };
    breaks(Invariant::NothingRunsWhenWeClose, with(broken), Bounds { cancel: false, depth: 11, ..EVERYTHING });
}

#[test]
fn a_start_deadline_that_counts_from_the_first_acceptance_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let mut process = process.clone();
        if newest.is_none() {
            process.updated_at = process.created_at;
        }
        decide::decide(&process, newest, look, policy, now)
    };
    breaks(
        Invariant::NothingRunsWhenWeClose,
        with(broken),
        Bounds { steps: [false, true, false], cancel: false, depth: 10, ..EVERYTHING },
    );
}

#[test]
fn a_sweep_that_lets_nothing_settle_is_found() {
    let policy = Policy { settle: TimeDelta::zero(), ..POLICY };
    breaks(
        Invariant::NothingRunsWhenWeClose,
        Rules { policy, ..REAL },
        Bounds { cancel: false, depth: 14, ..EVERYTHING },
    );
}

#[test]
fn leaving_what_runs_past_its_deadline_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match decision.verdict {
            Verdict::Stop(StopCause::Deadline) => Decision { verdict: Verdict::Leave, ..decision },
            _ => decision,
        }
    };
    breaks(Invariant::EverythingEnds, with(broken), EVERYTHING);
}

#[test]
fn closing_a_closed_row_again_and_again_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match (process.status, newest) {
            (
                ProcessStatus::Failed | ProcessStatus::Timeout,
                Some(Execution { status: ExecutionStatus::TimedOut, .. }),
            ) => closing(decision, Closing::TimedOut),
            _ => decision,
        }
    };
    breaks(Invariant::WeComeToRest, with(broken), EVERYTHING);
}

#[test]
fn a_write_that_does_not_compare_the_row_is_found() {
    breaks(
        Invariant::CompletedAndCancelledStand,
        Rules { compares_row: false, ..REAL },
        Bounds { retry: false, depth: 10, ..EVERYTHING },
    );
}

#[test]
fn an_overtaken_execution_that_nobody_stops_is_found() {
    breaks(Invariant::EverythingEnds, Rules { sees_overtaken: false, ..REAL }, EVERYTHING);
}

const BY_HAND: Bounds = Bounds { steps: [false, false, true], cancel: false, retry: false, depth: 9, ..EVERYTHING };

#[test]
fn cancelling_a_row_by_hand_before_its_execution_is_over_is_found() {
    let broken: Wish = |process, newest, overtaken, policy, now| match cancel(process, newest, overtaken, policy, now) {
        Cancelling::Stop => Cancelling::Close,
        other => other,
    };
    breaks(Invariant::NothingRunsWhenWeClose, Rules { cancel: broken, ..REAL }, BY_HAND);
}

#[test]
fn cancelling_by_hand_beside_an_overtaken_execution_is_found() {
    let broken: Wish = |process, newest, _, policy, now| cancel(process, newest, false, policy, now);
    breaks(
        Invariant::NothingRunsWhenWeClose,
        Rules { cancel: broken, ..REAL },
        Bounds { retry: true, depth: 16, ..BY_HAND },
    );
}

#[test]
fn cancelling_by_hand_what_succeeded_is_found() {
    let broken: Wish = |process, newest, overtaken, policy, now| match cancel(process, newest, overtaken, policy, now) {
        Cancelling::Not(_) if process.status.is_open() => Cancelling::Close,
        other => other,
    };
    breaks(Invariant::ClosedAsItEnded, Rules { cancel: broken, ..REAL }, BY_HAND);
}

#[test]
fn a_cancel_by_hand_that_does_not_compare_the_row_is_found() {
    breaks(
        Invariant::CompletedAndCancelledStand,
        Rules { compares_row: false, ..REAL },
        Bounds { cancel: true, depth: 10, ..BY_HAND },
    );
}

/// A user retries while the old execution runs, whose end then reaches sync before the new one's RUNNING does.
#[test]
fn sync_must_list_before_it_closes_a_row() {
    breaks(
        Invariant::NothingRunsWhenWeClose,
        Rules { sync_lists: false, ..REAL },
        Bounds { steps: [true, false, false], cancel: false, depth: 14, ..EVERYTHING },
    );
}
