//! `cargo gameday`: breaks a small real system in every known way, and shows how the product puts it right.

mod application;
mod beside;
mod day;
mod events;
mod expected;
mod fault;
mod faults;
mod game;
mod ground;
mod guide;
mod image;
mod judge;
mod ledger;
mod mode;
mod options;
mod outcome;
mod played;
mod problems;
mod profiled;
mod record;
mod report;
mod second_act;
mod time_lapse;
mod timeline;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::day::Day;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::played::Played;
use crate::world::World;

#[tokio::main]
async fn main() -> ExitCode {
    let played = match Options::read(std::env::args().skip(1)) {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(options)) => match options.profile {
            None => run(&options, World::of_the_guide(options.mode)).await,
            Some(shape) => run(&options, World::of_profile(options.mode, shape)).await,
        },
        Err(error) => Err(error),
    };
    played.unwrap_or_else(|error| {
        eprintln!("gameday: {error}");
        ExitCode::from(2)
    })
}

/// The whole day in a world, and what comes after it.
async fn run<A: Played>(options: &Options, world: impl Future<Output = Outcome<World<A>>>) -> Outcome<ExitCode> {
    let (world, day) = tokio::select! {
        played = play(options, world) => played?,
        () = interrupted() => {
            eprintln!("interrupted: everything that was started ends with this process");
            // At once: a build or a deployment in the midst of its work would be waited for. The guardians see to the rest.
            std::process::exit(130);
        }
    };
    if options.keep {
        keep(&world, &day);
        interrupted().await;
    }
    Ok(if day.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn interrupted() {
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let [Ok(interrupt), Ok(terminate)] = &mut signals else { return std::future::pending().await };
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
    }
}

async fn play<A: Played>(
    options: &Options,
    world: impl Future<Output = Outcome<World<A>>>,
) -> Outcome<(Arc<World<A>>, Day)> {
    let faults = played::chosen::<A>(&options.only)?;
    let world = Arc::new(world.await?);
    println!("\n{} faults, mode {}", faults.len(), options.mode.as_str());
    if let Some(shape) = options.profile {
        let of_the_guide: Vec<_> = faults::OF_THE_GUIDE.iter().map(|fault| fault.name()).collect();
        println!("of no other application than the guide's, so not of {}: {}", shape.name, of_the_guide.join(", "));
    }
    let day = game::play(Arc::clone(&world), &faults).await?;
    report::table(&day, options.mode);
    report::files(&day, options.mode)?;
    Ok((world, day))
}

/// How to reach what keeps running.
fn keep<A: Played>(world: &World<A>, day: &Day) {
    let environment = world.aws.environment();
    let variables = environment.iter().map(|(name, value)| format!("export {name}={value}"));
    let psql = world.postgres.programs().join("psql");
    println!("\nEverything keeps running until Ctrl-C.\n");
    println!("{}\n", variables.collect::<Vec<_>>().join("\n"));
    println!("{} '{}'\n", psql.display(), world.database.url());
    let process =
        day.verdicts.first().map(|verdict| format!(r#"{{"processId":"{}"}}"#, verdict.process)).unwrap_or_default();
    let events = [
        ("check-health", "{}"),
        ("reconcile-processes", "{}"),
        ("reconcile-processes", r#"{"all":true,"mode":"observe"}"#),
        ("fail-timed-out-processes", r#"{"all":true,"limit":1,"reason":"tried by hand"}"#),
        ("sync-execution-status", process.as_str()),
    ];
    for (step, event) in events {
        let function = world.function(step);
        println!(
            "aws lambda invoke --function-name {function} --cli-binary-format raw-in-base64-out --payload '{event}' /dev/stdout"
        );
    }
    println!("\nWithout the AWS CLI:");
    for (step, event) in events {
        let function = world.function(step);
        println!("curl -s {}/2015-03-31/functions/{function}/invocations -d '{event}'", world.aws.endpoint());
    }
}
