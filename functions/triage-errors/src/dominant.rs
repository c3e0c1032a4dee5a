//! Which cause is the dominant one, and which step answers it: pure.

use std::collections::BTreeMap;

use remediation::failure::cause::Cause;

use crate::policy::Policy;
use crate::rows::{OfType, Rows};

/// The failures that have one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub cause: Cause,
    pub count: i64,
    /// As long before.
    pub before: i64,
}

/// What the failures come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing failed that was not closed by a person.
    Nothing,
    /// Too few failed to name a cause.
    TooFew,
    /// No cause has as large a share as it takes.
    None,
    /// This one has.
    Dominant(Share),
}

/// The causes by their counts, the largest first; of equal ones, the one that a step answers. What a person closed is none.
pub fn causes(rows: &Rows) -> Vec<Share> {
    let mut causes: BTreeMap<&Cause, (i64, i64)> = BTreeMap::new();
    for failures in rows.errors.iter().filter(|failures| failures.cause != Cause::ByPerson) {
        let (count, before) = causes.entry(&failures.cause).or_default();
        *count += failures.count;
        *before += failures.before;
    }
    let share = |(cause, (count, before)): (&Cause, (i64, i64))| Share { cause: cause.clone(), count, before };
    let mut causes: Vec<Share> = causes.into_iter().map(share).filter(|share| share.count > 0).collect();
    causes.sort_by_key(|share| (std::cmp::Reverse(share.count), answer(&share.cause).is_none()));
    causes
}

/// Whether one of the causes is dominant.
pub fn verdict(causes: &[Share], policy: &Policy) -> Verdict {
    let of_worker = || causes.iter().filter(|share| share.cause != Cause::Validation);
    let failed: i64 = of_worker().map(|share| share.count).sum();
    // What users did wrong hides nothing that the worker did.
    let (failed, first) =
        if failed >= policy.least_count { (failed, of_worker().next()) } else { (total(causes), causes.first()) };
    match first {
        None => Verdict::Nothing,
        Some(_) if failed < policy.least_count => Verdict::TooFew,
        Some(first) if first.count >= policy.least_count && percent(first.count, failed) >= policy.dominant_percent => {
            Verdict::Dominant(first.clone())
        }
        Some(_) => Verdict::None,
    }
}

/// How many failures a cause has its share of: what users did wrong is no part of what the worker did.
pub fn among(share: &Share, causes: &[Share]) -> i64 {
    let invalid = causes.iter().filter(|other| other.cause == Cause::Validation && share.cause != Cause::Validation);
    total(causes) - invalid.map(|other| other.count).sum::<i64>()
}

/// How many failures there are in all.
pub fn total(causes: &[Share]) -> i64 {
    causes.iter().map(|share| share.count).sum()
}

/// The step that answers a cause; `None`: people do.
pub const fn answer(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Throttled => Some("throttle-worker"),
        Cause::TimedOut => Some("extend-worker-timeout"),
        Cause::Database => Some("relieve-database"),
        Cause::Model => Some("retry-failed-processes"),
        Cause::DatabaseRefuses
        | Cause::ModelRefuses
        | Cause::Validation
        | Cause::RateLimited
        | Cause::StepFunctions
        | Cause::Other(_)
        | Cause::ByPerson => None,
    }
}

/// The types that fail far more often than all others together, each with the others' share of failures in percent. Where all processes
/// are of one type there is nothing to compare with.
pub fn striking<'a>(rows: &'a Rows, policy: &Policy) -> Vec<(&'a OfType, f64)> {
    let (closed, failed) =
        rows.types.iter().fold((0, 0), |(closed, failed), of_type| (closed + of_type.closed, failed + of_type.failed));
    let compared = rows
        .types
        .iter()
        .filter(|of_type| of_type.closed < closed)
        .map(|of_type| (of_type, percent(failed - of_type.failed, closed - of_type.closed)));
    compared
        .filter(|(of_type, others)| {
            let own = percent(of_type.failed, of_type.closed);
            of_type.failed >= policy.least_count && own > policy.type_percent && own >= policy.type_factor * others
        })
        .collect()
}

/// `part` of `of`, and what that is in percent, as sentences want it.
pub fn part(part: i64, of: i64) -> (i64, i64, f64) {
    (part, of, percent(part, of))
}

/// `part` of `of` in percent; 0 of nothing.
pub fn percent(part: i64, of: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let percent = if of > 0 { 100.0 * part as f64 / of as f64 } else { 0.0 };
    percent
}
