//! Failures: one line for people, one exit code for programs.

use documine::{Error, ErrorKind};

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// The reason for an early end.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The SDK's name for it, or `usage`.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// `--help` lists them.
    pub(crate) code: u8,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: "usage", message: message.into(), code: 2 }
    }

    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self { kind: "other", message: message.into(), code: 1 }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Config | ErrorKind::Input => 2,
            _ if error.needs_login() || error.is_unauthorized() => 4,
            _ if error.is_transient() => 5,
            ErrorKind::Auth => 4,
            _ => 1,
        };
        Self { kind: error.kind().name(), message: error.to_string(), code }
    }
}
