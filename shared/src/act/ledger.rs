//! The record of what was looked at, wanted and done, in schema `remediation`.

pub mod controls;
pub mod entries;
pub mod facts;
pub mod incidents;
pub mod plans;
pub mod runs;
pub mod told;
