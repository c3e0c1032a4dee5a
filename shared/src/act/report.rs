//! What a run answers (design, section 7): the same for every step, as JSON, as metrics, and for people.

mod bound;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use self::bound::Cut;
use crate::domain::Mode;
use crate::finding::{Finding, Skipped};
use crate::redact;

/// What a run did and saw.
#[derive(Debug, Clone, Serialize)]
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
    /// What was done, or would be: of each outcome the first.
    pub actions: Vec<Done>,
    /// How many more there are; `omitted` has their sum.
    #[serde(skip)]
    pub unkept: BTreeMap<Alike, usize>,
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
    /// Whether people heard of it; `None` where there was nothing to tell.
    #[serde(skip)]
    pub told: Option<bool>,
    /// What came of what was tried, for the step's record.
    #[serde(skip)]
    pub tries: Tries,
    /// Of a step that makes a report of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Value>,
    /// How many entries of each list are left out here, and of what is within them how many `characters` of texts and how many `values` of
    /// lists; all actions, with their images, are in `remediation.actions`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub omitted: Map<String, Value>,
}

/// What came of the changes that a run tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// Changes that were made, or refused.
    pub tried: usize,
    /// Those that read back as wanted.
    pub helped: usize,
    /// Those that were refused, or did not make things better.
    pub failed: usize,
    /// Those that did not help on a target that was not tried before within a day.
    pub failed_anew: usize,
}

/// An action in a report. Whoever makes one shows it [`redacted`](Done::redacted).
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
    /// It only carries out what the process's own user wants: people need not hear of it.
    #[serde(skip)]
    pub is_users_wish: bool,
    /// `{"undo": "<id>"}` takes it back.
    #[serde(skip)]
    pub is_undoable: bool,
}

/// What actions have in common that are told together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alike {
    /// See [`Done::outcome`].
    pub outcome: DoneOutcome,
    /// See [`Done::kind`].
    pub kind: &'static str,
    /// See [`Done::is_told`].
    pub is_told: bool,
    /// See [`Done::is_users_wish`].
    pub is_users_wish: bool,
}

impl Done {
    /// What it has in common with others.
    #[must_use]
    pub const fn alike(&self) -> Alike {
        let Self { outcome, kind, is_told, is_users_wish, .. } = *self;
        Alike { outcome, kind, is_told, is_users_wish }
    }

    /// As it may be shown: the one place where an image leaves the ledger. There it stays as it was, to the letter, since an undo compares
    /// the row with it; answer, log and message have it from here.
    #[must_use]
    pub fn redacted(self) -> Self {
        let shown = |image: Option<Value>| image.as_ref().map(redact::json);
        Self { before: shown(self.before), after: shown(self.after), reason: redact::text(&self.reason), ..self }
    }
}

/// What became of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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

/// Bytes of an answer. Lambda takes [6,291,556][1], and fails a run that answers with more, after all has been done.
///
/// [1]: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const ANSWER: usize = 5_000_000;

/// How far what is in an answer is cut, one after the other until it fits: characters of a text, values of an image or another document.
/// With the last, any answer fits: 300 entries and as many documents, six bytes a character.
const BOUNDS: [(usize, usize); 4] = [(16_384, 10_000), (2048, 2000), (256, 200), (64, 10)];

/// Characters of a target that are always kept: an ARN has its name at its end.
const TARGET: usize = 256;

/// Characters of the summary that are always kept.
const SUMMARY: usize = 2048;

/// Nobody reads thousands of entries: counts tell the rest.
pub(crate) const KEPT: usize = 100;

impl Report {
    /// The ledger could not take the run's record: the log has it, and the answer says so.
    pub fn unrecorded(&mut self, why: &str) {
        tracing::info!(ledger = %json!(self), "ledger entry");
        self.findings.push(Finding::new("record_not_written", "schema remediation", why, Value::Null));
    }

    /// How many actions were applied.
    #[must_use]
    pub fn applied(&self) -> usize {
        self.count(DoneOutcome::Applied)
    }

    /// How many actions there are, those that are left out among them.
    #[must_use]
    pub fn actions_in_all(&self) -> usize {
        let left_out =
            self.omitted.get("actions").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        self.actions.len() + left_out.unwrap_or_default()
    }

    /// How many actions ended so.
    #[must_use]
    pub fn count(&self, outcome: DoneOutcome) -> usize {
        let unkept: usize =
            self.unkept.iter().filter(|(alike, _)| alike.outcome == outcome).map(|(_, count)| count).sum();
        unkept + self.actions.iter().filter(|done| done.outcome == outcome).count()
    }

    /// Shortens the lists, what went wrong first, then what is in them until it all fits into an answer, and says by how much.
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
        // What people were told has to stand in the record: by it, they are not told again. And no kind of finding is lost behind the many of
        // another: of each the first stands before the second of any.
        if self.findings.len() > KEPT {
            let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
            let nth = |finding: &Finding| {
                let nth = seen.entry(finding.code).or_default();
                *nth += 1;
                *nth
            };
            let nths: Vec<usize> = self.findings.iter().map(nth).collect();
            let mut all: Vec<_> = nths.into_iter().zip(std::mem::take(&mut self.findings)).collect();
            all.sort_by_key(|(nth, finding)| (Reverse(finding.audience), *nth));
            self.findings = all.into_iter().map(|(_, finding)| finding).collect();
        }
        omit("skipped", self.skipped.len());
        self.actions.truncate(KEPT);
        self.findings.truncate(KEPT);
        self.skipped.truncate(KEPT);
        self.fit();
    }

    fn fit(&mut self) {
        // An event that was cut is none; it is as large only where the one that it repeats was.
        if self.to_do_it.as_ref().is_some_and(|event| bound::size(event) > ANSWER / 4) {
            self.to_do_it = None;
            self.omitted.insert("toDoIt".to_owned(), 1.into());
        }
        if bound::size(self) <= ANSWER {
            return;
        }
        let mut shorter = BOUNDS.into_iter().map(|(characters, values)| self.cut(characters, values));
        let fits = shorter.find(|shorter| bound::size(shorter) <= ANSWER);
        *self = fits.unwrap_or_else(|| self.cut(0, 0));
    }

    fn cut(&self, characters: usize, values: usize) -> Self {
        let mut cut = Cut { characters, values, characters_less: 0, values_less: 0 };
        let mut report = self.clone();
        cut.text(&mut report.summary, characters.max(SUMMARY));
        cut.document(&mut report.trigger);
        for finding in &mut report.findings {
            cut.text(&mut finding.target, characters.max(TARGET));
            cut.text(&mut finding.message, characters);
            cut.document(&mut finding.evidence);
        }
        for done in &mut report.actions {
            cut.text(&mut done.target, characters.max(TARGET));
            cut.text(&mut done.reason, characters);
            done.before.iter_mut().chain(&mut done.after).for_each(|image| cut.document(image));
        }
        for skipped in &mut report.skipped {
            cut.text(&mut skipped.target, characters.max(TARGET));
            cut.text(&mut skipped.why, characters);
        }
        report.report.iter_mut().for_each(|own| cut.document(own));
        for (what, less) in [("characters", cut.characters_less), ("values", cut.values_less)] {
            if less > 0 {
                report.omitted.insert(what.to_owned(), less.into());
            }
        }
        report
    }
}

#[cfg(test)]
mod tests;
