//! The error of a run, and of everything that reads a journal.

use std::error::Error as StdError;
use std::fmt;

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error that ends a run. Failures of single documents are [`Failure`](crate::Failure)s and do not end it.
#[derive(Debug)]
pub struct Error(Box<Details>);

#[derive(Debug)]
struct Details {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kind of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A wrong argument: a source, a journal, a sink or an option.
    Input,
    /// The journal cannot be read or written.
    Journal,
    /// An output cannot be written.
    Sink,
    /// The service cannot be used at all; [`Error::service_error`] is the cause.
    Service,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Details { kind, message: message.into(), source: None }))
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    pub(crate) fn sink(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Sink, message)
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Names the file of a journal, which the library of SQLite does not.
    pub(crate) fn in_file(mut self, path: &str) -> Self {
        if let Some(rest) = self.0.message.strip_prefix("journal: ") {
            self.0.message = format!("{path}: {rest}");
        }
        self
    }

    /// Makes the error one of the settings.
    pub(crate) fn into_input(mut self) -> Self {
        self.0.kind = ErrorKind::Input;
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the error of the service, if it is the cause.
    pub fn service_error(&self) -> Option<&documine::Error> {
        self.0.source.as_deref().and_then(|source| source.downcast_ref())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let advice = match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => "; free space and run again: nothing is lost",
            Some(
                rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::PermissionDenied,
            ) => "; make the file and its folder writable",
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                "; the file is damaged or not a journal: restore a copy, or start with a new journal"
            }
            _ => "",
        };
        let kind = match error.sqlite_error_code() {
            Some(
                rusqlite::ErrorCode::ReadOnly
                | rusqlite::ErrorCode::CannotOpen
                | rusqlite::ErrorCode::PermissionDenied
                | rusqlite::ErrorCode::NotADatabase,
            ) => ErrorKind::Input,
            _ => ErrorKind::Journal,
        };
        Self::new(kind, format!("journal: {error}{advice}")).with_source(error)
    }
}

impl From<documine::Error> for Error {
    fn from(error: documine::Error) -> Self {
        Self::new(ErrorKind::Service, format!("{error:#}")).with_source(error)
    }
}
