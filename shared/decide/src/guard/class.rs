//! What an action is a part of, where the part of something that may be changed at once is limited (design, 6.2).

/// What an action is a part of (design, 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Open rows that are closed: of the open rows there are.
    Closing,
    /// Closed rows that get another end: of those that were closed lately.
    Correction,
    /// Rows that stay what they are: however many need it, it is safe.
    Repair,
    /// Executions that are stopped: of those that run.
    Stop,
    /// Executions that are started.
    Start,
    /// Goals whose status is set.
    Goal,
    /// Settings of one worker.
    Setting,
    /// Sessions of the database.
    Session,
    /// Indexes.
    Index,
    /// Runs of other steps.
    Step,
    /// Our trigger on the application's table.
    Fence,
    /// Leases of settings.
    Lease,
    /// Messages to people: however many are to be told, it is safe.
    Message,
    /// Nothing but our own record: the installation's mode, the red button and the limits, which are there to keep the application from
    /// harm, do not bind it.
    Own,
}

impl Class {
    /// Whether its share of what there is counts.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        match self {
            Self::Repair | Self::Message => false,
            Self::Closing
            | Self::Correction
            | Self::Stop
            | Self::Start
            | Self::Goal
            | Self::Setting
            | Self::Session
            | Self::Index
            | Self::Step
            | Self::Fence
            | Self::Lease
            | Self::Own => true,
        }
    }
}
