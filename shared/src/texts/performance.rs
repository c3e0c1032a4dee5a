//! What analyze-performance tells.
