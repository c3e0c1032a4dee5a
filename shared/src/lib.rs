//! Decisions, guarded actions and the ledger that every remediation step shares.
//!
//! A step looks ([`step`]), decides purely, and changes the outside only through an action; the [`runner`] owns
//! everything else. The contract is the project's design document; its sections are named where a rule comes from.

pub mod decide;
pub mod domain;
pub mod failure;
pub mod trigger;
