//! Decisions, guarded actions and the ledger that every remediation step shares.
//!
//! A step looks ([`step`]), decides purely, and changes the outside only through an action; the [`runner`] owns
//! everything else. The contract is the project's design document; its sections are named where a rule comes from.

pub mod actions;
pub mod config;
pub mod database;
pub mod decide;
pub mod domain;
pub mod error;
pub mod executions;
pub mod failure;
pub mod goals;
pub mod guard;
pub mod history;
pub mod indexes;
pub mod lease;
pub mod ledger;
pub mod logs;
pub mod manifest;
pub mod notify;
pub mod pace;
pub mod parameters;
pub mod processes;
pub mod progress;
pub mod redact;
pub mod report;
pub mod runner;
pub mod sessions;
pub mod state_machine;
pub mod step;
pub mod step_functions;
pub mod stored;
pub mod table;
pub mod texts;
pub mod trigger;
pub mod worker;
pub mod worker_step;
