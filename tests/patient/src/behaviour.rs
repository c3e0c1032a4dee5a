use serde::{Deserialize, Serialize};

/// How a process is to go: `params.behaviour` of its execution's input.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Behaviour {
    /// As it should.
    #[default]
    Succeed,
    /// The worker ends with the application's error `code`.
    Fail {
        /// `VALIDATION_ERROR`, `AI_ERROR`, `AI_THROTTLING` (the workflow tries that again), `DATABASE_ERROR` …
        code: String,
        /// Whether the application's own writes of FAILED arrive. Without them the row stays PROCESSING.
        recorded: bool,
    },
    /// The worker ends with the application's error `code` as long as the row was never tried again (`retry_count`), and does
    /// its work after that.
    FailFirst {
        /// As for [`Behaviour::Fail`].
        code: String,
    },
    /// The worker ends with the application's error `code`, and the workflow's handler with `States.Runtime`: the row stays PROCESSING.
    FailInHandler {
        /// As for [`Behaviour::Fail`].
        code: String,
    },
    /// The worker catches its own error `code` and returns it, as the application's does: its workflow goes on, and completes the row.
    ReturnFailure {
        /// As for [`Behaviour::Fail`].
        code: String,
    },
    /// The worker does its work, and the update to COMPLETED is lost: the execution succeeds, the row stays PROCESSING.
    LoseLastUpdate,
    /// The worker's process ends in the midst of its work, and the error's update is lost too: the execution fails, the
    /// row stays PROCESSING.
    Die,
    /// The worker never answers.
    Hang,
    /// The worker answers to nobody any more, but goes on: once somebody else has closed its row, it writes its progress
    /// into it, as a Lambda function does that outlives its Step Functions task.
    WriteLate,
}

impl Behaviour {
    /// Whether what the workflow itself writes at the end of a process is lost.
    pub(crate) const fn loses_last_update(&self) -> bool {
        match self {
            Self::LoseLastUpdate | Self::Die | Self::Fail { recorded: false, .. } => true,
            Self::Succeed
            | Self::Hang
            | Self::WriteLate
            | Self::FailFirst { .. }
            | Self::FailInHandler { .. }
            | Self::ReturnFailure { .. }
            | Self::Fail { recorded: true, .. } => false,
        }
    }
}
