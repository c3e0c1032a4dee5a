//! What got slower, and what else moved at the same time: pure.
//!
//! A type is compared only with itself, and only where both windows have enough of it. What else moved is no proof of a cause; it is
//! told with the step that would look into it.

use crate::texts;
use remediation::domain::Language;
use serde::Serialize;
use serde_json::{Value, json};

use crate::durations::{Durations, Stats};
use crate::policy::Policy;
use crate::worker::{Runs, Worker};

/// What comes of the comparison of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Compared {
    /// It got slower.
    Slower { now: Stats, before: Stats, moved: Vec<Moved> },
    /// As fast as before, or faster.
    AsBefore,
    /// Nobody can tell: so many were completed now and before.
    TooFew { now: i64, before: i64 },
}

/// What else moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Moved {
    /// The largest run used nearly all memory.
    MemoryShort { percent: f64, memory_mb: f64 },
    /// More runs began cold.
    ColdStarts { percent_before: f64, percent_now: f64 },
    /// More processes were tried again.
    Retries { percent_before: f64, percent_now: f64 },
    /// The worker itself takes longer.
    WorkerSlower { p95_seconds_before: f64, p95_seconds_now: f64 },
    /// The worker takes as long as before: the time is lost around it.
    AroundTheWorker { p95_seconds_before: f64, p95_seconds_now: f64 },
    /// Nothing is known of the worker, or too little.
    WorkerNotKnown,
}

/// Compares a type's windows. `worker` is `None` where nothing is known of it.
pub fn compare(durations: &Durations, worker: Option<&Worker>, policy: &Policy) -> Compared {
    let count = |stats: &Option<Stats>| stats.as_ref().map_or(0, |stats| stats.count);
    let (Some(now), Some(before)) = (durations.now, durations.before) else {
        return Compared::TooFew { now: count(&durations.now), before: count(&durations.before) };
    };
    if now.count.min(before.count) < policy.samples {
        return Compared::TooFew { now: now.count, before: before.count };
    }
    let slower = |now: f64, before: f64| rise(now, before).is_some_and(|percent| percent > policy.slower_percent);
    if slower(now.average, before.average) || slower(now.p95, before.p95) {
        Compared::Slower { now, before, moved: moved(&now, &before, worker, policy) }
    } else {
        Compared::AsBefore
    }
}

/// By how many percent something rose; `None` where there was nothing to rise from.
pub fn rise(now: f64, before: f64) -> Option<f64> {
    (before > 0.0).then(|| 100.0 * (now - before) / before)
}

fn moved(now: &Stats, before: &Stats, worker: Option<&Worker>, policy: &Policy) -> Vec<Moved> {
    let mut moved = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let retried = |stats: &Stats| 100.0 * stats.retried as f64 / stats.count as f64;
    let share = |before: f64, now: f64| now - before >= policy.share_points;
    if share(retried(before), retried(now)) {
        moved.push(Moved::Retries { percent_before: retried(before), percent_now: retried(now) });
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of the manifest's")]
    let enough = |runs: &&Runs| runs.runs >= policy.samples as f64;
    let run_now = worker.and_then(|worker| worker.now.as_ref());
    if let Some(runs) = run_now.filter(|runs| runs.memory_percent() >= policy.memory_percent) {
        moved.push(Moved::MemoryShort { percent: runs.memory_percent(), memory_mb: runs.memory_mb });
    }
    let run_before = worker.and_then(|worker| worker.before.as_ref()).filter(enough);
    let (Some(run_now), Some(run_before)) = (run_now.filter(enough), run_before) else {
        moved.push(Moved::WorkerNotKnown);
        return moved;
    };
    if share(run_before.cold_percent(), run_now.cold_percent()) {
        moved
            .push(Moved::ColdStarts { percent_before: run_before.cold_percent(), percent_now: run_now.cold_percent() });
    }
    let slower = |now: f64, before: f64| rise(now, before).is_some_and(|percent| percent > policy.slower_percent);
    let (p95_seconds_before, p95_seconds_now) = (run_before.p95_ms / 1000.0, run_now.p95_ms / 1000.0);
    moved.push(if slower(run_now.average_ms, run_before.average_ms) || slower(run_now.p95_ms, run_before.p95_ms) {
        Moved::WorkerSlower { p95_seconds_before, p95_seconds_now }
    } else {
        Moved::AroundTheWorker { p95_seconds_before, p95_seconds_now }
    });
    moved
}

impl Moved {
    /// As a sentence, with the step that would look into it and the event for that.
    pub fn sentence(&self, language: Language) -> String {
        match *self {
            Self::MemoryShort { percent, memory_mb } => texts::memory_short(language, percent, memory_mb),
            Self::ColdStarts { percent_before, percent_now } => {
                texts::cold_starts(language, percent_before, percent_now)
            }
            Self::Retries { percent_before, percent_now } => texts::retries(language, percent_before, percent_now),
            Self::WorkerSlower { p95_seconds_before, p95_seconds_now } => {
                texts::worker_slower(language, p95_seconds_before, p95_seconds_now)
            }
            Self::AroundTheWorker { p95_seconds_before, p95_seconds_now } => {
                texts::around_the_worker(language, p95_seconds_before, p95_seconds_now)
            }
            Self::WorkerNotKnown => texts::worker_not_known(language),
        }
    }
}

/// The change of a type's numbers in percent, for machines.
pub fn change(durations: &Durations) -> Value {
    match (&durations.now, &durations.before) {
        (Some(now), Some(before)) => json!({
            "average": rise(now.average, before.average),
            "p50": rise(now.p50, before.p50),
            "p95": rise(now.p95, before.p95),
        }),
        _ => Value::Null,
    }
}
