//! Errors of downloads.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// Marks an error about the size limit of the caller. The downloaded bytes are valid.
#[derive(Debug)]
pub(super) struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("package exceeds the size limit")
    }
}

impl std::error::Error for TooLarge {}

pub(super) fn too_large(limit: u64) -> Error {
    let text = format!("package exceeds the limit of {limit} bytes; raise the limit with `max_bytes`");
    Error::new(ErrorKind::Integrity, text).with_detail(TooLarge)
}

pub(super) fn wrong_length(received: u64, announced: Option<u64>) -> Error {
    let announced = announced.unwrap_or_default();
    let text = format!("received {received} bytes of {announced} announced bytes; download the package again");
    Error::new(ErrorKind::Integrity, text).transient()
}

pub(super) fn changed() -> Error {
    Error::new(ErrorKind::Integrity, "package changed during the download; download the package again")
        .with_operation("downloadPackage")
        .repeatable(true)
}
