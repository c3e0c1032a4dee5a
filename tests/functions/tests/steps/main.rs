//! The functions as real binaries behind the real Lambda Runtime API.
//!
//! A line of the issue is a test here; what a test says of AWS it says with real executions on the local endpoint, or, where the
//! endpoint lacks a state or the moment matters, with answers in the form that AWS documents.

mod approving;
mod cancelled;
mod concurrency;
mod control;
mod deployed;
mod errors;
mod escalate;
mod fence;
mod goals;
mod health;
mod incidents;
mod odd;
mod operator;
mod performance;
mod profiles;
mod progress;
mod reboot;
mod reconcile;
mod retention;
mod retry;
mod review;
mod scale;
mod sessions;
mod story;
mod sync;
mod timeouts;
mod told;
mod triage;
mod triggers;
mod tuning;
mod undoing;
mod words;
mod worker;
mod worker_log;
