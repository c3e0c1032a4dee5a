//! What was read.

use chrono::TimeDelta;
use remediation::gather::trigger::span::spelt;
use remediation::run::incident::Look;

use crate::log::Log;
use crate::policy::Policy;
use crate::rows::Rows;

/// What decides.
pub enum Evidence {
    /// A schedule's look while the alarm has no open incident that is borne out: nothing else was read.
    NoIncident(Box<Look>),
    /// The failures.
    Looked(Box<Looked>),
}

/// The failures, and what decides beside them.
pub struct Looked {
    pub policy: Policy,
    /// How far back was looked.
    pub window: TimeDelta,
    pub rows: Rows,
    pub log: Log,
    /// How many runs led to this one.
    pub depth: u8,
}

impl Looked {
    /// The window as an operator's event spells it.
    pub fn spelt(&self) -> String {
        spelt(u32::try_from(self.window.num_seconds()).unwrap_or(u32::MAX))
    }

    /// The fields of invalid input in one line: `params.title (5): the title …`.
    pub fn fields(&self) -> String {
        let fields: Vec<String> = self
            .rows
            .fields
            .iter()
            .map(|field| {
                let message = field.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
                format!("{} ({}){message}", field.field, field.count)
            })
            .collect();
        fields.join("; ")
    }
}
