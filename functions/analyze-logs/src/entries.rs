//! What is known of a process as entries, each with its time and where it is from.

use crate::texts;
use chrono::{DateTime, Utc};
use remediation::domain::{ExecutionStatus, Language, Words};
use remediation::gather::history::Happened;
use remediation::redact;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::line;
use crate::read::{Action, Evidence, Refused, Row, Run, Told};

/// Characters of a sentence that somebody else wrote.
const SENTENCE: usize = 300;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    pub at: DateTime<Utc>,
    pub source: Source,
    /// Which one: an execution's name, a function, a step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub of: String,
    pub what: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub detail: Value,
}

/// Where an entry is from. Of two at the same moment, the cause comes first: a process is accepted, its execution starts, its states
/// are entered, its functions log, the row is written, the ledger records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Accepted,
    Execution,
    History,
    Log,
    Row,
    Fence,
    Run,
    Ledger,
    /// Nothing happened.
    Silence,
    /// What happened here is left out.
    Omitted,
}

impl Source {
    /// For people and machines alike; the row is the row whenever it was written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted | Self::Row => "row",
            Self::Execution => "execution",
            Self::History => "history",
            Self::Log => "log",
            Self::Fence => "fence",
            Self::Run => "run",
            Self::Ledger => "ledger",
            Self::Silence => "silence",
            Self::Omitted => "omitted",
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// All that is known, in time order.
pub fn of(evidence: &Evidence, words: &Words, language: Language) -> Vec<Entry> {
    let mut entries: Vec<Entry> = evidence.row.iter().flat_map(|row| of_row(row, language)).collect();
    entries.extend(evidence.executions.iter().flat_map(|told| of_execution(told, language)));
    entries.extend(evidence.lines.iter().map(|(function, line)| {
        let (what, detail) = line::told(line, words, language);
        Entry { at: line.at, source: Source::Log, of: function.clone(), what, detail }
    }));
    // What was read newest first, oldest first: entries of the same moment keep that order.
    entries.extend(evidence.refused.iter().rev().map(|refused| of_refused(refused, language)));
    entries.extend(evidence.runs.iter().rev().map(|run| of_run(run, language)));
    entries.extend(evidence.actions.iter().rev().map(of_action));
    entries.sort_by_key(|entry| (entry.at, entry.source));
    entries
}

fn of_row(row: &Row, language: Language) -> Vec<Entry> {
    let Row { status, kind, target, progress, retries, error, created_at, updated_at, completed_at } = row;
    let told = error.as_ref().map(|error| {
        let part = |name: &str| error[name].as_str().map(|text| redact::cut(text, SENTENCE));
        [part("code"), part("message")].into_iter().flatten().collect::<Vec<_>>().join(": ")
    });
    let entry = |at: DateTime<Utc>, source, what, detail| Entry { at, source, of: String::new(), what, detail };
    let detail = json!({
        "status": status,
        "progress": progress,
        "retries": retries,
        "error": error.as_ref().map(redact::json),
        "completedAt": completed_at,
    });
    let written = texts::row_is(language, status, progress.unwrap_or(0), *retries, &told.unwrap_or_default());
    let accepted = texts::accepted(language, kind.as_deref(), target.as_deref());
    let mut entries = vec![
        entry(*created_at, Source::Accepted, accepted, json!({ "type": kind, "targetId": target })),
        entry(*updated_at, Source::Row, written, detail),
    ];
    if let Some(at) = completed_at.filter(|at| at != updated_at) {
        entries.push(entry(at, Source::Row, texts::row_closed(language, status), Value::Null));
    }
    entries
}

fn of_execution(told: &Told, language: Language) -> Vec<Entry> {
    let of = told.arn.name().to_owned();
    let entry = |at, source, what| Entry { at, source, of: of.clone(), what, detail: Value::Null };
    let mut entries: Vec<Entry> = told
        .history
        .events
        .iter()
        .filter(|event| !event.is_minor())
        .filter_map(|event| Some(entry(event.at?, Source::History, happened(event))))
        .collect();
    // What the history tells, it tells better.
    let tells = |kind: fn(&Happened) -> bool| told.history.events.iter().any(kind);
    if !tells(|event| event.kind == "ExecutionStarted") {
        entries.push(entry(told.started_at, Source::Execution, texts::started(language)));
    }
    if let Some(at) = told.redriven_at.filter(|_| !tells(|event| event.kind == "ExecutionRedriven")) {
        entries.push(entry(at, Source::Execution, texts::redriven(language, told.redrives)));
    }
    // That a success says that it failed, no event of its history tells.
    let says_failed = told.status == ExecutionStatus::Succeeded && told.error.is_some();
    if let Some(at) = told.stopped_at.filter(|_| says_failed || !tells(Happened::is_end)) {
        let error = told.error.as_deref().map(|error| redact::cut(error, SENTENCE));
        entries.push(entry(at, Source::Execution, texts::ended(language, told.status, error.as_deref())));
    }
    entries
}

/// In Step Functions' own words, which the console's graph has too.
fn happened(event: &Happened) -> String {
    let mut what = event.kind.clone();
    if let Some(name) = &event.name {
        what = format!("{what} {name}");
    }
    if let Some(error) = &event.error {
        what = format!("{what}: {}", redact::cut(error, SENTENCE));
    }
    what
}

fn of_action(action: &Action) -> Entry {
    let Action { id, step, kind, target, cause, before, after, outcome, reason, created_at } = action;
    let status =
        |image: &Option<Value>| image.as_ref().and_then(|image| image["status"].as_str()).unwrap_or("-").to_owned();
    Entry {
        at: *created_at,
        source: Source::Ledger,
        of: step.clone(),
        what: format!("{kind} {outcome}: {} → {}: {}", status(before), status(after), redact::cut(reason, SENTENCE)),
        detail: json!({
            "id": id,
            "target": target,
            "cause": cause,
            "before": before.as_ref().map(redact::json),
            "after": after.as_ref().map(redact::json),
        }),
    }
}

fn of_refused(refused: &Refused, language: Language) -> Entry {
    let Refused { why, times, at, by, status } = refused;
    let what = texts::refused(language, *times, why, status.as_deref(), by.as_deref());
    Entry { at: *at, source: Source::Fence, of: String::new(), what, detail: Value::Null }
}

fn of_run(run: &Run, language: Language) -> Entry {
    let what = match &run.error {
        Some(error) => texts::run_failed(language, &run.kind, &redact::cut(error, SENTENCE)),
        None => {
            let summary = redact::cut(run.summary.as_deref().unwrap_or("-"), SENTENCE);
            texts::run(language, &run.kind, run.mode.as_deref(), &summary)
        }
    };
    Entry { at: run.started_at, source: Source::Run, of: run.step.clone(), what, detail: Value::Null }
}
