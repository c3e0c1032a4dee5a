//! What is broken beside a process's row, and how it is asked how it is.

/// Something beside the process's row that is broken, and what must become of it.
#[derive(Debug, Clone)]
pub struct Also {
    /// As the ledger names it.
    pub target: String,
    /// How it is asked for.
    pub question: Question,
    /// The answer while it is broken.
    pub broken: &'static str,
    /// The answer once it is right.
    pub right: &'static str,
}

/// How something beside a row is asked how it is.
#[derive(Debug, Clone, Copy)]
pub enum Question {
    /// One text about the target, `$1`.
    Sql(&'static str),
    /// The timeout of the patient's worker, in seconds, as the endpoint has it.
    WorkerTimeout,
}
