//! What reads and writes the database, on a real PostgreSQL; Step Functions is the local AWS endpoint, or scripted.
//!
//! One program, so that all its tests share a server; each has a database of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

mod admissions;
mod cancel;
mod create_index;
mod database;
mod entries;
mod executions;
mod fence;
mod goals;
mod leases;
mod ledger;
mod listing;
mod migrate;
mod odd;
mod plans;
mod processes;
mod progress;
mod retry_process;
mod rights;
mod sessions;
mod set_goal_status;
mod set_row_status;
mod start_step;
mod stop_execution;
mod support;
mod table;
mod telling;
mod undo;
mod undoing;
