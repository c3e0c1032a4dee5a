//! What a step is: it looks, and it says what it wants. It changes nothing itself (design, section 3).

use chrono::{DateTime, Utc};

use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::trigger::AlarmState;

pub use crate::act::action::Planned;
pub use crate::act::action::kind::Kind;
pub use crate::act::plan::Plan;
pub use crate::finding::{Audience, Finding, Metric, Often, Skipped};
pub use crate::gather::session::{Cursor, Outside, Question, Session};

/// One step of the runbook.
pub trait Step: Send + Sync {
    /// What it reads.
    type Evidence: Send + Sync;

    /// The states of an alarm that start it. The other ones only open or close the alarm's incident.
    const ALARM_STATES: &'static [AlarmState] = &[AlarmState::Alarm];

    /// The operator's parameters that it knows beside the common ones.
    const PARAMETERS: &'static [&'static str] = &[];

    /// Those of its parameters that say what is to be done: an event with one of them acts without `all`.
    const COMMANDS: &'static [&'static str] = &[];

    /// The kinds of changes that it makes: no plan of it may want another, and what it made, it takes back.
    const KINDS: &'static [Kind] = &[];

    /// Its `manifest.toml`.
    fn manifest(&self) -> &'static str;

    /// Reads what the question is about. Writes nothing but what is known of executions and of progress.
    fn gather(
        &self,
        session: &mut Session<'_>,
        question: &Question,
    ) -> impl Future<Output = Result<Self::Evidence, Error>> + Send;

    /// Says what should be done about it: a pure function.
    fn plan(&self, evidence: &Self::Evidence, config: &Config, now: DateTime<Utc>) -> Plan;

    /// Reads what can still be read where no connection to the database can be had, for the reason `why`: a step that only
    /// reads still answers then, and [`Step::plan`] may want no action (design, 6.8). The run is recorded in the log. By
    /// default the run ends with that reason.
    fn gather_without_database(
        &self,
        _outside: &Outside<'_>,
        _why: &Error,
    ) -> impl Future<Output = Option<Self::Evidence>> + Send {
        async { None }
    }
}
