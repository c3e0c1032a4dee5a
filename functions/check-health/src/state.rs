//! How a check ends.

use serde::Serialize;

/// How a check has ended; the later the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// Nobody says what is to be checked.
    Off,
    /// All is well.
    Ok,
    /// Something is to be looked at.
    Warning,
    /// Something does not work, or could not be checked.
    Failed,
}

/// `Warning` where something is to be looked at.
pub const fn warning_if(wrong: bool) -> CheckState {
    if wrong { CheckState::Warning } else { CheckState::Ok }
}
