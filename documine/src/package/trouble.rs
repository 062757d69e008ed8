//! Why a package, or an entry of it, is not taken.

use std::fmt::Display;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use zip::result::ZipError;

use crate::disk::reason;
use crate::error::{Error, ErrorKind, Sent};

/// How much of a name an error shows, in characters.
const SHOWN: usize = 100;

/// What stands in the way; [`into_error`](Self::into_error) adds the package's name.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The archive is not what it should be.
    Refused(String),
    /// The caller asked for something that is not there or can't be done.
    Input(String),
    /// The file that holds the archive can't be read.
    File(String, io::Error),
    /// Something can't be written.
    Unwritten(String, io::Error),
    /// Nobody waits for the result any more.
    Stopped,
}

impl Trouble {
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    /// About one entry.
    pub(super) fn entry(name: &str, why: impl Display) -> Self {
        Self::Refused(format!("entry {} {why}", shown(name)))
    }

    /// The library's own words about the archive, or about one entry of it.
    pub(super) fn of_library(what: &str, error: &ZipError) -> Self {
        match error {
            ZipError::Io(error) => Self::of_reading(what, error),
            other => Self::Refused(format!("{what} is damaged ({other}); fetch the package again")),
        }
    }

    /// Errors of the contents and of the disk come by the same way; the disk's have numbers.
    pub(super) fn of_reading(what: &str, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => Self::File(format!("{what} can't be read"), io::Error::from_raw_os_error(number)),
            None => Self::Refused(format!("{what} is damaged ({error}); fetch the package again")),
        }
    }

    /// One line, with the package's name.
    pub(super) fn into_error(self, package: &str) -> Error {
        // Nothing of this was sent anywhere.
        let local = |kind, why: String| Error::new(kind, format!("{package}: {why}")).with_sent(Sent::No);
        match self {
            Self::Refused(why) => local(ErrorKind::Integrity, why),
            Self::Input(why) => local(ErrorKind::Input, why),
            Self::File(what, error) => Error::file(format!("{package}: {what}"), error),
            Self::Unwritten(what, error) => {
                local(ErrorKind::File, format!("{what}: {}", reason(&error))).with_detail(error)
            }
            Self::Stopped => local(ErrorKind::File, "reading was cut off".to_owned()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::of_reading("it", &error)
    }
}

/// A name in quotes, with what a terminal would act on escaped.
pub(super) fn shown(name: &str) -> String {
    let cut: String = name.chars().take(SHOWN).collect();
    let more = if cut.len() < name.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}

/// An end for work that nobody waits for.
pub(super) fn go_on(stop: &AtomicBool) -> Result<(), Trouble> {
    if stop.load(Ordering::Relaxed) { Err(Trouble::Stopped) } else { Ok(()) }
}
