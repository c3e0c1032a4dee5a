//! What must have become of a broken process.

/// What must have become of a broken process.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The row's status in the end, in the guide's words.
    pub status: &'static str,
    /// The code of the row's error in the end.
    pub code: Option<&'static str>,
    /// Its message, where an application other than the guide's keeps one.
    pub message: &'static str,
    /// Whether the row has a result in the end.
    pub result: bool,
    /// The kinds of the actions that the ledger has in the end, all applied, in this order. None: hands off.
    pub actions: &'static [&'static str],
    /// What else comes to be wanted while nobody acts: nothing puts an end to it.
    pub unmended: &'static [&'static str],
    /// Who may have acted. What an event was lost for is found by whichever sweep looks first.
    pub steps: &'static [&'static str],
    /// The code of a finding that must have been told about the row.
    pub finding: Option<&'static str>,
    /// Whether the fence must have refused a write of it, so that the row stays as it was closed.
    pub refused: bool,
}

/// An event's step puts the row right at once; all else is as [`COMPLETED`] says or changed by the fault.
const SYNC: &[&str] = &["sync-execution-status"];
/// The steps that look at everything.
pub const SWEEPS: &[&str] = &["fail-timed-out-processes", "reconcile-processes"];

/// Those of them that stop what runs too long. The event of that stop may reach its own step before the sweep writes the row (design, 5).
pub const STOPPING: &[&str] = &["fail-timed-out-processes", "reconcile-processes", "sync-execution-status"];

/// The row was completed, with its result, by the event's step.
pub const COMPLETED: Expected = Expected {
    status: "COMPLETED",
    code: None,
    message: "",
    result: true,
    actions: &["set-row-status"],
    unmended: &[],
    steps: SYNC,
    finding: None,
    refused: false,
};

/// The row was closed as failed by the event's step.
pub const fn failed(code: &'static str) -> Expected {
    Expected { status: "FAILED", code: Some(code), result: false, ..COMPLETED }
}
