//! How far the product may go on a game day.

/// As the command line and the deployment's settings spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Act,
    Observe,
}

impl Mode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Observe => "observe",
        }
    }
}
