//! The only ways in which anything outside is changed: one file for each kind.
//!
//! Each has its compare-and-set, its image before and after, and its inverse or the reason why there is none. Each records
//! itself in the ledger before, or in the very statement in which, it changes anything.

pub mod change_worker;
pub mod close_lease;
pub mod create_index;
pub mod end_session;
pub mod fence;
pub mod forget_records;
pub mod migrate;
pub mod retry_process;
pub mod set_control;
pub mod set_goal_status;
pub mod set_row_status;
pub mod start_step;
pub mod stop_execution;
pub mod undo;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::domain::ProcessId;
use crate::gather::error::Error;
use crate::gather::session::Session;

pub use change_worker::ChangeWorker;
pub use close_lease::CloseLease;
pub use create_index::{Care, CreateIndex, DropInvalidIndex};
pub use end_session::EndSession;
pub use fence::Fence;
pub use forget_records::ForgetRecords;
pub use migrate::Migrate;
pub use retry_process::{ResolveRetry, RetryProcess};
pub use set_control::SetControl;
pub use set_goal_status::SetGoalStatus;
pub use set_row_status::SetRowStatus;
pub use start_step::StartStep;
pub use stop_execution::StopExecution;
pub use undo::{Undo, Undoable};

/// A change to one target.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Writes a row.
    SetRowStatus(Box<SetRowStatus>),
    /// Stops an execution.
    StopExecution(StopExecution),
    /// Starts a failed process anew.
    RetryProcess(Box<RetryProcess>),
    /// Closes a retry that was left open.
    ResolveRetry(Box<ResolveRetry>),
    /// Takes an earlier action back.
    Undo(Undo),
    /// Brings schema `remediation` up to date.
    Migrate(Migrate),
    /// Puts the fence on the application's table, or takes it away.
    Fence(Fence),
    /// Sets a goal ACTIVE.
    SetGoalStatus(SetGoalStatus),
    /// Starts another step.
    StartStep(StartStep),
    /// Ends a session of the database, or its statement.
    EndSession(Box<EndSession>),
    /// Makes an index on the application's table.
    CreateIndex(CreateIndex),
    /// Drops what a failed build left behind.
    DropInvalidIndex(DropInvalidIndex),
    /// Changes a setting of the worker, or puts it back.
    ChangeWorker(Box<ChangeWorker>),
    /// Confirms a lease, or ends one that has nothing left to put back.
    CloseLease(CloseLease),
    /// Sets what an installation allows a step.
    SetControl(Box<SetControl>),
    /// Deletes what is older than its retention.
    ForgetRecords(ForgetRecords),
}

