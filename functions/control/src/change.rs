//! A change of a control.

use remediation::act::actions::set_control::Wanted;
use remediation::act::ledger::controls::Allowance;

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The step, or [`EVERYWHERE`](remediation::act::ledger::controls::EVERYWHERE).
    pub step: String,
    /// What is to become of its row.
    pub verb: Verb,
    /// Who asks.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

/// What is to become of a control.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Nothing is done from now on.
    Stop,
    /// Whatever else binds it, this row no longer does. Its limits stay.
    Resume,
    /// All as the manifest has it.
    Reset,
    /// What is named is set; what is not stays.
    Set(Allowance),
}

impl Verb {
    /// What becomes of a row that allows `now`.
    #[must_use]
    pub fn of(&self, now: &Allowance) -> Wanted {
        match self {
            Self::Stop => Wanted::Stop,
            Self::Resume => Wanted::Exactly(Allowance { mode: None, ..now.clone() }),
            Self::Reset => Wanted::Exactly(Allowance::default()),
            Self::Set(Allowance { mode, actions_per_run, actions_per_hour, share }) => Wanted::Exactly(Allowance {
                mode: mode.or(now.mode),
                actions_per_run: actions_per_run.or(now.actions_per_run),
                actions_per_hour: actions_per_hour.or(now.actions_per_hour),
                share: share.or(now.share),
            }),
        }
    }
}
