//! Paces calls to a quota, so that we never take the application's own share.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token bucket: `burst` calls at once, then so many a second.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    burst: u32,
    /// When the bucket is full again; in the past, it is full.
    full_at: Mutex<Instant>,
}

impl Pace {
    /// Full.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { every: Duration::from_secs(1) / per_second, burst, full_at: Mutex::new(Instant::now()) }
    }

    /// Waits until the next call may be made.
    pub async fn wait(&self) {
        let mut full_at = self.full_at.lock().await;
        let now = Instant::now();
        *full_at = (*full_at).max(now) + self.every;
        let allowed_from = *full_at - self.every * self.burst;
        drop(full_at);
        tokio::time::sleep_until(allowed_from).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_the_burst_are_paced_to_the_refill() {
        let pace = Pace::new(10, 5);
        let start = Instant::now();
        for _ in 0..5 {
            pace.wait().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..20 {
            pace.wait().await;
        }
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    }
}
