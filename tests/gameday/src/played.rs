//! What is played on an application.

use patient::Patient;
use patient::profiled::Profiled;

use crate::application::Application;
use crate::fault::Faults;
use crate::faults;
use crate::outcome::Outcome;
use crate::second_act::{self, Scene};
use crate::world::World;

/// An application that a game day can be played on.
pub trait Played: Application {
    /// What can be broken of it, in the order of the report.
    fn faults() -> Faults<Self>;

    /// What follows once all faults are mended.
    fn second_act(_world: &World<Self>) -> impl Future<Output = Outcome<Vec<Scene>>> + Send {
        async { Ok(Vec::new()) }
    }
}

impl Played for Patient {
    fn faults() -> Faults<Self> {
        [&faults::of_any(), faults::OF_THE_GUIDE].concat()
    }

    async fn second_act(world: &World) -> Outcome<Vec<Scene>> {
        second_act::play(world).await
    }
}

impl Played for Profiled {
    fn faults() -> Faults<Self> {
        faults::of_any()
    }
}

/// Those of these names, or all.
pub fn chosen<A: Played>(names: &[String]) -> Outcome<Faults<A>> {
    let all = A::faults();
    let named = |name: &String| {
        let found = all.iter().find(|fault| fault.name() == name);
        found.copied().ok_or_else(|| format!("--only: there is no fault `{name}`. There are:\n{}", list::<A>()).into())
    };
    if names.is_empty() { Ok(all) } else { names.iter().map(named).collect() }
}

/// What there is, a line each.
pub fn list<A: Played>() -> String {
    let all = A::faults();
    let width = all.iter().map(|fault| fault.name().len()).max().unwrap_or(0);
    let lines = all.iter().map(|fault| format!("  {:width$}  {}", fault.name(), fault.story()));
    lines.collect::<Vec<_>>().join("\n")
}
