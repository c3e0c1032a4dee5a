//! The system that is looked after.
