use patient::profiled::Goes;

use crate::application::{Application, End};
use crate::expected::Expected;
use crate::fault::{Breaking, Broken, Fault};
use crate::world::World;

/// The guide's data inconsistency: the work is done, and its last update never reaches the row.
pub struct LastUpdateLost;

impl<A: Application> Fault<A> for LastUpdateLost {
    fn name(&self) -> &'static str {
        "last-update-lost"
    }

    fn story(&self) -> &'static str {
        "the execution succeeds, and its last update never reaches the row"
    }

    fn expected(&self, patient: &A) -> Expected {
        patient.expects(End::Succeeded)
    }

    fn break_it<'a>(&'a self, world: &'a World<A>) -> Breaking<'a> {
        Box::pin(async move {
            let process = world.patient.begin(Goes::Succeeds).await?;
            let ended = world.ended(&process).await?;
            let broken = Broken::of(world, &process, format!("execution {}, row not told", ended.status)).await?;
            Ok(broken.since(ended.at))
        })
    }
}
