//! Plays a case from its beginning to its end.

use std::net::TcpListener;
use std::path::Path;

use crate::case::Case;
use crate::expect;
use crate::failure::Failure;
use crate::steps;
use crate::words::{json, short};
use crate::world::{self, World};

/// What a case came to.
#[derive(Debug)]
pub(crate) enum Played {
    Holds,
    /// What was expected and what was found.
    Fails(String),
    /// The machine does not have what the case needs.
    CannotHere(String),
}

/// Plays the case in this folder.
pub(crate) async fn play(name: &str, folder: &Path) -> Result<Played, Failure> {
    let database = world::database(name).await?;
    let port = database.port().to_string();
    let case = Case::read(folder, |text| text.replace("{db}", database.name()).replace("{port}", &port))?;
    if let Some(need) = case.said.needs.iter().find(|need| !is_there(need)) {
        return Ok(Played::CannotHere(format!("it needs {need}")));
    }
    let mut world = World::new(&case, database).await?;
    let mut faults = Vec::new();
    steps::play(&mut world, &case.said.steps, &mut faults).await?;
    for expectation in &case.said.expect {
        faults.extend(expect::fault(&world, expectation).await?);
    }
    if faults.is_empty() {
        return Ok(Played::Holds);
    }
    let mut lines = vec![format!("{name}: {}", case.said.must)];
    lines.extend(faults.iter().map(|fault| format!("  - {fault}")));
    for (at, answer) in world.answers.iter().enumerate() {
        lines.push(match answer {
            Ok(result) => format!("  answer {at}: {}", short(&json(result))),
            Err(error) => format!("  answer {at}: {error}"),
        });
    }
    let unknown = world.aws.state().unknown_calls();
    if !unknown.is_empty() {
        lines.push(format!("  calls that the cases' AWS does not know: {}", unknown.join(", ")));
    }
    lines.push(format!("  the ends of the logs:\n{}", world.last_words()));
    Ok(Played::Fails(lines.join("\n")))
}

/// Whether the machine has it; what nobody knows is not there.
fn is_there(need: &str) -> bool {
    match need {
        "ipv6" => TcpListener::bind("[::1]:0").is_ok(),
        _ => false,
    }
}
