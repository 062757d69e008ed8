//! Errors of the package reader, before the name of the package is added.

use std::fmt::Display;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use zip::result::ZipError;

use crate::disk::write_failure;
use crate::error::{Error, ErrorKind, Sent};

/// Longest name in an error text, in characters.
const MAX_SHOWN_CHARS: usize = 100;

/// A failure while reading or unpacking a package.
#[derive(Debug)]
pub(super) enum PackageError {
    /// The archive is damaged, malicious or too large.
    Invalid(String),
    /// The arguments of the call are invalid.
    Input(String),
    /// The file of the archive cannot be read.
    Read(String, io::Error),
    /// The output cannot be written.
    Write(String, io::Error),
    /// The caller dropped the call.
    Cancelled,
}

impl PackageError {
    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }

    /// Creates an error about one entry.
    pub(super) fn entry(name: &str, reason: impl Display) -> Self {
        Self::Invalid(format!("entry {}: {reason}", quoted(name)))
    }

    /// Converts an error of the ZIP library. `subject` is the archive or one of its entries.
    pub(super) fn from_zip(subject: &str, error: &ZipError) -> Self {
        match error {
            ZipError::Io(error) => Self::from_read(subject, error),
            other => Self::damaged(subject, other),
        }
    }

    /// Converts an error of a reader. Only errors of the disk carry an error number of the operating system.
    pub(super) fn from_read(subject: &str, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => Self::Read(format!("{subject} cannot be read"), io::Error::from_raw_os_error(number)),
            None => Self::damaged(subject, error),
        }
    }

    fn damaged(subject: &str, error: impl Display) -> Self {
        Self::Invalid(format!("{subject} is damaged: {error}; download the package again"))
    }

    /// Converts to an error of one line that begins with the name of the package.
    pub(super) fn into_error(self, package: &str) -> Error {
        // Nothing is sent while a package is read.
        let local = |kind, reason: String| Error::new(kind, format!("{package}: {reason}")).with_sent(Sent::No);
        match self {
            Self::Invalid(reason) => local(ErrorKind::Integrity, reason),
            Self::Input(reason) => local(ErrorKind::Input, reason),
            Self::Read(what, error) => Error::file(format!("{package}: {what}"), error),
            Self::Write(what, error) => write_failure(&format!("{package}: {what}"), error),
            Self::Cancelled => local(ErrorKind::File, "reading was cancelled".to_owned()),
        }
    }
}

impl From<io::Error> for PackageError {
    fn from(error: io::Error) -> Self {
        Self::from_read("ZIP archive", &error)
    }
}

/// Quotes a name and escapes control characters, which a terminal could interpret.
pub(super) fn quoted(name: &str) -> String {
    let cut: String = name.chars().take(MAX_SHOWN_CHARS).collect();
    let ellipsis = if cut.len() < name.len() { "…" } else { "" };
    format!("{cut:?}{ellipsis}")
}

/// Returns an error once the caller has dropped the call.
pub(super) fn check_cancelled(cancelled: &AtomicBool) -> Result<(), PackageError> {
    if cancelled.load(Ordering::Relaxed) { Err(PackageError::Cancelled) } else { Ok(()) }
}
