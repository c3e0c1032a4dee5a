//! `cargo gameday`: breaks a small real system in every known way, and shows how the product puts it right.

mod beside;
mod events;
mod fault;
mod faults;
mod game;
mod judge;
mod ledger;
mod mode;
mod options;
mod outcome;
mod problems;
mod record;
mod report;
mod second_act;
mod time_lapse;
mod timeline;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::game::Day;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::world::World;

#[tokio::main]
async fn main() -> ExitCode {
    let played = tokio::select! {
        played = play() => played,
        () = interrupted() => {
            eprintln!("interrupted: everything that was started ends with this process");
            // At once: a build or a deployment in the midst of its work would be waited for. The guardians see to the rest.
            std::process::exit(130);
        }
    };
    match played {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some((world, day, options))) => {
            if options.keep {
                keep(&world, &day);
                interrupted().await;
            }
            if day.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("gameday: {error}");
            ExitCode::from(2)
        }
    }
}

async fn interrupted() {
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let [Ok(interrupt), Ok(terminate)] = &mut signals else { return std::future::pending().await };
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
    }
}

/// The whole day; nothing where only help was asked for.
async fn play() -> Outcome<Option<(Arc<World>, Day, Options)>> {
    let Some(options) = Options::read(std::env::args().skip(1))? else { return Ok(None) };
    let world = Arc::new(World::build(options.mode).await?);
    println!("\n{} faults, mode {}", options.faults.len(), options.mode.as_str());
    let day = game::play(Arc::clone(&world), &options.faults).await?;
    report::table(&day, options.mode);
    report::files(&day, options.mode)?;
    Ok(Some((world, day, options)))
}

/// How to reach what keeps running.
fn keep(world: &World, day: &Day) {
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
