//! The words of the system that is looked after, and what is true of it (design, sections 2 and 5).
//!
//! Pure: it needs neither a database nor AWS, so the decision table builds, and every interleaving of it is explored, in seconds.

pub mod decide;
pub mod domain;
pub mod failure;
pub mod finding;
pub mod guard;
pub mod raw;
pub mod redact;
pub mod severity;
pub mod stored;
pub mod texts;