impl Action {
    /// Its kind, as the ledger spells it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SetRowStatus(_) => SetRowStatus::KIND,
            Self::StopExecution(_) => StopExecution::KIND,
            Self::RetryProcess(_) => RetryProcess::KIND,
            Self::ResolveRetry(_) => ResolveRetry::KIND,
            Self::Undo(_) => Undo::KIND,
            Self::Migrate(_) => Migrate::KIND,
            Self::Fence(action) => action.kind(),
            Self::SetGoalStatus(_) => SetGoalStatus::KIND,
            Self::StartStep(_) => StartStep::KIND,
            Self::EndSession(action) => action.kind(),
            Self::CreateIndex(_) => CreateIndex::KIND,
            Self::DropInvalidIndex(_) => DropInvalidIndex::KIND,
            Self::ChangeWorker(action) => action.kind(),
            Self::CloseLease(action) => action.kind(),
            Self::SetControl(_) => SetControl::KIND,
            Self::ForgetRecords(_) => ForgetRecords::KIND,
        }
    }

    /// Whether it takes back what was done: a person's will, which no history of the target hinders.
    #[must_use]
    pub const fn is_undo(&self) -> bool {
        matches!(self, Self::Undo(_))
    }

    /// Whether it changes nothing but our own record: the installation's mode, the red button and the limits, which are there to keep
    /// the application from harm, do not bind it.
    #[must_use]
    pub const fn is_own_record(&self) -> bool {
        match self {
            Self::Migrate(_) | Self::SetControl(_) | Self::ForgetRecords(_) => true,
            Self::Undo(action) => matches!(action.kind, Undoable::Control),
            Self::SetRowStatus(_)
            | Self::StopExecution(_)
            | Self::RetryProcess(_)
            | Self::ResolveRetry(_)
            | Self::Fence(_)
            | Self::SetGoalStatus(_)
            | Self::StartStep(_)
            | Self::EndSession(_)
            | Self::CreateIndex(_)
            | Self::DropInvalidIndex(_)
            | Self::ChangeWorker(_)
            | Self::CloseLease(_) => false,
        }
    }

    /// Whether it only puts something right in a row that stays what it is: that is safe however many rows need it.
    #[must_use]
    pub fn keeps_status(&self) -> bool {
        matches!(self, Self::SetRowStatus(action) if action.status == action.process.status)
    }

    /// What a person who approves it has to have agreed to, beside its kind and target: where that has become another, the
    /// approval does not cover it. `None` where the target says all.
    #[must_use]
    pub fn terms(&self) -> Option<String> {
        match self {
            Self::EndSession(action) => action.terms(),
            Self::CreateIndex(action) => Some(action.statement.clone()),
            Self::DropInvalidIndex(action) => Some(action.definition.clone()),
            Self::ChangeWorker(action) => Some(action.terms()),
            Self::SetRowStatus(_)
            | Self::StopExecution(_)
            | Self::RetryProcess(_)
            | Self::ResolveRetry(_)
            | Self::Undo(_)
            | Self::Migrate(_)
            | Self::Fence(_)
            | Self::SetGoalStatus(_)
            | Self::StartStep(_)
            | Self::CloseLease(_)
            | Self::ForgetRecords(_) => None,
            Self::SetControl(action) => Some(action.terms()),
        }
    }

    /// Whether people are told of it whenever it is done. One process that is put right by its own event wakes nobody.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        match self {
            Self::StartStep(_)
            | Self::EndSession(_)
            | Self::CreateIndex(_)
            | Self::DropInvalidIndex(_)
            | Self::ChangeWorker(_)
            | Self::SetControl(_) => true,
            Self::SetRowStatus(_)
            | Self::StopExecution(_)
            | Self::RetryProcess(_)
            | Self::ResolveRetry(_)
            | Self::Undo(_)
            | Self::Migrate(_)
            | Self::Fence(_)
            | Self::SetGoalStatus(_)
            | Self::CloseLease(_)
            | Self::ForgetRecords(_) => false,
        }
    }

    /// Whether it only ends what was begun, and counted, before: no history and no limit hinders that.
    #[must_use]
    pub fn is_end(&self) -> bool {
        match self {
            Self::ResolveRetry(_) | Self::CloseLease(_) => true,
            Self::ChangeWorker(action) => matches!(action.purpose, change_worker::Purpose::Revert(_)),
            Self::SetRowStatus(_)
            | Self::StopExecution(_)
            | Self::RetryProcess(_)
            | Self::Undo(_)
            | Self::Migrate(_)
            | Self::Fence(_)
            | Self::SetGoalStatus(_)
            | Self::StartStep(_)
            | Self::EndSession(_)
            | Self::CreateIndex(_)
            | Self::DropInvalidIndex(_)
            | Self::SetControl(_)
            | Self::ForgetRecords(_) => false,
        }
    }

    /// What it changes, as the ledger spells it.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::SetRowStatus(action) => action.process.id.to_string(),
            Self::StopExecution(action) => action.execution.arn.to_string(),
            Self::RetryProcess(action) => action.process.id.to_string(),
            Self::ResolveRetry(action) => action.process.to_string(),
            Self::Undo(action) => action.target.clone(),
            Self::Migrate(_) => "schema remediation".to_owned(),
            Self::Fence(action) => action.target(),
            Self::SetGoalStatus(action) => action.goal.to_string(),
            Self::StartStep(action) => action.target(),
            Self::EndSession(action) => action.id.to_string(),
            Self::CreateIndex(action) => action.target.clone(),
            Self::DropInvalidIndex(action) => action.target.clone(),
            Self::ChangeWorker(action) => action.target.clone(),
            Self::CloseLease(action) => action.target(),
            Self::SetControl(action) => action.target(),
            Self::ForgetRecords(_) => ForgetRecords::TARGET.to_owned(),
        }
    }

    /// What is there now and what shall be, for a plan that is only told.
    #[must_use]
    pub fn preview(&self) -> (Value, Value) {
        match self {
            Self::SetRowStatus(action) => action.preview(),
            Self::StopExecution(action) => (
                json!({ "status": action.execution.status }),
                json!({ "status": "ABORTED", "error": action.cause.error() }),
            ),
            Self::RetryProcess(action) => action.preview(),
            Self::ResolveRetry(action) => (action.after.clone(), action.before.clone()),
            Self::Undo(action) => (action.after.clone(), action.before.clone()),
            Self::Migrate(action) => (json!({ "version": action.from }), json!({ "version": action.to })),
            Self::Fence(action) => action.preview(),
            Self::SetGoalStatus(action) => action.preview(),
            Self::StartStep(action) => action.preview(),
            Self::EndSession(action) => action.preview(),
            Self::CreateIndex(action) => action.preview(),
            Self::DropInvalidIndex(action) => action.preview(),
            Self::ChangeWorker(action) => action.preview(),
            Self::CloseLease(action) => action.preview(),
            Self::SetControl(action) => action.preview(),
            Self::ForgetRecords(action) => action.preview(),
        }
    }
}

