//! The system that is looked after: small, but real in everything that the remediation can see of it.
//!
//! It knows nothing of the product: it has its own words for the same things on purpose, so that a mistake in one is not
//! repeated in the other.

mod error;
pub mod table;

pub use error::{Error, Result};
