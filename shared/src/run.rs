//! What all steps need alike: the run from its event to its answer (design, section 3).

pub mod answer;
pub mod incident;
pub mod metrics;
pub mod notify;
pub mod off;
pub mod processes;
pub mod progress;
pub mod review;
mod rounds;
pub mod runner;
pub mod step;
mod tally;
pub mod telling;
pub mod texts;
pub mod worker_step;