/// Carries one action out. Rows are written by the batch ([`set_row_status::apply`]): for them, `None`.
///
/// # Errors
/// Those of the action; what the outside refuses is an outcome.
pub async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned) -> Result<Option<Outcome>, Error> {
    let outcome = match &planned.action {
        Action::SetRowStatus(_) => return Ok(None),
        Action::StopExecution(action) => stop_execution::apply(session, run, planned, action).await?,
        Action::RetryProcess(action) => retry_process::apply(session, run, planned, action).await?,
        Action::ResolveRetry(action) => retry_process::resolve(session, planned, action).await?,
        Action::Undo(action) => match action.kind {
            Undoable::RowStatus | Undoable::GoalStatus => {
                let table = session.table().await?;
                undo::apply(session.db, &table, run, planned, action).await?
            }
            Undoable::Index => create_index::undo(session, run, planned, action).await?,
            Undoable::Worker(setting) => change_worker::undo(session, run, planned, action, setting).await?,
            Undoable::Control => set_control::undo(session, run, planned, action).await?,
        },
        Action::Migrate(action) => migrate::apply(session.db, planned, action).await?,
        Action::Fence(action) => {
            let table = session.table().await;
            fence::apply(session.db, table, run, planned, action).await?
        }
        Action::SetGoalStatus(action) => {
            let table = session.table().await?;
            set_goal_status::apply(session.db, &table, run, planned, action).await?
        }
        Action::StartStep(action) => start_step::apply(session, run, planned, action).await?,
        Action::EndSession(action) => end_session::apply(session, run, planned, action).await?,
        Action::CreateIndex(action) => create_index::apply(session, run, planned, action).await?,
        Action::DropInvalidIndex(action) => create_index::drop_invalid(session, run, planned, action).await?,
        Action::ChangeWorker(action) => change_worker::apply(session, run, planned, action).await?,
        Action::CloseLease(action) => close_lease::apply(session.db, run, planned, action).await?,
        Action::SetControl(action) => set_control::apply(session, run, planned, action).await?,
        Action::ForgetRecords(action) => forget_records::apply(session, planned, action).await?,
    };
    Ok(Some(outcome))
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The action's identity in the ledger.
    pub id: Uuid,
    /// What became of it.
    pub result: ActionResult,
    /// The target before.
    pub before: Option<Value>,
    /// The target after, as it was read back.
    pub after: Option<Value>,
    /// Whose row has to be decided on anew: it, or its execution, is no longer what the decision rested on.
    pub again: Option<ProcessId>,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionResult {
    /// Done, and read back as wanted.
    Applied,
    /// Done, and read back otherwise, or not to be read back.
    Unverified(String),
    /// Not done.
    Failed(String),
    /// Not done: somebody else was quicker, so that the decision no longer holds.
    Superseded,
    /// Not done, for a reason that is over by the next look, which tries again: a deployment is under way. It is no attempt.
    NotNow(String),
    /// Not done: another run works on the same target.
    Busy,
}
