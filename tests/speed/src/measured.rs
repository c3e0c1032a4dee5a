//! What all parts measure and tell with.

use std::io::Write as _;
use std::time::Duration;

/// What every part returns.
pub type Measured<T> = Result<T, Box<dyn std::error::Error>>;

/// A line of progress; the table alone goes to stdout.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "speed: {line}");
}

/// The middle one; of an even number the mean of the two.
pub fn median(of: &[Duration]) -> Duration {
    let mut sorted = of.to_vec();
    sorted.sort();
    match (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(lower), Some(upper)) => (*lower + *upper) / 2,
        _ => Duration::ZERO,
    }
}

/// With a fraction.
pub fn milliseconds(of: Duration) -> f64 {
    of.as_secs_f64() * 1000.0
}
