//! What anything here comes to.

/// Errors are for the person at the terminal: their text is all that counts.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
