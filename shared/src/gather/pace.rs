//! Paces calls to a quota, so that we never take the application's own share.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::gather::error::Error;

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

/// A token bucket in the ledger, which all containers of all functions share.
#[derive(Debug)]
pub struct SharedPace {
    /// The call.
    pub quota: &'static str,
    /// So many a second, after `burst` at once.
    pub per_second: f64,
    /// See `per_second`.
    pub burst: f64,
}

impl SharedPace {
    /// Waits until the next call may be made; `false`, and no place in the queue, where that is after `stop_at`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn wait(&self, db: &mut PgConnection, stop_at: Instant) -> Result<bool, Error> {
        let left = stop_at.saturating_duration_since(Instant::now()).as_secs_f64();
        let wait: Option<f64> = sqlx::query_scalar(
            "INSERT INTO remediation.paces AS p (quota, full_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
                 ON CONFLICT (quota)
                    DO UPDATE SET full_at = greatest(p.full_at, clock_timestamp()) + make_interval(secs => $2)
                    WHERE p.full_at + make_interval(secs => $2 - $3) < clock_timestamp() + make_interval(secs => $4)
             RETURNING extract(epoch FROM p.full_at - clock_timestamp())::float8 - $3",
        )
        .bind(self.quota)
        .bind(self.per_second.recip())
        .bind(self.burst / self.per_second)
        .bind(left)
        .fetch_optional(db)
        .await
        .map_err(Error::database("taking a place in a quota"))?;
        let Some(wait) = wait else { return Ok(false) };
        tokio::time::sleep(Duration::try_from_secs_f64(wait).unwrap_or_default()).await;
        Ok(true)
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
