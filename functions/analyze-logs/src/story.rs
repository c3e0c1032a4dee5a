//! The story: what the process is now, what the guide would do about it, and all that happened, with its silences.

use crate::texts;
use chrono::{DateTime, Utc};
use remediation::act::action::Action;
use remediation::act::actions::set_row_status::SetRowStatus;
use remediation::act::actions::stop_execution::StopExecution;
use remediation::decide::StopCause;
use remediation::domain::{Execution, ProcessId, ProcessStatus};
use remediation::gather::config::Config;
use remediation::gather::processes::case::Newest;
use remediation::run::step::{Finding, Plan};
use serde_json::{Value, json};

use crate::entries::{self, Entry, Source};
use crate::policy::Policy;
use crate::read::Evidence;

/// A process's story.
#[derive(Debug)]
pub struct Story {
    process: ProcessId,
    /// What it is now, what would be done about it, what was heard of it last.
    verdict: Vec<String>,
    /// What a step would do, where one would.
    would: Vec<String>,
    entries: Vec<Entry>,
    /// How many entries are left out.
    omitted: usize,
    /// What was looked at, and what could not be read.
    looked_at: Vec<String>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Story {
    /// Tells it. `looked` is what the decision table makes of the process.
    pub fn tell(evidence: &Evidence, looked: &Plan, policy: &Policy, config: &Config, now: DateTime<Utc>) -> Self {
        let language = config.language;
        let all = entries::of(evidence, config.policy.words, language);
        let would = would(looked, config);
        let mut verdict = vec![is_now(evidence, config, now)];
        verdict.extend(would.iter().cloned());
        if would.is_empty() {
            verdict.extend(looked.skipped.iter().map(|left| texts::nothing_to_do(language, &left.why)));
        }
        verdict.extend(looked.findings.iter().map(|finding| finding.message.clone()));
        let failed = evidence
            .decided
            .cases
            .first()
            .is_some_and(|case| matches!(case.process.status, ProcessStatus::Failed | ProcessStatus::Timeout));
        if failed && would.is_empty() {
            let event = json!({ "processId": evidence.process, "mode": "observe" });
            verdict.push(texts::retry_knows(language, &event.to_string()));
        }
        verdict.push(match all.iter().rev().find(|entry| entry.source == Source::Log) {
            Some(Entry { at, of, what, .. }) => texts::last_word(language, &time(*at), of, what),
            None => texts::no_word(language),
        });
        let mut looked_at = vec![texts::looked_at(language, &time(evidence.from), &time(evidence.to), &counts(&all))];
        looked_at.extend(evidence.not_read.iter().map(|(what, why)| texts::not_read(language, what, why)));
        let omitted = all.len().saturating_sub(policy.entries);
        let entries = shortened(all, omitted, policy, config);
        let open = evidence.decided.cases.first().is_some_and(|case| case.process.status.is_open());
        let until = open.then_some(now);
        Self {
            process: evidence.process,
            verdict,
            would,
            entries: with_silences(entries, policy, until, config),
            omitted,
            looked_at,
            from: evidence.from,
            to: evidence.to,
        }
    }

    /// What a step would fix is worth reporting: this one fixes nothing.
    pub fn to_be_put_right(&self) -> Option<Finding> {
        let (target, message) = (self.process.to_string(), self.would.join("; "));
        (!self.would.is_empty()).then(|| Finding::new("would_be_put_right", target, message, Value::Null))
    }

    /// The text, and its entries for machines. What is to be fixed is a finding, what could not be read is skipped: neither is said again.
    pub fn report(&self) -> Value {
        let mut text = self.verdict.clone();
        text.extend(self.looked_at.iter().cloned());
        text.extend(self.entries.iter().map(|entry| match entry.source {
            Source::Silence | Source::Omitted => entry.what.clone(),
            source => format!("{} {:<9} {}", time(entry.at), source.as_str(), said(entry)),
        }));
        json!({
            "text": text,
            "story": {
                "processId": self.process,
                "window": { "from": self.from, "to": self.to },
                "entries": self.entries,
                "omitted": self.omitted,
            },
        })
    }
}

fn said(entry: &Entry) -> String {
    if entry.of.is_empty() { entry.what.clone() } else { format!("{}: {}", entry.of, entry.what) }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}

/// What the process is now.
fn is_now(evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> String {
    let language = config.language;
    let Some(case) = evidence.decided.cases.first() else {
        let known = !(evidence.executions.is_empty()
            && evidence.lines.is_empty()
            && evidence.actions.is_empty()
            && evidence.refused.is_empty());
        let say = if known { texts::without_row } else { texts::nothing_known };
        return say(language, evidence.process);
    };
    let newest = match &case.newest {
        Newest::Known(Some(execution)) => Some(of(execution, now)),
        Newest::Known(None) => None,
        Newest::Unknown(_) => evidence.executions.first().map(|told| {
            let since = told.stopped_at.unwrap_or_else(|| told.redriven_at.unwrap_or(told.started_at));
            (told.arn.name(), told.status, now - since)
        }),
    };
    texts::now_is(language, evidence.process, (case.process.status, case.process.progress), newest)
}

fn of(execution: &Execution, now: DateTime<Utc>) -> (&str, remediation::domain::ExecutionStatus, chrono::TimeDelta) {
    let since = execution.stopped_at.unwrap_or_else(|| execution.attempt_started_at());
    (execution.arn.name(), execution.status, now - since)
}

/// What a step would do about it, by the decision table.
fn would(looked: &Plan, config: &Config) -> Vec<String> {
    let language = config.language;
    // The decision table wants nothing else than these two.
    let say = |action: &dyn Action, reason: &str| {
        if let Some(close) = action.downcast::<SetRowStatus>() {
            return Some(texts::would_close(language, "reconcile-processes", close.status, reason));
        }
        let step = match action.downcast::<StopExecution>()?.cause {
            StopCause::Deadline => "fail-timed-out-processes",
            StopCause::Cancelled => "stop-cancelled-executions",
        };
        Some(texts::would_stop(language, step, reason))
    };
    looked.actions.iter().filter_map(|planned| say(planned.action.as_ref(), &planned.reason)).collect()
}

fn counts(entries: &[Entry]) -> String {
    let counted = [Source::Execution, Source::History, Source::Log, Source::Run, Source::Ledger, Source::Fence];
    let count = |source: Source| entries.iter().filter(|entry| entry.source == source).count();
    let told: Vec<String> = counted.iter().map(|source| format!("{} {}", source.as_str(), count(*source))).collect();
    told.join(", ")
}

/// The beginning and, above all, the end of a story that is too long.
fn shortened(mut entries: Vec<Entry>, omitted: usize, policy: &Policy, config: &Config) -> Vec<Entry> {
    let beginning = policy.entries / 4;
    if let Some(last) = entries.get(beginning).filter(|_| omitted > 0) {
        let what = texts::omitted(config.language, omitted);
        let mark = Entry {
            at: last.at,
            source: Source::Omitted,
            of: String::new(),
            what,
            detail: json!({ "entries": omitted }),
        };
        entries.splice(beginning..beginning + omitted, [mark]);
    }
    entries
}

/// Shows where nothing was heard for long, until now where the process is open.
fn with_silences(entries: Vec<Entry>, policy: &Policy, until: Option<DateTime<Utc>>, config: &Config) -> Vec<Entry> {
    let language = config.language;
    let silence = |after: &Entry, seconds: i64, what: String| Entry {
        at: after.at,
        source: Source::Silence,
        of: String::new(),
        what,
        detail: json!({ "seconds": seconds }),
    };
    let mut told: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some(last) = told.last().filter(|last| last.source != Source::Omitted) {
            let seconds = (entry.at - last.at).num_seconds();
            if seconds > policy.gap_seconds {
                told.push(silence(last, seconds, texts::silence(language, seconds)));
            }
        }
        told.push(entry);
    }
    if let (Some(last), Some(until)) = (told.last(), until) {
        let seconds = (until - last.at).num_seconds();
        if seconds > policy.gap_seconds {
            told.push(silence(last, seconds, texts::silence_so_far(language, seconds)));
        }
    }
    told
}
