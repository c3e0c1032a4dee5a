use crate::error::{Error, Result};
use std::time::Duration;
use tokio::time::Instant;

/// Asks again and again until `condition` answers `Some`, at most for `bound`.
///
/// Tests never sleep for a guessed time; they wait for what they want to see. The pause between two looks grows from 5 ms to
/// 100 ms, so quick things are seen quickly and slow ones are not disturbed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> harness::Result<()> {
/// use std::time::Duration;
/// let mut looks = 0;
/// let seen = harness::eventually(Duration::from_secs(1), "the third look", || {
///     looks += 1;
///     let looks = looks;
///     async move { (looks == 3).then_some(looks) }
/// })
/// .await?;
/// assert_eq!(seen, 3);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Timeout`] with `what` when the bound has passed.
pub async fn eventually<T, F, Fut>(bound: Duration, what: impl Into<String>, mut condition: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + bound;
    let mut pause = Duration::from_millis(5);
    loop {
        // A look that hangs is no excuse to wait longer than the bound.
        match tokio::time::timeout_at(deadline, condition()).await {
            Ok(Some(seen)) => return Ok(seen),
            Ok(None) if Instant::now() + pause < deadline => tokio::time::sleep(pause).await,
            Ok(None) | Err(_) => return Err(Error::Timeout { what: what.into(), bound }),
        }
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
