//! Step.
fn main() {}
