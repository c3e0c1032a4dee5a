//! Whether everything may be retried, one process, or none (guide, 2: an error rate over 5 percent).
//!
//! While most processes fail, a crowd of retries costs model calls, fails as well, and hits a service that may be down for
//! want of air. Then one process at a time is let through as a probe, and its success lets the others through.
//!
//! Counted are the failures that may pass. A permanent one, such as a user's bad input, says nothing about the health of what
//! the processes depend on: it counts as a process that got its answer.

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::retry_process::probe::ProbeState;

use crate::policy::Policy;

/// How far back the error rate reaches.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// What was closed since [`since`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Closed {
    /// All rows.
    pub all: i64,
    /// Those closed by a failure that may pass.
    pub transient: i64,
}

/// What may be retried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Breaker {
    /// Everything.
    Closed,
    /// One process.
    Open {
        /// The share of transient failures, in percent.
        percent: f64,
        /// Whether a probe may be made now.
        probe: Allowed,
    },
}

/// Whether a probe may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// It may.
    Now,
    /// The last one has failed: not before this. A person may.
    From(DateTime<Utc>),
    /// One is under way.
    UnderWay,
}

/// Since when closed rows count: for an hour, and since the last probe's success.
#[must_use]
pub fn since(probe: Option<ProbeState>, now: DateTime<Utc>) -> DateTime<Utc> {
    let hour = now - WINDOW;
    match probe {
        Some(ProbeState::Succeeded { at }) => at.max(hour),
        Some(ProbeState::UnderWay | ProbeState::Failed { .. }) | None => hour,
    }
}

/// What may be retried now.
#[must_use]
pub fn breaker(closed: Closed, probe: Option<ProbeState>, policy: &Policy, now: DateTime<Utc>) -> Breaker {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let percent = if closed.all > 0 { 100.0 * closed.transient as f64 / closed.all as f64 } else { 0.0 };
    if percent <= policy.error_rate_percent {
        return Breaker::Closed;
    }
    let probe = match probe {
        Some(ProbeState::UnderWay) => Allowed::UnderWay,
        Some(ProbeState::Failed { at }) if at + policy.probe_pause() > now => Allowed::From(at + policy.probe_pause()),
        Some(ProbeState::Failed { .. } | ProbeState::Succeeded { .. }) | None => Allowed::Now,
    };
    Breaker::Open { percent, probe }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy() -> Policy {
        Policy::parse(include_str!("../manifest.toml")).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(100_000 + seconds)
    }

    #[test]
    fn only_a_probes_success_shortens_the_hour() {
        for (probe, expected) in [
            (None, -3600),
            (Some(ProbeState::UnderWay), -3600),
            (Some(ProbeState::Failed { at: at(-60) }), -3600),
            (Some(ProbeState::Succeeded { at: at(-60) }), -60),
            (Some(ProbeState::Succeeded { at: at(-7200) }), -3600),
        ] {
            assert_eq!(since(probe, at(0)), at(expected), "{probe:?}");
        }
    }

    #[test]
    fn over_the_threshold_one_is_let_through_and_none_beside_it_or_soon_after_its_failure() {
        let closed = Breaker::Closed;
        let open = |percent, probe| Breaker::Open { percent, probe };
        let (failed, succeeded) =
            (|s| Some(ProbeState::Failed { at: at(s) }), |s| Some(ProbeState::Succeeded { at: at(s) }));
        // (closed, of them transient, the last probe, what may be retried)
        for (all, transient, probe, expected) in [
            (0, 0, None, closed),
            (100, 0, None, closed),
            (100, 5, None, closed),
            (100, 5, Some(ProbeState::UnderWay), closed),
            (100, 6, None, open(6.0, Allowed::Now)),
            (1, 1, None, open(100.0, Allowed::Now)),
            (100, 6, Some(ProbeState::UnderWay), open(6.0, Allowed::UnderWay)),
            (100, 6, failed(-1), open(6.0, Allowed::From(at(299)))),
            (100, 6, failed(-299), open(6.0, Allowed::From(at(1)))),
            (100, 6, failed(-300), open(6.0, Allowed::Now)),
            // Nothing was closed since the success: what had failed before counts no more.
            (0, 0, succeeded(-1), closed),
            // It fails again.
            (4, 1, succeeded(-60), open(25.0, Allowed::Now)),
        ] {
            let seen = breaker(Closed { all, transient }, probe, &policy(), at(0));
            assert_eq!(seen, expected, "{transient} of {all}, {probe:?}");
        }
    }

    proptest! {
        #[test]
        fn fewer_failures_never_open_it(all in 0_i64..1000, transient in 0_i64..1000, fewer in 0_i64..1000) {
            let state = |transient: i64| breaker(Closed { all, transient: transient.min(all) }, None, &policy(), at(0));
            if state(transient) == Breaker::Closed {
                prop_assert_eq!(state(transient.min(fewer)), Breaker::Closed);
            }
        }
    }
}
