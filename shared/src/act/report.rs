//! What a run answers (design, section 7): the same for every step, as JSON, as metrics, and for people.

use std::cmp::Reverse;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::Mode;
use crate::finding::{Finding, Skipped};

/// What a run did and saw.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// One sentence.
    pub summary: String,
    /// The step's name.
    pub step: &'static str,
    /// The run's identity in the ledger.
    pub run_id: Uuid,
    /// How far it was allowed to go.
    pub mode: Mode,
    /// What started it.
    pub trigger: Value,
    /// What is worth telling.
    pub findings: Vec<Finding>,
    /// What was done, or would be.
    pub actions: Vec<Done>,
    /// What was left alone.
    pub skipped: Vec<Skipped>,
    /// Whether what was done is as wanted.
    pub verification: Verification,
    /// The plan that waits for approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<Uuid>,
    /// The event that would do what was only told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_do_it: Option<Value>,
    /// Of a step that makes a report of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Value>,
    /// How many entries of each list are left out here; all actions are in `remediation.actions`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub omitted: Map<String, Value>,
}

/// An action in a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Done {
    /// Its identity in the ledger: `{"undo": "<id>"}` takes it back.
    pub id: Uuid,
    /// Its kind.
    pub kind: &'static str,
    /// What it changes.
    pub target: String,
    /// The target before.
    pub before: Option<Value>,
    /// The target after, or as it would be.
    pub after: Option<Value>,
    /// What became of it.
    pub outcome: DoneOutcome,
    /// Why it was, or would be, done; for a failure, what went wrong as well.
    pub reason: String,
    /// People are told of it whenever it is done.
    #[serde(skip)]
    pub is_told: bool,
    /// `{"undo": "<id>"}` takes it back.
    #[serde(skip)]
    pub is_undoable: bool,
}

/// What became of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DoneOutcome {
    /// Done.
    Applied,
    /// Tried in vain.
    Failed,
    /// Not done: the target had moved.
    Superseded,
    /// Stored, waiting for approval.
    Proposed,
    /// Only told.
    Planned,
}

/// Whether what was done helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verification {
    /// Everything reads back as wanted.
    Verified,
    /// Something does not.
    Failed,
    /// It cannot be known yet.
    Unverified,
    /// Nothing was done.
    #[serde(rename = "not-applicable")]
    NotApplicable,
}

impl Verification {
    /// As the ledger spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Unverified => "unverified",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// Lambda answers with 6 MB at the most, and nobody reads thousands of entries: counts tell the rest.
pub(crate) const KEPT: usize = 100;

impl Report {
    /// How many actions were applied.
    #[must_use]
    pub fn applied(&self) -> usize {
        self.count(DoneOutcome::Applied)
    }

    /// How many actions ended so.
    #[must_use]
    pub fn count(&self, outcome: DoneOutcome) -> usize {
        self.actions.iter().filter(|done| done.outcome == outcome).count()
    }

    /// Shortens the lists, what went wrong first, and says by how much.
    pub fn shorten(&mut self) {
        self.actions.sort_by_key(|done| match done.outcome {
            DoneOutcome::Failed => 0,
            DoneOutcome::Superseded => 1,
            DoneOutcome::Proposed | DoneOutcome::Planned => 2,
            DoneOutcome::Applied => 3,
        });
        let mut omit = |name: &str, length: usize| {
            if length > KEPT {
                let before = self.omitted.get(name).and_then(Value::as_u64).unwrap_or(0);
                self.omitted.insert(name.to_owned(), (before + (length - KEPT) as u64).into());
            }
        };
        omit("actions", self.actions.len());
        omit("findings", self.findings.len());
        // What people were told has to stand in the record: by it, they are not told again.
        if self.findings.len() > KEPT {
            self.findings.sort_by_key(|finding| Reverse(finding.audience));
        }
        omit("skipped", self.skipped.len());
        self.actions.truncate(KEPT);
        self.findings.truncate(KEPT);
        self.skipped.truncate(KEPT);
    }
}
