//! How long a retry waits: exponential, with full jitter (guide, 4 step 3).
//!
//! The whole wait is random within its window, not only a part of it: a crowd that failed together must not come back together.
//! "Random" is drawn from the process and the attempt, so that every look at them, in whichever container, waits alike.

use chrono::TimeDelta;
use remediation::domain::ProcessId;
use uuid::Uuid;

use crate::policy::Policy;

/// The longest that the next attempt waits after so many retries.
#[must_use]
pub fn window(policy: &Policy, retries: u32, throttled: bool) -> f64 {
    let initial = if throttled { policy.throttled_initial_seconds } else { policy.initial_seconds };
    let exponent = i32::try_from(retries).unwrap_or(i32::MAX);
    (initial * policy.rate.powi(exponent)).min(policy.max_seconds)
}

/// How long the next attempt waits after so many retries.
#[must_use]
pub fn delay(policy: &Policy, process: ProcessId, retries: u32, throttled: bool) -> TimeDelta {
    let seconds = window(policy, retries, throttled) * share(process, retries);
    #[expect(clippy::cast_possible_truncation, reason = "at most 900,000 milliseconds")]
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}

/// From 0 to 1: the beginning of a name-based UUID, which is a digest.
fn share(process: ProcessId, retries: u32) -> f64 {
    let [a, b, c, d, ..] = *Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{process}/{retries}").as_bytes()).as_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy() -> Policy {
        Policy::parse(include_str!("../manifest.toml")).unwrap()
    }

    #[test]
    fn the_window_doubles_up_to_its_limit() {
        // (retries so far, called too often, seconds)
        for (retries, throttled, seconds) in [
            (0, false, 1.0),
            (1, false, 2.0),
            (2, false, 4.0),
            (5, false, 32.0),
            (6, false, 60.0),
            (u32::MAX, false, 60.0),
            (0, true, 5.0),
            (1, true, 10.0),
            (3, true, 40.0),
            (4, true, 60.0),
        ] {
            assert!((window(&policy(), retries, throttled) - seconds).abs() < 1e-9, "{retries} {throttled}");
        }
    }

    #[test]
    fn a_crowd_is_spread_over_the_whole_window() {
        let mut tenths = [0; 10];
        for n in 0..2000_u128 {
            let wait = delay(&policy(), ProcessId::from(Uuid::from_u128(n)), 2, false).num_milliseconds();
            tenths[usize::try_from(wait * 10 / 4001).unwrap()] += 1;
        }
        // 200 each, were it exact.
        assert!(tenths.iter().all(|count| (140..=260).contains(count)), "{tenths:?}");
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_window_and_the_same_at_every_look(id: u128, retries: u32, throttled: bool) {
            let process = ProcessId::from(Uuid::from_u128(id));
            let wait = delay(&policy(), process, retries, throttled);
            prop_assert!(wait >= TimeDelta::zero());
            prop_assert!(wait.as_seconds_f64() <= window(&policy(), retries, throttled));
            prop_assert_eq!(wait, delay(&policy(), process, retries, throttled));
        }
    }
}
