//! Lets time go by.

use crate::failure::Failure;
use crate::world::World;

/// So many seconds: every time in the application's tables, in schema `remediation` and in AWS becomes so much longer ago.
pub(crate) async fn advance(world: &World, seconds: i64) -> Result<(), Failure> {
    let sql = include_str!("../sql/advance.sql").replace("{seconds}", &seconds.to_string());
    world.sql(&sql, None, None).await?;
    world.aws.state().age(seconds);
    Ok(())
}
