use std::error::Error as StdError;

/// What the patient could not do, and what it was told.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}: {message}")]
pub struct Error {
    doing: String,
    message: String,
}

/// The patient's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(doing: impl Into<String>, message: impl Into<String>) -> Self {
        Self { doing: doing.into(), message: message.into() }
    }

    /// For `map_err`: an error with all of its causes (an SDK error's own text is only "service error").
    pub(crate) fn when<E: StdError>(doing: impl Into<String>) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |error| {
            let mut message = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                message = format!("{message}: {error}");
                cause = error.source();
            }
            Self { doing, message }
        }
    }
}
