//! The system that is looked after: small, but real in everything that the remediation can see of it.
//!
//! Its table in every variant that is found in the field ([`table`]), what its processes work for ([`goals`]), its Lambda functions ([`worker`]), its state machine
//! and what its API does ([`Patient`]), its sessions ([`Session`]), a function of it with an ORM ([`Orm`]),
//! and the ways in which a process of it can go ([`Behaviour`]). Beside it, four other applications ([`profiled`]).
//!
//! It knows nothing of the product: it has its own words for the same things on purpose, so that a mistake in one is not
//! repeated in the other.

mod application;
mod behaviour;
mod error;
pub mod goals;
mod orm;
pub mod profiled;
mod session;
pub mod table;
pub mod worker;

pub use application::{Patient, Process};
pub use behaviour::Behaviour;
pub use error::{Error, Result};
pub use orm::Orm;
pub use session::Session;
