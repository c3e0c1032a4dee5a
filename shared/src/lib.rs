//! Decisions, guarded actions and the ledger that every remediation step shares, in the order of a run:
//!
//! [`domain`] (the words) ← [`decide`] (what is true) ← [`gather`] (reads only) ← [`act`] (the only writes) ← [`run`] (the rest) ← the functions.
//!
//! An arrow never runs back up: `tests/layers.rs` reads the `use` lines. The contract is the project's design document; its sections are
//! named where a rule comes from.

pub mod act;
pub mod gather;
pub mod run;

pub use remediation_decide::{decide, domain, failure, finding, guard, raw, redact, severity, stored, text};
