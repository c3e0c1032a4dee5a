//! What is played on an application.

use patient::Patient;
use patient::profiled::Profiled;

use crate::application::Application;
use crate::fault::{Fault, Faults};
use crate::faults;
use crate::outcome::Outcome;
use crate::second_act::{self, Scene};
use crate::world::World;

/// An application that a game day can be played on.
pub trait Played: Application {
    /// What can be broken of it, in the order of the report.
    fn faults() -> &'static [&'static dyn Fault<Self>];

    /// What follows once all faults are mended.
    fn second_act(_world: &World<Self>) -> impl Future<Output = Outcome<Vec<Scene>>> + Send {
        async { Ok(Vec::new()) }
    }
}

impl Played for Patient {
    fn faults() -> &'static [&'static dyn Fault<Self>] {
        faults::ALL
    }

    async fn second_act(world: &World) -> Outcome<Vec<Scene>> {
        second_act::play(world).await
    }
}

impl Played for Profiled {
    fn faults() -> &'static [&'static dyn Fault<Self>] {
        faults::CORE
    }
}

/// Those of these names, or all.
pub fn chosen<A: Played>(names: &[String]) -> Outcome<Faults<A>> {
    let named = |name: &String| {
        let found = A::faults().iter().find(|fault| fault.name() == name);
        found.copied().ok_or_else(|| format!("--only: there is no fault `{name}`. There are:\n{}", list::<A>()).into())
    };
    if names.is_empty() { Ok(A::faults().into()) } else { names.iter().map(named).collect() }
}

/// What there is, a line each.
pub fn list<A: Played>() -> String {
    let width = A::faults().iter().map(|fault| fault.name().len()).max().unwrap_or(0);
    let lines = A::faults().iter().map(|fault| format!("  {:width$}  {}", fault.name(), fault.story()));
    lines.collect::<Vec<_>>().join("\n")
}
