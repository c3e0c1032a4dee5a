use std::fmt::Debug;

/// Collects what is not as it should be.
#[derive(Default)]
pub struct Problems(pub Vec<String>);

impl Problems {
    pub fn unless<T: PartialEq + Debug>(&mut self, what: &str, found: &T, expected: &T) {
        if found != expected {
            self.0.push(format!("{what}: {found:?}, expected {expected:?}"));
        }
    }
}
