//! An explicit-state model of one process: the application, Step Functions, people, and our own steps with the real decisions.

pub mod action;
pub mod ask;
pub mod crowd;
pub mod held;
pub mod liveness;
pub mod others;
pub mod ours;
pub mod pack;
pub mod retry;
pub mod rules;
pub mod search;
pub mod state;
pub mod time;
