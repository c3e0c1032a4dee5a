//! What can happen.

use std::fmt;

use remediation_decide::domain::ProcessStatus;

use super::state::NAMES;

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Start,
    FirstStep { run: u8, lost: bool },
    Progress,
    WorkerWritesFailed,
    TaskSucceeds { run: u8, result: bool },
    TaskReturnsFailure(u8),
    TaskFails { run: u8, again: bool },
    WorkflowCompletes { run: u8, lost: bool },
    WorkflowFails { run: u8, lost: bool },
    Ends(u8),
    TimesOut(u8),
    StoppedByHand(u8),
    Redriven(u8),
    Late(ProcessStatus),
    LateProgress,
    CancelBegins,
    CancelWrites,
    CancelExplains,
    UserRetries,
    Tick,
    Event { run: u8, redriven: bool, over: bool },
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
        let lags = |lagging: &bool| if *lagging { ", lagging" } else { "" };
        match self {
            Self::Start => write!(f, "application: StartExecution"),
            Self::FirstStep { run, lost: l } => write!(f, "execution {run}: UpdateStatusToProcessing{}", lost(l)),
            Self::Progress => write!(f, "worker: writes progress"),
            Self::WorkerWritesFailed => write!(f, "worker: writes FAILED"),
            Self::TaskSucceeds { run, result } => write!(f, "execution {run}: the task succeeds, result: {result}"),
            Self::TaskReturnsFailure(run) => {
                write!(f, "execution {run}: the task succeeds, and returns that it failed")
            }
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
            Self::Redriven(run) => write!(f, "person: redrives execution {run}"),
            Self::Late(status) => write!(f, "late Lambda: writes {status}"),
            Self::LateProgress => write!(f, "late Lambda: writes progress"),
            Self::CancelBegins => write!(f, "user: cancels, the handler sees an open row"),
            Self::CancelWrites => write!(f, "user: the handler writes CANCELLED"),
            Self::CancelExplains => write!(f, "user: the handler writes FAILED with the code CANCELLED"),
            Self::UserRetries => write!(f, "user: retries, the row is open again"),
            Self::Tick => write!(f, "time passes"),
            Self::Event { run, redriven, over } => {
                let again = if *redriven { ", redriven," } else { "" };
                write!(f, "sync: is told that execution {run}{again} {}", if *over { "ended" } else { "runs" })
            }
            Self::SweepBegins { lagging } => write!(f, "sweep: lists executions{}", lags(lagging)),
            Self::HandBegins => write!(f, "operator: asks by hand"),
            Self::Ours(step) => write!(f, "{}: goes on", who(step)),
            Self::Dies(step) => write!(f, "{}: dies, or the guard holds it", who(step)),
            Self::RetryLooks { lagging } => write!(f, "retry: lists executions{}, and looks", lags(lagging)),
            Self::RetryGoesOn => write!(f, "retry: re-opens the row, or calls StartExecution"),
            Self::RetryRefused => write!(f, "retry: StartExecution is refused, the row is put back"),
            Self::RetryDies => write!(f, "retry: dies, or gets no answer"),
            Self::RetryResolved => write!(f, "retry: a later run looks what became of the one before"),
        }
    }
}
