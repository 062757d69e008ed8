//! The content of a result package: [`PackageArchive`].
//!
//! A package comes from outside, so every statement in it is verified before it is used. The layout of packages is not published; the
//! [`EntryKind`] of an entry is inferred.
//!
//! Packages are read on the blocking thread pool. A panic in a library that reads a package is reported as an error of the call
//! ([`ErrorKind::Integrity`](crate::ErrorKind::Integrity)). In a program built with `panic = "abort"`, such a panic ends the program. The
//! code of this crate does not panic on any package.

mod archive;
mod central_directory;
mod contents;
mod entry;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod limits;
mod local_headers;
mod names;
mod open;
mod positioned_file;
mod report;
mod stream;
mod unpack;
mod verify;

pub use contents::PackageArchive;
pub use entry::{Entry, EntryKind};
pub use limits::PackageLimits;
pub use open::OpenPackage;
pub use report::{Cell, Report, Row, Sheet};
pub use stream::EntryStream;
pub use unpack::{Renamed, Skipped, Unpacked};
